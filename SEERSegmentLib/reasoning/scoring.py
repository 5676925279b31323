"""Scores answers to requests whose meaning is known: what `Testing/data/requests_*.jsonl` hold.

A row of such a file has ``request``, ``modality``, ``intent``, ``category``, ``accept`` (every set of labels that
counts as right) and ``abstain``. Intents ``lesion:…`` are scored on the answer's words; ``oov:…`` (real structures
that the label set lacks) are right with an answer without labels and with an abstention.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..anatomy import normalise

__all__ = ["Scores", "is_right", "score"]


@dataclass
class Scores:
    """Right and all, by category and by intent; abstentions that were due, made, and both."""

    categories: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    intents: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    wrong: list[tuple[str, str, str]] = field(default_factory=list)
    due: int = 0
    made: int = 0
    both: int = 0

    @property
    def accuracy(self) -> float:
        """Share of requests that are right."""
        right, total = (sum(pair[n] for pair in self.categories.values()) for n in (0, 1))
        return right / total if total else float("nan")

    @property
    def stable(self) -> float:
        """Share of intents that are right in every phrasing."""
        return sum(right == total for right, total in self.intents.values()) / max(1, len(self.intents))

    @property
    def abstention(self) -> tuple[float, float]:
        """Precision and recall of abstaining; real structures outside the label set count for neither."""
        return self.both / max(1, self.made), self.both / max(1, self.due)


def _folded(text: str) -> str:
    """Case, underscores and plurals folded."""
    words = normalise(text).split()
    return " ".join(w[:-1] if w.endswith("s") and not w.endswith("ss") else w for w in words)


def is_right(gold: Mapping[str, Any], labels: Iterable[str], answer: str, abstained: bool) -> bool:
    """Whether an answer counts as right for a row."""
    intent = str(gold["intent"])
    if intent.startswith("lesion:"):
        return not abstained and _folded(answer) in {_folded(" ".join(names)) for names in gold["accept"]}
    if intent.startswith("oov:"):
        return abstained or not list(labels)
    if gold["abstain"]:
        return abstained
    return not abstained and sorted(labels) in [sorted(names) for names in gold["accept"]]


def score(pairs: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Scores:
    """Score pairs of (row with its meaning, row of the answer as :func:`.rows.answer_row` gives it)."""
    scores = Scores()
    for gold, out in pairs:
        right = is_right(gold, out["labels"], out["answer"], out["abstain"])
        for table, key in ((scores.categories, gold["category"]), (scores.intents, gold["intent"])):
            table[key][0] += right
            table[key][1] += 1
        if not str(gold["intent"]).startswith("oov:"):
            scores.due += bool(gold["abstain"])
            scores.made += bool(out["abstain"])
            scores.both += bool(gold["abstain"] and out["abstain"])
        if not right:
            scores.wrong.append((str(gold["id"]), str(gold["request"]), out["answer"] or out["code"]))
    return scores
