"""Views of preset ``medvol-r1``: the 64 axial slices that MedVol-R1 grounds a request on.

MedVol-R1's paper (section 3.1.3) says "a uniformly sampled sequence of 64 axial slices resized to 256×256" and no more.
The rest follows the data preparation that its authors released since, for CT-ORG and KiTS23:

* The slices are round(linspace(0, n − 1, 64)) of the n there are, counted from the head; a volume of 64 or fewer is
  shown slice by slice, each once. The sequence runs from head to feet.
* CT is cut to −160 … 240 HU (W400 L40) whatever the region, then each slice is stretched between its own 1st and 99th
  percentile. The paper knows only CT; MR, which has no absolute scale, is only stretched.
* Upright, the back at the bottom. Neither says which side is left; here it is radiological, as in every other upright
  preset: columns run to the patient's left.
* Brought to 256 × 256 whatever its aspect. The released preparation stores 512 × 512 and leaves 256 × 256 to the image
  processor of Qwen3-VL; so its bicubic filter is the one used here, once.

The volume's own axis nearest to head-foot is followed, so an oblique volume is shown along its own slices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..protocols import CancelToken
from ..values import Modality, Plane, View, Volume
from .orient import reorientation_to
from .planes import in_plane_affine, position_along_normal
from .windows import apply_window, ct_window

__all__ = ["SIZE", "SLICES", "render_medvol_r1", "slices_from_head"]

SLICES = 64
SIZE = 256
PERCENTILES = (1.0, 99.0)

PRESET = "medvol-r1"


def slices_from_head(count: int) -> tuple[int, ...]:
    """Slices shown of ``count``, as indices from the head: evenly spaced, first and last included, each once."""
    if count <= SLICES:
        return tuple(range(count))
    return tuple(int(index) for index in np.linspace(0, count - 1, SLICES).round())


def render_medvol_r1(volume: Volume, cancel: CancelToken) -> tuple[View, ...]:
    """Render the 64 slices, head first.

    Parameters
    ----------
    volume : Volume
        In any index order: the pixels are the same in all of them.
    cancel : CancelToken

    Raises
    ------
    Cancelled
    """
    turn = reorientation_to(volume)
    voxels, affine = turn.apply(volume.voxels), volume.affine @ turn.index_affine()
    count = voxels.shape[0]
    views = []
    for from_head in slices_from_head(count):
        cancel.check()
        index = count - 1 - from_head  # k runs to the head
        own = from_head if turn.flips[0] else index
        views.append(_view(voxels[index], affine, index, own, volume.modality))
    return tuple(views)


def slice_window(plane: NDArray[Any], modality: Modality) -> tuple[float, float]:
    """Intensities shown as black and white on one slice: its percentiles, within the soft-tissue window on CT."""
    values = np.asarray(plane, dtype=np.float32)
    if modality is Modality.CT:
        values = np.clip(values, *ct_window("soft tissue", Plane.AXIAL))
    low, high = (float(value) for value in np.percentile(values, PERCENTILES))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + 1.0)  # an even slice is black


def _view(plane: NDArray[Any], affine: NDArray[np.float64], index: int, own: int, modality: Modality) -> View:
    from PIL import Image

    window = slice_window(plane, modality)
    grey = Image.fromarray(np.ascontiguousarray(apply_window(plane, window)))
    pixels = np.asarray(grey.resize((SIZE, SIZE), Image.Resampling.BICUBIC))
    rows, columns = plane.shape
    # column c is centred on i = (c + ½)·ni/256 − ½, row r on j likewise; (c, r, slices) → (i, j, k)
    to_index = np.array(
        [
            [columns / SIZE, 0.0, 0.0, 0.5 * columns / SIZE - 0.5],
            [0.0, rows / SIZE, 0.0, 0.5 * rows / SIZE - 0.5],
            [0.0, 0.0, 1.0, float(index)],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )
    pixel_to_ras = in_plane_affine(affine, to_index)
    position = position_along_normal(pixel_to_ras, (SIZE, SIZE), Plane.AXIAL)
    return View(f"axial {own}", pixels, Plane.AXIAL, own, position, window, pixel_to_ras, PRESET)
