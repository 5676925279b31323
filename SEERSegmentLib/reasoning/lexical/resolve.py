"""From a mention to structures of the vocabulary: which meaning, which side, which levels."""

from __future__ import annotations

from ...anatomy import Structure, Vocabulary
from ...values import Side
from .lexicon import Ref
from .meanings import meanings
from .mention import Mention
from .outcome import Question
from .reading import Reading
from .sides import agreed_side, anchor_sides, check_not_gone, side_for
from .text import word_set

__all__ = ["resolve", "resolve_ref"]


def resolve(mention: Mention, reading: Reading, *, excluded: bool = False) -> list[str]:
    """Ids that a mention means; free text is given with a leading ``"=``.

    Raises
    ------
    Question
        Where a side is missing or contradictory, a level doesn't exist, or a term has several meanings.
    """
    if mention.kind == "outside":
        return [_outside(mention, reading)]
    counted = mention.item.counted
    if counted is not None:
        return _counted(mention, reading, excluded)
    refs = mention.item.refs
    fitting = refs if len(refs) == 1 else meanings(mention, refs, reading)
    return [id for ref in fitting for id in resolve_ref(ref, mention, reading, excluded=excluded)]


def resolve_ref(ref: Ref, mention: Mention, reading: Reading, *, excluded: bool = False) -> list[str]:
    """Ids of one meaning, with the side that is said beside it."""
    known = reading.lexicon.vocabulary
    own = known.structures.get(ref.concept)
    told = known.structure_for(ref.concept, ref.side, ref.level) if ref.side is not Side.NONE else None
    pair = own is not None and ref.side is Side.NONE and not excluded and _is_pair(own, known)
    if own is not None and pair and not mention.each_side and (left := _what_is_left(own, reading)):
        return [left]
    if own is not None and pair and _one_by_one(mention, reading):
        return list(own.parts)
    if told is not None and own is not None:  # a side of a group that has a name: "left gluteal muscles"
        side_for(mention, reading, ref, excluded=excluded)
        return [told.id]
    if own is not None and own.concept == own.id and own.side is Side.NONE and not known.needs_side(own.id):
        return _single(own, ref, mention, reading, excluded)
    if own is not None and own.side is not Side.NONE:
        ref = Ref(own.concept, own.side, own.level)
    if own is not None and own.concept != own.id and own.side is Side.NONE:
        return [own.id]
    structures = [s for s in known.by_concept(ref.concept) if not ref.level or s.level == ref.level]
    sided: dict[Side, Structure] = {s.side: s for s in structures if s.side is not Side.NONE}
    if not sided:
        return [s.id for s in structures]
    if len(sided) == 1:
        return _one_sided(next(iter(sided.values())), mention, reading, ref)
    side = side_for(mention, reading, ref, excluded=excluded)
    if side is None:
        if _one_by_one(mention, reading) and not excluded:
            return [sided[s].id for s in (Side.LEFT, Side.RIGHT)]
        both = known.both(ref.concept, ref.level)
        return [both.id] if both else sorted(s.id for s in sided.values())
    return [sided[side].id]


def _is_pair(own: Structure, known: Vocabulary) -> bool:
    parts = [known.get(part) for part in own.parts]
    return [part.side for part in parts] == [Side.LEFT, Side.RIGHT] and parts[0].concept == parts[1].concept


def _what_is_left(own: Structure, reading: Reading) -> str | None:
    """The one of a pair that is left where the text says that there is only one."""
    parts = [reading.lexicon.vocabulary.get(part) for part in own.parts]
    gone = {g.side for g in reading.gone if g.concept == parts[0].concept and g.words.casefold().startswith(_ONLY)}
    left = [part for part in parts if part.side not in gone]
    if len(left) != 1:
        return None
    reading.say(f"The text tells of one only, so the {left[0].name} is meant.")
    return left[0].id


_ONLY = ("solitary", "single", "sole")


def _one_by_one(mention: Mention, reading: Reading) -> bool:
    """Whether a pair is to be two segments, so that each side can be checked and measured; a bare plural is one."""
    return mention.each_side or any(item.norm in _APART for item in reading.request_items)


_APART = word_set("separate separately individually apart")


def _single(own: Structure, ref: Ref, mention: Mention, reading: Reading, excluded: bool) -> list[str]:
    """A structure there is one of, or a group; a side said with a group picks that side's part of it."""
    values = [s.value for s in mention.sides if s.value in ("left", "right") and not s.negated]
    if not excluded and own.kind == "organ" and not own.parts and _in_two(mention):
        raise Question(
            "side-not-applicable",
            f"There is one {own.name}, not one on each side.",
            f"Do you want the {own.name}?",
            (own.name,),
        )
    if (excluded and not values) or not values:
        check_not_gone(own.concept, Side.NONE, mention, reading)
        return [own.id]
    side = agreed_side(mention, reading, own.name)
    if side is None:
        return [own.id]
    known = reading.lexicon.vocabulary
    parts = [known.get(p) for p in own.parts]
    same = [p.id for p in parts if p.side is side]
    if same:
        return same
    leaves = [known.get(p) for p in known.parts_closure(own.id)]
    same = [p.id for p in leaves if p.side is side]
    if same and own.parts:
        return same
    close = any(abs(s.at - mention.at) <= 1 and s.segment == mention.segment for s in mention.sides)
    if own.kind in ("organ", "gland", "bone") and close and own.lies_on is not side and not excluded:
        raise Question(
            "side-not-applicable",
            f"There is one {own.name}; “{side.value} {own.name}” is not a structure of its own.",
            f"Do you want the whole {own.name}?",
            (own.name,),
        )
    return [own.id]


def _in_two(mention: Mention) -> bool:
    """ "both gallbladders": a plural where there is one."""
    both = [s for s in mention.sides if s.value == "both"]
    return bool(both) and (mention.item.plural or any(s.text.casefold() == "bilateral" for s in both))


def _one_sided(own: Structure, mention: Mention, reading: Reading, ref: Ref) -> list[str]:
    """A structure that only one side has, or of which only one side is in the vocabulary."""
    values = {s.value for s in mention.sides if s.value in ("left", "right") and not s.negated}
    if ref.side is not Side.NONE:
        values.discard(ref.side.value)
    inherited = anchor_sides(mention, reading)
    wanted = values or inherited
    if wanted and own.side.value not in wanted:
        other = next(iter(wanted))
        if own.concept == "lung_middle_lobe":
            raise Question(
                "no-such-structure",
                "The left lung has no middle lobe.",
                "Do you want the right middle lobe, or the left upper lobe with its lingula?",
                ("right middle lung lobe", "left upper lung lobe"),
            )
        raise Question(
            "no-such-structure",
            f"There is no {other} {own.name.split(' ', 1)[1]} here.",
            f"Do you want the {own.name}?",
            (own.name,),
        )
    return [own.id]


# ------------------------------------------------------------------------------------------------- levels and meanings


def _counted(mention: Mention, reading: Reading, excluded: bool) -> list[str]:
    counted = mention.item.counted
    assert counted is not None
    known = reading.lexicon.vocabulary
    if counted.missing:
        name = counted.missing[0]
        kind = {"rib": "rib", "disc": "disc"}.get(counted.kind, "vertebra")
        raise Question(
            "no-such-structure",
            f"There is no {name if kind != 'rib' else name + 'th'} {kind}: the usual spine has C1–C7, T1–T12, L1–L5"
            " and S1–S5, with 12 pairs of ribs.",
            f"Which {kind} do you mean?",
        )
    if counted.letter_d and _about_bowel(reading) and all(int(level[1:]) <= 4 for level in counted.levels):
        reading.say(f"“{mention.text}” are parts of the duodenum here, not thoracic levels.")
        return ["duodenum"]
    ids: list[str] = []
    for level in counted.levels:
        if counted.kind == "rib":
            both = excluded or counted.paired
            ids += resolve_ref(Ref("rib", counted.side, level), mention, reading, excluded=both)
        elif counted.kind == "disc":
            discs = [s for s in known.by_concept("intervertebral_disc") if s.level == level]
            ids += [discs[0].id] if discs else [f'"{level} intervertebral disc']
        else:
            structure = known.structures.get(f"vertebrae_{level}")
            ids.append(structure.id if structure else f'"{level} vertebra')
    return ids


def _about_bowel(reading: Reading) -> bool:
    for item in reading.request_items:
        if item.value("head") == "bowel" or any(r.concept in ("duodenum", "small_bowel") for r in item.refs):
            return True
    return False


def _outside(mention: Mention, reading: Reading) -> str:
    """Free text for a real structure that the vocabulary lacks, with its side."""
    name = mention.item.value("outside")
    side = agreed_side(mention, reading, name)
    prefix = f"{side.value} " if side not in (None, Side.NONE) and side.value not in name.split() else ""
    return f'"{prefix}{name}'
