"""Is a phrase that the vocabulary doesn't know a noun phrase for something in a body? Word by word, and strictly.

That is asked of what a language model wrote, since nobody has read it before it is executed; a person's own words are
held to :func:`~.wording.objection` alone.
"""

from __future__ import annotations

import re
from itertools import groupby, takewhile

from ..values import Abstention
from .normalise import normalise
from .sides import BOTH_WORDS, side_words
from .vocabulary import load_vocabulary
from .word_kinds import CLASH, STRANGER, cjk_name, foreign, is_code, is_plural, kinds_of, singular
from .wording import CJK, NOT_A_NAME, WHICH, shortened, terms

__all__ = ["doubtful_name"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_MAX_WORDS = 12
_UNITS = _set("mm cm ml cc x")
_ACRONYM = re.compile(r"\b[A-Z]{2,5}\b")
_NO_ADJECTIVE = re.compile(r"\w+(?:ate|ise|ize|ify|ly|ing|est)")  # verbs, adverbs, superlatives
#: Participles that may begin a name; "involving" and the like need something before them.
_STARTING_JOINTS = _set(
    "surrounding adjacent overlying underlying adjoining obstructing occluding infiltrating invading"
)
_NUMBERED_NOUNS = _set("rib nerve lesion node zone metacarpal metatarsal")
#: With organs, what is asked for most: before these an unknown word may be a command.
_WANTED = _set("lesion mass tumor nodule cyst abnormality organ")

_LEVEL = re.compile(r"(?:c|th|t|d|l|s)\d{1,2}|\d{1,2}")
_VERTEBRA = re.compile(r"(c|th?|d|l)(\d{1,3})")
_SPANS = _set("to from through and between")
_SLASHED_VERTEBRAE = re.compile(r"(?i)\b(?:c|th|t|d|l|s)\d{1,2}\s?/\s?(?:c|th|t|d|l|s)?\d{1,2}\s(?:vertebra|vert\b)")
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth"
)
_ORDINAL = re.compile(rf"\d{{1,3}}(?:st|nd|rd|th)|{_ORDINALS.replace(' ', '|')}")
#: How many there are in a row.
_ROWS = {"c": 7, "t": 12, "d": 12, "l": 5, "cervical": 7, "thoracic": 12, "dorsal": 12, "lumbar": 5, "rib": 12}


def doubtful_name(text: str) -> Abstention | None:
    """Why a phrase is not, word by word, a noun phrase for something that a body holds; None where it is one.

    Strict on purpose. Every word has to be one of the vocabulary, of ``phrase_words.csv``, or end as such words do; one
    other word is let pass where it stands before a noun (an eponym, a rare adjective).
    """
    folded = normalise(text)
    if CJK.search(folded):
        return None if cjk_name(folded) else _no_anatomy(text)
    words = folded.split()
    kinds = kinds_of(words)
    if all(kind == "generic" or word in terms()["article"] for word, kind in zip(words, kinds, strict=True)):
        return Abstention("placeholder", f"'{shortened(text)}' stands in the place of a name.", WHICH)
    if _beyond_the_last(words):
        return Abstention("no-such-structure", f"There is no {shortened(text)} in the body.", WHICH)
    if all(_LEVEL.fullmatch(word) or word in _SPANS for word in words) or _SLASHED_VERTEBRAE.search(text):
        return _levels_objection(text)
    if "noun" not in kinds or " ".join(words) in terms()["weak"]:
        return _no_anatomy(text)
    if len(words) > _MAX_WORDS or not (_reads_as_name(words, kinds) and _strangers_pass(words, kinds, _acronyms(text))):
        return Abstention("not-a-phrase", NOT_A_NAME.format(shortened(text)), WHICH)
    return None


def _beyond_the_last(words: list[str]) -> bool:
    """Whether a level is named that no body has: L6, "T13 vertebral body", "rib 15 on the left", "seventh lumbar"."""
    for at, word in enumerate(words):
        row = _ROWS.get(singular(word), 0)
        near = [_count(other) for other in words[max(0, at - 2) : at] if _ORDINAL.fullmatch(other)]
        near += [_count(other) for other in words[at + 1 : at + 3] if other.isdecimal()]
        if row and any(number > row for number in near):
            return True
        if (level := _VERTEBRA.fullmatch(word)) and int(level[2]) > _ROWS[level[1][0]]:
            return not (word == "c8" and {"nerve", "root"} & {singular(other) for other in words})
    return False


def _count(word: str) -> int:
    return int(word.rstrip("stndrh")) if word[0].isdecimal() else _ORDINALS.split().index(word) + 1


def _levels_objection(text: str) -> Abstention:
    reason = f"'{shortened(text)}' gives levels, but does not name what lies between or at them."
    return Abstention("alternatives", reason, "Which vertebra, or which disc, is meant?")


def _no_anatomy(text: str) -> Abstention:
    return Abstention("no-anatomy", f"'{shortened(text)}' names nothing of a body that is known here.", WHICH)


def _reads_as_name(words: list[str], kinds: list[str]) -> bool:
    """Whether words of these kinds stand in the order of a noun phrase: [article] modifiers noun [link phrase] ..."""
    if CLASH in kinds or not terms()["plus"].isdisjoint(words):
        return False  # a list in another language: one of its names is not the whole
    if any(kind == "generic" and not _is_target(words, at) for at, kind in enumerate(kinds)):
        return False
    return (
        _begins_and_ends(words, kinds)
        and all(_follows(words, kinds, at) for at in range(1, len(words)))
        and _head_is_noun(kinds)
        and _numbers_count(words, kinds)
    )


def _begins_and_ends(words: list[str], kinds: list[str]) -> bool:
    if kinds[0] == "link" or (kinds[0] == "joint" and words[0] not in _STARTING_JOINTS):
        return False
    last, kind = words[-1], kinds[-1]
    return kind in ("noun", "part", "number") or last in _UNITS or (kind == "modifier" and _may_follow_noun(last))


def _may_follow_noun(word: str) -> bool:
    """Sides, numbers and codes, and adjectives of languages that put them behind the noun."""
    sides = word in side_words(ambiguous=True) or word in BOTH_WORDS
    return is_code(word) or sides or word in foreign("modifier")


def _follows(words: list[str], kinds: list[str], at: int) -> bool:
    """Whether a word may stand behind the one before it."""
    before, kind = kinds[at - 1], kinds[at]
    if kind == "article" and words[at] != "a":  # "segmenter le foie", "mostly the liver": no name goes on so
        return before == "link" or words[at - 1] in ("all", "both") or (before == "joint" and at > 1)
    if words[at - 1] == "non":
        return kind in ("modifier", "joint") and words[at] not in side_words()  # "non enhancing", not "non liver"
    return not (at == 1 and before == "joint" and kind == "link")


def _is_target(words: list[str], at: int) -> bool:
    """Whether "target" stands in a name, as in the target lesions of RECIST."""
    return words[at] == "target" and at + 1 < len(words) and singular(words[at + 1]) == "lesion"


def _head_is_noun(kinds: list[str]) -> bool:
    """The words before the first link name something, or a part of what the next ones name."""
    runs = [list(run) for links, run in groupby(kinds, "link".__eq__) if not links]
    return "noun" in runs[0] or ("part" in runs[0] and len(runs) > 1 and "noun" in runs[1])


def _numbers_count(words: list[str], kinds: list[str]) -> bool:
    """Numbers measure, count what follows, or tell which of its kind the word before is: "segment 7"."""
    ordered = any(map(_ORDINAL.fullmatch, words))
    at = 0
    while at < len(words):
        end = at
        while end < len(words) and (kinds[end] == "number" or (words[end] == "x" and end > at)):
            end += 1
        if end > at:
            measures = not words[end - 1].isdecimal() or (end < len(words) and words[end] in _UNITS)
            tells = at > 0 and end == at + 1 and (kinds[at - 1] == "part" or _is_numbered(words[at - 1], ordered))
            head = len(list(takewhile("link".__ne__, kinds[end:])))
            counts = at == 0 and any(map(is_plural, words[end : end + head]))
            if not (measures or tells or counts):
                return False
        at = end + 1
    return True


def _is_numbered(word: str, ordered: bool) -> bool:
    """Whether a number may follow a word: "lesion 2" unless an ordinal has counted it already, "C5/6"."""
    return is_code(word) or (not ordered and singular(word) in _NUMBERED_NOUNS)


def _strangers_pass(words: list[str], kinds: list[str], acronyms: frozenset[str]) -> bool:
    """At most one unknown word, and it stands before a noun as an adjective, an eponym or an acronym does."""
    strangers = [at for at, kind in enumerate(kinds) if kind == STRANGER]
    if not strangers:
        return True
    (at, *more) = strangers
    abroad = not (foreign("article") | foreign("link")).isdisjoint(words)
    if more or abroad or at + 1 == len(words) or kinds[at + 1] not in ("noun", "modifier", "part"):
        return False
    if words[at] in acronyms:
        return True
    ordered = at == 0 and (len(words[0]) < 6 or kinds[1] != "noun" or _could_be_ordered(words[1]))
    return not ordered and len(words[at]) > 3 and not _NO_ADJECTIVE.fullmatch(words[at])


def _could_be_ordered(word: str) -> bool:
    """Whether what stands before a word may be a command: "export liver", not "staghorn calculus"."""
    known = load_vocabulary()
    structures = (known.structures.get(entry.concept_or_id) for entry in known.lookup(word))
    return singular(word) in _WANTED or any(structure is None or structure.kind != "lesion" for structure in structures)


def _acronyms(text: str) -> frozenset[str]:
    """Words in capitals, folded, where not everything is written so."""
    return frozenset() if text.isupper() else frozenset(map(normalise, _ACRONYM.findall(text)))
