"""Running and stopping: one button, how far it is, what went wrong, and what the log says."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from SEERSegmentLib.presenter.state import Activity, Phase

from .theme import severity_icon
from .widgets import Rows, button, card_layout, icon_line, text_label

__all__ = ["RunSection", "elapsed_text"]

_TICK_MS = 200

#: How the codes of those errors begin that another choice in the settings may help against.
_SETTINGS_HELP = (
    "adapter-",
    "backbone-not-ready",
    "device-",
    "identifiers-",
    "memory-",
    "missing-extra",
    "model-",
    "part-",
    "preset-unread",
    "reasoner-not-ready",
    "server-",
    "target-unsupported",
    "template-",
)


def elapsed_text(seconds):
    """Seconds as ``"12 s"`` or ``"1:05 min"``."""
    whole = max(0, int(seconds))
    return _("{seconds} s").format(seconds=whole) if whole < 60 else f"{whole // 60}:{whole % 60:02d} min"


class RunSection:
    """The Run/Cancel button with its progress, the error card and the log. Time ticks only while something runs."""

    def __init__(self, panel):
        self._panel = panel
        self._ui = ui = panel.ui
        self._state = None
        self._log = ()
        self._error = None
        self._busy = None
        self._ticker = qt.QTimer()
        self._ticker.setInterval(_TICK_MS)
        self._ticker.connect("timeout()", self._tick)
        self._error_rows = Rows(card_layout(ui.errorCard))
        ui.noteLabel.setStyleSheet(f"color: {panel.theme.ink['warning']};")
        ui.runButton.connect("clicked()", self._clicked)
        ui.goToResultButton.connect("clicked()", panel.go_to_result)

    def show(self, state):
        self._state = state
        self._show_button(state)
        self._show_progress(state)
        if state.error != self._error:
            self._error = state.error
            self._show_error(state.error)
        if state.log != self._log:
            self._log = state.log
            self._ui.logEdit.setPlainText("\n".join(state.log))
            self._ui.logEdit.moveCursor(qt.QTextCursor.End)

    def inputs_changed(self):
        """The request or a selector changed: Run may now be possible, or not."""
        if self._state is not None:
            self._show_button(self._state)

    def close(self):
        self._ticker.stop()
        self._ticker.deleteLater()

    def _clicked(self):
        if self._running():
            self._panel.presenter.cancel()
        else:
            self._panel.run()

    def _running(self):
        phase = self._panel.presenter.state.phase
        return phase.busy or phase is Phase.AWAITING_CONSENT

    def _show_button(self, state):
        ui = self._ui
        running = state.phase.busy or state.phase is Phase.AWAITING_CONSENT
        missing = "" if running else self._panel.what_is_missing()
        if running != self._busy:
            self._busy = running
            self._panel.timers.call_later(0, self._draw_icon)
        ui.runButton.setText(_("Cancel") if running else _("Run"))
        ui.runButton.setAccessibleName(ui.runButton.text)
        ui.runButton.setToolTip(
            _("Stop; the scene stays as it was") if running else missing or _("Segment what the request asks for")
        )
        ui.runButton.setEnabled(running or not missing)
        ui.runHintLabel.setText(missing)
        ui.runHintLabel.setVisible(bool(missing))

    def _draw_icon(self):
        kind, ink = ("stop", "error") if self._busy else ("run", "ok")
        self._ui.runButton.setIcon(qt.QIcon(severity_icon(kind, self._panel.theme.ink[ink])))

    def _show_progress(self, state):
        ui = self._ui
        ended = {
            Phase.DONE: _("Done"),
            Phase.CANCELLED: _("Cancelled; the scene is as it was"),
            Phase.AWAITING_CONSENT: _("Waiting for your decision below"),
            Phase.AWAITING_EDIT: _("Waiting for you: see Reasoning"),
        }
        busy = state.phase.busy
        text = _now(state.stage, state.message) if busy else state.message or ended.get(state.phase, "")
        if state.error is not None and not busy:
            text = ""  # the card below says it
        if busy and state.activity is Activity.PHRASING:
            text = _("Check phrasing: {stage}").format(stage=text)
        ui.stageLabel.setText(text)
        ui.noteLabel.setText(state.note)
        ui.noteLabel.setVisible(bool(state.note))
        ui.progressFrame.setVisible(bool(text))
        ui.progressBar.setVisible(busy)
        ui.goToResultButton.setVisible(state.phase is Phase.DONE and bool(state.segments))
        if state.fraction is None:
            ui.progressBar.setRange(0, 0)
        else:
            ui.progressBar.setRange(0, 100)
            ui.progressBar.setValue(round(100 * state.fraction))
        if busy and not self._ticker.isActive():
            self._ticker.start()
        elif not busy and self._ticker.isActive():
            self._ticker.stop()
        self._tick()

    def _tick(self):
        state = self._state
        if state is None or state.started is None or not state.phase.busy:
            self._ui.elapsedLabel.setText("")  # how long it took stands in the message
            return
        self._ui.elapsedLabel.setText(elapsed_text(self._panel.timers.now() - state.started))

    def _show_error(self, error):
        theme, frame = self._panel.theme, self._ui.errorCard
        self._error_rows.clear()
        frame.setVisible(error is not None)
        if error is None:
            return
        frame.setStyleSheet(theme.card_style("errorCard", "error"))
        self._error_rows.add(icon_line("errorLabel", "error", theme, error.message))
        self._error_rows.add(text_label(_("Code: {code}").format(code=error.code), "errorCodeLabel"))
        if error.code.startswith(_SETTINGS_HELP):
            tip = _("Choose another reasoner or backbone, or a server")
            self._error_rows.add(button(_("Open the settings"), "openSettingsButton", tip, self._panel.open_settings))
        if error.retryable:
            self._error_rows.add(
                button(_("Try again"), "retryButton", _("Run the same request again"), self._panel.run)
            )


def _now(stage, message):
    """The stage's name and what it is at, as one line that begins in upper case."""
    text = ": ".join(part for part in (stage, message) if part)
    return text[:1].upper() + text[1:]
