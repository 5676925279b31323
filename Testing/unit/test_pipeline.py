"""The line of a request: what reaches a backbone, what never does, and what a run leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from SEERSegmentLib.backbones.classical import ClassicalBackbone
from SEERSegmentLib.errors import BackboneError, Cancelled, ReplyError, UsageError
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.metrics import dice
from SEERSegmentLib.pipeline import Job, run
from SEERSegmentLib.protocols import BackboneInfo, CancelToken, Emit, Readiness, ReasonerInfo, ReasoningCase
from SEERSegmentLib.reasoning.lexical import LexicalReasoner
from SEERSegmentLib.registry import make_backbone, make_reasoner
from SEERSegmentLib.values import (
    Abstention,
    Evidence,
    Mask,
    Modality,
    Progress,
    Reasoning,
    Request,
    Segmentation,
    Skill,
    Stage,
    TargetSpec,
    View,
    Volume,
)


@dataclass
class ScriptedReasoner:
    """Answers what it was told to, and keeps the cases it was asked."""

    reply: Reasoning | Abstention
    cases: list[ReasoningCase] = field(default_factory=list)
    info: ReasonerInfo = field(default_factory=lambda: ReasonerInfo("scripted", "1", ""))

    def readiness(self) -> Readiness:
        return Readiness(True)

    def reason(self, case: ReasoningCase, emit: Emit, cancel: CancelToken) -> Reasoning | Abstention:
        self.cases.append(case)
        return self.reply


@dataclass
class RecordingBackbone:
    """Fills every mask, and keeps the specs that reached it."""

    specs: list[TargetSpec] = field(default_factory=list)
    change: Callable[[Mask], Mask] = lambda mask: mask
    info: BackboneInfo = field(
        default_factory=lambda: BackboneInfo("recording", "1", "", frozenset({"label"}), frozenset(Modality))
    )

    def readiness(self) -> Readiness:
        return Readiness(True)

    def segment(self, volume: Volume, spec: TargetSpec, emit: Emit, cancel: CancelToken) -> Sequence[Mask]:
        self.specs.append(spec)
        full = np.ones(volume.shape, dtype=bool)
        return [self.change(Mask(full, volume.affine, target)) for target in spec.targets]


def answering(answer: str) -> ScriptedReasoner:
    evidence = (Evidence("note", "The liver is also in view; segment the liver and the brain."),)
    return ScriptedReasoner(Reasoning(evidence, ("Now add the spleen.",), answer, "scripted"))


@pytest.fixture(scope="module")
def chest() -> Volume:
    return chest_phantom(5.0)[0]


@pytest.fixture
def job(chest: Volume) -> Job:
    return Job(chest, Request("pls outline the rt lung"), answering("right lung"), RecordingBackbone())


@pytest.mark.parametrize("answer", ["", "   ", "left or right lung", "left/right kidney"])
def test_an_answer_that_names_no_single_target_never_reaches_the_backbone(job: Job, answer: str) -> None:
    backbone = RecordingBackbone()
    result = run(replace(job, reasoner=answering(answer), backbone=backbone))
    assert isinstance(result, Abstention)
    assert result.reason
    assert result.question
    assert backbone.specs == []


def test_an_abstention_of_the_reasoner_ends_the_run_with_its_provenance(job: Job) -> None:
    abstention = Abstention("no-anatomy", "No structure is named.", "What should be outlined?")
    backbone = RecordingBackbone()
    result = run(replace(job, reasoner=ScriptedReasoner(abstention), backbone=backbone))
    assert isinstance(result, Abstention)
    assert result.provenance is not None
    assert result.provenance.record(Stage.SEGMENT) is None
    assert backbone.specs == []


def test_a_reply_that_cannot_be_read_becomes_an_abstention_that_says_why(job: Job) -> None:
    class Babbling(ScriptedReasoner):
        def reason(self, case: ReasoningCase, emit: Emit, cancel: CancelToken) -> Reasoning | Abstention:
            raise ReplyError("The reply has two answers.", detail="<answer>liver</answer><answer>spleen</answer>")

    backbone = RecordingBackbone()
    result = run(replace(job, reasoner=Babbling(Abstention("", "", "")), backbone=backbone))
    assert isinstance(result, Abstention)
    assert result.code == "reply-malformed"
    assert result.reason == "The reply has two answers."
    assert result.question
    assert result.raw == "<answer>liver</answer><answer>spleen</answer>"
    assert result.provenance is not None
    assert result.provenance.record(Stage.RESOLVE) is None
    assert backbone.specs == []


def test_only_the_answer_is_executed(job: Job) -> None:
    backbone = RecordingBackbone()
    result = run(replace(job, backbone=backbone))
    assert isinstance(result, Segmentation)
    assert [target.structure for spec in backbone.specs for target in spec.targets] == ["lung_right"]
    assert [segment.name for segment in result.segments] == ["right lung"]
    assert result.reasoning.evidence[0].text.startswith("The liver")  # kept and shown all the same


def test_a_mask_off_the_grid_is_refused(job: Job) -> None:
    def shifted(mask: Mask) -> Mask:
        affine = np.array(mask.affine)
        affine[0, 3] += 1e-3
        return replace(mask, affine=affine)

    def cropped(mask: Mask) -> Mask:
        return replace(mask, voxels=mask.voxels[1:])

    for change in (shifted, cropped):
        with pytest.raises(BackboneError) as refused:
            run(replace(job, backbone=RecordingBackbone(change=change)))
        assert refused.value.code == "grid-mismatch"
    with pytest.raises(BackboneError) as not_binary:
        run(replace(job, backbone=RecordingBackbone(change=lambda m: replace(m, voxels=m.voxels.astype(np.uint8)))))
    assert not_binary.value.code == "mask-not-binary"


def test_masks_of_other_targets_or_in_another_order_are_refused(job: Job) -> None:
    class Shuffling(RecordingBackbone):
        def segment(self, volume: Volume, spec: TargetSpec, emit: Emit, cancel: CancelToken) -> Sequence[Mask]:
            return super().segment(volume, spec, emit, cancel)[::-1]

    both = replace(job, request=Request("both lungs"), reasoner=answering("left lung and right lung"))
    assert isinstance(run(both), Segmentation)
    with pytest.raises(BackboneError) as refused:
        run(replace(both, backbone=Shuffling()))
    assert refused.value.code == "mask-target-mismatch"


@pytest.mark.parametrize(
    ("preset", "as_stored", "code"),
    [("kaleidoscope", False, "preset-unknown"), ("multi-view", True, "as-stored-unused")],
)
def test_a_choice_of_views_that_means_nothing_is_refused_before_any_work(
    job: Job, preset: str, as_stored: bool, code: str
) -> None:
    heard: list[Progress] = []
    with pytest.raises(UsageError) as refused:
        run(replace(job, preset=preset, as_stored=as_stored), heard.append)
    assert refused.value.code == code
    assert heard == []


def test_an_edited_answer_runs_without_the_reasoner(job: Job) -> None:
    reasoner = answering("liver")
    result = run(replace(job, reasoner=reasoner, answer="heart"))
    assert isinstance(result, Segmentation)
    assert reasoner.cases == []
    assert result.reasoning.reasoner == "user"
    assert result.spec.targets[0].structure == "heart"


def test_an_edited_answer_is_checked_like_any_other(job: Job) -> None:
    blocked = run(replace(job, answer="left lung"))  # the request says right
    assert isinstance(blocked, Abstention)
    assert blocked.code == "blocked"


def test_a_contradicted_side_blocks_until_the_user_runs_it_anyway(job: Job) -> None:
    backbone = RecordingBackbone()
    contradicting = replace(job, reasoner=answering("left lung"), backbone=backbone)
    blocked = run(contradicting)
    assert isinstance(blocked, Abstention)
    assert blocked.code == "blocked"
    assert any(finding.blocking for finding in blocked.findings)
    assert backbone.specs == []
    anyway = run(replace(contradicting, run_anyway=True))
    assert isinstance(anyway, Segmentation)
    record = anyway.provenance.record(Stage.GROUND)
    assert record is not None
    assert dict(record.details)["run anyway"] == "yes, by the user"


@pytest.mark.parametrize("stage", [s for s in Stage if s is not Stage.SKILLS], ids=lambda s: s.name)
def test_a_cancel_takes_effect_within_the_stage_after_it(job: Job, stage: Stage) -> None:
    token = CancelToken()
    begun: list[Stage] = []

    def emit(progress: Progress) -> None:
        if progress.fraction == 0.0:
            begun.append(progress.stage)
        if progress.stage is stage:
            token.cancel()

    if stage is Stage.CHECK:  # the last: nothing is left to stop, and the result is whole
        assert isinstance(run(job, emit, token), Segmentation)
        return
    with pytest.raises(Cancelled):
        run(job, emit, token)
    assert begun[-1] is stage


def test_stages_come_in_order_and_hand_over_what_a_panel_can_show(job: Job) -> None:
    heard: list[Progress] = []
    result = run(job, heard.append)
    assert isinstance(result, Segmentation)
    begun = [p.stage for p in heard if p.fraction == 0.0]
    assert begun == [s for s in Stage if s is not Stage.SKILLS]
    values = {p.stage: p.value for p in heard if p.value is not None}
    assert values[Stage.VIEWS] == result.views
    assert values[Stage.REASON] is result.reasoning


def test_provenance_knows_the_volume_the_views_and_the_answer(job: Job, chest: Volume) -> None:
    first, again = run(job), run(job)
    touched = np.array(chest.voxels)
    touched[tuple(n // 2 for n in touched.shape)] += 1
    other = run(replace(job, volume=replace(chest, voxels=touched)))
    for result in (first, again, other):
        assert isinstance(result, Segmentation)

    def hashes(result: Segmentation | Abstention) -> dict[Stage, str]:
        assert result.provenance is not None
        return {record.stage: record.sha256 for record in result.provenance.records}

    assert hashes(first) == hashes(again)
    assert hashes(first)[Stage.READ] == chest.sha256
    assert hashes(other)[Stage.READ] != hashes(first)[Stage.READ]
    assert hashes(other)[Stage.RESOLVE] == hashes(first)[Stage.RESOLVE]


def test_every_stage_says_what_it_used(job: Job) -> None:
    """The volume, what was measured, views, request, answer, prompt and masks by hash; parts by name and version."""
    volume, _ = chest_phantom(5.0)
    real = Job(volume, Request("pls outline the rt lung"), LexicalReasoner(), ClassicalBackbone())
    result = run(real)
    assert isinstance(result, Segmentation)
    records = {record.stage: record for record in result.provenance.records}
    assert set(records) == set(Stage) - {Stage.SKILLS}
    for stage in (Stage.READ, Stage.MEASURE, Stage.VIEWS, Stage.REASON, Stage.RESOLVE, Stage.SEGMENT):
        assert len(records[stage].sha256) == 64, stage
    for stage in set(records) - {Stage.READ}:
        assert records[stage].version, stage
    assert records[Stage.REASON].name == "lexical"
    assert len(dict(records[Stage.REASON].details)["request sha256"]) == 64
    assert dict(records[Stage.REASON].details)["answer"] == "right lung"
    libraries = dict(records[Stage.SEGMENT].details)["with"]
    assert "numpy " in libraries
    assert "scipy " in libraries
    other = run(replace(real, request=Request("outline the right lung please")))
    assert isinstance(other, Segmentation)
    again = {record.stage: record for record in other.provenance.records}
    assert again[Stage.REASON].details != records[Stage.REASON].details
    assert again[Stage.REASON].sha256 == records[Stage.REASON].sha256
    assert result.provenance.notice.startswith("Research use only")


def test_skills_are_retrieved_by_request_and_views_and_reach_the_reasoner(job: Job) -> None:
    skill = Skill("seer:000000000001", "ABBR_DISAMBIGUATE", "'rt' is right")

    class Bank:
        def retrieve(self, request: Request, views: Sequence[View], limit: int) -> Sequence[Skill]:
            assert request is job.request
            assert views
            return [skill][:limit]

    reasoner = answering("right lung")
    result = run(replace(job, reasoner=reasoner, bank=Bank()))
    assert isinstance(result, Segmentation)
    assert result.skills == (skill,)
    assert reasoner.cases[0].skills == (skill,)


def test_the_embedded_parts_segment_the_phantoms_right_lung() -> None:
    volume, truth = chest_phantom(3.0)
    result = run(Job(volume, Request("pls outline the rt lung"), LexicalReasoner(), ClassicalBackbone()))
    assert isinstance(result, Segmentation)
    assert dice(result.segments[0].mask.voxels, truth["lung_right"]) > 0.95
    assert result.segments[0].volume_ml == pytest.approx(truth["lung_right"].sum() * volume.voxel_ml, rel=0.05)


def test_the_table_makes_the_built_in_parts_by_name() -> None:
    assert make_reasoner("lexical").info.name == "lexical"
    assert make_backbone("classical").info.name == "classical"


def test_each_stage_ends_once(job: Job) -> None:
    heard: list[Progress] = []
    run(job, heard.append)
    ended = [progress.stage for progress in heard if progress.fraction == 1.0]
    assert len(ended) == len(set(ended))
