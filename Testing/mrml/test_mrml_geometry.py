"""Every voxel of a mask comes back at its own place in the world, however the volume lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from SEERSegmentLib.errors import VolumeError
from SEERSegmentLib.mrml.arrays import image_matrix, voxels_of
from SEERSegmentLib.mrml.geometry import between_nodes, world_affine
from SEERSegmentLib.mrml.scene import MrmlScene
from SEERSegmentLib.values import axis_codes
from SEERSegmentLib.worker.files import open_array

from .nodes import (
    ORIENTATIONS,
    add_bend,
    add_transform,
    add_volume,
    affine_of,
    inputs_of,
    piece_of,
    random_mask,
    report_of,
    rotation,
    shown_mask,
)

SHAPE = (5, 6, 7)


def world_points(mask: NDArray[Any], affine: NDArray[np.float64], start: tuple[int, int, int]) -> NDArray[np.float64]:
    """World positions of the voxels that are set, sorted; ``start`` (i, j, k) is the first voxel's index."""
    kji = np.argwhere(mask)
    ijk = kji[:, ::-1] + np.array(start)
    points = (affine @ np.c_[ijk, np.ones(len(ijk))].T).T[:, :3].round(6)
    return points[np.lexsort(points.T)]


def segment_points(segmentation: Any, segment_id: str) -> NDArray[np.float64]:
    """World positions of a segment's voxels by the segment's own geometry and its node's transforms."""
    image = segmentation.GetSegmentation().GetSegment(segment_id).GetRepresentation("Binary labelmap")
    i, _, j, _, k, _ = image.GetExtent()
    to_world = between_nodes(segmentation, None)
    assert to_world is not None
    return world_points(voxels_of(image), to_world @ image_matrix(image), (i, j, k))


def check_place(slicer: Any, volume: Any, folder: Path, seed: int, segmentation: Any = None) -> None:
    """Write a mask, and find each voxel where the volume has it."""
    mask = random_mask(SHAPE, seed)
    scene = MrmlScene()
    report = report_of([piece_of(mask, folder, number=seed)])
    committed = scene.commit(report, inputs_of(volume, segmentation), "", folder)
    node = slicer.mrmlScene.GetNodeByID(committed.segmentation_id)
    expected = world_points(mask, world_affine(volume), (0, 0, 0))
    np.testing.assert_allclose(segment_points(node, committed.segments[0].segment_id), expected, atol=1e-4)
    if segmentation is None:  # between two different transforms Slicer's own export moves voxels
        assert (shown_mask(slicer, node, committed.segments[0].segment_id, volume) == mask).all()
    ((_, back),) = scene.read_masks(committed, folder)
    assert back.voxels is not None
    whole = np.zeros(SHAPE, bool)
    box = tuple(slice(o, o + n) for o, n in zip(back.origin, back.voxels.shape, strict=True))
    whole[box] = open_array(folder, back.voxels)
    assert (whole == mask).all()


@pytest.mark.parametrize("number", range(48))
def test_all_orientations_oblique_and_under_nested_transforms(slicer: Any, tmp_path: Path, number: int) -> None:
    """One of 48 axis orders, as it is, turned, and under two nested transforms with a mirror and a scale."""
    directions = ORIENTATIONS[number]
    voxels = np.zeros(SHAPE, np.int16)
    straight = add_volume(slicer, voxels, affine_of(directions))
    assert axis_codes(world_affine(straight)) == axis_codes(affine_of(directions))
    check_place(slicer, straight, tmp_path, number)

    turned = add_volume(slicer, voxels, affine_of(rotation(20 + number) @ directions))
    check_place(slicer, turned, tmp_path, number + 100)

    outer = np.eye(4)
    outer[:3, :3], outer[:3, 3] = 1.5 * rotation(-33, (2, 0, 1)) @ np.diag([1, 1, -1]), (5, -70, 12)
    inner = np.eye(4)
    inner[:3, :3], inner[:3, 3] = rotation(10 + number, (0, 1, 1)), (-4, 0.25, 9)
    parent = add_transform(slicer, inner, add_transform(slicer, outer))
    moved = add_volume(slicer, voxels, affine_of(directions))
    moved.SetAndObserveTransformNodeID(parent.GetID())
    np.testing.assert_allclose(world_affine(moved), outer @ inner @ affine_of(directions), atol=1e-9)
    check_place(slicer, moved, tmp_path, number + 200)


def test_a_new_segmentation_moves_with_its_volume(slicer: Any, tmp_path: Path) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16), affine_of(np.eye(3)))
    transform = add_transform(slicer, np.eye(4))
    volume.SetAndObserveTransformNodeID(transform.GetID())
    mask = random_mask(SHAPE, 3)
    committed = MrmlScene().commit(report_of([piece_of(mask, tmp_path)]), inputs_of(volume), "", tmp_path)
    node = slicer.mrmlScene.GetNodeByID(committed.segmentation_id)
    shift = np.eye(4)
    shift[:3, 3] = (11, -22, 33)
    slicer.util.updateTransformMatrixFromArray(transform, shift)
    expected = world_points(mask, world_affine(volume), (0, 0, 0))
    np.testing.assert_allclose(segment_points(node, committed.segments[0].segment_id), expected, atol=1e-4)


def test_an_existing_segmentation_under_another_transform(slicer: Any, tmp_path: Path) -> None:
    voxels = np.zeros(SHAPE, np.int16)
    volume = add_volume(slicer, voxels, affine_of(rotation(15)))
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation(70), (1, 2, 3)
    volume.SetAndObserveTransformNodeID(add_transform(slicer, matrix).GetID())
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "existing")
    other = np.eye(4)
    other[:3, :3], other[:3, 3] = rotation(-40, (1, 0, 0)), (-50, 6, 7)
    segmentation.SetAndObserveTransformNodeID(add_transform(slicer, other).GetID())
    check_place(slicer, volume, tmp_path, 5, segmentation)


def test_hardening_transforms_after_a_run_keeps_the_masks(slicer: Any, tmp_path: Path) -> None:
    """The user hardens both; the masks are read on the volume's grid all the same."""
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16), affine_of(np.eye(3)))
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(25)
    volume.SetAndObserveTransformNodeID(add_transform(slicer, matrix).GetID())
    mask = random_mask(SHAPE, 4)
    scene = MrmlScene()
    committed = scene.commit(report_of([piece_of(mask, tmp_path)]), inputs_of(volume), "", tmp_path)
    node = slicer.mrmlScene.GetNodeByID(committed.segmentation_id)
    node.HardenTransform()
    volume.HardenTransform()
    ((_, back),) = scene.read_masks(committed, tmp_path)
    assert back.voxels is not None
    assert open_array(tmp_path, back.voxels).sum() == mask.sum()


def test_non_linear_transforms_are_refused_with_advice(slicer: Any, tmp_path: Path) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    bend = add_bend(slicer)
    volume.SetAndObserveTransformNodeID(bend.GetID())
    with pytest.raises(VolumeError, match="Harden the transform") as caught:
        MrmlScene().copy_volume(volume.GetID(), tmp_path)
    assert caught.value.code == "transform-not-linear"
    assert list(tmp_path.iterdir()) == []

    volume.SetAndObserveTransformNodeID(None)
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "existing")
    segmentation.SetAndObserveTransformNodeID(bend.GetID())
    report = report_of([piece_of(random_mask(SHAPE, 1), tmp_path)])
    with pytest.raises(VolumeError, match="choose a new segmentation") as caught:
        MrmlScene().commit(report, inputs_of(volume, segmentation), "", tmp_path)
    assert caught.value.code == "segmentation-transform"
    assert segmentation.GetSegmentation().GetNumberOfSegments() == 0


def test_shear_is_refused(slicer: Any, tmp_path: Path) -> None:
    shear = np.eye(4)
    shear[0, 1] = 0.3
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    transform = add_transform(slicer, shear)
    volume.SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(VolumeError) as caught:
        MrmlScene().copy_volume(volume.GetID(), tmp_path)
    assert caught.value.code == "affine-sheared"

    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "existing")
    volume.SetAndObserveTransformNodeID(None)
    segmentation.SetAndObserveTransformNodeID(transform.GetID())
    report = report_of([piece_of(random_mask(SHAPE, 1), tmp_path)])
    with pytest.raises(VolumeError) as caught:
        MrmlScene().commit(report, inputs_of(volume, segmentation), "", tmp_path)
    assert caught.value.code == "segmentation-transform"
