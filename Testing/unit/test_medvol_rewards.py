"""The four terms of MedVol-R1's reward, against the paper's equations worked out by hand or by brute force."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from SEERSegmentLib.imaging import render_views
from SEERSegmentLib.metrics import dice
from SEERSegmentLib.reasoning.medvol.rewards import (
    DELTA,
    Reward,
    axial_reward,
    box_iou,
    consistency_reward,
    format_reward,
    match_boxes,
    spatial_reward,
    truth_boxes,
)
from SEERSegmentLib.values import Modality, Volume

Box = tuple[float, float, float, float]

VIEWS = render_views(Volume(np.zeros((64, 16, 16), np.int16), np.diag([-1.0, -1, 2, 1]), Modality.CT), "medvol-r1")
GOOD = '<think>seen</think><answer>[{"slice": 16, "bbox_2d_list": [[1, 2, 3, 4]]}]</answer>'

BOXES = st.tuples(*[st.integers(0, 8)] * 2, *[st.integers(1, 4)] * 2).map(
    lambda drawn: (float(drawn[0]), float(drawn[1]), float(drawn[0] + drawn[2]), float(drawn[1] + drawn[3]))
)
MASKS = arrays(np.bool_, (9, 4, 5))


@pytest.mark.parametrize(
    ("text", "reward"),
    [
        (GOOD, 1.0),
        (GOOD.replace("<think>seen</think>", ""), 0.0),
        (GOOD.replace("16", "65"), 0.0),
        (GOOD.replace("[1, 2, 3, 4]", "[3, 2, 1, 4]"), 0.0),
        ("<think>seen</think><answer>[]</answer>", 0.0),  # no key slice: not of the form, though a fine abstention
        ("", 0.0),
    ],
)
def test_format_is_all_or_nothing(text: str, reward: float) -> None:
    assert format_reward(text, VIEWS) == reward


def test_axial_reward_is_the_share_of_the_largest_area() -> None:
    truth = np.zeros((4, 5, 5))
    truth[1, :2], truth[2, :4] = 1, 7  # 10 and 20 pixels; any label that is not 0
    assert [axial_reward(truth, key) for key in range(4)] == [0.0, 0.5, 1.0, 0.0]
    assert axial_reward(truth, 1, shown=[0, 1]) == 1.0  # of the slices that could be chosen
    assert axial_reward(np.zeros((4, 5, 5)), 1) == 0.0
    with pytest.raises(ValueError, match="no slice 4"):
        axial_reward(truth, 4)
    with pytest.raises(ValueError, match="no slice -1"):
        axial_reward(truth, -1)


def test_boxes_of_the_truth_are_those_of_its_pieces_largest_first() -> None:
    plane = np.zeros((8, 10))
    plane[1, 1] = plane[2, 2] = 1  # touching at a corner only: two pieces
    plane[4:7, 3:9] = 1
    assert truth_boxes(plane) == ((2.5, 3.5, 8.5, 6.5), (0.5, 0.5, 1.5, 1.5), (1.5, 1.5, 2.5, 2.5))
    assert truth_boxes(plane, least=2) == ((2.5, 3.5, 8.5, 6.5),)
    assert truth_boxes(np.zeros((3, 3))) == ()


@given(BOXES, BOXES)
def test_iou_is_that_of_the_pixels_that_whole_boxes_cover(one: Box, other: Box) -> None:
    planes = []
    for x0, y0, x1, y1 in (one, other):
        plane = np.zeros((12, 12), bool)
        plane[int(y0) : int(y1), int(x0) : int(x1)] = True
        planes.append(plane)
    assert box_iou(one, other) == pytest.approx((planes[0] & planes[1]).sum() / (planes[0] | planes[1]).sum())
    assert box_iou(one, one) == 1.0


@given(st.lists(BOXES, max_size=4), st.lists(BOXES, max_size=4))
def test_spatial_reward_is_the_best_matching_there_is(predicted: list[Box], truth: list[Box]) -> None:
    few, many = sorted((predicted, truth), key=len)
    best = max(
        (sum(box_iou(a, b) for a, b in zip(few, chosen, strict=True)) for chosen in permutations(many, len(few))),
        default=0.0,
    )
    most = len(many)
    assert spatial_reward(predicted, truth) == pytest.approx(best / most if most else 1.0)
    pairs = match_boxes(predicted, truth)
    assert len({i for i, _, _ in pairs}) == len({j for _, j, _ in pairs}) == len(pairs)  # one to one
    for i, j, iou in pairs:
        assert iou == box_iou(predicted[i], truth[j]) > 0


def test_boxes_too_many_and_too_few_cost_the_same() -> None:
    box, other = (0.0, 0.0, 4.0, 4.0), (6.0, 6.0, 9.0, 9.0)
    assert spatial_reward([box], [box]) == 1.0
    assert spatial_reward([box, other], [box]) == spatial_reward([box], [box, other]) == 0.5
    assert spatial_reward([], [box]) == spatial_reward([box], []) == 0.0
    assert spatial_reward([], []) == 1.0


@given(MASKS, MASKS, st.integers(0, 8), st.integers(0, 9))
def test_consistency_is_dice_of_the_neighbourhood(
    predicted: NDArray[np.bool_], truth: NDArray[np.bool_], key: int, delta: int
) -> None:
    near = [t for t in range(9) if abs(t - key) <= delta]
    assert consistency_reward(predicted, truth, key, delta) == dice(predicted[near], truth[near])


def test_consistency_looks_at_five_slices_on_either_side() -> None:
    assert DELTA == 5
    truth, predicted = np.zeros((20, 3, 3)), np.zeros((20, 3, 3))
    truth[10 - 6], predicted[10 + 6] = 1, 1
    assert consistency_reward(predicted, truth, 10) == 1.0  # both empty within the neighbourhood
    truth[10 + 5] = 1
    assert consistency_reward(predicted, truth, 10) == 0.0
    predicted[10 + 5] = 1
    assert consistency_reward(predicted, truth, 10) == 1.0
    with pytest.raises(ValueError, match="no slice 20"):
        consistency_reward(predicted, truth, 20)
    with pytest.raises(ValueError, match="one grid"):
        consistency_reward(predicted[:19], truth, 10)


def test_the_total_is_the_weighted_sum() -> None:
    assert Reward(1.0, 0.5, 0.25, 0.125).total == 1.875
    assert Reward(1.0, 0.5, 0.25, 0.125, weights=(0.0, 2.0, 4.0, 0.0)).total == 2.0
