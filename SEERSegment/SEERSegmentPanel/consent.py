"""The question that is asked before anything leaves this computer."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from .widgets import Rows, button, card_layout, icon_line, later, text_label

__all__ = ["ConsentCard"]


class ConsentCard:
    """Says what would be sent and to whom, and takes the answer. Nothing is sent before one is given."""

    def __init__(self, panel):
        self._panel = panel
        self._question = None
        self._rows = Rows(card_layout(panel.ui.consentCard))

    def show(self, state):
        if state.consent == self._question:
            return
        self._question = question = state.consent
        self._rows.clear()
        frame, theme, answer = self._panel.ui.consentCard, self._panel.theme, self._panel.presenter.answer_consent
        frame.setVisible(question is not None)
        if question is None:
            return
        frame.setStyleSheet(theme.card_style("consentCard", "warning"))
        title = _("Before anything leaves this computer")
        self._rows.add(icon_line("consentTitle", "warning", theme, title, bold=True))
        self._rows.add(text_label(question.text, "consentText"))
        self._rows.add(text_label(_("Server: {server}").format(server=question.server), "consentServer"))
        row = qt.QFrame()
        layout = qt.QVBoxLayout(row)
        layout.setContentsMargins(0, 4, 0, 0)
        for text, name, tip, allow, remember in (
            (_("Allow once"), "consentOnceButton", _("Send it for this run only"), True, False),
            (_("Always for this server"), "consentAlwaysButton", _("Don't ask again for this server"), True, True),
            (_("Don't send"), "consentDenyButton", _("Stop here; nothing is sent"), False, False),
        ):
            layout.addWidget(button(text, name, tip, later(answer, allow, remember)))
        self._rows.add(row)
        self._panel.reveal(frame)
