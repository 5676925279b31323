"""VTK observers of a Qt widget: they don't keep it alive, and they all end with it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject
from vtkmodules.util.vtkConstants import VTK_OBJECT

__all__ = ["Observations"]


class Observations:
    """The observers of one owner; ``owner`` is a QObject, at whose end all of them are taken away."""

    def __init__(self, owner: QObject) -> None:
        self._tags: list[tuple[Any, int]] = []
        tags = self._tags
        owner.destroyed.connect(lambda *_: _remove(tags))

    def add(self, subject: Any, events: tuple[Any, ...], method: Callable[..., None]) -> None:
        """Call ``method()``, a bound method, at each of the events of a VTK object."""
        weak = weakref.WeakMethod(method)

        def call(_subject: Any, _event: str) -> None:
            alive = weak()
            if alive is not None:
                alive()

        for event in events:
            self._tags.append((subject, subject.AddObserver(event, call)))

    def add_with_node(self, subject: Any, event: Any, method: Callable[[Any], None]) -> None:
        """Call ``method(node)`` with the node that the event is about."""
        weak = weakref.WeakMethod(method)

        def call(_subject: Any, _event: str, node: Any) -> None:
            alive = weak()
            if alive is not None:
                alive(node)

        call.CallDataType = VTK_OBJECT  # type: ignore[attr-defined]
        self._tags.append((subject, subject.AddObserver(event, call)))

    def clear(self) -> None:
        """Take away all observers."""
        _remove(self._tags)


def _remove(tags: list[tuple[Any, int]]) -> None:
    for subject, tag in tags:
        subject.RemoveObserver(tag)
    tags.clear()
