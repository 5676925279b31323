"""The backbone ``propagation``: one mask per target, from the target's key slices and boxes."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ... import __version__
from ...errors import UnsupportedTarget
from ...imaging import Reorientation, reorientation_to
from ...imaging.anchor_boxes import anchors_within, in_plane_axes
from ...protocols import BackboneInfo, CancelToken, Emit, Readiness
from ...values import Anchor, Finding, Mask, Modality, Progress, Severity, Stage, Target, TargetSpec, Volume, axis_codes
from .following import REACH_MM, Ending, Told, follow_box
from .stack import RowBox, Stack

__all__ = ["PropagationBackbone"]

Bool = NDArray[np.bool_]

#: CT numbers below air and above cortical bone tell nothing but padding and metal.
CT_LIMITS = (-1000.0, 1500.0)

_WHERE = {"R": "the right", "L": "the left", "A": "the front", "P": "the back", "S": "the head", "I": "the feet"}
_OPPOSITE = {"R": "L", "L": "R", "A": "P", "P": "A", "S": "I", "I": "S"}

#: Decimals of a box's edges that are kept when axes are turned: the same box in any storage order is the same box.
_DECIMALS = 6


class PropagationBackbone:
    """Classical propagation from a key slice and boxes; stands in for MedSAM2.

    Boxes are followed one by one, and a target is what they outline together. The volume is looked at in LPS index
    order, so that turning or flipping its axes changes nothing in the patient. docs/medvol.md says what it reaches.
    """

    info = BackboneInfo(
        name="propagation",
        version=__version__,
        summary="Classical propagation from a key slice and boxes; stands in for MedSAM2.",
        accepts=frozenset({"box"}),
        modalities=frozenset(Modality),
        needs=("key slices and boxes, which the reasoner medvol finds",),
    )

    def readiness(self) -> Readiness:
        """Whether scipy, which 3D Slicer bundles, is there."""
        if importlib.util.find_spec("scipy") is None:
            return Readiness(False, "Install scipy: pip install scipy")
        return Readiness(True)

    def segment(self, volume: Volume, spec: TargetSpec, emit: Emit, cancel: CancelToken) -> Sequence[Mask]:
        """One mask per target; empty where nothing in the boxes stands out from what surrounds it.

        Raises
        ------
        UnsupportedTarget
            ``anchor-needed`` where a target has no key slice.
        UsageError
            ``anchor-outside`` where a target's boxes lie outside of the volume.
        Cancelled
        """
        _check_anchored(spec)
        k, j, i = volume.shape
        anchors = anchors_within(spec, ((0, k), (0, j), (0, i))).anchors
        total = sum(len(anchor.boxes) for anchor in anchors)
        done = 0
        masks = []
        for number, target in enumerate(spec.targets):
            voxels = np.zeros(volume.shape, np.bool_)
            findings = [_drawn_by(target)]
            for anchor in (anchor for anchor in anchors if anchor.target == number):
                for index in range(len(anchor.boxes)):

                    def told(share: float, before: int = done, name: str = target.text) -> None:
                        emit(Progress(Stage.SEGMENT, (before + share) / total, f"Following {name} through the slices"))

                    told(0.0)
                    findings += _follow(volume, anchor, index, target, voxels, told, cancel)
                    done += 1
            masks.append(Mask(voxels, volume.affine, target, tuple(dict.fromkeys(findings))))
        emit(Progress(Stage.SEGMENT, 1.0, "Segmented"))
        return masks


def _follow(
    volume: Volume, anchor: Anchor, index: int, target: Target, voxels: Bool, told: Told, cancel: CancelToken
) -> list[Finding]:
    """Follow one box, draw what is found into ``voxels``, and say how it ended."""
    turn = reorientation_to(volume)
    axis, key, box = _in_lps(anchor, index, turn)
    first, second = in_plane_axes(axis)
    along = 2 - axis  # arrays are (k, j, i); the other two keep their order, so rows are the later index
    stored, out = (np.moveaxis(turn.apply(array), along, 0) for array in (volume.voxels, voxels))
    lps = volume.affine @ turn.index_affine()
    sizes = np.round(np.linalg.norm(lps[:3, :3], axis=0), _DECIMALS)
    limits = CT_LIMITS if volume.modality is Modality.CT else (-math.inf, math.inf)
    stack = Stack.around(stored, box, (float(sizes[axis]), float(sizes[second]), float(sizes[first])), limits)

    def draw(at: int, outline: Bool) -> None:
        out[at][stack.window] |= outline

    endings = follow_box(stack, key, box, draw, told, cancel)
    if not endings:
        message = f"In a box of the {target.text} nothing stands out from what surrounds it, so nothing was drawn."
        return [Finding("propagation-nothing", Severity.WARNING, message, target=target.text)]
    towards = axis_codes(lps)[axis]
    ends = zip((_OPPOSITE[towards], towards), endings, strict=True)
    return [finding for letter, ending in ends for finding in _said(ending, letter, target)]


def _in_lps(anchor: Anchor, index: int, turn: Reorientation) -> tuple[int, int, RowBox]:
    """Axis, key slice and box (row0, column0, row1, column1) of one of an anchor's boxes in LPS index order."""
    first, second = in_plane_axes(anchor.axis)
    a0, b0, a1, b1 = anchor.boxes[index]
    ends = np.empty((2, 3))
    ends[:, first], ends[:, second], ends[:, anchor.axis] = (a0, a1), (b0, b1), anchor.index
    to_lps = np.linalg.inv(turn.index_affine())
    low, high = np.sort(np.round(ends @ to_lps[:3, :3].T + to_lps[:3, 3], _DECIMALS), axis=0)
    axis = int(np.abs(to_lps[:3, anchor.axis]).argmax())
    columns, rows = in_plane_axes(axis)
    return axis, round(low[axis]), (float(low[rows]), float(low[columns]), float(high[rows]), float(high[columns]))


def _check_anchored(spec: TargetSpec) -> None:
    anchored = {anchor.target for anchor in spec.anchors}
    without = [target.text for number, target in enumerate(spec.targets) if number not in anchored]
    if without:
        raise UnsupportedTarget(
            "The backbone 'propagation' draws from a key slice and boxes, and there are none for"
            f" {', '.join(without)}. The reasoner 'medvol' finds them; or write them behind the name in the answer, as"
            f" in {without[0]} @k57[120 200 180 260].",
            code="anchor-needed",
        )


def _drawn_by(target: Target) -> Finding:
    return Finding(
        "drawn-by-propagation",
        Severity.INFO,
        f"The {target.text} was drawn by classical region growing from a box, not by MedSAM2.",
        target=target.text,
        advice="Check it on all slices, above all where it ends.",
    )


def _said(ending: Ending, letter: str, target: Target) -> list[Finding]:
    where = f"Towards {_WHERE[letter]}, the outline of the {target.text}"
    if ending.why == "ran out":
        message = f"{where} ends where it would have run into what surrounds it; the structure may go on."
        return [Finding("propagation-ran-out", Severity.WARNING, message, target=target.text)]
    if ending.why == "reach":
        message = f"{where} ends {REACH_MM:.0f} mm from the key slice, as far as it is followed."
        return [Finding("propagation-reach", Severity.WARNING, message, target=target.text)]
    return []
