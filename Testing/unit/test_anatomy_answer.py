"""Answers: what is executed is exactly what was named, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from SEERSegmentLib.anatomy import load_vocabulary, render, resolve_answer
from SEERSegmentLib.anatomy.answer import MAX_ANSWER
from SEERSegmentLib.values import Abstention, Side, Target, TargetSpec

VOCABULARY = load_vocabulary()


def ids(text: str) -> list[str]:
    """Structure ids of an answer's targets; the text where a target has none."""
    spec = resolve_answer(text)
    assert isinstance(spec, TargetSpec), spec
    return [target.structure or target.text for target in spec.targets]


def code(text: str) -> str:
    """Why an answer is abstained from."""
    abstention = resolve_answer(text)
    assert isinstance(abstention, Abstention), abstention
    assert abstention.reason.endswith(".")
    assert abstention.question.endswith("?")
    return abstention.code


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("left kidney", ["kidney_left"]),
        ("The left kidney.", ["kidney_left"]),
        ("kidney, left", ["kidney_left"]),
        ("Kidney (L)", ["kidney_left"]),
        ("kidney on the left side", ["kidney_left"]),
        ("upper lobe of the right lung", ["lung_upper_lobe_right"]),
        ("left and right kidney", ["kidney_left", "kidney_right"]),
        ("both kidneys", ["kidneys"]),
        ("bilateral adrenal glands", ["adrenal_glands"]),
        ("right kidneys", ["kidney_right"]),
        ("left kidney and spleen", ["kidney_left", "spleen"]),
        ("spleen, liver; pancreas", ["spleen", "liver", "pancreas"]),
        ("- spleen\n- liver", ["spleen", "liver"]),
        ("1. spleen\n2. liver", ["spleen", "liver"]),
        ("portal vein and splenic vein", ["portal_vein_and_splenic_vein"]),
        ("portal vein, splenic vein", ["portal_vein", "splenic_vein"]),
        ("trachea and main bronchi", ["airways"]),
        ("spleen and portal vein and splenic vein", ["spleen", "portal_vein_and_splenic_vein"]),
        ("L1, L2 and L3", ["vertebrae_L1", "vertebrae_L2", "vertebrae_L3"]),
        ("left 7th rib", ["rib_left_7"]),
        ("7th ribs", ["ribs_7"]),
        ("左肾", ["kidney_left"]),
        ("双侧肾脏", ["kidneys"]),
        ("1. Rippe links", ["rib_left_1"]),
        ("rein gauche", ["kidney_left"]),
        ("vertebrae_L1", ["vertebrae_L1"]),
        ("liver, liver", ["liver"]),
        ("surrounding zone of unclear signal", ["surrounding zone of unclear signal"]),
        ('"core and rim of the lesion"', ["core and rim of the lesion"]),
        ("brain metastases", ["brain_metastasis"]),
        ("left brain metastasis", ["left brain metastasis"]),
        ("right chest wall", ["right chest wall"]),
        ("left cervical lymph nodes", ["left cervical lymph nodes"]),
        ("L6", ["L6"]),
    ],
)
def test_what_is_named_is_what_is_executed(answer: str, expected: list[str]) -> None:
    assert ids(answer) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("", "empty-answer"),
        (" \n\t ", "empty-answer"),
        ("., ;", "empty-answer"),
        ("liver or spleen", "alternatives"),
        ("either kidney", "alternatives"),
        ("left/right kidney", "alternatives"),
        ("L/R kidney", "alternatives"),
        ('"liver or spleen"', "alternatives"),
        ("liver OR spleen", "alternatives"),
        ("liver/spleen", "alternatives"),
        ("none", "refusal"),
        ("N/A", "refusal"),
        ("unknown", "refusal"),
        ("I cannot help with that", "refusal"),
        ("Sorry", "refusal"),
        ("no tumor visible", "negation"),
        ("brain without cerebellum of child", "negation"),
        ("kidney", "side-needed"),
        ("7th rib", "side-needed"),
        ("left rib", "level-needed"),
        ("vertebra", "level-needed"),
        ("left", "side-only"),
        ("left right kidney", "side-contradictory"),
        ("left RK", "side-contradictory"),
        ("left middle lobe", "no-such-structure"),
        ("left spleen", "no-such-structure"),
        ("left liver segment VIII", "no-such-structure"),
        ("C9 vertebra", "no-such-structure"),
        ("C9", "no-such-structure"),
        ("T14", "no-such-structure"),
        ("left 15th rib", "no-such-structure"),
        ("PV", "ambiguous-term"),
        ("<answer>liver</answer>", "not-a-phrase"),
        ("the target is the liver", "not-a-phrase"),
        ("please segment the liver", "not-a-phrase"),
        ("12345", "not-a-phrase"),
        ("word " * 40, "not-a-phrase"),
        ("liver" + "\u202e" + "neelps", "answer-unreadable"),
        ("li\u200bver", "answer-unreadable"),
        ("liver\x00", "answer-unreadable"),
        ("liver, " * 2000, "answer-too-long"),
        (", ".join(f"thing {'x' * (n % 7 + 1)}{n}" for n in range(200)), "answer-too-long"),
    ],
)
def test_what_names_nothing_definite_is_abstained_from(answer: str, expected: str) -> None:
    assert code(answer) == expected


def test_side_needed_offers_what_would_work() -> None:
    abstention = resolve_answer("kidney")
    assert isinstance(abstention, Abstention)
    assert abstention.suggestions == ("left kidney", "right kidney", "kidneys")
    for suggestion in abstention.suggestions:
        assert isinstance(resolve_answer(suggestion), TargetSpec)


def test_a_known_target_carries_name_side_level_and_code() -> None:
    spec = resolve_answer("RK")
    assert isinstance(spec, TargetSpec)
    assert spec.targets == (Target("right kidney", "kidney_right", Side.RIGHT, "", "64033007"),)
    assert spec.prompt == "right kidney"


def test_free_text_keeps_its_words_and_its_side() -> None:
    spec = resolve_answer("the Enhancing rim of the left Frontal lesion.")
    assert isinstance(spec, TargetSpec)
    assert spec.targets == (Target("Enhancing rim of the left Frontal lesion", side=Side.LEFT),)


def test_every_structure_answers_to_its_name_and_id() -> None:
    for structure in VOCABULARY.structures.values():
        assert ids(structure.name) == ids(structure.id) == [structure.id]


def test_every_unambiguous_term_names_its_own_structure() -> None:
    for key, entries in VOCABULARY.keys.items():
        if len(entries) > 1:
            assert code(entries[0].term) in {"ambiguous-term", "alternatives"}, key
            continue
        (entry,) = entries
        structure = VOCABULARY.structure_of(entry)
        if structure is not None:
            assert ids(entry.term) == [structure.id], entry
            continue
        for side in (Side.LEFT, Side.RIGHT):
            sided = VOCABULARY.structure_of(entry, side)
            if sided is not None and not VOCABULARY.lookup(f"{side.value} {entry.term}"):
                assert ids(f"{side.value} {entry.term}") == ids(f"{entry.term} {side.value}") == [sided.id], entry


WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyzäéñ", min_size=2, max_size=9)
FREE_TEXT = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)
ANSWERS = st.one_of(
    st.sampled_from(sorted(structure.name for structure in VOCABULARY.structures.values())),
    st.sampled_from(sorted(VOCABULARY.keys)),
    FREE_TEXT,
    st.tuples(FREE_TEXT, FREE_TEXT).map(lambda pair: f'"{pair[0]} and {pair[1]}"'),
    st.tuples(st.sampled_from(["left", "right", "both"]), FREE_TEXT).map(" ".join),
)
JOINTS = st.sampled_from([", ", "; ", " and ", "\n- ", " & ", ", and "])


@given(st.lists(st.tuples(JOINTS, ANSWERS), min_size=1, max_size=6))
def test_resolving_what_was_rendered_gives_the_spec_back(parts: list[tuple[str, str]]) -> None:
    spec = resolve_answer("".join(joint + answer for joint, answer in parts).removeprefix(parts[0][0]))
    if isinstance(spec, TargetSpec):
        assert resolve_answer(render(spec)) == spec
        assert spec.prompt == render(spec)


@given(st.lists(st.sampled_from(sorted(VOCABULARY.structures)), min_size=1, max_size=8, unique=True))
def test_any_combination_of_structures_survives_rendering(chosen: list[str]) -> None:
    targets = tuple(
        Target(structure.name, structure.id, structure.side, structure.level, structure.code)
        for structure in map(VOCABULARY.get, chosen)
    )
    read = resolve_answer(render(TargetSpec("", targets)))
    assert isinstance(read, TargetSpec)
    assert read.targets == targets


@given(ANSWERS, ANSWERS, st.sampled_from([" or ", ", or ", " OR ", " or the "]))
def test_or_never_becomes_a_target(first: str, second: str, joint: str) -> None:
    assert isinstance(resolve_answer(first + joint + second), Abstention)


@given(st.text())
def test_any_text_is_a_spec_or_an_abstention(text: str) -> None:
    answer = resolve_answer(text)
    if isinstance(answer, TargetSpec):
        assert answer.targets
        assert all(target.text.strip() for target in answer.targets)
        assert resolve_answer(answer.prompt) == answer
    else:
        assert answer.code


@pytest.mark.parametrize("unit", ["a", "left ", "and ", ", ", '"', "1. ", "liver\n", "\u202e", "é", "the ", "(", "- "])
def test_huge_answers_are_refused_before_they_are_read(unit: str) -> None:
    assert code(unit * (100_000 // len(unit))) == "answer-too-long"
    assert resolve_answer(unit * (MAX_ANSWER // len(unit)))  # and the longest that is read comes to an end
