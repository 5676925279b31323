"""How well requests are read: a file of requests with their meaning → figures and what was read wrongly.

    lines ─► read_gold ─► GoldRow ─► evaluate(…, an answerer) ─► Evaluation ─► table, confusions

A row has ``request`` and its meaning: ``labels`` or ``accept`` (every set of labels that counts as right), or
``abstain``. ``intent`` groups the phrasings of one meaning, ``category`` says what is hard about a phrasing, ``split``
names the part of the file that it belongs to. docs/evaluation.md describes them all.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..anatomy import label_set
from ..errors import RequestError
from ..protocols import CancelToken, Emit, Reasoner, ignore_progress
from ..reasoning import RequestRow, answer_row, read_rows
from ..reasoning.scoring import Scores, score
from ..values import Modality, Progress, Stage

__all__ = [
    "Answerer",
    "Confusion",
    "Evaluation",
    "GoldRow",
    "evaluate",
    "label_matching",
    "read_gold",
    "reading",
    "table",
]

#: Gives a row's answer: ``labels``, ``answer``, ``abstain`` and ``code`` at least, as answer_row does.
Answerer = Callable[[RequestRow], Mapping[str, Any]]

#: Intents whose target no label set has: real structures, and lesions. A row that accepts no label is one, too.
_OUTSIDE = ("oov:", "lesion:")


@dataclass(frozen=True)
class GoldRow:
    """A request and its meaning.

    Attributes
    ----------
    row : RequestRow
    gold : mapping
        ``id``, ``request``, ``intent``, ``category``, ``accept``, ``abstain``: what :mod:`.reasoning.scoring` reads.
    split : str
        Part of the file; empty where the row names none.
    """

    row: RequestRow
    gold: Mapping[str, Any]
    split: str = ""


@dataclass(frozen=True)
class Confusion:
    """A request that was read wrongly: what was wanted, and what came. ``""`` stands for no answer."""

    id: str
    category: str
    request: str
    wanted: str
    got: str


@dataclass(frozen=True)
class Evaluation:
    """What an answerer made of the rows.

    Attributes
    ----------
    scores : Scores
    wrong : tuple of Confusion
        In the order of the rows.
    seconds : float
        For all rows together.
    """

    scores: Scores
    wrong: tuple[Confusion, ...]
    seconds: float

    @property
    def right(self) -> int:
        """Rows that are right."""
        return self.total - len(self.wrong)

    @property
    def total(self) -> int:
        """Rows."""
        return sum(total for _, total in self.scores.categories.values())

    @property
    def precision(self) -> float | None:
        """Share of the abstentions made that were due; None where none was made."""
        return self.scores.abstention[0] if self.scores.made else None

    @property
    def recall(self) -> float | None:
        """Share of the abstentions due that were made; None where none was due."""
        return self.scores.abstention[1] if self.scores.due else None

    def plain(self) -> dict[str, Any]:
        """As JSON; docs/command-line.md names the keys."""
        scores = self.scores
        stable = sum(right == total for right, total in scores.intents.values())
        return {
            "requests": _share(self.right, self.total),
            "every_phrasing": _share(stable, len(scores.intents)),
            "abstention": {
                "due": scores.due,
                "made": scores.made,
                "both": scores.both,
                "precision": self.precision,
                "recall": self.recall,
            },
            "categories": {name: _share(*scores.categories[name]) for name in sorted(scores.categories)},
            "intents": {name: _share(*scores.intents[name]) for name in sorted(scores.intents)},
            "wrong": [vars(confusion) for confusion in self.wrong],
            "seconds": round(self.seconds, 6),
        }


def read_gold(lines: Iterable[str], split: str | None = None, *, closed: bool = False) -> list[GoldRow]:
    """Read requests with their meaning; empty lines are skipped.

    Parameters
    ----------
    lines
        As for :func:`.reasoning.read_rows`. Without ``intent`` a row is an intent of its own, without ``category`` it
        belongs to "uncategorised", without ``modality`` its labels are those of CT.
    split
        Rows of this part only.
    closed
        Whether a target that the label set doesn't have is to be abstained from, instead of answered by its name.

    Raises
    ------
    RequestError
        Code ``request-rows``: a line that is no row, no meaning in it, a label that the label set doesn't have (the
        row could never be right), no rows at all.
    """
    raw: list[tuple[int, str]] = []

    def kept() -> Iterable[str]:
        for number, line in enumerate(lines, 1):
            if line.strip().lstrip("\ufeff"):
                raw.append((number, line))
            yield line

    rows = list(read_rows(kept()))
    found = []
    for (number, line), row in zip(raw, rows, strict=True):
        content = json.loads(line.lstrip("\ufeff"))
        part = str(content.get("split") or "")
        if split in (None, part):
            found.append(GoldRow(row, _gold(number, row, content, closed), part))
    if not found:
        where = f" of the split '{split}'" if split is not None else ""
        raise RequestError(f"The file has no requests{where}.", code="request-rows")
    return found


def evaluate(
    rows: Sequence[GoldRow], answer: Answerer, emit: Emit = ignore_progress, cancel: CancelToken | None = None
) -> Evaluation:
    """Have every row answered, and score the answers.

    Raises
    ------
    SeerError
        What the answerer raises; Cancelled.
    """
    cancel = cancel or CancelToken()
    pairs: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []
    seconds = 0.0
    for number, item in enumerate(rows):
        emit(Progress(Stage.REASON, number / len(rows), f"request {number + 1} of {len(rows)}"))
        cancel.check()
        start = time.perf_counter()
        out = answer(item.row)
        seconds += time.perf_counter() - start
        pairs.append((item.gold, out))
    scores = score(pairs)
    missed = {id for id, _, _ in scores.wrong}
    return Evaluation(scores, tuple(_confusion(gold, out) for gold, out in pairs if gold["id"] in missed), seconds)


def reading(reasoner: Reasoner, *, closed: bool = False) -> Answerer:
    """Answers of a reasoner, as ``seer reason`` gives them."""
    return lambda row: answer_row(row, reasoner, closed=closed)


def label_matching() -> Answerer | None:
    """The baseline: the label name that is most like the request by rapidfuzz's WRatio. It never abstains from words.

    None where rapidfuzz is not installed, as in 3D Slicer.
    """
    try:
        from rapidfuzz import fuzz, process, utils
    except ImportError:
        return None
    names = {m: [name.replace("_", " ") for name in label_set(m).values()] for m in (Modality.CT, Modality.MR)}

    def answer(row: RequestRow) -> Mapping[str, Any]:
        best = process.extractOne(
            row.text, names[_known(row.modality)], scorer=fuzz.WRatio, processor=utils.default_process
        )
        found = best[0] if best else ""
        return {"labels": [found.replace(" ", "_")] if found else [], "answer": found, "abstain": not found, "code": ""}

    return answer


def table(evaluations: Mapping[str, Evaluation]) -> list[str]:
    """Lines for people: a column for each answerer; rows for categories, then the figures over all."""
    columns = list(evaluations.values())
    names = sorted({name for column in columns for name in column.scores.categories})
    cells = [(name, ["{}/{}".format(*column.scores.categories[name]) for column in columns]) for name in names]
    cells += [
        ("all", [f"{column.scores.accuracy:.1%}" for column in columns]),
        ("every phrasing", [f"{column.scores.stable:.1%}" for column in columns]),
        ("abstain precision", [_percent(column.precision) for column in columns]),
        ("abstain recall", [_percent(column.recall) for column in columns]),
    ]
    first = max(len(name) for name, _ in cells)
    wide = [max(len(name), 7) for name in evaluations]

    def line(name: str, values: Iterable[str]) -> str:
        return name.ljust(first) + "".join("  " + value.rjust(w) for value, w in zip(values, wide, strict=True))

    return [line("category", evaluations), *(line(name, values) for name, values in cells)]


def _gold(number: int, row: RequestRow, content: Mapping[str, Any], closed: bool) -> dict[str, Any]:
    """A row's meaning, complete and checked."""
    abstain = content.get("abstain", False)
    accept = content.get("accept", [content["labels"]] if "labels" in content else [[]] if abstain else None)
    if not isinstance(abstain, bool):
        raise _bad(number, "has an 'abstain' that is neither true nor false")
    if not isinstance(accept, list) or not accept or not all(_is_texts(names) for names in accept):
        raise _bad(number, "has no meaning: 'labels' or 'accept' with lists of labels, or 'abstain'")
    intent = str(content.get("intent") or row.id)
    outside = intent.startswith(_OUTSIDE) or not (abstain or any(accept))
    if not outside:
        known = set(label_set(_known(row.modality)).values())
        if strange := sorted({name for names in accept for name in names} - known):
            raise _bad(number, f"names '{strange[0][:40]}', which is no label for {_known(row.modality).value}")
    elif closed:  # what the open vocabulary names is to be abstained from
        intent, accept, abstain = f"outside {intent}", [[]], True
    return {
        "id": row.id,
        "request": row.text,
        "intent": intent,
        "category": str(content.get("category") or "uncategorised"),
        "accept": accept,
        "abstain": abstain,
    }


def _is_texts(names: object) -> bool:
    return isinstance(names, list) and all(isinstance(name, str) for name in names)


def _known(modality: Modality) -> Modality:
    """The modality whose label set serves, as in labels_for."""
    return Modality.CT if modality is Modality.UNKNOWN else modality


def _confusion(gold: Mapping[str, Any], out: Mapping[str, Any]) -> Confusion:
    wanted = "" if gold["abstain"] else ", ".join(gold["accept"][0])
    got = "" if out["abstain"] else ", ".join(out["labels"]) or str(out["answer"])
    return Confusion(gold["id"], gold["category"], gold["request"], wanted, got)


def _share(right: int, total: int) -> dict[str, Any]:
    return {"right": right, "total": total, "share": right / total}


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _bad(number: int, what: str) -> RequestError:
    return RequestError(f"Line {number} of the requests {what}.", code="request-rows")
