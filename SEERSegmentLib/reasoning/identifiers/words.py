"""The word lists of the screen: what is an everyday or a clinical word, an eponym, or a name.

A capital letter doesn't make a name: half the vocabulary of radiology is named after people. So words are looked up in
lists (``data/``) and in the words of the anatomy tables: *ordinary* ones, *eponyms*, and *names* that are nothing else.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

__all__ = ["Words", "listed", "load_words", "plain", "read_table"]

_DATA = Path(__file__).with_name("data")

#: Tables of anatomy/ whose words are those of a request.
_ANATOMY = (
    "adjectives ambiguous collections diseases modifiers operations outside sides spelling structures synonyms"
    " wholes wider word_classes"
)
#: Tables that describe in everyday words: of those, a name may be made ("Cooper", "Tables").
_DESCRIPTIONS = "functions relations"
_EVERYDAY = "common_words"
#: So many words are remembered with whether they are ordinary.
_MOST_REMEMBERED = 20_000
_CLINICAL_KINDS = ("imaging", "findings", "clinical", "roles", "drugs")
_MARKS = re.compile("[\u0300-\u036f]")
_WORD = re.compile(r"[^\W\d_]+")

#: Endings of clinical words that no surname has, in the languages that requests come in.
_CLINICAL = re.compile(
    r"(?:itis|itid\w{0,2}|os[ei]s|oses|ectom(?:y|ies|ia|ie|ía)|[oe]ktomie|otom(?:y|ies|ia|ie)|ostom(?:y|ies|ia|ie)"
    r"|plast(?:y|ies|ie|ia|ik)|gra(?:ph|f)(?:y|ies|ie|ia|ía|ic|ics)|(?<=\w\w\w)grams?|skopie|scop(?:y|ies|ie|ia|ic)"
    r"|path(?:y|ies|ie|ia|ic)|a?emi[ac]s?|ämie|uri[ae]|algi[ae]|megal(?:y|ie|ia)|(?<=\w\w\w\w)omas?|omata|sarkom|karzinom"
    r"|adenom|lymphom|genesis|sten[ou]s\w{0,2}|lysis|troph(?:y|ic|ie|ied)|plasi[ae]|plegi[ac]|paresis|cele|ectas\w{1,3}"
    r"|rrhag\w{1,3}|rrh(?:o?ea|ö)|(?<=\w\w\w\w)[st]ions?|(?<=\w\w\w\w)ción|(?<=\w\w\w\w)zione|(?<=\w\w\w\w)ção"
    r"|(?<=\w\w\w\w\w)ness|(?<=\w\w\w\w)[ai]ble|(?<=\w\w\w)oidal|(?<=\w\w\w\w)oid|(?<=\w\w\w\w\w)eal|(?<=\w\w\w\w)ular"
    r"|(?<=\w\w\w)[io]tic|(?<=\w\w\w\w)[ao]?ous|ung|ungen|heit|keit|schaft|(?<=\w\w\w\w)ly|schmerz(?:en)?|fraktur(?:en)?|tumou?r(?:e|en|s)?"
    r"|zysten?|nieren?|leber|lappen|wirbel|körper|knochen|muskeln?|arterien?|venen?|metastasen?|befund|verdacht|erguss"
    r"|ödem|infarkte?|embolien?|thrombosen?|prothesen?|aneurysma|aneurysms?|drüsen?|gelenke?|säule|sehnen?|gefäße?)$"
)


@dataclass(frozen=True)
class Words:
    """The lists, in lower case and without accents: what is looked up in them is made so first.

    Attributes
    ----------
    ordinary : frozenset
        Words of everyday and clinical language.
    never : frozenset
        Words that can't be a name, whatever stands before them.
    everyday : frozenset
        Those of them that are no clinical words.
    also_names : frozenset
        Ordinary words that are surnames as well (Young, Stone).
    body : frozenset
        Those of them that are imaged (Brain, Foot).
    eponyms, common_eponyms : frozenset
        Names in the vocabulary of medicine; and those of them that many people have (Wilson).
    after_eponym : frozenset
        What an eponym names: disease, canal, fracture.
    phrases : mapping
        Words that belong together and name nobody, by their first one: ("austin", "moore").
    given, given_before_surname, surnames : frozenset
        Names that are nothing else; given names that are also words or eponyms; surnames that are nothing else.
    """

    ordinary: frozenset[str]
    everyday: frozenset[str]
    never: frozenset[str]
    also_names: frozenset[str]
    body: frozenset[str]
    eponyms: frozenset[str]
    common_eponyms: frozenset[str]
    after_eponym: frozenset[str]
    phrases: Mapping[str, tuple[tuple[str, ...], ...]]
    given: frozenset[str]
    given_before_surname: frozenset[str]
    surnames: frozenset[str]
    _ordinary_ones: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    def is_ordinary(self, word: str) -> bool:
        """Whether a word in lower case is one of everyday or clinical language, a hyphenated one in each part."""
        known = self._ordinary_ones.get(word)
        if known is None:
            known = self._ordinary_ones[word] = self._is_ordinary(word)
            if len(self._ordinary_ones) > _MOST_REMEMBERED:
                self._ordinary_ones.clear()
        return known

    def _is_ordinary(self, word: str) -> bool:
        word = plain(word)
        if word in self.given or word in self.surnames:
            return False
        parts = [part for part in word.replace("'", "-").split("-") if part]
        return all(self._known(part) for part in parts)

    def is_eponym(self, word: str) -> bool:
        """Whether a word in lower case is an eponym, or joined of parts of which one is ("budd-chiari")."""
        word = plain(word)
        return any(part in self.eponyms or part.removesuffix("s") in self.eponyms for part in (word, *word.split("-")))

    def is_everyday(self, word: str) -> bool:
        """Whether a word in lower case is an ordinary one, but no clinical one."""
        word = plain(word)
        return word in self.everyday or word.removesuffix("s") in self.everyday

    def is_name(self, word: str) -> bool:
        """Whether a word in lower case is a name and nothing else, a hyphenated one in each part."""
        word = plain(word)
        if word in self.surnames or self.is_given(word):
            return True
        parts = word.split("-")
        return len(parts) > 1 and all(part in self.given or part in self.surnames for part in parts)

    def is_given(self, word: str) -> bool:
        """Whether a word in lower case is a given name and nothing else, or joined of two given names."""
        word = plain(word)
        if word in self.given:
            return True
        parts = word.split("-")
        return len(parts) > 1 and all(part in self.given or part in self.given_before_surname for part in parts)

    def is_given_before_surname(self, word: str) -> bool:
        """Whether a word in lower case is a given name, if a surname follows."""
        return self.is_given(word) or plain(word) in self.given_before_surname

    def is_common_eponym(self, word: str) -> bool:
        """Whether a word in lower case is an eponym that is a common surname too."""
        return plain(word) in self.common_eponyms

    def could_be_name(self, word: str) -> bool:
        """Whether a word in lower case is on none of the lists, nor joined of parts of which one is."""
        parts = [part for part in word.split("-") if part]
        return not self.is_eponym(word) and not any(self.is_ordinary(part) for part in (word, *parts))

    def _known(self, part: str) -> bool:
        if part in self.ordinary or _CLINICAL.search(part):
            return True
        for ending in ("s", "es", "ed", "d", "ing", "e", "er", "en", "em"):
            if part.endswith(ending) and len(part) > len(ending) + 3 and part.removesuffix(ending) in self.ordinary:
                return True
        return False


def listed(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


def plain(word: str) -> str:
    """A word without accents."""
    return word if word.isascii() else _MARKS.sub("", unicodedata.normalize("NFD", word))


def read_table(name: str) -> Iterator[dict[str, str]]:
    """Rows of a table of the data folder, as {column: text}."""
    with (_DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@cache
def load_words() -> Words:
    """The lists, read once."""
    kinds = _by_kind("plain_words.csv", "kind", "words")
    eponyms = _by_kind("eponyms.csv", "of", "names")
    given = _by_kind("given_names.csv", "use", "names")
    surnames = _by_kind("surnames.csv", "use", "names")["alone"]
    common = eponyms.pop("also a common surname")
    after = eponyms.pop("word after one")
    eponyms.pop("phrase")
    body = kinds.pop("surname and part of the body")
    also_names = kinds.pop("surname too") | body
    clinical = frozenset().union(*(kinds[kind] for kind in _CLINICAL_KINDS), _anatomy_words(_ANATOMY))
    common_words = _anatomy_words(_EVERYDAY)
    clinical |= _anatomy_words(_DESCRIPTIONS) - common_words
    ordinary = clinical.union(common_words, _announcing_words(), *kinds.values())
    named = frozenset().union(*eponyms.values())
    return Words(
        ordinary=ordinary - surnames - given["alone"] - named,
        everyday=common_words - clinical - kinds["never"],
        never=kinds["never"],
        also_names=also_names,
        body=body,
        eponyms=named,
        common_eponyms=common - (ordinary - named),
        after_eponym=after,
        phrases=_phrases(),
        given=given["alone"],
        given_before_surname=given["before a surname"],
        surnames=surnames,
    )


def _announcing_words() -> Iterator[str]:
    """Words of titles, cues and labels: what announces an identifier is none."""
    for table, column in (("titles.csv", "title"), ("cues.csv", "cue"), ("labels.csv", "label")):
        for row in read_table(table):
            yield from map(plain, _WORD.findall(row[column]))


def _phrases() -> dict[str, tuple[tuple[str, ...], ...]]:
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for row in read_table("eponyms.csv"):
        if row["of"] == "phrase":
            phrase = tuple(plain(row["names"]).split())
            found[phrase[0]] = (*found.get(phrase[0], ()), phrase)
    return found


def _by_kind(table: str, kind: str, words: str) -> dict[str, frozenset[str]]:
    lists: dict[str, set[str]] = {}
    for row in read_table(table):
        lists.setdefault(row[kind], set()).update(map(plain, row[words].split()))
    return {name: frozenset(found) for name, found in lists.items()}


def _anatomy_words(tables: str) -> frozenset[str]:
    """Words of anatomy tables; one that English writes with a capital alone is somebody's name, and none of them."""
    from ...anatomy.tables import read_rows

    words: set[str] = set()
    for table in tables.split():
        for row in read_rows(f"{table}.csv"):
            english = row.get("language", "en") == "en"
            for text in row.values():
                found = _WORD.findall(text)
                words.update(plain(word.lower()) for word in found if not (english and word.istitle()))
    return frozenset(words)
