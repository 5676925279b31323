"""From a plan to segments: the backbone, and the checks of what it gave back."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from .. import __version__
from ..anatomy import load_vocabulary
from ..errors import BackboneError
from ..grounding import check_masks
from ..imaging.anchor_boxes import anchors_within
from ..imaging.crop import Crop, crop_words, cropped_volume, on_whole_grid
from ..protocols import CancelToken, Emit, ignore_progress
from ..values import RGB, Abstention, Mask, Segment, Segmentation, Stage, Target, TargetSpec, Volume
from .job import Job
from .ledger import Ledger
from .planning import Plan, plan

__all__ = ["execute", "run"]

#: What results depend on besides SEER; the provenance names those that a run has loaded.
_LIBRARIES = ("numpy", "scipy", "SimpleITK", "torch")


def run(job: Job, emit: Emit = ignore_progress, cancel: CancelToken | None = None) -> Segmentation | Abstention:
    """Take a request along the line.

    Parameters
    ----------
    job : Job
    emit : callable
        Is handed a Progress at the start and end of each stage, and by long stages in between.
    cancel : CancelToken
        Looked at between stages and, by each stage, inside its loops.

    Returns
    -------
    Segmentation or Abstention
        Both carry findings and provenance.

    Raises
    ------
    SeerError
        UsageError (``crop-outside``, ``observed-mismatch``, ``anchor-outside``), ReasonerError, BackboneError
        (``grid-mismatch`` where a mask is not on the grid that the backbone was handed), Cancelled … A ReplyError does
        not leave this function: it becomes an Abstention.
    """
    cancel = cancel or CancelToken()
    planned = plan(job, emit, cancel)
    return planned if isinstance(planned, Abstention) else execute(planned, emit, cancel)


def execute(planned: Plan, emit: Emit = ignore_progress, cancel: CancelToken | None = None) -> Segmentation:
    """Hand a plan's target to its job's backbone, and check the masks. Raises as :func:`run` does."""
    ledger = Ledger(emit, cancel or CancelToken(), list(planned.records))
    volume, facts = planned.job.volume, planned.observed.facts
    masks = _segment(planned, ledger)
    with ledger.stage(Stage.CHECK, "grounding", __version__) as note:
        said = [finding for mask in masks for finding in mask.findings]
        findings = (*planned.findings, *said, *check_masks(masks, facts, volume, planned.crop))
        segments = tuple(_segments(masks, volume))
        note["details"] = {"findings": len(findings)}
        note["value"] = findings
    return Segmentation(
        volume,
        planned.job.request,
        planned.observed.views,
        planned.skills,
        planned.reasoning,
        planned.spec,
        segments,
        findings,
        ledger.provenance(),
    )


def _segment(planned: Plan, ledger: Ledger) -> Sequence[Mask]:
    """The backbone's masks, on the grid of the whole volume whatever part of it the backbone saw."""
    job, crop = planned.job, planned.crop
    info = job.backbone.info
    with ledger.stage(Stage.SEGMENT, info.name, info.version) as note:
        seen = job.volume if crop is None else cropped_volume(job.volume, crop)
        k, j, i = job.volume.shape
        part: Crop = crop or ((0, k), (0, j), (0, i))
        spec = anchors_within(planned.spec, part)  # in the voxels that the backbone sees
        masks = tuple(job.backbone.segment(seen, spec, ledger.emit, ledger.cancel))
        _check_grid(masks, spec, seen, info.name)
        if crop is not None:
            whole = job.volume
            masks = tuple(
                replace(mask, voxels=on_whole_grid(mask.voxels, crop, whole.shape), affine=whole.affine)
                for mask in masks
            )
        digest = hashlib.sha256()
        for mask in masks:
            digest.update(np.packbits(mask.voxels).tobytes())
        note["sha256"] = digest.hexdigest()
        note["details"] = {"masks": len(masks), "with": _loaded_libraries(), **dict(info.details)}
        if crop is not None:
            note["details"]["the backbone saw"] = f"voxels {crop_words(crop)}"
        if planned.spec.anchors:
            note["details"]["key slices"] = f"{len(spec.anchors)} of {len(planned.spec.anchors)}"
        note["value"] = masks
    return masks


def _check_grid(masks: Sequence[Mask], spec: TargetSpec, volume: Volume, backbone: str) -> None:
    """The output grid is the input grid, always; one mask per target."""
    if len(masks) != len(spec.targets):
        raise BackboneError(
            f"The backbone {backbone} returned {len(masks)} masks for {len(spec.targets)} targets.",
            code="mask-count-mismatch",
        )
    for mask, target in zip(masks, spec.targets, strict=True):
        if mask.target != target:
            raise BackboneError(
                f"The backbone {backbone} returned a mask of something else than the {target.text}.",
                code="mask-target-mismatch",
                detail=mask.target.text,
            )
        if mask.voxels.shape != volume.shape or not np.array_equal(mask.affine, volume.affine):
            raise BackboneError(
                f"The backbone {backbone} returned a mask that does not lie on the volume's grid.",
                code="grid-mismatch",
                detail=f"mask {mask.voxels.shape}, volume {volume.shape}",
            )
        if mask.voxels.dtype != np.bool_:
            raise BackboneError(f"The backbone {backbone} returned a mask that is not binary.", code="mask-not-binary")


def _segments(masks: Sequence[Mask], volume: Volume) -> Iterator[Segment]:
    vocabulary = load_vocabulary()
    for number, mask in enumerate(masks, 1):
        target = mask.target
        volume_ml = int(np.count_nonzero(mask.voxels)) * volume.voxel_ml
        if target.structure:
            known = vocabulary.get(target.structure)
            yield Segment(f"Segment_{number}", known.name, mask, known.colour, known.terminology, volume_ml)
        else:
            yield Segment(f"Segment_{number}", target.text, mask, _text_colour(target), None, volume_ml)


def _text_colour(target: Target) -> RGB:
    """A colour for free text: the same words always get the same one, kept off the dark and the grey."""
    red, green, blue = hashlib.sha256(target.text.encode()).digest()[:3]
    return 96 + red % 160, 96 + green % 160, 96 + blue % 160


def _loaded_libraries() -> str:
    versions = ((name, getattr(sys.modules.get(name), "__version__", "")) for name in _LIBRARIES)
    return ", ".join(f"{name} {version}" for name, version in versions if version)
