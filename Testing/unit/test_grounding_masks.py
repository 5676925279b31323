"""check_masks(): what is said of masks after segmentation, in any orientation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from SEERSegmentLib.anatomy import label_set, load_vocabulary
from SEERSegmentLib.grounding import check_masks, measure
from SEERSegmentLib.grounding.mask_geometry import centroid_ras, pieces, side_shares, trim
from SEERSegmentLib.imaging import read_labelmap, read_volume
from SEERSegmentLib.values import Finding, ImageFacts, Mask, Modality, Segment, Severity, Target, Volume

Sample = Callable[..., Path]

SHAPE = (60, 70, 80)


def target_of(structure: str) -> Target:
    known = load_vocabulary().get(structure)
    return Target(known.name, known.id, known.side, known.level, known.code)


def grid(spacing: float = 4.0) -> Volume:
    """An RAS grid whose R = 0 lies in its middle column."""
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = [-spacing * (n - 1) / 2 for n in SHAPE[::-1]]
    return Volume(np.zeros(SHAPE, np.int16), affine, Modality.CT, "user")


def facts_of(volume: Volume, midline: float | None = 0.0) -> ImageFacts:
    return ImageFacts(volume.modality, "user", volume.shape, volume.spacing, (1.0, 1.0, 1.0), midline_r_mm=midline)


def block(k: slice, j: slice, i: slice) -> NDArray[np.bool_]:
    voxels = np.zeros(SHAPE, dtype=bool)
    voxels[k, j, i] = True
    return voxels


def check(structure: str, voxels: NDArray[np.bool_], volume: Volume, midline: float | None = 0.0) -> dict[str, Finding]:
    found = check_masks([Mask(voxels, volume.affine, target_of(structure))], facts_of(volume, midline), volume)
    assert not any(finding.blocking for finding in found)
    assert all(finding.target for finding in found)
    return {finding.code: finding for finding in found}


KIDNEY = (slice(20, 45), slice(20, 35), slice(55, 70))  # 25 × 15 × 15 voxels of 4 mm: 360 mL, on the right


def test_a_plausible_mask_only_gets_its_side_confirmed() -> None:
    found = check("kidney_right", block(*KIDNEY), grid())
    assert list(found) == ["side-of-patient"]
    assert (found["side-of-patient"].status, found["side-of-patient"].severity) == ("agree", Severity.INFO)


def test_an_empty_mask_says_so_and_nothing_else() -> None:
    found = check("kidney_right", np.zeros(SHAPE, dtype=bool), grid())
    assert list(found) == ["mask-empty"]
    assert found["mask-empty"].severity is Severity.WARNING


def test_an_implausible_volume_is_named_with_its_range() -> None:
    volume = grid()
    large = check("kidney_right", block(slice(2, 58), slice(2, 60), slice(45, 78)), volume)["volume-implausible"]
    assert "6860 mL" in large.message
    assert f"{load_vocabulary().get('kidney_right').volume_ml[1]:.0f} mL" in large.message
    assert "volume-implausible" in check("kidney_right", block(slice(20, 22), slice(20, 22), slice(60, 62)), volume)


def test_a_small_volume_is_no_news_where_the_border_cuts_the_organ() -> None:
    found = check("kidney_right", block(slice(58, 60), slice(20, 25), slice(60, 64)), grid())
    assert "volume-implausible" not in found
    assert "top border" in found["mask-touches-border"].message


@pytest.mark.parametrize(
    ("part", "word"),
    [
        ((slice(0, 20), slice(20, 30), slice(60, 70)), "bottom"),
        ((slice(40, 60), slice(20, 30), slice(60, 70)), "top"),
        ((slice(20, 40), slice(0, 10), slice(60, 70)), "back"),
        ((slice(20, 40), slice(60, 70), slice(60, 70)), "front"),
        ((slice(20, 40), slice(20, 30), slice(70, 80)), "right"),
        ((slice(20, 40), slice(20, 30), slice(0, 10)), "left"),
    ],
)
def test_the_border_is_named_as_the_patient_s_in_every_orientation(part: tuple[slice, slice, slice], word: str) -> None:
    volume, voxels = grid(), block(*part)
    for axes in permutations((0, 1, 2)):
        for flips in product((False, True), repeat=3):
            turned, mask = turn(volume, voxels, axes, flips)
            message = check("kidney_right", mask, turned)["mask-touches-border"].message
            assert f"reaches the {word} border" in message


def turn(
    volume: Volume, mask: NDArray[np.bool_], axes: tuple[int, ...], flips: tuple[bool, ...]
) -> tuple[Volume, NDArray[np.bool_]]:
    where = tuple(slice(None, None, -1 if flip else 1) for flip in flips)
    to_source = np.zeros((4, 4))
    to_source[3, 3] = 1
    for new, (old, flip) in enumerate(zip(axes, flips, strict=True)):
        to_source[2 - old, 2 - new] = -1 if flip else 1
        to_source[2 - old, 3] = volume.shape[old] - 1 if flip else 0
    turned = replace(volume, voxels=volume.voxels.transpose(axes)[where], affine=volume.affine @ to_source)
    return turned, mask.transpose(axes)[where]


def test_vessels_and_bones_that_run_on_are_no_warning() -> None:
    voxels = block(slice(0, 60), slice(30, 35), slice(38, 43))
    assert check("aorta", voxels, grid())["mask-touches-border"].severity is Severity.INFO
    assert check("liver", voxels, grid())["mask-touches-border"].severity is Severity.WARNING


@pytest.mark.parametrize(
    ("structure", "midline", "status"),
    [
        ("kidney_right", 0.0, "agree"),
        ("kidney_left", 0.0, "disagree"),
        ("kidney_right", None, "can't tell"),
        ("kidney_right", 90.0, "can't tell"),
        ("kidney_right", 200.0, "disagree"),
        ("liver", 0.0, "agree"),
        ("spleen", 0.0, "disagree"),
    ],
)
def test_the_side_is_judged_from_the_midline(structure: str, midline: float | None, status: str) -> None:
    # The block's centre lies 88 to 92 mm right of the grid's middle.
    finding = check(structure, block(*KIDNEY), grid(), midline)["side-of-patient"]
    assert finding.status == status
    assert (finding.severity is Severity.WARNING) == (status == "disagree")


def test_both_of_a_pair_called_one_of_them_disagrees() -> None:
    both = block(slice(20, 40), slice(20, 30), slice(8, 20)) | block(slice(20, 40), slice(20, 30), slice(58, 75))
    finding = check("kidney_right", both, grid())["side-of-patient"]
    assert finding.status == "disagree"
    assert "both sides" in finding.message


def test_midline_structures_have_no_side_to_judge() -> None:
    assert "side-of-patient" not in check("urinary_bladder", block(*KIDNEY), grid())


def test_free_text_is_checked_for_what_can_be_known() -> None:
    volume = grid()
    mask = Mask(block(*KIDNEY), volume.affine, Target("odd thing"))
    assert check_masks([mask], facts_of(volume), volume) == ()


def test_pieces_are_counted_where_one_is_expected() -> None:
    apart = block(slice(20, 30), slice(20, 35), slice(55, 70)) | block(slice(35, 45), slice(20, 35), slice(55, 70))
    finding = check("kidney_right", apart, grid())["mask-fragmented"]
    assert "2 separate pieces" in finding.message
    assert "50%" in finding.message
    speck = block(*KIDNEY)
    speck[10, 10, 10] = True
    assert "mask-fragmented" not in check("kidney_right", speck, grid())


def test_overlap_is_told_once_and_only_for_things_that_should_not_share() -> None:
    volume = grid()
    first = Mask(block(*KIDNEY), volume.affine, target_of("kidney_right"))
    second = Mask(block(slice(20, 45), slice(20, 35), slice(50, 60)), volume.affine, target_of("liver"))
    whole = Mask(block(slice(10, 50), slice(10, 50), slice(40, 75)), volume.affine, target_of("skeleton"))
    codes = [f.code for f in check_masks([first, second, whole], facts_of(volume), volume)]
    assert codes.count("masks-overlap") == 1


def test_a_mask_off_the_grid_is_said_and_not_checked() -> None:
    volume = grid()
    wrong = Mask(np.ones((3, 3, 3), dtype=bool), volume.affine, target_of("liver"))
    moved = Mask(block(*KIDNEY), volume.affine + np.eye(4)[:, [3, 0, 1, 2]] * 5, target_of("liver"))
    found = check_masks([wrong, moved], facts_of(volume), volume)
    assert [f.code for f in found] == ["mask-off-grid", "mask-off-grid"]


def test_segments_are_checked_as_their_masks() -> None:
    volume = grid()
    mask = Mask(block(*KIDNEY), volume.affine, target_of("kidney_right"))
    segment = Segment("kidney_right", "right kidney", mask, (1, 2, 3), None, 360.0)
    assert check_masks([segment], facts_of(volume), volume) == check_masks([mask], facts_of(volume), volume)


# --------------------------------------------------------------------------------------------------------- real data


@pytest.mark.parametrize("mirrored", [False, True])
def test_reference_labels_lie_on_their_sides_and_a_mirrored_patient_s_on_the_other(
    sample: Sample, mirrored: bool
) -> None:
    volume = read_volume(sample("example-ct"), modality=Modality.CT)
    labels = read_labelmap(sample("example-ct", "labels")).voxels
    if mirrored:
        volume, labels = replace(volume, voxels=volume.voxels[:, :, ::-1]), labels[:, :, ::-1]
    facts = measure(volume)
    known, names = load_vocabulary().structures, label_set(Modality.CT)
    masks = [
        Mask(labels == number, volume.affine, target_of(names[int(number)]))
        for number in np.unique(labels)[1:]
        if names[int(number)] in known
    ]
    found = check_masks(masks, facts, volume)
    status = {f.target: f.status for f in found if f.code == "side-of-patient"}
    assert len(status) > 35
    sure = {name: s for name, s in status.items() if s != "can't tell"}
    assert len(sure) > 0.9 * len(status)
    assert set(sure.values()) == ({"disagree"} if mirrored else {"agree"})
    assert not [f for f in found if f.code in {"mask-empty", "volume-implausible", "masks-overlap"}]


# -------------------------------------------------------------------------------------------------------- properties


@st.composite
def placed_boxes(draw: st.DrawFn) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """A box in a small image with any orthogonal affine, oblique and left-handed ones included."""
    shape = draw(st.tuples(*[st.integers(2, 12)] * 3))
    voxels = np.zeros(shape, dtype=bool)
    part = []
    for length in shape:
        start = draw(st.integers(0, length - 1))
        part.append(slice(start, draw(st.integers(start + 1, length))))
    voxels[tuple(part)] = True
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = rotation * rng.uniform(0.3, 5, 3)
    affine[:3, 3] = rng.uniform(-200, 200, 3)
    return voxels, affine


@given(placed=placed_boxes())
def test_centroid_and_shares_agree_with_every_voxel_s_own_place(
    placed: tuple[NDArray[np.bool_], NDArray[np.float64]],
) -> None:
    voxels, affine = placed
    box = trim(voxels)
    assert box is not None
    k, j, i = np.nonzero(voxels)
    world = (affine @ np.stack([i, j, k, np.ones_like(i)]))[:3]
    assert centroid_ras(voxels[box], box, affine) == pytest.approx(world.mean(axis=1), abs=1e-6)
    off = world[0] - world[0].mean()
    right, left = side_shares(voxels[box], box, affine, float(world[0].mean()), 1.0)
    assert right == pytest.approx((off > 1.0).mean(), abs=1e-9) or np.isclose(off, 1.0).any()
    assert left == pytest.approx((off < -1.0).mean(), abs=1e-9) or np.isclose(off, -1.0).any()


@settings(max_examples=30)
@given(placed=placed_boxes())
def test_any_placed_mask_is_checked_without_an_error(
    placed: tuple[NDArray[np.bool_], NDArray[np.float64]],
) -> None:
    voxels, affine = placed
    volume = Volume(np.zeros(voxels.shape, np.int16), affine, Modality.CT, "user")
    found = check_masks([Mask(voxels, affine, target_of("liver"))], facts_of(volume), volume)
    touches = any((part.start == 0 or part.stop == n) for part, n in zip(trim(voxels) or (), voxels.shape, strict=True))
    assert ("mask-touches-border" in {f.code for f in found}) == touches


def test_trim_of_nothing_is_nothing() -> None:
    assert trim(np.zeros((3, 4, 5), dtype=bool)) is None


def test_large_masks_are_counted_in_blocks() -> None:
    voxels = np.zeros((180, 180, 180), dtype=bool)  # more than is labelled voxel by voxel
    voxels[10:60, 10:60, 10:60] = True
    voxels[100:170, 100:170, 100:170] = True
    sizes = pieces(voxels)
    assert len(sizes) == 2
    assert sizes[1] / sizes[0] == pytest.approx((50 / 70) ** 3, rel=0.1)
