"""The slices that a box is followed through: cut to the box and a margin, and looked at one by one at about 1.5 mm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["RowBox", "Stack"]

Plane = NDArray[np.float64]
Bool = NDArray[np.bool_]

#: (row0, column0, row1, column1): edges of a box in continuous voxel indices along rows and columns.
RowBox = tuple[float, float, float, float]

#: Pixels aim at this edge in mm: what a box is drawn around is several times as large.
PIXEL_MM = 1.5

#: Pixels along the shorter side of a box at least, where the image has so many.
LEAST_PIXELS = 8

#: In the plane, an outline can grow this much beyond the box of the key slice: a share of its side, or so many mm.
MARGIN_SHARE = 0.05
MARGIN_MM = 8.0

#: Blur that takes the edge off the noise, standard deviation in mm.
BLUR_MM = 1.0


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices of a volume, all cut to the same window.

    Attributes
    ----------
    voxels : ndarray, shape (slices, rows, columns)
        A view of the volume; never copied as a whole.
    window : (slice, slice)
        The rows and columns that are looked at.
    factors : (int, int)
        Voxels per pixel along rows and columns.
    spacing : tuple[float, float, float]
        mm between slices, rows and columns of voxels.
    limits : (float, float)
        Intensities beyond which nothing more is told; infinite without any.
    """

    voxels: NDArray[Any]
    window: tuple[slice, slice]
    factors: tuple[int, int]
    spacing: tuple[float, float, float]
    limits: tuple[float, float]

    @classmethod
    def around(
        cls, voxels: NDArray[Any], box: RowBox, spacing: tuple[float, float, float], limits: tuple[float, float]
    ) -> Stack:
        """The window of a box and its margin, and the size of pixels that suits both."""
        window, factors = [], []
        for axis, (low, high) in enumerate(((box[0], box[2]), (box[1], box[3])), 1):
            side, mm, count = high - low, spacing[axis], voxels.shape[axis]
            margin = max(MARGIN_SHARE * side, MARGIN_MM / mm)
            start, stop = max(0, math.floor(low - margin + 0.5)), min(count, math.ceil(high + margin + 0.5))
            window.append(slice(start, stop))
            factors.append(max(1, min(round(PIXEL_MM / mm), math.floor(side / LEAST_PIXELS))))
        return cls(voxels, (window[0], window[1]), (factors[0], factors[1]), spacing, limits)

    @property
    def pixel_mm(self) -> tuple[float, float]:
        """Edges of a pixel along rows and columns."""
        return self.spacing[1] * self.factors[0], self.spacing[2] * self.factors[1]

    def image(self, index: int) -> Plane:
        """A slice within the window, as means over pixels, slightly blurred."""
        from scipy import ndimage

        plane = np.clip(self.voxels[index][self.window].astype(np.float64), *self.limits)
        for axis, factor in enumerate(self.factors):
            if factor > 1:
                plane = _block_mean(plane, axis, factor)
        return np.asarray(ndimage.gaussian_filter(plane, [BLUR_MM / mm for mm in self.pixel_mm], mode="nearest"))

    def ellipse(self, box: RowBox) -> Plane:
        """How far each pixel lies from a box's middle: 1 on the ellipse that touches the four sides, squared."""
        (rows, columns), (r0, c0, r1, c1) = self._centres(), box
        across = (rows - (r0 + r1) / 2) / ((r1 - r0) / 2)
        along = (columns - (c0 + c1) / 2) / ((c1 - c0) / 2)
        return np.asarray(across[:, None] ** 2 + along[None, :] ** 2)

    def inside(self, box: RowBox) -> Bool:
        """The pixels whose centres lie within a box, edges included; the nearest one where there is none."""
        return _within(self._centres(), box)

    def inside_voxels(self, box: RowBox) -> Bool:
        """The same for the voxels of the window."""
        rows, columns = (np.arange(part.start, part.stop, dtype=np.float64) for part in self.window)
        return _within((rows, columns), box)

    def enlarged(self, plane: Plane) -> Plane:
        """Values of pixels on the voxels of the window, linearly between the pixels' centres."""
        from scipy import ndimage

        if self.factors == (1, 1):
            return plane
        shape = tuple(part.stop - part.start for part in self.window)
        steps = [1.0 / factor for factor in self.factors]
        offset = [0.5 * step - 0.5 for step in steps]
        return np.asarray(ndimage.affine_transform(plane, steps, offset, output_shape=shape, order=1, mode="nearest"))

    def _centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Centres of pixels along rows and columns, in continuous voxel indices of the volume."""
        found = []
        for part, factor in zip(self.window, self.factors, strict=True):
            count = -(-(part.stop - part.start) // factor)
            found.append(part.start + (np.arange(count) + 0.5) * factor - 0.5)
        return found[0], found[1]


def _within(centres: tuple[NDArray[np.float64], NDArray[np.float64]], box: RowBox) -> Bool:
    parts = []
    for places, low, high in zip(centres, (box[0], box[1]), (box[2], box[3]), strict=True):
        within = (places >= low) & (places <= high)
        if not within.any():
            within[np.abs(places - (low + high) / 2).argmin()] = True
        parts.append(within)
    return np.asarray(parts[0][:, None] & parts[1][None, :])


def _block_mean(plane: Plane, axis: int, factor: int) -> Plane:
    """Means over blocks along an axis; the last block may be cut."""
    starts = np.arange(0, plane.shape[axis], factor)
    sums = np.add.reduceat(plane, starts, axis=axis)
    counts = np.diff(np.append(starts, plane.shape[axis]))
    return np.asarray(sums / (counts[:, None] if axis == 0 else counts[None, :]))
