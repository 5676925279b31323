# ruff: noqa: N802, N815 - the names are Slicer's
"""``slicer.app.layoutManager()``: Slicer's slice logics for Red, Green and Yellow; widgets once they are asked for."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, QObject, Signal

from .viewers import FourUp, SliceWidget, ThreeDWidget

__all__ = ["ORIENTATIONS", "LayoutManager"]

#: Slice views by name and what they show.
ORIENTATIONS = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}


class LayoutManager(QObject):
    """Real slice nodes and logics from the start, so that a jump is real; widgets are made when asked for."""

    layoutChanged = Signal((), (int,))
    activeMRMLThreeDViewNodeChanged = Signal(object)
    activeMRMLTableViewNodeChanged = Signal(object)
    activeMRMLPlotViewNodeChanged = Signal(object)
    activeThreeDRendererChanged = Signal(object)
    activeTableRendererChanged = Signal(object)
    activePlotRendererChanged = Signal(object)
    nodeAboutToBeEdited = Signal(object)

    def __init__(self, scene: Any, application_logic: Any) -> None:
        import slicer
        import vtk

        super().__init__()
        self._scene = scene
        self._layout = int(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        self._collection = vtk.vtkCollection()
        self._logics: dict[str, Any] = {}
        self._slices: dict[str, SliceWidget] = {}
        self._threed: ThreeDWidget | None = None
        self._viewport: FourUp | None = None
        self._paused = 0
        application_logic.SetSliceLogics(self._collection)
        application_logic.SetViewLogics(vtk.vtkCollection())
        for name, orientation in ORIENTATIONS.items():
            logic = slicer.vtkMRMLSliceLogic()
            logic.SetMRMLApplicationLogic(application_logic)
            logic.SetMRMLScene(scene)
            node = logic.AddSliceNode(name)
            node.SetOrientation(orientation)
            node.SetDimensions(256, 256, 1)
            self._collection.AddItem(logic)
            self._logics[name] = logic

    def mrmlScene(self) -> Any:
        return self._scene

    def sliceViewNames(self) -> tuple[str, ...]:
        return tuple(self._logics)

    def mrmlSliceLogics(self) -> Any:
        return self._collection

    def slice_logic(self, name: str) -> Any:
        """The logic of a view."""
        return self._logics[name]

    def sliceWidget(self, name: str) -> SliceWidget | None:
        if name not in self._logics:
            return None
        if name not in self._slices:
            self._slices[name] = SliceWidget(name, self._logics[name])
        return self._slices[name]

    def threeDWidget(self, index: int) -> ThreeDWidget | None:
        if index != 0:
            return None
        if self._threed is None:
            self._threed = ThreeDWidget(self._scene)
        return self._threed

    def viewport(self) -> FourUp:
        """All four views in one widget."""
        if self._viewport is None:
            threed = self.threeDWidget(0)
            slices = [self.sliceWidget(name) for name in self._logics]
            assert threed is not None
            self._viewport = FourUp([each for each in slices if each is not None], threed)
        return self._viewport

    def resetSliceViews(self) -> None:
        for logic in self._logics.values():
            logic.FitSliceToBackground()

    def resetThreeDViews(self) -> None:
        if self._threed is not None:
            self._threed.reset()

    def pauseRender(self) -> None:
        self._paused += 1

    def resumeRender(self) -> None:
        self._paused = max(0, self._paused - 1)

    def setRenderPaused(self, paused: bool) -> None:
        self.pauseRender() if paused else self.resumeRender()

    def setLayout(self, layout: int) -> None:
        """Remember it; the four views are what is shown."""
        if layout != self._layout:
            self._layout = int(layout)
            self.layoutChanged[()].emit()
            self.layoutChanged[int].emit(self._layout)

    layout = Property(int, lambda self: self._layout, setLayout)
    threeDViewCount = Property(int, lambda self: 1)
    tableViewCount = Property(int, lambda self: 0)
    plotViewCount = Property(int, lambda self: 0)
