"""Mentions of a request with their modifiers: role (wanted, excluded, anchor, context), side, number, quantity."""

from __future__ import annotations

from collections.abc import Sequence

from .bodyside import body_sides
from .clauses import Clause
from .items import Item
from .mention import Mention, SideWord, bind_sides, kind_of, names
from .roles import State, implicit_head, mention_at
from .text import word_set

__all__ = ["excepts", "read_scope"]

_BREAKS = frozenset(",;:()\u2013\u2014.!\u3001\uff0c\u3002\uff1a\uff1b")
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
        side = not _without(items, at) and _side_words(item, at, state, sides)
        if side and (not kinds & {"structure", "outside"} or "-" in item.text):
            continue
        post = kinds & {"not", "except"} and _is_post(item, items, at, state)
        if post and state.last is not None:
            _exclude(state.last, item.text, mentions)
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
        if item.norm in _POINTING and at + 1 < len(items) and (names(items[at + 1]) or "side" in items[at + 1].kinds):
            continue  # "that iliac artery"
        if item.norm in _THEREFORE and any("ask" in i.kinds for i in items[at + 1 : at + 4]):
            _to_context(mentions, item.text)
            state = State(segment=state.segment + 1)
            continue
        if "apposition" in kinds and any(i.names_anatomy for i in items[at + 1 : at + 8]):
            for earlier in mentions:
                if earlier.role == "wanted" and earlier.segment >= state.segment - _APPOSED:
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
    bind_sides(mentions, sides)
    return mentions, sides


_POINTING = word_set("that this these those")
_THEREFORE = word_set("so therefore hence thus")
_APPOSED = 3  # parts of a clause that a restatement reaches back over
_COPULAS = word_set("is are")


def _to_context(mentions: Sequence[Mention], words: str) -> None:
    for earlier in mentions:
        if earlier.role == "wanted":
            earlier.role, earlier.why = "context", f"before “{words}”"


def _without(items: Sequence[Item], at: int) -> bool:
    """Spanish "sin" before a name is "without"; after one, Latin short for the left side."""
    following = items[at + 1] if at + 1 < len(items) else None
    return bool(items[at].kinds & {"not", "except"}) and following is not None and following.names_anatomy


def _alone(mentions: Sequence[Mention], items: Sequence[Item], at: int, state: State) -> None:
    """ "spinal canal, the cord only": what is named with "only" is meant, what stands before it says where."""
    last = state.last
    if last is None or last.role != "wanted" or last.at != at - 1 or last.joined_to is not None:
        return
    if items[last.at - 1].norm not in ("the", "her", "his"):
        return
    for earlier in mentions:
        if earlier is not last and earlier.role == "wanted" and earlier.segment < last.segment:
            earlier.role, earlier.why = "anchor", f"“{last.text}” is what alone is wanted"


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


def _followed_by_name(items: Sequence[Item], at: int) -> bool:
    return any(i.names_anatomy for i in items[at + 1 : at + 4])


_POST = word_set(
    "ではなく じゃなく でなく ではない 不要 含めない 含まない ではなくて じゃなくて は不要 いらない",
    "以外 以外の を除く を除いて 除く 除いた なし",
)


def _is_post(item: Item, items: Sequence[Item], at: int, state: State) -> bool:
    """A negation that stands after what it denies: "trachea no", "肝臓ではなく"."""
    if state.last is None or (state.last.segment != state.segment and item.norm not in _POST):
        return False
    if item.norm in _POST and any(c < "a" or c > "z" for c in item.norm):
        return not (item.norm in ("不要",) and _followed_by_name(items, at))
    following = items[at + 1] if at + 1 < len(items) else None
    if item.norm in _DONE:
        return True
    if item.norm in ("excluded", "omitted", "spared", "isnt", "is not", "no", "nein", "non", "nao", "not", "nicht"):
        return following is None or following.mark or item.norm in ("excluded", "omitted", "isnt", "is not")
    return False


_DONE = frozenset(
    {"unnecessary", "not necessary", "already contoured", "already there", "already segmented"}
    | {f"{verb} done" for verb in ("is", "are", "have been", "has been")}
    | {verb + what for verb in ("", "is ", "are ") for what in ("already done", "not needed", "not required")}
    | {"not wanted"}
)


def _exclude(mention: Mention, words: str, mentions: list[Mention]) -> None:
    chained: Mention | None = mention
    while chained is not None:
        if chained.role == "wanted":
            chained.role, chained.why = "excluded", f"“{words}” follows it"
        chained = chained.joined_to


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
    return state.head is not None or not _followed_by_name(items, at)


def _after_measure(items: Sequence[Item], at: int) -> bool:
    return any("measure" in i.kinds or "ask" in i.kinds for i in items[max(0, at - 3) : at])


def _side_words(item: Item, at: int, state: State, sides: list[SideWord]) -> bool:
    for kind, frame in (("screen", "screen"), ("patientside", "patient"), ("side", "")):
        if sense := item.sense(kind):
            if "structure" in item.kinds and kind == "side" and "-" not in item.text:
                return False
            if item.norm in ("dx", "sx", "sn", "sin", "li", "re", "d", "g") and (
                state.last is None or state.last.at < at - 2
            ):
                return False
            negated = bool(state.negation) and at - state.negated_at <= 3
            sides.append(SideWord(sense.value, item.text, at, state.segment, frame, negated))
            return True
    return False
