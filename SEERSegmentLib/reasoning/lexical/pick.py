"""One of a group told by what sets it apart: "deepest of the three gluteal muscles", "the smallest of the lobes"."""

from __future__ import annotations

from collections.abc import Sequence

from ...anatomy import Vocabulary
from .describe import features, load_descriptions
from .items import Item
from .mention import Mention
from .reading import Reading

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
    if not words or len({known.get(part).concept for part in parts}) < 2:
        return list(ids)
    table = load_descriptions()
    wanted = dict.fromkeys(features(words, structures=False), 1.0)
    scores: dict[str, float] = {}
    for found in table.rank(wanted):
        if found.id in parts:
            concept = found.concept
            scores[concept] = max(scores.get(concept, 0.0), found.score)
    ranked = sorted(scores.items(), key=lambda pair: -pair[1])
    if not ranked or (len(ranked) > 1 and ranked[0][1] < _CLEAR * ranked[1][1]):
        return list(ids)
    chosen = [part for part in parts if known.get(part).concept == ranked[0][0]]
    told = " ".join(item.text for item in words)
    reading.say(f"“{told}” of “{mention.text}”: {known.get(chosen[0]).name}.")
    return chosen


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
