"""From structures to the class names of a label set, and to its ids."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from ..errors import UsageError
from ..values import Abstention, Modality, Target, TargetSpec
from .structure import COLLECTIONS, Structure
from .tables import read_rows
from .vocabulary import Vocabulary, load_vocabulary

__all__ = ["LABEL_SETS", "has_labels", "label_set", "labels_for", "outside_labels"]

LABEL_SETS: Mapping[str, Mapping[Modality, str]] = {
    "totalsegmentator": {Modality.CT: "totalsegmentator_total", Modality.MR: "totalsegmentator_total_mr"}
}
"""Table of class names by vocabulary and modality (TotalSegmentator 2.18.0, tasks ``total`` and ``total_mr``)."""


@cache
def label_set(modality: Modality, vocabulary: str = "totalsegmentator") -> Mapping[int, str]:
    """Class names by label id.

    Raises
    ------
    UsageError
        If there is no such label set for the modality.
    """
    tables = LABEL_SETS.get(vocabulary)
    if tables is None:
        raise UsageError(f"There is no label vocabulary '{vocabulary}'.", code="unknown-vocabulary")
    if modality not in tables:
        raise UsageError(f"The label vocabulary '{vocabulary}' needs CT or MR.", code="modality-needed")
    rows = read_rows(f"label_sets/{tables[modality]}.csv")
    return MappingProxyType({int(row["id"]): row["name"] for row in rows})


def labels_for(
    wanted: TargetSpec | Target | Structure | str,
    modality: Modality,
    vocabulary: str = "totalsegmentator",
    *,
    stand_in: bool = False,
) -> tuple[str, ...]:
    """Class names, sorted, that together are what is wanted; empty where the label set doesn't have it.

    An organ is all of its parts or nothing; a group is as many of its parts as the label set knows. An unknown
    modality is read as CT, whose label set is the larger.

    Parameters
    ----------
    wanted
        A spec, one of its targets, a structure or a structure's id.
    stand_in
        Where the label set has no class of a structure, give those of the one that a reader takes instead (see
        Structure.stand_in): "aorta" for the thoracic aorta.
    """
    table = label_set(Modality.CT if modality is Modality.UNKNOWN else modality, vocabulary)
    known = load_vocabulary()
    if isinstance(wanted, TargetSpec):
        ids = [target.structure for target in wanted.targets]
    elif isinstance(wanted, Target):
        ids = [wanted.structure]
    else:
        ids = [wanted if isinstance(wanted, str) else wanted.id]
    names: set[str] = set()
    for id in filter(None, ids):
        structure = known.get(id)
        own = _labels(known, structure, modality)
        if not own and stand_in and structure.stand_in:
            own = _labels(known, known.get(structure.stand_in), modality)
        names.update(own)
    return tuple(sorted(names & set(table.values())))


def _labels(known: Vocabulary, structure: Structure, modality: Modality) -> frozenset[str]:
    own = structure.ts_mr if modality is Modality.MR else structure.ts_ct
    if own:
        return frozenset(own)
    parts = [_labels(known, known.get(part), modality) for part in structure.parts]
    if structure.kind not in COLLECTIONS and not all(parts):
        return frozenset()
    return frozenset().union(*parts)


@cache
def has_labels(id: str, modality: Modality) -> bool:
    """Whether the label set of a modality has a structure of the vocabulary, by itself or by its parts."""
    known = load_vocabulary()
    return bool(_labels(known, known.get(id), modality))


def outside_labels(spec: TargetSpec, modality: Modality, vocabulary: str = "totalsegmentator") -> Abstention | None:
    """Why a spec can't be answered within a closed label set; None where it can. Raises as :func:`label_set`."""
    outside = [target.text for target in spec.targets if not labels_for(target, modality, vocabulary)]
    if not outside:
        return None
    return Abstention(
        "outside-vocabulary",
        f"The label set has no {', '.join(outside)}.",
        "Do you want another structure, or a backbone that reads free text?",
    )
