"""Tokens: the words of a request as typed, each with its folded form and its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ...anatomy import normalise

__all__ = ["CJK", "Token", "fold", "tokenise", "word_set"]

CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uff66-\uff9f"
"""Character class of Chinese and Japanese writing, which has no spaces between words."""

_TOKEN = re.compile(
    rf"(?P<cjk>[{CJK}]{{1,120}})"
    rf"|(?P<number>\d+(?:[.,]\d+)+)"
    rf"|(?P<word>(?:[^\W_{CJK}]|[\u0300-\u036f])+(?:['\u2019\u02bc](?:s|t|re|ve|ll|d|m)\b)?)"
    rf"|(?P<fracture>\#(?!\d))"
    rf"|(?P<mark>[^\w\s]|_)"
)


def word_set(*texts: str) -> frozenset[str]:
    """The words of texts, as a set."""
    return frozenset(word for text in texts for word in text.split())


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number, run of Chinese or Japanese, or punctuation mark.

    ``text`` is as typed, ``norm`` folded for look-up (empty for a mark), ``start`` and ``end`` its place in the text,
    ``spaced`` whether white space stands before it, ``newline`` whether a line break does.
    """

    text: str
    norm: str
    start: int
    end: int
    kind: str
    spaced: bool = False
    newline: bool = False

    @property
    def is_word(self) -> bool:
        return self.kind != "mark"


@lru_cache(maxsize=65536)
def fold(word: str) -> str:
    """A single word folded by the vocabulary's own rule (case, diacritics, British spelling, possessive)."""
    return normalise(word).replace(" ", "")


def tokenise(text: str) -> list[Token]:
    """Cut a text into tokens. Linear in its length; every character that is not white space is in one token."""
    tokens: list[Token] = []
    last = 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "mark"
        start, end = match.span()
        gap = text[last:start]
        word = match[0]
        if kind == "fracture":  # "#NOF", "wedge #": how clinicians write it
            kind, norm = "word", "fracture"
        else:
            norm = "" if kind == "mark" else fold(word)
        if kind == "word" and not norm:
            kind = "mark"
        tokens.append(Token(word, norm, start, end, kind, bool(gap), "\n" in gap or "\r" in gap))
        last = end
    return tokens
