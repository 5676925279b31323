"""Proxies that behave as PythonQt's wrappers do, around PySide6 objects.

For whoever builds a widget of the application for the tests:

``register_class(name, native)``
    Give the class ``name`` of the recorded surface (``ctkComboBox``, ``qMRMLNodeComboBox``) its implementation: a
    PySide6 class whose Qt properties (``PySide6.QtCore.Property``), signals and methods have the recorded names.
    ``native`` is plain PySide6 and never sees a proxy: arguments come unwrapped, results are wrapped. Nodes and other
    Python objects pass through untouched; a signal that carries one is ``Signal(object)``. Returns the proxy class.
``forget_class(name)``, ``registered(name)``
    Take a registration back; the implementation that was given, or None.
``proxy_class(name)``
    The class that panel code gets (``qt.QPushButton``); only members of its record exist on it.
``wrap(value)`` / ``unwrap(value)``
    Between PySide6 values and what PythonQt would give to Python. One QObject has one proxy.
``wrap_as(name, native)``
    A proxy of the class ``name`` for an object (``wrap_as("slicer.app", application)``).
``slot_errors`` / ``failed_connections``
    What slots raised, and ``connect`` calls with a signature that doesn't exist. Tests assert both empty.

What a proxy does
-----------------
Reading: a property's value (a property wins over the method of its name), a signal with ``connect``, ``disconnect`` and
``emit``, an enum's integer, or a method. Anything else raises AttributeError. Writing: writable properties only; Python
subclasses may hold attributes of their own. Keyword arguments are refused. A method that is recorded in the application
but that the stand-in lacks raises NotImplementedError when it is called. ``super().showEvent(e)`` doesn't exist in
PythonQt: it is ``qt.QWidget.showEvent(self, e)``. Stricter than PythonQt on purpose: no conversion of numbers to text,
of floats to integers, of bytes to ``QByteArray`` (``QProcess.write`` and the ``QByteArray`` constructor take bytes), no
access to children or dynamic properties as attributes, no ``qt.Signal`` or ``qt.Property`` on a Python subclass.
"""

from __future__ import annotations

import enum
import sys
import weakref
from typing import Any

import shiboken6
from PySide6 import QtCore, QtGui, QtNetwork, QtWidgets

from . import proxies
from .proxies import Proxy, ProxyType
from .signals import failed_connections, report, slot_errors
from .surface import surface
from .values import EnumInt, enum_members, enum_to_int

__all__ = [
    "Proxy",
    "failed_connections",
    "forget_class",
    "proxy_class",
    "register_class",
    "registered",
    "slot_errors",
    "unwrap",
    "wrap",
    "wrap_as",
]

_natives: dict[str, type] = {}
_classes: dict[str, type[Proxy]] = {}
_names: dict[type, str] = {}
_proxies: weakref.WeakValueDictionary[int, Proxy] = weakref.WeakValueDictionary()
_shells: dict[type, type] = {}

# Virtual functions that a Python subclass can override, besides everything named …Event.
_VIRTUALS = frozenset(
    (
        "event",
        "eventFilter",
        "sizeHint",
        "minimumSizeHint",
        "heightForWidth",
        "hasHeightForWidth",
        "accept",
        "reject",
        "done",
        "rowCount",
        "columnCount",
        "data",
        "setData",
        "headerData",
        "flags",
        "index",
        "filterAcceptsRow",
        "lessThan",
        "mimeData",
        "paint",
        "createEditor",
        "setEditorData",
        "setModelData",
        "updateEditorGeometry",
        "itemSizeHint",
        "focusNextPrevChild",
    )
)


def attach(proxy: Proxy, native: Any) -> None:
    """Give a proxy its PySide6 object."""
    object.__setattr__(proxy, "_native", native)
    if isinstance(native, QtCore.QObject):
        _proxies[shiboken6.getCppPointer(native)[0]] = proxy
    if "_record" not in type(proxy).__dict__:
        # The C++ side keeps a Python subclass's wrapper alive, as PythonQt's shells do.
        native._seer_proxy = proxy


def shell_class(cls: type[Proxy]) -> type:
    """The PySide6 class for a Python subclass: its overridden virtual functions call the proxy's."""
    native_class = cls._native_class
    if "_record" in cls.__dict__:
        return native_class
    if cls not in _shells:
        own = {n for base in cls.__mro__[: cls.__mro__.index(_proxied(cls))] for n in vars(base)}
        names = [n for n in own if (n.endswith("Event") or n in _VIRTUALS) and hasattr(native_class, n)]
        body = {name: _override(native_class, name) for name in names}
        _shells[cls] = type(native_class)(native_class.__name__, (native_class,), body)
    return _shells[cls]


def _proxied(cls: type[Proxy]) -> type[Proxy]:
    return next(base for base in cls.__mro__ if "_record" in base.__dict__)


def _override(native_class: type, name: str) -> Any:
    original = getattr(native_class, name)

    def call(self: Any, *args: Any) -> Any:
        proxy = self.__dict__.get("_seer_proxy")
        if proxy is None:
            return original(self, *args)
        try:
            return unwrap(getattr(type(proxy), name)(proxy, *[wrap(a) for a in args]))
        except Exception as error:  # noqa: BLE001 - the border between Qt and Python
            report(error)
            return original(self, *args)

    if name in ("event", "eventFilter"):
        return lambda self, *args: bool(call(self, *args))
    return call


def class_names(native: Any) -> list[str]:
    """The recorded names of a PySide6 object's class and its bases."""
    return [_names.get(base, base.__name__) for base in type(native).__mro__]


def _native_class(name: str) -> type | None:
    if name in _natives:
        return _natives[name]
    for module in (QtWidgets, QtGui, QtCore, QtNetwork):
        if hasattr(module, name):
            return getattr(module, name)
    return None


def proxy_class(name: str) -> type[Proxy]:
    """The class that panel code gets for a recorded name.

    Raises
    ------
    NotImplementedError
        The surface has no record of the class, or the stand-in doesn't build it.
    """
    if name not in _classes:
        if not surface().has(name):
            raise NotImplementedError(f"{name}: the surface has no record of its members; use another class")
        native = _native_class(name)
        if native is None:
            raise NotImplementedError(f"{name}: recorded in Slicer, not built in the stand-in")
        record = surface().record(name)
        constants, types = enum_members(record, native)
        body = {"_record": record, "_native_class": native, "_constants": constants, "_enum_types": types}
        _classes[name] = ProxyType(name, (Proxy,), body)
    return _classes[name]


def register_class(name: str, native: type) -> type[Proxy]:
    """Give a recorded class its implementation and return the proxy class.

    Raises
    ------
    KeyError
        The surface has no such class.
    """
    surface().record(name)
    _natives[name] = native
    _names[native] = name
    _classes.pop(name, None)
    return proxy_class(name)


def forget_class(name: str) -> None:
    """Take back a registration, so that the class counts as not built again."""
    _names.pop(_natives.pop(name), None)
    _classes.pop(name, None)


def registered(name: str) -> type | None:
    """The implementation given to a recorded class, or None."""
    return _natives.get(name)


def wrap_as(name: str, native: Any) -> Proxy:
    """A proxy of the recorded class ``name`` for an object; later ``wrap`` calls give the same one while it lives."""
    if name not in _natives:
        register_class(name, type(native))
    proxy = object.__new__(proxy_class(name))
    attach(proxy, native)
    return proxy


def _class_for(native: Any) -> type[Proxy]:
    for base in type(native).__mro__:
        if base in _names:
            return proxy_class(_names[base])
        if base.__module__.startswith("PySide6") and surface().has(base.__name__):
            return proxy_class(base.__name__)
    raise NotImplementedError(f"{type(native).__name__}: the surface has no record of its members")


def wrap(value: Any) -> Any:
    """A PySide6 value as PythonQt gives it to Python."""
    if isinstance(value, enum.Enum):
        return enum_to_int(value)
    if isinstance(value, list | tuple):
        return tuple(wrap(v) for v in value)
    if isinstance(value, dict):
        return {k: wrap(v) for k, v in value.items()}
    if not isinstance(value, shiboken6.Shiboken.Object):
        return value
    if isinstance(value, QtCore.QObject):
        known = _proxies.get(shiboken6.getCppPointer(value)[0])
        if known is not None and shiboken6.isValid(known._native):
            return known
    cls = _class_for(value)
    proxy = object.__new__(cls)
    attach(proxy, value)
    return proxy


def unwrap(value: Any) -> Any:
    """A value from panel code as PySide6 takes it."""
    if isinstance(value, Proxy):
        return value._native
    if isinstance(value, EnumInt):
        return int(value)
    if isinstance(value, list | tuple):
        return [unwrap(v) for v in value]
    if isinstance(value, dict):
        return {k: unwrap(v) for k, v in value.items()}
    return value


proxies.bridge = sys.modules[__name__]
