"""The user's verdict: approve, approve with corrections, or reject; each is kept as an episode."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from .widgets import Rows, button, card_layout, fit_height, icon_line, later, text_label

__all__ = ["ReviewSection"]

_MOST_ROWS = 5


class ReviewSection:
    """Three buttons. Approving with corrections first shows how far they changed the proposal, then saves."""

    def __init__(self, panel):
        self._panel = panel
        self._ui = ui = panel.ui
        self._shown = None
        self._saving_corrections = False
        self._cancel_saving = None
        self._rows = Rows(card_layout(ui.reviewCard))
        ui.approveButton.connect("clicked()", self._approve)
        ui.approveCorrectedButton.connect("clicked()", self._approve_corrected)
        ui.rejectButton.connect("toggled(bool)", self._reject_toggled)
        ui.confirmRejectButton.connect("clicked()", self._reject)
        ui.rejectReasonEdit.connect("returnPressed()", self._reject)
        ui.rejectReasonEdit.connect("textChanged(QString)", self._reason_changed)
        self._reason_changed("")

    def show(self, state):
        review, ui = state.review, self._ui
        # A run that came back with a scene can be looked at, but its proposal is no longer there to be reviewed.
        reviewable = bool(self._panel.presenter.state.segments)
        ui.reviewSection.setVisible(reviewable or bool(review.saved))
        open_to_review = reviewable and not review.busy and not review.saved and not state.phase.busy
        for widget in (ui.approveButton, ui.approveCorrectedButton, ui.rejectButton):
            widget.setEnabled(open_to_review)
        if review.saved or not reviewable:
            ui.rejectButton.setChecked(False)
        self._go_on_saving(review)
        if review != self._shown:
            self._shown = review
            self._show_review(review)

    def close(self):
        if self._cancel_saving is not None:
            self._cancel_saving()

    def _approve(self):
        self._panel.presenter.review("approved")

    def _approve_corrected(self):
        self._saving_corrections = True
        self._panel.presenter.compare()

    def _go_on_saving(self, review):
        """Save the corrections once their comparison is there to be seen; an error ends the attempt."""
        if not self._saving_corrections or review.busy:
            return
        if review.error is not None:
            self._saving_corrections = False
        elif review.comparison:
            self._saving_corrections = False
            save = later(self._panel.presenter.review, "corrected")
            self._cancel_saving = self._panel.timers.call_later(0, save)

    def _reject_toggled(self, on):
        self._ui.rejectFrame.setVisible(on)
        if on:
            self._ui.rejectReasonEdit.setFocus()

    def _reject(self):
        reason = self._ui.rejectReasonEdit.text.strip()
        if reason:
            self._panel.presenter.review("rejected", reason)

    def _reason_changed(self, text):
        self._ui.confirmRejectButton.setEnabled(bool(text.strip()))

    def _show_review(self, review):
        ui, theme = self._ui, self._panel.theme
        ui.reviewHintLabel.setText(
            _("Saving …") if review.busy else _("Is the result right? Your verdict is kept on this computer.")
        )
        ui.reviewHintLabel.setVisible(not review.saved)
        self._fill_table(review.comparison)
        self._rows.clear()
        ui.reviewCard.setVisible(bool(review.saved) or review.error is not None)
        if review.error is not None:
            ui.reviewCard.setStyleSheet(theme.card_style("reviewCard", "error"))
            self._rows.add(icon_line("reviewErrorLabel", "error", theme, review.error.message))
        elif review.saved:
            ui.reviewCard.setStyleSheet(theme.card_style("reviewCard", "ok"))
            said = {
                "approved": _("Approved and saved."),
                "corrected": _("Approved with your corrections and saved."),
                "rejected": _("Rejected and saved with your reason."),
            }[review.decision]
            self._rows.add(icon_line("reviewSavedLabel", "ok", theme, said, bold=True))
            self._rows.add(text_label(_("Episode {id}").format(id=review.saved), "reviewEpisodeLabel"))
            tip = _("Show the folder of the saved episodes: {folder}").format(folder=review.folder)
            self._rows.add(button(_("Open the folder"), "openEpisodesButton", tip, later(_open_folder, review.folder)))

    def _fill_table(self, comparison):
        table = self._ui.diceTable
        table.setVisible(bool(comparison))
        if not comparison:
            return
        table.setRowCount(len(comparison))
        for row, one in enumerate(comparison):
            cells = (f"{one.dice:.3f}", f"{one.proposed_ml:,.1f}", f"{one.corrected_ml:,.1f}", one.name)
            for column, text in enumerate(cells):
                item = qt.QTableWidgetItem(text)
                if column < 3:
                    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
                table.setItem(row, column, item)
        fit_height(table, _MOST_ROWS)
        for column, width in enumerate((60, 104, 104)):
            table.setColumnWidth(column, width)


def _open_folder(folder):
    qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(folder))
