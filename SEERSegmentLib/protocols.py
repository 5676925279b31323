"""The seams: what a reasoner, a backbone and a skill bank are, to everyone who calls one.

Built-ins are named in :mod:`SEERSegmentLib.registry`; third parties register through the entry points
``seer.reasoners`` and ``seer.backbones``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from .errors import Cancelled
from .values import (
    Abstention,
    ImageFacts,
    Mask,
    Modality,
    Progress,
    Reasoning,
    Request,
    Skill,
    TargetSpec,
    View,
    Volume,
)

__all__ = [
    "Backbone",
    "BackboneInfo",
    "CancelToken",
    "Emit",
    "Readiness",
    "Reasoner",
    "ReasonerInfo",
    "ReasoningCase",
    "SkillBank",
    "ignore_progress",
]

Emit = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """An ``emit`` for callers who don't listen."""


class CancelToken:
    """A flag that the caller raises and the stages look at.

    ``check()`` costs nothing: call it in every loop whose body takes longer than about 50 ms.
    """

    def __init__(self) -> None:
        self._cancelled = False

    def cancel(self) -> None:
        """Ask the run to stop at its next check."""
        self._cancelled = True

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def check(self) -> None:
        """Raise Cancelled if the caller asked to stop."""
        if self._cancelled:
            raise Cancelled()


@dataclass(frozen=True)
class Readiness:
    """Whether a part can run here now, and if not, what to do: one sentence."""

    ready: bool
    what_to_do: str = ""


@dataclass(frozen=True)
class ReasonerInfo:
    """What a reasoner is and needs.

    ``protocol`` is how it replies: ``"tags"`` (evidence, rationale, answer) or ``"anchor"`` (key slices and boxes).
    """

    name: str
    version: str
    summary: str
    protocol: str = "tags"
    offline: bool = True
    needs: tuple[str, ...] = ()
    licence: str = "Apache-2.0"


@dataclass(frozen=True)
class BackboneInfo:
    """What a backbone is and needs.

    ``accepts`` holds any of ``"text"``, ``"label"``, ``"box"``: the part of a TargetSpec that it executes. ``details``,
    (name, text), is what else the provenance of a run has to say: the hash of weights or of a label map.
    """

    name: str
    version: str
    summary: str
    accepts: frozenset[str]
    modalities: frozenset[Modality]
    offline: bool = True
    needs: tuple[str, ...] = ()
    licence: str = "Apache-2.0"
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ReasoningCase:
    """All that a reasoner may look at. It holds no label, data set name or reference of the case (DESIGN seam 4).

    ``facts`` is None and ``views`` empty where a request is read without an image. ``vocabulary`` names a label set
    to answer in (``"totalsegmentator"``); with ``closed`` a target outside of it is abstained from.
    """

    request: Request
    modality: Modality
    views: tuple[View, ...] = ()
    facts: ImageFacts | None = None
    skills: tuple[Skill, ...] = ()
    closed: bool = False


@runtime_checkable
class Reasoner(Protocol):
    """π(e, r, a | I, q, B) of the SEER paper, equation 2."""

    info: ReasonerInfo

    def readiness(self) -> Readiness:
        """Whether it can run now; cheap, loads no model."""
        ...

    def reason(self, case: ReasoningCase, emit: Emit, cancel: CancelToken) -> Reasoning | Abstention:
        """Read the request against the image. Raises ReasonerError, Cancelled."""
        ...


@runtime_checkable
class Backbone(Protocol):
    """The frozen segmentation system S of the SEER paper: executes a TargetSpec, and nothing else, on a volume."""

    info: BackboneInfo

    def readiness(self) -> Readiness:
        """Whether it can run now; cheap, loads no model."""
        ...

    def segment(self, volume: Volume, spec: TargetSpec, emit: Emit, cancel: CancelToken) -> Sequence[Mask]:
        """One mask per target, in the spec's order, on the volume's grid. Raises BackboneError, Cancelled."""
        ...


@runtime_checkable
class SkillBank(Protocol):
    """SEER-Bank as the pipeline sees it: retrieval by request and views alone (paper, equation 4)."""

    def retrieve(self, request: Request, views: Sequence[View], limit: int) -> Sequence[Skill]:
        """At most ``limit`` skills, best first, each saying why it was retrieved."""
        ...
