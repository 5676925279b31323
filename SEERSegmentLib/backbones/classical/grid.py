"""A CT volume in LPS order, with a coarse copy on which shapes are found before they are drawn at full resolution.

Connected components and distances of a 512×512×400 scan would take several times its own memory; at 2 to 3 mm, finer
than any shape that is looked for, they take a twentieth. Full resolution is only ever visited slab by slab.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...protocols import CancelToken
from .hounsfield import PADDING, PADDING_BELOW, RANGE

Bool = NDArray[np.bool_]

#: Coarse voxels aim at this edge in mm: a quarter of the main bronchi's bore (10 to 15 mm), half a rib's thickness.
COARSE_MM = 2.0

#: Coarse voxels at most, so that working memory has a bound however fine the scan is: at some 40 bytes each, 160 MB.
COARSE_VOXELS = 4_000_000

#: Voxels of the volume that are looked at together.
SLAB_VOXELS = 4_000_000


@dataclass(frozen=True, eq=False)
class Outline:
    """A shape on the coarse grid and how to draw it finer.

    Attributes
    ----------
    sure : ndarray, bool
        Belongs to the shape whole.
    rules : tuple of (ndarray of bool, int, int)
        Where each voxel decides: those with CT numbers in [low, high] belong to it.
    """

    sure: Bool
    rules: tuple[tuple[Bool, int, int], ...] = ()


@dataclass(frozen=True, eq=False)
class Scan:
    """A CT in LPS index order.

    Attributes
    ----------
    voxels : ndarray, shape (k, j, i)
        The stored numbers, a view: k runs to the head (S), j to the back (P), i to the patient's left (L).
    spacing : tuple[float, float, float]
        mm along (k, j, i).
    factors : tuple[int, int, int]
        Voxels per coarse voxel along (k, j, i).
    hu : ndarray, int16, coarse shape
        Mean CT number of each block, after clipping to ``RANGE``; ``PADDING`` where most of it was not measured.
    """

    voxels: NDArray[Any]
    spacing: tuple[float, float, float]
    factors: tuple[int, int, int]
    hu: NDArray[np.int16]

    @property
    def measured(self) -> Bool:
        """False where the scanner wrote padding."""
        return self.hu > PADDING

    @property
    def is_fine(self) -> bool:
        """Whether the coarse grid is the volume's own."""
        return self.factors == (1, 1, 1)

    @property
    def coarse_spacing(self) -> tuple[float, float, float]:
        """mm along (k, j, i) of a coarse voxel."""
        (a, b, c), (x, y, z) = self.spacing, self.factors
        return a * x, b * y, c * z

    def slabs(self) -> Iterator[tuple[slice, slice]]:
        """Pairs (slices of the volume, slices of the coarse grid) that cover each other, foot to head."""
        thickness = self.factors[0]
        per_slab = max(1, SLAB_VOXELS // max(1, thickness * self.voxels.shape[1] * self.voxels.shape[2]))
        for first in range(0, self.hu.shape[0], per_slab):
            last = min(first + per_slab, self.hu.shape[0])
            yield slice(first * thickness, min(last * thickness, self.voxels.shape[0])), slice(first, last)

    def fine_hu(self, slices: slice) -> NDArray[np.int16]:
        """CT numbers of some slices at full resolution, clipped, as a C-ordered copy."""
        return _clipped(self.voxels[slices])

    def draw(self, outline: Outline, out: Bool, cancel: CancelToken) -> Bool:
        """Draw a coarse outline at full resolution.

        Parameters
        ----------
        out : ndarray, bool, shape of ``voxels``
            Written to and returned.
        """
        for fine, coarse in self.slabs():
            cancel.check()
            out[fine] = self.enlarge(outline.sure[coarse], fine)
            rules = [(where[coarse] & ~outline.sure[coarse], low, high) for where, low, high in outline.rules]
            if any(where.any() for where, _, _ in rules):
                hu = self.fine_hu(fine)
                for where, low, high in rules:
                    out[fine] |= self.enlarge(where, fine) & (hu >= low) & (hu <= high)
        return out

    def enlarge(self, coarse: NDArray[Any], slices: slice) -> NDArray[Any]:
        """Values of coarse slices (already cut out) on the voxels of the volume's ``slices``."""
        fk, fj, fi = self.factors
        depth = len(range(*slices.indices(self.voxels.shape[0])))
        fine = coarse.repeat(fk, axis=0)[:depth] if fk > 1 else coarse
        fine = fine.repeat(fj, axis=1)[:, : self.voxels.shape[1]] if fj > 1 else fine
        return fine.repeat(fi, axis=2)[:, :, : self.voxels.shape[2]] if fi > 1 else fine


def coarsen(
    voxels: NDArray[Any], spacing: tuple[float, float, float], cancel: CancelToken, mm: float = COARSE_MM
) -> Scan:
    """Prepare a CT (k, j, i) in LPS order, ``spacing`` in mm along the same axes, for work at about ``mm``."""
    factors = choose_factors(voxels.shape, spacing, mm)
    shape = tuple(-(-n // f) for n, f in zip(voxels.shape, factors, strict=True))
    scan = Scan(voxels, spacing, factors, np.empty(shape, np.int16))
    for fine, coarse in scan.slabs():
        cancel.check()
        block = voxels[fine]
        unmeasured = _block_mean((block < PADDING_BELOW).astype(np.int16) * 100, factors) > 50
        scan.hu[coarse] = np.where(unmeasured, PADDING, _block_mean(_clipped(block), factors))
    return scan


def choose_factors(
    shape: tuple[int, ...], spacing: tuple[float, float, float], mm: float = COARSE_MM
) -> tuple[int, int, int]:
    """Voxels per coarse voxel along each axis: nearest to ``mm``, and few enough in all."""
    factors = [max(1, int(mm / s + 0.5)) for s in spacing]
    while np.prod([-(-n // f) for n, f in zip(shape, factors, strict=True)]) > COARSE_VOXELS:
        factors[int(np.argmin([s * f for s, f in zip(spacing, factors, strict=True)]))] += 1
    return factors[0], factors[1], factors[2]


def _clipped(block: NDArray[Any]) -> NDArray[np.int16]:
    """CT numbers as C-ordered int16, rounded towards zero and clipped; whatever the stored type."""
    low, high = RANGE
    if block.dtype.kind == "u" or block.dtype.itemsize == 1:
        block = block.astype(np.int64)  # a type that holds the limits
    clipped: NDArray[np.int16] = np.clip(block, low, high).astype(np.int16, order="C")
    return clipped


def _block_mean(block: NDArray[np.int16], factors: tuple[int, int, int]) -> NDArray[np.int16]:
    """Means over blocks in integers, so that memory layout can't change a rounding; blocks at the end may be cut."""
    if factors == (1, 1, 1):
        return block
    sums = block.astype(np.int32)
    counts = []
    for axis, factor in enumerate(factors):
        starts = np.arange(0, block.shape[axis], factor)
        counts.append(np.diff(np.append(starts, block.shape[axis])))
        if factor > 1:
            sums = np.add.reduceat(sums, starts, axis=axis, dtype=np.int32)
    weights = counts[0][:, None, None] * counts[1][None, :, None] * counts[2][None, None, :]
    means: NDArray[np.int16] = (sums // weights).astype(np.int16)
    return means
