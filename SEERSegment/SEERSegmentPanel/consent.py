"""The question that is asked before anything leaves this computer, and what it is about."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from .widgets import Rows, bullet_line, button, card_layout, icon_line, later, text_label

__all__ = ["ConsentCard"]

_TEXT_HEIGHT = 190


class ConsentCard:
    """Says what would be sent and to whom, shows it on demand, and takes the answer. Nothing is sent before."""

    def __init__(self, panel):
        self._panel = panel
        self._question = self._preview = None
        self._rows = Rows(card_layout(panel.ui.consentCard))
        self._shown = None

    def show(self, state):
        if state.consent != self._question:
            self._question = state.consent
            self._ask(state.consent)
        if state.preview != self._preview:
            self._preview = state.preview
            self._show_preview(state.preview)

    def _ask(self, question):
        self._rows.clear()
        self._preview = self._shown = None
        frame, theme, presenter = self._panel.ui.consentCard, self._panel.theme, self._panel.presenter
        frame.setVisible(question is not None)
        if question is None:
            return
        frame.setStyleSheet(theme.card_style("consentCard", "warning"))
        title = _("Before anything leaves this computer")
        self._rows.add(icon_line("consentTitle", "warning", theme, title, bold=True))
        for number, line in enumerate(question.text.splitlines()):
            name = f"consentText{number}"
            item = line.removeprefix("• ")
            self._rows.add(text_label(line, name) if item == line else bullet_line(item, name))
        if question.what == "snapshots":
            tip = _("All texts and pictures, exactly; nothing is sent for that")
            look = button(_("Show what would be sent"), "consentPreviewButton", tip, presenter.preview)
            self._rows.add(look)
            holder = self._rows.add(qt.QFrame())
            holder.setObjectName("consentPreviewFrame")
            layout = qt.QVBoxLayout(holder)
            layout.setContentsMargins(0, 0, 0, 0)
            holder.hide()
            self._shown = look, holder, Rows(layout)
        row = qt.QFrame()
        layout = qt.QVBoxLayout(row)
        layout.setContentsMargins(0, 4, 0, 0)
        for text, name, tip, allow, remember in (
            (_("Allow once"), "consentOnceButton", _("Send it for this run only"), True, False),
            (_("Always for this server"), "consentAlwaysButton", _("Don't ask again for this server"), True, True),
            (_("Don't send"), "consentDenyButton", _("Stop here; nothing is sent"), False, False),
        ):
            layout.addWidget(button(text, name, tip, later(presenter.answer_consent, allow, remember)))
        self._rows.add(row)
        self._panel.reveal(frame)

    def _show_preview(self, preview):
        if self._shown is None:
            return
        look, holder, rows = self._shown
        rows.clear()
        holder.setVisible(preview is not None)
        look.setEnabled(preview is None or not preview.busy)
        look.setVisible(preview is None or preview.busy or preview.error is not None)
        if preview is None:
            return
        theme = self._panel.theme
        if preview.busy:
            rows.add(text_label(preview.message + " …", "consentPreviewWait"))
            return
        if preview.error is not None:
            rows.add(icon_line("consentPreviewError", "error", theme, preview.error.message))
            return
        for number, finding in enumerate(preview.findings):
            rows.add(icon_line(f"consentPreviewFinding{number}", finding.severity.value, theme, finding.message))
        model = _(", to the model {model}").format(model=preview.model) if preview.model else ""
        said = _("{count} texts and {pictures} pictures would be sent{model}. The pictures are under Snapshots.")
        said = said.format(count=len(preview.texts), pictures=len(preview.views), model=model)
        rows.add(text_label(said, "consentPreviewLabel"))
        texts = qt.QPlainTextEdit()
        texts.setObjectName("consentPreviewTexts")
        texts.setAccessibleName(_("All texts that would be sent"))
        texts.setReadOnly(True)
        texts.setPlainText(_between_rules(preview.texts))
        texts.setFixedHeight(_TEXT_HEIGHT)
        rows.add(texts)


def _between_rules(texts):
    """Texts below each other, so that it can be seen where each begins."""
    if len(texts) == 1:
        return texts[0]
    titles = (_("Text {number} of {count}").format(number=n, count=len(texts)) for n in range(1, len(texts) + 1))
    return "\n\n".join(f"── {title} ──\n{text}" for title, text in zip(titles, texts, strict=True))
