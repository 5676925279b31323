"""Body, lungs and bone on the reduced grid of a CT: coarse on purpose, and independent of every backbone.

These maps decide which landmarks an image shows; they are never a segmentation result. Thresholds are Hounsfield
units of the tissues themselves, sizes are anatomical.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..protocols import CancelToken
from .reduced import ReducedGrid

__all__ = ["AIR_HU", "BONE_HU", "BodyMaps", "largest_component", "map_body"]

#: Water is 0 and air -1000 HU by definition; fat lies at -120..-50, so below -300 there is gas or lung.
AIR_HU = -300.0
#: Trabecular bone starts about here; unenhanced soft tissue ends below 100 HU (contrast medium does not).
BONE_HU = 200.0

#: Aerated lung holds 10-50 % tissue and blood: -900 to -500 HU; gas in bowel or around the patient lies near -1000.
#: Emphysema (below -950 HU by its usual definition) fails this, but never fills a whole lung's core.
LUNG_CORE_HU = (-925.0, -500.0)
#: Air or lung as opposed to fat and tissue, half way between -700 and -100 HU.
AERATED_HU = -400.0
#: Smallest aerated piece that counts as lung: a costophrenic recess of a few slices; stool and small gas bubbles in
#: bowel, which can average to lung-like values on a coarse grid, stay below.
LUNG_MIN_ML = 25.0
#: Share of a lung's voxels that keep clear of its edge; bubbly stool and partial-volume shells have hardly any.
LUNG_CORE_SHARE = 0.15
#: Couch shells, cables and clothes are thinner than this; a slim patient's chest wall is not.
THIN_MM = 9.0


@dataclass(frozen=True, eq=False)
class BodyMaps:
    """Boolean maps, shape (s, a, r), on the grid they were made from.

    ``body`` is the patient's outline filled row by row (no couch), ``lung`` aerated lung with its airways, ``bone``
    what is denser than soft tissue (bone, and also contrast medium and metal) inside the body.
    """

    body: NDArray[np.bool_]
    lung: NDArray[np.bool_]
    bone: NDArray[np.bool_]


def largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest face-connected component; empty where the mask is."""
    from scipy import ndimage

    labels, count = ndimage.label(mask)
    if count == 0:
        return np.zeros_like(mask)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest: NDArray[np.bool_] = labels == int(sizes.argmax())
    return largest


def map_body(grid: ReducedGrid, cancel: CancelToken) -> BodyMaps | None:
    """Body, lungs and bone of a CT in HU, or None where there is no body.

    Raises
    ------
    Cancelled
    """
    from scipy import ndimage

    plane = np.ones((1, 3, 3), dtype=bool)
    tissue = (grid.values > AIR_HU) & grid.scanned
    rounds = max(1, int(THIN_MM / (2 * max(grid.step_mm[1:]))))
    core = largest_component(ndimage.binary_opening(tissue, plane, iterations=rounds))
    if not core.any():
        return None
    cancel.check()
    skin = tissue & ndimage.binary_dilation(core, plane, iterations=rounds + 1)
    skin = ndimage.binary_closing(skin, plane) | skin  # a chest wall one pixel thin has gaps
    body = np.empty_like(skin)
    for row, section in enumerate(skin):
        body[row] = ndimage.binary_fill_holes(_close_edges(section))
    cancel.check()
    lung = _lungs(grid, body)
    cancel.check()
    return BodyMaps(body, lung, (grid.values > BONE_HU) & body)


def _close_edges(section: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Close a section that the field of view cuts: along each edge, from its first to its last tissue pixel.

    Otherwise a lung that reaches the edge of a small field of view would count as outside air.
    """
    closed = section.copy()
    for edge in (closed[0], closed[-1], closed[:, 0], closed[:, -1]):
        touched = np.flatnonzero(edge)
        if touched.size:
            edge[touched[0] : touched[-1] + 1] = True
    return closed


def _lungs(grid: ReducedGrid, body: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Aerated pieces inside the body whose core has lung's density; their airways come with them."""
    from scipy import ndimage

    candidates = (grid.values < AERATED_HU) & body
    labels, count = ndimage.label(candidates)
    if count == 0:
        return candidates
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    inner = ndimage.binary_erosion(candidates, np.ones((1, 3, 3), dtype=bool))
    inner_sizes = np.bincount(labels[inner], minlength=count + 1)
    large = (sizes * grid.voxel_ml >= LUNG_MIN_ML) & (inner_sizes >= LUNG_CORE_SHARE * sizes)
    large[0] = False
    keep = np.zeros(count + 1, dtype=bool)
    ids = np.flatnonzero(large)
    if ids.size:
        medians = np.asarray(ndimage.median(grid.values, np.where(inner, labels, 0), ids))
        keep[ids] = (medians >= LUNG_CORE_HU[0]) & (medians <= LUNG_CORE_HU[1])
    lung: NDArray[np.bool_] = keep[labels]
    return lung
