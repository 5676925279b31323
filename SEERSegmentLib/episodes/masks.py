"""A mask as a file: a compressed ``.npz`` without pickles, cropped, with its place on the grid and in the patient."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import StorageError
from ..values import CroppedArray

__all__ = ["mask_bytes", "read_mask_file"]

#: What the standard library raises for a damaged archive: bad structure, an unknown method, a set encryption bit.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def mask_bytes(mask: CroppedArray, affine: NDArray[np.float64]) -> bytes:
    """The file's content: ``voxels`` uint8 0 or 1 (k, j, i), ``origin``, ``grid`` int64 (k, j, i), ``affine`` 4 × 4."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        voxels=mask.voxels.astype(np.uint8),
        origin=np.array(mask.origin, np.int64),
        grid=np.array(mask.grid, np.int64),
        affine=np.array(affine, np.float64),
    )
    return buffer.getvalue()


def read_mask_file(path: Path) -> tuple[CroppedArray, NDArray[np.float64]]:
    """A mask, and the IJK→RAS affine of its whole grid.

    Raises
    ------
    StorageError
        ``episode-mask-damaged``.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:  # checksums first: a damaged header could claim any size
                raise ValueError("a checksum is wrong")
        with np.load(path, allow_pickle=False) as arrays:
            voxels, affine = arrays["voxels"], arrays["affine"]
            origin, grid = (tuple(int(n) for n in arrays[name]) for name in ("origin", "grid"))
        if voxels.dtype != np.uint8 or affine.shape != (4, 4) or len(origin) != 3 or len(grid) != 3:
            raise ValueError(f"voxels {voxels.dtype}, affine {affine.shape}, origin {origin}, grid {grid}")
        return CroppedArray(voxels, origin, grid), affine
    except (OSError, ValueError, KeyError, *_DAMAGED) as error:
        raise StorageError(
            f"The mask {path.name} of the episode {path.parent.name} can't be read.",
            code="episode-mask-damaged",
            detail=f"{path}: {error}",
        ) from error
