"""One question to a server: what is asked again, and when.

Asked again is only what is safe: where nothing was sent; where the server says that it is too busy and when to come
back; and where it refuses a field that can be left out. Never after an answer began, nor after an error of its own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlsplit

from ...errors import ServiceError
from . import faults
from .address import Address
from .background import Background
from .capabilities import Listed, listed_models
from .connections import NotSent
from .payload import Manner
from .reply import parsed
from .transport import Answer, exchange
from .words import Hidden, said_by

__all__ = ["Desk", "Refusal", "adapted", "list_models", "patiently"]

_T = TypeVar("_T")

#: Tries in all, and the wait before the next where nothing was sent.
TRIES, WAIT_S = 3, 0.25

_LONGEST_ERROR = 1 << 16
_LONGEST_LIST = 2 << 20


class _Busy(Exception):
    """The server says when to come back: in ``after`` seconds."""

    def __init__(self, error: ServiceError, after: float) -> None:
        super().__init__()
        self.error, self.after = error, after


class Refusal(Exception):
    """The server refuses the request, and ``said`` why. ``error`` is for who can't ask in another manner."""

    def __init__(self, error: ServiceError, said: str) -> None:
        super().__init__()
        self.error, self.said = error, said


@dataclass(frozen=True, repr=False)
class Desk:
    """Where questions are asked: a server, with a key, within the time of one call."""

    address: Address
    key: str
    background: Background

    @contextmanager
    def ask(
        self, method: str, path: str, body: bytes | None = None, *, model: str = "", hidden: Hidden | None = None
    ) -> Iterator[Answer]:
        """An answer of status 200.

        Raises
        ------
        ServiceError
        NotSent, _Busy, Refusal
            For :func:`patiently`, and for whoever can ask in another manner.
        """
        hidden = hidden or Hidden(self.key)
        with exchange(method, self.address, path, self.background, key=self.key, body=body) as answer:
            if answer.status != 200:
                self._refuse(answer, model, hidden)
            yield answer

    def _refuse(self, answer: Answer, model: str, hidden: Hidden) -> None:
        place, status = answer.place, answer.status
        if status == 401:
            raise faults.unauthorised(place, with_key=bool(self.key))
        if status == 403:
            raise faults.forbidden(place, with_key=bool(self.key))
        if status == 407:
            raise faults.proxy(place)
        if 300 <= status < 400:
            raise faults.redirect(place, _other_place(answer.headers.get("Location", "")))
        said = _said(answer)
        shown = hidden.shown(said)
        error = faults.of_status(place, status, model, said, shown)
        if status in (429, 503) and (after := _seconds(answer.headers.get("Retry-After", ""))) is not None:
            raise _Busy(error, after)
        if error.code == "server-request-refused":
            raise Refusal(error, shown)  # the words as they are may quote all that was sent, names of fields included
        raise error


def patiently(
    attempt: Callable[[], _T], background: Background, *, tries: int = TRIES, on_wait: Callable[[], None] | None = None
) -> _T:
    """What an attempt gives; another one is made where that is safe, and there is time.

    Raises ServiceError, and Refusal as the attempt does.
    """
    for left in range(tries - 1, -1, -1):
        try:
            return attempt()
        except (NotSent, _Busy) as failed:
            after = failed.after if isinstance(failed, _Busy) else WAIT_S
            if not left or after >= background.left():
                raise failed.error from None
            if on_wait is not None:
                on_wait()
            if not background.pause(after):
                raise failed.error from None
    raise AssertionError("there is always a last try")


def list_models(desk: Desk, *, tries: int = TRIES) -> tuple[Listed, ...]:
    """The models that a server lists. Raises ServiceError."""

    def attempt() -> tuple[Listed, ...]:
        with desk.ask("GET", "/models") as answer:
            body = answer.body(_LONGEST_LIST)
            if answer.kind == "text/html" or body.lstrip().startswith(b"<"):
                raise faults.html(answer.place)
            return listed_models(parsed(body, answer.place), answer.place)

    try:
        return patiently(attempt, desk.background, tries=tries)
    except Refusal as refused:
        raise refused.error from None


def adapted(manner: Manner, said: str) -> Manner:
    """How to ask a server that refused a request in such words; unchanged where they name no field to do without."""
    said = said.lower()
    if manner.limit == "max_tokens" and "max_completion_tokens" in said:
        return replace(manner, limit="max_completion_tokens")
    if manner.usage and re.search("stream_options|include_usage", said):
        return replace(manner, usage=False)
    if manner.greedy and "temperature" in said:
        return replace(manner, greedy=False)
    if manner.held and re.search("structured|guided|grammar|regex", said):
        return replace(manner, held=False)
    return manner


def _said(answer: Answer) -> str:
    """The words of an error; none where its body is none, or can't be read."""
    try:
        return said_by(parsed(answer.body(_LONGEST_ERROR), answer.place))
    except ServiceError:
        return ""


def _other_place(location: str) -> str:
    try:
        host = urlsplit(location).netloc.rpartition("@")[2]
    except ValueError:
        return ""
    return host if re.fullmatch(r"[\w.:\[\]-]{1,255}", host, re.ASCII) else ""


def _seconds(retry_after: str) -> float | None:
    """Seconds from a Retry-After header, a number or a date; None where it is neither."""
    text = retry_after.strip()
    if text.isdecimal() and len(text) < 8:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
