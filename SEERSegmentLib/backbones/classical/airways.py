"""Trachea and main bronchi: a tube of gas between the lungs, grown until it would leak into them."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .grid import Scan
from .hounsfield import FREE_GAS_BELOW
from .morphology import Bool, Shaper, components, interior, keep, touching

#: Cross-section of the adult trachea: 13–25 mm by 13–27 mm in men, 10–21 by 10–23 in women (Breatnach et al., AJR
#: 1984); a child's has 40 mm². Main bronchi, cut obliquely, and the carina where two lumens meet, are wider.
LUMEN_MM2 = (40.0, 900.0)

#: A piece of trachea shorter than this is not told from gas in the oesophagus.
TUBE_MM = 20.0

TUBE_ML = 0.5

#: Half the width of the upper mediastinum, goitre and shift included: as far as the trachea strays from the midline,
#: and as far as it keeps from the lungs on either side of it.
MIDLINE_MM = 60.0
FLANK_MM = 60.0

#: Trachea and bronchi down to the segments hold 30 to 100 mL; more is a leak into the lung. (Explosion-controlled
#: growing: Mori et al., IEEE TMI 2000.)
TREE_ML = 150.0
STEP_HU = 25

#: Main bronchi have a bore of 10 to 15 mm, lobar ones 8, segmental ones 5 (Weibel 1963): an opening of 3 mm radius
#: keeps the first two.
BRONCHUS_RADIUS_MM = 3.0
BRONCHUS_MM2 = 25.0

#: Two lumens side by side over this height are main bronchi, not one lumen that noise or a spur parts in a slice.
CARINA_MM = 6.0


def find_airways(scan: Scan, air: Bool, gas: Bool, lung: Bool, midline: float, shaper: Shaper) -> tuple[Bool, Bool]:
    """Trachea with main bronchi, and the whole tree that could be followed; empty where no trachea is seen.

    Parameters
    ----------
    air : ndarray, bool
        All that is darker than the surface of lung, in the patient.
    gas : ndarray, bool
        Wide gas-filled spaces.
    lung : ndarray, bool
        Lung tissue, airways left out.
    midline : float
        Index i of the patient's midline.
    """
    nothing = np.zeros_like(air)
    if not lung.any():
        return nothing, nothing
    seeds = _tubes(gas, lung, midline, shaper)
    if not seeds.any():
        return nothing, nothing
    tree = seeds
    for threshold in range(FREE_GAS_BELOW, FREE_GAS_BELOW + 10 * STEP_HU, STEP_HU):
        labels, _ = components(air & (scan.hu < threshold))
        grown = keep(labels, touching(labels, seeds))
        if grown.sum() * shaper.voxel_ml > TREE_ML or grown.sum() > 2 * tree.sum() > 2 * seeds.sum():
            break
        tree = grown | seeds
    wide = shaper.opened(tree, BRONCHUS_RADIUS_MM) | seeds
    labels, _ = components(wide, np.ones((3, 3, 3), bool))
    return keep(labels, touching(labels, seeds)), tree


def above_carina(airways: Bool, shaper: Shaper) -> Bool:
    """The trachea: what of the airways lies above the first slice, from the head down, that cuts two main bronchi.

    Everything, where no slice does: the image ends above the carina, or a main bronchus is closed.
    """
    pixel_mm2 = shaper.spacing[1] * shaper.spacing[2]
    lowest = max(1, int(CARINA_MM / shaper.spacing[0] + 0.5))
    parted = 0
    for k in range(airways.shape[0] - 1, -1, -1):
        lumens, _ = ndimage.label(airways[k], np.ones((3, 3)))
        bronchi = np.bincount(lumens.ravel())[1:] * pixel_mm2 >= BRONCHUS_MM2
        parted = parted + 1 if bronchi.sum() >= 2 else 0
        if parted == lowest:
            trachea = airways.copy()
            trachea[: k + lowest] = False
            return trachea
    return airways


def _tubes(gas: Bool, lung: Bool, midline: float, shaper: Shaper) -> Bool:
    """Pieces of gas of a trachea's calibre that lie where it lies: near the midline, beside or above the lungs."""
    sk, _, si = shaper.spacing
    lungs = interior(lung)
    lower_third = lungs[0].start + (lungs[0].stop - lungs[0].start) / 3
    labels, sizes = components(gas)
    found: list[int] = []
    for label in np.flatnonzero(sizes[1:] * shaper.voxel_ml > TUBE_ML) + 1:
        piece = labels == label
        k, _, i = interior(piece)
        height = (k.stop - k.start) * sk
        area = sizes[label] * shaper.voxel_ml * 1000.0 / height
        near = abs((i.start + i.stop) / 2 - midline) * si < MIDLINE_MM
        if height >= TUBE_MM and LUMEN_MM2[0] <= area <= LUMEN_MM2[1] and near and (k.start + k.stop) / 2 > lower_third:
            found.append(int(label))
    found = [n for n in found if _flanked(labels == n, lung, si)]
    return keep(labels, found)


def _flanked(piece: Bool, lung: Bool, si: float) -> bool:
    """Whether lung lies near the foot of the piece towards each side of the patient that has any lung."""
    k = interior(piece)[0]
    beside = lung[max(0, k.start - 1) : k.start + max(1, (k.stop - k.start) // 2)].any(axis=(0, 1))
    columns = np.flatnonzero(beside)
    _, _, i = interior(piece)
    middle = (i.start + i.stop) / 2
    if not len(columns):
        return False
    to_right = middle - columns[columns < middle]
    to_left = columns[columns >= middle] - middle
    gaps = [gap.min() * si for gap in (to_right, to_left) if len(gap)]
    return bool(max(gaps) <= FLANK_MM)
