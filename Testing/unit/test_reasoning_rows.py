"""Rows of requests in, rows of answers out."""

from __future__ import annotations

import json

import pytest

from SEERSegmentLib.errors import ReplyError, RequestError
from SEERSegmentLib.protocols import CancelToken, Emit, ReasoningCase
from SEERSegmentLib.reasoning import answer_row, read_rows
from SEERSegmentLib.reasoning.lexical import LexicalReasoner
from SEERSegmentLib.reasoning.scoring import is_right
from SEERSegmentLib.values import Abstention, Modality, Reasoning

NAMES = "id labels abstain code reason question suggestions answer evidence rationale seconds"
FIELDS = set(NAMES.split())


def answer(text: str, modality: str = "CT", *, closed: bool = False) -> dict[str, object]:
    row = next(read_rows(json.dumps({"id": "1", "request": text, "modality": modality})))
    return answer_row(row, LexicalReasoner(), closed=closed)


def test_a_row_has_every_field_and_is_json() -> None:
    row = answer("both kidneys")
    assert set(row) == FIELDS
    assert json.loads(json.dumps(row))["labels"] == ["kidney_left", "kidney_right"]
    assert row["abstain"] is False
    assert row["reason"] == ""


def test_labels_are_those_of_the_modality() -> None:
    assert answer("right lung")["labels"] == [
        "lung_lower_lobe_right",
        "lung_middle_lobe_right",
        "lung_upper_lobe_right",
    ]
    assert answer("right lung", "MR")["labels"] == ["lung_right"]


@pytest.mark.parametrize("text", ["left ureter", "uterus", "the liver tumour, not the liver"])
def test_a_named_target_outside_the_label_set_is_answered_unless_closed(text: str) -> None:
    open_, closed = answer(text), answer(text, closed=True)
    assert open_["abstain"] is False
    assert open_["labels"] == []
    assert open_["answer"]
    assert closed["abstain"] is True
    assert closed["code"] == "outside-vocabulary"


def test_an_abstention_says_why_and_asks_back() -> None:
    row = answer("Outline the kidney.")
    assert row["abstain"] is True
    assert row["labels"] == []
    assert row["reason"]
    assert str(row["question"]).endswith("?")
    assert row["suggestions"]


def test_unusable_text_in_a_row_is_an_abstention_with_the_code() -> None:
    assert answer("\x07")["code"] == "request-control-characters"


def test_rows_take_defaults_and_skip_empty_lines() -> None:
    rows = list(read_rows('{"request": "liver"}\n\n{"request": "spleen", "modality": "MR", "id": 4}', Modality.CT))
    assert [(row.id, row.modality) for row in rows] == [("line-1", Modality.CT), ("4", Modality.MR)]


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ("{", "Line 1 .* not JSON"),
        ('{"request": "liver"}\n[1]', "Line 2 .* not a JSON object"),
        ('{"text": "liver"}', "Line 1 .* no field 'request'"),
        ('{"request": "liver", "modality": "PET"}', "Line 1 .* modality 'PET'"),
        ('{"id": "a", "request": "liver"}\n{"id": "a", "request": "liver"}', "Line 2 .* id 'a'"),
        ('{"id": [1], "request": "liver"}', "Line 1 .* an id"),
    ],
)
def test_a_bad_row_is_named_by_its_line(lines: str, what: str) -> None:
    with pytest.raises(RequestError, match=what) as caught:
        list(read_rows(lines))
    assert caught.value.code == "request-rows"


def test_scoring_follows_the_kind_of_intent() -> None:
    organ = {"intent": "spleen", "accept": [["spleen"]], "abstain": False}
    assert is_right(organ, ["spleen"], "spleen", False)
    assert not is_right(organ, ["spleen", "liver"], "spleen and liver", False)
    assert not is_right(organ, [], "", True)
    lesion = {"intent": "lesion:liver_tumor", "accept": [["liver tumor"]], "abstain": False}
    assert is_right(lesion, [], "Liver tumours", False)
    assert not is_right(lesion, ["liver"], "liver", False)
    outside = {"intent": "oov:ureter", "accept": [[]], "abstain": True}
    assert is_right(outside, [], "left ureter", False)
    assert is_right(outside, [], "", True)
    assert not is_right(outside, ["urinary_bladder"], "urinary bladder", False)


def test_a_reply_that_can_not_be_trusted_is_an_abstaining_row() -> None:
    class Broken(LexicalReasoner):
        def reason(self, case: ReasoningCase, emit: Emit, cancel: CancelToken) -> Reasoning | Abstention:
            raise ReplyError("The model's reply has no answer.", code="reply-malformed")

    row = next(read_rows('{"id": "1", "request": "liver", "modality": "CT"}'))
    answer = answer_row(row, Broken())
    assert answer["abstain"] is True
    assert answer["code"] == "reply-malformed"
    assert answer["labels"] == []
