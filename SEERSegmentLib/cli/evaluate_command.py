"""``seer evaluate requests``: how well a reasoner reads requests whose meaning is known."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ..evaluation.requests import Confusion, Evaluation, GoldRow, evaluate, label_matching, read_gold, reading, table
from .console import Console
from .inputs import request_lines
from .interrupts import cancel_on_interrupt
from .reasoners import chosen_reasoner

__all__ = ["run"]

#: Requests read wrongly that are listed without ``--all``, and how much of each.
_LISTED = 20
_REQUEST, _LABELS = 70, 50


def run(parsed: argparse.Namespace, console: Console) -> int:
    """Score a reasoner on a file of requests, beside label matching. Raises SeerError."""
    reasoner = chosen_reasoner(parsed)
    with cancel_on_interrupt() as cancel:
        with request_lines(parsed.file) as lines:
            rows = read_gold(lines, parsed.split, closed=parsed.closed)
        with console.progress() as emit:
            result = evaluate(rows, reading(reasoner, closed=parsed.closed), emit, cancel)
        matching = label_matching()
        baseline = evaluate(rows, matching, cancel=cancel) if matching else None
    content = {
        "status": "done",
        "file": parsed.file,
        "split": parsed.split,
        "reasoner": parsed.reasoner,
        "closed": parsed.closed,
        **result.plain(),
        "baseline": baseline.plain() if baseline else None,
    }
    if parsed.figures:
        for figures in (content, content["baseline"] or {}):
            figures.pop("wrong", None)
    console.json(content)
    console.text(*_lines(parsed, rows, result, baseline))
    return 0


def _lines(
    parsed: argparse.Namespace, rows: Sequence[GoldRow], result: Evaluation, baseline: Evaluation | None
) -> list[str]:
    """The figures, and what was read wrongly, for people."""
    columns = {parsed.reasoner: result} | ({"label matching": baseline} if baseline else {})
    intents = len({row.gold["intent"] for row in rows})
    part = f", {parsed.split}" if parsed.split else ""
    lines = [f"{parsed.file}{part}: {len(rows)} requests, {intents} intents", *table(columns)]
    if baseline is None:
        lines.append("Label matching, the baseline, needs rapidfuzz: pip install rapidfuzz")
    if parsed.figures:
        return lines
    shown = result.wrong if parsed.all else result.wrong[:_LISTED]
    lines.append(f"Read wrongly: {len(result.wrong)}")
    lines += [_line(wrong, whole=parsed.all) for wrong in shown]
    if len(shown) < len(result.wrong):
        lines.append(f"  … and {len(result.wrong) - len(shown)} more; --all lists every one, unshortened.")
    return lines


def _line(wrong: Confusion, *, whole: bool) -> str:
    request, wanted, got = (
        " ".join(text.split()) for text in (wrong.request, wrong.wanted or "no answer", wrong.got or "no answer")
    )
    if not whole:
        request, wanted, got = _cut(request, _REQUEST), _cut(wanted, _LABELS), _cut(got, _LABELS)
    return f"  {wrong.id} {wrong.category}: “{request}” wanted {wanted}, got {got}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
