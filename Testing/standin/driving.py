"""Drives a panel as a person does: finds widgets by name, clicks, types, and waits for what should happen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QScrollArea, QWidget

from .signals import slot_errors

__all__ = ["Driver", "wait_until"]


def wait_until(condition: Callable[[], Any], seconds: float = 20.0, what: str = "") -> None:
    """Let the event loop run until ``condition()`` holds.

    Raises
    ------
    AssertionError
        It didn't within the time, or a slot raised meanwhile.
    """
    deadline = time.monotonic() + seconds
    waker = QTimer()
    waker.setInterval(10)
    waker.start()
    loop = QEventLoop()
    try:
        while not condition():
            if slot_errors:
                raise AssertionError(f"A slot raised while waiting: {slot_errors[0]!r}") from slot_errors[0]
            if time.monotonic() > deadline:
                raise AssertionError(f"Not within {seconds:g} s: {what or condition}")
            loop.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    finally:
        waker.stop()


class Driver:
    """A person in front of a widget. Names are object names; everything is PySide6's own, without proxies.

    A click on what is hidden or greyed is an error: a person couldn't do it.
    """

    def __init__(self, root: QWidget) -> None:
        self.root = root

    def find(self, name: str) -> Any:
        """The widget of that name below the root.

        Raises
        ------
        LookupError
            There is none, or several.
        """
        found = [self.root] if self.root.objectName() == name else self.root.findChildren(QWidget, name)
        if len(found) != 1:
            raise LookupError(f"{len(found)} widgets are called {name!r}.")
        return found[0]

    def has(self, name: str) -> bool:
        """Whether there is a widget of that name that a person can see."""
        return any(each.isVisibleTo(self.root) for each in self.root.findChildren(QWidget, name))

    def click(self, target: str | QWidget) -> None:
        """Click the middle of a button or widget with the left mouse button."""
        widget = self._reachable(target)
        place = widget.rect().center()
        if isinstance(widget, QAbstractButton) and not widget.hitButton(place):
            place = QPoint(12, widget.height() // 2)  # check boxes answer at their mark
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)

    def double_click(self, target: str | QWidget) -> None:
        """Two quick clicks, as Qt reports them."""
        widget = self._reachable(target)
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
        QTest.mouseDClick(widget, Qt.MouseButton.LeftButton)

    def type_text(self, target: str | QWidget, text: str, replace: bool = True) -> None:
        """Type into an editor; what was there is replaced unless told otherwise."""
        widget = self._reachable(target)
        widget.setFocus(Qt.FocusReason.MouseFocusReason)
        if replace:
            QTest.keyClick(widget, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
            QTest.keyClick(widget, Qt.Key.Key_Delete)
        QTest.keyClicks(widget, text)

    def press(self, target: str | QWidget, key: Qt.Key, modifiers: Any = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key in a widget."""
        widget = self._reachable(target)
        widget.setFocus(Qt.FocusReason.MouseFocusReason)
        QTest.keyClick(widget, key, modifiers)

    def choose(self, target: str | QWidget, text: str) -> None:
        """Choose an entry of a combo box by its text, as a click in its list does."""
        widget = self._reachable(target)
        box = widget if isinstance(widget, QComboBox) else widget.findChild(QComboBox)
        row = box.findText(text)
        if row < 0:
            raise LookupError(f"{text!r} is not among {[box.itemText(each) for each in range(box.count())]}.")
        box.setCurrentIndex(row)
        box.activated.emit(row)
        box.textActivated.emit(text)

    def wait_until(self, condition: Callable[[], Any], seconds: float = 20.0, what: str = "") -> None:
        """See :func:`wait_until`."""
        wait_until(condition, seconds, what)

    def settle(self) -> None:
        """Let everything happen that is due now."""
        for _ in range(3):
            QCoreApplication.processEvents()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def picture(self, path: Any) -> None:
        """Write what the root widget looks like as a PNG file."""
        self.settle()
        if not self.root.grab().save(str(path)):
            raise OSError(f"The picture can't be written: {path}")

    def _reachable(self, target: str | QWidget) -> Any:
        widget = self.find(target) if isinstance(target, str) else target
        self._scroll_to(widget)
        if not widget.isVisible():
            raise AssertionError(f"{target!r} can't be seen.")
        if not widget.isEnabled():
            raise AssertionError(f"{target!r} is greyed.")
        return widget

    def _scroll_to(self, widget: QWidget) -> None:
        parent = widget.parentWidget()
        while parent is not None:
            if isinstance(parent, QScrollArea):
                parent.ensureWidgetVisible(widget)
            parent = parent.parentWidget()
