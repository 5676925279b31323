"""A crop of what the backbone sees, facts and views that are taken over, and the two halves of a run.

A little long: the crop, what is taken over and the halves of a run are seen through the same recording parts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from SEERSegmentLib import pipeline
from SEERSegmentLib.backbones.classical import ClassicalBackbone
from SEERSegmentLib.cli import main
from SEERSegmentLib.errors import BackboneError, Cancelled, UsageError
from SEERSegmentLib.imaging.crop import Crop, crop_words, cropped_volume, on_whole_grid
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.pipeline import Job, Observed, Plan, execute, observe, plan, run
from SEERSegmentLib.protocols import BackboneInfo, CancelToken, Emit, Readiness, ReasonerInfo, ReasoningCase
from SEERSegmentLib.reasoning.lexical import LexicalReasoner
from SEERSegmentLib.values import (
    Finding,
    Mask,
    Modality,
    Progress,
    Reasoning,
    Request,
    Segmentation,
    Severity,
    Stage,
    TargetSpec,
    Volume,
)

Draw = Callable[[Volume], NDArray[np.bool_]]


def brightest(volume: Volume) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = volume.voxels > 300
    return mask


@dataclass
class SeeingBackbone:
    """Keeps the volumes that it was shown."""

    draw: Draw = brightest
    seen: list[Volume] = field(default_factory=list)
    info: BackboneInfo = field(
        default_factory=lambda: BackboneInfo("seeing", "1", "", frozenset({"label"}), frozenset(Modality))
    )

    def readiness(self) -> Readiness:
        return Readiness(True)

    def segment(self, volume: Volume, spec: TargetSpec, emit: Emit, cancel: CancelToken) -> Sequence[Mask]:
        self.seen.append(volume)
        return [Mask(self.draw(volume), volume.affine, target) for target in spec.targets]


@dataclass
class Answering:
    answer: str
    cases: list[ReasoningCase] = field(default_factory=list)
    info: ReasonerInfo = field(default_factory=lambda: ReasonerInfo("answering", "1", ""))

    def readiness(self) -> Readiness:
        return Readiness(True)

    def reason(self, case: ReasoningCase, emit: Emit, cancel: CancelToken) -> Reasoning:
        self.cases.append(case)
        return Reasoning((), (), self.answer, "answering")


CROP: Crop = ((10, 40), (5, 50), (20, 61))


@pytest.fixture(scope="module")
def chest() -> Volume:
    volume, _ = chest_phantom(5.0)
    # An oblique affine, left-handed: nothing may depend on the axes.
    turn = np.eye(4)
    angle = 0.3
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return replace(volume, affine=turn @ volume.affine, name="chest", metadata={"BodyPartExamined": "CHEST"})


@pytest.fixture
def job(chest: Volume) -> Job:
    return Job(chest, Request("outline the skeleton"), Answering("skeleton"), SeeingBackbone(), crop=CROP)


def segmented(job: Job) -> Segmentation:
    result = run(job)
    assert isinstance(result, Segmentation)
    return result


def findings_of(result: Segmentation, code: str) -> list[Finding]:
    return [finding for finding in result.findings if finding.code == code]


def test_the_backbone_sees_the_crop_in_its_place_and_the_mask_comes_back_on_the_whole_grid(job: Job) -> None:
    result = segmented(job)
    (seen,) = job.backbone.seen
    volume = job.volume
    assert seen.shape == (30, 45, 41)
    np.testing.assert_array_equal(seen.voxels, volume.voxels[10:40, 5:50, 20:61])
    for index in ((0, 0, 0), (40, 44, 29)):  # a voxel of the crop lies where it lies in the volume, in RAS
        in_volume = np.array(index) + np.array((20, 5, 10))
        np.testing.assert_allclose(seen.affine @ [*index, 1], volume.affine @ [*in_volume, 1], atol=1e-9)
    assert (seen.modality, seen.modality_source, seen.name) == (volume.modality, volume.modality_source, volume.name)
    assert seen.metadata == volume.metadata
    assert seen.transforms == (*volume.transforms, "cropped to voxels i 20 to 60, j 5 to 49, k 10 to 39")
    mask = result.segments[0].mask
    expected = np.zeros(volume.shape, bool)
    expected[10:40, 5:50, 20:61] = brightest(volume)[10:40, 5:50, 20:61]
    np.testing.assert_array_equal(mask.voxels, expected)
    np.testing.assert_array_equal(mask.affine, volume.affine)
    assert result.volume is volume
    assert result.segments[0].volume_ml == pytest.approx(expected.sum() * volume.voxel_ml)


def test_facts_and_views_are_of_the_whole_volume(job: Job) -> None:
    whole = replace(job, crop=None, reasoner=Answering("skeleton"))
    cropped, plain = segmented(job), segmented(whole)
    assert job.reasoner.cases[0].facts == whole.reasoner.cases[0].facts
    assert [view.sha256 for view in cropped.views] == [view.sha256 for view in plain.views]
    assert cropped.provenance.record(Stage.READ).sha256 == job.volume.sha256


def test_the_crop_is_recorded(job: Job) -> None:
    result = segmented(job)
    (said,) = findings_of(result, "region-of-interest")
    assert "voxels i 20 to 60, j 5 to 49, k 10 to 39" in said.message
    assert "19% of the image" in said.message  # 30 × 45 × 41 of 60 × 60 × 80
    assert said.severity is Severity.INFO
    record = result.provenance.record(Stage.SEGMENT)
    assert dict(record.details)["the backbone saw"] == "voxels i 20 to 60, j 5 to 49, k 10 to 39"
    plain = segmented(replace(job, crop=None))
    assert findings_of(plain, "region-of-interest") == []
    assert "the backbone saw" not in dict(plain.provenance.record(Stage.SEGMENT).details)


def test_a_crop_of_everything_leaves_nothing_out_and_is_none(job: Job) -> None:
    k, j, i = job.volume.shape
    result = segmented(replace(job, crop=((0, k), (0, j), (0, i))))
    assert job.backbone.seen[-1] is job.volume
    assert findings_of(result, "region-of-interest") == []


@pytest.mark.parametrize(
    "crop",
    [
        ((0, 61), (0, 60), (0, 80)),
        ((-1, 10), (0, 60), (0, 80)),
        ((0, 10), (5, 5), (0, 80)),
        ((0, 10), (9, 5), (0, 80)),
        ((0, 10), (0, 60)),
        ((0, 10), (0, 60), (0, 7.5)),
        ((0, 10), (0, 60), (0, 80), (0, 1)),
    ],
)
def test_a_crop_that_is_empty_or_reaches_out_is_refused_before_any_work(job: Job, crop: Crop) -> None:
    heard: list[Progress] = []
    with pytest.raises(UsageError) as refused:
        run(replace(job, crop=crop), heard.append)
    assert refused.value.code == "crop-outside"
    assert heard == []


def test_a_mask_off_the_crops_grid_is_refused(job: Job) -> None:
    def too_large(volume: Volume) -> NDArray[np.bool_]:
        return np.ones(job.volume.shape, bool)

    with pytest.raises(BackboneError) as refused:
        run(replace(job, backbone=SeeingBackbone(too_large)))
    assert refused.value.code == "grid-mismatch"


def _drawn_at(*places: tuple[slice, slice, slice]) -> Draw:
    def draw(volume: Volume) -> NDArray[np.bool_]:
        mask = np.zeros(volume.shape, bool)
        for place in places:
            mask[place] = True
        return mask

    return draw


@pytest.mark.parametrize(
    ("crop", "place", "words"),
    [
        # The volume's axes: i to the left, j to the back, k to the head, turned by 17° about the head-foot axis.
        (((10, 40), (5, 50), (20, 61)), np.s_[0:3, 10:20, 10:20], "bottom border of"),
        (((10, 40), (5, 50), (20, 61)), np.s_[27:30, 10:20, 10:20], "top border of"),
        (((10, 40), (5, 50), (20, 61)), np.s_[5:9, 0:9, 35:41], "front and left borders of"),
        (((10, 40), (5, 50), (20, 61)), np.s_[5:9, 40:45, 0:3], "back and right borders of"),
        (((10, 40), (5, 50), (20, 61)), np.s_[5:9, 9:12, 9:12], ""),
        # Faces that are the image's own are told of as before, and not twice.
        (((0, 40), (5, 50), (20, 61)), np.s_[0:3, 9:12, 9:12], ""),
        (((10, 60), (5, 50), (20, 61)), np.s_[47:50, 9:12, 9:12], ""),
    ],
)
def test_a_mask_that_reaches_the_crops_border_may_continue_beyond(
    job: Job, crop: Crop, place: tuple[slice, slice, slice], words: str
) -> None:
    liver = replace(job, request=Request("liver"), reasoner=Answering("liver"), crop=crop)
    result = segmented(replace(liver, backbone=SeeingBackbone(_drawn_at(place))))
    found = findings_of(result, "mask-touches-roi")
    if not words:
        assert found == []
        touches_image = crop[0][0] == 0 or crop[0][1] == job.volume.shape[0]
        assert bool(findings_of(result, "mask-touches-border")) == touches_image
        return
    (finding,) = found
    assert words in finding.message
    assert "region of interest" in finding.message
    assert finding.severity is Severity.WARNING  # an organ's measure is lost
    assert not finding.blocking
    assert findings_of(result, "mask-touches-border") == []
    assert findings_of(result, "volume-implausible") == []  # too small is what a cut makes it


def test_a_bone_that_is_cut_is_only_noted_and_an_empty_mask_names_the_region(job: Job) -> None:
    (finding,) = findings_of(segmented(job), "mask-touches-roi")
    assert finding.severity is Severity.INFO
    empty = segmented(replace(job, backbone=SeeingBackbone(_drawn_at())))
    assert "outside of the region of interest" in findings_of(empty, "mask-empty")[0].advice


def test_a_crop_of_one_slice_runs_and_says_that_both_its_faces_cut(job: Job) -> None:
    flat: Crop = ((20, 21), CROP[1], CROP[2])
    result = segmented(replace(job, crop=flat, backbone=SeeingBackbone(_drawn_at(np.s_[:, 9:12, 9:12]))))
    (finding,) = findings_of(result, "mask-touches-roi")
    assert "top and bottom borders" in finding.message


def test_the_embedded_parts_take_a_crop() -> None:
    volume, truth = chest_phantom(4.0)
    k, j, i = volume.shape
    # i runs to the left, so its first half holds the patient's right.
    crop: Crop = ((0, k), (0, j), (0, i // 2))
    result = segmented(Job(volume, Request("the bones"), LexicalReasoner(), ClassicalBackbone(), crop=crop))
    mask = result.segments[0].mask.voxels
    assert mask.shape == volume.shape
    assert not mask[:, :, i // 2 :].any()
    inside = truth["skeleton"][:, :, : i // 2]
    assert (mask[:, :, : i // 2] & inside).sum() / inside.sum() > 0.8


shapes = st.tuples(*[st.integers(1, 6)] * 3)


@given(data=st.data(), shape=shapes)
def test_what_is_cut_out_is_put_back_where_it_was(data: st.DataObject, shape: tuple[int, int, int]) -> None:
    ranges = []
    for length in shape:
        start = data.draw(st.integers(0, length - 1))
        ranges.append((start, data.draw(st.integers(start + 1, length))))
    crop: Crop = (ranges[0], ranges[1], ranges[2])
    codes = data.draw(st.permutations(range(3)))
    flips = data.draw(st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3))
    affine = np.eye(4)
    affine[:3, :3] = (np.diag(flips) * (0.7, 1.3, 2.1))[list(codes)]
    affine[:3, 3] = (11.0, -7.0, 3.0)
    volume = Volume(np.arange(1, np.prod(shape) + 1, dtype=np.int32).reshape(shape), affine)
    cut = cropped_volume(volume, crop)
    back = on_whole_grid(cut.voxels, crop, shape)
    inside = np.zeros(shape, bool)
    inside[tuple(slice(*part) for part in crop)] = True
    np.testing.assert_array_equal(back, np.where(inside, volume.voxels, 0))
    assert np.shares_memory(cut.voxels, volume.voxels)
    # The world position of the crop's corners, by the definition of an affine.
    first = np.array([part[0] for part in crop[::-1]])
    np.testing.assert_allclose(cut.affine[:3, 3], affine[:3, :3] @ first + affine[:3, 3], atol=1e-9)
    np.testing.assert_array_equal(cut.affine[:3, :3], affine[:3, :3])


def test_ranges_are_told_by_their_first_and_last_voxel() -> None:
    assert crop_words(((3, 4), (0, 512), (10, 90))) == "i 10 to 89, j 0 to 511, k 3 to 3"


# --- facts and views that are taken over ------------------------------------------------------------------------------


def test_what_was_observed_is_not_measured_again_and_gives_the_same_run(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = segmented(job)
    observed = observe(job.volume)
    monkeypatch.setattr("SEERSegmentLib.pipeline.observing.measure", None)  # a call would fail
    monkeypatch.setattr("SEERSegmentLib.pipeline.observing.render_views", None)
    heard: list[Progress] = []
    second = run(replace(job, observed=observed), heard.append)
    assert isinstance(second, Segmentation)
    assert second.views == observed.views
    assert [r.sha256 for r in second.provenance.records] == [r.sha256 for r in first.provenance.records]
    for stage in (Stage.MEASURE, Stage.VIEWS):
        assert dict(second.provenance.record(stage).details)["reused"].startswith("measured before")
        assert "reused" not in dict(first.provenance.record(stage).details)
    values = {progress.stage: progress.value for progress in heard if progress.value is not None}
    assert values[Stage.MEASURE] is observed.facts  # a panel is shown them all the same
    assert values[Stage.VIEWS] is observed.views


def test_observing_is_the_first_part_of_a_run(job: Job) -> None:
    heard: list[Progress] = []
    observed = observe(job.volume, "seer-v1", as_stored=True, emit=heard.append)
    assert [p.stage for p in heard if p.fraction == 0.0] == [Stage.READ, Stage.MEASURE, Stage.VIEWS]
    assert (observed.preset, observed.as_stored, observed.volume_sha256) == ("seer-v1", True, job.volume.sha256)
    result = segmented(replace(job, preset="seer-v1", as_stored=True))
    assert [view.sha256 for view in observed.views] == [view.sha256 for view in result.views]
    assert observed.facts == job.reasoner.cases[0].facts


def test_observing_can_be_cancelled_and_refuses_what_means_nothing(job: Job) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        observe(job.volume, cancel=token)
    with pytest.raises(UsageError) as refused:
        observe(job.volume, "kaleidoscope")
    assert refused.value.code == "preset-unknown"


def test_what_was_observed_of_something_else_is_refused(job: Job) -> None:
    observed = observe(job.volume)
    touched = np.array(job.volume.voxels)
    touched[0, 0, 0] += 1
    shifted = np.array(job.volume.affine)
    shifted[0, 3] += 1
    others = [
        replace(job, volume=replace(job.volume, voxels=touched)),
        replace(job, volume=replace(job.volume, affine=shifted)),
        replace(job, volume=replace(job.volume, modality=Modality.MR)),  # the hash is of voxels and place alone
        replace(job, preset="seer-v1"),
        replace(job, preset="seer-v1", as_stored=True),
    ]
    for other in others:
        with pytest.raises(UsageError) as refused:
            run(replace(other, observed=observed))
        assert refused.value.code == "observed-mismatch"
    assert job.backbone.seen == []


def test_a_run_is_a_plan_and_its_execution(job: Job) -> None:
    planned = plan(job)
    assert isinstance(planned, Plan)
    assert job.backbone.seen == []
    assert planned.spec.prompt == "skeleton"
    assert planned.crop == CROP
    assert isinstance(planned.observed, Observed)
    result, whole = execute(planned), segmented(job)
    assert execute(planned).provenance.records[-1].stage is Stage.CHECK  # a plan may be executed again
    np.testing.assert_array_equal(result.segments[0].mask.voxels, whole.segments[0].mask.voxels)
    assert [record.stage for record in result.provenance.records] == [r.stage for r in whole.provenance.records]
    assert len(result.provenance.records) == len(set(Stage)) - 1  # all but skills, each once
    assert set(pipeline.__all__) >= {"Job", "run", "plan", "execute", "observe"}


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_takes_a_crop_in_the_order_i_j_k(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    volume, _ = chest_phantom(5.0)
    image = sitk.GetImageFromArray(volume.voxels)
    image.SetSpacing(volume.spacing)
    path, out = tmp_path / "chest.nii.gz", tmp_path / "bones.nii.gz"
    sitk.WriteImage(image, str(path))
    shown = ["segment", str(path), "the bones", "-o", str(out), "--modality", "CT", "--quiet", "--json"]
    assert main([*shown, "--crop", "0:40,10:60,5:30"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert any("voxels i 0 to 39, j 10 to 59, k 5 to 29" in finding["message"] for finding in told["findings"])
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(out)))
    assert mask.shape == volume.shape
    assert mask.any()
    mask[5:30, 10:60, 0:40] = 0
    assert not mask.any()


@pytest.mark.parametrize(
    ("crop", "code"),
    [
        ("0:40,10:60", "usage-arguments"),
        ("a:b,0:1,0:1", "usage-arguments"),
        ("0:400,0:60,0:60", "crop-outside"),
        ("0:0,0:60,0:60", "crop-outside"),
    ],
)
def test_the_command_refuses_a_crop_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], crop: str, code: str
) -> None:
    volume, _ = chest_phantom(5.0)
    sitk.WriteImage(sitk.GetImageFromArray(volume.voxels), str(tmp_path / "chest.nii.gz"))
    out = tmp_path / "o.seg.nrrd"
    shown = ["segment", str(tmp_path / "chest.nii.gz"), "bones", "-o", str(out), "--modality", "CT", "--json"]
    assert main([*shown, "--crop", crop]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == code
    assert not out.exists()
