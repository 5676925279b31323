"""New segments among existing ones: each overlap policy, to the voxel, on the same grid and on another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from SEERSegmentLib.errors import InputError, VolumeError
from SEERSegmentLib.mrml.arrays import image_matrix, voxels_of
from SEERSegmentLib.mrml.scene import MrmlScene
from SEERSegmentLib.presenter.seams import Committed
from SEERSegmentLib.presenter.state import OverlapPolicy
from SEERSegmentLib.values import CroppedArray
from SEERSegmentLib.worker.files import read_mask, write_mask

from .nodes import (
    RIGHT_KIDNEY,
    add_volume,
    affine_of,
    inputs_of,
    piece_of,
    random_mask,
    report_of,
    rotation,
    shown_mask,
)

SHAPE = (6, 7, 8)
KEEP, REPLACE, EMPTY_ONLY = OverlapPolicy.KEEP, OverlapPolicy.REPLACE, OverlapPolicy.EMPTY_ONLY


def add_segmentation(slicer: Any, volume: Any, masks: list[NDArray[np.bool_]], *, shared: bool = False) -> Any:
    """A segmentation as Slicer itself makes it; ``shared`` puts all segments into one labelmap."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "existing")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for number, mask in enumerate(masks):
        segment_id = node.GetSegmentation().AddEmptySegment(f"old{number}", f"old {number}")
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), node, segment_id, volume)
    if shared:
        node.GetSegmentation().CollapseBinaryLabelmaps(True)
        assert node.GetSegmentation().GetNumberOfLayers() == 1
    return node


def commit(
    folder: Path, volume: Any, node: Any, masks: list[NDArray[np.bool_]], policy: OverlapPolicy
) -> tuple[MrmlScene, Committed]:
    """Write masks named new0, new1 …"""
    scene = MrmlScene()
    pieces = [piece_of(mask, folder, f"new{number}") for number, mask in enumerate(masks)]
    return scene, scene.commit(report_of(pieces), inputs_of(volume, node, policy), "", folder)


masks_of = st.lists(st.integers(0, 10_000), min_size=1, max_size=3)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=masks_of, new=masks_of, policy=st.sampled_from(OverlapPolicy), shared=st.booleans(), hidden=st.booleans())
def test_policies_are_set_operations(
    slicer: Any, tmp_path: Path, old: list[int], new: list[int], policy: OverlapPolicy, shared: bool, hidden: bool
) -> None:
    """KEEP leaves all; REPLACE is old minus the new ones; EMPTY_ONLY is new minus the old ones. Hidden ones count."""
    slicer.mrmlScene.Clear(False)
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16), affine_of(rotation(12)))
    old_masks = [random_mask(SHAPE, seed) for seed in old]
    node = add_segmentation(slicer, volume, old_masks, shared=shared)
    before = [shown_mask(slicer, node, f"old{n}", volume).astype(bool) for n in range(len(old))]
    if hidden:
        node.GetDisplayNode().SetAllSegmentsVisibility(False)
    new_masks = [random_mask(SHAPE, seed + 20_000) for seed in new]
    scene, committed = commit(tmp_path, volume, node, new_masks, policy)

    union_new, union_old = np.any(new_masks, axis=0), np.any(before, axis=0)
    for number, mask in enumerate(before):
        expected = mask & ~union_new if policy is REPLACE else mask
        assert (shown_mask(slicer, node, f"old{number}", volume) == expected).all()
    for number, mask in enumerate(new_masks):
        expected = mask & ~union_old if policy is EMPTY_ONLY else mask
        shown = committed.segments[number]
        assert (shown_mask(slicer, node, shown.segment_id, volume) == expected).all()
        assert (read_mask(tmp_path, shown.piece.mask).whole() == expected).all()
        assert shown.piece.volume_ml == pytest.approx(expected.sum() / 1000)
    read = dict(scene.read_masks(committed, tmp_path))
    for shown in committed.segments:
        assert (
            read_mask(tmp_path, read[shown.piece.name]).whole() == read_mask(tmp_path, shown.piece.mask).whole()
        ).all()


def test_segments_of_one_run_may_overlap(slicer: Any, tmp_path: Path) -> None:
    """A lung and its lobe are both whole, under every policy."""
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    lung, lobe = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    lung[1:5, 1:6, 1:7], lobe[2:4, 2:4, 2:4] = True, True
    for policy in OverlapPolicy:
        node = add_segmentation(slicer, volume, [])
        _, committed = commit(tmp_path, volume, node, [lung, lobe], policy)
        first, second = (shown_mask(slicer, node, s.segment_id, volume) for s in committed.segments)
        assert (first == lung).all()
        assert (second == lobe).all()


def nearest_in(mask: NDArray[np.bool_], affine: NDArray[np.float64], other: NDArray[np.float64], shape: Any) -> Any:
    """The mask (grid ``affine``) at the voxel centres of another grid: the nearest voxel, by definition."""
    result = np.zeros(shape, bool)
    for k, j, i in np.ndindex(*shape):
        at = np.linalg.inv(affine) @ other @ np.array([i, j, k, 1.0])
        x, y, z = np.round(at[:3]).astype(int)
        if 0 <= z < mask.shape[0] and 0 <= y < mask.shape[1] and 0 <= x < mask.shape[2]:
            result[k, j, i] = mask[z, y, x]
    return result


def other_grid(slicer: Any) -> tuple[Any, NDArray[np.float64]]:
    """A volume turned by 17° with finer voxels; no voxel centre lies half-way between two of the other's."""
    affine = affine_of(rotation(17), (0.61, 0.83, 1.37), (-31.123, 16.417, 202.931))
    return add_volume(slicer, np.zeros((9, 8, 10), np.int16), affine, "other"), affine


@pytest.mark.parametrize("seed", range(5))
def test_only_where_empty_on_another_grid(slicer: Any, tmp_path: Path, seed: int) -> None:
    """New voxels whose centres lie in an existing segment are left out."""
    affine = affine_of(np.eye(3))
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16), affine)
    other, other_affine = other_grid(slicer)
    old = np.zeros((9, 8, 10), bool)
    old[1:7, 2:8, 1:9] = np.random.default_rng(seed).random((6, 6, 8)) < 0.6
    node = add_segmentation(slicer, other, [old])
    new = np.ones(SHAPE, bool)
    _, committed = commit(tmp_path, volume, node, [new], EMPTY_ONLY)
    taken = nearest_in(old, other_affine, affine, SHAPE)
    assert taken.any()
    assert (read_mask(tmp_path, committed.segments[0].piece.mask).whole() == (new & ~taken)).all()
    assert (shown_mask(slicer, node, "old0", other) == old).all()


@pytest.mark.parametrize("seed", range(5))
def test_replace_on_another_grid(slicer: Any, tmp_path: Path, seed: int) -> None:
    """Existing voxels whose centres lie in the new segment are taken; the old segment keeps its own grid."""
    affine = affine_of(np.eye(3))
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16), affine)
    other, other_affine = other_grid(slicer)
    old = np.ones((9, 8, 10), bool)
    node = add_segmentation(slicer, other, [old])
    image = node.GetSegmentation().GetSegment("old0").GetRepresentation("Binary labelmap")
    new = np.random.default_rng(seed).random(SHAPE) < 0.6
    _, committed = commit(tmp_path, volume, node, [new], REPLACE)
    taken = nearest_in(new, affine, other_affine, old.shape)
    assert taken.any()
    np.testing.assert_allclose(image_matrix(image), other_affine)
    assert (voxels_of(image).astype(bool) == (old & ~taken)).all()
    assert (read_mask(tmp_path, committed.segments[0].piece.mask).whole() == new).all()


def test_replace_renews_the_surfaces_of_what_it_took_from(slicer: Any, tmp_path: Path) -> None:
    volume = add_volume(slicer, np.zeros((12, 12, 12), np.int16))
    old, new = np.zeros((12, 12, 12), bool), np.zeros((12, 12, 12), bool)
    old[1:11, 1:11, 1:11], new[1:11, 1:11, 1:6] = True, True
    node = add_segmentation(slicer, volume, [old])
    node.CreateClosedSurfaceRepresentation()
    _, committed = commit(tmp_path, volume, node, [new], REPLACE)
    segmentation = node.GetSegmentation()
    bounds = segmentation.GetSegment("old0").GetRepresentation("Closed surface").GetBounds()
    assert bounds[0] == pytest.approx(5.5, abs=0.6)
    shown = segmentation.GetSegment(committed.segments[0].segment_id)
    assert shown.GetRepresentation("Closed surface").GetNumberOfPoints() > 0


def test_replace_tells_the_views(slicer: Any, tmp_path: Path) -> None:
    """Voxels are changed in place; without an event the old segment would still be shown whole."""
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    everywhere = np.ones(SHAPE, bool)
    node = add_segmentation(slicer, volume, [everywhere])
    events: list[str] = []
    changed = slicer.vtkSegmentation.SourceRepresentationModified
    tag = node.AddObserver(changed, lambda _node, event: events.append(event))
    commit(tmp_path, volume, node, [random_mask(SHAPE, 1)], REPLACE)
    node.RemoveObserver(tag)
    assert len(events) == 1


def test_a_leftover_value_in_a_shared_labelmap_is_no_segment(slicer: Any, tmp_path: Path) -> None:
    """Labelmaps from elsewhere may hold values that no segment has."""
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    halves = np.zeros(SHAPE, bool)
    halves[:3] = True
    node = add_segmentation(slicer, volume, [halves, ~halves], shared=True)
    image = node.GetSegmentation().GetSegment("old0").GetRepresentation("Binary labelmap")
    voxels_of(image)[0] = 99
    new = np.ones(SHAPE, bool)
    _, committed = commit(tmp_path, volume, node, [new], EMPTY_ONLY)
    written = read_mask(tmp_path, committed.segments[0].piece.mask).whole()
    assert written[0].all()
    assert not written[1:].any()


def test_a_segment_of_the_same_name_gets_a_number(slicer: Any, tmp_path: Path) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    scene, mask = MrmlScene(), random_mask(SHAPE, 1)
    first = scene.commit(report_of([piece_of(mask, tmp_path)]), inputs_of(volume), "", tmp_path)
    node = slicer.mrmlScene.GetNodeByID(first.segmentation_id)
    second = scene.commit(report_of([piece_of(mask, tmp_path)]), inputs_of(volume, node), "", tmp_path)
    ids = [first.segments[0].segment_id, second.segments[0].segment_id]
    assert ids == ["liver", "liver_1"]
    assert [node.GetSegmentation().GetSegment(i).GetName() for i in ids] == ["liver", "liver (2)"]
    assert second.segments[0].piece.name == "liver"


def test_an_empty_mask_is_an_empty_segment(slicer: Any, tmp_path: Path) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    scene, committed = commit(tmp_path, volume, None, [np.zeros(SHAPE, bool), random_mask(SHAPE, 2)], KEEP)
    node = slicer.mrmlScene.GetNodeByID(committed.segmentation_id)
    assert node.GetSegmentation().GetNumberOfSegments() == 2
    assert not shown_mask(slicer, node, committed.segments[0].segment_id, volume).any()
    (_, empty), (_, full) = scene.read_masks(committed, tmp_path)
    assert empty.voxels is None
    assert full.voxels is not None


def test_reading_back_sees_corrections_renames_deletions_and_another_geometry(slicer: Any, tmp_path: Path) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16), affine_of(np.eye(3)))
    masks = [random_mask(SHAPE, seed) for seed in range(4)]
    scene, committed = commit(tmp_path, volume, None, masks, KEEP)
    node = slicer.mrmlScene.GetNodeByID(committed.segmentation_id)
    ids = [shown.segment_id for shown in committed.segments]
    corrected = random_mask(SHAPE, 77)
    slicer.util.updateSegmentBinaryLabelmapFromArray(corrected.astype(np.uint8), node, ids[0], volume)
    node.GetSegmentation().GetSegment(ids[1]).SetName("renamed")
    node.GetSegmentation().RemoveSegment(ids[2])
    finer = affine_of(np.eye(3), (0.35, 0.65, 1.25), (-31.0, 17.0, 203.0))
    fine = add_volume(slicer, np.zeros([2 * n for n in SHAPE], np.int16), finer, "fine")
    fine_mask = np.repeat(np.repeat(np.repeat(masks[3], 2, 0), 2, 1), 2, 2).astype(np.uint8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(fine_mask, node, ids[3], fine)
    read = {name: read_mask(tmp_path, mask).whole() for name, mask in scene.read_masks(committed, tmp_path)}
    assert list(read) == ["new0", "new1", "new2", "new3"]
    assert (read["new0"] == corrected).all()
    assert (read["new1"] == masks[1]).all()
    assert not read["new2"].any()
    assert (read["new3"] == masks[3]).all()


def test_reading_back_after_the_volume_is_gone(slicer: Any, scene: Any, tmp_path: Path) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16), affine_of(rotation(5)))
    mask = random_mask(SHAPE, 8)
    seer, committed = commit(tmp_path, volume, None, [mask], KEEP)
    scene.RemoveNode(volume)
    ((_, read),) = seer.read_masks(committed, tmp_path)
    assert (read_mask(tmp_path, read).whole() == mask).all()


def test_what_can_not_be_written_to_leaves_the_scene_as_it_was(slicer: Any, scene: Any, tmp_path: Path) -> None:
    volume = add_volume(slicer, np.zeros((12, 12, 12), np.int16))
    mask = np.zeros((12, 12, 12), bool)
    mask[3:9, 3:9, 3:9] = True
    report = report_of([piece_of(mask, tmp_path)])
    surfaces = add_segmentation(slicer, volume, [mask])
    surfaces.SetSourceRepresentationToClosedSurface()
    seer, nodes = MrmlScene(), scene.GetNumberOfNodes()
    with pytest.raises(InputError) as caught:
        seer.commit(report, inputs_of(volume, surfaces), "", tmp_path)
    assert caught.value.code == "segmentation-not-labelmap"

    gone = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    inputs = inputs_of(volume, gone)
    scene.RemoveNode(gone)
    with pytest.raises(InputError) as caught:
        seer.commit(report, inputs, "", tmp_path)
    assert caught.value.code == "segmentation-gone"

    other = add_volume(slicer, np.zeros((12, 12, 13), np.int16))
    with pytest.raises(VolumeError) as changed:
        seer.commit(report, inputs_of(other), "", tmp_path)
    assert changed.value.code == "volume-changed"
    assert scene.GetNumberOfNodes() == nodes + 2  # the other volume and its display
    assert surfaces.GetSegmentation().GetNumberOfSegments() == 1


def test_a_volume_whose_voxels_changed_since_they_were_read_takes_no_result(slicer: Any, tmp_path: Path) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    seer = MrmlScene()
    copying = seer.copy_volume(volume.GetID(), tmp_path)
    copying.step()
    copying.finish()
    slicer.util.updateVolumeFromArray(volume, np.ones(SHAPE, np.int16))
    with pytest.raises(VolumeError) as caught:
        seer.commit(report_of([piece_of(random_mask(SHAPE, 1), tmp_path)]), inputs_of(volume), "", tmp_path)
    assert caught.value.code == "volume-changed"


def test_names_and_colours(slicer: Any, tmp_path: Path) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    piece = piece_of(random_mask(SHAPE, 1), tmp_path, "right kidney", RIGHT_KIDNEY)
    committed = MrmlScene().commit(report_of([piece]), inputs_of(volume), "", tmp_path)
    node = slicer.mrmlScene.GetNodeByID(committed.segmentation_id)
    segment = node.GetSegmentation().GetSegment("right_kidney")
    assert segment.GetName() == "right kidney"
    assert segment.GetColor() == pytest.approx((221 / 255, 130 / 255, 101 / 255))
    assert not segment.GetNameAutoGenerated()
    assert not segment.GetColorAutoGenerated()


def test_a_labelmap_covers_no_more_than_its_mask(slicer: Any, tmp_path: Path) -> None:
    """The fast path: an organ costs its bounding box, not the volume."""
    volume = add_volume(slicer, np.zeros((40, 50, 60), np.int16))
    mask = np.zeros((40, 50, 60), bool)
    mask[10:13, 20:24, 30:35] = True
    committed = MrmlScene().commit(report_of([piece_of(mask, tmp_path)]), inputs_of(volume), "", tmp_path)
    node = slicer.mrmlScene.GetNodeByID(committed.segmentation_id)
    image = node.GetSegmentation().GetSegment("liver").GetRepresentation("Binary labelmap")
    assert image.GetExtent() == (30, 34, 20, 23, 10, 12)
    assert image.GetScalarTypeAsString() == "unsigned char"
    cropped = CroppedArray.of(mask)
    assert write_mask(tmp_path, "x.npy", cropped).origin == (10, 20, 30)
