"""The header of NRRD files, attached (.nrrd) or detached (.nhdr).

Field names and meanings: teem.sourceforge.net/nrrd/format.html, versions 1 to 5. Free text in a header (``content``,
key/value pairs) is not read: it may name the patient.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import VolumeError
from .headers import ImageHeader, check_data_file, check_spacing, spatial_size

__all__ = ["is_nrrd", "parse_nrrd"]

_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_DTYPES = {name: code for code, names in _TYPES.items() for name in names}

_ENCODINGS = {
    "raw": "raw", "txt": "text", "text": "text", "ascii": "text", "gz": "gzip", "gzip": "gzip", "bz2": "bz2",
    "bzip2": "bz2",
}  # fmt: skip

#: Space → the signs that take its coordinates to RAS.
_SPACES = {
    "right-anterior-superior": (1, 1, 1),
    "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1),
    "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1),
    "lps": (-1, -1, 1),
}

_UNIT_MM = {"mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1000.0, "meter": 1000.0, "um": 1e-3, "µm": 1e-3, "": 1.0}

_COLOUR_KINDS = {"rgb-color", "rgba-color", "hsv-color", "xyz-color", "3-color", "4-color"}
_DOMAIN_KINDS = {"domain", "space", "???", "none", ""}

#: No honest NRRD header is longer.
_MAX_HEADER = 1 << 20


def is_nrrd(head: bytes) -> bool:
    """Whether a file starts with the NRRD magic."""
    return head.startswith(b"NRRD000")


def parse_nrrd(path: Path) -> ImageHeader:
    """Read a NRRD header.

    Raises
    ------
    VolumeError
        ``header-damaged``, ``orientation-unknown``, ``voxels-…``, ``data-file-…``, and those of the checks in
        ``headers``.
    """
    fields, header_bytes = _fields(path)
    rank = _integers(fields, "dimension")[0]
    sizes = _integers(fields, "sizes")
    if len(sizes) != rank:
        raise _damaged("sizes", f"{len(sizes)} sizes for {rank} dimensions")
    dtype = _dtype(fields)
    encoding = _ENCODINGS.get(fields.get("encoding", "").lower())
    if encoding is None:
        raise VolumeError(
            "This NRRD file is packed in a way that SEER can't read; save it again as raw or gzip.",
            code="voxels-unsupported",
            detail=f"encoding {fields.get('encoding')!r}",
        )
    spatial = _spatial_axes(fields, sizes)
    size = spatial_size([sizes[a] for a in spatial] + [n for a, n in enumerate(sizes) if a not in spatial])
    affine = _affine(fields, spatial, rank)
    data_path, offset = _data(path, fields, header_bytes, encoding)
    return ImageHeader(
        "NRRD", data_path, offset, encoding, dtype, size, affine, skip=0 if encoding == "raw" else _skip(fields)
    )


def _damaged(field: str, detail: str) -> VolumeError:
    return VolumeError(
        f"This NRRD header is damaged: its field '{field}' is missing or wrong.", code="header-damaged", detail=detail
    )


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """Field name (lower case, without spaces) → text, and the header's length in bytes up to the voxels."""
    with path.open("rb") as stream:
        head = stream.read(_MAX_HEADER)
    fields: dict[str, str] = {}
    at = 0
    while True:
        end = head.find(b"\n", at)
        line = head[at : end if end >= 0 else len(head)].rstrip(b"\r")
        at = end + 1 if end >= 0 else len(head)
        if not line:
            return fields, at
        text = line.decode("utf-8", errors="replace")
        if not text.startswith(("#", "NRRD")) and ":=" not in text:
            name, colon, value = text.partition(":")
            if not colon:
                raise _damaged(name[:20], "a line without a colon")
            key = name.strip().lower().replace(" ", "")
            fields[key] = value.strip()
            if key == "datafile" and value.strip().upper().startswith("LIST"):
                return fields, at
        if end < 0:
            return fields, at


def _integers(fields: dict[str, str], name: str) -> list[int]:
    try:
        return [int(t) for t in fields[name].split()] or [0]
    except (KeyError, ValueError) as error:
        raise _damaged(name, str(error)) from error


def _dtype(fields: dict[str, str]) -> np.dtype[Any]:
    name = fields.get("type", "").lower()
    if name not in _DTYPES:
        raise VolumeError(
            "This image stores its voxels in a way that SEER can't read; convert it to 16-bit integers or floats.",
            code="voxels-unsupported",
            detail=f"type {name!r}",
        )
    dtype = np.dtype(_DTYPES[name])
    endian = fields.get("endian", "").lower()
    if dtype.itemsize > 1 and endian not in ("little", "big") and fields.get("encoding", "").lower() not in (
        "txt", "text", "ascii",
    ):  # fmt: skip
        raise _damaged("endian", f"{endian!r}")
    return dtype.newbyteorder(">" if endian == "big" else "<")


def _spatial_axes(fields: dict[str, str], sizes: list[int]) -> list[int]:
    """The axes that have a direction in space; refuses further axes that hold more than one element."""
    kinds = fields.get("kinds", "").lower().split()
    directions = _directions(fields)
    for axis, n in enumerate(sizes):
        kind = kinds[axis] if axis < len(kinds) else ""
        in_space = axis >= len(directions) or directions[axis] is not None
        if n <= 1 or (kind in _DOMAIN_KINDS and in_space):
            continue
        if kind in _COLOUR_KINDS:
            raise VolumeError("This is a colour image; SEER needs one grey value per voxel.", code="voxels-colour")
        if kind == "complex":
            raise VolumeError(
                "This image's voxels are complex numbers; save its magnitude first.", code="voxels-complex"
            )
        if kind in ("time", "list") or in_space or kind in _DOMAIN_KINDS:
            raise VolumeError(
                "This file holds several volumes or overlapping layers in one (4D); save the one you want as its own"
                " file.",
                code="volume-4d",
                detail=f"sizes {sizes}, kinds {kinds}",
            )
        raise VolumeError(
            "This image has several values in each voxel (a vector or colour image); SEER needs one.",
            code="voxels-vector",
            detail=f"sizes {sizes}, kinds {kinds}",
        )
    if directions:
        return [a for a, d in enumerate(directions) if d is not None]
    return list(range(min(3, len(sizes))))


def _vector(text: str) -> list[float]:
    try:
        return [float(t) for t in text.strip("() ").split(",")]
    except ValueError as error:
        raise _damaged("space directions", str(error)) from error


def _directions(fields: dict[str, str]) -> list[list[float] | None]:
    """One direction per axis; None where the axis is not in space."""
    tokens = re.findall(r"none|\([^)]*\)", fields.get("spacedirections", ""), flags=re.IGNORECASE)
    return [None if t.lower() == "none" else _vector(t) for t in tokens]


def _affine(fields: dict[str, str], spatial: list[int], rank: int) -> NDArray[np.float64]:
    if "spacings" in fields:
        check_spacing([float(t) for t in fields["spacings"].split()[:3] if t.lower() != "nan"])
    signs = _SPACES.get(fields.get("space", "").lower().removesuffix("-time"))
    directions = _directions(fields)
    if signs is None or not directions:
        raise VolumeError(
            "This NRRD file does not say which way the patient lies, so left and right can't be told; export it again"
            " from its source.",
            code="orientation-unknown",
            detail=f"space {fields.get('space')!r}, space directions {fields.get('spacedirections')!r}",
        )
    vectors = [d[:3] for d in directions if d is not None]
    if len(directions) != rank or len(spatial) != 3 or any(len(v) != 3 for v in vectors):
        raise _damaged("space directions", fields.get("spacedirections", ""))
    origin = _vector(fields["spaceorigin"]) if "spaceorigin" in fields else None
    if origin is None or len(origin) < 3:
        raise _damaged("space origin", fields.get("spaceorigin", "missing"))
    if any(not math.isfinite(x) for v in vectors for x in v):
        raise VolumeError(
            "This image's position or orientation is not a number; the file is damaged.", code="affine-not-finite"
        )
    check_spacing([float(np.linalg.norm(v)) for v in vectors])
    units = re.findall(r'"([^"]*)"', fields.get("spaceunits", "")) or [""] * 3
    scale = [_UNIT_MM.get(u.strip().lower()) for u in (*units, "", "")[:3]]
    if any(s is None for s in scale):
        raise _damaged("space units", fields.get("spaceunits", ""))
    affine = np.eye(4)
    affine[:3, :3] = np.array(vectors).T
    affine[:3, 3] = origin[:3]
    to_ras = np.array(signs, dtype=np.float64) * np.array(scale, dtype=np.float64)
    affine[:3] *= to_ras[:, None]
    return affine


def _skip(fields: dict[str, str]) -> int:
    return max(int(fields.get("byteskip", "0") or 0), 0)


def _data(path: Path, fields: dict[str, str], header_bytes: int, encoding: str) -> tuple[Path, int]:
    """The file that holds the voxels and where in it they start; -1 where they end with the file."""
    name = fields.get("datafile", "")
    if not name:
        data_path, offset = path, header_bytes
    elif name.upper().startswith("LIST") or "%" in name:
        raise VolumeError(
            "This header spreads its image over several files; save it as one file.", code="data-file-list"
        )
    else:
        data_path, offset = check_data_file(path, name), 0
    lines = int(fields.get("lineskip", "0") or 0)
    if lines > 0:
        with data_path.open("rb") as stream:
            stream.seek(offset)
            for _ in range(lines):
                stream.readline(_MAX_HEADER)
            offset = stream.tell()
    byteskip = int(fields.get("byteskip", "0") or 0)
    if byteskip == -1 and encoding == "raw":
        return data_path, -1
    return data_path, offset + (max(byteskip, 0) if encoding == "raw" else 0)
