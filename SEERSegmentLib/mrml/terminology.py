"""Coded meaning of a segment (SNOMED CT and its like), as Slicer keeps it, and back."""

from __future__ import annotations

import re
from typing import Any

import slicer
import vtk

from ..values import Code, Terminology

__all__ = ["read_terminology", "set_terminology", "terminology_entry"]

#: Contexts that Slicer itself offers: its own list of categories and types, and DICOM's of regions.
TYPE_CONTEXT = "Segmentation category and type - 3D Slicer General Anatomy list"
REGION_CONTEXT = "Anatomic codes - DICOM master list"


def terminology_entry(terminology: Terminology) -> Any:
    """A vtkSlicerTerminologyEntry; a fresh one each time, since Slicer's own look-ups keep what they don't find."""
    entry = slicer.vtkSlicerTerminologyEntry()
    entry.SetTerminologyContextName(TYPE_CONTEXT)
    _set(entry.GetCategoryObject(), terminology.category)
    _set(entry.GetTypeObject(), terminology.type)
    _set(entry.GetTypeModifierObject(), terminology.modifier)
    renamed = hasattr(entry, "SetRegionContextName")  # before, a region was an "anatomic region"
    if renamed:
        entry.SetRegionContextName(REGION_CONTEXT)
    else:
        entry.SetAnatomicContextName(REGION_CONTEXT)
    region = entry.GetRegionObject() if renamed else entry.GetAnatomicRegionObject()
    region_modifier = entry.GetRegionModifierObject() if renamed else entry.GetAnatomicRegionModifierObject()
    _set(region, terminology.region)
    _set(region_modifier, terminology.region_modifier)
    return entry


def set_terminology(segment: Any, terminology: Terminology | None) -> None:
    """Give a vtkSegment its codes; without any (a free text) it keeps Slicer's default for new segments, "Tissue"."""
    if terminology is None:
        return
    text = slicer.vtkSlicerTerminologiesModuleLogic.SerializeTerminologyEntry(terminology_entry(terminology))
    if hasattr(segment, "SetTerminology"):  # from Slicer 5.10
        segment.SetTerminology(text)
    else:
        segment.SetTag(segment.GetTerminologyEntryTagName(), text)


def read_terminology(segment: Any) -> Terminology | None:
    """The codes of a vtkSegment; None where it has none that name a category and a type."""
    text = vtk.reference("")
    if not segment.GetTag(segment.GetTerminologyEntryTagName(), text):
        return None
    entry = slicer.vtkSlicerTerminologyEntry()
    if not slicer.vtkSlicerTerminologiesModuleLogic.DeserializeTerminologyEntry(str(text), entry):
        return None
    category, kind = _get(entry.GetCategoryObject()), _get(entry.GetTypeObject())
    if category is None or kind is None:
        return None
    renamed = hasattr(entry, "GetRegionObject")
    return Terminology(
        category,
        kind,
        _get(entry.GetTypeModifierObject()),
        _get(entry.GetRegionObject() if renamed else entry.GetAnatomicRegionObject()),
        _get(entry.GetRegionModifierObject() if renamed else entry.GetAnatomicRegionModifierObject()),
    )


def _set(coded: Any, code: Code | None) -> None:
    if code is None:
        return
    scheme, value, meaning = (_plain(part) for part in (code.scheme, code.value, code.meaning))
    coded.SetCodingSchemeDesignator(scheme)
    coded.SetCodeValue(value)
    coded.SetCodeMeaning(meaning)


def _get(coded: Any) -> Code | None:
    if coded is None or not coded.GetCodeValue():
        return None
    return Code(coded.GetCodingSchemeDesignator() or "", coded.GetCodeValue(), coded.GetCodeMeaning() or "")


def _plain(text: str) -> str:
    """Without the characters that delimit codes (~), parts of a code (^) and tags (|)."""
    return re.sub(r"[~^|]+", " ", text)
