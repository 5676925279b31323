"""The spinal canal: the landmark that tells a vertebra from the contrast-filled aorta beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .grid import Scan
from .hounsfield import FAT, SOFT_TISSUE, TRABECULAR
from .morphology import IN_SLICE, Bool, Shaper, components, fill_slices

#: Cross-section of the bony canal: 13–25 mm sagittal by 15–30 mm across (Panjabi et al., Spine 1991), joined to fat of
#: the recesses in some slices.
CANAL_MM2 = (80.0, 900.0)

#: Cord, cerebrospinal fluid and fat are lighter than this: half soft tissue, half trabecular bone.
CORD_BELOW = (SOFT_TISSUE + TRABECULAR) // 2  # 87

#: Lateral recesses and foramina that join the canal are narrower than this, half the canal's least width.
RECESS_MM = 6.0

#: Gaps in the ring that vertebral arches make: intervertebral foramina and ligamenta flava.
ARCH_GAP_MM = 5.0

#: As far as the canal lies from the midline with scoliosis.
MIDLINE_MM = 50.0

#: A vertebral body's marrow, where it is no denser than cord and fluid, is a hole in bone too. It lies before the
#: canal: centres are half a canal and half a body apart, 6 to 13 and 7 to 20 mm (Panjabi et al., Spine 1991).
BODY_MM = (12.0, 40.0)
BODY_SIDE_MM = 15.0

#: A canal may be out of sight over two vertebrae (45 mm high each): fused, eroded, or open after laminectomy.
UNSEEN_MM = 90.0

#: Half the canal's sagittal width: centres of its cuts, foramina included or not, vary by less from slice to slice.
SWAY_MM = 10.0


def find_canal(scan: Scan, body: Bool, midline: float, shaper: Shaper) -> NDArray[np.float64] | None:
    """Centre of the spinal canal in each coarse slice.

    Returns
    -------
    ndarray, shape (slices, 2), or None
        Indices (j, i), carried on linearly where a slice shows no closed ring; None where no canal is seen at all.
    """
    _, sj, si = scan.coarse_spacing
    bone = body & (scan.hu > TRABECULAR)
    holes = fill_slices(shaper.closed(bone, ARCH_GAP_MM)) & (scan.hu < CORD_BELOW) & (scan.hu > FAT[0]) & ~bone
    in_slice = Shaper((RECESS_MM, sj, si))  # no ball reaches from slice to slice: a ring may be closed in one alone
    holes = in_slice.opened(holes, RECESS_MM / 2)
    labels, sizes = components(holes, IN_SLICE)
    area = sizes * sj * si
    fits = np.flatnonzero((area >= CANAL_MM2[0]) & (area <= CANAL_MM2[1]))
    fits = fits[fits > 0]
    behind = np.flatnonzero(body.any(axis=(0, 2)))
    if not len(fits):
        return None
    centres = np.array(ndimage.center_of_mass(holes, labels, fits)).reshape(-1, 3)
    likely = centres[:, 1] >= (behind[0] + behind[-1]) // 2  # the spine lies in the back half
    likely &= np.abs(centres[:, 2] - midline) * si <= MIDLINE_MM
    centres = centres[likely]
    if not len(centres):
        return None
    path = centres[_smoothest(centres * scan.coarse_spacing, scan.coarse_spacing[0])]
    slices = np.arange(len(holes))
    return np.stack([np.interp(slices, path[:, 0], path[:, axis]) for axis in (1, 2)], axis=1)


def _smoothest(centres: NDArray[np.float64], thickness: float) -> NDArray[np.intp]:
    """Which holes, one a slice, make the longest and straightest path: foot to head, as indices into ``centres``.

    Each slice counts with its thickness, against the square of the sideways step to it (dynamic programming). A hole
    with another at a canal's distance behind it counts against the path: it is a vertebral body.

    Parameters
    ----------
    centres : ndarray, shape (holes, 3)
        Of the holes, mm along (k, j, i), ordered by k.
    """
    worth = np.empty(len(centres))
    best = np.empty(len(centres))
    before = np.full(len(centres), -1, np.intp)
    for n, here in enumerate(centres):
        k, j, i = (centres - here).T
        behind = (np.abs(k) < thickness / 2) & (j > BODY_MM[0]) & (j < BODY_MM[1]) & (np.abs(i) < BODY_SIDE_MM)
        worth[n] = best[n] = -thickness if behind.any() else thickness
        below = np.flatnonzero((k < -thickness / 2) & (k >= -UNSEEN_MM))
        if len(below):
            step = (j[below] ** 2 + i[below] ** 2) / np.maximum(SWAY_MM, -k[below])
            total = best[below] - step
            if total.max() > 0:
                before[n] = below[total.argmax()]
                best[n] += total.max()
    path = [int(best.argmax())]
    while before[path[-1]] >= 0:
        path.append(int(before[path[-1]]))
    return np.array(path[::-1], np.intp)


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
