"""Write a segmentation in the format that its file name asks for."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import StorageError, UsageError
from ..values import Segmentation
from ..values.plain import as_plain
from .atomic import check_writable, write_atomically
from .seg_nrrd import assign_layers, label_values, merge_labels, volume_facts, write_seg_nrrd

__all__ = ["SEGMENTATION_SUFFIXES", "check_segmentation_path", "labels_path", "write_segmentation"]

#: Suffixes of the segmentation files that SEER writes.
SEGMENTATION_SUFFIXES = (".seg.nrrd", ".nii.gz", ".nii")

_COMPRESSION_LEVEL = 1


def write_segmentation(segmentation: Segmentation, path: Path | str) -> tuple[Path, ...]:
    """Write a segmentation on the grid of its volume; all files appear whole or not at all.

    ``.seg.nrrd`` holds everything: names, colours, SNOMED CT codes, and in segment tags the request, the reasoning and
    the provenance as percent-encoded JSON. ``.nii`` and ``.nii.gz`` hold a label map; names, codes and provenance
    are then written beside it (``liver.nii.gz`` → ``liver.json``). An existing file is replaced.

    Returns
    -------
    tuple[Path, ...]
        The files written, the segmentation first.

    Raises
    ------
    UsageError
        Codes ``output-suffix``, ``dependency-missing``.
    StorageError
        Codes of :func:`~SEERSegmentLib.output.atomic.check_writable`; ``segmentation-empty`` without segments,
        ``mask-off-grid`` for a mask that is not on the volume's grid, ``segments-overlap`` where the format has one
        label per voxel.
    """
    path = Path(path)
    check_segmentation_path(path)
    _check_segments(segmentation)
    if path.name.lower().endswith(".seg.nrrd"):
        with write_atomically(path) as scratch:
            write_seg_nrrd(segmentation, scratch)
        return (path,)
    return _write_nifti(segmentation, path)


def check_segmentation_path(path: Path) -> tuple[Path, ...]:
    """The files that :func:`write_segmentation` would write, each tried for being writable. Raises as that does."""
    name = path.name.lower()
    if not name.endswith(SEGMENTATION_SUFFIXES) or name in SEGMENTATION_SUFFIXES:
        raise UsageError(
            f"SEER can't write a segmentation as '{path.name}'; end the file name in "
            f"{', '.join(SEGMENTATION_SUFFIXES[:-1])} or {SEGMENTATION_SUFFIXES[-1]}.",
            code="output-suffix",
        )
    if name.endswith(".seg.nrrd") and find_spec("slicerio") is None:
        raise UsageError(
            "Writing .seg.nrrd needs the Python package 'slicerio': pip install slicerio; or write a .nii.gz.",
            code="dependency-missing",
        )
    paths = (path,) if name.endswith(".seg.nrrd") else (path, labels_path(path))
    for each in paths:
        check_writable(each)
    return paths


def labels_path(path: Path) -> Path:
    """Where the names of a NIfTI label map go: ``liver.nii.gz`` → ``liver.json``."""
    suffix = next(s for s in SEGMENTATION_SUFFIXES if path.name.lower().endswith(s))
    return path.with_name(path.name[: -len(suffix)] + ".json")


def _check_segments(segmentation: Segmentation) -> None:
    if not segmentation.segments:
        raise StorageError("There are no segments to write.", code="segmentation-empty")
    volume = segmentation.volume
    for segment in segmentation.segments:
        mask = segment.mask
        if mask.voxels.shape != volume.shape or not np.array_equal(mask.affine, volume.affine):
            raise StorageError(
                f"The segment “{segment.name}” does not lie on the volume's grid and was not written.",
                code="mask-off-grid",
                detail=f"mask {mask.voxels.shape}, volume {volume.shape}",
            )


def _write_nifti(segmentation: Segmentation, path: Path) -> tuple[Path, ...]:
    import SimpleITK as sitk

    segments = segmentation.segments
    masks = [segment.mask.voxels for segment in segments]
    layers = assign_layers(masks)
    if any(layers):
        names = ", ".join(f"“{s.name}”" for s, layer in zip(segments, layers, strict=True) if layer)
        raise StorageError(
            f"Segments overlap ({names} with another), and NIfTI has one label per voxel; write a .seg.nrrd instead.",
            code="segments-overlap",
        )
    labels = label_values(layers)
    image: Any = sitk.GetImageFromArray(merge_labels(masks, labels))
    volume = segmentation.volume
    lps = np.diag([-1.0, -1.0, 1.0]) @ volume.affine[:3]
    image.SetOrigin(lps[:, 3].tolist())
    image.SetSpacing(volume.spacing)
    image.SetDirection((lps[:, :3] / np.array(volume.spacing)).ravel().tolist())
    names_path = labels_path(path)
    with write_atomically(names_path) as names_scratch, write_atomically(path) as scratch:
        names_scratch.write_text(_names(segmentation, labels), encoding="utf-8", errors="backslashreplace")
        try:
            sitk.WriteImage(image, str(scratch), path.name.lower().endswith(".gz"), _COMPRESSION_LEVEL)
        except RuntimeError as error:  # ITK's errors, a full disk among them
            raise OSError(str(error)) from error
    return path, names_path


def _names(segmentation: Segmentation, labels: list[int]) -> str:
    content = {
        "notice": segmentation.provenance.notice,
        "labels": {label: segment.name for label, segment in zip(labels, segmentation.segments, strict=True)},
        "segments": [
            {
                "label": label,
                "name": segment.name,
                "target": segment.mask.target,
                "terminology": segment.terminology,
                "colour": segment.colour,
                "volume_ml": segment.volume_ml,
            }
            for label, segment in zip(labels, segmentation.segments, strict=True)
        ],
        "request": segmentation.request,
        "reasoning": segmentation.reasoning,
        "findings": segmentation.findings,
        "volume": volume_facts(segmentation.volume),
        "provenance": segmentation.provenance,
    }
    return json.dumps(as_plain(content), ensure_ascii=False, indent=2) + "\n"
