"""What the user asks for: the request's box, its history, and examples while it is empty."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from .widgets import button, later

__all__ = ["EXAMPLES", "RequestSection"]

#: Requests that the embedded parts can do on a chest or abdominal CT.
EXAMPLES = ("outline both lungs", "pls segment the rt lung, ?effusion", "trachea and left lung", "all of the bones")

_SHOWN_IN_MENU = 15
_MENU_WIDTH = 60


class RequestSection:
    """A multi-line box. Ctrl+Return runs, wherever in the panel the focus is; Alt+Up and Alt+Down walk the history."""

    def __init__(self, panel):
        self._panel = panel
        self._ui = panel.ui
        self._history = ()
        self._place = -1  # in the history; -1 is what the user is typing
        self._typed = ""
        self._menu = qt.QMenu(self._ui.historyButton)
        self._menu.setObjectName("historyMenu")
        self._menu.setToolTipsVisible(True)
        self._ui.historyButton.setMenu(self._menu)
        self._actions = []
        self._examples = []
        self._add_examples()
        self._shortcuts = [
            self._shortcut("Ctrl+Return", panel.root, panel.run_or_answer, "runShortcut"),
            self._shortcut("Ctrl+Enter", panel.root, panel.run_or_answer, "runEnterShortcut"),
            self._shortcut("Alt+Up", self._ui.requestEdit, self._older, "olderShortcut"),
            self._shortcut("Alt+Down", self._ui.requestEdit, self._newer, "newerShortcut"),
        ]
        self._ui.requestEdit.connect("textChanged()", self._changed)

    def text(self):
        """The request as typed."""
        return self._ui.requestEdit.toPlainText()

    def set_text(self, text):
        """Put a request into the box, the cursor behind it."""
        self._ui.requestEdit.setPlainText(text)
        self._ui.requestEdit.moveCursor(qt.QTextCursor.End)

    def show(self, state):
        self._ui.requestEdit.setReadOnly(state.phase.busy)
        if state.history != self._history:
            self._history = state.history
            self._place = -1
            self._fill_menu()
        self._ui.historyButton.setEnabled(bool(self._history) and not state.phase.busy)
        self._ui.examplesFrame.setVisible(not self.text().strip() and not state.phase.busy)

    def close(self):
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._shortcuts = []

    def _shortcut(self, keys, widget, call, name):
        shortcut = qt.QShortcut(qt.QKeySequence(keys), widget)
        shortcut.setObjectName(name)
        shortcut.setContext(qt.Qt.WidgetWithChildrenShortcut)
        shortcut.connect("activated()", call)
        return shortcut

    def _add_examples(self):
        layout = self._ui.examplesLayout
        for number, example in enumerate(EXAMPLES):
            made = button(
                _("Try: {example}").format(example=example),
                f"exampleButton{number}",
                _("Put this example into the box"),
                later(self.set_text, example),
            )
            made.setFlat(True)
            made.setStyleSheet("QPushButton { text-align: left; padding: 2px 4px; }")
            layout.addWidget(made)
            self._examples.append(made)

    def _fill_menu(self):
        self._menu.clear()
        self._actions = []
        for text in self._history[:_SHOWN_IN_MENU]:
            line = " ".join(text.split())
            short = line if len(line) <= _MENU_WIDTH else line[: _MENU_WIDTH - 1] + "…"
            action = self._menu.addAction(short.replace("&", "&&"))
            action.setToolTip(text)
            action.connect("triggered()", later(self.set_text, text))
            self._actions.append(action)

    def _older(self):
        self._walk(1)

    def _newer(self):
        self._walk(-1)

    def _walk(self, step):
        place = self._place + step
        if self._ui.requestEdit.readOnly or not -1 <= place < len(self._history):
            return
        if self._place == -1:
            self._typed = self.text()
        self._place = place
        self.set_text(self._typed if place == -1 else self._history[place])

    def _changed(self):
        self._ui.examplesFrame.setVisible(not self.text().strip())
        self._panel.inputs_changed()
