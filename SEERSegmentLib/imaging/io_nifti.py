"""The header of NIfTI-1 and NIfTI-2 files, single (.nii, .nii.gz) or in a pair (.hdr with .img).

Field offsets and meanings: NIfTI-1 (nifti1.h, NIMH 2003) and NIfTI-2 (2011). NIfTI's world is RAS.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import VolumeError
from ..values import axis_codes
from .headers import ImageHeader, check_spacing, spatial_size

__all__ = ["HEADER_BYTES", "is_nifti", "parse_nifti"]

#: Length of the longer of the two headers (NIfTI-2).
HEADER_BYTES = 540

#: NIfTI datatype code → numpy's type character and size; colour and complex codes stand apart.
_DTYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}
_COMPLEX = {32, 1792, 2048}
_COLOUR = {128, 2304}

#: xyzt_units & 7 → mm per unit; 0 (unknown) is taken as mm, as everybody does.
_UNIT_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}


def is_nifti(head: bytes) -> bool:
    """Whether a (decompressed) file starts like a NIfTI header in either byte order."""
    return len(head) >= 4 and head[:4] in (
        b"\x5c\x01\x00\x00",
        b"\x00\x00\x01\x5c",
        b"\x1c\x02\x00\x00",
        b"\x00\x00\x02\x1c",
    )


@dataclass(frozen=True)
class _Fields:
    """The header fields that matter, of either version."""

    order: str
    magic: bytes
    dim: tuple[int, ...]
    datatype: int
    pixdim: tuple[float, ...]
    vox_offset: float
    slope: float
    inter: float
    units: int
    qform_code: int
    sform_code: int
    quatern: tuple[float, ...]
    qoffset: tuple[float, ...]
    srow: tuple[float, ...]


def _unpack(head: bytes) -> _Fields:
    order = "<" if head[0] in (0x5C, 0x1C) else ">"

    def get(fmt: str, at: int) -> tuple[Any, ...]:
        return struct.unpack_from(order + fmt, head, at)

    if head[:4] in (b"\x5c\x01\x00\x00", b"\x00\x00\x01\x5c"):  # 348: NIfTI-1
        return _Fields(
            order, head[344:348], get("8h", 40), get("h", 70)[0], get("8f", 76), get("f", 108)[0], get("f", 112)[0],
            get("f", 116)[0], head[123], get("h", 252)[0], get("h", 254)[0], get("3f", 256), get("3f", 268),
            get("12f", 280),
        )  # fmt: skip
    return _Fields(
        order, head[4:8], get("8q", 16), get("h", 12)[0], get("8d", 104), float(get("q", 168)[0]), get("d", 176)[0],
        get("d", 184)[0], get("i", 500)[0] & 0xFF, get("i", 344)[0], get("i", 348)[0], get("3d", 352), get("3d", 376),
        get("12d", 400),
    )  # fmt: skip


def parse_nifti(path: Path, head: bytes, *, compressed: bool) -> ImageHeader:
    """Read a NIfTI header.

    Parameters
    ----------
    path : Path
        The file, for its name and for the pair's other half.
    head : bytes
        Its first ``HEADER_BYTES`` bytes, decompressed (fewer where the file is shorter).
    compressed : bool
        Whether the file is gzip-compressed as a whole.

    Returns
    -------
    ImageHeader
        With the sform where there is one, as nibabel and FSL do, and else the qform.

    Raises
    ------
    VolumeError
        ``file-truncated``, ``header-damaged``, ``voxels-colour``, ``voxels-complex``, ``voxels-unsupported``,
        ``orientation-unknown``, ``orientation-conflict``, and those of the checks in ``headers``.
    """
    needed = 348 if head[:4] in (b"\x5c\x01\x00\x00", b"\x00\x00\x01\x5c") else HEADER_BYTES
    if len(head) < needed:
        raise VolumeError(
            "This NIfTI file ends within its header: it was cut off.",
            code="file-truncated",
            detail=f"{len(head)} bytes",
        )
    fields = _unpack(head)
    if fields.magic[:3] not in (b"n+1", b"ni1", b"n+2", b"ni2"):
        raise VolumeError(
            "This looks like an old Analyze file, which does not say which way the patient lies; convert it to NIfTI.",
            code="orientation-unknown",
            detail=repr(fields.magic),
        )
    rank = fields.dim[0]
    if not 1 <= rank <= 7:
        raise VolumeError(
            "This NIfTI header is damaged: its number of dimensions is impossible.",
            code="header-damaged",
            detail=f"dim[0] = {rank}",
        )
    dtype = _dtype(fields)
    if rank >= 5 and fields.dim[5] > 1 and all(n <= 1 for n in fields.dim[4:5]):
        raise VolumeError(
            "This image has several values in each voxel (a vector or colour image); SEER needs one.",
            code="voxels-vector",
            detail=str(fields.dim),
        )
    size = spatial_size(fields.dim[1 : 1 + rank])
    affine, notes = _affine(fields, size)
    slope, inter = float(fields.slope), float(fields.inter)
    if slope == 0 or math.isnan(slope):  # the standard: 0 = not used; NaN is nibabel's spelling of that
        slope, inter = 1.0, 0.0
    single = fields.magic[:2] == b"n+"
    if not math.isfinite(fields.vox_offset) or (single and fields.vox_offset < needed) or fields.vox_offset < 0:
        raise VolumeError(
            "This NIfTI header is damaged: its image data would start inside of the header.",
            code="header-damaged",
            detail=f"vox_offset {fields.vox_offset}",
        )
    start = int(fields.vox_offset)
    if not single:
        return ImageHeader("NIfTI", _pair(path), start, "raw", dtype, size, affine, slope, inter, notes=notes)
    return ImageHeader(
        "NIfTI",
        path,
        0 if compressed else start,
        "gzip" if compressed else "raw",
        dtype,
        size,
        affine,
        slope,
        inter,
        skip=start if compressed else 0,
        notes=notes,
    )


def _pair(path: Path) -> Path:
    other = path.with_suffix(".img")
    if not other.is_file():
        raise VolumeError(f"The image data that this header names is missing: {other.name}.", code="data-file-missing")
    return other


def _dtype(fields: _Fields) -> np.dtype[Any]:
    if fields.datatype in _COLOUR:
        raise VolumeError("This is a colour image; SEER needs one grey value per voxel.", code="voxels-colour")
    if fields.datatype in _COMPLEX:
        raise VolumeError("This image's voxels are complex numbers; save its magnitude first.", code="voxels-complex")
    if fields.datatype not in _DTYPES:
        raise VolumeError(
            "This image stores its voxels in a way that SEER can't read; convert it to 16-bit integers or floats.",
            code="voxels-unsupported",
            detail=f"NIfTI datatype {fields.datatype}",
        )
    return np.dtype(_DTYPES[fields.datatype]).newbyteorder("<" if fields.order == "<" else ">")


def _affine(fields: _Fields, size: tuple[int, int, int]) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """IJK→RAS in mm from sform or qform, and a note where the two disagree."""
    check_spacing(fields.pixdim[1:4])
    unit = _UNIT_MM.get(fields.units & 7, 1.0)
    scale = np.diag([unit, unit, unit, 1.0])
    sform = scale @ _sform(fields) if fields.sform_code > 0 else None
    if sform is not None and np.isfinite(sform).all():
        _check_voxel_sizes(np.linalg.norm(sform[:3, :3], axis=0), unit * np.array(fields.pixdim[1:4]))
    qform = scale @ _qform(fields) if fields.qform_code > 0 else None
    if sform is None and qform is None:
        raise VolumeError(
            "This NIfTI file does not say which way the patient lies (it has neither qform nor sform), so left and"
            " right can't be told; export it again from its source.",
            code="orientation-unknown",
        )
    if sform is None or qform is None:
        affine = qform if sform is None else sform
        assert affine is not None
        return affine, ()
    if not (np.isfinite(sform).all() and np.isfinite(qform).all()):
        return sform if not np.isfinite(sform).all() else qform, ()  # the check of the header names the error
    corners = np.array([[i, j, k, 1] for i in (0, size[0]) for j in (0, size[1]) for k in (0, size[2])], float).T
    apart = float(np.abs((sform - qform) @ corners).max())
    if apart <= 0.5 * float(np.linalg.norm(sform[:3, :3], axis=0).min()):
        return sform, ()
    if (np.linalg.norm(sform[:3, :3], axis=0) == 0).any() or axis_codes(sform) != axis_codes(qform):
        raise VolumeError(
            "This NIfTI file gives two orientations that contradict each other (sform and qform), so left and right"
            " can't be told for certain; export it again from its source.",
            code="orientation-conflict",
            detail=f"corners up to {apart:.1f} mm apart",
        )
    return sform, (f"sform taken; the file's qform differs from it by up to {apart:.1f} mm",)


def _check_voxel_sizes(sform: NDArray[np.float64], pixdim: NDArray[np.float64]) -> None:
    """Refuse a header whose two statements of the voxel size differ by more than rounding: readers disagree on it."""
    if (sform > 0).all() and (np.abs(sform - pixdim) > 0.01 * pixdim).any():
        raise VolumeError(
            "This NIfTI file gives two different voxel sizes (sform and pixdim); export it again from its source.",
            code="spacing-conflict",
            detail=f"{tuple(sform.round(4))} and {tuple(pixdim.round(4))} mm",
        )


def _sform(fields: _Fields) -> NDArray[np.float64]:
    return np.vstack([np.array(fields.srow, dtype=np.float64).reshape(3, 4), [0.0, 0.0, 0.0, 1.0]])


def _qform(fields: _Fields) -> NDArray[np.float64]:
    """nifti1.h, section 'QUATERNION REPRESENTATION OF ROTATION MATRIX' (method 2)."""
    b, c, d = fields.quatern
    a2 = 1.0 - (b * b + c * c + d * d)
    if a2 < 1e-7:  # a rotation by 180 degrees, within single precision: nifti1_io.c, nifti_quatern_to_mat44
        norm = math.sqrt(b * b + c * c + d * d)
        a, b, c, d = 0.0, b / norm, c / norm, d / norm
    else:
        a = math.sqrt(a2)
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    qfac = -1.0 if fields.pixdim[0] < 0 else 1.0
    affine = np.eye(4)
    affine[:3, :3] = rotation * np.array([fields.pixdim[1], fields.pixdim[2], fields.pixdim[3] * qfac])
    affine[:3, 3] = fields.qoffset
    return affine
