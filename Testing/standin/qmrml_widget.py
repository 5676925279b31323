# ruff: noqa: N802, N815 - the names are Slicer's
"""``qMRMLWidget``, and what all widgets on the scene share: a scene, and options as Qt properties."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, Signal
from PySide6.QtWidgets import QWidget

from .observations import Observations

__all__ = ["MRMLWidget", "option", "setter"]


def option(name: str, kind: type) -> Any:
    """A Qt property that is kept in the widget's ``_options`` and redraws it when it is set."""

    def read(self: Any) -> Any:
        return self._options[name]

    def write(self: Any, value: Any) -> None:
        if self._options[name] != value:
            self._options[name] = value
            self._refresh()

    return Property(kind, read, write)


def setter(name: str) -> Any:
    """The method that sets a property of the widget, where Slicer has one."""

    def write(self: Any, value: Any) -> None:
        self.setProperty(name, value)

    return write


class MRMLWidget(QWidget):
    """A widget that knows the scene and says so when it gets another."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._options: dict[str, Any] = {}
        self._observed = Observations(self)

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            self._scene_set()
            self.mrmlSceneChanged.emit(scene)

    def _scene_set(self) -> None:
        """Called with a new scene, before others hear of it."""

    def _refresh(self) -> None:
        """Draw anew."""
