"""What choosing ends with: targets, or a question back."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...values import Abstention, Evidence

__all__ = ["Chosen", "Question", "abstain"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Names to be answered with, in order: names of structures, or free text (``free``) that the vocabulary lacks."""

    names: tuple[str, ...]
    free: frozenset[str] = frozenset()


@dataclass
class Question(Exception):
    """Ends the reading: why there is no answer, what to ask, and what could be asked for instead."""

    code: str
    reason: str
    question: str
    suggestions: tuple[str, ...] = ()
    steps: list[str] = field(default_factory=list)


def abstain(
    question: Question, rationale: tuple[str, ...], reasoner: str, evidence: tuple[Evidence, ...] = ()
) -> Abstention:
    """The Abstention of a question."""
    return Abstention(
        question.code,
        question.reason,
        question.question,
        question.suggestions,
        evidence=evidence,
        rationale=rationale,
        reasoner=reasoner,
    )
