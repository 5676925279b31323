"""The one of its kind that a disease or a finding tells: "the hangman's vertebra", "the newly fractured vertebra"."""

from __future__ import annotations

from ...values import Side
from .bonus import LINK, linked, said_of
from .clauses import Clause
from .counted import SEQUENCE
from .describe import features, kinds_of
from .findings import Phrase, phrases, same_noun, whole_of
from .items import Item
from .lexicon import Ref
from .mention import Mention, SideWord, as_mention
from .reading import Reading
from .resolve import resolve, resolve_ref
from .text import word_set

__all__ = ["part_told_abnormal", "seat_around", "seat_of_kind", "seat_of_operation", "told_as_abnormal"]


def seat_of_kind(reading: Reading) -> list[str] | None:
    """ "the hangman's vertebra": of what a disease in the request sits in, the one that is of the kind asked for."""
    kinds = _asked_kinds(reading)
    told = [m for m in reading.mentions if m.kind == "condition" and m.role != "excluded"]
    for mention in told if kinds else ():
        disease = mention.item.disease
        seats = [s for s in disease.structures if kinds & kinds_of(s)] if disease is not None else []
        if len(seats) == 1 and len(disease.structures if disease else ()) <= _FEW_SEATS:
            reading.used.add(id(mention))
            reading.say(f"“{mention.text}” tells which one: {seats[0].replace('_', ' ')}.")
            return _seat(seats[0], mention, reading)
    return None


_FEW_SEATS = 3
_ORGANS = frozenset({"", "any", "organ"})


def _asked_kinds(reading: Reading) -> set[str]:
    return {m.item.value("levelnoun") or m.item.value("head") for m in reading.of("head")} - _ORGANS


def part_told_abnormal(reading: Reading) -> list[str] | None:
    """ "Fracture of the base of the dens … the fractured vertebra": a part that is told stands for its whole."""
    kinds = _asked_kinds(reading)
    found: dict[str, tuple[Item, Phrase]] = {}
    for phrase in phrases(reading) if kinds else ():
        if not phrase.abnormal or phrase.normal or any(kinds & _kinds(i) for i in phrase.named if phrase.own):
            continue
        for item in phrase.items:
            whole = whole_of(item) if item.names_anatomy and item.counted is None else ""
            if whole and kinds & kinds_of(whole):
                found.setdefault(whole, (item, phrase))
    if len(found) != 1:
        return None
    whole, (item, phrase) = next(iter(found.items()))
    mention = as_mention(item)
    clause = next(c for c in reading.context if any(i is item for i in c.items))
    own = [SideWord(next(iter(phrase.sides)), item.text, 0, 0)] if len(phrase.sides) == 1 else []
    mention.sides = own or _sides_before(clause, reading)
    reading.say(f"“{item.text}” is told as abnormal, and is part of the {whole.replace('_', ' ')}.")
    return _seat(whole, mention, reading)


def seat_of_operation(reading: Reading) -> list[str] | None:
    """ "Cholecystectomy: what comes out": the organ that the operation takes."""
    for mention in reading.of("condition"):
        disease = mention.item.disease
        if disease is None or disease.kind != "operation" or len(disease.structures) != 1:
            continue
        if any(i.norm in _TAKEN for i in reading.request_items):
            reading.used.add(id(mention))
            reading.say(f"“{mention.text}” takes the {disease.structures[0].replace('_', ' ')}.")
            return _seat(disease.structures[0], mention, reading)
    return None


_TAKEN = word_set("specimen") | {"comes out", "what comes out", "is removed", "to be removed", "goes in the bucket"}


def seat_around(reading: Reading) -> list[str] | None:
    """ "Brock's syndrome … the collapsed lobe": the one of its kind that the diseases around the request sit in."""
    kinds = _asked_kinds(reading)
    if same_noun(reading) or any(kinds & _kinds(item) for phrase in phrases(reading) for item in phrase.named):
        return None  # then it is one of those that are named
    seats = {
        seat
        for clause in (reading.context if kinds else ())
        for item in clause.items
        if item.disease is not None and len(item.disease.structures) <= _FEW_SEATS
        if not clause.has("normal") and not any(i.norm in _OLD for i in clause.items)
        for seat in item.disease.structures
        if kinds & kinds_of(seat)
    }
    if len(seats) != 1:
        return None
    seat = seats.pop()
    reading.say(f"What the text tells sits in the {seat.replace('_', ' ')}.")
    return _seat(seat, reading.of("head")[0], reading)


def _kinds(item: Item) -> frozenset[str]:
    if item.counted is not None:
        return frozenset({item.counted.kind})
    return frozenset(kind for ref in item.refs for kind in kinds_of(ref.concept))


def _seat(name: str, mention: Mention, reading: Reading) -> list[str]:
    """The structure of a concept or id, with the side that is told."""
    own = reading.lexicon.vocabulary.structures.get(name)
    if own is not None and (own.level or own.side is not Side.NONE):
        return [own.id]
    return resolve_ref(Ref(name), mention, reading)


def told_as_abnormal(reading: Reading) -> list[str] | None:
    """ "the newly fractured vertebra", "the collapsed lobe": the one of its kind that the text tells as abnormal."""
    kinds = {m.item.value("levelnoun") or m.item.value("head") for m in reading.of("head")}
    if any(m.item.norm in ("level", "levels") for m in reading.mentions if m.role in ("wanted", "anchor")):
        kinds.add("vertebra")  # "bone of that level"
    wanted = (
        "vertebra"
        if kinds & {"vertebra", "C", "T", "L"}
        else "rib"
        if "rib" in kinds
        else "lobe"
        if "lobe" in kinds
        else ""
    )
    if not wanted or not reading.context:
        return None
    candidates: dict[str, tuple[float, Item, Clause, int]] = {}
    said = said_of(reading)
    for clause in reading.context[-40:]:
        for start, end, normal, score in _phrases(clause):
            first = True
            close = sum(s for _, s in linked(clause, said, reading)[:1]) / LINK
            for at in range(start, end):
                item = clause.items[at]
                if wanted == "vertebra" and _slipped_on(clause, at):
                    continue
                if _of_kind(item, wanted) and not normal and score + close > 0:
                    key, total = item.norm, score + close + 0.1 * first
                    first = False
                    if key not in candidates or candidates[key][0] < total:
                        candidates[key] = (total, item, clause, at)
    if not candidates:
        slipped = wanted == "vertebra" and "=slip" in features(reading.request_items)
        return _above_a_slip(reading) if slipped else None
    ranked = sorted(candidates.values(), key=lambda c: -c[0])
    if len(ranked) > 1 and ranked[0][0] == ranked[1][0]:
        return None
    _, item, clause, at = ranked[0]
    mention = as_mention(item)
    mention.sides = _sides_around(clause, at) or _sides_before(clause, reading)
    reading.say(f"The text tells “{item.text}” as the abnormal one.")
    return resolve(mention, reading)


def _slipped_on(clause: Clause, at: int) -> bool:
    """ "a forward slip on S1": what has slipped lies above it."""
    before = clause.items[max(0, at - 3) : at]
    on = any(i.norm in ("on", "over", "upon", "onto") for i in before)
    return on and "=slip" in features(clause.items[max(0, at - 6) : at])


def _above_a_slip(reading: Reading) -> list[str] | None:
    """The vertebra that has slipped, where only the one is told on which it slipped."""
    for clause in reading.context:
        for at, item in enumerate(clause.items):
            if not _slipped_on(clause, at):
                continue
            level = item.counted.levels[0] if item.counted is not None and item.counted.levels else ""
            if not level and any(ref.concept in ("sacrum", "vertebrae_S1") for ref in item.refs):
                level = "S1"
            level = level or next((r.level for r in item.refs if r.level), "")
            if level in SEQUENCE and SEQUENCE.index(level):
                above = SEQUENCE[SEQUENCE.index(level) - 1]
                reading.say(f"“{item.text}” is what it slipped on, so {above} is meant.")
                return [f"vertebrae_{above}"]
    return None


def _sides_around(clause: Clause, at: int) -> list[SideWord]:
    """The nearest side word before (or after) an item of the text around the request."""
    for n in (*range(at - 1, max(-1, at - 12), -1), *range(at + 1, min(len(clause.items), at + 4))):
        item = clause.items[n]
        value = item.value("side") or next((r.side.value for r in item.refs[:1]), "")
        if value in ("left", "right"):
            return [SideWord(value, item.text, n, 0)]
    return []


def _sides_before(clause: Clause, reading: Reading) -> list[SideWord]:
    """ "On the left the upper lobe is clear; the lower lobe is dense": the side that the sentence before spoke of."""
    place = next((n for n, c in enumerate(reading.clauses) if c is clause), 0)
    for before in reversed(reading.clauses[max(0, place - 2) : place]):
        values = {i.value("side") or next((r.side.value for r in i.refs[:1]), "") for i in before.items}
        values &= {"left", "right"}
        if values:
            return [SideWord(values.pop(), before.text, 0, 0)] if len(values) == 1 else []
    return []


def _phrases(clause: Clause) -> list[tuple[int, int, bool, float]]:
    """Parts of a clause between commas: whether each is told as normal, and how abnormal and how new it is."""
    found, start = [], 0
    items = clause.items
    whole = 0.5 if clause.has("abnormal") or any(i.disease for i in items) else 0.0
    for at in range(len(items) + 1):
        if at == len(items) or items[at].text in (",", ";", "\uff0c", "\u3001"):
            own = items[start:at]
            normal = any("normal" in i.kinds or i.norm in _OLD for i in own)
            score = sum(2.0 for i in own if i.disease) + sum(1.0 for i in own if "abnormal" in i.kinds)
            score += sum(1.0 for i in own if i.norm in _NEW)
            found.append((start, at, normal, score or whole))
            start = at + 1
    return found


_OLD = word_set("old unchanged stable known previous chronic healed longstanding prior treated")
_NEW = word_set("new newly acute fresh recent now")


def _of_kind(item: Item, wanted: str) -> bool:
    if item.counted is not None:
        return item.counted.kind == wanted
    return any(
        ref.concept.startswith("lung_") and "lobe" in ref.concept
        if wanted == "lobe"
        else ref.concept == wanted and bool(ref.level)
        for ref in item.refs
    )
