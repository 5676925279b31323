"""Images in: volumes from files and DICOM folders, their index order, and the views that reasoners look at.

    volume = read_volume("chest.nii.gz")        # checked; oblique and left-handed geometry kept
    turned = to_lps(volume)                     # the same voxels in LPS index order, a view
    views = render_views(volume)                # axial, coronal, sagittal, projection

SimpleITK, scipy, Pillow and pydicom are imported only by what needs them, when it runs.
"""

from __future__ import annotations

from .modality import estimate_modality
from .orient import Reorientation, from_lps, reorientation_to, to_lps
from .read import list_series, read_labelmap, read_volume
from .views import PRESETS, check_preset, encode_png, orientation_letters, render_views

__all__ = [
    "PRESETS",
    "Reorientation",
    "check_preset",
    "encode_png",
    "estimate_modality",
    "from_lps",
    "list_series",
    "orientation_letters",
    "read_labelmap",
    "read_volume",
    "render_views",
    "reorientation_to",
    "to_lps",
]
