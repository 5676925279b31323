"""Replies in all the ways that servers write them: the right text each time, and why the model stopped."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from SEERSegmentLib.errors import ServiceError
from SEERSegmentLib.protocols import CancelToken
from SEERSegmentLib.reasoning.openai import reply as module
from SEERSegmentLib.reasoning.prompt import Prompt
from SEERSegmentLib.reasoning.vlm import Completion
from Testing.hostile_server import HostileServer, Script, Visit, chunk, event, head, json_answer, stream
from Testing.remote_case import answering, ask, client, fails

TEXT = "<answer>Niere, größer – 腎臓 😀</answer>"
PARTS = ("<answer>Nie", "re, grö", "ßer – 腎", "臓 😀</answer>")
EVENTS = list(stream(*PARTS))
FIRST, *WORDS, FINISH, USAGE, DONE = EVENTS


@pytest.fixture(autouse=True)
def no_other_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEER_API_KEY", raising=False)
    monkeypatch.setitem(sys.modules, "keyring", None)


def framed(data: bytes, size: int) -> bytes:
    """In chunked transfer coding, cut into pieces of a size."""
    pieces = [data[n : n + size] for n in range(0, len(data), size)]
    return b"".join(b"%x;ext=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nX-Trailer: y\r\n\r\n"


def pieces(*events: Any, kind: str = "text/event-stream", **headers: str) -> Script:
    return answering(head(kind=kind, **headers), b"".join(events))


def plain(message: Any, finish: Any = "stop", **more: Any) -> Script:
    return answering(json_answer({"choices": [{"index": 0, "message": message, "finish_reason": finish}], **more}))


def with_ends(end: bytes) -> bytes:
    return b"".join(EVENTS).replace(b"\n", end)


THINKS = event({"choices": [{"index": 0, "delta": {"reasoning_content": "Hm.", "reasoning": "Hm.", "content": None}}]})
OTHER = event({"choices": [{"index": 1, "delta": {"content": "not this"}, "finish_reason": "stop"}]})
NAN = event(chunk("<answer>", logprobs=float("nan"), usage={"completion_tokens": float("nan")}))
SPLIT = json.dumps(chunk(TEXT), indent=1, ensure_ascii=False).encode()
IN_LINES = b"".join(b"data: %s\n" % line for line in SPLIT.splitlines()) + b"\n"
LENGTH = event(chunk(finish="length"))

RIGHT: dict[str, tuple[Script, Completion]] = {
    "stream": (pieces(*EVENTS), Completion(TEXT, "stop", 4)),
    "charset": (pieces(*EVENTS, kind="text/event-stream; charset=iso-8859-1"), Completion(TEXT, "stop", 4)),
    "kind-in-capitals": (pieces(*EVENTS, kind="Text/Event-Stream"), Completion(TEXT, "stop", 4)),
    "called-plain-text": (pieces(*EVENTS, kind="text/plain"), Completion(TEXT, "stop", 4)),
    "not-called-anything": (
        answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"".join(EVENTS)),
        Completion(TEXT, "stop", 4),
    ),
    "called-json": (pieces(*EVENTS, kind="application/octet-stream"), Completion(TEXT, "stop", 4)),
    "http-1.0": (answering(b"HTTP/1.0 200 OK\r\n\r\n", *EVENTS), Completion(TEXT, "stop", 4)),
    "carriage-returns": (pieces(with_ends(b"\r")), Completion(TEXT, "stop", 4)),
    "both": (pieces(with_ends(b"\r\n")), Completion(TEXT, "stop", 4)),
    "comments": (pieces(*(b": ping\n\n" + one + b":\n\n" for one in EVENTS)), Completion(TEXT, "stop", 4)),
    "byte-order-mark": (pieces(b"\xef\xbb\xbf", *EVENTS), Completion(TEXT, "stop", 4)),
    "data-in-lines": (pieces(IN_LINES, FINISH, DONE), Completion(TEXT, "stop")),
    "ids": (pieces(*(b"id: 7\nretry: 9\nevent: message\n" + one for one in EVENTS)), Completion(TEXT, "stop", 4)),
    "one-byte-chunks": (
        pieces(framed(b"".join(EVENTS), 1), Transfer_Encoding="chunked"),
        Completion(TEXT, "stop", 4),
    ),
    "seven-byte-chunks": (
        pieces(framed(b"".join(EVENTS), 7), Transfer_Encoding="chunked"),
        Completion(TEXT, "stop", 4),
    ),
    "chunks-and-a-length": (
        pieces(framed(b"".join(EVENTS), 99), Transfer_Encoding="chunked", Content_Length="5"),
        Completion(TEXT, "stop", 4),
    ),
    "one-byte-at-a-time": (
        answering(then=lambda visit: visit.trickle(head() + b"".join(EVENTS), 0.0)),
        Completion(TEXT, "stop", 4),
    ),
    "100-continue": (
        answering(b"HTTP/1.1 100 Continue\r\n\r\n" * 3, head(), *EVENTS),
        Completion(TEXT, "stop", 4),
    ),
    "headers-twice": (pieces(*EVENTS, X="1", x="2"), Completion(TEXT, "stop", 4)),
    "encoding-identity": (pieces(*EVENTS, Content_Encoding="identity"), Completion(TEXT, "stop", 4)),
    "many-headers": (pieces(*EVENTS, **{f"X{n}": "y" for n in range(90)}), Completion(TEXT, "stop", 4)),
    "no-done": (pieces(*EVENTS[:-1]), Completion(TEXT, "stop", 4)),
    "no-usage": (pieces(FIRST, *WORDS, FINISH, DONE), Completion(TEXT, "stop")),
    "no-finish": (pieces(FIRST, *WORDS, DONE), Completion(TEXT, "stop")),
    "finish-only": (pieces(FIRST, *WORDS, FINISH), Completion(TEXT, "stop")),
    "no-blank-line-at-the-end": (pieces(*WORDS, FINISH.rstrip()), Completion(TEXT, "stop")),
    "done-without-a-line-end": (pieces(*WORDS, b"data: [DONE]"), Completion(TEXT, "stop")),
    "done-twice": (pieces(*EVENTS, DONE, *EVENTS), Completion(TEXT, "stop", 4)),
    "usage-that-breaks-off": (pieces(*WORDS, FINISH, USAGE[:30]), Completion(TEXT, "stop")),
    "length": (pieces(*WORDS, LENGTH, USAGE, DONE), Completion(TEXT, "length", 4)),
    "filtered": (
        pieces(*WORDS[:2], event(chunk(finish="content_filter")), DONE),
        Completion(PARTS[0] + PARTS[1], "filtered"),
    ),
    "finish-with-the-last-word": (pieces(event(chunk(TEXT, "stop"))), Completion(TEXT, "stop")),
    "finish-empty-until-then": (
        pieces(event(chunk(TEXT, "")), event(chunk("", "stop"))),
        Completion(TEXT, "stop"),
    ),
    "thoughts-are-no-reply": (pieces(THINKS, *WORDS, THINKS, FINISH), Completion(TEXT, "stop")),
    "other-choices": (pieces(OTHER, *WORDS, OTHER, FINISH), Completion(TEXT, "stop")),
    "not-a-number": (pieces(NAN, event(chunk("x", "stop"))), Completion("<answer>x", "stop")),
    "error-null": (pieces(*(event(chunk(p, error=None)) for p in PARTS), FINISH), Completion(TEXT, "stop")),
    "empty-data": (pieces(b"data:\n\n", *WORDS, b"data:\n\n", FINISH), Completion(TEXT, "stop")),
    "content-in-parts": (
        pieces(event(chunk([{"type": "text", "text": "a"}, {"type": "thinking", "thinking": "b"}])), FINISH),  # type: ignore[arg-type]
        Completion("a", "stop"),
    ),
    "nothing-said": (pieces(FIRST, FINISH, DONE), Completion("", "stop")),
    "json": (plain({"content": TEXT}, usage={"completion_tokens": 7}), Completion(TEXT, "stop", 7)),
    "json-with-a-mark": (
        answering(
            head(kind="application/json"),
            b"\xef\xbb\xbf" + json.dumps({"choices": [{"message": {"content": "a"}}]}).encode(),
        ),
        Completion("a", "stop"),
    ),
    "json-under-another-name": (
        answering(head(kind="text/plain"), b"\n" + json.dumps({"choices": [{"message": {"content": "a"}}]}).encode()),
        Completion("a", "stop"),
    ),
    "json-in-chunks": (
        answering(
            head(kind="application/json", Transfer_Encoding="chunked"),
            framed(json.dumps({"choices": [{"message": {"content": TEXT}}]}, ensure_ascii=False).encode(), 2),
        ),
        Completion(TEXT, "stop"),
    ),
    "json-length": (plain({"content": TEXT}, "length"), Completion(TEXT, "length")),
    "json-null": (plain({"content": None}), Completion("", "stop")),
    "json-thoughts": (plain({"content": TEXT, "reasoning_content": "Hm."}), Completion(TEXT, "stop")),
    "json-parts": (plain({"content": [{"type": "text", "text": "a"}, {"text": "b"}]}), Completion("ab", "stop")),
    "json-declines": (plain({"content": None, "refusal": "I can't."}), Completion("I can't.", "stop")),
    "json-strange-usage": (plain({"content": "a"}, usage={"completion_tokens": "many"}), Completion("a", "stop")),
}


@pytest.mark.parametrize("name", RIGHT)
def test_the_text_is_right(name: str) -> None:
    script, wanted = RIGHT[name]
    said: list[str] = []
    with HostileServer(script) as server:
        assert ask(server.url, on_text=said.append) == wanted
        assert server.all_closed()
    assert said == sorted(said, key=len)
    assert all(wanted.text.startswith(text) for text in said)
    assert (said or [""])[-1] == wanted.text


@pytest.mark.parametrize("after", ["silence", "comments", "reset"])
def test_a_connection_that_stays_open_after_the_end_is_left(after: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.05)
    do = {
        "silence": Visit.wait_until_closed,
        "comments": lambda visit: visit.trickle(b":\n" * 9999, 0.01),
        "reset": Visit.reset,
    }[after]
    with HostileServer(answering(head(), *WORDS, FINISH, then=do)) as server:
        assert ask(server.url) == Completion(TEXT, "stop")
        assert server.all_closed()


def test_what_comes_within_the_grace_is_still_read() -> None:
    with HostileServer(
        answering(head(), *WORDS, FINISH, then=lambda visit: visit.trickle(USAGE + DONE, 0.001))
    ) as server:
        assert ask(server.url) == Completion(TEXT, "stop", 4)


ANCHOR = Prompt("", ("where is the liver?",), form="anchor")
ANSWER = '<answer>[{"slice": 3, "bbox_2d_list": [[1, 2, 3, 4]]}]</answer>'


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("streams", [True, False], ids=["stream", "json"])
def test_thoughts_that_were_asked_for_are_put_back_where_a_server_took_them_out(field: str, streams: bool) -> None:
    thoughts = event({"choices": [{"index": 0, "delta": {field: "the liver is"}}]})
    more = event({"choices": [{"index": 0, "delta": {field: " large"}}]})
    script = plain({field: "the liver is large", "content": ANSWER})
    with HostileServer(pieces(thoughts, more, event(chunk(ANSWER)), FINISH) if streams else script) as server:
        (reply,) = client(server.url).complete([ANCHOR], cancel=CancelToken())
        assert reply.text == f"<think>the liver is large</think>{ANSWER}"


def test_thoughts_in_the_text_are_left_as_they_are() -> None:
    whole = f"<think>a</think>{ANSWER}"
    with HostileServer(pieces(THINKS, event(chunk(whole)), FINISH)) as server:
        (reply,) = client(server.url).complete([ANCHOR], cancel=CancelToken())
        assert reply.text == whole


def test_thoughts_without_end_are_too_long_a_reply() -> None:
    long = event({"choices": [{"index": 0, "delta": {"reasoning_content": "hm " * 500}}]})
    with HostileServer(pieces(*[long] * 40, FINISH)) as server, pytest.raises(ServiceError) as caught:
        client(server.url).complete([ANCHOR], cancel=CancelToken())
    assert caught.value.code == "server-too-long"


def test_a_reply_far_longer_than_was_asked_for_is_refused() -> None:
    with HostileServer(pieces(event(chunk("word " * 300)), FINISH)) as server:
        fails(server.url, "server-too-long", max_tokens=16)
        assert ask(server.url, max_tokens=64).text == "word " * 300


def test_a_long_reply_in_many_pieces_is_right() -> None:
    words = [f"{n} " for n in range(3000)]
    with HostileServer(pieces(*(event(chunk(word)) for word in words), FINISH)) as server:
        assert ask(server.url, max_tokens=4096).text == "".join(words)
