"""Cuts a folded text into words, numbers and marks, for the rules that read what stands next to what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

__all__ = ["Shape", "Token", "tokenise"]

_LETTER = r"(?:[^\W\d_]|[\u0300-\u036f])"
# A possessive s is a mark of its own; hyphens and apostrophes within a word belong to it.
_TOKEN = re.compile(
    rf"(?P<word>(?!'){_LETTER}+(?:['-](?!s(?!{_LETTER}))(?!S(?!{_LETTER})){_LETTER}+)*)"
    rf"|(?P<number>\d+)|(?P<possessive>'[sS](?!{_LETTER}))|(?P<mark>[^\w\s])"
)


class Shape(Enum):
    """How a word is written."""

    LOWER = "lower"
    TITLE = "title"
    UPPER = "upper"
    INITIAL = "initial"
    NONE = "none"


class Token(NamedTuple):
    """One word, number or mark.

    ``low`` is its text in lower case; ``gap`` how far it stands from the one before: 0 not at all, 1 a space (or an
    underscore), 2 a new line.
    """

    text: str
    low: str
    start: int
    end: int
    kind: str
    shape: Shape
    gap: int


def tokenise(text: str) -> list[Token]:
    """The tokens of a text. Linear in its length."""
    return list(_tokens(text))


def _tokens(text: str) -> Iterator[Token]:
    last = 0
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        between = text[last:start]
        gap = 2 if "\n" in between else 1 if between else 0
        kind = match.lastgroup or "mark"
        word = match[0]
        yield Token(word, word.lower(), start, end, kind, _shape(word) if kind == "word" else Shape.NONE, gap)
        last = end


def _shape(word: str) -> Shape:
    if not word.isascii() and any(letter.lower() == letter.upper() for letter in word if letter.isalpha()):
        return Shape.NONE  # in whole or in part in writing without capitals
    if not word[0].isupper():
        return Shape.LOWER
    if len(word) == 1:
        return Shape.INITIAL
    return Shape.UPPER if word.isupper() else Shape.TITLE
