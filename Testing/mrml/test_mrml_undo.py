"""Undo puts back exactly what was there, and nothing of a run stays behind."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from SEERSegmentLib.errors import InputError
from SEERSegmentLib.mrml import placement
from SEERSegmentLib.mrml import scene as scene_module
from SEERSegmentLib.mrml.arrays import extent_of, image_matrix, voxels_of
from SEERSegmentLib.mrml.scene import MrmlScene
from SEERSegmentLib.presenter.state import OverlapPolicy

from .nodes import add_volume, affine_of, inputs_of, piece_of, random_mask, report_of, rotation

SHAPE = (8, 9, 10)


def node_ids(scene: Any) -> set[str]:
    """Of all nodes in the scene."""
    return {scene.GetNthNode(number).GetID() for number in range(scene.GetNumberOfNodes())}


def tag(segment: Any, name: str) -> str:
    """A tag of a segment."""
    import vtk

    value = vtk.reference("")
    segment.GetTag(name, value)
    return str(value)


def snapshot(node: Any) -> dict[str, Any]:
    """All that a segmentation shows and stores, by value."""
    segmentation, display = node.GetSegmentation(), node.GetDisplayNode()
    ids = list(segmentation.GetSegmentIDs())
    images: list[str] = []
    segments = []
    for segment_id in ids:
        segment = segmentation.GetSegment(segment_id)
        names: list[str] = []
        segment.GetContainedRepresentationNames(names)
        image = segment.GetRepresentation("Binary labelmap")
        surface = segment.GetRepresentation("Closed surface")
        if image.__this__ not in images:
            images.append(image.__this__)
        empty = extent_of(image) is None
        segments.append(
            {
                "id": segment_id,
                "name": segment.GetName(),
                "colour": segment.GetColor(),
                "label": segment.GetLabelValue(),
                "tags": [tag(segment, name) for name in ("mine", "SEER.Target", segment.GetTerminologyEntryTagName())],
                "representations": sorted(names),
                "layer": images.index(image.__this__),
                "voxels": None if empty else (extent_of(image), voxels_of(image).tobytes(), voxels_of(image).dtype.str),
                "matrix": image_matrix(image).tolist(),
                "points": None if surface is None else surface.GetNumberOfPoints(),
                "display": (
                    display.GetSegmentVisibility(segment_id),
                    display.GetSegmentVisibility3D(segment_id),
                    display.GetSegmentOpacity3D(segment_id),
                    display.GetSegmentOpacity2DFill(segment_id),
                    [display.GetSegmentOverrideColor(segment_id)[c] for c in range(3)],
                ),
            }
        )
    roles: list[str] = []
    node.GetNodeReferenceRoles(roles)
    return {
        "segments": segments,
        "source": segmentation.GetSourceRepresentationName(),
        "parameters": segmentation.SerializeAllConversionParameters(),
        "references": {
            role: [node.GetNthNodeReferenceID(role, n) for n in range(node.GetNumberOfNodeReferences(role))]
            for role in roles
            if node.GetNumberOfNodeReferences(role)
        },
        "opacity": display.GetOpacity3D(),
        "name": node.GetName(),
        "parent": node.GetTransformNodeID(),
    }


def add_existing(slicer: Any, volume: Any, seeds: list[int], shared: bool, surfaces: bool, geometry: bool) -> Any:
    """A segmentation with display settings of its own."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "existing")
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    for number, seed in enumerate(seeds):
        segment_id = node.GetSegmentation().AddEmptySegment(f"s{9 - number}", f"old {number}", (0.1 * number, 0.5, 1.0))
        mask = random_mask(SHAPE, seed).astype(np.uint8)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment_id, volume)
        node.GetSegmentation().GetSegment(segment_id).SetTag("mine", f"tag {number}")
        display.SetSegmentVisibility(segment_id, number % 2 == 0)
        display.SetSegmentOpacity3D(segment_id, 0.25 * (number + 1))
        display.SetSegmentOverrideColor(segment_id, 0.3, 0.2, 0.1 * number)
    if seeds and shared:
        node.GetSegmentation().CollapseBinaryLabelmaps(True)
    if seeds and surfaces:
        node.CreateClosedSurfaceRepresentation()
    if geometry:
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    display.SetOpacity3D(0.4)
    return node


def edit(slicer: Any, node: Any, volume: Any, edits: list[str]) -> None:
    """What a user may do between the run and its undo."""
    segmentation = node.GetSegmentation()
    for number, what in enumerate(edits):
        ids = segmentation.GetSegmentIDs()
        if not ids:
            return
        segment_id = ids[number % len(ids)]
        if what == "paint":
            mask = random_mask(SHAPE, number).astype(np.uint8)
            slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment_id, volume)
        elif what == "remove":
            segmentation.RemoveSegment(segment_id)
        elif what == "rename":
            segmentation.GetSegment(segment_id).SetName("other")
        elif what == "hide":
            node.GetDisplayNode().SetSegmentVisibility(segment_id, False)
        elif what == "reorder":
            segmentation.SetSegmentIndex(segment_id, 0)
        elif what == "surface":
            node.CreateClosedSurfaceRepresentation()
        elif what == "tag":
            segmentation.GetSegment(segment_id).SetTag("mine", "changed")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    old=st.lists(st.integers(0, 10_000), max_size=3),
    new=st.lists(st.integers(0, 10_000), min_size=1, max_size=2),
    policy=st.sampled_from(OverlapPolicy),
    shared=st.booleans(),
    surfaces=st.booleans(),
    geometry=st.booleans(),
    edits=st.lists(st.sampled_from(["paint", "remove", "rename", "hide", "reorder", "surface", "tag"]), max_size=4),
)
def test_an_existing_segmentation_is_restored_exactly(
    slicer: Any,
    tmp_path: Path,
    old: list[int],
    new: list[int],
    policy: OverlapPolicy,
    shared: bool,
    surfaces: bool,
    geometry: bool,
    edits: list[str],
) -> None:
    scene = slicer.mrmlScene
    scene.Clear(False)
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16), affine_of(rotation(10)))
    node = add_existing(slicer, volume, old, shared, surfaces, geometry)
    before, ids = snapshot(node), node_ids(scene)
    seer = MrmlScene()
    pieces = [piece_of(random_mask(SHAPE, seed), tmp_path, f"new{n}") for n, seed in enumerate(new)]
    committed = seer.commit(report_of(pieces), inputs_of(volume, node, policy), "liver", tmp_path)
    assert snapshot(node) != before
    edit(slicer, node, volume, edits)
    seer.undo(committed)
    assert snapshot(node) == before
    assert node_ids(scene) == ids
    seer.undo(committed)  # a second click does nothing
    assert snapshot(node) == before


def test_a_new_segmentation_goes_with_all_its_nodes(slicer: Any, scene: Any, tmp_path: Path) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    ids = node_ids(scene)
    hierarchy = scene.GetSubjectHierarchyNode()
    items = hierarchy.GetNumberOfItems()
    seer = MrmlScene()
    committed = seer.commit(
        report_of([piece_of(random_mask(SHAPE, 1), tmp_path)]), inputs_of(volume), "liver", tmp_path
    )
    node = scene.GetNodeByID(committed.segmentation_id)
    node.AddDefaultStorageNode()  # as saving does
    node.CreateClosedSurfaceRepresentation()
    assert node_ids(scene) > ids
    seer.undo(committed)
    assert node_ids(scene) == ids
    assert hierarchy.GetNumberOfItems() == items


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("fails_at", ["add_record", "write_tags", "make_segment", "place_beside", "new_segmentation"])
def test_a_commit_that_fails_leaves_the_scene_as_it_was(
    slicer: Any, scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: str, existing: bool
) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    node = add_existing(slicer, volume, [1, 2], True, True, False) if existing else None
    pieces = [piece_of(random_mask(SHAPE, seed), tmp_path, f"new{seed}") for seed in (3, 4)]
    before, ids = None if node is None else snapshot(node), node_ids(scene)
    real, calls = getattr(scene_module, fails_at), []

    def fail(*args: Any) -> Any:
        calls.append(args)
        if fails_at in ("write_tags", "make_segment") and len(calls) == 1:
            return real(*args)  # the second of two segments
        raise MemoryError

    monkeypatch.setattr(scene_module, fails_at, fail)
    inputs = inputs_of(volume, node, OverlapPolicy.REPLACE)
    if existing and fails_at == "new_segmentation":
        MrmlScene().commit(report_of(pieces), inputs, "liver", tmp_path)
        assert calls == []
        return
    with pytest.raises(MemoryError):
        MrmlScene().commit(report_of(pieces), inputs, "liver", tmp_path)
    assert calls
    assert node_ids(scene) == ids
    if node is not None:
        assert snapshot(node) == before


def test_a_segmentation_that_can_not_be_placed_is_not_left(
    slicer: Any, scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    ids = node_ids(scene)

    def fail(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(placement, "place_beside", fail)
    report = report_of([piece_of(random_mask(SHAPE, 1), tmp_path)])
    with pytest.raises(MemoryError):
        MrmlScene().commit(report, inputs_of(volume), "liver", tmp_path)
    assert node_ids(scene) == ids


def test_undo_after_the_user_removed_things(slicer: Any, scene: Any, tmp_path: Path) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    seer = MrmlScene()
    report = report_of([piece_of(random_mask(SHAPE, 1), tmp_path)])
    ids = node_ids(scene)
    committed = seer.commit(report, inputs_of(volume), "liver", tmp_path)
    scene.RemoveNode(scene.GetNodeByID(committed.segmentation_id))
    seer.undo(committed)
    assert {i for i in node_ids(scene) - ids if "Display" not in i} == set()


def test_undo_after_the_scene_was_closed_touches_no_node_of_the_next(slicer: Any, scene: Any, tmp_path: Path) -> None:
    """A closed scene gives its node ids out again."""
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    seer = MrmlScene()
    committed = seer.commit(
        report_of([piece_of(random_mask(SHAPE, 1), tmp_path)]), inputs_of(volume), "liver", tmp_path
    )
    scene.Clear(False)
    another = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert another.GetID() == committed.segmentation_id
    seer.undo(committed)
    assert scene.GetNodeByID(another.GetID()) is another
    with pytest.raises(InputError) as caught:
        seer.read_masks(committed, tmp_path)
    assert caught.value.code == "segmentation-gone"


def test_a_hundred_runs_leave_nothing_behind(slicer: Any, scene: Any, tmp_path: Path) -> None:
    """Nodes, items, observers and threads are counted after the first run and after the hundredth."""
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    existing = add_existing(slicer, volume, [1], False, False, True)
    hierarchy = scene.GetSubjectHierarchyNode()
    seer = MrmlScene()
    report = report_of([piece_of(random_mask(SHAPE, seed), tmp_path, f"new{seed}") for seed in (2, 3)])
    segmentation, image = existing.GetSegmentation(), volume.GetImageData()
    watched = [scene, volume, image, existing, segmentation, existing.GetDisplayNode(), hierarchy]

    def counts() -> tuple[Any, ...]:
        gc.collect()
        references = [thing.GetReferenceCount() for thing in watched]
        observers = [str(thing).count("vtkObserver (") for thing in (scene, image)]  # the two that list theirs
        labelmap = segmentation.GetSegment("s9").GetRepresentation("Binary labelmap")
        observers.append(str(labelmap).count("vtkObserver ("))
        return node_ids(scene), hierarchy.GetNumberOfItems(), references, observers, threading.enumerate()

    def once(number: int) -> None:
        copying = seer.copy_volume(volume.GetID(), tmp_path)
        while copying.step() < 1.0:
            pass
        copying.finish()
        policy = list(OverlapPolicy)[number % 3]
        for target in (None, existing):
            committed = seer.commit(report, inputs_of(volume, target, policy), "liver", tmp_path)
            seer.read_masks(committed, tmp_path)
            seer.undo(committed)

    once(0)
    first = counts()
    for number in range(100):
        once(number)
    assert counts() == first
