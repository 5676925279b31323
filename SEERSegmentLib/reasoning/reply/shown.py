"""What of a reply is safe to show: its lines without characters that nobody sees, fences and bullets."""

from __future__ import annotations

import html
import re
import unicodedata

__all__ = ["is_hidden", "items_of", "lines_of", "loggable", "says_nothing", "visible", "word_set"]


def word_set(words: str) -> frozenset[str]:
    """A set of words that are written in one line."""
    return frozenset(words.split())


MAX_ITEMS = 60
"""Most observations or steps that are shown; the whole reply stays in ``Reasoning.raw``."""

MAX_ITEM = 1_000
"""Longest one, in characters."""

#: Drawn as nothing, though Unicode counts them as letters or marks: joiners, fillers, variation selectors.
_BLANK_LETTERS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0" + "".join(map(chr, range(0xFE00, 0xFE10)))
)
_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_FENCE = re.compile(r"(?:```|~~~)[\w+-]{0,20}")
_BULLET = re.compile(r"(?:[-*•·‣▪◦–—+]|\(?\d{1,3}[.)])\s+")
_SENTENCE_END = re.compile(r"[.!?][\"')\]]?\s+(?=[A-Z0-9\"'(\[])|[。！？]")
#: After these a full stop ends no sentence.
_ABBREVIATIONS = word_set("e.g i.e approx ca cf dr fig figs im img no nos resp st vs lt rt")
_SURROGATES = re.compile("[\ud800-\udfff]")
_MARKUP = re.compile(r"<[^<>]*>")
#: What a model writes where it has nothing to write.
_EMPTY_WORDS = word_set("n/a na none null nil tbd todo xxx empty blank evidence rationale reasoning")


def loggable(text: str) -> str:
    """A text as it came, but for half characters, which no file can hold."""
    return _SURROGATES.sub("\ufffd", text)


def is_hidden(character: str) -> bool:
    """Control, bidi, zero-width, private, unassigned and half characters; tab and line breaks are white space."""
    if character in "\t\n\r\x0b\x0c\x1c\x1d\x1e\x85":
        return False
    return unicodedata.category(character)[0] == "C" or character in _BLANK_LETTERS


def visible(text: str) -> str:
    """A text without hidden characters, its lines ended by line feeds."""
    gone = {ord(character): None for character in set(text) if is_hidden(character)}
    return _LINE_BREAKS.sub("\n", text.translate(gone) if gone else text)


def lines_of(text: str) -> list[str]:
    """Lines that say something: without fences, empty lines, and white space around and in runs."""
    lines = (" ".join(line.split()) for line in visible(text).split("\n"))
    return [line for line in lines if line and not _FENCE.fullmatch(line)]


def says_nothing(text: str) -> bool:
    """Whether a section is blank: no letter in it but those of marks and entities, or only a word for nothing."""
    said = html.unescape(_MARKUP.sub(" ", " ".join(lines_of(text))))
    if not any(character.isalpha() for character in said):
        return True
    return len(said) <= 20 and said.casefold().strip(" .,:;!?-–—_*`'\"()[]{}<>") in _EMPTY_WORDS


def items_of(text: str) -> tuple[str, ...]:
    """The observations or steps of a section: one for each bullet, line or sentence, in order, bounded."""
    found: list[str] = []
    for line in lines_of(text):
        bullet = _BULLET.match(line)
        parts = [line[bullet.end() :]] if bullet else _sentences(line)
        found += [_bounded(part) for part in parts if any(character.isalnum() for character in part)]
        if len(found) > MAX_ITEMS:
            return (*found[: MAX_ITEMS - 1], "…")
    return tuple(found)


def _sentences(line: str) -> list[str]:
    found, start = [], 0
    for end in _SENTENCE_END.finditer(line):
        last = line[max(start, end.start() - 8) : end.start()].rsplit(" ", 1)[-1].lower().strip("(")
        if line[end.start()] == "." and last in _ABBREVIATIONS:
            continue
        found.append(line[start : end.end()].strip())
        start = end.end()
        if len(found) > MAX_ITEMS:
            break
    return [*found, line[start:].strip()]


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_ITEM else f"{text[: MAX_ITEM - 1]}…"
