"""Chooses what is asked for among the mentions of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...values import Side
from .account import account
from .fallback import described, generic_group, plain_kind, spoken_of
from .lesions import lesion_wanted
from .lexicon import Ref
from .mention import Mention, place_only
from .no_request import nothing_named, refuse_what_is_no_request
from .outcome import Chosen, Question
from .pick import picked_from
from .pointback import only_of_kind, pointed_at, told_levels, told_with
from .pointing import from_context
from .reading import Reading
from .refuse import (
    refuse_alternatives,
    refuse_as_before,
    refuse_contradictions,
    refuse_other_side_inside,
    refuse_part_of_other_side,
    refuse_restatement,
    refuse_whole_region,
)
from .relate import counted_relation
from .resolve import resolve, resolve_ref
from .seats import part_told_abnormal, seat_around, seat_of_kind, seat_of_operation, told_as_abnormal
from .subsets import (
    EDGE_WORDS,
    all_lobes,
    collected,
    elliptical_exclusions,
    every_one,
    excluded_by_part,
    from_edge_of,
    group_less,
    whole_of_parts,
)
from .text import word_set

__all__ = ["choose"]


def choose(reading: Reading) -> Chosen:
    """Names of what is asked for.

    Raises
    ------
    Question
        Where nothing, or not one thing, is asked for.
    """
    refuse_what_is_no_request(reading)
    refuse_as_before(reading)
    refuse_restatement(reading)
    ids = _first_found(reading)
    if not ids:
        raise nothing_named(reading)
    ids = account(ids, reading, _first_found)
    ids = _subtract(ids, reading)
    ids = _most_specific(list(dict.fromkeys(ids)), reading)
    ids = _widen(ids, reading)
    return _as_names(ids, reading)


def _first_found(reading: Reading) -> list[str] | None:
    """What the first stage finds that finds anything."""
    for stage in (
        lesion_wanted,
        counted_relation,
        all_lobes,
        collected,
        pointed_at,
        told_levels,
        _named,
        _condition,
        every_one,
        plain_kind,
        group_less,
        seat_of_kind,
        seat_of_operation,
        part_told_abnormal,
        told_as_abnormal,
        told_with,
        only_of_kind,
        seat_around,
        described,
        generic_group,
        from_context,
        spoken_of,
    ):
        ids = stage(reading)
        if ids:
            if stage in _INFERRED:
                reading.doubts.append(_INFERRED[stage])
            return ids
    return None


# -------------------------------------------------------------------------------------------------------- named plainly


def _named(reading: Reading) -> list[str] | None:
    """What is named and not excluded."""
    wanted = reading.of("structure", "outside")
    if not wanted:
        return None
    wanted = _listed(wanted, reading)
    whole = whole_of_parts(wanted, reading)
    if whole:
        return whole
    wanted = _said_once(wanted)
    refuse_alternatives(wanted, reading)
    refuse_contradictions(wanted, reading)
    refuse_other_side_inside(wanted, reading)
    refuse_part_of_other_side(wanted, reading)
    ids: list[str] = []
    for mention in wanted:
        ids += picked_from(mention, from_edge_of(mention, resolve(mention, reading), reading), reading)
        reading.say(f"Asked for: {mention.told}.")
    return ids


def _said_once(wanted: list[Mention]) -> list[Mention]:
    """ "the right kidney (whole kidney)": a name said again without a side is the one said before."""
    kept: list[Mention] = []
    for mention in wanted:
        same = [m for m in kept if m.item.refs and m.item.refs == mention.item.refs and mention.kind == "structure"]
        if same and mention.sides and not same[-1].sides and same[-1].joined_to is None:
            same[-1].sides = mention.sides  # "hip flexor (iliopsoas), both sides"
            continue
        again = same and not mention.sides and mention.joined_to is None and not mention.item.plural
        named = {r.concept for m in kept for r in m.item.refs if r.side is not Side.NONE or m.sides}
        again = again or (
            bool(mention.item.refs)
            and mention.item.refs[0].concept in named
            and mention.item.refs[0].side is Side.NONE
            and not (mention.sides or mention.item.plural or mention.joined_to)
        )
        if not again:
            kept.append(mention)
    return kept


def _listed(wanted: list[Mention], reading: Reading) -> list[Mention]:
    """ "shoulder girdle, right: clavicle and scapula": a group before a colon only introduces what it lists."""
    known = reading.lexicon.vocabulary
    kept = []
    for mention in wanted:
        items = reading.clauses[mention.clause].items
        later = [m for m in wanted if m.clause == mention.clause and m.at > mention.at]
        colon = later and any(i.text == ":" for i in items[mention.at + 1 : later[0].at])
        if colon and place_only(mention.item):
            for m in later:
                m.sides = m.sides or mention.sides
            continue
        group = [known.structures.get(ref.concept) for ref in mention.item.refs]
        if colon and len(group) == 1 and group[0] is not None and group[0].kind in ("group", "region"):
            inner = set(known.parts_closure(group[0].id))
            parts = {s.id for m in later for ref in m.item.refs for s in known.by_concept(ref.concept)}
            if parts & inner:
                for m in later:
                    m.sides = m.sides or mention.sides
                continue
        kept.append(mention)
    return kept


def _condition(reading: Reading) -> list[str] | None:
    """A disease of a whole organ as the object: the goitre is the thyroid gland."""
    for mention in reading.of("condition"):
        disease = mention.item.disease
        if disease is None or disease.kind != "whole" or not disease.structures:
            continue
        heads = reading.of("head")
        if any(not _listed_beside(m, mention, reading) or _is_name_before(m, mention) for m in heads):
            continue  # "cord CSA, DCM": a word that is a name, too, comes before the reason
        reading.used.add(id(mention))
        reading.say(
            f"“{mention.text}” sits in the {disease.structures[0].replace('_', ' ')}, which is what can be outlined."
        )
        return resolve_ref(Ref(disease.structures[0]), mention, reading)
    return None


def _is_name_before(head: Mention, mention: Mention) -> bool:
    named = head.item.sense("structure") is not None and not head.item.norm.endswith("s")
    return named and head.clause == mention.clause and head.at < mention.at


def _listed_beside(head: Mention, mention: Mention, reading: Reading) -> bool:
    """ "aortic dissection, glands": a kind of thing that a list puts after it doesn't say what it sits in."""
    items = reading.clauses[head.clause].items
    if head.clause != mention.clause or any("ask" in i.kinds for i in items[mention.at : head.at]):
        return False
    return mention in (head.joined_to, head) or mention.joined_to is head or head.segment != mention.segment


# -------------------------------------------------------------------------------------------- what is not to be in it


def _subtract(ids: list[str], reading: Reading) -> list[str]:
    """Take excluded parts out of a group; what is excluded and no part of it changes nothing."""
    known = reading.lexicon.vocabulary
    excluded: set[str] = set()
    for mention in reading.mentions:
        if mention.role != "excluded":
            continue
        reading.say(f"Not wanted: “{mention.text}” ({mention.why}).")
        if mention.why.endswith("takes it back") or _others(mention, reading) or _other_meaning(mention, reading):
            continue
        if mention.kind == "structure" and not _from_an_edge(mention, reading) and not _qualified(mention, reading):
            try:
                found = resolve(mention, reading, excluded=True)
            except Question:
                continue
            for id in found:
                if not id.startswith('"'):
                    excluded.update(known.parts_closure(id))
    base = [leaf for id in ids if not id.startswith('"') for leaf in known.parts_closure(id)]
    excluded |= excluded_by_part(base, reading)
    elliptical = elliptical_exclusions(ids, base, reading) if len(base) > 1 else []
    excluded |= set(elliptical)
    told = {s.value for m in reading.of("structure") for s in m.sides if not s.negated}
    told |= {r.side.value for m in reading.of("structure") for r in m.item.refs[:1]}
    for side in reading.sides:
        if side.value in ("left", "right") and Side(side.value).opposite.value in told and len(ids) > 1:
            continue  # "all bones and the right lung, not the left"
        if side.negated and side.value in ("left", "right") and not side.used and not elliptical:
            excluded |= {leaf for leaf in base if known.get(leaf).side is Side(side.value)}
    excluded -= _asked_after_all(reading)
    if not excluded & set(base):
        refuse_whole_region(ids, excluded, reading)
        return ids
    left = [leaf for leaf in base if leaf not in excluded]
    if not left:
        raise Question(
            "nothing-left",
            "The request excludes all of what it asks for.",
            "What should be segmented?",
        )
    kept: list[str] = []
    for id in ids:
        if id.startswith('"') or not set(known.parts_closure(id)) & excluded:
            kept.append(id)
        else:
            kept += [leaf for leaf in left if leaf in known.parts_closure(id)]
    reading.say(f"Taken out of it: {', '.join(known.get(i).name for i in sorted(excluded & set(base)))}.")
    return kept


def _other_meaning(mention: Mention, reading: Reading) -> bool:
    """ "PV as in lung, not PV as in liver": the same letters, of which the other meaning is denied."""
    same = any(m.item.norm == mention.item.norm for m in reading.of("structure"))
    return same and len(mention.item.refs) > 1


def _others(mention: Mention, reading: Reading) -> bool:
    """ "the axis, no other vertebrae": those beside what is wanted."""
    before = reading.clauses[mention.clause].items[max(0, mention.at - 2) : mention.at]
    return any(i.norm in _OTHERS for i in before)


_OTHERS = word_set("other others remaining rest autres altri altre otros otras outros outras andere anderen") | {
    *("其他", "其它", "其余", "他の", "ほかの", "any other", "the other", "no other", "the rest of the"),
}


def _qualified(mention: Mention, reading: Reading) -> bool:
    """Whether an exclusion is of something in or of what it names: "no hardware in the femur", "accessory spleen"."""
    items = reading.clauses[mention.clause].items
    before = items[mention.at - 1] if mention.at else None
    if mention.relation and mention.item.refs:
        return any(not i.mark and not i.kinds and len(i.norm) > 3 for i in items[max(0, mention.at - 4) : mention.at])
    return before is not None and before.norm in _ACCESSORY


_ACCESSORY = word_set("accessory supernumerary ectopic transplanted transplant artificial prosthetic")


def _from_an_edge(mention: Mention, reading: Reading) -> bool:
    """ "the top two vertebrae" are not all vertebrae."""
    items = reading.clauses[mention.clause].items[max(0, mention.at - 3) : mention.at]
    joint = max((n for n, i in enumerate(items) if i.kinds & {"not", "plus", "or"}), default=-1)
    items = items[joint + 1 :]  # "neither its upper nor its lower lobe"
    before = [i.norm for i in items if not i.names_anatomy]  # "the upper and lower lobes" are two names
    return mention.item.counted is None and bool(EDGE_WORDS & set(before))


def _asked_after_all(reading: Reading) -> set[str]:
    """ "everything … except the spleen, so just the spleen": named again after the exclusion."""
    known = reading.lexicon.vocabulary
    last: dict[str, Mention] = {}
    for mention in reading.mentions:
        if mention.kind == "structure" and mention.item.refs:
            last[mention.item.refs[0].concept] = mention
    excluded = {m.item.refs[0] for m in reading.mentions if m.role == "excluded" and m.item.refs}
    concepts = {c for c, m in last.items() if m.role == "wanted" and m.item.refs[0] in excluded}
    return {leaf for c in concepts for s in known.by_concept(c) for leaf in known.parts_closure(s.id)}


def _most_specific(ids: list[str], reading: Reading) -> list[str]:
    """ "right lung, upper lobe" is the lobe; "lungs and heart" are both."""
    known = reading.lexicon.vocabulary
    kept = []
    for id in ids:
        if not id.startswith('"'):
            own = set(known.parts_closure(id))
            inner = [o for o in ids if o != id and not o.startswith('"') and set(known.parts_closure(o)) < own]
            if inner and not reading.asks("plus"):
                reading.say(f"“{known.get(id).name}” only says where “{known.get(inner[0]).name}” is.")
                continue
        kept.append(id)
    return kept


def _widen(ids: list[str], reading: Reading) -> list[str]:
    """Portions that label sets have only together with their whole (wider.csv)."""
    known = reading.lexicon.vocabulary
    widened = []
    for id in ids:
        wider = reading.lexicon.wider.get(id)
        if wider:
            reading.say(f"“{known.get(id).name}” is answered with “{known.get(wider[0]).name}”: {wider[1]}.")
        widened.append(wider[0] if wider else id)
    return list(dict.fromkeys(widened))


def _as_names(ids: list[str], reading: Reading) -> Chosen:
    known = reading.lexicon.vocabulary
    names = [id[1:] if id.startswith('"') else known.get(id).name for id in ids]
    free = frozenset(id[1:] for id in ids if id.startswith('"'))
    return Chosen(tuple(dict.fromkeys(names)), free)


#: Stages that infer what is meant, where it is not named, and what that is called.
_INFERRED: Mapping[Callable[[Reading], list[str] | None], str] = {
    pointed_at: "what is meant was told by pointing back into the text",
    _condition: "what is meant was told by a disease",
    seat_of_kind: "what is meant was told by a disease",
    part_told_abnormal: "what is meant was told by a part of it",
    seat_around: "what is meant was taken from a disease in the text around it",
    told_as_abnormal: "what is meant was taken from what the text tells as abnormal",
    only_of_kind: "what is meant was taken from the text around it",
    told_with: "what is meant was taken from the text around it",
    described: "what is meant was told by a description",
    generic_group: "what is meant was told as a kind of thing",
    from_context: "what is meant was taken from the text around the request",
    spoken_of: "what is meant is what the text around the request speaks of most",
}
