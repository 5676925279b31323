"""measure(): facts of real images and phantoms, in any orientation, and evidence that follows the image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from SEERSegmentLib.errors import Cancelled
from SEERSegmentLib.grounding import measure
from SEERSegmentLib.imaging import read_volume
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.protocols import CancelToken
from SEERSegmentLib.values import Evidence, ImageFacts, Modality, Volume

Sample = Callable[..., Path]

FLIPS = list(product((False, True), repeat=3))
ORIENTATIONS = [(axes, flips) for axes in permutations((0, 1, 2)) for flips in FLIPS]


def turned(volume: Volume, axes: tuple[int, ...], flips: tuple[bool, ...]) -> Volume:
    """The same image with its index axes permuted and flipped: every voxel keeps its place in the patient."""
    voxels = volume.voxels.transpose(axes)[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    to_source = np.zeros((4, 4))
    to_source[3, 3] = 1
    for new, (old, flip) in enumerate(zip(axes, flips, strict=True)):
        to_source[2 - old, 2 - new] = -1 if flip else 1
        to_source[2 - old, 3] = volume.shape[old] - 1 if flip else 0
    return replace(volume, voxels=voxels, affine=volume.affine @ to_source)


def by_name(facts: ImageFacts) -> dict[str, Evidence]:
    return {item.name: item for item in facts.evidence}


def heights(facts: ImageFacts) -> dict[str, float]:
    return {mark.name: mark.s_mm for mark in facts.landmarks}


@pytest.fixture(scope="module")
def abdomen(sample: Sample) -> Volume:
    return read_volume(sample("example-ct"), modality=Modality.CT)


@pytest.fixture(scope="module")
def chest(sample: Sample) -> Volume:
    return read_volume(sample("aorta-ct"), modality=Modality.CT)


def test_every_item_says_where_it_comes_from(abdomen: Volume) -> None:
    facts = measure(abdomen)
    names = [item.name for item in facts.evidence]
    assert len(names) == len(set(names))
    assert {"modality", "field-of-view", "voxel-size", "intensity-range", "midline", "covered-levels"} <= set(names)
    for item in facts.evidence:
        assert item.source
        assert item.text.endswith(".")
        assert item.value is not None
    assert by_name(facts)["field-of-view"].source == "axial slices 0-111 (LPS order)"
    assert facts.field_of_view_mm == pytest.approx((366, 303, 336))


def test_the_abdomen_shows_lung_bases_and_iliac_crests(abdomen: Volume) -> None:
    facts = measure(abdomen)
    # Read off the reference labels: the lungs start at slice 101-102, the hip bones end at slice 60 of 3 mm.
    bottom = abdomen.affine[2, 3]
    assert heights(facts)["lung base"] == pytest.approx(bottom + 3 * 101.5, abs=6)
    assert heights(facts)["iliac crest"] == pytest.approx(bottom + 3 * 60, abs=6)
    assert "lung apex" not in heights(facts)
    assert [(r.region, r.complete) for r in facts.regions] == [("thorax", False), ("abdomen", False), ("pelvis", False)]


def test_the_chest_is_complete(chest: Volume) -> None:
    facts = measure(chest)
    assert {r.region: r.complete for r in facts.regions}["thorax"]
    assert set(heights(facts)) == {"lung apex", "lung base"}
    assert facts.covered_levels is not None
    top, bottom = facts.covered_levels
    assert 2 < top < 7  # the chin is in the image, the brain is not
    assert 20 < bottom < 24  # the kidneys' upper halves are, the pelvis is not
    assert "contrast-medium" in by_name(facts)


def test_the_midline_lies_in_the_spine(abdomen: Volume, sample: Sample) -> None:
    labels = read_volume(sample("example-ct", "labels"), modality=Modality.CT)
    k, j, i = np.nonzero(labels.voxels == 29)  # L3
    spine_r = float((labels.affine @ [i.mean(), j.mean(), k.mean(), 1])[0])
    midline = measure(abdomen).midline_r_mm
    assert midline == pytest.approx(spine_r, abs=10)


@pytest.mark.parametrize("name", ["example-ct", "aorta-ct", "ct-chest"])
def test_a_mirrored_patient_mirrors_the_midline(name: str, sample: Sample) -> None:
    volume = read_volume(sample(name), modality=Modality.CT)
    mirrored = replace(volume, voxels=volume.voxels[:, :, ::-1])
    corners = [volume.affine[0, 3], (volume.affine @ [volume.shape[2] - 1, 0, 0, 1])[0]]
    first, second = measure(volume).midline_r_mm, measure(mirrored).midline_r_mm
    assert first is not None
    assert second == pytest.approx(sum(corners) - first, abs=2 * volume.spacing[0])


@pytest.mark.parametrize("part", [slice(40, None), slice(None, -40), slice(50, -50)], ids=["right", "left", "both"])
def test_a_field_of_view_that_cuts_the_patient_keeps_the_midline(chest: Volume, part: slice) -> None:
    affine = np.array(chest.affine)
    affine[:3, 3] = (affine @ [part.start or 0, 0, 0, 1])[:3]
    cut = replace(chest, voxels=chest.voxels[:, :, part], affine=affine)
    assert measure(cut).midline_r_mm == pytest.approx(measure(chest).midline_r_mm, abs=10)


def test_half_a_patient_has_no_midline(chest: Volume) -> None:
    assert measure(replace(chest, voxels=chest.voxels[:, :, : chest.shape[2] // 2])).midline_r_mm is None


def test_all_48_orientations_give_the_same_facts(sample: Sample) -> None:
    volume = read_volume(sample("example-ct-sm"), modality=Modality.CT)
    expected = measure(volume)
    assert expected.covered_levels is not None
    for axes, flips in ORIENTATIONS:
        facts = measure(turned(volume, axes, flips))
        assert facts.field_of_view_mm == pytest.approx(expected.field_of_view_mm)
        assert facts.covered_levels == pytest.approx(expected.covered_levels)
        assert facts.midline_r_mm == pytest.approx(expected.midline_r_mm)
        assert heights(facts) == pytest.approx(heights(expected))
        for one, other in zip(facts.evidence, expected.evidence, strict=True):
            if one.name != "voxel-size":  # told in index order
                assert (one.name, one.text, one.source) == (other.name, other.text, other.source)


@pytest.mark.parametrize("degrees", [8.0, 25.0])
def test_an_oblique_grid_gives_the_same_landmarks(chest: Volume, degrees: float) -> None:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(chest.voxels.astype(np.int16))
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ chest.affine
    spacing = np.array(chest.spacing)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    angle = np.radians(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    direction = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]) @ (lps[:3, :3] / spacing)
    size = [int(1.25 * n) for n in image.GetSize()]
    centre = np.array(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()]))
    origin = centre - direction @ (spacing * (np.array(size) - 1) / 2)
    resampled = sitk.Resample(
        image, size, sitk.Transform(), sitk.sitkLinear, origin.tolist(), spacing.tolist(), direction.ravel().tolist(),
        -1024,
    )  # fmt: skip
    affine = np.eye(4)
    affine[:3, :3] = np.diag([-1.0, -1.0, 1.0]) @ direction * spacing
    affine[:3, 3] = np.array([-1.0, -1.0, 1.0]) * origin
    facts = measure(Volume(sitk.GetArrayFromImage(resampled), affine, Modality.CT, "user"))
    expected = measure(chest)
    assert heights(facts) == pytest.approx(heights(expected), abs=10)
    assert facts.midline_r_mm == pytest.approx(expected.midline_r_mm, abs=8)
    assert facts.covered_levels == pytest.approx(expected.covered_levels, abs=1.0)


def test_a_changed_image_changes_its_evidence(abdomen: Volume) -> None:
    before = by_name(measure(abdomen))
    brighter = by_name(measure(replace(abdomen, voxels=abdomen.voxels + 7)))
    for name in ("intensity-range", "intensity-percentiles"):
        assert np.subtract(brighter[name].value, before[name].value) == pytest.approx(7, abs=0.2)
    lower = np.array(abdomen.affine)
    lower[2, 3] -= 50
    moved = by_name(measure(replace(abdomen, affine=lower)))
    crest = "landmark-iliac-crest"
    assert moved[crest].value == pytest.approx(before[crest].value - 50)
    assert moved[crest].source == before[crest].source
    shorter = by_name(measure(replace(abdomen, voxels=abdomen.voxels[:90])))
    assert shorter["field-of-view"].value != before["field-of-view"].value
    assert shorter["covered-levels"].value != before["covered-levels"].value
    without_crest = abdomen.voxels.copy()
    without_crest[:70][without_crest[:70] > 150] = 60
    assert crest not in by_name(measure(replace(abdomen, voxels=without_crest)))


def test_a_bone_in_one_more_place_changes_the_tissue_fractions(abdomen: Volume) -> None:
    voxels = abdomen.voxels.copy()
    voxels[20:60, 30:60, 40:80] = 900
    before = by_name(measure(abdomen))["tissue-fractions"].value
    after = by_name(measure(replace(abdomen, voxels=voxels)))["tissue-fractions"].value
    assert isinstance(before, tuple)
    assert isinstance(after, tuple)
    assert after[2] > before[2] + 0.02


def test_an_mr_tells_no_levels(sample: Sample) -> None:
    facts = measure(read_volume(sample("example-mr-sm"), modality=Modality.MR))
    assert facts.modality is Modality.MR
    assert facts.covered_levels is None
    assert facts.landmarks == ()
    assert facts.regions == ()
    assert "HU" not in {item.unit for item in facts.evidence}


def test_the_same_voxels_called_mr_tell_no_levels(chest: Volume) -> None:
    assert measure(replace(chest, modality=Modality.MR)).covered_levels is None
    assert measure(replace(chest, modality=Modality.UNKNOWN)).covered_levels is None


def test_a_ct_without_hounsfield_units_tells_no_levels(chest: Volume) -> None:
    facts = measure(replace(chest, voxels=chest.voxels + 2000))
    assert facts.covered_levels is None
    assert by_name(facts)["intensity-range"].unit == ""


def test_a_generated_chest_has_its_midline_in_the_middle() -> None:
    volume, truth = chest_phantom(4.0)
    facts = measure(volume)
    assert facts.midline_r_mm == pytest.approx(0, abs=5)
    lung = truth["lung_left"] | truth["lung_right"]
    rows = np.flatnonzero(lung.any(axis=(1, 2)))
    found = heights(facts)
    assert found["lung apex"] == pytest.approx(volume.affine[2, 3] + 4 * rows.max(), abs=8)
    assert found["lung base"] == pytest.approx(volume.affine[2, 3] + 4 * rows.min(), abs=8)


@pytest.mark.parametrize(
    "voxels",
    [
        np.zeros((1, 1, 1), np.int16),
        np.full((4, 5, 6), -1000, np.int16),
        np.zeros((1, 200, 200), np.float32),
        np.full((20, 20, 20), np.nan, np.float32),
        np.full((20, 20, 20), 3e38, np.float64),
        np.random.default_rng(0).normal(0, 300, (30, 30, 30)).astype(np.float32),
    ],
    ids=["one voxel", "air", "one slice", "not a number", "huge", "noise"],
)
def test_an_image_of_nothing_is_measured_without_claims(voxels: NDArray[np.generic]) -> None:
    facts = measure(Volume(voxels, np.diag([2.0, 2.0, 2.0, 1.0]), Modality.CT, "user"))
    assert facts.covered_levels is None
    assert facts.midline_r_mm is None
    assert facts.landmarks == ()


def test_a_cancelled_run_stops(chest: Volume) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        measure(chest, token)


def test_measuring_leaves_the_voxels_alone(sample: Sample) -> None:
    volume = read_volume(sample("example-ct-sm"), modality=Modality.CT)
    before = volume.voxels.copy()
    measure(volume)
    assert np.array_equal(volume.voxels, before)


def test_memory_stays_below_half_the_volume() -> None:
    import tracemalloc

    import scipy.ndimage  # noqa: F401  (its import is not the measurement's memory)

    small, _ = chest_phantom(3.0)
    voxels = small.voxels.repeat(3, axis=0).repeat(3, axis=1).repeat(3, axis=2)  # 1 mm: 72 MB
    volume = replace(small, voxels=voxels, affine=small.affine @ np.diag([1 / 3, 1 / 3, 1 / 3, 1.0]))
    tracemalloc.start()
    try:
        measure(volume)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.5 * voxels.nbytes
