"""The embedded backbone on real and generated CT: accuracy, geometry, what it refuses."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from bench.bench_accuracy import at_grid_of, interpolated
from SEERSegmentLib.backbones.classical import ClassicalBackbone, supported_structures
from SEERSegmentLib.backbones.classical.body import find_body
from SEERSegmentLib.backbones.classical.chest import find_midline
from SEERSegmentLib.backbones.classical.grid import coarsen
from SEERSegmentLib.backbones.classical.morphology import Shaper
from SEERSegmentLib.backbones.classical.spine import find_canal
from SEERSegmentLib.errors import BackboneError, Cancelled, UnsupportedTarget
from SEERSegmentLib.imaging import read_labelmap, read_volume
from SEERSegmentLib.imaging.orient import Reorientation, to_lps
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.metrics import dice
from SEERSegmentLib.protocols import Backbone, CancelToken, ignore_progress
from SEERSegmentLib.values import Modality, Progress, Target, TargetSpec, Volume

Sample = Callable[..., Path]
Masks = dict[str, np.ndarray]

EVERYTHING = ("body", "lung_left", "lung_right", "lungs", "airways", "skeleton", "subcutaneous_fat")
#: Labels of TotalSegmentator's `total` that are bone: sacrum and vertebrae, shoulder and hip bones, ribs and sternum.
#: Costal cartilage (117) is no bone.
BONES = (*range(25, 51), *range(69, 79), *range(92, 117))


def segment(volume: Volume, *ids: str) -> Masks:
    targets = tuple(Target(id.replace("_", " "), id) for id in ids)
    masks = ClassicalBackbone().segment(volume, TargetSpec("", targets), ignore_progress, CancelToken())
    assert [mask.target for mask in masks] == list(targets)
    for mask in masks:
        assert mask.voxels.shape == volume.shape
        assert mask.voxels.dtype == np.bool_
        np.testing.assert_array_equal(mask.affine, volume.affine)
    return {id: mask.voxels for id, mask in zip(ids, masks, strict=True)}


@pytest.fixture(scope="module")
def chest(sample: Sample) -> tuple[Volume, Masks]:
    volume = read_volume(sample("ct-chest"), modality=Modality.CT)
    return volume, segment(volume, *EVERYTHING)


@pytest.fixture(scope="module")
def abdomen(sample: Sample) -> tuple[Volume, Masks, np.ndarray]:
    volume = read_volume(sample("example-ct"), modality=Modality.CT)
    return volume, segment(volume, *EVERYTHING), read_labelmap(sample("example-ct", "labels")).voxels


@pytest.fixture(scope="module")
def phantom() -> tuple[Volume, Masks]:
    return chest_phantom(4.0)


def test_it_is_a_backbone() -> None:
    backbone = ClassicalBackbone()
    assert isinstance(backbone, Backbone)
    assert backbone.readiness().ready
    assert backbone.info.modalities == {Modality.CT}
    assert set(supported_structures()) >= set(EVERYTHING)


# ------------------------------------------------------------------------------------------------------- accuracy


def test_lungs_of_a_chest_in_10_mm_slices(chest: tuple[Volume, Masks], sample: Sample) -> None:
    _, masks = chest
    labels = read_labelmap(sample("ct-chest", "labels")).voxels
    assert dice(masks["lung_right"], labels == 5) >= 0.97
    assert dice(masks["lung_left"], labels == 6) >= 0.97
    assert not (masks["lung_right"] & masks["lung_left"]).any()
    np.testing.assert_array_equal(masks["lungs"], masks["lung_right"] | masks["lung_left"])


def test_abdomen_with_lung_bases_and_gas_in_the_colon(abdomen: tuple[Volume, Masks, np.ndarray]) -> None:
    volume, masks, labels = abdomen
    assert dice(masks["lungs"], np.isin(labels, (10, 11, 12, 13, 14))) >= 0.93
    assert dice(masks["lung_right"], np.isin(labels, (12, 13, 14))) >= 0.93
    assert dice(masks["lung_left"], np.isin(labels, (10, 11))) >= 0.93
    gas = (labels == 20) & (volume.voxels < -500)
    assert gas.sum() > 10_000
    assert (masks["lungs"] & gas).sum() < 0.001 * gas.sum()
    assert not masks["airways"].any()


def test_skeleton_against_the_union_of_bones(abdomen: tuple[Volume, Masks, np.ndarray]) -> None:
    _, masks, labels = abdomen
    assert dice(masks["skeleton"], np.isin(labels, BONES)) >= 0.89
    assert masks["skeleton"][labels == 79].mean() < 0.35  # the spinal canal stays open
    assert masks["skeleton"][labels == 117].mean() < 0.05  # costal cartilage is not bone


@pytest.mark.parametrize(("name", "mm", "least"), [("example-ct", 1.5, 0.9), ("aorta-ct", 1.0, 0.86)])
def test_finer_voxels_show_the_same_skeleton(sample: Sample, name: str, mm: float, least: float) -> None:
    native = to_lps(read_volume(sample(name), modality=Modality.CT))
    coarse = segment(native, "skeleton")["skeleton"]
    volume = interpolated(native, mm)
    fine = segment(volume, "skeleton")["skeleton"]
    assert dice(fine, at_grid_of(coarse, fine.shape)) >= least
    assert fine.sum() * volume.voxel_ml == pytest.approx(coarse.sum() * native.voxel_ml, rel=0.1)


def test_generated_chest_drawn_finer_has_the_same_skeleton(phantom: tuple[Volume, Masks]) -> None:
    native, _ = phantom
    volume, truth = chest_phantom(1.3)  # two voxels per coarse one
    fine = segment(volume, "skeleton")["skeleton"]
    coarse = segment(native, "skeleton")["skeleton"]
    assert dice(fine, truth["skeleton"]) >= 0.95
    assert fine.sum() * volume.voxel_ml == pytest.approx(coarse.sum() * native.voxel_ml, rel=0.05)


def test_canal_runs_where_the_cord_is(abdomen: tuple[Volume, Masks, np.ndarray], sample: Sample) -> None:
    volume = to_lps(abdomen[0])
    cord = to_lps(read_labelmap(sample("example-ct", "labels"))).voxels == 79
    spacing = volume.spacing[::-1]
    scan = coarsen(volume.voxels, (spacing[0], spacing[1], spacing[2]), CancelToken())
    assert scan.hu.shape == volume.shape
    body = find_body(scan, CancelToken())
    canal = find_canal(scan, body, find_midline(scan, body), Shaper(scan.coarse_spacing))
    assert canal is not None
    slices = np.flatnonzero(cord.sum(axis=(1, 2)) > 5)
    assert len(slices) > 50
    away = [np.hypot(*((np.argwhere(cord[k]).mean(axis=0) - canal[k]) * spacing[1:])) for k in slices]
    assert np.mean(away) < 4.0  # mm: a canal is 13 to 25 mm deep
    assert max(away) < 15.0  # the centre of a vertebral body lies farther away


def test_subcutaneous_fat_lies_under_the_skin_only(abdomen: tuple[Volume, Masks, np.ndarray]) -> None:
    volume, masks, labels = abdomen
    fat = masks["subcutaneous_fat"]
    assert 3000 < fat.sum() * volume.voxel_ml < 8000
    assert volume.voxels[fat].max() <= -30
    inside = np.isin(labels, (1, 2, 3, 5, 6, 18, 20, 52, 63))  # organs and vessels of the abdominal cavity
    assert fat[inside].mean() < 0.01
    assert masks["body"][fat].all()


def test_body_leaves_the_table(abdomen: tuple[Volume, Masks, np.ndarray]) -> None:
    volume, masks, labels = abdomen
    body = masks["body"]
    assert body[labels > 0].mean() > 0.999
    assert ((volume.voxels > -500) & ~body).sum() > 2000  # the table's shell, in the rearmost rows of this RAS volume
    assert not body[:, :3, :].any()


def read_extent(mask: np.ndarray) -> list[tuple[int, int]]:
    """First and last index along each axis."""
    found = [np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    return [(int(f[0]), int(f[-1])) for f in found]


def test_contrast_filled_heart_and_aorta_are_not_bone(sample: Sample) -> None:
    volume = read_volume(sample("aorta-ct"), modality=Modality.CT)
    masks = segment(volume, "skeleton", "lung_left", "lung_right", "airways")
    skeleton = masks["skeleton"]
    heart = np.zeros(volume.shape, bool)
    heart[50:100, 35:105, 95:165] = True  # LPS order: within the chest wall, in front of the spine
    blood = heart & (volume.voxels > 250)
    assert blood.sum() > 50_000
    assert skeleton[blood].mean() < 0.03
    aorta = read_labelmap(sample("aorta-ct", "aorta"))
    to_ct = np.linalg.inv(volume.affine) @ aorta.affine
    k, j, i = np.nonzero(aorta.voxels)
    at = np.rint(to_ct[:3, :3] @ np.stack([i, j, k]) + to_ct[:3, 3:]).astype(int)
    inside = ((at >= 0) & (volume.shape[::-1] > at.T).T).all(axis=0)
    assert inside.mean() > 0.99
    assert skeleton[at[2, inside], at[1, inside], at[0, inside]].mean() < 0.05
    assert 1000 < skeleton.sum() * volume.voxel_ml < 2500

    left, right, airways = masks["lung_left"], masks["lung_right"], masks["airways"]
    assert 1000 < left.sum() * volume.voxel_ml < right.sum() * volume.voxel_ml < 3500
    assert np.nonzero(right)[2].mean() < volume.shape[2] / 2 < np.nonzero(left)[2].mean()
    assert 20 < airways.sum() * volume.voxel_ml < 100
    assert not (airways & (left | right)).any()
    assert read_extent(airways)[0][1] == volume.shape[0] - 1  # up the neck
    assert np.median(volume.voxels[airways]) < -900


def test_generated_chest_against_its_truth(phantom: tuple[Volume, Masks]) -> None:
    volume, truth = phantom
    masks = segment(volume, *truth)
    for id, least in (("body", 0.97), ("lung_right", 0.98), ("lung_left", 0.98), ("airways", 0.95), ("skeleton", 0.9)):
        assert dice(masks[id], truth[id]) >= least, id


# ------------------------------------------------------------------------------------------------------- geometry


def test_same_right_lung_in_all_48_orientations(chest: tuple[Volume, Masks]) -> None:
    volume, masks = chest
    for axes in itertools.permutations((0, 1, 2)):
        for flips in itertools.product((False, True), repeat=3):
            turn = Reorientation(volume.shape, axes, flips)
            affine = volume.affine @ turn.index_affine()
            other = replace(volume, voxels=turn.apply(volume.voxels), affine=affine)
            mask = segment(other, "lung_right")["lung_right"]
            np.testing.assert_array_equal(turn.invert(mask), masks["lung_right"])


def test_oblique_patient_keeps_the_mask(chest: tuple[Volume, Masks]) -> None:
    volume, masks = chest
    c, s = np.cos(np.radians(20)), np.sin(np.radians(20))
    about_z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    for rotation in (about_z, about_x, about_z @ about_x):
        affine = volume.affine.copy()
        affine[:3] = rotation @ affine[:3]
        mask = segment(replace(volume, affine=affine), "lung_right")["lung_right"]
        np.testing.assert_array_equal(mask, masks["lung_right"])


def test_mirrored_patient_swaps_sides(chest: tuple[Volume, Masks]) -> None:
    volume, masks = chest
    mirrored = replace(volume, affine=np.diag([-1.0, 1.0, 1.0, 1.0]) @ volume.affine)
    swapped = segment(mirrored, "lung_left", "lung_right")
    assert dice(swapped["lung_left"], masks["lung_right"]) > 0.99
    assert dice(swapped["lung_right"], masks["lung_left"]) > 0.99


@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.float64, ">i2"])
def test_type_of_the_voxels_does_not_matter(phantom: tuple[Volume, Masks], dtype: str) -> None:
    volume, _ = phantom
    expected = segment(volume, "lung_right", "skeleton")
    got = segment(replace(volume, voxels=volume.voxels.astype(dtype)), "lung_right", "skeleton")
    for id, mask in expected.items():
        np.testing.assert_array_equal(got[id], mask)


@pytest.mark.parametrize("padding", [-1024, -2000, -3024])
def test_padding_outside_of_a_round_field_of_view(phantom: tuple[Volume, Masks], padding: int) -> None:
    volume, truth = phantom
    _, nj, ni = volume.shape
    j, i = np.mgrid[:nj, :ni]
    outside = np.hypot((j - nj / 2) * 4.0, (i - ni / 2) * 4.0) > 150.0  # mm: cuts off the arms' side of the chest wall
    voxels = volume.voxels.copy()
    voxels[:, outside] = padding
    masks = segment(replace(volume, voxels=voxels), "body", "lung_left", "lung_right")
    assert not masks["body"][:, outside].any()
    for id in ("lung_left", "lung_right"):
        assert dice(masks[id], truth[id] & ~outside) > 0.97


# ----------------------------------------------------------------------------------------------------- the carina


def test_trachea_ends_where_the_main_bronchi_part(phantom: tuple[Volume, Masks], sample: Sample) -> None:
    drawn, _ = phantom
    real = read_volume(sample("aorta-ct"))
    for volume in (drawn, real):
        masks = segment(volume, "trachea", "airways")
        trachea, airways = masks["trachea"], masks["airways"]
        assert not (trachea & ~airways).any()
        lowest = int(np.flatnonzero(trachea.any(axis=(1, 2)))[0])
        assert (trachea[lowest:] == airways[lowest:]).all()
        # Above: one lumen. A centimetre below: one on each side.
        up, down = (lowest + int(mm / volume.spacing[2]) for mm in (10, -10))
        assert count_lumens(airways[up], volume) == 1
        assert count_lumens(airways[down], volume) == 2


def count_lumens(mask: np.ndarray, volume: Volume) -> int:
    labels, number = ndimage.label(mask, np.ones((3, 3)))
    areas = np.bincount(labels.ravel(), minlength=number + 1)[1:] * volume.spacing[0] * volume.spacing[1]
    return int((areas > 20).sum())


def test_a_trachea_without_a_carina_in_view_is_all_that_is_seen(phantom: tuple[Volume, Masks]) -> None:
    volume, truth = phantom
    lowest = int(np.flatnonzero(truth["lung_right"].any(axis=(1, 2)))[-1]) - 12
    affine = volume.affine.copy()
    affine[:3, 3] = volume.affine[:3] @ [0, 0, lowest, 1]
    upper = replace(volume, voxels=volume.voxels[lowest:], affine=affine)
    masks = segment(upper, "trachea", "airways")
    assert (masks["trachea"] == masks["airways"]).all()


# ------------------------------------------------------------------------------------------------- odd patients


def test_one_lung_invents_no_other(phantom: tuple[Volume, Masks]) -> None:
    volume, truth = phantom
    for gone, stays in (("lung_left", "lung_right"), ("lung_right", "lung_left")):
        voxels = np.where(truth[gone], 20, volume.voxels).astype(np.int16)  # filled with fluid
        masks = segment(replace(volume, voxels=voxels), gone, stays)
        assert not masks[gone].any()
        assert dice(masks[stays], truth[stays]) > 0.98


def test_lungs_that_touch_are_parted(phantom: tuple[Volume, Masks]) -> None:
    volume, truth = phantom
    right, left = truth["lung_right"], truth["lung_left"]
    voxels = volume.voxels.copy()
    rows = slice(26, 30)  # a bridge of lung in front of the heart's great vessels, without a junction line
    middle = volume.shape[2] // 2
    bridge = np.zeros_like(right)
    bridge[50:58, rows, middle - 9 : middle + 9] = True
    bridge &= ~truth["airways"] & ~truth["skeleton"]
    voxels[bridge] = -850
    masks = segment(replace(volume, voxels=voxels), "lung_left", "lung_right")
    assert dice(masks["lung_right"], right) > 0.97
    assert dice(masks["lung_left"], left) > 0.97
    assert not (masks["lung_left"] & masks["lung_right"]).any()


def test_head_end_of_nothing_but_air_is_empty() -> None:
    rng = np.random.default_rng(3)
    air = rng.normal(-1000, 10, (20, 30, 30)).astype(np.int16)
    volume = Volume(air, np.diag([-3.0, -3.0, 3.0, 1.0]), Modality.CT)
    masks = segment(volume, *EVERYTHING)
    assert not any(mask.any() for mask in masks.values())


@pytest.mark.parametrize("shape", [(1, 60, 60), (40, 1, 40), (2, 3, 2)])
def test_thin_volumes_don_t_fail(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(5)
    volume = Volume(rng.integers(-1000, 1200, shape).astype(np.int16), np.diag([2.0, 2.0, 5.0, 1.0]), Modality.CT)
    assert set(segment(volume, *EVERYTHING)) == set(EVERYTHING)


# ------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target("left kidney", "kidney_left"), ("left kidney", "pip install TotalSegmentator", "--reference")),
        (Target("liver", "liver"), ("liver", "TotalSegmentator")),
        (Target("liver tumour", "liver_tumor"), ("liver tumour", "VoxTell", "pip install voxtell", "--reference")),
        (Target("ground-glass halo"), ("ground-glass halo", "VoxTell")),
    ],
)
def test_other_targets_are_refused_with_advice(
    phantom: tuple[Volume, Masks], target: Target, words: tuple[str, ...]
) -> None:
    volume, _ = phantom
    spec = TargetSpec("", (Target("right lung", "lung_right"), target))
    with pytest.raises(UnsupportedTarget) as caught:
        ClassicalBackbone().segment(volume, spec, ignore_progress, CancelToken())
    assert caught.value.code == "target-unsupported"
    for word in words:
        assert word in caught.value.user_message


def test_other_images_are_refused(phantom: tuple[Volume, Masks]) -> None:
    volume, _ = phantom
    spec = TargetSpec("", (Target("right lung", "lung_right"),))
    stored = (volume.voxels.astype(np.int32) + 1024).astype(np.uint16)  # rescale intercept lost
    for other, code in (
        (replace(volume, modality=Modality.MR), "modality-unsupported"),
        (replace(volume, modality=Modality.UNKNOWN), "modality-unknown"),
        (replace(volume, voxels=stored), "not-hounsfield"),
    ):
        with pytest.raises(BackboneError) as caught:
            ClassicalBackbone().segment(other, spec, ignore_progress, CancelToken())
        assert caught.value.code == code


def test_cancel_stops_it_and_progress_moves_on(phantom: tuple[Volume, Masks]) -> None:
    volume, _ = phantom
    spec = TargetSpec("", (Target("skeleton", "skeleton"),))
    cancel = CancelToken()
    fractions: list[float] = []

    def listen(progress: Progress) -> None:
        if progress.fraction is not None:
            fractions.append(progress.fraction)
        if progress.fraction is not None and progress.fraction >= 0.2:
            cancel.cancel()

    with pytest.raises(Cancelled):
        ClassicalBackbone().segment(volume, spec, listen, cancel)
    assert fractions == sorted(fractions)
    assert fractions[-1] < 0.7
