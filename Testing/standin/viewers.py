# ruff: noqa: N802, N815 - the names are Slicer's
"""Slice views and a 3D view of the real scene, and the four of them in one window.

A slice view shows what Slicer's slice logic blends, the segments over it, patient directions and the crosshair; the
slider and the wheel move it. Nothing is drawn until a view is painted.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from . import slice_picture
from .observations import Observations
from .qmrml_segments import segment_events
from .threed import ThreeDWidget

__all__ = ["FourUp", "SliceWidget", "ThreeDWidget"]

_COLOURS = {"Red": "#f34a33", "Green": "#6eb04b", "Yellow": "#edd54c"}


class SliceWidget(QWidget):
    """One slice view with its slider: ``qMRMLSliceWidget``."""

    mrmlSceneChanged = Signal(object)
    nodeAboutToBeEdited = Signal(object)

    def __init__(self, name: str, logic: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._logic = name, logic
        self._canvas = _Canvas(logic, self)
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._label = QLabel(self)
        self._label.setMinimumWidth(90)
        tag = QLabel(name[0], self)
        tag.setAlignment(Qt.AlignmentFlag.AlignCenter)
        tag.setFixedWidth(20)
        tag.setStyleSheet(f"background: {_COLOURS.get(name, '#888')}; color: black; font-weight: bold;")
        bar = QHBoxLayout()
        bar.setSpacing(4)
        for widget in (tag, self._slider, self._label):
            bar.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self._canvas, 1)
        self._slider.valueChanged.connect(self._slid)
        self._observed = Observations(self)
        self._observed.add(logic, ("ModifiedEvent",), self._moved)
        self._observed.add(logic.GetSliceNode(), ("ModifiedEvent",), self._moved)
        self._moved()

    def mrmlScene(self) -> Any:
        return self._logic.GetMRMLScene()

    def mrmlSliceNode(self) -> Any:
        return self._logic.GetSliceNode()

    def mrmlSliceCompositeNode(self) -> Any:
        return self._logic.GetSliceCompositeNode()

    def sliceLogic(self) -> Any:
        return self._logic

    logic = sliceLogic

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()

    def setSliceOrientation(self, orientation: str) -> None:
        self._logic.GetSliceNode().SetOrientation(orientation)

    def _steps(self) -> tuple[float, float, int]:
        """The lowest offset (mm), the step (mm) and the number of steps."""
        bounds, step = [0.0] * 6, max(1e-3, abs(self._logic.GetLowestVolumeSliceSpacing()[2]))
        self._logic.GetLowestVolumeSliceBounds(bounds)
        return bounds[4], step, max(0, round((bounds[5] - bounds[4]) / step))

    def _moved(self) -> None:
        low, step, count = self._steps()
        offset = self._logic.GetSliceOffset()
        blocked = self._slider.blockSignals(True)
        self._slider.setRange(0, count)
        self._slider.setValue(round((offset - low) / step - 0.5))
        self._slider.blockSignals(blocked)
        self._label.setText(self._place())
        self._canvas.update()

    def _place(self) -> str:
        """Where the slice lies, as Slicer writes it: ``"S: 40.0 mm"``."""
        to_ras = slice_picture.matrix(self._logic.GetSliceNode().GetSliceToRAS())
        axis = int(abs(to_ras[:3, 2]).argmax())
        return f"{'RAS'[axis]}: {to_ras[axis, 3]:.1f} mm"

    def _slid(self, value: int) -> None:
        low, step, _ = self._steps()
        self._logic.SetSliceOffset(low + (value + 0.5) * step)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._slider.setValue(self._slider.value() + (1 if event.angleDelta().y() > 0 else -1))


class _Canvas(QWidget):
    """The picture of a slice view."""

    def __init__(self, logic: Any, parent: QWidget) -> None:
        super().__init__(parent)
        self._logic = logic
        self._fitted = ""
        self._scene = logic.GetMRMLScene()
        self._scene_observed = Observations(self)
        self._observed = Observations(self)
        events = (self._scene.NodeAddedEvent, self._scene.NodeRemovedEvent, self._scene.EndCloseEvent)
        self._scene_observed.add(self._scene, events, self._observe)
        self.setMinimumSize(120, 120)
        self._observe()

    def _observe(self) -> None:
        """Follow the segmentations and the crosshair of the scene."""
        self._observed.clear()
        for node in self._segmentations():
            self._observed.add(
                node, (*segment_events(), node.DisplayModifiedEvent, node.TransformModifiedEvent), self._dirty
            )
        crosshair = self._crosshair()
        if crosshair is not None:
            self._observed.add(crosshair, ("ModifiedEvent", crosshair.CursorPositionModifiedEvent), self._dirty)
        self.update()

    def _dirty(self) -> None:
        self.update()

    def _segmentations(self) -> list[Any]:
        count = self._scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")
        return [self._scene.GetNthNodeByClass(index, "vtkMRMLSegmentationNode") for index in range(count)]

    def _crosshair(self) -> Any:
        return self._scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._logic.ResizeSliceNode(max(1, self.width()), max(1, self.height()))

    def _fit(self) -> None:
        """Fit the view once to each new background, since it was chosen while the view had another size."""
        volume = self._logic.GetSliceCompositeNode().GetBackgroundVolumeID() or ""
        if volume != self._fitted:
            self._fitted = volume
            if volume:
                offset = self._logic.GetSliceOffset()
                self._logic.FitSliceToBackground()
                self._logic.SetSliceOffset(offset)

    def paintEvent(self, event: QPaintEvent) -> None:
        node = self._logic.GetSliceNode()
        if node.GetDimensions()[:2] != (self.width(), self.height()):
            self._logic.ResizeSliceNode(max(1, self.width()), max(1, self.height()))
        self._fit()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("black"))
        picture = slice_picture.background(self._logic)
        if picture is not None:
            painter.drawImage(0, 0, picture)
        for segmentation in self._segmentations():
            over = slice_picture.overlay(segmentation, node)
            if over is not None:
                painter.drawImage(0, 0, over)
        self._draw_crosshair(painter)
        if picture is not None:
            self._draw_letters(painter)
        painter.end()

    def _draw_crosshair(self, painter: QPainter) -> None:
        crosshair = self._crosshair()
        if crosshair is None or crosshair.GetCrosshairMode() == crosshair.NoCrosshair:
            return
        to_xy = slice_picture.np.linalg.inv(slice_picture.matrix(self._logic.GetSliceNode().GetXYToRAS()))
        x, y = (to_xy @ [*crosshair.GetCrosshairRAS(), 1.0])[:2]
        point = QPointF(x, self.height() - y)
        painter.setPen(QPen(QColor("#ffd24d"), 1))
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            length = max(self.width(), self.height())
            painter.drawLine(point + QPointF(6 * dx, 6 * dy), point + QPointF(length * dx, length * dy))

    def _draw_letters(self, painter: QPainter) -> None:
        matrix = slice_picture.matrix(self._logic.GetSliceNode().GetXYToRAS())
        painter.setPen(QColor("#e0e0e0"))
        painter.setFont(QFont(painter.font().family(), 10, QFont.Weight.Bold))
        area = self.rect().adjusted(5, 3, -5, -3)
        flags = Qt.AlignmentFlag
        places = (
            flags.AlignTop | flags.AlignHCenter,
            flags.AlignRight | flags.AlignVCenter,
            flags.AlignBottom | flags.AlignHCenter,
            flags.AlignLeft | flags.AlignVCenter,
        )
        for place, letters in zip(places, slice_picture.direction_letters(matrix), strict=True):
            painter.drawText(area, place, letters)


class FourUp(QWidget):
    """Axial and 3D above, coronal and sagittal below."""

    def __init__(self, slices: list[SliceWidget], threed: ThreeDWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for widget, row, column in zip((slices[0], threed, *slices[1:]), (0, 0, 1, 1), (0, 1, 0, 1), strict=True):
            layout.addWidget(widget, row, column)
        for index in (0, 1):
            layout.setRowStretch(index, 1)
            layout.setColumnStretch(index, 1)
