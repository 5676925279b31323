"""check_agreement(): whether the wording decides the result, with reasoners that are rigged to disagree."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from SEERSegmentLib.anatomy import resolve_answer
from SEERSegmentLib.errors import BackboneError, Cancelled, ReasonerError, UnsupportedTarget
from SEERSegmentLib.evaluation import Agreement, check_agreement
from SEERSegmentLib.evaluation.agreement import AS_ASKED
from SEERSegmentLib.metrics import cropped_overlap, dice, overlap
from SEERSegmentLib.pipeline import Job, observe
from SEERSegmentLib.protocols import BackboneInfo, CancelToken, Emit, Readiness, ReasonerInfo, ReasoningCase
from SEERSegmentLib.reasoning.rephrasing import rephrase
from SEERSegmentLib.values import (
    Abstention,
    CroppedArray,
    Mask,
    Modality,
    Progress,
    Reasoning,
    Request,
    Stage,
    TargetSpec,
    Volume,
)

REQUEST = "pls outline the liver"

#: Rows along i that the backbone below draws for each structure: 4 voxels each, Dice by hand from what they share.
DRAWN = {"liver": slice(0, 4), "spleen": slice(2, 6), "pancreas": slice(6, 10)}
SHAPE = (3, 4, 12)


@dataclass
class RiggedReasoner:
    """Answers the n-th wording it hears with the n-th reply; the last one goes on. An exception is raised."""

    replies: Sequence[str | Exception | Abstention]
    heard: list[str] = field(default_factory=list)
    info: ReasonerInfo = field(default_factory=lambda: ReasonerInfo("rigged", "1", ""))

    def readiness(self) -> Readiness:
        return Readiness(True)

    def reason(self, case: ReasoningCase, emit: Emit, cancel: CancelToken) -> Reasoning | Abstention:
        self.heard.append(case.request.text)
        reply = self.replies[min(len(self.heard), len(self.replies)) - 1]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, Abstention) else Reasoning((), (), reply, "rigged")


@dataclass
class RowsBackbone:
    """Draws the rows of :data:`DRAWN`, and counts the specs that it was handed."""

    specs: list[TargetSpec] = field(default_factory=list)
    info: BackboneInfo = field(
        default_factory=lambda: BackboneInfo("rows", "1", "", frozenset({"label"}), frozenset(Modality))
    )

    def readiness(self) -> Readiness:
        return Readiness(True)

    def segment(self, volume: Volume, spec: TargetSpec, emit: Emit, cancel: CancelToken) -> Sequence[Mask]:
        self.specs.append(spec)
        return [Mask(rows(target.structure), volume.affine, target) for target in spec.targets]


def rows(structure: str) -> NDArray[np.bool_]:
    if structure not in DRAWN:
        raise UnsupportedTarget(f"No {structure} here.")
    mask = np.zeros(SHAPE, bool)
    mask[1, 2, DRAWN[structure]] = True
    return mask


def job_of(*replies: str | Exception | Abstention) -> Job:
    voxels = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    return Job(Volume(voxels, np.eye(4)), Request(REQUEST, "r1"), RiggedReasoner(replies), RowsBackbone())


def test_wordings_that_disagree_are_measured() -> None:
    """Four wordings: liver, liver, spleen (2 of 4 voxels shared: Dice 1/2), pancreas (none: 0)."""
    agreement = check_agreement(job_of("liver", "liver", "spleen", "pancreas"), n=3)
    assert [phrasing.answer for phrasing in agreement.phrasings] == ["liver", "liver", "spleen", "pancreas"]
    assert [phrasing.dice for phrasing in agreement.phrasings] == [1.0, 1.0, 0.5, 0.0]
    # pairs: L-L 1, L-S 1/2 twice, L-P 0 twice, S-P 0
    assert agreement.mean == pytest.approx(2 / 6)
    assert agreement.worst == 0.0
    assert agreement.std == pytest.approx(((1 + 2 / 4) / 6 - (2 / 6) ** 2) ** 0.5)
    assert agreement.map is not None
    assert agreement.map.dtype == np.float32
    np.testing.assert_array_equal(agreement.map[1, 2, :10], np.float32([2, 2, 3, 3, 1, 1, 1, 1, 1, 1]) / np.float32(4))
    assert np.count_nonzero(agreement.map) == 10


def test_each_wording_is_reasoned_and_each_target_is_drawn_once() -> None:
    job = job_of("liver", "spleen", "liver", "spleen")
    agreement = check_agreement(job, n=3, seed=4)
    spec = resolve_answer("liver")
    assert isinstance(spec, TargetSpec)
    others = rephrase(spec, 3, 4)
    assert job.reasoner.heard == [REQUEST, *(other.text for other in others)]
    assert [phrasing.text for phrasing in agreement.phrasings] == job.reasoner.heard
    assert [phrasing.kind for phrasing in agreement.phrasings] == [AS_ASKED, *(other.kind.value for other in others)]
    assert [spec.prompt for spec in job.backbone.specs] == ["liver", "spleen"]
    assert [phrasing.reused for phrasing in agreement.phrasings] == [False, False, True, True]


def test_a_result_of_several_targets_is_their_union() -> None:
    agreement = check_agreement(job_of("liver and spleen", "liver", "spleen and liver"), n=2)
    assert [phrasing.dice for phrasing in agreement.phrasings] == [1.0, 2 * 4 / (6 + 4), 1.0]
    assert agreement.map is not None
    assert agreement.map.max() == 1.0


def test_a_volume_is_measured_once_and_what_was_measured_before_is_taken() -> None:
    job = job_of("liver", "spleen")
    job = replace(job, observed=observe(job.volume))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("SEERSegmentLib.pipeline.observing.measure", None)
        patch.setattr("SEERSegmentLib.pipeline.observing.render_views", None)
        assert check_agreement(job, n=2).worst == 0.5
    count: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        from SEERSegmentLib.pipeline import observing

        real = observing.measure
        patch.setattr(observing, "measure", lambda *a, **k: count.append(1) or real(*a, **k))
        check_agreement(replace(job, observed=None), n=4)
    assert count == [1]


def test_an_abstaining_wording_says_why_and_the_others_count() -> None:
    abstention = Abstention("no-anatomy", "No structure is named.", "What should be outlined?")
    agreement = check_agreement(job_of("liver", abstention, "liver or spleen", "spleen"), n=3)
    own, first, second, third = agreement.phrasings
    assert (first.answer, first.dice, first.said) == ("", None, "No structure is named.")
    assert second.dice is None
    assert "alternatives" in second.said
    assert (own.dice, third.dice, third.said) == (1.0, 0.5, "")
    assert (agreement.mean, agreement.worst, agreement.std) == (0.5, 0.5, 0.0)
    assert agreement.map is not None
    assert set(np.unique(agreement.map)) == {0.0, 0.5, 1.0}


def test_an_error_in_one_wording_does_not_lose_the_others() -> None:
    job = job_of("liver", ReasonerError("The reasoner broke."), "brain", "brain", "spleen")
    agreement = check_agreement(job, n=4)
    assert [phrasing.said for phrasing in agreement.phrasings][:2] == ["", "The reasoner broke."]
    assert [phrasing.said for phrasing in agreement.phrasings][2:4] == ["No brain here."] * 2
    assert agreement.phrasings[2].answer == "brain"
    assert agreement.mean == 0.5
    assert [spec.prompt for spec in job.backbone.specs] == ["liver", "brain", "spleen"]  # it fails once, too


def test_a_retryable_error_is_tried_again_by_the_next_wording_of_that_target() -> None:
    class Flaky(RowsBackbone):
        def segment(self, volume: Volume, spec: TargetSpec, emit: Emit, cancel: CancelToken) -> Sequence[Mask]:
            masks = super().segment(volume, spec, emit, cancel)
            if [s.prompt for s in self.specs].count("spleen") == 1 and spec.prompt == "spleen":
                raise BackboneError("Busy.", retryable=True)
            return masks

    agreement = check_agreement(replace(job_of("liver", "spleen"), backbone=Flaky()), n=2)
    assert [phrasing.said for phrasing in agreement.phrasings] == ["", "Busy.", ""]
    assert [phrasing.dice for phrasing in agreement.phrasings] == [1.0, None, 0.5]


def test_a_request_that_is_abstained_from_stands_alone() -> None:
    abstention = Abstention("no-anatomy", "No structure is named.", "What should be outlined?")
    job = job_of(abstention)
    agreement = check_agreement(job, n=5)
    assert agreement.abstention is not None
    assert agreement.abstention.code == "no-anatomy"
    assert [phrasing.said for phrasing in agreement.phrasings] == ["No structure is named."]
    assert (agreement.mean, agreement.worst, agreement.std, agreement.map) == (None, None, None, None)
    assert job.reasoner.heard == [REQUEST]
    assert job.backbone.specs == []


def test_an_error_of_the_request_itself_is_raised() -> None:
    with pytest.raises(ReasonerError):
        check_agreement(job_of(ReasonerError("It broke.")), n=3)
    with pytest.raises(UnsupportedTarget):
        check_agreement(job_of("brain", "liver"), n=3)


def test_a_single_result_has_no_pairs() -> None:
    agreement = check_agreement(job_of("liver", ReasonerError("no")), n=2)
    assert (agreement.mean, agreement.worst, agreement.std) == (None, None, None)
    assert agreement.map is not None
    np.testing.assert_array_equal(agreement.map, rows("liver"))


def test_an_answer_of_the_user_is_left_aside() -> None:
    job = job_of("liver")
    assert check_agreement(replace(job, answer="pancreas"), n=1).phrasings[0].answer == "liver"


@pytest.mark.parametrize("wording", [1, 2, 3])
@pytest.mark.parametrize("stage", [Stage.REASON, Stage.GROUND])
def test_a_cancel_ends_the_check(wording: int, stage: Stage) -> None:
    token = CancelToken()
    job = job_of("liver", "spleen", "pancreas")

    def emit(progress: Progress) -> None:
        if progress.stage is stage and len(job.reasoner.heard) == wording:
            token.cancel()

    with pytest.raises(Cancelled):
        check_agreement(job, n=3, emit=emit, cancel=token)
    assert len(job.reasoner.heard) == wording
    assert len(job.backbone.specs) == wording - 1


def test_progress_is_the_share_of_wordings_and_never_goes_back() -> None:
    heard: list[Progress] = []
    check_agreement(job_of("liver", "spleen"), n=3, emit=heard.append)
    fractions = [progress.fraction for progress in heard]
    assert fractions == sorted(fractions)
    assert set(fractions) == {0.0, 0.25, 0.5, 0.75, 1.0}
    assert fractions.count(1.0) == 1
    assert heard[-1].fraction == 1.0
    assert all(progress.value is None for progress in heard)


def test_the_crop_of_the_job_holds_for_every_wording() -> None:
    class Whole(RowsBackbone):
        def segment(self, volume: Volume, spec: TargetSpec, emit: Emit, cancel: CancelToken) -> Sequence[Mask]:
            self.specs.append(spec)
            return [Mask(np.ones(volume.shape, bool), volume.affine, target) for target in spec.targets]

    job = replace(job_of("liver", "spleen"), backbone=Whole(), crop=((1, 3), (0, 2), (4, 7)))
    agreement = check_agreement(job, n=2)
    expected = np.zeros(SHAPE)
    expected[1:3, 0:2, 4:7] = 1
    assert agreement.map is not None
    np.testing.assert_array_equal(agreement.map, expected)


@given(answers=st.lists(st.sampled_from([*DRAWN, "liver and spleen"]), min_size=1, max_size=5), same=st.booleans())
def test_the_numbers_are_those_of_every_pair_of_masks(answers: list[str], same: bool) -> None:
    if same:
        answers = answers[:1] * len(answers)
    agreement = check_agreement(job_of(*answers), n=len(answers) - 1)
    masks = [np.any([rows(name) for name in answer.split(" and ")], axis=0) for answer in answers]
    _check_against(agreement, masks)
    if same:
        assert agreement.map is not None
        assert set(np.unique(agreement.map)) == {0.0, 1.0}
        if len(answers) > 1:
            assert (agreement.mean, agreement.worst, agreement.std) == (1.0, 1.0, 0.0)


def _check_against(agreement: Agreement, masks: list[NDArray[np.bool_]]) -> None:
    """The same numbers, the plain way."""
    assert agreement.map is not None
    np.testing.assert_allclose(agreement.map, np.mean(masks, axis=0), rtol=1e-6)
    assert [phrasing.dice for phrasing in agreement.phrasings] == [dice(mask, masks[0]) for mask in masks]
    pairs = [dice(one, other) for one, other in combinations(masks, 2)]
    if pairs:
        assert agreement.mean == pytest.approx(np.mean(pairs))
        assert agreement.worst == min(pairs)
        assert agreement.std == pytest.approx(np.std(pairs))


def test_of_each_result_only_bits_are_kept() -> None:
    """What is held when the ninth target is drawn, more than at the second, is the packed bits of seven results."""
    shape = (64, 128, 128)
    held: list[int] = []

    class Noise(RowsBackbone):
        def segment(self, volume: Volume, spec: TargetSpec, emit: Emit, cancel: CancelToken) -> Sequence[Mask]:
            held.append(tracemalloc.get_traced_memory()[0])
            voxels = volume.voxels % (len(held) + 2) == 0  # reaches into every corner: cropping saves nothing
            return [Mask(voxels, volume.affine, target) for target in spec.targets]

    volume = Volume(np.arange(np.prod(shape), dtype=np.int32).reshape(shape), np.eye(4))
    names = ["liver", "spleen", "pancreas", "heart", "aorta", "brain", "trachea", "stomach", "duodenum"]
    tracemalloc.start()
    try:
        check_agreement(Job(volume, Request(REQUEST), RiggedReasoner(names), Noise()), n=8)
    finally:
        tracemalloc.stop()
    assert len(held) == 9
    assert held[8] - held[1] < 7 * volume.voxels.size / 8 * 1.5


def test_the_example_of_the_document_runs(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (repository / "docs/rephrasing.md").read_text(encoding="utf-8")
    (example,) = (e for e in re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S) if "check_agreement" in e)
    exec(compile(example, "rephrasing.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert lines[0] == f"{AS_ASKED} | pls outline the rt lung | right lung | 1.0"


masks_3d = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).random((3, 4, 5)) < 0.15)


@given(first=masks_3d, second=masks_3d)
def test_cropped_masks_overlap_as_whole_ones_do(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> None:
    one, other = CroppedArray.of(first), CroppedArray.of(second)
    np.testing.assert_array_equal(one.whole(), first)
    assert one.voxels.size == 0 or all(one.voxels.any(axis=axis).any() for axis in range(3))
    assert cropped_overlap(one, other) == overlap(first, second)


def test_cropped_masks_of_different_grids_or_out_of_theirs_are_refused() -> None:
    box = np.ones((2, 2, 2), np.uint8)
    with pytest.raises(ValueError, match="one grid"):
        cropped_overlap(CroppedArray(box, (0, 0, 0), (4, 4, 4)), CroppedArray(box, (0, 0, 0), (4, 4, 5)))
    for origin in ((3, 0, 0), (0, -1, 0)):
        with pytest.raises(ValueError, match="reaches out"):
            CroppedArray(box, origin, (4, 4, 4))
    assert CroppedArray(box * 3, (0, 0, 0), (4, 4, 4)).voxels.dtype == np.bool_
