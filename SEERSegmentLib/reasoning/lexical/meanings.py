"""Terms with more than one meaning, and how concepts are called in messages."""

from __future__ import annotations

from collections.abc import Sequence

from ...anatomy import Structure, Vocabulary
from ...values import Side
from .describe import features, load_descriptions
from .items import Item
from .lexicon import Ref
from .mention import Mention
from .outcome import Question
from .reading import Reading

__all__ = ["display_name", "meanings", "noun"]

_CLUES = {"artery": "artery", "arteries": "artery", "arterial": "artery", "vein": "vein", "veins": "vein",
          "venous": "vein", "vessels": "vessel", "bone": "bone", "bony": "bone", "muscle": "muscle", "organ": "organ",
          "gland": "gland"}  # fmt: skip


def meanings(mention: Mention, refs: Sequence[Ref], reading: Reading) -> tuple[Ref, ...]:
    """Which of a term's meanings fit, by what the request calls it and what else the text names; mostly one.

    Raises
    ------
    Question
        Where that doesn't tell.
    """
    known = reading.lexicon.vocabulary
    clues = {_CLUES[i.norm] for i in reading.request_items if i.norm in _CLUES and not _denied(i, reading)}
    clues |= _letters(mention, reading)
    fitting = []
    for ref in refs:
        structures = _structures(known, ref)
        words = {w for s in structures for w in (*s.name.split(), s.kind)}
        if (
            clues & words
            or ("artery" in clues and words & {"aorta", "trunk"})
            or ("vein" in clues and words & {"cava"})
        ):
            fitting.append(ref)
    if len(fitting) > 1 and any(i.norm == "vessels" for i in reading.request_items):
        return tuple(fitting)  # "all four iliac vessels"
    if len(fitting) == 1:
        reading.say(
            f"“{mention.text}” has several meanings; the request says which: {fitting[0].concept.replace('_', ' ')}."
        )
        return (fitting[0],)
    denied = _words_denied(reading)
    left = [ref for ref in refs if not (set(display_name(reading, ref).split()) - _common(refs, reading)) & denied]
    if len(left) == 1:
        reading.say(
            f"“{mention.text}” has several meanings; the others are not meant: {display_name(reading, left[0])}."
        )
        return (left[0],)
    said = _words_said(reading)
    overlap = {ref: _said_of(ref, refs, said, reading) for ref in refs}
    best = [ref for ref in refs if overlap[ref]]
    most = max(map(len, overlap.values()))
    apart = len({word for ref in best for word in overlap[ref]}) == sum(len(overlap[ref]) for ref in best)
    best = best if apart else [ref for ref in best if len(overlap[ref]) == most]
    if best and (apart or len(best) == 1):  # "med and min gluteus" are two
        told = " and ".join(display_name(reading, ref) for ref in best)
        reading.say(f"“{mention.text}” has several meanings; the request says which: {told}.")
        return tuple(best)
    if (group := _group_of(refs, mention, reading)) is not None:
        return (group,)
    if (common := _shared_with_another(refs, mention, reading)) is not None:
        reading.say(f"“{mention.text}” has several meanings; what stands with it fits {display_name(reading, common)}.")
        return (common,)
    if (alike := _like_its_neighbours(refs, mention, reading)) is not None:
        reading.say(
            f"“{mention.text}” has several meanings; what it is listed with fits {display_name(reading, alike)}."
        )
        return (alike,)
    if (tied := _tied_to_its_neighbours(refs, mention, reading)) is not None:
        reading.say(
            f"“{mention.text}” has several meanings; what it is listed with belongs to {display_name(reading, tied)}."
        )
        return (tied,)
    seats = {c for clause in reading.clauses for i in clause.items if i.disease for c in i.disease.structures}
    seated = [ref for ref in refs if ref.concept in seats]
    if len(seated) == 1:
        reading.say(
            f"“{mention.text}” has several meanings; what the text tells of fits {display_name(reading, seated[0])}."
        )
        return (seated[0],)
    said_regions = {_REGION_WORDS[i.norm] for i in reading.request_items if i.norm in _REGION_WORDS}
    regions = said_regions or _regions(reading, mention)
    near = [r for r in refs if _regions_of(reading, r) & regions]
    if len(near) == 1:
        reading.say(
            f"“{mention.text}” has several meanings; the rest of the text fits {near[0].concept.replace('_', ' ')}."
        )
        return (near[0],)
    if (likely := _told_best(refs, reading)) is not None:
        reading.say(
            f"“{mention.text}” has several meanings; most of the text fits the {display_name(reading, likely)}."
        )
        reading.doubts.append(f"which meaning of “{mention.text}” is meant was taken from the text around it")
        return (likely,)
    names = [display_name(reading, r) for r in refs]
    raise Question(
        "ambiguous-term",
        f"“{mention.text}” can mean {' or '.join(f'the {n}' for n in names)}.",
        "Which one do you mean?",
        tuple(names),
    )


def _told_best(refs: Sequence[Ref], reading: Reading) -> Ref | None:
    """The meaning of which the tables tell most of what the text says, if clearly."""
    table = load_descriptions()
    said = {f for c in (*reading.request, *reading.context[-40:]) for f in features(c.items, structures=False)}
    scores = {r: sum(table.weights.get(f, 0.0) for f in said & table.about.get(r.concept, set())) for r in refs}
    first, second, *_ = sorted(scores.values(), reverse=True)
    return max(scores, key=lambda r: scores[r]) if first > _CLEARLY * second and first > _TELLING else None


_CLEARLY, _TELLING = 1.3, 4.0


def _letters(mention: Mention, reading: Reading) -> set[str]:
    """ "subclavian a.", "brachiocephalic v." """
    items = reading.clauses[mention.clause].items if 0 <= mention.clause < len(reading.clauses) else ()
    after = [i.norm for i in items[mention.at + 1 : mention.at + 2]]
    return {_LETTERS[word] for word in after if word in _LETTERS}


_LETTERS = {"a": "artery", "aa": "artery", "art": "artery", "v": "vein", "vv": "vein"}
_SAME = {"upper": "superior", "top": "superior", "above": "superior", "lower": "inferior", "bottom": "inferior",
         "below": "inferior", "between": "medius", "middle": "medius", "biggest": "maximus", "largest": "maximus",
         "superficial": "maximus", "outermost": "maximus", "smallest": "minimus", "deepest": "minimus",
         "innermost": "minimus"}  # fmt: skip


def _said_of(ref: Ref, refs: Sequence[Ref], said: set[str], reading: Reading) -> set[str]:
    """Words of a meaning's name that no other meaning has and that the request says, if only their beginning."""
    others = {w for r in refs if r != ref for w in display_name(reading, r).split()}
    own = set(display_name(reading, ref).split()) - others
    return {word for word in own if any(word.startswith(s) and (len(s) > 2 or s == word) for s in said)}


def _group_of(refs: Sequence[Ref], mention: Mention, reading: Reading) -> Ref | None:
    """ "all gluteals": the group that is made of just the meanings, where all of them are asked for."""
    if not (mention.quantified or mention.item.plural or mention.item.norm.endswith("s")):
        return None
    known = reading.lexicon.vocabulary
    leaves = {leaf for ref in refs for s in _structures(known, ref) for leaf in known.parts_closure(s.id)}
    for structure in known.structures.values():
        whole = structure.kind == "group" and structure.side is Side.NONE
        if whole and set(known.parts_closure(structure.id)) == leaves:
            return Ref(structure.id)
    return None


def _shared_with_another(refs: Sequence[Ref], mention: Mention, reading: Reading) -> Ref | None:
    """ "PV/SV": of two terms with several meanings side by side, the meanings that one structure holds together."""
    wider = reading.lexicon.wider
    for other in reading.mentions:
        if other is mention or other.clause != mention.clause or abs(other.at - mention.at) > 3:
            continue
        theirs = {wider[r.concept][0] for r in other.item.refs if r.concept in wider}
        fitting = [r for r in refs if r.concept in wider and wider[r.concept][0] in theirs]
        if len(fitting) == 1:
            return fitting[0]
    return None


def _like_its_neighbours(refs: Sequence[Ref], mention: Mention, reading: Reading) -> Ref | None:
    """ "innominate, left carotid, left subclavian": the meaning that is what the rest of the list is, an artery."""
    known = reading.lexicon.vocabulary
    listed = [m for m in reading.of("structure") if m is not mention and m.clause == mention.clause]
    sorts = {_sort(known, m.item.refs[0]) for m in listed if len(m.item.refs) == 1}
    fitting = [ref for ref in refs if _sort(known, ref) in sorts]
    return fitting[0] if len(sorts) == 1 and sorts != {""} and len(fitting) == 1 else None


def _tied_to_its_neighbours(refs: Sequence[Ref], mention: Mention, reading: Reading) -> Ref | None:
    """ "both brachiocephalic veins and the cava": the meaning of which the tables tell what the list names."""
    table = load_descriptions()
    listed = {
        f"@{ref.concept}"
        for m in reading.of("structure")
        if m is not mention and m.clause == mention.clause and len(m.item.refs) == 1
        for ref in m.item.refs
    }
    known = reading.lexicon.vocabulary
    names = {name: known.structures.get(name[1:]) for name in listed}
    listed |= {f"@{known.get(part).concept}" for own in names.values() if own is not None for part in own.parts}
    tied = [ref for ref in refs if listed & table.about.get(ref.concept, set())]
    return tied[0] if len(tied) == 1 else None


_REGION_WORDS = {"abdominal": "abdomen", "thoracic": "thorax", "pelvic": "pelvis", "intrathoracic": "thorax",
                 "intraabdominal": "abdomen"}  # fmt: skip


def _sort(known: Vocabulary, ref: Ref) -> str:
    """Artery, vein, bone or muscle."""
    structures = _structures(known, ref)
    words = {word for s in structures for word in s.name.split()}
    if words & _ARTERIAL:
        return "artery"
    if words & _VENOUS:
        return "vein"
    kinds = {k for s in structures for k in (s.kind, *(known.get(part).kind for part in s.parts))}
    return next((kind for kind in ("bone", "muscle") if kind in kinds), "")


_ARTERIAL = frozenset({"artery", "arteries", "aorta", "trunk"})
_VENOUS = frozenset({"vein", "veins", "cava"})


def _structures(known: Vocabulary, ref: Ref) -> list[Structure]:
    own = known.structures.get(ref.concept)
    return [own] if own else list(known.by_concept(ref.concept))


def _words_said(reading: Reading) -> set[str]:
    """Words of the request that no negation stands before."""
    said = set()
    for clause in reading.request:
        for at, item in enumerate(clause.items):
            if not any(i.kinds & {"not", "except"} for i in clause.items[max(0, at - 3) : at]):
                said.update(item.norm.split())
    return said | {_SAME[word] for word in said if word in _SAME}


def _words_denied(reading: Reading) -> set[str]:
    """Words of the request right after a negation: "I do not mean the upper one"."""
    said = {
        word
        for clause in reading.request
        for at, item in enumerate(clause.items)
        if any(i.kinds & {"not", "except"} for i in clause.items[max(0, at - 3) : at])
        for word in item.norm.split()
    }
    return said | {_SAME[word] for word in said if word in _SAME}


def _common(refs: Sequence[Ref], reading: Reading) -> set[str]:
    """Words that all meanings' names have."""
    return set.intersection(*(set(display_name(reading, ref).split()) for ref in refs))


def _denied(item: Item, reading: Reading) -> bool:
    return any(m.item is item and m.role == "excluded" for m in reading.mentions)


def _regions(reading: Reading, mention: Mention) -> set[str]:
    found: set[str] = set()
    for clause in reading.clauses:
        for item in clause.items:
            if item is mention.item or _denied(item, reading):
                continue
            for ref in item.refs if len(item.refs) == 1 else ():
                found |= _regions_of(reading, ref)
            if item.disease:
                for concept in item.disease.structures:
                    found |= _regions_of(reading, Ref(concept))
    return found


def _regions_of(reading: Reading, ref: Ref) -> set[str]:
    known = reading.lexicon.vocabulary
    own = known.structures.get(ref.concept)
    return {r for s in ((own,) if own else known.by_concept(ref.concept)) for r in s.regions}


def display_name(reading: Reading, ref: Ref) -> str:
    known = reading.lexicon.vocabulary
    found = known.structure_for(ref.concept, ref.side, ref.level)
    return found.name if found else noun(reading, ref)


def noun(reading: Reading, ref: Ref) -> str:
    """A concept's name without a side: "kidney", "7th rib"."""
    for structure in reading.lexicon.vocabulary.by_concept(ref.concept):
        if structure.side is not Side.NONE and (not ref.level or structure.level == ref.level):
            return structure.name.removeprefix(f"{structure.side.value} ")
    own = reading.lexicon.vocabulary.structures.get(ref.concept)
    return own.name if own else ref.concept.replace("_", " ")
