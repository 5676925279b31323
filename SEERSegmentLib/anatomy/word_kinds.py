"""What kinds of words a phrase consists of: nouns of anatomy and disease, modifiers, links, numbers; or strangers.

A noun is what the vocabulary or the landmarks name, in one word or more, what ``data/phrase_words.csv`` lists, or what
ends as a disease does. The other kinds are those of that table; a word of none is a stranger.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from .normalise import normalise
from .sides import CJK_SIDES, side_words
from .structure import Structure
from .tables import read_rows
from .vocabulary import Vocabulary, load_vocabulary
from .wording import CJK, terms, written_without_spaces

__all__ = ["CLASH", "STRANGER", "cjk_name", "foreign", "is_code", "is_plural", "kinds_of", "singular"]

STRANGER = ""
CLASH = "clash"
"""Two organs side by side that nothing joins: "liver spleen"."""

_MAX_NAME = 6

_NUMBER = re.compile(r"\d+(?:mm|cm|ml|cc)?")
_CODE = re.compile(r"\d{1,2}[a-dlr]|[a-z]{1,2}\d{1,2}[a-dlr]?")  # station 4R, segment 4a, T2, P2
_ROMAN = re.compile(r"(?:i|ii|iii|iv|v|vi|vii|viii|ix|x|xi|xii)[ab]?")
_NOUN_ENDING = re.compile(
    r"\w{2,}(?:oma|omas|omata|itis|itides|osis|oses|iasis|pathy|pathies|megaly|celes?|ectasi[as]|plasia|plasms?|trophy"
    r"|rrhages?|liths?)"
)
_ADJECTIVE_ENDING = re.compile(r"\w{2,}(?:al|ic|ous|oid|ar|ary|eal|ive)")


def kinds_of(words: list[str]) -> list[str]:
    """The kind of each normalised word; after a :data:`CLASH` they don't count."""
    known = load_vocabulary()
    kinds = [_kind(word) for word in words]
    at = 0
    while at < len(words):
        spans = (words[at : at + length] for length in range(min(_MAX_NAME, len(words) - at), 0, -1))
        name = next((span for span in spans if " ".join(span) in _names()), [])
        if name and at and kinds[at - 1] == "noun" and _clash(words[at - 1], " ".join(name), known):
            return [CLASH] * len(words)
        kinds[at : at + len(name)] = ["noun"] * len(name)
        at += len(name) or 1
    return kinds


def _kind(word: str) -> str:
    for kind in ("article", "link", "joint", "generic", "part", "modifier", "noun"):
        if word in terms()[kind]:
            return kind
    if _NUMBER.fullmatch(word):
        return "number"
    if singular(word) in terms()["noun"]:
        return "noun"
    if word in side_words(ambiguous=True) or word in _name_words() or is_code(word):
        return "modifier"
    if word in _everyday():
        return STRANGER  # "aroma" and "avoid" end as a tumour and an adjective do
    if _NOUN_ENDING.fullmatch(word):
        return "noun"
    return "modifier" if _ADJECTIVE_ENDING.fullmatch(word) else STRANGER


def singular(word: str) -> str:
    """An English noun without its plural s."""
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("xes", "ches", "shes", "sses", "ses")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def is_plural(word: str) -> bool:
    """Whether a word is the plural of a noun."""
    return singular(word) != word and (singular(word) in terms()["noun"] or singular(word) in _names())


def is_code(word: str) -> bool:
    """Whether a word tells which one: T2, 4R, VII, b."""
    return len(word) == 1 or _CODE.fullmatch(word) is not None or _ROMAN.fullmatch(word) is not None


@cache
def _everyday() -> frozenset[str]:
    return frozenset(word for row in read_rows("common_words.csv") for word in row["words"].split())


@cache
def _names() -> frozenset[str]:
    """Names of structures and landmarks; everyday English words that another language has as one are left out."""
    names = {
        term
        for term, entries in load_vocabulary().keys.items()
        if len(term) > 1 and (term not in _everyday() or any(entry.language == "en" for entry in entries))
    }
    for row in read_rows("outside.csv"):
        names.update(normalise(name) for name in (row["name"], *row["synonyms"].split("|")) if name)
    adjectives = {normalise(row["term"]) for row in read_rows("adjectives.csv")}
    names.update(term for term in terms()["noun"] if " " in term)
    return frozenset(names - adjectives - terms()["modifier"])


@cache
def _name_words() -> frozenset[str]:
    """Words of names, and adjectives of structures: each may stand in a name, none is one by itself."""
    words = {word for name in _names() for word in name.split()}
    return frozenset(words | {normalise(row["term"]) for row in read_rows("adjectives.csv")})


def _clash(term: str, other: str, known: Vocabulary) -> bool:
    """Whether two terms that stand side by side are two organs, neither a part of the other."""
    first, second = _organs(term, known), _organs(other, known)
    parts = {part for organ in (*first.values(), *second.values()) for part in organ.parts}
    return bool(first and second) and parts.isdisjoint((*first, *second))


def _organs(term: str, known: Vocabulary) -> dict[str, Structure]:
    """Organs and glands, by id, that a term may mean, whatever their side."""
    found = (
        structure
        for entry in known.lookup(term)
        for structure in (known.structures.get(entry.concept_or_id), *known.by_concept(entry.concept_or_id))
        if structure is not None
    )
    return {structure.id: structure for structure in found if structure.kind in ("organ", "gland")}


@cache
def foreign(kind: str) -> frozenset[str]:
    """Words of a kind in other languages than English; beside their articles and prepositions anything may stand."""
    rows = (row for row in read_rows("phrase_words.csv") if row["kind"] == kind and row["language"] != "en")
    return frozenset(normalise(term) for row in rows for term in row["terms"].split("|"))


@cache
def _cjk_terms() -> Mapping[str, bool]:
    """Chinese and Japanese terms, longest first, and whether each is a noun."""
    nouns = {term for term in (*_names(), *written_without_spaces("noun")) if CJK.search(term)}
    terms = nouns | {*written_without_spaces("modifier"), *CJK_SIDES}
    return {term: term in nouns for term in sorted(terms, key=lambda term: (-len(term), term))}


def cjk_name(folded: str) -> bool:
    """Whether a Chinese or Japanese phrase consists of known terms, one of them a noun."""
    rest, named = folded, False
    for term, noun in _cjk_terms().items():
        if term in rest:
            named = named or noun
            rest = rest.replace(term, " ")
    return named and not any(character.isalpha() for character in rest)
