"""What named targets can't be: alternatives, two sides for one structure, a region without what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ...values import Side
from .items import Item
from .mention import Mention
from .outcome import Question
from .reading import Reading
from .text import word_set

__all__ = [
    *("refuse_alternatives", "refuse_as_before", "refuse_contradictions", "refuse_other_side_inside"),
    *("refuse_part_of_other_side", "refuse_restatement", "refuse_whole_region"),
]


def refuse_alternatives(wanted: list[Mention], reading: Reading) -> None:
    for mention in wanted:
        lead = reading.clauses[mention.clause].items[max(0, mention.at - 2) : mention.at]
        if len(lead) == 2 and "or" in lead[1].kinds and (lead[0].kinds & {"ord"} or lead[0].norm.isdecimal()):
            raise Question(
                "alternatives",
                f"The request leaves open whether “{lead[0].text}” or “{mention.text}” is meant.",
                "Which one do you want, or both?",
            )
    for before, after in pairwise(wanted):
        if before.clause != after.clause:
            continue
        between = reading.clauses[before.clause].items[before.at + 1 : after.at]
        if any("or" in i.kinds for i in between) and not any(
            "not" in i.kinds for i in reading.clauses[before.clause].items[: before.at]
        ):
            names = (before.text, after.text)
            raise Question(
                "alternatives",
                f"The request leaves open whether “{names[0]}” or “{names[1]}” is meant.",
                "Which one do you want, or both?",
                (*names, " and ".join(names)),
            )


def refuse_contradictions(wanted: list[Mention], reading: Reading) -> None:
    """ "Lt upper lobe (RUL)": a second name in brackets that says the other side."""
    for before, after in pairwise(wanted):
        if before.clause != after.clause or not before.item.refs or not after.item.refs:
            continue
        one, other = before.item.refs[0], after.item.refs[0]
        between = [i.text for i in reading.clauses[before.clause].items[before.at + 1 : after.at] if i.mark]
        sides = [_own_side(before), _own_side(after)]
        if one.concept == other.concept and set(sides) == {"left", "right"} and set(between) & {"(", "[", "="}:
            raise Question(
                "side-contradictory",
                f"“{before.text}” and “{after.text}” name opposite sides.",
                "Which side is meant, left or right?",
            )


def refuse_other_side_inside(wanted: list[Mention], reading: Reading) -> None:
    """ "LLL of the right lung", "shoulder blade: L (right one)"."""
    known = reading.lexicon.vocabulary
    for mention in wanted:
        if not mention.item.refs:
            continue
        own = _own_side(mention)
        for other in reading.mentions:
            if own not in ("left", "right") or other.clause != mention.clause or other is mention:
                continue
            if other.item.refs:
                theirs = _own_side(other)
                whole = known.structure_for(other.item.refs[0].concept, Side(own))
                part = known.structure_for(mention.item.refs[0].concept, Side(own), mention.item.refs[0].level)
                inside = whole is not None and part is not None and part.id in known.parts_closure(whole.id)
                against = other.role == "anchor" and inside and part is not whole
            else:
                items = reading.clauses[mention.clause].items
                theirs = next((s.value for s in other.sides if not s.negated), "")
                against = other.item.norm == "one" and other.role != "excluded" and _said_anew(items, mention, other)
            if against and theirs in ("left", "right") and theirs != own:
                raise Question(
                    "side-contradictory",
                    f"“{mention.text}” is said to be {own}, and “{other.text}” beside it {theirs}.",
                    "Which side is meant, left or right?",
                )


def _said_anew(items: Sequence[Item], mention: Mention, other: Mention) -> bool:
    """ "right humerus, the left one only", "iliac vein on the right, i.e. the left one": no second one is added."""
    between = items[mention.at + 1 : other.at]
    opened = any(i.text in "([" for i in between)
    adds = any(i.kinds & {"plus", "ask", "correction", "not", "except", "or"} or i.norm == "then" for i in between)
    restated = any("apposition" in i.kinds for i in between) or any(
        "only" in i.kinds for i in items[other.at : other.at + 2]
    )
    return opened or (restated and not adds)


def refuse_part_of_other_side(wanted: list[Mention], reading: Reading) -> None:
    """ "left lung middle lobe": a part that only the other side has, right beside the whole."""
    known = reading.lexicon.vocabulary
    for whole, part in pairwise(wanted):
        side = _own_side(whole) if whole.item.refs else ""
        if whole.clause != part.clause or side not in ("left", "right") or not part.item.refs:
            continue
        between = reading.clauses[part.clause].items[whole.at + 1 : part.at]
        own = known.by_concept(part.item.refs[0].concept)
        if any(not i.mark for i in between) or any(i.text not in ",:-" for i in between) or len(own) != 1:
            continue
        other = known.structure_for(whole.item.refs[0].concept, Side(side).opposite)
        if own[0].side is Side(side).opposite and other is not None and own[0].id in known.parts_closure(other.id):
            raise Question(
                "no-such-structure",
                f"Only the {own[0].side.value} side has it: “{part.text}” beside “{whole.text}”.",
                f"Do you want the {own[0].name}?",
                (own[0].name,),
            )


def _own_side(mention: Mention) -> str:
    own = mention.item.refs[0].side.value if mention.item.refs else ""
    return own or next((s.value for s in mention.sides if s.value in ("left", "right")), "")


def refuse_whole_region(ids: list[str], excluded: set[str], reading: Reading) -> None:
    """ "everything in the abdomen except the liver": a region is one outline, nothing can be taken out of it."""
    known = reading.lexicon.vocabulary
    for id in ids:
        own = None if id.startswith('"') else known.get(id)
        if own is None or own.kind not in ("region", "space") or own.parts or not reading.asks("all", "except"):
            continue
        inside = [known.get(e).name for e in sorted(excluded) if set(known.get(e).regions) & set(own.regions)]
        if inside:
            raise Question(
                "target-unclear",
                f"The {own.name} is one outline; {' and '.join(inside[:3])} can't be taken out of it.",
                "Which structures do you want?",
            )


def refuse_as_before(reading: Reading) -> None:
    """ "Same vessel as last time": what was asked for before isn't known here."""
    for clause in reading.request:
        items = [i for i in clause.items if not i.mark]
        if any(i.names_anatomy for i in items):
            continue
        for at, item in enumerate(items):
            later = [word for i in items[at + 1 : at + 9] for word in i.norm.split()]
            if item.norm == "same" and "as" in later and _EARLIER & set(later[later.index("as") :]):
                raise Question(
                    "reference-missing",
                    f"“{clause.text.strip()[:80]}” points to something outside of this request.",
                    "Which structure do you mean?",
                )


_EARLIER = word_set("last before previous previously prior earlier yesterday already her his their monday friday")


def refuse_restatement(reading: Reading) -> None:
    """ "Right lower lobe, i.e. the lobe behind the left oblique fissure": said anew, of the other side."""
    for first in reading.mentions:
        own = {_own_side(first)} - {""}
        if not (first.role == "anchor" and first.why.endswith("says it anew") and own):
            continue
        for later in reading.mentions:
            theirs = {_own_side(later)} - {""}
            if later.clause == first.clause and later.at > first.at and theirs and theirs != own:
                raise Question(
                    "side-contradictory",
                    f"“{first.text}” and “{later.text}” name opposite sides.",
                    "Which side is meant, left or right?",
                )
