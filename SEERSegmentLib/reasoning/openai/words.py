"""What of a server's own words is shown: a short, clean piece that gives back neither the key nor the request."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

__all__ = ["Hidden", "said_by"]

_LONGEST = 200
_LOOKED_AT = 4000

#: Unbroken text of this length is data (a picture, a token), not words.
_DATA = re.compile(r"\S{40,}|data:image")
_ESCAPED = re.compile(r"\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})")
_WORD = re.compile(r"\w+")
_REQUEST = re.compile(r"<raw_prompt>(.*?)</raw_prompt>", re.DOTALL)
_RUN = 4

#: Words of servers' errors that a request may hold too: alone they give nothing away.
_USUAL = frozenset(
    _WORD.findall(
        "about does error from given have image images input into invalid length limit maximum message messages missing"
        " model most must only output param parameter please prompt request required sent server size support supported"
        " text than that this token tokens type value when with your"
    )
)


@dataclass(frozen=True, repr=False)
class Hidden:
    """What must not come back in a message: the key, and the texts that were sent.

    Of a prompt's request every longer word is hidden; of the other texts, which are templates and measurements, only
    runs of four words.
    """

    key: str = ""
    texts: tuple[str, ...] = ()

    @cached_property
    def _words(self) -> frozenset[str]:
        requests = [found for text in self.texts for found in _REQUEST.findall(text)] or list(self.texts)
        words = {word for text in requests for word in _words(text)}
        pieces = {piece.casefold() for text in requests for piece in re.findall(r"[A-Za-z0-9]+", text)}
        return frozenset(word for word in words | pieces if _telling(word)) - _USUAL

    @cached_property
    def _runs(self) -> frozenset[tuple[str, ...]]:
        return frozenset(run for text in self.texts for run in _runs(_words(text)))

    def shown(self, said: str) -> str:
        """The words as they may be shown: up to the first that gives something away, and not many."""
        plain = _ESCAPED.sub(lambda found: chr(int(found[1] or found[2], 16)), html.unescape(said[:_LOOKED_AT]))
        text = " ".join("".join(c if c.isprintable() else " " for c in plain).split())
        end = min(self._first(text), _LONGEST)
        return text if end >= len(text) else f"{text[:end].rstrip()}…" if text[:end].strip() else ""

    def _first(self, text: str) -> int:
        """Where the first thing begins that must not be shown; the length of the text where nothing does."""
        ends = [len(text)]
        if self.key:
            ends.append(text.find(self.key[:8]) % (len(text) + 1))  # -1, not there, becomes the length
        if data := _DATA.search(text):
            ends.append(data.start())
        found = list(_WORD.finditer(text))
        ends.extend(word.start() for word in found if word.group().casefold() in self._words)
        runs = _runs([word.group().casefold() for word in found])
        ends.extend(found[n].start() for n, run in enumerate(runs) if run in self._runs)
        return min(ends)


def said_by(answer: Any, depth: int = 4) -> str:
    """The words of an error, wherever this kind of server puts them; empty where there are none."""
    if isinstance(answer, str) or not depth:
        return answer if isinstance(answer, str) else ""
    if isinstance(answer, Mapping):
        said = (said_by(answer.get(name), depth - 1) for name in ("error", "message", "detail", "msg"))
        return next(filter(None, said), "")
    if isinstance(answer, list):
        return "; ".join(filter(None, (said_by(one, depth - 1) for one in answer[:3])))
    return ""


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _runs(words: list[str]) -> Iterable[tuple[str, ...]]:
    return zip(*(words[n:] for n in range(_RUN)), strict=False)


def _telling(word: str) -> bool:
    return len(word) >= 4 or (len(word) >= 2 and any(c.isdigit() for c in word))
