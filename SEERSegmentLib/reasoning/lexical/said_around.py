"""Names in a request that only say where or what its target is: in a description without a noun, after "its", in
brackets, before a colon."""

from __future__ import annotations

from collections.abc import Sequence

from .clauses import Clause
from .items import Item
from .mention import Mention, place_only
from .text import word_set

__all__ = ["describe_further", "leading_verb", "set_descriptions_aside"]

_ACTS = word_set(
    "returns brings carries takes drains stores makes produces secretes filters pumps feeds supplies absorbs digests",
    "connects joins separates surrounds forms runs lies sits arises crosses holds flexes extends abducts rotates",
    "bends collects empties receives delivers conveys controls divides encloses protects supports starts begins",
)
"""Verbs that open a description whose noun is left out: "Returns the blood from the legs to the right atrium"."""


def leading_verb(items: Sequence[Item]) -> bool:
    """Whether a clause is a description that begins with what its target does."""
    first = next((i for i in items if not i.mark), None)
    return first is not None and first.norm in _ACTS and "ask" not in first.kinds


def set_descriptions_aside(mentions: Sequence[Mention], items: Sequence[Item]) -> None:
    """Make anchors of the names that belong to a description of something else."""
    named = [m for m in mentions if m.role == "wanted" and m.kind in ("structure", "outside")]
    if leading_verb(items) and not any(i.kinds & {"ask", "only"} for i in items):
        for mention in named:
            _to_anchor(mention, "it says what the target does")
        return
    for mention in mentions:
        if mention.kind == "lesion" and mention.role == "wanted" and _bearing(mention, items):
            _to_anchor(mention, "it says which")
    for mention in named:
        if _a_day(mention, mentions, items):
            mention.role, mention.why = "context", "it is a day"
    named = [m for m in named if m.role == "wanted"]
    for mention in named:
        if _after_one(mention, mentions, items):
            _to_anchor(mention, "it describes the one that is meant")
        elif _by_everything(mention, items):
            _to_anchor(mention, "it says where")
        elif _column_of(mention, mentions, items):
            _to_anchor(mention, "it says of which part of the spine")
        elif _of_its_own(mention, mentions, items):
            _to_anchor(mention, "it describes what was told before")
        elif _explains(mention, mentions, items):
            _to_anchor(mention, "in brackets, it explains the name before")
        elif _kind_follows(mention, mentions, items):
            _to_anchor(mention, "it says where")
            mention.places_kind = True


def _column_of(mention: Mention, mentions: Sequence[Mention], items: Sequence[Item]) -> bool:
    """ "intervertebral discs, whole spine"."""
    if mention.kind != "structure" or not any(r.concept.endswith("spine") for r in mention.item.refs):
        return False
    before = [m for m in mentions if m.at < mention.at and m.role == "wanted"]
    between = [i for i in items[before[-1].at + 1 : mention.at] if i.norm not in _WHOLE] if before else []
    column = bool(before) and any(r.concept in _ROWS for r in before[-1].item.refs)
    return column and len(between) == 1 and between[0].text == ","


_ROWS = frozenset({"intervertebral_discs", "vertebrae", "vertebra", "intervertebral_disc"})
_WHOLE = word_set("the whole entire complete")


def _a_day(mention: Mention, mentions: Sequence[Mention], items: Sequence[Item]) -> bool:
    """ "panc, AP D5", "ARDS d4": the day of a disease, and no thoracic level."""
    counted = mention.item.counted
    if counted is None or not counted.letter_d or len(counted.levels) != 1 or not mention.at:
        return False
    before = items[mention.at - 1]
    ill = before.disease is not None or (before.text.isupper() and 1 < len(before.text) < 6 and not before.refs)
    return ill and any(m.role == "wanted" and m.kind == "structure" and m.at < mention.at for m in mentions)


def _bearing(mention: Mention, items: Sequence[Item]) -> bool:
    """ "the nodule-bearing gland"."""
    after = [i for i in items[mention.at + 1 : mention.at + 3] if not i.mark]
    return bool(after) and after[0].norm in _LADEN and items[mention.at + 1].mark


_LADEN = word_set("bearing containing laden filled affected carrying ridden")


def _to_anchor(mention: Mention, why: str) -> None:
    mention.role, mention.why = "anchor", why


def _after_one(mention: Mention, mentions: Sequence[Mention], items: Sequence[Item]) -> bool:
    """ "the rib the subclavian vessels cross over": a relative clause without its pronoun."""
    heads = {m.at for m in mentions if m.kind == "head" and m.role == "wanted"}
    for n in range(max(0, mention.at - 3), mention.at - 1):
        if (n in heads or items[n].norm in ("one", "ones", "bit", "part")) and items[n + 1].norm == "the":
            after = items[mention.at + 1 : mention.at + 4]
            return any(not i.mark and (not i.kinds or "rel" in i.kinds) for i in after)
    return False


def _by_everything(mention: Mention, items: Sequence[Item]) -> bool:
    """ "everything behind the oblique fissure": what lies there, not what it lies behind."""
    before = items[max(0, mention.at - 6) : mention.at]
    for n, item in enumerate(before[:-1]):
        if item.norm in _EVERYTHING and before[n + 1].value("rel") in _BEYOND:
            return not any(i.names_anatomy or (i.mark and i.text not in "-") for i in before[n + 1 :])
    return False


_EVERYTHING = word_set("everything all whatever") | {"what lies", "all that lies", "everything that lies", "what sits"}
_BEYOND = word_set("behind below above front between beside")


def _of_its_own(mention: Mention, mentions: Sequence[Mention], items: Sequence[Item]) -> bool:
    """ "Vertical vein right of the aorta; the azygos arches into its back wall": what is told goes on."""
    described = [m for m in mentions if m.role == "wanted" and m.kind == "head" and m.segment < mention.segment]
    if not described or "pron" in described[0].item.kinds:
        return False
    end = next((n for n in range(mention.at, len(items)) if items[n].text in ";.,"), len(items))
    return any(i.norm == "its" for i in items[mention.at : end]) and not any("ask" in i.kinds for i in items[:end])


def _explains(mention: Mention, mentions: Sequence[Mention], items: Sequence[Item]) -> bool:
    """ "Left auricle (heart, not ear)": brackets that deny something tell which of two is meant."""
    opened = next((n for n in range(mention.at, -1, -1) if items[n].text in "()"), -1)
    if opened <= 0 or items[opened].text != "(" or not any(m.at < opened for m in mentions if m.role == "wanted"):
        return False
    closed = next((n for n in range(opened, len(items)) if items[n].text == ")"), len(items))
    return any("not" in i.kinds for i in items[opened:closed])


def _kind_follows(mention: Mention, mentions: Sequence[Mention], items: Sequence[Item]) -> bool:
    """ "Head: bone, not brain": a region before a kind of thing says where."""
    vessels = any(ref.concept == "lung_vessels" for ref in mention.item.refs)
    if (
        not (place_only(mention.item) or vessels)
        or mention.at + 2 >= len(items)
        or items[mention.at + 1].text not in (":", ",")
    ):
        return False
    later = [m for m in mentions if m.at > mention.at and m.role == "wanted"]
    kind = later[0].item.value("head") if later and later[0].kind == "head" else ""
    return kind not in ("", "any") and later[0].at <= mention.at + 4


def describe_further(mentions: Sequence[Mention], clauses: Sequence[Clause]) -> None:
    """ "Vertical vein right of the aorta; the azygos arches into its back wall": it goes on about the vein."""
    for number, clause in enumerate(clauses[1:], start=1):
        its = any(i.norm == "its" for i in clause.items) and not clause.has("ask", "only")
        before = [m for m in mentions if m.clause == number - 1 and m.kind == "head" and m.role == "wanted"]
        if not its or not before or "pron" in before[-1].item.kinds:
            continue
        for mention in mentions:
            if mention.clause == number and mention.role == "wanted" and mention.kind in ("structure", "outside"):
                _to_anchor(mention, "it describes what was told before")
