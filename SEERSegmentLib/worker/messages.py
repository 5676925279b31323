"""What the panel and the worker process say to each other, as frozen values; :mod:`.wire` turns them into JSON lines.

An *order* goes from the panel to the worker and carries the id of its job; a *report* comes back with the same id.
Voxels never travel in a message: they lie in ``.npy`` files in the session folder, and a message names the file.
Snapshots travel as PNG files of that folder, since that is what the panel shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..values import (
    RGB,
    Abstention,
    Finding,
    Modality,
    Plane,
    Provenance,
    Reasoning,
    Skill,
    Stage,
    Target,
    TargetSpec,
    Terminology,
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
    "PartChoice",
    "PartReport",
    "PhrasingReport",
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
]

#: Version of the protocol; both sides say theirs and refuse another.
PROTOCOL = 1

Voxel = tuple[int, int, int]
Matrix = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class ArrayFile:
    """An array in a ``.npy`` file: ``name`` within the session folder, dtype as NumPy writes it (``"<i2"``), shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class VolumeFile:
    """A volume that was copied into the session folder: voxels (k, j, i) and their IJK→RAS affine in mm."""

    voxels: ArrayFile
    affine: Matrix
    modality: Modality = Modality.UNKNOWN
    modality_source: str = ""
    name: str = "volume"
    transforms: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CroppedMask:
    """A binary mask, cropped: uint8 0 or 1 voxels (k, j, i) whose first lies at ``origin`` of a grid of shape ``grid``.

    An empty mask has ``voxels`` None.
    """

    voxels: ArrayFile | None
    origin: Voxel
    grid: Voxel


@dataclass(frozen=True)
class ViewPicture:
    """A view as the panel shows it: ``png`` within the session folder, ``size`` (columns, rows).

    ``letters`` are the patient directions (R, L, A, P, S, I; the nearest) at the picture's top, right, bottom and
    left. ``centre_ras`` (mm) is where a click takes the slice views; ``pixel_to_ras`` is the View's own.
    """

    name: str
    png: str
    size: tuple[int, int]
    plane: Plane
    slice_index: int | None
    position_mm: float | None
    letters: tuple[str, str, str, str]
    centre_ras: tuple[float, float, float]
    pixel_to_ras: Matrix
    preset: str


@dataclass(frozen=True)
class SegmentPiece:
    """A proposed segment: what a ``Segment`` says, its mask cropped, and where its centre of mass lies (RAS, mm)."""

    id: str
    name: str
    colour: RGB
    terminology: Terminology | None
    target: Target
    volume_ml: float
    mask: CroppedMask
    centre_ras: tuple[float, float, float] | None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class PartChoice:
    """A reasoner or backbone by its name in the registry, with the options to make it. A key is never logged."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunOrder:
    """Take one request along the pipeline.

    Attributes
    ----------
    crop : ((k0, k1), (j0, j1), (i0, i1)) or None
        Half-open voxel range that the backbone sees; the masks come back on the full grid.
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
    preset: str = "multi-view"
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
class CapabilitiesOrder:
    """Which reasoners and backbones there are, and whether they can run here."""

    job: str


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
class PhrasingReport:
    """One rephrasing: its text, kind and answer, or why there is none; ``dice`` is with the request's own result."""

    text: str
    kind: str
    answer: str
    dice: float | None
    said: str = ""


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
class PartReport:
    """A reasoner (kind ``"reasoner"``) or backbone (kind ``"backbone"``) and whether it can run here.

    ``extra`` is the optional dependency group that brings what is missing, empty where none does. ``sends`` is what
    leaves the machine when it runs: empty, ``"snapshots"`` or ``"volume"``.
    """

    kind: str
    name: str
    version: str
    summary: str
    ready: bool
    what_to_do: str
    needs: tuple[str, ...] = ()
    licence: str = ""
    sends: str = ""
    extra: str = ""


@dataclass(frozen=True)
class CapabilitiesReport:
    """All known parts, built-ins first, and the devices that a model could run on."""

    job: str
    parts: tuple[PartReport, ...]
    devices: tuple[str, ...] = ("cpu",)


@dataclass(frozen=True)
class ProbeReport:
    """The outcome of a connection test, in a sentence."""

    job: str
    ok: bool
    message: str
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class SegmentComparison:
    """Proposed against corrected: Dice, and both volumes in mL."""

    name: str
    dice: float
    proposed_ml: float
    corrected_ml: float


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
