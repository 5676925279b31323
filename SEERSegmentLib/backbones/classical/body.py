"""The patient: without table, blankets and lines, with everything that the skin encloses."""

from __future__ import annotations

import numpy as np

from ...protocols import CancelToken
from .grid import Outline, Scan, coarsen
from .hounsfield import AIR, EMPHYSEMA_BELOW, FAT, LUNG_SURFACE, RANGE, SKIN
from .morphology import IN_SLICE, Bool, Shaper, components, count_labels, edges, keep, mapped, reconstruct, touching

#: A trunk is hundreds of mm wide: its outline is found on voxels of about this edge, then drawn finer.
ROUGH_MM = 4.0

#: Half air, half the densest of foam and cloth, which reach −300: what is denser is tissue or a hard shell.
TISSUE_ABOVE = (AIR + 3 * FAT[0]) // 5  # -314

#: Table tops, head holders, cables and lines are thinner than this; a chest wall or a finger is not.
SHELL_MM = 8.0

#: A limb apart from the trunk holds a ball of this diameter (the wrist is some 40 mm thick); parts of a table do not.
LIMB_MM = 24.0

#: Foam of mattresses and pads weighs less than 80 kg/m³, aerated lung more: 0.08 g/mL lies 920 HU below water.
FOAM_BELOW = -920

#: Air passages from outside into the body (nostrils, mouth) are narrower; the gap between arm and trunk is wider.
PASSAGE_MM = 16.0


def find_body(scan: Scan, cancel: CancelToken) -> Bool:
    """The patient on the coarse grid, cavities and lungs included.

    Returns
    -------
    ndarray, bool, coarse shape (k, j, i)
        All False where the image holds no tissue.
    """
    rough = coarsen(scan.hu, scan.coarse_spacing, cancel, ROUGH_MM)
    shaper = Shaper(rough.coarse_spacing)
    body = _rough_body(rough, shaper)
    return rough.draw(body_outline(rough, body), np.empty(scan.hu.shape, np.bool_), cancel)


def body_outline(scan: Scan, body: Bool) -> Outline:
    """How to draw what :func:`find_body` found at full resolution."""
    if scan.is_fine:
        return Outline(body)
    inside, around = edges(body)
    return Outline(inside, ((around, SKIN, RANGE[1]),))


def _rough_body(scan: Scan, shaper: Shaper) -> Bool:
    tissue = scan.hu > TISSUE_ABOVE
    labels, sizes = components(shaper.opened(tissue, SHELL_MM / 2))
    if len(sizes) < 2:
        return np.zeros_like(tissue)
    largest = int(np.argmax(sizes[1:])) + 1
    thick = shaper.erode(labels > 0, LIMB_MM / 2)
    solid = keep(labels, np.append(touching(labels, thick), largest))
    solid = shaper.dilate(solid, SHELL_MM / 2) & (scan.hu > SKIN)
    enclosed = _enclosed(scan, shaper.closed(solid, SHELL_MM)) & ~solid
    gas = ~solid & (scan.hu < EMPHYSEMA_BELOW)
    wide = shaper.opened(gas, PASSAGE_MM / 2)
    gaps = shaper.dilate(reconstruct(wide & ~enclosed, wide), PASSAGE_MM / 4)
    return solid | (enclosed & ~gaps)


def _enclosed(scan: Scan, wall: Bool) -> Bool:
    """A wall with what it encloses within an axial slice, and lung that the field of view cuts off."""
    rim = scan.measured.copy()
    core = scan.measured
    rim[:, 1:-1, 1:-1] &= ~(
        core[:, :-2, 1:-1] & core[:, 2:, 1:-1] & core[:, 1:-1, :-2] & core[:, 1:-1, 2:]
    )  # what is left lies on the edge of the field of view, in its slice
    labels, sizes = components(~wall & scan.measured, IN_SLICE)
    lung = (scan.hu > FOAM_BELOW) & (scan.hu < LUNG_SURFACE)
    on_rim = count_labels(labels, rim, len(sizes))
    lung_on_rim = count_labels(labels, rim & lung, len(sizes))
    lung_in_all = count_labels(labels, lung, len(sizes))
    inside = (on_rim == 0) | ((lung_on_rim * 2 > on_rim) & (lung_in_all * 2 > sizes))
    inside[0] = False
    return mapped(labels, inside) | (wall & scan.measured)
