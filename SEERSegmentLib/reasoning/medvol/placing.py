"""From a reply to the volume: its boxes as anchors in voxels, and what they say in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...imaging.anchor_boxes import anchor_on_view, box_corners_ras
from ...values import Anchor, Evidence, View
from ...values.observed import Matrix
from .reply import AnchorReply

__all__ = ["anchors_of", "box_evidence"]


def anchors_of(reply: AnchorReply, views: Sequence[View], affine: Matrix) -> tuple[Anchor, ...]:
    """A reply's key slices as anchors of target 0, in the voxels of the volume as it is stored.

    Parameters
    ----------
    reply : AnchorReply
    views : sequence of View
        Those that it was parsed against.
    affine : 4 × 4
        IJK→RAS of the volume in mm.
    """
    matrix = np.array(affine)
    return tuple(anchor_on_view(views[key.view], matrix, key.boxes) for key in reply.key_slices)


def box_evidence(
    reply: AnchorReply, anchors: Sequence[Anchor], views: Sequence[View], affine: Matrix
) -> Iterator[Evidence]:
    """Each box in words, with the view that it was seen on."""
    matrix = np.array(affine)
    for key, anchor in zip(reply.key_slices, anchors, strict=True):
        view = views[key.view]
        for number, corners in enumerate(box_corners_ras(anchor, matrix), 1):
            first, second, _, fourth = corners[:4]
            sides = sorted((float(np.linalg.norm(second - first)), float(np.linalg.norm(fourth - first))))
            centre = tuple(round(float(coordinate), 1) for coordinate in corners.mean(axis=0))
            of = f", {number} of {len(anchor.boxes)}" if len(anchor.boxes) > 1 else ""
            yield Evidence(
                "key-slice-box",
                f"Seen on the key slice {view.name} (tagged slice {key.number}) in a box{of} of {sides[0]:.0f}"
                f" × {sides[1]:.0f} mm, centred {_place(centre)}.",
                centre,
                "mm",
                view.name,
            )


def _place(centre: tuple[float, ...]) -> str:
    r, a, s = centre
    return f"at R {r:.0f}, A {a:.0f}, S {s:.0f} mm"
