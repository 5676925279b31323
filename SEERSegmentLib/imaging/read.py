"""Reading a volume from a file or a DICOM folder, checked."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import VolumeError
from ..protocols import CancelToken
from ..values import Modality, Volume, check_affine
from .checks import check_finite, check_not_constant
from .headers import ImageHeader, check_header
from .io_meta import is_meta, parse_meta
from .io_nifti import HEADER_BYTES, is_nifti, parse_nifti
from .io_nrrd import is_nrrd, parse_nrrd
from .modality import estimate_modality
from .payload import peek_gzip, read_voxels

__all__ = ["list_series", "read_labelmap", "read_volume"]


def read_volume(
    path: str | Path,
    *,
    modality: Modality | None = None,
    series: str | None = None,
    resample: bool = False,
    cancel: CancelToken | None = None,
) -> Volume:
    """Read one scalar 3D image.

    Parameters
    ----------
    path : str or Path
        A NIfTI (.nii, .nii.gz, .hdr), NRRD (.nrrd, .nhdr) or MetaImage (.mha, .mhd) file, a DICOM file, or a folder
        with a DICOM series. What the file is, is told from its content, not from its ending.
    modality : Modality, optional
        Overrides what the file says or its intensities suggest.
    series : str, optional
        Series instance UID, where the folder holds several; see :func:`list_series`.
    resample : bool
        Allows interpolation onto a regular right-angled grid where slices are missing, doubled or unevenly spaced,
        or axes are sheared (gantry tilt); without it such images are refused. ``Volume.transforms`` tells.
    cancel : CancelToken, optional
        Looked at after every megabyte, or every DICOM file.

    Returns
    -------
    Volume
        Voxels in the file's own order and type; oblique and left-handed geometry kept exactly.

    Raises
    ------
    VolumeError
        Each cause with a code of its own: docs/errors.md, "Reading a volume".
    SeriesChoiceNeeded
        The folder holds several series; the error lists them.
    Cancelled
    """
    cancel = cancel or CancelToken()
    source = _existing(path)
    if source.is_dir():
        from .dicom import read_dicom

        return _finish(read_dicom(source, series=series, resample=resample, cancel=cancel), modality)
    head = _head(source)
    if head[128:132] == b"DICM":
        from .dicom import read_dicom

        return _finish(read_dicom(source, series=series, resample=resample, cancel=cancel), modality)
    return _finish(_read_file(source, head, resample=resample, cancel=cancel), modality)


def read_labelmap(path: str | Path) -> Volume:
    """Read a label map: as :func:`read_volume`, but it may be constant, and its modality is not asked for.

    Raises
    ------
    VolumeError
        As :func:`read_volume`; ``labels-not-whole`` where a voxel is not a whole number.
    """
    source = _existing(path)
    if source.is_dir():
        raise VolumeError("A label map is one file (.nii.gz, .nrrd or .mha), not a folder.", code="labels-folder")
    volume = _read_file(source, _head(source), resample=False, cancel=CancelToken())
    check_finite(volume.voxels)
    if volume.voxels.dtype.kind == "f" and not all(np.array_equal(slab, np.rint(slab)) for slab in volume.voxels):
        raise VolumeError("This is not a label map: some of its voxels are not whole numbers.", code="labels-not-whole")
    return volume


def list_series(folder: str | Path) -> tuple[tuple[str, str], ...]:
    """The image series of a DICOM folder: (series instance UID, ``"CT, 120 slices, 'Thorax 1.5'"``), in their order.

    Raises
    ------
    VolumeError
        ``path-missing``, ``dicom-none``.
    """
    from .dicom import describe_series

    return describe_series(_existing(folder))


def _existing(path: str | Path) -> Path:
    source = Path(path)
    try:
        missing = not source.exists()
    except (OSError, ValueError) as error:  # a name too long for the system, or with a null character
        raise VolumeError("This is not a usable path.", code="path-missing", detail=str(error)) from error
    if missing:
        raise VolumeError(f"There is no file or folder of this name: {source.name}.", code="path-missing")
    return source


def _head(source: Path) -> bytes:
    try:
        if not source.is_file():  # a pipe or a device would be read for ever
            raise OSError("not a regular file")
        with source.open("rb") as stream:
            head = stream.read(65536)
    except OSError as error:
        raise VolumeError(
            f"This file can't be opened: {source.name}.", code="file-unreadable", detail=str(error)
        ) from error
    if not head:
        raise VolumeError("This file is empty.", code="file-empty")
    return head


def _read_file(source: Path, head: bytes, *, resample: bool, cancel: CancelToken) -> Volume:
    header = _parse(source, head)
    check_header(header)
    notes = header.notes
    if not resample:
        check_affine(header.affine)  # before the voxels: a sheared image is refused at once
    voxels, affine = read_voxels(header, cancel), header.affine
    try:
        check_affine(affine)
    except VolumeError as error:
        if error.code != "affine-sheared":
            raise
        from .resample import unshear

        check_finite(voxels)
        voxels, affine, note = unshear(voxels, affine)
        notes = (*notes, note)
    return Volume(voxels, affine, name=source.name, transforms=notes)


def _parse(source: Path, head: bytes) -> ImageHeader:
    try:
        header = _parse_any(source, head)
    except (ValueError, IndexError, OverflowError, struct.error) as error:  # a number that is none, a list too short
        raise VolumeError(
            "This file's header is damaged; export the image again.", code="header-damaged", detail=str(error)
        ) from error
    if header is None:
        raise VolumeError(
            f"SEER can't tell what kind of image this file is: {source.name}. It reads NIfTI, NRRD, MHA and DICOM.",
            code="format-unknown",
        )
    return header


def _parse_any(source: Path, head: bytes) -> ImageHeader | None:
    if head[:2] == b"\x1f\x8b":
        inner = peek_gzip(head, HEADER_BYTES)
        if is_nifti(inner):
            return parse_nifti(source, inner, compressed=True)
    if is_nifti(head):
        return parse_nifti(source, head[:HEADER_BYTES], compressed=False)
    if is_nrrd(head):
        return parse_nrrd(source)
    if is_meta(head):
        return parse_meta(source)
    return None


def _finish(volume: Volume, modality: Modality | None) -> Volume:
    """The checks that every image passes, and the modality with where it comes from."""
    check_finite(volume.voxels)
    check_not_constant(volume.voxels)
    if modality is not None:
        return replace(volume, modality=modality, modality_source="user")
    if volume.modality_source:
        return volume
    return replace(volume, modality=estimate_modality(volume.voxels), modality_source="intensities")
