"""A binary mask without the emptiness around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class CroppedArray:
    """A binary mask (k, j, i), cropped: ``voxels[0, 0, 0]`` lies at ``origin`` of a grid of shape ``grid``.

    Attributes
    ----------
    voxels : ndarray, shape (k, j, i), bool
        Numbers are taken too: what is not 0 belongs to the mask. An empty mask has shape (0, 0, 0).
    origin : tuple[int, int, int]
        (k, j, i).
    grid : tuple[int, int, int]
        Shape (k, j, i) of the whole volume.

    Raises
    ------
    ValueError
        Where the box does not lie within the grid.
    """

    voxels: NDArray[Any]
    origin: tuple[int, int, int]
    grid: tuple[int, int, int]

    def __post_init__(self) -> None:
        voxels = self.voxels if self.voxels.dtype == np.bool_ else self.voxels != 0
        if voxels.ndim != 3 or len(self.origin) != 3 or len(self.grid) != 3:
            raise ValueError("a mask has three axes")
        if not voxels.size:
            voxels = np.zeros((0, 0, 0), np.bool_)
        for start, length, whole in zip(self.origin, voxels.shape, self.grid, strict=True):
            if start < 0 or start + length > whole:
                raise ValueError(f"a box at {self.origin} of {voxels.shape} reaches out of a grid of {self.grid}")
        object.__setattr__(self, "voxels", voxels)

    @classmethod
    def of(cls, mask: NDArray[Any]) -> CroppedArray:
        """The mask (k, j, i) on a whole grid, cropped to its bounding box; its voxels are a copy."""
        box, grid = mask, (mask.shape[0], mask.shape[1], mask.shape[2])
        origin = [0, 0, 0]
        for axis in range(3):
            others = tuple(other for other in range(3) if other != axis)
            found = np.flatnonzero(box.any(axis=others))
            if not found.size:
                return cls(np.zeros((0, 0, 0), np.bool_), (0, 0, 0), grid)
            cut: list[slice] = [slice(None)] * 3
            origin[axis] = int(found[0])
            cut[axis] = slice(int(found[0]), int(found[-1]) + 1)
            box = box[tuple(cut)]
        return cls(np.array(box), (origin[0], origin[1], origin[2]), grid)

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Where in the grid the voxels lie: ``whole[mask.box]``."""
        k, j, i = (slice(start, start + n) for start, n in zip(self.origin, self.voxels.shape, strict=True))
        return k, j, i

    @property
    def count(self) -> int:
        """Number of voxels in the mask."""
        return int(np.count_nonzero(self.voxels))

    def whole(self) -> NDArray[np.bool_]:
        """The mask on the whole grid."""
        mask = np.zeros(self.grid, np.bool_)
        mask[self.box] = self.voxels
        return mask
