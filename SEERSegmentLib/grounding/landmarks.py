"""Landmarks of a CT that tell how high in the body its slices lie: skull, lungs, pelvis.

Each landmark says what levels anatomy allows at its height, common disease included, on the scale of
``anatomy.levels``. Only what is seen counts: an image without landmarks stays untold.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..protocols import CancelToken
from .body import BodyMaps
from .reduced import ReducedGrid

__all__ = ["LevelMark", "find_marks"]


@dataclass(frozen=True)
class LevelMark:
    """At height ``s_mm`` (RAS S, ± ``uncertainty_mm``) the body's level lies between ``top`` and ``bottom``.

    ``visible`` is True for a landmark that is itself in the image (``"lung apex"``), False for a mere bound, as where
    the scan's edge cuts the lungs.
    """

    name: str
    region: str
    s_mm: float
    uncertainty_mm: float
    top: float
    bottom: float
    visible: bool


# Levels that anatomy allows. Gray's Anatomy, 41st ed., surface anatomy of the thorax and abdomen, unless said.
VERTEX = (-6.0, -6.0)  # by definition of the scale
CRANIAL_CAVITY = (-6.0, 1.5)  # the posterior fossa may reach the arch of C1
SKULL_BASE = (-2.5, 1.5)
LUNG = (7.0, 20.5)  # cupula above the neck of the first rib, C7, to the costodiaphragmatic recess, T12/L1
LUNG_APEX = (7.0, 13.0)  # C7-T1; lower, to T5, where the upper lobes are not aerated
LUNG_BASE = (12.0, 20.5)  # T10-L1; higher, to T5, with effusion, atelectasis or a raised diaphragm
ILIAC_CREST = (22.5, 25.5)  # supracristal plane L4 or L4/5, transitional vertebrae ± 1
HIP_BONE = (22.5, 32.0)  # crest to the ischial tuberosity, 2 cm below the symphysis

#: Half width of the band about the midline that holds trachea and main stem but no lung apex, in mm.
CENTRAL_MM = 20.0
#: Less lung than this counts only where it lies on both sides, as lung bases do: a loop of bowel full of gas and stool
#: can average to lung's density.
LUNG_SURE_ML = 150.0
LUNG_SIDE_SHARE = 0.2
#: Area of lung that makes a row count, in cm².
LUNG_ROW_CM2 = 1.0

#: Cranial cavity of a row: adults reach 150-200 cm², a newborn about 60; smaller rings are vertebrae.
CRANIUM_MIN_CM2 = 40.0
CRANIUM_MIN_MM = 20.0
#: Section of the last row of a head that is whole, against its largest: 1 cm below the top of a sphere of 8 cm radius
#: it is a quarter. A head that the image cuts ends at full size.
VERTEX_SHARE = 0.5
#: Brain and CSF on CT, unenhanced or enhanced.
BRAIN_HU = (-10.0, 100.0)

#: An iliac wing in an axial row: a plate 40-110 mm long and 10-20 mm thick, 35-170 mm off the midline. Kidneys and
#: bowel full of contrast medium are rounder; ribs are shorter in a row and lie beside lung or liver.
WING_OFFSET_MM = (35.0, 170.0)
WING_MIN_LENGTH_MM = 40.0
WING_MIN_RATIO = 2.2
WING_MIN_CM2 = 4.0
#: Cortical bone is 500-1500 HU, less where a coarse pixel holds marrow too; enhanced kidneys stay below 300.
CORTEX_MIN_HU = 350.0
#: The ilium is about 150 mm high; less than this in the image is not enough to be sure of it.
PELVIS_MIN_MM = 50.0
WING_ROWS_MIN_MM = 20.0


def find_marks(grid: ReducedGrid, maps: BodyMaps, midline_mm: float | None, cancel: CancelToken) -> list[LevelMark]:
    """All landmarks, head to foot; empty where none is sure or where they contradict one another.

    Raises
    ------
    Cancelled
    """
    marks = _skull(grid, maps)
    cancel.check()
    lung_rows = _lung_rows(grid, maps, midline_mm)
    marks += _lungs(grid, maps, lung_rows)
    cancel.check()
    if midline_mm is not None:
        marks += _pelvis(grid, maps, midline_mm, lung_rows)
    marks.sort(key=lambda mark: -mark.s_mm)
    for upper, lower in pairwise(marks):
        if upper.top > lower.bottom and upper.s_mm > lower.s_mm:
            return []  # what should lie above lies below: this is no ordinary patient, tell nothing
    return marks


def goes_on(grid: ReducedGrid, maps: BodyMaps, mask: NDArray[np.bool_], row: int, direction: int) -> bool:
    """Whether the body goes on beyond a row where the mask is, so that the mask's end there is real, not the image's.

    The image may end in two ways: with its last row, or with padding inside it, which looks like air.
    """
    beyond = row + direction
    if not 0 <= beyond < mask.shape[0]:
        return False
    footprint = mask[row]
    seen = maps.body[beyond] & grid.scanned[beyond]
    return bool(footprint.any() and seen[footprint].mean() >= 0.7)


def _ends(
    grid: ReducedGrid, maps: BodyMaps, mask: NDArray[np.bool_], rows: NDArray[np.intp]
) -> tuple[tuple[float, bool], tuple[float, bool]]:
    """((height, really ends there) at the top, the same at the bottom) of a mask over the rows where it was found."""
    top, bottom = int(rows.max()), int(rows.min())
    half = grid.step_mm[0] / 2
    return (
        (float(grid.s_mm[top]) + half, goes_on(grid, maps, mask, top, 1)),
        (float(grid.s_mm[bottom]) - half, goes_on(grid, maps, mask, bottom, -1)),
    )


def _skull(grid: ReducedGrid, maps: BodyMaps) -> list[LevelMark]:
    """The cranial cavity: brain-density inside a closed ring of bone."""
    from scipy import ndimage

    cavity = np.zeros_like(maps.bone)
    brain = (grid.values >= BRAIN_HU[0]) & (grid.values <= BRAIN_HU[1])
    body_px = maps.body.sum(axis=(1, 2))
    least_px = CRANIUM_MIN_CM2 / grid.pixel_cm2
    for row in np.flatnonzero(maps.bone.sum(axis=(1, 2)) * grid.pixel_cm2 > 3.0):
        ring = ndimage.binary_closing(maps.bone[row], np.ones((3, 3), dtype=bool))
        inside = ndimage.binary_fill_holes(ring) & ~ring
        if inside.sum() < max(least_px, 0.3 * body_px[row]):
            continue
        labels, count = ndimage.label(inside)
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        sizes[0] = 0
        hole = labels == int(sizes.argmax())
        if sizes.max() >= max(least_px, 0.3 * body_px[row]) and brain[row][hole].mean() >= 0.8:
            cavity[row] = hole
    cavity = _longest_run(cavity, int(np.ceil(CRANIUM_MIN_MM / grid.step_mm[0])))
    rows = np.flatnonzero(cavity.any(axis=(1, 2)))
    if not rows.size:
        return []
    (top, _), (bottom, base_seen) = _ends(grid, maps, cavity, rows)
    step = grid.step_mm[0]
    marks = [LevelMark("cranial cavity", "head", top, step, *CRANIAL_CAVITY, False)]
    highest = int(np.flatnonzero(maps.body.any(axis=(1, 2))).max())
    ends_in_air = highest + 1 < len(body_px) and bool(grid.scanned[highest + 1][maps.body[highest]].all())
    if ends_in_air and body_px[highest] <= VERTEX_SHARE * body_px[rows].max():
        marks.append(LevelMark("vertex", "head", float(grid.s_mm[highest]) + step / 2, step, *VERTEX, True))
    if base_seen:
        marks.append(LevelMark("skull base", "head", bottom, 2 * step, *SKULL_BASE, True))
    else:
        marks.append(LevelMark("cranial cavity", "head", bottom, step, *CRANIAL_CAVITY, False))
    return marks


def _longest_run(mask: NDArray[np.bool_], least_rows: int) -> NDArray[np.bool_]:
    """The mask within its longest run of consecutive rows, empty where that is shorter than ``least_rows``."""
    present = np.flatnonzero(mask.any(axis=(1, 2)))
    kept = np.zeros_like(mask)
    if not present.size:
        return kept
    runs = np.split(present, np.flatnonzero(np.diff(present) > 1) + 1)
    longest = max(runs, key=len)
    if len(longest) >= least_rows:
        kept[longest] = mask[longest]
    return kept


def _lung_rows(grid: ReducedGrid, maps: BodyMaps, midline_mm: float | None) -> NDArray[np.intp]:
    """Rows with lung beside the midline; the trachea above the lungs does not count."""
    columns = maps.lung.sum(axis=(0, 1))
    if not columns.any():
        return np.empty(0, dtype=np.intp)
    total_ml = float(columns.sum()) * grid.voxel_ml
    centre = midline_mm if midline_mm is not None else float(np.average(grid.r_mm, weights=columns))
    if total_ml < LUNG_SURE_ML:
        right = float(columns[grid.r_mm > centre].sum()) * grid.voxel_ml
        if midline_mm is None or min(right, total_ml - right) < LUNG_SIDE_SHARE * total_ml:
            return np.empty(0, dtype=np.intp)
    beside = np.abs(grid.r_mm - centre) > CENTRAL_MM
    rows: NDArray[np.intp] = np.flatnonzero(maps.lung[:, :, beside].sum(axis=(1, 2)) * grid.pixel_cm2 >= LUNG_ROW_CM2)
    return rows


def _lungs(grid: ReducedGrid, maps: BodyMaps, rows: NDArray[np.intp]) -> list[LevelMark]:
    if not rows.size:
        return []
    (top, apex_seen), (bottom, base_seen) = _ends(grid, maps, maps.lung, rows)
    step = grid.step_mm[0]
    return [
        LevelMark("lung apex", "thorax", top, step, *LUNG_APEX, True)
        if apex_seen
        else LevelMark("lung", "thorax", top, step, *LUNG, False),
        LevelMark("lung base", "thorax", bottom, step, *LUNG_BASE, True)
        if base_seen
        else LevelMark("lung", "thorax", bottom, step, *LUNG, False),
    ]


def _pelvis(grid: ReducedGrid, maps: BodyMaps, midline_mm: float, lung_rows: NDArray[np.intp]) -> list[LevelMark]:
    """Iliac wings on both sides of the midline, and the crest where it lies in the image."""
    from scipy import ndimage

    offset = grid.r_mm - midline_mm
    sides = [(sign * offset > WING_OFFSET_MM[0]) & (sign * offset < WING_OFFSET_MM[1]) for sign in (-1.0, 1.0)]
    count = grid.values.shape[0]
    plates = np.zeros((2, count), dtype=bool)
    large = np.zeros((2, count), dtype=bool)
    for number, side in enumerate(sides):
        for row in np.flatnonzero(maps.bone[:, :, side].sum(axis=(1, 2)) * grid.pixel_cm2 >= WING_MIN_CM2):
            plate = _plate(maps.bone[row][:, side], grid.values[row][:, side], grid)
            large[number, row] = plate.cm2 >= WING_MIN_CM2 and plate.cortex_hu >= CORTEX_MIN_HU
            long = plate.length_mm >= WING_MIN_LENGTH_MM and plate.ratio >= WING_MIN_RATIO
            plates[number, row] = large[number, row] and long
    both: NDArray[np.bool_] = large[0] & large[1]
    if lung_rows.size:
        both[int(lung_rows.min()) :] = False
    gap = max(1, round(15.0 / grid.step_mm[0]))
    block = ndimage.binary_closing(both, np.ones(2 * gap + 1, dtype=bool)) | both
    labels, found = ndimage.label(block)
    step = grid.step_mm[0]
    for number in range(found, 0, -1):  # the highest first: thighs may follow below
        rows = np.flatnonzero(labels == number)
        wing_rows = rows[(plates[0] & plates[1])[rows]]
        if len(rows) * step < PELVIS_MIN_MM or len(wing_rows) * step < WING_ROWS_MIN_MM:
            continue
        if _has_airway(grid, maps, midline_mm, rows):
            continue
        return _pelvis_marks(grid, maps, sides, rows, wing_rows)
    return []


@dataclass(frozen=True)
class _Plate:
    """The largest piece of bone in a section, as a uniform bar, and the density of its densest tenth."""

    length_mm: float = 0.0
    ratio: float = 0.0
    cm2: float = 0.0
    cortex_hu: float = 0.0


def _plate(section: NDArray[np.bool_], values: NDArray[np.float32], grid: ReducedGrid) -> _Plate:
    from scipy import ndimage

    labels, count = ndimage.label(section, np.ones((3, 3), dtype=bool))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    piece = labels == int(sizes.argmax())
    if not count or piece.sum() < 3:
        return _Plate()
    points = np.argwhere(piece) * np.array(grid.step_mm[1:])
    # A uniform bar of length L has variance L²/12; a pixel adds its own, step²/12.
    pixel = max(grid.step_mm[1:]) ** 2
    low, high = (float(np.sqrt(12 * max(v, 0.0) + pixel)) for v in np.linalg.eigvalsh(np.cov(points.T)))
    return _Plate(high, high / low, len(points) * grid.pixel_cm2, float(np.percentile(values[piece], 90)))


def _has_airway(grid: ReducedGrid, maps: BodyMaps, midline_mm: float, rows: NDArray[np.intp]) -> bool:
    """A gas-filled tube in the midline through nearly all rows: a neck between shoulders, not a pelvis."""
    central = np.abs(grid.r_mm - midline_mm) <= CENTRAL_MM
    gas = (grid.values[rows][:, :, central] < -600.0) & maps.body[rows][:, :, central]
    area = gas.sum(axis=(1, 2)) * grid.pixel_cm2
    return bool(((area >= 0.5) & (area <= 10.0)).mean() >= 0.8)


def _pelvis_marks(
    grid: ReducedGrid,
    maps: BodyMaps,
    sides: list[NDArray[np.bool_]],
    rows: NDArray[np.intp],
    wing_rows: NDArray[np.intp],
) -> list[LevelMark]:
    from scipy import ndimage

    beside = maps.bone & (sides[0] | sides[1])
    labels, _ = ndimage.label(beside, np.ones((3, 3, 3), dtype=bool))
    inside = np.bincount(labels[rows].ravel())
    inside[0] = 0
    hips = np.isin(labels, np.flatnonzero(inside * grid.voxel_ml >= 20.0))
    hip_rows = np.flatnonzero(hips.any(axis=(1, 2)))
    step = grid.step_mm[0]
    marks = [
        LevelMark("hip bone", "pelvis", float(grid.s_mm[row]), step, *HIP_BONE, False)
        for row in sorted({int(wing_rows.min()), int(wing_rows.max())})
    ]
    if hip_rows.size and goes_on(grid, maps, hips, int(hip_rows.max()), 1):
        crest = float(grid.s_mm[hip_rows.max()]) + step / 2
        marks.append(LevelMark("iliac crest", "pelvis", crest, 2 * step, *ILIAC_CREST, True))
    return marks
