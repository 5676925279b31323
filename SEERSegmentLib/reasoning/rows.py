"""Rows of requests in, rows of answers out: what `seer reason` reads and prints, as functions."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..anatomy import labels_for, resolve_answer
from ..errors import ReplyError, RequestError
from ..protocols import CancelToken, Reasoner, ReasoningCase, ignore_progress
from ..values import Abstention, Evidence, ImageFacts, Modality, View
from .request import MAX_REPORT_BYTES, clean_request

__all__ = ["RequestRow", "answer_row", "read_rows"]


@dataclass(frozen=True)
class RequestRow:
    """One request of a file. ``problem`` is set where the text itself can't be used; the row is then abstained from."""

    id: str
    text: str
    modality: Modality
    problem: RequestError | None = None


def read_rows(lines: str | Iterable[str], default: Modality = Modality.UNKNOWN) -> Iterator[RequestRow]:
    """Read JSON lines of requests; empty lines are skipped.

    Parameters
    ----------
    lines
        The file's text, or its lines. A row has ``request``, and may have ``id`` (else its line number) and
        ``modality`` (CT or MR); other fields are left alone.
    default
        Modality of rows that give none.

    Raises
    ------
    RequestError
        Code ``request-rows``, naming the line: not JSON, not an object, no ``request`` text, an unknown modality, an
        id given twice.
    """
    seen: set[str] = set()
    for number, line in enumerate(lines.splitlines() if isinstance(lines, str) else lines, start=1):
        if not line.strip().lstrip("\ufeff"):
            continue
        try:
            row: Any = json.loads(line.lstrip("\ufeff"))
        except (json.JSONDecodeError, RecursionError) as error:
            raise _bad(number, "is not JSON", str(error)) from error
        if not isinstance(row, dict):
            raise _bad(number, "is not a JSON object")
        text, id, name = row.get("request"), row.get("id", f"line-{number}"), row.get("modality") or default.value
        if not isinstance(text, str):
            raise _bad(number, "has no field 'request' with a text")
        if not isinstance(id, (str, int)) or isinstance(id, bool):
            raise _bad(number, "has an id that is neither text nor a whole number")
        if str(id) in seen:
            raise _bad(number, f"has the id '{id}', which an earlier line has")
        seen.add(str(id))
        modality = next((m for m in Modality if str(name).casefold() == m.value.casefold()), None)
        if modality is None:
            modality = Modality.MR if str(name).casefold() in ("mri", "mr") else None
        if modality is None:
            raise _bad(number, f"has the modality '{str(name)[:20]}'; it must be CT or MR")
        try:
            yield RequestRow(str(id), clean_request(text, limit=MAX_REPORT_BYTES).text, modality)
        except RequestError as problem:
            yield RequestRow(str(id), text, modality, problem)


def answer_row(
    row: RequestRow,
    reasoner: Reasoner,
    *,
    closed: bool = False,
    facts: ImageFacts | None = None,
    views: tuple[View, ...] = (),
    cancel: CancelToken | None = None,
) -> dict[str, Any]:
    """Ask a reasoner and give the answer as a row.

    Returns
    -------
    dict
        ``id``; ``labels``: sorted TotalSegmentator class names of the modality's task, empty where the target has none
        there; ``abstain``; ``code``, ``reason``, ``question`` and ``suggestions`` of an abstention, else empty;
        ``answer``; ``evidence`` and ``rationale``; ``seconds``.
    """
    start = time.perf_counter()
    if row.problem is not None:
        reply: Any = Abstention(row.problem.code, row.problem.user_message, "What would you like to have segmented?")
    else:
        request = clean_request(row.text, row.id, MAX_REPORT_BYTES)
        case = ReasoningCase(request, row.modality, views, facts, closed=closed)
        try:
            reply = reasoner.reason(case, ignore_progress, cancel or CancelToken())
        except ReplyError as problem:  # a reply that can't be trusted is no answer
            reply = Abstention(problem.code, problem.user_message, "What would you like to have segmented?")
    labels: tuple[str, ...] = ()
    if not isinstance(reply, Abstention):
        spec = resolve_answer(reply.answer)
        if isinstance(spec, Abstention):
            reply = spec
        else:
            labels = labels_for(spec, row.modality)
    abstained = isinstance(reply, Abstention)
    return {
        "id": row.id,
        "labels": list(labels),
        "abstain": abstained,
        "code": reply.code if abstained else "",
        "reason": reply.reason if abstained else "",
        "question": reply.question if abstained else "",
        "suggestions": list(reply.suggestions) if abstained else [],
        "answer": "" if abstained else reply.answer,
        "evidence": [_evidence(item) for item in reply.evidence],
        "rationale": list(reply.rationale),
        "seconds": round(time.perf_counter() - start, 6),
    }


def _evidence(item: Evidence) -> dict[str, Any]:
    value = list(item.value) if isinstance(item.value, tuple) else item.value
    return {"name": item.name, "text": item.text, "value": value, "unit": item.unit, "source": item.source}


def _bad(number: int, what: str, detail: str = "") -> RequestError:
    return RequestError(f"Line {number} of the requests {what}.", code="request-rows", detail=detail)
