"""Overlap of masks, against counts done by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from SEERSegmentLib.metrics import dice, jaccard, overlap, precision, relative_volume_difference, sensitivity


@pytest.fixture
def masks() -> tuple[np.ndarray, np.ndarray]:
    first = np.zeros((2, 3, 4), bool)
    second = np.zeros((2, 3, 4), bool)
    first[0, 0, :] = True  # 4 voxels
    second[0, :2, 1:4] = True  # 6 voxels, 3 of them shared
    return first, second


def test_counts_by_hand(masks: tuple[np.ndarray, np.ndarray]) -> None:
    counts = overlap(*masks)
    assert (counts.both, counts.first, counts.second) == (3, 4, 6)
    assert dice(*masks) == pytest.approx(0.6)
    assert jaccard(*masks) == pytest.approx(3 / 7)
    assert sensitivity(*masks) == pytest.approx(0.5)
    assert precision(*masks) == pytest.approx(0.75)
    assert relative_volume_difference(*masks) == pytest.approx(-1 / 3)


def test_empty_masks_agree(masks: tuple[np.ndarray, np.ndarray]) -> None:
    empty = np.zeros_like(masks[0])
    assert dice(empty, empty) == 1.0
    assert jaccard(empty, empty) == 1.0
    assert relative_volume_difference(empty, empty) == 0.0
    assert dice(masks[0], empty) == 0.0
    assert sensitivity(masks[0], empty) == 1.0
    assert precision(empty, masks[0]) == 1.0
    assert math.isinf(relative_volume_difference(masks[0], empty))


def test_label_values_count_as_mask(masks: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = masks
    assert dice(first.astype(np.uint8) * 7, second.astype(np.int32) * -2) == dice(first, second)


def test_other_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="one grid"):
        dice(np.zeros((2, 2, 2), bool), np.zeros((2, 2, 3), bool))


_MASKS = arrays(np.bool_, (3, 4, 5), elements=st.booleans())


@given(_MASKS, _MASKS)
def test_dice_and_jaccard_hang_together(first: np.ndarray, second: np.ndarray) -> None:
    d, j = dice(first, second), jaccard(first, second)
    assert d == dice(second, first)
    assert 0.0 <= j <= d <= 1.0
    assert j == pytest.approx(d / (2 - d))
    assert dice(first, first) == 1.0
    turned = tuple(np.transpose(mask, (2, 0, 1))[:, ::-1] for mask in (first, second))
    assert dice(*turned) == d
