"""Heights in the patient as slice numbers that a reader can look up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..values import Volume
from .reduced import oriented_index

__all__ = ["AxialSlices"]


@dataclass(frozen=True)
class AxialSlices:
    """The slices of a volume counted from the feet up, which is their order after reorientation to LPS.

    Attributes
    ----------
    count : int
    bottom_mm : float
        RAS S of the centre of slice 0 (of its middle, where slices are oblique).
    step_mm : float
        Rise from one slice to the next.
    """

    count: int
    bottom_mm: float
    step_mm: float

    @classmethod
    def of(cls, volume: Volume) -> AxialSlices:
        """The slices along the axis nearest to head-foot."""
        order, flips = oriented_index(volume.affine)
        axis = 2 - order[0]  # of (i, j, k)
        middle = (np.array(volume.shape[::-1]) - 1) / 2.0
        count = volume.shape[order[0]]
        middle[axis] = count - 1 if flips[0] else 0
        bottom = float(volume.affine[2, :3] @ middle + volume.affine[2, 3])
        return cls(count, bottom, abs(float(volume.affine[2, axis])))

    def index(self, s_mm: float) -> int:
        """The slice nearest to a height, within the volume."""
        return int(np.clip(round((s_mm - self.bottom_mm) / self.step_mm), 0, self.count - 1))

    def all(self) -> str:
        """Every slice, as an evidence's source."""
        return self._named(0, self.count - 1)

    def between(self, low_mm: float, high_mm: float) -> str:
        """The slices from one height to another, as an evidence's source."""
        return self._named(*sorted((self.index(low_mm), self.index(high_mm))))

    @staticmethod
    def _named(first: int, last: int) -> str:
        if first == last:
            return f"axial slice {first} (LPS order)"
        return f"axial slices {first}-{last} (LPS order)"
