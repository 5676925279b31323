"""Typing and dictation errors: an unknown word → the word of the tables that was meant.

A word that English has is no error (pyspellchecker's list, where it is installed), unless with its neighbour it makes a
name ("lumber spine"), or the text names nothing and this would (a bold reading, "say crumb").

Three ways, in this order: the words run together ("gall bladder", "in nominate"), the same consonants in the same
order, as a dictation system hears them ("duo denim"), and few edits (Damerau-Levenshtein, with rapidfuzz where it is
installed; without it over candidates that share a form with one letter left out). A cut-off word ("thyr") is completed
where only one word can be meant.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from functools import cache, cached_property, lru_cache
from typing import Any

from ...anatomy import normalise
from ...anatomy.tables import read_rows
from .lexicon import Lexicon, word_forms
from .text import word_set

__all__ = ["Speller", "distance", "sound"]


def _rapidfuzz() -> Any:
    try:
        from rapidfuzz import process
        from rapidfuzz.distance import OSA
    except ImportError:
        return None
    return process, OSA


@lru_cache(maxsize=16384)
def sound(word: str) -> str:
    """What stays of a word when it is heard: its consonants, spellings of one sound made one, doubles single.

    >>> sound("duodenim") == sound("duodenum")
    True
    """
    for old, new in _SOUNDS:
        word = word.replace(old, new)
    key: list[str] = []
    for at, letter in enumerate(word):
        if letter in "aeiouy":
            letter = "a" if at == 0 else ""
        elif letter == "c":
            letter = "s" if word[at + 1 : at + 2] in ("e", "i", "y") else "k"
        elif letter in "hw":
            letter = ""
        letter = {"q": "k", "z": "s", "v": "f", "g": "g"}.get(letter, letter)
        if letter and key[-1:] != [letter]:
            key.append(letter)
    return "".join(key)


_SOUNDS = (
    ("mb", "m"),
    ("ph", "f"),
    ("gh", ""),
    ("kn", "n"),
    ("sch", "sk"),
    ("ch", "k"),
    ("ck", "k"),
    ("th", "t"),
    ("x", "ks"),
)


def distance(one: str, other: str, limit: int) -> int:
    """Optimal string alignment distance, or ``limit + 1`` where it is greater: edits and swaps of neighbours."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i] + [0] * len(other)
        for j, b in enumerate(other, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                row[j] = min(row[j], older[j - 2] + 1)
        if min(row) > limit:
            return limit + 1
    return row[-1]


@cache
def _english() -> Container[str]:
    """Words of English, in lower case; none where the list is not installed. Read when a word is first in doubt."""
    try:
        from spellchecker import SpellChecker
    except ImportError:
        return frozenset()
    words: Container[str] = SpellChecker(language="en").word_frequency.dictionary
    return words


class Speller:
    """Corrects words against the lexicon; everyday words (common_words.csv) and words of the tables stay.

    A bold one takes everyday words, too, for names that sound the same.
    """

    def __init__(self, lexicon: Lexicon, more_words: Iterable[str] = (), *, bold: bool = False) -> None:
        self._bold = bold
        self._weights = {**dict.fromkeys(sorted(more_words), 1), **lexicon.words}
        self._terms = frozenset(word for word, weight in lexicon.words.items() if weight > 1)
        rows = read_rows("common_words.csv")
        self._common = frozenset(normalise(" ".join(row["words"] for row in rows)).split())
        self._candidates = [w for w, n in self._weights.items() if n and len(w) >= 4 and w.isascii() and w.isalpha()]
        self._lexicon = lexicon
        self._fuzzy = _rapidfuzz()
        self.correct = lru_cache(maxsize=8192)(self._correct)
        self.partner = lru_cache(maxsize=2048)(self._partner)

    @property
    def tolerant(self) -> bool:
        """Whether rapidfuzz is there, so that errors of more than one letter are found in all words."""
        return self._fuzzy is not None

    def known(self, word: str) -> bool:
        """Whether a word is one of the tables or an everyday one, in singular or plural."""
        return any(w in self._weights or w in self._common for w in (word, *word_forms(word)))

    def is_participle(self, word: str) -> bool:
        """Whether a word is an English participle ("consented"), and so no structure; False without the word list."""
        return word.endswith(("ed", "ing")) and word in _english()

    def _correct(self, word: str) -> str | None:
        """The word meant by an unknown one, or None."""
        if len(word) < 3 or not word.isascii() or not word.isalpha() or self.known(word):
            return self._sounds_like(word) if self._bold and word not in _SMALL and word not in self._terms else None
        if len(word) >= 6 and "f" in word and self._weights.get(word.replace("f", "ph"), 0) == 3:
            return word.replace("f", "ph")
        if word in _english():
            return self._sounds_like(word) if self._bold else None
        return (self._closest(word) if len(word) >= 4 else None) or self._complete(word)

    def _sounds_like(self, word: str) -> str | None:
        """The one structure's name that is heard the same as an everyday word."""
        near = 1 if len(word) < 6 else 3
        same = [w for w in self._by_sound.get(sound(word), ()) if distance(word, w, near) <= near and w[0] == word[0]]
        return same[0] if len(same) == 1 and len(word) > 3 else None

    def _partner(self, word: str, other: str, before: bool) -> str | None:
        """What an everyday word has to be, so that it makes a name with its neighbour: "lumber | spine".

        ``before`` tells that the word stands before the neighbour.
        """
        if len(word) < 4 or not word.isascii() or len(other) < 4:
            return None
        typed = f"{word} {other}" if before else f"{other} {word}"
        if word == "long" and other in _LONG_THINGS:
            return None  # "the long vein" is no lung vein
        if self._lexicon.lookup(word) or any(s.kind == "structure" for s in self._lexicon.lookup(typed)):
            return None
        limit = 1 if len(word) < 6 else 2
        found: list[tuple[int, str]] = []
        for near in self._pairs.get((before, other), ()):
            edits = distance(word, near, limit)
            alike = sound(near) == sound(word) or (near[0] == word[0] and edits < 2)
            if 0 < edits <= limit and alike:
                found.append((edits, near))
        return min(found)[1] if found else None

    @cached_property
    def _pairs(self) -> dict[tuple[bool, str], list[str]]:
        """Whether a word stands first, and the other word → the words that make a structure's name with it."""
        table: dict[tuple[bool, str], list[str]] = {}
        for first, last in self._lexicon.pairs:
            if len(first) > 3 and len(last) > 3:
                table.setdefault((True, last), []).append(first)
                table.setdefault((False, first), []).append(last)
        return table

    def joined(self, words: Sequence[str]) -> str | None:
        """The one word of a structure's name that several words are when run together or heard as one."""
        run = "".join(words)
        if len(run) < 6 or not run.isascii() or not run.isalpha():
            return None
        if self._weights.get(run, 0) == 3 and len(run) > 6:
            return run
        told = [w for w in words if len(w) >= 4 and (w in self._weights or w in self._common)]
        if (
            len(run) < 7
            or (len(told) == len(words) and not self._bold)
            or (set(words) & _SMALL and not self._bold)
            or any(self._weights.get(w) == 3 for w in words)
        ):
            return None
        limit = 1 if told else 2 if len(run) < 9 else 3
        if self._bold and not any(w in self._terms for w in words):
            limit = 4
        same = [w for w in self._by_sound.get(sound(run), ()) if len(w) >= 6 and distance(run, w, limit) <= limit]
        return same[0] if len(same) == 1 or (len({w[:5] for w in same}) == 1 and same) else None

    @cached_property
    def _by_sound(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = {}
        for word in self._candidates:
            if self._weights[word] == 3:
                table.setdefault(sound(word), []).append(word)
        return table

    def _closest(self, word: str) -> str | None:
        limit = 2 if len(word) < 9 else 3
        scored = []
        for other, edits in self._near(word, limit):
            heard = sound(other) == sound(word) and (edits < 2 or len(sound(word)) > 2 or word[0] not in "aeiou")
            if edits > limit or (edits > 1 and len(word) < 6 and not heard):
                continue
            if self._weights[other] < 3 and (len(word) < 6 or edits > 1 + (len(word) >= 9)):
                continue
            if other[0] != word[0] and not (edits == 1 and len(word) >= 5) and not heard:
                continue
            if edits > 1 and not heard and edits / len(word) > 0.26:
                continue
            alike = 0.7 if self._weights[other] == 3 else 0.2
            scored.append((edits - alike * heard - 0.25 * self._weights[other] + 0.4 * (other[0] != word[0]), other))
        return min(scored)[1] if scored else None

    def _near(self, word: str, limit: int) -> Iterable[tuple[str, int]]:
        if self._fuzzy is not None:
            process, osa = self._fuzzy
            lengths = range(len(word) - limit, len(word) + limit + 1)
            return [
                (other, int(edits))
                for length in lengths
                for other, edits, _ in process.extract(
                    word, self._by_length.get(length, ()), scorer=osa.distance, score_cutoff=limit, limit=None
                )
            ]
        near = {other for form in _shortened(word) for other in self._by_shortened.get(form, ())}
        near.update(self._by_sound.get(sound(word), ()))
        return [(other, distance(word, other, limit)) for other in sorted(near)]

    @cached_property
    def _by_length(self) -> dict[int, list[str]]:
        table: dict[int, list[str]] = {}
        for word in self._candidates:
            table.setdefault(len(word), []).append(word)
        return table

    @cached_property
    def _by_shortened(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = {}
        for word in self._candidates:
            for form in _shortened(word):
                table.setdefault(form, []).append(word)
        return table

    def _complete(self, word: str) -> str | None:
        """The structure's name of which a word is the beginning, if only one can be meant."""
        if len(word) < 4:
            return None
        longer = [w for w in self._by_beginning.get(word[:3], ()) if w.startswith(word)]
        shared = _shared_beginning(longer)
        return min(longer, key=len) if len(shared) > len(word) else None

    @cached_property
    def _by_beginning(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = {}
        for word in self._candidates:
            if self._weights[word] == 3 and any(s.kind == "structure" for s in self._lexicon.lookup(word)):
                table.setdefault(word[:3], []).append(word)
        return table


_LONG_THINGS = word_set("vein veins vessel vessels artery muscle bone head axis")
_SMALL = word_set(
    "no not a an the of on to at is are was so we as now and or for by it if but all any",
    "my your his her its our this that these",
)


def _shared_beginning(words: Sequence[str]) -> str:
    if not words:
        return ""
    low, high = min(words), max(words)
    at = 0
    while at < min(len(low), len(high)) and low[at] == high[at]:
        at += 1
    return low[:at]


def _shortened(word: str) -> set[str]:
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
