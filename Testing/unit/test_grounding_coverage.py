"""Body levels: what the slices cover, judged widely; nothing that is there is ever called out of view."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from SEERSegmentLib.anatomy import label_set, load_vocabulary
from SEERSegmentLib.grounding import check_spec, measure
from SEERSegmentLib.grounding.coverage import Extent, body_scale, covered_levels
from SEERSegmentLib.grounding.landmarks import LevelMark
from SEERSegmentLib.imaging import read_labelmap, read_volume, to_lps
from SEERSegmentLib.values import Finding, ImageFacts, Modality, Request, Severity, Target, TargetSpec, Volume

Sample = Callable[..., Path]

PRESENT_VOXELS = 500


def findings_for(structure: str, facts: ImageFacts) -> tuple[Finding, ...]:
    known = load_vocabulary().get(structure)
    target = Target(known.name, known.id, known.side, known.level, known.code)
    return check_spec(TargetSpec(known.name, (target,)), Request("outline it"), facts)


def out_of_view(facts: ImageFacts, among: Iterable[str] = ()) -> set[str]:
    """Ids of the structures, of the whole vocabulary or among some, that are called out of view."""
    return {
        name
        for name in among or load_vocabulary().structures
        if any(finding.code == "target-out-of-view" for finding in findings_for(name, facts))
    }


def present(labels: NDArray[np.generic]) -> set[str]:
    """Structures that a label map of TotalSegmentator's task ``total`` shows."""
    names = label_set(Modality.CT)
    ids, counts = np.unique(labels, return_counts=True)
    return {names[int(i)] for i, n in zip(ids, counts, strict=True) if i and n >= PRESENT_VOXELS}


def slab(volume: Volume, first: int, last: int) -> Volume:
    """Some slices of a volume in LPS order, where they were."""
    affine = np.array(volume.affine)
    affine[:3, 3] = (affine @ [0, 0, first, 1])[:3]
    return replace(volume, voxels=volume.voxels[first:last], affine=affine)


def labelled(sample: Sample, name: str) -> tuple[Volume, Volume]:
    volume = to_lps(read_volume(sample(name), modality=Modality.CT))
    labels = to_lps(read_labelmap(sample(name, "labels")))
    assert np.allclose(volume.affine, labels.affine, atol=1e-2)
    return volume, labels


@pytest.mark.parametrize("name", ["example-ct", "example-ct-sm", "example-dicom"])
def test_nothing_present_is_called_out_of_view(name: str, sample: Sample) -> None:
    volume, labels = labelled(sample, name)
    there = present(labels.voxels)
    assert len(there) > 20
    assert there & out_of_view(measure(volume)) == set()


def test_what_the_abdomen_cannot_show_is_called_out_of_view(sample: Sample) -> None:
    facts = measure(read_volume(sample("example-ct"), modality=Modality.CT))
    missing = out_of_view(facts)
    assert {"brain", "thyroid_gland", "clavicula_left", "clavicula_right", "skull", "trachea", "rib_left_1"} <= missing
    assert {
        "heart",
        "lung_left",
        "liver",
        "urinary_bladder",
        "prostate",
        "femur_left",
        "sacrum",
        "aorta",
    } & missing == set()
    finding = findings_for("brain", facts)[0]
    assert finding.severity is Severity.WARNING
    assert not finding.blocking
    assert "brain" in finding.message
    assert "above" in finding.message


def test_what_the_chest_can_and_cannot_show(sample: Sample) -> None:
    missing = out_of_view(measure(read_volume(sample("aorta-ct"), modality=Modality.CT)))
    # Seen in the image, from the chin to the kidneys, or in its references.
    seen = {
        "aorta", "brachiocephalic_trunk", "common_carotid_artery_left", "subclavian_artery_left", "vertebrae_T12",
        "vertebrae_T1", "vertebrae_C7", "vertebrae_C6", "trachea", "thyroid_gland", "lung_upper_lobe_left",
        "lung_lower_lobe_right", "heart", "sternum", "clavicula_left", "scapula_right", "humerus_left", "mandible",
        "liver", "spleen", "stomach", "kidney_left", "kidney_right", "colon", "vertebrae_L1", "rib_left_1", "esophagus",
    }  # fmt: skip
    assert seen & missing == set()
    assert {"brain", "urinary_bladder", "prostate", "femur_left", "femur_right", "hip_left", "sacrum"} <= missing


def test_what_a_thick_sliced_chest_can_and_cannot_show(sample: Sample) -> None:
    missing = out_of_view(measure(read_volume(sample("ct-chest"), modality=Modality.CT)))
    assert {
        "lung_left",
        "lung_right",
        "heart",
        "clavicula_left",
        "liver",
        "kidney_left",
        "vertebrae_T1",
    } & missing == set()
    assert {"brain", "urinary_bladder", "femur_left", "prostate"} <= missing


@settings(max_examples=40)
@given(
    data=st.tuples(st.integers(0, 111), st.integers(0, 111)),
    width=st.sampled_from([slice(None), slice(20, None), slice(None, -20), slice(25, -25)]),
)
def test_no_part_of_the_abdomen_loses_what_it_shows(sample: Sample, data: tuple[int, int], width: slice) -> None:
    volume, labels = labelled_once(sample)
    first, last = min(data), max(data) + 1
    part = slab(volume, first, last)
    affine = np.array(part.affine)
    affine[:3, 3] = (affine @ [width.start or 0, 0, 0, 1])[:3]
    part = replace(part, voxels=part.voxels[:, :, width], affine=affine)
    shown = present(labels.voxels[first:last, :, width]) or {"body"}
    assert out_of_view(measure(part), shown) == set()


_ABDOMEN: list[tuple[Volume, Volume]] = []


def labelled_once(sample: Sample) -> tuple[Volume, Volume]:
    if not _ABDOMEN:
        _ABDOMEN.append(labelled(sample, "example-ct"))
    return _ABDOMEN[0]


@pytest.mark.parametrize("scale", [0.35, 0.5, 0.7, 0.85, 1.2])
def test_patients_of_other_sizes_lose_nothing_either(scale: float, sample: Sample) -> None:
    volume, labels = labelled_once(sample)
    sized = replace(volume, affine=np.diag([scale, scale, scale, 1.0]) @ volume.affine)
    for first, last in ((0, 112), (0, 60), (60, 112)):
        shown = present(labels.voxels[first:last])
        assert out_of_view(measure(slab(sized, first, last)), shown) == set()


@pytest.mark.parametrize(("first", "last"), [(0, 64), (64, 128), (128, 191), (150, 191), (30, 100)])
def test_parts_of_the_chest_keep_what_they_show(first: int, last: int, sample: Sample) -> None:
    volume = to_lps(read_volume(sample("aorta-ct"), modality=Modality.CT))
    missing = out_of_view(measure(slab(volume, first, last)))
    always = {"lung_left", "lung_right", "lungs", "spine", "skeleton", "esophagus", "body"}
    lower = {"heart", "liver", "vertebrae_T12", "vertebrae_T10", "aorta", "stomach", "spleen"} if first == 0 else set()
    upper = {"thyroid_gland", "clavicula_left", "trachea", "vertebrae_T1", "humerus_left"} if last == 191 else set()
    assert (always | lower | upper) & missing == set()
    assert {"brain", "urinary_bladder"} <= missing


def test_a_slab_without_landmarks_tells_nothing(sample: Sample) -> None:
    volume, _ = labelled_once(sample)
    facts = measure(slab(volume, 66, 92))  # between the iliac crests and the lungs
    assert facts.covered_levels is None
    assert out_of_view(facts) == set()


def test_an_mr_calls_nothing_out_of_view(sample: Sample) -> None:
    facts = measure(read_volume(sample("example-mr-sm"), modality=Modality.MR))
    assert out_of_view(facts) == set()


def test_a_group_that_is_partly_out_of_view_is_said_to_be_cut(sample: Sample) -> None:
    facts = measure(read_volume(sample("example-ct"), modality=Modality.CT))
    (finding,) = findings_for("skeleton", facts)
    assert (finding.code, finding.severity, finding.blocking) == ("target-cut-off", Severity.INFO, False)
    assert findings_for("lumbar_spine", facts) == ()


def trunk_with(pockets: list[tuple[float, float]]) -> Volume:
    """200 mm of a trunk with a spine and pockets of 110 mL at -700 HU, at (R, A) in mm."""
    step = 3.0
    s, a, r = np.meshgrid(
        np.arange(0, 200, step), np.arange(-130, 130, step), np.arange(-190, 190, step), indexing="ij"
    )
    voxels = np.full(s.shape, -1000.0)
    voxels[(a / 115) ** 2 + (r / 165) ** 2 <= 1] = 40
    voxels[(a + 60) ** 2 + r**2 <= 20**2] = 300
    for pocket_r, pocket_a in pockets:
        voxels[(s - 100) ** 2 + (a - pocket_a) ** 2 + (r - pocket_r) ** 2 <= 30**2] = -700
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = r.min(), a.min(), s.min()
    return Volume(voxels.astype(np.int16), affine, Modality.CT, "user")


def test_a_pocket_of_stool_on_one_side_is_not_a_lung() -> None:
    assert measure(trunk_with([(90, 40)])).covered_levels is None
    assert measure(trunk_with([])).covered_levels is None
    both = measure(trunk_with([(80, 0), (-80, 0)]))
    assert {mark.name for mark in both.landmarks} == {"lung apex", "lung base"}


# ------------------------------------------------------------------------------------------------------------- heads


def head_phantom(below_mm: float = 120.0, cut_mm: float = 0.0, hole: bool = False) -> Volume:
    """A head of adult size on a neck: skull 8 mm thick about 35 HU of brain; 1000 HU of air around.

    ``below_mm`` of neck hang under the skull base; ``cut_mm`` are missing from the top of the scan; with ``hole`` the
    skull is open on one side, as after a craniectomy.
    """
    step = 2.0
    s, a, r = np.meshgrid(
        np.arange(-below_mm - 60, 110 - cut_mm, step), np.arange(-120, 120, step), np.arange(-100, 100, step),
        indexing="ij",
    )  # fmt: skip

    def ball(grow: float) -> NDArray[np.bool_]:
        inside: NDArray[np.bool_] = (s / (70 + grow)) ** 2 + (a / (88 + grow)) ** 2 + (r / (68 + grow)) ** 2 <= 1
        return inside

    voxels = np.full(s.shape, -1000.0)
    voxels[ball(14) | ((s < 0) & (a**2 + r**2 <= 60**2))] = 40
    shell = ball(8) & ~ball(0)
    if hole:
        shell &= ~((r > 30) & (np.abs(a) < 60))
    voxels[shell] = 900
    voxels[ball(0)] = 35
    spine = (s < -78) & ((a + 20) ** 2 + r**2 <= 16**2)
    voxels[spine] = 400
    voxels += np.random.default_rng(1).normal(0, 8, s.shape)
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = r.min(), a.min(), s.min()
    return Volume(voxels.astype(np.int16), affine, Modality.CT, "user")


def test_a_head_covers_the_brain_and_not_the_belly() -> None:
    facts = measure(head_phantom())
    assert {mark.name for mark in facts.landmarks} == {"vertex", "skull base"}
    marks = {mark.name: mark.s_mm for mark in facts.landmarks}
    assert marks["vertex"] == pytest.approx(84, abs=6)
    assert marks["skull base"] == pytest.approx(-70, abs=12)
    assert ("head", True) in [(r.region, r.complete) for r in facts.regions]
    missing = out_of_view(facts)
    assert {"brain", "skull", "vertebrae_C2", "thyroid_gland"} & missing == set()
    assert {"urinary_bladder", "femur_left"} <= missing
    assert "liver" not in missing  # 12 cm below an infant's skull is its belly, and heads don't tell infants apart
    short = out_of_view(measure(head_phantom(below_mm=40)))
    assert {"liver", "kidney_left", "heart", "urinary_bladder"} <= short
    assert {"brain", "skull", "vertebrae_C2"} & short == set()


def test_a_head_whose_top_is_cut_has_no_vertex() -> None:
    facts = measure(head_phantom(cut_mm=70))
    assert "vertex" not in {mark.name for mark in facts.landmarks}
    assert next((r.region, r.complete) for r in facts.regions) == ("head", False)
    assert "brain" not in out_of_view(facts)


def test_an_open_skull_is_not_read_as_a_head() -> None:
    assert "brain" not in out_of_view(measure(head_phantom(hole=True)))


# -------------------------------------------------------------------------------------------------- levels from marks

MARK = st.builds(
    lambda s, top, wide: LevelMark("mark", "thorax", s, 3.0, top, top + wide, True),
    st.floats(-300, 300),
    st.floats(-5, 30),
    st.floats(0, 5),
)


@given(mark=MARK, up=st.floats(0, 500), down=st.floats(0, 500), more=st.floats(0, 200), scale=st.floats(0.33, 0.75))
def test_more_slices_never_cover_fewer_levels(
    mark: LevelMark, up: float, down: float, more: float, scale: float
) -> None:
    small = covered_levels([mark], Extent(mark.s_mm - down, mark.s_mm + up), scale)
    large = covered_levels([mark], Extent(mark.s_mm - down - more, mark.s_mm + up + more), scale)
    shorter = covered_levels([mark], Extent(mark.s_mm - down, mark.s_mm + up), scale / 2)
    assert small is not None
    for wider in (large, shorter):
        assert wider is not None
        assert wider[0] <= small[0]
        assert wider[1] >= small[1]
    assert small[0] <= mark.top <= mark.bottom <= small[1] or mark.bottom > 57


@given(first=MARK, second=MARK)
def test_a_second_landmark_never_widens_the_span(first: LevelMark, second: LevelMark) -> None:
    extent = Extent(-400, 400)
    alone = covered_levels([first], extent, 0.75)
    both = covered_levels([first, second], extent, 0.75)
    assert alone is not None
    assert both is None or (both[0] >= alone[0] and both[1] <= alone[1])


def test_an_adult_lumbar_spine_spans_its_own_levels() -> None:
    crest = LevelMark("iliac crest", "pelvis", 0.0, 0.0, 24.0, 24.0, True)
    span = covered_levels([crest], Extent(0.0, 144.0), 1.0)
    assert span == (20.0, 24.0)  # L4/5 to the top of L1: four levels of 36 mm in the mean adult


@pytest.mark.parametrize(("width", "scale"), [(None, 0.33), (350.0, 0.75), (280.0, 0.75), (140.0, 0.375), (60.0, 0.33)])
def test_narrow_patients_are_reckoned_as_children(width: float | None, scale: float) -> None:
    assert body_scale(width) == pytest.approx(scale)
