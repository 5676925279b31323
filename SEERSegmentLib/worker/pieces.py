"""What messages are made of: files of voxels, masks and pictures, and what a part or a segment is, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..values import RGB, Finding, Modality, Plane, Target, Terminology

__all__ = [
    "ArrayFile",
    "CroppedMask",
    "Matrix",
    "PartChoice",
    "PartReport",
    "PhrasingReport",
    "SegmentComparison",
    "SegmentPiece",
    "ViewPicture",
    "VolumeFile",
    "Voxel",
]

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
class PhrasingReport:
    """One rephrasing: its text, kind and answer, or why there is none; ``dice`` is with the request's own result."""

    text: str
    kind: str
    answer: str
    dice: float | None
    said: str = ""


@dataclass(frozen=True)
class PartReport:
    """A reasoner (kind ``"reasoner"``) or backbone (kind ``"backbone"``) and whether it can run here.

    Attributes
    ----------
    code, what_to_do : str
        Of what keeps it from running; empty where it is ready.
    sends : str
        What leaves the machine when it runs: empty, ``"snapshots"`` or ``"volume"``.
    extra : str
        The optional dependency group that brings what is missing, empty where none does.
    protocol, presets
        Of a reasoner: how it replies, ``"tags"`` or ``"anchor"``, and the sets of views that it reads, the one it is
        best with first.
    accepts : tuple of str
        Of a backbone: any of ``"text"``, ``"label"``, ``"box"``.
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
    code: str = ""
    protocol: str = ""
    presets: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ()


@dataclass(frozen=True)
class SegmentComparison:
    """Proposed against corrected: Dice, and both volumes in mL."""

    name: str
    dice: float
    proposed_ml: float
    corrected_ml: float
