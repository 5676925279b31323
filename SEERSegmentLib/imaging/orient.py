"""Index order: bringing a volume to LPS by permuting and flipping axes, and masks back to the grid they belong to.

Nothing is copied or interpolated: the voxels are strided views of the same memory, and the affine follows exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import VolumeError
from ..values import Volume

__all__ = ["Reorientation", "from_lps", "reorientation_to", "to_lps"]

_WORLD = {"R": 0, "L": 0, "A": 1, "P": 1, "S": 2, "I": 2}


@dataclass(frozen=True)
class Reorientation:
    """A permutation and flips of voxel axes, with its inverse.

    Attributes
    ----------
    source_shape : tuple[int, int, int]
        Voxels (k, j, i) before.
    axes : tuple[int, int, int]
        Array axis of the source for each array axis (k, j, i) of the result.
    flips : tuple[bool, bool, bool]
        Whether each array axis of the result runs against the source's.
    """

    source_shape: tuple[int, int, int]
    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    @property
    def is_identity(self) -> bool:
        return self.axes == (0, 1, 2) and not any(self.flips)

    def apply(self, voxels: NDArray[Any]) -> NDArray[Any]:
        """Source (k, j, i) → result (k, j, i), as a view."""
        if voxels.shape != self.source_shape:
            raise ValueError(f"array of shape {voxels.shape} is not on the grid {self.source_shape}")
        return voxels.transpose(self.axes)[tuple(slice(None, None, -1 if f else 1) for f in self.flips)]

    def invert(self, voxels: NDArray[Any]) -> NDArray[Any]:
        """Result (k, j, i) → source (k, j, i), as a view: a mask back to the input grid."""
        if voxels.shape != tuple(self.source_shape[a] for a in self.axes):
            raise ValueError(f"array of shape {voxels.shape} is not on the reoriented grid")
        unflipped = voxels[tuple(slice(None, None, -1 if f else 1) for f in self.flips)]
        return unflipped.transpose(tuple(int(a) for a in np.argsort(self.axes)))

    def index_affine(self) -> NDArray[np.float64]:
        """Result index (i, j, k, 1) → source index (i, j, k, 1); integers, so exact."""
        matrix = np.zeros((4, 4))
        matrix[3, 3] = 1.0
        for result_array_axis, (source_array_axis, flip) in enumerate(zip(self.axes, self.flips, strict=True)):
            row, column = 2 - source_array_axis, 2 - result_array_axis
            matrix[row, column] = -1.0 if flip else 1.0
            if flip:
                matrix[row, 3] = self.source_shape[source_array_axis] - 1
        return matrix


def reorientation_to(volume: Volume, target: str = "LPS") -> Reorientation:
    """The permutation and flips that bring a volume's axes (i, j, k) nearest to ``target``, such as ``"LPS"``."""
    codes = volume.axis_codes
    axes, flips = [0, 0, 0], [False, False, False]
    for column, letter in enumerate(target):
        source = next(c for c, code in enumerate(codes) if _WORLD[code] == _WORLD[letter])
        axes[2 - column] = 2 - source
        flips[2 - column] = codes[source] != letter
    return Reorientation(volume.shape, (axes[0], axes[1], axes[2]), (flips[0], flips[1], flips[2]))


def to_lps(volume: Volume) -> Volume:
    """The same image with i running to the left, j to the back (posterior), k to the head (superior), nearest.

    Returns
    -------
    Volume
        Its voxels are a view of the same memory; its affine maps every voxel to the very point it had. An oblique
        volume stays oblique. ``transforms`` gains a line where anything was turned.
    """
    turn = reorientation_to(volume)
    if turn.is_identity:
        return volume
    return replace(
        volume,
        voxels=turn.apply(volume.voxels),
        affine=volume.affine @ turn.index_affine(),
        transforms=(*volume.transforms, f"reoriented {volume.axis_codes} to LPS"),
    )


def from_lps(array: NDArray[Any], original: Volume) -> NDArray[Any]:
    """Bring an array that lies on ``to_lps(original)``'s grid back to the grid of ``original``, as a view.

    Parameters
    ----------
    array : ndarray, shape (k, j, i) of ``to_lps(original)``
        A mask or a map.
    original : Volume

    Returns
    -------
    ndarray, shape ``original.shape``

    Raises
    ------
    VolumeError
        ``grid-mismatch`` where the array has another shape.
    """
    turn = reorientation_to(original)
    try:
        return turn.invert(array)
    except ValueError as error:
        raise VolumeError(
            "A mask does not lie on the image's grid.", code="grid-mismatch", detail=str(error)
        ) from error
