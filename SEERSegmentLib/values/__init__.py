"""The domain in the field's own words: frozen values that pass between SEER's stages.

Frames: world coordinates are RAS in millimetres; voxel arrays are indexed (k, j, i), slowest axis first, and an
affine maps voxel *indices* (i, j, k, 1) to RAS. A function that takes another frame says so in its name.
Nothing here reads a file, and nothing here knows a model.
"""

from __future__ import annotations

from .closed_sets import RESEARCH_USE_ONLY, RGB, Modality, Plane, Severity, Side, Stage
from .cropped import CroppedArray
from .episode import CorrectedSegment, Episode, EpisodeSegment, EpisodeVolume, Review
from .observed import Evidence, Finding, ImageFacts, Landmark, RegionCoverage, View
from .provenance import Progress, Provenance, StageRecord
from .reasoned import Abstention, Anchor, Code, Reasoning, Request, Skill, Target, TargetSpec, Terminology
from .result import Mask, Segment, Segmentation
from .volume import SHEAR_TOLERANCE, Volume, axis_codes, check_affine, content_sha256

__all__ = [
    "RESEARCH_USE_ONLY",
    "RGB",
    "SHEAR_TOLERANCE",
    "Abstention",
    "Anchor",
    "Code",
    "CorrectedSegment",
    "CroppedArray",
    "Episode",
    "EpisodeSegment",
    "EpisodeVolume",
    "Evidence",
    "Finding",
    "ImageFacts",
    "Landmark",
    "Mask",
    "Modality",
    "Plane",
    "Progress",
    "Provenance",
    "Reasoning",
    "RegionCoverage",
    "Request",
    "Review",
    "Segment",
    "Segmentation",
    "Severity",
    "Side",
    "Skill",
    "Stage",
    "StageRecord",
    "Target",
    "TargetSpec",
    "Terminology",
    "View",
    "Volume",
    "axis_codes",
    "check_affine",
    "content_sha256",
]
