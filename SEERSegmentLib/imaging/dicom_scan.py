"""What a DICOM folder holds: its image slices with what places them, sorted into series. Pixels are not read here.

Only the tags below are read. None identifies a patient, and of these only the ones in ``KEPT`` go into a Volume; the
series description, which people type, is shown in lists and goes no further.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ..errors import VolumeError
from ..protocols import CancelToken

__all__ = ["KEPT", "DicomSeries", "DicomSlice", "parse_errors", "scan"]

#: Tags whose values go into ``Volume.metadata``: technique, nothing typed by hand, nothing about the person.
KEPT = (
    "Modality", "BodyPartExamined", "SliceThickness", "KVP", "ConvolutionKernel", "Manufacturer",
    "ManufacturerModelName", "MagneticFieldStrength", "ScanningSequence", "SequenceVariant", "RepetitionTime",
    "EchoTime", "InversionTime", "FlipAngle", "PatientPosition", "ImageType", "RescaleType",
    "PhotometricInterpretation",
)  # fmt: skip

_PLACING = (
    "SOPClassUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "InstanceNumber", "Rows", "Columns",
    "NumberOfFrames", "SamplesPerPixel", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient",
    "RescaleSlope", "RescaleIntercept", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip

#: Objects that have pixels or positions but are no images.
_NO_IMAGES = frozenset({"SEG", "RTSTRUCT", "RTPLAN", "RTDOSE", "SR", "PR", "KO", "REG", "DOC", "FID", "AU"})


def parse_errors() -> tuple[type[Exception], ...]:
    """What pydicom raises on a damaged file, when it reads it or when a value is first touched."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (BytesLengthException, InvalidDicomError, ValueError, TypeError, KeyError, AttributeError, IndexError,
            EOFError, OSError, OverflowError, RuntimeError, NotImplementedError, struct.error)  # fmt: skip


@dataclass(frozen=True)
class DicomSlice:
    """One 2D frame and its place. ``position``, ``row`` and ``column`` are LPS (DICOM PS3.3 C.7.6.2.1.1), mm.

    ``row`` is the direction in which the column index grows, ``column`` that in which the row index grows;
    ``spacing`` is (between rows, between columns).
    """

    path: Path
    frame: int
    instance: int
    position: tuple[float, ...]
    row: tuple[float, ...]
    column: tuple[float, ...]
    spacing: tuple[float, ...]
    rows: int
    columns: int
    slope: float
    intercept: float
    localizer: bool


@dataclass
class DicomSeries:
    """Slices of one series that share orientation, size and pixel spacing."""

    uid: str
    number: str
    description: str
    modality: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    slices: list[DicomSlice] = field(default_factory=list)

    @property
    def is_localizer(self) -> bool:
        return all(s.localizer for s in self.slices)

    @property
    def text(self) -> str:
        quoted = f", '{self.description}'" if self.description else ""
        return f"{self.modality or 'unknown'}, {len(self.slices)} slices{quoted}"


def scan(source: Path, cancel: CancelToken) -> list[DicomSeries]:
    """Find the image series in a folder and below, or in one DICOM file.

    Returns
    -------
    list of DicomSeries
        Sorted by series number. Where one series holds several orientations or sizes, each is listed on its own, its
        identifier being the series' with ``#1``, ``#2`` … added.

    Raises
    ------
    VolumeError
        ``dicom-none``, ``dicom-damaged``, ``dicom-no-geometry``, ``voxels-colour``.
    """
    files = sorted(p for p in source.rglob("*") if p.is_file()) if source.is_dir() else [source]
    groups: dict[tuple[Any, ...], DicomSeries] = {}
    seen = colour = placeless = 0
    for path in files:
        cancel.check()
        try:
            header = _header(path)
            if header is None or str(header.get("Modality", "")) in _NO_IMAGES or "Rows" not in header:
                continue
            seen += 1
            if int(header.get("SamplesPerPixel") or 1) != 1:
                colour += 1
                continue
            slices = list(_slices(path, header))
            placeless += not slices
            for item in slices:
                groups.setdefault(_key(header, item), _series(header)).slices.append(item)
        except parse_errors() as error:
            raise VolumeError(
                f"A DICOM file here is damaged: {path.name}.", code="dicom-damaged", detail=str(error)
            ) from error
    if not groups:
        _nothing(seen, colour, placeless)
    return _numbered(groups)


def _nothing(seen: int, colour: int, placeless: int) -> None:
    if colour:
        raise VolumeError(
            "The DICOM images here are in colour (screen captures?); SEER needs one grey value per voxel.",
            code="voxels-colour",
            detail=f"{colour} of {seen}",
        )
    if placeless:
        raise VolumeError(
            "The DICOM images here don't say where in the patient they lie (radiographs or screen captures?).",
            code="dicom-no-geometry",
            detail=f"{placeless} of {seen}",
        )
    raise VolumeError("There are no DICOM images in this folder.", code="dicom-none")


def _header(path: Path) -> Any:
    """The tags that matter; None for a file that is no DICOM."""
    import pydicom

    try:
        with path.open("rb") as stream:
            head = stream.read(132)
    except OSError as error:
        raise VolumeError(
            f"This file can't be opened: {path.name}.", code="file-unreadable", detail=str(error)
        ) from error
    bare = head[:4] in (b"\x08\x00\x05\x00", b"\x08\x00\x08\x00", b"\x08\x00\x16\x00")  # an old file without preamble
    if head[128:132] != b"DICM" and not bare:
        return None
    return pydicom.dcmread(path, stop_before_pixels=True, force=bare, specific_tags=[*KEPT, *_PLACING])


def _series(header: Any) -> DicomSeries:
    kept = {}
    for name in KEPT:
        value = header.get(name)
        if value not in (None, ""):
            kept[name] = "\\".join(map(str, value)) if not isinstance(value, str) and _many(value) else str(value)
    return DicomSeries(
        uid=str(header.get("SeriesInstanceUID") or "") or f"series-{header.get('SeriesNumber') or 0}",
        number=str(header.get("SeriesNumber") or ""),
        description=str(header.get("SeriesDescription") or ""),
        modality=str(header.get("Modality") or ""),
        metadata=MappingProxyType(kept),
    )


def _many(value: object) -> bool:
    return isinstance(value, Iterable)


def _key(header: Any, item: DicomSlice) -> tuple[Any, ...]:
    directions = tuple(np.round((*item.row, *item.column), 3) + 0.0)
    return (str(header.get("SeriesInstanceUID", "")), directions, item.rows, item.columns,
            tuple(np.round(item.spacing, 4)))  # fmt: skip


def _numbers(value: Any, count: int) -> tuple[float, ...] | None:
    try:
        numbers = tuple(float(v) for v in value)
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) == count else None


def _slices(path: Path, header: Any) -> Iterator[DicomSlice]:
    """The frames of a file that say where they are: one of a classic image, several of an enhanced one."""
    frames = int(header.get("NumberOfFrames") or 1)
    shared = (header.get("SharedFunctionalGroupsSequence") or [{}])[0]
    per_frame = header.get("PerFrameFunctionalGroupsSequence") or []
    for index in range(frames):
        levels = [per_frame[index], shared] if index < len(per_frame) else [shared]

        def get(group: str, tag: str, levels: list[Any] = levels) -> Any:
            """A value of this frame: from its own functional group, the shared one, or the file itself."""
            for level in levels:
                item = (level.get(group) or [{}])[0]
                if item.get(tag) is not None:
                    return item.get(tag)
            return header.get(tag)

        position = _numbers(get("PlanePositionSequence", "ImagePositionPatient"), 3)
        orientation = _numbers(get("PlaneOrientationSequence", "ImageOrientationPatient"), 6)
        spacing = _numbers(get("PixelMeasuresSequence", "PixelSpacing"), 2)
        if position is None or orientation is None or spacing is None or (frames > 1 and not per_frame):
            return
        slope = get("PixelValueTransformationSequence", "RescaleSlope")
        intercept = get("PixelValueTransformationSequence", "RescaleIntercept")
        yield DicomSlice(
            path=path,
            frame=index,
            instance=int(header.get("InstanceNumber") or 0) * 100_000 + index,
            position=position,
            row=orientation[:3],
            column=orientation[3:],
            spacing=spacing,
            rows=int(header.Rows),
            columns=int(header.Columns),
            slope=1.0 if slope is None else float(slope),
            intercept=0.0 if intercept is None else float(intercept),
            localizer="LOCALIZER" in (header.get("ImageType") or []),
        )


def _numbered(groups: dict[tuple[Any, ...], DicomSeries]) -> list[DicomSeries]:
    found = sorted(groups.values(), key=lambda s: (not s.number.isdigit(), int(s.number) if s.number.isdigit() else 0))
    uids = [s.uid for s in found]
    counters: dict[str, int] = {}
    for series in found:
        if uids.count(series.uid) > 1:
            counters[series.uid] = counters.get(series.uid, 0) + 1
            series.uid = f"{series.uid}#{counters[series.uid]}"
    return found
