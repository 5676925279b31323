"""Progress, cancellation and provenance of one run."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .. import __version__
from ..protocols import CancelToken, Emit
from ..values import Progress, Provenance, Stage, StageRecord

__all__ = ["Ledger", "sha256_of"]


@dataclass
class Ledger:
    """What a run tells while it goes, and what it leaves behind."""

    emit: Emit
    cancel: CancelToken
    records: list[StageRecord] = field(default_factory=list)

    @contextmanager
    def stage(self, stage: Stage, name: str, version: str = "") -> Iterator[dict[str, Any]]:
        """Time a stage; its body fills in ``sha256``, ``details`` (name → text) and ``value`` (shown at once)."""
        self.cancel.check()
        self.emit(Progress(stage, 0.0, name))
        started = time.perf_counter()
        note: dict[str, Any] = {}
        yield note
        seconds = time.perf_counter() - started
        details = tuple((key, str(value)) for key, value in note.get("details", {}).items())
        self.records.append(StageRecord(stage, name, version, note.get("sha256", ""), seconds, details))
        self.emit(Progress(stage, 1.0, name, note.get("value")))

    def provenance(self) -> Provenance:
        """What the stages so far have used."""
        return Provenance(f"SEER {__version__}", tuple(self.records))


def sha256_of(*texts: str) -> str:
    """SHA-256 of texts, in order."""
    return hashlib.sha256("\x00".join(texts).encode("utf-8", "surrogatepass")).hexdigest()
