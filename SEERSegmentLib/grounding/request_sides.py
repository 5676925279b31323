"""Which sides of a structure a request names: read narrowly, and silent where it can't be sure.

This is the second pair of eyes on a reasoner's answer, so it shares no code with any reasoner: it knows the
vocabulary's terms, plain side words right beside them, and the words that make a mention doubtful.
"""

from __future__ import annotations

import re
from functools import cache

from ..anatomy import Vocabulary, load_vocabulary, normalise, side_words
from ..values import Side, Target

__all__ = ["requested_side"]

#: A request is a sentence or two; beyond this only the start is read.
MAX_CHARACTERS = 4000
#: Longest run of words that is looked up as one term.
MAX_TERM_WORDS = 6

_CLAUSE = re.compile(r"[,.;:!?()\n]+")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: A mention beside one of these may be about what is absent, past, excluded, or elsewhere.
_DOUBT = _set(
    "no not without except excluding exclude minus never neither nor instead rather than ignore skip contralateral"
    " opposite other prior previous previously history hx post sp removed resected absent missing remaining remnant"
    " after nephrectomy lobectomy pneumonectomy or versus vs"
)
#: Sides of the screen, not of the patient.
_SCREEN = _set("screen viewer viewers reader readers monitor display displayed picture observer my")
_IMAGE_SIDE = re.compile(
    r"\b(?:image|film|slice) (?:left|right)\b|\b(?:left|right)(?: side)? of (?:the |this )?(?:image|film|slice)\b"
)
#: Words that end the reach of a side word towards the noun after it.
_BREAKS = _set("of to from and or with than in on at for by is are was the then plus as")
#: What may follow a side word that stands after its noun ("kidney left side", "riñón izquierdo y ...").
_AFTER = _set("side sided and y e et und please pls only")
#: What may stand between a noun and such a side word ("kidney on the left").
_LINKS = _set("on the at in patients")
#: Adjectives between a side word and its noun: "left native kidney", "right sided main kidney".
MAX_BETWEEN = 2


def requested_side(text: str, target: Target) -> Side | None:
    """The one side on which a request names the target's structure.

    Parameters
    ----------
    text : str
        The request as typed.
    target : Target
        One sided target of the answer.

    Returns
    -------
    Side or None
        LEFT or RIGHT where every mention of the structure carries that side; None where a mention is doubtful, names
        both sides, or none, or where the structure isn't named in these words at all.
    """
    folded = normalise(text[:MAX_CHARACTERS])
    if _SCREEN & set(folded.split()) or _IMAGE_SIDE.search(folded):
        return None
    known = load_vocabulary()
    found: set[Side] = set()
    for clause in _CLAUSE.split(text[:MAX_CHARACTERS]):
        words = normalise(clause).split()
        mentions = list(_mentions(words, target, known))
        if mentions and _DOUBT & set(words):
            return None
        for first, last, sides in mentions:
            found |= (sides or _before(words[:first])) | _after(words[last:])
    return found.pop() if len(found) == 1 else None


def _mentions(words: list[str], target: Target, known: Vocabulary) -> list[tuple[int, int, frozenset[Side]]]:
    """(first word, one past the last, sides that the term itself means) of each mention of the target's concept."""
    concept = known.structures[target.structure].concept if target.structure in known.structures else ""
    phrase = [word for word in normalise(target.text).split() if word not in side_words()]
    found = []
    start = 0
    while start < len(words):
        for length in range(min(MAX_TERM_WORDS, len(words) - start), 0, -1):
            term = " ".join(words[start : start + length])
            meanings = _meanings(term)
            if not concept and words[start : start + length] == phrase:
                found.append((start, start + length, frozenset[Side]()))
            elif meanings:
                sides = [side for of, side in meanings if of == concept]
                if sides:
                    found.append((start, start + length, frozenset().union(*sides)))
            else:
                continue
            start += length - 1
            break
        start += 1
    return found


@cache
def _meanings(term: str) -> tuple[tuple[str, frozenset[Side]], ...]:
    """(concept, sides that the term implies) for each meaning of a term: RK is the right kidney, kidneys are both."""
    known = load_vocabulary()
    meanings: list[tuple[str, frozenset[Side]]] = []
    for entry in known.lookup(term):
        structure = known.structures.get(entry.concept_or_id)
        if structure is None:
            meanings.append((entry.concept_or_id, frozenset({entry.side} - {Side.NONE})))
            continue
        side = structure.side if structure.side is not Side.NONE else entry.side
        meanings.append((structure.concept, frozenset({side} - {Side.NONE})))
        parts = [known.structures[part] for part in structure.parts if part in known.structures]
        by_concept: dict[str, set[Side]] = {}
        for part in parts:
            by_concept.setdefault(part.concept, set()).add(part.side)
        meanings += [(of, frozenset(sides)) for of, sides in by_concept.items() if len(sides) == 2]
    return tuple(meanings)


def _before(words: list[str]) -> set[Side]:
    """Side words that belong to the noun that follows these words: "left native kidney", "left and right kidney"."""
    table = side_words()
    sides: set[Side] = set()
    between = 0
    for word in reversed(words):
        if word in table:
            sides.add(table[word])
        elif sides:
            if word not in ("and", "or"):
                break
        elif word in _BREAKS or between == MAX_BETWEEN:
            break
        else:
            between += 1
    return sides


def _after(words: list[str]) -> set[Side]:
    """The side word that belongs to the noun before these words, where nothing else claims it: "kidney on the left"."""
    rest = list(words)
    while rest and rest[0] in _LINKS:
        rest.pop(0)
    table = side_words()
    return {table[rest[0]]} if rest and rest[0] in table and (len(rest) == 1 or rest[1] in _AFTER) else set()
