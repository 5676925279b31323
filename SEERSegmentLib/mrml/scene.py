"""The MRML scene as the presenter sees it: ``seams.Scene`` on real nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from ..errors import InputError, VolumeError
from ..presenter.seams import Committed, Copying, Inputs
from ..presenter.state import OverlapPolicy, ShownSegment
from ..worker.messages import AgreementReport, CroppedMask, RunReport, SegmentPiece
from .agreement import add_agreement_volume
from .arrays import voxels_of
from .geometry import grid_in_segmentation, local_affine
from .placement import new_segmentation, place_beside, unique_segment_name
from .roi import crop_of_roi
from .segments import (
    labelmap_image,
    layers_of,
    make_segment,
    read_segment,
    remove_occupied,
    require_labelmaps,
    take_voxels,
    write_label,
)
from .tags import add_record, reasoning_record, shared_tags, write_tags
from .undo import NodeLink, RunChanges, SavedSegmentation
from .volumes import CopiedVolumes, VolumeCopying, present_volume, usable_volume, voxel_stamp

__all__ = ["MrmlScene"]

CLOSED_SURFACE = "Closed surface"


class MrmlScene:
    """See ``seams.Scene``. ``scene`` is a vtkMRMLScene; the application's own where not given."""

    def __init__(self, scene: Any = None) -> None:
        self._scene = slicer.mrmlScene if scene is None else scene
        self._copied = CopiedVolumes()

    def exists(self, node_id: str) -> bool:
        """Whether a node of this id is in the scene."""
        return bool(node_id) and self._scene.GetNodeByID(node_id) is not None

    def copy_volume(self, volume_id: str, folder: Path) -> Copying:
        """Begin to copy a volume into the session folder; an unchanged one that lies there is not copied again.

        Raises
        ------
        VolumeError
            As :func:`SEERSegmentLib.mrml.volumes.usable_volume`.
        StorageError
            ``session-folder-full``, ``session-folder-unusable``.
        """
        return VolumeCopying(self._scene, volume_id, folder, self._copied)

    def crop(self, volume_id: str, roi_id: str) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """Half-open voxel range (k, j, i) that the ROI covers; raises VolumeError as ``roi.crop_of_roi``."""
        return crop_of_roi(usable_volume(self._scene, volume_id), self._scene.GetNodeByID(roi_id))

    def commit(self, report: RunReport, inputs: Inputs, request: str, folder: Path) -> Committed:
        """Write the segments, their terminology, provenance and reasoning. On an error the scene is as before.

        With ``EMPTY_ONLY`` a segment may come out smaller than proposed: the pieces that are returned say what was
        written.

        Raises
        ------
        VolumeError
            ``volume-gone``, ``volume-changed`` (its voxels are not those that were read), ``segmentation-transform``.
        InputError
            ``segmentation-gone``, ``segmentation-not-labelmap``.
        ServiceError
            ``wire-malformed``: a mask's file is not what the report says.
        """
        volume = present_volume(self._scene, inputs.volume_id)
        grid = _grid(volume)
        self._check_same_voxels(volume, report, grid, folder)
        existing = self._output(inputs.segmentation_id)
        # all that can fail for a reason of the input fails before anything is touched
        affine = local_affine(volume) if existing is None else grid_in_segmentation(volume, existing)
        images = [labelmap_image(piece.mask, folder, affine) for piece in report.segments]
        pieces = list(report.segments)
        if existing is not None:
            require_labelmaps(existing)
            if inputs.overlap is OverlapPolicy.EMPTY_ONLY:
                pieces = _only_where_empty(pieces, images, existing, grid, folder)
        saved = None if existing is None else SavedSegmentation(existing)
        changes = RunChanges(self._scene, NodeLink(volume), affine, grid, saved)
        try:
            node = new_segmentation(self._scene, volume) if existing is None else existing
            changes.segmentation = NodeLink(node)
            self._write(node, volume, report, pieces, images, inputs.overlap, request, changes)
        except BaseException:
            changes.undo()
            raise
        shown = tuple(ShownSegment(i, piece) for i, piece in zip(changes.segment_ids, pieces, strict=True))
        return Committed(node.GetID(), shown, changes)

    def undo(self, committed: Committed) -> None:
        """Take a run back; nothing happens where its segmentation is gone or it was undone before."""
        committed.undo.undo()

    def read_masks(self, committed: Committed, folder: Path) -> tuple[tuple[str, CroppedMask], ...]:
        """The run's segments as they are now, by the name that was proposed; a deleted one is empty.

        Raises
        ------
        InputError
            ``segmentation-gone`` (also after an undo), ``segmentation-not-labelmap``.
        VolumeError
            ``segmentation-transform``.
        """
        changes: RunChanges = committed.undo
        node, volume = changes.segmentation.node(), changes.volume.node()
        if node is None:
            raise _segmentation_gone()
        affine = changes.affine if volume is None else grid_in_segmentation(volume, node)
        masks = []
        for shown in committed.segments:
            segment = node.GetSegmentation().GetSegment(shown.segment_id)
            if segment is None:
                masks.append((shown.piece.name, CroppedMask(None, (0, 0, 0), changes.grid)))
                continue
            masks.append((shown.piece.name, read_segment(segment, affine, changes.grid, folder)))
        return tuple(masks)

    def add_agreement(self, report: AgreementReport, volume_id: str, folder: Path) -> str:
        """A scalar volume of the agreement map on the volume's grid; its node id, empty where there is no map.

        Raises
        ------
        VolumeError
            ``volume-gone``, ``volume-changed``.
        """
        if report.agreement is None:
            return ""
        volume = present_volume(self._scene, volume_id)
        if report.agreement.shape != _grid(volume):
            raise _volume_changed()
        return str(add_agreement_volume(volume, report.agreement, folder).GetID())

    # ------------------------------------------------------------------------------------------------------- inside

    def _output(self, segmentation_id: str) -> Any:
        if not segmentation_id:
            return None
        node = self._scene.GetNodeByID(segmentation_id)
        if node is None or not node.IsA("vtkMRMLSegmentationNode"):
            raise _segmentation_gone()
        return node

    def _check_same_voxels(self, volume: Any, report: RunReport, grid: tuple[int, int, int], folder: Path) -> None:
        read = self._copied.last(folder, volume.GetID())
        if any(piece.mask.grid != grid for piece in report.segments) or (read and read != voxel_stamp(volume)):
            raise _volume_changed()

    def _write(
        self,
        node: Any,
        volume: Any,
        report: RunReport,
        pieces: Sequence[SegmentPiece],
        images: Sequence[Any],
        overlap: OverlapPolicy,
        request: str,
        changes: RunChanges,
    ) -> None:
        segmentation = node.GetSegmentation()
        modifying = node.StartModify()  # one event at the end: views are not redrawn for each segment
        try:
            if changes.saved is not None:
                _prepare_existing(node, volume, images, overlap)
            shared = shared_tags(report, request, volume.GetName())
            for piece, image in zip(pieces, images, strict=True):
                segment = make_segment(piece, unique_segment_name(segmentation, piece.name), image)
                write_tags(segment, piece, shared)
                segment_id = segmentation.GenerateUniqueSegmentID(piece.id)
                if not segmentation.AddSegment(segment, segment_id):
                    raise InputError(
                        f"“{piece.name}” could not be added to the segmentation. Choose a new segmentation.",
                        code="segmentation-refuses",
                    )
                changes.segment_ids.append(segment_id)
            name = self._scene.GenerateUniqueName(f"{node.GetName()} reasoning")
            record = add_record(node, reasoning_record(report, request, volume.GetName()), name)
            changes.records.append(NodeLink(record))
            place_beside(record, volume)
        finally:
            node.EndModify(modifying)


def _prepare_existing(node: Any, volume: Any, images: Sequence[Any], overlap: OverlapPolicy) -> None:
    """Reference geometry where it has none yet, and room for the new segments where they take it from others."""
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    segmentation = node.GetSegmentation()
    geometry = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    if not node.GetNodeReferenceID(role) and not segmentation.GetConversionParameter(geometry):
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    if overlap is not OverlapPolicy.REPLACE:
        return
    layers, surfaces = layers_of(segmentation), segmentation.ContainsRepresentation(CLOSED_SURFACE)
    changed = [take_voxels(image, layers) for image in images if image is not None]
    if surfaces and any(changed):  # Slicer drops the surfaces of labelmaps that change
        segmentation.CreateRepresentation(CLOSED_SURFACE, True)


def _only_where_empty(
    pieces: Sequence[SegmentPiece], images: list[Any], existing: Any, grid: tuple[int, int, int], folder: Path
) -> list[SegmentPiece]:
    """Clear what existing segments hold from the new labelmaps; the pieces as they then are."""
    layers = layers_of(existing.GetSegmentation())
    result = []
    for number, piece in enumerate(pieces):
        image = images[number]
        removed = 0 if image is None else remove_occupied(image, layers)
        if not removed:
            result.append(piece)
            continue
        voxels = voxels_of(image)
        left = int(np.count_nonzero(voxels))
        i, _, j, _, k, _ = image.GetExtent()
        mask = write_label(voxels, 1, (k, j, i), grid, folder)
        if not left:
            images[number] = None
        centre = piece.centre_ras if left else None
        result.append(replace(piece, mask=mask, volume_ml=piece.volume_ml * left / (left + removed), centre_ras=centre))
    return result


def _grid(volume: Any) -> tuple[int, int, int]:
    """Shape (k, j, i) of a volume node, zeros without an image."""
    i, j, k = voxel_stamp(volume)[1]
    return k, j, i


def _volume_changed() -> VolumeError:
    return VolumeError(
        "The volume's image changed while SEER was working on it, so the result no longer fits it. Run again.",
        code="volume-changed",
        retryable=True,
    )


def _segmentation_gone() -> InputError:
    return InputError("The output segmentation is no longer in the scene.", code="segmentation-gone")
