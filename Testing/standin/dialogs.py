# ruff: noqa: N803 - the names are Slicer's
"""What the panel asks and tells the user through ``slicer.util``: kept for the tests, never shown, never waited for."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtWidgets import QMessageBox

__all__ = ["Dialogs", "Shown", "dialogs"]


@dataclass(frozen=True)
class Shown:
    """One message: ``kind`` is ``"info"``, ``"warning"``, ``"error"``, ``"delay"``, ``"status"`` or a question's."""

    kind: str
    text: str
    title: str = ""
    detail: str = ""


@dataclass
class Dialogs:
    """The record. A question takes the next of ``answers``; one that no test has answered is an error.

    Attributes
    ----------
    interactive : bool
        Real message boxes, for a person who tries the panel.
    installed : list of str
        What would have been installed with pip, one entry for each call.
    restarts : int
        How often the application would have been restarted.
    """

    shown: list[Shown] = field(default_factory=list)
    answers: list[bool] = field(default_factory=list)
    installed: list[str] = field(default_factory=list)
    restarts: int = 0
    interactive: bool = False

    def clear(self) -> None:
        """Forget everything."""
        self.shown.clear()
        self.answers.clear()
        self.installed.clear()
        self.restarts = 0

    def texts(self, kind: str) -> list[str]:
        """The texts of one kind, in order."""
        return [each.text for each in self.shown if each.kind == kind]

    def tell(self, kind: str, text: str, title: str = "", detail: str = "") -> None:
        """A message that wants no answer."""
        self.shown.append(Shown(kind, text, title or "", detail or ""))
        logging.getLogger("slicer").info("%s: %s", kind, text)
        if self.interactive and kind in ("info", "warning", "error"):
            box = QMessageBox(QMessageBox.Icon.Information, title or "SEER", text)
            box.setDetailedText(detail or "")
            box.exec()

    def ask(self, kind: str, text: str, title: str = "", detail: str = "") -> bool:
        """A question; True is Ok, Yes or Retry.

        Raises
        ------
        RuntimeError
            No test said what the user answers.
        """
        self.shown.append(Shown(kind, text, title or "", detail or ""))
        if self.answers:
            return self.answers.pop(0)
        if self.interactive:
            return QMessageBox.question(None, title or "SEER", text) == QMessageBox.StandardButton.Yes
        raise RuntimeError(f"A question that the test does not answer: {text}")


dialogs = Dialogs()


def message(kind: str) -> Any:
    """``slicer.util.infoDisplay`` and its like."""

    def display(
        text: str, windowTitle: Any = None, parent: Any = None, standardButtons: Any = None, **options: Any
    ) -> None:
        dialogs.tell(kind, str(text), windowTitle, options.get("detailedText", ""))

    return display


def question(kind: str) -> Any:
    """``slicer.util.confirmOkCancelDisplay`` and its like."""

    def display(text: str, windowTitle: Any = None, parent: Any = None, **options: Any) -> bool:
        return dialogs.ask(kind, str(text), windowTitle, options.get("detailedText", ""))

    return display
