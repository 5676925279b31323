"""An episode from a run and the user's decision: ids, times, file names of masks, Dice of what was corrected."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

import numpy as np

from ..metrics import cropped_overlap
from ..values import (
    CorrectedSegment,
    CroppedArray,
    Episode,
    EpisodeSegment,
    EpisodeVolume,
    Finding,
    Provenance,
    Reasoning,
    Request,
    Review,
    Target,
    TargetSpec,
    Terminology,
)

__all__ = ["ProposedSegment", "new_episode"]


@dataclass(frozen=True, eq=False)
class ProposedSegment:
    """A segment as the run gave it; ``mask`` on the volume's grid."""

    name: str
    target: Target
    terminology: Terminology | None
    volume_ml: float
    mask: CroppedArray


def new_episode(
    *,
    volume: EpisodeVolume,
    request: Request,
    reasoning: Reasoning,
    spec: TargetSpec,
    segments: Sequence[ProposedSegment],
    findings: Sequence[Finding],
    provenance: Provenance,
    decision: str,
    reason: str = "",
    corrected: Mapping[str, CroppedArray] | None = None,
    skills: Sequence[str] = (),
) -> tuple[Episode, dict[str, CroppedArray]]:
    """Put an episode together.

    Parameters
    ----------
    volume, request, reasoning, spec, segments, findings, provenance
        Of the run.
    decision : {"approved", "corrected", "rejected"}
    reason : str
        In the user's words.
    corrected : mapping of str to CroppedArray
        All segments as the user left them, by name; for ``"corrected"`` alone.
    skills : sequence of str
        Ids of the skills that were retrieved.

    Returns
    -------
    episode : Episode
        With a new id.
    masks : dict of str to CroppedArray
        By the file name that the episode gives them: what :meth:`EpisodeStore.save` takes.

    Raises
    ------
    ValueError
        For another decision, masks that are not on the volume's grid, or corrected masks without that decision.
    """
    if corrected and decision != "corrected":
        raise ValueError(f"corrected masks belong to the decision 'corrected', not to {decision!r}")
    identity = uuid.uuid4().hex
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    masks: dict[str, CroppedArray] = {}

    def keep(mask: CroppedArray, kind: str, number: int) -> str:
        if mask.grid != volume.shape:
            raise ValueError(f"a mask of grid {mask.grid} doesn't lie on the volume's, {volume.shape}")
        reference = f"masks/{identity}/{kind}-{number}.npz"
        masks[reference] = mask
        return reference

    kept = tuple(
        EpisodeSegment(s.name, s.target, s.terminology, s.volume_ml, keep(s.mask, "proposed", number))
        for number, s in enumerate(segments, 1)
    )
    before = {segment.name: segment.mask for segment in segments}
    voxel_ml = abs(float(np.linalg.det(np.array(volume.affine)[:3, :3]))) / 1000.0
    after = tuple(
        CorrectedSegment(
            name,
            mask.count * voxel_ml,
            cropped_overlap(before[name], mask).dice if name in before else None,
            keep(mask, "corrected", number),
        )
        for number, (name, mask) in enumerate((corrected or {}).items(), 1)
    )
    review = Review(decision, now, reason, after)
    episode = Episode(
        id=identity,
        created=now,
        volume=volume,
        request=request,
        reasoning=reasoning,
        spec=spec,
        segments=kept,
        findings=tuple(findings),
        provenance=provenance,
        review=review,
        skills=tuple(skills),
    )
    return episode, masks
