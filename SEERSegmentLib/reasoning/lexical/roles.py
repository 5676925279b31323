"""The role of each mention: what is wanted, what is excluded, what only says where something is or why it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .describe import kinds_of
from .items import Item
from .mention import Mention, kind_of, names, place_only
from .text import word_set

__all__ = ["State", "implicit_head", "mention_at"]


@dataclass
class State:
    """What has been read so far of a clause, from left to right."""

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
    relative: bool = False
    unknown: Item | None = None
    unknown_at: int = -1


def mention_at(
    item: Item, at: int, state: State, clause: int, before: Sequence[Mention], items: Sequence[Item]
) -> Mention | None:
    """The mention that a term makes here, with its role and why; None where it makes none."""
    kind = kind_of(item, bool(state.quantified))
    if not kind or item.norm in ("side", "sides") or _likened(items, at):
        return None
    if kind == "head" and item.kinds & {"measure", "all"} and item.value("head") == "any":
        return None
    if item.norm in _RENAL and not item.plural and any(m.kind == "structure" and m.role == "wanted" for m in before):
        return None  # "IVC, infra- and suprarenal"
    if item.norm == "fat" and at and items[at - 1].refs and kinds_of(items[at - 1].refs[0].concept) & _FATTY:
        return None  # "liver fat" is measured in the liver
    if kind == "head" and item.norm in _ADJECTIVAL and at + 1 < len(items) and items[at + 1].names_anatomy:
        return None  # "bony pelvic ring", "venous angle"
    if kind == "adjective" and _named_by_adjective(items, at):
        kind = "structure"
    if item.norm == "usual" and at + 1 < len(items) and not items[at + 1].mark:
        return None  # "the usual radiological display"
    if item.norm == "one" and at + 1 < len(items) and kind_of(items[at + 1]) in ("structure", "adjective"):
        return None  # "only one kidney": a number
    if kind == "head" and state.quantified and item.norm in ("level", "levels", "one"):
        return None  # "every level", "all in one"
    many = bool(state.quantified) and state.quantified.casefold() not in _WHOLE
    mention = Mention(item, kind, "wanted", at, state.segment, clause, quantified=many)
    if not state.negation and _counts_out(mention, state):  # "all vertebrae from T1 to L5"
        assert state.head is not None
        state.head.role, state.head.why = "anchor", f"“{item.text}” says which"
        return mention
    if state.negation:
        mention.role, mention.why = "excluded", f"after “{state.negated_by}”"
        if state.relation and state.relation not in ("of", "with"):
            mention.relation = state.relation
    elif state.relation == "of" and state.head is not None and _one_of(state.head, mention):
        state.head.role, state.head.why = "anchor", f"it says which of “{item.text}”"
    elif state.relation and state.head is not None and state.head is not mention and _anchors(state, mention):
        mention.role, mention.relation, mention.head = "anchor", state.relation, state.head
        mention.why = f"it says where “{state.head.text}” is"
    elif state.relative and state.head is not None and kind != "pronoun":
        mention.role, mention.head, mention.why = "anchor", state.head, f"it describes “{state.head.text}”"
    elif (
        kind in ("structure", "outside")
        and not _listed_with_head(state, at, items)
        and _under_head(mention, state, before, items)
    ):
        mention.role, mention.head = "anchor", state.head
        mention.why = f"it describes “{state.head.text}”" if state.head else ""
    elif kind in ("structure", "outside") and (_before_head(item, at, items) or _owns_head(item, at, items)):
        mention.role, mention.why = "anchor", "it describes the word after it"
    elif kind in ("structure", "outside", "lesion", "condition") and _of_a_team(items, at):
        mention.role, mention.why = "context", "it says who asks"
    elif kind in ("structure", "outside") and _operated(items, at):
        mention.role, mention.why = "context", "it says what is done"
    elif state.context:
        mention.role, mention.why = "context", f"after “{state.context}”"
    elif kind == "adjective":
        mention.role, mention.why = "context", "an adjective"
    if state.plus and state.last is not None:
        mention.joined_to = state.last
        if (
            mention.role == "wanted"
            and state.last.role in ("anchor", "context", "excluded")
            and state.last.segment == state.segment
        ):
            follows = state.last
            if (
                follows.role == "excluded"
                or follows.relation == "between"
                or (follows.head is not None and follows.head.kind == "head" and kind != "head")
            ):
                mention.role, mention.relation, mention.head, mention.why = (
                    follows.role,
                    follows.relation,
                    follows.head,
                    follows.why,
                )
    return mention


def _likened(items: Sequence[Item], at: int) -> bool:
    """ "finger-like", "pear-shaped"."""
    after = [i for i in items[at + 1 : at + 3] if not i.mark]
    return at + 2 < len(items) and items[at + 1].mark and bool(after) and after[0].norm in ("like", "shaped", "sized")


def _counts_out(mention: Mention, state: State) -> bool:
    """Whether levels say which of the vertebrae, ribs or discs named before them are meant."""
    counted, head = mention.item.counted, state.head
    if counted is None or len(counted.levels) < 2 or head is None or head.role != "wanted":
        return False
    many = head.quantified or head.item.plural or head.item.norm.endswith(("s", "ae"))
    whole = next((_COLUMNS[ref.concept] for ref in head.item.refs if ref.concept in _COLUMNS), "")
    said = state.relation in ("", "of", "to", "with") or (state.relation == "between" and len(counted.levels) > 2)
    return said and (whole == counted.kind or (many and head.item.value("levelnoun") == counted.kind))


_COLUMNS = {"vertebrae": "vertebra", "spine": "vertebra", "cervical_spine": "vertebra", "thoracic_spine": "vertebra",
            "lumbar_spine": "vertebra", "ribs": "rib"}  # fmt: skip


def _under_head(mention: Mention, state: State, before: Sequence[Mention], items: Sequence[Item]) -> bool:
    """A name after a noun that only says what kind of thing is wanted belongs to the description of that thing."""
    head = state.head
    if len(mention.item.refs) > 1:
        return False  # "the vein, right iliac": the head tells which of several meanings
    if head is None or head.kind != "head" or head.clause != mention.clause or state.asked_at > head.at:
        return False
    if any(m.role == "wanted" and m.kind in ("structure", "outside") for m in before):
        return False
    between = items[head.at + 1 : mention.at]
    if any(i.text in (":", "=", "(") or i.norm in ("ie", "namely", "called", "is") for i in between):
        return False
    alone = all(i.mark or i.kinds & {"side"} or i.norm in ("the", "a") for i in between)
    return not (alone and mention.segment != head.segment)


def _listed_with_head(state: State, at: int, items: Sequence[Item]) -> bool:
    """ "the bones and the liver": a name that a list puts beside a kind of thing says nothing about it."""
    head = state.head
    if head is None or not state.plus or state.last is not head:
        return False
    between = items[head.at + 1 : at]
    return not any(i.kinds & {"rel", "not", "except"} for i in between)


def _before_head(item: Item, at: int, items: Sequence[Item]) -> bool:
    """ "LUQ organ", "neck gland": a region that goes before a kind of thing."""
    if len(item.refs) > 1:
        return False
    step = at + 1
    while step < len(items) and (items[step].text in "-\u2010\u2011" or items[step].norm in _CARRYING):
        step += 1
    following = items[step] if step < len(items) else None
    if following is not None and step > at + 2 and "head" in following.kinds:
        return True  # "lingula-bearing lobe"
    if step > at + 1 and (following is None or "head" not in following.kinds):
        return False
    if following is None or "head" not in following.kinds or following.value("head") in ("any", "vertebra", "lung"):
        return False
    if following.norm == "fat" and kinds_of(item.refs[0].concept if item.refs else "") & _FATTY:
        return False
    return following.norm not in _NAMING or place_only(item)


def _one_of(head: Mention, mention: Mention) -> bool:
    """ "the middle one of the five lumbar vertebrae": one of a group that is named."""
    many = mention.item.plural or mention.item.norm.endswith(("s", "ae")) or mention.item.counted is not None
    return head.item.norm in ("one", "ones") and mention.kind == "structure" and many


def _owns_head(item: Item, at: int, items: Sequence[Item]) -> bool:
    """ "the heart's blind pouch": a structure that has what is wanted."""
    if not item.text.casefold().endswith(("'s", "\u2019s")):
        return False
    for following in items[at + 1 : at + 4]:
        if following.mark or following.names_anatomy:
            return False
        if "head" in following.kinds and "pron" not in following.kinds and not following.kinds & {"measure", "all"}:
            return True
    return False


def _named_by_adjective(items: Sequence[Item], at: int) -> bool:
    """ "gastric contour", "the acetabular bone": an adjective and a word that adds nothing to what it belongs to."""
    following = items[at + 1] if at + 1 < len(items) else None
    if following is None or len(items[at].refs) != 1:
        return False
    if "measure" in following.kinds and "head" not in following.kinds and following.norm not in _COVERS:
        return True
    kind = following.value("head")
    return (
        kind in ("bone", "organ", "gland") and following.norm in _KINDS and kind in kinds_of(items[at].refs[0].concept)
    )


_WHOLE = word_set(
    "whole entire complete full total ganze ganzen gesamte gesamten entero entera tout toute intero intera"
)
_RENAL = word_set("suprarenal infrarenal")
_FATTY = frozenset({"organ", "gland", "muscle", "bone"})


def _of_a_team(items: Sequence[Item], at: int) -> bool:
    """ "for the lung MDT", "sarcoma clinic": what people treat, not what is asked for."""
    following = items[at + 1] if at + 1 < len(items) else None
    return following is not None and following.norm in _TEAMS and len(items) > at + 2


_TEAMS = word_set("mdt mdm clinic team board meeting service unit nurse registrar fellow surgeon surgeons physicians")


def _operated(items: Sequence[Item], at: int) -> bool:
    """ "planning the chest wall resection and want the rib": an operation, after which something is asked for."""
    following = items[at + 1] if at + 1 < len(items) else None
    return following is not None and following.norm in _OPERATIONS and any("ask" in i.kinds for i in items[at + 2 :])


_OPERATIONS = word_set(
    "resection replacement repair reconstruction surgery operation biopsy ablation embolisation embolization stenting",
    "plating fixation fusion transplant transplantation grafting drainage clearance dissection exploration",
)
_COVERS = word_set("wall margin edge tissue level")
_KINDS = word_set("bone bones organ organs gland glands")
_ADJECTIVAL = word_set("bony venous arterial osseous muscular")


def implicit_head(item: Item, state: State, clause: int) -> Mention | None:
    """ "The gristle that joins the ribs to …": a word of no table stands for what the relation places."""
    if state.head is not None or not state.relation or state.relation in ("of", "with", "to") or state.unknown is None:
        return None
    if not names(item) or state.unknown_at < state.asked_at:
        return None
    return Mention(state.unknown, "head", "wanted", state.unknown_at, state.segment, clause)


def _anchors(state: State, mention: Mention) -> bool:
    head = state.head
    if head is None:
        return False
    if state.relation == "of":
        return head.kind in ("head", "structure", "outside", "lesion")
    if state.relation == "with":
        return mention.kind != "structure" or head.kind == "head"
    return True


_CARRYING = word_set("bearing containing carrying holding harboring harbouring draining adjacent related supplying")
_NAMING = word_set("loop loops trunk level levels bone bones gland glands muscle muscles artery vein vessel lobe")
