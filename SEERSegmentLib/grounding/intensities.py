"""What the grey values say: range, percentiles and, on CT, how much of the image is air, soft tissue and bone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..values import Evidence, Modality, Volume
from .body import AIR_HU, BONE_HU, BodyMaps
from .reduced import ReducedGrid

if TYPE_CHECKING:
    from .slices import AxialSlices

__all__ = ["contrast_evidence", "intensity_evidence", "looks_like_hounsfield"]

#: Muscle, organs and blood, unenhanced or in a venous phase, and fluid.
SOFT_HU = (-30.0, 200.0)

#: Blood with iodine in an arterial or portal phase. Unenhanced blood, muscle and organs stay below 80 HU.
ENHANCED_HU = (130.0, 600.0)
#: Smallest evenly bright body of fluid that shows it: a piece of aorta, a heart chamber, renal cortex.
ENHANCED_MIN_ML = 15.0
#: Within it neighbours differ no more than this; trabecular bone varies far more and lies within 1000 HU cortex.
ENHANCED_SPREAD_HU = 120.0

PERCENTILES = (1.0, 50.0, 99.0)


def looks_like_hounsfield(grid: ReducedGrid) -> bool:
    """Whether intensities can be Hounsfield units: there is tissue near water, and a darkest value that is air or fat.

    A CT stored without its rescale intercept (0..4095, or 0..255) starts at or above zero and fails.
    """
    values = grid.values[grid.scanned]
    if not values.size:
        return False
    tissue = ((values > -200) & (values < 200)).mean()
    return bool(values.min() < -50 and values.min() >= -10000 and tissue > 0.01 and values.max() < 40000)


def intensity_evidence(volume: Volume, grid: ReducedGrid, source: str) -> tuple[Evidence, ...]:
    """Exact range over all voxels, percentiles over the reduced grid, and tissue fractions on CT."""
    unit = "HU" if volume.modality is Modality.CT and looks_like_hounsfield(grid) else ""
    values = grid.values[grid.scanned]
    low, high = float(volume.voxels.min()), float(volume.voxels.max())
    items = [
        Evidence(
            "intensity-range",
            f"Intensities run from {low:g} to {high:g}{' ' + unit if unit else ''}.",
            (low, high),
            unit,
            source,
        )
    ]
    if not values.size:
        return tuple(items)
    marks = tuple(round(float(v), 1) for v in np.percentile(values, PERCENTILES))
    items.append(
        Evidence(
            "intensity-percentiles",
            f"1 % of the image is darker than {marks[0]:g}, half is darker than {marks[1]:g}, 1 % is brighter than"
            f" {marks[2]:g}{' ' + unit if unit else ''}.",
            marks,
            unit,
            source,
        )
    )
    if unit:
        air = float((values < AIR_HU).mean())
        soft = float(((values >= SOFT_HU[0]) & (values <= SOFT_HU[1])).mean())
        bone = float((values > BONE_HU).mean())
        items.append(
            Evidence(
                "tissue-fractions",
                f"{air:.0%} of the image is air or lung, {soft:.0%} soft tissue, and {bone:.1%} is denser than"
                f" {BONE_HU:g} HU (bone, metal or contrast medium).",
                (round(air, 4), round(soft, 4), round(bone, 4)),
                "",
                source,
            )
        )
    return tuple(items)


def contrast_evidence(grid: ReducedGrid, maps: BodyMaps, slices: AxialSlices) -> tuple[Evidence, ...]:
    """Whether something large, even and much brighter than unenhanced tissue is there; silent where there is not.

    Absence is not told: late phases and small doses look like no contrast medium.
    """
    from scipy import ndimage

    low = ndimage.minimum_filter(grid.values, size=3)
    high = ndimage.maximum_filter(grid.values, size=3)
    even = (low >= ENHANCED_HU[0]) & (high <= ENHANCED_HU[1]) & (high - low <= ENHANCED_SPREAD_HU) & maps.body
    labels, count = ndimage.label(even)
    if not count:
        return ()
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest = int(sizes.argmax())
    # The filters took one voxel off all around, and vessels are thin: count the piece with its rim.
    piece = ndimage.binary_dilation(labels == largest)
    ml = float(piece.sum()) * grid.voxel_ml
    if ml < ENHANCED_MIN_ML:
        return ()
    level = float(np.median(grid.values[labels == largest]))
    rows = np.flatnonzero(piece.any(axis=(1, 2)))
    return (
        Evidence(
            "contrast-medium",
            f"Contrast medium is likely: the largest evenly bright structure (vessel, heart, kidney or bowel) measures"
            f" {level:.0f} HU.",
            round(level, 1),
            "HU",
            slices.between(float(grid.s_mm[rows.min()]), float(grid.s_mm[rows.max()])),
        ),
    )
