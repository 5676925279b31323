"""Where a mask's outline lies on a view, as geometry.

Views stay clean: what a model saw is never drawn on. Whoever shows a view (the report, a panel) lays these outlines
over it. Points are in pixel coordinates (column, row), whole numbers at pixel centres.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..imaging.anchor_boxes import in_plane_axes
from ..values import Anchor, View

__all__ = ["box_outlines", "mask_outline", "pixel_size", "trace_outlines"]

#: Components below this fraction of the largest count as none when asking whether a view lies along the voxel grid.
_ALIGNED = 1e-3


def pixel_size(view: View) -> tuple[float, float]:
    """Width and height of a pixel in mm."""
    width, height = np.linalg.norm(view.pixel_to_ras[:3, :2], axis=0)
    return float(width), float(height)


def mask_outline(mask: NDArray[np.bool_], affine: NDArray[np.float64], view: View) -> list[NDArray[np.float64]]:
    """Outlines of a mask on a view: closed polygons, each (n, 2) of (column, row).

    On a slice the mask is cut at the slice; on a projection it is projected along the normal too. Each outline runs
    midway between the voxels inside and those outside, whatever the size of the view's pixels.

    Parameters
    ----------
    mask : ndarray of bool, shape (k, j, i)
    affine : ndarray, shape (4, 4)
        IJK→RAS of the mask in mm.
    view : View
        Of the same patient; any grid, any orientation.
    """
    to_ijk = np.asarray(
        np.linalg.solve(affine, view.pixel_to_ras), dtype=np.float64
    )  # (column, row, normal, 1) → (i, j, k, 1)
    normal = np.abs(to_ijk[:3, 2])
    axis = int(np.argmax(normal))
    in_plane = [other for other in range(3) if other != axis]
    aligned = (
        np.delete(normal, axis).max() < _ALIGNED * normal[axis]
        and np.abs(to_ijk[axis, :2]).max() < _ALIGNED * np.abs(to_ijk[in_plane, :2]).max()
    )
    if not aligned:
        return trace_outlines(_sampled(mask, to_ijk, view))
    plane = _plane(mask, axis, None if view.slice_index is None else float(to_ijk[axis, 3]))
    if plane is None or not plane.any():
        return []
    # Voxel coordinates in the plane, (u, v) with u the lower of the two axes, back to pixels.
    matrix, offset = to_ijk[in_plane, :2], to_ijk[in_plane, 3]
    back = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
    return [(polygon - offset) @ back.T for polygon in trace_outlines(plane)]


def box_outlines(anchors: Sequence[Anchor], affine: NDArray[np.float64], view: View) -> list[NDArray[np.float64]]:
    """Boxes of the key slices that a view shows: closed polygons, each (4, 2) of (column, row); none on a projection.

    Parameters
    ----------
    anchors : sequence of Anchor
    affine : ndarray, shape (4, 4)
        IJK→RAS in mm of the volume that the anchors are of.
    view : View
    """
    if view.slice_index is None:
        return []
    to_pixel = np.linalg.solve(view.pixel_to_ras, affine)  # (i, j, k, 1) → (column, row, slices off the view, 1)
    polygons = []
    for anchor in anchors:
        first, second = in_plane_axes(anchor.axis)
        for a0, b0, a1, b1 in anchor.boxes:
            corners = np.ones((4, 4))
            corners[:, first], corners[:, second], corners[:, anchor.axis] = (
                (a0, a1, a1, a0),
                (b0, b0, b1, b1),
                anchor.index,
            )
            seen = corners @ to_pixel.T
            if np.abs(seen[:, 2]).max() < 0.5:
                polygons.append(np.asarray(seen[:, :2]))
    return polygons


def trace_outlines(plane: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Closed polygons (n, 2) of (x, y) = (second index, first index) midway between inside and outside.

    Marching squares (Lorensen and Cline 1987 in two dimensions) on a binary plane: corner-touching pixels stay apart.
    Runs of points on a straight line are reduced to their ends.
    """
    follow = _boundary_steps(np.pad(plane, 1))
    polygons = []
    while follow:
        start, point = follow.popitem()
        points = [start]
        while point != start:
            points.append(point)
            point = follow.pop(point)
        polygons.append(_without_straight_runs(np.array(points, dtype=np.float64)) / 2.0 - 1.0)
    return polygons


# ------------------------------------------------------------------------------------------------------------ sections


def _plane(mask: NDArray[np.bool_], axis: int, index: float | None) -> NDArray[np.bool_] | None:
    """The mask across an IJK axis at an index, or projected where that is None; rows are the higher of the two axes."""
    along = 2 - axis  # arrays are (k, j, i)
    if index is None:
        return np.asarray(mask.any(axis=along))
    nearest = int(np.floor(index + 0.5))
    if not 0 <= nearest < mask.shape[along]:
        return None
    return np.asarray(np.take(mask, nearest, axis=along))


def _sampled(mask: NDArray[np.bool_], to_ijk: NDArray[np.float64], view: View) -> NDArray[np.bool_]:
    """The mask at the centre of each of the view's pixels, nearest voxel; a projection takes every step it needs."""
    rows, columns = view.pixels.shape
    row, column = np.mgrid[:rows, :columns]
    start = np.tensordot(to_ijk[:3, [0, 1]], np.stack([column, row]), axes=1) + to_ijk[:3, 3, None, None]
    found = np.zeros((rows, columns), dtype=np.bool_)
    for step in _steps(mask, to_ijk, view):
        i, j, k = np.floor(start + step * to_ijk[:3, 2, None, None] + 0.5).astype(np.intp)
        nk, nj, ni = mask.shape
        inside = (i >= 0) & (i < ni) & (j >= 0) & (j < nj) & (k >= 0) & (k < nk)
        found[inside] |= mask[k[inside], j[inside], i[inside]]
    return found


def _steps(mask: NDArray[np.bool_], to_ijk: NDArray[np.float64], view: View) -> Sequence[float]:
    """Distances along the normal, in slices: 0 for a slice; for a projection all that cross the mask's box."""
    if view.slice_index is not None:
        return [0.0]
    far = np.array(mask.shape[::-1], dtype=np.float64) - 1
    corners = np.stack(np.meshgrid(*([0.0, n] for n in far), indexing="ij")).reshape(3, -1)
    depths = np.linalg.solve(to_ijk[:3, :3], corners - to_ijk[:3, 3:])[2]
    step = 1.0 / max(1.0, float(np.abs(to_ijk[:3, 2]).max()))  # no more than a voxel at a time
    return [float(d) for d in np.arange(depths.min(), depths.max() + step, step)]


# ------------------------------------------------------------------------------------------------------------- tracing

#: Offsets of a cell's edge midpoints, in half pixels (x, y), from the cell's top left corner.
_TOP, _RIGHT, _BOTTOM, _LEFT = (1, 0), (2, 1), (1, 2), (0, 1)

#: For each pattern of corners (8 top left, 4 top right, 2 bottom right, 1 bottom left): steps from the edge where a
#: walk around the cell leaves the inside to the edge where it comes back. A shared edge is left once, reached once.
_STEPS: dict[int, tuple[tuple[tuple[int, int], tuple[int, int]], ...]] = {
    8: ((_TOP, _LEFT),),
    4: ((_RIGHT, _TOP),),
    2: ((_BOTTOM, _RIGHT),),
    1: ((_LEFT, _BOTTOM),),
    12: ((_RIGHT, _LEFT),),
    6: ((_BOTTOM, _TOP),),
    3: ((_LEFT, _RIGHT),),
    9: ((_TOP, _BOTTOM),),
    14: ((_BOTTOM, _LEFT),),
    13: ((_RIGHT, _BOTTOM),),
    11: ((_TOP, _RIGHT),),
    7: ((_LEFT, _TOP),),
    10: ((_TOP, _LEFT), (_BOTTOM, _RIGHT)),
    5: ((_RIGHT, _TOP), (_LEFT, _BOTTOM)),
}


def _boundary_steps(padded: NDArray[np.bool_]) -> dict[tuple[int, int], tuple[int, int]]:
    """From each point of the boundary to the next, in half pixels (x, y) of the padded plane."""
    corners = padded.astype(np.uint8)
    pattern = 8 * corners[:-1, :-1] + 4 * corners[:-1, 1:] + 2 * corners[1:, 1:] + corners[1:, :-1]
    follow: dict[tuple[int, int], tuple[int, int]] = {}
    for code, steps in _STEPS.items():
        y, x = np.nonzero(pattern == code)
        for (x0, y0), (x1, y1) in steps:
            starts = zip((2 * x + x0).tolist(), (2 * y + y0).tolist(), strict=True)
            ends = zip((2 * x + x1).tolist(), (2 * y + y1).tolist(), strict=True)
            follow.update(zip(starts, ends, strict=True))
    return follow


def _without_straight_runs(points: NDArray[np.float64]) -> NDArray[np.float64]:
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    turns = before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]
    return np.asarray(points[turns])
