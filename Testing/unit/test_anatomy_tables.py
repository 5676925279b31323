"""The anatomy tables: complete, consistent, and checked by a validator that sees what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from SEERSegmentLib.anatomy import (
    LEVELS,
    Entry,
    UnknownStructure,
    Vocabulary,
    label_set,
    labels_for,
    level_at,
    level_span,
    load_vocabulary,
    resolve_answer,
    validate,
)
from SEERSegmentLib.anatomy.levels import parse_span
from SEERSegmentLib.errors import SeerError, UsageError
from SEERSegmentLib.values import Modality, Side, TargetSpec

VOCABULARY = load_vocabulary()


def test_the_shipped_tables_have_no_problem() -> None:
    assert validate(VOCABULARY) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": "thing"}, "unknown kind"),
        ({"regions": ("tail",)}, "bad regions"),
        ({"span": (5.0, 5.0)}, "empty span"),
        ({"volume_ml": (10.0, 2.0)}, "empty volume range"),
        ({"colour": (0, 0, 300)}, "bad colour"),
        ({"modalities": frozenset()}, "no modality"),
        ({"name": "spleen, whole"}, "separator"),
        ({"stand_in": "spleeen"}, "unknown stand-in"),
        ({"parts": ("spleeen",)}, "unknown part"),
        ({"parts": ("spleen",)}, "part of itself"),
        ({"ts_ct": ()}, "class of 0 structures"),
        ({"ts_ct": ("spleeen",)}, "no class of TotalSegmentator"),
    ],
)
def test_validate_sees_a_damaged_structure(change: dict[str, object], problem: str) -> None:
    damaged = dict(VOCABULARY.structures)
    damaged["spleen"] = replace(damaged["spleen"], **change)
    assert any(problem in found for found in validate(Vocabulary(damaged, VOCABULARY.terms)))


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ((Entry("spleen", "XY"), Entry("liver", "xy")), "not marked ambiguous"),
        ((Entry("spleen", "XY", ambiguous=True),), "has one meaning"),
        ((Entry("spleeen", "XY"),), "unknown 'spleeen'"),
    ],
)
def test_validate_sees_a_damaged_synonym(entries: tuple[Entry, ...], problem: str) -> None:
    assert any(problem in found for found in validate(Vocabulary(VOCABULARY.structures, entries)))


def test_every_class_of_totalsegmentator_is_a_structure_of_its_own() -> None:
    for modality, count in ((Modality.CT, 117), (Modality.MR, 50)):
        names = label_set(modality).values()
        assert len(set(names)) == count
        for name in names:
            assert labels_for(name, modality) == (name,)
            assert VOCABULARY.get(name).id == name


def test_an_unknown_id_is_a_key_error_and_a_seer_error() -> None:
    with pytest.raises(UnknownStructure) as caught:
        VOCABULARY.get("kidney_middle")
    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, SeerError)
    assert "kidney_middle" in str(caught.value)


@pytest.mark.parametrize(
    ("concept", "side", "level", "id"),
    [
        ("kidney", Side.LEFT, "", "kidney_left"),
        ("rib", Side.RIGHT, "7", "rib_right_7"),
        ("vertebra", Side.NONE, "T12", "vertebrae_T12"),
        ("lung_middle_lobe", Side.RIGHT, "", "lung_middle_lobe_right"),
        ("liver", Side.NONE, "", "liver"),
        ("kidney_cyst", Side.NONE, "", "kidney_cyst"),
        ("ribs", Side.LEFT, "", "ribs_left"),
        ("intervertebral_disc", Side.NONE, "L5/S1", "disc_L5_S1"),
    ],
)
def test_a_structure_is_found_by_concept_side_and_level(concept: str, side: Side, level: str, id: str) -> None:
    structure = VOCABULARY.structure_for(concept, side, level)
    assert structure is not None
    assert structure.id == id


@pytest.mark.parametrize(
    ("concept", "side", "level"),
    [
        ("kidney", Side.NONE, ""),
        ("lung_middle_lobe", Side.LEFT, ""),
        ("liver", Side.LEFT, ""),
        ("rib", Side.LEFT, "13"),
        ("vertebra", Side.NONE, "C9"),
    ],
)
def test_what_does_not_exist_or_needs_a_choice_is_none(concept: str, side: Side, level: str) -> None:
    assert VOCABULARY.structure_for(concept, side, level) is None


def test_both_sides_of_a_concept_are_one_structure() -> None:
    kidneys = VOCABULARY.both("kidney")
    assert kidneys is not None
    assert (kidneys.id, kidneys.parts) == ("kidneys", ("kidney_left", "kidney_right"))
    assert VOCABULARY.both("liver") is None


def test_groups_reach_down_to_their_leaves_and_parts_know_their_parents() -> None:
    assert VOCABULARY.parts_closure("lungs") == (
        "lung_lower_lobe_left",
        "lung_lower_lobe_right",
        "lung_middle_lobe_right",
        "lung_upper_lobe_left",
        "lung_upper_lobe_right",
    )
    assert {"lumbar_spine", "vertebrae"} <= set(VOCABULARY.get("vertebrae_L1").parents)
    assert VOCABULARY.parts_closure("spleen") == ("spleen",)


def test_what_holds_parts_is_no_smaller_than_the_smallest_of_them() -> None:
    for structure in VOCABULARY.structures.values():
        for part in map(VOCABULARY.get, structure.parts):
            assert structure.span[0] <= part.span[0], structure.id
            assert part.span[1] <= structure.span[1], structure.id
            assert structure.volume_ml[1] >= part.volume_ml[1] or structure.kind == "lesion", structure.id


def test_sides_are_coded_as_snomed_has_them() -> None:
    left, both = VOCABULARY.get("kidney_left").terminology, VOCABULARY.get("kidneys").terminology
    assert left.modifier is not None
    assert both.modifier is not None
    assert (left.type.value, left.modifier.value, both.modifier.value) == ("64033007", "7771000", "51440002")
    cyst = VOCABULARY.get("kidney_cyst_right").terminology
    assert cyst.region is not None
    assert cyst.region_modifier is not None
    assert (cyst.type.value, cyst.region.value, cyst.region_modifier.value) == ("367643001", "64033007", "24028007")


def test_ids_that_carry_a_side_or_level_say_it_in_their_fields() -> None:
    for structure in VOCABULARY.structures.values():
        words = structure.id.split("_")
        for side in (Side.LEFT, Side.RIGHT):
            single_sided_name = structure.concept == structure.id  # left_circumflex_artery has no right twin
            if side.value in words and not single_sided_name:
                assert structure.side is side, structure.id
            if structure.side is side:
                assert structure.lies_on is side
                assert side.value in structure.name, structure.id


@pytest.mark.parametrize(
    ("wanted", "modality", "labels"),
    [
        ("lungs", Modality.MR, ("lung_left", "lung_right")),
        ("lung_left", Modality.CT, ("lung_lower_lobe_left", "lung_upper_lobe_left")),
        ("vertebrae_L1", Modality.MR, ()),
        ("vertebrae", Modality.MR, ("vertebrae",)),
        ("lumbar_spine", Modality.MR, ()),
        ("bony_pelvis", Modality.CT, ("hip_left", "hip_right", "sacrum")),
        ("kidney_cyst", Modality.CT, ("kidney_cyst_left", "kidney_cyst_right")),
        ("adrenal_glands", Modality.UNKNOWN, ("adrenal_gland_left", "adrenal_gland_right")),
        ("uterus", Modality.MR, ()),
        ("liver_tumor", Modality.CT, ()),
        ("thoracic_aorta", Modality.CT, ()),
    ],
)
def test_labels(wanted: str, modality: Modality, labels: tuple[str, ...]) -> None:
    assert labels_for(wanted, modality) == labels


def test_a_stand_in_is_given_only_when_asked_for() -> None:
    assert labels_for("thoracic_aorta", Modality.CT, stand_in=True) == ("aorta",)
    assert labels_for("uterus", Modality.CT, stand_in=True) == ()


def test_labels_of_a_spec_are_those_of_its_targets() -> None:
    spec = resolve_answer("spleen, left lung and uterus")
    assert isinstance(spec, TargetSpec)
    assert labels_for(spec, Modality.MR) == ("lung_left", "spleen")
    assert labels_for(spec.targets[0], Modality.MR) == ("spleen",)


@pytest.mark.parametrize(("modality", "vocabulary"), [(Modality.CT, "nosuch"), (Modality.UNKNOWN, "totalsegmentator")])
def test_a_label_set_that_does_not_exist_is_refused(modality: Modality, vocabulary: str) -> None:
    with pytest.raises(UsageError):
        label_set(modality, vocabulary)


def test_levels_go_down_the_body_without_a_gap() -> None:
    tops = list(LEVELS.values())
    assert tops == sorted(tops)
    assert (LEVELS["C1"], LEVELS["T1"], LEVELS["L1"], LEVELS["S1"]) == (1, 8, 20, 25)
    for name, following in zip(LEVELS, list(LEVELS)[1:], strict=False):
        assert level_span(name)[1] == LEVELS[following]
    assert all(level_at(top) == name for name, top in LEVELS.items())
    assert level_at(-99.0) == "vertex"
    assert parse_span("T11-L4") == (18.0, 24.0)
    with pytest.raises(KeyError):
        level_span("T13")


def test_the_head_lies_above_the_abdomen() -> None:
    assert VOCABULARY.get("brain").span[1] < VOCABULARY.get("kidney_left").span[0]
    assert VOCABULARY.get("thyroid_gland").span[1] < VOCABULARY.get("urinary_bladder").span[0]
    assert VOCABULARY.get("liver").lies_on is Side.RIGHT
    assert VOCABULARY.get("spleen").lies_on is Side.LEFT
    assert VOCABULARY.get("aorta").midline
