"""The header of MetaImage files, single (.mha) or detached (.mhd with .raw or .zraw).

Field names and meanings: MetaIO documentation (itk.org/Wiki/MetaIO). MetaImage's world, as ITK writes it, is LPS.
Only the fields below are read; free text in a header may name the patient.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import VolumeError
from .headers import ImageHeader, check_data_file, check_spacing, spatial_size

__all__ = ["is_meta", "parse_meta"]

_DTYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip

_MAX_HEADER = 1 << 18


def is_meta(head: bytes) -> bool:
    """Whether a file starts like a MetaImage header."""
    first = head[:64].split(b"\n", 1)[0]
    return b"=" in first and first.split(b"=")[0].strip() in (b"ObjectType", b"NDims", b"Comment", b"ObjectSubType")


def parse_meta(path: Path) -> ImageHeader:
    """Read a MetaImage header.

    Raises
    ------
    VolumeError
        ``header-damaged``, ``orientation-unknown``, ``voxels-…``, ``data-file-…``, and those of the checks in
        ``headers``.
    """
    fields, header_bytes = _fields(path)
    rank = _whole_numbers(fields, "NDims")[0]
    sizes = _whole_numbers(fields, "DimSize")
    if len(sizes) != rank:
        raise _damaged("DimSize", f"{len(sizes)} sizes for {rank} dimensions")
    if fields.get("ElementNumberOfChannels", "1").strip() != "1":
        raise VolumeError(
            "This image has several values in each voxel (a vector or colour image); SEER needs one.",
            code="voxels-vector",
            detail=f"{fields['ElementNumberOfChannels']} channels",
        )
    size = spatial_size(sizes)
    dtype = _dtype(fields)
    compressed = _flag(fields, "CompressedData")
    text = not compressed and fields.get("BinaryData", "True").strip().lower() in ("false", "0")
    encoding = "zlib" if compressed else "text" if text else "raw"
    affine = _affine(fields, rank)
    data_path, offset = _data(path, fields, header_bytes)
    return ImageHeader("MHA", data_path, offset, encoding, dtype, size, affine)


def _damaged(field: str, detail: str) -> VolumeError:
    return VolumeError(
        f"This MetaImage header is damaged: its field '{field}' is missing or wrong.",
        code="header-damaged",
        detail=detail,
    )


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """Field → text, and the header's length; ElementDataFile is its last field."""
    with path.open("rb") as stream:
        head = stream.read(_MAX_HEADER)
    fields: dict[str, str] = {}
    at = 0
    while at < len(head):
        end = head.find(b"\n", at)
        end = len(head) if end < 0 else end
        name, equals, value = head[at:end].decode("utf-8", errors="replace").partition("=")
        at = end + 1
        if equals:
            fields[name.strip()] = value.strip()
            if name.strip() == "ElementDataFile":
                return fields, at
    raise _damaged("ElementDataFile", "not found")


def _numbers(fields: dict[str, str], name: str) -> list[float]:
    try:
        return [float(t) for t in fields[name].split()]
    except (KeyError, ValueError) as error:
        raise _damaged(name, str(error)) from error


def _whole_numbers(fields: dict[str, str], name: str) -> list[int]:
    numbers = _numbers(fields, name)
    if not numbers or any(n != n or abs(n) == math.inf or n != int(n) for n in numbers):
        raise _damaged(name, str(numbers))
    return [int(n) for n in numbers]


def _flag(fields: dict[str, str], *names: str) -> bool:
    return any(fields.get(n, "False").strip().lower() in ("true", "1") for n in names)


def _dtype(fields: dict[str, str]) -> np.dtype[Any]:
    name = fields.get("ElementType", "").strip()
    if name.endswith("_ARRAY"):
        raise VolumeError(
            "This image has several values in each voxel (a vector or colour image); SEER needs one.",
            code="voxels-vector",
            detail=name,
        )
    if name not in _DTYPES:
        raise VolumeError(
            "This image stores its voxels in a way that SEER can't read; convert it to 16-bit integers or floats.",
            code="voxels-unsupported",
            detail=f"ElementType {name!r}",
        )
    big = _flag(fields, "BinaryDataByteOrderMSB", "ElementByteOrderMSB")
    return np.dtype(_DTYPES[name]).newbyteorder(">" if big else "<")


def _first(fields: dict[str, str], *names: str) -> str | None:
    return next((n for n in names if n in fields), None)


def _affine(fields: dict[str, str], rank: int) -> NDArray[np.float64]:
    spacing_field = _first(fields, "ElementSpacing", "ElementSize")
    matrix_field = _first(fields, "TransformMatrix", "Orientation", "Rotation")
    origin_field = _first(fields, "Offset", "Position", "Origin")
    if spacing_field is None:
        raise _damaged("ElementSpacing", "missing")
    if matrix_field is None or origin_field is None:
        raise VolumeError(
            "This MetaImage file does not say which way the patient lies (no TransformMatrix or Offset), so left and"
            " right can't be told; export it again from its source.",
            code="orientation-unknown",
        )
    spacing, flat = _numbers(fields, spacing_field), _numbers(fields, matrix_field)
    origin = _numbers(fields, origin_field)
    if len(spacing) != rank or len(flat) != rank * rank or len(origin) != rank:
        raise _damaged(matrix_field, f"{len(spacing)}, {len(flat)}, {len(origin)} numbers for {rank} dimensions")
    check_spacing(spacing[:3])
    matrix = np.array(flat).reshape(rank, rank)[:3, :3]  # row a is the direction of axis a, in LPS
    affine = np.eye(4)
    affine[:3, :3] = matrix.T * np.array(spacing[:3])
    affine[:3, 3] = origin[:3]
    affine[:2] *= -1.0  # LPS to RAS
    lengths = np.linalg.norm(matrix, axis=1)
    if np.isfinite(lengths).all() and (lengths == 0).any():
        raise VolumeError(
            "This image's orientation can't be used: one of its axes has no direction.", code="affine-singular"
        )
    return affine


def _data(path: Path, fields: dict[str, str], header_bytes: int) -> tuple[Path, int]:
    name = fields["ElementDataFile"]
    if name.upper() in ("LOCAL", "LOCALE"):
        return path, header_bytes
    if name.upper().startswith("LIST") or "%" in name:
        raise VolumeError(
            "This header spreads its image over several files; save it as one file.", code="data-file-list"
        )
    skip = int(_numbers(fields, "HeaderSize")[0]) if "HeaderSize" in fields else 0
    return check_data_file(path, name), skip if skip >= 0 else -1
