# ruff: noqa: N802, N815 - the names are Slicer's
"""The 3D view: closed surfaces of the scene's segmentations, drawn off screen and shown as a picture."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from .observations import Observations
from .qmrml_segments import segment_events, segment_ids

__all__ = ["ThreeDWidget"]

_SURFACE = "Closed surface"


class ThreeDWidget(QWidget):
    """``qMRMLThreeDWidget``: drag turns the patient. Without OpenGL it says so and shows nothing."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, scene: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = scene
        self._window: Any = None
        self._renderer: Any = None
        self._failed = ""
        self._dirty = True
        self._seen: set[str] = set()
        self._picture: QImage | None = None
        self._last: QPoint | None = None
        self._observed = Observations(self)
        self._scene_observed = Observations(self)
        events = (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent)
        self._scene_observed.add(scene, events, self._observe)
        self.setMinimumSize(120, 120)
        self._observe()

    def mrmlScene(self) -> Any:
        return self._scene

    def mrmlViewNode(self) -> Any:
        return self._scene.GetFirstNodeByClass("vtkMRMLViewNode")

    def _observe(self) -> None:
        import slicer

        self._observed.clear()
        for node in self._segmentations():
            events = (*segment_events(), node.DisplayModifiedEvent, slicer.vtkSegmentation.RepresentationModified)
            self._observed.add(node, events, self._changed)
        self._changed()

    def _changed(self) -> None:
        self._dirty = True
        self.update()

    def reset(self) -> None:
        """Show all of it, from the front."""
        self._seen = set()
        self._changed()

    def _segmentations(self) -> list[Any]:
        count = self._scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")
        return [self._scene.GetNthNodeByClass(index, "vtkMRMLSegmentationNode") for index in range(count)]

    def _surfaces(self) -> list[tuple[str, Any, tuple[float, ...], float, Any]]:
        """Key, surface, colour, opacity and matrix to the world, of each visible segment."""
        import vtk

        found = []
        for node in self._segmentations():
            display = node.GetDisplayNode()
            if display is None or not display.GetVisibility() or not display.GetVisibility3D():
                continue
            to_world = vtk.vtkMatrix4x4()
            if node.GetParentTransformNode() is not None:
                node.GetParentTransformNode().GetMatrixTransformToWorld(to_world)
            for segment_id in segment_ids(node):
                segment = node.GetSegmentation().GetSegment(segment_id)
                surface = segment.GetRepresentation(_SURFACE)
                shown = display.GetSegmentVisibility(segment_id) and display.GetSegmentVisibility3D(segment_id)
                if surface is not None and shown and surface.GetNumberOfPoints():
                    opacity = display.GetOpacity3D() * display.GetSegmentOpacity3D(segment_id)
                    found.append((f"{node.GetID()}/{segment_id}", surface, segment.GetColor(), opacity, to_world))
        return found

    def _render(self) -> None:
        """Draw the surfaces into a picture of the widget's size."""
        import vtk

        if self._window is None:
            self._window = vtk.vtkRenderWindow()
            self._window.SetOffScreenRendering(1)
            self._window.SetMultiSamples(4)
            self._renderer = vtk.vtkRenderer()
            self._renderer.GradientBackgroundOn()
            self._renderer.SetBackground(0.76, 0.76, 0.91)
            self._renderer.SetBackground2(0.45, 0.47, 0.75)
            self._window.AddRenderer(self._renderer)
        self._window.SetSize(self.width(), self.height())
        self._renderer.RemoveAllViewProps()
        keys = set()
        for key, surface, colour, opacity, to_world in self._surfaces():
            mapper = vtk.vtkPolyDataMapper()
            mapper.SetInputData(surface)
            mapper.ScalarVisibilityOff()
            actor = vtk.vtkActor()
            actor.SetMapper(mapper)
            actor.SetUserMatrix(to_world)
            actor.GetProperty().SetColor(*colour)
            actor.GetProperty().SetOpacity(opacity)
            self._renderer.AddActor(actor)
            keys.add(key)
        if keys - self._seen:
            self._front()
        self._seen = keys
        self._renderer.ResetCameraClippingRange()
        self._window.Render()
        self._picture = self._read()

    def _front(self) -> None:
        """Look at the patient from the front, head up."""
        camera = self._renderer.GetActiveCamera()
        camera.SetFocalPoint(0, 0, 0)
        camera.SetPosition(0, 1, 0)
        camera.SetViewUp(0, 0, 1)
        self._renderer.ResetCamera()
        camera.Zoom(1.3)

    def _read(self) -> QImage:
        import vtk
        from vtkmodules.util.numpy_support import vtk_to_numpy

        reader = vtk.vtkWindowToImageFilter()
        reader.SetInput(self._window)
        reader.ReadFrontBufferOff()
        reader.Update()
        columns, rows, _ = reader.GetOutput().GetDimensions()
        pixels = vtk_to_numpy(reader.GetOutput().GetPointData().GetScalars()).reshape(rows, columns, -1)
        data = np.ascontiguousarray(pixels[::-1, :, :3])
        return QImage(data.data, columns, rows, columns * 3, QImage.Format.Format_RGB888).copy()

    def paintEvent(self, event: QPaintEvent) -> None:
        size_changed = self._picture is None or self._picture.size() != self.size()
        if not self._failed and (self._dirty or size_changed):
            self._dirty = False
            self._try_to_render()
        painter = QPainter(self)
        if self._picture is not None and not self._failed:
            painter.drawImage(0, 0, self._picture)
        else:
            painter.fillRect(self.rect(), QColor("#8a8cc4"))
        text = self._failed or ("" if self._seen else "Show 3D makes surfaces of the segments")
        if text:
            painter.setPen(QColor("#202040"))
            flags = Qt.AlignmentFlag.AlignCenter.value | Qt.TextFlag.TextWordWrap.value
            painter.drawText(self.rect().adjusted(10, 10, -10, -10), flags, text)
        painter.end()

    def _try_to_render(self) -> None:
        import vtk

        errors: list[str] = []
        window = vtk.vtkRenderWindow() if self._window is None else None
        if window is not None:
            tag = window.AddObserver("ErrorEvent", lambda *_: errors.append("error"))
            with contextlib.suppress(AttributeError):
                window.SetOffScreenRendering(1)
                if not window.SupportsOpenGL():
                    errors.append("no OpenGL")
            window.RemoveObserver(tag)
        if errors:
            self._failed = "There is no OpenGL here, so no 3D view."
            return
        self._render()

    # --- the mouse ----------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._last = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        here = event.position().toPoint()
        if self._last is not None and self._renderer is not None:
            camera = self._renderer.GetActiveCamera()
            camera.Azimuth(self._last.x() - here.x())
            camera.Elevation(here.y() - self._last.y())
            camera.OrthogonalizeViewUp()
            self._changed()
        self._last = here

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._last = None
