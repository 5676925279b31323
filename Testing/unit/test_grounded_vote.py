"""Self-consistency: the majority of wordings, with its support, and what happens without one."""

from __future__ import annotations

import pytest

from SEERSegmentLib.anatomy import resolve_answer
from SEERSegmentLib.errors import ReplyError
from SEERSegmentLib.protocols import CancelToken
from SEERSegmentLib.reasoning.grounded.vote import Outcome, vote
from SEERSegmentLib.reasoning.grounded.wordings import rephrasings_of
from SEERSegmentLib.reasoning.lexical import LexicalReasoner
from SEERSegmentLib.reasoning.rephrasing import wrapped
from SEERSegmentLib.values import Abstention, Reasoning, TargetSpec
from Testing.scripted_model import case


def said(answer: str) -> Reasoning:
    return Reasoning((), (), answer, "test")


NONE = Abstention("refusal", "It names nothing.", "Which?")
BROKEN = ReplyError("It can't be read.")


def outcome(*outcomes: Outcome) -> tuple[str, str]:
    """The answer, or the code of why there is none, and the code of the finding about its support."""
    result = vote(outcomes)
    if isinstance(result, Reasoning):
        return result.answer, result.findings[-1].code
    return (result.code, "")


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([said("spleen")] * 3, ("spleen", "wordings-agree")),
        ([said("spleen"), said("spleen"), said("liver")], ("spleen", "wordings-differ")),
        ([said("liver"), said("spleen"), said("the spleen")], ("spleen", "wordings-outvote-request")),
        ([said("liver and spleen"), said("spleen, liver"), NONE], ("liver and spleen", "wordings-differ")),
        ([said("liver"), said("spleen")], ("no-majority", "")),
        ([said("liver"), said("spleen"), NONE, NONE], ("no-majority", "")),
        ([said("liver"), NONE, BROKEN], ("refusal", "")),
        ([BROKEN, NONE, said("liver")], ("reply-malformed", "")),
        ([NONE, said("liver"), said("liver")], ("liver", "wordings-outvote-request")),
        ([said("liver"), NONE], ("no-majority", "")),
    ],
    ids=str,
)
def test_the_majority_of_all_wordings_decides(outcomes: list[Outcome], expected: tuple[str, str]) -> None:
    assert outcome(*outcomes) == expected


def test_without_a_majority_the_candidates_are_offered() -> None:
    result = vote([said("liver"), said("spleen"), said("liver"), said("spleen")])
    assert isinstance(result, Abstention)
    assert result.suggestions == ("liver", "spleen")
    assert "liver (2)" in result.reason


def test_support_is_told_in_numbers() -> None:
    result = vote([said("spleen"), said("spleen"), said("spleen"), NONE])
    assert isinstance(result, Reasoning)
    assert "3 of 4 wordings" in result.findings[-1].message


def test_a_wrapped_request_keeps_every_word() -> None:
    text = "frobnitz of the wotsit, L1"
    made = wrapped(text, 99, seed=3)
    assert len({one.text for one in made}) == len(made) == 11
    assert all(text in one.text and one.proofs[0].words == text for one in made)
    assert wrapped(text, 5, seed=3) == made[:5] == wrapped(text, 5, seed=3)
    assert wrapped(text, 5, seed=4) != made[:5]


def test_what_stands_around_a_request_changes_no_reading() -> None:
    reasoner = LexicalReasoner()
    for text in ("left kidney", "pls outline the rt lung", "T12 and L1", "liver or spleen?", "that one again"):
        own = reasoner.reason(case(text), lambda _: None, CancelToken())
        for one in wrapped(text, 12):
            other = reasoner.reason(case(one.text), lambda _: None, CancelToken())
            assert type(other) is type(own), one.text
            if isinstance(own, Reasoning):
                assert isinstance(other, Reasoning)
                assert resolve_answer(other.answer) == resolve_answer(own.answer), one.text


def test_half_of_the_wordings_keep_the_words_and_half_are_proven() -> None:
    made = rephrasings_of(case("pls outline the rt kidney"), 8, 1, CancelToken())
    assert len({one.text for one in made}) == 8
    assert [one.proofs[0].structure for one in made] == [""] * 4 + ["kidney_right"] * 4
    assert made == rephrasings_of(case("pls outline the rt kidney"), 8, 1, CancelToken())


def test_a_request_that_the_tables_can_not_read_keeps_its_words() -> None:
    made = rephrasings_of(case("the frobnitz"), 6, 0, CancelToken())
    assert len(made) == 6
    assert all("the frobnitz" in one.text for one in made)
    assert rephrasings_of(case("the frobnitz"), 0, 0, CancelToken()) == ()


def test_the_vote_reads_answers_as_the_pipeline_does() -> None:
    resolved = resolve_answer("left kidney")
    assert isinstance(resolved, TargetSpec)
    assert outcome(said("left kidney"), said("kidney, left"), said("the left kidney."))[1] == "wordings-agree"
