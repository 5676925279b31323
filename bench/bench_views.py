"""Speed of views, as ratios: `seer-v1` against the official preparation's steps, `multi-view` against its floor.

The volume is 512 × 512 × 400 voxels of int16 (210 MB): the 20 slices of ``example-dicom``, a real CT, repeated.

* The official preparation opens a NIfTI file with nibabel, converts the whole volume to float32, and computes, resizes
  and writes eight PNGs with Pillow. Its steps are repeated here, on an uncompressed file that the system has cached
  (a compressed one would take it several times as long, in decompression). SEER computes the same pixels from the
  volume that it has read for segmentation anyway; a second line includes reading it.
* The floor of `multi-view` is copying the same nine raw slices and one maximum pass over the volume in storage order;
  no resampling, no windows. PNGs are not included in either.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from SEERSegmentLib.imaging import encode_png, read_volume, render_views
from SEERSegmentLib.imaging.samples import fetch_sample
from SEERSegmentLib.values import Modality, View, Volume

SLICES = 400
REPEATS = 9


def best_ms(*runs: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    """Least wall-clock time of each of several things, run by turns, in milliseconds: undisturbed."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats):
        for run, taken in zip(runs, times, strict=True):
            start = time.perf_counter()
            run()
            taken.append(time.perf_counter() - start)
    return [1000 * min(taken) for taken in times]


def large_volume() -> Volume:
    """A real CT's slices, repeated to 512 × 512 × 400."""
    series = read_volume(fetch_sample("example-dicom"))
    voxels = np.concatenate([series.voxels] * (SLICES // series.shape[0]))
    return Volume(np.ascontiguousarray(voxels, dtype=np.int16), series.affine, Modality.CT, "DICOM", "large CT")


def official_pixels(path: Path, folder: Path | None = None) -> list[NDArray[np.uint8]]:
    """The official recipe's steps with nibabel, numpy and Pillow; writes the PNGs where a folder is given."""
    import nibabel as nib
    from PIL import Image

    array: NDArray[np.float32] = nib.nifti1.Nifti1Image.from_filename(path).get_fdata(dtype=np.float32)
    last = array.shape[2] - 1
    pixels = []
    for z in np.linspace(round(last * 0.1), round(last * 0.9), 8).round().astype(int):
        values = np.asarray(array[:, :, z], dtype=np.float32)
        low, high = np.percentile(values[np.isfinite(values)], (0.5, 99.5))
        grey = (np.power(np.clip((values - low) / (high - low), 0.0, 1.0), 1.4) * 255.0).astype(np.uint8)
        picture = Image.fromarray(grey).resize((448, 448), Image.Resampling.BILINEAR)
        pixels.append(np.asarray(picture))
        if folder is not None:
            picture.convert("RGB").save(folder / f"z{z:03d}.png")
    return pixels


def write_pngs(views: tuple[View, ...], folder: Path) -> None:
    """SEER's PNGs of the same pixels, grey."""
    for view in views:
        (folder / f"z{view.slice_index:03d}.png").write_bytes(encode_png(view))


def seer_v1_ratios(volume: Volume) -> dict[str, float]:
    """How many times as long the official steps take; refuses to compare pixels that differ.

    Returns
    -------
    dict
        ``"pixels"``: file to pixels, against SEER's from its volume in memory; ``"pixels and PNG"``: both writing
        eight PNGs; ``"pixels, reading included"``: SEER too from the file.
    """
    import nibabel

    def views() -> tuple[View, ...]:
        return render_views(volume, "seer-v1", as_stored=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "volume.nii"
        nibabel.save(nibabel.Nifti1Image(volume.voxels.T, volume.affine), path)
        for ours, theirs in zip(views(), official_pixels(path), strict=True):
            if not np.array_equal(ours.pixels, theirs):
                raise AssertionError(f"{ours.name} differs from the official recipe")
        official, official_png, seer, seer_png, seer_read = best_ms(
            lambda: official_pixels(path),
            lambda: official_pixels(path, folder),
            views,
            lambda: write_pngs(views(), folder),
            lambda: render_views(read_volume(path), "seer-v1", as_stored=True),
        )
    return {
        "pixels": official / seer,
        "pixels and PNG": official_png / seer_png,
        "pixels, reading included": official / seer_read,
    }


def multi_view_floor(voxels: NDArray[Any], views: tuple[View, ...]) -> None:
    """Copy the slices that the views show, and take the maximum along j, in storage order."""
    indices = [(view.plane.value, view.slice_index) for view in views if view.slice_index is not None]
    for plane, index in indices:
        axis = ("axial", "coronal", "sagittal").index(plane)
        np.ascontiguousarray(voxels[(slice(None),) * axis + (index,)])
    result = np.empty((voxels.shape[0], voxels.shape[2]), voxels.dtype)
    for slab, row in zip(voxels, result, strict=True):
        np.maximum.reduce(slab, axis=0, out=row)


def multi_view_ratio(volume: Volume) -> float:
    """Time of the `multi-view` pixels as a multiple of the floor's."""
    views = render_views(volume)
    seer, floor = best_ms(lambda: render_views(volume), lambda: multi_view_floor(volume.voxels, views))
    return seer / floor


def main() -> None:
    """Print the ratios and the bars."""
    volume = large_volume()
    seer_v1 = seer_v1_ratios(volume)
    print("| what | ratio | bar |")
    print("|---|---|---|")
    print(f"| seer-v1 pixels: official steps from the file / SEER | {seer_v1['pixels']:.1f} | ≥ 10 |")
    print(f"| seer-v1 pixels and PNG files: official / SEER | {seer_v1['pixels and PNG']:.1f} | |")
    print(
        f"| seer-v1 pixels, SEER reading the file too: official / SEER | {seer_v1['pixels, reading included']:.1f} | |"
    )
    print(f"| multi-view pixels: SEER / floor | {multi_view_ratio(volume):.2f} | ≤ 3 |")


if __name__ == "__main__":
    main()
