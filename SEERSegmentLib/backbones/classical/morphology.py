"""Shapes of masks on a grid measured in millimetres, so that thick slices and thin ones give the same anatomy.

Outside of the image nothing is known: erosion does not eat into a body that the field of view cuts off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

Bool = NDArray[np.bool_]
Labels = NDArray[np.int32]

#: Far below any voxel, far above the rounding of single-precision distances.
TOLERANCE_MM = 1e-2

#: Shifts of an array that cost as much as one distance map.
DISCS = 250

#: Neighbours within one axial slice only.
IN_SLICE = np.array([[[0, 0, 0]] * 3, [[0, 1, 0], [1, 1, 1], [0, 1, 0]], [[0, 0, 0]] * 3], bool)


@dataclass(frozen=True)
class Shaper:
    """Morphology with structuring elements given in mm.

    Parameters
    ----------
    spacing : tuple[float, float, float]
        mm along (k, j, i).
    """

    spacing: tuple[float, float, float]

    @property
    def voxel_ml(self) -> float:
        a, b, c = self.spacing
        return a * b * c / 1000.0

    def distance(self, mask: Bool) -> NDArray[np.float32]:
        """Distance in mm from each voxel's centre to that of the nearest voxel of the mask; 0 inside.

        Infinite where the mask is empty. (Maurer et al., IEEE TPAMI 2003: exact, linear in the number of voxels.)
        """
        if not mask.any():
            return np.full(mask.shape, np.inf, np.float32)
        image: Any = sitk.GetImageFromArray(np.ascontiguousarray(mask).view(np.uint8))
        image.SetSpacing([float(s) for s in reversed(self.spacing)])
        measure: Any = sitk.SignedMaurerDistanceMap
        image = measure(image, insideIsPositive=False, squaredDistance=False, useImageSpacing=True)
        far: NDArray[np.float32] = sitk.GetArrayFromImage(image)
        return np.maximum(far, 0.0, out=far)

    def dilate(self, mask: Bool, mm: float) -> Bool:
        """Every voxel within ``mm`` of the mask."""
        discs = self._discs(mm)
        if len(discs) > DISCS:
            return self.distance(mask) <= mm + TOLERANCE_MM
        return _spread(mask, discs)

    def erode(self, mask: Bool, mm: float) -> Bool:
        """Every voxel of the mask that lies farther than ``mm`` from what is not mask."""
        return ~self.dilate(~mask, mm)

    def _discs(self, mm: float) -> list[tuple[int, int, int]]:
        """A ball as runs along i: (step along k, step along j, half length along i), in voxels."""
        reach = mm + TOLERANCE_MM
        sk, sj, si = self.spacing
        rk, rj = int(reach / sk), int(reach / sj)
        runs = []
        for dk in range(-rk, rk + 1):
            for dj in range(-rj, rj + 1):
                left = reach**2 - (dk * sk) ** 2 - (dj * sj) ** 2
                if left >= 0:
                    runs.append((dk, dj, int(left**0.5 / si)))
        return runs

    def opened(self, mask: Bool, mm: float) -> Bool:
        """What a ball of radius ``mm`` reaches inside the mask."""
        return self.dilate(self.erode(mask, mm), mm) & mask

    def closed(self, mask: Bool, mm: float) -> Bool:
        """The mask with gaps narrower than 2 ``mm`` filled, but for those between mask and edge of the image."""
        margin = [(int(mm / s) + 1,) * 2 for s in self.spacing]
        inner = tuple(slice(n, -n) for n, _ in margin)
        return self.erode(self.dilate(np.pad(mask, margin), mm), mm)[inner] | mask


def _spread(mask: Bool, discs: list[tuple[int, int, int]]) -> Bool:
    """Dilate by shifting whole arrays: several times faster than a distance map while the ball is small."""
    longest = max(run for _, _, run in discs)
    runs = [mask]
    for step in range(1, longest + 1):
        wider = runs[-1].copy()
        if step < mask.shape[2]:
            wider[:, :, step:] |= mask[:, :, :-step]
            wider[:, :, :-step] |= mask[:, :, step:]
        runs.append(wider)
    out = np.zeros(mask.shape, np.bool_)
    nk, nj = mask.shape[:2]
    for dk, dj, run in discs:
        if abs(dk) < nk and abs(dj) < nj:
            to = np.s_[max(0, dk) : nk + min(0, dk), max(0, dj) : nj + min(0, dj)]
            fro = np.s_[max(0, -dk) : nk + min(0, -dk), max(0, -dj) : nj + min(0, -dj)]
            out[to] |= runs[run][fro]
    return out


def components(mask: Bool, structure: NDArray[np.bool_] | None = None) -> tuple[Labels, NDArray[np.int64]]:
    """Label connected pieces (6-neighbours unless told) and count their voxels; sizes[0] is the background."""
    labels = np.empty(mask.shape, np.int32)
    count = int(ndimage.label(mask, structure=structure, output=labels))
    return labels, count_labels(labels, None, count + 1)


def count_labels(labels: Labels, where: Bool | None, length: int) -> NDArray[np.int64]:
    """Voxels of each label, within ``where`` if that is given.

    Slice by slice: numpy counts and indexes with 64-bit copies, which for a whole grid are eight times a mask.
    """
    sizes = np.zeros(length, np.int64)
    for k, inside in enumerate(labels):
        sizes += np.bincount(inside.ravel() if where is None else inside[where[k]], minlength=length)
    return sizes


def keep(labels: Labels, wanted: Sequence[int] | NDArray[np.integer]) -> Bool:
    """The mask of some labels."""
    table = np.zeros(int(labels.max()) + 1, bool)
    table[np.asarray(wanted, dtype=np.intp)] = True
    return mapped(labels, table)


def mapped(labels: Labels, table: Bool) -> Bool:
    """What a table says of each voxel's label, slice by slice."""
    mask = np.empty(labels.shape, np.bool_)
    for out, inside in zip(mask, labels, strict=True):
        np.take(table, inside, out=out)
    return mask


def touching(labels: Labels, mask: Bool) -> NDArray[np.integer]:
    """Labels, background excepted, that share a voxel with the mask."""
    length = int(labels.max()) + 1
    found = np.flatnonzero(count_labels(labels, mask, length))
    return found[found > 0]


def reconstruct(seeds: Bool, mask: Bool, structure: NDArray[np.bool_] | None = None) -> Bool:
    """The connected pieces of ``mask`` that hold a seed."""
    labels, _ = components(mask, structure)
    return keep(labels, touching(labels, seeds & mask))


def fill_slices(mask: Bool, largest: int | None = None) -> Bool:
    """Fill what is enclosed within each axial slice; only holes of up to ``largest`` voxels where that is given."""
    padded = np.pad(~mask, ((0, 0), (1, 1), (1, 1)), constant_values=True)
    labels, sizes = components(padded, IN_SLICE)
    stays = np.zeros(len(sizes), np.bool_)
    stays[touching(labels[:, :1, :], np.ones_like(labels[:, :1, :], bool))] = True
    if largest is not None:
        stays |= sizes > largest
        stays[0] = False
    return mapped(labels, ~stays)[:, 1:-1, 1:-1]


def enclosed(mask: Bool, spacing: tuple[float, float, float], largest_mm2: float) -> Bool:
    """What a mask encloses in at least two of the three planes, without the mask, in holes up to ``largest_mm2``.

    A canal or a foramen is open along its own axis, so that only the plane across it shows a hole.
    """
    votes = np.zeros(mask.shape, np.uint8)
    for axis in range(3):
        pixel = spacing[axis - 2] * spacing[axis - 1]
        turned = np.swapaxes(mask, 0, axis)
        votes += np.swapaxes(fill_slices(turned, int(largest_mm2 / pixel)) & ~turned, 0, axis)
    several: Bool = votes >= 2
    return several


def edges(mask: Bool) -> tuple[Bool, Bool]:
    """The mask without its outermost voxels, and with one more layer of voxels."""
    cross = ndimage.generate_binary_structure(3, 1)
    return ndimage.binary_erosion(mask, cross, border_value=1), ndimage.binary_dilation(mask, cross)


def interior(mask: Bool) -> tuple[slice, slice, slice]:
    """The smallest box around a mask that is not empty."""
    found = ndimage.find_objects(mask.view(np.uint8))[0]
    return found[0], found[1], found[2]


def watershed(relief: NDArray[np.int16], markers: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Flood the relief from the markers, lowest first; every voxel gets the marker that reaches it first.

    (Beucher and Meyer 1993: the flooding of marked basins, without watershed lines.)
    """
    flood: Any = sitk.MorphologicalWatershedFromMarkers
    flooded = flood(sitk.GetImageFromArray(relief), sitk.GetImageFromArray(markers), False, False)
    basins: NDArray[np.uint8] = sitk.GetArrayFromImage(flooded)
    return basins
