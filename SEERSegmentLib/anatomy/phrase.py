"""One noun phrase of an answer: the structure that it names, free text, or why neither."""

from __future__ import annotations

import re

from ..values import Abstention, Side, Target
from .normalise import normalise
from .sides import BOTH_WORDS, CJK_BOTH, CJK_SIDES, side_words
from .structure import Entry, Structure
from .vocabulary import Vocabulary
from .wording import WHICH, objection, shortened

__all__ = ["WHICH", "is_side_only", "is_structure", "target_for", "with_side"]

MAX_WORDS = 16
"""Most words of a phrase that anatomy doesn't know: longer is prose, not a noun phrase."""

_ARTICLES = frozenset({"the", "a", "an"})
_TRAILING = frozenset({"of", "on", "at", "side", "sided", "one"})
#: "I" is a pronoun where a phrase begins with it; so is "segment" a command, but for "segment VII of the liver".
_NO_START = re.compile(r"(?:i|segments?(?! (?:\d{1,2}[ab]?|[ivx]{1,4}[ab]?) (?:of|in) ))\b")
_MARKUP = re.compile(r"[\"“”„«»<>{}\[\]|\\`$=@#^~]|://|[.!?:]\s")
_LEADING_ARTICLES = re.compile(r"\A(?:(?:the|an?)\s+)+", re.IGNORECASE)
_FOREIGN_ARTICLE = re.compile(r"\s*(?:der|die|das|den|le|la|les|el|los|las|il|lo|gli)\s+", re.IGNORECASE)
_SAID_TWICE = re.compile(r"([^()]+)\(([^()]+)\)\s*")  # inferior vena cava (IVC)
_SINGLE = frozenset({"organ", "gland", "bone", "vessel", "duct"})
"""Kinds of which a body has one, or a left and a right one: "left liver" is a mistake, "left chest wall" is not."""
_PLURAL = re.compile(r"(?<![uain])s\b")  # lymph nodes, coronary arteries; not uterus, pancreas, pubis, pons
_NUMBERED = re.compile(
    r"(?:vertebra |vertebrae )?(c|th|t|d|l|s) ?(\d{1,3})(?: vertebra)?|(rib) (\d{1,3})|(\d{1,3})[a-z]{2} (rib)"
)
_LIVER_SEGMENT = re.compile(
    r"(?:liver |hepatic |couinaud )segments? (?:\d{1,3}|[ivxl]{1,6})|segment (?:\d{1,3}|[ivxl]{1,6}) of (?:the )?liver"
)
_LAST = {"c": 7, "t": 13, "th": 13, "d": 13, "l": 6, "s": 5, "rib": 13}
"""Last number of each row, with the common variants: a thirteenth thoracic and a sixth lumbar vertebra."""
_EDGES = " \t.,;:!'\"-*•·_/"


def target_for(phrase: str, known: Vocabulary) -> Target | Abstention:
    """The target of a phrase, or the reason why it has none."""
    if "?" in phrase:
        return Abstention("hedged", f"'{shortened(phrase)}' asks instead of naming what to segment.", WHICH)
    found = _lookup(phrase, known)
    if isinstance(found, Structure):
        return Target(found.name, found.id, found.side, found.level, found.code)
    return found or _free_text(phrase)


def is_structure(phrase: str, known: Vocabulary) -> bool:
    """Whether anatomy knows a phrase as a whole, ambiguous or not."""
    return _lookup(phrase, known) is not None


def is_side_only(phrase: str) -> bool:
    """Whether a phrase is a side and nothing else: the "left" of "left and right kidney"."""
    words = _words(phrase)
    return bool(words) and all(word in side_words() or word in _TRAILING for word in words) and bool(_sides(words))


def with_side(side_phrase: str, phrase: str) -> str:
    """A phrase with the side of another in place of its own."""
    side = _sides(_words(side_phrase))[0].value
    rest = [word for word in phrase.split() if normalise(word) not in side_words()]
    return " ".join([side, *rest])


def _words(phrase: str) -> list[str]:
    return [word for word in normalise(phrase).split() if word not in _ARTICLES]


def _sides(words: list[str]) -> list[Side]:
    table = side_words()
    return [table[word] for word in words if word in table]


def _lookup(phrase: str, known: Vocabulary) -> Structure | Abstention | None:
    """What anatomy makes of a phrase; None where it doesn't know it."""
    found = _lookup_words(phrase, known)
    if found is None and (article := _FOREIGN_ARTICLE.match(phrase)):
        entries = known.lookup(phrase[article.end() :])
        if entries and all(entry.language != "en" for entry in entries):
            found = _lookup_words(phrase[article.end() :], known)
    if found is None and (twice := _SAID_TWICE.fullmatch(phrase)):
        name, again = (_lookup_words(text, known) for text in twice.groups())
        found = name if isinstance(name, Structure) and name == again else None
    return found


def _lookup_words(phrase: str, known: Vocabulary) -> Structure | Abstention | None:
    folded = normalise(phrase)
    if entries := known.keys.get(folded):
        return _choose(entries, Side.NONE, False, phrase, known)
    words = _words(phrase)
    if entries := known.keys.get(" ".join(words)):
        return _choose(entries, Side.NONE, False, phrase, known)
    sides = _sides(words)
    both = any(word in BOTH_WORDS for word in words)
    if not sides and not both:
        return _lookup_cjk(folded, phrase, known)
    rest = [word for word in words if word not in side_words() and word not in BOTH_WORDS]
    while rest:
        if entries := known.keys.get(" ".join(rest)):
            break
        if rest[-1] not in _TRAILING:
            return None
        rest.pop()
    else:
        return None
    if len(set(sides)) > 1 or (both and sides):
        return _contradiction(phrase)
    return _choose(entries, sides[0] if sides else Side.NONE, both, phrase, known)


def _lookup_cjk(folded: str, phrase: str, known: Vocabulary) -> Structure | Abstention | None:
    for prefix in CJK_BOTH:
        if folded.startswith(prefix) and (entries := known.keys.get(folded.removeprefix(prefix))):
            return _choose(entries, Side.NONE, True, phrase, known)
    for prefix, side in CJK_SIDES.items():
        if folded.startswith(prefix) and (entries := known.keys.get(folded.removeprefix(prefix))):
            return _choose(entries, side, False, phrase, known)
    return None


def _choose(
    entries: tuple[Entry, ...], side: Side, both: bool, phrase: str, known: Vocabulary
) -> Structure | Abstention | None:
    if len(entries) > 1:
        names = tuple(sorted(_describe(entry, known) for entry in entries))
        return Abstention(
            "ambiguous-term", f"'{shortened(phrase)}' can mean {' or '.join(names)}.", "Which one is meant?", names
        )
    (entry,) = entries
    concept = entry.concept_or_id
    if side is not Side.NONE and entry.side not in (Side.NONE, side):
        return _contradiction(phrase)
    if both:
        structure = known.structures.get(concept)
        pair = known.both(concept, entry.level) or structure
        if pair is not None and pair.side is Side.NONE:
            return pair
    structure = known.structure_of(entry, side)
    if structure is None and side is not Side.NONE and concept in known.structures:
        of_side = [part for part in map(known.get, known.get(concept).parts) if part.side is side]
        structure = of_side[0] if len(of_side) == 1 else None
    return structure or _incomplete(entry, side, phrase, known)


def _incomplete(entry: Entry, side: Side, phrase: str, known: Vocabulary) -> Abstention | None:
    """Why a known term names no structure with this side."""
    of_concept = known.by_concept(entry.concept_or_id)
    same_side = [structure for structure in of_concept if side in (Side.NONE, structure.side)]
    if not entry.level and len({structure.level for structure in same_side}) > 1:
        return Abstention("level-needed", f"'{shortened(phrase)}' doesn't say which one.", "Which level or number?")
    if side is Side.NONE and of_concept:
        names = tuple(structure.name for structure in of_concept if entry.level in ("", structure.level))
        pair = known.both(entry.concept_or_id, entry.level)
        names = (*names, pair.name) if pair else names
        return Abstention(
            "side-needed", f"'{shortened(phrase)}' doesn't say which side.", "Left, right or both?", names
        )
    if any(structure.kind not in _SINGLE or _PLURAL.search(structure.name) for structure in of_concept):
        return None  # the left of something that has no left of its own in the tables: free text
    return _no_such(phrase)


def _describe(entry: Entry, known: Vocabulary) -> str:
    structure = known.structure_of(entry)
    if structure is not None:
        return structure.name
    side = f"{entry.side.value} " if entry.side is not Side.NONE else ""
    return side + entry.concept_or_id.replace("_", " ")


def _contradiction(phrase: str) -> Abstention:
    return Abstention("side-contradictory", f"'{shortened(phrase)}' names two sides.", "Left, right or both?")


def _free_text(phrase: str) -> Target | Abstention:
    """A phrase that anatomy doesn't know, cleaned; or the reason why it isn't a noun phrase."""
    text = _clean(phrase)
    folded = normalise(text)
    words = folded.split()
    if against := objection(text):
        return against
    prose = len(words) > MAX_WORDS or _NO_START.match(folded) or _MARKUP.search(f"{text} ")
    if prose or not any(character.isalpha() for character in folded):
        return Abstention("not-a-phrase", f"'{shortened(text)}' is not the name of a structure.", WHICH)
    if _LIVER_SEGMENT.fullmatch(folded):
        return _no_such(text)
    rest = " ".join(word for word in _words(text) if word not in side_words() and word not in _TRAILING)
    if numbered := _NUMBERED.fullmatch(rest):
        row = numbered[1] or "rib"
        if not 0 < int(numbered[2] or numbered[4] or numbered[5]) <= _LAST[row]:
            return _no_such(text)
    sides = set(_sides(words))
    if len(sides) > 1:
        return _contradiction(text)
    if is_side_only(text):
        return Abstention("side-only", f"'{shortened(text)}' names a side but no structure.", WHICH)
    return Target(text, side=sides.pop() if sides else Side.NONE)


def _no_such(phrase: str) -> Abstention:
    return Abstention("no-such-structure", f"There is no {shortened(phrase)} in the body.", WHICH)


def _clean(phrase: str) -> str:
    """A phrase without marks at its ends and without the article before it."""
    text = " ".join(phrase.split())
    while True:
        shorter = text.strip(_EDGES)
        if shorter.count("(") != shorter.count(")") or (shorter[:1] + shorter[-1:] == "()" and "(" not in shorter[1:]):
            shorter = shorter.strip("()")
        shorter = _LEADING_ARTICLES.sub("", shorter, count=1)
        if shorter == text:
            return text
        text = shorter
