# ruff: noqa: N802 - the names are Slicer's
"""Loads a scripted module as the application does: its folder on ``sys.path``, module object, widget, setup, enter."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QWidget

from .pythonqt import unwrap

__all__ = ["LoadedModule", "ModuleWidgetRepresentation", "ScriptedModule", "load", "reload"]


class ScriptedModule:
    """``qSlicerScriptedLoadableModule``: only its own fields can be set, each to its own kind of value."""

    _FIELDS: dict[str, type] = {  # noqa: RUF012
        "title": str,
        "categories": list,
        "contributors": list,
        "associatedNodeTypes": list,
        "dependencies": list,
        "helpText": str,
        "acknowledgementText": str,
        "extensions": dict,
        "icon": object,
        "hidden": bool,
        "index": int,
        "widgetRepresentationCreationEnabled": bool,
    }

    def __init__(self, name: str, path: str) -> None:
        self.__dict__.update({field: kind() for field, kind in self._FIELDS.items() if kind is not object})
        self.__dict__.update(name=name, path=path, icon=None, widget=None, index=-1, instance=None)

    def __setattr__(self, name: str, value: Any) -> None:
        kind = self._FIELDS.get(name)
        if kind is None:
            raise AttributeError(f"'{name}' does not exist on qSlicerScriptedLoadableModule")
        if kind is list and not (isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)):
            raise TypeError(f"{name} is a list of text, not {value!r}")
        if kind not in (list, object) and not isinstance(value, kind):
            raise TypeError(f"{name} is {kind.__name__}, not {value!r}")
        self.__dict__[name] = value

    def widgetRepresentation(self) -> ModuleWidgetRepresentation | None:
        return ModuleWidgetRepresentation(self.widget) if self.widget is not None else None

    def logic(self) -> None:
        """The C++ logic of a scripted module does nothing; there is none here."""


class ModuleWidgetRepresentation:
    """``qSlicerScriptedLoadableModuleWidget``: knows the Python widget."""

    def __init__(self, widget: Any) -> None:
        self._widget = widget

    def self(self) -> Any:
        return self._widget


class LoadedModule:
    """A module that is loaded and shown.

    Attributes
    ----------
    module : object
        The ``SEERSegment`` instance.
    widget : object
        The ``SEERSegmentWidget`` instance.
    parent : object
        The proxy of the widget that the application gave it.
    native : QWidget
        The same, as PySide6 sees it.
    """

    def __init__(self, name: str, handle: ScriptedModule, module: Any, widget: Any, parent: Any) -> None:
        self.name, self.handle, self.module, self.widget, self.parent = name, handle, module, widget, parent
        self.native = unwrap(parent)
        self._unloaded = False

    def unload(self) -> None:
        """As at the application's end: ``cleanup()`` through the module manager, then the widget goes."""
        import slicer

        if self._unloaded:
            return
        self._unloaded = True
        unwrap(slicer.app.moduleManager()).remove(self.name)
        self.handle.__dict__["widget"] = None
        for attribute in (f"{self.name}Widget", f"{self.name}Instance", self.name.lower()):
            slicer.modules.__dict__.pop(attribute, None)
        self.native.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _make_widget(source: Any, handle: ScriptedModule, parent: Any) -> Any:
    """The module's widget in its parent, set up and known to the application."""
    import slicer

    widget = getattr(source, f"{handle.name}Widget")(parent)
    handle.__dict__["widget"] = widget
    setattr(slicer.modules, f"{handle.name}Widget", widget)
    widget.setup()
    return widget


def reload(name: str) -> Any:
    """``slicer.util.reloadScriptedModule``: the file is read again and a new widget takes the old one's place."""
    import slicer

    handle = getattr(slicer.modules, name.lower())
    old = handle.widget
    parent = old.parent
    source = _execute(name, Path(handle.path))  # before the old widget is cleaned up
    for child in unwrap(parent).children():
        if isinstance(child, QWidget):
            child.hide()
    old.cleanup()
    slicer.app.moduleManager().disconnect("moduleAboutToBeUnloaded(QString)", old._onModuleAboutToBeUnloaded)
    layout = unwrap(parent).layout()
    while layout.count():
        layout.takeAt(0)  # what was in it stays a hidden child
    return _make_widget(source, handle, parent)


def _execute(name: str, path: Path) -> Any:
    """Run a module's file anew under its name."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    source = importlib.util.module_from_spec(spec)
    sys.modules[name] = source
    spec.loader.exec_module(source)
    return source


def load(path: Path, show: bool = True) -> LoadedModule:
    """Load the scripted module of a file, give it a widget, and enter it.

    Only the file's folder is put on ``sys.path``, at its end, as for an additional module path.
    """
    import qt
    import slicer

    name = path.stem
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    source = sys.modules.get(name)
    if source is None or Path(str(source.__file__)) != path:
        source = _execute(name, path)
    handle = ScriptedModule(name, str(path))
    setattr(slicer.modules, name.lower(), handle)
    module = getattr(source, name)(handle)
    handle.__dict__["instance"] = module
    setattr(slicer.modules, f"{name}Instance", module)
    manager = unwrap(slicer.app.moduleManager())
    manager.add(name, handle)
    parent = slicer.qMRMLWidget()
    parent.setLayout(qt.QVBoxLayout())
    parent.setMRMLScene(slicer.mrmlScene)
    loaded = LoadedModule(name, handle, module, _make_widget(source, handle, parent), parent)
    if show:
        manager.select(name)
    return loaded
