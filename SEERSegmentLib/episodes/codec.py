"""An episode as one line of JSON, and back: strictly, so that what is read is what was written.

The line is ASCII (other characters are escaped), so that none of them can look like the end of a line. ``null`` stands
for a number that is not finite.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from enum import Enum
from functools import cache
from typing import Any

from ..output import as_plain
from ..values import Episode

__all__ = ["FORMAT", "decode", "encode"]

#: Version of the line; a reader refuses another.
FORMAT = 1


def encode(episode: Episode) -> bytes:
    """The line, with its end."""
    line = {"format": FORMAT, **as_plain(episode)}
    return json.dumps(line, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


def decode(line: bytes) -> Episode:
    """The episode of a line.

    Raises
    ------
    ValueError
        With what is wrong: no JSON, another format, a field that is missing, unknown or of another kind.
    """
    try:
        plain = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(plain, dict):
        raise ValueError("it is not a JSON object")
    found = plain.pop("format", None)
    if found != FORMAT or isinstance(found, bool):
        raise ValueError(f"its format is {found!r}, and this version of SEER reads {FORMAT}")
    try:
        episode = _read(plain, Episode, "episode")
    except OverflowError as error:
        raise ValueError("it holds a number that is too large") from error
    assert isinstance(episode, Episode)
    return episode


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(plain: Any, kind: Any, where: str) -> Any:
    """A plain JSON value as a value of a type; ValueError that says where it is not one."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _read_union(plain, typing.get_args(kind), where)
    if origin is tuple:
        return _read_tuple(plain, typing.get_args(kind), where)
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(plain, kind, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(plain)
        except ValueError:
            raise ValueError(f"{where} is {plain!r}, which is not known") from None
    if kind is float:
        if plain is None:
            return math.nan
        if isinstance(plain, int | float) and not isinstance(plain, bool):
            return float(plain)
    elif kind is type(None):
        if plain is None:
            return None
    elif isinstance(plain, kind) and not (kind is int and isinstance(plain, bool)):
        return plain
    raise ValueError(f"{where} is not of the kind {getattr(kind, '__name__', kind)}")


def _read_dataclass(plain: Any, kind: Any, where: str) -> Any:
    if not isinstance(plain, dict):
        raise ValueError(f"{where} is not a JSON object")
    names = [field.name for field in dataclasses.fields(kind)]
    if missing := [name for name in names if name not in plain]:
        raise ValueError(f"{where} has no {', '.join(missing)}")
    if unknown := sorted(set(plain) - set(names)):
        raise ValueError(f"{where} has an unknown {', '.join(unknown)}")
    hints = _hints(kind)
    return kind(**{name: _read(plain[name], hints[name], f"{where}.{name}") for name in names})


def _read_tuple(plain: Any, items: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    if not isinstance(plain, list):
        raise ValueError(f"{where} is not a list")
    if len(items) == 2 and items[1] is Ellipsis:
        return tuple(_read(item, items[0], f"{where}[{number}]") for number, item in enumerate(plain))
    if len(plain) != len(items):
        raise ValueError(f"{where} has {len(plain)} items rather than {len(items)}")
    pairs = enumerate(zip(plain, items, strict=True))
    return tuple(_read(item, kind, f"{where}[{number}]") for number, (item, kind) in pairs)


def _read_union(plain: Any, kinds: tuple[Any, ...], where: str) -> Any:
    """The first kind that fits; None before the number that it might also stand for."""
    ordered = sorted(kinds, key=lambda kind: kind is not type(None))
    reasons = []
    for kind in ordered:
        try:
            return _read(plain, kind, where)
        except ValueError as error:
            reasons.append(str(error))
    raise ValueError(reasons[-1])
