"""Subcutaneous fat: what lies between the skin and the coat of muscle and bone."""

from __future__ import annotations

import numpy as np

from .grid import Outline, Scan
from .hounsfield import FAT
from .morphology import Bool, Shaper, components, fill_slices, keep

#: Skin is 1 to 3 mm thick, and its blur into the air has the CT numbers of fat.
SKIN_MM = 3.0

#: Septa, veins and stranding in subcutaneous fat are thinner than 4 mm; muscles of the trunk's wall are thicker.
STRAND_RADIUS_MM = 2.0

#: Half the gaps in the coat of muscle: the linea alba is up to 22 mm wide (Beer et al., Clin Anat 2009).
WALL_GAP_MM = 11.0

#: Muscle without neighbours this large: more than any node, vein or scar in the fat.
MUSCLE_ML = 20.0


def fat_outline(space: Bool) -> Outline:
    """How to draw subcutaneous fat: the voxels of fat within :func:`find_subcutaneous_space`."""
    return Outline(np.zeros_like(space), ((space, *FAT),))


def find_subcutaneous_space(scan: Scan, body: Bool) -> Bool:
    """On the coarse grid, what lies between the skin and the coat of muscle and bone: fat and its vessels."""
    shaper = Shaper(scan.coarse_spacing)
    under_skin = shaper.erode(body, SKIN_MM)
    lean = under_skin & ((scan.hu > FAT[1]) | (scan.hu < FAT[0]))  # muscle, organs, lung and gas
    labels, sizes = components(shaper.opened(lean, STRAND_RADIUS_MM))
    muscle = keep(labels, np.flatnonzero(sizes[1:] * shaper.voxel_ml >= MUSCLE_ML) + 1)
    return under_skin & ~fill_slices(shaper.closed(muscle, WALL_GAP_MM))
