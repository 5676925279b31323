"""What voxels must be before SEER looks at them: finite, and not all the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import VolumeError

__all__ = ["check_finite", "check_not_constant"]


def check_finite(voxels: NDArray[Any]) -> None:
    """Refuse NaN (``voxels-nan``) and infinite (``voxels-infinite``) voxels; one pass, a slab of memory."""
    if voxels.dtype.kind != "f":
        return
    for index, slab in enumerate(voxels):
        if np.isfinite(slab).all():
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
