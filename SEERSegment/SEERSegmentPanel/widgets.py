"""Small helpers that every section of the panel uses."""

from __future__ import annotations

import html

import qt

from .theme import severity_icon

__all__ = ["Rows", "bullet_line", "button", "card_layout", "escaped", "fit_height", "icon_line", "later", "text_label"]


def later(call, *arguments):
    """A slot without arguments that calls ``call(*arguments)``; safe to make in a loop."""

    def slot():
        call(*arguments)

    return slot


def escaped(text):
    """Text for a rich-text label: whatever a reply says is shown, never interpreted (DESIGN seam 3)."""
    return html.escape(str(text)).replace("\n", "<br>")


def text_label(text="", name="", rich=False):
    """A label that wraps, whose text can be selected; plain text unless ``rich``, which wants :func:`escaped` parts."""
    label = qt.QLabel()
    label.setTextFormat(qt.Qt.RichText if rich else qt.Qt.PlainText)
    label.setText(text)
    label.setWordWrap(True)
    label.setMinimumWidth(1)  # a long path in it must not widen the panel
    label.setTextInteractionFlags(qt.Qt.TextSelectableByMouse)
    if name:
        label.setObjectName(name)
    return label


def button(text, name, tool_tip, call=None):
    """A push button that calls ``call()`` on a click."""
    made = qt.QPushButton(text)
    made.setObjectName(name)
    made.setToolTip(tool_tip)
    made.setAccessibleName(text)
    if call is not None:
        made.connect("clicked()", call)
    return made


def card_layout(frame):
    """A vertical layout with the margins of a card, for a frame that the .ui left empty."""
    layout = qt.QVBoxLayout(frame)
    layout.setContentsMargins(10, 8, 10, 8)
    layout.setSpacing(4)
    return layout


def icon_line(name, severity, theme, text, bold=False):
    """A row with a severity's icon and wrapping plain text; the label is called ``name``."""
    row = qt.QFrame()
    layout = qt.QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(8)
    icon = qt.QLabel()
    icon.setPixmap(severity_icon(severity, theme.ink[severity]))
    icon.setAlignment(qt.Qt.AlignTop)
    label = text_label(text, name)
    if bold:
        label.setStyleSheet("font-weight: bold;")
    layout.addWidget(icon)
    layout.addWidget(label)
    layout.setStretch(1, 1)
    return row


def bullet_line(text, name):
    """An item of a list: wrapping plain text beside its bullet."""
    row = qt.QFrame()
    layout = qt.QHBoxLayout(row)
    layout.setContentsMargins(6, 0, 0, 0)
    layout.setSpacing(6)
    bullet = qt.QLabel("•")
    bullet.setAlignment(qt.Qt.AlignTop)
    layout.addWidget(bullet)
    layout.addWidget(text_label(text, name))
    layout.setStretch(1, 1)
    return row


def fit_height(table, most):
    """Give a table the height of its rows, of at most ``most`` of them."""
    rows = range(min(table.rowCount, most))
    table.setFixedHeight(30 + max(28, sum(table.rowHeight(row) for row in rows)))


class Rows:
    """The changing widgets of a layout: what ``add`` put in, ``clear`` takes out and deletes."""

    def __init__(self, layout):
        self._layout = layout
        self._widgets = []

    def add(self, widget):
        self._layout.addWidget(widget)
        self._widgets.append(widget)
        return widget

    def clear(self):
        for widget in self._widgets:
            self._layout.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self._widgets = []
