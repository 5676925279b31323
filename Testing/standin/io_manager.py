# ruff: noqa: N802, N815 - the names are Slicer's
"""``slicer.app.coreIOManager()``: files in and out of the scene through the core's own readers and writers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

__all__ = ["CoreIOManager"]

_TYPES = {
    ".mrml": "SceneFile",
    ".mrb": "SceneFile",
    ".seg.nrrd": "SegmentationFile",
    ".nrrd": "VolumeFile",
    ".nhdr": "VolumeFile",
    ".nii": "VolumeFile",
    ".nii.gz": "VolumeFile",
    ".txt": "TextFile",
}


class CoreIOManager(QObject):
    """Volumes, segmentations, texts and scenes; other file types are refused."""

    newFileLoaded = Signal(object)
    fileSaved = Signal(object)

    def __init__(self, scene: Any) -> None:
        super().__init__()
        self._scene = scene

    def fileType(self, name: str) -> str:
        lower = str(name).lower()
        return next((kind for end, kind in sorted(_TYPES.items(), key=lambda e: -len(e[0])) if lower.endswith(end)), "")

    def loadNodes(self, kind: str, properties: dict[str, Any], loaded: Any = None, messages: Any = None) -> bool:
        path = str(properties["fileName"])
        if not Path(path).is_file():
            return False
        if kind == "SceneFile":
            return self._load_scene(path, bool(properties.get("clear", False)))
        node = self._load(kind, path, properties)
        if node is None:
            return False
        if loaded is not None:
            loaded.AddItem(node)
        if kind == "VolumeFile" and properties.get("show", True):
            self._show(node)
        return True

    def loadScene(self, path: str, clear: bool = True) -> bool:
        return self._load_scene(path, clear)

    def _load(self, kind: str, path: str, properties: dict[str, Any]) -> Any:
        import slicer

        name = str(properties.get("name") or Path(path).name.split(".")[0])
        if kind == "VolumeFile":
            options = 1 if properties.get("labelmap") else 0
            return slicer.modules.volumes.logic().AddArchetypeVolume(path, name, options)
        if kind == "SegmentationFile":
            return slicer.modules.segmentations.logic().LoadSegmentationFromFile(path, True, name)
        if kind == "TextFile":
            node = self._scene.AddNewNodeByClass("vtkMRMLTextNode", name)
            node.SetText(Path(path).read_text(encoding="utf-8"))
            return node
        return None

    def _show(self, volume: Any) -> None:
        """As the application does after loading: the volume becomes the active one and the views show it."""
        import slicer

        logic = slicer.app.applicationLogic()
        selection = logic.GetSelectionNode()
        if selection is not None:
            if volume.IsA("vtkMRMLLabelMapVolumeNode"):
                selection.SetActiveLabelVolumeID(volume.GetID())
            else:
                selection.SetActiveVolumeID(volume.GetID())
            logic.PropagateVolumeSelection(1)

    def _load_scene(self, path: str, clear: bool) -> bool:
        if path.lower().endswith(".mrb"):
            return bool(self._scene.ReadFromMRB(path, clear))
        self._scene.SetURL(path)
        return bool(self._scene.Connect() if clear else self._scene.Import())

    def saveNodes(self, kind: str, properties: dict[str, Any], messages: Any = None) -> bool:
        path = str(properties["fileName"])
        if kind == "SceneFile":
            return self.saveScene(path, None)
        node = self._scene.GetNodeByID(properties["nodeID"])
        if node.GetStorageNode() is None:
            node.AddDefaultStorageNode()
        node.GetStorageNode().SetFileName(path)
        return bool(node.GetStorageNode().WriteData(node))

    def saveScene(self, path: str, _picture: Any = None) -> bool:
        import slicer

        if path.lower().endswith(".mrb"):
            return bool(self._scene.WriteToMRB(path, None))
        if path.lower().endswith(".mrml"):
            self._scene.SetURL(path)
            return bool(self._scene.Commit(path))
        return bool(slicer.app.applicationLogic().SaveSceneToSlicerDataBundleDirectory(path, None))

    def fileWriterFileType(self, node: Any) -> str:
        for kind, name in (
            ("vtkMRMLSegmentationNode", "SegmentationFile"),
            ("vtkMRMLVolumeNode", "VolumeFile"),
            ("vtkMRMLTextNode", "TextFile"),
        ):
            if node.IsA(kind):
                return name
        return ""

    def addDefaultStorageNodes(self) -> None:
        collection = self._scene.GetNodesByClass("vtkMRMLStorableNode")
        collection.UnRegister(None)
        for index in range(collection.GetNumberOfItems()):
            collection.GetItemAsObject(index).AddDefaultStorageNode()
