"""An episode ξ = (V, q, y, Ĝ, R) of SEER (SEER paper, equation 5): what was asked, reasoned, drawn and judged.

V is an image by its hash (no voxels), q the request, y = (e, r, a) the reasoning with the spec that its answer was
executed as, Ĝ the segments with their masks in files, and R the user's review: approved, corrected or rejected.
"""

from __future__ import annotations

from dataclasses import dataclass

from .closed_sets import Modality
from .observed import Finding, Matrix
from .provenance import Provenance
from .reasoned import Reasoning, Request, Target, TargetSpec, Terminology

DECISIONS = ("approved", "corrected", "rejected")


@dataclass(frozen=True)
class EpisodeVolume:
    """The image V: known again by its hash; nothing in it identifies a patient unless its name does.

    Attributes
    ----------
    sha256 : str
        Of its content, as ``Volume.sha256``.
    name : str
        What it was called on screen.
    modality : Modality
    shape : tuple[int, int, int]
        Voxels (k, j, i).
    affine : 4 × 4
        IJK→RAS in mm: the masks lie on this grid.
    """

    sha256: str
    name: str
    modality: Modality
    shape: tuple[int, int, int]
    affine: Matrix


@dataclass(frozen=True)
class EpisodeSegment:
    """One segment of Ĝ.

    Attributes
    ----------
    name : str
    target : Target
        What was executed for it.
    terminology : Terminology or None
    volume_ml : float
        Of the proposed mask.
    mask : str
        Its file, relative to the store's folder.
    """

    name: str
    target: Target
    terminology: Terminology | None
    volume_ml: float
    mask: str


@dataclass(frozen=True)
class CorrectedSegment:
    """A segment as the user left it: by its name, which may be one that SEER did not propose.

    ``dice`` is with the proposed segment of that name, None without one; ``mask`` is its file, as in EpisodeSegment.
    """

    name: str
    volume_ml: float
    dice: float | None
    mask: str


@dataclass(frozen=True)
class Review:
    """The user's judgement R.

    Attributes
    ----------
    decision : {"approved", "corrected", "rejected"}
    created : str
        UTC, ISO 8601.
    reason : str
        In the user's words; may be empty.
    corrected : tuple of CorrectedSegment
        All segments as the user left them, for ``"corrected"``. A proposed segment that is not among them was removed.

    Raises
    ------
    ValueError
        For another decision.
    """

    decision: str
    created: str
    reason: str = ""
    corrected: tuple[CorrectedSegment, ...] = ()

    def __post_init__(self) -> None:
        if self.decision not in DECISIONS:
            raise ValueError(f"a review's decision is one of {', '.join(DECISIONS)}, not {self.decision!r}")


@dataclass(frozen=True)
class Episode:
    """One reviewed run.

    Attributes
    ----------
    id : str
        Unique within a store.
    created : str
        When it was put together: UTC, ISO 8601.
    volume, request, reasoning, spec, segments, findings, provenance
        See the module's docstring.
    skills : tuple of str
        Ids of the skills B(I, q) that were retrieved for it; ``reasoning.skills_used`` are those among them that the
        reasoner says it used (SEER paper, equations 4 and 7).
    review : Review
    """

    id: str
    created: str
    volume: EpisodeVolume
    request: Request
    reasoning: Reasoning
    spec: TargetSpec
    segments: tuple[EpisodeSegment, ...]
    findings: tuple[Finding, ...]
    provenance: Provenance
    review: Review
    skills: tuple[str, ...] = ()
