"""The border of text: what becomes a Request, and what is refused with which code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from SEERSegmentLib.errors import RequestError
from SEERSegmentLib.reasoning import MAX_REPORT_BYTES, clean_request

REFUSED = [
    ("", "request-empty"),
    (" \n\t ", "request-empty"),
    ("\u200b\u2060", "request-empty"),
    (b"", "request-empty"),
    ("liver\0", "request-binary"),
    (b"\x00\x01\x02", "request-binary"),
    (b"\xff\xd8\xff\xe0 JFIF", "request-undecodable"),
    ("left \ud800 kidney", "request-undecodable"),
    ("liver\x1b[31m", "request-control-characters"),
    ("\u202etfel\u202c kidney", "request-bidi-override"),
    ("x" * 5000, "request-no-words"),
    ("liver " * 200_000, "request-too-long"),
    ("肝" * 400_000, "request-too-long"),
]


@pytest.mark.parametrize(("text", "code"), REFUSED, ids=[f"{n}-{code}" for n, (_, code) in enumerate(REFUSED)])
def test_unusable_text_is_refused_with_its_own_code(text: str | bytes, code: str) -> None:
    with pytest.raises(RequestError) as caught:
        clean_request(text)
    assert caught.value.code == code
    assert caught.value.user_message.endswith(".")


def test_words_case_and_punctuation_stay() -> None:
    assert clean_request("  pls outline the rt Kidney, ?hydro \n", "7").text == "pls outline the rt Kidney, ?hydro"
    assert clean_request("liver", "7").id == "7"


def test_invisible_characters_go() -> None:
    assert clean_request("li\u200bver\ufeff \u200eplease\u00ad").text == "liver please"


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfMilz", "Milz".encode("utf-16"), b"Milz"])
def test_bytes_are_read_as_utf_8_or_by_their_mark(data: bytes) -> None:
    assert clean_request(data).text == "Milz"


def test_a_megabyte_of_report_is_accepted() -> None:
    text = ("The liver is normal. " * (MAX_REPORT_BYTES // 21)).strip()
    assert clean_request(text, limit=MAX_REPORT_BYTES).text == text
    with pytest.raises(RequestError) as caught:  # to read, not to execute
        clean_request(text)
    assert caught.value.code == "request-too-long"


def test_chinese_and_japanese_need_no_spaces() -> None:
    assert clean_request("肝臓" * 2000).text == "肝臓" * 2000


def cleaned_or_code(text: str | bytes) -> str:
    try:
        return clean_request(text).text
    except RequestError as error:
        return error.code


@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_text_is_cleaned_or_refused(text: str) -> None:
    cleaned = cleaned_or_code(text)
    assert cleaned
    if not cleaned.startswith("request-"):
        assert cleaned == clean_request(cleaned).text


@given(st.binary(max_size=300))
def test_any_bytes_are_cleaned_or_refused(data: bytes) -> None:
    assert cleaned_or_code(data)
