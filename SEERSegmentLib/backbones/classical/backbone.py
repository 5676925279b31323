"""The backbone ``classical``: segments what CT numbers and shape tell apart, offline and without weights."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import numpy as np

from ... import __version__
from ...errors import BackboneError
from ...imaging.orient import reorientation_to, to_lps
from ...protocols import BackboneInfo, CancelToken, Emit, Readiness
from ...values import Mask, Modality, Progress, Stage, TargetSpec, Volume
from .grid import Bool, Outline, Scan, coarsen
from .hounsfield import FAT
from .targets import basic_structures, totalsegmentator_advice

__all__ = ["ClassicalBackbone"]

#: Structures that are drawn from the air of the chest.
IN_CHEST = frozenset({"lung_left", "lung_right", "trachea", "airways"})


class ClassicalBackbone:
    """Body, lungs by side, trachea, airways, skeleton and subcutaneous fat on CT.

    The volume is looked at in LPS index order, so that turning or flipping its axes changes nothing in the patient, and
    masks come back on the volume's own grid. Shapes are found at about 2 mm and drawn at full resolution.
    docs/backbones.md says what it reaches and where it fails.
    """

    info = BackboneInfo(
        name="classical",
        version=__version__,
        summary="Embedded, without weights: body, lungs, trachea, main bronchi, skeleton, subcutaneous fat on CT.",
        accepts=frozenset({"label"}),
        modalities=frozenset({Modality.CT}),
    )

    def readiness(self) -> Readiness:
        """Whether scipy and SimpleITK, which 3D Slicer bundles, are there."""
        missing = [name for name in ("scipy", "SimpleITK") if importlib.util.find_spec(name) is None]
        if missing:
            return Readiness(False, f"Install {' and '.join(missing)}: pip install {' '.join(missing)}")
        return Readiness(True)

    def segment(self, volume: Volume, spec: TargetSpec, emit: Emit, cancel: CancelToken) -> Sequence[Mask]:
        """One mask per target; empty where the structure is not in the image.

        Raises
        ------
        UnsupportedTarget
            ``target-unsupported``.
        BackboneError
            ``modality-unsupported``, ``modality-unknown``, ``not-hounsfield``.
        Cancelled
        """
        wanted = basic_structures(spec.targets)
        _check_modality(volume)
        lps = to_lps(volume)
        emit(Progress(Stage.SEGMENT, 0.0, "Looking for shapes at 2 mm"))
        si, sj, sk = lps.spacing
        scan = coarsen(lps.voxels, (sk, sj, si), cancel)
        if scan.hu[scan.measured].min(initial=0) > FAT[1]:
            raise BackboneError(
                "This CT's numbers are not Hounsfield units: neither air nor fat is in it. Was its rescale lost?",
                code="not-hounsfield",
                detail=f"least CT number {scan.hu.min()}",
            )
        outlines = _find(scan, frozenset(id for ids in wanted for id in ids), emit, cancel)
        masks = []
        for number, (target, ids) in enumerate(zip(spec.targets, wanted, strict=True)):
            emit(Progress(Stage.SEGMENT, 0.7 + 0.3 * number / len(wanted), f"Drawing {target.text}"))
            voxels = np.zeros(volume.shape, np.bool_)
            turned = reorientation_to(volume).apply(voxels)  # a view: what is drawn on it lands on the input grid
            _draw(scan, [outlines[id] for id in ids], turned, cancel)
            masks.append(Mask(voxels, volume.affine, target))
        emit(Progress(Stage.SEGMENT, 1.0, "Segmented"))
        return masks


def _check_modality(volume: Volume) -> None:
    if volume.modality is Modality.CT:
        return
    if volume.modality is Modality.MR:
        raise BackboneError(
            "The embedded backbone reads CT numbers and can't segment MR. TotalSegmentator does:"
            f" {totalsegmentator_advice(Modality.MR)}",
            code="modality-unsupported",
        )
    raise BackboneError(
        "SEER can't tell whether this image is CT or MR; the embedded backbone needs to know that it is CT."
        " Say so: in the panel beside the volume, on the command line with --modality CT.",
        code="modality-unknown",
    )


def _find(scan: Scan, wanted: frozenset[str], emit: Emit, cancel: CancelToken) -> dict[str, Outline]:
    """Coarse outlines of the structures wanted and of what they need to be told from."""
    from .body import body_outline, find_body
    from .chest import chest_outlines, find_chest
    from .fat import fat_outline, find_subcutaneous_space
    from .skeleton import find_skeleton, skeleton_outline

    def step(fraction: float, message: str) -> None:
        cancel.check()
        emit(Progress(Stage.SEGMENT, fraction, message))

    step(0.1, "Finding the patient on the table")
    body = find_body(scan, cancel)
    outlines = {"body": body_outline(scan, body)} if "body" in wanted else {}
    if wanted & (IN_CHEST | {"skeleton"}):
        step(0.2, "Finding lungs and airways")
        chest = find_chest(scan, body, cancel)
        if wanted & IN_CHEST:
            outlines |= chest_outlines(scan, chest)
        if "skeleton" in wanted:
            step(0.45, "Finding bones")
            outlines["skeleton"] = skeleton_outline(find_skeleton(scan, body, chest, cancel))
    if "subcutaneous_fat" in wanted:
        step(0.6, "Finding subcutaneous fat")
        outlines["subcutaneous_fat"] = fat_outline(find_subcutaneous_space(scan, body))
    return outlines


def _draw(scan: Scan, outlines: Sequence[Outline], out: Bool, cancel: CancelToken) -> None:
    """Draw the union of some outlines into ``out``, shape of the scan's voxels."""
    sure = np.logical_or.reduce([outline.sure for outline in outlines])
    rules = tuple(rule for outline in outlines for rule in outline.rules)
    scan.draw(Outline(sure, rules), out, cancel)
