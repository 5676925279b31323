"""From a request to what will be executed, or an abstention: everything before the backbone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .. import __version__
from ..anatomy import resolve_answer
from ..errors import ReplyError, UsageError
from ..grounding import check_spec
from ..imaging import check_preset
from ..imaging.crop import Crop, check_crop, crop_words
from ..protocols import CancelToken, Emit, ReasoningCase, ignore_progress
from ..values import (
    Abstention,
    Finding,
    ImageFacts,
    Provenance,
    Reasoning,
    Severity,
    Skill,
    Stage,
    StageRecord,
    TargetSpec,
    View,
)
from .job import Job
from .ledger import Ledger, sha256_of
from .observing import Observed, check_observed, look

__all__ = ["Plan", "plan"]

#: At most this many skills go into a prompt (SEER's official release retrieves its top 3).
SKILL_LIMIT = 3


@dataclass(frozen=True, eq=False)
class Plan:
    """What a request came to: the target that a backbone may be handed, and all that led there.

    Attributes
    ----------
    job : Job
    observed : Observed
        Of the job's volume; good for further requests on it.
    skills : tuple of Skill
    reasoning : Reasoning
    spec : TargetSpec
    crop : Crop or None
        The job's, where it is less than the whole volume.
    findings : tuple of Finding
        Of reasoner and checks; a blocking one only where the user wants the run anyway.
    records : tuple of StageRecord
    """

    job: Job
    observed: Observed
    skills: tuple[Skill, ...]
    reasoning: Reasoning
    spec: TargetSpec
    crop: Crop | None
    findings: tuple[Finding, ...]
    records: tuple[StageRecord, ...]


def plan(job: Job, emit: Emit = ignore_progress, cancel: CancelToken | None = None) -> Plan | Abstention:
    """Take a request as far as the backbone's door.

    Raises
    ------
    SeerError
        UsageError for ``crop-outside``, ``observed-mismatch``, ``preset-unread`` and a preset that isn't one;
        ReasonerError; ServiceError; Cancelled. A
        ReplyError does not leave this function: it becomes an Abstention.
    """
    ledger = Ledger(emit, cancel or CancelToken())
    check_preset(job.preset, as_stored=job.as_stored)  # a mistake of the caller shows before any work
    _check_read(job)
    crop = _narrowing(job)
    if job.observed is not None:
        check_observed(job.observed, job.volume, job.preset, job.as_stored)

    observed = look(job.volume, job.preset, job.as_stored, job.observed, ledger)
    skills = _retrieve(job, observed.views, ledger)
    reasoned = _reason(job, observed, skills, ledger)
    if isinstance(reasoned, Abstention):
        return replace(reasoned, provenance=ledger.provenance())
    resolved = _resolve(reasoned, ledger)
    if isinstance(resolved, Abstention):
        return replace(resolved, provenance=ledger.provenance())

    with ledger.stage(Stage.GROUND, "grounding", __version__) as note:
        findings = (*reasoned.findings, *check_spec(resolved, job.request, observed.facts), *_narrowed(job, crop))
        blocking = tuple(finding for finding in findings if finding.blocking)
        note["details"] = {"findings": len(findings), "blocking": ", ".join(f.code for f in blocking) or "none"}
        if blocking and job.run_anyway:
            note["details"]["run anyway"] = "yes, by the user"
        note["value"] = findings
    if blocking and not job.run_anyway:
        return _blocked(reasoned, findings, blocking, ledger.provenance())
    return Plan(job, observed, skills, reasoned, resolved, crop, findings, tuple(ledger.records))


def _check_read(job: Job) -> None:
    """Refuse views that the reasoner was not made for."""
    info = job.reasoner.info
    if job.answer is None and job.preset not in info.presets:
        raise UsageError(
            f"The reasoner '{info.name}' reads the views {' or '.join(info.presets)}, not {job.preset}.",
            code="preset-unread",
        )


def _narrowing(job: Job) -> Crop | None:
    """The job's crop, checked; None where it leaves nothing out."""
    if job.crop is None:
        return None
    crop = check_crop(job.crop, job.volume.shape)
    return None if crop == tuple((0, length) for length in job.volume.shape) else crop


def _narrowed(job: Job, crop: Crop | None) -> tuple[Finding, ...]:
    """Says that a crop hides the rest of the image from the backbone."""
    if crop is None:
        return ()
    share = 1.0
    for (start, stop), length in zip(crop, job.volume.shape, strict=True):
        share *= (stop - start) / length
    part = f"{share:.0%}" if share >= 0.005 else "less than 1%"
    message = (
        f"The backbone saw only the region of interest, {part} of the image: voxels {crop_words(crop)}. Nothing is"
        " outlined outside of it."
    )
    return (Finding("region-of-interest", Severity.INFO, message),)


def _retrieve(job: Job, views: tuple[View, ...], ledger: Ledger) -> tuple[Skill, ...]:
    if job.bank is None:
        return ()
    with ledger.stage(Stage.SKILLS, type(job.bank).__name__) as note:
        skills = tuple(job.bank.retrieve(job.request, views, SKILL_LIMIT))
        note["sha256"] = sha256_of(*(skill.content for skill in skills))
        note["details"] = {"skills": ", ".join(skill.id for skill in skills) or "none"}
        note["value"] = skills
    return skills


def _reason(job: Job, observed: Observed, skills: tuple[Skill, ...], ledger: Ledger) -> Reasoning | Abstention:
    facts, views = observed.facts, observed.views
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
        details = {"request sha256": sha256_of(job.request.text)}
        if isinstance(reply, Reasoning):
            note["sha256"] = sha256_of(reply.answer)
            details["answer"] = reply.answer
        else:
            details["abstained"] = reply.code
        if reply.prompt_sha256:
            details["prompt sha256"] = reply.prompt_sha256
        details |= reply.details
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


def _resolve(reasoning: Reasoning, ledger: Ledger) -> TargetSpec | Abstention:
    with ledger.stage(Stage.RESOLVE, "anatomy", __version__) as note:
        resolved = resolve_answer(reasoning.answer)
        if isinstance(resolved, Abstention):
            resolved = replace(
                resolved,
                evidence=reasoning.evidence,
                rationale=reasoning.rationale,
                reasoner=reasoning.reasoner,
                findings=reasoning.findings,
                raw=reasoning.raw,
                prompt_sha256=reasoning.prompt_sha256,
                details=reasoning.details,
            )
            note["details"] = {"abstained": resolved.code}
        else:
            note["sha256"] = sha256_of(resolved.prompt)
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
