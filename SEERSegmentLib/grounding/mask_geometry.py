"""Plain geometry of boolean masks, without copies of the size of the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Box", "centroid_ras", "pieces", "shared_voxels", "side_shares", "touched_faces", "trim"]

Box = tuple[slice, slice, slice]

#: Pieces are counted on at most this many voxels (4 bytes each while counting).
MAX_LABELLED = 4_000_000
MAX_SAMPLED_SLABS = 64


def trim(mask: NDArray[np.bool_]) -> Box | None:
    """Bounding box of a mask, shape (k, j, i); None where it is empty."""
    inside: list[slice] = []
    box = mask
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        found = np.flatnonzero(box.any(axis=others))
        if not found.size:
            return None
        inside.append(slice(int(found[0]), int(found[-1]) + 1))
        cut: list[slice] = [slice(None)] * 3
        cut[axis] = inside[-1]
        box = box[tuple(cut)]
    return inside[0], inside[1], inside[2]


def touched_faces(mask: NDArray[np.bool_], box: Box | None) -> list[tuple[int, bool]]:
    """(array axis, whether at its end) of each face of the image that the mask touches.

    An axis of one voxel has no inside, so its faces don't count.
    """
    if box is None:
        return []
    faces = []
    for axis, (part, length) in enumerate(zip(box, mask.shape, strict=True)):
        if length == 1:
            continue
        if part.start == 0:
            faces.append((axis, False))
        if part.stop == length:
            faces.append((axis, True))
    return faces


def centroid_ras(cropped: NDArray[np.bool_], box: Box, affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centroid in RAS mm of a mask, shape (k, j, i), cropped to its bounding box in the image; any orientation."""
    index = np.ones(4)
    total = float(np.count_nonzero(cropped))
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        profile = np.count_nonzero(cropped, axis=others)
        index[2 - axis] = box[axis].start + float(profile @ np.arange(len(profile))) / total
    centroid: NDArray[np.float64] = (affine @ index)[:3]
    return centroid


def side_shares(
    cropped: NDArray[np.bool_], box: Box, affine: NDArray[np.float64], midline_mm: float, margin_mm: float
) -> tuple[float, float]:
    """Shares of a cropped mask to the right and to the left of the midline by more than a margin; any orientation.

    Judged on at most about :data:`MAX_SAMPLED_SLABS` of its slabs, evenly spaced.
    """
    step = -(-cropped.shape[0] // MAX_SAMPLED_SLABS)
    j = np.arange(box[1].start, box[1].stop)[:, None]
    i = np.arange(box[2].start, box[2].stop)[None, :]
    plane = affine[0, 0] * i + affine[0, 1] * j + affine[0, 3] - midline_mm
    total = right = left = 0
    for number in range((cropped.shape[0] - 1) % step // 2, cropped.shape[0], step):
        off = (plane + affine[0, 2] * (box[0].start + number))[cropped[number]]
        total += off.size
        right += int(np.count_nonzero(off > margin_mm))
        left += int(np.count_nonzero(off < -margin_mm))
    return (right / total, left / total) if total else (0.0, 0.0)


def shared_voxels(one: NDArray[np.bool_], one_box: Box | None, other: NDArray[np.bool_], other_box: Box | None) -> int:
    """Number of voxels that two masks on one grid share."""
    if one_box is None or other_box is None:
        return 0
    common = tuple(slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(one_box, other_box, strict=True))
    if any(part.start >= part.stop for part in common):
        return 0
    return int(np.count_nonzero(one[common] & other[common]))


def pieces(cropped: NDArray[np.bool_]) -> list[int]:
    """Sizes of the connected pieces (26 neighbours), largest first.

    A large mask is first reduced by taking blocks that hold any of it, so that pieces may merge but never split; sizes
    are then in blocks.
    """
    from scipy import ndimage

    factor = int(np.ceil((cropped.size / MAX_LABELLED) ** (1 / 3)))
    blocks = cropped
    if factor > 1:
        shape = tuple(-(-length // factor) for length in cropped.shape)
        blocks = np.zeros(shape, dtype=bool)
        for k in range(factor):
            for j in range(factor):
                for i in range(factor):
                    part = cropped[k::factor, j::factor, i::factor]
                    blocks[: part.shape[0], : part.shape[1], : part.shape[2]] |= part
    labels, _ = ndimage.label(blocks, np.ones((3, 3, 3), dtype=bool))
    sizes = np.bincount(labels.ravel())[1:]
    return sorted((int(size) for size in sizes), reverse=True)
