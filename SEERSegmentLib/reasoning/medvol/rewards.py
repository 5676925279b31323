"""The reward that MedVol-R1 is trained with (paper, section 2.5), term by term.

    R_total = λ_f R_f + λ_a R_a + λ_s R_s + λ_c R_c,    λ_f = λ_a = λ_s = λ_c = 1

Masks are arrays whose slices lie along the first axis: (k, j, i) of a volume whose k runs along its slices. Boxes are
(column0, row0, column1, row1) in any one frame of continuous coordinates, so that areas are products of differences.
Each term lies in [0, 1]. (The code that the authors released weighs the terms by 0.25 each, grades the format, and
counts boxes in whole pixels, both edges included; here is what the paper says.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ReplyError
from ...imaging.anchor_boxes import Box
from ...metrics import dice
from ...values import View
from .reply import AnchorReply, parse_anchor_reply

__all__ = [
    "DELTA",
    "Reward",
    "axial_reward",
    "box_iou",
    "consistency_reward",
    "format_reward",
    "match_boxes",
    "spatial_reward",
    "truth_boxes",
]

DELTA = 5
"""Slices on either side of the key slice that R_c looks at (paper, table 2b: better than 2, 10 and 15)."""


@dataclass(frozen=True)
class Reward:
    """The four terms of one reply, and their weights λ, all 1 in the paper's experiments."""

    format: float
    axial: float
    spatial: float
    consistency: float
    weights: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)

    @property
    def total(self) -> float:
        """R_total = λ_f R_f + λ_a R_a + λ_s R_s + λ_c R_c."""
        terms = (self.format, self.axial, self.spatial, self.consistency)
        return sum(weight * term for weight, term in zip(self.weights, terms, strict=True))


def format_reward(text: str, views: Sequence[View], *, scale: str = "relative-1000", numbering: str = "shown") -> float:
    """R_f = 1 where the reply has both blocks and the answer "parses into the required schema"; else 0.

    Parameters
    ----------
    text, views, scale, numbering
        As for :func:`~SEERSegmentLib.reasoning.medvol.reply.parse_anchor_reply`: whatever that takes as a key slice
        with boxes is of the form, whatever it refuses or reads as an abstention is not.
    """
    try:
        return float(isinstance(parse_anchor_reply(text, views, scale=scale, numbering=numbering), AnchorReply))
    except ReplyError:
        return 0.0


def axial_reward(truth: NDArray[Any], key: int, shown: Sequence[int] | None = None) -> float:
    """R_a = F_k̂ / max_t F_t, where F_t is the ground truth's area on slice t.

    Parameters
    ----------
    truth : ndarray, shape (slices, rows, columns)
        What is not 0 belongs to the target.
    key : int
        The predicted key slice k̂, from 0.
    shown : sequence of int, optional
        The slices t that the model could choose from; all of them without it.

    Returns
    -------
    float
        0 where none of these slices shows the target: there is nothing to be credited for.

    Raises
    ------
    ValueError
        Where there is no such slice.
    """
    _check_slice(key, truth)
    areas = np.count_nonzero(truth, axis=(1, 2))
    most = int(areas.max(initial=0) if shown is None else areas[list(shown)].max(initial=0))
    return int(areas[key]) / most if most else 0.0


def truth_boxes(plane: NDArray[Any], least: int = 1) -> tuple[Box, ...]:
    """Ground-truth boxes on a slice, "by connected-component decomposition" (paper, section 2.4), largest piece first.

    Parameters
    ----------
    plane : ndarray, shape (rows, columns)
        What is not 0 belongs to the target; neighbours share an edge.
    least : int
        Pixels of the smallest piece that counts.

    Returns
    -------
    tuple of (column0, row0, column1, row1)
        Continuous indices: pixel n reaches from n - 0.5 to n + 0.5.
    """
    from scipy import ndimage

    pieces, _ = ndimage.label(plane != 0)
    sizes = np.bincount(pieces.ravel())[1:]
    found = ndimage.find_objects(pieces)
    order = [n for n in np.argsort(-sizes, kind="stable").tolist() if sizes[n] >= least]
    boxes = []
    for rows, columns in (found[n] for n in order):
        boxes.append((columns.start - 0.5, rows.start - 0.5, columns.stop - 0.5, rows.stop - 0.5))
    return tuple(boxes)


def box_iou(one: Box, other: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0.0) * max(height, 0.0)
    areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (one, other)]
    union = sum(areas) - shared
    return shared / union if union > 0 else 0.0


def match_boxes(predicted: Sequence[Box], truth: Sequence[Box]) -> tuple[tuple[int, int, float], ...]:
    """The one-to-one matching ℳ that costs least with C_ij = 1 − IoU(b̂_i, b*_j), by the Hungarian algorithm.

    Returns
    -------
    tuple of (int, int, float)
        Index of the predicted box, of its partner, and their IoU; pairs that don't touch are left out, since a box
        without overlap is matched with nothing.
    """
    from scipy.optimize import linear_sum_assignment

    if not predicted or not truth:
        return ()
    iou = np.array([[box_iou(one, other) for other in truth] for one in predicted])
    pairs = zip(*(index.tolist() for index in linear_sum_assignment(1.0 - iou)), strict=True)
    return tuple((i, j, float(iou[i, j])) for i, j in pairs if iou[i, j] > 0)


def spatial_reward(predicted: Sequence[Box], truth: Sequence[Box]) -> float:
    """R_s = 1 / max(N, N*) · Σ_{(i,j) ∈ ℳ} IoU(b̂_i, b*_j): a box too many costs as much as one that is missing.

    Parameters
    ----------
    predicted, truth : sequence of (column0, row0, column1, row1)
        The N boxes of the reply and the N* of the ground truth, on the predicted key slice.

    Returns
    -------
    float
        1 where there are none on either side: nothing was missed, nothing invented.
    """
    most = max(len(predicted), len(truth))
    return sum(iou for _, _, iou in match_boxes(predicted, truth)) / most if most else 1.0


def consistency_reward(predicted: NDArray[Any], truth: NDArray[Any], key: int, delta: int = DELTA) -> float:
    """R_c = Dice(Ŷ_𝒩(k̂), Y*_𝒩(k̂)) on the neighbourhood 𝒩(k̂) = {t : |t − k̂| ≤ Δ} of the key slice.

    Parameters
    ----------
    predicted : ndarray, shape (slices, rows, columns)
        Ŷ, propagated from the matched boxes (:func:`match_boxes`) of the reply.
    truth : ndarray, same shape
    key : int
        k̂, from 0.
    delta : int
        Δ.

    Returns
    -------
    float
        1 where both are empty there, as :func:`~SEERSegmentLib.metrics.dice` has it.

    Raises
    ------
    ValueError
        Where the shapes differ, or there is no such slice.
    """
    _check_slice(key, truth)
    if predicted.shape != truth.shape:
        raise ValueError(f"masks of shapes {predicted.shape} and {truth.shape} don't lie on one grid")
    near = slice(max(key - delta, 0), key + delta + 1)
    return dice(predicted[near], truth[near])


def _check_slice(key: int, mask: NDArray[Any]) -> None:
    if not 0 <= key < len(mask):
        raise ValueError(f"there is no slice {key} among {len(mask)}")
