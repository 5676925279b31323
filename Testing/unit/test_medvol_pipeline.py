"""From a request to a mask along the line, on key slice and boxes: medvol, the answer, a crop, and propagation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from SEERSegmentLib.anatomy import render, resolve_answer
from SEERSegmentLib.backbones.propagation import PropagationBackbone
from SEERSegmentLib.errors import UnsupportedTarget, UsageError
from SEERSegmentLib.imaging import read_labelmap, read_volume, render_views, reorientation_to, to_lps
from SEERSegmentLib.imaging.crop import Crop
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.metrics import dice
from SEERSegmentLib.output.overlay import box_outlines
from SEERSegmentLib.output.report.page import render_report
from SEERSegmentLib.pipeline import Job, Observed, observe, run
from SEERSegmentLib.protocols import BackboneInfo, CancelToken, Emit, Readiness
from SEERSegmentLib.reasoning.lexical import LexicalReasoner
from SEERSegmentLib.reasoning.medvol import MedVolReasoner
from SEERSegmentLib.values import (
    Abstention,
    Anchor,
    Mask,
    Modality,
    Reasoning,
    Request,
    Segmentation,
    Stage,
    TargetSpec,
    Volume,
)
from Testing.medvol_parts import ScriptedModel, perfect_reply

Bool = NDArray[np.bool_]
Sample = Callable[..., Path]

ORIENTATIONS = ["".join(c) for p in permutations(("RL", "AP", "SI")) for c in product(*p)]


@dataclass
class SeeingBackbone:
    """Keeps the volumes and specs that it was shown, and draws the boxes themselves."""

    seen: list[tuple[Volume, TargetSpec]] = field(default_factory=list)
    info: BackboneInfo = field(
        default_factory=lambda: BackboneInfo("seeing", "1", "", frozenset({"box"}), frozenset(Modality))
    )

    def readiness(self) -> Readiness:
        return Readiness(True)

    def segment(self, volume: Volume, spec: TargetSpec, emit: Emit, cancel: CancelToken) -> Sequence[Mask]:
        self.seen.append((volume, spec))
        masks = []
        for number, target in enumerate(spec.targets):
            voxels = np.zeros(volume.shape, np.bool_)
            for anchor in spec.anchors:
                if anchor.target == number:
                    for i0, j0, i1, j1 in anchor.boxes:
                        i, j = np.arange(volume.shape[2]), np.arange(volume.shape[1])
                        voxels[anchor.index] |= ((j >= j0) & (j <= j1))[:, None] & ((i >= i0) & (i <= i1))[None, :]
            masks.append(Mask(voxels, volume.affine, target))
        return masks


def medvol(*replies: str) -> MedVolReasoner:
    return MedVolReasoner(vision_model=ScriptedModel(replies))


def segmented(job: Job) -> Segmentation:
    result = run(job)
    assert isinstance(result, Segmentation), result
    return result


@pytest.fixture(scope="module")
def chest() -> tuple[Volume, dict[str, Bool]]:
    return chest_phantom(4.0)


@pytest.fixture(scope="module")
def observed(chest: tuple[Volume, dict[str, Bool]]) -> Observed:
    return observe(chest[0], "medvol-r1")


@pytest.fixture(scope="module")
def reply(chest: tuple[Volume, dict[str, Bool]]) -> str:
    volume, truth = chest
    return perfect_reply(render_views(volume, "medvol-r1"), truth["lung_left"], volume.affine)


def test_a_request_is_segmented_from_the_models_boxes(chest: tuple[Volume, dict[str, Bool]], reply: str) -> None:
    volume, truth = chest
    result = segmented(Job(volume, Request("outline the left lung pls"), medvol(reply), PropagationBackbone()))
    assert {view.preset for view in result.views} == {"medvol-r1"}  # what the reasoner is best with
    (segment,) = result.segments
    assert segment.name == "left lung"
    assert dice(segment.mask.voxels, truth["lung_left"]) > 0.95
    assert result.spec.anchors
    assert resolve_answer(result.reasoning.answer) == result.spec  # only the answer was executed
    assert resolve_answer(render(result.spec)) == result.spec
    assert "drawn-by-propagation" in {finding.code for finding in result.findings}
    reason = result.provenance.record(Stage.REASON)
    assert reason is not None
    assert dict(reason.details)["answer"] == result.reasoning.answer
    assert len(dict(reason.details)["prompt sha256"]) == 64
    segment_record = result.provenance.record(Stage.SEGMENT)
    assert segment_record is not None
    assert dict(segment_record.details)["key slices"] == "1 of 1"


def test_the_report_shows_the_anchors_and_the_views(chest: tuple[Volume, dict[str, Bool]], reply: str) -> None:
    volume, _ = chest
    result = segmented(Job(volume, Request("left lung"), medvol(reply), PropagationBackbone()))
    page = render_report(result)
    assert result.reasoning.answer in page
    assert "classical region growing from a box, not by MedSAM2" in page
    assert page.count("<figure") == 3 + len(result.views)
    assert result.reasoning.evidence[0].source in page
    boxed = [view for view in result.views if box_outlines(result.spec.anchors, volume.affine, view)]
    assert [view.name for view in boxed] == [result.reasoning.evidence[0].source]
    assert page.count('class="outline box"') == page.count("the boxes that it was drawn from") == 1


def test_a_box_is_drawn_where_the_model_put_it(chest: tuple[Volume, dict[str, Bool]]) -> None:
    volume, _ = chest
    reply = '<think>x</think><answer>[{"slice": 9, "bbox_2d_list": [[100, 200, 300, 450]]}]</answer>'
    job = Job(volume, Request("left lung"), medvol(reply), SeeingBackbone(), run_anyway=True)
    result = segmented(job)
    (polygon,) = box_outlines(result.spec.anchors, volume.affine, result.views[8])
    expected = [edge * 0.256 - 0.5 for edge in (100, 200, 300, 450)]
    np.testing.assert_allclose([*polygon.min(axis=0), *polygon.max(axis=0)], expected, atol=1e-4)
    assert box_outlines(result.spec.anchors, volume.affine, result.views[7]) == []
    projection = render_views(volume)[-1]
    assert box_outlines(result.spec.anchors, volume.affine, projection) == []


def test_a_user_may_edit_the_boxes(chest: tuple[Volume, dict[str, Bool]], reply: str) -> None:
    volume, truth = chest
    first = segmented(Job(volume, Request("left lung"), medvol(reply), PropagationBackbone()))
    edited = first.reasoning.answer.replace("left lung", "right lung")
    i0, j0, i1, j1 = (first.spec.anchors[0].boxes)[0]
    mirrored = edited[: edited.index("[")] + f"[{volume.shape[2] - 1 - i1} {j0} {volume.shape[2] - 1 - i0} {j1}]"
    again = segmented(
        Job(volume, Request("left lung"), medvol(), PropagationBackbone(), answer=mirrored, run_anyway=True)
    )
    assert dice(again.segments[0].mask.voxels, truth["lung_right"]) > 0.9


@pytest.mark.parametrize("answer", ["left lung @k30[10 20 30]", "left lung @30[10 20 30 40]", "@k30[10 20 30 40]"])
def test_bad_notation_is_an_abstention_in_a_sentence(chest: tuple[Volume, dict[str, Bool]], answer: str) -> None:
    backbone = SeeingBackbone()
    result = run(Job(chest[0], Request("left lung"), medvol(), backbone, answer=answer))
    assert isinstance(result, Abstention)
    assert result.code == "anchor-malformed"
    assert "@k57[120 200 180 260]" in result.reason
    assert backbone.seen == []


def test_replies_that_can_t_be_read_never_reach_the_backbone(
    chest: tuple[Volume, dict[str, Bool]], reply: str, observed: Observed
) -> None:
    backbone = SeeingBackbone()
    for end in range(0, len(reply), 7):
        model = ScriptedModel([reply[:end], reply[: end + 1]])
        job = Job(chest[0], Request("left lung"), MedVolReasoner(vision_model=model), backbone, observed=observed)
        result = run(job)
        assert isinstance(result, Abstention)
        assert result.code.startswith("anchor-")
        assert result.raw == reply[: end + 1]
    assert backbone.seen == []


def test_an_answer_without_boxes_is_refused_by_a_backbone_that_needs_them(
    chest: tuple[Volume, dict[str, Bool]],
) -> None:
    with pytest.raises(UnsupportedTarget) as refused:
        run(Job(chest[0], Request("left lung"), LexicalReasoner(), PropagationBackbone()))
    assert refused.value.code == "anchor-needed"


def test_boxes_are_ignored_by_a_backbone_that_reads_labels(chest: tuple[Volume, dict[str, Bool]], reply: str) -> None:
    from SEERSegmentLib.backbones.classical import ClassicalBackbone

    volume, truth = chest
    result = segmented(Job(volume, Request("left lung"), medvol(reply), ClassicalBackbone()))
    assert dice(result.segments[0].mask.voxels, truth["lung_left"]) > 0.9


# --- a crop -----------------------------------------------------------------------------------------------------------


ANSWER = "left lung @k30[50 20 70 40], right lung @k31[10 20 30 40][12 60 30 70] @k2[10 20 30 40]"
CROP: Crop = ((20, 50), (15, 50), (8, 61))


def cropped(
    chest: tuple[Volume, dict[str, Bool]], answer: str, crop: Crop | None
) -> tuple[Segmentation, SeeingBackbone]:
    backbone = SeeingBackbone()
    job = Job(chest[0], Request("lungs"), medvol(), backbone, answer=answer, crop=crop, run_anyway=True)
    return segmented(job), backbone


def test_the_backbone_gets_boxes_in_the_voxels_that_it_sees(chest: tuple[Volume, dict[str, Bool]]) -> None:
    result, backbone = cropped(chest, ANSWER, CROP)
    ((seen, spec),) = backbone.seen
    assert seen.shape == (30, 35, 53)
    assert spec.anchors == (
        Anchor(0, 10, ((42.0, 5.0, 52.5, 25.0),)),  # cut at the crop's face: i 60.5 is 52.5 there
        Anchor(1, 11, ((2.0, 5.0, 22.0, 25.0),)),  # its second box and second key slice lie outside
    )
    assert (spec.prompt, spec.targets) == (result.spec.prompt, result.spec.targets)
    assert resolve_answer(ANSWER) == result.spec  # what is kept is in the volume's own voxels
    record = result.provenance.record(Stage.SEGMENT)
    assert record is not None
    assert dict(record.details)["key slices"] == "2 of 3"


def test_a_mask_drawn_from_a_box_lies_where_it_lies_without_the_crop(chest: tuple[Volume, dict[str, Bool]]) -> None:
    inside, _ = cropped(chest, ANSWER, CROP)
    whole, _ = cropped(chest, ANSWER, None)
    k, j, i = (slice(*part) for part in CROP)
    for one, other in zip(inside.segments, whole.segments, strict=True):
        expected = np.zeros_like(other.mask.voxels)
        expected[k, j, i] = other.mask.voxels[k, j, i]
        np.testing.assert_array_equal(one.mask.voxels, expected)
        assert expected.any()


@pytest.mark.parametrize("crop", [((32, 50), (15, 50), (8, 61)), ((20, 50), (15, 50), (8, 40)), None])
def test_a_target_whose_boxes_lie_outside_is_refused(chest: tuple[Volume, dict[str, Bool]], crop: Crop | None) -> None:
    answer = ANSWER if crop else ANSWER.replace("@k30", "@k75")  # of 75 slices
    with pytest.raises(UsageError) as refused:
        cropped(chest, answer, crop)
    assert refused.value.code == "anchor-outside"
    assert "left lung" in refused.value.user_message


def test_propagation_within_a_crop_stays_in_it_and_is_right_there(
    chest: tuple[Volume, dict[str, Bool]], reply: str
) -> None:
    volume, truth = chest
    k, j, i = volume.shape
    crop: Crop = ((10, k - 10), (0, j), (i // 2, i))
    result = segmented(Job(volume, Request("left lung"), medvol(reply), PropagationBackbone(), crop=crop))
    mask = result.segments[0].mask.voxels
    expected = truth["lung_left"].copy()
    expected[:10] = expected[k - 10 :] = False
    expected[:, :, : i // 2] = False
    assert not mask[:10].any()
    assert not mask[:, :, : i // 2].any()
    assert dice(mask, expected) > 0.95


# --- a real image, in any storage order -------------------------------------------------------------------------------


def test_a_real_ct_gives_the_same_mask_in_the_patient_in_every_storage_order(sample: Sample) -> None:
    plain = to_lps(read_volume(sample("example-ct-sm")))
    truth = to_lps(read_labelmap(sample("example-ct-sm", "labels"))).voxels == 3
    views = render_views(plain, "medvol-r1")
    reply = perfect_reply(views, truth, plain.affine)  # the views are the same in all of them
    expected: Bool | None = None
    for codes in ORIENTATIONS[::5]:
        turn = reorientation_to(plain, codes)
        stored = Volume(
            np.ascontiguousarray(turn.apply(plain.voxels)), plain.affine @ turn.index_affine(), plain.modality, "user"
        )
        job = Job(stored, Request("lt kidney"), medvol(reply), PropagationBackbone())
        result = segmented(job)
        mask = turn.invert(result.segments[0].mask.voxels)
        if expected is None:
            expected = mask
            assert dice(mask, truth) > 0.8
        np.testing.assert_array_equal(mask, expected, err_msg=codes)
        assert isinstance(result.reasoning, Reasoning)
        assert resolve_answer(result.reasoning.answer) == result.spec


def test_a_user_s_key_slice_needs_no_model_and_no_views(sample: Sample) -> None:
    """With an answer written by hand, propagation is a box tool of its own."""
    volume = read_volume(sample("example-ct-sm"))
    truth = read_labelmap(sample("example-ct-sm", "labels")).voxels == 3
    from SEERSegmentLib.reasoning.medvol.rewards import truth_boxes

    key = int(truth.sum(axis=(1, 2)).argmax())
    spec = resolve_answer("left kidney")
    assert isinstance(spec, TargetSpec)
    answer = render(replace(spec, anchors=(Anchor(0, key, truth_boxes(truth[key], least=9)),)))
    job = Job(volume, Request("left kidney"), LexicalReasoner(), PropagationBackbone(), answer=answer)
    assert dice(segmented(job).segments[0].mask.voxels, truth) > 0.8
