"""What voxels must be before SEER looks at them: finite, and not all the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import VolumeError

__all__ = ["check_finite", "check_not_constant"]

_LARGEST = float(np.finfo(np.float32).max)


def check_finite(voxels: NDArray[Any]) -> None:
    """Refuse NaN (``voxels-nan``), infinite (``voxels-infinite``) and absurd (``voxels-absurd``) voxels; one pass.

    Absurd is what single precision can't hold: no scanner measures 1e38 of anything, and views and measurements are
    made in single precision.
    """
    if voxels.dtype.kind != "f":
        return
    for index, slab in enumerate(voxels):
        if np.isfinite(slab).all():
            if slab.dtype.itemsize > 4 and max(-float(slab.min()), float(slab.max())) > _LARGEST:
                raise VolumeError(
                    "Some voxels of this image hold numbers that no scanner measures; the file is damaged.",
                    code="voxels-absurd",
                    detail=f"first in slice {index}",
                )
            continue
        if np.isnan(slab).any():
            raise VolumeError(
                "Some voxels of this image are not numbers (NaN); fill them, for example with the background's value.",
                code="voxels-nan",
                detail=f"first in slice {index}",
            )
        raise VolumeError(
            "Some voxels of this image are infinite; clip them first.",
            code="voxels-infinite",
            detail=f"first in slice {index}",
        )


def check_not_constant(voxels: NDArray[Any]) -> None:
    """Refuse an image whose voxels are all the same (``volume-constant``); stops at the first that differs."""
    first = voxels[0, 0, 0]
    if not any((slab != first).any() for slab in voxels):
        raise VolumeError(
            "All voxels of this image have the same value; there is nothing to see in it.",
            code="volume-constant",
            detail=f"{first}",
        )
