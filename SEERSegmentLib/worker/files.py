"""Arrays as ``.npy`` files in the session folder, mapped into memory, never pickled.

    voxels, file = create_array(folder, "volume.npy", np.int16, shape)   # the panel copies slabs into it
    voxels = open_array(folder, file)                                    # the worker looks at it, read-only
    mask = write_mask(folder, "job-1.mask-1.npy", CroppedArray.of(whole))  # a mask, as far as it reaches
    cropped = read_mask(folder, mask)                                    # the CroppedArray again

A name is a name, not a path, and what a message says of an array must be what the file says of itself.
"""

from __future__ import annotations

import errno
import math
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..errors import StorageError
from ..values import CroppedArray
from .messages import ArrayFile, CroppedMask
from .wire import malformed

__all__ = ["create_array", "open_array", "path_of", "read_mask", "write_mask"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

#: Kinds of voxels, and bytes each: booleans, whole numbers and floats of all machines.
_KINDS, _SIZES = "biuf", (1, 2, 4, 8)

#: Left free on the disk; a computer without any room behaves badly in ways that nobody connects with SEER.
_RESERVE = 64 << 20

_NO_ROOM = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def path_of(folder: Path, name: str) -> Path:
    """Where a file of the session lies. Raises ServiceError ``wire-malformed`` for a name that is a path."""
    if not _NAME.fullmatch(name):
        raise malformed("a file's name that is none")
    return folder / name


def create_array(
    folder: Path, name: str, dtype: DTypeLike, shape: tuple[int, ...]
) -> tuple[np.memmap[Any, Any], ArrayFile]:
    """Make a file for an array, zeros, mapped for writing; write slabs into it and drop it.

    Parameters
    ----------
    folder : Path
        The session folder.
    name : str
        Of the file, ending in ``.npy``; one of this name is replaced.
    dtype : dtype
        Plain numbers or booleans.
    shape : tuple of int

    Raises
    ------
    StorageError
        ``session-folder-full`` where the disk has no room for it: the room is taken now, since writing to a mapped
        file for which there is none ends the process. ``session-folder-unusable``.
    ServiceError
        ``wire-malformed`` for a dtype, shape or name that can't be.
    """
    path, kind = path_of(folder, name), np.dtype(dtype)
    file = ArrayFile(name, kind.str, tuple(shape))
    _check(file)
    size = kind.itemsize * math.prod(shape)
    try:
        if shutil.disk_usage(folder).free < size + _RESERVE:
            raise _full(f"{size} bytes")
        path.unlink(missing_ok=True)  # a reader of the old one keeps it
        mapped = np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=tuple(shape))
        path.chmod(0o600)
        _take_room(path)
    except (OSError, StorageError) as error:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        if isinstance(error, StorageError):
            raise
        raise StorageError(
            "The image can't be laid into this session's folder.", code="session-folder-unusable", detail=str(error)
        ) from error
    return mapped, file


def open_array(folder: Path, file: ArrayFile) -> NDArray[Any]:
    """An array of the session, mapped read-only.

    Raises
    ------
    ServiceError
        ``wire-malformed`` where there is no such file in the folder itself, or it holds something else than said.
    """
    _check(file)
    path = path_of(folder, file.name)
    try:
        if path.resolve(strict=True).parent != folder.resolve(strict=True) or not path.is_file():
            raise malformed("a file outside of the session's folder")
        mapped: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError, EOFError, SyntaxError, TypeError, OverflowError) as error:
        # objects are among what can't be mapped: nothing is ever unpickled
        raise malformed(f"a file that is no array ({type(error).__name__})") from error
    if mapped.dtype.str != file.dtype or mapped.shape != file.shape or not mapped.flags.c_contiguous:
        raise malformed(f"an array of {mapped.dtype.str} {mapped.shape} said to be {file.dtype} {file.shape}")
    return mapped


def write_mask(folder: Path, name: str, mask: CroppedArray) -> CroppedMask:
    """Lay a cropped mask into the folder; an empty one needs no file. Raises as :func:`create_array`."""
    if not mask.voxels.size:
        return CroppedMask(None, (0, 0, 0), mask.grid)
    mapped, file = create_array(folder, name, np.uint8, mask.voxels.shape)
    mapped[...] = mask.voxels
    mapped.flush()
    return CroppedMask(file, mask.origin, mask.grid)


def read_mask(folder: Path, mask: CroppedMask) -> CroppedArray:
    """A mask of the session; its voxels are mapped read-only.

    Raises
    ------
    ServiceError
        ``wire-malformed`` where it doesn't lie within its grid, or holds more than 0 and 1; as :func:`open_array`.
    """
    if min(mask.grid) < 1:
        raise malformed("a grid of no size")
    if mask.voxels is None:
        return CroppedArray(np.zeros((0, 0, 0), np.bool_), (0, 0, 0), mask.grid)
    if mask.voxels.dtype != np.dtype(np.uint8).str:
        raise malformed("a mask that is not binary")
    voxels = open_array(folder, mask.voxels)
    if any(slab.max() > 1 for slab in voxels):
        raise malformed("a mask that is not binary")
    try:
        return CroppedArray(voxels.view(np.bool_), mask.origin, mask.grid)
    except ValueError as error:
        raise malformed(f"a mask beyond its grid ({error})") from error


def _check(file: ArrayFile) -> None:
    try:
        kind = np.dtype(file.dtype)
    except (TypeError, ValueError, SyntaxError):
        raise malformed("an array of no known type") from None
    if kind.fields or kind.kind not in _KINDS or kind.itemsize not in _SIZES or kind.str != file.dtype:
        raise malformed("an array that is not of plain numbers")
    if not 1 <= len(file.shape) <= 4 or any(length < 1 for length in file.shape) or math.prod(file.shape) > 2**40:
        raise malformed("an array of no size")


def _take_room(path: Path) -> None:
    """Have the disk reserve what the file's size says, where the system can do so without writing it."""
    if not hasattr(os, "posix_fallocate"):
        return
    with path.open("r+b") as stream:
        try:
            os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise _full(str(error)) from error


def _full(detail: str) -> StorageError:
    return StorageError(
        "There is no room on the disk for a copy of this image; free some, or set another folder for temporary files.",
        code="session-folder-full",
        detail=detail,
    )
