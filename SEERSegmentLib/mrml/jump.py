"""Taking the slice views somewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray

from ..worker.messages import SegmentPiece
from .arrays import bounding_box, image_matrix, voxels_of
from .geometry import between_nodes
from .segments import BINARY_LABELMAP

__all__ = ["jump_to", "segment_centre"]

#: About how many voxels of a segment's box are looked at to find its middle.
_SEEN = 250_000


def jump_to(scene: Any, position_ras: tuple[float, float, float], *, centred: bool = False) -> None:
    """Move all slice views to a world position (RAS, mm); ``centred`` also pans them so that it is in the middle."""
    node = slicer.vtkMRMLSliceNode
    mode = node.CenteredJumpSlice if centred else node.OffsetJumpSlice
    node.JumpAllSlices(scene, *position_ras, mode)


def segment_centre(segmentation: Any, segment_id: str, piece: SegmentPiece | None = None) -> tuple[float, ...] | None:
    """World position (RAS, mm) of a voxel in the middle of a segment as it is now; None where it is empty.

    The voxel is one of the segment's own near its centre of mass: that of a curved structure may lie outside of it.
    Under a non-linear transform, and for a segment without a labelmap, ``piece`` says where it was.
    """
    segment = segmentation.GetSegmentation().GetSegment(segment_id)
    image = None if segment is None else segment.GetRepresentation(BINARY_LABELMAP)
    to_world = between_nodes(segmentation, None)
    if image is None or to_world is None or image.GetPointData().GetScalars() is None:
        return None if piece is None else piece.centre_ras
    labels, label = voxels_of(image), segment.GetLabelValue()
    box = bounding_box(labels, label)
    if box is None:
        return None
    nearest = _middle(labels[box], label)
    k, j, i = (nearest + [part.start for part in box]).tolist()
    i0, _, j0, _, k0, _ = image.GetExtent()
    r, a, s, _ = to_world @ image_matrix(image) @ np.array([i + i0, j + j0, k + k0, 1.0])
    return float(r), float(a), float(s)


def _middle(labels: NDArray[Any], label: int) -> NDArray[np.intp]:
    """Index of the voxel nearest to the centre of mass; of large segments every n-th voxel along each axis is seen."""
    step = max(1, round((labels.size / _SEEN) ** (1 / 3)))
    inside = np.argwhere(labels[::step, ::step, ::step] == label) * step
    while not len(inside):  # thinner than the steps
        step = max(1, step // 2)
        inside = np.argwhere(labels[::step, ::step, ::step] == label) * step
    nearest: NDArray[np.intp] = inside[np.argmin(((inside - inside.mean(axis=0)) ** 2).sum(axis=1))]
    return nearest
