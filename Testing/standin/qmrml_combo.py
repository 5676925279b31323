# ruff: noqa: N802, N815 - the names are Slicer's
"""``qMRMLNodeComboBox``: a list of the scene's nodes that follows the scene."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtGui import QAction, QStandardItem
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QInputDialog, QSizePolicy, QWidget

from .observations import Observations
from .qmrml_widget import option

__all__ = ["NodeComboBox"]

_NODE_ID = Qt.ItemDataRole.UserRole
_ACTION = Qt.ItemDataRole.UserRole + 1


class NodeComboBox(QWidget):
    """Nodes of ``nodeTypes``, after "None" where that is enabled and before the actions that are.

    Without "None" and without actions the first node is chosen as it comes, as in the application. When the chosen node
    leaves the scene, the one in its place is chosen, else none. A scene that is imported takes the choice away.
    """

    currentNodeChanged = Signal((object,), (bool,))
    currentNodeIDChanged = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)
    nodeAddedByUserAction = Signal(object)
    nodeAboutToBeRemoved = Signal(object)
    currentNodeRenamed = Signal(str)
    nodeAboutToBeEdited = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._requested = ""
        self._current = ""
        self._refreshing = False
        self._types: list[str] = []
        self._hidden_types: list[str] = []
        self._attributes: dict[tuple[str, str], str | None] = {}
        self._labels: dict[str, str] = {}
        self._actions: list[QAction] = []
        self._options: dict[str, Any] = {
            "noneEnabled": False,
            "addEnabled": True,
            "removeEnabled": True,
            "editEnabled": False,
            "renameEnabled": False,
            "showHidden": False,
            "showChildNodeTypes": True,
            "selectNodeUponCreation": True,
            "noneDisplay": "None",
            "baseName": "",
            "interactionNodeSingletonTag": "",
        }
        self._observed = Observations(self)
        self._names = Observations(self)
        self._box = QComboBox(self)
        self._box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._box.setMinimumContentsLength(12)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setFocusProxy(self._box)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._box.activated.connect(self._activated)
        self.setEnabled(False)

    # --- the scene ----------------------------------------------------------------------------------------------------

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is self._scene:
            return
        self._observed.clear()
        self._names.clear()
        self._scene = scene
        if scene is not None:
            self._observed.add_with_node(scene, scene.NodeAboutToBeRemovedEvent, self._leaving)
            self._observed.add(scene, (scene.NodeAddedEvent, scene.NodeRemovedEvent), self._nodes_changed)
            self._observed.add(scene, (scene.EndCloseEvent, scene.EndImportEvent), self._list_anew)
        self.setEnabled(scene is not None)
        if self._requested:
            self._current, self._requested = self._requested, ""
            self._refresh(announce=True)
        else:
            self._refresh()

    def _nodes_changed(self) -> None:
        """While a scene is imported or closed, the list waits for the end of it: ids aren't final before."""
        if not (self._scene.IsImporting() or self._scene.IsClosing()):
            self._refresh()

    def _list_anew(self) -> None:
        """At that end all rows go and come again, by which the chosen node is lost, also one that is still there."""
        was, self._current = self._current, ""
        self._fill([])
        self._show()
        if was:
            self._tell()
        self._refresh()

    def _leaving(self, node: Any) -> None:
        if node.GetID() in self._ids():
            self.nodeAboutToBeRemoved.emit(node)

    def _nodes(self) -> list[Any]:
        if self._scene is None:
            return []
        return [node for node in self._of_types() if self._accepts(node)]

    def _of_types(self) -> list[Any]:
        """Nodes that are, or may come to be, in the list."""
        collection = self._scene.GetNodes()
        nodes = [collection.GetItemAsObject(index) for index in range(collection.GetNumberOfItems())]
        if not self._options["showChildNodeTypes"]:
            return [node for node in nodes if node.GetClassName() in self._types]
        wanted = [node for node in nodes if not self._types or any(node.IsA(kind) for kind in self._types)]
        return [node for node in wanted if not any(node.IsA(kind) for kind in self._hidden_types)]

    def _accepts(self, node: Any) -> bool:
        if node.GetHideFromEditors() and not self._options["showHidden"]:
            return False
        for (kind, name), value in self._attributes.items():
            if node.IsA(kind):
                has = node.GetAttribute(name)
                if has is None or (value is not None and has != value):
                    return False
        return True

    def _refresh(self, announce: bool = False) -> None:
        """Fill the list anew; tell if the current node is another than before."""
        if self._refreshing:
            return
        self._refreshing = True
        try:
            known = self._ids()
            nodes = self._nodes()
            was = self._current
            place = known.index(was) if was in known else -1
            self._fill(nodes)
            ids = [node.GetID() for node in nodes]
            if self._current not in ids:
                self._current = self._instead(ids, place)
            elif not known and not was:
                announce = True
            self._show()
        finally:
            self._refreshing = False
        for node in nodes:
            if node.GetID() not in known:
                self.nodeAdded.emit(node)
        if announce or self._current != was:
            self._tell()

    def _instead(self, ids: list[str], place: int) -> str:
        """Which node to choose where the current one isn't there (any more)."""
        if not ids or (self._options["noneEnabled"] and place < 0):
            return ""
        if place >= 0:
            return ids[min(place, len(ids) - 1)]
        return ids[0] if not self._extra() else ""

    def _fill(self, nodes: list[Any]) -> None:
        self._names.clear()
        model = self._box.model()
        blocked = self._box.blockSignals(True)
        self._box.clear()
        if self._options["noneEnabled"]:
            self._box.addItem(self._options["noneDisplay"], "")
        for node in nodes:
            self._box.addItem(node.GetName() or "", node.GetID())
        for node in self._of_types() if self._scene is not None else []:
            self._names.add(node, ("ModifiedEvent",), self._renamed)
        extra = self._extra()
        if extra:
            self._box.insertSeparator(self._box.count())
        for text, action in extra:
            item = QStandardItem(text)
            item.setData(action, _ACTION)
            model.appendRow(item)
        self._box.blockSignals(blocked)

    def _extra(self) -> list[tuple[str, str]]:
        if self._scene is None:
            return []
        label = self.nodeTypeLabel(self._types[0] if len(self._types) == 1 else "")
        options = self._options
        extra = [(f"Rename current {label}", "RENAME")] if options["renameEnabled"] else []
        extra += [(f"Edit current {label}", "EDIT")] if options["editEnabled"] else []
        if options["addEnabled"]:
            extra += [(f"Create new {self.nodeTypeLabel(kind)}", f"CREATE/{kind}") for kind in self._types]
        extra += [(f"Delete current {label}", "DELETE")] if options["removeEnabled"] else []
        return extra + [(action.text(), f"USER/{index}") for index, action in enumerate(self._actions)]

    def _ids(self) -> list[str]:
        return [value for row in range(self._box.count()) if (value := self._box.itemData(row, _NODE_ID))]

    def _show(self) -> None:
        blocked = self._box.blockSignals(True)
        row = self._box.findData(self._current, _NODE_ID) if self._current else -1
        self._box.setCurrentIndex(0 if row < 0 and self._options["noneEnabled"] else row)
        if row < 0 and not self._options["noneEnabled"]:
            self._box.setPlaceholderText(f"Select a {self.nodeTypeLabel(self._types[0] if self._types else '')}")
        self._box.blockSignals(blocked)

    def _renamed(self) -> None:
        if self._scene.IsImporting() or self._scene.IsClosing():
            return
        names = {node.GetID(): node.GetName() or "" for node in self._nodes()}
        if list(names) != self._ids():
            self._refresh()
            return
        for row in range(self._box.count()):
            name = names.get(self._box.itemData(row, _NODE_ID))
            if name is not None and name != self._box.itemText(row):
                self._box.setItemText(row, name)

    def _tell(self) -> None:
        node = self.currentNode()
        self.currentNodeChanged[object].emit(node)
        self.currentNodeChanged[bool].emit(node is not None)
        self.currentNodeIDChanged.emit(self._current)

    # --- what a user does ---------------------------------------------------------------------------------------------

    def _activated(self, row: int) -> None:
        action = self._box.itemData(row, _ACTION)
        if action:
            self._show()
            self._act(str(action))
            return
        self.setCurrentNodeID(self._box.itemData(row, _NODE_ID) or "")
        self.nodeActivated.emit(self.currentNode())

    def _act(self, action: str) -> None:
        kind, _, rest = action.partition("/")
        if kind == "CREATE":
            node = self.addNode(rest)
            if node is not None:
                self.setCurrentNode(node)
                self.nodeAddedByUserAction.emit(node)
        elif kind == "DELETE":
            self.removeCurrentNode()
        elif kind == "RENAME":
            self.renameCurrentNode()
        elif kind == "EDIT":
            self.editCurrentNode()
        else:
            self._actions[int(rest)].trigger()

    # --- nodes --------------------------------------------------------------------------------------------------------

    def currentNode(self) -> Any:
        return self._scene.GetNodeByID(self._current) if self._scene is not None and self._current else None

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(node if isinstance(node, str) else (node.GetID() or "") if node is not None else "")

    def setCurrentNodeID(self, node_id: str) -> None:
        if self._scene is None:
            self._requested = node_id
            return
        chosen = node_id if node_id in self._ids() else ""
        if chosen != self._current:
            self._current = chosen
            self._show()
            self._tell()

    def setCurrentNodeIndex(self, index: int) -> None:
        ids = self._ids()
        self.setCurrentNodeID(ids[index] if 0 <= index < len(ids) else "")

    def nodeFromIndex(self, index: int) -> Any:
        ids = self._ids()
        return self._scene.GetNodeByID(ids[index]) if 0 <= index < len(ids) else None

    def nodeCount(self) -> int:
        return len(self._ids())

    def addNode(self, kind: str = "") -> Any:
        kind = kind or (self._types[0] if self._types else "")
        if self._scene is None or kind not in self._types:
            return None
        node = self._scene.CreateNodeByClass(kind)
        if node is None:
            return None
        node.UnRegister(None)
        base = self._options["baseName"] or self._scene.GetTypeDisplayNameByClassName(kind) or kind
        node.SetName(self._scene.GenerateUniqueName(base))
        for (of, name), value in self._attributes.items():
            if node.IsA(of):
                node.SetAttribute(name, value or "")
        node = self._scene.AddNode(node)
        if node.IsA("vtkMRMLDisplayableNode"):
            node.CreateDefaultDisplayNodes()
        if self._options["selectNodeUponCreation"]:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        node = self.currentNode()
        if node is not None:
            self._scene.RemoveNode(node)

    def renameCurrentNode(self) -> None:
        node = self.currentNode()
        if node is None:
            return
        name, ok = QInputDialog.getText(self, "Rename", "New name:", text=node.GetName() or "")
        if ok and name:
            node.SetName(name)
            self.currentNodeRenamed.emit(name)

    def editCurrentNode(self) -> None:
        self.nodeAboutToBeEdited.emit(self.currentNode())

    # --- options ------------------------------------------------------------------------------------------------------

    def addAttribute(self, kind: str, name: str, value: Any = None) -> None:
        self._attributes[(kind, name)] = None if value is None else str(value)
        self._refresh()

    def removeAttribute(self, kind: str, name: str) -> None:
        self._attributes.pop((kind, name), None)
        self._refresh()

    def addMenuAction(self, action: QAction) -> None:
        self._actions.append(action)
        self._refresh()

    def nodeTypeLabel(self, kind: str) -> str:
        known = self._scene.GetTypeDisplayNameByClassName(kind) if self._scene is not None and kind else ""
        return self._labels.get(kind) or known or "node"

    def setNodeTypeLabel(self, label: str, kind: str) -> None:
        self._labels[kind] = label
        self._refresh()

    def _set_types(self, kinds: Any) -> None:
        self._types = [kind for kind in kinds if kind]
        self._refresh()

    def _set_hidden_types(self, kinds: Any) -> None:
        self._hidden_types = [kind for kind in kinds if kind]
        self._refresh()

    def _adjust(self) -> int:
        return int(self._box.sizeAdjustPolicy().value)

    def _set_adjust(self, policy: Any) -> None:
        self._box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy(policy))

    def _present_id(self) -> str:
        return self._current if self.currentNode() is not None else ""

    currentNodeID = Property(str, _present_id, setCurrentNodeID)
    currentNodeId = Property(str, _present_id, setCurrentNodeID)
    nodeTypes = Property("QStringList", lambda self: self._types, _set_types)
    hideChildNodeTypes = Property("QStringList", lambda self: self._hidden_types, _set_hidden_types)
    sizeAdjustPolicy = Property(int, _adjust, _set_adjust)
    noneEnabled = option("noneEnabled", bool)
    addEnabled = option("addEnabled", bool)
    removeEnabled = option("removeEnabled", bool)
    editEnabled = option("editEnabled", bool)
    renameEnabled = option("renameEnabled", bool)
    showHidden = option("showHidden", bool)
    showChildNodeTypes = option("showChildNodeTypes", bool)
    selectNodeUponCreation = option("selectNodeUponCreation", bool)
    noneDisplay = option("noneDisplay", str)
    baseName = option("baseName", str)
    interactionNodeSingletonTag = option("interactionNodeSingletonTag", str)
