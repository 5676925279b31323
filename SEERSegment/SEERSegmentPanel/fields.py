"""Fields of the settings: each shows a preference and keeps what the user makes of it."""

from __future__ import annotations

import ctk
import qt

from .widgets import text_label

__all__ = ["Fields", "Row", "folding_group", "form", "group", "hint", "select"]


class Fields:
    """Makes fields for the preferences of a panel. ``on_change`` is called after each change by the user."""

    def __init__(self, preferences, on_change):
        self._preferences = preferences
        self._on_change = on_change

    def line(self, name, preference, placeholder, tool_tip=""):
        """A line of text."""
        edit = qt.QLineEdit()
        edit.setObjectName(name)
        edit.setText(self._preferences.get(preference))
        edit.setPlaceholderText(placeholder)
        edit.setToolTip(tool_tip)
        edit.connect("textChanged(QString)", lambda text: self._keep(preference, text.strip()))
        return edit

    def combo(self, name, preference, choices, tool_tip):
        """One of ``choices``, (text, value) each."""
        combo = qt.QComboBox()
        combo.setObjectName(name)
        combo.setToolTip(tool_tip)
        combo.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Fixed)  # a long entry must not widen the panel
        for text, value in choices:
            combo.addItem(text, value)
        select(combo, self._preferences.get(preference))

        def changed(_index):
            if combo.currentData is not None:
                self._keep(preference, combo.currentData)

        combo.connect("activated(int)", changed)
        return combo

    def check(self, name, preference, text, tool_tip):
        """Yes or no."""
        box = qt.QCheckBox(text)
        box.setObjectName(name)
        box.setToolTip(tool_tip)
        box.setChecked(self._preferences.get(preference))
        box.connect("toggled(bool)", lambda on: self._keep(preference, bool(on)))
        return box

    def count(self, name, preference, low, high, tool_tip):
        """A whole number."""
        box = qt.QSpinBox()
        box.setObjectName(name)
        box.setRange(low, high)
        box.setValue(self._preferences.get(preference))
        box.setToolTip(tool_tip)
        box.connect("valueChanged(int)", lambda value: self._keep(preference, value))
        return box

    def path(self, name, preference, tool_tip, folder=False):
        """A file or, with ``folder``, a folder; what is typed need not exist."""
        edit = ctk.ctkPathLineEdit()
        edit.setObjectName(name)
        if folder:
            kind = ctk.ctkPathLineEdit
            edit.filters = kind.Dirs | kind.Drives | kind.NoDotAndDotDot | kind.Readable
        edit.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Fixed)
        edit.setToolTip(tool_tip)
        edit.currentPath = self._preferences.get(preference)

        def changed(*_):
            self._keep(preference, edit.currentPath.strip())

        edit.connect("currentPathChanged(QString)", changed)
        edit.connect("validInputChanged(bool)", changed)  # an empty path is told by this alone
        return edit

    def _keep(self, preference, value):
        if value != self._preferences.get(preference):
            self._preferences.set(preference, value)
            self._on_change()


class Row:
    """A label and its field in a form, shown and hidden together."""

    def __init__(self, layout, text, field):
        self._label = qt.QLabel(text)
        self._label.setBuddy(field)
        self.field = field
        layout.addRow(self._label, field)

    def show(self, on):
        self._label.setVisible(on)
        self.field.setVisible(on)


def select(combo, value):
    """Show the entry of a combo box that stands for ``value``."""
    combo.setCurrentIndex(combo.findData(value))


def group(layout, name, title):
    """A titled box in the section; its layout."""
    box = qt.QGroupBox(title)
    box.setObjectName(name)
    return _inside(layout, box, box)


def folding_group(layout, name, title):
    """A titled box that can be folded, and the layout of what folds."""
    box = ctk.ctkCollapsibleGroupBox()
    box.setTitle(title)
    box.setObjectName(name)
    outer = qt.QVBoxLayout(box)
    outer.setContentsMargins(0, 0, 0, 0)
    body = qt.QWidget()
    outer.addWidget(body)
    return box, _inside(layout, box, body)


def form(layout):
    """A form within a layout, and what can be said above its rows."""
    made = qt.QFormLayout()
    made.setFieldGrowthPolicy(qt.QFormLayout.AllNonFixedFieldsGrow)
    layout.addLayout(made)
    return made


def hint(layout, name, text, colour):
    """A line that explains what stands above or below it."""
    label = text_label(text, name)
    label.setStyleSheet(f"color: {colour};")
    layout.addWidget(label)
    return label


def _inside(layout, box, body):
    inner = qt.QVBoxLayout(body)
    inner.setContentsMargins(8, 6, 8, 8)
    inner.setSpacing(5)
    layout.addWidget(box)
    return inner
