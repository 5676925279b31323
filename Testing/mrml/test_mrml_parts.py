"""Regions of interest, the agreement map, places in the subject hierarchy, jumping, the panel's stored choices."""

from __future__ import annotations

import ast
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from SEERSegmentLib.errors import VolumeError
from SEERSegmentLib.mrml.geometry import local_affine, matrix_from_array, world_affine
from SEERSegmentLib.mrml.jump import jump_to, segment_centre
from SEERSegmentLib.mrml.placement import place_beside
from SEERSegmentLib.mrml.scene import MrmlScene
from SEERSegmentLib.mrml.state import PanelParameters, parameter_node
from SEERSegmentLib.mrml.undo import remove_with_belongings
from SEERSegmentLib.presenter.state import OverlapPolicy
from SEERSegmentLib.values import Modality
from SEERSegmentLib.worker.files import create_array
from SEERSegmentLib.worker.messages import AgreementReport

from .nodes import (
    NASTY,
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
)

SHAPE = (10, 12, 14)


# ------------------------------------------------------------------------------------------------ region of interest


def add_roi(slicer: Any, centre: Any, size: Any) -> Any:
    """A markups ROI along the world's axes."""
    roi = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "ROI")
    roi.SetCenter(*centre)
    roi.SetSize(*size)
    return roi


def covered(volume: Any, roi_to_world: NDArray[np.float64], size: Any) -> set[tuple[int, int, int]]:
    """Voxels (k, j, i) that hold a point of the box, by a fine sampling of it."""
    lines = [np.linspace(-0.5 + 1e-3, 0.5 - 1e-3, 41) * length for length in size]
    points = np.array([(*point, 1.0) for point in product(*lines)]).T
    i, j, k = np.round((np.linalg.inv(world_affine(volume)) @ roi_to_world @ points)[:3]).astype(int)
    shape = volume.GetImageData().GetDimensions()
    inside = (i >= 0) & (j >= 0) & (k >= 0) & (i < shape[0]) & (j < shape[1]) & (k < shape[2])
    return set(zip(k[inside].tolist(), j[inside].tolist(), i[inside].tolist(), strict=True))


def test_a_box_along_voxel_borders_is_exactly_its_voxels(slicer: Any) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16), np.diag([-2.0, -3.0, 4.0, 1.0]))
    # voxels i 2..4, j 5..5, k 0..8: their borders, in mm
    roi = add_roi(slicer, (-2 * 3.0, -3 * 5.0, 4 * 4.0), (2 * 3, 3 * 1, 4 * 9))
    assert MrmlScene().crop(volume.GetID(), roi.GetID()) == ((0, 9), (5, 6), (2, 5))


@pytest.mark.parametrize("number", range(0, 48, 5))
def test_a_turned_box_under_transforms_is_covered(slicer: Any, number: int) -> None:
    """The range is the bounding box of the voxels that the region reaches into."""
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16), affine_of(rotation(number) @ ORIENTATIONS[number]))
    middle = world_affine(volume) @ np.array([7, 6, 5, 1.0])
    parent = np.eye(4)
    parent[:3, :3], parent[:3, 3] = rotation(3 * number, (3, 1, 0)), (4, -5, 6)
    local_centre = (np.linalg.inv(parent) @ middle)[:3]
    size = (4.3, 6.1, 9.7)
    roi = add_roi(slicer, local_centre, size)
    turn = np.eye(4)
    turn[:3, :3], turn[:3, 3] = rotation(2 * number, (0, 1, 2)), local_centre
    roi.SetAndObserveObjectToNodeMatrix(matrix_from_array(turn))
    roi.SetAndObserveTransformNodeID(add_transform(slicer, parent).GetID())
    ranges = MrmlScene().crop(volume.GetID(), roi.GetID())
    voxels = covered(volume, parent @ turn, size)
    for axis in range(3):
        seen = [voxel[axis] for voxel in voxels]
        assert ranges[axis][0] <= min(seen)
        assert ranges[axis][1] > max(seen)
        assert ranges[axis][0] >= min(seen) - 1
        assert ranges[axis][1] <= max(seen) + 2


def test_a_box_that_reaches_out_is_cut_to_the_grid(slicer: Any) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    roi = add_roi(slicer, (0, 0, 0), (1000, 7, 1000))
    assert MrmlScene().crop(volume.GetID(), roi.GetID()) == ((0, 10), (0, 4), (0, 14))


def test_the_older_kind_of_roi(slicer: Any, scene: Any) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    roi = scene.AddNewNodeByClass("vtkMRMLAnnotationROINode")
    roi.SetXYZ(5, 5, 5)
    roi.SetRadiusXYZ(1.5, 2.5, 3.5)
    assert MrmlScene().crop(volume.GetID(), roi.GetID()) == ((2, 9), (3, 8), (4, 7))


def test_regions_that_can_not_be_used(slicer: Any, scene: Any) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    seer = MrmlScene()
    unplaced = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode")
    bent = add_roi(slicer, (5, 5, 5), (3, 3, 3))
    bent.SetAndObserveTransformNodeID(add_bend(slicer).GetID())
    cases = {
        "roi-outside": add_roi(slicer, (-500, 0, 0), (10, 10, 10)).GetID(),
        "roi-empty": unplaced.GetID(),
        "roi-transform": bent.GetID(),
        "roi-kind": volume.GetID(),
        "roi-gone": "vtkMRMLMarkupsROINode99",
    }
    for code, roi_id in cases.items():
        with pytest.raises(VolumeError) as caught:
            seer.crop(volume.GetID(), roi_id)
        assert caught.value.code == code


# --------------------------------------------------------------------------------------------------- agreement map


def agreement_report(folder: Path, shape: tuple[int, ...] = SHAPE) -> tuple[AgreementReport, NDArray[np.float32]]:
    values = np.random.default_rng(1).random(shape, np.float32)
    mapped, file = create_array(folder, "agreement.npy", np.float32, shape)
    mapped[...] = values
    return AgreementReport("job", (), 0.5, 0.4, 0.1, file), values


def test_the_agreement_map_lies_on_the_volume(slicer: Any, scene: Any, tmp_path: Path) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16), affine_of(rotation(33) @ ORIENTATIONS[17]))
    volume.SetAndObserveTransformNodeID(add_transform(slicer, affine_of(rotation(7), (1, 1, 1))).GetID())
    report, values = agreement_report(tmp_path)
    node = scene.GetNodeByID(MrmlScene().add_agreement(report, volume.GetID(), tmp_path))
    assert node.GetClassName() == "vtkMRMLScalarVolumeNode"
    assert (slicer.util.arrayFromVolume(node) == values).all()
    np.testing.assert_allclose(local_affine(node), local_affine(volume))
    assert node.GetParentTransformNode() is volume.GetParentTransformNode()
    display = node.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0.0, 1.0)
    assert not display.GetAutoWindowLevel()
    assert display.GetColorNodeID() == "vtkMRMLColorTableNodeIron"
    assert node.GetName() == "CT chest agreement"


def test_an_agreement_map_that_does_not_fit(slicer: Any, scene: Any, tmp_path: Path) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    nodes = scene.GetNumberOfNodes()
    report, _ = agreement_report(tmp_path, (3, 4, 5))
    with pytest.raises(VolumeError) as caught:
        MrmlScene().add_agreement(report, volume.GetID(), tmp_path)
    assert caught.value.code == "volume-changed"
    assert MrmlScene().add_agreement(AgreementReport("job", (), None, None, None, None), volume.GetID(), tmp_path) == ""
    assert scene.GetNumberOfNodes() == nodes


# ------------------------------------------------------------------------------------------------------- placement


def test_results_stand_in_the_volumes_study(slicer: Any, scene: Any, tmp_path: Path) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    hierarchy = scene.GetSubjectHierarchyNode()
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "patient")
    study = hierarchy.CreateStudyItem(patient, "study")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volume), study)
    seer = MrmlScene()
    committed = seer.commit(report_of([piece_of(random_mask(SHAPE, 1), tmp_path)]), inputs_of(volume), "", tmp_path)
    node = scene.GetNodeByID(committed.segmentation_id)
    report, _ = agreement_report(tmp_path)
    agreement = scene.GetNodeByID(seer.add_agreement(report, volume.GetID(), tmp_path))
    (text,) = slicer.util.getNodesByClass("vtkMRMLTextNode")
    for result in (node, agreement, text):
        assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(result)) == study
    assert node.GetName() == "CT chest segmentation"
    role = node.GetReferenceImageGeometryReferenceRole()
    assert node.GetNodeReference(role) is volume
    assert seer.exists(node.GetID())
    assert not seer.exists("")


def test_an_existing_segmentation_stays_where_the_user_put_it(slicer: Any, scene: Any, tmp_path: Path) -> None:
    volume, other = (add_volume(slicer, np.zeros(SHAPE, np.int16), name=name) for name in ("a", "b"))
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    node.SetReferenceImageGeometryParameterFromVolumeNode(other)
    hierarchy = scene.GetSubjectHierarchyNode()
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "folder")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(node), folder)
    report = report_of([piece_of(random_mask(SHAPE, 1), tmp_path)])
    committed = MrmlScene().commit(report, inputs_of(volume, node), "", tmp_path)
    assert committed.segmentation_id == node.GetID()
    assert node.GetName() == "mine"
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == folder
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is other


# --------------------------------------------------------------------------------------------------------- jumping


def test_slice_views_jump(slicer: Any, scene: Any) -> None:
    nodes = []
    for name in ("Axial", "Coronal", "Sagittal"):
        node = scene.AddNewNodeByClass("vtkMRMLSliceNode", name)
        node.SetLayoutName(name)
        node.SetOrientation(name)
        nodes.append(node)
    jump_to(scene, (11.0, -22.0, 33.0))
    assert [abs(node.GetSliceOffset()) for node in nodes] == [33.0, 22.0, 11.0]
    for node, axis in zip(nodes, (2, 1, 0), strict=True):
        assert node.GetSliceToRAS().GetElement(axis, 3) == (11.0, -22.0, 33.0)[axis]
    jump_to(scene, (1.0, 2.0, 3.0), centred=True)
    for node in nodes:
        matrix = node.GetSliceToRAS()
        assert [matrix.GetElement(row, 3) for row in range(3)] == [1.0, 2.0, 3.0]


def test_the_centre_of_a_segment_is_one_of_its_voxels(slicer: Any, scene: Any, tmp_path: Path) -> None:
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16), affine_of(rotation(20)))
    volume.SetAndObserveTransformNodeID(add_transform(slicer, affine_of(rotation(-20), (1, 1, 1))).GetID())
    ring = np.zeros(SHAPE, bool)
    ring[2:9, 2:9, 2:9] = True
    ring[3:8, 3:8, 2:9] = False  # a tube: its centre of mass is hollow
    block = np.zeros(SHAPE, bool)
    block[3:6, 5:8, 7:10] = True
    masks = {"ring": ring, "block": block, "none": np.zeros(SHAPE, bool)}
    pieces = [piece_of(mask, tmp_path, name) for name, mask in masks.items()]
    committed = MrmlScene().commit(report_of(pieces), inputs_of(volume), "", tmp_path)
    node = scene.GetNodeByID(committed.segmentation_id)
    inverse = np.linalg.inv(world_affine(volume))
    at = segment_centre(node, "block")
    assert at is not None
    np.testing.assert_allclose((inverse @ [*at, 1.0])[:3], (8, 6, 4), atol=1e-6)
    at = segment_centre(node, "ring")
    assert at is not None
    i, j, k = np.round((inverse @ [*at, 1.0])[:3]).astype(int)
    assert ring[k, j, i]
    assert segment_centre(node, "none") is None
    assert segment_centre(node, "nonsense") is None


def test_the_centre_of_a_large_thin_segment(slicer: Any, scene: Any, tmp_path: Path) -> None:
    """Seen in steps, and finer where no step meets it."""
    shape = (100, 100, 100)
    volume = add_volume(slicer, np.zeros(shape, np.uint8))
    mask = np.zeros(shape, bool)
    mask[1, 1, 1:99:2] = mask[99, 99, 99] = mask[51, 1:99:2, 51] = True
    committed = MrmlScene().commit(report_of([piece_of(mask, tmp_path)]), inputs_of(volume), "", tmp_path)
    at = segment_centre(scene.GetNodeByID(committed.segmentation_id), committed.segments[0].segment_id)
    assert at is not None
    i, j, k = np.round(at).astype(int)
    assert mask[k, j, i]


# ---------------------------------------------------------------------------------------------------- stored choices


def test_choices_are_typed_and_forget_nodes_that_are_gone(slicer: Any, scene: Any) -> None:
    parameters = PanelParameters(parameter_node(scene))
    assert (parameters.overlap, parameters.modality) == (OverlapPolicy.KEEP, Modality.UNKNOWN)
    assert (parameters.volume_id, parameters.request, parameters.record) == ("", "", {})
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    parameters.volume_id = volume.GetID()
    parameters.overlap = OverlapPolicy.REPLACE
    parameters.modality = Modality.MR
    parameters.request = NASTY
    parameters.record = {"a": [NASTY, 1.5]}
    again = PanelParameters(parameter_node(scene))
    assert again.node is parameters.node
    assert (again.volume_id, again.overlap, again.request) == (volume.GetID(), OverlapPolicy.REPLACE, NASTY)
    assert again.record == {"a": [NASTY, 1.5]}
    assert again.modality is Modality.MR
    scene.RemoveNode(volume)
    assert again.volume_id == ""
    parameters.volume_id = ""
    parameters.node.SetParameter("Overlap", "nonsense")
    parameters.node.SetParameter("Modality", "nonsense")
    parameters.node.SetParameter("LastReasoning", "%7B")
    assert (again.overlap, again.modality) == (OverlapPolicy.KEEP, Modality.UNKNOWN)
    assert again.record == {}


def test_setting_what_is_set_raises_no_event(slicer: Any, scene: Any) -> None:
    parameters = PanelParameters(parameter_node(scene))
    parameters.request, parameters.overlap, parameters.volume_id = "liver", OverlapPolicy.REPLACE, ""
    events: list[str] = []
    tag = parameters.node.AddObserver("AnyEvent", lambda _node, event: events.append(event))
    parameters.request, parameters.overlap, parameters.volume_id = "liver", OverlapPolicy.REPLACE, ""
    parameters.node.RemoveObserver(tag)
    assert events == []


def test_a_commit_tells_the_node_once(slicer: Any, scene: Any, tmp_path: Path) -> None:
    """Views that observe the node redraw once, not for every segment."""
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.CreateDefaultDisplayNodes()
    events: list[str] = []
    added = slicer.vtkSegmentation.SegmentAdded
    tag = node.AddObserver(added, lambda _node, event: events.append(event))
    pieces = [piece_of(random_mask(SHAPE, seed), tmp_path, f"new{seed}") for seed in range(4)]
    MrmlScene().commit(report_of(pieces), inputs_of(volume, node), "", tmp_path)
    node.RemoveObserver(tag)
    assert len(events) == 1


def test_the_panel_pays_for_none_of_the_rooms_that_work(repository: Path) -> None:
    """What opening the panel imports of this room, beside Slicer itself."""
    statement = "import SEERSegmentLib.mrml.scene, SEERSegmentLib.mrml.jump, SEERSegmentLib.mrml.state"
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repository)
    loaded = set(done.stdout.split())
    rooms = {name.split(".")[1] for name in loaded if name.startswith("SEERSegmentLib.")}
    assert rooms == {"errors", "mrml", "presenter", "values", "worker"}
    assert not loaded & {"scipy", "SimpleITK", "requests", "pydicom", "PIL", "torch"}


def test_no_other_room_imports_slicer_or_this_one(repository: Path) -> None:
    library = repository / "SEERSegmentLib"
    for path in library.rglob("*.py"):
        if "mrml" in path.relative_to(library).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            for name in [module, *names]:
                assert name.split(".")[0] not in ("slicer", "vtk", "vtkmodules"), path
                assert "mrml" not in name.split("."), path


def test_items_that_no_plugin_cares_for(slicer: Any, scene: Any) -> None:
    """Where the application's plugins don't run, an item is made and removed all the same."""
    volume = add_volume(slicer, np.zeros(SHAPE, np.int16))
    hierarchy = scene.GetSubjectHierarchyNode()
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "folder")
    hierarchy.SetItemParent(hierarchy.GetItemByDataNode(volume), folder)
    items = hierarchy.GetNumberOfItems()
    node = scene.AddNewNodeByClass("vtkMRMLPlotChartNode")
    assert not hierarchy.GetItemByDataNode(node)
    place_beside(node, volume)
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == folder
    remove_with_belongings(scene, node)
    assert hierarchy.GetNumberOfItems() == items
