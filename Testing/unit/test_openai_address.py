"""Addresses that are taken, keys that may go there, and what of a server's words may be shown."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from SEERSegmentLib.errors import UsageError
from SEERSegmentLib.reasoning.openai import faults
from SEERSegmentLib.reasoning.openai.address import check_key, is_loopback, parse_address
from SEERSegmentLib.reasoning.openai.words import Hidden, said_by
from Testing.remote_case import KEY, PROMPT, REQUEST, assert_tells_nothing


@pytest.mark.parametrize(
    ("url", "again", "place", "origin"),
    [
        ("http://127.0.0.1:8000/v1", "", "127.0.0.1:8000", "http://127.0.0.1:8000"),
        (" https://GPU.example.org/v1/ ", "https://gpu.example.org/v1", "gpu.example.org", "https://gpu.example.org"),
        ("HTTPS://gpu.example.org:8443", "https://gpu.example.org:8443", "gpu.example.org:8443", None),
        ("http://[::1]:8000/v1", "", "[::1]:8000", "http://[::1]:8000"),
        ("http://[0:0:0:0:0:0:0:1]/v1", "http://[::1]/v1", "[::1]", "http://[::1]"),
        ("https://gpu_1.example.org./a/b%20c", "", "gpu_1.example.org.", "https://gpu_1.example.org."),
        ("https://bücher.example/v1", "https://xn--bcher-kva.example/v1", "xn--bcher-kva.example", None),
    ],
)
def test_an_address_is_taken_apart_and_put_together(url: str, again: str, place: str, origin: str | None) -> None:
    address = parse_address(url)
    assert address.url == (again or url)
    assert address.place == place
    assert origin is None or address.origin == origin
    assert parse_address(address.url) == address


@pytest.mark.parametrize(
    "url",
    [
        "gpu.example.org/v1",
        "ftp://gpu.example.org",
        "file:///etc/passwd",
        "http:///v1",
        "http://",
        "https://me@gpu.example.org/v1",
        "https://me:mine@gpu.example.org/v1",
        "https://@gpu.example.org/v1",
        "https://gpu.example.org/v1?key=mine",
        "https://gpu.example.org/v1#seer",
        "https://gpu.example.org/v1?",
        "https://gpu.example.org/v1#",
        "https://gpu.example.org:99999/v1",
        "https://gpu.example.org:x/v1",
        "https://gpu.example.org/v 1",
        "https://gpu.example.org/v1\nHost: evil.example.org",
        "https://gpu.exam\u200bple.org/v1",
        "https://gpu.example.org\\@evil.example.org/v1",
        "https://gpu.example.org%2eevil/v1",
        "https://a..b/v1",
        "https://-a-/v1",
        "https://" + "ü" * 99 + ".org/v1",
        "https://[::1",
        "https://[fe80::zz]/v1",
        "https://[127.0.0.1]/v1",
    ],
)
def test_what_is_no_address_is_not_asked(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(url)
    assert caught.value.code == "server-invalid"
    assert "mine" not in str(caught.value)


def test_no_address_is_missing() -> None:
    with pytest.raises(UsageError) as caught:
        parse_address("  ")
    assert caught.value.code == "server-missing"


@given(st.text("htps:/.@?#[]%\\ab1-_ü\u200b\n", max_size=24).map("http://localhost".__add__) | st.text(max_size=20))
@example("http://localhost.")
def test_whatever_is_taken_leads_where_it_says(url: str) -> None:
    try:
        address = parse_address(url)
    except UsageError:
        return
    parts = urlsplit(address.url)
    assert (parts.scheme, parts.hostname, parts.port) == (address.scheme, address.host, address.port)
    assert address.url.isascii() or not address.path.isascii()
    assert address.loopback == (address.host in ("localhost", "::1") or address.host.startswith("127."))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.8.7", "::1"])
def test_this_computer(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "10.0.0.1", "::", "127.0.0.1.example.org", "localhost.example.org", "0177.0.0.1", "", "1270.0.0.1"],
)
def test_another_computer(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("url", ["https://gpu.example.org/v1", "http://localhost/v1", "http://[::1]:8000/v1"])
def test_a_key_may_go_there(url: str) -> None:
    check_key(parse_address(url), KEY)


@pytest.mark.parametrize("url", ["http://gpu.example.org/v1", "http://10.0.0.1/v1", "http://0.0.0.0/v1"])
def test_a_key_does_not_cross_the_network_in_clear(url: str) -> None:
    check_key(parse_address(url), "")
    with pytest.raises(UsageError) as caught:
        check_key(parse_address(url), KEY)
    assert caught.value.code == "server-key-unencrypted"
    assert_tells_nothing(str(caught.value))


# --- a server's words -------------------------------------------------------------------------------------------------

TEXTS = tuple(part for part in PROMPT.content if isinstance(part, str))
HIDDEN = Hidden(KEY, (PROMPT.system, *TEXTS))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The model `seer` does not exist.", "The model `seer` does not exist."),
        ("  many\n\tspaces ", "many spaces"),
        ("right\u202eto\u200bleft\0", "right to left"),
        ("x " * 200, "x " * 99 + "x…"),
        ("At most 4 image(s) may be provided in one request.", "At most 4 image(s) may be provided in one request."),
        ("too big: data:image/png;base64,iVBORw0KGgo", "too big:…"),
        ("too big: " + "iVBORw0KGgo" * 9, "too big:…"),
        (f"key {KEY} is wrong", "key…"),
        (f"key {KEY[:10]}… is wrong", "key…"),
        (f"can't read '{REQUEST}'", "can't read '…"),
        ("can't read KIDNEY", "can't read…"),
        ("MRN-4711 is no number", "MRN-…"),
        ("It starts with: Zebediah", "It starts with:…"),
        ("Quux", ""),
        ("", ""),
    ],
)
def test_words_are_shown_up_to_what_gives_something_away(said: str, shown: str) -> None:
    assert HIDDEN.shown(said) == shown


def test_of_a_template_four_words_in_a_row_give_it_away() -> None:
    hidden = Hidden("", ("Be exact: look at the pictures.", "<raw_prompt>liver</raw_prompt>"))
    assert hidden.shown("Sorry, be exact; LOOK AT it.") == "Sorry,…"
    assert hidden.shown("Look at the model's pictures.") == "Look at the model's pictures."


@given(st.text(), st.integers(0, len(REQUEST)), st.integers(0, len(REQUEST)), st.text())
def test_no_piece_of_the_request_comes_back(before: str, start: int, end: int, after: str) -> None:
    piece = REQUEST[min(start, end) : max(start, end)]
    shown = HIDDEN.shown(f"{before} {piece} {after} {KEY}").casefold()
    assert len(shown) <= 201
    assert KEY.casefold() not in shown
    whole = {word for word in REQUEST.casefold().replace(",", "").split() if len(word) > 3}
    assert not whole & set(re.findall(r"\w+", shown))


def test_a_request_without_tags_is_hidden_too() -> None:
    assert Hidden("", ("the liver of Mr Quux",)).shown("bad: quux") == "bad:…"


def test_a_request_in_another_alphabet_is_hidden_as_it_is_and_escaped() -> None:
    hidden = Hidden("", ("<raw_prompt>Niere von Frau Grünwald</raw_prompt>",))
    for escaped in ("Grünwald", "Gr\\u00fcnwald", "Gr\\xfcnwald", "Gr&#252;nwald", "Gr&uuml;nwald", "Gr\ufffdnwald"):
        assert hidden.shown(f"bad: {escaped}").startswith(("bad:…", "bad: Gr"))
        assert "nwald" not in hidden.shown(f"bad: {escaped}")


@pytest.mark.parametrize("escaped", ["k&#105;dney", "k\\u0069dney", "k\\x69dney"])
def test_a_word_of_the_request_is_known_behind_escapes(escaped: str) -> None:
    assert HIDDEN.shown(f"bad: {escaped}") == "bad:…"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"error": {"message": "a", "type": "b"}}, "a"),
        ({"error": "a"}, "a"),
        ({"object": "error", "message": "a"}, "a"),
        ({"detail": "a"}, "a"),
        ({"detail": [{"loc": ["body"], "msg": "a", "input": "secret"}, {"msg": "b"}]}, "a; b"),
        ({"error": {"error": {"error": {"error": {"error": "deep"}}}}}, ""),
        ({"error": {"code": 5}}, ""),
        ({"error": None}, ""),
        ([], ""),
        (5, ""),
    ],
)
def test_words_are_found_wherever_a_server_puts_them(answer: Any, said: str) -> None:
    assert said_by(answer) == said


@pytest.mark.parametrize("status", [400, 404, 409, 413, 418, 422, 429, 500, 502, 503, 504, 529])
@given(said=st.text(max_size=80))
def test_every_status_is_an_error_with_a_sentence(status: int, said: str) -> None:
    error = faults.of_status("gpu:1", status, "seer", said, HIDDEN.shown(said))
    assert error.code.startswith("server-")
    assert "gpu:1" in error.user_message
