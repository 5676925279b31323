"""Checks of the anatomy tables: what a reviewer can't see by reading them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..values import Modality
from .labels import label_set
from .structure import KINDS, Structure
from .vocabulary import Vocabulary

__all__ = ["validate"]

REGIONS = frozenset({"head", "neck", "thorax", "abdomen", "pelvis", "upper limb", "lower limb"})


def validate(vocabulary: Vocabulary) -> list[str]:
    """Everything that is wrong with a vocabulary, one sentence each; empty where nothing is."""
    problems = [problem for structure in vocabulary.structures.values() for problem in _structure(structure)]
    problems += [
        f"{structure.id}: unknown stand-in {structure.stand_in}"
        for structure in vocabulary.structures.values()
        if structure.stand_in and structure.stand_in not in vocabulary.structures
    ]
    problems += _parts(vocabulary)
    problems += _terms(vocabulary)
    problems += _label_sets(vocabulary)
    return problems


def _structure(structure: Structure) -> Iterator[str]:
    id, code = structure.id, structure.terminology.type
    if structure.kind not in KINDS:
        yield f"{id}: unknown kind {structure.kind!r}"
    if not (code.value.isdigit() and code.meaning):
        yield f"{id}: no code"
    if not all(0 <= channel <= 255 for channel in structure.colour):
        yield f"{id}: bad colour"
    if not structure.regions or not set(structure.regions) <= REGIONS:
        yield f"{id}: bad regions {structure.regions}"
    if not structure.span[0] < structure.span[1]:
        yield f"{id}: empty span"
    if not 0 < structure.volume_ml[0] < structure.volume_ml[1]:
        yield f"{id}: empty volume range"
    if not structure.modalities:
        yield f"{id}: no modality"
    if any(separator in structure.name for separator in ',;/"'):
        yield f"{id}: the name holds a separator"


def _parts(vocabulary: Vocabulary) -> Iterator[str]:
    for structure in vocabulary.structures.values():
        unknown = [part for part in structure.parts if part not in vocabulary.structures]
        yield from (f"{structure.id}: unknown part {part}" for part in unknown)
        below, open_ids = set[str](), list(structure.parts)
        while open_ids:
            part = open_ids.pop()
            if part not in below and part in vocabulary.structures:
                below.add(part)
                open_ids.extend(vocabulary.structures[part].parts)
        if structure.id in below:
            yield f"{structure.id} is part of itself"


def _terms(vocabulary: Vocabulary) -> Iterator[str]:
    for term, entries in vocabulary.keys.items():
        if not term:
            yield f"an empty term: {entries}"
        if len(entries) > 1 and not all(entry.ambiguous for entry in entries):
            yield f"{term!r} means {[entry.concept_or_id for entry in entries]} and is not marked ambiguous"
        if len(entries) == 1 and entries[0].ambiguous:
            yield f"{term!r} is marked ambiguous and has one meaning"
        for entry in entries:
            if not vocabulary.by_concept(entry.concept_or_id) and entry.concept_or_id not in vocabulary.structures:
                yield f"{term!r} names the unknown {entry.concept_or_id!r}"


def _label_sets(vocabulary: Vocabulary) -> Iterator[str]:
    for modality in (Modality.CT, Modality.MR):
        names = Counter(label_set(modality).values())
        own: Counter[str] = Counter()
        for structure in vocabulary.structures.values():
            classes = structure.ts_mr if modality is Modality.MR else structure.ts_ct
            if len(classes) == 1:
                own.update(classes)
            for name in classes:
                if name not in names:
                    yield f"{structure.id}: {name!r} is no class of TotalSegmentator on {modality.value}"
        for name in names:
            if own[name] != 1:
                yield f"{name!r} on {modality.value} is the class of {own[name]} structures, not of one"
