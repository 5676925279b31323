# ruff: noqa: N802, N815 - the names are Slicer's
"""``qMRMLSegmentsTableView`` and ``qMRMLSegmentationShow3DButton``, on a real segmentation node."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, QItemSelection, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from .observations import Observations
from .qmrml_widget import MRMLWidget, option, setter

__all__ = ["SegmentationShow3DButton", "SegmentsTableView", "segment_events", "segment_ids"]

_COLUMNS = ("visible", "color", "opacity", "name", "status", "layer")
_TITLES = ("👁", "", "Opacity", "Name", "Status", "Layer")
_VISIBLE, _COLOUR, _OPACITY, _NAME, _STATUS, _LAYER = range(6)


def segment_ids(node: Any) -> list[str]:
    """Ids of the segments of a node, in their order; none without a node."""
    if node is None or node.GetSegmentation() is None:
        return []
    segmentation = node.GetSegmentation()
    return [segmentation.GetNthSegmentID(index) for index in range(segmentation.GetNumberOfSegments())]


def segment_events() -> tuple[Any, ...]:
    """Events of a segmentation node after which its segments look different."""
    import slicer

    kind = slicer.vtkSegmentation
    return ("ModifiedEvent", kind.SegmentAdded, kind.SegmentRemoved, kind.SegmentModified, kind.SegmentsOrderModified)


class SegmentsTableView(MRMLWidget):
    """Eye, colour, opacity, name: a table of segments in which the eye and the name can be changed."""

    selectionChanged = Signal(QItemSelection, QItemSelection)
    segmentAboutToBeModified = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._node: Any = None
        self._filling = False
        self._hidden: list[str] = []
        self._options.update(
            headerVisible=True,
            visibilityColumnVisible=True,
            colorColumnVisible=True,
            opacityColumnVisible=True,
            statusColumnVisible=False,
            layerColumnVisible=False,
            filterBarVisible=False,
            readOnly=False,
            jumpToSelectedSegmentEnabled=False,
            textFilter="",
            useTerminologySelector=True,
            useTerminologySelectorSettingsKey="",
            terminologySelectorAutoDisable=True,
            terminologySelectorOptionVisible=True,
        )
        self._table = QTableWidget(0, len(_COLUMNS), self)
        self._table.setObjectName("SegmentsTable")
        self._table.setHorizontalHeaderLabels(list(_TITLES))
        self._table.verticalHeader().hide()
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        header = self._table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._table)
        self._table.itemChanged.connect(self._changed)
        self._table.selectionModel().selectionChanged.connect(self._selected)
        self._refresh()

    def segmentationNode(self) -> Any:
        return self._node

    def setSegmentationNode(self, node: Any) -> None:
        if node is not None and not node.IsA("vtkMRMLSegmentationNode"):
            node = None
        self._observed.clear()
        self._node = node
        if node is not None:
            self._observed.add(node, (*segment_events(), node.DisplayModifiedEvent), self._refresh)
        self._refresh()

    def _scene_set(self) -> None:
        self.setSegmentationNode(None)

    def _refresh(self) -> None:
        if self._filling:
            return
        self._filling = True
        try:
            chosen = self.selectedSegmentIDs()
            ids = self.displayedSegmentIDs()
            self._table.setRowCount(len(ids))
            for row, segment_id in enumerate(ids):
                self._fill(row, segment_id)
            for column, name in ((_VISIBLE, "visibility"), (_COLOUR, "color"), (_OPACITY, "opacity")):
                self._table.setColumnHidden(column, not self._options[f"{name}ColumnVisible"])
            self._table.setColumnHidden(_STATUS, not self._options["statusColumnVisible"])
            self._table.setColumnHidden(_LAYER, not self._options["layerColumnVisible"])
            self._table.horizontalHeader().setVisible(self._options["headerVisible"])
            self._select([segment_id for segment_id in chosen if segment_id in ids])
        finally:
            self._filling = False

    def _fill(self, row: int, segment_id: str) -> None:
        segment = self._node.GetSegmentation().GetSegment(segment_id)
        display = self._node.GetDisplayNode()
        flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
        editable = flags if self._options["readOnly"] else flags | Qt.ItemFlag.ItemIsEditable
        eye = QTableWidgetItem()
        eye.setFlags(flags if self._options["readOnly"] else flags | Qt.ItemFlag.ItemIsUserCheckable)
        shown = display is None or display.GetSegmentVisibility(segment_id)
        eye.setCheckState(Qt.CheckState.Checked if shown else Qt.CheckState.Unchecked)
        colour = QTableWidgetItem()
        colour.setFlags(flags)
        colour.setBackground(QColor.fromRgbF(*segment.GetColor()))
        opacity = QTableWidgetItem(f"{display.GetSegmentOpacity3D(segment_id) if display is not None else 1.0:.2f}")
        name = QTableWidgetItem(segment.GetName())
        name.setData(Qt.ItemDataRole.UserRole, segment_id)
        name.setFlags(editable)
        layer = QTableWidgetItem(str(self._node.GetSegmentation().GetLayerIndex(segment_id)))
        cells = ((_VISIBLE, eye), (_COLOUR, colour), (_OPACITY, opacity), (_NAME, name), (_LAYER, layer))
        for column, item in cells:
            self._table.setItem(row, column, item)

    def _changed(self, item: QTableWidgetItem) -> None:
        if self._filling or self._node is None:
            return
        segment_id = self.segmentIDForRow(item.row())
        if item.column() == _NAME:
            self.segmentAboutToBeModified.emit(segment_id)
            self._node.GetSegmentation().GetSegment(segment_id).SetName(item.text())
        elif item.column() == _VISIBLE and self._node.GetDisplayNode() is not None:
            shown = item.checkState() == Qt.CheckState.Checked
            self._node.GetDisplayNode().SetSegmentVisibility(segment_id, shown)

    def _selected(self, chosen: QItemSelection, dropped: QItemSelection) -> None:
        if self._filling:
            return
        self.selectionChanged.emit(chosen, dropped)
        if self._options["jumpToSelectedSegmentEnabled"]:
            self.jumpSlices()

    def _select(self, ids: list[str]) -> None:
        self._table.clearSelection()
        model = self._table.selectionModel()
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for segment_id in ids:
            model.select(self._table.model().index(self.rowForSegmentID(segment_id), _NAME), flags)

    def selectedSegmentIDs(self) -> list[str]:
        rows = sorted({index.row() for index in self._table.selectionModel().selectedRows()})
        return [segment_id for row in rows if (segment_id := self.segmentIDForRow(row))]

    def setSelectedSegmentIDs(self, ids: Any) -> None:
        known = self.displayedSegmentIDs()
        self._select([segment_id for segment_id in ids if segment_id in known])

    def clearSelection(self) -> None:
        self._table.clearSelection()

    def displayedSegmentIDs(self) -> list[str]:
        text = self._options["textFilter"].lower()
        ids = [segment_id for segment_id in segment_ids(self._node) if segment_id not in self._hidden]
        if not text:
            return ids
        segmentation = self._node.GetSegmentation()
        return [each for each in ids if text in segmentation.GetSegment(each).GetName().lower()]

    def setHideSegments(self, ids: Any) -> None:
        self._hidden = list(ids)
        self._refresh()

    def hideSegments(self) -> list[str]:
        return self._hidden

    def rowForSegmentID(self, segment_id: str) -> int:
        for row in range(self._table.rowCount()):
            if self.segmentIDForRow(row) == segment_id:
                return row
        return -1

    def segmentIDForRow(self, row: int) -> str:
        item = self._table.item(row, _NAME)
        return str(item.data(Qt.ItemDataRole.UserRole)) if item is not None else ""

    def tableWidget(self) -> QTableWidget:
        return self._table

    def showOnlySelectedSegments(self) -> None:
        chosen = self.selectedSegmentIDs()
        if chosen and self._node.GetDisplayNode() is not None:
            for segment_id in self.displayedSegmentIDs():
                self._node.GetDisplayNode().SetSegmentVisibility(segment_id, segment_id in chosen)

    def jumpSlices(self) -> None:
        chosen = self.selectedSegmentIDs()
        if not chosen or self._node is None:
            return
        import slicer

        centre = self._node.GetSegmentCenterRAS(chosen[0])
        for index in range(slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSliceNode") if centre else 0):
            slicer.mrmlScene.GetNthNodeByClass(index, "vtkMRMLSliceNode").JumpSliceByCentering(*centre)

    def selection_mode(self) -> int:
        return int(self._table.selectionMode().value)

    def setSelectionMode(self, mode: int) -> None:
        self._table.setSelectionMode(QAbstractItemView.SelectionMode(mode))

    setReadOnly = setter("readOnly")
    setTextFilter = setter("textFilter")
    setHeaderVisible = setter("headerVisible")
    setVisibilityColumnVisible = setter("visibilityColumnVisible")
    setColorColumnVisible = setter("colorColumnVisible")
    setOpacityColumnVisible = setter("opacityColumnVisible")
    setStatusColumnVisible = setter("statusColumnVisible")
    setLayerColumnVisible = setter("layerColumnVisible")
    setFilterBarVisible = setter("filterBarVisible")
    setJumpToSelectedSegmentEnabled = setter("jumpToSelectedSegmentEnabled")

    selectionMode = Property(int, selection_mode, setSelectionMode)
    segmentCount = Property(int, lambda self: len(segment_ids(self._node)))
    headerVisible = option("headerVisible", bool)
    visibilityColumnVisible = option("visibilityColumnVisible", bool)
    colorColumnVisible = option("colorColumnVisible", bool)
    opacityColumnVisible = option("opacityColumnVisible", bool)
    statusColumnVisible = option("statusColumnVisible", bool)
    layerColumnVisible = option("layerColumnVisible", bool)
    filterBarVisible = option("filterBarVisible", bool)
    readOnly = option("readOnly", bool)
    jumpToSelectedSegmentEnabled = option("jumpToSelectedSegmentEnabled", bool)
    textFilter = option("textFilter", str)
    useTerminologySelector = option("useTerminologySelector", bool)
    useTerminologySelectorSettingsKey = option("useTerminologySelectorSettingsKey", str)
    terminologySelectorAutoDisable = option("terminologySelectorAutoDisable", bool)
    terminologySelectorOptionVisible = option("terminologySelectorOptionVisible", bool)


class SegmentationShow3DButton(QPushButton):
    """Makes and removes the closed surfaces of a segmentation; pressed while there are any."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Show 3D", parent)
        self._node: Any = None
        self._locked = False
        self._observed = Observations(self)
        self.setCheckable(True)
        self.setEnabled(False)
        self.toggled.connect(self._toggled)

    def segmentationNode(self) -> Any:
        return self._node

    def setSegmentationNode(self, node: Any) -> None:
        import slicer

        self._observed.clear()
        self._node = node
        if node is not None:
            events = (*segment_events(), slicer.vtkSegmentation.ContainedRepresentationNamesModified)
            self._observed.add(node, events, self._refresh)
        self._refresh()

    def setLocked(self, locked: bool) -> None:
        self._locked = locked
        self._refresh()

    def _refresh(self) -> None:
        self.setEnabled(not self._locked and bool(segment_ids(self._node)))
        blocked = self.blockSignals(True)
        self.setChecked(self._node is not None and self._node.GetSegmentation().ContainsRepresentation(_surface()))
        self.blockSignals(blocked)

    def _toggled(self, on: bool) -> None:
        if self._node is None:
            return
        segmentation = self._node.GetSegmentation()
        if not on:
            segmentation.RemoveRepresentation(_surface())
        elif segmentation.CreateRepresentation(_surface()) and self._node.GetDisplayNode() is not None:
            self._node.GetDisplayNode().SetPreferredDisplayRepresentationName3D(_surface())

    locked = Property(bool, lambda self: self._locked, setLocked)


def _surface() -> str:
    import slicer

    return str(slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName())
