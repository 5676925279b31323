"""The vocabulary: structures, sides, levels, codes, synonyms, and the label sets of backbones.

Data stands in ``data/`` as tables that a radiologist can review; docs/anatomy.md says how.
"""

from __future__ import annotations

from .answer import render, resolve_answer
from .labels import has_labels, label_set, labels_for, outside_labels
from .levels import LEVELS, level_at, level_span
from .normalise import normalise
from .sides import side_words
from .structure import Entry, Structure
from .validate import validate
from .vocabulary import UnknownStructure, Vocabulary, load_vocabulary

__all__ = [
    "LEVELS",
    "Entry",
    "Structure",
    "UnknownStructure",
    "Vocabulary",
    "has_labels",
    "label_set",
    "labels_for",
    "level_at",
    "level_span",
    "load_vocabulary",
    "normalise",
    "outside_labels",
    "render",
    "resolve_answer",
    "side_words",
    "validate",
]
