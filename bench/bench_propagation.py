"""The backbone `propagation` from perfect boxes on the best slice, against two floors that need no thought.

For each structure the key slice is the one with the largest area in the reference, and the boxes are those of its
pieces there that hold at least a twentieth of it: what a perfect reasoner would give. What a real one gives is worse,
and so is what comes of it. Only ct-chest's labels were drawn by people; all others are the output of a model,
TotalSegmentator. The backbone's constants were chosen on these images, aorta-ct excepted.

The floors: the boxes extruded over five slices either way (MedVol-R1's Δ), and of these the voxels within 60 HU of the
median of the boxes' middle.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from SEERSegmentLib.anatomy import label_set
from SEERSegmentLib.backbones.labelmap import read_named_labelmap
from SEERSegmentLib.backbones.propagation import PropagationBackbone
from SEERSegmentLib.backbones.reference import ReferenceBackbone
from SEERSegmentLib.imaging import read_labelmap, read_volume, to_lps
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.imaging.samples import fetch_sample
from SEERSegmentLib.metrics import dice
from SEERSegmentLib.protocols import CancelToken, ignore_progress
from SEERSegmentLib.reasoning.medvol.rewards import DELTA, axial_reward, consistency_reward, truth_boxes
from SEERSegmentLib.values import Anchor, Modality, Target, TargetSpec, Volume

Bool = NDArray[np.bool_]

#: Organs, vessels, bones and muscles, large and small, easy and hard; the image's labels by value.
CASES: Mapping[str, tuple[int, ...]] = {
    "example-ct": (1, 2, 3, 4, 5, 6, 7, 18, 20, 21, 22, 25, 26, 29, 52, 63, 64, 75, 77, 79, 80, 86, 88),
    "example-dicom": (1, 5, 6, 32, 52, 63, 64, 79, 86),
    "example-mr-sm": (1, 2, 3, 4, 5, 6, 15, 46),
    "ct-chest": (1, 2, 3, 4, 5, 6),
}
WITHIN_HU = 60.0
LEAST_SHARE = 0.05


class Scores(NamedTuple):
    """Dice coefficients of one structure: whole, on the key slice, within Δ of it, and of the two floors."""

    whole: float
    key: float
    near: float
    extruded: float
    thresholded: float | None


def main() -> None:
    """Print the tables."""
    print("| image | structure | boxes | Dice | key slice | ±5 slices | floor: boxes ±5 | floor: ±60 HU in them |")
    print("|---|---|---|---|---|---|---|---|")
    everything: list[Scores] = []
    for image, labels in CASES.items():
        for name, boxes, scores in _scored(image, labels):
            everything.append(scores)
            print(f"| {image} | {name} | {boxes} | {_row(scores)} |", flush=True)
    ct = [scores for scores in everything if scores.thresholded is not None]
    print(f"| | mean of all {len(everything)} | | {_row(_mean(everything))} |")
    print(f"| | mean of the {len(ct)} on CT | | {_row(_mean(ct))} |")
    boxes, scores = _untouched()
    print(f"| aorta-ct | aorta (nothing was chosen on this image) | {boxes} | {_row(scores)} |")
    above = sum(s.whole > max(s.extruded, s.thresholded or 0.0) for s in everything)
    print(f"\nAbove both floors: {above} of {len(everything)}.")
    print("\n| volume | structure | CPU seconds |\n|---|---|---|")
    for row in _cost():
        print(row, flush=True)


def _scored(image: str, labels: tuple[int, ...]) -> Iterator[tuple[str, int, Scores]]:
    volume = to_lps(read_volume(fetch_sample(image)))
    reference = to_lps(read_labelmap(fetch_sample(image, "labels"))).voxels
    names = _names(image, volume.modality)
    for label in labels:
        yield names[label], *_score(volume, reference == label)


def _score(volume: Volume, truth: Bool) -> tuple[int, Scores]:
    """Number of boxes, and what comes of them."""
    key = int(np.count_nonzero(truth, axis=(1, 2)).argmax())
    assert axial_reward(truth, key) == 1.0
    boxes = truth_boxes(truth[key], least=max(1, int(LEAST_SHARE * truth[key].sum())))
    spec = TargetSpec("", (Target("target"),), (Anchor(0, key, boxes),))
    (mask,) = PropagationBackbone().segment(volume, spec, ignore_progress, CancelToken())
    extruded, thresholded = _floors(volume, key, boxes)
    return len(boxes), Scores(
        dice(mask.voxels, truth),
        dice(mask.voxels[key], truth[key]),
        consistency_reward(mask.voxels, truth, key),
        dice(extruded, truth),
        dice(thresholded, truth) if volume.modality is Modality.CT else None,
    )


def _untouched() -> tuple[int, Scores]:
    """The aorta of an image on which nothing was chosen; its label lies on another grid."""
    volume = to_lps(read_volume(fetch_sample("aorta-ct"), modality=Modality.CT))
    labels = ReferenceBackbone(fetch_sample("aorta-ct", "aorta"), {1: "aorta"})
    spec = TargetSpec("aorta", (Target("aorta", "aorta"),))
    (mask,) = labels.segment(volume, spec, ignore_progress, CancelToken())
    return _score(volume, mask.voxels)


def _names(image: str, modality: Modality) -> Mapping[int, str]:
    if image != "ct-chest":
        return label_set(modality)
    named = read_named_labelmap(fetch_sample(image, "labels"), None)
    return {label.value: label.name for label in named.labels}


def _floors(volume: Volume, key: int, boxes: tuple[tuple[float, float, float, float], ...]) -> tuple[Bool, Bool]:
    extruded, thresholded = np.zeros(volume.shape, bool), np.zeros(volume.shape, bool)
    for x0, y0, x1, y1 in boxes:
        rows, columns = slice(round(y0 + 0.5), round(y1 + 0.5)), slice(round(x0 + 0.5), round(x1 + 0.5))
        near = slice(max(0, key - DELTA), key + DELTA + 1)
        extruded[near, rows, columns] = True
        plane = volume.voxels[key, rows, columns]
        height, width = plane.shape[0] // 4, plane.shape[1] // 4
        middle = np.median(plane[height : plane.shape[0] - height, width : plane.shape[1] - width])
        thresholded[near, rows, columns] |= np.abs(volume.voxels[near, rows, columns] - middle) <= WITHIN_HU
    return extruded, thresholded


def _mean(scores: list[Scores]) -> Scores:
    columns = [[value for value in column if value is not None] for column in zip(*scores, strict=True)]
    means = [float(np.mean(column)) for column in columns]
    whole = len(columns[4]) == len(scores)
    return Scores(means[0], means[1], means[2], means[3], means[4] if whole else None)


def _row(scores: Scores) -> str:
    return " | ".join("–" if value is None else f"{value:.3f}" for value in scores)


def _cost() -> Iterator[str]:
    """The largest box in the largest volume that is usual: a whole body on 512 × 512 × 400 voxels."""
    phantom, truth = chest_phantom(2.5)
    tiled = np.concatenate([phantom.voxels] * 4)[:400]
    fine = np.repeat(np.repeat(tiled, 4, axis=1), 4, axis=2)[:, :512, :512]
    volume = Volume(np.ascontiguousarray(fine), np.diag([-0.7, -0.7, 1.0, 1.0]), Modality.CT)
    body = np.repeat(np.repeat(truth["body"][60], 4, axis=0), 4, axis=1)[:512, :512]
    lung = np.repeat(np.repeat(truth["lung_left"][60], 4, axis=0), 4, axis=1)[:512, :512]
    for name, plane in (("all of the body", body), ("a lung", lung)):
        spec = TargetSpec("", (Target(name),), (Anchor(0, 60, truth_boxes(plane, least=100)),))
        start = time.process_time()
        PropagationBackbone().segment(volume, spec, ignore_progress, CancelToken())
        yield f"| 512 × 512 × 400 voxels of 0.7 × 0.7 × 1 mm | {name} | {time.process_time() - start:.0f} |"
