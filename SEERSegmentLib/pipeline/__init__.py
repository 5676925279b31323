"""The line that every request takes, in code: the command, the worker and the service all call :func:`run`.

    volume ─► facts ─► views ─► skills ─► reasoner ─► answer ─► TargetSpec ─► checks ─► backbone ─► masks ─► checks
    └──── observe() ────┘                                                         │
    └──────────────────────────────── plan() ─────────────────────────────────────┘ └───────── execute() ──────────┘

Data flows one way. Each stage leaves a record in the provenance (name, version, hash, seconds), tells its progress, and
looks at the cancel token first. An abstention, or a blocking finding, ends the line before the backbone.
"""

from __future__ import annotations

from .executing import execute, run
from .job import DEFAULT_PRESET, Job
from .observing import Observed, observe
from .planning import Plan, plan

__all__ = ["DEFAULT_PRESET", "Job", "Observed", "Plan", "execute", "observe", "plan", "run"]
