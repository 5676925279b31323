"""``seer reply``: how a reply of a vision-language model is read, and what would be executed; nothing is."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any

from ..anatomy import labels_for, resolve_answer
from ..errors import InputError, ReplyError
from ..reasoning.reply import MAX_REPLY, parse_reply
from ..values import RESEARCH_USE_ONLY, Abstention, Modality, Reasoning, Target, TargetSpec
from ..values.plain import as_plain
from .console import Console
from .results import EXIT_ABSTAINED, aligned

__all__ = ["run"]

#: A character takes up to four bytes in UTF-8, and up to twelve where JSON escapes it.
_LONGEST_FILE = 4 * MAX_REPLY + 4
_LONGEST_LINE = 12 * MAX_REPLY + 65536


def run(parsed: argparse.Namespace, console: Console) -> int:
    """Explain one reply, or each row of a file of them.

    A single reply that abstains gives exit code 3; rows give 0, since each says so itself.

    Raises
    ------
    ReplyError
        Where a single reply is malformed.
    InputError
        ``reply-unreadable``, ``reply-rows``.
    """
    if parsed.replies is not None:
        for row in _rows(parsed.replies):
            console.json_line({"id": row["id"], **_explained(row["reply"], row["request"])})
        return 0
    reply = parse_reply(_text(parsed.file), request=parsed.request or "")
    console.json(_content(reply))
    console.text(*_lines(reply))
    return EXIT_ABSTAINED if isinstance(reply, Abstention) else 0


def _explained(text: str, request: str) -> dict[str, Any]:
    try:
        return _content(parse_reply(text, request=request))
    except ReplyError as error:
        return {"status": "malformed", "code": error.code, "reason": error.user_message}


def _content(reply: Reasoning | Abstention) -> dict[str, Any]:
    """The object that ``--json`` prints; docs/replies.md names its keys."""
    read = {
        "notice": RESEARCH_USE_ONLY,
        "evidence": as_plain(reply.evidence),
        "rationale": list(reply.rationale),
        "findings": as_plain(reply.findings),
    }
    if isinstance(reply, Abstention):
        told = {"status": "abstained", "code": reply.code, "reason": reply.reason, "question": reply.question}
        return told | {"suggestions": list(reply.suggestions)} | read
    spec = _spec(reply)
    targets = [as_plain(target) | {"labels": _labels(target)} for target in spec.targets]
    return {"status": "usable", "answer": reply.answer, "prompt": spec.prompt, "targets": targets} | read


def _spec(reply: Reasoning) -> TargetSpec:
    spec = resolve_answer(reply.answer)
    assert isinstance(spec, TargetSpec)  # or parse_reply would have abstained
    return spec


def _labels(target: Target) -> dict[str, list[str]]:
    """TotalSegmentator's class names by modality; none for free text."""
    spec = TargetSpec(target.text, (target,))
    return {modality.value: list(labels_for(spec, modality)) for modality in (Modality.CT, Modality.MR)}


def _lines(reply: Reasoning | Abstention) -> list[str]:
    """A reply for people."""
    lines = [RESEARCH_USE_ONLY]
    if isinstance(reply, Abstention):
        lines += [f"Abstains: {reply.reason} [{reply.code}]", f"  Question: {reply.question}"]
        lines += [f"    for example: {suggestion}" for suggestion in reply.suggestions]
    else:
        lines += [f"Usable: {reply.answer}", *aligned([_row(target) for target in _spec(reply).targets])]
    lines += ["Evidence:", *(f"  - {e.text}" + (f" [{e.source}]" if e.source else "") for e in reply.evidence)]
    lines += ["Rationale:", *(f"  {number}. {step}" for number, step in enumerate(reply.rationale, 1))]
    return lines + [f"{'Problem' if finding.blocking else 'Warning'}: {finding.message}" for finding in reply.findings]


def _row(target: Target) -> tuple[str, ...]:
    if not target.structure:
        return f"  {target.text}", "free text, for text backbones", "", ""
    labels = [f"{modality}: {', '.join(names)}" for modality, names in _labels(target).items() if names]
    return f"  {target.text}", f"structure {target.structure}", f"SNOMED CT {target.code}", "; ".join(labels)


def _text(name: str) -> str:
    """The text of a file; ``-`` is standard input."""
    with nullcontext(sys.stdin.buffer) if name == "-" else _opened(name) as file:
        data = file.read(_LONGEST_FILE)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("The reply is not text in UTF-8.", code="reply-unreadable", detail=str(error)) from error


def _opened(name: str) -> IO[bytes]:
    try:
        return Path(name).open("rb")
    except (OSError, ValueError) as error:
        raise InputError(f"The file {name} can't be read.", code="reply-unreadable", detail=str(error)) from error


def _rows(name: str) -> Iterator[dict[str, str]]:
    """Rows with ``id``, ``reply`` and ``request``; the id is the line's number where there is none."""
    with nullcontext(sys.stdin.buffer) if name == "-" else _opened(name) as file:
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            if line.strip():
                yield _parsed_row(line, number)


def _parsed_row(line: bytes, number: int) -> dict[str, str]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _bad(number, "is not JSON", str(error)) from error
    if not isinstance(row, dict) or not isinstance(row.get("reply"), str):
        raise _bad(number, "has no field 'reply' with a text")
    if not isinstance(row.get("request", ""), str):
        raise _bad(number, "has a request that is no text")
    return {"id": str(row.get("id", f"line-{number}")), "reply": row["reply"], "request": row.get("request", "")}


def _bad(number: int, what: str, detail: str = "") -> InputError:
    return InputError(f"Line {number} of the replies {what}.", code="reply-rows", detail=detail)
