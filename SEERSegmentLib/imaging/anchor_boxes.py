"""Where the key slices and boxes of a spec lie: from a view to the volume's voxels, from voxels to the patient, and
from a volume to a part of it.

Frames: pixels are (column, row) with whole numbers at pixel centres, voxels are continuous indices (i, j, k) with whole
numbers at voxel centres, so that pixel or voxel n reaches from n - 0.5 to n + 0.5; world is RAS in mm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..values import Anchor, TargetSpec, View
from .crop import Crop

__all__ = ["Box", "anchor_on_view", "anchors_within", "box_corners_ras", "in_plane_axes"]

#: (a0, b0, a1, b1): first and last edges along two axes.
Box = tuple[float, float, float, float]

#: Decimals of a voxel index that are kept: what a whole number of thousandths of a picture gives has three.
_DECIMALS = 6

#: A view whose slices step this far off a voxel axis, in voxels, does not lie along the grid.
_ALIGNED = 1e-3


def in_plane_axes(axis: int) -> tuple[int, int]:
    """The two index axes along a slice that is cut across ``axis``, in the order i, j, k."""
    first, second = (other for other in range(3) if other != axis)
    return first, second


def anchor_on_view(view: View, affine: NDArray[np.float64], boxes: Sequence[Box], target: int = 0) -> Anchor:
    """Boxes on a view as an anchor in the voxels of the volume that the view was rendered from.

    Parameters
    ----------
    view : View
        Of a slice of the volume, along its own axes as all presets render it.
    affine : ndarray, shape (4, 4)
        IJK→RAS of the volume in mm.
    boxes : sequence of (column0, row0, column1, row1)
        Edges in pixels, whole numbers at pixel centres.
    target : int
        Which of a spec's targets.

    Raises
    ------
    ValueError
        For a projection, or a view that does not lie along the volume's axes.
    """
    to_index = np.linalg.solve(affine, view.pixel_to_ras)  # (column, row, slices, 1) → (i, j, k, 1)
    normal = np.abs(to_index[:3, 2])
    axis = int(normal.argmax())
    first, second = in_plane_axes(axis)
    if view.slice_index is None or max(normal[first], normal[second]) > _ALIGNED:
        raise ValueError(f"the view {view.name!r} is not a slice along the volume's axes")
    found = []
    for column0, row0, column1, row1 in boxes:
        corners = to_index @ np.array([[column0, column1], [row0, row1], [0.0, 0.0], [1.0, 1.0]])
        low, high = np.round(np.sort(corners[:3], axis=1), _DECIMALS).T + 0.0  # + 0.0 turns -0.0 into 0.0
        found.append((float(low[first]), float(low[second]), float(high[first]), float(high[second])))
    return Anchor(target, view.slice_index, tuple(found), axis)


def box_corners_ras(anchor: Anchor, affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """The corners of an anchor's boxes in the patient, each box as thick as its slice.

    Parameters
    ----------
    anchor : Anchor
    affine : ndarray, shape (4, 4)
        IJK→RAS of the volume in mm.

    Returns
    -------
    ndarray, shape (boxes, 8, 3)
        RAS in mm: the four corners of the face of lower index, around it, then those of the other face.
    """
    first, second = in_plane_axes(anchor.axis)
    corners = np.ones((len(anchor.boxes), 8, 4))
    for n, (a0, b0, a1, b1) in enumerate(anchor.boxes):
        corners[n, :, first] = [a0, a1, a1, a0] * 2
        corners[n, :, second] = [b0, b0, b1, b1] * 2
        corners[n, :, anchor.axis] = [anchor.index - 0.5] * 4 + [anchor.index + 0.5] * 4
    ras: NDArray[np.float64] = (corners @ affine.T)[..., :3]
    return ras


def anchors_within(spec: TargetSpec, part: Crop) -> TargetSpec:
    """A spec whose anchors are those of a part of the volume, in the voxels of that part.

    Boxes are cut at the part's faces; boxes and key slices that lie outside of it are left out.

    Parameters
    ----------
    spec : TargetSpec
        With anchors in the voxels of the whole volume.
    part : ((k0, k1), (j0, j1), (i0, i1))
        Half-open voxel ranges; all of the volume checks that the anchors lie in it at all.

    Raises
    ------
    UsageError
        ``anchor-outside`` where nothing is left of the anchors that a target had.
    """
    moved = [anchor for anchor in (_moved(anchor, part) for anchor in spec.anchors) if anchor is not None]
    left = {anchor.target for anchor in moved}
    for anchor in spec.anchors:
        if anchor.target not in left:
            name = spec.targets[anchor.target].text
            raise UsageError(
                f"The key slice and box of the {name} lie outside of the image or of the region of interest; choose"
                " others, or another region.",
                code="anchor-outside",
                detail=f"{anchor} of voxels {part}, (k, j, i)",
            )
    return replace(spec, anchors=tuple(moved))


def _moved(anchor: Anchor, part: Crop) -> Anchor | None:
    ranges = part[::-1]  # by axis i, j, k
    start, stop = ranges[anchor.axis]
    if not start <= anchor.index < stop:
        return None
    (a_start, a_stop), (b_start, b_stop) = (ranges[axis] for axis in in_plane_axes(anchor.axis))
    boxes = []
    for a0, b0, a1, b1 in anchor.boxes:
        a0, a1 = max(a0, a_start - 0.5) - a_start, min(a1, a_stop - 0.5) - a_start
        b0, b1 = max(b0, b_start - 0.5) - b_start, min(b1, b_stop - 0.5) - b_start
        if a0 < a1 and b0 < b1:
            boxes.append((a0, b0, a1, b1))
    return replace(anchor, index=anchor.index - start, boxes=tuple(boxes)) if boxes else None
