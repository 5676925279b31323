"""Where the patient's midline runs, from the spine and the body outline, wherever in the image the patient lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .body import BodyMaps, largest_component
from .reduced import ReducedGrid

__all__ = ["Midline", "find_midline", "find_outline_midline", "outline_width"]

#: Half width of a vertebra with its transverse processes, about 40 mm (Gray's Anatomy: 70-90 mm across).
SPINE_RADIUS_MM = 40.0
#: Median bone area of a row through the spine: an adult vertebral body is 8-18 cm², a child's or osteoporotic one less
#: above 200 HU; a femoral or humeral shaft has 3-4 cm² of cortex.
SPINE_MIN_CM2 = 2.0
SPINE_ALONE_MIN_CM2 = 5.0
#: Share of the rows in which the spine's bone has to be seen.
SPINE_MIN_ROWS = 0.7
#: Spine and outline further apart than this contradict each other: scoliosis shifts a vertebra by up to about 40 mm.
AGREE_MM = 40.0
#: A trunk is wider than this, a single limb is not.
TRUNK_MIN_MM = 200.0
#: Mirror symmetry of the bones, 1 for perfect; either half alone about its own middle gives about 0.5.
SYMMETRY_MIN = 0.7
#: Tissue in MR is brighter than this share of the brightest percentile; air holds noise only.
MR_TISSUE_SHARE = 0.15


@dataclass(frozen=True)
class Midline:
    """RAS R of the midline in mm, how far it may be off, and what it was judged from."""

    r_mm: float
    uncertainty_mm: float
    source: str


def find_midline(grid: ReducedGrid, maps: BodyMaps) -> Midline | None:
    """The midline of a CT, or None where the image doesn't show it.

    The spine is tried first, then the plane about which bone is most symmetric (a pelvis has more bone beside the
    sacrum than in it). Either has to agree with the outline, or, where the field of view cuts the outline, to have
    lung or bone on both sides; an outline alone never counts: a single limb has one too.
    """
    outline = _outline(grid, maps.body)
    trunk = outline if outline is not None and outline[1] >= TRUNK_MIN_MM else None
    for name, candidate in (("spine", _spine(grid, maps)), ("symmetry of the bones", _symmetry(grid, maps))):
        if candidate is None:
            continue
        r_mm, scatter, area = candidate
        if trunk is not None:
            off = abs(trunk[0] - r_mm)
            if off <= AGREE_MM:
                return Midline(r_mm, max(scatter, off / 2), f"{name} and body outline")
        elif outline is None and area >= SPINE_ALONE_MIN_CM2 and _on_both_sides(grid, maps, r_mm):
            return Midline(r_mm, max(scatter, 10.0), name)
    return None


def find_outline_midline(grid: ReducedGrid) -> Midline | None:
    """The midline of an MR from the body outline alone, where it shows a whole trunk; else None."""
    values = grid.values[grid.scanned]
    if not values.size or not float(np.percentile(values, 99)) > 0:
        return None
    body = largest_component((grid.values > MR_TISSUE_SHARE * float(np.percentile(values, 99))) & grid.scanned)
    outline = _outline(grid, body)
    if outline is None or outline[1] < 1.25 * TRUNK_MIN_MM:
        return None
    return Midline(outline[0], 15.0, "body outline")


def outline_width(grid: ReducedGrid, body: NDArray[np.bool_]) -> float | None:
    """Width of the patient in mm: the median over rows, or at least what a cut field of view shows; None if empty."""
    outline = _outline(grid, body)
    if outline is not None:
        return outline[1]
    columns = body.any(axis=1).sum(axis=1)
    shown = columns[columns > 0]
    return float(np.median(shown)) * grid.step_mm[2] if shown.size else None


def _spine(grid: ReducedGrid, maps: BodyMaps) -> tuple[float, float, float] | None:
    """(R, scatter between rows, median bone area in cm²) of the bone that persists from row to row."""
    from scipy import ndimage

    rows = np.flatnonzero(maps.body.any(axis=(1, 2)))
    if not rows.size or not maps.bone.any():
        return None
    persistence = maps.bone[rows].mean(axis=0)
    smooth = ndimage.gaussian_filter(persistence, [15.0 / grid.step_mm[1], 15.0 / grid.step_mm[2]])
    a_index, r_index = (int(x) for x in np.unravel_index(int(smooth.argmax()), smooth.shape))
    near_a = np.abs(grid.axis_mm(1) - grid.axis_mm(1)[a_index]) <= 1.5 * SPINE_RADIUS_MM
    near_r = np.abs(grid.r_mm - grid.r_mm[r_index]) <= SPINE_RADIUS_MM
    column = maps.bone[np.ix_(rows, near_a, near_r)].sum(axis=1, dtype=float)
    weights = column.sum(axis=1)
    seen = weights * grid.pixel_cm2 >= SPINE_MIN_CM2 / 2
    if seen.mean() < SPINE_MIN_ROWS:
        return None
    centres = (column[seen] @ grid.r_mm[near_r]) / weights[seen]
    area = float(np.median(weights[seen])) * grid.pixel_cm2
    if area < SPINE_MIN_CM2:
        return None
    scatter = float(np.percentile(np.abs(centres - np.median(centres)), 90))
    return float(np.median(centres)), max(scatter, grid.step_mm[2]), area


def _symmetry(grid: ReducedGrid, maps: BodyMaps) -> tuple[float, float, float] | None:
    """(R, uncertainty, median bone area in cm²) of the sagittal plane about which the bone mirrors best.

    Convolving a row's bone profile with itself peaks at twice the coordinate of its mirror plane; the peak over the
    profile's energy is 1 for perfect symmetry.
    """
    from scipy import ndimage

    profile = maps.bone.sum(axis=1).astype(np.float64)
    rows = profile.sum(axis=1) * grid.pixel_cm2 >= SPINE_MIN_CM2
    if not rows.any():
        return None
    profile = ndimage.gaussian_filter1d(profile[rows], 10.0 / grid.step_mm[2], axis=1)
    spectrum = np.fft.rfft(profile, 2 * profile.shape[1], axis=1)
    mirrored = np.fft.irfft(spectrum**2, 2 * profile.shape[1], axis=1).sum(axis=0)
    peak = int(mirrored.argmax())
    if mirrored[peak] < SYMMETRY_MIN * float((profile**2).sum()):
        return None
    area = float(np.median(maps.bone.sum(axis=(1, 2))[rows])) * grid.pixel_cm2
    return float(grid.r_mm[0] + grid.step_mm[2] * peak / 2), 10.0, area


def _outline(grid: ReducedGrid, body: NDArray[np.bool_]) -> tuple[float, float] | None:
    """(R of the centre, width in mm) of the outline: medians over the rows that the field of view doesn't cut."""
    columns: NDArray[np.bool_] = np.asarray(body.any(axis=1))
    rows = np.flatnonzero(columns.any(axis=1))
    if not rows.size:
        return None
    first = columns[rows].argmax(axis=1)
    last = columns.shape[1] - 1 - columns[rows][:, ::-1].argmax(axis=1)
    seen: NDArray[np.bool_] = np.asarray(grid.scanned.any(axis=1))[rows]
    first_seen = seen.argmax(axis=1)
    last_seen = columns.shape[1] - 1 - seen[:, ::-1].argmax(axis=1)
    whole = (first > first_seen) & (last < last_seen)
    if whole.sum() < max(1, len(rows) // 4):
        return None
    centre = float(np.median((grid.r_mm[first[whole]] + grid.r_mm[last[whole]]) / 2))
    width = float(np.median(grid.r_mm[last[whole]] - grid.r_mm[first[whole]])) + grid.step_mm[2]
    return centre, width


def _on_both_sides(grid: ReducedGrid, maps: BodyMaps, r_mm: float) -> bool:
    """Whether lung, or bone away from the spine, lies on either side, neither with under a quarter of the other."""
    right = grid.r_mm > r_mm + SPINE_RADIUS_MM
    left = grid.r_mm < r_mm - SPINE_RADIUS_MM
    for mask, least_ml in ((maps.lung, 100.0), (maps.bone, 50.0)):
        amounts = sorted(float(mask[:, :, side].sum()) * grid.voxel_ml for side in (left, right))
        if amounts[1] >= least_ml and amounts[0] >= 0.25 * amounts[1]:
            return True
    return False
