"""Planes of views: which anatomical plane a voxel axis is normal to, where a view lies, and its letters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..values import Plane, View, axis_codes

__all__ = ["in_plane_affine", "orientation_letters", "plane_of_axis", "position_along_normal"]

_NORMAL_OF = {"R": Plane.SAGITTAL, "L": Plane.SAGITTAL, "A": Plane.CORONAL, "P": Plane.CORONAL}

#: RAS coordinate along each plane's normal.
_NORMAL_COORDINATE = {Plane.SAGITTAL: 0, Plane.CORONAL: 1, Plane.AXIAL: 2}


def plane_of_axis(affine: NDArray[np.float64], axis: int) -> Plane:
    """The anatomical plane nearest to the slices along voxel axis ``axis`` (0 for i, 1 for j, 2 for k)."""
    return _NORMAL_OF.get(axis_codes(affine)[axis], Plane.AXIAL)


def in_plane_affine(affine: NDArray[np.float64], pixel_to_index: NDArray[np.float64]) -> NDArray[np.float64]:
    """(column, row, slices, 1) → RAS from the same to (i, j, k, 1) and IJK→RAS; not writable."""
    result = affine @ pixel_to_index
    result.setflags(write=False)
    return result


def position_along_normal(pixel_to_ras: NDArray[np.float64], shape: tuple[int, int], plane: Plane) -> float:
    """RAS coordinate in mm along the plane's normal at a view's centre: S for axial, A for coronal, R for sagittal."""
    rows, columns = shape
    centre = pixel_to_ras @ np.array([(columns - 1) / 2, (rows - 1) / 2, 0.0, 1.0])
    return float(centre[_NORMAL_COORDINATE[plane]])


def orientation_letters(view: View) -> tuple[str, str, str, str]:
    """What lies to the left, right, top and bottom of a view: one of R, L, A, P, S, I each, nearest.

    For whoever shows a view; the letters are never part of its pixels.
    """

    def nearest(direction: NDArray[np.float64]) -> str:
        world = int(np.argmax(np.abs(direction)))
        return ("RAS" if direction[world] > 0 else "LPI")[world]

    right, down = view.pixel_to_ras[:3, 0], view.pixel_to_ras[:3, 1]
    return nearest(-right), nearest(right), nearest(-down), nearest(down)
