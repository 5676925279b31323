"""Typing and dictation errors: an unknown word → the word of the tables that was meant.

Three ways, in this order: the words run together ("gall bladder", "in nominate"), the same consonants in the same
order, as a dictation system hears them ("duo denim"), and few edits (Damerau-Levenshtein, with rapidfuzz where it is
installed; without it over candidates that share a form with one letter left out). A cut-off word ("thyr") is completed
where only one word can be meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
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


_SOUNDS = (("ph", "f"), ("gh", ""), ("kn", "n"), ("sch", "sk"), ("ch", "k"), ("ck", "k"), ("th", "t"), ("x", "ks"))


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


class Speller:
    """Corrects words against the lexicon; everyday words (common_words.csv) and words of the tables stay."""

    def __init__(self, lexicon: Lexicon, more_words: Iterable[str] = ()) -> None:
        self._weights = {**dict.fromkeys(more_words, 1), **lexicon.words}
        rows = read_rows("common_words.csv")
        self._common = frozenset(normalise(" ".join(row["words"] for row in rows)).split())
        self._candidates = [w for w, n in self._weights.items() if n and len(w) >= 4 and w.isascii() and w.isalpha()]
        self._lexicon = lexicon
        self._fuzzy = _rapidfuzz()
        self.correct = lru_cache(maxsize=8192)(self._correct)

    @property
    def tolerant(self) -> bool:
        """Whether rapidfuzz is there, so that errors of more than one letter are found in all words."""
        return self._fuzzy is not None

    def known(self, word: str) -> bool:
        """Whether a word is one of the tables or an everyday one, in singular or plural."""
        return any(w in self._weights or w in self._common for w in (word, *word_forms(word)))

    def _correct(self, word: str) -> str | None:
        """The word meant by an unknown one, or None."""
        if len(word) < 3 or not word.isascii() or not word.isalpha() or self.known(word):
            return None
        if len(word) >= 6 and "f" in word and self._weights.get(word.replace("f", "ph"), 0) == 3:
            return word.replace("f", "ph")
        if len(word) >= 4 and (close := self._closest(word)):
            return close
        return self._complete(word)

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
            or len(told) == len(words)
            or set(words) & _SMALL
            or any(self._weights.get(w) == 3 for w in words)
        ):
            return None
        limit = 1 if told else 2 if len(run) < 9 else 3
        same = [w for w in self._by_sound.get(sound(run), ()) if distance(run, w, limit) <= limit]
        return same[0] if len(same) == 1 or (len({w[:5] for w in same}) == 1 and same) else None

    @cached_property
    def _by_sound(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = {}
        for word in self._candidates:
            if self._weights[word] == 3 and len(word) >= 6:
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
            scored.append((edits - 0.7 * heard - 0.25 * self._weights[other] + 0.4 * (other[0] != word[0]), other))
        return min(scored)[1] if scored else None

    def _near(self, word: str, limit: int) -> Iterable[tuple[str, int]]:
        if self._fuzzy is not None:
            process, osa = self._fuzzy
            found = process.extract(
                word, self._candidates, scorer=osa.distance, score_cutoff=limit, limit=12, processor=None
            )
            return [(other, int(edits)) for other, edits, _ in found]
        near = {other for form in _shortened(word) for other in self._by_shortened.get(form, ())}
        near.update(self._by_sound.get(sound(word), ()))
        return [(other, distance(word, other, limit)) for other in sorted(near)]

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


_SMALL = word_set("no not a an the of on to at is are was so we as now and or for by it if but all any")


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
