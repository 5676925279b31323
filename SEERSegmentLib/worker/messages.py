"""What the panel and the worker process say to each other, as frozen values; :mod:`.wire` turns them into JSON lines.

An *order* goes from the panel to the worker and carries the id of its job; a *report* comes back with the same id.
Voxels never travel in a message: they lie in ``.npy`` files in the session folder, and a message names the file.
Snapshots travel as PNG files of that folder, since that is what the panel shows.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..values import Abstention, Finding, Provenance, Reasoning, Skill, Stage, TargetSpec
from .pieces import (
    ArrayFile,
    CroppedMask,
    Matrix,
    PartChoice,
    PartReport,
    PhrasingReport,
    SegmentComparison,
    SegmentPiece,
    ViewPicture,
    VolumeFile,
    Voxel,
)

__all__ = [
    "PROTOCOL",
    "AbstentionReport",
    "AgreementOrder",
    "AgreementReport",
    "ArrayFile",
    "CancelOrder",
    "CancelledReport",
    "CapabilitiesOrder",
    "CapabilitiesReport",
    "CompareOrder",
    "CompareReport",
    "CroppedMask",
    "ErrorReport",
    "LogReport",
    "Matrix",
    "PartChoice",
    "PartReport",
    "PhrasingReport",
    "PreviewOrder",
    "PreviewReport",
    "ProbeOrder",
    "ProbeReport",
    "ProgressReport",
    "ReadyReport",
    "ReviewOrder",
    "RunOrder",
    "RunReport",
    "SavedReport",
    "SegmentComparison",
    "SegmentPiece",
    "ShutdownOrder",
    "ViewPicture",
    "VolumeFile",
    "Voxel",
]

#: Version of the protocol; both sides say theirs and refuse another.
PROTOCOL = 2


@dataclass(frozen=True)
class RunOrder:
    """Take one request along the pipeline.

    Attributes
    ----------
    crop : ((k0, k1), (j0, j1), (i0, i1)) or None
        Half-open voxel range that the backbone sees; the masks come back on the full grid.
    preset : str
        Of the views; empty takes the one that the reasoner is best with.
    answer : str or None
        Written by the user: executed, and the reasoner is not asked.
    allowed : tuple of str
        What the user has allowed to leave the machine: any of ``"snapshots"``, ``"volume"``. The worker refuses a part
        that sends more.
    """

    job: str
    volume: VolumeFile
    text: str
    reasoner: PartChoice
    backbone: PartChoice
    preset: str = ""
    crop: tuple[tuple[int, int], tuple[int, int], tuple[int, int]] | None = None
    answer: str | None = None
    run_anyway: bool = False
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class AgreementOrder:
    """Run the request and ``n`` rephrasings of it (seeded), and say how far the masks agree."""

    job: str
    run: RunOrder
    n: int
    seed: int


@dataclass(frozen=True)
class PreviewOrder:
    """Say what the reasoner of a run would send. Nothing is sent, and nothing executed, whatever ``run.allowed`` is."""

    job: str
    run: RunOrder


@dataclass(frozen=True)
class CapabilitiesOrder:
    """Which reasoners and backbones there are, and whether they can run here.

    ``reasoner`` is one to be looked at with its options: what it sends, reads and lacks may depend on them.
    """

    job: str
    reasoner: PartChoice | None = None


@dataclass(frozen=True)
class ProbeOrder:
    """Test the connection of a reasoner; sends neither image nor request."""

    job: str
    reasoner: PartChoice


@dataclass(frozen=True)
class CompareOrder:
    """Dice between the proposed and the corrected mask of each segment, by the segment's name.

    ``affine`` is the volume's, for volumes in mL; without it they are those of the volume that the worker saw last.
    """

    job: str
    proposed: tuple[tuple[str, CroppedMask], ...]
    corrected: tuple[tuple[str, CroppedMask], ...]
    affine: Matrix | None = None


@dataclass(frozen=True)
class ReviewOrder:
    """Save an episode with the user's decision: ``"approved"``, ``"corrected"`` or ``"rejected"``.

    ``store`` is the folder of the episodes; ``corrected`` the masks as the user left them (for ``"corrected"``).
    """

    job: str
    store: str
    decision: str
    reason: str
    run: RunOrder
    report: RunReport
    corrected: tuple[tuple[str, CroppedMask], ...] = ()


@dataclass(frozen=True)
class CancelOrder:
    """Stop a job; answered by CancelledReport, also for a job that the worker doesn't know (any more)."""

    job: str


@dataclass(frozen=True)
class ShutdownOrder:
    """End the process."""


@dataclass(frozen=True)
class ReadyReport:
    """The first line of a worker."""

    protocol: int
    version: str
    pid: int


@dataclass(frozen=True)
class ProgressReport:
    """How far a job is. ``value`` shows what is there already; a Reasoning may come several times while it streams."""

    job: str
    stage: Stage
    fraction: float | None = None
    message: str = ""
    value: tuple[ViewPicture, ...] | tuple[Skill, ...] | tuple[Finding, ...] | Reasoning | None = None


@dataclass(frozen=True)
class RunReport:
    """A segmentation: all that the panel shows and writes into the scene."""

    job: str
    volume_sha256: str
    views: tuple[ViewPicture, ...]
    skills: tuple[Skill, ...]
    reasoning: Reasoning
    spec: TargetSpec
    segments: tuple[SegmentPiece, ...]
    findings: tuple[Finding, ...]
    provenance: Provenance


@dataclass(frozen=True)
class AbstentionReport:
    """No segmentation, and why; ``answer`` is what a blocking finding kept from being executed."""

    job: str
    abstention: Abstention
    answer: str = ""


@dataclass(frozen=True)
class AgreementReport:
    """How far the wording decides the result.

    ``mean``, ``worst`` and ``std`` are of the pairwise Dice of all phrasings that gave a result; None below two.
    ``agreement`` is a float32 array (k, j, i), 0..1: the share of those phrasings that drew the voxel.
    """

    job: str
    phrasings: tuple[PhrasingReport, ...]
    mean: float | None
    worst: float | None
    std: float | None
    agreement: ArrayFile | None


@dataclass(frozen=True)
class CapabilitiesReport:
    """All known parts, built-ins first, and the devices that a model could run on.

    ``chosen`` is the reasoner of the order, as it is with its options.
    """

    job: str
    parts: tuple[PartReport, ...]
    devices: tuple[str, ...] = ("cpu",)
    chosen: PartReport | None = None


@dataclass(frozen=True)
class PreviewReport:
    """What would be sent to ``server``: all texts in their order, the pictures in theirs, and what was left out."""

    job: str
    server: str
    model: str
    texts: tuple[str, ...]
    views: tuple[ViewPicture, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class ProbeReport:
    """The outcome of a connection test, in a sentence."""

    job: str
    ok: bool
    message: str
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class CompareReport:
    """How far the user's corrections went."""

    job: str
    segments: tuple[SegmentComparison, ...]


@dataclass(frozen=True)
class SavedReport:
    """The episode is on disk (DESIGN seam 8)."""

    job: str
    episode: str
    folder: str


@dataclass(frozen=True)
class ErrorReport:
    """A SeerError's own words, or ``code`` ``"worker-unexpected"`` with the traceback as ``detail``."""

    job: str
    code: str
    user_message: str
    detail: str = ""
    retryable: bool = False


@dataclass(frozen=True)
class CancelledReport:
    """The job has stopped, or was not known."""

    job: str


@dataclass(frozen=True)
class LogReport:
    """A line for the panel's log box."""

    text: str
    level: str = "info"
