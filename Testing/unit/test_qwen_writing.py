"""Who writes which token: greedy to the end or the limit, or within a form's skeleton, whatever the model wants."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from SEERSegmentLib.reasoning.forms import FORMS
from SEERSegmentLib.reasoning.qwen.writing import FreeWriter, SkeletonWriter

END = 0


def tokens(text: str) -> list[int]:
    """A tokenizer of characters; 0 ends a reply."""
    return [ord(character) for character in text]


def text(ids: list[int]) -> str:
    return "".join(map(chr, ids))


def cut(token: int) -> str | None:
    return "" if token == END or chr(token) == "<" else None


def written(writer: FreeWriter | SkeletonWriter, choices: list[int]) -> list[int]:
    """What the model reads back, choice by choice, until the writer is done."""
    read = []
    for choice in choices:
        if writer.finish:
            break
        read.append(writer.write(choice))
    return read


def test_a_free_reply_ends_where_the_model_ends_it() -> None:
    writer = FreeWriter({END}, 10)
    assert written(writer, [*tokens("ab"), END, *tokens("never")]) == [*tokens("ab"), END]
    assert (text(writer.ids), writer.finish) == ("ab", "stop")


@pytest.mark.parametrize(("choices", "finish"), [("abcd", "length"), ("abc\0", "stop"), ("abc", "")])
def test_a_free_reply_is_cut_off_after_the_most_tokens(choices: str, finish: str) -> None:
    writer = FreeWriter({END}, 4)
    written(writer, tokens(choices))
    assert writer.finish == finish


def test_the_next_piece_begins_where_the_model_would_end_one() -> None:
    writer = SkeletonWriter([("<a>", 9), ("</a><b>", 9), ("</b>", 0)], tokens, cut, 99)
    assert written(writer, [1, 2, 3, *tokens("xy<"), 5, 6, 7, 8, 9, 10, *tokens("z"), END, 1, 2, 3, 4]) == writer.ids
    assert (text(writer.ids), writer.finish) == ("<a>xy</a><b>z</b>", "stop")


def test_the_next_piece_begins_where_the_budget_ends() -> None:
    writer = SkeletonWriter([("<a>", 2), ("</a>", 0)], tokens, cut, 99)
    written(writer, tokens("???xyzzy??"))
    assert text(writer.ids) == "<a>xy</a>"


def test_of_a_token_what_comes_before_its_bracket_is_kept() -> None:
    pair = 0x10000  # stands for ").<"
    writer = SkeletonWriter([("<a>", 9), ("</a>", 0)], tokens, lambda one: ")." if one == pair else cut(one), 99)
    written(writer, [1, 2, 3, *tokens("x"), pair, *range(10, 20)])
    assert text(writer.ids) == "<a>x).</a>"


def test_the_fixed_texts_are_written_however_small_the_limit() -> None:
    writer = SkeletonWriter([("<a>", 9), ("</a>", 0)], tokens, cut, 2)
    written(writer, tokens("x" * 50))
    assert (text(writer.ids), writer.finish) == ("<a></a>", "stop")


def test_a_limit_cuts_later_pieces_short() -> None:
    writer = SkeletonWriter([("<a>", 5), ("</a><b>", 5), ("</b>", 0)], tokens, cut, 3 + 7 + 4 + 6)
    written(writer, tokens("x" * 50))
    assert text(writer.ids) == "<a>xxxxx</a><b>x</b>"
    assert len(writer.ids) == 20


@given(st.sampled_from(sorted(FORMS)), st.lists(st.integers(0, 0x7F), max_size=600), st.integers(1, 400))
def test_any_choices_make_a_reply_of_the_form(form: str, choices: list[int], most: int) -> None:
    pieces = [(piece.text, piece.tokens) for piece in FORMS[form].skeleton]
    writer = SkeletonWriter(pieces, tokens, cut, most)
    written(writer, [*choices, *([END] * 600)])
    assert writer.finish == "stop"
    skeleton = "([^<\0]*)".join(re.escape(piece) for piece, _ in pieces)
    match = re.fullmatch(skeleton, text(writer.ids))
    assert match is not None
    assert all(len(part) <= free for part, (_, free) in zip(match.groups(), pieces, strict=False))
    assert len(writer.ids) <= max(most, sum(len(piece) for piece, _ in pieces))
