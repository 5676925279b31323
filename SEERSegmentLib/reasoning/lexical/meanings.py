"""Terms with more than one meaning, and how concepts are called in messages."""

from __future__ import annotations

from collections.abc import Sequence

from ...values import Side
from .items import Item
from .lexicon import Ref
from .mention import Mention
from .outcome import Question
from .reading import Reading

__all__ = ["display_name", "meaning", "noun"]

_CLUES = {"artery": "artery", "arteries": "artery", "arterial": "artery", "vein": "vein", "veins": "vein",
          "venous": "vein", "bone": "bone", "bony": "bone", "muscle": "muscle", "organ": "organ",
          "gland": "gland"}  # fmt: skip


def meaning(mention: Mention, refs: Sequence[Ref], reading: Reading) -> Ref:
    """Which of a term's meanings fits, by what the request calls it and what else the text names.

    Raises
    ------
    Question
        Where that doesn't tell.
    """
    known = reading.lexicon.vocabulary
    clues = {_CLUES[i.norm] for i in reading.request_items if i.norm in _CLUES and not _denied(i, reading)}
    fitting = []
    for ref in refs:
        structures = (
            [known.structures[ref.concept]] if ref.concept in known.structures else list(known.by_concept(ref.concept))
        )
        words = {w for s in structures for w in (*s.name.split(), s.kind)}
        if (
            clues & words
            or ("artery" in clues and words & {"aorta", "trunk"})
            or ("vein" in clues and words & {"cava"})
        ):
            fitting.append(ref)
    if len(fitting) == 1:
        reading.say(
            f"“{mention.text}” has several meanings; the request says which: {fitting[0].concept.replace('_', ' ')}."
        )
        return fitting[0]
    said = _words_said(reading)
    overlap = {ref: len(said & set(display_name(reading, ref).split())) for ref in refs}
    best = [ref for ref in refs if overlap[ref] == max(overlap.values()) and overlap[ref]]
    if len(best) == 1:
        reading.say(f"“{mention.text}” has several meanings; the request says which: {display_name(reading, best[0])}.")
        return best[0]
    regions = _regions(reading, mention)
    near = [r for r in refs if _regions_of(reading, r) & regions]
    if len(near) == 1:
        reading.say(
            f"“{mention.text}” has several meanings; the rest of the text fits {near[0].concept.replace('_', ' ')}."
        )
        return near[0]
    names = [display_name(reading, r) for r in refs]
    raise Question(
        "ambiguous-term",
        f"“{mention.text}” can mean {' or '.join(f'the {n}' for n in names)}.",
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


def _denied(item: Item, reading: Reading) -> bool:
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
