"""A region of interest as a range of voxels."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import VolumeError
from .geometry import array_from_matrix, between_nodes, world_affine

__all__ = ["crop_of_roi"]

Crop = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]

#: Part of a voxel by which a box may touch the next one without counting it in: rounding of its corners.
_TOUCH = 1e-4


def crop_of_roi(volume: Any, roi: Any) -> Crop:
    """Half-open voxel range (k, j, i) of all voxels that the box reaches into, cut to the volume's grid.

    A box that is turned against the grid is covered by the range of its corners.

    Raises
    ------
    VolumeError
        ``roi-gone``, ``roi-kind``, ``roi-empty``, ``roi-outside``, ``roi-transform``; and those of
        :func:`world_affine` for the volume.
    """
    if roi is None:
        raise VolumeError("The region of interest is no longer in the scene.", code="roi-gone")
    to_world = between_nodes(roi, None) if roi.IsA("vtkMRMLTransformableNode") else None
    corners = _corners(roi)
    if to_world is None:
        raise VolumeError(
            f"The region of interest “{roi.GetName()}” lies under a non-linear transform. Harden the transform on it,"
            " or take it out of the transform.",
            code="roi-transform",
        )
    indices = (np.linalg.inv(world_affine(volume)) @ to_world @ corners)[:3]
    dimensions = volume.GetImageData().GetDimensions()
    ranges = []
    for axis in range(3):  # voxel n reaches from n - 0.5 to n + 0.5
        first = int(np.floor(indices[axis].min() + 0.5 + _TOUCH))
        stop = int(np.ceil(indices[axis].max() + 0.5 - _TOUCH))
        start, end = max(0, first), min(dimensions[axis], max(stop, first + 1))
        if start >= end:
            raise VolumeError(
                f"The region of interest “{roi.GetName()}” does not touch the image. Move it onto the image, or choose"
                " none.",
                code="roi-outside",
            )
        ranges.append((start, end))
    return ranges[2], ranges[1], ranges[0]


def _corners(roi: Any) -> NDArray[np.float64]:
    """The eight corners in the node's own frame, shape (4, 8)."""
    signs = np.array([(*sign, 1.0) for sign in product((-1.0, 1.0), repeat=3)]).T
    if roi.IsA("vtkMRMLMarkupsROINode"):
        size = np.array([*roi.GetSize(), 0.0])
        placed = roi.GetNumberOfDefinedControlPoints() > 0
        object_to_node = array_from_matrix(roi.GetObjectToNodeMatrix())
    elif roi.IsA("vtkMRMLAnnotationROINode"):  # the older kind
        centre, radius = [0.0] * 3, [0.0] * 3
        placed = bool(roi.GetXYZ(centre)) and bool(roi.GetRadiusXYZ(radius))
        size = 2 * np.array([*radius, 0.0])
        object_to_node = np.eye(4)
        object_to_node[:3, 3] = centre
    else:
        raise VolumeError("This node is not a region of interest.", code="roi-kind", detail=roi.GetClassName())
    if not placed or size[:3].min() <= 0:
        raise VolumeError(
            f"The region of interest “{roi.GetName()}” has no size yet. Place it on the image, or choose none.",
            code="roi-empty",
        )
    half = size / 2
    half[3] = 1.0
    corners: NDArray[np.float64] = object_to_node @ (signs * half[:, None])
    return corners
