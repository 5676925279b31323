"""What the panel shows: one frozen value, replaced as a whole whenever something changes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..values import Abstention, Finding, Reasoning, Skill
from ..worker.messages import (
    AgreementReport,
    CapabilitiesReport,
    PartReport,
    ProbeReport,
    SegmentComparison,
    SegmentPiece,
    ViewPicture,
)

__all__ = [
    "Activity",
    "ConsentQuestion",
    "OverlapPolicy",
    "PanelState",
    "Phase",
    "Preview",
    "ReviewState",
    "ShownError",
    "ShownSegment",
]


class Phase(str, Enum):
    """Where a run is. All but IDLE, AWAITING_*, DONE, FAILED and CANCELLED are busy."""

    IDLE = "idle"
    AWAITING_CONSENT = "awaiting consent"
    PREPARING = "preparing"
    REASONING = "reasoning"
    AWAITING_EDIT = "awaiting edit"
    SEGMENTING = "segmenting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def busy(self) -> bool:
        return self in (Phase.PREPARING, Phase.REASONING, Phase.SEGMENTING)


class Activity(str, Enum):
    """What the phase is of."""

    RUN = "run"
    PHRASING = "check phrasing"


class OverlapPolicy(str, Enum):
    """What happens where a new segment meets an existing one of the output segmentation."""

    KEEP = "keep"  # both keep the voxel; segments may overlap
    REPLACE = "replace"  # the new segment takes the voxel, the others lose it
    EMPTY_ONLY = "empty-only"  # the new segment is drawn only where no other is


@dataclass(frozen=True)
class ShownError:
    """An error in words for a radiologist, with its stable code; ``detail`` goes to the log box."""

    code: str
    message: str
    detail: str = ""
    retryable: bool = False


@dataclass(frozen=True)
class ConsentQuestion:
    """What would leave the machine, and to whom; asked before it does (DESIGN seam 7).

    ``what`` is ``"snapshots"`` or ``"volume"``; ``text``, of several lines, names exactly what is sent.
    """

    server: str
    what: str
    text: str


@dataclass(frozen=True)
class Preview:
    """What would be sent, shown while the question for consent stands; nothing of it has been sent.

    ``error`` says why it can't be shown, or why nothing would be sent.
    """

    busy: bool = False
    message: str = ""
    server: str = ""
    model: str = ""
    texts: tuple[str, ...] = ()
    views: tuple[ViewPicture, ...] = ()
    findings: tuple[Finding, ...] = ()
    error: ShownError | None = None


@dataclass(frozen=True)
class ShownSegment:
    """A segment of the result in the scene: the proposal and the id it has in its segmentation node."""

    segment_id: str
    piece: SegmentPiece


@dataclass(frozen=True)
class ReviewState:
    """How far the review of the run is. ``saved`` is the episode's id once it is on disk."""

    busy: bool = False
    comparison: tuple[SegmentComparison, ...] = ()
    decision: str = ""
    saved: str = ""
    folder: str = ""
    error: ShownError | None = None


@dataclass(frozen=True)
class PanelState:
    """All of it.

    Attributes
    ----------
    note : str
        What of the run is otherwise than chosen, and why.
    started : float or None
        Of the injected clock, in seconds; None when nothing has run.
    finished : float or None
        None while it runs.
    executable_answer : str
        What "Run with this answer" starts from: the reasoner's, or the blocked one of an abstention.
    blocked : bool
        A blocking finding stopped the run: "Run anyway" is offered.
    chosen : PartReport or None
        The chosen reasoner with its options, as it was when the parts were looked up last.
    log : tuple of str
        The last lines, bounded.
    """

    phase: Phase = Phase.IDLE
    activity: Activity = Activity.RUN
    stage: str = ""
    message: str = ""
    note: str = ""
    fraction: float | None = None
    started: float | None = None
    finished: float | None = None
    request: str = ""
    volume_id: str = ""
    views: tuple[ViewPicture, ...] = ()
    skills: tuple[Skill, ...] = ()
    reasoning: Reasoning | None = None
    streaming: bool = False
    abstention: Abstention | None = None
    executable_answer: str = ""
    blocked: bool = False
    findings: tuple[Finding, ...] = ()
    segmentation_id: str = ""
    segments: tuple[ShownSegment, ...] = ()
    can_undo: bool = False
    review: ReviewState = ReviewState()
    agreement: AgreementReport | None = None
    agreement_volume_id: str = ""
    consent: ConsentQuestion | None = None
    preview: Preview | None = None
    error: ShownError | None = None
    history: tuple[str, ...] = ()
    capabilities: CapabilitiesReport | None = None
    chosen: PartReport | None = None
    probe: ProbeReport | None = None
    probing: bool = False
    log: tuple[str, ...] = ()
