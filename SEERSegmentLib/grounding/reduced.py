"""The image on a coarse grid whose axes are the patient's own: what all measuring is done on.

Rows run along S, A and R, ascending, whatever the file's orientation, so that one set of algorithms serves all 48
axis orders and oblique scans, and a 512×512×400 scan becomes about a million voxels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..protocols import CancelToken
from ..values import Volume

__all__ = ["TARGET_STEP_MM", "ReducedGrid", "oriented_index", "reduce_volume"]

#: Coarse enough to be cheap, fine enough for what is looked for: a trachea is 15-25 mm wide, a rib 10 mm,
#: a vertebra 15 mm high or more.
TARGET_STEP_MM = 4.0
#: Memory bound of the grid (32 MB as float32): a whole-body scan at 4 mm fits.
MAX_SAMPLES = 8_000_000
#: Fewest samples along the longest axis, so that a small object still gives intensities.
MIN_SAMPLES_ACROSS = 64
#: An axis that leaves its anatomical direction by less than this (cosine; 1 degree) is read without resampling.
ALIGNED_COSINE = math.cos(math.radians(1.0))


@dataclass(frozen=True, eq=False)
class ReducedGrid:
    """The reduced image.

    Attributes
    ----------
    values : ndarray, shape (s, a, r), float32
        Intensities; ``fill`` where nothing was scanned.
    scanned : ndarray, shape (s, a, r), bool
        False outside of the scanned box (oblique volumes) and where a voxel is not a finite number.
    step_mm : tuple[float, float, float]
        Along (S, A, R).
    origin_mm : tuple[float, float, float]
        RAS coordinates (S, A, R) of ``values[0, 0, 0]``.
    """

    values: NDArray[np.float32]
    scanned: NDArray[np.bool_]
    step_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]

    def axis_mm(self, axis: int) -> NDArray[np.float64]:
        """RAS coordinates in mm of the grid's rows along ``axis`` (0 S, 1 A, 2 R)."""
        steps = np.arange(self.values.shape[axis], dtype=np.float64)
        return np.asarray(self.origin_mm[axis] + self.step_mm[axis] * steps, dtype=np.float64)

    @cached_property
    def s_mm(self) -> NDArray[np.float64]:
        """Heights of the rows, RAS S in mm."""
        return self.axis_mm(0)

    @cached_property
    def r_mm(self) -> NDArray[np.float64]:
        """RAS R of the columns in mm: more means further to the patient's right."""
        return self.axis_mm(2)

    @property
    def pixel_cm2(self) -> float:
        """Area of one pixel of an axial row in cm²."""
        return self.step_mm[1] * self.step_mm[2] / 100.0

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in mL."""
        return math.prod(self.step_mm) / 1000.0


def oriented_index(affine: NDArray[np.float64]) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """Which array axis (of k, j, i) runs along S, A and R, and whether it has to be flipped to ascend.

    Nearest directions, greedily, largest component first; well defined for oblique volumes too.
    """
    cosines = np.abs(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))
    axis_of: dict[int, int] = {}
    left = cosines.copy()
    for _ in range(3):
        world, index = (int(x) for x in np.unravel_index(int(np.argmax(left)), (3, 3)))
        axis_of[world] = index
        left[world, :] = -1.0
        left[:, index] = -1.0
    order = (2 - axis_of[2], 2 - axis_of[1], 2 - axis_of[0])  # index axis 0 is i, the array's last
    flips = (
        bool(affine[2, axis_of[2]] < 0),
        bool(affine[1, axis_of[1]] < 0),
        bool(affine[0, axis_of[0]] < 0),
    )
    return order, flips


def reduce_volume(volume: Volume, cancel: CancelToken, step_mm: float = TARGET_STEP_MM) -> ReducedGrid:
    """Sample a volume onto the patient's axes at about ``step_mm``.

    Parameters
    ----------
    volume : Volume
    cancel : CancelToken
    step_mm : float
        Wanted spacing; a coarser volume keeps its own.

    Raises
    ------
    Cancelled
    """
    corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=float)
    corners[:, :3] *= np.array(volume.shape[::-1]) - 1
    world = corners @ volume.affine.T
    low, high = world[:, :3].min(axis=0)[::-1], world[:, :3].max(axis=0)[::-1]  # (S, A, R)
    extent = np.maximum(high - low, np.array(volume.spacing).min())
    step = min(step_mm, float(extent.max()) / MIN_SAMPLES_ACROSS)
    step = max(step, float(math.prod(extent) / MAX_SAMPLES) ** (1 / 3))
    cosines = np.abs(volume.affine[:3, :3] / np.linalg.norm(volume.affine[:3, :3], axis=0))
    if bool((cosines.max(axis=0) >= ALIGNED_COSINE).all()):
        return _strided(volume, step, low, cancel)
    return _sampled(volume, max(step, min(volume.spacing)), low, high, cancel)


def _strided(volume: Volume, step: float, low: NDArray[np.float64], cancel: CancelToken) -> ReducedGrid:
    """Axis-aligned volumes: every n-th voxel, averaged with its next neighbours against noise."""
    order, flips = oriented_index(volume.affine)
    oriented = volume.voxels.transpose(order)
    oriented = oriented[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    spacing = np.array(volume.spacing)[[2 - axis for axis in order]]
    strides = np.maximum(1, np.rint(step / spacing)).astype(int)
    strides = np.minimum(strides, oriented.shape)
    pairs = [2 if n > 1 else 1 for n in strides]
    counts = [(length - pair) // n + 1 for length, n, pair in zip(oriented.shape, strides, pairs, strict=True)]
    total = np.zeros(counts, dtype=np.float32)
    for ds in range(pairs[0]):
        for da in range(pairs[1]):
            cancel.check()
            for dr in range(pairs[2]):
                part = oriented[ds :: strides[0], da :: strides[1], dr :: strides[2]]
                total += part[: counts[0], : counts[1], : counts[2]]
    total /= math.prod(pairs)
    scanned = np.isfinite(total)
    total[~scanned] = 0.0
    shift = (np.array(pairs) - 1) / 2 * spacing
    steps = strides * spacing
    return ReducedGrid(
        total,
        scanned,
        (float(steps[0]), float(steps[1]), float(steps[2])),
        (float(low[0] + shift[0]), float(low[1] + shift[1]), float(low[2] + shift[2])),
    )


def _sampled(
    volume: Volume, step: float, low: NDArray[np.float64], high: NDArray[np.float64], cancel: CancelToken
) -> ReducedGrid:
    """Oblique volumes: nearest voxel at each point of a grid along the patient's axes."""
    counts = np.floor((high - low) / step).astype(int) + 1
    values = np.zeros(counts, dtype=np.float32)
    scanned = np.zeros(counts, dtype=np.bool_)
    to_index = np.linalg.inv(volume.affine)
    a, r = np.meshgrid(low[1] + step * np.arange(counts[1]), low[2] + step * np.arange(counts[2]), indexing="ij")
    plane = to_index[:3, 0, None, None] * r + to_index[:3, 1, None, None] * a + to_index[:3, 3, None, None]
    shape = np.array(volume.shape[::-1])[:, None, None]
    for row in range(counts[0]):
        cancel.check()
        index = np.rint(plane + to_index[:3, 2, None, None] * (low[0] + step * row)).astype(np.intp)
        inside = ((index >= 0) & (index < shape)).all(axis=0)
        i, j, k = index[:, inside]
        values[row][inside] = volume.voxels[k, j, i]
        scanned[row] = inside
    scanned &= np.isfinite(values)
    values[~scanned] = 0.0
    return ReducedGrid(values, scanned, (step, step, step), (float(low[0]), float(low[1]), float(low[2])))
