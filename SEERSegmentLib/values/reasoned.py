"""Request, skill, reasoning or abstention, and the target that an answer names."""

from __future__ import annotations

from dataclasses import dataclass

from .closed_sets import Side
from .observed import Evidence, Finding
from .provenance import Provenance


@dataclass(frozen=True)
class Request:
    """What the user typed, unchanged, and an id by which a caller knows it again."""

    text: str
    id: str = ""


@dataclass(frozen=True)
class Skill:
    """A reusable reasoning skill s = (κ, z, η) of SEER-Bank (SEER paper, section 2.3): inert text, never executed."""

    id: str
    tag: str
    content: str
    audit: str = ""
    why_retrieved: str = ""


@dataclass(frozen=True)
class Reasoning:
    """A reasoner's auditable reply y = (e, r, a) (SEER paper, section 2.2).

    Only ``answer`` is ever executed; evidence and rationale are kept and shown. ``raw`` is the reply as it came, empty
    for a reasoner that writes none; ``details``, (name, text), is what else the provenance of a run has to say: model,
    adapter, server.
    """

    evidence: tuple[Evidence, ...]
    rationale: tuple[str, ...]
    answer: str
    reasoner: str
    skills_used: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    prompt_sha256: str = ""
    raw: str = ""
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Abstention:
    """No answer, and why.

    Attributes
    ----------
    code : str
        Stable kind of reason: ``"no-anatomy"``, ``"side-contradictory"``, ``"alternatives"``, ``"blocked"`` …
    reason : str
        A sentence.
    question : str
        What to ask the user back.
    suggestions : tuple[str, ...]
        Requests that would work, for one click.
    """

    code: str
    reason: str
    question: str
    suggestions: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    rationale: tuple[str, ...] = ()
    reasoner: str = ""
    findings: tuple[Finding, ...] = ()
    provenance: Provenance | None = None
    raw: str = ""
    prompt_sha256: str = ""
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Code:
    """A coded concept, DICOM style: scheme designator, value, meaning."""

    scheme: str
    value: str
    meaning: str


@dataclass(frozen=True)
class Terminology:
    """How a segment is tagged in DICOM and Slicer: category, type, and the modifier that carries the side.

    A lesion says where it sits: ``region``, whose side is ``region_modifier``.
    """

    category: Code
    type: Code
    modifier: Code | None = None
    region: Code | None = None
    region_modifier: Code | None = None


@dataclass(frozen=True)
class Target:
    """One noun phrase of an answer.

    ``structure`` is the vocabulary's id, or empty where the vocabulary doesn't know the phrase: then ``text`` goes to a
    text backbone as it stands. One target is one segment.
    """

    text: str
    structure: str = ""
    side: Side = Side.NONE
    level: str = ""
    code: str = ""


@dataclass(frozen=True)
class Anchor:
    """MedVol-R1's way to ground a target: a key slice of the volume, and boxes on it.

    Attributes
    ----------
    target : int
        Which of the spec's targets, from 0.
    index : int
        The slice's index along ``axis``.
    boxes : tuple of (a0, b0, a1, b1)
        Continuous voxel indices of the boxes' edges along the two other index axes, in the order i, j, k: (i0, j0, i1,
        j1) on a slice of constant k. Voxel n reaches from n - 0.5 to n + 0.5, as in an affine.
    axis : int
        The index axis that the slice is cut across: 0 for i, 1 for j, 2 for k. It is the one nearest to head-foot, so 2
        for all but volumes that were stored along another direction.
    """

    target: int
    index: int
    boxes: tuple[tuple[float, float, float, float], ...]
    axis: int = 2


@dataclass(frozen=True)
class TargetSpec:
    """What a backbone executes: ``prompt`` for text, ``targets`` for labels, ``anchors`` for boxes."""

    prompt: str
    targets: tuple[Target, ...]
    anchors: tuple[Anchor, ...] = ()
