"""Key slices and boxes in an answer: read exactly as written, or a sentence that says what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from SEERSegmentLib.anatomy import load_vocabulary, render, resolve_answer
from SEERSegmentLib.anatomy.anchors import MAX_BOXES, MAX_KEY_SLICES
from SEERSegmentLib.anatomy.answer import MAX_WRITTEN
from SEERSegmentLib.values import Abstention, Anchor, Target, TargetSpec

VOCABULARY = load_vocabulary()


def spec_of(text: str) -> TargetSpec:
    spec = resolve_answer(text)
    assert isinstance(spec, TargetSpec), spec
    return spec


def test_a_key_slice_belongs_to_the_name_before_it() -> None:
    spec = spec_of("left kidney @k57[120 200 180.5 260][1 2 3 4] @j3[0 0 9 9], spleen and liver @i0[-0.5 0 1e-05 7]")
    assert [target.structure for target in spec.targets] == ["kidney_left", "spleen", "liver"]
    assert spec.anchors == (
        Anchor(0, 57, ((120.0, 200.0, 180.5, 260.0), (1.0, 2.0, 3.0, 4.0))),
        Anchor(0, 3, ((0.0, 0.0, 9.0, 9.0),), axis=1),
        Anchor(2, 0, ((-0.5, 0.0, 1e-05, 7.0),), axis=0),
    )
    assert spec.prompt == "left kidney, spleen and liver"  # what a text backbone is given
    assert resolve_answer(render(spec)) == spec


@pytest.mark.parametrize(
    "written",
    [
        "liver @k57[120 200 180 260]",
        "the Liver@k57[120,200,180,260].",
        "liver @ K 57 [ 120, 200 , 180.0, 260 ]",
        "liver @k57[120 200 180 260], liver @k57[120 200 180 260]",
        "liver @k57[120 200 180 260][120 200 180 260]",
        "- liver @k57[120 200 180 260]\n",
        "liver\n@k57[120 200 180 260]",
        "（liver）＠ｋ５７［１２０ ２００ １８０ ２６０］",
    ],
)
def test_white_space_commas_and_repetitions_don_t_matter(written: str) -> None:
    spec = spec_of(written)
    assert spec.anchors == (Anchor(0, 57, ((120.0, 200.0, 180.0, 260.0),)),)
    assert render(spec) == "liver @k57[120 200 180 260]"


@pytest.mark.parametrize(
    ("written", "anchored"),
    [
        ("left @k5[1 2 3 4] and right kidney @k6[1 2 3 4]", {"kidney_left": 5, "kidney_right": 6}),
        ("left and right kidney @k6[1 2 3 4]", {"kidney_right": 6}),
        ("portal vein and splenic vein @k5[1 2 3 4]", {"portal_vein_and_splenic_vein": 5}),
        ("portal vein @k5[1 2 3 4] and splenic vein", {"portal_vein": 5}),
        ("1. spleen @k5[1 2 3 4]\n2. liver @k6[1 2 3 4]", {"spleen": 5, "liver": 6}),
        ('"core and rim" @k5[1 2 3 4]; spleen', {"core and rim": 5}),
    ],
)
def test_sides_lists_and_names_with_and_keep_their_key_slices(written: str, anchored: dict[str, int]) -> None:
    spec = spec_of(written)
    names = {n: target.structure or target.text for n, target in enumerate(spec.targets)}
    assert {names[anchor.target]: anchor.index for anchor in spec.anchors} == anchored
    assert resolve_answer(render(spec)) == spec


@pytest.mark.parametrize(
    "written",
    [
        "liver @k57",
        "liver @57[1 2 3 4]",
        "liver @z57[1 2 3 4]",
        "liver @k57(1 2 3 4)",
        "liver @k57[1 2 3]",
        "liver @k57[1 2 3 4 5]",
        "liver @k57[]",
        "liver @k57[1 2 3 four]",
        "liver @k57[3 2 1 4]",
        "liver @k57[1 4 3 2]",
        "liver @k57[1 2 1 4]",
        "liver @k57[nan 2 3 4]",
        "liver @k57[1 2 inf 4]",
        "liver @k57[1 2 1e999 4]",
        "liver @k57[1 2 99999999 4]",
        "liver @k-1[1 2 3 4]",
        "liver @k1.5[1 2 3 4]",
        "liver @k123456[1 2 3 4]",
        "liver @k57[1 2 3 4",
        "liver @k57[1 2 3 4] [",
        "liver @",
        "@k57[1 2 3 4]",
        ", @k57[1 2 3 4] liver",
        "liver @k57[1 2 3 4] spleen",
        "kidney @k57[1 2 3 4], left",
        "kidney @k57[1 2 3 4], left, right",
        "liver @k57" + "[1 2 3 4]" * (MAX_BOXES + 1),
        "liver " + " ".join(f"@k{n}[1 2 3 4]" for n in range(MAX_KEY_SLICES + 1)),
    ],
)
def test_what_is_not_a_key_slice_is_never_executed_and_a_sentence_says_how_one_is_written(written: str) -> None:
    abstention = resolve_answer(written)
    assert isinstance(abstention, Abstention)
    assert abstention.code == "anchor-malformed"
    assert "@k57[120 200 180 260]" in abstention.reason
    assert abstention.reason.endswith(".")
    assert abstention.question.endswith("?")


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("liver @k57[1 2 3 4] or spleen @k57[1 2 3 4]", "alternatives"),
        ("kidney @k57[1 2 3 4]", "side-needed"),
        ("none @k57[1 2 3 4]", "refusal"),
        ("please segment the liver @k57[1 2 3 4]", "not-a-phrase"),
        ('"liver @k57[1 2 3 4]"', "not-a-phrase"),
        ("liver \u202e@k57[1 2 3 4]", "answer-unreadable"),
    ],
)
def test_key_slices_make_no_target_of_what_is_none(written: str, code: str) -> None:
    abstention = resolve_answer(written)
    assert isinstance(abstention, Abstention)
    assert abstention.code == code


EDGES = st.floats(-0.5, 5000, allow_nan=False) | st.integers(0, 600).map(float) | st.floats(0, 1e-3)
SIDES = st.floats(1e-3, 5000) | st.integers(1, 600).map(float)
BOXES = st.tuples(EDGES, EDGES, SIDES, SIDES).map(
    lambda drawn: (drawn[0], drawn[1], drawn[0] + drawn[2], drawn[1] + drawn[3])
)
DRAWN = st.tuples(
    st.integers(0, 99_999), st.lists(BOXES, min_size=1, max_size=4, unique=True).map(tuple), st.integers(0, 2)
)
WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyzäéñ", min_size=2, max_size=9)
FREE_TEXT = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
NAMES = st.one_of(
    st.sampled_from(sorted(structure.name for structure in VOCABULARY.structures.values())),
    FREE_TEXT,
    st.tuples(FREE_TEXT, FREE_TEXT).map(lambda pair: f'"{pair[0]} and {pair[1]}"'),
    st.tuples(st.sampled_from(["left", "right"]), FREE_TEXT).map(" ".join),
)


@given(st.lists(NAMES, min_size=1, max_size=4), st.data())
def test_resolving_what_was_rendered_gives_the_spec_back_key_slices_included(
    names: list[str], data: st.DataObject
) -> None:
    named = resolve_answer("; ".join(names))
    if not isinstance(named, TargetSpec):
        return
    anchors = tuple(
        Anchor(n, index, boxes, axis)
        for n in range(len(named.targets))
        for index, boxes, axis in data.draw(st.lists(DRAWN, max_size=3, unique=True))
    )
    spec = TargetSpec(named.prompt, named.targets, anchors)
    assert resolve_answer(render(spec)) == spec


@given(st.lists(st.sampled_from(sorted(VOCABULARY.structures)), min_size=1, max_size=6, unique=True), st.data())
def test_any_combination_of_structures_keeps_its_key_slices(chosen: list[str], data: st.DataObject) -> None:
    targets = tuple(
        Target(structure.name, structure.id, structure.side, structure.level, structure.code)
        for structure in map(VOCABULARY.get, chosen)
    )
    anchors = tuple(
        Anchor(n, index, boxes, axis)
        for n in range(len(targets))
        for index, boxes, axis in data.draw(st.lists(DRAWN, max_size=2, unique=True))
    )
    read = resolve_answer(render(TargetSpec("", targets, anchors)))
    assert isinstance(read, TargetSpec)
    assert (read.targets, read.anchors) == (targets, anchors)


@given(st.text(alphabet=" @ijk0123456789.[]-+eE,;\"'andliver\n", max_size=60))
def test_any_text_is_a_spec_that_comes_back_or_an_abstention(text: str) -> None:
    answer = resolve_answer(text)
    if isinstance(answer, TargetSpec):
        assert resolve_answer(render(answer)) == answer
        assert {anchor.target for anchor in answer.anchors} <= set(range(len(answer.targets)))
    else:
        assert answer.code


def test_every_cut_of_an_anchored_answer_gives_no_box_that_was_not_written() -> None:
    whole = "left kidney @k57[120 200 180 260][300.25 200 340 270] and spleen @k60[1 2 3 4]"
    boxes = {box for anchor in spec_of(whole).anchors for box in anchor.boxes}
    for end in range(len(whole)):
        answer = resolve_answer(whole[:end])
        if isinstance(answer, TargetSpec):
            assert {box for anchor in answer.anchors for box in anchor.boxes} <= boxes


@pytest.mark.parametrize("unit", ["@", "@k1", "@k1[", "@k1[1 2 3 4]", "a @k1[1 2 3 4]", "[", "@k1 ", "@k1[ ", '"@'])
def test_huge_answers_come_to_an_end(unit: str) -> None:
    for length in (MAX_WRITTEN, 100_000):
        answer = resolve_answer(unit * (length // len(unit)))
        assert isinstance(answer, Abstention)
