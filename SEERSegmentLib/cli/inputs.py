"""What commands read: the request's text, the volume, and the parts that serve it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ..errors import BackboneError, InputError, RequestError
from ..reasoning import MAX_REPORT_BYTES, MAX_REQUEST_BYTES, clean_request
from ..values import Modality

if TYPE_CHECKING:
    from ..protocols import Backbone, CancelToken
    from ..values import Request, Volume

__all__ = ["chosen_modality", "load_volume", "ready_backbone", "request_from", "request_lines"]

#: Longest line of a file of requests: JSON may write each byte of the longest request as six (``\u00e9``).
_LONGEST_LINE = 6 * MAX_REPORT_BYTES + 65536


def request_from(text: str, limit: int = MAX_REQUEST_BYTES) -> Request:
    """The request as typed; ``-`` reads standard input. Raises RequestError."""
    if text != "-":
        return clean_request(text, limit=limit)
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        return clean_request(sys.stdin.read(limit + 1), limit=limit)
    return clean_request(stream.read(2 * limit + 3), limit=limit)  # UTF-16 takes up to twice the bytes


def request_lines(name: str) -> AbstractContextManager[Iterator[str]]:
    """Lines of a file of requests; ``-`` reads standard input. Raises InputError, RequestError."""
    if name == "-":
        return nullcontext(_decoded(sys.stdin.buffer))
    return _Lines(Path(name))


class _Lines(AbstractContextManager[Iterator[str]]):
    """A file's lines, read one by one."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("rb")
        except (OSError, ValueError) as error:
            raise InputError(
                f"The file of requests {path} can't be read.", code="requests-unreadable", detail=str(error)
            ) from error

    def __enter__(self) -> Iterator[str]:
        return _decoded(self._file)

    def __exit__(self, *reason: object) -> None:
        self._file.close()


def _decoded(file: IO[bytes]) -> Iterator[str]:
    number = 0
    while line := file.readline(_LONGEST_LINE + 1):
        number += 1
        if len(line) > _LONGEST_LINE:
            raise RequestError(f"Line {number} of the requests is longer than any request.", code="request-rows")
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RequestError(
                f"Line {number} of the requests is not text in UTF-8.", code="request-rows", detail=str(error)
            ) from error


def chosen_modality(parsed: argparse.Namespace) -> Modality | None:
    """What the user says the image is."""
    return Modality(parsed.modality) if parsed.modality else None


def load_volume(parsed: argparse.Namespace, cancel: CancelToken) -> Volume:
    """The volume on the command line. Raises VolumeError, SeriesChoiceNeeded, Cancelled."""
    from ..imaging import read_volume

    volume = read_volume(
        parsed.volume,
        modality=chosen_modality(parsed),
        series=parsed.series,
        resample=parsed.resample,
        cancel=cancel,
    )
    cancel.check()
    return volume


def ready_backbone(name: str, **options: object) -> Backbone:
    """A backbone by name that can run now. Raises UsageError, BackboneError ``backbone-not-ready``."""
    from ..registry import make_backbone

    backbone = make_backbone(name, **options)
    readiness = backbone.readiness()
    if not readiness.ready:
        raise BackboneError(
            f"The backbone '{name}' is not ready: {readiness.what_to_do}".rstrip(": "), code="backbone-not-ready"
        )
    return backbone
