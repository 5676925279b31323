"""A DICOM series as a volume: the series chosen, its slices ordered and checked, their pixels decoded and scaled.

Geometry follows DICOM PS3.3 C.7.6.2.1.1: position and directions of each slice, never file names or instance numbers.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import SeriesChoiceNeeded, VolumeError
from ..protocols import CancelToken
from ..values import SHEAR_TOLERANCE, Modality, Volume
from .dicom_pixels import read_pixels
from .dicom_scan import DicomSeries, DicomSlice, scan
from .headers import check_extent, check_spacing
from .resample import even_slices, unshear

__all__ = ["describe_series", "read_dicom"]

#: How far a slice may lie from its place on an even grid, in slice distances, before the stack counts as uneven.
#: Scanners round positions to 0.1 mm at worst; a tenth of a voxel is less than what partial volume blurs.
_POSITION_TOLERANCE = 0.1


def describe_series(folder: Path) -> tuple[tuple[str, str], ...]:
    """(identifier, description) of each image series in a folder; see ``imaging.list_series``."""
    return tuple((s.uid, s.text) for s in scan(folder, CancelToken()))


def read_dicom(source: Path, *, series: str | None, resample: bool, cancel: CancelToken) -> Volume:
    """Read a series from a folder, or one multi-frame file; see ``imaging.read_volume``.

    Raises
    ------
    SeriesChoiceNeeded
        ``dicom-several-series``.
    VolumeError
        ``dicom-…`` as docs/errors.md lists them.
    """
    chosen, notes = _choose(scan(source, cancel), series)
    return _stack(chosen, notes, resample=resample, cancel=cancel)


def _choose(found: list[DicomSeries], wanted: str | None) -> tuple[DicomSeries, tuple[str, ...]]:
    if wanted is not None:
        matching = [s for s in found if wanted in (s.uid, s.uid.split("#")[0])]
        if not matching:
            raise VolumeError(
                "The series asked for is not in this folder.", code="dicom-series-unknown", detail=f"{wanted!r}"
            )
    else:
        matching = found
    volumes = [s for s in matching if len(s.slices) > 1 and not s.is_localizer]
    left_out = sum(len(s.slices) for s in matching) - sum(len(s.slices) for s in volumes)
    exact = [s for s in matching if s.uid == wanted]
    if exact:
        return exact[0], ()
    candidates = volumes or matching
    if len(candidates) > 1:
        listed = tuple((s.uid, s.text) for s in candidates)
        raise SeriesChoiceNeeded(
            f"This folder holds {len(candidates)} image series; choose one: {'; '.join(t for _, t in listed)}.", listed
        )
    return candidates[0], (f"left out {left_out} localizer or single images",) if volumes and left_out else ()


def _stack(series: DicomSeries, notes: tuple[str, ...], *, resample: bool, cancel: CancelToken) -> Volume:
    slices = series.slices
    if len(slices) < 2:
        raise VolumeError("This image is a single 2D slice; SEER segments 3D volumes.", code="volume-2d")
    first = slices[0]
    numbers = [x for s in slices for x in (*s.position, *s.row, *s.column)]
    if not all(math.isfinite(x) for x in numbers):
        raise VolumeError(
            "This image's position or orientation is not a number; the file is damaged.", code="affine-not-finite"
        )
    check_spacing(first.spacing)
    row, column, normal = _axes(first)
    slices, positions, offsets = _ordered(slices, row, column, normal)
    slices, positions, offsets, notes = _deduplicated(slices, positions, offsets, notes, resample=resample)
    step = _step(positions, resample=resample)
    per_slice = _straight(positions, offsets, first.spacing) * step
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = row * first.spacing[1], column * first.spacing[0]
    affine[:3, 2] = normal * step + row * per_slice[0] + column * per_slice[1]
    affine[:3, 3] = slices[0].position
    affine[:2] *= -1.0  # LPS to RAS
    even = round((positions[-1] - positions[0]) / step) + 1
    check_extent(affine, (first.columns, first.rows, even))
    tilted = max(abs(per_slice)) > SHEAR_TOLERANCE * step
    if tilted and not resample:
        raise VolumeError(
            "This scan was made with a tilted gantry (its slices are shifted against each other); allow it to be"
            " resampled to right angles.",
            code="dicom-gantry-tilt",
            detail=f"{np.degrees(np.arctan(np.hypot(*per_slice) / step)):.1f} degrees",
        )
    voxels, inverted = read_pixels(slices, series.modality, cancel)
    if inverted:
        notes = (*notes, "inverted (stored with white as the lowest value, MONOCHROME1)")
    if not _is_even(positions, step):
        voxels = even_slices(voxels, positions, step)
        notes = (*notes, f"resampled to even slices of {step:.4g} mm ({len(positions)} slices became {len(voxels)})")
    if tilted:
        voxels, affine, note = unshear(voxels, affine)
        notes = (*notes, note)
    return Volume(
        voxels,
        affine,
        modality={"CT": Modality.CT, "MR": Modality.MR}.get(series.modality, Modality.UNKNOWN),
        modality_source="DICOM",
        name=f"{series.modality or 'DICOM'} series {series.number}".strip(),
        transforms=notes,
        metadata=series.metadata,
    )


def _axes(first: DicomSlice) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    row, column = np.array(first.row), np.array(first.column)
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if min(lengths) < 0.5 or abs(row @ column) > 0.5 * lengths[0] * lengths[1]:
        raise VolumeError(
            "This image's orientation can't be used: two of its axes point the same way.", code="affine-singular"
        )
    row, column = row / lengths[0], column / lengths[1]
    normal = np.cross(row, column)
    return row, column, normal / np.linalg.norm(normal)


def _ordered(
    slices: list[DicomSlice], row: NDArray[np.float64], column: NDArray[np.float64], normal: NDArray[np.float64]
) -> tuple[list[DicomSlice], NDArray[np.float64], NDArray[np.float64]]:
    """Slices along the normal, their positions along it, and their offsets (n, 2) along row and column, mm."""
    ordered = sorted(slices, key=lambda s: (round(float(np.dot(normal, s.position)), 3), s.instance))
    places = np.array([s.position for s in ordered])
    offsets = (places - places[0]) @ np.stack([row, column], axis=1)
    return ordered, places @ normal, offsets


def _deduplicated(
    slices: list[DicomSlice],
    positions: NDArray[np.float64],
    offsets: NDArray[np.float64],
    notes: tuple[str, ...],
    *,
    resample: bool,
) -> tuple[list[DicomSlice], NDArray[np.float64], NDArray[np.float64], tuple[str, ...]]:
    """Refuse slices at the same place, or with ``resample`` keep the first of each."""
    steps = np.diff(positions)
    apart = steps[steps > 1e-3]
    if apart.size == 0:
        raise VolumeError("All slices of this series lie at the same place.", code="dicom-several-volumes")
    same = steps < _POSITION_TOLERANCE * float(np.median(apart))
    if not same.any():
        return slices, positions, offsets, notes
    places = len(slices) - int(same.sum())
    if len(slices) % places == 0 and int(same.sum()) >= places:
        counts = np.diff(np.flatnonzero(np.concatenate([[True], ~same, [True]])))
        if (counts == counts[0]).all():
            raise VolumeError(
                f"This series holds {counts[0]} images at every slice position (time points, echoes or the like);"
                " export one of them as a series of its own.",
                code="dicom-several-volumes",
                detail=f"{len(slices)} images at {places} positions",
            )
    if not resample:
        raise VolumeError(
            f"{int(same.sum())} slices of this series lie where another slice lies; allow resampling to keep one of"
            " each.",
            code="dicom-slices-duplicate",
        )
    keep = np.concatenate([[True], ~same])
    note = f"left out {int(same.sum())} doubled slices"
    return [s for s, k in zip(slices, keep, strict=True) if k], positions[keep], offsets[keep], (*notes, note)


def _is_even(positions: NDArray[np.float64], step: float) -> bool:
    even = positions[0] + step * np.arange(len(positions))
    return bool(np.abs(positions - even).max() <= _POSITION_TOLERANCE * step)


def _step(positions: NDArray[np.float64], *, resample: bool) -> float:
    """Distance of slices in mm; refuses gaps and unevenness unless they may be resampled."""
    mean = float(positions[-1] - positions[0]) / (len(positions) - 1)
    if _is_even(positions, mean):
        return mean
    steps = np.diff(positions)
    typical = float(np.median(steps))
    if resample:
        return typical
    ratios = steps / typical
    odd = ratios[np.abs(ratios - 1) > _POSITION_TOLERANCE]
    if odd.size and (np.abs(odd - np.rint(odd)) <= _POSITION_TOLERANCE).all() and (odd > 1.5).all():
        missing = int((np.rint(odd) - 1).sum())
        raise VolumeError(
            f"{missing} slices are missing within this series; copy it again, or allow resampling to fill the gap by"
            " interpolation.",
            code="dicom-slices-missing",
            detail=f"slice distance {typical:.4g} mm, gaps up to {steps.max():.4g} mm",
        )
    raise VolumeError(
        f"The slices of this series are unevenly spaced ({steps.min():.4g} to {steps.max():.4g} mm apart); allow"
        " resampling to even ones.",
        code="dicom-slices-uneven",
    )


def _straight(
    positions: NDArray[np.float64], offsets: NDArray[np.float64], spacing: tuple[float, ...]
) -> NDArray[np.float64]:
    """Shift within the slice per mm along the normal, (along row, along column); refuses slices off a straight line."""
    slope: NDArray[np.float64] = offsets[-1] / (positions[-1] - positions[0])
    strays = np.abs(offsets - np.outer(positions - positions[0], slope))
    if (strays > 2 * _POSITION_TOLERANCE * np.array([spacing[1], spacing[0]])).any():
        raise VolumeError(
            "The slices of this series don't lie in one straight stack; SEER can't make a volume of them.",
            code="dicom-slices-scattered",
            detail=f"up to {strays.max():.3g} mm off",
        )
    return slope
