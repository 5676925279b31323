"""What is known of the parts: the worker's list of them, and the chosen reasoner as it is with its options."""

from __future__ import annotations

import re
from dataclasses import replace

from ..worker.messages import CapabilitiesOrder, CapabilitiesReport, PartChoice, PartReport
from .board import Board
from .choices import AUTOMATIC, behind

__all__ = ["Catalogue", "effective_preset", "find_part", "stand_in_for"]

#: What draws from boxes where the chosen backbone can't; any other that does stands in where this one is not there.
_BOX_BACKBONE = "propagation"


#: Where a key slice begins in an answer, as ``anatomy.anchors`` has it; the panel's process doesn't load the anatomy.
_KEY_SLICE = re.compile(r"@\s*[ijk]\s*\d", re.IGNORECASE)


class Catalogue:
    """Keeps what the worker said of the parts, and asks no more often than what was said may have changed."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._described: PartChoice | None = None

    def order(self, job: str, reasoner: PartChoice) -> CapabilitiesOrder:
        """The question to the worker. A reasoner without options is in its list as it is."""
        return CapabilitiesOrder(job, reasoner if reasoner.options else None)

    def take(self, report: CapabilitiesReport, reasoner: PartChoice) -> None:
        """The worker's answer to the question about this reasoner."""
        if report.chosen is not None:
            self._described = reasoner
            said = self._board.clean(report.chosen.what_to_do)
            self._board.set(chosen=replace(report.chosen, what_to_do=said))
        self._board.set(capabilities=replace(report, chosen=None))

    def knows(self, parts: dict[str, PartChoice]) -> bool:
        """Whether all is known of these parts, by kind. What was not ready is asked about again: it may be now."""
        names = [(kind, choice.name) for kind, choice in parts.items()]
        names += [(kind, behind(choice)) for kind, choice in parts.items() if behind(choice)]
        if not all(find_part(self._board.state.capabilities, kind, name) for kind, name in names):
            return False
        reasoner = parts.get("reasoner")
        if reasoner is None or not reasoner.options:
            return True
        found = self.described(reasoner)
        return found is not None and found.ready

    def described(self, reasoner: PartChoice) -> PartReport | None:
        """A reasoner as it is with its options; one without any as it is in the list. None where nothing is known."""
        if reasoner.options:
            return self._board.state.chosen if reasoner == self._described else None
        return find_part(self._board.state.capabilities, "reasoner", reasoner.name)


def find_part(capabilities: CapabilitiesReport | None, kind: str, name: str) -> PartReport | None:
    """What is known of a part; None where nothing is."""
    parts = capabilities.parts if capabilities else ()
    return next((part for part in parts if part.kind == kind and part.name == name), None)


def effective_preset(preferred: str, reasoner: PartReport | None) -> str:
    """The views of a run: the preferred ones where the reasoner reads them, else those that it is best with.

    Empty where nothing is known of the reasoner: the worker decides then.
    """
    reads = reasoner.presets if reasoner else ()
    if preferred != AUTOMATIC and (not reads or preferred in reads):
        return preferred
    return reads[0] if reads else ""


def stand_in_for(
    backbone: str, capabilities: CapabilitiesReport | None, reasoner: PartReport | None, answer: str | None = None
) -> str:
    """The backbone that draws from boxes in place of a chosen one that can't; empty where none is needed, or is there.

    Parameters
    ----------
    backbone : str
        The chosen one.
    capabilities : CapabilitiesReport or None
    reasoner : PartReport or None
        Who replies; one with the protocol ``"anchor"`` does so with boxes.
    answer : str or None
        In place of a reply: the boxes that are written in it count.
    """
    if answer is not None:
        boxes = _KEY_SLICE.search(answer) is not None
    else:
        boxes = reasoner is not None and reasoner.protocol == "anchor"
    chosen = find_part(capabilities, "backbone", backbone)
    if not boxes or capabilities is None or chosen is None or "box" in chosen.accepts:
        return ""
    fit = [p.name for p in capabilities.parts if p.kind == "backbone" and p.ready and "box" in p.accepts]
    return _BOX_BACKBONE if _BOX_BACKBONE in fit else next(iter(fit), "")
