"""Output paths, checked before a run rather than after it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..errors import StorageError, UsageError

__all__ = ["make_folder", "refuse_collisions", "refuse_existing"]


def make_folder(folder: Path) -> None:
    """Make a folder for results, and those above it.

    Raises
    ------
    StorageError
        Code ``output-folder-unwritable``.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
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
    read = {path.resolve() for path in inputs}
    written: set[Path] = set()
    for path in outputs:
        place = path.resolve()
        if place in read:
            raise UsageError(f"{path} is read by this command; write to another file.", code="output-is-input")
        if place in written:
            raise UsageError(f"{path} is named for two different outputs.", code="outputs-collide")
        written.add(place)


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
