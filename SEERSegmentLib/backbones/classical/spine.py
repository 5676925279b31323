"""The spinal canal: the landmark that tells a vertebra from the contrast-filled aorta beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .grid import Scan
from .hounsfield import BONE_SURFACE, FAT, TRABECULAR
from .morphology import IN_SLICE, Bool, Shaper, components, fill_slices, keep

#: Cross-section of the bony canal: 13–25 mm sagittal by 15–30 mm across (Panjabi et al., Spine 1991), joined to fat of
#: the recesses in some slices.
CANAL_MM2 = (80.0, 900.0)

#: Gaps in the ring that vertebral arches make: intervertebral foramina and ligamenta flava.
ARCH_GAP_MM = 5.0

#: As far as a canal strays between slices a few centimetres apart, and from the midline with scoliosis.
STRAY_MM = 25.0
MIDLINE_MM = 50.0


def find_canal(scan: Scan, body: Bool, midline: float, shaper: Shaper) -> NDArray[np.float64] | None:
    """Centre of the spinal canal in each coarse slice.

    Returns
    -------
    ndarray, shape (slices, 2), or None
        Indices (j, i), carried on linearly where a slice shows no closed ring; None where no canal is seen at all.
    """
    _, sj, si = scan.coarse_spacing
    bone = body & (scan.hu > TRABECULAR)
    holes = fill_slices(shaper.closed(bone, ARCH_GAP_MM)) & (scan.hu < BONE_SURFACE) & (scan.hu > FAT[0]) & ~bone
    holes = shaper.opened(holes, 1.5 * max(sj, si))
    labels, sizes = components(holes, IN_SLICE)
    area = sizes * sj * si
    fits = (area >= CANAL_MM2[0]) & (area <= CANAL_MM2[1])
    fits[0] = False
    holes = keep(labels, np.flatnonzero(fits))
    _, behind, _ = np.nonzero(body.any(axis=0, keepdims=True))
    if not len(behind):
        return None
    holes[:, : (behind.min() + behind.max()) // 2] = False  # the spine lies in the back half
    reach = int(MIDLINE_MM / si)
    holes[:, :, : max(0, int(midline) - reach)] = False
    holes[:, :, int(midline) + reach + 1 :] = False
    seen = holes.sum(axis=0, dtype=np.int32)
    if not seen.any():
        return None
    return _follow(holes, np.array(np.unravel_index(int(seen.argmax()), seen.shape), float), (sj, si))


def _follow(holes: Bool, start: NDArray[np.float64], mm: tuple[float, float]) -> NDArray[np.float64] | None:
    """Centres of the holes that hang together, nearest first to ``start``, the place where most slices have one."""
    found: dict[int, NDArray[np.float64]] = {}
    slices = np.flatnonzero(holes.any(axis=(1, 2)))
    first = min(slices, key=lambda k: _nearest(holes[k], start, mm)[1])
    for order in (slices[slices >= first], slices[slices < first][::-1]):
        last = found.get(int(first), start)
        for k in order:
            centre, away = _nearest(holes[k], last, mm)
            if away <= STRAY_MM:
                found[int(k)] = last = centre
    if not found:
        return None
    known = sorted(found)
    path = np.array([found[k] for k in known])
    all_slices = np.arange(len(holes))
    return np.stack([np.interp(all_slices, known, path[:, axis]) for axis in (0, 1)], axis=1)


def _nearest(hole: Bool, point: NDArray[np.float64], mm: tuple[float, float]) -> tuple[NDArray[np.float64], float]:
    """Centre of the hole's pixels within ``STRAY_MM`` of a point, and how far (mm) the nearest of them lies."""
    pixels = np.argwhere(hole)
    away = np.hypot(*((pixels - point) * mm).T)
    near = pixels[away <= max(STRAY_MM, away.min())]
    return near.mean(axis=0), float(away.min())


def around_canal(
    shape: tuple[int, ...],
    canal: NDArray[np.float64],
    mm: tuple[float, float],
    front: float,
    back: float,
    side: float | NDArray[np.float64],
) -> Bool:
    """A box in each slice: ``front`` mm before, ``back`` behind and ``side`` (one, or one per slice) to
    either side of the canal's centre."""
    _, nj, ni = shape
    j = (np.arange(nj)[None, :, None] - canal[:, 0, None, None]) * mm[0]
    i = (np.arange(ni)[None, None, :] - canal[:, 1, None, None]) * mm[1]
    box: Bool = (j >= -front) & (j <= back) & (np.abs(i) <= np.reshape(side, (-1, 1, 1)))
    return box
