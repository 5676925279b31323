"""Nothing that a list asks for is lost: a name beside a target becomes a target, a question, or is told as set aside.

The stages of the choice each look for one kind of target. What they leave over of a list ("the broken ribs and the
sternum", "the liver and the gland above the right kidney", "the bones and the liver") is read here, member by member.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from .clauses import Clause, Role
from .items import Item
from .members import after_joint, before_joint, cut_between, is_and, is_light, joins, leads_to, strongly
from .mention import Mention
from .outcome import Question
from .reading import Reading
from .resolve import resolve
from .scope import read_scope
from .text import word_set
from .unread import name_unread

__all__ = ["account", "set_aside"]

Stages = Callable[[Reading], "list[str] | None"]

_ADJECTIVES = word_set("arterial venous bony muscular")
_IT = word_set("it its them their")
_NAMED = ("structure", "outside")


def account(ids: list[str], reading: Reading, stages: Stages) -> list[str]:
    """The targets chosen and those that the request puts beside them.

    Raises
    ------
    Question
        Where something beside a target can't be read.
    """
    found = list(ids)
    for mention in reading.mentions:
        named = mention.role == "wanted" and mention.kind in _NAMED
        if named and id(mention) not in reading.spent and not _covered(mention, found, reading):
            found += _one_more(mention, reading)
    found += _no_places(found, reading)
    covered = [m for m in reading.of(*_NAMED) if id(m) not in reading.spent]
    if not covered:
        found = _each_described(found, reading, stages)
    for mention in reading.of("head", "lesion", "condition"):
        if id(mention) not in reading.spent and (beside := _beside(mention, covered, reading)) is not None:
            found += _member(mention, beside, covered, found, reading, stages)
    name_unread(reading)
    _why_asked(reading)
    return list(dict.fromkeys(found))


# ------------------------------------------------------------------------------------------------- named, but not taken


def _closure(ids: Sequence[str], reading: Reading) -> set[str]:
    known = reading.lexicon.vocabulary
    closed = {id for id in ids if id.startswith('"')}
    for id in ids:
        if not id.startswith('"'):
            closed |= {id, *known.parts_closure(id)}
    return closed


def _covered(mention: Mention, ids: Sequence[str], reading: Reading) -> bool:
    try:
        own = _quietly(mention, reading)
    except Question:
        return False
    return bool(_closure(own, reading) & _closure(ids, reading))


def _quietly(mention: Mention, reading: Reading) -> list[str]:
    steps = list(reading.steps)
    try:
        return resolve(mention, reading)
    finally:
        reading.steps[:] = steps


def _one_more(mention: Mention, reading: Reading) -> list[str]:
    """A name that the choice passed over: a target if the request lists it, else it only says where or why."""
    if _listed(mention, reading):
        found = resolve(mention, reading)
        reading.say(f"Asked for: {mention.told}.")
        return found
    reading.spent[id(mention)] = "it says which one is meant"
    return []


_TWO_PLACES = frozenset({"between", "flank", "behind"})


def _no_places(ids: Sequence[str], reading: Reading) -> list[str]:
    """ "the vertebra below T12 and the spleen": what a list adds to a place and doesn't help to place is a target."""
    if reading.heard is None:
        return []
    found: list[str] = []
    for mention in reading.mentions:
        before = mention.joined_to
        if mention.role != "anchor" or mention.kind not in _NAMED or before is None:
            continue
        if {mention.relation, before.relation} & _TWO_PLACES or mention.text in reading.heard:
            continue  # "between the artery and the spine", "behind the flexure and the duodenum"
        if before is not mention.head and (before.role != "anchor" or before.text not in reading.heard):
            continue
        mention.role, mention.why, mention.head = "wanted", "", None
        if not _covered(mention, (*ids, *found), reading):
            found += resolve(mention, reading)
            reading.say(f"“{mention.text}” doesn't say where that is: asked for as well.")
    return found


def _listed(mention: Mention, reading: Reading) -> bool:
    if mention.joined_to is not None and mention.joined_to.role != "excluded":
        return True
    if any(m.joined_to is mention and m.role == "wanted" for m in reading.mentions):
        return True
    alone = all(m.clause != mention.clause for m in reading.of("head", "lesion", "condition"))
    return alone and _bare_entry(reading.clauses[mention.clause], mention)


def _bare_entry(clause: Clause, mention: Mention) -> bool:
    """Whether a clause is one entry of a list: the name and what goes before it."""
    return all(is_light(i) for i in clause.items if i is not mention.item)


# ---------------------------------------------------------------------------- described, or of a kind, beside a target


def _beside(mention: Mention, covered: Sequence[Mention], reading: Reading) -> Mention | None:
    """The target that a description, a kind of thing or a lesion is listed with."""
    clause = reading.clauses[mention.clause]
    items = clause.items
    entry = mention.kind == "lesion" or mention.item.sense("structure") is not None
    if entry and _bare_entry(clause, mention):
        return next((m for m in covered if m.clause != mention.clause), None)
    if mention.item.norm in _ADJECTIVES:
        return None  # "portal venous phase"
    before = items[mention.at - 1] if mention.at else None
    if before is not None and (before.names_anatomy or "adjective" in before.kinds) and mention.kind != "lesion":
        return None  # "girdle bones": one noun
    after = items[mention.at + 1] if mention.at + 1 < len(items) else None
    if mention.kind == "condition" and after is not None and (after.names_anatomy or "head" in after.kinds):
        return None  # "broken ribs"
    for other in sorted(covered, key=lambda m: abs(m.at - mention.at)):
        if other.clause != mention.clause or (mention.kind == "head" and len(other.item.refs) > 1):
            continue  # "iliac vessels, artery plus vein": the kinds say which of the meanings
        low, high = sorted((mention.at, other.at))
        joints = [n for n in range(low + 1, high) if joins(items, n)]
        if not joints or any(i.text in (":", "\uff1a", "=") for i in items[low + 1 : high]):
            continue
        later = mention if mention.at > other.at else other
        if any(leads_to(items, n, later.at) for n in joints):
            return other
    return None


def _member(
    mention: Mention,
    beside: Mention,
    covered: Sequence[Mention],
    ids: Sequence[str],
    reading: Reading,
    stages: Stages,
) -> list[str]:
    """What one member of a list means that is described, or called by its kind, or a lesion."""
    clause = reading.clauses[mention.clause]
    if beside.clause != mention.clause:
        own = stages(_alone(clause.items, mention.clause, reading)) or []
        if own:
            reading.used.add(id(mention))
        return own
    lesions = [m for m in reading.of("lesion") if m is not mention and cut_between(clause.items, m.at, mention.at)]
    here = [m.at for m in (*covered, *lesions) if m.clause == mention.clause]
    start = after_joint(clause.items, max((n for n in here if n < mention.at), default=-1), mention.at)
    end = before_joint(clause.items, mention.at, min((n for n in here if n > mention.at), default=len(clause.items)))
    if not strongly(clause.items, mention.at, beside.at) and _of_its_kind(mention, beside, reading):
        return _aside(mention, f"it says what “{beside.text}” is", reading)
    bare = all(is_light(i) for i in (*clause.items[start : mention.at], *clause.items[mention.at + 1 : end]))
    strong = strongly(clause.items, mention.at, beside.at)
    listed = is_and(clause.items[mention.at - 1]) if mention.at else False
    if mention.kind == "condition" and not (bare and (listed or mention.at < beside.at)):
        return _aside(mention, _WHY, reading)
    if not strong and (mention.kind == "lesion" or not (bare and mention.item.sense("structure"))):
        return _aside(mention, _WHY if mention.kind == "lesion" else f"it says more of “{beside.text}”", reading)
    items = _with_what_it_points_to(clause.items[start:end], mention, beside, reading)
    sub = _alone(items, mention.clause, reading)
    try:
        read = stages(sub)
    except Question as question:
        if _only_more(mention, ids, clause.items[start:end], reading):
            return _aside(mention, f"it says more of “{beside.text}”", reading)
        raise Question(
            question.code,
            f"Beside “{beside.text}”, the request asks for “{mention.text}”. {question.reason}",
            question.question,
            question.suggestions,
        ) from None
    if not read:
        if mention.kind == "condition" or mention.item.value("head") == "any":
            return _aside(mention, "it names no structure", reading)
        raise Question(
            "target-unclear",
            f"Beside “{beside.text}”, the request asks for “{mention.text}” and doesn't say which one.",
            f"Which {mention.text} do you mean, or is “{beside.text}” all?",
            (beside.text,),
        )
    for step in sub.steps:
        reading.say(step)
    reading.used.add(id(mention))
    return read


def _each_described(ids: list[str], reading: Reading, stages: Stages) -> list[str]:
    """ "the gland above the right kidney and the organ that stores bile": nothing is named, each is told for itself."""
    members: list[tuple[int, int, int]] = []  # clause, start, end
    for number, clause in enumerate(reading.clauses):
        row = [m for m in reading.of("head", "lesion", "condition") if m.clause == number]
        row = row if any(m.kind != "condition" for m in row) else []
        places = [cut_between(clause.items, one.at, other.at) for one, other in pairwise(row)]
        cuts = [place for place in places if place is not None]
        lesion = any(m.kind == "lesion" and _bare_entry(clause, m) for m in row)
        if cuts or lesion:
            edges = [-1, *cuts, len(clause.items)]
            members += [(number, start + 1, end) for start, end in pairwise(edges)]
    if len(members) < 2:
        return ids
    found: list[str] = []
    steps: list[str] = []
    for number, start, end in members:
        sub = _alone(reading.clauses[number].items[start:end], number, reading)
        own = stages(sub)
        name = next((m.text for m in sub.of("head", "lesion", "condition")), "")
        vague = all(m.item.value("head") in _VAGUE for m in sub.of("head", "lesion", "condition"))
        if not own and vague:
            reading.say(f"Set aside: “{name}” (it isn't clear what it is).")
            reading.doubts.append(f"“{name}” was not understood")
            continue
        if not own:
            raise Question(
                "target-unclear",
                f"The request asks for several things, and it isn't clear which “{name}” is one of them.",
                f"Which {name} do you mean?",
            )
        found += own
        steps += sub.steps
    if not found:
        return ids
    clauses = {number for number, _, _ in members}
    reading.used |= {id(m) for m in reading.of("head", "lesion", "condition") if m.clause in clauses}
    reading.steps[:] = [s for s in reading.steps if not s.startswith(("Asked for:", "Described by"))] + steps
    return found


_VAGUE = frozenset({"", "any", "level"})


def _why_asked(reading: Reading) -> None:
    """Lesions and diseases that are left over are the reason for the request; the rationale says so."""
    told = reading.heard or set()
    for mention in reading.of("lesion", "condition"):
        if id(mention) not in reading.used | reading.spent.keys() and mention.text not in told:
            reading.spent[id(mention)] = _WHY
    others = reading.of(*_NAMED, "lesion", "condition")
    for mention in reading.of("head"):
        items = reading.clauses[mention.clause].items
        listed = any(m.clause == mention.clause for m in others) and any(joins(items, n) for n in range(len(items)))
        if listed and id(mention) not in reading.used | reading.spent.keys() and mention.text not in told:
            reading.spent[id(mention)] = "it says what kind of thing is meant"
    if all(c.role is Role.CONTEXT or c.why in _BARE for c in reading.clauses):
        for clause in reading.context[:_FEW]:
            if clause.names_anatomy or clause.has("disease", "head"):
                reading.say(f"Set aside: “{clause.text.strip()[:80]}” (a finding or the history, not asked for).")


_WHY = "taken as the reason for the request; list it with “and” if it is wanted too"
_BARE = (
    "it names anatomy and nothing else",
    "no sentence asks; it is the last that names something",
    "no sentence asks; these are the last that name something",
)
_FEW = 6


def _of_its_kind(mention: Mention, beside: Mention, reading: Reading) -> bool:
    """ "T4, whole vertebra": the word for what it is anyway."""
    noun = mention.item.value("levelnoun") or mention.item.value("head")
    counted = beside.item.counted
    if counted is not None:
        return counted.kind == noun
    known = reading.lexicon.vocabulary
    return any(s.kind == noun or s.concept == noun for ref in beside.item.refs for s in known.by_concept(ref.concept))


def _only_more(mention: Mention, ids: Sequence[str], own: Sequence[Item], reading: Reading) -> bool:
    """ "… and its parts": a word for anything, which nothing describes, adds nothing that could be outlined."""
    return mention.kind == "head" and mention.item.value("head") == "any" and mention.item.sense("structure") is None


def _aside(mention: Mention, why: str, reading: Reading) -> list[str]:
    reading.spent[id(mention)] = why
    return []


def _with_what_it_points_to(
    items: Sequence[Item], mention: Mention, beside: Mention, reading: Reading
) -> tuple[Item, ...]:
    """ "the right kidney and the gland on top of it", "the liver and its tumours": the target for the pronoun."""
    whole = reading.clauses[beside.clause].items
    sides = [whole[s.at] for s in beside.sides if 0 <= s.at < len(whole) and whole[s.at].sense("side")]
    named = (*sides, beside.item)
    own: list[Item] = []
    pointed = False
    for item in items:
        if item.norm in _IT:
            own += named
            pointed = True
        else:
            own.append(item)
    if mention.kind == "lesion" and not pointed and not any(i.refs for i in items if i is not mention.item):
        at = next((n for n, i in enumerate(own) if i is mention.item), 0)
        own[at:at] = named
    return tuple(own)


def _alone(items: tuple[Item, ...], number: int, reading: Reading) -> Reading:
    """The reading as if only some items of one clause had been asked for."""
    clauses: list[Clause] = []
    for n, clause in enumerate(reading.clauses):
        if n == number:
            clauses.append(replace(clause, items=items))
        else:
            clauses.append(replace(clause, role=Role.QUOTED) if clause.role is Role.REQUEST else clause)
    mentions, sides = read_scope(clauses[number], number)
    return Reading(reading.text, clauses, mentions, sides, reading.lexicon, reading.modality, reading.gone)


def set_aside(reading: Reading) -> list[str]:
    """Everything that the request names and that is no target, with the reason, for the rationale."""
    lines: list[str] = []
    for mention in reading.mentions:
        why = reading.spent.get(id(mention)) or mention.why
        names = (*_NAMED, "lesion", "condition")
        told = mention.kind in names or mention.joined_to is not None or id(mention) in reading.spent
        if why and told and (mention.role in ("anchor", "context") or id(mention) in reading.spent):
            lines.append(f"Set aside: “{mention.text}” ({why}).")
    return list(dict.fromkeys(lines))
