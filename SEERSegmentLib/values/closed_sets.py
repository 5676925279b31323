"""Closed sets: modality, side, plane, severity and the stages of a run."""

from __future__ import annotations

from enum import Enum

RESEARCH_USE_ONLY = "Research use only. Not for clinical decisions."


RGB = tuple[int, int, int]


class Modality(str, Enum):
    """Imaging modality, in DICOM's spelling (0008,0060) for the two that SEER treats apart."""

    CT = "CT"
    MR = "MR"
    UNKNOWN = "unknown"


class Side(str, Enum):
    """Laterality in the patient's own frame; never the screen's."""

    LEFT = "left"
    RIGHT = "right"
    NONE = ""

    @property
    def opposite(self) -> Side:
        return {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}.get(self, Side.NONE)


class Plane(str, Enum):
    """Anatomical plane of a view."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


class Severity(str, Enum):
    """How much a finding matters to the reader."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Stage(str, Enum):
    """The stages of a run, in order; the names that progress, provenance and the panel show."""

    READ = "reading the volume"
    MEASURE = "measuring the image"
    VIEWS = "rendering views"
    SKILLS = "retrieving skills"
    REASON = "reasoning"
    RESOLVE = "resolving the answer"
    GROUND = "checking against the image"
    SEGMENT = "segmenting"
    CHECK = "checking the masks"
