"""Server-sent events, from bytes: the event stream of the WHATWG's HTML standard, section 9.2.6.

Pieces may end anywhere, within a letter or between carriage return and line feed. Lines end in any of CR, LF, CRLF; a
byte order mark is skipped; comments and fields other than ``event`` and ``data`` count for nothing. Two things are
stricter than the standard: what is not UTF-8 is refused rather than replaced, and lines and events have a longest
length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Event", "EventParser", "EventTooLong"]

#: Bytes of an event, all its lines together: a token with its probabilities takes a few hundred.
LONGEST = 1 << 20

_BREAK = re.compile(rb"\r\n|\r|\n")
_MARK = b"\xef\xbb\xbf"


class EventTooLong(ValueError):
    """A line or an event that does not end."""


@dataclass(frozen=True)
class Event:
    """``data`` are its lines joined by line feeds; ``name`` is ``"message"`` unless the stream says otherwise."""

    data: str
    name: str = "message"


class EventParser:
    """Takes the bytes of a stream in pieces; work and memory are linear in what comes."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._rest: list[bytes] = []
        self._rest_size = 0
        self._after_return = False
        self._first = True
        self._name = ""
        self._data: list[str] = []
        self._data_size = 0

    def feed(self, piece: bytes) -> list[Event]:
        """The events that a piece completes.

        Raises
        ------
        UnicodeDecodeError
            Its data is not UTF-8.
        EventTooLong
        """
        if not piece:
            return []
        if self._after_return and piece.startswith(b"\n"):
            piece = piece[1:]
        self._after_return = piece.endswith(b"\r")
        *whole, rest = _BREAK.split(piece)
        events = [event for line in whole if (event := self._end_line(line)) is not None]
        self._keep(rest)
        return events

    def end(self) -> Event | None:
        """What stands at the end of the stream without a blank line after it.

        The standard throws it away; some servers end that way. Whoever takes it has to see whether it is whole.
        """
        return self._end_line(b"") or self._dispatch()

    def _keep(self, rest: bytes) -> None:
        self._rest.append(rest)
        self._rest_size += len(rest)
        if self._rest_size > self._longest:
            raise EventTooLong("a line")

    def _end_line(self, end: bytes) -> Event | None:
        self._keep(end)
        line = b"".join(self._rest)
        self._rest, self._rest_size = [], 0
        if self._first:
            self._first, line = False, line.removeprefix(_MARK)
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")  # a comment's field is empty
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data_size += len(value) + 1
            if self._data_size > self._longest:
                raise EventTooLong("an event")
            self._data.append(value.decode("utf-8"))
        elif field == b"event":
            self._name = value.decode("utf-8")
        return None

    def _dispatch(self) -> Event | None:
        name, data = self._name, self._data
        self._name, self._data, self._data_size = "", [], 0
        return Event("\n".join(data), name or "message") if data else None
