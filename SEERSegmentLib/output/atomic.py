"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import StorageError

__all__ = ["check_writable", "write_atomically"]


def check_writable(path: Path) -> None:
    """Find out whether ``path`` can be written, before a long run rather than after it.

    A file is really made beside it and removed again: permissions, full disks and read-only shares all show.

    Raises
    ------
    StorageError
        Codes ``output-folder-missing``, ``output-folder-is-file``, ``output-is-folder``, ``output-unwritable``.
    """
    folder = path.parent
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.lstat()  # a name that is too long shows here, and only here
        if path.is_dir():
            raise StorageError(f"{path} is a folder; name a file in it to write to.", code="output-is-folder")
        if folder.exists() and not folder.is_dir():
            raise StorageError(
                f"{path} can't be written: {folder} is a file, not a folder.", code="output-folder-is-file"
            )
        if not folder.exists():
            raise _missing_folder(path)
        if path.exists() and not os.access(path, os.W_OK):
            raise _unwritable(path, "the file is write-protected")
        probe = _scratch_name(path)
        probe.touch(exist_ok=False)
        probe.unlink()
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        raise _unwritable(path, str(error)) from error


@contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Yield a scratch path in the same folder; when the body succeeds it takes the place of ``path`` in one step.

    The scratch file keeps the suffix of ``path``, by which writers choose their format. When the body fails, or is
    interrupted, it is removed and what was at ``path`` is untouched.

    Raises
    ------
    StorageError
        Code ``output-unwritable`` for any OSError of the body or of the renaming.
    """
    target = path.resolve() if path.is_symlink() else path  # a link keeps pointing where it points
    scratch = _scratch_name(target)
    try:
        yield scratch
        _flush(scratch)
        scratch.replace(target)
    except OSError as error:
        raise _unwritable(path, str(error)) from error
    finally:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """On disk before it takes its name, or a power cut could leave the name with nothing behind it."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _scratch_name(path: Path) -> Path:
    """A hidden sibling that ends as ``path`` does, and is short whatever the length of its name."""
    return path.with_name(f".{uuid.uuid4().hex[:12]}-{path.name[-24:]}")


def _missing_folder(path: Path) -> StorageError:
    for folder in path.parents:
        if folder.exists() and not folder.is_dir():
            return StorageError(
                f"{path} can't be written: {folder} is a file, not a folder.", code="output-folder-is-file"
            )
    return StorageError(
        f"{path} can't be written: the folder {path.parent} does not exist.", code="output-folder-missing"
    )


def _unwritable(path: Path, detail: str) -> StorageError:
    return StorageError(f"{path} can't be written.", code="output-unwritable", detail=detail)
