"""Accuracy of the embedded backbone against reference labels.

CTChest4's labels were drawn in 3D Slicer; those of the abdominal CT, its tissue types and the aorta are the output of
TotalSegmentator, a model, and no expert's truth. Where only a share is given, there is no reference mask: the row says
what must not be in the mask.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SEERSegmentLib.backbones.classical import ClassicalBackbone
from SEERSegmentLib.backbones.reference import ReferenceBackbone
from SEERSegmentLib.imaging import read_labelmap, read_volume, to_lps
from SEERSegmentLib.imaging.samples import fetch_sample
from SEERSegmentLib.metrics import dice, precision, sensitivity
from SEERSegmentLib.protocols import CancelToken, ignore_progress
from SEERSegmentLib.values import Modality, Target, TargetSpec, Volume

Bool = NDArray[np.bool_]

#: TotalSegmentator's `total`: sacrum and vertebrae, shoulder and hip bones, ribs and sternum. Costal cartilage (117) is
#: no bone and not counted as skeleton.
BONES = (*range(25, 51), *range(69, 79), *range(92, 117))
LOBES = {"lung_left": (10, 11), "lung_right": (12, 13, 14), "lungs": (10, 11, 12, 13, 14)}
STRUCTURES = ("body", "lung_left", "lung_right", "lungs", "airways", "skeleton", "subcutaneous_fat")


def main() -> None:
    """Print the tables."""
    print("| image | structure | Dice | bar | sensitivity | precision | volume, mL |\n|---|---|---|---|---|---|---|")
    for row in (*_chest(), *_abdomen(), *_apart()):
        print(row, flush=True)
    print("\n| aorta-ct (contrast-enhanced, no reference) | measured |\n|---|---|")
    for row in _aorta():
        print(row, flush=True)
    print("\n| skeleton | voxels, mm | Dice with the native one | volume, mL | native, mL |\n|---|---|---|---|---|")
    for row in _finer():
        print(row, flush=True)


def _run(volume: Volume, ids: Iterable[str] = STRUCTURES) -> tuple[dict[str, Bool], float]:
    targets = tuple(Target(id, id) for id in ids)
    start = time.process_time()
    masks = ClassicalBackbone().segment(volume, TargetSpec("", targets), ignore_progress, CancelToken())
    return {mask.target.structure: mask.voxels for mask in masks}, time.process_time() - start


def _row(image: str, name: str, mask: Bool, truth: Bool, voxel_ml: float, bar: str = "") -> str:
    scores = f"{dice(mask, truth):.3f} | {bar} | {sensitivity(mask, truth):.3f} | {precision(mask, truth):.3f}"
    return f"| {image} | {name} | {scores} | {mask.sum() * voxel_ml:.0f} |"


def _chest() -> Iterator[str]:
    volume = read_volume(fetch_sample("ct-chest"), modality=Modality.CT)
    masks, _ = _run(volume)
    labels = read_labelmap(fetch_sample("ct-chest", "labels")).voxels
    for name, value in (("lung_right", 5), ("lung_left", 6)):
        yield _row("ct-chest", name, masks[name], labels == value, volume.voxel_ml, "0.97")


def _abdomen() -> Iterator[str]:
    volume = read_volume(fetch_sample("example-ct"), modality=Modality.CT)
    masks, _ = _run(volume)
    labels = read_labelmap(fetch_sample("example-ct", "labels")).voxels
    for name, values in LOBES.items():
        yield _row("example-ct", name, masks[name], np.isin(labels, values), volume.voxel_ml, "0.93")
    bones = np.isin(labels, BONES)
    yield _row("example-ct", "skeleton", masks["skeleton"], bones, volume.voxel_ml, "0.87")
    with_cartilage = bones | (labels == 117)
    yield _row("example-ct", "skeleton, cartilage counted", masks["skeleton"], with_cartilage, volume.voxel_ml)


def _apart() -> Iterator[str]:
    """An image that no constant was chosen on; its faults and scores were seen while the rules were written."""
    volume = to_lps(read_volume(fetch_sample("example-dicom")))
    masks, _ = _run(volume, ("body", "skeleton"))
    bones = np.isin(to_lps(read_labelmap(fetch_sample("example-dicom", "labels"))).voxels, BONES)
    yield _row("example-dicom", "skeleton", masks["skeleton"], bones, volume.voxel_ml)
    pieces, _ = ndimage.label(masks["body"])
    trunk = pieces == np.bincount(pieces.ravel())[1:].argmax() + 1
    name = "skeleton, without the arms"
    yield _row("example-dicom", name, masks["skeleton"] & trunk, bones & trunk, volume.voxel_ml)


def _aorta() -> Iterator[str]:
    volume = read_volume(fetch_sample("aorta-ct"), modality=Modality.CT)
    masks, seconds = _run(volume)
    for name in STRUCTURES:
        yield f"| {name} | {masks[name].sum() * volume.voxel_ml:.0f} mL |"
    label = ReferenceBackbone(fetch_sample("aorta-ct", "aorta"), {1: "aorta"})
    spec = TargetSpec("aorta", (Target("aorta", "aorta"),))
    aorta = label.segment(volume, spec, ignore_progress, CancelToken())[0].voxels
    yield f"| share of the contrast-filled aorta taken for bone | {sensitivity(masks['skeleton'], aorta):.3f} |"
    air = np.count_nonzero(masks["airways"] & masks["lungs"])
    yield f"| voxels in airways and lungs both | {air} |"
    yield f"| all seven masks, CPU seconds | {seconds:.0f} |"


def _finer() -> Iterator[str]:
    """The same scan interpolated to finer voxels, as if the scanner had made them: the skeleton should be the same."""
    for name, sizes in (("example-ct", (1.5, 1.0)), ("aorta-ct", (1.0, 0.75))):
        native = to_lps(read_volume(fetch_sample(name), modality=Modality.CT))
        coarse = _run(native, ("skeleton",))[0]["skeleton"]
        for mm in sizes:
            volume = interpolated(native, mm)
            fine = _run(volume, ("skeleton",))[0]["skeleton"]
            score = dice(fine, at_grid_of(coarse, fine.shape))
            size = f"{fine.sum() * volume.voxel_ml:.0f} | {coarse.sum() * native.voxel_ml:.0f}"
            yield f"| {name} | {mm} | {score:.3f} | {size} |"


def interpolated(volume: Volume, mm: float) -> Volume:
    """The same space in voxels of about ``mm``, CT numbers interpolated linearly."""
    shape = tuple(round(n * s / mm) for n, s in zip(volume.shape, reversed(volume.spacing), strict=True))
    at = np.diag([*(n / m for n, m in zip(reversed(volume.shape), reversed(shape), strict=True)), 1.0])
    at[:3, 3] = (np.diag(at)[:3] - 1) / 2  # the corner of the first voxel stays where it is
    return Volume(_at_centres(volume.voxels, shape).astype(np.int16), volume.affine @ at, volume.modality)


def at_grid_of(mask: Bool, shape: tuple[int, ...]) -> Bool:
    """A mask on a finer grid of the same space: where interpolation gives more than half."""
    half: Bool = _at_centres(mask, shape) > 0.5
    return half


def _at_centres(voxels: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Linear interpolation at the centres of another number of voxels, one axis after the other."""
    values = voxels.astype(np.float32)
    for axis, m in enumerate(shape):
        n = values.shape[axis]
        at = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
        low = np.minimum(at.astype(int), max(0, n - 2))
        weight = (at - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        values = values.take(low, axis) * (1 - weight) + values.take(np.minimum(low + 1, n - 1), axis) * weight
    return values
