"""Messages as lines: one JSON object per line, ASCII, ended by a line feed; the same both ways.

A dataclass is an object with the class's name under ``"$"`` and every field under its own name; a tuple is an array; an
enum is its value; a number that JSON has no word for is ``{"$float": "nan" | "inf" | "-inf"}``. What is allowed where
follows from the type hints of :mod:`.messages`: nothing else is written, and nothing else is read. A line is data: no
name in it is ever looked up outside the table of messages, and nothing in it is executed.
"""

from __future__ import annotations

import json
import math
import numbers
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from ..errors import ServiceError
from . import messages as m

__all__ = [
    "MAX_LINE",
    "ORDERS",
    "REPORTS",
    "Order",
    "Report",
    "decode_order",
    "decode_report",
    "encode",
    "job_of",
    "malformed",
    "protocol_of",
]

Order = (
    m.RunOrder
    | m.AgreementOrder
    | m.PreviewOrder
    | m.CapabilitiesOrder
    | m.ProbeOrder
    | m.CompareOrder
    | m.ReviewOrder
    | m.CancelOrder
    | m.ShutdownOrder
)
Report = (
    m.ReadyReport
    | m.ProgressReport
    | m.RunReport
    | m.AbstentionReport
    | m.AgreementReport
    | m.PreviewReport
    | m.CapabilitiesReport
    | m.ProbeReport
    | m.CompareReport
    | m.SavedReport
    | m.ErrorReport
    | m.CancelledReport
    | m.LogReport
)

ORDERS: Mapping[str, type] = {kind.__name__: kind for kind in get_args(Order)}
REPORTS: Mapping[str, type] = {kind.__name__: kind for kind in get_args(Report)}

#: Longest line in bytes; a report of all structures of a CT, with every finding, has some hundred thousand.
MAX_LINE = 16 << 20

_KIND = "$"
_FLOAT = "$float"
_ODD_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class _Wrong(Exception):
    """A value that is not what its hint says; the path says where, and never holds the value (it may be a key)."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.path: list[str] = []

    def within(self, step: str) -> _Wrong:
        self.path.insert(0, step)
        return self

    def __str__(self) -> str:
        return f"{'.'.join(self.path) or 'the line'}: {self.args[0]}"


class _Codec(NamedTuple):
    """Both ways of one type: ``dump`` value → what JSON knows, ``load`` back; both raise _Wrong."""

    dump: Callable[[Any], Any]
    load: Callable[[Any], Any]


def encode(message: Order | Report) -> bytes:
    """A message as its line.

    Raises
    ------
    ServiceError
        ``wire-malformed`` where a field holds something else than its type says.
    """
    name = type(message).__name__
    if {**ORDERS, **REPORTS}.get(name) is not type(message):
        raise malformed(f"{name} is no message")
    try:
        kind: Any = type(message)
        plain = _codec(kind).dump(message)
    except _Wrong as wrong:
        raise malformed(str(wrong.within(name))) from None
    return json.dumps(plain, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


def decode_order(line: bytes) -> Order:
    """The order in a line. Raises ServiceError ``wire-malformed``."""
    order: Order = _decode(line, ORDERS)
    return order


def decode_report(line: bytes) -> Report:
    """The report in a line. Raises ServiceError ``wire-malformed``."""
    report: Report = _decode(line, REPORTS)
    return report


def job_of(line: bytes) -> str:
    """The job that a line which can't be decoded names, if it can be told; else empty."""
    job = _peek(line, "job")
    return job if isinstance(job, str) else ""


def protocol_of(line: bytes) -> int | None:
    """The protocol that a worker's first line claims, also where its other fields are of another version."""
    protocol = _peek(line, "protocol")
    return protocol if type(protocol) is int and _peek(line, _KIND) == m.ReadyReport.__name__ else None


def _peek(line: bytes, key: str) -> Any:
    try:
        plain = _parse(line)
    except ServiceError:
        return None
    return plain.get(key) if isinstance(plain, dict) else None


def _decode(line: bytes, kinds: Mapping[str, type]) -> Any:
    plain = _parse(line)
    kind = plain.get(_KIND) if isinstance(plain, dict) else None
    if not isinstance(kind, str) or kind not in kinds:
        raise malformed("a line of no known kind")
    try:
        return _codec(kinds[kind]).load(plain)
    except _Wrong as wrong:
        raise malformed(str(wrong.within(kind))) from None


def _parse(line: bytes) -> Any:
    if len(line) > MAX_LINE:
        raise malformed(f"a line of {len(line)} bytes")
    try:
        return json.loads(line.decode("ascii"), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        # json's own message is a position; the text itself stays out of logs
        raise malformed(f"not JSON ({type(error).__name__})") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice")
    return found


def malformed(detail: str) -> ServiceError:
    """The error of whatever doesn't come as agreed; the detail must hold no contents, since it goes to the log."""
    return ServiceError(
        "The panel and its worker process don't understand each other; restart Slicer, and install the extension again"
        " if it stays so.",
        code="wire-malformed",
        detail=detail,
    )


# --- one codec per type hint, made once -------------------------------------------------------------------------------


@cache
def _codec(hint: Any) -> _Codec:
    origin = get_origin(hint)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if origin is tuple:
        return _tuple_codec(get_args(hint))
    if origin in (Union, types.UnionType):
        return _union_codec(get_args(hint))
    if isinstance(origin, type) and issubclass(origin, Mapping) and get_args(hint) == (str, str):
        return _Codec(_texts, _texts)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum_codec(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return _dataclass_codec(hint)
    raise TypeError(f"the wire has no form for {hint}")


def _dataclass_codec(kind: type) -> _Codec:
    hints = get_type_hints(kind)
    inner = {field.name: _codec(hints[field.name]) for field in fields(kind)}
    keys = {_KIND, *inner}

    def dump(value: Any) -> dict[str, Any]:
        if type(value) is not kind:
            raise _Wrong(f"{type(value).__name__} instead of {kind.__name__}")
        plain = {name: _at(name, codec.dump, getattr(value, name)) for name, codec in inner.items()}
        return {_KIND: kind.__name__, **plain}

    def load(plain: Any) -> Any:
        if not isinstance(plain, dict) or plain.get(_KIND) != kind.__name__:
            raise _Wrong(f"no {kind.__name__}")
        if plain.keys() != keys:
            missing = ", ".join(sorted(keys - plain.keys())) or "none"
            raise _Wrong(f"fields missing: {missing}; unknown: {len(plain.keys() - keys)}")
        return kind(**{name: _at(name, codec.load, plain[name]) for name, codec in inner.items()})

    return _Codec(dump, load)


def _tuple_codec(arguments: tuple[Any, ...]) -> _Codec:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        item = _codec(arguments[0])
        return _Codec(lambda v: _each(item.dump, v, (tuple, list)), lambda v: tuple(_each(item.load, v, (list,))))
    items = [_codec(argument) for argument in arguments]

    def convert(value: Any, kinds: Any, way: int) -> list[Any]:
        if not isinstance(value, kinds) or len(value) != len(items):
            raise _Wrong(f"not {len(items)} items")
        return [_at(str(n), codec[way], v) for n, (codec, v) in enumerate(zip(items, value, strict=True))]

    return _Codec(lambda v: convert(v, (tuple, list), 0), lambda v: tuple(convert(v, (list,), 1)))


def _each(convert: Callable[[Any], Any], value: Any, kinds: Any) -> list[Any]:
    if not isinstance(value, kinds):
        raise _Wrong(f"{type(value).__name__} instead of a list")
    return [_at(str(number), convert, item) for number, item in enumerate(value)]


def _union_codec(arguments: tuple[Any, ...]) -> _Codec:
    """The first alternative that fits. Message types don't nest in themselves, so there are few ways to try."""
    choices = [_codec(argument) for argument in arguments]

    def convert(value: Any, way: int) -> Any:
        deepest: _Wrong | None = None
        for choice in choices:
            try:
                return choice[way](value)
            except _Wrong as wrong:
                if deepest is None or len(wrong.path) > len(deepest.path):
                    deepest = wrong
        assert deepest is not None
        raise deepest

    return _Codec(lambda v: convert(v, 0), lambda v: convert(v, 1))


def _enum_codec(kind: type[Enum]) -> _Codec:
    known = {member.value: member for member in kind}

    def dump(value: Any) -> Any:
        if not isinstance(value, kind):
            raise _Wrong(f"{type(value).__name__} instead of {kind.__name__}")
        return value.value

    def load(plain: Any) -> Enum:
        if not isinstance(plain, str) or plain not in known:
            raise _Wrong(f"no {kind.__name__}")
        return known[plain]

    return _Codec(dump, load)


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise _Wrong(f"{type(value).__name__} instead of names and texts")
    return {_text(key): _at("a value", _text, text) for key, text in value.items()}


_Out = TypeVar("_Out")


def _at(step: str, convert: Callable[[Any], _Out], value: Any) -> _Out:
    try:
        return convert(value)
    except _Wrong as wrong:
        raise wrong.within(step) from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or isinstance(value, Enum):
        raise _Wrong(f"{type(value).__name__} instead of text")
    return str(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(f"{type(value).__name__} instead of true or false")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):  # NumPy's whole numbers are Integral too
        raise _Wrong(f"{type(value).__name__} instead of a whole number")
    return int(value)


def _nothing(value: Any) -> None:
    if value is not None:
        raise _Wrong(f"{type(value).__name__} instead of nothing")


def _dump_float(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise _Wrong(f"{type(value).__name__} instead of a number")
    try:
        number = float(value)
    except OverflowError:
        raise _Wrong("a number without bounds") from None
    return number if math.isfinite(number) else {_FLOAT: str(number)}


def _load_float(plain: Any) -> float:
    if isinstance(plain, dict):
        odd = plain.get(_FLOAT)
        if len(plain) != 1 or not isinstance(odd, str) or odd not in _ODD_FLOATS:
            raise _Wrong("no number")
        return _ODD_FLOATS[odd]
    if not isinstance(_dump_float(plain), float):  # 1e999 reads as infinite
        raise _Wrong("a number without bounds")
    return float(plain)


_SCALARS: Mapping[Any, _Codec] = {
    str: _Codec(_text, _text),
    bool: _Codec(_truth, _truth),
    int: _Codec(_whole, _whole),
    float: _Codec(_dump_float, _load_float),
    type(None): _Codec(_nothing, _nothing),
}
