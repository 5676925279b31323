"""Terms: how text is folded, and what each term means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from SEERSegmentLib.anatomy import load_vocabulary, normalise, side_words
from SEERSegmentLib.anatomy.numbered import numbered_entries
from SEERSegmentLib.anatomy.tables import read_rows
from SEERSegmentLib.values import Side

VOCABULARY = load_vocabulary()


@given(st.text())
def test_normalise_is_idempotent(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert once == " ".join(once.split())


@given(st.sampled_from(sorted(VOCABULARY.keys)), st.sampled_from(sorted(VOCABULARY.keys)))
def test_normalise_of_joined_terms_is_idempotent(first: str, second: str) -> None:
    once = normalise(f"{first} / {second}")
    assert normalise(once) == once


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("Oesophagus", "esophagus"),
        ("Œsophage", "esophage"),
        ("haemorrhage", "hemorrhage"),
        ("tumours", "tumors"),
        ("I.V.C.", "IVC"),
        ("T-12", "t 12"),
        ("Hartmann's pouch", "hartmann pouch"),
        ("Gesäßmuskel", "gesassmuskel"),
        ("kidney_left", "Kidney  left"),
        ("ＬＵＮＧ", "lung"),
        ("腎臓", "肾脏"),
        ("第 12 胸椎", "第12胸椎"),
        ("skull & brain", "skull and brain"),
        ("toe", "toe"),
        ("aerated", "aerated"),
    ],
)
def test_normalise_folds_what_readers_take_for_the_same(written: str, same: str) -> None:
    assert normalise(written) == normalise(same)


def test_normalise_keeps_what_differs() -> None:
    terms = ["ileum", "ilium", "L1", "11", "right", "rigth", "carpal", "tarsal", "が", "か"]
    assert len({normalise(term) for term in terms}) == len(terms)


@pytest.mark.parametrize(
    ("term", "id"),
    [
        ("Milz", "spleen"),
        ("rate", "spleen"),
        ("hígado", "liver"),
        ("fegato", "liver"),
        ("脾臓", "spleen"),
        ("膀胱", "urinary_bladder"),
        ("UB", "urinary_bladder"),
        ("gullet", "esophagus"),
        ("innominate artery", "brachiocephalic_trunk"),
        ("RK", "kidney_right"),
        ("LUL", "lung_upper_lobe_left"),
        ("RML", "lung_middle_lobe_right"),
        ("LAA", "atrial_appendage_left"),
        ("atlas", "vertebrae_C1"),
        ("D12", "vertebrae_T12"),
        ("Th12", "vertebrae_T12"),
        ("12. Brustwirbel", "vertebrae_T12"),
        ("BWK 12", "vertebrae_T12"),
        ("twelfth dorsal vertebra", "vertebrae_T12"),
        ("douzième vertèbre thoracique", "vertebrae_T12"),
        ("duodécima vértebra torácica", "vertebrae_T12"),
        ("第12胸椎", "vertebrae_T12"),
        ("vertebra lumbalis IV", "vertebrae_L4"),
        ("L4/5 disc", "disc_L4_L5"),
        ("L5-S1 intervertebral disc", "disc_L5_S1"),
        ("T12/L1 disc", "disc_T12_L1"),
        ("Couinaud segment VIII", "liver_segment_8"),
        ("os sacrum", "sacrum"),
        ("suprarenals", "adrenal_glands"),
        ("shoulder blades", "scapulae"),
        ("renal cell carcinoma", "kidney_tumor"),
        ("womb", "uterus"),
    ],
)
def test_terms_of_the_trade(term: str, id: str) -> None:
    (entry,) = VOCABULARY.lookup(term)
    structure = VOCABULARY.structure_of(entry)
    assert structure is not None
    assert structure.id == id


@pytest.mark.parametrize(
    ("term", "side", "id"),
    [
        ("7th rib", Side.LEFT, "rib_left_7"),
        ("siebte Rippe", Side.RIGHT, "rib_right_7"),
        ("septième côte", Side.LEFT, "rib_left_7"),
        ("costa VII", Side.LEFT, "rib_left_7"),
        ("collarbone", Side.RIGHT, "clavicula_right"),
        ("os coxae", Side.LEFT, "hip_left"),
        ("rein", Side.LEFT, "kidney_left"),
        ("upper lobe", Side.RIGHT, "lung_upper_lobe_right"),
        ("innominate vein", Side.LEFT, "brachiocephalic_vein_left"),
        ("psoas", Side.LEFT, "iliopsoas_left"),
        ("副腎", Side.RIGHT, "adrenal_gland_right"),
    ],
)
def test_terms_that_need_a_side(term: str, side: Side, id: str) -> None:
    (entry,) = VOCABULARY.lookup(term)
    assert VOCABULARY.structure_of(entry) is None
    structure = VOCABULARY.structure_of(entry, side)
    assert structure is not None
    assert structure.id == id


@pytest.mark.parametrize("term", ["PV", "AA", "CC", "LA", "ventricle", "PE", "LV"])
def test_ambiguous_terms_list_each_of_their_meanings(term: str) -> None:
    entries = VOCABULARY.lookup(term)
    assert len({entry.concept_or_id for entry in entries}) > 1
    assert all(entry.ambiguous for entry in entries)


def test_an_entry_does_not_take_the_side_or_level_that_it_contradicts() -> None:
    (right_kidney,) = VOCABULARY.lookup("RK")
    assert VOCABULARY.structure_of(right_kidney, Side.LEFT) is None
    (seventh,) = VOCABULARY.lookup("7th rib")
    assert VOCABULARY.structure_of(seventh, Side.LEFT, "8") is None


def test_unknown_terms_mean_nothing() -> None:
    assert VOCABULARY.lookup("") == ()
    assert VOCABULARY.lookup("C9") == ()
    assert VOCABULARY.lookup("flux capacitor") == ()


def test_every_class_of_the_label_sets_has_a_name_in_each_large_language() -> None:
    spoken: dict[str, set[str]] = {}
    for row in read_rows("synonyms.csv"):
        spoken.setdefault(row["concept"], set()).add(row["language"])
    for entry in numbered_entries():
        spoken.setdefault(entry.concept_or_id, set()).add(entry.language)
    for structure in VOCABULARY.structures.values():
        if structure.ts_ct and structure.id in structure.ts_ct:
            spoken_for = spoken.get(structure.concept, set()) | spoken.get(structure.id, set())
            assert {"de", "fr", "es", "it", "pt", "zh"} <= spoken_for, structure.id


def test_side_words_are_one_side_each() -> None:
    assert side_words()["dextra"] is Side.RIGHT
    assert side_words()["lt"] is Side.LEFT
    assert "dx" not in side_words()
    assert side_words(ambiguous=True)["dx"] is Side.RIGHT
