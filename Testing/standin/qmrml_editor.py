# ruff: noqa: N802, N815 - the names are Slicer's
"""``qMRMLSegmentEditorWidget``: its nodes, its table and greyed tools; no effect works, a test paints with a helper."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from .qmrml_combo import NodeComboBox
from .qmrml_segments import SegmentationShow3DButton, SegmentsTableView, segment_events, segment_ids
from .qmrml_widget import MRMLWidget, option, setter

__all__ = ["SegmentEditorWidget", "paint_box"]

EFFECTS = ("Threshold", "Paint", "Draw", "Erase", "Level tracing", "Grow from seeds", "Fill between slices", "Margin")
EFFECTS += ("Smoothing", "Scissors", "Islands", "Logical operators")

Range = tuple[int, int]


def paint_box(
    segmentation: Any, segment_id: str, volume: Any, k: Range, j: Range, i: Range, paint: bool = True
) -> None:
    """What a user's correction comes to: set (or clear) a box of voxels of a segment.

    The ranges are half-open, in voxels (k, j, i) of the volume node.
    """
    import slicer

    mask = np.array(slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segment_id, volume))
    mask[slice(*k), slice(*j), slice(*i)] = 1 if paint else 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, segmentation, segment_id, volume)


class SegmentEditorWidget(MRMLWidget):
    """The state is the segment editor node's; without one, setting a node is refused, where Slicer logs an error.

    Choosing a segmentation chooses its first segment, as in the application. ``has_shortcuts`` and ``observes_views``
    say whether a user could work with the effects: in Slicer only in between the calls that begin and end that.
    """

    currentSegmentIDChanged = Signal(str)
    sourceVolumeNodeChanged = Signal(object)
    masterVolumeNodeChanged = Signal(object)
    segmentationNodeChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor: Any = None
        self._refreshing = False
        self._shown: tuple[Any, Any, str] = (None, None, "")
        self._effect = ""
        self.has_shortcuts = self.observes_views = False
        self._options.update(
            addRemoveSegmentButtonsVisible=True,
            autoShowMasterVolumeNode=True,
            autoShowSourceVolumeNode=True,
            defaultTerminologyEntry="",
            defaultTerminologyEntrySettingsKey="",
            effectButtonStyle=2,
            effectColumnCount=2,
            jumpToSelectedSegmentEnabled=False,
            maskingSectionVisible=True,
            maximumNumberOfUndoStates=10,
            readOnly=False,
            segmentationNodeSelectorVisible=True,
            show3DButtonVisible=True,
            sourceVolumeNodeSelectorVisible=True,
            masterVolumeNodeSelectorVisible=True,
            specifyGeometryButtonVisible=True,
            switchToSegmentationsButtonVisible=True,
            undoEnabled=True,
            unorderedEffectsVisible=True,
        )
        self._order: list[str] = list(EFFECTS)
        self._build()
        self._refresh()

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        nodes = QGridLayout()
        self._segmentations, self._volumes = NodeComboBox(self), NodeComboBox(self)
        self._segmentations.nodeTypes = ["vtkMRMLSegmentationNode"]
        self._volumes.nodeTypes = ["vtkMRMLScalarVolumeNode"]
        self._volumes.addEnabled = self._volumes.removeEnabled = False
        for box in (self._segmentations, self._volumes):
            box.noneEnabled = True
        self._labels = QLabel("Segmentation:"), QLabel("Source volume:")
        for row, (label, box) in enumerate(zip(self._labels, (self._segmentations, self._volumes), strict=True)):
            nodes.addWidget(label, row, 0)
            nodes.addWidget(box, row, 1)
        layout.addLayout(nodes)
        buttons = QHBoxLayout()
        self._add, self._remove = QPushButton("Add"), QPushButton("Remove")
        self._show3d = SegmentationShow3DButton(self)
        for button in (self._add, self._remove, self._show3d):
            buttons.addWidget(button)
        layout.addLayout(buttons)
        self._table = SegmentsTableView(self)
        self._table.setMinimumHeight(110)
        layout.addWidget(self._table)
        self._tools = QWidget(self)
        grid = QGridLayout(self._tools)
        grid.setContentsMargins(0, 0, 0, 0)
        for index, name in enumerate(EFFECTS):
            tool = QToolButton()
            tool.setText(name)
            tool.setObjectName(name)
            tool.setEnabled(False)
            tool.setMinimumWidth(110)
            grid.addWidget(tool, index // 4, index % 4)
        layout.addWidget(self._tools)
        self._segmentations.currentNodeChanged[object].connect(self._segmentation_chosen)
        self._volumes.currentNodeChanged[object].connect(self._volume_chosen)
        self._table.selectionChanged.connect(lambda *_: self._segment_chosen())
        self._add.clicked.connect(lambda: self._editor.GetSegmentationNode().GetSegmentation().AddEmptySegment())
        self._remove.clicked.connect(self._remove_segment)

    # --- nodes --------------------------------------------------------------------------------------------------------

    def _scene_set(self) -> None:
        for box in (self._segmentations, self._volumes):
            blocked = box.blockSignals(True)
            box.setMRMLScene(self._scene)
            box.blockSignals(blocked)
        self._observe()

    def mrmlSegmentEditorNode(self) -> Any:
        return self._editor

    def setMRMLSegmentEditorNode(self, node: Any) -> None:
        if node is not self._editor:
            self._editor = node
            self._observe()
            self._refresh()

    def _observe(self) -> None:
        self._observed.clear()
        if self._scene is not None:
            self._observed.add(self._scene, (self._scene.EndCloseEvent,), self._closed)
        if self._editor is not None:
            self._observed.add(self._editor, ("ModifiedEvent",), self._refresh)
            if self._editor.GetSegmentationNode() is not None:
                self._observed.add(self._editor.GetSegmentationNode(), segment_events(), self._refresh)

    def _closed(self) -> None:
        """The editor node went with the scene unless it is a singleton."""
        if self._editor is not None and self._scene.GetNodeByID(self._editor.GetID() or "") is None:
            self.setMRMLSegmentEditorNode(None)
        self._refresh()

    def segmentationNode(self) -> Any:
        return self._editor.GetSegmentationNode() if self._editor is not None else None

    def setSegmentationNode(self, node: Any) -> None:
        if self._editor is None:
            if node is not None:
                raise RuntimeError("The segment editor needs its editor node (setMRMLSegmentEditorNode) first.")
            return
        if node is not self.segmentationNode():
            self._editor.SetAndObserveSegmentationNode(node)
            ids = segment_ids(node)
            self._editor.SetSelectedSegmentID(ids[0] if ids else "")
            self._observe()
            self._refresh()

    def sourceVolumeNode(self) -> Any:
        return self._editor.GetSourceVolumeNode() if self._editor is not None else None

    def setSourceVolumeNode(self, node: Any) -> None:
        if self._editor is None:
            if node is not None:
                raise RuntimeError("The segment editor needs its editor node (setMRMLSegmentEditorNode) first.")
            return
        self._editor.SetAndObserveSourceVolumeNode(node)
        self._refresh()

    def segmentationNodeID(self) -> str:
        return self.segmentationNode().GetID() if self.segmentationNode() is not None else ""

    def setSegmentationNodeID(self, node_id: str) -> None:
        self.setSegmentationNode(self._scene.GetNodeByID(node_id) if node_id else None)

    def sourceVolumeNodeID(self) -> str:
        return self.sourceVolumeNode().GetID() if self.sourceVolumeNode() is not None else ""

    def setSourceVolumeNodeID(self, node_id: str) -> None:
        self.setSourceVolumeNode(self._scene.GetNodeByID(node_id) if node_id else None)

    masterVolumeNode, setMasterVolumeNode = sourceVolumeNode, setSourceVolumeNode
    masterVolumeNodeID, setMasterVolumeNodeID = sourceVolumeNodeID, setSourceVolumeNodeID

    def currentSegmentID(self) -> str:
        return (self._editor.GetSelectedSegmentID() or "") if self._editor is not None else ""

    def setCurrentSegmentID(self, segment_id: str) -> None:
        if self._editor is not None:
            self._editor.SetSelectedSegmentID(segment_id)

    def paint(self, k: Range, j: Range, i: Range, paint: bool = True) -> None:
        """Correct the current segment: see :func:`paint_box`."""
        paint_box(self.segmentationNode(), self.currentSegmentID(), self.sourceVolumeNode(), k, j, i, paint)

    # --- drawing ------------------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        if self._refreshing:
            return
        self._refreshing = True
        try:
            segmentation, volume, segment = self.segmentationNode(), self.sourceVolumeNode(), self.currentSegmentID()
            self._segmentations.setCurrentNode(segmentation)
            self._volumes.setCurrentNode(volume)
            if self._table.segmentationNode() is not segmentation:
                self._table.setSegmentationNode(segmentation)
                self._show3d.setSegmentationNode(segmentation)
            self._table.setSelectedSegmentIDs([segment] if segment else [])
            self._apply_options(segmentation is not None)
        finally:
            self._refreshing = False
        before, self._shown = self._shown, (segmentation, volume, segment)
        if segmentation is not before[0]:
            self.segmentationNodeChanged.emit(segmentation)
        if volume is not before[1]:
            self.sourceVolumeNodeChanged.emit(volume)
            self.masterVolumeNodeChanged.emit(volume)
        if segment != before[2]:
            self.currentSegmentIDChanged.emit(segment)

    def _apply_options(self, ready: bool) -> None:
        options = self._options
        for label, box, name in zip(
            self._labels, (self._segmentations, self._volumes), ("segmentation", "sourceVolume"), strict=True
        ):
            label.setVisible(options[f"{name}NodeSelectorVisible"])
            box.setVisible(options[f"{name}NodeSelectorVisible"])
        self._add.setVisible(options["addRemoveSegmentButtonsVisible"])
        self._remove.setVisible(options["addRemoveSegmentButtonsVisible"])
        self._show3d.setVisible(options["show3DButtonVisible"])
        self._table.readOnly = options["readOnly"]
        self._add.setEnabled(ready and not options["readOnly"])
        self._remove.setEnabled(ready and not options["readOnly"])

    def updateWidgetFromMRML(self) -> None:
        self._refresh()

    # --- what a user does ---------------------------------------------------------------------------------------------

    def _segmentation_chosen(self, node: Any) -> None:
        if not self._refreshing and self._editor is not None:
            self.setSegmentationNode(node)

    def _volume_chosen(self, node: Any) -> None:
        if not self._refreshing and self._editor is not None:
            self.setSourceVolumeNode(node)

    def _segment_chosen(self) -> None:
        chosen = self._table.selectedSegmentIDs()
        if chosen and not self._refreshing:
            self.setCurrentSegmentID(chosen[0])

    def _remove_segment(self) -> None:
        self.segmentationNode().GetSegmentation().RemoveSegment(self.currentSegmentID())

    # --- tools that do nothing ----------------------------------------------------------------------------------------

    def availableEffectNames(self) -> tuple[str, ...]:
        return EFFECTS

    def effectNameOrder(self) -> list[str]:
        return self._order

    def setEffectNameOrder(self, names: Any) -> None:
        self._order = list(names)
        for tool in self._tools.findChildren(QToolButton):
            tool.setVisible(self._options["unorderedEffectsVisible"] or tool.objectName() in self._order)

    def activeEffect(self) -> Any:
        return None

    def setActiveEffect(self, effect: Any) -> None:
        self._effect = ""

    def setActiveEffectByName(self, name: str) -> None:
        self._effect = name

    def installKeyboardShortcuts(self, parent: QWidget | None = None) -> None:
        self.has_shortcuts = True

    def uninstallKeyboardShortcuts(self) -> None:
        self.has_shortcuts = False

    def setupViewObservations(self) -> None:
        self.observes_views = True

    def removeViewObservations(self) -> None:
        self.observes_views = False

    setSegmentationNodeSelectorVisible = setter("segmentationNodeSelectorVisible")
    setSourceVolumeNodeSelectorVisible = setter("sourceVolumeNodeSelectorVisible")
    setMasterVolumeNodeSelectorVisible = setter("sourceVolumeNodeSelectorVisible")
    setSwitchToSegmentationsButtonVisible = setter("switchToSegmentationsButtonVisible")
    setAddRemoveSegmentButtonsVisible = setter("addRemoveSegmentButtonsVisible")
    setShow3DButtonVisible = setter("show3DButtonVisible")
    setMaskingSectionVisible = setter("maskingSectionVisible")
    setSpecifyGeometryButtonVisible = setter("specifyGeometryButtonVisible")
    setMaximumNumberOfUndoStates = setter("maximumNumberOfUndoStates")
    setUndoEnabled = setter("undoEnabled")
    setReadOnly = setter("readOnly")
    setAutoShowSourceVolumeNode = setter("autoShowSourceVolumeNode")
    setAutoShowMasterVolumeNode = setter("autoShowSourceVolumeNode")
    setEffectColumnCount = setter("effectColumnCount")
    setEffectButtonStyle = setter("effectButtonStyle")
    setJumpToSelectedSegmentEnabled = setter("jumpToSelectedSegmentEnabled")

    addRemoveSegmentButtonsVisible = option("addRemoveSegmentButtonsVisible", bool)
    autoShowMasterVolumeNode = option("autoShowSourceVolumeNode", bool)
    autoShowSourceVolumeNode = option("autoShowSourceVolumeNode", bool)
    defaultTerminologyEntry = option("defaultTerminologyEntry", str)
    defaultTerminologyEntrySettingsKey = option("defaultTerminologyEntrySettingsKey", str)
    effectButtonStyle = option("effectButtonStyle", int)
    effectColumnCount = option("effectColumnCount", int)
    jumpToSelectedSegmentEnabled = option("jumpToSelectedSegmentEnabled", bool)
    maskingSectionVisible = option("maskingSectionVisible", bool)
    masterVolumeNodeSelectorVisible = option("sourceVolumeNodeSelectorVisible", bool)
    maximumNumberOfUndoStates = option("maximumNumberOfUndoStates", int)
    readOnly = option("readOnly", bool)
    segmentationNodeSelectorVisible = option("segmentationNodeSelectorVisible", bool)
    show3DButtonVisible = option("show3DButtonVisible", bool)
    sourceVolumeNodeSelectorVisible = option("sourceVolumeNodeSelectorVisible", bool)
    specifyGeometryButtonVisible = option("specifyGeometryButtonVisible", bool)
    switchToSegmentationsButtonVisible = option("switchToSegmentationsButtonVisible", bool)
    undoEnabled = option("undoEnabled", bool)
    unorderedEffectsVisible = option("unorderedEffectsVisible", bool)
