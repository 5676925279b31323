"""The air of the chest on the coarse grid: which of it is lung, which is airway, which is bowel, and whose side.

Lung and gas are told apart by density (parenchyma holds tissue and blood, gas does not) and by shape (a block of lung
is thick; the blurred rim of a gas bubble is a shell). What this can't do: lung without air (consolidation, effusion,
atelectasis) is not found, and an emphysematous lung that is darker than gas's limit nearly everywhere may be missed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...protocols import CancelToken
from .airways import above_carina, find_airways
from .grid import Outline, Scan
from .hounsfield import AIRWAY_SURFACE, CORTICAL, FREE_GAS_BELOW, LUNG_SURFACE, RANGE
from .morphology import Bool, Shaper, components, count_labels, edges, interior, keep, reconstruct, watershed

#: Blurring of two or three voxels at 1.5 mm: as far as gas darkens or tissue brightens its surroundings.
RIM_MM = 4.0

#: Bowel haustra, airways and bullae worth telling from lung are wider than 6 mm.
GAS_RADIUS_MM = 3.0

#: A slice of lung thinner than 8 mm is drawn where it hangs on to a thicker one, but does not make a lung by itself.
LUNG_RADIUS_MM = 4.0

#: The least that is called lung: the tip of a lower lobe.
LUNG_ML = 5.0

#: Vessels within the lung are thinner than 10 mm (the descending pulmonary arteries, the widest, reach 16 mm at the
#: hilum and count as hilum).
VESSEL_RADIUS_MM = 5.0

#: The smaller of two lungs that touch has at least this share (a normal left lung has 45 %; after lobectomy a third).
LESSER_LUNG = 0.1


@dataclass(frozen=True, eq=False)
class Chest:
    """Coarse masks (k, j, i), each possibly empty: the aerated lungs by side, and trachea with main bronchi."""

    lung_left: Bool
    lung_right: Bool
    airways: Bool
    midline_i: float


def find_chest(scan: Scan, body: Bool, cancel: CancelToken) -> Chest:
    """Find lungs and airways in the patient."""
    shaper = Shaper(scan.coarse_spacing)
    midline = find_midline(scan, body)
    air = body & (scan.hu < LUNG_SURFACE)
    gas = shaper.opened(air & (scan.hu < FREE_GAS_BELOW), GAS_RADIUS_MM)
    cancel.check()
    cores = _lung_cores(scan, air & ~shaper.dilate(gas, RIM_MM), shaper)
    cancel.check()
    airways, tree = find_airways(scan, air, gas, cores, midline, shaper)
    cancel.check()
    gas = _walled_gas(scan, gas & ~tree, shaper)
    other = shaper.dilate(airways, GAS_RADIUS_MM) | shaper.dilate(gas, RIM_MM)
    lung = reconstruct(cores, air & ~other)
    cancel.check()
    left, right = split_sides(scan, lung, midline, shaper, cancel)
    taken = airways | gas
    closed = []
    for side, opposite in ((left, right), (right, left)):
        cancel.check()
        closed.append(shaper.closed(side, VESSEL_RADIUS_MM) & ~opposite & ~taken & body)
    left, right = closed
    lumen = shaper.dilate(airways, GAS_RADIUS_MM) & (scan.hu < AIRWAY_SURFACE) & ~left & ~right & body
    return Chest(left & ~right, right, airways | lumen, midline)


def chest_outlines(scan: Scan, chest: Chest) -> dict[str, Outline]:
    """How to draw the lungs and airways at full resolution, by the vocabulary's ids.

    No voxel belongs to two, but to trachea and airways.
    """
    shapes = {"lung_left": chest.lung_left, "lung_right": chest.lung_right, "airways": chest.airways}
    trachea = above_carina(chest.airways, Shaper(scan.coarse_spacing))
    if scan.is_fine:
        return {**{name: Outline(shape) for name, shape in shapes.items()}, "trachea": Outline(trachea)}
    outlines = {}
    taken = chest.lung_left | chest.lung_right | chest.airways
    for name, shape in shapes.items():
        inside, around = edges(shape)
        mine = around & (shape | ~taken)
        taken |= mine
        outlines[name] = Outline(inside, ((mine, RANGE[0], AIRWAY_SURFACE if name == "airways" else LUNG_SURFACE),))
    outlines["trachea"] = _from_lowest(outlines["airways"], trachea)
    return outlines


def _from_lowest(outline: Outline, part: Bool) -> Outline:
    """An outline on the coarse slices from the lowest of ``part`` upwards; empty where that is empty."""
    above = np.zeros(len(part), np.bool_)
    occupied = np.flatnonzero(part.any(axis=(1, 2)))
    above[occupied[0] if len(occupied) else len(above) :] = True
    above = above[:, None, None]
    return Outline(outline.sure & above, tuple((where & above, low, high) for where, low, high in outline.rules))


def find_midline(scan: Scan, body: Bool) -> float:
    """Index i of the patient's midline: where, seen along the body, bone stands behind bone in most slices: the spine.

    The middle of the outline is the fall-back; it errs where arms or field of view are one-sided.
    """
    columns = np.flatnonzero(body.any(axis=(0, 1)))
    if not len(columns):
        return float(scan.hu.shape[2]) / 2.0
    middle = (columns[0] + columns[-1]) / 2
    bone = body & (scan.hu > CORTICAL // 2)
    persistence = bone.sum(axis=0, dtype=np.int32)  # slices with bone at (j, i)
    quarter = max(1, (columns[-1] - columns[0]) // 4)
    central = persistence[:, int(middle) - quarter : int(middle) + quarter + 1]
    if not central.any():
        return float(middle)
    strong = (central * 10 >= central.max() * 7).sum(axis=0, dtype=np.int64)
    offset: float = float(np.average(np.arange(len(strong)), weights=strong))
    return offset + int(middle) - int(quarter)


def _lung_cores(scan: Scan, air: Bool, shaper: Shaper) -> Bool:
    """Pieces of air, away from gas, that are thick, large and as dense as lung."""
    labels, sizes = components(shaper.opened(air, LUNG_RADIUS_MM))
    deep = shaper.erode(labels > 0, GAS_RADIUS_MM)
    dense = deep & (scan.hu > FREE_GAS_BELOW)
    in_deep = count_labels(labels, deep, len(sizes))
    in_dense = count_labels(labels, dense, len(sizes))
    lung = (sizes * shaper.voxel_ml >= LUNG_ML) & (in_dense * 2 > in_deep)
    lung[0] = False
    return keep(labels, np.flatnonzero(lung))


def _walled_gas(scan: Scan, gas: Bool, shaper: Shaper) -> Bool:
    """Gas with a wall of soft tissue about it: bowel, stomach, oesophagus. What has none is emphysema or a bulla."""
    labels, sizes = components(gas)
    reach = [2 * int(2 * RIM_MM / s / 2 + 0.5) + 1 for s in shaper.spacing]
    around = ndimage.maximum_filter(labels, size=reach)
    around[shaper.dilate(gas, RIM_MM)] = 0
    in_shell = count_labels(around, None, len(sizes))
    in_wall = count_labels(around, scan.hu > LUNG_SURFACE, len(sizes))
    return keep(labels, np.flatnonzero((in_wall * 3 > in_shell * 2)[1:]) + 1)


def split_sides(scan: Scan, lung: Bool, midline: float, shaper: Shaper, cancel: CancelToken) -> tuple[Bool, Bool]:
    """Divide lung tissue into (left, right); lungs that touch at a junction line are cut there."""
    labels, sizes = components(lung)
    left = np.zeros_like(lung)
    right = np.zeros_like(lung)
    total = int(sizes[1:].sum())
    for label in np.flatnonzero(sizes[1:] > 0) + 1:
        piece = labels == label
        if sizes[label] > total * 0.5:
            cancel.check()
            box = _box_of(piece)
            halves = _cut_at_junction(scan.hu[box], piece[box], midline - box[2].start, shaper)
            if halves is not None:
                left[box] |= halves[0]
                right[box] |= halves[1]
                continue
        (left if _mean_i(piece) > midline else right)[piece] = True
    return left, right


def _box_of(piece: Bool) -> tuple[slice, slice, slice]:
    """The box of a mask with a layer around it, so that distances to its outside stay what they are."""
    k, j, i = interior(piece)
    return tuple(slice(max(0, s.start - 1), s.stop + 1) for s in (k, j, i))  # type: ignore[return-value]


def _cut_at_junction(hu: NDArray[np.int16], piece: Bool, midline: float, shaper: Shaper) -> tuple[Bool, Bool] | None:
    """Cut one piece into left and right lung, or None where it is one lung.

    The piece is thinned until it falls in two sizable parts on either side of the midline; both then grow back, densest
    tissue last (watershed), so that they meet on the junction line's pleura.
    """
    depth = shaper.distance(~piece)
    for mm in (2.0, 4.0, 6.0, 9.0, 12.0, 16.0, 20.0):
        labels, sizes = components(depth > mm)
        if len(sizes) < 3:
            continue
        first, second = np.argsort(sizes[1:])[::-1][:2] + 1
        if sizes[second] < LESSER_LUNG * sizes[1:].sum():
            continue
        a, b = labels == first, labels == second
        if (_mean_i(a) > midline) == (_mean_i(b) > midline):
            continue
        if _mean_i(a) < _mean_i(b):
            a, b = b, a
        return _grow_back(hu, piece, a, b)
    return None


def _grow_back(hu: NDArray[np.int16], piece: Bool, left: Bool, right: Bool) -> tuple[Bool, Bool]:
    markers = left.astype(np.uint8) + 2 * right.astype(np.uint8) + 3 * (~piece).astype(np.uint8)
    sides = watershed(hu, markers)
    return piece & (sides == 1), piece & (sides == 2)


def _mean_i(mask: Bool) -> float:
    """Mean index i of a mask that is not empty."""
    counts = mask.sum(axis=(0, 1), dtype=np.int64)
    return float(np.average(np.arange(len(counts)), weights=counts))
