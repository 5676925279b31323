"""The backbone propagation: what it draws from a key slice and boxes, where, and what it says of it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from SEERSegmentLib.backbones.propagation import PropagationBackbone
from SEERSegmentLib.backbones.propagation.walker import Walker
from SEERSegmentLib.errors import Cancelled, UnsupportedTarget, UsageError
from SEERSegmentLib.imaging import read_labelmap, read_volume, reorientation_to, to_lps
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.metrics import dice
from SEERSegmentLib.protocols import Backbone, CancelToken, ignore_progress
from SEERSegmentLib.reasoning.medvol.rewards import truth_boxes
from SEERSegmentLib.values import Anchor, Finding, Mask, Modality, Progress, Severity, Target, TargetSpec, Volume

Bool = NDArray[np.bool_]
Sample = Callable[..., Path]

ORIENTATIONS = ["".join(c) for p in permutations(("RL", "AP", "SI")) for c in product(*p)]
SPHERE = TargetSpec("sphere", (Target("sphere"),))


def with_anchors(*anchors: Anchor) -> TargetSpec:
    return TargetSpec(SPHERE.prompt, SPHERE.targets, anchors)


def masks_of(volume: Volume, spec: TargetSpec) -> list[Mask]:
    masks = list(PropagationBackbone().segment(volume, spec, ignore_progress, CancelToken()))
    for mask, target in zip(masks, spec.targets, strict=True):
        assert mask.target == target
        assert mask.voxels.shape == volume.shape
        assert mask.voxels.dtype == np.bool_
        np.testing.assert_array_equal(mask.affine, volume.affine)
    return masks


def mask_of(volume: Volume, *anchors: Anchor) -> Mask:
    (mask,) = masks_of(volume, with_anchors(*anchors))
    return mask


def codes(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.code for finding in findings}


def best_anchor(truth: Bool, axis: int = 2, target: int = 0) -> Anchor:
    """The key slice with the largest area, and the boxes of its pieces."""
    planes = np.moveaxis(truth, 2 - axis, 0)
    key = int(planes.sum(axis=(1, 2)).argmax())
    return Anchor(target, key, truth_boxes(planes[key], least=4), axis)


def ball(
    spacing: tuple[float, float, float] = (2.0, 2.0, 2.0),
    radius: float = 20.0,
    inside: float = 60.0,
    outside: float = -60.0,
    noise: float = 15.0,
    modality: Modality = Modality.CT,
) -> tuple[Volume, Bool]:
    """A ball of ``radius`` mm in the middle of 90 mm of something else; spacing (i, j, k)."""
    counts = [round(90 / s) for s in spacing]
    k, j, i = np.ogrid[: counts[2], : counts[1], : counts[0]]
    distance = sum(((index - (n - 1) / 2) * s) ** 2 for index, n, s in zip((i, j, k), counts, spacing, strict=True))
    truth = np.broadcast_to(distance <= radius**2, (counts[2], counts[1], counts[0])).copy()
    values = np.where(truth, inside, outside) + np.random.default_rng(0).normal(0, noise, truth.shape)
    affine = np.diag([-spacing[0], -spacing[1], spacing[2], 1.0])
    return Volume(values.astype(np.float32), affine, modality), truth


# --- what it draws ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spacing",
    [(2.0, 2.0, 2.0), (0.7, 0.7, 5.0), (0.9, 1.8, 2.0), (1.5, 1.5, 0.8), (3.0, 3.0, 10.0)],
    ids=lambda s: "x".join(map(str, s)),
)
def test_a_ball_is_drawn_from_one_box_on_any_spacing(spacing: tuple[float, float, float]) -> None:
    volume, truth = ball(spacing)
    mask = mask_of(volume, best_anchor(truth))
    assert dice(mask.voxels, truth) > 0.92
    assert codes(mask.findings) == {"drawn-by-propagation"}


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_key_slice_may_be_cut_across_any_axis(axis: int) -> None:
    volume, truth = ball()
    assert dice(mask_of(volume, best_anchor(truth, axis)).voxels, truth) > 0.94


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e4], ids=["0-1000", "0-1", "0-10M"])
def test_mr_of_any_scale_is_drawn_alike(scale: float) -> None:
    volume, truth = ball(inside=700, outside=300, noise=40, modality=Modality.MR)
    other = Volume(volume.voxels * np.float32(scale), volume.affine, Modality.MR)
    mask = mask_of(other, best_anchor(truth))
    assert dice(mask.voxels, truth) > 0.94
    assert dice(mask.voxels, mask_of(volume, best_anchor(truth)).voxels) > 0.99


def test_dark_on_bright_is_drawn_as_bright_on_dark() -> None:
    volume, truth = ball(inside=-60, outside=60)
    assert dice(mask_of(volume, best_anchor(truth)).voxels, truth) > 0.94


def test_on_the_key_slice_nothing_is_drawn_outside_of_the_boxes() -> None:
    volume, truth = ball()
    (box,) = best_anchor(truth).boxes
    half = (box[0], box[1], (box[0] + box[2]) / 2, box[3])
    mask = mask_of(volume, Anchor(0, 22, (half,))).voxels[22]
    assert mask.any()
    columns = np.flatnonzero(mask.any(axis=0))
    assert half[0] <= columns.min()
    assert columns.max() <= half[2]


def test_boxes_and_key_slices_of_a_target_are_drawn_together_and_targets_apart() -> None:
    one, truth = ball(radius=12)
    both = np.concatenate([truth, truth], axis=2)
    volume = Volume(np.concatenate([one.voxels, one.voxels], axis=2), one.affine, Modality.CT)
    boxes = best_anchor(both).boxes
    assert len(boxes) == 2
    together = mask_of(volume, Anchor(0, 22, boxes)).voxels
    assert dice(together, both) > 0.9
    slices = mask_of(volume, Anchor(0, 22, boxes[:1]), Anchor(0, 21, boxes[1:])).voxels
    assert dice(slices, both) > 0.9
    targets = (Target("first"), Target("second"))
    spec = TargetSpec("first, second", targets, (Anchor(1, 22, boxes[:1]), Anchor(0, 22, boxes[1:])))
    first, second = masks_of(volume, spec)
    assert not (first.voxels & second.voxels).any()
    np.testing.assert_array_equal(first.voxels | second.voxels, together)


def test_the_lungs_of_the_phantom_are_drawn_from_two_boxes() -> None:
    volume, truth = chest_phantom(4.0)
    lungs = truth["lung_left"] | truth["lung_right"]
    assert dice(mask_of(volume, best_anchor(lungs)).voxels, lungs) > 0.95


@pytest.mark.parametrize(
    ("name", "label", "least"),
    [
        ("example-dicom", 1, 0.9),  # spleen, 0.98 mm in the plane
        ("example-dicom", 5, 0.85),  # liver
        ("example-mr-sm", 2, 0.85),  # right kidney on MR
        ("example-ct", 3, 0.8),  # left kidney, 3 mm
        ("ct-chest", 5, 0.95),  # a lung, 10 mm slices
    ],
)
def test_organs_of_real_images_are_drawn_from_perfect_boxes(
    sample: Sample, name: str, label: int, least: float
) -> None:
    """docs/medvol.md has more of them, with those where it fails."""
    volume = to_lps(read_volume(sample(name)))
    truth = to_lps(read_labelmap(sample(name, "labels"))).voxels == label
    assert dice(mask_of(volume, best_anchor(truth)).voxels, truth) > least


# --- the same in the patient, whatever the storage order --------------------------------------------------------------


def test_every_storage_order_gives_the_same_mask_in_the_patient(sample: Sample) -> None:
    plain = to_lps(read_volume(sample("example-ct-sm")))
    truth = to_lps(read_labelmap(sample("example-ct-sm", "labels"))).voxels == 2
    anchor = best_anchor(truth)
    expected = mask_of(plain, anchor).voxels
    assert expected.any()
    for codes_ in ORIENTATIONS:
        turn = reorientation_to(plain, codes_)
        stored = Volume(
            np.ascontiguousarray(turn.apply(plain.voxels)), plain.affine @ turn.index_affine(), plain.modality
        )
        mask = mask_of(stored, _turned(anchor, turn.index_affine())).voxels
        np.testing.assert_array_equal(turn.invert(mask), expected, err_msg=codes_)


def _turned(anchor: Anchor, from_turned: NDArray[np.float64]) -> Anchor:
    """An anchor on k of the LPS grid in the indices of a turned one."""
    to_turned = np.linalg.inv(from_turned)
    axis = int(np.abs(to_turned[:3, 2]).argmax())
    others = [other for other in range(3) if other != axis]
    boxes = []
    for i0, j0, i1, j1 in anchor.boxes:
        ends = np.sort((to_turned @ np.array([[i0, i1], [j0, j1], [anchor.index] * 2, [1, 1]]))[:3], axis=1)
        boxes.append((*(float(ends[o, 0]) for o in others), *(float(ends[o, 1]) for o in others)))
    index = round(float((to_turned @ [0, 0, anchor.index, 1])[axis]))
    return Anchor(anchor.target, index, tuple(boxes), axis)  # type: ignore[arg-type]


def test_the_volume_is_never_written_to() -> None:
    volume, truth = ball()
    before = volume.voxels.copy()
    volume.voxels.setflags(write=False)
    mask_of(volume, best_anchor(truth))
    np.testing.assert_array_equal(volume.voxels, before)


# --- where it ends ----------------------------------------------------------------------------------------------------


def rod(length: int) -> tuple[Volume, Anchor]:
    """A rod along k from end to end, 16 mm thick, in slices of 2 mm; the key slice in its middle."""
    j, i = np.ogrid[:30, :30]
    inside = (i - 14.5) ** 2 + (j - 14.5) ** 2 <= 16
    values = np.where(inside, 60.0, -60.0) + np.random.default_rng(0).normal(0, 10, (length, 30, 30))
    volume = Volume(values.astype(np.float32), np.diag([-2.0, -2, 2, 1]), Modality.CT)
    return volume, Anchor(0, length // 2, truth_boxes(inside))


def test_it_goes_on_to_the_image_s_border_and_no_farther_than_its_reach() -> None:
    short = mask_of(*rod(60))
    assert short.voxels.any(axis=(1, 2)).all()
    assert codes(short.findings) == {"drawn-by-propagation"}
    long = mask_of(*rod(260))
    drawn = np.flatnonzero(long.voxels.any(axis=(1, 2)))
    assert (drawn.min(), drawn.max()) == (30, 230)  # 200 mm either way
    said = [finding for finding in long.findings if finding.code == "propagation-reach"]
    assert [finding.severity for finding in said] == [Severity.WARNING] * 2
    assert "Towards the feet" in said[0].message
    assert "Towards the head" in said[1].message


def test_it_stops_where_it_would_run_into_the_surroundings_and_says_so() -> None:
    volume, anchor = rod(60)
    values = volume.voxels.copy()
    values[45:] = 60.0 + np.random.default_rng(1).normal(
        0, 10, values[45:].shape
    )  # from here on all looks like the rod
    mask = mask_of(Volume(values.astype(np.float32), volume.affine, Modality.CT), anchor)
    drawn = np.flatnonzero(mask.voxels.any(axis=(1, 2)))
    assert drawn.min() == 0
    assert 43 <= drawn.max() <= 46
    (said,) = [finding for finding in mask.findings if finding.code == "propagation-ran-out"]
    assert said.severity is Severity.WARNING
    assert "Towards the head" in said.message


def test_it_ends_where_the_target_ends() -> None:
    volume, anchor = rod(60)
    values = volume.voxels.copy()
    values[40:] = -60.0 + np.random.default_rng(1).normal(0, 10, values[40:].shape)
    mask = mask_of(Volume(values.astype(np.float32), volume.affine, Modality.CT), anchor)
    assert np.flatnonzero(mask.voxels.any(axis=(1, 2))).max() in (39, 40)
    assert codes(mask.findings) == {"drawn-by-propagation"}


@pytest.mark.parametrize("value", [0.0, -3000.0, 1e6])
def test_an_even_image_gives_an_empty_mask_and_a_warning(value: float) -> None:
    volume = Volume(np.full((20, 30, 30), value, np.float32), np.diag([-1.0, -1, 1, 1]), Modality.CT)
    mask = mask_of(volume, Anchor(0, 10, ((5.0, 5.0, 15.0, 15.0),)))
    assert not mask.voxels.any()
    assert codes(mask.findings) == {"drawn-by-propagation", "propagation-nothing"}


@pytest.mark.parametrize(
    "box",
    [
        (10.2, 10.2, 10.3, 10.3),  # between voxel centres
        (-0.5, -0.5, 44.5, 44.5),  # all of the slice
        (-0.5, -0.5, 0.5, 44.5),  # one column at the border
        (-7.0, -7.0, 30.0, 30.0),  # reaching out
        (20.0, 20.0, 20.9, 44.0),
    ],
)
def test_boxes_of_any_size_come_to_an_end(box: tuple[float, float, float, float]) -> None:
    volume, _ = ball()
    mask_of(volume, Anchor(0, 22, (box,)))


@pytest.mark.parametrize("shape", [(1, 30, 30), (2, 1, 30), (30, 30, 1), (1, 1, 1)])
def test_images_of_one_slice_row_or_column_are_no_trouble(shape: tuple[int, int, int]) -> None:
    values = np.random.default_rng(0).normal(0, 50, shape).astype(np.float32)
    mask_of(Volume(values, np.diag([-1.0, -1, 1, 1]), Modality.CT), Anchor(0, 0, ((-0.5, -0.5, 8.0, 8.0),)))


# --- what it says, and what it refuses --------------------------------------------------------------------------------


def test_it_is_named_as_what_it_is_and_so_is_every_mask() -> None:
    backbone = PropagationBackbone()
    assert isinstance(backbone, Backbone)
    assert backbone.readiness().ready
    assert backbone.info.accepts == {"box"}
    assert "stands in for MedSAM2" in backbone.info.summary
    volume, truth = ball()
    (said,) = mask_of(volume, best_anchor(truth)).findings
    assert "classical region growing from a box, not by MedSAM2" in said.message
    assert said.target == "sphere"


def test_targets_without_a_key_slice_are_refused_by_name_before_anything_is_drawn() -> None:
    volume, truth = ball()
    targets = (Target("liver"), Target("spleen"), Target("left kidney"))
    spec = TargetSpec("", targets, (best_anchor(truth, target=1),))
    heard: list[Progress] = []
    with pytest.raises(UnsupportedTarget) as refused:
        PropagationBackbone().segment(volume, spec, heard.append, CancelToken())
    assert refused.value.code == "anchor-needed"
    assert "none for liver, left kidney." in refused.value.user_message
    assert "medvol" in refused.value.user_message
    assert "liver @k57[120 200 180 260]" in refused.value.user_message
    assert heard == []


def test_a_box_outside_of_the_image_is_refused() -> None:
    volume, _ = ball()
    for anchor in (Anchor(0, 45, ((1.0, 1.0, 9.0, 9.0),)), Anchor(0, 5, ((50.0, 1.0, 60.0, 9.0),))):
        with pytest.raises(UsageError) as refused:
            mask_of(volume, anchor)
        assert refused.value.code == "anchor-outside"


def test_progress_runs_from_start_to_end_and_a_cancel_is_heard_at_the_next_slice() -> None:
    volume, anchor = rod(60)
    heard: list[Progress] = []
    backbone: Any = PropagationBackbone()
    backbone.segment(volume, with_anchors(anchor), heard.append, CancelToken())
    fractions = [progress.fraction for progress in heard]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    token, seen = CancelToken(), []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if len(seen) == 5:
            token.cancel()

    with pytest.raises(Cancelled):
        backbone.segment(volume, with_anchors(anchor), stop, token)
    assert len(seen) == 5


# --- the equations ----------------------------------------------------------------------------------------------------


def test_the_walker_solves_its_equations() -> None:
    """Against the dense system (L + γ I) x = γ p, put together edge by edge."""
    rng = np.random.default_rng(0)
    image, prior = rng.normal(0, 30, (7, 9)), rng.uniform(0, 1, (7, 9))
    scale, (down, right), trust = 25.0, (1.5, 2.0), 0.25
    matrix = trust * np.eye(63)
    for row, column in np.ndindex(7, 9):
        for other, mm in (((row + 1, column), down), ((row, column + 1), right)):
            if other[0] < 7 and other[1] < 9:
                step = image[row, column] - image[other]
                weight = (np.exp(-(step**2) / (2 * scale**2)) + 1e-4) / mm**2
                a, b = row * 9 + column, other[0] * 9 + other[1]
                matrix[[a, b], [a, b]] += weight
                matrix[[a, b], [b, a]] -= weight
    expected = np.linalg.solve(matrix, trust * prior.ravel()).reshape(7, 9)
    found = Walker(image, scale, (down, right)).probabilities(prior, trust)
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert prior.min() <= found.min() <= found.max() <= prior.max()  # the maximum principle
