"""Views of preset ``seer-v1``: the pixels that SEER's released weights were trained on.

The recipe, as the official data preparation follows it: eight slices along the third voxel axis, evenly spaced from
10% to 90% of it; each slice, with rows along i and columns along j, in single precision; clipped between its own 0.5
and 99.5 percentiles, scaled to 0..1, raised to the power 1.4, times 255, truncated; brought to 448 × 448 by Pillow's
bilinear filter whatever its aspect. A patient therefore looks turned by 90 degrees; the weights expect that.

The same pixels come out much faster for integers than by computing each pixel: the percentiles are found by
counting, and one table per slice maps values to grey. numpy's own order of operations and types is kept in both, so
the result is the same to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..protocols import CancelToken
from ..values import Plane, View, Volume
from .planes import in_plane_affine, plane_of_axis, position_along_normal

__all__ = ["GAMMA", "PERCENTILES", "SIZE", "SLICES", "render_seer_v1", "slice_indices"]

SLICES = 8
SIZE = 448
GAMMA = 1.4
PERCENTILES = (0.5, 99.5)

#: Values farther apart, or farther from 0, than this make a table too long. (They are exact in single precision.)
_TABLE_RANGE = 1 << 17


def slice_indices(count: int) -> tuple[int, ...]:
    """Slices shown of ``count``: round(linspace(10%, 90%, 8)), each once (a short volume has fewer than eight)."""
    start, stop = round((count - 1) * 0.10), round((count - 1) * 0.90)
    return tuple(dict.fromkeys(int(z) for z in np.linspace(start, stop, SLICES).round()))


def percentile_bounds(lower: NDArray[Any], upper: NDArray[Any], fraction: NDArray[np.float64]) -> NDArray[Any]:
    """np.percentile's linear interpolation between neighbours in order, with its choice of the nearer end.

    ``lower`` and ``upper`` are single precision, ``fraction`` double: the type of the result follows numpy's own rules.
    """
    difference = upper - lower
    return np.asarray(np.where(fraction < 0.5, lower + difference * fraction, upper - difference * (1 - fraction)))


def _ranks(count: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Rank below each percentile in ``count`` sorted values, and how far above it the percentile lies."""
    virtual = (count - 1) * (np.asarray(PERCENTILES) / 100)
    below = np.floor(virtual)
    return below.astype(np.intp), virtual - below


def _grey(values: NDArray[np.float32], low: Any, high: Any) -> NDArray[np.uint8]:
    scaled = np.clip((values - low) / (high - low), 0.0, 1.0)
    return np.asarray((np.power(scaled, GAMMA) * 255.0).astype(np.uint8))


def grey_slice(plane: NDArray[Any]) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Grey values of one slice by the recipe, and the window used.

    Parameters
    ----------
    plane : ndarray, shape (j, i)
        Finite values, in any order: grey does not depend on the place.

    Returns
    -------
    grey : ndarray, shape (j, i), uint8
    window : tuple[float, float]
        The percentiles, or the extremes where these coincide.
    """
    if plane.dtype.kind in "iu":
        least, most = int(plane.min()), int(plane.max())
        if max(most, 0) - min(least, 0) < _TABLE_RANGE:
            return _grey_by_table(plane, least, most)
    values = np.asarray(plane, dtype=np.float32)
    bounds = np.percentile(values, PERCENTILES)
    low, high = bounds[0], bounds[1]
    if high <= low:
        low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.zeros(plane.shape, dtype=np.uint8), (float(low), float(high))
    return _grey(values, low, high), (float(low), float(high))


def _value_at_rank(plane: NDArray[Any], rank: int, guess: int, least: int, most: int) -> tuple[int, int]:
    """The value at ``rank`` (from 0) of the sorted integers, and how many are not above it.

    By counting, from a good guess: a comparison and a count of a slice take a twentieth of a sort of it.
    """
    low, high, count = least - 1, most, plane.size  # not more than rank are <= low; more than rank are <= high
    probe, step = guess, 1
    while high - low > 1:
        probe = min(max(probe, low + 1), high - 1)
        at_most = int(np.count_nonzero(plane <= probe))
        if at_most > rank:
            high, count = probe, at_most
            probe = high - step if high - step > low else (low + high) // 2
        else:
            low = probe
            probe = low + step if low + step < high else (low + high) // 2
        step *= 2
    return high, count


def _percentiles(plane: NDArray[Any], least: int, most: int) -> NDArray[Any]:
    """np.percentile of integers as single precision, equal to the bit."""
    below, fraction = _ranks(plane.size)
    sample = np.sort(plane[::8, ::8], axis=None)
    neighbours = np.empty((2, len(below)), dtype=np.float32)
    for column, rank in enumerate(below.tolist()):
        guess = int(sample[min(rank * sample.size // plane.size, sample.size - 1)])
        value, count = _value_at_rank(plane, rank, guess, least, most)
        above = value if count > rank + 1 or count == plane.size else int(plane[plane > value].min())
        neighbours[:, column] = value, above
    return percentile_bounds(neighbours[0], neighbours[1], fraction)


def _grey_by_table(plane: NDArray[Any], least: int, most: int) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    bounds = _percentiles(plane, least, most)
    low, high = bounds[0], bounds[1]
    if high <= low:
        low, high = float(least), float(most)
    if high <= low:
        return np.zeros(plane.shape, dtype=np.uint8), (float(low), float(high))
    first, last = int(np.floor(low)), int(np.ceil(high))
    table = np.zeros(max(most + 1, 0) + max(-least, 0), dtype=np.uint8)  # below the window: 0
    # A negative value indexes the table from its end, as everywhere in Python: no copy of the slice is shifted.
    table[np.arange(first, last + 1)] = _grey(np.arange(first, last + 1, dtype=np.float32), low, high)
    table[np.arange(last + 1, most + 1)] = 255
    index = plane if np.can_cast(plane.dtype, np.intp) else plane.astype(np.intp)
    return np.take(table, index), (float(low), float(high))


def _resized(greys: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Each (j, i) → (448, 448) with rows along i, by Pillow's bilinear filter.

    Four slices at once go through the filter as the four channels of one picture (CMYK: four bytes that Pillow doesn't
    weigh by transparency): the filter works on each channel alone, so the pixels are the same, in less time.
    """
    from PIL import Image

    turn, bilinear = Image.Transpose.TRANSPOSE, Image.Resampling.BILINEAR
    pictures = [Image.fromarray(np.ascontiguousarray(g)) for g in greys]
    if len(pictures) != 4:
        return [np.asarray(p.transpose(turn).resize((SIZE, SIZE), bilinear)) for p in pictures]
    channels = np.asarray(Image.merge("CMYK", pictures).transpose(turn).resize((SIZE, SIZE), bilinear))
    return [np.ascontiguousarray(channels[..., c]) for c in range(4)]


def render_seer_v1(volume: Volume, cancel: CancelToken) -> tuple[View, ...]:
    """Render the recipe on a volume's third index axis, in the index order that the volume has.

    Raises
    ------
    Cancelled
    """
    nk, nj, ni = volume.shape
    plane: Plane = plane_of_axis(volume.affine, 2)
    indices = slice_indices(nk)
    groups = [indices[start : start + 4] for start in range(0, len(indices), 4)]

    def render(group: Sequence[int]) -> list[tuple[NDArray[np.uint8], tuple[float, float]]]:
        cancel.check()
        greys = [grey_slice(volume.voxels[k]) for k in group]
        return [(pixels, window) for pixels, (_, window) in zip(_resized([g for g, _ in greys]), greys, strict=True)]

    # numpy and Pillow let go of the interpreter's lock: two groups on two cores take little longer than one.
    with ThreadPoolExecutor(max_workers=len(groups)) as pool:
        rendered = [one for group in pool.map(render, groups) for one in group]
    views = []
    for k, (pixels, window) in zip(indices, rendered, strict=True):
        # row r is centred on i = (r + ½)·ni/448 − ½, column c on j likewise; (c, r, slices) → (i, j, k)
        to_index = np.array(
            [
                [0.0, ni / SIZE, 0.0, 0.5 * ni / SIZE - 0.5],
                [nj / SIZE, 0.0, 0.0, 0.5 * nj / SIZE - 0.5],
                [0.0, 0.0, 1.0, float(k)],
                [0.0, 0.0, 0.0, 1.0],
            ]
        )
        pixel_to_ras = in_plane_affine(volume.affine, to_index)
        views.append(
            View(
                name=f"{plane.value} {k}",
                pixels=pixels,
                plane=plane,
                slice_index=k,
                position_mm=position_along_normal(pixel_to_ras, (SIZE, SIZE), plane),
                window=window,
                pixel_to_ras=pixel_to_ras,
                preset="seer-v1",
            )
        )
    return tuple(views)
