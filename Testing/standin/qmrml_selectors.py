# ruff: noqa: N802, N815 - the names are Slicer's
"""``qMRMLSegmentSelectorWidget`` and a minimal ``qMRMLSubjectHierarchyTreeView``."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QTreeWidget, QTreeWidgetItem, QWidget

from .qmrml_combo import NodeComboBox
from .qmrml_segments import segment_events, segment_ids
from .qmrml_widget import MRMLWidget, option

__all__ = ["SegmentSelectorWidget", "SubjectHierarchyTreeView"]


class SegmentSelectorWidget(MRMLWidget):
    """A segmentation, and one of its segments."""

    currentNodeChanged = Signal((object,), (bool,))
    currentSegmentChanged = Signal(str)
    segmentSelectionChanged = Signal("QStringList")
    nodeAboutToBeEdited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._segment = ""
        self._options.update(
            editEnabled=False,
            horizontalLayout=False,
            multiSelection=False,
            noneEnabled=False,
            segmentationNodeSelectorVisible=True,
            selectNodeUponCreation=True,
        )
        self._nodes, self._box = NodeComboBox(self), QComboBox(self)
        self._nodes.nodeTypes = ["vtkMRMLSegmentationNode"]
        self._nodes.addEnabled = self._nodes.removeEnabled = False
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._nodes)
        layout.addWidget(self._box)
        self._nodes.currentNodeChanged[object].connect(self._node_chosen)
        self._box.activated.connect(lambda row: self.setCurrentSegmentID(self._box.itemData(row) or ""))

    def _scene_set(self) -> None:
        self._nodes.setMRMLScene(self._scene)

    def _node_chosen(self, node: Any) -> None:
        self._observed.clear()
        if node is not None:
            self._observed.add(node, segment_events(), self._refresh)
        self._refresh()
        self.currentNodeChanged[object].emit(node)
        self.currentNodeChanged[bool].emit(node is not None)

    def _refresh(self) -> None:
        self._nodes.noneEnabled = self._options["noneEnabled"]
        self._nodes.setVisible(self._options["segmentationNodeSelectorVisible"])
        ids = segment_ids(self.currentNode())
        self._box.clear()
        if self._options["noneEnabled"]:
            self._box.addItem("Select a segment", "")
        for segment_id in ids:
            self._box.addItem(self.currentNode().GetSegmentation().GetSegment(segment_id).GetName(), segment_id)
        if self._segment not in ids:
            self.setCurrentSegmentID(ids[0] if ids and not self._options["noneEnabled"] else "")
        self._box.setCurrentIndex(self._box.findData(self._segment))

    def currentNode(self) -> Any:
        return self._nodes.currentNode()

    def setCurrentNode(self, node: Any) -> None:
        self._nodes.setCurrentNode(node)

    def currentNodeID(self) -> str:
        return str(self._nodes.currentNodeID)

    def setCurrentNodeID(self, node_id: str) -> None:
        self._nodes.setCurrentNodeID(node_id)

    def currentSegmentID(self) -> str:
        return self._segment

    def setCurrentSegmentID(self, segment_id: str) -> None:
        if segment_id != self._segment:
            self._segment = segment_id
            self._box.setCurrentIndex(self._box.findData(segment_id))
            self.currentSegmentChanged.emit(segment_id)
            self.segmentSelectionChanged.emit(self.selectedSegmentIDs())

    def selectedSegmentIDs(self) -> list[str]:
        return [self._segment] if self._segment else []

    def setSelectedSegmentIDs(self, ids: Any) -> None:
        self.setCurrentSegmentID(next(iter(ids), ""))

    def segmentIDs(self) -> list[str]:
        return segment_ids(self.currentNode())

    editEnabled = option("editEnabled", bool)
    horizontalLayout = option("horizontalLayout", bool)
    multiSelection = option("multiSelection", bool)
    noneEnabled = option("noneEnabled", bool)
    segmentationNodeSelectorVisible = option("segmentationNodeSelectorVisible", bool)
    selectNodeUponCreation = option("selectNodeUponCreation", bool)


class SubjectHierarchyTreeView(QTreeWidget):
    """The items of the subject hierarchy by name, with one to choose; nothing can be dragged or edited."""

    currentItemChanged = Signal(int)  # type: ignore[assignment]
    currentNodeChanged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._types: list[str] = []
        self.setHeaderHidden(True)
        QTreeWidget.itemSelectionChanged.__get__(self).connect(self._chosen)

    def mrmlScene(self) -> Any:
        return self._scene

    def subjectHierarchyNode(self) -> Any:
        import slicer

        kind = slicer.vtkMRMLSubjectHierarchyNode
        return kind.GetSubjectHierarchyNode(self._scene) if self._scene is not None else None

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        self._fill()

    def _fill(self) -> None:
        self.clear()
        hierarchy = self.subjectHierarchyNode()
        if hierarchy is not None:
            self._add(hierarchy, hierarchy.GetSceneItemID(), self.invisibleRootItem())

    def _add(self, hierarchy: Any, parent_id: int, parent: QTreeWidgetItem) -> None:
        import vtk

        ids = vtk.vtkIdList()
        hierarchy.GetItemChildren(parent_id, ids)
        for index in range(ids.GetNumberOfIds()):
            item_id = ids.GetId(index)
            item = QTreeWidgetItem(parent, [hierarchy.GetItemName(item_id)])
            item.setData(0, Qt.ItemDataRole.UserRole, item_id)
            node = hierarchy.GetItemDataNode(item_id)
            item.setHidden(bool(self._types) and not any(node is not None and node.IsA(kind) for kind in self._types))
            self._add(hierarchy, item_id, item)

    def _chosen(self) -> None:
        self.currentItemChanged.emit(self.currentItem())
        self.currentNodeChanged.emit(self.currentNode())

    def currentItem(self) -> int:  # type: ignore[override]
        chosen = self.selectedItems()
        return int(chosen[0].data(0, Qt.ItemDataRole.UserRole)) if chosen else 0

    def currentNode(self) -> Any:
        item = self.currentItem()
        return self.subjectHierarchyNode().GetItemDataNode(item) if item else None

    def _set_types(self, kinds: Any) -> None:
        self._types = [kind for kind in kinds if kind]
        self._fill()

    nodeTypes = Property("QStringList", lambda self: self._types, _set_types)
