"""What is rendered, measured and found: views, evidence, facts of an image, findings of checks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .closed_sets import Modality, Plane, Severity

#: Four rows of four numbers: an affine in values that are compared and written to files.
Matrix = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True, eq=False)
class View:
    """One rendered 2D image of a volume, as a reasoner sees it.

    Attributes
    ----------
    name : str
        Unique within a set, and what evidence cites: ``"axial 57"``, ``"coronal MIP"``.
    pixels : ndarray, shape (rows, columns), uint8
        Grey; no letters or marks are ever burned in.
    plane : Plane
    slice_index : int or None
        Index along the volume's own slice axis; None for a projection.
    position_mm : float or None
        RAS coordinate of the slice along the plane's normal (S for axial, A for coronal, R for sagittal).
    window : tuple[float, float]
        Intensities shown as black and white.
    pixel_to_ras : ndarray, shape (4, 4)
        (column, row, 0, 1) of a pixel's centre → RAS in mm; its third column steps one slice along the normal.
    preset : str
    """

    name: str
    pixels: NDArray[np.uint8]
    plane: Plane
    slice_index: int | None
    position_mm: float | None
    window: tuple[float, float]
    pixel_to_ras: NDArray[np.float64]
    preset: str

    @cached_property
    def sha256(self) -> str:
        """SHA-256 over shape and C-order pixels."""
        digest = hashlib.sha256(f"{self.pixels.shape}".encode())
        digest.update(np.ascontiguousarray(self.pixels).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Evidence:
    """One observation, with where it comes from.

    Attributes
    ----------
    name : str
        What was measured, as a stable key: ``"field-of-view"``.
    text : str
        The sentence that people read.
    value : float, str, tuple or None
        The measured value; None for an observation in words (a vision-language reasoner's).
    unit : str
        ``"mm"``, ``"HU"``, ``"mL"``, or empty.
    source : str
        The view's name or the slices it comes from: ``"axial slices 0-111"``.
    """

    name: str
    text: str
    value: float | str | tuple[float, ...] | None = None
    unit: str = ""
    source: str = ""


@dataclass(frozen=True)
class Landmark:
    """A level of the body found along the head-foot axis: ``name`` at RAS height ``s_mm`` ± ``uncertainty_mm``."""

    name: str
    s_mm: float
    uncertainty_mm: float
    source: str


@dataclass(frozen=True)
class RegionCoverage:
    """A body region that the slices cover, from ``bottom_mm`` to ``top_mm`` (RAS S), complete or cut off."""

    region: str
    top_mm: float
    bottom_mm: float
    complete: bool


@dataclass(frozen=True)
class ImageFacts:
    """What SEER measured of a volume before anyone reasons about it.

    Attributes
    ----------
    modality, modality_source : Modality, str
    shape : tuple[int, int, int]
        Voxels (k, j, i).
    spacing_mm : tuple[float, float, float]
        (i, j, k).
    field_of_view_mm : tuple[float, float, float]
        Extent along R-L, A-P and S-I.
    landmarks : tuple[Landmark, ...]
        Levels found, head to foot; empty where none could be told (MR, phantoms).
    regions : tuple[RegionCoverage, ...]
        Body regions covered, head to foot; empty where they can't be told.
    covered_levels : tuple[float, float] or None
        The widest span of body levels that the slices may cover, uncertainty included, on the vertebral scale of
        ``SEERSegmentLib.anatomy.levels`` (head = small, foot = large); None where it can't be told.
    midline_r_mm : float or None
        RAS R of the patient's midline from spine and body outline; None where it can't be told.
    evidence : tuple[Evidence, ...]
        All of it as citable items.
    affine : 4 × 4 or None
        IJK→RAS of the volume in mm: by it, a place on a view becomes a place in the volume's voxels. None where facts
        were put together without a volume.
    """

    modality: Modality
    modality_source: str
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    field_of_view_mm: tuple[float, float, float]
    landmarks: tuple[Landmark, ...] = ()
    regions: tuple[RegionCoverage, ...] = ()
    covered_levels: tuple[float, float] | None = None
    midline_r_mm: float | None = None
    evidence: tuple[Evidence, ...] = ()
    affine: Matrix | None = None


@dataclass(frozen=True)
class Finding:
    """The outcome of one check, for the user to see.

    ``blocking`` is True only for a wrong modality or a contradictory side; everything else warns and may be run.
    ``status`` is set by checks with three outcomes: ``"agree"``, ``"disagree"`` or ``"can't tell"``.
    """

    code: str
    severity: Severity
    message: str
    blocking: bool = False
    target: str = ""
    status: str = ""
    advice: str = ""
