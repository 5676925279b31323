"""Values on their way between Python and Qt, as PythonQt converts them.

From Qt: enums become integers (:class:`EnumInt`), lists become tuples, Qt values and objects become proxies. To Qt: an
argument fits a parameter only where PythonQt would take it, or more narrowly: no text for a key sequence, no float for
an integer, no bytes for a ``QByteArray``, no numpy scalar, no list of a wrong kind.
"""

from __future__ import annotations

import collections.abc
import enum
import inspect
import types
import typing
from functools import cache
from typing import Any

from PySide6 import QtCore
from shibokensupport.signature import get_signature

from .surface import ClassRecord, surface


class EnumInt(int):
    """A Qt enum constant: an integer with Qt 5's value that remembers which PySide6 member it stands for."""

    native: enum.Enum | None
    label: str

    def __new__(cls, value: int, native: enum.Enum | None = None, label: str = "") -> EnumInt:
        made = super().__new__(cls, value)
        made.native = native
        made.label = label
        return made


class EnumType:
    """``qt.Qt.AlignmentFlag``: constants as attributes, callable with an integer."""

    def __init__(self, name: str, constants: dict[str, EnumInt]) -> None:
        self.__dict__.update(constants)
        self._name = name

    def __call__(self, value: int) -> int:
        return int(value)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"type object '{self._name}' has no attribute '{name}'")

    def __repr__(self) -> str:
        return f"<class '{self._name}'>"


class NoMatch(Exception):
    """An argument doesn't fit a parameter."""


# (PySide6 enum class) → {Qt 5 value: member}, only where Qt 6 gave a member another value.
_renumbered: dict[type, dict[int, enum.Enum]] = {}
_qt5_values: dict[enum.Enum, int] = {}


def nested_enums(native: type) -> dict[str, type[enum.Enum]]:
    """The enum classes inside a PySide6 class and its bases."""
    found: dict[str, type[enum.Enum]] = {}
    for base in reversed(native.__mro__):
        own = vars(base).items()
        found.update({n: v for n, v in own if isinstance(v, type) and issubclass(v, enum.Enum)})
    return found


def enum_members(record: ClassRecord, native: type | None) -> tuple[dict[str, EnumInt], dict[str, EnumType]]:
    """The constants of a class, and its enum types by name (a flags type under its plural too)."""
    nested = nested_enums(native) if native is not None else {}
    constants: dict[str, EnumInt] = {}
    grouped: dict[str, dict[str, EnumInt]] = {}
    owner: dict[str, tuple[str, enum.Enum]] = {}
    for type_name, cls in nested.items():
        for label, member in cls.__members__.items():
            owner.setdefault(label, (type_name, member))
    for label, value in record.enums.items():
        type_name, member = owner.get(label, ("", None))
        constants[label] = EnumInt(value, member, f"{record.name}.{label}")
        if member is not None:
            grouped.setdefault(type_name, {})[label] = constants[label]
            _qt5_values.setdefault(member, value)
            if member.value != value:
                _renumbered.setdefault(type(member), {})[value] = member
    made: dict[str, EnumType] = {}
    for name in record.types:
        for candidate in (name, name.removesuffix("s"), name.removesuffix("s") + "Flag", name + "Flag"):
            if candidate in grouped:
                made[name] = EnumType(f"{record.name}.{name}", grouped[candidate])
                break
    return constants, made


def enum_to_int(member: enum.Enum) -> EnumInt:
    """The Qt 5 value of a PySide6 enum member or combination of flags."""
    return EnumInt(_qt5_values.get(member, int(member.value)), member, str(member))


def int_to_enum(value: int, cls: type[enum.Enum]) -> enum.Enum:
    """The PySide6 member that an integer means to Qt 5.

    Raises
    ------
    NoMatch
        No such constant, or the constant of another enum.
    """
    native = value.native if isinstance(value, EnumInt) else None
    if isinstance(native, cls):
        return native
    if native is not None and not (isinstance(native, enum.Flag) and issubclass(cls, enum.Flag)):
        raise NoMatch
    if cls in _renumbered and int(value) in _renumbered[cls]:
        return _renumbered[cls][int(value)]
    if issubclass(cls, enum.Flag) and int(value) & ~_known_bits(cls):
        raise NoMatch
    try:
        return cls(int(value))
    except ValueError:
        raise NoMatch from None


@cache
def _known_bits(cls: type[enum.Flag]) -> int:
    bits = 0
    for member in cls.__members__.values():
        bits |= int(member.value)
    return bits


@cache
def overloads(function: Any) -> tuple[inspect.Signature, ...]:
    """The signatures that PySide6 states for a function or class; empty where it states none."""
    try:
        found = get_signature(function)
    except (TypeError, AttributeError):
        return ()
    if found is None:
        return ()
    return tuple(found) if isinstance(found, list) else (found,)


def positional(signature: inspect.Signature, skip_self: bool) -> list[inspect.Parameter]:
    """The parameters that can be given by position."""
    taken = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    return taken[1:] if skip_self and taken and taken[0].name == "self" else taken


def convert(value: Any, annotation: Any, strict: bool, unwrap: Any) -> Any:
    """One argument for one parameter.

    Raises
    ------
    NoMatch
        PythonQt would not take it.
    """
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        choices = [a for a in typing.get_args(annotation) if a is not types.NoneType]
        if value is None:
            if len(choices) < len(typing.get_args(annotation)):
                return None
            raise NoMatch
        # The first is the parameter's own type; the rest are conversions that PySide6 makes and PythonQt doesn't.
        return convert(value, choices[0], strict, unwrap)
    if annotation in (Any, object, inspect.Parameter.empty) or isinstance(annotation, typing.TypeVar):
        return unwrap(value)
    if origin is not None:
        return _convert_container(value, origin, typing.get_args(annotation), strict, unwrap)
    if not isinstance(annotation, type):
        return unwrap(value)
    if issubclass(annotation, enum.Enum):
        if isinstance(value, bool) or not isinstance(value, int) or (strict and not isinstance(value, EnumInt)):
            raise NoMatch
        return int_to_enum(value, annotation)
    return _convert_plain(value, annotation, strict, unwrap)


def _convert_plain(value: Any, annotation: type, strict: bool, unwrap: Any) -> Any:
    if annotation is bool:
        if isinstance(value, bool) or (isinstance(value, int) and not strict):
            return bool(value)
        raise NoMatch
    if annotation is int:
        # A numpy integer is no int for PythonQt either.
        if isinstance(value, bool) or not isinstance(value, int) or (strict and isinstance(value, EnumInt)):
            raise NoMatch
        return int(value)
    if annotation is float:
        if isinstance(value, bool) or not isinstance(value, float | int) or (strict and not isinstance(value, float)):
            raise NoMatch
        return float(value)
    if annotation is str:
        if not isinstance(value, str):
            raise NoMatch
        return value
    native = unwrap(value)
    if native is None:
        # A null pointer fits a parameter of a QObject class, never one of a value class.
        if issubclass(annotation, QtCore.QObject) or annotation.__name__.endswith("Item"):
            return None
        raise NoMatch
    if isinstance(native, annotation) and native is not value:
        return native
    if annotation in (dict, list, tuple) and isinstance(value, annotation):
        return value
    raise NoMatch


def _convert_container(value: Any, origin: Any, args: tuple[Any, ...], strict: bool, unwrap: Any) -> Any:
    if origin is collections.abc.Callable:
        # PySide6 adds overloads with a callable (``QMenu.addAction(text, f)``) that the record doesn't vouch for.
        raise NoMatch
    if origin in (dict, collections.abc.Mapping):
        if not isinstance(value, dict):
            raise NoMatch
        return {k: unwrap(v) for k, v in value.items()}
    if origin is type:
        return unwrap(value)
    if not isinstance(value, list | tuple):
        raise NoMatch
    item = args[0] if args else Any
    return [convert(v, item, strict, unwrap) for v in value]


def bind(function: Any, args: tuple[Any, ...], skip_self: bool, unwrap: Any) -> list[Any] | None:
    """The arguments converted for the first overload that takes them: a strict pass, then a lenient one, as PythonQt.

    Returns None when no overload fits.
    """
    signatures = overloads(function)
    if not signatures:
        return [unwrap(a) for a in args]
    for strict in (True, False):
        for signature in signatures:
            parameters = positional(signature, skip_self)
            required = sum(1 for p in parameters if p.default is inspect.Parameter.empty)
            if not required <= len(args) <= len(parameters):
                continue
            try:
                return [convert(a, p.annotation, strict, unwrap) for a, p in zip(args, parameters, strict=False)]
            except NoMatch:
                continue
    return None


def property_value(value: Any, kind: str, unwrap: Any) -> Any:
    """A value for a property of the recorded type ``kind``.

    Raises
    ------
    NoMatch
        The property doesn't accept it.
    """
    plain: dict[str, Any] = {"bool": bool, "float": float, "str": str}
    if kind in plain:
        return _convert_plain(value, plain[kind], False, unwrap)
    if kind == "int":
        return _convert_plain(value, int, False, unwrap)
    if kind == "tuple":
        if not isinstance(value, list | tuple):
            raise NoMatch
        return [unwrap(v) for v in value]
    native = unwrap(value)
    if kind.startswith("Q") and surface().has(kind) and type(native).__name__ != kind:
        raise NoMatch
    return native
