"""Output paths, checked before a run rather than after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import StorageError, UsageError

__all__ = ["folder_for_results", "make_folder", "refuse_collisions", "refuse_existing"]


@contextmanager
def folder_for_results(folder: Path) -> Iterator[None]:
    """Make a folder for results; if the body fails, the folders that were made for it and are empty go again.

    Raises
    ------
    StorageError
        Code ``output-folder-unwritable``.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    make_folder(folder)
    try:
        yield
    except BaseException:
        with suppress(OSError):  # not empty: something is in it by now
            for each in made:
                each.rmdir()
        raise


def make_folder(folder: Path) -> None:
    """Make a folder for results, and those above it.

    Raises
    ------
    StorageError
        Code ``output-folder-unwritable``.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        raise StorageError(
            f"The folder {folder} can't be made.", code="output-folder-unwritable", detail=str(error)
        ) from error


def refuse_collisions(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """No output may be an input, nor another output.

    Raises
    ------
    UsageError
        Codes ``output-is-input``, ``outputs-collide``.
    """
    read = {_place(path) for path in inputs}
    written: set[Path] = set()
    for path in outputs:
        place = _place(path)
        if place in read:
            raise UsageError(f"{path} is read by this command; write to another file.", code="output-is-input")
        if place in written:
            raise UsageError(f"{path} is named for two different outputs.", code="outputs-collide")
        written.add(place)


def _place(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):  # NUL, too long, links in a circle: whoever opens it says so
        return path


def refuse_existing(outputs: Iterable[Path], *, overwrite: bool) -> None:
    """A segmentation that someone may have corrected by hand is not replaced by accident; an empty file is.

    Raises
    ------
    StorageError
        Code ``output-exists``.
    """
    if overwrite:
        return
    for path in outputs:
        if path.exists() and path.stat().st_size > 0:
            raise StorageError(
                f"{path} exists already; choose another name, or add --overwrite to replace it.", code="output-exists"
            )
