"""The two values of the vocabulary: a structure, and a term that names one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ..values import RGB, Modality, Side, Terminology

__all__ = ["COLLECTIONS", "KINDS", "Entry", "Structure"]

_ANATOMY = {"organ", "bone", "joint", "vessel", "muscle", "nerve", "gland", "cartilage", "ligament", "duct", "airway"}
KINDS = frozenset(_ANATOMY | {"tissue", "fluid", "space", "region", "lesion", "object", "group"})

COLLECTIONS = frozenset({"group", "region"})
"""Kinds that are a collection of their parts: what a label set has of the parts is what it has of the whole."""


@dataclass(frozen=True)
class Structure:
    """One thing that can be asked for.

    Attributes
    ----------
    id : str
        TotalSegmentator's class name where it has the structure, else snake_case.
    name : str
        Preferred name, the one shown and rendered: ``"left kidney"``.
    concept : str
        The unsided, unlevelled idea: ``"kidney"``, ``"rib"``. Equal to ``id`` for single structures and groups.
    level : str
        ``"L1"`` for a vertebra, ``"7"`` for a rib, ``"L4/L5"`` for a disc, else empty.
    kind : str
        One of :data:`KINDS`.
    code_is_parent : bool
        The code is that of the nearest parent concept, as no code of its own could be confirmed.
    regions : tuple[str, ...]
        Of head, neck, thorax, abdomen, pelvis, upper limb, lower limb.
    span : tuple[float, float]
        Top and bottom on the scale of :mod:`.levels`: where the structure normally lies, normal variation included.
    volume_ml : tuple[float, float]
        Plausible volume of the complete adult structure, common disease included.
    parts, parents : tuple[str, ...]
        Ids. ``parents`` is derived from ``parts``.
    modalities : frozenset[Modality]
        Where it can be segmented meaningfully.
    lies_on : Side
        The side of the patient where most of it lies; its own side for sided structures.
    ts_ct, ts_mr : tuple[str, ...]
        Classes of TotalSegmentator's tasks ``total`` and ``total_mr`` that are this structure.
    stand_in : str
        Id of the structure that a reader takes instead where a label set has no class of this one: the aorta for the
        thoracic aorta, the portal and splenic vein for the portal vein. Empty where the larger one would be wrong.
    """

    id: str
    name: str
    concept: str
    side: Side
    level: str
    kind: str
    terminology: Terminology
    code_is_parent: bool
    colour: RGB
    regions: tuple[str, ...]
    span: tuple[float, float]
    volume_ml: tuple[float, float]
    parts: tuple[str, ...]
    parents: tuple[str, ...]
    modalities: frozenset[Modality]
    lies_on: Side
    ts_ct: tuple[str, ...] = ()
    ts_mr: tuple[str, ...] = ()
    stand_in: str = ""

    @property
    def midline(self) -> bool:
        """Whether it lies in, or evenly about, the midline."""
        return self.lies_on is Side.NONE

    @property
    def code(self) -> str:
        """Value of the SNOMED CT code of the type."""
        return self.terminology.type.value


class Entry(NamedTuple):
    """A term and what it names.

    ``concept_or_id`` with ``side`` and ``level`` finds the structure: RK is the concept kidney on the right side, "7th
    rib" the concept rib at level 7. ``ambiguous`` marks a term that has more than one entry, each a different meaning.
    """

    concept_or_id: str
    term: str
    kind: str = "synonym"
    language: str = "en"
    ambiguous: bool = False
    side: Side = Side.NONE
    level: str = ""
    note: str = ""
