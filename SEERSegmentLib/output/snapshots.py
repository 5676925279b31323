"""Three slices through what was segmented, for people: fixed views may well miss a small target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..anatomy import load_vocabulary
from ..imaging import reorientation_to, to_lps
from ..imaging.windows import apply_window, ct_window, percentile_window
from ..values import Modality, Plane, Segment, Segmentation, View, Volume

__all__ = ["TARGET_PRESET", "target_views"]

TARGET_PRESET = "target"

#: In LPS index order (array axes k, j, i): the axis a plane is normal to, and whether its rows run against theirs: the
#: feet lie at the bottom of coronal and sagittal pictures but first in k.
_ARRAY_AXIS = {Plane.AXIAL: 0, Plane.CORONAL: 1, Plane.SAGITTAL: 2}
_ROWS_REVERSED = {Plane.AXIAL: False, Plane.CORONAL: True, Plane.SAGITTAL: True}

#: Windows tried for a CT, in this order, where nothing about the target's kind asks for another one first.
_CT_WINDOWS = ("soft tissue", "lung", "bone")


def target_views(segmentation: Segmentation) -> tuple[View, ...]:
    """An axial, a coronal and a sagittal slice, each where it cuts most of the segments; none without any mask voxel.

    Slices are the volume's own, in radiological convention, turned but not resampled: a pixel may be taller than wide.
    """
    segments = [segment for segment in segmentation.segments if segment.mask.voxels.any()]
    if not segments:
        return ()
    window = _window(segmentation.volume, segments)
    return tuple(_slice_view(segmentation.volume, plane, segments, window) for plane in Plane)


def _slice_view(volume: Volume, plane: Plane, segments: Sequence[Segment], window: tuple[float, float]) -> View:
    turn, turned = reorientation_to(volume), to_lps(volume)
    along = _ARRAY_AXIS[plane]
    others = tuple(axis for axis in range(3) if axis != along)
    counts = sum(turn.apply(segment.mask.voxels).sum(axis=others) for segment in segments)
    index = int(np.argmax(counts))
    pixels = turned.voxels[(slice(None),) * along + (index,)]
    row_axis, column_axis = others
    start = np.zeros(4)
    start[[2 - along, 3]] = index, 1.0
    row = turned.affine[:, 2 - row_axis]
    if _ROWS_REVERSED[plane]:
        pixels = pixels[::-1]
        start[2 - row_axis] = pixels.shape[0] - 1
        row = -row
    normal = turned.affine[:, 2 - along]
    to_ras = np.stack([turned.affine[:, 2 - column_axis], row, normal, turned.affine @ start], axis=1)
    own = turned.shape[along] - 1 - index if turn.flips[along] else index
    centre = to_ras @ [(pixels.shape[1] - 1) / 2, (pixels.shape[0] - 1) / 2, 0.0, 1.0]
    return View(
        name=f"{plane.value} {own}",
        pixels=apply_window(pixels, window),
        plane=plane,
        slice_index=own,
        position_mm=float(centre[2 - along]),
        window=window,
        pixel_to_ras=to_ras,
        preset=TARGET_PRESET,
    )


def _window(volume: Volume, segments: Sequence[Segment]) -> tuple[float, float]:
    """For a CT the first window that shows the target as grey rather than black or white; else from the intensities."""
    sample = _sample(volume.voxels)
    if volume.modality is not Modality.CT:
        return percentile_window(sample, volume.modality)
    inside = np.concatenate([_inside(volume, segment) for segment in segments])
    median = float(np.median(inside))
    windows = [ct_window(name, Plane.AXIAL) for name in (*_asked_for(segments), *_CT_WINDOWS)]
    shown = [window for window in windows if window[0] < median < window[1]]
    return shown[0] if shown else percentile_window(inside, volume.modality)


def _asked_for(segments: Sequence[Segment]) -> list[str]:
    """Windows that the kind of all targets asks for, whatever their intensity."""
    vocabulary = load_vocabulary()
    known = [vocabulary.get(s.mask.target.structure) for s in segments if s.mask.target.structure]
    if len(known) < len(segments):
        return []
    leaves = [vocabulary.get(leaf) for structure in known for leaf in vocabulary.parts_closure(structure.id)]
    if all(leaf.kind == "bone" for leaf in leaves):
        return ["bone"]
    if all(structure.regions == ("head",) for structure in known):
        return ["brain"]
    return []


def _inside(volume: Volume, segment: Segment) -> NDArray[Any]:
    """Intensities inside a mask; every n-th of many."""
    parts = [slab[inside] for slab, inside in zip(volume.voxels, segment.mask.voxels, strict=True) if inside.any()]
    values = np.concatenate(parts)
    return values[:: max(1, values.size // 65536)]


def _sample(voxels: NDArray[Any]) -> NDArray[Any]:
    steps = tuple(slice(None, None, max(1, n // 64)) for n in voxels.shape)
    return voxels[steps]
