"""``seer reason``: what requests mean, without segmenting; one request, or a stream of rows."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from ..anatomy import label_set
from ..reasoning import MAX_REPORT_BYTES, RequestRow, answer_row, read_rows
from ..values import Modality, Progress, Stage
from .console import Console
from .inputs import chosen_modality, load_volume, request_from, request_lines
from .interrupts import cancel_on_interrupt
from .reasoners import chosen_reasoner
from .results import EXIT_ABSTAINED

if TYPE_CHECKING:
    from ..pipeline import Observed
    from ..protocols import CancelToken, Reasoner

__all__ = ["run"]


def run(parsed: argparse.Namespace, console: Console) -> int:
    """Answer one request, or each row of a file in order, as soon as it is read. Raises SeerError.

    A single request that is abstained from gives exit code 3; rows give 0, since each says so itself.
    """
    label_set(Modality.CT, parsed.vocabulary)  # raises where there is no such vocabulary
    reasoner = chosen_reasoner(parsed)
    single = request_from(parsed.request, MAX_REPORT_BYTES) if parsed.request is not None else None
    lines_of = nullcontext(iter(())) if parsed.requests is None else request_lines(parsed.requests)
    code = 0
    with cancel_on_interrupt() as cancel, lines_of as lines:
        modality, observed = _image(parsed, reasoner, console, cancel)
        rows: Iterable[RequestRow]
        rows = read_rows(lines, modality) if single is None else (RequestRow(single.id, single.text, modality),)
        for row in rows:
            answer = answer_row(
                row,
                reasoner,
                closed=parsed.closed,
                facts=observed.facts if observed is not None else None,
                views=observed.views if observed is not None else (),
                cancel=cancel,
            )
            cancel.check()
            console.json(answer)
            console.text(*_lines(answer))
            if single is not None and answer["abstain"]:
                code = EXIT_ABSTAINED
    return code


def _image(
    parsed: argparse.Namespace, reasoner: Reasoner, console: Console, cancel: CancelToken
) -> tuple[Modality, Observed | None]:
    """The modality of rows that say none, and what was seen of the image where there is one."""
    if parsed.volume is None:
        return chosen_modality(parsed) or Modality.UNKNOWN, None
    from ..pipeline import observe

    preset = parsed.preset or reasoner.info.presets[0]
    with console.progress() as emit:
        emit(Progress(Stage.READ))
        volume = load_volume(parsed, cancel)
        return volume.modality, observe(volume, preset, as_stored=parsed.as_stored, emit=emit, cancel=cancel)


def _lines(answer: dict[str, Any]) -> list[str]:
    """An answer for people."""
    name = f"{answer['id']}: " if answer["id"] else ""
    if answer["abstain"]:
        lines = [f"{name}No answer: {answer['reason']}", f"  Question: {answer['question']}"]
        return lines + [f"    for example: {suggestion}" for suggestion in answer["suggestions"]]
    lines = [f"{name}Answer: {answer['answer']}"]
    lines += [f"  Labels: {', '.join(answer['labels'])}"] if answer["labels"] else []
    lines += [f"  Evidence: {item['text']}" for item in answer["evidence"]]
    return lines + [f"  {number}. {step}" for number, step in enumerate(answer["rationale"], 1)]
