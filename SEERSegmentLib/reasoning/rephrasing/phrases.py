"""Equivalent phrases for one target, each with its proof, from the vocabulary's tables."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from string import ascii_lowercase

from ...anatomy import Entry, Structure, load_vocabulary, normalise
from ...anatomy.tables import read_rows
from ...values import Side, Target
from .model import Proof

__all__ = ["abbreviations", "by_disease", "one_edit_away", "plain", "spoken", "synonyms", "typos", "with_place"]

_SIDE_SHORT = {Side.LEFT: ("L", "lt", "left-sided"), Side.RIGHT: ("R", "rt", "right-sided")}
_ENGLISH = frozenset({"preferred", "synonym", "lay", "eponym"})

#: Relations of relations.csv that read well after a name, and the words for them.
_RELATIONS = {
    "above": "just above the",
    "below": "just below the",
    "behind": "lying behind the",
    "front": "lying in front of the",
    "lateral": "lateral to the",
    "medial": "medial to the",
    "beside": "next to the",
}

_DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]

#: Letters beside each other on a keyboard, for the slips of a typist.
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def plain(target: Target) -> Proof:
    """The canonical words themselves."""
    because = "the vocabulary's preferred name" if target.structure else "free text, repeated word for word"
    return _proof(target, target.text, because)


def synonyms(target: Target) -> list[Proof]:
    """Other English names of the structure, with the side said beside them."""
    return _named(target, _ENGLISH, lambda side: (side.value,))


def abbreviations(target: Target) -> list[Proof]:
    """Abbreviated names, and the name with its side abbreviated."""
    found = _named(target, frozenset({"abbreviation"}), lambda side: (side.value, *_SIDE_SHORT[side][:2]))
    structure = _structure(target)
    if structure is not None and structure.side is not Side.NONE:
        bare = _without_side(structure)
        found += [
            _proof(
                target, f"{short} {bare}", f"“{short}” is {structure.side.value}; “{bare}” is the name without a side"
            )
            for short in _SIDE_SHORT[structure.side]
            if bare
        ]
    return found


def with_place(target: Target) -> list[Proof]:
    """The name with a place that is true of this structure, from relations.csv."""
    structure = _structure(target)
    if structure is None:
        return []
    found = []
    for row in read_rows("relations.csv"):
        words = _RELATIONS.get(row["relation"])
        if words is None or row["subject"] not in (structure.id, structure.concept):
            continue
        told = {"left", "right"} & set(row["object"].casefold().split())
        if told - {structure.side.value}:
            continue  # "the left colic flexure"
        other = load_vocabulary().lookup(row["object"])
        # Another side's neighbour, or a neighbour that needs a side, would bring a second side into the request.
        if len(other) == 1 and other[0].side is Side.NONE and not load_vocabulary().needs_side(other[0].concept_or_id):
            text = f"{target.text}, {words} {row['object']}"
            found.append(_proof(target, text, f"relations.csv: {row['subject']} {row['relation']} {row['object']}"))
    return found


def by_disease(target: Target) -> list[Proof]:
    """The request through a disease of the whole structure that diseases.csv has for no other: "?hydronephrosis"."""
    structure = _structure(target)
    if structure is None:
        return []
    noun = _kind_of_thing(structure)
    if not noun:
        return []
    found = []
    where = f" on the {structure.side.value}" if structure.side is not Side.NONE else ""
    for row in read_rows("diseases.csv"):
        own = row["structure"] in (structure.id, structure.concept) and not (structure.level and where)
        if row["kind"] == "whole" and own and _owners()[row["term"]] == 1:
            text = f"?{row['term']}{where}, please outline the affected {noun}"
            because = (
                f"diseases.csv: {row['term']} is a disease of {row['structure']} alone, which is of the kind: {noun}"
            )
            found.append(_proof(target, text, because))
    return found


def spoken(target: Target) -> Proof:
    """As dictated: levels in words, punctuation spoken."""
    words = re.sub(r"\b([CTLS])(\d{1,2})\b", lambda m: f"{m[1]} {_number(m[2])}", target.text)
    because = "numbers as they are spoken" if words != target.text else "the preferred name, spoken"
    return _proof(target, words, because)


def typos(target: Target, draw: random.Random) -> list[Proof]:
    """The name with one slip in one word, which stays nearer to that word than to any other of the vocabulary."""
    words = target.text.split()
    long = [n for n, word in enumerate(words) if len(word) >= 5 and word.isascii() and word.isalpha()]
    found = []
    for n in long:
        for _ in range(6):
            slipped = _slip(words[n], draw)
            if slipped == words[n] or _may_be_another(slipped, words[n]):
                continue
            text = " ".join((*words[:n], slipped, *words[n + 1 :]))
            because = f"“{slipped}” is one slip from “{words[n]}” and from no other word of the vocabulary"
            found.append(_proof(target, text, because))
    return found


def one_edit_away(word: str) -> set[str]:
    """Every string that one insertion, deletion, substitution or swap of neighbours makes of a word, and itself."""
    found = {word}
    for n in range(len(word) + 1):
        head, tail = word[:n], word[n:]
        found |= {head + letter + tail for letter in ascii_lowercase}
        if tail:
            found |= {head + letter + tail[1:] for letter in ascii_lowercase} | {head + tail[1:]}
            found.add(head + tail[1::-1] + tail[2:])
    return found


# -------------------------------------------------------------------------------------------------------------- tables


def _proof(target: Target, words: str, because: str) -> Proof:
    return Proof(target.text, target.structure, target.side, target.level, words, because)


def _structure(target: Target) -> Structure | None:
    return load_vocabulary().get(target.structure) if target.structure else None


def _named(target: Target, kinds: frozenset[str], sides: Callable[[Side], tuple[str, ...]]) -> list[Proof]:
    structure = _structure(target)
    if structure is None:
        return []
    found = []
    for entry in _entries_of(structure.id):
        if entry.kind not in kinds or normalise(entry.term) == normalise(target.text):
            continue
        because = f"synonyms: “{entry.term}” ({entry.kind}) names {entry.concept_or_id} and nothing else"
        if structure.side is Side.NONE or entry.side is structure.side:
            found.append(_proof(target, entry.term, because))
        else:
            found += [
                _proof(target, f"{word} {entry.term}", f"{because}; “{word}” is {structure.side.value}")
                for word in sides(structure.side)
                if normalise(f"{word} {entry.term}") != normalise(target.text)
            ]
    return found


@cache
def _entries_of(id: str) -> tuple[Entry, ...]:
    """English entries that mean this structure alone once its side is said; neither names with a number nor ids."""
    vocabulary = load_vocabulary()
    structure = vocabulary.get(id)
    found = []
    for key, entries in vocabulary.keys.items():
        entry = entries[0]
        if len(entries) > 1 or entry.ambiguous or entry.language != "en" or entry.note or "_" in entry.term:
            continue
        if entry.concept_or_id not in (structure.id, structure.concept) or (entry.level != structure.level):
            continue
        if vocabulary.structure_of(entry, structure.side) is structure and len(key) > 1:
            found.append(entry)
    return tuple(found)


def _without_side(structure: Structure) -> str:
    """The name without its side word, where that still names the concept."""
    bare = re.sub(rf"\b{structure.side.value}\b ?", "", structure.name).strip()
    known = load_vocabulary().lookup(bare)
    return bare if any(entry.concept_or_id == structure.concept for entry in known) else ""


def _kind_of_thing(structure: Structure) -> str:
    for row in read_rows("functions.csv"):
        if row["kind"] == "type" and row["subject"] in (structure.id, structure.concept):
            return row["text"].split()[0]
    return ""


@cache
def _owners() -> Counter[str]:
    return Counter(row["term"] for row in read_rows("diseases.csv"))


@cache
def _words() -> frozenset[str]:
    """Words of the vocabulary's terms."""
    return frozenset(word for key in load_vocabulary().keys for word in key.split())


def _may_be_another(slipped: str, meant: str) -> bool:
    """Whether a slip is a word of the vocabulary, or one slip from another word of it too."""
    own = normalise(meant)
    near = one_edit_away(normalise(slipped)) & _words()
    return any(word != own and not _same_stem(word, own) for word in near)


def _same_stem(a: str, b: str) -> bool:
    """Singular and plural: the same word to whoever reads a misspelt one."""
    return a.rstrip("s") == b.rstrip("s")


def _slip(word: str, draw: random.Random) -> str:
    """One slip of a typist: neighbours swapped, a letter left out, doubled, or replaced by one beside its key."""
    at = draw.randrange(1, len(word) - 1)  # the first letter is rarely wrong
    kind = draw.choice(("swap", "drop", "double", "key"))
    if kind == "swap":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == "drop":
        return word[:at] + word[at + 1 :]
    if kind == "double":
        return word[: at + 1] + word[at:]
    row = next((keys for keys in _KEYS if word[at] in keys), "")
    beside = [row[n] for n in (row.find(word[at]) - 1, row.find(word[at]) + 1) if row and 0 <= n < len(row)]
    return word[:at] + draw.choice(beside) + word[at + 1 :] if beside else word


def _number(digits: str) -> str:
    value = int(digits)
    return _DIGITS[value] if value < len(_DIGITS) else digits
