"""Running through the widgets: a full run, cancel, abstention, edited answer, a blocked run, undo, history."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from .conftest import Panel

LoadVolume = Callable[[str], Any]
Opened = Callable[[], Panel]


@pytest.fixture
def with_ct(panel: Opened, load_volume: LoadVolume) -> Opened:
    """``with_ct()`` opens the panel with a chest CT."""
    load_volume("ct-chest")
    return panel


def ask(panel: Panel, text: str, phase: str = "done") -> None:
    panel.type_text("requestEdit", text)
    panel.click("runButton")
    panel.wait_for_phase(phase)
    panel.settle()


def test_empty_panel_says_what_is_missing(panel: Opened, load_volume: LoadVolume) -> None:
    opened = panel()
    assert not opened.find("runButton").isEnabled()
    assert "volume" in opened.find("runHintLabel").text()
    assert opened.find("noticeLabel").text() == "Research use only. Not for clinical decisions."
    for hidden in ("snapshotsSection", "reasoningSection", "resultSection", "reviewSection"):
        assert not opened.has(hidden), hidden
    load_volume("ct-chest")
    opened.settle()
    assert "Say what to segment" in opened.find("runHintLabel").text()
    opened.click("exampleButton0")
    assert opened.find("requestEdit").toPlainText()
    assert opened.find("runButton").isEnabled()
    assert not opened.has("exampleButton0")


def test_full_run_shows_views_reasoning_and_result(with_ct: Opened, slicer: Any) -> None:
    ready = with_ct()
    threads = threading.enumerate()
    ready.type_text("requestEdit", "pls outline both lungs, ?effusion")
    ready.click("runButton")
    assert ready.find("runButton").text() == "Cancel"
    ready.wait_until(lambda: ready.state.stage, what="a stage")
    assert threading.enumerate() == threads
    ready.wait_for_phase("done")
    assert threading.enumerate() == threads
    ready.wait_until(lambda: ready.has(f"thumbnail{len(ready.state.views) - 1}"), what="all thumbnails")
    assert not ready.find("thumbnail0").icon().isNull()
    assert ready.find("answerEdit").toPlainText() == ready.state.reasoning.answer == "left lung and right lung"
    table = ready.find("segmentsTable")
    assert [table.item(row, 2).text() for row in range(table.rowCount())] == ["left lung", "right lung"]
    assert float(table.item(0, 1).text().replace(",", "")) == pytest.approx(
        ready.state.segments[0].piece.volume_ml, abs=0.06
    )
    assert ready.find("runButton").text() == "Run"
    assert not ready.has("progressBar")


def test_table_hides_a_segment_and_goes_to_its_centre(with_ct: Opened, slicer: Any) -> None:
    ready = with_ct()
    ask(ready, "outline both lungs")
    node = slicer.mrmlScene.GetNodeByID(ready.state.segmentation_id)
    first, second = (shown.segment_id for shown in ready.state.segments)
    table = ready.find("segmentsTable")
    table.item(0, 0).setCheckState(Qt.CheckState.Unchecked)
    assert not node.GetDisplayNode().GetSegmentVisibility(first)
    assert node.GetDisplayNode().GetSegmentVisibility(second)
    slice_node = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed")
    slice_node.SetSliceOffset(-1000.0)
    table.selectRow(1)
    ready.click("jumpButton")
    assert slice_node.GetSliceOffset() != -1000.0


def test_click_enlarges_a_view_and_the_second_goes_there(with_ct: Opened, slicer: Any) -> None:
    ready = with_ct()
    ask(ready, "outline both lungs")
    ready.wait_until(lambda: ready.has("thumbnail1"))
    assert not ready.has("enlargedButton")
    ready.click("thumbnail1")
    assert ready.has("enlargedButton")
    assert ready.find("enlargedCaption").text().startswith("Axial")
    view = ready.state.views[1]
    slice_node = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed")
    ready.click("thumbnail1")
    assert slice_node.GetSliceOffset() == pytest.approx(view.centre_ras[2], abs=slicer_spacing(slicer))
    ready.click("closeEnlargedButton")
    assert not ready.has("enlargedButton")


def slicer_spacing(slicer: Any) -> float:
    return max(slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode").GetSpacing())


def test_cancel_takes_effect_at_once_and_leaves_the_scene(with_ct: Opened, slicer: Any) -> None:
    ready = with_ct()
    nodes = slicer.mrmlScene.GetNumberOfNodes()
    ready.type_text("requestEdit", "all of the bones")
    nodes_with_request = slicer.mrmlScene.GetNumberOfNodes()
    ready.click("runButton")
    ready.wait_until(lambda: ready.state.views, what="the views of the run")
    ready.click("runButton")
    assert ready.state.phase.value == "cancelled"
    assert ready.find("runButton").text() == "Run"
    assert slicer.mrmlScene.GetNumberOfNodes() == nodes_with_request >= nodes
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
    ask(ready, "outline both lungs")
    assert len(ready.state.segments) == 2


def test_abstention_asks_back_and_a_suggestion_runs(with_ct: Opened, slicer: Any) -> None:
    ready = with_ct()
    ask(ready, "outline the left or the right lung", "awaiting edit")
    assert ready.has("abstentionCard")
    assert ready.find("abstentionReason").text() == ready.state.abstention.reason
    assert ready.find("abstentionQuestion").text() == ready.state.abstention.question
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
    suggestion = ready.find("suggestionButton0")
    wanted = suggestion.text()
    ready.click(suggestion)
    assert ready.find("requestEdit").toPlainText() == wanted
    ready.wait_for_phase("done")
    assert not ready.has("abstentionCard")
    assert len(ready.state.segments) == 1


def test_an_edited_answer_runs_without_the_reasoner(with_ct: Opened) -> None:
    ready = with_ct()
    ask(ready, "outline both lungs")
    ready.type_text("answerEdit", "trachea")
    ready.click("runAnswerButton")
    ready.wait_for_phase("done")
    assert [shown.piece.target.structure for shown in ready.state.segments] == ["trachea"]
    ready.type_text("answerEdit", "left lung")
    ready.press("answerEdit", Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert ready.state.phase.value != "done"  # it began with the key; a phase on the way may be over before it is seen
    ready.wait_for_phase("done")
    assert [shown.piece.target.structure for shown in ready.state.segments] == ["lung_left"]


def test_a_blocking_finding_stops_until_run_anyway(with_ct: Opened, slicer: Any) -> None:
    ready = with_ct()
    ask(ready, "outline the right lung")
    ready.click("undoButton")
    ready.type_text("answerEdit", "left lung")
    ready.click("runAnswerButton")
    ready.wait_for_phase("awaiting edit")
    ready.settle()
    assert ready.state.blocked
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
    shown = [each.text() for each in ready.find("findingsCard").findChildren(QLabel)]
    assert any(text.startswith("Problem") and "right side" in text for text in shown), shown
    ready.click("runAnywayButton")
    ready.wait_for_phase("done")
    assert [shown.piece.target.structure for shown in ready.state.segments] == ["lung_left"]


def test_undo_takes_back_what_the_run_made(with_ct: Opened, slicer: Any) -> None:
    ready = with_ct()
    before = nodes(slicer)
    ask(ready, "outline both lungs")
    kept = nodes(slicer)
    ask(ready, "trachea")
    ready.click("undoButton")
    assert nodes(slicer) == kept
    ready.settle()
    assert not ready.has("segmentsTable")  # of the run before, nothing is shown any more; it can still be taken back
    ready.click("undoButton")
    assert nodes(slicer) - before <= parameter_nodes(slicer)
    assert not ready.has("resultSection")


def nodes(slicer: Any) -> set[str]:
    collection = slicer.mrmlScene.GetNodes()
    return {collection.GetItemAsObject(index).GetID() for index in range(collection.GetNumberOfItems())}


def parameter_nodes(slicer: Any) -> set[str]:
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScriptedModuleNode")
    return {node.GetID()} if node else set()


def test_output_goes_into_the_chosen_segmentation(with_ct: Opened, slicer: Any) -> None:
    ready = with_ct()
    ask(ready, "left lung")
    ready.select_node("segmentationSelector", slicer.mrmlScene.GetNodeByID(ready.state.segmentation_id))
    ready.choose("overlapComboBox", "Only where empty: others keep their voxels")
    ask(ready, "right lung")
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1
    node = slicer.mrmlScene.GetNodeByID(ready.state.segmentation_id)
    assert node.GetSegmentation().GetNumberOfSegments() == 2
    ready.click("undoButton")
    assert node.GetSegmentation().GetNumberOfSegments() == 1


def test_request_history_by_menu_and_keys(with_ct: Opened) -> None:
    ready = with_ct()
    ask(ready, "left lung")
    ask(ready, "right lung")
    actions = ready.find("historyButton").menu().actions()
    assert [action.text() for action in actions] == ["right lung", "left lung"]
    actions[1].trigger()
    assert ready.find("requestEdit").toPlainText() == "left lung"
    ready.type_text("requestEdit", "half a sentence")
    ready.press("requestEdit", Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert ready.find("requestEdit").toPlainText() == "right lung"
    ready.press("requestEdit", Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert ready.find("requestEdit").toPlainText() == "left lung"
    for _ in range(2):
        ready.press("requestEdit", Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert ready.find("requestEdit").toPlainText() == "half a sentence"


def test_volume_follows_the_active_one_until_the_user_chooses(
    panel: Opened, load_volume: LoadVolume, slicer: Any
) -> None:
    first = load_volume("ct-chest")
    opened = panel()
    assert opened.find("volumeSelector").currentNodeID == first.GetID()
    second = load_volume("ct-chest")
    opened.settle()
    assert opened.find("volumeSelector").currentNodeID == second.GetID()
    opened.choose("volumeSelector", first.GetName())
    load_volume("ct-chest")
    opened.settle()
    assert opened.find("volumeSelector").currentNodeID == first.GetID()


def test_what_the_backbone_can_not_do_is_an_error_with_a_way_on(with_ct: Opened) -> None:
    ready = with_ct()
    ask(ready, "outline the spleen", "failed")
    assert ready.has("errorCard")
    assert "spleen" in ready.find("errorLabel").text()
    assert ready.find("errorCodeLabel").text() == "Code: target-unsupported"
    ready.click("openSettingsButton")
    ready.wait_until(lambda: ready.has("backbone_classical"), what="the settings")
    ask(ready, "left lung")
    assert not ready.has("errorCard")


def test_texts_of_a_request_are_never_markup(with_ct: Opened) -> None:
    ready = with_ct()
    ask(ready, 'outline the left lung <img src="file:///nowhere.png"> <b>now</b>', "done")
    for name in ("reasoningHintLabel", "rationaleCardText", "evidenceCardText", "stageLabel"):
        label = ready.find(name)
        assert label.textFormat() == Qt.TextFormat.PlainText or "<img" not in label.text(), name


def test_a_new_roi_is_the_whole_volume_and_crops_what_the_backbone_sees(with_ct: Opened, slicer: Any) -> None:
    ready = with_ct()
    ready.find("roiSelector").addNode()
    ready.settle()
    roi = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLMarkupsROINode")
    volume = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
    bounds, covered = [0.0] * 6, [0.0] * 6
    volume.GetRASBounds(bounds)
    roi.GetRASBounds(covered)
    assert covered == pytest.approx(bounds, abs=1e-3)
    assert ready.find("roiSelector").currentNodeID == roi.GetID()

    size = roi.GetSize()
    roi.SetSize([size[0], size[1], size[2] / 2])
    top = (bounds[4] + bounds[5]) / 2 + size[2] / 4
    ask(ready, "outline both lungs")
    node = slicer.mrmlScene.GetNodeByID(ready.state.segmentation_id)
    node.GetRASBounds(covered)
    assert covered[5] <= top + max(volume.GetSpacing())
    array = slicer.util.arrayFromSegmentBinaryLabelmap(node, ready.state.segments[0].segment_id, volume)
    assert array.shape == slicer.util.arrayFromVolume(volume).shape


def test_a_click_goes_from_the_run_to_its_result(with_ct: Opened) -> None:
    ready = with_ct()
    ready.window.resize(480, 600)
    ask(ready, "left lung")
    bar = ready.find("panelScrollArea").verticalScrollBar()
    bar.setValue(0)
    ready.click("goToResultButton")
    table = ready.find("segmentsTable")
    ready.wait_until(lambda: not table.visibleRegion().isEmpty(), what="the table in view")
    assert bar.value() > 0
