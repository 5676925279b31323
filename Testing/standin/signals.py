"""Signals as PythonQt connects them: by name or by signature, to slots that may take fewer arguments.

A slot that raises prints its traceback and the emitter goes on, as in the application; the stand-in also keeps the
exception in :data:`slot_errors`, which a test asserts to be empty. A ``connect`` with a signature that the class
doesn't have returns False and says nothing; it is kept in :data:`failed_connections`.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import shiboken6
from PySide6 import QtCore

from .surface import ClassRecord, SignalRecord

slot_errors: list[BaseException] = []
failed_connections: list[str] = []

# Qt 5 overloads that have another name in Qt 6.
_RENAMED = {
    "currentIndexChanged(QString)": "currentTextChanged(QString)",
    "activated(QString)": "textActivated(QString)",
    "highlighted(QString)": "textHighlighted(QString)",
    "valueChanged(QString)": "textChanged(QString)",
    "error(QProcess::ProcessError)": "errorOccurred(QProcess::ProcessError)",
    "buttonClicked(int)": "idClicked(int)",
    "buttonPressed(int)": "idPressed(int)",
    "buttonReleased(int)": "idReleased(int)",
    "buttonToggled(int,bool)": "idToggled(int,bool)",
}


@dataclass
class _Connection:
    signature: str
    callable: Callable[..., Any]
    handle: QtCore.QMetaObject.Connection


_connections: dict[int, list[_Connection]] = {}


def report(error: BaseException) -> None:
    """Print a slot's error as the console shows it, and keep it for the tests."""
    traceback.print_exception(type(error), error, error.__traceback__)
    slot_errors.append(error)


def accepted_arguments(function: Callable[..., Any], given: int) -> int:
    """How many of ``given`` arguments PythonQt hands to a callable.

    It counts the parameters of functions and methods without ``*args``; anything else, a ``functools.partial`` too,
    gets all of them.
    """
    bound = inspect.ismethod(function)
    plain = function.__func__ if bound else function
    if not inspect.isfunction(plain) or plain.__code__.co_flags & inspect.CO_VARARGS:
        return given
    return min(given, plain.__code__.co_argcount - (1 if bound else 0))


def deliver(function: Callable[..., Any], arguments: tuple[Any, ...], wrap: Callable[[Any], Any]) -> None:
    """Call a slot with a signal's arguments; an error goes to the console, not to the emitter."""
    try:
        function(*[wrap(a) for a in arguments[: accepted_arguments(function, len(arguments))]])
    except Exception as error:  # noqa: BLE001 - the border between Qt and Python
        report(error)


def native_signal(meta: QtCore.QMetaObject, wanted: SignalRecord) -> str | None:
    """A PySide6 class's signature for a recorded signal, or None when the stand-in has none.

    Arguments that are no Qt type (nodes) are Python objects on our side; a Qt 6 signal may have more arguments than the
    Qt 5 one asked for, which are then cut.
    """
    target = SignalRecord.parse(_RENAMED.get(wanted.signature, wanted.signature))
    if meta.indexOfSignal(wanted.signature) >= 0:
        target = wanted
    found: list[SignalRecord] = []
    for index in range(meta.methodCount()):
        method = meta.method(index)
        if method.methodType() == QtCore.QMetaMethod.MethodType.Signal:
            record = SignalRecord.parse(bytes(method.methodSignature().data()).decode())
            if record.name == target.name:
                found.append(record)
    exact = [r for r in found if r.parameters == target.parameters]
    count = len(target.parameters)

    def stands_for(record: SignalRecord) -> bool:
        pairs = zip(record.parameters, target.parameters, strict=False)
        return all(own in (other, "PyObject", "QVariant") or "*" in other or "::" in other for own, other in pairs)

    same = [r for r in found if len(r.parameters) == count and stands_for(r)]
    longer = [r for r in found if len(r.parameters) > count and stands_for(r)]
    for candidates in (exact, same, longer):
        if candidates:
            return candidates[0].signature
    return None


def connect(
    native: QtCore.QObject, signal: SignalRecord, function: Callable[..., Any], wrap: Callable[[Any], Any]
) -> bool:
    """Connect a recorded signal.

    Raises
    ------
    NotImplementedError
        The signal is recorded in Slicer but the stand-in's object doesn't have it.
    """
    if not callable(function):
        return False
    signature = native_signal(native.metaObject(), signal)
    if signature is None:
        raise NotImplementedError(f"{signal.signature}: recorded in Slicer, not built in the stand-in")
    count = len(signal.parameters)

    def slot(*arguments: Any) -> None:
        deliver(function, arguments[:count], wrap)

    handle = QtCore.QObject.connect(native, QtCore.SIGNAL(signature), slot)
    pointer = shiboken6.getCppPointer(native)[0]
    if pointer not in _connections:
        _connections[pointer] = []
        native.destroyed.connect(lambda *_: _connections.pop(pointer, None))
    _connections[pointer].append(_Connection(signal.signature, function, handle))
    return True


def disconnect(native: QtCore.QObject, signal: SignalRecord, function: Callable[..., Any] | None = None) -> bool:
    """Disconnect one callable, or all, from a signal; whether there was one."""
    kept = _connections.get(shiboken6.getCppPointer(native)[0], [])
    matching = [c for c in kept if c.signature == signal.signature and (function is None or c.callable == function)]
    for connection in matching if function is None else matching[:1]:
        QtCore.QObject.disconnect(connection.handle)
        kept.remove(connection)
    return bool(matching)


class BoundSignal:
    """``obj.clicked``: stands for the first overload of its name, as in PythonQt."""

    def __init__(self, proxy: Any, native: QtCore.QObject, record: ClassRecord, name: str, wrap: Any, unwrap: Any):
        self._proxy = proxy
        self._native = native
        self._name = name
        self._overloads = record.signals_named(name)
        self._signal = self._overloads[0]
        self._wrap = wrap
        self._unwrap = unwrap

    def connect(self, *arguments: Any) -> bool:
        """Connect to one callable."""
        if len(arguments) != 1:
            raise ValueError("Called connect with wrong number of arguments")
        return connect(self._native, self._signal, arguments[0], self._wrap)

    def disconnect(self, *arguments: Any) -> bool:
        """Disconnect one callable, or all."""
        if len(arguments) > 1:
            raise ValueError("Called disconnect with wrong number of arguments")
        return disconnect(self._native, self._signal, *arguments)

    def emit(self, *arguments: Any) -> None:
        """Emit the overload with that many arguments."""
        fitting = [s for s in self._overloads if len(s.parameters) == len(arguments)]
        if not fitting:
            known = "\n".join(s.signature for s in self._overloads)
            raise ValueError(
                f"Could not find matching overload for given arguments:\n{arguments}\n"
                f" The following slots are available:\n{known}"
            )
        signature = native_signal(self._native.metaObject(), fitting[0])
        if signature is None:
            raise NotImplementedError(f"{fitting[0].signature}: recorded in Slicer, not built in the stand-in")
        target = SignalRecord.parse(signature)
        emitter = getattr(self._native, target.name)
        given = [self._unwrap(a) for a in arguments]
        (emitter[target.parameters] if given else emitter).emit(*given)

    def __call__(self, *arguments: Any) -> Any:
        raise ValueError(f"{self._name} is a signal: use {self._name}.emit(…)")

    def __repr__(self) -> str:
        return f"<unbound qt signal {self._name} of {type(self._proxy).__name__}>"
