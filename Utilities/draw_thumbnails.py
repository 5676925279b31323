#!/usr/bin/env python3
"""Draw the pictures of the sample volumes that Slicer's Sample Data module shows: an axial and a coronal slice each.

``python Utilities/draw_thumbnails.py`` fetches the samples and writes the PNGs beside the module's icon.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from SEERSegmentLib.imaging.orient import to_lps  # noqa: E402 - run from a checkout
from SEERSegmentLib.imaging.read import read_volume  # noqa: E402
from SEERSegmentLib.imaging.samples import fetch_sample  # noqa: E402

SIZE = (270, 180)
#: Name in the Sample Data module: sample, window (low, high; None for percentiles), where the slices lie (k, j of 1).
THUMBNAILS = {
    "SEERChestCT": ("ct-chest", (-1000.0, 400.0), (0.5, 0.45)),
    "SEERAbdomenCT": ("example-ct", (-160.0, 240.0), (0.74, 0.5)),
    "SEERAbdomenMR": ("example-mr-sm", None, (0.5, 0.5)),
}


def _tile(plane: NDArray[np.float64], spacing: tuple[float, float], box: tuple[int, int]) -> Image.Image:
    """A slice of grey values 0..1 with (row, column) spacing in mm, fitted into a box (width, height) on black."""
    height, width = (count * size for count, size in zip(plane.shape, spacing, strict=True))
    scale = min(box[0] / width, box[1] / height)
    target = max(1, round(height * scale)), max(1, round(width * scale))
    zoomed = ndimage.zoom(plane, [t / n for t, n in zip(target, plane.shape, strict=True)], order=3)
    picture = Image.fromarray((np.clip(zoomed, 0, 1) * 255).astype(np.uint8))
    tile = Image.new("L", box)
    tile.paste(picture, ((box[0] - picture.width) // 2, (box[1] - picture.height) // 2))
    return tile


def draw(sample: str, window: tuple[float, float] | None, where: tuple[float, float]) -> Image.Image:
    """The thumbnail of a sample: axial on the left, coronal on the right, both as radiologists look at them."""
    volume = to_lps(read_volume(fetch_sample(sample)))
    voxels = volume.voxels.astype(np.float64)
    low, high = window or np.percentile(voxels, (1, 99))
    grey = np.clip((voxels - low) / (high - low), 0, 1)
    si, sj, sk = volume.spacing
    k, j = (round(part * (count - 1)) for part, count in zip(where, grey.shape[:2], strict=True))
    picture = Image.new("L", SIZE)
    if sk * len(grey) < 100:  # a slab: nothing to see in a coronal slice
        return _tile(grey[k], (sj, si), SIZE)
    split = 150
    picture.paste(_tile(grey[k], (sj, si), (split, SIZE[1])), (0, 0))
    picture.paste(_tile(grey[::-1, j], (sk, si), (SIZE[0] - split, SIZE[1])), (split, 0))
    return picture


def main() -> int:
    for name, (sample, window, where) in THUMBNAILS.items():
        draw(sample, window, where).save(ROOT / f"SEERSegment/Resources/Icons/{name}.png", optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
