"""ctk's widgets that choose a file or a folder, in PySide6, with the recorded properties and signals."""

# Names are ctk's.
# ruff: noqa: N801, N802, N815

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

from PySide6.QtCore import Property, QDir, QSettings, QSize, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QStyle,
    QToolButton,
    QWidget,
)

from .ctkcollapsible import plain_property

__all__ = ["ctkDirectoryButton", "ctkPathLineEdit"]

_HISTORY = 5
_FILTERS = QDir.Filter.AllEntries | QDir.Filter.NoDotAndDotDot | QDir.Filter.Readable | QDir.Filter.Executable


class ctkPathLineEdit(QWidget):
    """A path with its history and a browse button."""

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QComboBox(self)
        self._box.setEditable(True)
        self._box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._button = QToolButton(self)
        self._button.setText("…")
        self._button.clicked.connect(self.browse)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._box)
        layout.addWidget(self._button)
        self._label = ""
        self._filters = int(_FILTERS.value)
        self._name_filters: list[str] = []
        self._options = 0
        self._setting_key = ""
        self._policy = 0
        self._show_history = True
        self._valid = False
        self._box.editTextChanged.connect(self._edited)

    def _acceptable(self, path: str) -> bool:
        """Any text, or with name filters one that matches one of them; whether the file exists doesn't matter."""
        patterns = [word for text in self._name_filters for word in re.findall(r"[*?][^\s;()]*", text)]
        return bool(path) and (not patterns or any(fnmatch(path, p) for p in patterns))

    def _edited(self, text: str) -> None:
        was, self._valid = self._valid, self._acceptable(text)
        if self._valid:
            # A path that is cleared or unacceptable is not announced as the current one: ``validInputChanged`` is.
            self.currentPathChanged.emit(text)
        if self._valid != was:
            self.validInputChanged.emit(self._valid)

    def setCurrentPath(self, path: str) -> None:
        """Show a path."""
        if path != self._box.currentText():
            self._box.setEditText(path)

    def comboBox(self) -> QComboBox:
        """The combo box inside."""
        return self._box

    def browse(self) -> None:
        """Ask for a path."""
        asked = QFileDialog.Option.ShowDirsOnly
        if self._filters & int(QDir.Filter.Files.value):
            path, _ = QFileDialog.getOpenFileName(
                self, self._label, self._box.currentText(), ";;".join(self._name_filters)
            )
        else:
            path = QFileDialog.getExistingDirectory(self, self._label, self._box.currentText(), asked)
        if path:
            self.setCurrentPath(path)
            self.addCurrentPathToHistory()

    def _key(self) -> str:
        return f"ctkPathLineEdit/{self._setting_key or self.objectName()}"

    def _history(self) -> list[str]:
        kept = QSettings().value(self._key(), [])
        return [kept] if isinstance(kept, str) else list(kept or [])

    def addCurrentPathToHistory(self) -> None:
        """Put the path first in the history, which the settings keep under ``settingKey`` or the object's name."""
        path = self._box.currentText()
        if not path:
            return
        known = [path, *(p for p in self._history() if p != path)]
        QSettings().setValue(self._key(), known)
        self._fill(known)

    def retrieveHistory(self) -> None:
        """Read the history from the settings; without a path, the last one becomes the current path."""
        path = self._box.currentText()
        known = self._history()
        self._fill([path, *known] if path else known)

    def _fill(self, paths: list[str]) -> None:
        self._box.clear()
        self._box.addItems(list(dict.fromkeys(paths))[:_HISTORY])

    def _set_setting_key(self, key: str) -> None:
        self._setting_key = key
        self.retrieveHistory()

    currentPath = Property(str, lambda s: s._box.currentText(), setCurrentPath)
    label = plain_property(str, "_label")
    filters = plain_property(int, "_filters")
    nameFilters = plain_property("QStringList", "_name_filters")
    options = plain_property(int, "_options")
    settingKey = Property(str, lambda s: s._setting_key, _set_setting_key)
    sizeAdjustPolicy = plain_property(int, "_policy")
    minimumContentsLength = Property(
        int, lambda s: s._box.minimumContentsLength(), lambda s, v: s._box.setMinimumContentsLength(v)
    )
    showBrowseButton = Property(bool, lambda s: not s._button.isHidden(), lambda s, v: s._button.setVisible(v))
    showHistoryButton = plain_property(bool, "_show_history")


class ctkDirectoryButton(QWidget):
    """A button that shows a folder and asks for another."""

    directoryChanged = Signal(str)
    directorySelected = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._button = QPushButton(self)
        self._button.setIcon(self.style().standardIcon(QStyle.StandardPixmap.SP_DirIcon))
        self._button.clicked.connect(self.browse)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._button)
        self._directory = ""
        self._text = ""
        self._caption = ""
        self._accept = 0
        self._options = 1
        self._elide = 3
        self._set_directory(str(Path.cwd()))

    def _set_directory(self, directory: str) -> None:
        changed = directory != self._directory
        self._directory = directory
        self._button.setText(self._text or directory)
        if changed:
            self.directoryChanged.emit(directory)

    def _set_text(self, text: str) -> None:
        self._text = text
        self._button.setText(text or self._directory)

    def browse(self) -> None:
        """Ask for a folder."""
        chosen = QFileDialog.getExistingDirectory(self, self._caption or self.toolTip(), self._directory)
        if chosen:
            self._set_directory(chosen)
            self.directorySelected.emit(chosen)

    def sizeHint(self) -> QSize:
        return self._button.sizeHint()

    directory = Property(str, lambda s: s._directory, _set_directory)
    text = Property(str, lambda s: s._button.text(), _set_text)
    icon = Property(QIcon, lambda s: s._button.icon(), lambda s, v: s._button.setIcon(v))
    caption = plain_property(str, "_caption")
    acceptMode = plain_property(int, "_accept")
    options = plain_property(int, "_options")
    elideMode = plain_property(int, "_elide")
