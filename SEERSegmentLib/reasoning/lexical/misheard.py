"""Dictation errors that are everyday words: "right so as muscle", "gold bladder", "L three" written as "el three".

The table misheard.csv lists what dictation makes of a name. A row marked ``everyday`` is also ordinary English; it is
taken for the name only where a name is due: after a side or an asking word, or before a word for a kind of structure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from ...anatomy import normalise
from ...anatomy.tables import read_rows
from .lexicon import Lexicon
from .text import Token, word_set

__all__ = ["misheard", "spells_level"]

_DUE_BEFORE = frozenset({"side", "ask"})
_DUE_AFTER = frozenset({"head"})
_ARTICLES = word_set("the a this that his her")
_BREATHS = word_set("please pls volume vol segmentation")


@cache
def _table() -> dict[str, list[tuple[list[str], list[str], bool]]]:
    """First word heard → words heard, words meant, whether the words are everyday ones; the longest first."""
    table: dict[str, list[tuple[list[str], list[str], bool]]] = {}
    for row in read_rows("misheard.csv"):
        heard = normalise(row["heard"]).split()
        table.setdefault(heard[0], []).append((heard, normalise(row["meant"]).split(), row["everyday"] == "yes"))
    for rows in table.values():
        rows.sort(key=lambda row: -len(row[0]))
    return table


def misheard(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> tuple[int, list[Token]] | None:
    """How many words are what dictation made of a name, and the name's own; None where there are none."""
    for heard, meant, everyday in _table().get(tokens[at].norm, ()):
        end = at + len(heard)
        if [t.norm for t in tokens[at:end]] != heard:
            continue
        due = _side_is_due if meant in (["right"], ["left"]) else _name_is_due
        if everyday and not due(tokens, at, end, lexicon):
            continue
        first = replace(tokens[at], end=tokens[end - 1].end, text=" ".join(t.text for t in tokens[at:end]))
        return len(heard), [replace(first, norm=word) for word in meant]
    return _spoken_level(tokens, at, lexicon)


def _name_is_due(tokens: Sequence[Token], at: int, end: int, lexicon: Lexicon) -> bool:
    before = at - 1
    while before >= 0 and tokens[before].norm in _ARTICLES:
        before -= 1
    due = before < 0 or (tokens[before].is_word and _is(tokens, before, _DUE_BEFORE, lexicon))
    following = end < len(tokens) and tokens[end].is_word
    if following and _is(tokens, end, _DUE_AFTER, lexicon):
        return True
    alone = not following or tokens[end].norm in _BREATHS
    sided = before >= 0 and _is(tokens, before, frozenset({"side"}), lexicon)
    return due and (alone or sided)


def _side_is_due(tokens: Sequence[Token], at: int, end: int, lexicon: Lexicon) -> bool:
    """ "rite kidny", "artery on the wright": beside a name, or last after "on the"."""
    if end < len(tokens) and tokens[end].is_word:
        known = lexicon.match(tokens, end)
        named = known is not None and any(s.kind in _NAMES for s in known[1])
        return named or (known is None and at == 0 and len(tokens[end].norm) > _SHORT)
    return at > 1 and tokens[at - 1].norm == "the" and tokens[at - 2].norm in ("on", "the")


_NAMES = frozenset({"structure", "adjective", "outside", "head"})
_SHORT = 4


def _is(tokens: Sequence[Token], at: int, kinds: frozenset[str], lexicon: Lexicon) -> bool:
    found = lexicon.match(tokens, at, kinds)
    return found is not None


_SPOKEN = {"el": "l", "ell": "l", "l": "l", "tee": "t", "tea": "t", "t": "t",
           "s": "s", "ess": "s", "see": "c", "sea": "c", "cee": "c", "c": "c"}  # fmt: skip
_SURE = word_set("l t c ell tee cee")
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
            "nine": 9, "ten": 10, "eleven": 11, "twelve": 12}  # fmt: skip


_HEARD = {"won": 1, "too": 2, "to": 2, "for": 4, "fore": 4, "ate": 8}


def spells_level(tokens: Sequence[Token], at: int) -> bool:
    """Whether a letter as spoken stands before a number word: "el three"."""
    return tokens[at].norm in _SPOKEN and at + 1 < len(tokens) and tokens[at + 1].norm in _NUMBERS | _HEARD


def _spoken_level(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> tuple[int, list[Token]] | None:
    """ "L three", "vertebra el three": a level spelled out; letters that are words need a vertebra beside them."""
    if not spells_level(tokens, at):
        return None
    letter, number = _SPOKEN[tokens[at].norm], (_NUMBERS | _HEARD)[tokens[at + 1].norm]
    sure = tokens[at].norm in _SURE and tokens[at + 1].norm in _NUMBERS
    near = [*range(max(0, at - 2), at), *range(at + 2, min(len(tokens), at + 4))]
    if not sure and not any(_is(tokens, n, frozenset({"levelnoun"}), lexicon) for n in near if tokens[n].is_word):
        return None
    text = f"{tokens[at].text} {tokens[at + 1].text}"
    return 2, [replace(tokens[at], norm=f"{letter}{number}", text=text, end=tokens[at + 1].end)]
