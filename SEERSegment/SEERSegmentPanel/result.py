"""What was segmented: the segments' table, 3D, a way to their centres, corrections, and undo."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from SEERSegmentLib.mrml.jump import jump_to, segment_centre

from .editor import EditorHolder
from .theme import swatch
from .widgets import fit_height

__all__ = ["ResultSection"]

_MOST_ROWS = 7


class ResultSection:
    """Shows the segments of the run and lets the user look at them, correct them and take them back."""

    def __init__(self, panel):
        self._panel = panel
        self._ui = ui = panel.ui
        self._segments = ()
        self._segmentation_id = ""
        self._filling = False
        self.editor = EditorHolder(ui)
        ui.segmentsTable.connect("cellChanged(int,int)", self._cell_changed)
        ui.segmentsTable.connect("cellDoubleClicked(int,int)", self._double_clicked)
        ui.jumpButton.connect("clicked()", self._jump_to_selected)
        ui.undoButton.connect("clicked()", self._undo)
        ui.editorSection.connect("contentsCollapsed(bool)", self._editor_collapsed)

    def show(self, state):
        ui = self._ui
        if state.segments != self._segments or state.segmentation_id != self._segmentation_id:
            self._segments, self._segmentation_id = state.segments, state.segmentation_id
            self._fill()
        shown = bool(state.segments)
        ui.resultSection.setVisible(shown or state.can_undo)
        for widget in (ui.segmentsTable, ui.show3DButton, ui.jumpButton, ui.editorSection):
            widget.setVisible(shown)
        if not shown:
            ui.resultHintLabel.setText(_("No result is shown. The newest run before it can still be taken back."))
        ui.undoButton.setEnabled(state.can_undo and not state.phase.busy)

    def close(self):
        self.editor.close()

    def refresh(self):
        """Take over names and visibility as the user left them elsewhere: in the Segment Editor, or another module."""
        node, table = self.node(), self._ui.segmentsTable
        if node is None or node.GetDisplayNode() is None:
            return
        self._filling = True
        for row, shown in enumerate(self._segments):
            segment = node.GetSegmentation().GetSegment(shown.segment_id)
            visible = segment is not None and node.GetDisplayNode().GetSegmentVisibility(shown.segment_id)
            table.item(row, 0).setCheckState(qt.Qt.Checked if visible else qt.Qt.Unchecked)
            name = segment.GetName() if segment is not None else _("{name} (removed)").format(name=shown.piece.name)
            table.item(row, 2).setText(name)
        self._filling = False

    def node(self):
        """The segmentation node that holds the result, or None."""
        return slicer.mrmlScene.GetNodeByID(self._segmentation_id) if self._segmentation_id else None

    def _fill(self):
        ui, node = self._ui, self.node()
        table = ui.segmentsTable
        display = node.GetDisplayNode() if node is not None else None
        self._filling = True
        table.setRowCount(len(self._segments))
        for row, shown in enumerate(self._segments):
            piece = shown.piece
            visible = display is None or display.GetSegmentVisibility(shown.segment_id)
            check = qt.QTableWidgetItem()
            check.setFlags(qt.Qt.ItemIsUserCheckable | qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
            check.setCheckState(qt.Qt.Checked if visible else qt.Qt.Unchecked)
            check.setToolTip(_("Show or hide this segment"))
            size = qt.QTableWidgetItem(f"{piece.volume_ml:,.1f}")
            size.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
            name = qt.QTableWidgetItem(piece.name)
            name.setIcon(swatch(piece.colour))
            name.setToolTip(_terms(piece.terminology) or piece.name)
            for column, item in enumerate((check, size, name)):
                table.setItem(row, column, item)
        table.setColumnWidth(0, 48)
        table.setColumnWidth(1, 96)
        fit_height(table, _MOST_ROWS)
        self._filling = False
        if self._segments:
            table.selectRow(0)
        ui.show3DButton.setSegmentationNode(node)
        ui.jumpButton.setEnabled(any(shown.piece.centre_ras for shown in self._segments))
        total = sum(shown.piece.volume_ml for shown in self._segments)
        where = node.GetName() if node is not None else ""
        text = _("{count} segments, {total} mL in “{node}”") if len(self._segments) != 1 else _("1 segment in “{node}”")
        ui.resultHintLabel.setText(text.format(count=len(self._segments), total=f"{total:,.1f}", node=where))
        self.editor.set_nodes(node, self._panel.volume_of_result())

    def _cell_changed(self, row, column):
        if self._filling or column != 0:
            return
        node = self.node()
        if node is not None and node.GetDisplayNode() is not None:
            visible = int(self._ui.segmentsTable.item(row, 0).checkState()) == int(qt.Qt.Checked)
            node.GetDisplayNode().SetSegmentVisibility(self._segments[row].segment_id, visible)

    def _double_clicked(self, row, _column):
        self._jump(row)

    def _jump_to_selected(self):
        self._jump(max(0, self._ui.segmentsTable.currentRow()))

    def _jump(self, row):
        node = self.node()
        if node is None or row >= len(self._segments):
            return
        shown = self._segments[row]
        centre = segment_centre(node, shown.segment_id, shown.piece)  # of the segment as it is now, corrected or not
        if centre is not None:
            jump_to(slicer.mrmlScene, centre, centred=True)

    def _undo(self):
        self.editor.release()
        self._panel.presenter.undo()

    def _editor_collapsed(self, collapsed):
        if collapsed:
            self.editor.pause()
            self.refresh()
        else:
            self.editor.open(self.node(), self._panel.volume_of_result())


def _terms(terminology):
    """A terminology in words, as ``"Lung, Left (SNOMED CT 39607008)"``."""
    if terminology is None:
        return ""
    modifier = f", {terminology.modifier.meaning}" if terminology.modifier else ""
    code = f"{terminology.type.scheme} {terminology.type.value}"
    return f"{terminology.type.meaning}{modifier} ({code})"
