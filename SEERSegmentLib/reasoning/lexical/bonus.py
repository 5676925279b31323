"""What findings and diseases of a text add to a structure that a request may mean."""

from __future__ import annotations

from collections import defaultdict

from .clauses import Clause
from .describe import features, kinds_of, load_descriptions
from .findings import Phrase, phrases, told_by, whole_of
from .items import Item
from .mention import Mention
from .reading import Reading
from .text import word_set

__all__ = ["LINK", "bonus", "linked", "positive", "said_of"]

_DISEASE = 5.0
_DISEASE_AROUND = 4.5
_FINDING = 2.0
_NAMED = 1.0  # it is spoken of at all
_NORMAL = -3.5
_PART = 4.0  # the request tells a part of it


def bonus(reading: Reading) -> dict[str, float]:
    """What diseases and findings add: to the seat of a disease, to what is told as abnormal."""
    found: defaultdict[str, float] = defaultdict(float)
    said = said_of(reading)
    seen: set[tuple[str, str]] = set()
    for asked, clause in (*((True, c) for c in reading.request[-40:]), *((False, c) for c in reading.context[-40:])):
        for item in clause.items:
            disease = item.disease
            if disease is None or (disease.name, "d") in seen:
                continue
            seen.add((disease.name, "d"))
            for concept in disease.structures:
                found[concept] += (_DISEASE if asked else _DISEASE_AROUND) / len(disease.structures)
        if not asked:
            for concept, score in linked(clause, said, reading):
                found[concept] += score
            for item in clause.items:
                for ref in item.refs[:1]:
                    if (ref.concept, "named") not in seen:
                        seen.add((ref.concept, "named"))
                        found[ref.concept] += _NAMED
    told = [pair for phrase in phrases(reading) for pair in _findings(phrase)]
    abnormal = {concept for concept, score in told if score > 0}
    for concept, score in told:
        cleared = score < 0 and concept in abnormal  # "right femur clear" doesn't clear the left one
        if not cleared and (concept, str(score)) not in seen:
            seen.add((concept, str(score)))
            found[concept] += score
    kinds = {m.item.value("head") for m in reading.of("head")} - {"", "any", "organ"}
    for mention in reading.mentions if kinds else ():  # "the bone carrying the glenoid"
        whole = whole_of(mention.item) if _carried(mention, reading) else ""
        if whole and kinds & kinds_of(whole):
            found[whole] += _PART
    return found


def _carried(mention: Mention, reading: Reading) -> bool:
    if mention.role != "anchor" or mention.kind not in ("structure", "outside"):
        return False
    items = reading.clauses[mention.clause].items[max(0, mention.at - 3) : mention.at]
    return any(i.norm in _CARRYING for i in items)


_CARRYING = word_set("carrying carries bearing bears with containing contains including includes having has holding")


def said_of(reading: Reading) -> set[str]:
    """What the request says of its target, without names."""
    return {f for c in reading.request[-40:] for f in features(positive(c, reading), structures=False) if _telling(f)}


def linked(clause: Clause, said: set[str], reading: Reading) -> list[tuple[str, float]]:
    """Structures told together with what the request says of its target: "the gland with the nodule"."""
    if clause.has("normal") or not said:
        return []
    told = {f for f in told_by(clause, reading) if _telling(f)}
    shared = len(said & told)
    if not shared:
        return []
    links = [(ref.concept, min(shared, 2) * LINK) for item in clause.items for ref in item.refs[:1]]
    for item in clause.items:
        if "outside" in item.kinds:  # a landmark of few structures: the lesser curve is the stomach's
            holders = load_descriptions().holders(f"@{item.value('outside')}")
            links += [(concept, min(shared, 2) * LINK / len(holders)) for concept in holders if len(holders) <= 3]
    return links


def _telling(feature: str) -> bool:
    return not feature.startswith(("rel:", "head:", "@"))


LINK = 3.0


def _findings(phrase: Phrase) -> list[tuple[str, float]]:
    """Structures of a phrase that are told as abnormal or normal."""
    abnormal = phrase.abnormal or any(i.norm.isdecimal() for i in phrase.items)
    much = sum("abnormal" in i.kinds for i in phrase.items)
    score = _NORMAL if phrase.normal and not phrase.abnormal else _FINDING + min(much, 3) if abnormal else 0.0
    return [(ref.concept, score) for item in phrase.named if not item.disease for ref in item.refs[:1] if score]


def positive(clause: Clause, reading: Reading) -> list[Item]:
    """Items of a clause without what is excluded."""
    excluded = {id(m.item) for m in reading.mentions if m.role == "excluded"}
    kept: list[Item] = []
    denied = False
    for item in clause.items:
        if item.kinds & {"not", "except"} and not item.names_anatomy:
            denied = True
        elif item.text in _ENDS or item.kinds & {"ask", "only", "yes"} or item.norm == "but":
            denied = False
        if not denied and id(item) not in excluded:
            kept.append(item)
    return kept


_ENDS = frozenset(",;:.()")
