"""What the text around a request tells of each structure, phrase by phrase: "spleen normal, cirrhotic liver".

A request may point back to it: "the bleeding organ", "the patent vein", "the smaller kidney".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from ...anatomy.tables import read_rows
from ...values import Side
from .clauses import Clause
from .describe import features, kinds_of, load_descriptions
from .items import Item
from .lexicon import Ref
from .mention import Mention
from .reading import Reading
from .text import word_set

__all__ = [
    *("Phrase", "asks_normal", "phrases", "refs_of"),
    *(
        "same_noun",
        "side_by_size",
        "side_by_state",
        "side_by_words",
        "side_not_normal",
        "told_by",
        "whole_of",
        "words_of_request",
    ),
]

_SPLITS = word_set("but while whereas although however though aber mais pero")
_RECENT = 40  # clauses of context looked at
_DULL_KINDS = frozenset({"ask", "measure", "only", "all", "plus", "cause", "header", "past", "side", "missing"})


@dataclass(frozen=True, slots=True)
class Phrase:
    """Part of a sentence between commas: what it names, on which side, and what it tells."""

    items: tuple[Item, ...]
    named: tuple[Item, ...]
    own: bool  # whether it names something itself; else ``named`` is what was named before
    sides: frozenset[str]
    told: frozenset[str]
    normal: bool
    abnormal: bool

    @property
    def numbers(self) -> list[float]:
        """Measured values, in the order given."""
        found = []
        for item, after in zip(self.items, (*self.items[1:], None), strict=True):
            if _NUMBER.fullmatch(item.norm) and after is not None and after.norm in _UNITS:
                found.append(float(item.norm.replace(",", ".")) * _UNITS[after.norm])
        return found


_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_UNITS = {"mm": 0.1, "cm": 1.0, "ml": 1.0, "cc": 1.0, "l": 1000.0, "percent": 1.0, "g": 1.0}


def told_by(clause: Clause, reading: Reading) -> dict[str, str]:
    """Features of a clause of the text around the request, without names; kept, for several stages ask for them."""
    kept: dict[int, dict[str, str]] = reading.memo.setdefault("features", {})
    if id(clause) not in kept:
        kept[id(clause)] = features(clause.items, structures=False)
    return kept[id(clause)]


def phrases(reading: Reading) -> list[Phrase]:
    """Phrases of the text around the request. A list of bare names goes with what follows it, as in speech."""
    if "phrases" not in reading.memo:
        reading.memo["phrases"] = _read_phrases(reading)
    kept: list[Phrase] = reading.memo["phrases"]
    return kept


def _read_phrases(reading: Reading) -> list[Phrase]:
    found: list[Phrase] = []
    last: tuple[Item, ...] = ()
    sides: frozenset[str] = frozenset()
    for clause in reading.context[-_RECENT:]:
        parts = list(_parts(clause.items))
        before: tuple[Item, ...] = ()
        if not any(i.value("side") == "other" or i.norm in _CARRIED for i in clause.items[:4]):
            last, sides = (), frozenset()
        for number, part in enumerate(parts):
            whole = (*before, *part)
            if number + 1 < len(parts) and _only_names(part):
                before = whole
                continue
            before = ()
            own = tuple(i for i in whole if _is_name(i))
            phrase = _phrase(whole, own, last, sides)
            found.append(phrase)
            last, sides = own or last, phrase.sides
    return found


_CARRIED = word_set("it its one")
"""Words by which a sentence goes on about what the one before named: "Right adrenal slim. The left one is bulky"."""


def _parts(items: Sequence[Item]) -> Iterable[tuple[Item, ...]]:
    start = 0
    for at, item in enumerate(items):
        if (item.mark and item.text in ",;\uff0c\u3001\uff1b") or item.norm in _SPLITS:
            yield tuple(items[start:at])
            start = at + 1
    yield tuple(items[start:])


def _only_names(part: Sequence[Item]) -> bool:
    return any(_is_name(i) for i in part) and all(
        _is_name(i) or i.mark or i.kinds & {"side", "plus"} or i.norm in ("the", "a") for i in part
    )


def _is_name(item: Item) -> bool:
    return item.counted is not None or bool(refs_of(item))


@cache
def _wholes() -> dict[str, str]:
    """Parts → the whole that a request may call them by (wholes.csv)."""
    return {part: row["whole"] for row in read_rows("wholes.csv") for part in row["parts"].split(";")}


def whole_of(item: Item) -> str:
    """The one structure that has the part which an item names: the dens is the axis's, the manubrium the sternum's."""
    places = [*(ref.concept for ref in item.refs), item.value("outside")]
    for place in filter(None, places):
        if place in _wholes():
            return _wholes()[place]
        holders = load_descriptions().holders(f"@{place}")
        if len(holders) == 1:
            return holders[0]
    return ""


def refs_of(item: Item) -> tuple[Ref, ...]:
    """What an item names: a structure, or the one that a disease named for it sits in ("adrenal nodule")."""
    disease = item.disease
    if disease is not None:
        return (Ref(disease.structures[0]),) if len(disease.structures) == 1 and disease.lesion else ()
    return item.refs


def _phrase(items: tuple[Item, ...], own: tuple[Item, ...], last: tuple[Item, ...], before: frozenset[str]) -> Phrase:
    named = own or last
    sides = {i.value("side") for i in items} | {r.side.value for i in named for r in refs_of(i)[:1]}
    sides &= {"left", "right"}
    if not sides and len(before) == 1 and any(i.value("side") == "other" for i in items):
        sides = {Side(next(iter(before))).opposite.value}  # "its opposite number"
    denied = next((n for n, i in enumerate(items) if "not" in i.kinds), len(items))  # "small bowel not dilated"
    found = [n for n, i in enumerate(items) if "abnormal" in i.kinds or i.disease]
    abnormal = any(n < denied for n in found)
    normal = any("normal" in i.kinds for i in items) or (bool(found) and not abnormal)
    told = frozenset(f for f in features(items, structures=False) if _telling(f))
    return Phrase(items, named, bool(own), frozenset(sides) or before, told, normal, abnormal)


def _telling(feature: str) -> bool:
    return not feature.startswith(("rel:", "head:", "@", "#"))


def same_noun(reading: Reading) -> list[tuple[Item, Phrase]]:
    """Phrases of the text around the request that have its noun, and name no structure that could be meant by it."""
    nouns = {m.item.norm: m.item.value("head") for m in reading.of("head") if "pron" not in m.item.kinds}
    nouns = {norm: kind for norm, kind in nouns.items() if kind not in ("", "any") or norm in _NOUNS}
    found: list[tuple[Item, Phrase]] = []
    for phrase in phrases(reading):
        for item in phrase.items:
            kind = nouns.get(item.norm)
            own = phrase.named if phrase.own else ()
            if kind is not None and not any(kind in kinds_of(r.concept) for i in own for r in refs_of(i)[:1]):
                found.append((item, phrase))
                break
    return found


_NOUNS = word_set("sac tube pouch strut column viscus")


def words_of_request(reading: Reading) -> set[str]:
    """What the request says of its target besides its name."""
    if "said" in reading.memo:
        kept: set[str] = reading.memo["said"]
        return kept
    excluded = {id(m.item) for m in reading.mentions if m.role == "excluded"}
    said: set[str] = set()
    for clause in reading.request[-_RECENT:]:
        own = [i for i in clause.items if not i.kinds & _DULL_KINDS and id(i) not in excluded]
        said |= {f for f in features(own, structures=False) if _telling(f)}
    reading.memo["said"] = said
    return said


def asks_normal(mention: Mention, reading: Reading) -> bool:
    """Whether the request calls its target normal: "the patent vein", "the preserved one"."""
    items = reading.clauses[mention.clause].items if 0 <= mention.clause < len(reading.clauses) else ()
    return any("normal" in i.kinds and "ask" not in i.kinds for i in items[max(0, mention.at - 2) : mention.at])


def _asks_abnormal(mention: Mention, reading: Reading) -> bool:
    """ "the abnormal adrenal", "the affected side"."""
    items = reading.clauses[mention.clause].items if 0 <= mention.clause < len(reading.clauses) else ()
    return any(i.norm in _ABNORMAL for i in items[max(0, mention.at - 2) : mention.at])


_ABNORMAL = word_set("abnormal affected diseased pathological involved symptomatic bad sick")


# ---------------------------------------------------------------------------------------------- which of the two sides


def _of_concept(reading: Reading, concept: str) -> list[Phrase]:
    """Phrases that name a structure, or a pair or group that has it."""
    known = reading.lexicon.vocabulary
    leaves = {s.id for s in known.by_concept(concept)}
    if concept in known.structures:
        leaves |= set(known.parts_closure(concept))

    def names_it(ref: Ref) -> bool:
        own = known.structures.get(ref.concept)
        return ref.concept == concept or (own is not None and bool(leaves & set(known.parts_closure(own.id))))

    return [p for p in phrases(reading) if any(names_it(r) for i in p.named for r in refs_of(i))]


def side_by_state(mention: Mention, reading: Reading, concept: str) -> Side | None:
    """ "the obstructed kidney", "the patent vein": the side of which the text tells the same."""
    said = words_of_request(reading)
    wants_normal = asks_normal(mention, reading)
    wants_abnormal = _asks_abnormal(mention, reading)
    if not said and not wants_normal and not wants_abnormal:
        return None
    scores: Counter[str] = Counter()
    for phrase in _of_concept(reading, concept):
        if len(phrase.sides) != 1:
            continue
        side = next(iter(phrase.sides))
        if wants_normal:
            scores[side] += int(phrase.normal) - int(phrase.abnormal and not phrase.normal)
        else:
            scores[side] += 2 * len(phrase.told & said) - int(phrase.normal and not phrase.abnormal)
            scores[side] += int(wants_abnormal and phrase.abnormal)
    ranked = scores.most_common()
    if len(ranked) == 1 and wants_normal and ranked[0][1] < 0:  # only the other side is told, as abnormal
        return Side(ranked[0][0]).opposite
    if not ranked or ranked[0][1] <= 0 or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    return Side(ranked[0][0])


def side_by_words(reading: Reading) -> Side | None:
    """The side of which the text tells what the request says of its target: "the lobe with the new consolidation"."""
    said = words_of_request(reading)
    scores: Counter[str] = Counter()
    for phrase in phrases(reading):
        if len(phrase.sides) == 1 and not (phrase.normal and not phrase.abnormal):
            scores[next(iter(phrase.sides))] += len(phrase.told & said)
    ranked = scores.most_common()
    if not ranked or not ranked[0][1] or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    return Side(ranked[0][0])


def side_not_normal(reading: Reading) -> Side | None:
    """The one side of which the text tells more than that it is normal: "Left lung clear, … on the right"."""
    sides: set[str] = set()
    for phrase in phrases(reading):
        own = {i.value("side") or i.value("patientside") for i in phrase.items}
        own |= {ref.side.value for i in phrase.items for ref in i.refs[:1]}
        if any(i.value("side") == "other" for i in phrase.items):
            own |= phrase.sides  # "its opposite number carries a nodule"
        if not phrase.normal and not any("past" in i.kinds or i.norm in _HEALED for i in phrase.items):
            sides |= own & {"left", "right"}
    return Side(sides.pop()) if len(sides) == 1 else None


_HEALED = word_set("old healed united previous chronic prior treated incidental")
_SMALLER = word_set("small smaller smallest shorter shortest narrower narrowest thinner lesser shrunken atrophic")
_LARGER = word_set(
    "large big larger largest bigger biggest longer longest wider widest greater thicker better dominant"
)
_PREFERRED = frozenset({"better", "dominant"})  # the text, too, may say which side is to be taken


def side_by_size(reading: Reading, concept: str) -> Side | None:
    """ "the smaller kidney", "the larger of the two": by the measurements that the text gives for each side."""
    words = {word for item in reading.request_items for word in item.norm.split()}
    words |= {item.norm for clause in reading.context for item in clause.items} & _PREFERRED
    smaller, larger = bool(words & _SMALLER), bool(words & _LARGER)
    if smaller == larger:
        return None
    values: dict[str, list[float]] = {}
    for phrase in _of_concept(reading, concept):
        if len(phrase.sides) == 1 and phrase.numbers:
            values.setdefault(next(iter(phrase.sides)), []).append(max(phrase.numbers))
    if len(values) != 2 or max(values["left"]) == max(values["right"]):
        return None
    left_is_larger = max(values["left"]) > max(values["right"])
    return Side.LEFT if left_is_larger == larger else Side.RIGHT
