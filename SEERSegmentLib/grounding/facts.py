"""measure(): all that SEER tells of an image before anyone reasons about it, each item with where it comes from."""

from __future__ import annotations

import numpy as np

from ..anatomy.levels import level_at
from ..protocols import CancelToken
from ..values import Evidence, ImageFacts, Landmark, Modality, RegionCoverage, Volume
from .body import BodyMaps, map_body
from .coverage import Extent, body_scale, covered_levels, regions_covered
from .intensities import contrast_evidence, intensity_evidence, looks_like_hounsfield
from .landmarks import LevelMark, find_marks
from .midline import Midline, find_midline, find_outline_midline, outline_width
from .reduced import ReducedGrid, reduce_volume
from .slices import AxialSlices

__all__ = ["measure"]

_LANDMARK_WORDS = {
    "vertex": "The top of the head is in the image",
    "skull base": "The skull base is in the image",
    "lung apex": "The lungs' upper end is in the image",
    "lung base": "The lungs' lower end is in the image",
    "iliac crest": "The top of the iliac crests is in the image",
}


def measure(volume: Volume, cancel: CancelToken | None = None) -> ImageFacts:
    """Measure a volume: modality, extent, intensities, midline, landmarks and body levels covered.

    Parameters
    ----------
    volume : Volume
        In any orientation. It is read, never written to.
    cancel : CancelToken, optional

    Returns
    -------
    ImageFacts
        Levels, landmarks and regions only for CT in Hounsfield units, and only what the image shows.

    Raises
    ------
    Cancelled
    """
    cancel = cancel or CancelToken()
    grid = reduce_volume(volume, cancel)
    slices = AxialSlices.of(volume)
    extent = field_of_view(volume)
    evidence = [
        _modality_evidence(volume),
        Evidence(
            "field-of-view",
            f"The scan covers {extent[0]:.0f} mm right to left, {extent[1]:.0f} mm front to back and"
            f" {extent[2]:.0f} mm head to foot.",
            tuple(round(e, 1) for e in extent),
            "mm",
            slices.all(),
        ),
        Evidence(
            "voxel-size",
            "Voxels measure {:.2f} × {:.2f} × {:.2f} mm.".format(*volume.spacing),
            tuple(round(s, 3) for s in volume.spacing),
            "mm",
            slices.all(),
        ),
        *intensity_evidence(volume, grid, slices.all()),
    ]
    midline: Midline | None = None
    marks: list[LevelMark] = []
    levels: tuple[float, float] | None = None
    regions: tuple[RegionCoverage, ...] = ()
    if volume.modality is Modality.CT and looks_like_hounsfield(grid):
        maps = map_body(grid, cancel)
        if maps is not None:
            midline = find_midline(grid, maps)
            marks = find_marks(grid, maps, midline.r_mm if midline else None, cancel)
            body = _body_extent(grid, maps)
            levels = covered_levels(marks, body, body_scale(outline_width(grid, maps.body)))
            if levels is None:
                marks = []
            regions = regions_covered(marks, body)
            evidence += contrast_evidence(grid, maps, slices)
    elif volume.modality is Modality.MR:
        midline = find_outline_midline(grid)
    evidence += _position_evidence(midline, marks, regions, levels, slices)
    return ImageFacts(
        modality=volume.modality,
        modality_source=volume.modality_source,
        shape=volume.shape,
        spacing_mm=volume.spacing,
        field_of_view_mm=extent,
        landmarks=tuple(
            Landmark(m.name, round(m.s_mm, 1), round(m.uncertainty_mm, 1), slices.between(m.s_mm, m.s_mm))
            for m in marks
            if m.visible
        ),
        regions=regions,
        covered_levels=levels,
        midline_r_mm=round(midline.r_mm, 1) if midline else None,
        evidence=tuple(evidence),
        affine=tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in volume.affine),
    )


def field_of_view(volume: Volume) -> tuple[float, float, float]:
    """Extent of the scanned box along R-L, A-P and S-I in mm, voxel edges included."""
    edges = np.abs(volume.affine[:3, :3]) @ np.array(volume.shape[::-1], dtype=float)
    return float(edges[0]), float(edges[1]), float(edges[2])


def _body_extent(grid: ReducedGrid, maps: BodyMaps) -> Extent:
    rows = np.flatnonzero(maps.body.any(axis=(1, 2)))
    half = grid.step_mm[0] / 2
    return Extent(float(grid.s_mm[rows.min()]) - half, float(grid.s_mm[rows.max()]) + half)


def _modality_evidence(volume: Volume) -> Evidence:
    said = {
        "DICOM": ", as its DICOM header says",
        "user": ", as told by the user",
        "intensities": ", judged from its intensities",
    }.get(volume.modality_source, "")
    if volume.modality is Modality.UNKNOWN:
        text = "Whether this is CT or MR is not known."
    else:
        text = f"This is a {volume.modality.value} image{said}."
    return Evidence("modality", text, volume.modality.value, "", volume.modality_source or "not told")


def _position_evidence(
    midline: Midline | None,
    marks: list[LevelMark],
    regions: tuple[RegionCoverage, ...],
    levels: tuple[float, float] | None,
    slices: AxialSlices,
) -> list[Evidence]:
    items = []
    if midline is not None:
        items.append(
            Evidence(
                "midline",
                f"The patient's midline runs {_aside(midline.r_mm)}, ± {midline.uncertainty_mm:.0f} mm, judged from"
                f" {midline.source}.",
                round(midline.r_mm, 1),
                "mm",
                slices.all(),
            )
        )
    for mark in marks:
        if mark.visible:
            number = slices.index(mark.s_mm)
            items.append(
                Evidence(
                    f"landmark-{mark.name.replace(' ', '-')}",
                    f"{_LANDMARK_WORDS[mark.name]}, at slice {number} of {slices.count} from the feet up.",
                    round(mark.s_mm, 1),
                    "mm",
                    slices.between(mark.s_mm, mark.s_mm),
                )
            )
    for region in regions:
        word = "complete" if region.complete else "cut by the edge of the scan"
        items.append(
            Evidence(
                f"region-{region.region.replace(' ', '-')}",
                f"The {region.region} is covered over {region.top_mm - region.bottom_mm:.0f} mm, {word}.",
                round(region.top_mm - region.bottom_mm, 1),
                "mm",
                slices.between(region.bottom_mm, region.top_mm),
            )
        )
    if levels is not None:
        items.append(
            Evidence(
                "covered-levels",
                "Judged widely, the slices cover at most the body from"
                f" {_level_name(levels[0])} to {_level_name(levels[1])}.",
                levels,
                "",
                slices.all(),
            )
        )
    return items


def _aside(r_mm: float) -> str:
    if abs(r_mm) < 0.5:
        return "through the scanner's zero"
    return f"{abs(r_mm):.0f} mm to the {'right' if r_mm > 0 else 'left'} of the scanner's zero"


def _level_name(level: float) -> str:
    return level_at(level).replace("_", " ")
