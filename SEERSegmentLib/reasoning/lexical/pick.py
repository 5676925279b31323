"""One of a group told by what sets it apart: "deepest of the three gluteal muscles", "the smallest of the lobes"."""

from __future__ import annotations

from collections.abc import Sequence

from ...anatomy import Vocabulary
from ...values import Side
from .describe import features, load_descriptions
from .items import Item
from .mention import Mention
from .reading import Reading
from .sides import anchor_sides
from .text import word_set

__all__ = ["by_quality", "picked_from"]

_CLEAR = 1.08
"""By how much the best of the group must exceed the next."""


def picked_from(mention: Mention, ids: Sequence[str], reading: Reading) -> list[str]:
    """The part of a group that the words before "of" tell, else all that is given.

    Both sides of a pair tell the same: where one part is picked, it is picked on each side that is given.
    """
    items = reading.clauses[mention.clause].items
    words = _before_of(items, mention.at)
    known = reading.lexicon.vocabulary
    parts = [leaf for id in ids if not id.startswith('"') for leaf in known.parts_closure(id)]
    if any(i.norm in _MIDDLE for i in words) and (middle := _middle(parts, known)):
        reading.say(f"The middle one of “{mention.text}”: {known.get(middle[0]).name}.")
        return middle
    told = set(features(words, structures=False)) if words else _where(mention, reading)
    if not told or len({known.get(part).concept for part in parts}) < 2:
        return list(ids)
    table = load_descriptions()
    wanted = dict.fromkeys(told, 1.0)
    scores: dict[str, float] = {}
    for found in table.rank(wanted):
        if found.id in parts:
            concept = found.concept
            scores[concept] = max(scores.get(concept, 0.0), found.score)
    ranked = sorted(scores.items(), key=lambda pair: -pair[1])
    if not ranked or (len(ranked) > 1 and ranked[0][1] < _CLEAR * ranked[1][1]):
        return list(ids)
    chosen = [part for part in parts if known.get(part).concept == ranked[0][0]]
    sides = anchor_sides(mention, reading) if not mention.sides else set()
    if len(sides) == 1:
        chosen = [part for part in chosen if known.get(part).side.value in sides] or chosen
    said = " ".join(item.text for item in words) or "The place that is told"
    reading.say(f"“{said}” of “{mention.text}”: {known.get(chosen[0]).name}.")
    return chosen


_SUPERLATIVE = ("est", "most")
_MIDDLE = word_set("middle central middlemost midmost")
_PLACES = frozenset({"above", "below", "front", "behind", "lateral", "medial"})


def _middle(parts: Sequence[str], known: Vocabulary) -> list[str]:
    """The middle of a row of levels, on each side."""
    found: list[str] = []
    for side in Side:
        row = sorted((p for p in parts if known.get(p).side is side), key=lambda p: known.get(p).span[0])
        if row and len(row) % 2 and all(known.get(p).level for p in row):
            found.append(row[len(row) // 2])
    return found


def _where(mention: Mention, reading: Reading) -> set[str]:
    """ "the lung below the oblique fissure": where the part that is meant lies, told by landmarks."""
    found: set[str] = set()
    for anchor in reading.mentions:
        place = anchor.relation if anchor.relation in _PLACES else ""
        if anchor.head is mention and anchor.role == "anchor" and place:
            names = [anchor.item.value("outside"), *(ref.concept for ref in anchor.item.refs)]
            found |= {f"{place}>@{name}" for name in names if name}
    return found


def by_quality(words: Sequence[Item], parts: Sequence[str], known: Vocabulary) -> list[str]:
    """ "neither the biggest nor the smallest": the parts of a group that single words tell, each by itself."""
    table = load_descriptions()
    concepts = {known.get(part).concept for part in parts}
    if len(concepts) < 2:
        return []
    found: set[str] = set()
    for word in words:
        if word.mark or word.refs or word.kinds & {"side", "head", "ord", "card"}:
            continue
        told = features([word], structures=False)
        scores = {
            d.concept: d.score for d in reversed(table.rank(dict.fromkeys(told, 1.0))) if d.id in parts
        } if told else {}  # fmt: skip
        ranked = sorted(scores.items(), key=lambda pair: -pair[1])
        if ranked and (len(ranked) == 1 or ranked[0][1] >= _CLEAR * ranked[1][1]):
            found.add(ranked[0][0])
    return [part for part in parts if known.get(part).concept in found] if len(found) < len(concepts) else []


def _before_of(items: Sequence[Item], at: int) -> list[Item]:
    """The words that "of" joins to the name at a place, if they tell anything."""
    step = at - 1
    if step >= 0 and items[step].norm.endswith(_SUPERLATIVE) and not items[step].names_anatomy:
        return [items[step]]  # "largest buttock muscle"
    while step >= 0 and (items[step].norm in ("the", "these", "his", "her") or items[step].kinds & {"card", "side"}):
        step -= 1
    if step < 1 or items[step].norm not in ("of", "among", "amongst"):
        return []
    words: list[Item] = []
    for item in reversed(items[:step]):
        if item.mark or item.kinds & {"ask", "measure", "all", "not", "except", "plus"} or item.norm in ("the", "a"):
            break
        words.insert(0, item)
    return [item for item in words if not item.names_anatomy and not item.kinds & {"side"}]
