"""How well two masks agree. Arrays in any one frame; both of the same shape; nothing is resampled.

    dice(a, b) = 2 |a ∩ b| / (|a| + |b|)          jaccard(a, b) = |a ∩ b| / |a ∪ b|
    sensitivity(mask, truth) = |mask ∩ truth| / |truth|
    precision(mask, truth) = |mask ∩ truth| / |mask|

(Taha and Hanbury, BMC Medical Imaging 2015, equations 6, 8, 9 and 15.) Where a ratio is 0 / 0, the masks that it is
about are empty, and nothing is wrong: it is 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .values import CroppedArray

__all__ = [
    "Overlap",
    "cropped_overlap",
    "dice",
    "jaccard",
    "overlap",
    "precision",
    "relative_volume_difference",
    "sensitivity",
]


@dataclass(frozen=True)
class Overlap:
    """Voxel counts from which every measure of overlap follows.

    Attributes
    ----------
    both, first, second : int
        |a ∩ b|, |a|, |b|.
    """

    both: int
    first: int
    second: int

    @property
    def dice(self) -> float:
        return _ratio(2 * self.both, self.first + self.second)

    @property
    def jaccard(self) -> float:
        return _ratio(self.both, self.first + self.second - self.both)


def overlap(first: NDArray[Any], second: NDArray[Any]) -> Overlap:
    """Count the voxels of two masks and of their intersection.

    Parameters
    ----------
    first, second : ndarray, same shape
        Boolean; in any other type, what is not 0 belongs to the mask.

    Raises
    ------
    ValueError
        Where the shapes differ.
    """
    if first.shape != second.shape:
        raise ValueError(f"masks of shapes {first.shape} and {second.shape} don't lie on one grid")
    both = in_first = in_second = 0
    for a, b in zip(np.atleast_2d(first), np.atleast_2d(second), strict=True):  # by slices: no copy of a whole volume
        x, y = a.astype(np.bool_, copy=False), b.astype(np.bool_, copy=False)
        both += int(np.count_nonzero(x & y))
        in_first += int(np.count_nonzero(x))
        in_second += int(np.count_nonzero(y))
    return Overlap(both, in_first, in_second)


def cropped_overlap(first: CroppedArray, second: CroppedArray) -> Overlap:
    """:func:`overlap` of two cropped masks on one grid; only the voxels that both boxes hold are looked at.

    Raises
    ------
    ValueError
        Where the grids differ.
    """
    if first.grid != second.grid:
        raise ValueError(f"masks of grids {first.grid} and {second.grid} don't lie on one grid")
    starts = [max(a, b) for a, b in zip(first.origin, second.origin, strict=True)]
    stops = [min(a.stop, b.stop) for a, b in zip(first.box, second.box, strict=True)]
    both = 0
    if all(start < stop for start, stop in zip(starts, stops, strict=True)):
        parts = []
        for mask in (first, second):
            ends = zip(starts, stops, mask.origin, strict=True)
            k, j, i = (slice(start - at, stop - at) for start, stop, at in ends)
            parts.append(mask.voxels[k, j, i])
        both = int(np.count_nonzero(parts[0] & parts[1]))
    return Overlap(both, first.count, second.count)


def dice(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Dice coefficient, 0 to 1; 1 for two empty masks. See :func:`overlap` for the parameters."""
    return overlap(first, second).dice


def jaccard(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Jaccard index (intersection over union), 0 to 1; 1 for two empty masks."""
    return overlap(first, second).jaccard


def sensitivity(mask: NDArray[Any], truth: NDArray[Any]) -> float:
    """Share of the truth that the mask holds; 1 where the truth is empty."""
    counts = overlap(mask, truth)
    return _ratio(counts.both, counts.second)


def precision(mask: NDArray[Any], truth: NDArray[Any]) -> float:
    """Share of the mask that is true; 1 where the mask is empty."""
    counts = overlap(mask, truth)
    return _ratio(counts.both, counts.first)


def relative_volume_difference(mask: NDArray[Any], truth: NDArray[Any]) -> float:
    """(|mask| − |truth|) / |truth|: above 0 where too much is outlined; 0 for two empty masks."""
    counts = overlap(mask, truth)
    if counts.second == 0:
        return 0.0 if counts.first == 0 else float("inf")
    return (counts.first - counts.second) / counts.second


def _ratio(part: int, whole: int) -> float:
    return 1.0 if whole == 0 else part / whole
