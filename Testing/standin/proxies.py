"""The proxy classes themselves: reading, writing and calling members as PythonQt's wrappers do.

:mod:`pythonqt` makes them and documents what they do; it hands its conversions in through :data:`bridge`.
"""

from __future__ import annotations

from typing import Any

import shiboken6
from PySide6 import QtCore

from .calls import (
    arguments_for,
    construct,
    is_static,
    native_function,
    property_substitute,
    refuse_keywords,
    substitute_for,
)
from .signals import BoundSignal
from .surface import ClassRecord
from .values import EnumInt, NoMatch, property_value

# Set by the module pythonqt to itself: wrap, unwrap, attach, shell_class.
bridge: Any = None


class Marker:
    """``qt.Signal``, ``qt.Slot``, ``qt.Property``: they exist, but nothing of a Python subclass may be made of them."""

    kind = "Signal"

    def __init__(self, *_arguments: Any) -> None:
        pass

    def __call__(self, function: Any) -> Any:
        return self


class ProxyType(type):
    """The class of all proxy classes: enum constants, static functions and unbound methods on the class itself."""

    _record: ClassRecord
    _native_class: type
    _constants: dict[str, EnumInt]
    _enum_types: dict[str, Any]

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any], **kwargs: Any) -> Any:
        for member, value in body.items():
            if isinstance(value, Marker):
                raise TypeError(f"{name}.{member}: no qt.{type(value).__name__} on a Python subclass in this project")
        return super().__new__(mcs, name, bases, body, **kwargs)

    def __getattr__(cls, name: str) -> Any:
        record: ClassRecord | None = cls.__dict__.get("_record") or next(
            (b.__dict__["_record"] for b in cls.__mro__ if "_record" in b.__dict__), None
        )
        if record is None or name.startswith("__"):
            raise AttributeError(name)
        if name in cls._constants:
            return cls._constants[name]
        if name in cls._enum_types:
            return cls._enum_types[name]
        member = _method_name(record, name)
        if member is None:
            raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}'")
        return _Function(cls, member)

    def __dir__(cls) -> list[str]:
        return sorted(cls._record.members)


def _method_name(record: ClassRecord, name: str) -> str | None:
    """PythonQt finds ``exec`` for ``exec_``."""
    known = record.methods | record.functions
    if name in known:
        return name
    if name.endswith("_") and name[:-1] in known:
        return name[:-1]
    return None


class _Function:
    """``qt.QMessageBox.question`` or ``qt.QWidget.showEvent``: called on the class."""

    def __init__(self, cls: type[Proxy], name: str) -> None:
        self._cls = cls
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        native_class = self._cls._native_class
        if is_static(native_class, self._name):
            return _call(self._cls, None, self._name, args, kwargs)
        if not args or not isinstance(args[0], Proxy) or not isinstance(args[0]._native, native_class):
            raise ValueError(f"Called {self._name} without an object of {self._cls.__name__}: {args}")
        return _call(self._cls, args[0], self._name, args[1:], kwargs, base=True)


class _Method:
    """A method bound to a proxy."""

    def __init__(self, proxy: Proxy, name: str) -> None:
        self._proxy = proxy
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        proxy = self._proxy
        if not shiboken6.isValid(proxy._native):
            raise ValueError(f"Trying to call '{self._name}' on a destroyed {proxy._record.name} object")
        return _call(type(proxy), proxy, self._name, args, kwargs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Method) and (self._proxy, self._name) == (other._proxy, other._name)

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f"{self._name} (qt slot {self._name} of {self._proxy!r})"


class Proxy(metaclass=ProxyType):
    """The root of all proxy classes; they have no other base, so no two of them are related by ``isinstance``."""

    _record: ClassRecord
    _native_class: type
    _constants: dict[str, EnumInt]
    _enum_types: dict[str, Any]
    _native: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        cls, name = type(self), type(self)._record.name
        refuse_keywords(f"{name}(…) -> {name}", kwargs)
        bridge.attach(self, construct(name, cls._native_class, bridge.shell_class(cls), args, bridge.unwrap))

    def __getattr__(self, name: str) -> Any:
        record = type(self)._record
        if name.startswith("__") or name == "_native":
            raise AttributeError(name)
        if name in record.properties:
            return _read(self, name)
        if name == "name" and record.is_object and name not in record.methods:
            return self._native.objectName()
        if record.signals_named(name) and not (name in record.methods and _hides_signal(self, name)):
            _alive(self, name)
            return BoundSignal(self, self._native, record, name, bridge.wrap, bridge.unwrap)
        member = _method_name(record, name)
        if member is not None:
            return _Function(type(self), member) if member in record.functions else _Method(self, member)
        if name in type(self)._constants:
            return type(self)._constants[name]
        if name in type(self)._enum_types:
            return type(self)._enum_types[name]
        raise AttributeError(f"{record.name} has no attribute named '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        record, shown = type(self)._record, type(self).__name__
        if name in record.properties:
            _write(self, name, value)
        elif record.signals_named(name):
            raise AttributeError(f"Signal '{name}' can not be overwritten on {shown} object")
        elif name in record.methods or name in record.functions:
            raise AttributeError(f"Slot '{name}' can not be overwritten on {shown} object")
        elif name in record.enums:
            raise AttributeError(f"EnumValue '{name}' can not be overwritten on {shown} object")
        elif name in record.types:
            raise AttributeError(f"Enum '{name}' can not be overwritten on {shown} object")
        elif "_record" in type(self).__dict__ or (name == "name" and record.is_object):
            raise AttributeError(
                f"'{name}' does not exist on {shown} and creating new attributes on C++ objects is not allowed"
            )
        else:
            object.__setattr__(self, name, value)

    def __dir__(self) -> list[str]:
        own = set() if "_record" in type(self).__dict__ else set(self.__dict__) - {"_native"}
        return sorted(type(self)._record.members | own)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Proxy):
            return NotImplemented
        return self._native is other._native or bool(self._native == other._native)

    def __hash__(self) -> int:
        return hash(shiboken6.getCppPointer(self._native)[0]) if shiboken6.isValid(self._native) else 0

    def __bool__(self) -> bool:
        return shiboken6.isValid(self._native)

    def __repr__(self) -> str:
        shown, known = type(self).__name__, type(self)._record.name
        native = self.__dict__.get("_native")
        address = hex(shiboken6.getCppPointer(native)[0]) if native is not None and shiboken6.isValid(native) else "0x0"
        return f"{shown} ({known} at: {address})"

    def __str__(self) -> str:
        return repr(self._native.data()) if isinstance(self._native, QtCore.QByteArray) else repr(self)


def _hides_signal(proxy: Proxy, name: str) -> bool:
    """Whether a method of the same name stands before the signal in Qt (``QProcess.error``)."""
    return (proxy._record.name, name) in {("QProcess", "error")}


def _alive(proxy: Proxy, name: str) -> None:
    if not shiboken6.isValid(proxy._native):
        raise ValueError(f"Trying to read property '{name}' from a destroyed {proxy._record.name} object")


def _read(proxy: Proxy, name: str) -> Any:
    _alive(proxy, name)
    record, native = type(proxy)._record, proxy._native
    accessors = property_substitute(type(native), name)
    if accessors is not None:
        return bridge.wrap(accessors[0](native))
    if native.metaObject().indexOfProperty(name) < 0:
        raise NotImplementedError(_not_built(type(proxy), name))
    value = bridge.wrap(native.property(name))
    return "" if value is None and record.properties[name][0] == "str" else value


def _write(proxy: Proxy, name: str, value: Any) -> None:
    record, native = type(proxy)._record, proxy._native
    kind, writable = record.properties[name]
    if not shiboken6.isValid(native):
        raise AttributeError(f"Trying to set property '{name}' on a destroyed {record.name} object")
    if not writable:
        raise AttributeError(f"Property '{name}' of {type(proxy).__name__} object is not writable")
    accessors = property_substitute(type(native), name)
    if accessors is None and native.metaObject().indexOfProperty(name) < 0:
        raise NotImplementedError(_not_built(type(proxy), name))
    try:
        converted = property_value(value, kind, bridge.unwrap)
    except NoMatch:
        raise AttributeError(
            f"Property '{name}' of type '{kind}' does not accept an object of type {type(value).__name__} ({value})"
        ) from None
    if accessors is not None:
        accessors[1](native, converted)
    elif not native.setProperty(name, converted):
        raise AttributeError(f"Property '{name}' of type '{kind}' does not accept {value!r}")


def _not_built(cls: type[Proxy], name: str) -> str:
    return f"{cls._record.name}.{name}: recorded in Slicer, not built in the stand-in"


def _call(
    cls: type[Proxy], proxy: Proxy | None, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], base: bool = False
) -> Any:
    """Call a method; ``base`` asks for the class's own version where a Python subclass overrides it."""
    refuse_keywords(f"{name}(…)", kwargs)
    native_class = cls._native_class if proxy is None or base else type(proxy._native)
    substitute = substitute_for(native_class, name, cls._record.name)
    if substitute is not None:
        try:
            return bridge.wrap(substitute(proxy, bridge, *args))
        except TypeError as error:
            raise ValueError(f"Called {name} with wrong arguments: {args} ({error})") from None
    function = native_function(native_class, name)
    if function is None:
        raise NotImplementedError(_not_built(cls, name))
    converted = arguments_for(name, function, args, not is_static(native_class, name), bridge.unwrap)
    if proxy is None:
        return bridge.wrap(function(*converted))
    return bridge.wrap(
        function(proxy._native, *converted) if not is_static(native_class, name) else function(*converted)
    )
