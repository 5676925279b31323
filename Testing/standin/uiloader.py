"""Loads a ``.ui`` file as Slicer's loader does, after checking it against the recorded surface.

``load_ui(path)`` gives the proxy of the top widget. Refused: a widget class that neither Qt (as recorded) nor
:func:`register_widget_class` knows, a property that the class doesn't have, a connection whose signal or slot doesn't
exist. The application would go on with a warning on the console, or with a hole in the panel.
"""

from __future__ import annotations

import inspect
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from PySide6 import QtCore, QtWidgets
from PySide6.QtUiTools import QUiLoader

from . import ctkmodule  # registers ctk's widgets  # noqa: F401
from .pythonqt import Proxy, proxy_class, register_class, registered, wrap
from .surface import ClassRecord, surface

__all__ = ["UiError", "load_ui", "register_widget_class"]

# What Designer writes for a line; and the attributes that the loader reads as dynamic properties.
_DESIGNER = {"Line": "QFrame"}
_LINE = {"orientation"}
_LAYOUT = {"leftMargin", "topMargin", "rightMargin", "bottomMargin", "horizontalSpacing", "verticalSpacing"}
_DYNAMIC = {"SlicerParameterName"}


class UiError(ValueError):
    """The ``.ui`` file asks for something that the application doesn't have."""


def register_widget_class(name: str, implementation: type) -> type[Proxy]:
    """Let ``.ui`` files use the class ``name``; the same as :func:`pythonqt.register_class`."""
    return register_class(name, implementation)


def _record(name: str) -> ClassRecord:
    known = _DESIGNER.get(name, name)
    if not surface().has(known):
        raise UiError(f"unknown widget class {name}")
    if registered(known) is None and not hasattr(QtWidgets, known):
        raise UiError(f"{name}: recorded in Slicer, not built in the stand-in")
    return surface().record(known)


def check_ui(path: Path) -> ET.ElementTree[ET.Element]:
    """Parse a ``.ui`` file and check classes, properties and connections.

    Raises
    ------
    UiError
        One of them doesn't exist.
    """
    tree = ET.parse(path)
    root = tree.getroot()
    named: dict[str, ClassRecord] = {}
    for element in root.iter("widget"):
        record = _record(element.get("class", ""))
        named[element.get("name", "")] = record
        _check_properties(element, record, _LINE if element.get("class") == "Line" else set())
    for element in root.iter("layout"):
        _check_properties(element, surface().record(element.get("class", "")), _LAYOUT)
    for element in root.iter("action"):
        named[element.get("name", "")] = surface().record("QAction")
        _check_properties(element, surface().record("QAction"), set())
    for element in (*root.iter("enum"), *root.iter("set")):
        for part in filter(None, (element.text or "").split("|")):
            _constant(part.strip())
    for connection in root.iter("connection"):
        _check_connection(connection, named)
    return tree


def _check_properties(element: ET.Element, record: ClassRecord, designer: set[str]) -> None:
    owner = element.get("name") or record.name
    for found in element.findall("property"):
        name = found.get("name", "")
        dynamic = name in _DYNAMIC and found.get("stdset") == "0"
        if name not in record.properties and name not in designer and not dynamic:
            raise UiError(f"{owner}: {record.name} has no property '{name}'")
        if name in record.properties and not record.properties[name][1]:
            raise UiError(f"{owner}: property '{name}' of {record.name} is not writable")


def _check_connection(connection: ET.Element, named: dict[str, ClassRecord]) -> None:
    sender, signal, receiver, slot = (connection.findtext(k, "") for k in ("sender", "signal", "receiver", "slot"))
    for widget in (sender, receiver):
        if widget not in named:
            raise UiError(f"a connection names '{widget}', which is not in the file")
    if named[sender].signal(signal) is None:
        raise UiError(f"{sender}: {named[sender].name} has no signal '{signal}'")
    if slot.partition("(")[0] not in named[receiver].methods:
        raise UiError(f"{receiver}: {named[receiver].name} has no slot '{slot}'")


class _Loader(QUiLoader):
    """Makes registered classes itself; all others are Qt's."""

    def createWidget(self, name: str, parent: Any = None, object_name: str = "") -> Any:  # noqa: N802
        native = registered(name)
        if native is None:
            return super().createWidget(name, parent, object_name)
        made = native(parent)
        made.setObjectName(object_name)
        return made


def _own_property(native: type, name: str) -> bool:
    """Whether a property is written in Python, so that Qt's form builder can't read its enum."""
    return isinstance(inspect.getattr_static(native, name, None), QtCore.Property)


def _value(element: ET.Element, record: ClassRecord) -> Any:
    child = element[0]
    text = child.text or ""
    if child.tag == "bool":
        return text.strip() == "true"
    if child.tag in ("number", "longLong", "uInt"):
        return int(text)
    if child.tag == "double":
        return float(text)
    if child.tag in ("string", "cstring"):
        return text
    if child.tag == "stringlist":
        return tuple(s.text or "" for s in child.findall("string"))
    if child.tag in ("enum", "set"):
        value = 0
        for part in filter(None, text.split("|")):
            value |= _constant(part.strip())
        return value
    if child.tag == "size":
        return proxy_class("QSize")(int(child.findtext("width", "0")), int(child.findtext("height", "0")))
    raise UiError(f"{record.name}.{element.get('name')}: a <{child.tag}> can't be read here")


def _constant(text: str) -> int:
    """``Qt::AlignLeft``; Qt 5 doesn't read the longer ``Qt::AlignmentFlag::AlignLeft``."""
    scope, _, label = text.partition("::")
    if surface().has(scope) and label in surface().record(scope).enums:
        return surface().record(scope).enums[label]
    raise UiError(f"{scope} has no constant '{text}'")


def load_ui(path: str | Path) -> Proxy:
    """Check and load a ``.ui`` file.

    Raises
    ------
    UiError
        The file asks for a class, property, signal or slot that the application doesn't have.
    """
    tree = check_ui(Path(path))
    root = tree.getroot()
    later: list[tuple[str, str, Any]] = []
    for element in root.iter("widget"):
        native = registered(element.get("class", ""))
        record = _record(element.get("class", ""))
        for found in list(element.findall("property")) if native is not None else []:
            name = found.get("name", "")
            if name in record.properties and _own_property(native, name):
                later.append((element.get("name", ""), name, _value(found, record)))
                element.remove(found)
    connections = list(root.iter("connection"))
    for parent in root.findall("connections"):
        root.remove(parent)
    buffer = QtCore.QBuffer()
    buffer.setData(QtCore.QByteArray(ET.tostring(root)))
    loader = _Loader()
    loader.setWorkingDirectory(QtCore.QDir(str(Path(path).resolve().parent)))
    native_top = loader.load(buffer)
    if native_top is None:
        raise UiError(loader.errorString())
    top = wrap(native_top)
    named = {"": top, native_top.objectName(): top}
    named.update({c.objectName(): wrap(c) for c in native_top.findChildren(QtCore.QObject) if c.objectName()})
    for widget, name, value in later:
        setattr(named[widget], name, value)
    for connection in connections:
        sender, signal, receiver, slot = (connection.findtext(k, "") for k in ("sender", "signal", "receiver", "slot"))
        if not named[sender].connect(signal, named[receiver], slot):
            raise UiError(f"{sender}.{signal} could not be connected to {receiver}.{slot}")
    return top
