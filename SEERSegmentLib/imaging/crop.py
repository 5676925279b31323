"""A box of a volume, and masks put back from it onto the whole grid: nothing is interpolated."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..values import Volume

__all__ = ["Crop", "check_crop", "crop_words", "cropped_volume", "on_whole_grid"]

#: Half-open voxel ranges along the array's axes: ((k0, k1), (j0, j1), (i0, i1)).
Crop = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def check_crop(crop: Crop, shape: tuple[int, int, int]) -> Crop:
    """The crop in plain ints, if it holds a voxel and lies within a grid of ``shape`` (k, j, i).

    Raises
    ------
    UsageError
        ``crop-outside``.
    """
    try:
        k, j, i = ((operator.index(start), operator.index(stop)) for start, stop in crop)
    except (TypeError, ValueError) as error:
        raise UsageError(
            "The region of interest is not three ranges of whole voxels.", code="crop-outside", detail=repr(crop)
        ) from error
    for (start, stop), length in zip((k, j, i), shape, strict=True):
        if not 0 <= start < stop <= length:
            raise UsageError(
                "The region of interest is empty or reaches out of the image; choose one that lies within it.",
                code="crop-outside",
                detail=f"crop {(k, j, i)}, image {shape}, both (k, j, i)",
            )
    return k, j, i


def crop_words(crop: Crop) -> str:
    """``"i 10 to 89, j 0 to 511, k 3 to 40"``: first and last voxel along each axis, from 0."""
    return ", ".join(f"{axis} {start} to {stop - 1}" for axis, (start, stop) in zip("ijk", crop[::-1], strict=True))


def cropped_volume(volume: Volume, crop: Crop) -> Volume:
    """The volume within the crop, in its place in the patient; its voxels are a view of the volume's own.

    Everything else is kept, and ``transforms`` says what was done. Raises UsageError ``crop-outside``.
    """
    k, j, i = check_crop(crop, volume.shape)
    affine = np.array(volume.affine)
    affine[:3, 3] += affine[:3, :3] @ np.array([i[0], j[0], k[0]], dtype=np.float64)
    return replace(
        volume,
        voxels=volume.voxels[k[0] : k[1], j[0] : j[1], i[0] : i[1]],
        affine=affine,
        transforms=(*volume.transforms, f"cropped to voxels {crop_words((k, j, i))}"),
    )


def on_whole_grid(cropped: NDArray[Any], crop: Crop, shape: tuple[int, int, int]) -> NDArray[Any]:
    """An array of the crop's shape on the grid of ``shape`` (k, j, i), same dtype; 0 outside of the crop."""
    whole = np.zeros(shape, dtype=cropped.dtype)
    (k0, k1), (j0, j1), (i0, i1) = crop
    whole[k0:k1, j0:j1, i0:i1] = cropped
    return whole
