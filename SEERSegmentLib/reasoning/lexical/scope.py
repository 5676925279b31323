"""Mentions of a request with their modifiers: role (wanted, excluded, anchor, context), side, number, quantity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...values import Side
from .clauses import Clause
from .items import Item

__all__ = ["Mention", "SideWord", "read_scope"]

_BREAKS = frozenset(",;:()\u2013\u2014.!\u3001\uff0c\u3002\uff1a\uff1b")
_SEARCHED = ("structure", "outside", "disease", "adjective", "head", "pron")


@dataclass(slots=True)
class SideWord:
    """A word for a side: ``value`` is left, right, both, other or same; ``frame`` screen or patient where told."""

    value: str
    text: str
    at: int
    segment: int
    frame: str = ""
    negated: bool = False
    used: bool = False


@dataclass(slots=True)
class Mention:
    """A name, description or lesion in a request clause, and everything said about it there.

    ``role`` is ``"wanted"``, ``"excluded"``, ``"anchor"`` (it only says where something else is), ``"context"`` (why
    the request is made) or ``"side-gone"``. ``kind``: ``"structure"``, ``"outside"``, ``"lesion"``, ``"condition"``,
    ``"head"`` or ``"pronoun"``.
    """

    item: Item
    kind: str
    role: str
    at: int
    segment: int
    clause: int
    why: str = ""
    relation: str = ""
    head: Mention | None = None
    sides: list[SideWord] = field(default_factory=list)
    quantified: bool = False
    joined_to: Mention | None = None
    selection: tuple[int, int] | None = None  # (from the top: 1, from the bottom: -1; how many)

    @property
    def text(self) -> str:
        return self.item.text


@dataclass
class _State:
    negation: str = ""
    negated_by: str = ""
    context: str = ""
    relation: str = ""
    head: Mention | None = None
    segment: int = 0
    asked_at: int = -9
    negated_at: int = -9
    quantified: str = ""
    last: Mention | None = None
    plus: bool = False
    unknown: Item | None = None
    unknown_at: int = -1


def read_scope(clause: Clause, number: int) -> tuple[list[Mention], list[SideWord]]:
    """Read one request clause from left to right.

    Returns the mentions in order with their roles, and the side words, bound to mentions where that is clear.
    """
    state = _State()
    mentions: list[Mention] = []
    sides: list[SideWord] = []
    items = clause.items
    for at, item in enumerate(items):
        if item.mark:
            _mark(state, item, items, at)
            continue
        kinds = item.kinds
        if _side_words(item, at, state, sides):
            if not (kinds & {"structure", "outside"}):
                continue
        post = kinds & {"not", "except"} and _is_post(item, items, at, state)
        if post and state.last is not None:
            _exclude(state.last, item.text, mentions)
            continue
        if kinds & {"not", "except"} and not _names(item) and not _hyphened(items, at):
            state.negation = "except" if "except" in kinds and "not" not in kinds else "not"
            if "except" in kinds and mentions:
                state.negation = "except"
            state.negated_by, state.negated_at = item.text, at
            state.relation = state.context = ""
            continue
        if "yes" in kinds:
            state.negation = ""
            continue
        if "only" in kinds and not _names(item):
            if state.negation and at - state.negated_at > 1:
                state.negation = ""
            state.context = ""
            if state.last and not _followed_by_name(items, at):
                state.last.quantified = state.last.quantified
            continue
        if "ask" in kinds and not _names(item):
            if state.negation and at - state.negated_at > 2:
                state.negation = ""
            state.asked_at, state.context, state.relation = at, "", ""
            continue
        if item.norm == "but":
            state.negation = state.context = state.relation = ""
            state.segment += 1
            continue
        implicit = _implicit_head(item, state, number)
        if implicit is not None:
            mentions.append(implicit)
            state.head = implicit
        mention = _mention(item, at, state, number, mentions, items)
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
        if "rel" in kinds and not (item.value("rel") == "of" and state.asked_at >= at - 2):
            if not (item.value("rel") == "inside" and item.norm == "in" and state.head is None):
                state.relation = item.value("rel")
        if kinds & {"uncertain"}:
            state.context = item.text
        elif "cause" in kinds and _causes(items, at, state):
            state.context = item.text
        if "all" in kinds:
            state.quantified = item.text
    _bind_sides(mentions, sides)
    return mentions, sides


def _mark(state: _State, item: Item, items: Sequence[Item], at: int) -> None:
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
        state.quantified = ""


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


def _names(item: Item) -> bool:
    return item.counted is not None or bool(item.kinds & {"structure", "outside", "disease"})


def _hyphened(items: Sequence[Item], at: int) -> bool:
    """ "non-contrast" denies no structure."""
    return at + 1 < len(items) and items[at + 1].text in "-\u2010\u2011" and items[at].norm in ("non", "no", "not")


def _followed_by_name(items: Sequence[Item], at: int) -> bool:
    return any(i.names_anatomy for i in items[at + 1 : at + 4])


_POST = frozenset("ではなく じゃなく でなく ではない 不要 含めない 含まない ではなくて じゃなくて は不要 いらない 以外 以外の を除く を除いて 除く 除いた なし".split())


def _is_post(item: Item, items: Sequence[Item], at: int, state: _State) -> bool:
    """A negation that stands after what it denies: "trachea no", "肝臓ではなく"."""
    if state.last is None or state.last.segment != state.segment and item.norm not in _POST:
        return False
    if item.norm in _POST and any("a" > c or c > "z" for c in item.norm):
        return not (item.norm in ("不要",) and _followed_by_name(items, at))
    following = items[at + 1] if at + 1 < len(items) else None
    if item.norm in ("excluded", "omitted", "spared", "isnt", "is not", "no", "nein", "non", "nao", "not", "nicht"):
        return following is None or following.mark or item.norm in ("excluded", "omitted", "isnt", "is not")
    return False


def _exclude(mention: Mention, words: str, mentions: list[Mention]) -> None:
    chained: Mention | None = mention
    while chained is not None:
        if chained.role == "wanted":
            chained.role, chained.why = "excluded", f"“{words}” follows it"
        chained = chained.joined_to


def _causes(items: Sequence[Item], at: int, state: _State) -> bool:
    """Whether a cause word opens the reason for the request instead of its object ("mask for the spleen")."""
    item = items[at]
    if item.norm in ("as", "to", "before", "with", "para", "per", "por", "pour", "bei", "while", "so", "given") and not item.kinds & {"uncertain"}:
        return state.head is not None
    if item.norm == "for":
        return state.head is not None or not (state.asked_at >= at - 3 or _after_measure(items, at))
    return state.head is not None or not _followed_by_name(items, at)


def _after_measure(items: Sequence[Item], at: int) -> bool:
    return any("measure" in i.kinds or "ask" in i.kinds for i in items[max(0, at - 3) : at])


def _kind(item: Item, quantified: bool = False) -> str:
    if item.counted is not None:
        return "structure"
    kinds = item.kinds
    structure = item.sense("structure")
    disease = item.disease
    if disease is not None and (structure is None or disease.kind != "lesion"):
        return "lesion" if disease.lesion else "condition"
    if structure is not None:
        return "head" if _generic(item) or _kind_of_thing(item, quantified) else "structure"
    if "outside" in kinds:
        return "outside"
    if "head" in kinds:
        return "head"
    if "adjective" in kinds:
        return "adjective"
    if "pron" in kinds:
        return "pronoun"
    return ""


def _kind_of_thing(item: Item, quantified: bool) -> bool:
    """A bare "bone" or "bowel" is what a description is about; "all bones" is the skeleton."""
    return "head" in item.kinds and not quantified and not item.plural and not item.norm.endswith(("s", "e", "x"))


def _generic(item: Item) -> bool:
    """A bare "vertebra" or "rib" names a kind of thing; in the plural, all of them."""
    ref = item.refs[0]
    return (
        ref.concept in ("vertebra", "rib", "intervertebral_disc", "vertebrae", "ribs", "intervertebral_discs")
        and not ref.level
        and item.norm in _GENERIC_WORDS
    )


_GENERIC_WORDS = frozenset("vertebra rib disc disk vertebral body costa wirbel rippe".split()) | {"vertebral body", "intervertebral disc", "intervertebral disk"}


def _mention(
    item: Item, at: int, state: _State, clause: int, before: Sequence[Mention], items: Sequence[Item]
) -> Mention | None:
    kind = _kind(item, bool(state.quantified))
    if not kind:
        return None
    if kind == "head" and item.kinds & {"measure", "all"} and item.value("head") == "any":
        return None
    mention = Mention(item, kind, "wanted", at, state.segment, clause, quantified=bool(state.quantified))
    if state.negation:
        mention.role, mention.why = "excluded", f"after “{state.negated_by}”"
        if state.relation and state.relation not in ("of", "with"):
            mention.relation = state.relation
    elif state.relation and state.head is not None and state.head is not mention and _anchors(state, mention):
        mention.role, mention.relation, mention.head = "anchor", state.relation, state.head
        mention.why = f"it says where “{state.head.text}” is"
    elif kind in ("structure", "outside") and _under_head(mention, state, before, items):
        mention.role, mention.head = "anchor", state.head
        mention.why = f"it describes “{state.head.text}”" if state.head else ""
    elif kind in ("structure", "outside") and _before_head(item, at, items):
        mention.role, mention.why = "anchor", "it describes the word after it"
    elif state.context:
        mention.role, mention.why = "context", f"after “{state.context}”"
    elif kind == "adjective":
        mention.role, mention.why = "context", "an adjective"
    if state.plus and state.last is not None:
        mention.joined_to = state.last
        if mention.role == "wanted" and state.last.role in ("anchor", "context", "excluded") and state.last.segment == state.segment:
            follows = state.last
            if follows.role == "excluded" or follows.relation == "between" or (follows.head is not None and follows.head.kind == "head"):
                mention.role, mention.relation, mention.head, mention.why = follows.role, follows.relation, follows.head, follows.why
    return mention


def _under_head(mention: Mention, state: _State, before: Sequence[Mention], items: Sequence[Item]) -> bool:
    """A name after a noun that only says what kind of thing is wanted belongs to the description of that thing."""
    head = state.head
    if head is None or head.kind != "head" or head.clause != mention.clause or state.asked_at > head.at:
        return False
    if any(m.role == "wanted" and m.kind in ("structure", "outside") for m in before):
        return False
    between = items[head.at + 1 : mention.at]
    if any(i.text in (":", "=", "(") or i.norm in ("ie", "namely", "called", "is") for i in between):
        return False
    alone = all(i.mark or i.kinds & {"side"} or i.norm in ("the", "a") for i in between)
    return not (alone and mention.segment != head.segment)


def _before_head(item: Item, at: int, items: Sequence[Item]) -> bool:
    """ "LUQ organ", "neck gland": a region that goes before a kind of thing."""
    following = items[at + 1] if at + 1 < len(items) else None
    if following is None or "head" not in following.kinds or following.value("head") in ("any", "vertebra", "lung"):
        return False
    return following.norm not in ("level", "levels", "bone", "bones", "gland", "glands", "muscle", "muscles", "artery", "vein", "vessel", "lobe") or _place(item)


def _place(item: Item) -> bool:
    return "outside" in item.kinds or any(ref.concept in _REGIONS for ref in item.refs)


_REGIONS = frozenset(
    "neck head chest abdomen pelvis thorax thigh upper_limb lower_limb calf face hand foot axilla shoulder_joint hip_joint"
    " knee_joint elbow_joint wrist_joint abdominal_wall chest_wall mediastinum retroperitoneum abdominal_cavity".split()
)


def _implicit_head(item: Item, state: _State, clause: int) -> Mention | None:
    """ "The gristle that joins the ribs to …": a word of no table stands for what the relation places."""
    if state.head is not None or not state.relation or state.relation in ("of", "with", "to") or state.unknown is None:
        return None
    if not _names(item) or state.unknown_at < state.asked_at:
        return None
    return Mention(state.unknown, "head", "wanted", state.unknown_at, state.segment, clause)


def _anchors(state: _State, mention: Mention) -> bool:
    head = state.head
    if head is None:
        return False
    if state.relation == "of":
        return head.kind in ("head", "structure", "outside", "lesion")
    if state.relation == "with":
        return mention.kind != "structure" or head.kind == "head"
    return True


# ------------------------------------------------------------------------------------------------------------- sides


def _side_words(item: Item, at: int, state: _State, sides: list[SideWord]) -> bool:
    for kind, frame in (("screen", "screen"), ("patientside", "patient"), ("side", "")):
        if sense := item.sense(kind):
            if "structure" in item.kinds and kind == "side":
                return False
            if item.norm in ("dx", "sx", "sn", "sin", "li", "re", "d", "g") and (
                state.last is None or state.last.at < at - 2
            ):
                return False
            negated = bool(state.negation) and at - state.negated_at <= 3
            sides.append(SideWord(sense.value, item.text, at, state.segment, frame, negated))
            return True
    return False


def _bind_sides(mentions: Sequence[Mention], sides: Sequence[SideWord]) -> None:
    """Give each side word to the mention it stands with: the next one in the same segment, else the nearest."""
    bindable = [m for m in mentions if m.kind in ("structure", "outside", "lesion", "head", "condition", "adjective", "pronoun")]
    for side in sides:
        following = next((m for m in bindable if m.at > side.at), None)
        previous = next((m for m in reversed(bindable) if m.at < side.at), None)
        same = following is not None and following.segment == side.segment
        before = previous is not None and previous.segment == side.segment
        gap_after = following.at - side.at if following else 99
        gap_before = side.at - previous.at if previous else 99
        chosen: Mention | None
        if side.negated and not (same and gap_after <= 3):
            chosen = None
        elif same and before:
            chosen = following if gap_after <= 2 or gap_after <= gap_before else previous
        elif same:
            chosen = following
        elif before:
            chosen = previous
        else:
            chosen = previous if previous is not None and gap_before <= 6 else following if gap_after <= 6 else None
        if chosen is not None:
            chosen.sides.append(side)
            side.used = True


def side_of(values: Sequence[str]) -> Side:
    """Left or right from side words that agree, else none."""
    found = {v for v in values if v in ("left", "right")}
    return Side(found.pop()) if len(found) == 1 else Side.NONE
