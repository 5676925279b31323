"""Interpolation onto a regular right-angled grid, for images that a user allowed to be resampled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import VolumeError
from .headers import MAX_AXIS

__all__ = ["even_slices", "unshear"]


def unshear(voxels: NDArray[Any], affine: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64], str]:
    """Resample a sheared image, such as a stack acquired with a tilted gantry, linearly onto right angles.

    The first axis keeps its direction; slices keep their planes, so a tilted stack is only shifted within each slice.
    The new grid encloses the old one; what lies outside of the old one gets its least value.

    Parameters
    ----------
    voxels : ndarray, shape (k, j, i)
    affine : ndarray, shape (4, 4), IJK→RAS in mm

    Returns
    -------
    voxels : ndarray, shape (k', j', i'), same dtype
    affine : ndarray, shape (4, 4)
    note : str
        For ``Volume.transforms``.
    """
    from scipy import ndimage

    axes = affine[:3, :3]
    q, r = np.linalg.qr(axes)  # Gram-Schmidt: i, then j within the slice, then the slice normal
    signs = np.sign(np.diag(r))
    straight = (q * signs) * np.abs(np.diag(r))
    to_new = np.linalg.inv(straight) @ axes  # unit upper triangular: old index steps in new ones
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * (np.array(voxels.shape[::-1]) - 1)
    reached = corners @ to_new.T
    low, high = np.floor(reached.min(axis=0) + 1e-6), np.ceil(reached.max(axis=0) - 1e-6)
    count = (high - low).astype(int) + 1
    if count.max() > MAX_AXIS or int(np.prod(count)) > 16 * voxels.size:
        raise VolumeError(
            "This image's axes are too far from right angles for it to be resampled.",
            code="affine-sheared",
            detail=f"grid {tuple(count)}",
        )
    to_old = np.linalg.inv(to_new)
    # scipy indexes (k, j, i); rounding keeps whole indices whole, since anything beyond the edge is background
    matrix = np.round(to_old[::-1, ::-1], 9)
    offset = np.round((to_old @ low)[::-1], 9)
    result = ndimage.affine_transform(
        voxels, matrix, offset, output_shape=tuple(count[::-1]), order=1, mode="constant", cval=voxels.min()
    )
    new_affine = np.eye(4)
    new_affine[:3, :3] = straight
    new_affine[:3, 3] = affine[:3, 3] + straight @ low
    tilt = np.degrees(np.arccos(np.clip(abs(r[2, 2]) / np.linalg.norm(axes[:, 2]), -1, 1)))
    return result, new_affine, f"resampled to right angles (slices were tilted by {tilt:.1f} degrees)"


def even_slices(voxels: NDArray[Any], positions: NDArray[np.float64], step: float) -> NDArray[Any]:
    """Interpolate slices linearly to even distances.

    Parameters
    ----------
    voxels : ndarray, shape (k, j, i)
    positions : ndarray, shape (k,)
        Strictly increasing, mm.
    step : float
        Distance of the new slices in mm; the first stays where it is.

    Returns
    -------
    ndarray, shape (k', j, i), same dtype
    """
    wanted = positions[0] + step * np.arange(round((positions[-1] - positions[0]) / step) + 1)
    result = np.empty((len(wanted), *voxels.shape[1:]), dtype=voxels.dtype)
    for index, position in enumerate(wanted):
        above = int(np.clip(np.searchsorted(positions, position), 1, len(positions) - 1))
        weight = np.clip((position - positions[above - 1]) / (positions[above] - positions[above - 1]), 0.0, 1.0)
        mixed = voxels[above - 1] * (1 - weight) + voxels[above] * weight
        result[index] = np.rint(mixed) if result.dtype.kind in "iu" else mixed
    return result
