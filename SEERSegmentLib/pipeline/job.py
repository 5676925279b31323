"""What a run is asked to do, and by which parts."""

from __future__ import annotations

from dataclasses import dataclass

from ..imaging.crop import Crop
from ..protocols import Backbone, Reasoner, SkillBank
from ..values import Request, Volume
from .observing import DEFAULT_PRESET, Observed

__all__ = ["DEFAULT_PRESET", "Job"]


@dataclass(frozen=True)
class Job:
    """One request on one volume, and the parts that serve it.

    Attributes
    ----------
    volume, request, reasoner, backbone
        What to segment, for which words, and by whom.
    bank : SkillBank or None
        Where skills are retrieved from; none without one.
    preset : str
        Of the views R(V): ``"multi-view"``, ``"seer-v1"`` …; empty takes the one that the reasoner is best with.
    as_stored : bool
        Render seer-v1 views in the file's storage order, as the official preparation does.
    answer : str or None
        An answer written by the user: it is executed and the reasoner is not asked.
    run_anyway : bool
        The user has seen the blocking findings and wants the run all the same; the provenance records it.
    crop : ((k0, k1), (j0, j1), (i0, i1)) or None
        Half-open voxel ranges that the backbone sees. Facts, views and checks are of the whole volume, and the masks
        come back on its grid.
    observed : Observed or None
        Facts and views that :func:`~SEERSegmentLib.pipeline.observe` gave for this very volume and preset: reused.
    """

    volume: Volume
    request: Request
    reasoner: Reasoner
    backbone: Backbone
    bank: SkillBank | None = None
    preset: str = ""
    as_stored: bool = False
    answer: str | None = None
    run_anyway: bool = False
    crop: Crop | None = None
    observed: Observed | None = None

    def __post_init__(self) -> None:
        if not self.preset:
            object.__setattr__(self, "preset", self.reasoner.info.presets[0])
