"""Files and folders that are on disk when a call returns, one process at a time.

A folder's entry is on disk once the folder itself was flushed; Windows has no such call and writes entries through.
Everything goes through :mod:`os` as it stands here, so that a test can break any single call.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import StorageError

__all__ = ["close", "flush_folder", "locked", "make_folder", "remove_folder", "truncate", "write_all", "write_file"]

#: How long another process may hold the store before a call gives up; it holds it for the writing of one episode.
LOCK_SECONDS = 30.0
_LOCK_PAUSE = 0.05

_BINARY = getattr(os, "O_BINARY", 0)


def make_folder(folder: Path) -> None:
    """Make a folder, and those it lies in, for the user's eyes only; what is there already is left as it is."""
    missing = []
    place = folder
    while not os.path.isdir(place):  # noqa: PTH112 - through `os` of this module
        missing.append(place)
        if place.parent == place:
            break
        place = place.parent
    for path in reversed(missing):
        with suppress(FileExistsError):  # another process made it meanwhile; a file shows at the next call
            os.mkdir(path, 0o700)  # noqa: PTH102
        flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Bring a folder's entries to disk."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        close(handle)


def write_file(path: Path, content: bytes) -> None:
    """A new file with that content, on disk; its entry in the folder is not yet."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    try:
        write_all(handle, content)
        os.fsync(handle)
    finally:
        close(handle)


def write_all(handle: int, content: bytes) -> None:
    """All of it: a single ``write`` may take less, on a disk that is filling up."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def truncate(handle: int, size: int) -> None:
    """Cut an open file, on disk."""
    os.ftruncate(handle, size)
    os.fsync(handle)


def remove_folder(folder: Path) -> None:
    """A folder of files, as far as it can be removed; without an error."""
    with suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208
            with suppress(OSError):
                os.unlink(folder / name)  # noqa: PTH108
        os.rmdir(folder)  # noqa: PTH106


def close(handle: int) -> None:
    """Close a file; what it held was flushed before, so that a failure here says nothing of it."""
    with suppress(OSError):
        os.close(handle)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes out, by a lock that the operating system releases with the process.

    Raises
    ------
    StorageError
        ``episodes-locked``, retryable, when another process keeps it for :data:`LOCK_SECONDS`.
    OSError
        Where the file can't be made or the file system knows no locks.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | _BINARY, 0o600)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _try_lock(handle):
            if time.monotonic() >= deadline:
                raise StorageError(
                    "Another SEER is writing episodes to the same folder and does not finish; try again.",
                    code="episodes-locked",
                    detail=str(path),
                    retryable=True,
                )
            time.sleep(_LOCK_PAUSE)
        yield
    finally:
        close(handle)  # releases the lock


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except PermissionError:  # another process has it
            return False
        return True

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
