"""What a run used and how far it is: provenance and progress."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .closed_sets import RESEARCH_USE_ONLY, Stage


@dataclass(frozen=True)
class StageRecord:
    """What one stage used: its name and version, the SHA-256 of what went in or came out, and how long it took."""

    stage: Stage
    name: str
    version: str = ""
    sha256: str = ""
    seconds: float = math.nan
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Provenance:
    """Where a result comes from, stage by stage."""

    software: str
    records: tuple[StageRecord, ...]
    notice: str = RESEARCH_USE_ONLY

    def record(self, stage: Stage) -> StageRecord | None:
        """The record of a stage, or None where it did not run."""
        return next((r for r in self.records if r.stage is stage), None)


@dataclass(frozen=True, eq=False)
class Progress:
    """What a run tells its caller: the stage, how far (0..1, None unknown), a sentence, and a value when one is ready.

    ``value`` carries what a panel can already show: the views after VIEWS, the Reasoning after REASON, findings after
    GROUND.
    """

    stage: Stage
    fraction: float | None = None
    message: str = ""
    value: object = None
