"""The real core of 3D Slicer, from the ``slicer-core`` wheel, set up as the application would set it up.

Real are: the MRML scene and nodes, colour tables, the modules' C++ logic, terminologies, storage. Not here: Qt,
``slicer.app``, views on a screen, and the subject hierarchy's plugins, which are Qt code. Of those plugins one habit is
repeated, since results are placed with it: a node that is added to the scene gets an item in the subject hierarchy.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from SEERSegmentLib.errors import MissingExtra

__all__ = ["ModuleHandle", "application_logic", "boot_core", "take_messages"]

#: Module names under ``slicer.modules`` and the class of their logic.
MODULE_LOGICS = {
    "annotations": "vtkSlicerAnnotationModuleLogic",
    "colors": "vtkMRMLColorLogic",
    "cropvolume": "vtkSlicerCropVolumeLogic",
    "data": "vtkSlicerDataModuleLogic",
    "markups": "vtkSlicerMarkupsLogic",
    "models": "vtkSlicerModelsLogic",
    "segmentations": "vtkSlicerSegmentationsModuleLogic",
    "sequences": "vtkSlicerSequencesLogic",
    "subjecthierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "tables": "vtkSlicerTablesLogic",
    "terminologies": "vtkSlicerTerminologiesModuleLogic",
    "texts": "vtkSlicerTextsLogic",
    "transforms": "vtkSlicerTransformLogic",
    "units": "vtkSlicerUnitsLogic",
    "volumes": "vtkSlicerVolumesLogic",
}

#: What the application calls the logic that others look up through ``GetModuleLogic``.
_LOGIC_NAMES = {
    "annotations": "Annotations",
    "colors": "Colors",
    "cropvolume": "CropVolume",
    "subjecthierarchy": "SubjectHierarchy",
}

_core: dict[str, Any] = {}


class ModuleHandle:
    """What stands under ``slicer.modules.NAME``: the name and the C++ logic; there is no widget."""

    def __init__(self, name: str, logic: Any) -> None:
        self.name = name
        self._logic = logic

    def logic(self) -> Any:
        """The module's C++ logic."""
        return self._logic


class _Modules:
    """``slicer.modules``: an unknown name is an error, as in the application."""


def boot_core() -> Any:
    """The ``slicer`` package with ``mrmlScene``, ``modules`` and logics, set up once in this process.

    Call ``slicer.mrmlScene.Clear(False)`` between tests: singletons (colours, units, views) stay.

    Raises
    ------
    MissingExtra
        Naming ``slicer-test``, when the wheels that bring Slicer's core are not installed.
    """
    if "slicer" not in _core:
        try:
            import slicer
            import trame_slicer
            import vtk
        except ImportError as error:
            raise MissingExtra("A test on Slicer's own core", "slicer-test") from error
        if not hasattr(slicer, "vtkMRMLScene"):
            raise MissingExtra("A test on Slicer's own core", "slicer-test")
        _catch_messages(vtk)
        _set_up(slicer, Path(trame_slicer.__file__).parent / "resources")
        _core["slicer"] = slicer
    return _core["slicer"]


def application_logic() -> Any:
    """The application's logic (``slicer.app.applicationLogic()``); its selection node holds the active volume."""
    boot_core()
    return _core["application_logic"]


def take_messages() -> list[str]:
    """Warnings and errors that VTK and MRML printed since the last call; a test can insist that there are none."""
    taken = list(_core.get("messages", ()))
    _core.setdefault("messages", []).clear()
    return taken


def _catch_messages(vtk: Any) -> None:
    """Keep what VTK prints."""
    messages: list[str] = _core.setdefault("messages", [])

    @vtk.calldata_type(vtk.VTK_STRING)
    def keep(_window: Any, _event: str, text: str) -> None:
        messages.append(text)

    window = vtk.vtkOutputWindow()
    window.SetDisplayModeToNever()
    for event in ("ErrorEvent", "WarningEvent"):
        window.AddObserver(event, keep)
    vtk.vtkOutputWindow.SetInstance(window)
    _core["window"] = window


def _set_up(slicer: Any, share: Path) -> None:
    """The order is the application's: application logic, colours, then modules; share directories before the scene."""
    scene = slicer.vtkMRMLScene()
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)

    application = slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    colours = application.GetColorLogic()
    colours.SetMRMLScene(scene)
    colours.AddDefaultColorNodes()

    modules = _Modules()
    for name, class_name in MODULE_LOGICS.items():
        logic = colours if name == "colors" else getattr(slicer, class_name)()
        if name != "colors":
            if hasattr(logic, "SetModuleShareDirectory"):
                folder = share / "terminologies" if name == "terminologies" else share
                logic.SetModuleShareDirectory(folder.as_posix())
            logic.SetMRMLScene(scene)
            if hasattr(logic, "SetMRMLApplicationLogic"):
                logic.SetMRMLApplicationLogic(application)
        application.SetModuleLogic(_LOGIC_NAMES.get(name, name.capitalize()), logic)
        setattr(modules, name, ModuleHandle(name, logic))

    _set_up_bundles(slicer, scene, application)
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    slicer.mrmlScene = scene
    slicer.modules = modules
    slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    _core["application_logic"] = application
    _core["observers"] = _keep_items(slicer, scene)


def _set_up_bundles(slicer: Any, scene: Any, application: Any) -> None:
    """What reading an ``.mrb`` needs: a folder to unpack it into. Nothing is fetched from anywhere."""
    cache = TemporaryDirectory(prefix="seer-slicer-cache-")
    remote = slicer.vtkMRMLRemoteIOLogic()
    remote.SetMRMLScene(scene)
    remote.SetMRMLApplicationLogic(application)
    remote.GetCacheManager().SetRemoteCacheDirectory(cache.name)
    data = slicer.vtkDataIOManagerLogic()
    data.SetMRMLScene(scene)
    data.SetMRMLApplicationLogic(application)
    data.SetAndObserveDataIOManager(remote.GetDataIOManager())
    remote.AddDataIOToScene()
    _core["bundles"] = (cache, remote, data)


#: Nodes that show up in the subject hierarchy; display, storage, view and singleton nodes don't.
_SHOWN = (
    "vtkMRMLVolumeNode",
    "vtkMRMLSegmentationNode",
    "vtkMRMLMarkupsNode",
    "vtkMRMLModelNode",
    "vtkMRMLTextNode",
    "vtkMRMLTransformNode",
    "vtkMRMLTableNode",
    "vtkMRMLSequenceNode",
)


def _keep_items(slicer: Any, scene: Any) -> list[int]:
    """Subject hierarchy items come and go with their nodes, as the application's plugins see to."""
    import vtk

    def hierarchy() -> Any:
        return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)

    def shown(node: Any) -> bool:
        return not node.GetHideFromEditors() and any(node.IsA(name) for name in _SHOWN)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def added(_scene: Any, _event: str, node: Any) -> None:
        if not scene.IsImporting() and shown(node) and not hierarchy().GetItemByDataNode(node):
            hierarchy().CreateItem(hierarchy().GetSceneItemID(), node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def leaving(_scene: Any, _event: str, node: Any) -> None:
        if scene.IsClosing() or not shown(node):
            return
        item = hierarchy().GetItemByDataNode(node)
        if item:
            hierarchy().RemoveItem(item, False, False)

    def closing(_scene: Any, _event: str) -> None:
        hierarchy().RemoveAllItems(False)

    def closed(_scene: Any, _event: str) -> None:
        slicer.vtkMRMLSubjectHierarchyNode.ResolveSubjectHierarchy(scene)  # closing removed the node: makes a new one

    def imported(_scene: Any, _event: str) -> None:
        collection = scene.GetNodes()
        for node in [collection.GetItemAsObject(index) for index in range(collection.GetNumberOfItems())]:
            added(scene, "", node)

    events = slicer.vtkMRMLScene
    return [
        int(scene.AddObserver(events.NodeAddedEvent, added)),
        int(scene.AddObserver(events.NodeAboutToBeRemovedEvent, leaving)),
        int(scene.AddObserver(events.StartCloseEvent, closing)),
        int(scene.AddObserver(events.EndCloseEvent, closed)),
        int(scene.AddObserver(events.EndImportEvent, imported)),
    ]
