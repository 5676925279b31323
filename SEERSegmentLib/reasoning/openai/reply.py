"""A server's answer to a chat: read as it comes, and given out only if it is whole.

Whole is a reply whose end was said: by a ``finish_reason``, whatever becomes of the connection after it; or, from
servers that give none, by ``[DONE]`` after some text. All else is an error, and nothing of it is used.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from ...errors import ServiceError
from ..vlm import Completion, OnText, ignore_text
from . import faults
from .sse import Event, EventParser, EventTooLong
from .transport import Answer
from .words import Hidden, said_by

__all__ = ["parsed", "read_reply"]

#: Seconds that a server has, after it said why it finished, to add how many tokens it took.
GRACE_S = 2.0

#: Most letters of a reply for each token that it may have: 4 is usual, runs of spaces have the most.
_LETTERS_PER_TOKEN = 64

#: What the connection may do to a reply that has said its end.
_OF_THE_LINE = ("server-cut-off", "server-too-long")

_BLANK = b" \t\r\n\xef\xbb\xbf"

_FINISH = {
    **dict.fromkeys(("stop", "eos", "eos_token", "end_turn", "stop_sequence"), "stop"),
    **dict.fromkeys(("length", "max_tokens"), "length"),
    **dict.fromkeys(("content_filter", "refusal", "safety"), "filtered"),
}


def read_reply(
    answer: Answer, hidden: Hidden, max_tokens: int, on_text: OnText = ignore_text, *, thinks: bool = False
) -> Completion:
    """The reply in an answer of status 200: a stream of events, or one JSON object from servers that don't stream.

    Parameters
    ----------
    answer : Answer
    hidden : Hidden
        What an error must not give back.
    max_tokens : int
        As asked for; a reply that is far longer is refused.
    on_text : callable
        Gets each new piece of text.
    thinks : bool
        The form that was asked for has a ``<think>``: some servers take it out of the text and send what was in it in a
        field of its own; it is put back.

    Raises
    ------
    ServiceError
    """
    if answer.kind == "text/html":
        raise faults.html(answer.place)
    reply = _Reply(answer.place, hidden, max_tokens * _LETTERS_PER_TOKEN, on_text, thinks=thinks)
    pieces = answer.pieces()
    first = b""
    if answer.kind != "text/event-stream":  # some servers call everything plain text: what it begins with tells
        while not first.strip(_BLANK) and (piece := next(pieces, b"")):
            first += piece
        if not first.strip(_BLANK):
            raise faults.empty(answer.place)
        if first.lstrip(_BLANK).startswith(b"<"):
            raise faults.html(answer.place)
        if answer.kind.endswith("json") or first.lstrip(_BLANK).startswith(b"{"):
            reply.take_object(parsed(b"".join((first, *pieces)), answer.place))
            return reply.completion()
    try:
        _take_events(reply, chain((first,), pieces), answer)
    except ServiceError as error:
        if not (reply.finished and error.code in _OF_THE_LINE):
            raise
    return reply.completion()


def parsed(data: bytes | str, place: str) -> dict[str, Any]:
    """The JSON object of an answer.

    Raises ServiceError ``server-not-utf8``, ``server-not-json``, ``server-cut-off`` for the beginning of an object,
    ``server-unexpected`` for JSON of another kind.
    """
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        value = json.loads(text)
    except UnicodeDecodeError:
        raise faults.not_utf8(place) from None
    except RecursionError:
        raise faults.not_json(place) from None
    except ValueError as error:
        text = text.strip()
        if not text:
            raise faults.empty(place) from None
        begun = text.startswith("{") and _at_end(error, text)
        raise faults.cut_off(place, "within a JSON object") if begun else faults.not_json(place) from None
    if not isinstance(value, dict):
        raise faults.unexpected(place, "JSON that is no object")
    return value


def _at_end(error: ValueError, text: str) -> bool:
    """Whether JSON is wrong only in that it ends too early: in a word of up to 5 letters, an escape, or a string."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.msg.startswith(("Unterminated", "Invalid \\")) or error.pos >= len(text) - 6


def _take_events(reply: _Reply, pieces: Iterable[bytes], answer: Answer) -> None:
    """Feed a stream to a reply, to its end or to ``[DONE]``."""
    parser = EventParser()
    grace = threading.Timer(GRACE_S, answer.line.end)
    grace.daemon = True
    try:
        for piece in pieces:
            for event in parser.feed(piece):
                reply.take_event(event)
                if reply.done:
                    return
            if reply.finished and grace.ident is None:  # not started yet
                grace.start()
    except UnicodeDecodeError:
        raise faults.not_utf8(answer.place) from None
    except EventTooLong as error:
        raise faults.too_long(answer.place, str(error)) from None
    finally:
        grace.cancel()
    try:
        last = parser.end()
    except UnicodeDecodeError:
        raise faults.cut_off(answer.place, "within a letter") from None
    if last is not None:
        reply.take_event(last, last=True)


class _Reply:
    """What is known of a reply so far."""

    def __init__(self, place: str, hidden: Hidden, longest: int, on_text: OnText, *, thinks: bool = False) -> None:
        self._place, self._hidden, self._longest, self._on_text = place, hidden, longest, on_text
        self._thinks = thinks
        self._thoughts: list[str] = []
        self._parts: list[str] = []
        self._letters = 0
        self._finish = ""
        self._tokens: int | None = None
        self._begun = False
        self.done = False

    @property
    def finished(self) -> bool:
        """Whether it is known to be whole."""
        return bool(self._finish)

    def take_event(self, event: Event, *, last: bool = False) -> None:
        """One event of a stream; the ``last`` one may be half of one."""
        data = event.data.strip()
        if not data:
            return
        self._begun = True
        if data == "[DONE]":
            self.done = True
            return
        try:
            chunk = parsed(data, self._place)
        except ServiceError as error:
            raise faults.cut_off(self._place, "within an event") if last else error from None
        self._take(chunk, "delta", failed=event.name == "error")

    def take_object(self, answer: dict[str, Any]) -> None:
        """The one object of an answer that is no stream."""
        self._take(answer, "message")
        if not self._begun:
            raise faults.unexpected(self._place, "no choices")
        if not self._finish and not self._letters:
            raise faults.empty(self._place)
        self._finish = self._finish or "stop"

    def completion(self) -> Completion:
        """The reply. Raises ServiceError where it is not whole."""
        if not self._begun or (self.done and not self._finish and not self._letters):
            raise faults.empty(self._place)
        if not self._finish and not self.done:
            raise faults.cut_off(self._place, "without an end")
        text = "".join(self._parts)
        if self._thoughts and "<think" not in text.lower():
            text = f"<think>{''.join(self._thoughts)}</think>{text}"
        return Completion(text, self._finish or "stop", self._tokens)

    def _take(self, answer: dict[str, Any], name: str, *, failed: bool = False) -> None:
        if failed or answer.get("error") or answer.get("object") == "error":
            said = said_by(answer)
            raise faults.error_in_answer(self._place, said, self._hidden.shown(said))
        if isinstance(usage := answer.get("usage"), dict):
            tokens = usage.get("completion_tokens")
            self._tokens = tokens if type(tokens) is int and tokens >= 0 else self._tokens
        choices = answer.get("choices") or []
        if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
            raise faults.unexpected(self._place, "choices that are none")
        for choice in choices:
            if choice.get("index") in (0, None):
                self._begun = True
                self._add(choice.get(name) or {})
                self._end(choice.get("finish_reason"))

    def _add(self, message: Any) -> None:
        if not isinstance(message, Mapping):
            raise faults.unexpected(self._place, "a message that is none")
        # What a model thinks to itself comes in other fields and is no part of its reply, unless thinking was asked
        # for; that it declines, in its own words, is one.
        if self._thinks and (thought := self._text(message.get("reasoning_content") or message.get("reasoning"))):
            self._count(thought)
            self._thoughts.append(thought)
        text = self._text(message.get("content")) or self._text(message.get("refusal"))
        if not text:
            return
        if self._finish:
            raise faults.unexpected(self._place, "text after the end")
        self._count(text)
        self._parts.append(text)
        self._on_text(text)

    def _count(self, text: str) -> None:
        self._letters += len(text)
        if self._letters > self._longest:
            raise faults.too_long(self._place, f"more than {self._longest} letters")

    def _text(self, content: Any) -> str:
        if content is None or isinstance(content, str):
            return content or ""
        if isinstance(content, list) and all(isinstance(part, Mapping) for part in content):
            texts = [part.get("text") for part in content if part.get("type", "text") in ("text", "output_text")]
            if all(isinstance(text, str) for text in texts):
                return "".join(map(str, texts))
        raise faults.unexpected(self._place, "content that is no text")

    def _end(self, reason: Any) -> None:
        if reason is None or reason == "":
            return
        if not isinstance(reason, str):
            raise faults.unexpected(self._place, "a finish that is no text")
        if reason not in _FINISH:  # "abort", "error", "tool_calls": it did not write what it was asked for
            raise faults.cut_off(self._place, f"finish: {reason[:20]}" if reason.isidentifier() else "finish")
        self._finish = _FINISH[reason]
