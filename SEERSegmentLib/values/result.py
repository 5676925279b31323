"""Masks, segments and the whole result of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .closed_sets import RGB
from .observed import Finding, View
from .provenance import Provenance
from .reasoned import Reasoning, Request, Skill, Target, TargetSpec, Terminology
from .volume import Volume


@dataclass(frozen=True, eq=False)
class Mask:
    """A backbone's answer for one target: boolean voxels (k, j, i) on the volume's own grid.

    ``findings`` is what the backbone has to say of it: parts that are missing, a resampling on the way.
    """

    voxels: NDArray[np.bool_]
    affine: NDArray[np.float64]
    target: Target
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, eq=False)
class Segment:
    """A mask as users meet it: named, coloured, coded, measured."""

    id: str
    name: str
    mask: Mask
    colour: RGB
    terminology: Terminology | None
    volume_ml: float


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The whole result of a run."""

    volume: Volume
    request: Request
    views: tuple[View, ...]
    skills: tuple[Skill, ...]
    reasoning: Reasoning
    spec: TargetSpec
    segments: tuple[Segment, ...]
    findings: tuple[Finding, ...]
    provenance: Provenance
