"""The stand-in's qMRML widgets on the real scene."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from Testing.standin.footprint import observer_count
from Testing.standin.pythonqt import slot_errors, unwrap

VOLUME, SEGMENTATION = "vtkMRMLScalarVolumeNode", "vtkMRMLSegmentationNode"


def make_box(slicer: Any, **options: Any) -> Any:
    box = slicer.qMRMLNodeComboBox()
    box.nodeTypes = (options.pop("types", VOLUME),)
    for name, value in {"addEnabled": False, "removeEnabled": False, **options}.items():
        setattr(box, name, value)
    return box


def add(slicer: Any, kind: str = VOLUME, name: str = "a") -> Any:
    return slicer.mrmlScene.AddNewNodeByClass(kind, name)


def make_segmentation(slicer: Any, names: tuple[str, ...] = ("liver", "spleen")) -> tuple[Any, Any]:
    """A volume of 12×10×8 voxels and a segmentation on its grid, each segment a box of 8 voxels."""
    volume = slicer.util.addVolumeFromArray(np.zeros((12, 10, 8), dtype=np.int16), name="CT")
    volume.CreateDefaultDisplayNodes()
    node = add(slicer, SEGMENTATION, "result")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for index, name in enumerate(names):
        segment_id = node.GetSegmentation().AddEmptySegment(name, name)
        mask = np.zeros((12, 10, 8), dtype=np.uint8)
        mask[2 * index : 2 * index + 2, 2:4, 2:4] = 1
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment_id, volume)
    return volume, node


def test_combo_box_follows_the_scene(slicer: Any) -> None:
    box, seen = make_box(slicer), []
    box.currentNodeChanged.connect(lambda node: seen.append(node and node.GetName()))
    box.setMRMLScene(slicer.mrmlScene)
    first, second = add(slicer), add(slicer, name="b")
    add(slicer, SEGMENTATION, "other kind")
    assert (box.nodeCount(), box.currentNode()) == (2, first)
    first.SetName("renamed")
    assert unwrap(box)._box.itemText(0) == "renamed"
    slicer.mrmlScene.RemoveNode(first)
    assert box.currentNode() is second
    slicer.mrmlScene.Clear(False)
    assert box.currentNode() is None
    assert seen == ["a", "b", None]


def test_combo_box_waits_for_the_end_of_an_import_and_loses_its_choice_then(slicer: Any, tmp_path: Path) -> None:
    other = slicer.vtkMRMLScene()
    other.AddNewNodeByClass(VOLUME, "other")
    assert other.Commit(str(tmp_path / "other.mrml"))
    box, seen = make_box(slicer, noneEnabled=True), []
    box.setMRMLScene(slicer.mrmlScene)
    box.setCurrentNode(add(slicer))
    box.connect("currentNodeIDChanged(QString)", lambda node_id: seen.append((node_id, box.nodeCount())))
    slicer.mrmlScene.SetURL(str(tmp_path / "other.mrml"))
    assert slicer.mrmlScene.Import()
    assert seen == [("", 0)]
    assert (box.nodeCount(), box.currentNode()) == (2, None)


def test_combo_box_signals_have_slicers_signatures(slicer: Any) -> None:
    box, seen = make_box(slicer, noneEnabled=True), []
    assert box.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: seen.append(node))
    assert box.connect("currentNodeChanged(bool)", lambda there: seen.append(there))
    assert box.connect("currentNodeIDChanged(QString)", lambda node_id: seen.append(node_id))
    box.setMRMLScene(slicer.mrmlScene)
    node = add(slicer)
    assert box.currentNode() is None
    box.setCurrentNode(node)
    assert seen == [node, True, node.GetID()]
    box.setCurrentNode(node)
    assert len(seen) == 3


def test_combo_box_keeps_a_node_asked_for_before_the_scene(slicer: Any) -> None:
    node = add(slicer)
    box = make_box(slicer, noneEnabled=True)
    box.setCurrentNodeID(node.GetID())
    box.setMRMLScene(slicer.mrmlScene)
    assert box.currentNode() is node


def test_combo_box_hides_hidden_nodes_and_filters_by_attribute(slicer: Any) -> None:
    box = make_box(slicer)
    box.setMRMLScene(slicer.mrmlScene)
    node = add(slicer)
    node.SetHideFromEditors(True)
    node.Modified()
    assert box.nodeCount() == 0
    box.showHidden = True
    assert box.nodeCount() == 1
    box.addAttribute(VOLUME, "kind", "ct")
    assert box.nodeCount() == 0
    node.SetAttribute("kind", "ct")
    assert box.nodeCount() == 1


def test_combo_box_creates_and_deletes_as_a_user_does(slicer: Any) -> None:
    box = make_box(slicer, types=SEGMENTATION, addEnabled=True, removeEnabled=True, noneEnabled=True)
    box.baseName = "SEER result"
    box.setMRMLScene(slicer.mrmlScene)
    native, made = unwrap(box), []
    box.connect("nodeAddedByUser(vtkMRMLNode*)", made.append)
    rows = [native._box.itemText(row) for row in range(native._box.count())]
    native._box.activated.emit(rows.index("Create new Segmentation"))
    assert box.currentNode() is made[0]
    assert made[0].GetName() == "SEER result"
    rows = [native._box.itemText(row) for row in range(native._box.count())]
    native._box.activated.emit(rows.index("Delete current Segmentation"))
    assert box.currentNode() is None
    assert slicer.mrmlScene.GetNumberOfNodesByClass(SEGMENTATION) == 0


def test_a_deleted_combo_box_leaves_no_observer(slicer: Any) -> None:
    before = observer_count(slicer.mrmlScene)
    box = make_box(slicer)
    box.setMRMLScene(slicer.mrmlScene)
    add(slicer)
    assert observer_count(slicer.mrmlScene) > before
    box.delete()
    assert observer_count(slicer.mrmlScene) == before
    add(slicer, name="b")
    assert not slot_errors


def test_segments_table_shows_and_changes_segments(slicer: Any) -> None:
    _, node = make_segmentation(slicer)
    table = slicer.qMRMLSegmentsTableView()
    table.setMRMLScene(slicer.mrmlScene)
    table.setSegmentationNode(node)
    assert (table.segmentCount, table.displayedSegmentIDs()) == (2, ("liver", "spleen"))
    rows = unwrap(table).tableWidget()
    rows.item(0, 3).setText("Leber")
    assert node.GetSegmentation().GetSegment("liver").GetName() == "Leber"
    node.GetDisplayNode().SetSegmentVisibility("spleen", False)
    from PySide6.QtCore import Qt

    assert rows.item(1, 0).checkState() == Qt.CheckState.Unchecked
    rows.item(1, 0).setCheckState(Qt.CheckState.Checked)
    assert node.GetDisplayNode().GetSegmentVisibility("spleen")
    table.setSelectedSegmentIDs(("spleen",))
    assert table.selectedSegmentIDs() == ("spleen",)
    node.GetSegmentation().RemoveSegment("spleen")
    assert table.displayedSegmentIDs() == ("liver",)
    assert table.selectedSegmentIDs() == ()


def test_3d_button_makes_and_removes_surfaces(slicer: Any) -> None:
    _, node = make_segmentation(slicer)
    button = slicer.qMRMLSegmentationShow3DButton()
    assert not button.isEnabled()
    button.setSegmentationNode(node)
    assert button.isEnabled()
    button.click()
    assert node.GetSegmentation().ContainsRepresentation("Closed surface")
    button.click()
    assert not node.GetSegmentation().ContainsRepresentation("Closed surface")


def test_segment_editor_needs_its_node_and_a_test_can_paint(slicer: Any) -> None:
    volume, node = make_segmentation(slicer)
    editor = slicer.qMRMLSegmentEditorWidget()
    editor.setMRMLScene(slicer.mrmlScene)
    with pytest.raises(RuntimeError):
        editor.setSegmentationNode(node)
    editor.setMRMLSegmentEditorNode(add(slicer, "vtkMRMLSegmentEditorNode", "editor"))
    editor.setSegmentationNode(node)
    editor.setSourceVolumeNode(volume)
    assert editor.currentSegmentID() == "liver"
    unwrap(editor).paint((8, 10), (0, 2), (0, 2))
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, "liver", volume)
    assert mask.sum() == 16
    assert mask[8:10, 0:2, 0:2].all()
    slicer.mrmlScene.Clear(False)
    assert editor.segmentationNode() is None


def test_segment_selector_follows_its_segmentation(slicer: Any) -> None:
    _, node = make_segmentation(slicer)
    selector = slicer.qMRMLSegmentSelectorWidget()
    selector.setMRMLScene(slicer.mrmlScene)
    assert selector.currentNode() is node
    assert (selector.segmentIDs(), selector.currentSegmentID()) == (("liver", "spleen"), "liver")


UI = """<?xml version="1.0" encoding="UTF-8"?>
<ui version="4.0"><class>Probe</class>
<widget class="qMRMLWidget" name="Probe"><layout class="QVBoxLayout" name="column">
<item><widget class="qMRMLNodeComboBox" name="volumeSelector">
<property name="nodeTypes"><stringlist notr="true"><string>vtkMRMLScalarVolumeNode</string></stringlist></property>
<property name="noneEnabled"><bool>true</bool></property>
<property name="addEnabled"><bool>false</bool></property>
</widget></item></layout></widget>
<connections><connection><sender>Probe</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
<receiver>volumeSelector</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection></connections></ui>
"""


def test_a_form_hands_the_scene_down(slicer: Any, tmp_path: Path) -> None:
    path = tmp_path / "Probe.ui"
    path.write_text(UI, encoding="utf-8")
    root = slicer.util.loadUI(str(path))
    ui = slicer.util.childWidgetVariables(root)
    assert ui.volumeSelector.noneEnabled
    assert ui.volumeSelector.mrmlScene() is None
    root.setMRMLScene(slicer.mrmlScene)
    assert ui.volumeSelector.mrmlScene() is slicer.mrmlScene
    with pytest.raises(RuntimeError, match="file not found"):
        slicer.util.loadUI(str(tmp_path / "nothing.ui"))
