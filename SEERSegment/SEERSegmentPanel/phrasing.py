"""Check phrasing: whether another wording of the request would have given another result."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from SEERSegmentLib.presenter.state import Phase

from .widgets import Rows, card_layout, icon_line, text_label

__all__ = ["PhrasingSection"]

#: Below this worst pairwise Dice the wording is said to decide the result.
_DISAGREE = 0.9


class PhrasingSection:
    """Runs n seeded rephrasings and shows their answers, how far their masks agree, and the map of agreement."""

    def __init__(self, panel):
        self._panel = panel
        self._ui = ui = panel.ui
        self._agreement = None
        self._rows = Rows(card_layout(ui.agreementCard))
        ui.phrasingCountSpinBox.setValue(panel.preferences.get("phrasings"))
        ui.phrasingSeedSpinBox.setValue(panel.preferences.get("seed"))
        ui.phrasingCountSpinBox.connect("valueChanged(int)", self._count_changed)
        ui.phrasingSeedSpinBox.connect("valueChanged(int)", self._seed_changed)
        ui.checkPhrasingButton.connect("clicked()", self._check)
        ui.showAgreementButton.connect("clicked()", self._show_map)

    def show(self, state):
        self._update_button(state)
        self._ui.showAgreementButton.setVisible(bool(state.agreement_volume_id))
        if state.agreement != self._agreement:
            self._agreement = state.agreement
            self._fill(state.agreement)

    def inputs_changed(self):
        self._update_button(self._panel.presenter.state)

    def _update_button(self, state):
        free = not state.phase.busy and state.phase is not Phase.AWAITING_CONSENT
        missing = self._panel.what_is_missing()
        self._ui.checkPhrasingButton.setEnabled(free and not missing)
        self._ui.checkPhrasingButton.setToolTip(missing or _("Run the other wordings and compare the results"))

    def _count_changed(self, value):
        self._panel.preferences.set("phrasings", value)

    def _seed_changed(self, value):
        self._panel.preferences.set("seed", value)

    def _check(self):
        self._panel.check_phrasing()

    def _fill(self, agreement):
        ui, theme = self._ui, self._panel.theme
        self._rows.clear()
        ui.agreementCard.setVisible(agreement is not None)
        ui.phrasingTable.setVisible(agreement is not None)
        if agreement is None:
            return
        kind, said = _verdict(agreement)
        ui.agreementCard.setStyleSheet(theme.card_style("agreementCard", kind))
        self._rows.add(icon_line("agreementLabel", kind, theme, said, bold=True))
        if agreement.mean is not None:
            numbers = _("Pairwise Dice: mean {mean}, worst {worst}, standard deviation {std}")
            numbers = numbers.format(
                mean=f"{agreement.mean:.3f}", worst=f"{agreement.worst:.3f}", std=f"{agreement.std or 0.0:.3f}"
            )
            self._rows.add(text_label(numbers, "agreementNumbers"))
        table = ui.phrasingTable
        table.setRowCount(len(agreement.phrasings))
        for row, one in enumerate(agreement.phrasings):
            dice = "–" if one.dice is None else f"{one.dice:.3f}"
            for column, text in enumerate((dice, one.answer or one.said, one.text)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(text)
                item.setTextAlignment(qt.Qt.AlignLeft | qt.Qt.AlignTop)
                table.setItem(row, column, item)
        table.setColumnWidth(0, 56)
        table.setColumnWidth(1, max(120, (ui.phrasingBody.width - 90) // 2))
        table.resizeRowsToContents()

    def _show_map(self):
        node = slicer.mrmlScene.GetNodeByID(self._panel.presenter.state.agreement_volume_id)
        if node is not None:
            slicer.util.setSliceViewerLayers(foreground=node, foregroundOpacity=0.6)


def _verdict(agreement):
    """Severity and a sentence for a doctor."""
    without = sum(1 for one in agreement.phrasings if one.dice is None)
    if agreement.worst is None:
        return "warning", _("Too few of the wordings gave a result to compare.")
    if agreement.worst < _DISAGREE:
        return "warning", _("The wording decides: some of these wordings give a different result.")
    if without:
        return "warning", _("Where there is a result it is the same, but {count} wordings gave none.").format(
            count=without
        )
    return "ok", _("All wordings give the same result.")
