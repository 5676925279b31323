"""Where Qt 5 under PythonQt and Qt 6 under PySide6 differ: methods, properties and constructors of our own.

A method is ``f(proxy, bridge, *arguments)``, with the arguments as the caller gave them and ``bridge`` the module
``pythonqt``; what it returns is wrapped. ``proxy`` is None for a static one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import shiboken6
from PySide6 import QtCore, QtWidgets

from . import signals

METHODS: dict[tuple[str, str], Callable[..., Any]] = {}
STATICS = {"singleShot", "getOpenFileName", "getSaveFileName", "getOpenFileNames", "getExistingDirectory"}


def method(*keys: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function for ``Class.name`` (``*.name`` for all classes)."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        for key in keys:
            owner, _, name = key.rpartition(".")
            METHODS[owner, name] = function
        return function

    return register


def _count(name: str, arguments: tuple[Any, ...], least: int, most: int) -> None:
    if not least <= len(arguments) <= most:
        raise ValueError(f"Called {name} with wrong number of arguments: {arguments}")


# -- what every wrapper has --------------------------------------------------------------------------------------------


@method("*.className")
def _class_name(proxy: Any, bridge: Any) -> str:
    return type(proxy).__name__


@method("*.inherits")
def _inherits(proxy: Any, bridge: Any, name: str) -> bool:
    native = proxy._native
    if isinstance(native, QtCore.QObject) and native.inherits(name):
        return True
    return name in bridge.class_names(native) or name == type(proxy)._record.name


@method("*.delete")
def _delete(proxy: Any, bridge: Any) -> None:
    shiboken6.delete(proxy._native)


# -- QObject -----------------------------------------------------------------------------------------------------------


def _signature(signal: Any) -> str:
    if not isinstance(signal, str):
        raise ValueError(f"Called connect with wrong arguments: {signal!r}")
    return signal.removeprefix("2")


@method("QObject.connect")
def _connect(proxy: Any, bridge: Any, *arguments: Any) -> bool:
    _count("connect", arguments, 2, 4)
    text = _signature(arguments[0])
    record = type(proxy)._record.signal(text)
    target = arguments[1]
    if len(arguments) > 2:
        name, _, rest = str(arguments[2]).removeprefix("1").partition("(")
        receiver, count = target, len([p for p in rest.rstrip(")").split(",") if p.strip()])
        if name not in type(receiver)._record.methods:
            record = None

        def slot(*values: Any) -> None:
            getattr(receiver, name)(*values[:count])

        target = slot
    if record is None:
        signals.failed_connections.append(f"{type(proxy).__name__}: {text}")
        return False
    return signals.connect(proxy._native, record, target, bridge.wrap)


@method("QObject.disconnect")
def _disconnect(proxy: Any, bridge: Any, *arguments: Any) -> bool:
    _count("disconnect", arguments, 1, 2)
    record = type(proxy)._record.signal(_signature(arguments[0]))
    return record is not None and signals.disconnect(proxy._native, record, *arguments[1:])


@method("QObject.property")
def _property(proxy: Any, bridge: Any, name: str) -> Any:
    return getattr(proxy, name) if name in type(proxy)._record.properties else proxy._native.property(name)


@method("QObject.setProperty")
def _set_property(proxy: Any, bridge: Any, name: str, value: Any) -> bool:
    if name in type(proxy)._record.properties:
        setattr(proxy, name, value)
        return True
    return bool(proxy._native.setProperty(name, bridge.unwrap(value)))


def _matching(proxy: Any, bridge: Any, kind: Any, name: str | None) -> list[Any]:
    wanted = kind if isinstance(kind, str) else getattr(getattr(kind, "_record", None), "name", "")
    if not wanted:
        return []
    found = []
    for child in proxy._native.findChildren(QtCore.QObject):
        is_kind = child.inherits(wanted) or wanted in bridge.class_names(child)
        if is_kind and (name is None or child.objectName() == name):
            found.append(child)
    return found


@method("QObject.findChild")
def _find_child(proxy: Any, bridge: Any, *arguments: Any) -> Any:
    _count("findChild", arguments, 1, 2)
    found = _matching(proxy, bridge, arguments[0], arguments[1] if len(arguments) > 1 else None)
    return found[0] if found else None


@method("QObject.findChildren")
def _find_children(proxy: Any, bridge: Any, *arguments: Any) -> Any:
    _count("findChildren", arguments, 1, 2)
    return _matching(proxy, bridge, arguments[0], arguments[1] if len(arguments) > 1 else None)


@method("QTimer.singleShot")
def _single_shot(proxy: Any, bridge: Any, *arguments: Any) -> None:
    _count("singleShot", arguments, 2, 2)
    delay, function = arguments
    if isinstance(delay, bool) or not isinstance(delay, int) or not callable(function):
        raise ValueError(f"Called singleShot(int msec, PyObject* callable) -> void with wrong arguments: {arguments}")
    QtCore.QTimer.singleShot(delay, lambda: signals.deliver(function, (), bridge.wrap))


# -- bytes -------------------------------------------------------------------------------------------------------------


@method("QPixmap.loadFromData", "QImage.loadFromData")
def _load(proxy: Any, bridge: Any, *arguments: Any) -> bool:
    if not arguments or isinstance(arguments[0], bytes | bytearray):
        # Recorded: bytes are taken, and nothing is loaded.
        return False
    native = bridge.unwrap(arguments[0])
    if len(arguments) != 1 or not isinstance(native, QtCore.QByteArray):
        raise ValueError(f"Called loadFromData with wrong arguments: {arguments}")
    return bool(proxy._native.loadFromData(native))


@method("QProcess.write", "QFile.write", "QIODevice.write")
def _write(proxy: Any, bridge: Any, *arguments: Any) -> int:
    _count("write", arguments, 1, 1)
    data = bridge.unwrap(arguments[0])
    if isinstance(data, bytes) and b"\0" not in data:
        return int(proxy._native.write(data))
    if isinstance(data, QtCore.QByteArray):
        return int(proxy._native.write(data))
    # A zero byte may end the text on the way through ``const char*``: those need a QByteArray.
    raise ValueError(f"Called write(QByteArray data) -> qint64 with wrong arguments: {arguments}")


def _byte_array(*arguments: Any) -> QtCore.QByteArray | None:
    if len(arguments) == 1 and isinstance(arguments[0], bytes):
        return QtCore.QByteArray(arguments[0])
    return None


def _image(*arguments: Any) -> None:
    if arguments and isinstance(arguments[0], bytes | bytearray | memoryview):
        raise ValueError(
            f"Could not find matching overload for given arguments:\n{arguments}\n The following slots are available:\n"
            "QImage() -> QImage\nQImage(uchar data, int width, int height, …) -> QImage"
        )


CONSTRUCTORS: dict[str, Callable[..., Any]] = {"QByteArray": _byte_array, "QImage": _image}


# -- dialogs: PythonQt gives the text alone ----------------------------------------------------------------------------


def _file_dialog(name: str) -> None:
    @method(f"QFileDialog.{name}")
    def ask(proxy: Any, bridge: Any, *arguments: Any) -> Any:
        answer = getattr(QtWidgets.QFileDialog, name)(*[bridge.unwrap(a) for a in arguments])
        return answer[0] if isinstance(answer, tuple) else answer


for _name in ("getOpenFileName", "getSaveFileName", "getOpenFileNames", "getExistingDirectory"):
    _file_dialog(_name)


# -- gone in Qt 6 ------------------------------------------------------------------------------------------------------


@method("QLayout.setMargin")
def _set_margin(proxy: Any, bridge: Any, margin: int) -> None:
    proxy._native.setContentsMargins(margin, margin, margin, margin)


@method("QFontMetrics.width")
def _text_width(proxy: Any, bridge: Any, text: str) -> int:
    return int(proxy._native.horizontalAdvance(text))


@method("QTableWidgetItem.setTextAlignment", "QListWidgetItem.setTextAlignment")
def _text_alignment(proxy: Any, bridge: Any, alignment: int) -> None:
    proxy._native.setTextAlignment(QtCore.Qt.AlignmentFlag(int(alignment)))


@method("QMouseEvent.x")
def _x(proxy: Any, bridge: Any) -> int:
    return int(proxy._native.position().x())


@method("QMouseEvent.y")
def _y(proxy: Any, bridge: Any) -> int:
    return int(proxy._native.position().y())


@method("QMouseEvent.pos")
def _pos(proxy: Any, bridge: Any) -> QtCore.QPoint:
    return proxy._native.position().toPoint()


@method("QMouseEvent.globalPos")
def _global_pos(proxy: Any, bridge: Any) -> QtCore.QPoint:
    return proxy._native.globalPosition().toPoint()


# Property of a class that Qt 6 lacks: how to read it, how to write it.
PROPERTIES: dict[tuple[str, str], tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    ("QLayout", "margin"): (
        lambda n: n.contentsMargins().left(),
        lambda n, v: n.setContentsMargins(v, v, v, v),
    ),
    ("QTextEdit", "tabStopWidth"): (lambda n: int(n.tabStopDistance()), lambda n, v: n.setTabStopDistance(v)),
    ("QPlainTextEdit", "tabStopWidth"): (lambda n: int(n.tabStopDistance()), lambda n, v: n.setTabStopDistance(v)),
}
