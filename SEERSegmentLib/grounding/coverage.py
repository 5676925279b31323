"""From landmarks to the body levels and regions that the slices cover.

A landmark bounds the level at its own height; from there, distances in millimetres over the lengths of vertebrae bound
the level at the top and bottom of the scan. The answer is the widest span that may be covered: a target counts as out
of view only where no anatomy within these bounds would have it there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..anatomy.levels import BOTTOM, LEVELS
from ..values import RegionCoverage
from .landmarks import LevelMark

__all__ = ["ADULT_WIDTH_MM", "Extent", "body_scale", "covered_levels", "regions_covered"]

# Length of the adult body along the level scale, in mm per level (Gray's Anatomy; vertebra with its disc).
# Head: 14 cm from vertex to foramen magnum over 7 levels. Cervical spine 12 cm, thoracic 28 cm (20 mm at T1 to 27 mm
# at T12), lumbar 18 cm, sacrum 11 cm; below it the scale's own step of 3.5 cm.
_LEVEL_MM = ((-6.0, 0.0), (1.0, 140.0), (8.0, 260.0), (14.0, 388.0), (20.0, 540.0), (25.0, 720.0), (30.0, 830.0))
_BELOW_MM_PER_LEVEL = 35.0
_LEVELS = np.array([level for level, _ in _LEVEL_MM] + [BOTTOM])
_MM = np.array([mm for _, mm in _LEVEL_MM] + [_LEVEL_MM[-1][1] + (BOTTOM - 30.0) * _BELOW_MM_PER_LEVEL])

#: A short adult with a collapsed, kyphotic spine has about three quarters of the mean length per level.
SHORTEST_ADULT = 0.75
#: Narrower trunks than this may belong to a child, whose vertebrae are shorter in proportion.
ADULT_WIDTH_MM = 280.0
#: A newborn's spine is about a third of an adult's (some 20 cm of 60).
SHORTEST_SCALE = 0.33

#: How far the lungs have to reach above their base to hold the dome of the diaphragm: the recess is 5-8 cm deep.
DOME_MM = 80.0
#: Height of the adult bony pelvis from crest to ischium, about 21 cm; more is leg.
PELVIS_MM = 210.0
#: Less body than this beyond a landmark is not worth calling a region.
SLIVER_MM = 20.0


@dataclass(frozen=True)
class Extent:
    """Lowest and highest point of the patient in the scan (RAS S, mm), and whether the scan cuts the body there."""

    bottom_mm: float
    top_mm: float


def body_scale(width_mm: float | None) -> float:
    """Smallest length per level to reckon with, as a share of the mean adult's, from the trunk's width if known."""
    if width_mm is None:
        return SHORTEST_SCALE
    return SHORTEST_ADULT * float(np.clip(width_mm / ADULT_WIDTH_MM, SHORTEST_SCALE / SHORTEST_ADULT, 1.0))


def covered_levels(marks: list[LevelMark], extent: Extent, scale: float) -> tuple[float, float] | None:
    """Widest span of levels (top, bottom) that the scan may cover; None without landmarks.

    Each landmark alone bounds the span; bounds hold together, so the tightest of each counts.
    """
    if not marks:
        return None
    tops, bottoms = [LEVELS["vertex"]], [BOTTOM]
    for mark in marks:
        up = max(extent.top_mm - mark.s_mm, 0.0) + mark.uncertainty_mm
        down = max(mark.s_mm - extent.bottom_mm, 0.0) + mark.uncertainty_mm
        tops.append(_level_at(_mm_at(mark.top) - up / scale))
        bottoms.append(_level_at(_mm_at(mark.bottom) + down / scale))
    top, bottom = max(tops), min(bottoms)
    return (round(top, 2), round(bottom, 2)) if top < bottom else None


def _mm_at(level: float) -> float:
    """Distance of a level from the vertex in the mean adult."""
    return float(np.interp(level, _LEVELS, _MM))


def _level_at(mm: float) -> float:
    return float(np.interp(mm, _MM, _LEVELS))


def regions_covered(marks: list[LevelMark], extent: Extent) -> tuple[RegionCoverage, ...]:
    """Regions that the landmarks show, head to foot, each complete or cut."""
    seen = {mark.name: mark.s_mm for mark in marks if mark.visible}
    heights = {region: [m.s_mm for m in marks if m.region == region] for region in ("head", "thorax", "pelvis")}
    top, bottom = extent.top_mm, extent.bottom_mm
    vertex, base = seen.get("vertex"), seen.get("skull base")
    apex, lung_base, crest = seen.get("lung apex"), seen.get("lung base"), seen.get("iliac crest")
    regions: list[RegionCoverage] = []

    def add(region: str, high: float, low: float, complete: bool) -> None:
        if complete or high - low >= SLIVER_MM:
            regions.append(RegionCoverage(region, round(high, 1), round(low, 1), complete))

    if heights["head"]:
        add("head", max(heights["head"]), min(heights["head"]), vertex is not None and base is not None)
    if base is not None or apex is not None:
        add(
            "neck",
            base if base is not None else top,
            apex if apex is not None else max([*heights["thorax"], bottom]),
            base is not None and apex is not None,
        )
    if heights["thorax"]:
        high, low = max(heights["thorax"]), min(heights["thorax"])
        regions.append(
            RegionCoverage("thorax", round(high, 1), round(low, 1), apex is not None and lung_base is not None)
        )
    if lung_base is not None or crest is not None:
        dome_seen = lung_base is not None and max(heights["thorax"]) - lung_base >= DOME_MM
        high = min(lung_base + DOME_MM, max(heights["thorax"])) if lung_base is not None else top
        add("abdomen", high, crest if crest is not None else bottom, dome_seen and crest is not None)
    if heights["pelvis"]:
        high = crest if crest is not None else top
        low = max(bottom, high - PELVIS_MM)
        add("pelvis", high, low, crest is not None and crest - bottom >= PELVIS_MM)
        add("lower limb", low, bottom, False)
    return tuple(regions)
