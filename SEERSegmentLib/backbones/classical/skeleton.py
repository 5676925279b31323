"""All bones in view as one mask, marrow included; costal cartilage, which is not bone, only where it is calcified.

Dense does not mean bone once contrast medium is given. What tells them apart here: blood is even where bone has
texture; bone has a shell denser than its marrow where blood fades towards its wall; and inside the rib cage there is
no bone but the spine. Both are marked where they are sure, and grow towards each other until they meet in the valley
between.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...protocols import CancelToken
from .body import LIMB_MM
from .chest import Chest
from .grid import Outline, Scan
from .hounsfield import BONE_SURFACE, COMPACT, CORTICAL, FAT, MARROW, METAL_ABOVE, RANGE, SOFT_TISSUE
from .morphology import (
    Bool,
    Shaper,
    components,
    count_labels,
    edges,
    enclosed,
    fill_slices,
    keep,
    reconstruct,
    touching,
    watershed,
)
from .spine import around_canal, find_canal
from .thorax import between_lungs, chest_wall

#: From the canal's centre: the arch stands within 20 mm, spinous and transverse processes reach 60 mm; bodies are up to
#: 55 mm (lumbar) or 40 mm (thoracic) wide and, with half the canal, 25 (neck) to 45 mm (lumbar) deep (Panjabi et al.,
#: Spine 1991 and 1992). Rib heads and necks lie beside the body's back half.
CANAL_FRONT_MM, CANAL_SIDE_MM = 8.0, 12.0
ARCH_MM, ARCH_BACK_MM = 20.0, 60.0
VERTEBRA_FRONT_MM, VERTEBRA_SIDE_MM = 42.0, 26.0
THORACIC_SIDE_MM = 20.0
MARROW_FRONT_MM = 33.0
RIB_HEAD_MM = 10.0

#: Between spine and sternum or navel no bone lies in the half nearer to the spine. The costal part of the trunk goes on
#: for a hand below the lungs; from there on a slice may be one of the pelvis. It is none where nothing dense lies deep
#: and to the side: each hip bone has more than 300 mm² in a slice. (Enhanced kidneys look the same to this test, and
#: then nothing is said of that slice.) Trunks are wider than 250 mm (the bi-iliac breadth of adults is 280), necks and
#: heads narrower.
BEFORE_SPINE_SHARE, BEFORE_SPINE_SIDE_MM = 0.6, 50.0
BELOW_LUNG_MM = 80.0
HIP_MM2 = 300.0
TRUNK_MM = 250.0

#: Bones are covered by at least this much skin, electrodes and lines by none.
SKIN_MM = 7.0

#: Ribs lie within this depth unless the patient is obese; kidneys lie deeper.
WALL_MM = 35.0

#: No marrow lies farther from the cortex: half the depth of a vertebral body, half a femoral head.
REACH_MM = 22.0

#: Noise in blocks of 2 mm stays below 40 HU; trabeculae vary more.
EVEN_HU = 40.0
EVEN_MM = 7.0
EVEN_ML = 0.3

#: Less than this counts as calcified arteries, not as contrast medium: 20 mL in all, or, in a slab of few slices, a
#: mean cross-section of 100 mm² (the lumen of an adult's aorta has 200 to 500, its calcified wall far less).
CONTRAST_ML = 20.0
CONTRAST_MM2 = 100.0

#: Cortex stands out from marrow by far more than 60 HU nearly all around; blood fades towards its wall but where that
#: is calcified or stented.
SHELL_HU = 60
SHELL_MM = 5.0
SHELL_SHARE = 0.3

#: Trabecular spaces are bridged up to 18 mm, and closed rings filled up to the cross-section of a femoral head (50 mm).
MARROW_RADIUS_MM = 9.0
HOLE_MM2 = 2000.0
PORE_MM2 = 250.0

#: Gaps in a cortex, half their width: nutrient canals and foramina of the sacrum, and what a blurred shell of 0.5 to
#: 1 mm leaves open. In a slice, and without regard to CT numbers, only those of a few coarse voxels.
CORTEX_GAP_MM = 4.5
SHELL_GAP_MM = 3.0

#: Discs and cartilage (50 to 110 HU) are denser than muscle and lighter than most trabecular bone.
DISC_HU = ((SOFT_TISSUE + MARROW) // 2, MARROW)

#: Blur of a bone's surface on coarse voxels.
SURFACE_MM = 3.0

#: Below this lie calcifications, stones and clips.
BONE_ML = 0.5


@dataclass(frozen=True, eq=False)
class Bones:
    """Coarse masks: all bones with their marrow, what of it was filled because bone encloses it, and what is as dense
    but no bone (blood with contrast medium)."""

    skeleton: Bool
    enclosed: Bool
    contrast: Bool


def skeleton_outline(bones: Bones) -> Outline:
    """How to draw the bones at full resolution: within a coarse voxel of their surface, each voxel decides.

    That holds for coarse scans as for fine ones, so that the same patient has the same bones in both. Marrow was not
    found by its CT number and is not decided by it.
    """
    inside, around = edges(bones.skeleton)
    outer = around & ~bones.skeleton & ~bones.contrast
    return Outline(inside | bones.enclosed, ((bones.skeleton, MARROW, RANGE[1]), (outer, BONE_SURFACE, RANGE[1])))


def find_skeleton(scan: Scan, body: Bool, chest: Chest, cancel: CancelToken) -> Bones:
    """Bones on the coarse grid, their marrow filled, the spinal canal left open."""
    shaper = Shaper(scan.coarse_spacing)
    canal = find_canal(scan, body, chest.midline_i, shaper)
    thoracic: Bool = np.any(chest.lung_left | chest.lung_right, axis=(1, 2))
    spine = _Spine.about(canal, scan, thoracic)
    cancel.check()
    bone, contrast = _bone_and_contrast(scan, body, chest, canal, spine, thoracic, cancel)
    bone = _without_foreign(scan, bone, body, shaper)
    cancel.check()
    skeleton, marrow = _with_marrow(scan, bone, contrast, spine, shaper)
    return Bones(skeleton, marrow, contrast)


def _bone_and_contrast(
    scan: Scan,
    body: Bool,
    chest: Chest,
    canal: NDArray[np.float64] | None,
    spine: _Spine,
    thoracic: Bool,
    cancel: CancelToken,
) -> tuple[Bool, Bool]:
    """What is dense, divided into bone and what holds contrast medium or calcium; ``thoracic`` slices show lung."""
    shaper = Shaper(scan.coarse_spacing)
    dense = body & (scan.hu > BONE_SURFACE)
    trunk = np.zeros_like(dense) if canal is None else _before_spine(scan, body, dense, chest, canal, shaper)
    boneless = (trunk | (between_lungs(chest, shaper) & ~spine.region)) & ~spine.arch
    cancel.check()
    even = _even_blocks(scan, dense, spine.marrow, shaper, cancel) & ~spine.arch
    # Even blocks alone may be marrow: where the image shows a place that holds blood but no bone, that place tells.
    if not _is_contrast(boneless & dense if boneless.any() else even, shaper):
        contrast = boneless & dense & ~reconstruct(spine.arch & dense, dense)  # calcified arteries and valves
        return dense & ~contrast, contrast
    blood = even | (boneless & dense)
    del boneless
    contrast = blood | ((chest.lung_left | chest.lung_right) & dense)
    trunk &= dense
    trunk[np.flatnonzero(thoracic).mean(dtype=int) if thoracic.any() else 0 :] = False
    sure = _sure_bone(scan, dense & ~contrast & ~spine.region, trunk | even, shaper)
    del trunk, even
    ribs = chest_wall(chest, body, shaper, cancel)
    sure |= _wall_bone(scan, dense & ~contrast & ~spine.region, blood, body, ribs, shaper)
    del blood, ribs
    sure |= (spine.arch & dense) | (spine.back & (scan.hu > CORTICAL) & ~contrast)
    bone = _compete(scan, dense & shaper.dilate(sure, REACH_MM), sure, contrast)
    return bone, dense & ~bone & ~spine.marrow


def _without_foreign(scan: Scan, bone: Bool, body: Bool, shaper: Shaper) -> Bool:
    """Bone without crumbs, and without the metal and the lines that lie on the skin."""
    labels, sizes = components(bone, np.ones((3, 3, 3), bool))
    metal = count_labels(labels, scan.hu > METAL_ABOVE, len(sizes)) * 10 > sizes
    outside = count_labels(labels, ~shaper.opened(body, LIMB_MM / 2), len(sizes)) * 2 > sizes
    is_bone = (sizes * shaper.voxel_ml >= BONE_ML) & ~(metal & outside)
    return keep(labels, [n for n in touching(labels, shaper.erode(body, SKIN_MM)) if is_bone[n]])


@dataclass(frozen=True, eq=False)
class _Spine:
    """Where the spine is, from its canal.

    ``canal`` holds no bone but its wall, ``arch`` bone for sure, ``back`` nothing else that is dense, ``marrow`` bone
    mostly; ``vertebrae`` and rib heads end within ``region``.
    """

    canal: Bool
    arch: Bool
    back: Bool
    marrow: Bool
    vertebrae: Bool
    region: Bool

    @classmethod
    def about(cls, canal: NDArray[np.float64] | None, scan: Scan, thoracic: Bool) -> _Spine:
        if canal is None:
            nothing = np.zeros(scan.hu.shape, np.bool_)
            return cls(*([nothing] * 6))

        body_side = np.where(thoracic, THORACIC_SIDE_MM, VERTEBRA_SIDE_MM)

        def box(front: float, back: float, side: float | NDArray[np.float64]) -> Bool:
            return around_canal(scan.hu.shape, canal, scan.coarse_spacing[1:], front, back, side)

        middle = box(CANAL_FRONT_MM, CANAL_FRONT_MM, CANAL_SIDE_MM)
        arch = box(ARCH_MM, ARCH_BACK_MM, ARCH_MM)
        vertebrae = box(VERTEBRA_FRONT_MM, ARCH_BACK_MM, body_side)
        marrow = box(MARROW_FRONT_MM, ARCH_BACK_MM, body_side)
        behind = box(-CANAL_FRONT_MM, ARCH_BACK_MM, ARCH_BACK_MM)
        return cls(middle, arch, behind, marrow, vertebrae, vertebrae | box(RIB_HEAD_MM, ARCH_BACK_MM, ARCH_BACK_MM))


def _is_contrast(blood: Bool, shaper: Shaper) -> bool:
    """Whether what may be blood is more than calcified walls."""
    sections = blood.sum(axis=(1, 2)) * (shaper.voxel_ml * 1000.0 / shaper.spacing[0])
    return bool(blood.sum() * shaper.voxel_ml > CONTRAST_ML or sections.mean() > CONTRAST_MM2)


def _even_blocks(scan: Scan, dense: Bool, marrow: Bool, shaper: Shaper, cancel: CancelToken) -> Bool:
    """Dense blocks without texture and without a denser shell: blood, enhanced kidney or spleen, contrast in bowel.

    Blocks that lie mostly in ``marrow``, the place of the vertebrae, belong to them.
    """
    size = [max(3, 2 * int(EVEN_MM / s / 2 + 0.5) + 1) if s <= EVEN_MM else 1 for s in scan.coarse_spacing]
    values = scan.hu.astype(np.float32)
    mean = ndimage.uniform_filter(values, size)
    np.square(values, out=values)
    spread = ndimage.uniform_filter(values, size) - mean**2
    even = dense & (mean > BONE_SURFACE) & (mean < COMPACT) & (spread < EVEN_HU**2)
    del values, spread, mean
    cancel.check()
    labels, sizes = components(even)
    in_spine = count_labels(labels, marrow, len(sizes)) * 2 > sizes
    found = np.zeros_like(dense)
    margin = [int(2 * SHELL_MM / s) + 1 for s in shaper.spacing]
    for label, around in enumerate(ndimage.find_objects(labels), start=1):
        if in_spine[label] or sizes[label] * shaper.voxel_ml < EVEN_ML:
            continue
        cancel.check()
        box = tuple(slice(max(0, s.start - n), s.stop + n) for s, n in zip(around, margin, strict=True))
        block = labels[box] == label
        level = float(scan.hu[box][block].mean(dtype=np.float64))
        shell = shaper.dilate(block, SHELL_MM) & ~block
        if (scan.hu[box][shell] > level + SHELL_HU).mean() < SHELL_SHARE:
            found[box] |= block
    return found


def _before_spine(
    scan: Scan, body: Bool, dense: Bool, chest: Chest, canal: NDArray[np.float64], shaper: Shaper
) -> Bool:
    """The space before the spine, from the lungs' tops down to the pelvis: aorta, caval vein and their branches."""
    _, sj, si = scan.coarse_spacing
    space = np.zeros(body.shape, np.bool_)
    for k in _trunk_slices(scan, body, dense, chest, canal, shaper):
        j, i = canal[k]
        sides = slice(max(0, int(i - BEFORE_SPINE_SIDE_MM / si)), int(i + BEFORE_SPINE_SIDE_MM / si) + 1)
        rows = np.flatnonzero(body[k, :, sides].any(axis=1))
        if len(rows):
            front = j - BEFORE_SPINE_SHARE * (j - rows[0])
            space[k, max(0, int(front)) : max(0, int(j - VERTEBRA_FRONT_MM / sj)), sides] = True
    return space


def _trunk_slices(
    scan: Scan, body: Bool, dense: Bool, chest: Chest, canal: NDArray[np.float64], shaper: Shaper
) -> NDArray[np.intp]:
    """Slices of chest and abdomen: beside or just below the lungs, or wide and without hip bones."""
    sk, sj, si = scan.coarse_spacing
    inside = dense & shaper.erode(body, WALL_MM)
    columns = np.arange(body.shape[2])[None, :]
    beside = (np.abs(columns - canal[:, 1:]) * si > BEFORE_SPINE_SIDE_MM)[:, None, :]
    hips = (inside & beside).sum(axis=(1, 2)) * (sj * si) >= HIP_MM2
    fits = (body.any(axis=1).sum(axis=1) * si >= TRUNK_MM) & ~hips
    with_lung = np.flatnonzero((chest.lung_left | chest.lung_right).any(axis=(1, 2)))
    if len(with_lung):
        fits[with_lung[-1] + 1 :] = False
        fits[max(0, with_lung[0] - int(BELOW_LUNG_MM / sk)) : with_lung[-1] + 1] = True
    return np.flatnonzero(fits)


def _sure_bone(scan: Scan, dense: Bool, vessels: Bool, shaper: Shaper) -> Bool:
    """Cortical bone: sizable dense pieces that do not go on in vessels, as the branches of the abdominal aorta do."""
    labels, sizes = components((dense & (scan.hu > CORTICAL)) | vessels, np.ones((3, 3, 3), bool))
    sure = sizes * shaper.voxel_ml >= BONE_ML
    sure[0] = False
    sure[touching(labels, vessels)] = False
    return keep(labels, np.flatnonzero(sure))


def _wall_bone(scan: Scan, dense: Bool, vessels: Bool, body: Bool, ribs: Bool, shaper: Shaper) -> Bool:
    """Ribs and other bones in the wall of the body too thin to reach the density of cortex on coarse voxels.

    Around the lungs (``ribs``) that is all that is dense; elsewhere only pieces that do not go on in vessels, as those
    of the groin do.
    """
    whole = ribs & (scan.hu > MARROW) & ~shaper.dilate(vessels, SURFACE_MM)
    around_lungs = dense & keep(*_sizable(whole, shaper))
    labels, sizes = components(dense | vessels, np.ones((3, 3, 3), bool))
    in_wall = count_labels(labels, ~shaper.erode(body, WALL_MM), len(sizes)) * 2 > sizes
    in_wall &= sizes * shaper.voxel_ml >= BONE_ML
    in_wall[0] = False
    in_wall[touching(labels, vessels)] = False
    return around_lungs | keep(labels, np.flatnonzero(in_wall))


def _sizable(mask: Bool, shaper: Shaper) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Pieces of a mask, and the numbers of those too large for calcifications."""
    labels, sizes = components(mask, np.ones((3, 3, 3), bool))
    return labels, np.flatnonzero((sizes * shaper.voxel_ml >= BONE_ML)[1:]) + 1


def _compete(scan: Scan, dense: Bool, bone: Bool, contrast: Bool) -> Bool:
    """Grow both markers through what is dense, densest first (watershed); what neither reaches is not bone."""
    markers = bone.astype(np.uint8) + 2 * (contrast & ~bone).astype(np.uint8) + 3 * (~dense).astype(np.uint8)
    won: Bool = (watershed(-scan.hu, markers) == 1) & dense
    return won


def _with_marrow(scan: Scan, bone: Bool, contrast: Bool, spine: _Spine, shaper: Shaper) -> tuple[Bool, Bool]:
    """Add the blurred surface, and the marrow between the surfaces; discs and canal stay open.

    Returns
    -------
    skeleton, enclosed : ndarray, bool
        Bones with their marrow; what of it lies in closed shells of bone.
    """
    solid = bone | (shaper.dilate(bone, SURFACE_MM) & (scan.hu > MARROW) & ~contrast)
    _, sj, si = shaper.spacing
    largest = int(HOLE_MM2 / (sj * si))
    inside = shaper.closed(solid, MARROW_RADIUS_MM)
    walls = shaper.closed(solid, CORTEX_GAP_MM)
    filled = fill_slices(walls, largest)
    rings = shaper.dilate(filled & ~walls, CORTEX_GAP_MM) & filled & ~spine.canal
    smooth = ndimage.uniform_filter(scan.hu, 3, output=np.int16)
    disc = spine.vertebrae & (smooth > DISC_HU[0]) & (smooth < DISC_HU[1])
    marrow = (inside & (smooth > DISC_HU[0]) & ~disc) | ((rings | (inside & ~spine.region & (smooth < 0))) & ~disc)
    solid |= marrow & (smooth > FAT[0]) & ~contrast & ~spine.canal
    del inside, walls, filled, rings, marrow, disc
    # In closed shells marrow of any CT number is sure. The balls below reach no other slice: discs stay open.
    in_slice = Shaper((MARROW_RADIUS_MM, sj, si))
    shell = in_slice.closed(solid, SHELL_GAP_MM)
    ring = fill_slices(shell, largest)
    ring &= in_slice.dilate(ring & ~shell, SHELL_GAP_MM)
    within = (enclosed(solid, shaper.spacing, HOLE_MM2) | ring) & (smooth > FAT[0])
    within |= fill_slices(solid | within, int(PORE_MM2 / (sj * si)))
    within &= ~solid & ~contrast & ~spine.canal
    return solid | within, within
