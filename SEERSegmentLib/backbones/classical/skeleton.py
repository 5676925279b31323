"""All bones in view as one mask, marrow included; costal cartilage, which is not bone, only where it is calcified.

Dense does not mean bone once contrast medium is given. What tells them apart here: blood is even where bone has texture;
bone has a shell denser than its marrow where blood fades towards its wall; and inside the rib cage there is no bone but
the spine. Both are marked where they are sure, and grow towards each other until they meet in the valley between.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from ...protocols import CancelToken
from .chest import Chest
from .grid import Scan
from .hounsfield import BONE_SURFACE, CORTICAL, FAT, MARROW, SOFT_TISSUE
from .morphology import Bool, Shaper, components, fill_slices, keep, touching
from .spine import around_canal, find_canal

#: From the canal's centre: the arch stands within 20 mm, spinous and transverse processes reach 60 mm; bodies are up to
#: 55 mm wide and, with half the canal, 25 (neck) to 45 mm (lumbar) deep (Panjabi et al., Spine 1991 and 1992). Rib heads
#: and necks lie beside the body's back half.
ARCH_MM, ARCH_BACK_MM = 20.0, 60.0
VERTEBRA_FRONT_MM, VERTEBRA_SIDE_MM = 42.0, 26.0
RIB_HEAD_MM = 10.0

#: Sternum 10 to 15 mm thick; bones are covered by at least this much skin, electrodes and lines by none.
STERNUM_MM = 10.0
SKIN_MM = 4.0

#: Noise in blocks of 2 mm stays below 40 HU; trabeculae vary more.
EVEN_HU = 40.0
EVEN_MM = 7.0
EVEN_ML = 0.3

#: Less than this counts as calcified arteries, not as contrast medium.
CONTRAST_ML = 10.0

#: Cortex stands out from marrow by far more than 60 HU nearly all around; blood fades towards its wall but where that is
#: calcified or stented.
SHELL_HU = 60
SHELL_MM = 5.0
SHELL_SHARE = 0.3

#: Trabecular spaces are bridged up to 18 mm, and closed rings filled up to the cross-section of a femoral head (50 mm).
MARROW_RADIUS_MM = 9.0
HOLE_MM2 = 2000.0

#: Blur of a bone's surface on coarse voxels.
SURFACE_MM = 3.0

#: Below this lie calcifications, stones and clips.
BONE_ML = 0.5


def find_skeleton(scan: Scan, body: Bool, chest: Chest, cancel: CancelToken) -> Bool:
    """Bones on the coarse grid, their marrow filled, the spinal canal left open."""
    shaper = Shaper(scan.coarse_spacing)
    canal = find_canal(scan, body, chest.midline_i, shaper)
    spine = _Spine.about(canal, scan)
    cancel.check()
    dense = body & (scan.hu > BONE_SURFACE)
    even = _even_blocks(scan, dense & ~spine.vertebrae, shaper, cancel)
    cage = (_between_lungs(chest, shaper) & ~spine.region) | chest.lung_left | chest.lung_right
    contrast = (even | (cage & dense)) & ~spine.arch
    cancel.check()
    if contrast.sum() * shaper.voxel_ml > CONTRAST_ML:
        bone = _compete(scan, dense, _sure_bone(scan, dense & ~cage, even) | (spine.arch & dense), contrast)
    else:
        bone = dense & ~contrast
    labels, sizes = components(bone, np.ones((3, 3, 3), bool))
    under_skin = touching(labels, shaper.erode(body, SKIN_MM))
    bone = keep(labels, [n for n in under_skin if sizes[n] * shaper.voxel_ml >= BONE_ML])
    cancel.check()
    return _with_marrow(scan, bone, contrast, spine, shaper)


@dataclass(frozen=True, eq=False)
class _Spine:
    """Where the spine is, from its canal: ``arch`` holds bone for sure, ``vertebrae`` no vessel, ``region`` both."""

    arch: Bool
    vertebrae: Bool
    region: Bool

    @classmethod
    def about(cls, canal: NDArray[np.float64] | None, scan: Scan) -> _Spine:
        if canal is None:
            nothing = np.zeros(scan.hu.shape, np.bool_)
            return cls(nothing, nothing, nothing)

        def box(front: float, back: float, side: float) -> Bool:
            return around_canal(scan.hu.shape, canal, scan.coarse_spacing[1:], front, back, side)

        arch = box(ARCH_MM, ARCH_BACK_MM, ARCH_MM)
        vertebrae = box(VERTEBRA_FRONT_MM, ARCH_BACK_MM, VERTEBRA_SIDE_MM)
        return cls(arch, vertebrae, vertebrae | box(RIB_HEAD_MM, ARCH_BACK_MM, ARCH_BACK_MM))


def _even_blocks(scan: Scan, dense: Bool, shaper: Shaper, cancel: CancelToken) -> Bool:
    """Dense blocks without texture and without a denser shell: blood, enhanced kidney or spleen, contrast in bowel."""
    size = [max(3, 2 * int(EVEN_MM / s / 2 + 0.5) + 1) if s <= EVEN_MM else 1 for s in scan.coarse_spacing]
    values = scan.hu.astype(np.float32)
    mean = ndimage.uniform_filter(values, size)
    np.square(values, out=values)
    spread = ndimage.uniform_filter(values, size) - mean**2
    even = dense & (mean > BONE_SURFACE) & (spread < EVEN_HU**2)
    del values, spread, mean
    cancel.check()
    labels, sizes = components(even)
    found = np.zeros_like(dense)
    margin = [int(2 * SHELL_MM / s) + 1 for s in shaper.spacing]
    for label, around in enumerate(ndimage.find_objects(labels), start=1):
        if sizes[label] * shaper.voxel_ml < EVEN_ML:
            continue
        cancel.check()
        box = tuple(slice(max(0, s.start - n), s.stop + n) for s, n in zip(around, margin, strict=True))
        block = labels[box] == label
        level = float(scan.hu[box][block].mean(dtype=np.float64))
        shell = shaper.dilate(block, SHELL_MM) & ~block
        if (scan.hu[box][shell] > level + SHELL_HU).mean() < SHELL_SHARE:
            found[box] |= block
    return found


def _between_lungs(chest: Chest, shaper: Shaper) -> Bool:
    """The mediastinum: in each slice, what has right lung to its right and left lung to its left, and a sternum's
    thickness in front of it too."""
    past_right = np.maximum.accumulate(chest.lung_right, axis=2)
    before_left = np.maximum.accumulate(chest.lung_left[:, :, ::-1], axis=2)[:, :, ::-1]
    between: Bool = past_right & before_left
    depth = int(STERNUM_MM / shaper.spacing[1] + 0.5)
    behind = np.zeros_like(between)
    behind[:, depth:] = between[:, : between.shape[1] - depth]
    return between & behind


def _sure_bone(scan: Scan, dense: Bool, even: Bool) -> Bool:
    """Cortical bone: dense pieces that are not the continuation of an even block, as the branches of an artery are."""
    cube = np.ones((3, 3, 3), bool)
    labels, _ = components((dense & (scan.hu > CORTICAL)) | even, cube)
    vessels = keep(labels, touching(labels, even))
    return (labels > 0) & ~vessels


def _compete(scan: Scan, dense: Bool, bone: Bool, contrast: Bool) -> Bool:
    """Grow both markers through what is dense, densest first (watershed); what neither reaches is not bone."""
    markers = bone.astype(np.uint8) + 2 * (contrast & ~bone).astype(np.uint8) + 3 * (~dense).astype(np.uint8)
    relief = sitk.GetImageFromArray(-scan.hu)
    grown = sitk.MorphologicalWatershedFromMarkers(relief, sitk.GetImageFromArray(markers), False, False)
    winner: NDArray[np.uint8] = sitk.GetArrayFromImage(grown)
    return (winner == 1) & dense


def _with_marrow(scan: Scan, bone: Bool, contrast: Bool, spine: _Spine, shaper: Shaper) -> Bool:
    """Add the blurred surface, and the marrow between the surfaces; discs and canal stay open."""
    solid = bone | (shaper.dilate(bone, SURFACE_MM) & (scan.hu > MARROW) & ~contrast)
    inside = shaper.closed(solid, MARROW_RADIUS_MM)
    _, sj, si = shaper.spacing
    inside |= fill_slices(inside, int(HOLE_MM2 / (sj * si)))
    smooth = ndimage.uniform_filter(scan.hu, 3, output=np.int16)
    marrow = (smooth > (SOFT_TISSUE + MARROW) // 2) & ~(spine.vertebrae & (smooth < MARROW))
    fatty = (smooth < 0) & (smooth > FAT[0]) & ~spine.region
    return solid | (inside & (marrow | fatty) & ~contrast)
