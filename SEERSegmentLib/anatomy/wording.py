"""Words that tell a phrase is no name of a structure: doubts, refusals, commands, sentences.

They stand in ``data/phrase_words.csv``, with the words that a name may hold (:mod:`.word_kinds`), and, where other
languages than English command, deny, offer a choice or join, in ``data/modifiers.csv``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from ..values import Abstention
from .normalise import normalise
from .tables import read_rows

__all__ = ["CJK", "NOT_A_NAME", "WHICH", "objection", "shortened", "terms", "written_without_spaces"]

WHICH = "Which structure should be segmented?"
NOT_A_NAME = "'{}' is not the name of a structure."

#: Kind of word → the code and the reason of the abstention, in the order in which they are looked for.
_OBJECTIONS: Mapping[str, tuple[str, str]] = {
    "refusal": ("refusal", "The answer names no structure."),
    "negation": ("negation", "'{}' says what to leave out, not what to segment."),
    "or": ("alternatives", "The answer offers alternatives instead of naming what to segment."),
    "doubt": ("hedged", "'{}' leaves open whether it is meant."),
    "pointer": ("reference-missing", "'{}' points to something else instead of naming it."),
    "command": ("not-a-phrase", "'{}' says what to do, and does not only name a structure."),
    "meta": ("not-a-phrase", NOT_A_NAME),
    "prose": ("not-a-phrase", NOT_A_NAME),
}
#: Kinds of modifiers.csv that say the same in other languages, and in English in more words than one.
_MODIFIERS = {
    "ask": "command",
    "not": "negation",
    "except": "negation",
    "or": "or",
    "only": "prose",
    "apposition": "prose",
    "plus": "plus",
}
_HOMOGRAPHS = frozenset({"non"})  # French for no; "non enhancing" in English
_MAX_TERM = 4

#: "of uncertain significance" doubts the nature of a lesion, not whether it is meant.
_OF_UNCERTAIN = re.compile(r"\bof (?:uncertain|unclear) (?=\w)")
CJK = re.compile("[\u3005-\u3007\u3040-\u30ff\u3400-\u9fff]")


@cache
def terms() -> Mapping[str, frozenset[str]]:
    """Kind → normalised terms."""
    found: dict[str, set[str]] = {}
    for row in read_rows("phrase_words.csv"):
        found.setdefault(row["kind"], set()).update(map(normalise, row["terms"].split("|")))
    for row in read_rows("modifiers.csv"):
        if row["kind"] in _MODIFIERS and (row["language"] != "en" or " " in row["term"]):
            found.setdefault(_MODIFIERS[row["kind"]], set()).add(normalise(row["term"]))
    return {kind: frozenset(terms - _HOMOGRAPHS) for kind, terms in found.items()}


@cache
def written_without_spaces(kind: str) -> tuple[str, ...]:
    """Chinese and Japanese terms of a kind; they are looked for inside of words."""
    return tuple(term for term in terms().get(kind, ()) if CJK.search(term))


def shortened(text: str) -> str:
    """A phrase as it is quoted in a reason."""
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def objection(text: str) -> Abstention | None:
    """Why a phrase that anatomy doesn't know is no name, going by its single words; None where none objects."""
    folded = normalise(text)
    words = _OF_UNCERTAIN.sub("of ", folded).split()
    spans = {" ".join(words[at : at + n]) for at in range(len(words)) for n in range(1, _MAX_TERM + 1)}
    cjk = CJK.search(folded) is not None
    for kind, (code, reason) in _OBJECTIONS.items():
        if not spans.isdisjoint(terms()[kind]) or (cjk and any(t in folded for t in written_without_spaces(kind))):
            return Abstention(code, reason.format(shortened(text)), WHICH)
    return None
