"""Servers that fail in every way: each time the error that says so, within the deadline, and nothing half-read is used.

Every case sends a key, a request and a picture, and none of them comes back in any error.
"""

from __future__ import annotations

import gzip
import json
import socket
import sys
import threading
from typing import Any

import pytest

from SEERSegmentLib.errors import ServiceError
from SEERSegmentLib.protocols import CancelToken
from SEERSegmentLib.reasoning.openai import OpenAIServer
from SEERSegmentLib.reasoning.prompt import Prompt
from Testing.hostile_server import HostileServer, Script, Visit, chunk, event, head, json_answer, stream, watched
from Testing.remote_case import ENOUGH_S, KEY, PROMPT, REQUEST, answering, ask, client, fails

TEXT = "<answer>Niere, größer – 腎臓</answer>"
PARTS = ("<answer>Nie", "re, grö", "ßer – 腎", "臓</answer>")
EVENTS = list(stream(*PARTS))
WHOLE = head() + b"".join(EVENTS)

#: Short enough for an answer that never comes.
SHORT = 0.3


@pytest.fixture(autouse=True)
def no_other_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SEER_API_KEY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "keyring", None)


def error_answer(status: str, message: Any, **headers: str) -> Script:
    return answering(json_answer({"error": {"message": message, "type": "x", "code": None}}, status, **headers))


# --- one table: what the server does, and the error -------------------------------------------------------------------


def hangs_up(visit: Visit) -> None:
    visit.read()


def resets(visit: Visit) -> None:
    visit.read()
    visit.reset()


def resets_in_the_middle(visit: Visit) -> None:
    visit.read()
    visit.send(head() + EVENTS[0] + EVENTS[1])
    visit.reset()


def refuses_early(visit: Visit) -> None:
    visit.read_head()  # and not the body
    visit.send(json_answer({"detail": "Request Entity Too Large"}, "413 Payload Too Large"))


def quotes_all(visit: Visit) -> None:
    visit.send(json_answer({"detail": visit.read().body.decode()}, "422 Unprocessable Content"))


LATIN = "data: " + json.dumps(chunk("größer"), ensure_ascii=False) + "\n\n"
SAYS = {"choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}]}
JSON = json.dumps(SAYS).encode()
DEEP = b'{"choices":' + b"[" * 100_000
BOMB = gzip.compress(b"\0" * (64 << 20))


def says(**message: Any) -> bytes:
    """A plain JSON answer with another message."""
    return json_answer({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


def framed(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """Pieces in chunked transfer coding."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


def endless(first: bytes, then: bytes) -> Script:
    return answering(first, then=lambda visit: visit.repeat(then))


FAULTS: dict[str, tuple[Script, str]] = {
    # refusals
    "401": (error_answer("401 Unauthorized", f"Incorrect API key provided: {KEY}"), "server-unauthorised"),
    "403": (error_answer("403 Forbidden", "no"), "server-forbidden"),
    "404": (answering(head("404 Not Found", "text/html"), b"<h1>Not Found</h1>"), "server-not-found"),
    "404-of-a-model": (error_answer("404 Not Found", "The model `seer` does not exist."), "server-model-unknown"),
    "405": (answering(json_answer({"detail": "Method Not Allowed"}, "405 Method Not Allowed")), "server-status"),
    "407": (answering(head("407 Proxy Authentication Required")), "server-proxy"),
    "413": (error_answer("413 Payload Too Large", "too big"), "server-too-large"),
    "413-before-it-has-read-all": (refuses_early, "server-too-large"),
    "400": (error_answer("400 Bad Request", "The field foo is missing."), "server-request-refused"),
    "400-too-many-pictures": (
        error_answer("400 Bad Request", "At most 4 image(s) may be provided in one prompt."),
        "server-too-large",
    ),
    "400-too-long": (
        error_answer("400 Bad Request", "This model's maximum context length is 2048 tokens."),
        "server-too-large",
    ),
    "400-no-eyes": (error_answer("400 Bad Request", "seer is not a multimodal model"), "server-text-only"),
    "500-no-eyes": (
        error_answer("500 Internal Server Error", "image input is not supported - you may need to provide the mmproj"),
        "server-text-only",
    ),
    "422": (
        answering(json_answer({"detail": [{"loc": ["body"], "msg": "bad", "input": REQUEST}]}, "422 Unprocessable")),
        "server-request-refused",
    ),
    "422-that-quotes-all": (quotes_all, "server-request-refused"),
    "429": (error_answer("429 Too Many Requests", "slow down"), "server-busy"),
    "429-come-back-tomorrow": (error_answer("429 Too Many Requests", "", Retry_After="86400"), "server-busy"),
    "429-with-a-strange-date": (error_answer("429 Too Many Requests", "", Retry_After="soon"), "server-busy"),
    "500-come-back": (error_answer("500 Internal Server Error", "", Retry_After="0"), "server-failed"),
    "500": (error_answer("500 Internal Server Error", "CUDA error"), "server-failed"),
    "500-that-quotes-the-request": (error_answer("500 Internal Server Error", f"bad: {REQUEST}"), "server-failed"),
    "502-html": (answering(head("502 Bad Gateway", "text/html"), b"<html>nginx</html>"), "server-failed"),
    "503": (error_answer("503 Service Unavailable", "Loading model"), "server-busy"),
    "504-without-a-body": (answering(head("504 Gateway Time-out")), "server-failed"),
    "an-endless-error": (answering(head("500 Internal Server Error"), b"x" * (1 << 20)), "server-failed"),
    "204": (answering(b"HTTP/1.1 204 No Content\r\n\r\n"), "server-status"),
    "201": (answering(json_answer(SAYS, "201 Created")), "server-status"),
    "101": (answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), "server-status"),
    # what is no answer of such a server
    "200-html": (answering(head(kind="text/html"), b"<!doctype html><title>Login</title>"), "server-html"),
    "200-html-under-another-name": (answering(head(kind="text/plain"), b"\n <html>"), "server-html"),
    "empty-body": (answering(head()), "server-empty"),
    "empty-json": (answering(head(kind="application/json")), "server-empty"),
    "blank-json": (answering(head(kind="application/json"), b" \n "), "server-empty"),
    "only-comments": (answering(head(), b": ping\n\n" * 9), "server-empty"),
    "only-done": (answering(head(), b"data: [DONE]\n\n"), "server-empty"),
    "done-before-any-text": (answering(head(), EVENTS[0], b"data: [DONE]\n\n"), "server-empty"),
    "plain-text": (answering(head(kind="text/plain"), b"hello"), "server-empty"),
    "no-json": (answering(head(kind="application/json"), b"hello"), "server-not-json"),
    "no-json-in-an-event": (answering(head(), b"data: hello\n\n", *EVENTS), "server-not-json"),
    "half-json": (answering(head(kind="application/json"), JSON[:-9]), "server-cut-off"),
    "json-list": (answering(json_answer([SAYS])), "server-unexpected"),
    "json-number": (answering(head(), b"data: 5\n\n"), "server-unexpected"),
    "deep-json": (answering(head(kind="application/json"), DEEP), "server-not-json"),
    "deep-json-in-an-event": (answering(head(), b"data: " + DEEP + b"\n\n"), "server-not-json"),
    "no-choices": (answering(json_answer({"id": "x"})), "server-unexpected"),
    "choices-empty": (answering(json_answer({"choices": []})), "server-unexpected"),
    "choices-text": (answering(json_answer({"choices": "none"})), "server-unexpected"),
    "choices-of-numbers": (answering(json_answer({"choices": [5]})), "server-unexpected"),
    "message-a-list": (answering(json_answer({"choices": [{"message": [5]}]})), "server-unexpected"),
    "content-a-number": (answering(says(content=5)), "server-unexpected"),
    "content-an-object": (answering(says(content={"text": "x"})), "server-unexpected"),
    "content-parts-of-numbers": (answering(says(content=[{"type": "text", "text": 5}])), "server-unexpected"),
    "content-null-and-no-finish": (
        answering(json_answer({"choices": [{"message": {"content": None}}]})),
        "server-empty",
    ),
    "finish-a-number": (answering(head(), event(chunk("x", 5))), "server-unexpected"),  # type: ignore[arg-type]
    "finish-abort": (answering(head(), event(chunk("x")), event(chunk(finish="abort")), EVENTS[-1]), "server-cut-off"),
    "text-after-the-end": (answering(head(), *EVENTS[:-1], event(chunk("more")), EVENTS[-1]), "server-unexpected"),
    "latin-1": (answering(head(), LATIN.encode("latin-1"), *EVENTS), "server-not-utf8"),
    "latin-1-json": (
        answering(head(kind="application/json"), '{"choices": "größer"}'.encode("latin-1")),
        "server-not-utf8",
    ),
    "error-object": (answering(json_answer({"error": {"message": "CUDA out of memory"}})), "server-error"),
    "error-text": (answering(json_answer({"error": "it broke"})), "server-error"),
    "error-of-old-kind": (answering(json_answer({"object": "error", "message": "it broke"})), "server-error"),
    "error-in-the-stream": (
        answering(head(), *EVENTS[:3], event({"error": {"message": REQUEST}}), *EVENTS[3:]),
        "server-error",
    ),
    "error-event": (answering(head(), *EVENTS[:3], b"event: error\n" + event({"message": "broke"})), "server-error"),
    # what is no HTTP, or bent
    "no-http": (answering(b"SSH-2.0-OpenSSH_9.6\r\n"), "server-http"),
    "http-0.9": (answering(b"<html>hello</html>"), "server-http"),
    "bad-status": (answering(b"HTTP/1.1 abc OK\r\n\r\n"), "server-http"),
    "very-many-headers": (
        answering(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(500)) + b"\r\n"),
        "server-http",
    ),
    "a-header-without-end": (answering(b"HTTP/1.1 200 OK\r\nX: " + b"y" * (1 << 20)), "server-http"),
    "two-lengths": (
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n{}"),
        "server-http",
    ),
    "hangs-up": (hangs_up, "server-cut-off"),
    "resets": (resets, "server-cut-off"),
    "resets-in-the-middle": (resets_in_the_middle, "server-cut-off"),
    "cut-in-the-status": (answering(b"HTTP/1.1 2"), "server-http"),
    "cut-in-the-headers": (answering(head()[:40]), "server-empty"),
    "length-too-long": (
        answering(head(kind="application/json", Content_Length=str(len(JSON) + 9)) + JSON),
        "server-cut-off",
    ),
    "length-too-short": (
        answering(head(kind="application/json", Content_Length=str(len(JSON) - 9)) + JSON),
        "server-cut-off",
    ),
    "chunks-of-garbage": (answering(head(Transfer_Encoding="chunked"), b"zz\r\nhello\r\n"), "server-cut-off"),
    "chunks-cut-off": (answering(head(Transfer_Encoding="chunked"), framed(*EVENTS[:3], end=b"")), "server-cut-off"),
    "gzip-bomb": (answering(head(Content_Encoding="gzip"), BOMB), "server-encoding"),
    "gzip-bomb-in-an-error": (
        answering(head("500 Internal Server Error", Content_Encoding="gzip"), BOMB),
        "server-encoding",
    ),
    "other-encoding": (answering(head(Content_Encoding="br"), b"xxx"), "server-encoding"),
    # without end
    "endless-events": (endless(head(), event(chunk("word " * 50))), "server-too-long"),
    "endless-comments": (endless(head(), b": ping\n\n" * 999), "server-too-long"),
    "endless-line": (endless(head() + b"data: ", b"x" * 65536), "server-too-long"),
    "endless-event": (endless(head(), b"data: " + b"x" * 999 + b"\n"), "server-too-long"),
    "endless-json": (endless(head(kind="application/json") + b"{", b" " * 65536), "server-too-long"),
    "endless-thoughts": (
        endless(head(), event({"choices": [{"delta": {"reasoning_content": "hm " * 500}}]})),
        "server-too-long",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_the_error_that_says_so(name: str) -> None:
    script, code = FAULTS[name]
    with HostileServer(script) as server:
        fails(server.url, code)
        assert len(server.posts) == 1, "it was asked again, which is not safe"
        assert server.all_closed()


def test_there_are_enough_of_them() -> None:
    assert len(FAULTS) >= 45


# --- those that take all the time there is ----------------------------------------------------------------------------


def trickling(data: bytes) -> Script:
    return answering(then=lambda visit: visit.trickle(data, 0.02))


def stopping(data: bytes = b"") -> Script:
    return answering(data, then=Visit.wait_until_closed)


SLOW: dict[str, Script] = {
    "no-answer": stopping(),
    "a-byte-now-and-then": trickling(WHOLE),
    "a-byte-of-headers-now-and-then": trickling(head() * 20),
    "endless-headers": trickling(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 99),
    "endless-100-continue": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "silent-after-the-head": stopping(head()),
    "silent-in-the-middle": stopping(head() + b"".join(EVENTS[:3])),
    "keeps-alive-for-ever": answering(head(), then=lambda visit: visit.trickle(b":\n" * 9999, 0.01)),
    "chunks-that-stop": stopping(head(Transfer_Encoding="chunked") + framed(*EVENTS[:3], end=b"ff")),
    "endless-trailers": endless(
        head(kind="application/json", Transfer_Encoding="chunked") + framed(JSON, end=b"0\r\n"), b"X: y\r\n" * 999
    ),
    "an-error-that-stops": stopping(head("500 Internal Server Error", Content_Length="99") + b"{"),
}


@pytest.mark.parametrize("name", SLOW)
def test_a_server_that_takes_too_long_is_left(name: str) -> None:
    with HostileServer(SLOW[name]) as server:
        error = fails(client(server.url, deadline_s=SHORT), "server-timeout")
        assert error.retryable
        assert f"{SHORT:g} seconds" in error.user_message
        assert server.all_closed()


def test_a_list_of_models_that_never_comes_takes_no_longer() -> None:
    with HostileServer(stopping(), lists_models=False) as server:
        fails(client(server.url, deadline_s=SHORT), "server-timeout")
        assert server.posts == []
        assert server.all_closed()


def test_a_server_that_does_not_read_is_left() -> None:
    left = threading.Event()
    long = Prompt("Be exact." + "." * (12 << 20), PROMPT.content)  # more than the system takes in a socket's stead

    def script(visit: Visit) -> None:
        visit.read_head()
        left.wait(ENOUGH_S)

    with HostileServer(script) as server:
        model = client(server.url, deadline_s=SHORT)
        with pytest.raises(ServiceError) as caught:
            watched(lambda: model.complete([long], cancel=CancelToken()))
        left.set()
        assert caught.value.code == "server-timeout"
        assert server.all_closed()


def test_a_name_that_is_looked_up_for_ever_takes_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments: released.wait(60) and [])
    try:
        fails(client("https://gpu.example.org/v1", deadline_s=SHORT), "server-timeout")
    finally:
        released.set()


# --- cut anywhere -----------------------------------------------------------------------------------------------------

#: From here on the reply has said why it ended.
SAID = WHOLE.index(b'"finish_reason": "stop"') + len(b'"finish_reason": "stop"}]}')


def test_a_stream_cut_at_any_byte_is_whole_or_an_error() -> None:
    cuts = list(range(len(WHOLE)))
    with HostileServer(*(answering(WHOLE[:cut]) for cut in cuts)) as server:
        model = client(server.url)
        for cut in cuts:
            outcome = outcome_of(model)
            if cut >= SAID:
                assert outcome == TEXT, cut
            else:
                assert outcome in ("server-cut-off", "server-empty", "server-http"), cut
        assert len(server.posts) == len(cuts)
        assert server.all_closed()


def test_a_stream_of_chunks_cut_at_any_byte_is_whole_or_an_error() -> None:
    whole = head(Transfer_Encoding="chunked") + framed(*EVENTS)
    cuts = list(range(len(head()), len(whole), 3))
    with HostileServer(*(answering(whole[:cut]) for cut in cuts)) as server:
        model = client(server.url)
        for cut in cuts:
            errors = ("server-cut-off", "server-empty")
            assert outcome_of(model) in (errors if cut < whole.index(b'"stop"') else (*errors, TEXT)), cut


def test_a_json_answer_cut_at_any_byte_is_an_error() -> None:
    for whole in (json_answer(SAYS), head(kind="application/json") + JSON):
        cuts = list(range(len(head(kind="application/json")), len(whole)))
        with HostileServer(*(answering(whole[:cut]) for cut in cuts)) as server:
            model = client(server.url)
            for cut in cuts:
                assert outcome_of(model) in ("server-cut-off", "server-empty", "server-http"), cut


def outcome_of(model: OpenAIServer) -> str:
    try:
        return ask(model).text
    except ServiceError as error:
        return error.code
