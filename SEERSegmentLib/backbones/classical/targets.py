"""What the embedded backbone can outline, and who can outline the rest."""

from __future__ import annotations

from collections.abc import Sequence

from ...anatomy import Vocabulary, labels_for, load_vocabulary
from ...anatomy.structure import COLLECTIONS
from ...errors import UnsupportedTarget
from ...values import Modality, Target

__all__ = ["BASIC", "basic_structures", "supported_structures", "totalsegmentator_advice"]

#: Ids that are found as such; a group whose parts are all among them is their union.
BASIC = ("body", "lung_left", "lung_right", "trachea", "airways", "skeleton", "subcutaneous_fat")


def supported_structures() -> tuple[str, ...]:
    """Ids of all structures that the backbone outlines, groups included."""
    vocabulary = load_vocabulary()
    return tuple(id for id in vocabulary.structures if _parts(id, vocabulary) is not None)


def basic_structures(targets: Sequence[Target]) -> tuple[tuple[str, ...], ...]:
    """For each target, the basic structures whose union it is.

    Raises
    ------
    UnsupportedTarget
        Code ``target-unsupported``; names every target that can't be done, and who does it.
    """
    vocabulary = load_vocabulary()
    found = [_parts(target.structure, vocabulary) if target.structure else None for target in targets]
    refused = [target for target, parts in zip(targets, found, strict=True) if parts is None]
    if refused:
        raise UnsupportedTarget(_refusal(refused, vocabulary), detail=", ".join(t.structure or t.text for t in refused))
    return tuple(parts for parts in found if parts is not None)


def _parts(id: str, vocabulary: Vocabulary) -> tuple[str, ...] | None:
    if id in BASIC:
        return (id,)
    structure = vocabulary.structures.get(id)
    if structure is None or structure.kind not in COLLECTIONS or not structure.parts:
        return None
    parts = [_parts(part, vocabulary) for part in structure.parts]
    if any(part is None for part in parts):
        return None
    return tuple(dict.fromkeys(id for part in parts if part is not None for id in part))


def _refusal(refused: Sequence[Target], vocabulary: Vocabulary) -> str:
    names = _listed([f"the {target.text}" if target.structure else f"“{target.text}”" for target in refused])
    can = _listed([vocabulary.get(id).name for id in BASIC])
    if all(target.structure and labels_for(target, Modality.CT) for target in refused):
        it = "it" if len(refused) == 1 else "them"
        advice = f"TotalSegmentator outlines {it}: {totalsegmentator_advice(Modality.CT)}"
    else:
        what = "lesions and other findings" if _any_lesion(refused, vocabulary) else "free text"
        advice = (
            f"VoxTell segments {what}: install it with pip install voxtell, run it on the volume, and give its mask"
            " to the backbone 'reference' (--reference, or the panel's settings)."
        )
    return f"The embedded backbone can't outline {names}; without a model it does {can}. {advice}"


def totalsegmentator_advice(modality: Modality) -> str:
    """How to get a structure from TotalSegmentator into SEER, as a sentence."""
    task = " --task total_mr" if modality is Modality.MR else ""
    return (
        f"install it with pip install TotalSegmentator, run TotalSegmentator -i VOLUME -o LABELS.nii.gz --ml{task}, and"
        " give its label map to the backbone 'reference' (--reference, or the panel's settings)."
    )


def _any_lesion(targets: Sequence[Target], vocabulary: Vocabulary) -> bool:
    return any(target.structure and vocabulary.get(target.structure).kind == "lesion" for target in targets)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
