"""The one of its kind that a disease or a finding tells: "the hangman's vertebra", "the newly fractured vertebra"."""

from __future__ import annotations

from .clauses import Clause
from .describe import kinds_of
from .fallback import LINK, linked, said_of
from .items import Item
from .lexicon import Ref
from .mention import SideWord, as_mention
from .reading import Reading
from .resolve import resolve, resolve_ref
from .text import word_set

__all__ = ["seat_of_kind", "told_as_abnormal"]


def seat_of_kind(reading: Reading) -> list[str] | None:
    """ "the hangman's vertebra": of what a disease in the request sits in, the one that is of the kind asked for."""
    kinds = {m.item.value("levelnoun") or m.item.value("head") for m in reading.of("head")} - {"", "any", "organ"}
    if not kinds:
        return None
    for mention in reading.of("condition"):
        disease = mention.item.disease
        seats = [s for s in disease.structures if kinds & kinds_of(s)] if disease is not None else []
        if len(seats) == 1 and len(disease.structures if disease else ()) <= _FEW_SEATS:
            reading.used.add(id(mention))
            reading.say(f"“{mention.text}” tells which one: {seats[0].replace('_', ' ')}.")
            own = reading.lexicon.vocabulary.structures.get(seats[0])
            ref = Ref(own.concept, own.side, own.level) if own is not None else Ref(seats[0])
            return [own.id] if own is not None and own.level else resolve_ref(ref, mention, reading)
    return None


_FEW_SEATS = 3


def told_as_abnormal(reading: Reading) -> list[str] | None:
    """ "the newly fractured vertebra", "the collapsed lobe": the one of its kind that the text tells as abnormal."""
    kinds = {m.item.value("levelnoun") or m.item.value("head") for m in reading.of("head")}
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
                if _of_kind(item, wanted) and not normal and score + close > 0:
                    key, total = item.norm, score + close + 0.1 * first
                    first = False
                    if key not in candidates or candidates[key][0] < total:
                        candidates[key] = (total, item, clause, at)
    if not candidates:
        return None
    ranked = sorted(candidates.values(), key=lambda c: -c[0])
    if len(ranked) > 1 and ranked[0][0] == ranked[1][0]:
        return None
    _, item, clause, at = ranked[0]
    mention = as_mention(item)
    mention.sides = _sides_around(clause, at) or _sides_before(clause, reading)
    reading.say(f"The text tells “{item.text}” as the abnormal one.")
    return resolve(mention, reading)


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
