"""Words shared by a list: "gluteus medius and minimus", "superior and inferior vena cava", "thoracic and lumbar spine".

The word that stands alone is looked up together with what it shares with its neighbour, so that each item of the list
names its structure by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .items import Item
from .lexicon import Lexicon, Sense
from .text import word_set

__all__ = ["share_words"]

_JOINTS = word_set("and und et y e und plus or nor but") | frozenset("+&/,")
_MANY = 8  # items of one list


def share_words(items: Sequence[Item], lexicon: Lexicon) -> list[Item]:
    """Items in which every member of a list carries the words that it shares with its neighbour."""
    shared = list(items)
    _share_with_kind(shared, lexicon)
    for at, item in enumerate(items):
        words = item.norm.split()
        if len(words) < 2 or not item.sense("structure"):
            continue
        for step, tails in ((2, False), (-2, True)):
            place = at + step
            for _ in range(_MANY):
                if not 0 <= place < len(shared) or not _joint(shared, place, step):
                    break
                found = _completed(shared[place], words, tails, lexicon)
                if found is None:
                    break
                kinds = frozenset(s.kind for s in found)
                shared[place] = replace(shared[place], senses=tuple(found), kinds=kinds)
                place += step
    return shared


def _share_with_kind(items: list[Item], lexicon: Lexicon) -> None:
    """ "bowel, but large not small": an adjective that stands apart from the kind of thing it belongs to."""
    for item in items:
        if "head" not in item.kinds or not item.sense("structure") or " " in item.norm:
            continue
        for at, other in enumerate(items):
            if other.norm not in _PARTS or other.sense("structure") or abs(other.start - item.start) > _MANY:
                continue
            found = [
                s for s in lexicon.lookup(f"{other.norm} {item.norm}") if s.kind == "structure" and not s.ambiguous
            ]
            if found:
                items[at] = replace(other, senses=tuple(found), kinds=frozenset({"structure"}))


_PARTS = word_set("large small upper lower left right")


def _joint(items: Sequence[Item], place: int, step: int) -> bool:
    joint = items[place - step // 2]
    return joint.norm in _JOINTS or (joint.mark and joint.text in _JOINTS)


def _completed(item: Item, words: Sequence[str], tails: bool, lexicon: Lexicon) -> list[Sense] | None:
    """Senses of a word together with what it shares; None where it names something by itself, or nothing this way."""
    own = item.sense("structure")
    if item.mark or item.counted is not None or item.kinds & {"side", "disease", "outside", "ask", "not", "except"}:
        return None
    if own is not None and not own.ambiguous:
        return None
    cuts = range(1, len(words)) if tails else range(len(words) - 1, 0, -1)
    for cut in cuts:
        whole = [item.norm, *words[cut:]] if tails else [*words[:cut], item.norm]
        found = [s for s in lexicon.lookup(" ".join(whole)) if s.kind == "structure" and not s.ambiguous]
        if found:
            return found
    return None
