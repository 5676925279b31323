"""The line that every request takes, in code: the command, the worker and the service all call :func:`run`.

    volume ─► facts ─► views ─► skills ─► reasoner ─► answer ─► TargetSpec ─► checks ─► backbone ─► masks ─► checks

Data flows one way. Each stage leaves a record in the provenance (name, version, hash, seconds), tells its progress, and
looks at the cancel token first. An abstention, or a blocking finding, ends the line before the backbone.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from . import __version__
from .anatomy import load_vocabulary, resolve_answer
from .errors import BackboneError, ReplyError
from .grounding import check_masks, check_spec, measure
from .imaging import check_preset, render_views
from .protocols import Backbone, CancelToken, Emit, Reasoner, ReasoningCase, SkillBank, ignore_progress
from .values import (
    RGB,
    Abstention,
    Finding,
    ImageFacts,
    Mask,
    Progress,
    Provenance,
    Reasoning,
    Request,
    Segment,
    Segmentation,
    Skill,
    Stage,
    StageRecord,
    Target,
    TargetSpec,
    View,
    Volume,
)

__all__ = ["DEFAULT_PRESET", "Job", "run"]

DEFAULT_PRESET = "multi-view"

#: At most this many skills go into a prompt (SEER's official release retrieves its top 3).
SKILL_LIMIT = 3

#: What results depend on besides SEER; the provenance names those that a run has loaded.
_LIBRARIES = ("numpy", "scipy", "SimpleITK", "torch")


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
        Of the views R(V): ``"multi-view"`` or ``"seer-v1"``.
    as_stored : bool
        Render seer-v1 views in the file's storage order, as the official preparation does.
    answer : str or None
        An answer written by the user: it is executed and the reasoner is not asked.
    run_anyway : bool
        The user has seen the blocking findings and wants the run all the same; the provenance records it.
    """

    volume: Volume
    request: Request
    reasoner: Reasoner
    backbone: Backbone
    bank: SkillBank | None = None
    preset: str = DEFAULT_PRESET
    as_stored: bool = False
    answer: str | None = None
    run_anyway: bool = False


@dataclass
class _Ledger:
    """Progress, cancellation and provenance of one run."""

    emit: Emit
    cancel: CancelToken
    records: list[StageRecord] = field(default_factory=list)

    @contextmanager
    def stage(self, stage: Stage, name: str, version: str = "") -> Iterator[dict[str, Any]]:
        """Time a stage; its body fills in ``sha256``, ``details`` (name → text) and ``value`` (shown at once)."""
        self.cancel.check()
        self.emit(Progress(stage, 0.0, name))
        started = time.perf_counter()
        note: dict[str, Any] = {}
        yield note
        seconds = time.perf_counter() - started
        details = tuple((key, str(value)) for key, value in note.get("details", {}).items())
        self.records.append(StageRecord(stage, name, version, note.get("sha256", ""), seconds, details))
        self.emit(Progress(stage, 1.0, name, note.get("value")))

    def provenance(self) -> Provenance:
        return Provenance(f"SEER {__version__}", tuple(self.records))


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
        ReasonerError, BackboneError (``grid-mismatch`` where a mask is not on the volume's grid), Cancelled … A
        ReplyError does not leave this function: it becomes an Abstention.
    """
    cancel = cancel or CancelToken()
    ledger = _Ledger(emit, cancel)
    volume = job.volume
    check_preset(job.preset, as_stored=job.as_stored)  # a mistake of the caller shows before any work

    with ledger.stage(Stage.READ, volume.name) as note:
        note["sha256"] = volume.sha256
        note["details"] = _volume_details(volume)
    with ledger.stage(Stage.MEASURE, "grounding", __version__) as note:
        facts = measure(volume, cancel)
        note["sha256"] = _sha256(*(repr(item) for item in facts.evidence))
        note["details"] = {"regions covered": ", ".join(r.region for r in facts.regions) or "can't tell"}
        note["value"] = facts
    with ledger.stage(Stage.VIEWS, job.preset, __version__) as note:
        views = render_views(
            volume,
            job.preset,
            as_stored=job.as_stored,
            region=_main_region(facts),
            cancel=cancel,  # the ledger tells the progress, once
        )
        note["sha256"] = _sha256(*(view.sha256 for view in views))
        note["details"] = {
            "views": len(views),
            "order": "as stored" if job.as_stored or volume.axis_codes == "LPS" else f"{volume.axis_codes} to LPS",
        }
        note["value"] = views
    skills = _retrieve(job, views, ledger)

    reasoned = _reason(job, facts, views, skills, ledger)
    if isinstance(reasoned, Abstention):
        return replace(reasoned, provenance=ledger.provenance())
    resolved = _resolve(reasoned, ledger)
    if isinstance(resolved, Abstention):
        return replace(resolved, provenance=ledger.provenance())

    with ledger.stage(Stage.GROUND, "grounding", __version__) as note:
        findings = (*reasoned.findings, *check_spec(resolved, job.request, facts))
        blocking = tuple(finding for finding in findings if finding.blocking)
        note["details"] = {"findings": len(findings), "blocking": ", ".join(f.code for f in blocking) or "none"}
        if blocking and job.run_anyway:
            note["details"]["run anyway"] = "yes, by the user"
        note["value"] = findings
    if blocking and not job.run_anyway:
        return _blocked(reasoned, findings, blocking, ledger.provenance())

    masks = _segment(job, resolved, ledger)
    with ledger.stage(Stage.CHECK, "grounding", __version__) as note:
        said = [finding for mask in masks for finding in mask.findings]
        findings = (*findings, *said, *check_masks(masks, facts, volume))
        segments = tuple(_segments(masks, volume))
        note["details"] = {"findings": len(findings)}
        note["value"] = findings
    return Segmentation(volume, job.request, views, skills, reasoned, resolved, segments, findings, ledger.provenance())


def _main_region(facts: ImageFacts) -> str | None:
    """The body region that the slices cover most of, by height; it decides the views' windows."""
    longest = max(facts.regions, key=lambda region: region.top_mm - region.bottom_mm, default=None)
    return longest.region if longest else None


def _volume_details(volume: Volume) -> dict[str, str]:
    k, j, i = volume.shape
    return {
        "voxels": f"{i} × {j} × {k} {volume.voxels.dtype.name}",
        "spacing": " × ".join(f"{s:.4g}" for s in volume.spacing) + " mm",
        "orientation": volume.axis_codes,
        "modality": f"{volume.modality.value} (from {volume.modality_source or 'nothing'})",
        **{f"step {n}": step for n, step in enumerate(volume.transforms, 1)},
    }


def _retrieve(job: Job, views: tuple[View, ...], ledger: _Ledger) -> tuple[Skill, ...]:
    if job.bank is None:
        return ()
    with ledger.stage(Stage.SKILLS, type(job.bank).__name__) as note:
        skills = tuple(job.bank.retrieve(job.request, views, SKILL_LIMIT))
        note["sha256"] = _sha256(*(skill.content for skill in skills))
        note["details"] = {"skills": ", ".join(skill.id for skill in skills) or "none"}
        note["value"] = skills
    return skills


def _reason(
    job: Job, facts: ImageFacts, views: tuple[View, ...], skills: tuple[Skill, ...], ledger: _Ledger
) -> Reasoning | Abstention:
    if job.answer is not None:
        name, version = "user", ""
    else:
        name, version = job.reasoner.info.name, job.reasoner.info.version
    with ledger.stage(Stage.REASON, name, version) as note:
        if job.answer is not None:
            reply: Reasoning | Abstention = Reasoning(
                facts.evidence, ("The answer was written by the user; no reasoner was asked.",), job.answer, "user"
            )
        else:
            case = ReasoningCase(job.request, job.volume.modality, views, facts, skills)
            try:
                reply = job.reasoner.reason(case, ledger.emit, ledger.cancel)
            except ReplyError as error:  # a reply that can't be trusted is no answer, and never a guess
                reply = _unreadable(error, facts, name)
        details = {"request sha256": _sha256(job.request.text)}
        if isinstance(reply, Reasoning):
            note["sha256"] = _sha256(reply.answer)
            details["answer"] = reply.answer
            if reply.prompt_sha256:
                details["prompt sha256"] = reply.prompt_sha256
        else:
            details["abstained"] = reply.code
        note["details"] = details
        note["value"] = reply
    return reply


def _unreadable(error: ReplyError, facts: ImageFacts, reasoner: str) -> Abstention:
    return Abstention(
        code=error.code,
        reason=error.user_message,
        question="Should the request be asked again, perhaps in other words?",
        evidence=facts.evidence,
        rationale=("The reasoner's reply could not be read, so nothing of it was run.",),
        reasoner=reasoner,
        raw=error.detail,
    )


def _resolve(reasoning: Reasoning, ledger: _Ledger) -> TargetSpec | Abstention:
    with ledger.stage(Stage.RESOLVE, "anatomy", __version__) as note:
        resolved = resolve_answer(reasoning.answer)
        if isinstance(resolved, Abstention):
            resolved = replace(
                resolved,
                evidence=reasoning.evidence,
                rationale=reasoning.rationale,
                reasoner=reasoning.reasoner,
                raw=reasoning.raw,
            )
            note["details"] = {"abstained": resolved.code}
        else:
            note["sha256"] = _sha256(resolved.prompt)
            note["details"] = {"targets": ", ".join(target.text for target in resolved.targets)}
        note["value"] = resolved
    return resolved


def _blocked(
    reasoning: Reasoning, findings: tuple[Finding, ...], blocking: tuple[Finding, ...], provenance: Provenance
) -> Abstention:
    advice = " ".join(finding.advice for finding in blocking if finding.advice)
    return Abstention(
        code="blocked",
        reason=" ".join(finding.message for finding in blocking),
        question=advice or "Should the request be changed, or run anyway?",
        evidence=reasoning.evidence,
        rationale=(*reasoning.rationale, f"The answer was “{reasoning.answer}”; a check stopped it from being run."),
        reasoner=reasoning.reasoner,
        findings=findings,
        provenance=provenance,
        raw=reasoning.raw,
    )


def _segment(job: Job, spec: TargetSpec, ledger: _Ledger) -> Sequence[Mask]:
    info = job.backbone.info
    with ledger.stage(Stage.SEGMENT, info.name, info.version) as note:
        masks = tuple(job.backbone.segment(job.volume, spec, ledger.emit, ledger.cancel))
        _check_grid(masks, spec, job.volume, info.name)
        digest = hashlib.sha256()
        for mask in masks:
            digest.update(np.packbits(mask.voxels).tobytes())
        note["sha256"] = digest.hexdigest()
        note["details"] = {"masks": len(masks), "with": _loaded_libraries(), **dict(info.details)}
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


def _sha256(*texts: str) -> str:
    return hashlib.sha256("\x00".join(texts).encode("utf-8", "surrogatepass")).hexdigest()
