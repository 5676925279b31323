"""Pictures of a slice view, made without OpenGL: the volume through Slicer's slice logic, the segments by look-up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage
from vtkmodules.util.numpy_support import vtk_to_numpy

__all__ = ["background", "direction_letters", "matrix", "overlay"]


def matrix(vtk_matrix: Any) -> NDArray[np.float64]:
    """A ``vtkMatrix4x4`` as an array, shape (4, 4)."""
    return np.array([[vtk_matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def background(logic: Any) -> QImage | None:
    """What Slicer's slice logic blends from the volumes with their window and level; None without a volume."""
    connection = logic.GetImageDataConnection()
    if connection is None:
        return None
    producer = connection.GetProducer()
    producer.Update(connection.GetIndex())
    image = producer.GetOutputDataObject(connection.GetIndex())
    columns, rows, _ = image.GetDimensions()
    scalars = image.GetPointData().GetScalars()
    if scalars is None or columns * rows == 0:
        return None
    pixels = vtk_to_numpy(scalars).reshape(rows, columns, -1)[::-1].astype(np.uint16)
    if pixels.shape[2] == 4:  # transparent where there is no volume
        pixels = pixels[..., :3] * pixels[..., 3:] // 255
    return _picture(pixels[..., :3].astype(np.uint8), QImage.Format.Format_RGB888)


def overlay(segmentation: Any, slice_node: Any) -> QImage | None:
    """Fills and outlines of the visible segments of a node, with transparency; None where there is nothing to draw."""
    display = segmentation.GetDisplayNode()
    if display is None or not display.GetVisibility() or not display.GetVisibility2D():
        return None
    columns, rows, _ = slice_node.GetDimensions()
    layers = _layers(segmentation)
    if columns * rows == 0 or not layers:
        return None
    y, x = np.mgrid[0:rows, 0:columns]
    points = np.stack([x.ravel(), y.ravel(), np.zeros(x.size), np.ones(x.size)])
    world = matrix(slice_node.GetXYToRAS()) @ points
    to_node = np.linalg.inv(_node_to_world(segmentation)) @ world
    canvas = np.zeros((rows, columns, 4), dtype=np.float64)
    for image, segments in layers:
        labels = _sample(image, to_node).reshape(rows, columns)
        for segment_id, segment in segments:
            if display.GetSegmentVisibility(segment_id):
                _draw(canvas, labels == segment.GetLabelValue(), segment, segment_id, display)
    if not canvas[..., 3].any():
        return None
    return _picture((canvas[::-1] * 255).astype(np.uint8), QImage.Format.Format_RGBA8888)


def _picture(pixels: NDArray[np.uint8], form: QImage.Format) -> QImage:
    """A QImage of its own memory from rows of pixels, the first on top."""
    data = np.ascontiguousarray(pixels)
    rows, columns, channels = data.shape
    return QImage(data.data, columns, rows, columns * channels, form).copy()


def _layers(segmentation: Any) -> list[tuple[Any, list[tuple[str, Any]]]]:
    """The label maps of a segmentation, each with its segments."""
    content = segmentation.GetSegmentation()
    found: dict[int, tuple[Any, list[tuple[str, Any]]]] = {}
    for index in range(content.GetNumberOfSegments()):
        segment_id = content.GetNthSegmentID(index)
        segment = content.GetSegment(segment_id)
        image = segment.GetRepresentation("Binary labelmap")
        if image is not None and image.GetPointData().GetScalars() is not None and not image.IsEmpty():
            found.setdefault(id(image), (image, []))[1].append((segment_id, segment))
    return list(found.values())


def _node_to_world(node: Any) -> NDArray[np.float64]:
    """The node's linear parent transforms, identity without any; shape (4, 4)."""
    import vtk

    parent = node.GetParentTransformNode()
    if parent is None:
        return np.eye(4)
    found = vtk.vtkMatrix4x4()
    parent.GetMatrixTransformToWorld(found)
    return matrix(found)


def _sample(image: Any, points: NDArray[np.float64]) -> NDArray[np.int64]:
    """The labels at points (4, n) of the image's own world, nearest voxel; 0 outside."""
    import vtk

    to_world = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(to_world)
    i, j, k = np.rint((np.linalg.inv(matrix(to_world)) @ points)[:3]).astype(np.int64)
    i0, i1, j0, j1, k0, k1 = image.GetExtent()
    voxels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(k1 - k0 + 1, j1 - j0 + 1, i1 - i0 + 1)
    inside = (i >= i0) & (i <= i1) & (j >= j0) & (j <= j1) & (k >= k0) & (k <= k1)
    labels = np.zeros(points.shape[1], dtype=np.int64)
    labels[inside] = voxels[k[inside] - k0, j[inside] - j0, i[inside] - i0]
    return labels


def _draw(canvas: NDArray[np.float64], mask: NDArray[np.bool_], segment: Any, segment_id: str, display: Any) -> None:
    """Lay one segment over the canvas, RGBA 0..1 with plain alpha: fill inside, the outermost pixels as outline."""
    inner = mask.copy()
    for axis in (0, 1):
        for step in (1, -1):
            inner &= np.roll(mask, step, axis)
    overall = display.GetOpacity()
    fill = overall * display.GetOpacity2DFill() * display.GetSegmentOpacity2DFill(segment_id)
    line = overall * display.GetOpacity2DOutline() * display.GetSegmentOpacity2DOutline(segment_id)
    fill *= display.GetVisibility2DFill() and display.GetSegmentVisibility2DFill(segment_id)
    line *= display.GetVisibility2DOutline() and display.GetSegmentVisibility2DOutline(segment_id)
    for where, alpha in ((inner, fill), (mask & ~inner, line)):
        under = canvas[where]
        together = alpha + under[:, 3] * (1 - alpha)
        safe = np.where(together > 0, together, 1.0)[:, None]
        colour = np.array(segment.GetColor())
        under[:, :3] = (colour * alpha + under[:, :3] * (under[:, 3] * (1 - alpha))[:, None]) / safe
        under[:, 3] = together
        canvas[where] = under


def direction_letters(xy_to_ras: NDArray[np.float64]) -> tuple[str, str, str, str]:
    """Patient directions at the view's top, right, bottom and left, from its XY→RAS matrix."""
    right, top = (_letters(xy_to_ras[:3, column]) for column in (0, 1))
    left, bottom = (_letters(-xy_to_ras[:3, column]) for column in (0, 1))
    return top, right, bottom, left


def _letters(direction: NDArray[np.float64]) -> str:
    """The nearest of R, L, A, P, S, I, and a second where the direction is oblique."""
    unit = direction / (np.linalg.norm(direction) or 1.0)
    order = np.argsort(-np.abs(unit))
    names = ("RL", "AP", "SI")
    return "".join(names[axis][0 if unit[axis] > 0 else 1] for axis in order[:2] if abs(unit[axis]) > 0.3)
