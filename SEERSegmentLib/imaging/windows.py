"""Windows: which intensities of a view are black and white, and the fast map from voxels to grey.

CT windows as (width W, level L) are those in everyday use (for example StatPearls, "CT windowing"): soft tissue
W400 L40, lung W1500 L−600, bone W1800 L400, brain W80 L40. MR has no absolute scale: percentiles of the volume.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..values import Modality, Plane

__all__ = ["CT_WINDOWS", "REGIONS", "apply_window", "ct_window", "percentile_window"]

#: Name → (width, level) in HU.
CT_WINDOWS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "soft tissue": (400.0, 40.0),
        "lung": (1500.0, -600.0),
        "bone": (1800.0, 400.0),
        "brain": (80.0, 40.0),
    }
)

_SOFT, _LUNG, _BONE, _BRAIN = "soft tissue", "lung", "bone", "brain"

#: Body region, or name of a window → the windows of its axial, coronal and sagittal views. In the chest the axial views
#: show the lungs and the coronal ones the mediastinum; sagittal views of the trunk show the spine.
REGIONS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "head": (_BRAIN, _BRAIN, _BONE),
        "neck": (_SOFT, _SOFT, _BONE),
        "thorax": (_LUNG, _SOFT, _BONE),
        "abdomen": (_SOFT, _SOFT, _BONE),
        "pelvis": (_SOFT, _BONE, _BONE),
        "upper limb": (_BONE, _BONE, _BONE),
        "lower limb": (_BONE, _BONE, _BONE),
        **{name: (name, name, name) for name in (_SOFT, _LUNG, _BONE, _BRAIN)},
    }
)

_PLANES = (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)

#: Percentiles of what is not background that become black and white on MR.
_MR_PERCENTILES = (1.0, 99.0)


def ct_window(region: str, plane: Plane) -> tuple[float, float]:
    """Intensities in HU shown black and white for a body region (or a window by its name).

    Raises
    ------
    UsageError
        ``region-unknown``.
    """
    if region not in REGIONS:
        raise UsageError(f"There is no window for '{region}'; use one of {', '.join(REGIONS)}.", code="region-unknown")
    width, level = CT_WINDOWS[REGIONS[region][_PLANES.index(plane)]]
    return level - width / 2, level + width / 2


def percentile_window(sample: NDArray[Any], modality: Modality) -> tuple[float, float]:
    """Window from a sample of the intensities: for MR from 0, or below it, up; else between percentiles."""
    values = np.asarray(sample, dtype=np.float64).ravel()
    if modality is Modality.MR:
        tissue = values[values > 0.02 * np.percentile(values, 99.9)]
        values = tissue if tissue.size else values
    low, high = (float(v) for v in np.percentile(values, _MR_PERCENTILES))
    if modality is Modality.MR:
        low = min(low, 0.0)
    if high <= low:
        low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def apply_window(plane: NDArray[Any], window: tuple[float, float]) -> NDArray[np.uint8]:
    """Map intensities to grey linearly, nearest level; integers of 16 bits by one table."""
    low, high = window
    scale = 255.0 / (high - low)
    if plane.dtype.kind in "iu" and plane.dtype.itemsize == 2:
        stored = np.arange(65536, dtype=np.uint16).view(plane.dtype)
        table = _to_grey(stored, low, scale)
        return np.take(table, plane.view(np.uint16))
    return _to_grey(plane, low, scale)


def _to_grey(values: NDArray[Any], low: float, scale: float) -> NDArray[np.uint8]:
    grey = values.astype(np.float32)
    grey -= np.float32(low)
    grey *= np.float32(scale)
    np.clip(grey, 0.0, 255.0, out=grey)
    grey += np.float32(0.5)
    return grey.astype(np.uint8)
