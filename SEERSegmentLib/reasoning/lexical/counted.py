"""Levels of the spine and the rib cage as values: how many there are, in which order, and those that a text gives."""

from __future__ import annotations

from dataclasses import dataclass

from ...values import Side

__all__ = ["COUNTS", "SEQUENCE", "Counted"]

COUNTS = {"C": 7, "T": 12, "L": 5, "S": 5, "rib": 12}
"""How many there are in a person with the usual numbering."""

SEQUENCE: tuple[str, ...] = tuple(f"{r}{n}" for r in "CTLS" for n in range(1, COUNTS[r] + 1))


@dataclass(frozen=True, slots=True)
class Counted:
    """Levels given by number.

    ``kind`` is ``"vertebra"``, ``"rib"`` or ``"disc"``; ``levels`` are their names ("T12", "7", "L3/L4") in the order
    given; ``missing`` those named that no one has ("C9"). ``end`` is the index of the token after them. ``letter_d``
    tells that thoracic levels were written with D, which the duodenum's parts are too; ``side`` is one written into the
    code ("R3 rib"), ``paired`` that both sides are meant ("the last pair of ribs").
    """

    kind: str
    levels: tuple[str, ...]
    end: int
    missing: tuple[str, ...] = ()
    letter_d: bool = False
    side: Side = Side.NONE
    paired: bool = False
