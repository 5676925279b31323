"""Mentions of a request with their modifiers: role (wanted, excluded, anchor, context), side, number, quantity."""

from __future__ import annotations

from collections.abc import Sequence

from .bodyside import body_sides, on_screen
from .clauses import Clause
from .exclusion import WITH, TakenOut, denies_before, exclude, exclude_antecedents, followed_by_name
from .extent import set_extents_aside
from .items import Item
from .lexicon import load_lexicon
from .mention import Mention, SideWord, bind_sides, kind_of, names, place_only
from .roles import State, implicit_head, mention_at
from .said_around import set_descriptions_aside
from .text import word_set

__all__ = ["excepts", "read_scope"]

_BREAKS = frozenset(",;:()\u2013\u2014.!\u3001\uff0c\u3002\uff1a\uff1b")
_JOINTS = frozenset("+&\uff0b\uff06")
_RELATIVES = word_set("that which who whose where die welche que qui quale")


def read_scope(clause: Clause, number: int) -> tuple[list[Mention], list[SideWord]]:
    """Read one request clause from left to right.

    Returns the mentions in order with their roles, and the side words, bound to mentions where that is clear.
    """
    state = State()
    mentions: list[Mention] = []
    sides: list[SideWord] = []
    items = clause.items
    told = body_sides(items)
    taken = {place for own in told for place in own.items}
    taken_out = TakenOut()
    for at, item in enumerate(items):
        for own in told:
            if own.at == at:
                negated = bool(state.negation) and at - state.negated_at <= 3
                sides.append(SideWord(own.value, own.text, at, state.segment, "patient", negated))
        if at in taken:
            continue
        if item.mark:
            _mark(state, item, items, at)
            continue
        kinds = item.kinds
        side = not _without(items, at) and not _right_at(items, at) and _side_words(item, items, at, state, sides)
        if side and (not kinds & {"structure", "outside"} or "-" in item.text):
            continue
        post = kinds & {"not", "except"} and denies_before(item, items, at, state)
        if post and state.last is not None:
            if sides and sides[-1].at >= at - 2 and sides[-1].segment > state.last.segment:
                sides[-1].negated = True  # "right side not needed"
            else:
                exclude(state.last, item.text)
            continue
        if "out" in kinds and taken_out.reads(items, at, state.last):
            continue
        if kinds & {"not", "except"} and not names(item) and not _hyphened(items, at):
            state.negation = "except" if "except" in kinds and "not" not in kinds else "not"
            if "except" in kinds and mentions:
                state.negation = "except"
            state.negated_by, state.negated_at = item.text, at
            state.relation = state.context = ""
            continue
        if "correction" in kinds and state.last is not None and any(i.names_anatomy for i in items[at + 1 :]):
            for earlier in mentions:
                if earlier.role == "wanted":
                    earlier.role, earlier.why = "excluded", f"“{item.text}” takes it back"
            state.negation = ""
            continue
        if "yes" in kinds:
            state.negation = ""
            continue
        if _with_another(items, at, state):
            state.plus, state.relation, state.context = True, "", ""
            continue
        if _who_asks(items, at):
            mentions.append(Mention(item, "structure", "context", at, state.segment, number, "it says who asks"))
            continue
        if "only" in kinds and not names(item):
            _alone(mentions, items, at, state)
            if state.negation and at - state.negated_at > 1:
                state.negation = ""
            state.context = ""
            continue
        if "ask" in kinds and not names(item):
            if state.negation and at - state.negated_at > 2:
                state.negation = ""
            state.asked_at, state.context, state.relation = at, "", ""
            continue
        if item.norm == "but" and excepts(items, at):
            state.negation, state.negated_by, state.negated_at = "except", item.text, at
            continue
        if item.norm == "but":
            state.negation = state.context = state.relation = ""
            state.segment += 1
            continue
        if item.norm in _POINTING and at + 1 < len(items) and _noun_next(items[at + 1]):
            continue  # "that iliac artery", "that level"
        so_that = any(i.norm in _MODALS for i in items[at + 1 : at + 4])  # "outline it so we can measure"
        if item.norm in _THEREFORE and any("ask" in i.kinds for i in items[at + 1 : at + 4]) and not so_that:
            _to_context(mentions, item.text)
            state = State(segment=state.segment + 1)
            continue
        if "apposition" in kinds and any(i.names_anatomy for i in items[at + 1 : at + 8]):
            first = max((m.at for m in mentions if m.joined_to is not None), default=-1)
            for earlier in mentions:
                if earlier.role == "wanted" and earlier.segment >= state.segment - _APPOSED and earlier.at >= first:
                    earlier.role, earlier.why = "anchor", f"“{item.text}” says it anew"
            continue
        if state.relative and item.norm in _COPULAS and _named_next(items, at):
            state.relative, state.relation = False, ""
            state.quantified = next((i.text for i in items[:at] if "all" in i.kinds), state.quantified)
            for earlier in mentions:  # "everything in the chest that is lung"
                if earlier.role == "wanted":
                    earlier.role, earlier.why = "anchor", "it says where"
            continue
        if (
            item.norm in _RELATIVES
            and state.last is not None
            and state.last.segment == state.segment
            and at - state.last.at <= 5
        ):
            state.relative = True
            continue
        implicit = implicit_head(item, state, number)
        if implicit is not None:
            mentions.append(implicit)
            state.head = implicit
        mention = mention_at(item, at, state, number, mentions, items)
        if mention is not None:
            mentions.append(mention)
            state.last, state.plus, state.quantified = mention, False, ""
            if mention.role == "wanted":
                state.head = mention
            state.relation = ""
            continue
        if not kinds and len(item.norm) > 3 and item.norm.isalpha():
            state.unknown, state.unknown_at = item, at
        if "plus" in kinds and state.negation and at + 1 < len(items) and items[at + 1].norm in _DOING:
            state.negation = ""  # "skip the heart and do both lungs"
            continue
        if "plus" in kinds:
            state.plus = True
            if state.relation != "between":
                state.relation = ""
            continue
        if "rel" in kinds and _relates(item, at, state):
            state.relation = item.value("rel")
        if kinds & {"uncertain"} or ("cause" in kinds and _causes(items, at, state)):
            state.context = item.text
        if "all" in kinds:
            state.quantified = item.text
    taken_out.exclude(mentions)
    exclude_antecedents(mentions, items)
    set_extents_aside(mentions, items)
    set_descriptions_aside(mentions, items)
    bind_sides(mentions, sides)
    _sides_of_one(mentions)
    return mentions, sides


def _sides_of_one(mentions: Sequence[Mention]) -> None:
    """ "Iliac artery, the one on the left of the screen": "one" tells the side of what was named."""
    for one in mentions:
        if one.item.norm not in ("one", "ones") or not one.sides or one.role != "wanted":
            continue
        named = [m for m in mentions if m.at < one.at and m.role == "wanted" and m.kind == "structure"]
        if named and not named[-1].sides and not any(r.side.value for r in named[-1].item.refs):
            named[-1].sides = one.sides
            one.role, one.why = "anchor", f"it says which “{named[-1].text}”"


_DOING = word_set("do take keep include want give make use draw get show add just only")
_POINTING = word_set("that this these those")
_MODALS = word_set("can could may might will would")
_THEREFORE = word_set("so therefore hence thus")
_APPOSED = 3  # parts of a clause that a restatement reaches back over
_COPULAS = word_set("is are")


def _to_context(mentions: Sequence[Mention], words: str) -> None:
    for earlier in mentions:
        if earlier.role == "wanted":
            earlier.role, earlier.why = "context", f"before “{words}”"


def _noun_next(item: Item) -> bool:
    return names(item) or "side" in item.kinds or (kind_of(item) == "head" and "pron" not in item.kinds)


_NEXT_TO = frozenset({"above", "below", "behind", "front", "beside", "between", "attached"})


def _right_at(items: Sequence[Item], at: int) -> bool:
    """ "the one right below": an adverb and no side."""
    following = items[at + 1] if at + 1 < len(items) else None
    before = items[at - 1] if at else None
    close = following is not None and following.value("rel") in _NEXT_TO and not following.names_anatomy
    return items[at].norm == "right" and close and (before is None or before.norm not in ("the", "on", "to"))


def _who_asks(items: Sequence[Item], at: int) -> bool:
    """ "Spines would like …", "Thoracics want …": a department, named for what it treats."""
    following = items[at + 1].norm.split()[0] if at + 1 < len(items) and items[at + 1].norm else ""
    named = any(i.names_anatomy or "head" in i.kinds for i in items[at + 2 :])
    return at == 0 and items[at].norm in _DEPARTMENTS and following in _ASKING and named


_DEPARTMENTS = word_set("spine spines hand hands hip hips knee knees breast liver livers heart chest")
_ASKING = word_set(
    "would wants want need needs request requests requested asks ask are team surgeons colleagues clinic"
)


def _with_another(items: Sequence[Item], at: int, state: State) -> bool:
    """ "liver with right lung": two that are named alike, side included, are both asked for."""
    if items[at].norm not in WITH or state.last is None or state.last is not state.head or state.negation:
        return False
    named = next(
        (i for i in items[at + 1 : at + 4] if i.norm not in ("the", "a", "both") and "side" not in i.kinds), None
    )
    if named is None or state.head is None or kind_of(named) != "structure" or place_only(named):
        return False
    sided = any("side" in i.kinds for i in items[at + 1 : at + 4])
    return state.head.kind == "structure" and _told_fully(state.head.item, items, state.head.at) and (
        sided or _told_fully(named, items, -1)
    )  # fmt: skip


def _told_fully(item: Item, items: Sequence[Item], at: int) -> bool:
    """Whether a name needs no side, or has one."""
    if item.plural or any(r.side.value or r.level for r in item.refs) or item.counted is not None:
        return True
    if at >= 0 and any("side" in i.kinds for i in items[max(0, at - 2) : at + 2]):
        return True
    known = load_lexicon().vocabulary
    return (
        len(item.refs) == 1 and item.refs[0].concept in known.structures and not known.needs_side(item.refs[0].concept)
    )


def _without(items: Sequence[Item], at: int) -> bool:
    """Spanish "sin" before a name is "without"; after one, Latin short for the left side."""
    following = items[at + 1] if at + 1 < len(items) else None
    return bool(items[at].kinds & {"not", "except"}) and following is not None and following.names_anatomy


def _alone(mentions: Sequence[Mention], items: Sequence[Item], at: int, state: State) -> None:
    """ "spinal canal, the cord only": what is named with "only" is meant, what stands before it says where."""
    last = state.last
    if last is None or last.role != "wanted" or last.at != at - 1 or last.joined_to is not None:
        return
    colon = any(i.text in (":", "\uff1a") for i in items[: last.at])
    if items[last.at - 1].norm not in ("the", "her", "his") and not colon:
        return
    for earlier in mentions:
        if earlier is not last and earlier.role == "wanted" and earlier.segment < last.segment:
            earlier.role, earlier.why = "anchor", f"“{last.text}” is what alone is wanted"
            earlier.places_kind = last.kind == "head"


def _named_next(items: Sequence[Item], at: int) -> bool:
    following = next((i for i in items[at + 1 : at + 3] if i.norm not in ("a", "the", "of", "actual")), None)
    return following is not None and kind_of(following) in ("structure", "head") and following.value("head") != "any"


def excepts(items: Sequence[Item], at: int) -> bool:
    """Whether an item opens an exclusion: "not", "except", and the "but" of "all ribs but the first"."""
    if items[at].norm == "but":
        return any("all" in i.kinds for i in items[max(0, at - 6) : at])
    return bool(items[at].kinds & {"not", "except"})


def _relates(item: Item, at: int, state: State) -> bool:
    """Whether a relation word relates: not the "of" of "mask of", not a leading "in"."""
    if item.value("rel") == "of" and state.asked_at >= at - 2:
        return False
    return not (item.value("rel") == "inside" and item.norm == "in" and state.head is None)


def _mark(state: State, item: Item, items: Sequence[Item], at: int) -> None:
    if item.text == "?" and at + 1 < len(items) and not items[at + 1].mark:
        state.context = "?"
        state.segment += 1
    elif item.text in _JOINTS:
        state.plus = state.last is not None
        if state.relation != "between":
            state.relation = ""
    elif item.text in _BREAKS or (item.text == "-" and _spaced_dash(items, at)):
        listing = item.text in ",\u3001\uff0c" and _list_goes_on(items, at)
        if not listing:
            state.negation = ""
            state.relation = ""
        if not (listing and state.context):
            state.context = ""
        state.segment += 1
        state.quantified, state.relative = "", False


def _spaced_dash(items: Sequence[Item], at: int) -> bool:
    return 0 < at < len(items) - 1 and items[at].start >= 0


def _list_goes_on(items: Sequence[Item], at: int) -> bool:
    """A comma inside a list: the next words name something at once and "and" or "or" stands before the next break."""
    for item in items[at + 1 : at + 9]:
        if item.mark:
            return item.text in ",\u3001" and any(i.names_anatomy for i in items[at + 1 : at + 5])
        if item.kinds & {"only", "ask", "yes", "not", "except"}:
            return False
        if item.norm in ("or", "nor", "and", "oder", "ni", "und", "et", "y", "e", "ou"):
            return True
    return False


def _hyphened(items: Sequence[Item], at: int) -> bool:
    """ "non-contrast" denies no structure."""
    return at + 1 < len(items) and items[at + 1].text in "-\u2010\u2011" and items[at].norm in ("non", "no", "not")


def _causes(items: Sequence[Item], at: int, state: State) -> bool:
    """Whether a cause word opens the reason for the request instead of its object ("mask for the spleen")."""
    item = items[at]
    if item.norm in (
        "as",
        "to",
        "before",
        "with",
        "para",
        "per",
        "por",
        "pour",
        "bei",
        "while",
        "so",
        "given",
    ) and not item.kinds & {"uncertain"}:
        return state.head is not None
    if item.norm == "for":
        return state.head is not None or not (state.asked_at >= at - 3 or _after_measure(items, at))
    return state.head is not None or not followed_by_name(items, at)


def _after_measure(items: Sequence[Item], at: int) -> bool:
    return any("measure" in i.kinds or "ask" in i.kinds for i in items[max(0, at - 3) : at])


def _between_marks(items: Sequence[Item], start: int, end: int) -> int:
    return sum(1 for i in items[start + 1 : end] if i.mark or "side" in i.kinds)


def _remains(items: Sequence[Item], at: int) -> bool:
    before = items[at - 1].norm.split()[-1:] if at else []
    ends = at + 1 == len(items) or items[at + 1].mark
    return ends and before in (["has"], ["have"], ["got"])


def _side_words(item: Item, items: Sequence[Item], at: int, state: State, sides: list[SideWord]) -> bool:
    if item.norm == "left" and _remains(items, at):
        return True  # "the one she has left"
    for kind, frame in (("screen", "screen"), ("patientside", "patient"), ("side", "")):
        if sense := item.sense(kind):
            if "structure" in item.kinds and kind == "side" and "-" not in item.text:
                return False
            if item.norm in ("dx", "sx", "sn", "sin", "li", "re", "d", "g") and (
                state.last is None or state.last.at < at - 2 - _between_marks(items, state.last.at, at)
            ):
                return False
            negated = bool(state.negation) and at - state.negated_at <= 3
            negated = negated or (at > 0 and items[at - 1].norm == "non")  # "dexter, non sinister"
            if kind == "side" and sense.value in ("left", "right") and on_screen(items, at):
                frame = "screen"
            sides.append(SideWord(sense.value, item.text, at, state.segment, frame, negated))
            return True
    return False
