"""What an image file claims about itself, and the checks of that claim before a single voxel is allocated.

ITK repairs or ignores several header errors without a word (a spacing of zero, a NaN in the direction, a size that
the file does not hold), so SEER reads the few header fields that it needs itself: `io_nifti`, `io_nrrd` and
`io_meta` turn a file's header into an `ImageHeader`, this module checks it, `payload` reads the voxels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import VolumeError

__all__ = [
    "MAX_EXTENT_MM",
    "SPACING_RANGE_MM",
    "ImageHeader",
    "check_data_file",
    "check_extent",
    "check_header",
    "spatial_size",
]

#: Voxel sizes outside of this are absurd for a patient: research micro-CT and microscopy MR end near 0.01 mm, and
#: 100 mm is more than the thickest localizer slice.
SPACING_RANGE_MM = (0.01, 100.0)

#: The longest scan of a person, whole-body PET/CT, is about 2 m; beyond 5 m the unit must be wrong.
MAX_EXTENT_MM = 5000.0

#: NIfTI-1 stores sizes as 16 bit; NRRD and MHA have no limit. No scanner makes an axis of more than 65,536 voxels.
MAX_AXIS = 65536


@dataclass(frozen=True)
class ImageHeader:
    """One scalar image in a file, as its header tells it.

    Attributes
    ----------
    format : str
        ``"NIfTI"``, ``"NRRD"`` or ``"MHA"``.
    data_path : Path
        The file that holds the voxels; the image file itself unless the header is detached.
    offset : int
        Where the (possibly compressed) voxels start in ``data_path``, in bytes; -1 where they end with the file.
    skip : int
        Bytes to pass over after decompression (a compressed NIfTI holds its own header).
    encoding : str
        ``"raw"``, ``"gzip"``, ``"zlib"``, ``"bz2"`` or ``"text"``.
    dtype : numpy.dtype
        Of the stored voxels, with their byte order.
    size : tuple[int, int, int]
        Voxels along (i, j, k), fastest first.
    affine : ndarray, shape (4, 4)
        IJK→RAS in mm.
    slope, intercept : float
        Stored value → real value.
    notes : tuple[str, ...]
        What a careful reader should know: which of two orientations was taken.
    """

    format: str
    data_path: Path
    offset: int
    encoding: str
    dtype: np.dtype[Any]
    size: tuple[int, int, int]
    affine: NDArray[np.float64]
    slope: float = 1.0
    intercept: float = 0.0
    skip: int = 0
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def voxel_bytes(self) -> int:
        """Length of the voxels, decompressed, in bytes."""
        return math.prod(self.size) * self.dtype.itemsize


def spatial_size(size: Sequence[int]) -> tuple[int, int, int]:
    """The three spatial sizes of an image whose further axes, if any, hold one element each.

    Raises
    ------
    VolumeError
        ``volume-empty`` (an axis of no voxels, or a negative number of them), ``volume-2d``, ``volume-4d``,
        ``header-absurd-size``.
    """
    if not size or any(n < 1 for n in size):
        raise VolumeError("This image has no voxels along one of its axes.", code="volume-empty", detail=str(size))
    if any(n > 1 for n in size[3:]):
        raise VolumeError(
            "This file holds a series of volumes (4D, for example over time); save the one you want as its own file.",
            code="volume-4d",
            detail="x".join(map(str, size)),
        )
    spatial = [*size, 1, 1][:3]
    if max(spatial) > MAX_AXIS:
        raise VolumeError(
            "This file's header claims a size that no scanner produces; the file is damaged.",
            code="header-absurd-size",
            detail="x".join(map(str, size)),
        )
    if spatial == [1, 1, 1]:
        raise VolumeError("This image has a single voxel; SEER needs a 3D volume.", code="volume-one-voxel")
    if min(spatial) == 1:
        raise VolumeError(
            "This image is a single 2D slice; SEER segments 3D volumes.",
            code="volume-2d",
            detail="x".join(map(str, size)),
        )
    return spatial[0], spatial[1], spatial[2]


def check_header(header: ImageHeader) -> None:
    """Refuse a header whose voxel size, orientation or length can't be true.

    Shear is left to the caller, who may have been asked to resample.

    Raises
    ------
    VolumeError
        ``rescale-not-finite``, ``file-truncated``, ``file-longer-than-header``, and those of :func:`check_extent`.
    """
    if not (math.isfinite(header.slope) and math.isfinite(header.intercept)) or header.slope == 0:
        raise VolumeError(
            "This file's scaling of voxel values is not a usable number; the file is damaged.",
            code="rescale-not-finite",
            detail=f"slope {header.slope}, intercept {header.intercept}",
        )
    _check_length(header)
    check_extent(header.affine, header.size)


def check_spacing(spacing: Sequence[float]) -> None:
    """Refuse voxel sizes, in mm, that are not positive numbers: ``spacing-not-finite``, ``spacing-not-positive``."""
    if not all(math.isfinite(s) for s in spacing):
        raise VolumeError(
            "This image's voxel size is not a number; the file is damaged.",
            code="spacing-not-finite",
            detail=str(tuple(spacing)),
        )
    if any(s <= 0 for s in spacing):
        raise VolumeError(
            "This image's voxel size is zero or negative; the file is damaged.",
            code="spacing-not-positive",
            detail=str(tuple(spacing)),
        )


def check_extent(affine: NDArray[np.float64], size: Sequence[int]) -> None:
    """Refuse an affine (IJK→RAS, mm) that no patient fits.

    Raises
    ------
    VolumeError
        ``affine-not-finite``, ``affine-singular``, ``spacing-absurd``, ``origin-absurd``.
    """
    if not np.isfinite(affine).all():
        raise VolumeError(
            "This image's position or orientation is not a number; the file is damaged.", code="affine-not-finite"
        )
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if (spacing == 0).any() or abs(float(np.linalg.det(affine[:3, :3] / spacing))) < 1e-6:
        raise VolumeError(
            "This image's orientation can't be used: two of its axes point the same way.", code="affine-singular"
        )
    extent = spacing * np.asarray(size)
    low, high = SPACING_RANGE_MM
    if (spacing < low).any() or (spacing > high).any() or (extent > MAX_EXTENT_MM).any():
        raise VolumeError(
            f"This image's voxels of {' × '.join(f'{s:.4g}' for s in spacing)} mm, or its extent of"
            f" {' × '.join(f'{e:.4g}' for e in extent)} mm, can't be right for a patient; its header probably has a"
            " wrong unit.",
            code="spacing-absurd",
        )
    if (np.abs(affine[:3, 3]) > 1e6).any():
        raise VolumeError(
            "This image lies more than a kilometre from its own origin; its header is damaged.", code="origin-absurd"
        )


#: A deflate stream can't expand by more than this (RFC 1951: 258 bytes from 2 bits); bzip2's run coding can do more.
_MAX_EXPANSION = {"gzip": 1032, "zlib": 1032, "bz2": 100_000}


def _check_length(header: ImageHeader) -> None:
    """Compare what the header claims with the file's length, without reading the voxels.

    Raises
    ------
    VolumeError
        ``file-truncated`` or ``file-longer-than-header``.
    """
    there = header.data_path.stat().st_size - max(header.offset, 0)
    claimed = header.voxel_bytes + header.skip
    if header.encoding in _MAX_EXPANSION:
        if there * _MAX_EXPANSION[header.encoding] < claimed:
            raise truncated(claimed, there, compressed=True)
        return
    if header.encoding == "text":
        if there < 2 * math.prod(header.size) - 1:  # a digit each, and something between
            raise truncated(2 * math.prod(header.size), there)
        return
    if there < claimed:
        raise truncated(claimed, there)
    if header.offset >= 0:
        check_surplus(header, there - claimed)


def check_surplus(header: ImageHeader, surplus: int) -> None:
    """Refuse a file that holds a slice or more beyond what its header claims: the header lies about the size."""
    if surplus >= min(4096, header.size[0] * header.size[1] * header.dtype.itemsize):
        raise VolumeError(
            "This file holds more image data than its header says; the header is wrong.",
            code="file-longer-than-header",
            detail=f"{surplus} bytes more than {header.voxel_bytes}",
        )


def truncated(claimed: int, there: int, *, compressed: bool = False) -> VolumeError:
    """The error for a file that ends before its voxels do."""
    return VolumeError(
        "This file ends before its image does: it was cut off (an incomplete download or copy?) or its header is"
        " wrong.",
        code="file-truncated",
        detail=f"header claims {claimed} bytes, the file has {there}{' compressed' if compressed else ''}",
    )


def check_data_file(header_path: Path, name: str) -> Path:
    """The voxel file that a detached header names: beside the header or below, and there.

    Raises
    ------
    VolumeError
        ``data-file-elsewhere`` (the header points out of its own folder), ``data-file-missing``.
    """
    folder = header_path.parent
    path = folder / name
    if "\0" in name or len(name) > 255:  # what no file system takes
        raise VolumeError("This header names image data by an impossible name.", code="data-file-missing")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise VolumeError(
            "This header points to image data outside of its own folder; put the two files side by side.",
            code="data-file-elsewhere",
            detail=name,
        )
    if not path.is_file():
        raise VolumeError(
            f"The image data that this header names is missing: {path.name}.", code="data-file-missing", detail=name
        )
    return path
