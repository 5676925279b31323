"""What a rephrasing is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ...values import Side

__all__ = ["Kind", "Proof", "Rephrasing"]


class Kind(str, Enum):
    """How a rephrasing differs. The first three are the paper's (Fig. 2)."""

    TYPO = "typo noise"
    SPATIAL = "spatial specifier"
    INTENT = "clinical-intent paraphrase"
    SYNONYM = "synonym"
    ABBREVIATION = "abbreviation"
    REPORT = "report wrapping"
    TELEGRAPHIC = "telegraphic"
    DICTATION = "dictation"
    CASE = "case and punctuation"


@dataclass(frozen=True)
class Proof:
    """Why words of a rephrasing mean what the request meant: structure, side and level are those of the target.

    Attributes
    ----------
    target : str
        The target's canonical text: ``"left kidney"``.
    structure : str
        Vocabulary id; empty for free text, which is repeated word for word.
    side, level : Side, str
    words : str
        The words of the rephrasing that name it.
    because : str
        The table row or rule that makes them equivalent.
    """

    target: str
    structure: str
    side: Side
    level: str
    words: str
    because: str


@dataclass(frozen=True)
class Rephrasing:
    """Other words for the same request, and one proof for each of its targets, in the targets' order."""

    text: str
    kind: Kind
    proofs: tuple[Proof, ...]
