# ruff: noqa: N802, N815 - the names are Slicer's
"""``slicer.modules`` and the module manager: Slicer's own names, C++ logics where there are any, the tested module."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import QObject, Signal

__all__ = ["ModuleManager", "Modules", "PlainModule"]


class PlainModule:
    """A module of the application itself: a name, and its C++ logic where the core has one; no widget."""

    def __init__(self, name: str, logic: Any = None) -> None:
        self.name = name
        self._logic = logic

    def logic(self) -> Any:
        """The C++ logic."""
        return self._logic

    def widgetRepresentation(self) -> None:
        """None: nobody made one."""
        return


class Modules:
    """``slicer.modules``: the names that the application has, and what scripted modules add.

    ``allowed`` are those names; ``logics`` the core's module handles by name.
    """

    def __init__(self, allowed: Iterable[str], logics: Any) -> None:
        for name in allowed:
            if name != "sampleDataSources" and not name.endswith("Instance"):
                handle = getattr(logics, name, None)
                setattr(self, name, PlainModule(name, handle.logic() if handle is not None else None))
        self.sampleDataSources: dict[str, list[Any]] = {}

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"module 'slicer.modules' has no attribute '{name}'")


class ModuleManager(QObject):
    """Knows the module that is tested, and which module is shown."""

    moduleLoaded = Signal(str)
    moduleAboutToBeUnloaded = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._modules: dict[str, Any] = {}
        self.selected = "Welcome"

    def add(self, name: str, module: Any) -> None:
        """A scripted module was loaded."""
        self._modules[name] = module
        self.moduleLoaded.emit(name)

    def remove(self, name: str) -> None:
        """A scripted module goes."""
        self.moduleAboutToBeUnloaded.emit(name)
        self._modules.pop(name, None)

    def module(self, name: str) -> Any:
        return self._modules.get(name)

    def modulesNames(self) -> list[str]:
        return list(self._modules)

    def select(self, name: str) -> None:
        """Switch as the module selector does: ``exit()`` of the old module's widget, ``enter()`` of the new one's."""
        for called, method in ((self.selected, "exit"), (name, "enter")):
            widget = getattr(self._modules.get(called), "widget", None)
            if widget is not None and name != self.selected:
                getattr(widget, method)()
        self.selected = name
