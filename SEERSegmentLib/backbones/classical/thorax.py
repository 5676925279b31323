"""The rib cage, as the lungs show it: what lies between both lungs, and the wall just outside of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...protocols import CancelToken
from .chest import Chest
from .morphology import Bool, Shaper

#: Sternum 10 to 15 mm thick.
STERNUM_MM = 10.0

#: Pleura and innermost muscle, and a rib, 12 mm thick: as far as a rib's outer surface lies from the lung.
RIB_MM = 20.0

#: Both lungs with what is between them fill two thirds of a slice of the chest, less in the obese. Where they fill less
#: than this, at apices and bases, organs of neck and abdomen lie beside them.
CHEST_SHARE = 0.25

#: Directions in which the outline of the lungs is taken.
DIRECTIONS = 32


def between_lungs(chest: Chest, shaper: Shaper) -> Bool:
    """The mediastinum: in each slice, what has right lung to its right and left lung to its left, and a sternum's
    thickness in front of it too."""
    past_right = np.maximum.accumulate(chest.lung_right, axis=2)
    before_left = np.maximum.accumulate(chest.lung_left[:, :, ::-1], axis=2)[:, :, ::-1]
    between: Bool = past_right & before_left
    depth = int(STERNUM_MM / shaper.spacing[1] + 0.5)
    behind = np.zeros_like(between)
    behind[:, depth:] = between[:, : between.shape[1] - depth]
    return between & behind


def chest_wall(chest: Chest, body: Bool, shaper: Shaper, cancel: CancelToken) -> Bool:
    """A rib's depth around the convex outline of both lungs, in slices of the chest.

    Each slice takes the outlines above it too: the rib cage widens from apex to base, and where the diaphragm has
    pushed the lung aside liver, spleen and stomach are inside of it all the same.
    """
    wall = np.zeros_like(body)
    right = np.zeros(body.shape[1:], np.bool_)
    left = np.zeros_like(right)
    _, sj, si = shaper.spacing
    y, x = np.mgrid[: body.shape[1], : body.shape[2]] * np.array([sj, si])[:, None, None]
    turns = np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)
    along = [np.cos(turn) * y + np.sin(turn) * x for turn in turns]
    for k in range(len(body) - 1, -1, -1):
        if not (chest.lung_left[k] | chest.lung_right[k]).any():
            continue
        cancel.check()
        right |= chest.lung_right[k]
        left |= chest.lung_left[k]
        if not (right.any() and left.any()):
            continue
        reach = _beyond(right | left, along)
        inside = reach <= 0
        if inside.sum() >= CHEST_SHARE * body[k].sum():
            wall[k] = ~inside & (reach <= RIB_MM) & body[k]
    return wall


def _beyond(mask: Bool, along: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """How far (mm) each pixel lies outside of the convex outline of a mask; not above 0 within."""
    beyond = np.full(mask.shape, -np.inf)
    for distance in along:
        np.maximum(beyond, distance - distance[mask].max(), out=beyond)
    return beyond
