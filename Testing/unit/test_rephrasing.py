"""Ω(q): every rephrasing keeps structure, side and level, and proves it by the tables, not by a reasoner."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from SEERSegmentLib.anatomy import label_set, load_vocabulary, normalise, resolve_answer
from SEERSegmentLib.protocols import CancelToken, ReasoningCase, ignore_progress
from SEERSegmentLib.reasoning.lexical import LexicalReasoner
from SEERSegmentLib.reasoning.rephrasing import Kind, rephrase
from SEERSegmentLib.reasoning.rephrasing.phrases import one_edit_away
from SEERSegmentLib.values import Modality, Reasoning, Request, Side, TargetSpec

CLASSES = sorted(set(label_set(Modality.CT).values()) | set(label_set(Modality.MR).values()))


def spec_of(*ids: str) -> TargetSpec:
    spec = resolve_answer("; ".join(load_vocabulary().get(id).name for id in ids))
    assert isinstance(spec, TargetSpec)
    return spec


specs = st.lists(st.sampled_from(CLASSES), min_size=1, max_size=3, unique=True).map(lambda ids: spec_of(*ids))


@given(specs, st.integers(0, 10_000))
def test_each_target_is_proved_and_its_words_stand_in_the_text(spec: TargetSpec, seed: int) -> None:
    found = rephrase(spec, 12, seed)
    assert len({one.text for one in found}) == len(found)
    for one in found:
        assert [(p.structure, p.side, p.level) for p in one.proofs] == [
            (t.structure, t.side, t.level) for t in spec.targets
        ]
        for proof in one.proofs:
            assert proof.words.casefold() in one.text.casefold()
            assert proof.because


@given(specs, st.integers(0, 10_000))
def test_no_other_side_comes_in(spec: TargetSpec, seed: int) -> None:
    sides = {target.side for target in spec.targets} - {Side.NONE}
    for one in rephrase(spec, 12, seed):
        said = set(re.findall(r"\b(left|right)\b", one.text.casefold()))
        names = {side.value for side in sides}
        own = {word for target in spec.targets for word in re.findall(r"\b(left|right)\b", target.text)}
        assert said <= names | own, one


@given(st.sampled_from(CLASSES), st.integers(0, 10_000))
def test_a_name_or_abbreviation_is_unambiguous_in_the_vocabulary(id: str, seed: int) -> None:
    structure = load_vocabulary().get(id)
    for one in rephrase(spec_of(id), 6, seed, (Kind.SYNONYM, Kind.ABBREVIATION)):
        words = one.proofs[0].words
        if not load_vocabulary().lookup(words):  # a side word stands before the term
            words = words.split(" ", 1)[1]
        entries = load_vocabulary().lookup(words)
        assert len(entries) == 1, words
        assert load_vocabulary().structure_of(entries[0], structure.side, structure.level) is structure


@given(st.sampled_from(CLASSES), st.integers(0, 10_000))
def test_a_typo_is_one_slip_in_one_word(id: str, seed: int) -> None:
    spec = spec_of(id)
    for one in rephrase(spec, 4, seed, (Kind.TYPO,)):
        meant, written = spec.targets[0].text.split(), one.proofs[0].words.split()
        changed = [(a, b) for a, b in zip(meant, written, strict=True) if a != b]
        assert len(changed) == 1
        assert changed[0][1] in one_edit_away(changed[0][0])
        assert not load_vocabulary().lookup(changed[0][1])


def test_one_edit_away_of_a_short_word() -> None:
    found = one_edit_away("ab")
    assert {"ab", "b", "a", "ba", "xb", "ax", "xab", "axb", "abx"} <= found
    assert not {"", "abxy", "xy", "bax"} & found
    assert one_edit_away("") == {"", *"abcdefghijklmnopqrstuvwxyz"}


def test_the_same_seed_gives_the_same_texts_and_another_seed_others() -> None:
    spec = spec_of("kidney_left")
    assert rephrase(spec, 16, seed=3) == rephrase(spec, 16, seed=3)
    assert rephrase(spec, 16, seed=3) != rephrase(spec, 16, seed=4)


def test_all_kinds_take_turns_where_the_tables_have_them() -> None:
    assert {one.kind for one in rephrase(spec_of("kidney_left"), 9, seed=0)} == set(Kind)


def test_free_text_is_repeated_word_for_word() -> None:
    spec = resolve_answer("ground-glass halo")
    assert isinstance(spec, TargetSpec)
    found = rephrase(spec, 12)
    assert found
    assert all(normalise("ground-glass halo") in normalise(one.text) for one in found)
    assert {one.kind for one in found} <= {Kind.REPORT, Kind.TELEGRAPHIC, Kind.DICTATION, Kind.CASE}


@pytest.mark.parametrize("id", ["kidney_left", "vertebrae_L3", "spleen", "rib_left_7", "lung_right", "iliac_vena_left"])
def test_the_embedded_reasoner_is_stable_under_rephrasing(id: str) -> None:
    """Not a proof of the rephrasings, which need none: what Ω(q) is for."""
    spec = spec_of(id)
    reasoner = LexicalReasoner()
    found = rephrase(spec, 18, seed=7)
    right = 0
    for one in found:
        case = ReasoningCase(Request(one.text), Modality.CT)
        result = reasoner.reason(case, ignore_progress, CancelToken())
        right += isinstance(result, Reasoning) and resolve_answer(result.answer) == spec
    assert right >= 0.95 * len(found)
