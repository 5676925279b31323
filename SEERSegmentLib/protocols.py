"""The seams: what a reasoner, a backbone and a skill bank are, to everyone who calls one.

Built-ins are named in :mod:`SEERSegmentLib.registry`; third parties register through the entry points
``seer.reasoners`` and ``seer.backbones``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from .errors import Cancelled
from .values import (
    Abstention,
    Finding,
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
    "Outgoing",
    "Readiness",
    "Reasoner",
    "ReasonerInfo",
    "ReasoningCase",
    "Sender",
    "SkillBank",
    "ignore_progress",
]

Emit = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """An ``emit`` for callers who don't listen."""


class CancelToken:
    """A flag that the caller raises and the stages look at.

    ``check()`` costs nothing: call it in every loop whose body takes longer than about 50 ms. What can't look, since it
    waits for a server, leaves a call in :meth:`when_cancelled`.
    """

    def __init__(self) -> None:
        self._cancelled = False
        self._calls: list[Callable[[], None]] = []
        self._changing = threading.Lock()

    def cancel(self) -> None:
        """Ask the run to stop at its next check, and make the calls that wait for it, in this very thread."""
        with self._changing:
            self._cancelled = True
            calls, self._calls = self._calls, []
        for call in calls:
            call()

    @contextmanager
    def when_cancelled(self, call: Callable[[], None]) -> Iterator[None]:
        """Within the block, a cancel makes ``call``: once, from the thread that cancels, at once where it has already.

        The call must be short and must not raise: it closes a socket or sets a flag.
        """
        with self._changing:
            late = self._cancelled
            if not late:
                self._calls.append(call)
        if late:
            call()
        try:
            yield
        finally:
            with self._changing, suppress(ValueError):  # it has been made
                self._calls.remove(call)

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
    ``presets`` are the sets of views that it reads, the one it is best with first; a run that doesn't say otherwise
    takes that one.
    """

    name: str
    version: str
    summary: str
    protocol: str = "tags"
    offline: bool = True
    needs: tuple[str, ...] = ()
    licence: str = "Apache-2.0"
    presets: tuple[str, ...] = ("multi-view", "seer-v1")


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


@dataclass(frozen=True, eq=False)
class Outgoing:
    """What a reasoner would send for a case, word by word and picture by picture, for the user to see before it goes.

    ``texts`` are all texts in their order, ``views`` the pictures in theirs, ``findings`` what was left out of them.
    """

    server: str
    model: str
    texts: tuple[str, ...]
    views: tuple[View, ...]
    findings: tuple[Finding, ...] = ()


@runtime_checkable
class Sender(Protocol):
    """A reasoner that sends something out of this computer, and can say beforehand what."""

    def outgoing(self, case: ReasoningCase) -> Outgoing:
        """Exactly what :meth:`Reasoner.reason` would send for the case at first. Contacts nobody."""
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
