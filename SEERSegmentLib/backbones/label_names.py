"""Names of a label map's values, from the files that people keep them in.

| file | one entry |
|---|---|
| JSON | ``{"1": "liver"}`` or ``{"liver": 1}``, alone or under ``"labels"`` (nnU-Net's dataset.json) |
| CSV, TSV | ``1,liver``; a heading is skipped; columns may come in either order |
| text | ``1 liver``, ``1: liver``, ``1 = liver`` |
| ITK-SNAP | ``1  255 0 0  1 1 1  "liver"`` |
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from ..errors import InputError

__all__ = ["read_label_names"]

#: More than any list of structures needs; a file above it is something else.
MAX_BYTES = 1_000_000

_BACKGROUND = {"background", "clear label", "unlabeled", "unlabelled"}
_SNAP = re.compile(r'^\s*(\d+)(?:\s+[\d.]+){3,6}\s+"(.*)"\s*$')
_TEXT = re.compile(r"^\s*(\d+)\s*[:=,;\t ]\s*(.+?)\s*$")
_REVERSED = re.compile(r"^\s*(.+?)\s*[:=,;\t]\s*(\d+)\s*$")


def read_label_names(path: str | Path) -> dict[int, str]:
    """Read label values and names; the background is left out.

    Raises
    ------
    InputError
        ``label-names-unreadable``, ``label-names-empty``, or ``label-names-twice`` where a value has two names.
    """
    source = Path(path)
    try:
        if source.stat().st_size > MAX_BYTES:
            raise InputError("The file of label names is far too large to be one.", code="label-names-unreadable")
        text = source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The file of label names can't be read as text: {source.name}.",
            code="label-names-unreadable",
            detail=str(error),
        ) from error
    entries = _from_json(text) if text.lstrip()[:1] in ("{", "[") else _from_lines(text.splitlines())
    names: dict[int, str] = {}
    for value, name in entries:
        if names.setdefault(value, name) != name:
            raise InputError(
                f"The file of label names gives value {value} two names: {names[value]} and {name}.",
                code="label-names-twice",
            )
    names = {value: name for value, name in names.items() if value != 0 and name.casefold() not in _BACKGROUND}
    if not names:
        raise InputError(
            "The file of label names names no label; it wants lines such as “1 liver”, or JSON, or CSV.",
            code="label-names-empty",
        )
    return names


def _from_json(text: str) -> Iterable[tuple[int, str]]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            "The file of label names starts like JSON but is not.", code="label-names-unreadable", detail=str(error)
        ) from error
    if isinstance(content, dict) and isinstance(content.get("labels"), dict):
        content = content["labels"]
    if not isinstance(content, dict):
        raise InputError(
            "The JSON file of label names is not a table of values and names.", code="label-names-unreadable"
        )
    for key, value in content.items():
        if isinstance(value, int) and not isinstance(value, bool):
            yield value, key.strip()
        elif isinstance(value, str) and key.strip().isdecimal():
            yield int(key), value.strip()
        else:
            raise InputError(
                f"In the file of label names, “{key}” is neither a value with a name nor a name with a value.",
                code="label-names-unreadable",
            )


def _from_lines(lines: Iterable[str]) -> Iterable[tuple[int, str]]:
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if match := _SNAP.match(line):
            yield int(match[1]), match[2].strip()
        elif match := _TEXT.match(line):
            yield int(match[1]), _unquoted(re.split(r"[,;\t]", match[2])[0])
        elif match := _REVERSED.match(line):
            yield int(match[2]), _unquoted(match[1])


def _unquoted(text: str) -> str:
    return text.strip().strip('"').strip()
