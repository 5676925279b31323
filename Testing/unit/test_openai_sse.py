"""The parser of server-sent events: the same events however the bytes are cut, by the rules of the standard."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from SEERSegmentLib.reasoning.openai.sse import Event, EventParser, EventTooLong


def read(*pieces: bytes) -> list[Event]:
    parser = EventParser()
    return [event for piece in pieces for event in parser.feed(piece)]


def by_the_standard(text: str) -> list[Event]:
    """The same by the words of the standard, a line at a time."""
    events, data, name = [], [], ""
    *lines, _ = re.split("\r\n|\r|\n", text.removeprefix("\ufeff"))
    for line in lines:
        if not line:
            if data:
                events.append(Event("\n".join(data), name or "message"))
            data, name = [], ""
        elif not line.startswith(":"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                data.append(value)
            elif field == "event":
                name = value
    return events


LINES = st.one_of(
    st.sampled_from(["", "", "data", "data:", "data: ", ":", ": ping", "event: error", "event", "id: 7", "retry: 9"]),
    st.text('äß腎😀 {}":,\ufeffab', max_size=12).map("data: {}".format),
    st.text("äß腎😀 :dat", max_size=8),
)
ENDS = st.sampled_from(["\n", "\r", "\r\n"])


@given(st.lists(st.tuples(LINES, ENDS), max_size=12), st.booleans(), st.data())
def test_events_are_the_standards_wherever_the_bytes_are_cut(
    lines: list[tuple[str, str]], marked: bool, data: st.DataObject
) -> None:
    text = "\ufeff" * marked + "".join(line + end for line, end in lines)
    stream = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read(*pieces) == by_the_standard(text)
    assert read(*(stream[n : n + 1] for n in range(len(stream)))) == by_the_standard(text)


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        pytest.param(b"data: a\n\ndata: b\n\n", [Event("a"), Event("b")], id="two"),
        pytest.param(b"data:a\ndata:  b\ndata\ndata: c\n\n", [Event("a\n b\n\nc")], id="lines"),
        pytest.param(b"event: error\ndata: a\n\ndata: b\n\n", [Event("a", "error"), Event("b")], id="named"),
        pytest.param(b"event: error\n\ndata: b\n\n", [Event("b")], id="named-without-data"),
        pytest.param(b"data\n\n", [Event("")], id="empty-data"),
        pytest.param(b":\n: x\nfoo: y\ndata: a\nid: 3\nretry: 1\n\n", [Event("a")], id="other-fields"),
        pytest.param(b": gr\xf6sser\ndata: a\n\n", [Event("a")], id="a-comment-may-be-anything"),
        pytest.param(b"data: a\r\rdata: b\r\n\r\n", [Event("a"), Event("b")], id="mixed-ends"),
        pytest.param(b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n", [Event("a")], id="one-mark-only"),
        pytest.param(b"data: a\n", [], id="no-blank-line"),
    ],
)
def test_examples(stream: bytes, events: list[Event]) -> None:
    assert read(stream) == events


@pytest.mark.parametrize("tail", [b"data: a", b"data: a\n", b"data: a\r", b"event: x\ndata: a\r\n"])
def test_what_stands_at_the_end_without_a_blank_line_is_given_by_the_end(tail: bytes) -> None:
    parser = EventParser()
    assert parser.feed(b"data: first\n\n" + tail) == [Event("first")]
    last = parser.end()
    assert last is not None
    assert last.data == "a"
    assert parser.end() is None


def test_nothing_stands_at_the_end_of_a_whole_stream() -> None:
    parser = EventParser()
    parser.feed(b"data: a\n\n: bye\n")
    assert parser.end() is None


@pytest.mark.parametrize("data", [b"data: gr\xf6sser\n\n", b"data: \xe8\x85\n\n", b"event: \xff\n\n"])
def test_data_that_is_not_utf8_is_refused(data: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        read(data)


@pytest.mark.parametrize(
    "piece", [b"x" * 100, b"data: " + b"x" * 20 + b"\n", b"data\n"], ids=["line", "event", "empty-lines"]
)
def test_what_does_not_end_is_refused_and_not_kept(piece: bytes) -> None:
    parser = EventParser(longest=1000)

    def feed_for_ever() -> None:
        for _ in range(2000):
            assert parser.feed(piece) == []

    with pytest.raises(EventTooLong):
        feed_for_ever()
