"""Episodes on disk: ``episodes.jsonl``, one line each, and ``masks/<id>/`` beside it.

What was acknowledged is kept (DESIGN seam 8). An episode is saved in this order, under a lock: its masks into a scratch
folder, flushed; the folder renamed to its id, flushed; the line appended, flushed. The line is what makes it an
episode. So a crash leaves at most a scratch or an unnamed folder of masks, or a line without its end, none of which
was acknowledged; the next save removes the scratch folder and the half line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import StorageError
from ..values import CroppedArray, Episode
from . import disk
from .codec import decode, encode
from .masks import mask_bytes, read_mask_file

__all__ = ["EpisodeStore"]

_LINES, _MASKS, _LOCK = "episodes.jsonl", "masks", "episodes.lock"
_SCRATCH = ".saving-"

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_REFERENCE = re.compile(rf"masks/({_ID.pattern})/([a-z]+-[0-9]+\.npz)")

_BINARY = getattr(os, "O_BINARY", 0)


class EpisodeStore:
    """The episodes of one folder.

    Parameters
    ----------
    folder : Path
        Made, with 0700, by the first :meth:`save`. Nothing is touched before.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, episode: Episode, masks: Mapping[str, CroppedArray]) -> Path:
        """Save an episode and its masks; both are on disk when this returns.

        Parameters
        ----------
        episode : Episode
        masks : mapping of str to CroppedArray
            By the names that the episode's segments and its review give them; all of them and no others.

        Returns
        -------
        Path
            Of ``episodes.jsonl``.

        Raises
        ------
        StorageError
            ``episodes-folder-is-file``, ``episodes-unwritable``, ``episodes-locked``, ``episode-exists``. Nothing of
            the episode is left behind then.
        ValueError, TypeError
            Where ``masks`` are not those of the episode, its id is no name for a folder, or a field is of another
            type than it should be.
        """
        line = encode(episode)
        decode(line)  # a value of another type than its field's could be written, and never read again
        files = _mask_files(episode, masks)
        try:
            self._check_folder()
            disk.make_folder(self.folder / _MASKS)
            with disk.locked(self.folder / _LOCK):
                self._clear_scratch()
                self._save_locked(episode.id, line, files)
        except OSError as error:
            raise StorageError(
                f"The episode could not be saved: {self.folder} can't be written.",
                code="episodes-unwritable",
                detail=str(error),
                retryable=True,
            ) from error
        return self.folder / _LINES

    def read(self) -> tuple[Episode, ...]:
        """All episodes, oldest first; none where the folder has none. A line that is still being written is left out.

        Raises
        ------
        StorageError
            ``episode-damaged`` with the line's number; ``episodes-unreadable``.
        """
        content = self._content()
        whole, tail = _split_tail(content)
        episodes: list[Episode] = []
        seen: dict[str, int] = {}
        for number, line in enumerate([*whole.split(b"\n")[:-1], *([tail] if _is_episode(tail) else [])], 1):
            try:
                episode = decode(line)
            except ValueError as error:
                raise self._damaged(number, str(error)) from error
            if episode.id in seen:
                raise self._damaged(number, f"line {seen[episode.id]} has the same id, {episode.id}")
            seen[episode.id] = number
            episodes.append(episode)
        return tuple(episodes)

    def read_mask(self, reference: str) -> tuple[CroppedArray, NDArray[np.float64]]:
        """A mask by the name that an episode gives it, and the IJK→RAS affine (mm) of its whole grid.

        Raises
        ------
        StorageError
            ``episode-mask-damaged``, also for a name that is none of this store's.
        """
        if not _REFERENCE.fullmatch(reference):
            raise StorageError(
                "An episode names a mask that can't be one of its own.", code="episode-mask-damaged", detail=reference
            )
        return read_mask_file(self.folder / reference)

    def _save_locked(self, identity: str, line: bytes, files: Mapping[str, bytes]) -> None:
        masks = self.folder / _MASKS
        scratch, final = masks / f"{_SCRATCH}{identity}", masks / identity
        handle = self._open_lines()
        try:
            size = self._heal(handle, identity)
            if final.is_dir():
                disk.remove_folder(final)  # no line names it: an earlier save of this episode did not get that far
            try:
                os.mkdir(scratch, 0o700)  # noqa: PTH102
                for name, content in files.items():
                    disk.write_file(scratch / name, content)
                disk.flush_folder(scratch)
                os.rename(scratch, final)  # noqa: PTH104
                disk.flush_folder(masks)
                disk.write_all(handle, line)
                os.fsync(handle)
            except BaseException:
                disk.remove_folder(scratch)
                disk.truncate(handle, size)  # if this fails, the line may stand: then its masks must
                disk.remove_folder(final)
                raise
        finally:
            disk.close(handle)

    def _open_lines(self) -> int:
        path = self.folder / _LINES
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, 0o600)
        try:
            disk.flush_folder(self.folder)  # the file's own entry, before anything in it is acknowledged
        except BaseException:
            disk.close(handle)
            raise
        return handle

    def _heal(self, handle: int, identity: str) -> int:
        """End the file with the end of its last whole line, see that the id is new, and return the file's size."""
        content = self._content()
        whole, tail = _split_tail(content)
        if tail and _is_episode(tail):  # only the line's end is missing: an editor may have taken it
            disk.write_all(handle, b"\n")
            os.fsync(handle)
            whole = content + b"\n"
        elif tail:
            disk.truncate(handle, len(whole))
        marker = identity.encode("ascii")  # most lines need no parsing
        if any(marker in line and _has_id(line, identity) for line in whole.split(b"\n")):
            raise StorageError(f"The episode {identity} is in the store already.", code="episode-exists")
        return len(whole)

    def _clear_scratch(self) -> None:
        for name in os.listdir(self.folder / _MASKS):  # noqa: PTH208
            if name.startswith(_SCRATCH):
                disk.remove_folder(self.folder / _MASKS / name)

    def _check_folder(self) -> None:
        for place in (self.folder, *self.folder.parents):
            if place.exists():
                if place.is_dir():
                    return
                raise StorageError(
                    f"Episodes can't be kept in {self.folder}: {place} is a file, not a folder.",
                    code="episodes-folder-is-file",
                )

    def _content(self) -> bytes:
        try:
            return (self.folder / _LINES).read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise StorageError(
                f"The episodes in {self.folder} can't be read.", code="episodes-unreadable", detail=str(error)
            ) from error

    def _damaged(self, number: int, what: str) -> StorageError:
        return StorageError(f"Line {number} of {self.folder / _LINES} is damaged: {what}.", code="episode-damaged")


def _mask_files(episode: Episode, masks: Mapping[str, CroppedArray]) -> dict[str, bytes]:
    """Content of each mask's file, by its name in the episode's folder."""
    if not _ID.fullmatch(episode.id):
        raise ValueError(f"{episode.id!r} is no id for an episode")
    named = [segment.mask for segment in episode.segments] + [segment.mask for segment in episode.review.corrected]
    if sorted(named) != sorted(masks):
        raise ValueError(f"the episode names the masks {sorted(named)}, and {sorted(masks)} were given")
    affine = np.array(episode.volume.affine, np.float64)
    files: dict[str, bytes] = {}
    for reference, mask in masks.items():
        match = _REFERENCE.fullmatch(reference)
        if match is None or match[1] != episode.id:
            raise ValueError(f"{reference!r} is no name for a mask of the episode {episode.id}")
        if mask.grid != episode.volume.shape:
            raise ValueError(f"the mask {reference} has a grid of {mask.grid}, the volume {episode.volume.shape}")
        files[match[2]] = mask_bytes(mask, affine)
    return files


def _split_tail(content: bytes) -> tuple[bytes, bytes]:
    """The whole lines, and what follows the last of them."""
    end = content.rfind(b"\n") + 1
    return content[:end], content[end:]


def _is_episode(line: bytes) -> bool:
    try:
        decode(line)
    except ValueError:
        return False
    return True


def _has_id(line: bytes, identity: str) -> bool:
    """Whether a line is an episode of this id; the text of another may hold the words that the search looks for."""
    try:
        return decode(line).id == identity
    except ValueError:
        return True  # damaged, and it may be: better refuse than write a second one
