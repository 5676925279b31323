"""From a mention to structures of the vocabulary: which meaning, which side, which levels."""

from __future__ import annotations

from collections.abc import Sequence

from ...anatomy import Structure
from ...values import Modality, Side
from .levels import SEQUENCE
from .lexicon import Ref
from .outcome import Question
from .reading import Reading
from .scope import Mention, SideWord

__all__ = ["Found", "resolve", "resolve_ref", "side_for", "with_article"]


class Found(tuple[str, ...]):
    """Ids of the vocabulary, or free text in ``"…"`` that it lacks."""

    __slots__ = ()


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
    ref = refs[0] if len(refs) == 1 else _meaning(mention, refs, reading)
    return resolve_ref(ref, mention, reading, excluded=excluded)


def resolve_ref(ref: Ref, mention: Mention, reading: Reading, *, excluded: bool = False) -> list[str]:
    """Ids of one meaning, with the side that is said beside it."""
    known = reading.lexicon.vocabulary
    own = known.structures.get(ref.concept)
    if own is not None and own.concept == own.id and own.side is Side.NONE and not known.needs_side(own.id):
        return _single(own, ref, mention, reading, excluded)
    if own is not None and own.side is not Side.NONE:
        ref = Ref(own.concept, own.side, own.level)
    if own is not None and own.concept != own.id and own.side is Side.NONE:
        return [own.id]
    structures = [s for s in known.by_concept(ref.concept) if not ref.level or s.level == ref.level]
    sided = {s.side: s for s in structures if s.side is not Side.NONE}
    if not sided:
        return [s.id for s in structures]
    if len(sided) == 1:
        return _one_sided(next(iter(sided.values())), mention, reading, ref)
    side = side_for(mention, reading, ref, excluded=excluded)
    if side is None:
        both = known.both(ref.concept, ref.level)
        return [both.id] if both else sorted(s.id for s in sided.values())
    return [sided[side].id]


def _single(own: Structure, ref: Ref, mention: Mention, reading: Reading, excluded: bool) -> list[str]:
    """A structure there is one of, or a group; a side said with a group picks that side's part of it."""
    values = [s.value for s in mention.sides if s.value in ("left", "right") and not s.negated]
    if excluded and not values or not values:
        _check_gone(own.concept, Side.NONE, mention, reading)
        return [own.id]
    side = _agreed(mention, reading, own.name)
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


def _one_sided(own: Structure, mention: Mention, reading: Reading, ref: Ref) -> list[str]:
    """A structure that only one side has, or of which only one side is in the vocabulary."""
    values = {s.value for s in mention.sides if s.value in ("left", "right") and not s.negated}
    if ref.side is not Side.NONE:
        values.discard(ref.side.value)
    inherited = _anchor_sides(mention, reading)
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
            "no-such-structure", f"There is no {other} {own.name.split(' ', 1)[1]} here.", f"Do you want the {own.name}?", (own.name,)
        )
    return [own.id]


# -------------------------------------------------------------------------------------------------------------- sides


def side_for(mention: Mention, reading: Reading, ref: Ref, *, excluded: bool = False) -> Side | None:
    """The side of a paired structure; None for both. Raises Question where it is contradictory or can't be told."""
    concept = ref.concept
    noun = _noun(reading, ref)
    if ref.side is not Side.NONE:
        said = {s.value for s in mention.sides if s.value in ("left", "right") and not s.negated}
        if said and said != {ref.side.value}:
            raise _contradiction(mention, noun)
        _check_gone(concept, ref.side, mention, reading)
        return ref.side
    positive = [s for s in mention.sides if not s.negated]
    if any(s.value == "both" for s in positive):
        return None
    side = _agreed(mention, reading, noun)
    if side is None and {"left", "right"} <= {s.value for s in positive}:
        return None
    if side is not None and side is not Side.NONE:
        _check_gone(concept, side, mention, reading)
        return side
    negated = {s.value for s in (*mention.sides, *reading.sides) if s.negated and s.value in ("left", "right")}
    if len(negated) == 1 and not excluded:
        side = Side(negated.pop()).opposite
        if not (mention.item.plural or mention.quantified) or True:
            reading.say(f"The {side.opposite.value} one is not wanted, so the {side.value} {noun} is meant.")
            return side
    other = [s for s in (*positive, *(x for x in reading.sides if not x.used)) if s.value in ("other", "same")]
    if other:
        return _other_side(mention, reading, concept, noun, other[-1])
    if gone := _gone_side(concept, reading):
        reading.say(f"The {gone.opposite.value} {noun} is what is left.") if False else None
        reading.say(f"The {gone.value} {noun} is gone, so the {gone.opposite.value} one is meant.")
        return gone.opposite
    anchors = _anchor_sides(mention, reading)
    if len(anchors) == 1:
        side = Side(anchors.pop())
        reading.say(f"The side comes from what it is told by: {side.value}.")
        return side
    if mention.joined_to is not None and (inherited := _side_of_joined(mention.joined_to)):
        reading.say(f"“{mention.text}” takes the side said before it: {inherited.value}.")
        return inherited
    if excluded or mention.item.plural or mention.quantified or _plural_term(reading, mention):
        return None
    return _side_from_text(mention, reading, concept, noun)


def _plural_term(reading: Reading, mention: Mention) -> bool:
    return any(s.value == "both" for s in reading.sides if s.segment == mention.segment and not s.used)


def _agreed(mention: Mention, reading: Reading, noun: str) -> Side | None:
    """The side that the words beside a mention agree on; NONE without words, None where both are meant."""
    words = [s for s in mention.sides if s.value in ("left", "right") and not s.negated]
    if not words:
        return Side.NONE
    patient = [s for s in words if s.frame == "patient"]
    if patient:
        words = patient
    elif any(s.frame == "screen" for s in words):
        screen = [s for s in words if s.frame == "screen"]
        values = {s.value for s in screen}
        if len(values) == 1:
            side = Side(values.pop()).opposite
            reading.say(
                f"“{screen[0].text}” is the screen's side; in radiological display that is the patient's {side.value}."
            )
            return side
    values = {s.value for s in words}
    if len(values) == 1:
        return Side(values.pop())
    joint = _between_words(words, reading, mention)
    if joint == "or":
        raise Question(
            "alternatives",
            f"The request leaves open which {noun}: {words[0].text} or {words[-1].text}.",
            f"Which {noun} do you want: left, right, or both?",
            _both_ways(noun),
        )
    if joint == "and":
        return None
    raise _contradiction(mention, noun)


def _contradiction(mention: Mention, noun: str) -> Question:
    words = " and ".join(f"“{s.text}”" for s in mention.sides if s.value in ("left", "right")) or f"“{mention.text}”"
    return Question(
        "side-contradictory",
        f"The request names both sides for one {noun}: {words} with “{mention.text}”.",
        f"Which side is meant: the left {noun} or the right {noun}?",
        _both_ways(noun),
    )


def _both_ways(noun: str) -> tuple[str, ...]:
    return f"left {noun}", f"right {noun}", f"both sides: left {noun} and right {noun}"


def _between_words(words: Sequence[SideWord], reading: Reading, mention: Mention) -> str:
    """How two opposite side words are joined: "and", "or", or not at all."""
    clause = reading.clauses[mention.clause]
    first, last = sorted((words[0].at, words[-1].at))
    between = clause.items[first + 1 : last]
    if any("or" in i.kinds for i in between):
        return "or"
    if any("plus" in i.kinds or i.norm in ("then", "separately") or i.text in ("+", "&") for i in between):
        return "and"
    if any(i.text == "/" for i in between) and last - first <= 2:
        return "and" if mention.item.plural or mention.quantified else "or"
    if any(i.text in (",", ";") for i in between) and mention.item.plural:
        return "and"
    return ""


def _anchor_sides(mention: Mention, reading: Reading) -> set[str]:
    """Sides of what a mention is described by: "the gland above the right kidney"."""
    found: set[str] = set()
    for anchor in reading.mentions:
        if anchor.head is mention and anchor.role == "anchor":
            found |= {s.value for s in anchor.sides if s.value in ("left", "right") and not s.negated}
            found |= {ref.side.value for ref in anchor.item.refs if ref.side is not Side.NONE}
    return found


def _side_of_joined(mention: Mention) -> Side | None:
    seen: Mention | None = mention
    while seen is not None:
        values = {s.value for s in seen.sides if s.value in ("left", "right") and not s.negated}
        values |= {ref.side.value for ref in seen.item.refs if ref.side is not Side.NONE}
        if len(values) == 1:
            return Side(values.pop())
        seen = seen.joined_to
    return None


def _other_side(mention: Mention, reading: Reading, concept: str, noun: str, word: SideWord) -> Side:
    known = _gone_side(concept, reading)
    sides = [known] if known else _sides_in_text(reading)
    distinct = list(dict.fromkeys(sides))
    if not distinct:
        raise Question(
            "reference-missing",
            f"“{word.text}” refers to a side that the request doesn't name.",
            f"Which {noun} do you want: left or right?",
            _both_ways(noun)[:2],
        )
    if len(distinct) > 1 and known is None:
        raise Question(
            "reference-missing", f"It isn't clear which side “{word.text}” refers to.", f"Which {noun} do you want?", _both_ways(noun)[:2]
        )
    side = distinct[0] if word.value == "same" else distinct[0].opposite
    reading.say(f"“{word.text}”: the text speaks of the {distinct[0].value} side, so the {side.value} {noun} is meant.")
    return side


def _sides_in_text(reading: Reading) -> list[Side]:
    found = []
    for clause in reading.clauses:
        if clause.role.value in ("quoted", "steering"):
            continue
        for item in clause.items:
            if item.value("side") in ("left", "right"):
                found.append(Side(item.value("side")))
            found += [ref.side for ref in item.refs[:1] if ref.side is not Side.NONE]
    return found


def _gone_side(concept: str, reading: Reading) -> Side | None:
    for gone in reading.gone:
        if gone.side is not Side.NONE and gone.concept in (concept, "*"):
            return gone.side
    return None


def _check_gone(concept: str, side: Side, mention: Mention, reading: Reading) -> None:
    for gone in reading.gone:
        if gone.concept == concept and gone.side is side and mention.role == "wanted" and _plainly(gone.words):
            where = f"{side.value} " if side is not Side.NONE else ""
            raise Question(
                "structure-removed",
                f"The text says that the {where}{concept.replace('_', ' ')} was removed (“{gone.words}”).",
                f"Do you still want the {where}{mention.text}, or another structure?",
                (f"{side.opposite.value} {concept.replace('_', ' ')}",) if side is not Side.NONE else (),
            )


def _plainly(words: str) -> bool:
    return "ectomy" in words.casefold() or "removed" in words.casefold()


def _side_from_text(mention: Mention, reading: Reading, concept: str, noun: str) -> Side:
    """No side beside the mention: the one told of the same structure, or the only one the text speaks of."""
    for strictness in (2, 1, 0):  # told as abnormal, not told as normal, any
        for clause in reversed(reading.clauses):
            if clause.role.value in ("quoted", "steering"):
                continue
            if (strictness and clause.has("normal")) or (strictness == 2 and not clause.has("abnormal", "disease")):
                continue
            sides = set()
            for at, item in enumerate(clause.items):
                same = any(r.concept == concept for r in item.refs) or (item.disease is not None and concept in item.disease.structures)
                if same:
                    sides |= {r.side for r in item.refs if r.side is not Side.NONE}
                    near = [i.value("side") for i in clause.items[max(0, at - 3) : at + 4]]
                    sides |= {Side(v) for v in near if v in ("left", "right")}
            if len(sides) == 1:
                side = sides.pop()
                reading.say(f"The side of the {noun} comes from “{clause.text.strip()[:80]}”: {side.value}.")
                return side
    everywhere = set(_sides_in_text(reading))
    if len(everywhere) == 1:
        side = everywhere.pop()
        reading.say(f"The text speaks of the {side.value} side only, so the {side.value} {noun} is meant.")
        return side
    raise Question(
        "side-needed",
        f"The request doesn't say which {noun} is meant.",
        f"Which {noun} do you want: left, right, or both?",
        _both_ways(noun),
    )


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
            f"There is no {name if kind != 'rib' else name + 'th'} {kind}: the usual spine has C1–C7, T1–T12, L1–L5 and S1–S5,"
            " with 12 pairs of ribs.",
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


_CLUES = {"artery": "artery", "arteries": "artery", "arterial": "artery", "vein": "vein", "veins": "vein", "venous": "vein",
          "bone": "bone", "bony": "bone", "muscle": "muscle", "organ": "organ", "gland": "gland"}  # fmt: skip


def _meaning(mention: Mention, refs: Sequence[Ref], reading: Reading) -> Ref:
    """Which of a term's meanings fits: by what the request calls it, by the text's other structures, else a question."""
    known = reading.lexicon.vocabulary
    clues = {_CLUES[i.norm] for i in reading.request_items if i.norm in _CLUES and not _denied(i, reading)}
    fitting = []
    for ref in refs:
        structures = [known.structures[ref.concept]] if ref.concept in known.structures else list(known.by_concept(ref.concept))
        words = {w for s in structures for w in (*s.name.split(), s.kind)}
        if clues & words or ("artery" in clues and words & {"aorta", "trunk"}) or ("vein" in clues and words & {"cava"}):
            fitting.append(ref)
    if len(fitting) == 1:
        reading.say(f"“{mention.text}” has several meanings; the request says which: {fitting[0].concept.replace('_', ' ')}.")
        return fitting[0]
    said = _words_said(reading)
    overlap = {ref: len(said & set(_display(reading, ref).split())) for ref in refs}
    best = [ref for ref in refs if overlap[ref] == max(overlap.values()) and overlap[ref]]
    if len(best) == 1:
        reading.say(f"“{mention.text}” has several meanings; the request says which: {_display(reading, best[0])}.")
        return best[0]
    regions = _regions(reading, mention)
    near = [r for r in refs if _regions_of(reading, r) & regions]
    if len(near) == 1:
        reading.say(f"“{mention.text}” has several meanings; the rest of the text fits {near[0].concept.replace('_', ' ')}.")
        return near[0]
    names = [_display(reading, r) for r in refs]
    raise Question(
        "ambiguous-term",
        f"“{mention.text}” can mean {' or '.join(with_article(n) for n in names)}.",
        "Which one do you mean?",
        tuple(names),
    )


def _words_said(reading: Reading) -> set[str]:
    """Words of the request that no negation stands before."""
    said = set()
    for clause in reading.request:
        for at, item in enumerate(clause.items):
            if not any(i.kinds & {"not", "except"} for i in clause.items[max(0, at - 3) : at]):
                said.update(item.norm.split())
    return said


def _denied(item: object, reading: Reading) -> bool:
    return any(m.item is item and m.role == "excluded" for m in reading.mentions)


def _regions(reading: Reading, mention: Mention) -> set[str]:
    found: set[str] = set()
    for clause in reading.clauses:
        for item in clause.items:
            if item is mention.item:
                continue
            for ref in item.refs[:1]:
                found |= _regions_of(reading, ref)
            if item.disease:
                for concept in item.disease.structures:
                    found |= _regions_of(reading, Ref(concept))
    return found


def _regions_of(reading: Reading, ref: Ref) -> set[str]:
    known = reading.lexicon.vocabulary
    own = known.structures.get(ref.concept)
    return {r for s in ((own,) if own else known.by_concept(ref.concept)) for r in s.regions}


def _display(reading: Reading, ref: Ref) -> str:
    known = reading.lexicon.vocabulary
    found = known.structure_for(ref.concept, ref.side, ref.level)
    return found.name if found else _noun(reading, ref)


def _noun(reading: Reading, ref: Ref) -> str:
    """A concept's name without a side: "kidney", "7th rib"."""
    for structure in reading.lexicon.vocabulary.by_concept(ref.concept):
        if structure.side is not Side.NONE and (not ref.level or structure.level == ref.level):
            return structure.name.removeprefix(f"{structure.side.value} ")
    own = reading.lexicon.vocabulary.structures.get(ref.concept)
    return own.name if own else ref.concept.replace("_", " ")


def with_article(name: str) -> str:
    return f"the {name}"


def _outside(mention: Mention, reading: Reading) -> str:
    """Free text for a real structure that the vocabulary lacks, with its side."""
    name = mention.item.value("outside")
    side = _agreed(mention, reading, name)
    prefix = f"{side.value} " if side not in (None, Side.NONE) and side.value not in name.split() else ""
    return f'"{prefix}{name}'


def modality_word(modality: Modality) -> str:
    return {Modality.CT: "CT", Modality.MR: "MR"}.get(modality, "the image")


LEVEL_ORDER = SEQUENCE
