"""Views of preset ``multi-view``: the three planes and a projection, the way radiologists look at them.

Radiological convention: the patient's right is on the left of axial and coronal views, the front on the left of
sagittal ones, the head at the top. Pixels are square in millimetres; the longer edge has 448 of them. The volume's own
axis nearest to each direction is followed, so an oblique volume is shown along its own slices, not resampled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..protocols import CancelToken
from ..values import Modality, Plane, View, Volume
from .orient import Reorientation, reorientation_to
from .planes import in_plane_affine, position_along_normal
from .windows import apply_window, ct_window, percentile_window

__all__ = ["LONG_EDGE", "SLICES_PER_PLANE", "render_multi_view"]

LONG_EDGE = 448
SLICES_PER_PLANE = 3

#: Between air (−1000 HU) and water (0 HU), halfway: what is denser is patient or table.
_BODY_HU = -500.0

#: A slice counts as content where it holds this share of what the fullest slice holds.
_CONTENT_SHARE = 0.1

#: Lung tissue, aerated: −950 to −700 HU. A chest has a good deal of it within the patient's bounding box.
_LUNG_HU = (-950.0, -700.0)
_LUNG_SHARE = 0.08


@dataclass(frozen=True)
class _Axis:
    """A view's geometry on the LPS-ordered volume: which index axes (i=0, j=1, k=2) run along columns and rows."""

    plane: Plane
    normal: int
    columns: int
    rows: int
    rows_reversed: bool


_PLANES = (
    _Axis(Plane.AXIAL, normal=2, columns=0, rows=1, rows_reversed=False),
    _Axis(Plane.CORONAL, normal=1, columns=0, rows=2, rows_reversed=True),
    _Axis(Plane.SAGITTAL, normal=0, columns=1, rows=2, rows_reversed=True),
)


def render_multi_view(volume: Volume, region: str | None, cancel: CancelToken) -> tuple[View, ...]:
    """Three axial, three coronal and three sagittal slices, evenly placed in the patient, and a coronal projection.

    Parameters
    ----------
    volume : Volume
        In any index order.
    region : str or None
        Body region or window name (``windows.REGIONS``) that chooses a CT's windows; None: chest or soft tissue, by
        how much lung there is. Without effect on MR.
    cancel : CancelToken

    Raises
    ------
    UsageError
        ``region-unknown``.
    Cancelled
    """
    turn = reorientation_to(volume)
    voxels, affine = turn.apply(volume.voxels), volume.affine @ turn.index_affine()
    sample = _sample(voxels)
    inside = sample > (_BODY_HU if volume.modality is Modality.CT else _threshold(sample))
    if volume.modality is Modality.CT:
        region = region or ("thorax" if _is_chest(sample, inside) else "soft tissue")
        windows = {axis.plane: ct_window(region, axis.plane) for axis in _PLANES}
        projection_window = ct_window("bone", Plane.CORONAL)
    else:
        windows = dict.fromkeys(Plane, percentile_window(sample, volume.modality))
        projection_window = None
    views = []
    for axis in _PLANES:
        for index in _placed(inside, axis.normal, voxels.shape[2 - axis.normal]):
            cancel.check()
            plane = voxels[(slice(None),) * (2 - axis.normal) + (index,)]
            own = _own_index(turn, axis.normal, index)
            name = f"{axis.plane.value} {own}"
            views.append(_view(plane, affine, axis, index, windows[axis.plane], name, own))
    cancel.check()
    projection = _maximum(voxels, 1, cancel)
    window = projection_window or percentile_window(projection, volume.modality)
    middle = (voxels.shape[1] - 1) / 2
    views.append(_view(projection, affine, _PLANES[1], middle, window, "coronal MIP", None))
    return tuple(views)


def _sample(voxels: NDArray[Any]) -> NDArray[Any]:
    """Every n-th voxel along each axis, at most about 64 of them each, starting half a step in."""
    steps = [max(1, n // 64) for n in voxels.shape]
    return np.ascontiguousarray(voxels[tuple(slice(s // 2, None, s) for s in steps)])


def _threshold(sample: NDArray[Any]) -> float:
    """What tells patient from background without a scale: 10% of the way from the darkest to nearly the brightest."""
    low, high = float(sample.min()), float(np.percentile(sample, 99))
    return low + 0.1 * (high - low)


def _is_chest(sample: NDArray[Any], inside: NDArray[np.bool_]) -> bool:
    if not inside.any():
        return False
    box = tuple(slice(int(at.min()), int(at.max()) + 1) for at in np.nonzero(inside))
    lung = (sample[box] > _LUNG_HU[0]) & (sample[box] < _LUNG_HU[1])
    return float(lung.mean()) > _LUNG_SHARE


def _placed(inside: NDArray[np.bool_], normal: int, count: int) -> tuple[int, ...]:
    """Slices evenly placed where there is content: in the middle of each third of it."""
    counts = np.count_nonzero(inside, axis=tuple(a for a in range(3) if a != 2 - normal))
    full = np.nonzero(counts > _CONTENT_SHARE * counts.max())[0] if counts.max() else np.arange(counts.size)
    first, last = full[0] / counts.size * count, (full[-1] + 1) / counts.size * count
    centres = first + (last - first) * (np.arange(SLICES_PER_PLANE) + 0.5) / SLICES_PER_PLANE
    return tuple(dict.fromkeys(min(int(c), count - 1) for c in centres))


def _own_index(turn: Reorientation, normal: int, index: int) -> int:
    """A slice's index along the volume's own axis, which may run the other way."""
    array_axis = 2 - normal
    count = turn.source_shape[turn.axes[array_axis]]
    return count - 1 - index if turn.flips[array_axis] else index


def _maximum(voxels: NDArray[Any], axis: int, cancel: CancelToken) -> NDArray[Any]:
    """Maximum along an array axis, walking through memory in the order it is stored, once."""
    against = tuple(slice(None, None, -1 if s < 0 else 1) for s in voxels.strides)
    stored = voxels[against]
    order = sorted(range(3), key=lambda a: -stored.strides[a])
    slowest = order[0]
    if slowest == axis:
        slabs = iter(np.moveaxis(stored, axis, 0))
        result = np.array(next(slabs), order="K")
        for slab in slabs:
            cancel.check()
            np.maximum(result, slab, out=result)
    else:
        rest = [a for a in range(3) if a != axis]
        result = np.empty([stored.shape[a] for a in rest], dtype=stored.dtype)
        keep = rest.index(slowest)
        inner = axis if axis < slowest else axis - 1
        for index, slab in enumerate(np.moveaxis(stored, slowest, 0)):
            cancel.check()
            np.maximum.reduce(slab, axis=inner, out=result[index] if keep == 0 else result[:, index])
    return result[tuple(s for a, s in enumerate(against) if a != axis)]


def _view(
    plane: NDArray[Any],
    affine: NDArray[np.float64],
    axis: _Axis,
    index: float,
    window: tuple[float, float],
    name: str,
    own_index: int | None,
) -> View:
    """One view from a plane of the LPS-ordered volume (rows along the slower index)."""
    if axis.rows_reversed:
        plane = plane[::-1]
    spacing = np.round(np.linalg.norm(affine[:3, :3], axis=0), 6)
    pixels, pixel, (left, top) = _fit(apply_window(plane, window), (spacing[axis.rows], spacing[axis.columns]))
    to_index = np.zeros((4, 4))
    to_index[axis.columns, 0] = pixel / spacing[axis.columns]
    to_index[axis.columns, 3] = left + 0.5 * pixel / spacing[axis.columns] - 0.5
    step, start = pixel / spacing[axis.rows], top + 0.5 * pixel / spacing[axis.rows] - 0.5
    to_index[axis.rows, 1] = -step if axis.rows_reversed else step
    to_index[axis.rows, 3] = plane.shape[0] - 1 - start if axis.rows_reversed else start
    to_index[axis.normal, 2] = 1.0
    to_index[axis.normal, 3] = index
    to_index[3, 3] = 1.0
    pixel_to_ras = in_plane_affine(affine, to_index)
    rows, columns = pixels.shape
    position = None if own_index is None else position_along_normal(pixel_to_ras, (rows, columns), axis.plane)
    return View(name, pixels, axis.plane, own_index, position, window, pixel_to_ras, "multi-view")


def _fit(grey: NDArray[np.uint8], spacing: tuple[float, float]) -> tuple[NDArray[np.uint8], float, tuple[float, float]]:
    """Resize to square pixels with ``LONG_EDGE`` of them along the longer edge.

    Less than a pixel may be cut off, equally on both sides, so that pixels are square exactly.

    Returns
    -------
    pixels : ndarray, uint8
    pixel : float
        Edge of a pixel in mm.
    corner : tuple[float, float]
        Where the picture starts, (left, top), in voxels from the outer edge of the first.
    """
    from PIL import Image

    extents = [n * s for n, s in zip(grey.shape, spacing, strict=True)]
    pixel = max(extents) / LONG_EDGE
    rows, columns = (max(1, math.floor(e / pixel + 1e-6)) for e in extents)
    box = []
    for count, extent, step in ((columns, extents[1], spacing[1]), (rows, extents[0], spacing[0])):
        margin = max((extent - count * pixel) / 2, 0.0)
        box.append((margin / step, min((extent - margin) / step, extent / step)))
    (left, right), (top, bottom) = box
    picture = Image.fromarray(np.ascontiguousarray(grey)).resize(
        (columns, rows), Image.Resampling.BILINEAR, box=(left, top, right, bottom)
    )
    return np.asarray(picture), pixel, (left, top)
