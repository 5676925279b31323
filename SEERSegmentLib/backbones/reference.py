"""The backbone ``reference``: answers from a label map that the user gives, for evaluation and rehearsal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..anatomy import load_vocabulary, normalise, resolve_answer
from ..errors import UnsupportedTarget
from ..protocols import BackboneInfo, CancelToken, Emit, Readiness
from ..values import Finding, Mask, Modality, Progress, Severity, Stage, Target, TargetSpec, Volume
from .labelmap import Label, LabelMap, read_named_labelmap

__all__ = ["ReferenceBackbone"]

#: Names listed in a refusal; a label map of all of TotalSegmentator's classes would fill the screen.
NAMES_SHOWN = 12


class ReferenceBackbone:
    """Looks targets up in a label map.

    A structure without a label of its own is the union of its parts' labels (the left lung of its lobes, the skeleton
    of its bones); parts that the map does not have are named in the mask's findings. Free text finds the label of that
    very name.

    Parameters
    ----------
    labelmap : Volume, path
        Whole numbers; on the volume's grid, permuted and flipped axes included, or on another one in the same patient,
        which is sampled at the nearest voxels. A ``.seg.nrrd`` brings its own names.
    names : mapping int → str, path or None
        Vocabulary ids, TotalSegmentator's class names, or any name that the vocabulary knows; others serve free text.
    """

    info = BackboneInfo(
        name="reference",
        version=__version__,
        summary="Answers from a label map given by the user: for evaluation and rehearsal.",
        accepts=frozenset({"label", "text"}),
        modalities=frozenset(Modality),
    )

    def __init__(self, labelmap: Volume | str | Path, names: Mapping[int, str] | str | Path | None = None) -> None:
        self._map: LabelMap = read_named_labelmap(labelmap, names)
        self._by_structure: dict[str, list[Label]] = {}
        self._by_name: dict[str, list[Label]] = {}
        name = labelmap.name if isinstance(labelmap, Volume) else Path(labelmap).name
        self.info = replace(type(self).info, details=(("label map", name), ("label map sha256", self._map.sha256)))
        for label in self._map.labels:
            self._by_name.setdefault(normalise(label.name), []).append(label)
            if structure := _structure_of(label):
                self._by_structure.setdefault(structure, []).append(label)

    def readiness(self) -> Readiness:
        """Ready once it is made."""
        return Readiness(True)

    def segment(self, volume: Volume, spec: TargetSpec, emit: Emit, cancel: CancelToken) -> Sequence[Mask]:
        """One mask per target.

        Raises
        ------
        UnsupportedTarget
            ``target-not-in-reference``.
        BackboneError
            ``labels-elsewhere``.
        """
        wanted = [self._labels_of(target) for target in spec.targets]
        layers, resampled = self._map.on_grid_of(volume)
        masks = []
        for number, (target, (labels, findings)) in enumerate(zip(spec.targets, wanted, strict=True)):
            cancel.check()
            emit(Progress(Stage.SEGMENT, number / len(wanted), f"Looking up {target.text}"))
            voxels = _mask_of(layers, labels, volume.shape)
            if resampled:
                findings += (Finding("reference-resampled", Severity.INFO, resampled, target=target.text),)
            masks.append(Mask(voxels, volume.affine, target, findings))
        return masks

    def _labels_of(self, target: Target) -> tuple[list[Label], tuple[Finding, ...]]:
        """The labels of a target, and what there is to say of them."""
        if target.structure:
            missing: list[str] = []
            labels = self._collect(target.structure, missing)
            if labels:
                if missing:
                    few = ", ".join(missing[:NAMES_SHOWN]) + (" …" if len(missing) > NAMES_SHOWN else "")
                    message = f"The label map has no {few}: {target.text} is what it has of the rest."
                    return labels, (Finding("reference-incomplete", Severity.INFO, message, target=target.text),)
                return labels, ()
        elif labels := self._by_name.get(normalise(target.text), []):
            return labels, ()
        raise UnsupportedTarget(
            f"The label map has no {target.text}; it holds {self._holdings()}.", code="target-not-in-reference"
        )

    def _collect(self, id: str, missing: list[str]) -> list[Label]:
        """Labels of a structure, or of its parts; names of parts that are nowhere go to ``missing``."""
        if own := self._by_structure.get(id):
            return own
        structure = load_vocabulary().get(id)
        below: list[str] = []
        found = [label for part in structure.parts for label in self._collect(part, below)]
        missing += below if found else [structure.name]
        return found

    def _holdings(self) -> str:
        names = [label.name for label in self._map.held()] or ["no label at all"]
        more = len(names) - NAMES_SHOWN
        return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _structure_of(label: Label) -> str:
    """The vocabulary's id for a label: by id, by name, then by its codes; empty where the vocabulary has none."""
    vocabulary = load_vocabulary()
    if label.name in vocabulary.structures:
        return label.name
    answer = resolve_answer(label.name)
    if isinstance(answer, TargetSpec) and len(answer.targets) == 1 and answer.targets[0].structure:
        return answer.targets[0].structure
    if label.codes:
        for structure in vocabulary.structures.values():
            modifier = structure.terminology.modifier
            codes = (structure.terminology.type.value, *((modifier.value,) if modifier else ()))
            if codes == label.codes and not structure.code_is_parent:
                return structure.id
    return ""


def _mask_of(
    layers: tuple[NDArray[Any], ...], labels: Sequence[Label], shape: tuple[int, int, int]
) -> NDArray[np.bool_]:
    mask = np.zeros(shape, np.bool_)
    for number, layer in enumerate(layers):
        values = [label.value for label in labels if label.layer == number]
        if values:
            for out, labelled in zip(mask, layer, strict=True):  # by slices: no copy of a whole volume
                out |= np.isin(labelled, values)
    return mask
