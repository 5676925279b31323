"""What commands read: the request's text, the volume, and the parts that serve it."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ..errors import BackboneError, ReasonerError
from ..reasoning import MAX_REQUEST_BYTES, clean_request
from ..values import Modality

if TYPE_CHECKING:
    from ..protocols import Backbone, CancelToken, Reasoner
    from ..values import Request, Volume

__all__ = ["chosen_modality", "load_volume", "ready_backbone", "ready_reasoner", "request_from"]


def request_from(text: str, limit: int = MAX_REQUEST_BYTES) -> Request:
    """The request as typed; ``-`` reads standard input. Raises RequestError."""
    if text != "-":
        return clean_request(text, limit=limit)
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        return clean_request(sys.stdin.read(limit + 1), limit=limit)
    return clean_request(stream.read(2 * limit + 3), limit=limit)  # UTF-16 takes up to twice the bytes


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


def ready_reasoner(name: str) -> Reasoner:
    """A reasoner by name that can run now. Raises UsageError, ReasonerError ``reasoner-not-ready``."""
    from ..registry import make_reasoner

    reasoner = make_reasoner(name)
    readiness = reasoner.readiness()
    if not readiness.ready:
        raise ReasonerError(
            f"The reasoner '{name}' is not ready: {readiness.what_to_do}".rstrip(": "), code="reasoner-not-ready"
        )
    return reasoner


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
