"""Values of the pipeline as the panel shows them: pictures, cropped masks, centres."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import StorageError
from ..imaging import encode_png, orientation_letters
from ..values import CroppedArray, Finding, Segment, Segmentation, View
from .files import path_of, write_mask
from .messages import Matrix, RunReport, SegmentPiece, ViewPicture

__all__ = ["Pictures", "as_matrix", "run_report"]

Point = tuple[float, float, float]


class Pictures:
    """The views of one job as PNG files ``<job>.view-<n>.png`` in the session folder; each is written once."""

    def __init__(self, folder: Path, job: str) -> None:
        self._folder, self._job = folder, job
        self._made: dict[str, ViewPicture] = {}

    def of(self, views: Iterable[View]) -> tuple[ViewPicture, ...]:
        """Raises StorageError ``session-folder-unusable``."""
        return tuple(self._made.get(view.name) or self._make(view) for view in views)

    def _make(self, view: View) -> ViewPicture:
        name = f"{self._job}.view-{len(self._made) + 1}.png"
        try:
            path_of(self._folder, name).write_bytes(encode_png(view))
        except OSError as error:
            raise StorageError(
                "A snapshot can't be written into this session's folder.",
                code="session-folder-unusable",
                detail=str(error),
            ) from error
        rows, columns = view.pixels.shape
        left, right, top, bottom = orientation_letters(view)
        picture = ViewPicture(
            name=view.name,
            png=name,
            size=(columns, rows),
            plane=view.plane,
            slice_index=view.slice_index,
            position_mm=view.position_mm,
            letters=(top, right, bottom, left),
            centre_ras=_at(view.pixel_to_ras, ((columns - 1) / 2, (rows - 1) / 2, 0.0)),
            pixel_to_ras=as_matrix(view.pixel_to_ras),
            preset=view.preset,
        )
        self._made[view.name] = picture
        return picture


def run_report(job: str, result: Segmentation, pictures: Pictures, folder: Path) -> RunReport:
    """The report of a segmentation, its masks in files ``<job>.mask-<n>.npy``. Raises StorageError."""
    return RunReport(
        job=job,
        volume_sha256=result.volume.sha256,
        views=pictures.of(result.views),
        skills=result.skills,
        reasoning=result.reasoning,
        spec=result.spec,
        segments=tuple(_pieces(job, result, folder)),
        findings=result.findings,
        provenance=result.provenance,
    )


def _pieces(job: str, result: Segmentation, folder: Path) -> Iterator[SegmentPiece]:
    for number, segment in enumerate(result.segments, 1):
        mask = CroppedArray.of(segment.mask.voxels)
        yield SegmentPiece(
            id=segment.id,
            name=segment.name,
            colour=segment.colour,
            terminology=segment.terminology,
            target=segment.mask.target,
            volume_ml=segment.volume_ml,
            mask=write_mask(folder, f"{job}.mask-{number}.npy", mask),
            centre_ras=_centre(mask, result.volume.affine),
            findings=_findings_of(segment, result.findings),
        )


def _findings_of(segment: Segment, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(f for f in findings if f.target and f.target in (segment.name, segment.mask.target.text))


def _centre(mask: CroppedArray, affine: NDArray[np.float64]) -> Point | None:
    """Centre of mass in RAS mm; None for an empty mask."""
    count = mask.count
    if not count:
        return None
    indices = []
    for axis, start in enumerate(mask.origin):
        others = tuple(other for other in range(3) if other != axis)
        held = np.count_nonzero(mask.voxels, axis=others)
        indices.append(start + float(held @ np.arange(len(held))) / count)
    k, j, i = indices
    return _at(affine, (i, j, k))


def _at(to_ras: NDArray[np.float64], point: Point) -> Point:
    r, a, s, _ = (float(value) for value in to_ras @ np.array([*point, 1.0]))
    return r, a, s


def as_matrix(values: NDArray[np.float64]) -> Matrix:
    """A 4 × 4 array as nested tuples."""
    rows = [(float(a), float(b), float(c), float(d)) for a, b, c, d in values]
    return tuple(rows)
