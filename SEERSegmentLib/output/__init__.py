"""Results as files: segmentations that 3D Slicer opens, and a report that people read."""

from __future__ import annotations

from ..values.plain import as_plain
from .atomic import check_writable
from .report import check_report_path, write_report
from .segmentation_files import SEGMENTATION_SUFFIXES, check_segmentation_path, write_segmentation

__all__ = [
    "SEGMENTATION_SUFFIXES",
    "as_plain",
    "check_report_path",
    "check_segmentation_path",
    "check_writable",
    "write_report",
    "write_segmentation",
]
