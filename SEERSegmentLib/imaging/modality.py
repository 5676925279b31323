"""CT or MR, told from intensities where the file doesn't say, and "unknown" where they don't tell.

What it rests on: the Hounsfield scale is absolute (air −1000 HU, water 0 HU by definition; fat about −100, soft tissue
20 to 80), MR magnitude is not negative and has no scale.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..values import Modality

__all__ = ["estimate_modality"]

#: Voxels looked at: enough to see a 1% share to within a few hundredths of itself.
_SAMPLE = 400_000

#: Air in a scanner's calibration: −1000 HU within noise and beam hardening.
_AIR_HU = (-1060.0, -930.0)

#: Fat, water and soft tissue, with noise, HU.
_SOFT_HU = (-150.0, 150.0)

#: The darkest that a calibrated scanner stores for air with noise; below lies padding (−1500, −2000, −3024 …).
_PADDING_BELOW_HU = -1100.0

#: A share of the voxels below which a peak may be chance.
_SHARE = 0.01

#: Resampling of a magnitude image undershoots at edges; what is below zero then carries next to no intensity, while a
#: phase or difference image has as much below as above.
_UNDERSHOOT_SHARE = 0.02

#: In a label map or a drawing most voxels equal their neighbour; in an image noise and gradients prevent it.
_EQUAL_NEIGHBOURS = 0.5


def estimate_modality(voxels: NDArray[Any]) -> Modality:
    """Estimate the modality of an image from its intensities alone.

    Parameters
    ----------
    voxels : ndarray, shape (k, j, i)
        Finite real scalars.

    Returns
    -------
    Modality
        CT where air and soft tissue lie where the Hounsfield scale puts them, or, without air around the patient,
        where soft tissue, fat and bone do; MR where the values are those of a magnitude image; else UNKNOWN: label
        maps, difference and phase images, CT shifted to positive values. PET and ultrasound look like MR to this
        test, which is why a reader can always override it.
    """
    step = max(1, round((voxels.size / _SAMPLE) ** (1 / 3)))
    sample = np.asarray(voxels[::step, ::step, ::step], dtype=np.float32).ravel()
    if _is_piecewise_constant(voxels):
        return Modality.UNKNOWN
    if _is_hounsfield(sample):
        return Modality.CT
    below = -float(sample[sample < 0].sum(dtype=np.float64))
    above = float(sample[sample > 0].sum(dtype=np.float64))
    if below > _UNDERSHOOT_SHARE * above or _is_shifted_hounsfield(sample):
        return Modality.UNKNOWN
    return Modality.MR


def _is_piecewise_constant(voxels: NDArray[Any]) -> bool:
    slabs = voxels[:: max(1, voxels.shape[0] // 8)]
    here, beside = slabs[..., :-1], slabs[..., 1:]
    foreground = here != slabs.min()
    count = int(np.count_nonzero(foreground))
    return count == 0 or bool(np.count_nonzero((here == beside) & foreground) > _EQUAL_NEIGHBOURS * count)


def _share(sample: NDArray[np.float32], low: float, high: float) -> float:
    return float(((sample >= low) & (sample <= high)).mean())


def _is_hounsfield(sample: NDArray[np.float32]) -> bool:
    body = sample[sample >= _PADDING_BELOW_HU]
    padding = sample[sample < _PADDING_BELOW_HU]
    if body.size < _SHARE * sample.size:
        return False
    if padding.size > _SHARE * sample.size:  # padding is one value; a spread below −1100 is no Hounsfield scale
        values, counts = np.unique(padding, return_counts=True)
        if counts.max() < 0.5 * padding.size:
            return False
        body = sample[sample != values[counts.argmax()]]
    soft = _share(body, *_SOFT_HU)
    if _share(body, *_AIR_HU) >= _SHARE:
        return soft >= _SHARE
    # Cropped within the patient: most voxels are soft tissue, some are fat, and bone or contrast is there.
    return soft >= 0.5 and _share(body, -150, -50) >= _SHARE and _share(body, 150, 3100) >= 0.001


def _is_shifted_hounsfield(sample: NDArray[np.float32]) -> bool:
    """CT stored with 1000 or 1024 added: air near 0, and what is not air crowds between fat and soft tissue."""
    tissue = sample[sample > 200]
    return tissue.size > _SHARE * sample.size and _share(tissue, 850, 1200) > 0.6
