"""What a worker does for each order, and what it keeps from one to the next: parts, and the last volume."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .. import pipeline
from ..episodes import EpisodeStore, ProposedSegment, new_episode
from ..errors import UsageError
from ..evaluation import check_agreement
from ..imaging import estimate_modality
from ..imaging.checks import check_finite, check_not_constant
from ..metrics import cropped_overlap
from ..protocols import CancelToken, Reasoner, ReasoningCase
from ..reasoning import clean_request
from ..registry import make_reasoner
from ..values import (
    Abstention,
    CroppedArray,
    EpisodeVolume,
    Finding,
    ImageFacts,
    Modality,
    Progress,
    Reasoning,
    Request,
    Skill,
    Stage,
    View,
    Volume,
)
from . import messages as m
from .files import create_array, open_array, path_of, read_mask
from .parts import Parts, devices, part_report, part_reports
from .probe import probe
from .results import Pictures, run_report
from .wire import Report

__all__ = ["Jobs"]

Tell = Callable[[Report], None]

#: Reports of progress within a stage: so many at once, and then so many a second; a screen shows no more. The first of
#: a burst are let through since the last words before a long silence are what the user reads meanwhile.
_PROGRESS_BURST, _PROGRESS_RATE = 20.0, 20.0


@dataclass
class _Seen:
    """The last volume, what of its file told it from another, and what was observed of it."""

    file: m.VolumeFile
    stamp: tuple[int, ...]
    volume: Volume
    observed: pipeline.Observed | None = None

    def observed_as(self, preset: str) -> pipeline.Observed | None:
        """What was observed with these views; None where that has not been done."""
        return self.observed if self.observed is not None and self.observed.preset == preset else None


class Jobs:
    """Does one order at a time.

    Parameters
    ----------
    folder : Path
        The session folder.
    tell : callable
        Gets the reports on the way to the last one.
    """

    def __init__(self, folder: Path, tell: Tell, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._tell, self._clock = folder, tell, clock
        self._parts = Parts()
        self._seen: _Seen | None = None

    def do(self, order: object, cancel: CancelToken) -> Report:
        """The last report of an order. Raises SeerError, Cancelled."""
        match order:
            case m.RunOrder():
                return self._run(order, cancel)
            case m.AgreementOrder():
                return self._agreement(order, cancel)
            case m.PreviewOrder():
                return self._preview(order, cancel)
            case m.CapabilitiesOrder():
                chosen = part_report("reasoner", order.reasoner) if order.reasoner is not None else None
                return m.CapabilitiesReport(order.job, part_reports(), devices(), chosen)
            case m.ProbeOrder():
                return probe(order.job, order.reasoner, cancel)
            case m.CompareOrder():
                return self._compare(order, cancel)
            case m.ReviewOrder():
                return self._review(order, cancel)
        raise UsageError("This worker doesn't know what to do.", code="worker-order", detail=type(order).__name__)

    # --- running ------------------------------------------------------------------------------------------------------

    def _run(self, order: m.RunOrder, cancel: CancelToken) -> Report:
        teller = _Teller(order.job, self._tell, Pictures(self._folder, order.job), self._clock)
        job = self._job(order, cancel)
        try:
            result = pipeline.run(job, teller, cancel)
        finally:
            self._remember(job, teller)
        if isinstance(result, Abstention):
            answer = teller.answer if result.code == "blocked" else ""
            return m.AbstentionReport(order.job, result, answer)
        return run_report(order.job, result, teller.pictures, self._folder)

    def _agreement(self, order: m.AgreementOrder, cancel: CancelToken) -> Report:
        teller = _Teller(order.job, self._tell, Pictures(self._folder, order.job), self._clock)
        job = self._job(replace(order.run, job=order.job, answer=None), cancel)
        job = replace(job, observed=self._observed(job.volume, job.preset, teller, cancel))
        agreement = check_agreement(job, n=order.n, seed=order.seed, emit=teller, cancel=cancel)
        laid = None
        if agreement.map is not None:
            mapped, laid = create_array(self._folder, f"{order.job}.agreement.npy", np.float32, agreement.map.shape)
            mapped[...] = agreement.map
            mapped.flush()
        phrasings = tuple(m.PhrasingReport(p.text, p.kind, p.answer, p.dice, p.said) for p in agreement.phrasings)
        return m.AgreementReport(order.job, phrasings, agreement.mean, agreement.worst, agreement.std, laid)

    def _preview(self, order: m.PreviewOrder, cancel: CancelToken) -> Report:
        """What the reasoner would send: it is made and asked for that, and contacts nobody."""
        teller = _Teller(order.job, self._tell, Pictures(self._folder, order.job), self._clock)
        reasoner = self._parts.sender(order.run.reasoner)
        request = clean_request(order.run.text)
        self._tell(m.ProgressReport(order.job, Stage.READ))
        volume = self._volume(order.run.volume, cancel).volume
        observed = self._observed(volume, _preset(order.run, reasoner), teller, cancel)
        sent = reasoner.outgoing(ReasoningCase(request, volume.modality, observed.views, observed.facts))
        cancel.check()
        return m.PreviewReport(
            order.job, sent.server, sent.model, sent.texts, teller.pictures.of(sent.views), sent.findings
        )

    def _job(self, order: m.RunOrder, cancel: CancelToken) -> pipeline.Job:
        """The order as the pipeline takes it. A part that may not send what it sends is refused before anything."""
        if order.answer is None:
            reasoner = self._parts.reasoner(order.reasoner, order.allowed)
        else:  # it won't be asked: one that costs nothing stands in, and the one that is loaded stays
            reasoner = make_reasoner("lexical")
        backbone = self._parts.backbone(order.backbone, order.allowed)
        request = Request(order.text) if order.answer is not None else clean_request(order.text)
        self._tell(m.ProgressReport(order.job, Stage.READ))
        seen, preset = self._volume(order.volume, cancel), _preset(order, reasoner)
        return pipeline.Job(
            volume=seen.volume,
            request=request,
            reasoner=reasoner,
            backbone=backbone,
            preset=preset,
            answer=order.answer,
            run_anyway=order.run_anyway,
            crop=order.crop,
            observed=seen.observed_as(preset),
        )

    def _observed(self, volume: Volume, preset: str, teller: _Teller, cancel: CancelToken) -> pipeline.Observed:
        """What was observed of the last volume before, or is now; it is kept for the next job."""
        assert self._seen is not None
        known = self._seen.observed_as(preset)
        if known is None:
            known = self._seen.observed = pipeline.observe(volume, preset, emit=teller, cancel=cancel)
        return known

    def _volume(self, file: m.VolumeFile, cancel: CancelToken) -> _Seen:
        """The volume of an order, checked as one that is read from a file; the last one again where it is the same."""
        state = path_of(self._folder, file.voxels.name)
        voxels = open_array(self._folder, file.voxels)
        status = state.stat()
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        last = self._seen
        if last is not None and (last.file, last.stamp) == (file, stamp):
            return last
        cancel.check()
        check_finite(voxels)
        cancel.check()
        check_not_constant(voxels)
        modality, source = file.modality, file.modality_source
        if not source and modality is Modality.UNKNOWN:
            modality, source = estimate_modality(voxels), "intensities"
        affine = np.array(file.affine, np.float64)
        volume = Volume(voxels, affine, modality, source, file.name, file.transforms, dict(file.metadata))
        cancel.check()
        seen = _Seen(file, stamp, volume)
        if last is not None and last.observed is not None and last.volume.sha256 == volume.sha256:
            seen.observed = last.observed if _same_modality(last.volume, volume) else None
        self._seen = seen
        return seen

    def _remember(self, job: pipeline.Job, teller: _Teller) -> None:
        """Keep what was observed, whatever became of the run: the next one on this volume starts from there."""
        facts, views = teller.facts, teller.views
        if self._seen is not None and facts is not None and views:
            self._seen.observed = pipeline.Observed(job.volume.sha256, job.preset, False, facts, views)

    # --- masks of the user --------------------------------------------------------------------------------------------

    def _compare(self, order: m.CompareOrder, cancel: CancelToken) -> Report:
        proposed, corrected = dict(order.proposed), dict(order.corrected)
        compared = []
        for name in dict.fromkeys((*proposed, *corrected)):
            cancel.check()
            before, after = self._pair(proposed.get(name), corrected.get(name))
            voxel_ml = self._voxel_ml(order, before.grid)
            dice = cropped_overlap(before, after).dice
            compared.append(m.SegmentComparison(name, dice, before.count * voxel_ml, after.count * voxel_ml))
        return m.CompareReport(order.job, tuple(compared))

    def _pair(self, one: m.CroppedMask | None, other: m.CroppedMask | None) -> tuple[CroppedArray, CroppedArray]:
        """Two masks; one that is not there is empty."""
        grid = (one or other or _NO_MASK).grid
        missing = m.CroppedMask(None, (0, 0, 0), grid)
        before, after = read_mask(self._folder, one or missing), read_mask(self._folder, other or missing)
        if before.grid != after.grid:
            raise UsageError(
                "The corrected segment lies on another grid than the proposed one.",
                code="compare-grids",
                detail=f"{before.grid} and {after.grid}",
            )
        return before, after

    def _voxel_ml(self, order: m.CompareOrder, grid: m.Voxel) -> float:
        if order.affine is not None:
            return abs(float(np.linalg.det(np.array(order.affine)[:3, :3]))) / 1000.0
        if self._seen is not None and self._seen.volume.shape == grid:
            return self._seen.volume.voxel_ml
        return float("nan")

    def _review(self, order: m.ReviewOrder, cancel: CancelToken) -> Report:
        run, report = order.run, order.report
        modality = run.volume.modality
        if self._seen is not None and self._seen.volume.sha256 == report.volume_sha256:
            modality = self._seen.volume.modality
        k, j, i = run.volume.voxels.shape
        volume = EpisodeVolume(report.volume_sha256, run.volume.name, modality, (k, j, i), run.volume.affine)
        segments = [
            ProposedSegment(s.name, s.target, s.terminology, s.volume_ml, read_mask(self._folder, s.mask))
            for s in report.segments
        ]
        cancel.check()
        try:
            episode, masks = new_episode(
                volume=volume,
                request=Request(run.text),
                reasoning=report.reasoning,
                spec=report.spec,
                segments=segments,
                findings=report.findings,
                provenance=report.provenance,
                decision=order.decision,
                reason=order.reason,
                corrected={name: read_mask(self._folder, mask) for name, mask in order.corrected},
                skills=[skill.id for skill in report.skills],
            )
        except ValueError as error:
            raise UsageError(
                "This review can't be saved: it does not fit its run.", code="review-unusable", detail=str(error)
            ) from error
        cancel.check()  # from here on it is saved
        EpisodeStore(Path(order.store)).save(episode, masks)
        return m.SavedReport(order.job, episode.id, order.store)


def _preset(order: m.RunOrder, reasoner: Reasoner) -> str:
    return order.preset or reasoner.info.presets[0]


_NO_MASK = m.CroppedMask(None, (0, 0, 0), (1, 1, 1))


def _same_modality(one: Volume, other: Volume) -> bool:
    return (one.modality, one.modality_source) == (other.modality, other.modality_source)


class _Teller:
    """Progress of the pipeline as reports, with values as the panel shows them; and what to remember of it."""

    def __init__(self, job: str, tell: Tell, pictures: Pictures, clock: Callable[[], float]) -> None:
        self._job, self._tell, self._clock = job, tell, clock
        self.pictures = pictures
        self.facts: ImageFacts | None = None
        self.views: tuple[View, ...] = ()
        self.answer = ""
        self._stage: Stage | None = None
        self._writing = False
        self._credit, self._counted = _PROGRESS_BURST, clock()

    def __call__(self, progress: Progress) -> None:
        value = progress.value
        shown: m.ProgressReport | None = None
        if isinstance(value, ImageFacts):
            self.facts = value
        elif isinstance(value, Reasoning):
            self.answer = value.answer
            shown = self._report(progress, value)
        elif isinstance(value, tuple) and value:
            if all(isinstance(item, View) for item in value):
                self.views = value
                shown = self._report(progress, self.pictures.of(value))
            elif all(isinstance(item, Skill) for item in value) or all(isinstance(item, Finding) for item in value):
                shown = self._report(progress, value)
        ends = progress.fraction in (0.0, 1.0) or self._stage is not progress.stage
        # A Reasoning that streams is news each time, but no screen shows it more often than other progress. What is
        # said between two replies is read while nothing else comes, so it is let through on credit.
        writing = isinstance(value, Reasoning)
        least = 1.0 if writing is self._writing else 1.0 - _PROGRESS_BURST
        if ends or (shown is not None and not writing) or self._spend(least):
            self._stage, self._writing = progress.stage, writing
            self._tell(shown or self._report(progress, None))

    def _spend(self, least: float) -> bool:
        now = self._clock()
        self._credit = min(_PROGRESS_BURST, self._credit + (now - self._counted) * _PROGRESS_RATE)
        self._counted = now
        if self._credit < least:
            return False
        self._credit -= 1.0
        return True

    def _report(
        self,
        progress: Progress,
        value: tuple[m.ViewPicture, ...] | tuple[Skill, ...] | tuple[Finding, ...] | Reasoning | None,
    ) -> m.ProgressReport:
        return m.ProgressReport(self._job, progress.stage, progress.fraction, progress.message, value)
