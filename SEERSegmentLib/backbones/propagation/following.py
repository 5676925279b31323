"""From a box on a key slice to the outlines on all slices: drawn there first, then followed from slice to slice.

On the key slice the target is told from its surroundings by intensity, learned in turns with the outline (as GrabCut
does: Rother et al., ACM Transactions on Graphics 2004) from an ellipse in the box. From there each slice starts with
what the one before it says: inside the outline is probable, outside the less so the farther away. A random walker
(:mod:`.walker`) brings intensity and position together. Either way ends where the outline vanishes, runs into its
surroundings, or has come as far as is allowed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...protocols import CancelToken
from .appearance import Appearance
from .stack import RowBox, Stack
from .walker import Walker

__all__ = ["REACH_MM", "Draw", "Ending", "Told", "follow_box"]

Plane = NDArray[np.float64]
Bool = NDArray[np.bool_]

#: No outline is followed farther than this from its key slice, in mm: an organ's height, half a spine's.
REACH_MM = 200.0

#: Turns of learning and drawing on the key slice at most.
TURNS = 6

#: The outline that learning starts from is this share of the ellipse that touches the box.
START = 0.8

#: What intensity counts, against position.
INTENSITY = 1.2

#: What the middle of the box counts on the key slice: the log of odds at its centre.
MIDDLE = 0.5

#: A random walker's trust in a prior (γ), and the share of the image's range that makes an edge, beside its noise.
TRUST = 0.25
EDGE_SHARE = 0.01
EDGE_NOISE = 2.5

#: From one slice to the next an outline moves by a pixel, and by so much of the distance between them.
MOVES_MM = 1.5
MOVES_SHARE = 0.7

#: A log of odds that is as good as certain.
_CERTAIN = 20.0

#: Bounds of the log of odds that position gives, outside and inside.
FARTHEST, DEEPEST = -6.0, 3.0

#: An outline vanishes below this area in mm², or this share of the one before.
LEAST_MM2 = 12.0
LEAST_SHARE = 0.4

#: It runs into its surroundings where it grows by more than this from one slice to the next, or where inside and
#: outside differ by less than this share of what they do on the key slice, or inside looks less like the target.
GROWTH = 1.5
CONTRAST_SHARE = 0.3
LIKENESS_SHARE = 0.35

#: Pieces that overlap the outline before by less than this share of the largest overlap belong to something else.
PIECE_SHARE = 0.2

#: Is handed a slice's index and its outline on the voxels of the stack's window.
Draw = Callable[[int, Bool], None]

#: Is handed how much of the allowed way is done, 0 to 1.
Told = Callable[[float], None]


class Ending(NamedTuple):
    """Where following ended: the last slice with an outline, and why the next has none.

    ``why`` is ``"vanished"``, ``"ran out"`` (into what surrounds it), ``"reach"`` or ``"image"`` (its border).
    """

    last: int
    why: str


@dataclass(frozen=True, eq=False)
class _Target:
    """What is known of the target from its key slice."""

    look: Appearance
    edge: float
    area: int
    contrast: float
    likeness: float


def follow_box(stack: Stack, key: int, box: RowBox, draw: Draw, told: Told, cancel: CancelToken) -> tuple[Ending, ...]:
    """Outline what a box encloses on the key slice, and follow it both ways.

    Parameters
    ----------
    stack : Stack
        Its window holds the box.
    key : int
        The key slice.
    box : (row0, column0, row1, column1)
    draw : callable
        Is handed a slice's index and its outline on the voxels of the stack's window, bool.
    told : callable
        Is handed how much of the allowed way is done, 0 to 1.
    cancel : CancelToken

    Returns
    -------
    tuple of Ending
        Towards slice 0 and away from it; empty where nothing in the box stands out from what surrounds it.

    Raises
    ------
    Cancelled
    """
    image = stack.image(key)
    probable, target = _on_key_slice(stack, image, box)
    if target is None:
        return ()
    start = probable > 0.5
    draw(key, _on_voxels(stack, probable) & stack.inside_voxels(box))
    reach = int(REACH_MM / stack.spacing[0])
    first, last = max(0, key - reach), min(len(stack.voxels) - 1, key + reach)
    endings = []
    for step, end in ((-1, first), (1, last)):
        before, index, why = start, key, "image" if end in (0, len(stack.voxels) - 1) else "reach"
        while index != end:
            cancel.check()
            told(abs(index - key) / max(abs(end - key), 1) / 2 + (0.0 if step < 0 else 0.5))
            probable, ended = _next(stack, index + step, before, target)
            if ended:
                why = ended
                break
            index += step
            draw(index, _on_voxels(stack, probable))
            before = probable > 0.5
        endings.append(Ending(index, why))
    return tuple(endings)


def _on_key_slice(stack: Stack, image: Plane, box: RowBox) -> tuple[Plane, _Target | None]:
    """Probabilities on the key slice, 0 outside of the box, and what is learned there."""
    within, distance = stack.inside(box), stack.ellipse(box)
    outline = (distance <= START) & within
    if not outline.any():
        outline = within
    low, high = np.percentile(image, (0.5, 99.5))
    probable = outline.astype(np.float64)
    edge = 1.0
    for _ in range(TURNS):
        look = Appearance.of(image, outline)
        prior = _odds(INTENSITY * look(image) + MIDDLE * (1.0 - distance))
        edge = EDGE_NOISE * _noise(image, outline) + EDGE_SHARE * max(float(high - low), 1e-6)
        found = Walker(image, edge, stack.pixel_mm).probabilities(np.where(within, prior, 0.0), TRUST)
        found = _one_piece(np.where(within, found, 0.0), outline)
        drawn = found > 0.5
        if not drawn.any():
            break
        changed = int(np.count_nonzero(drawn ^ outline))
        outline, probable = drawn, found
        if changed < 0.01 * np.count_nonzero(drawn):
            break
    look = Appearance.of(image, outline)
    ratio = look(image)
    likeness, contrast = float(ratio[outline].mean()), _contrast(ratio, outline)
    if likeness <= 0.0:
        return probable, None
    return probable, _Target(look, edge, int(np.count_nonzero(outline)), contrast, likeness)


def _next(stack: Stack, index: int, before: Bool, target: _Target) -> tuple[Plane, str]:
    """Probabilities on the slice beside an outline's, and why there is no outline on it, if so."""
    image = stack.image(index)
    ratio = target.look(image)
    moves = MOVES_MM + MOVES_SHARE * stack.spacing[0]
    position = np.clip(-2.0 * _signed_distance(before, stack.pixel_mm) / moves, FARTHEST, DEEPEST)
    prior = _odds(INTENSITY * ratio + position)
    probable = Walker(image, target.edge, stack.pixel_mm).probabilities(prior, TRUST)
    probable = _one_piece(probable, before)
    drawn = probable > 0.5
    area, had = int(np.count_nonzero(drawn)), int(np.count_nonzero(before))
    if area * stack.pixel_mm[0] * stack.pixel_mm[1] < LEAST_MM2 or area < LEAST_SHARE * had:
        return probable, "vanished"
    grew = area > GROWTH * had and 2 * area > target.area
    if grew or _contrast(ratio, drawn) < CONTRAST_SHARE * target.contrast:
        return probable, "ran out"
    if float(ratio[drawn].mean()) < LIKENESS_SHARE * target.likeness:
        return probable, "ran out"
    return probable, ""


def _one_piece(probable: Plane, before: Bool) -> Plane:
    """Probabilities of the pieces that go on from an outline, holes filled; 0 elsewhere."""
    from scipy import ndimage

    pieces, count = ndimage.label(probable > 0.5)
    overlaps = np.bincount(pieces[before], minlength=count + 1)
    overlaps[0] = 0
    if not overlaps.max(initial=0):
        return np.zeros_like(probable)
    kept = (overlaps >= PIECE_SHARE * overlaps.max()) & (overlaps > 0)
    drawn = ndimage.binary_fill_holes(kept[pieces])
    return np.asarray(np.where(drawn, np.maximum(probable, 0.5 + 1e-6), np.minimum(probable, 0.5)))


def _contrast(ratio: Plane, drawn: Bool) -> float:
    """How much more the pixels just inside an outline look like the target than those just outside."""
    from scipy import ndimage

    inner = drawn & ~ndimage.binary_erosion(drawn, border_value=1)
    outer = ndimage.binary_dilation(drawn) & ~drawn
    if not inner.any() or not outer.any():
        return 0.0
    return float(ratio[inner].mean() - ratio[outer].mean())


def _noise(image: Plane, outline: Bool) -> float:
    """Standard deviation within an outline of what differs from the neighbours' mean."""
    from scipy import ndimage

    rest: NDArray[Any] = image - ndimage.uniform_filter(image, 3, mode="nearest")
    return float(rest[outline].std())


def _signed_distance(drawn: Bool, spacing: tuple[float, float]) -> Plane:
    """Distance in mm to an outline: positive outside, negative inside."""
    from scipy import ndimage

    outside = ndimage.distance_transform_edt(~drawn, sampling=spacing)
    inside = ndimage.distance_transform_edt(drawn, sampling=spacing)
    return np.asarray(outside - inside)


def _odds(logarithm: Plane) -> Plane:
    """Probability of a log of odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logarithm, -_CERTAIN, _CERTAIN))))


def _on_voxels(stack: Stack, probable: Plane) -> Bool:
    return np.asarray(stack.enlarged(probable) > 0.5)
