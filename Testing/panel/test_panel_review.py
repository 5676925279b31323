"""The verdict on a result, each way, and check phrasing, through the widgets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from .conftest import Panel

LoadVolume = Callable[[str], Any]
Opened = Callable[[], Panel]


@pytest.fixture
def done(panel: Opened, load_volume: LoadVolume, tmp_path: Path) -> Opened:
    """``done()`` opens the panel and segments both lungs; episodes go to ``tmp_path / "episodes"``."""

    def run() -> Panel:
        load_volume("ct-chest")
        opened = panel()
        opened.widget.panel.preferences.set("episodeFolder", str(tmp_path / "episodes"))
        opened.type_text("requestEdit", "outline both lungs")
        opened.click("runButton")
        opened.wait_for_phase("done")
        opened.settle()
        return opened

    return run


def episodes(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "episodes" / "episodes.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def wait_saved(panel: Panel) -> None:
    panel.wait_until(lambda: panel.state.review.saved or panel.state.review.error, 30, "the episode")
    assert panel.state.review.error is None
    panel.settle()


def test_approving_saves_an_episode_once(done: Opened, tmp_path: Path, dialogs: Any) -> None:
    panel = done()
    panel.click("approveButton")
    wait_saved(panel)
    assert [each["review"]["decision"] for each in episodes(tmp_path)] == ["approved"]
    assert panel.find("reviewSavedLabel").text() == "Approved and saved."
    for name in ("approveButton", "approveCorrectedButton", "rejectButton"):
        assert not panel.find(name).isEnabled(), name
    assert not panel.has("diceTable")


def test_approving_with_corrections_shows_dice_and_saves(done: Opened, tmp_path: Path, slicer: Any) -> None:
    panel = done()
    node = slicer.mrmlScene.GetNodeByID(panel.state.segmentation_id)
    volume = slicer.mrmlScene.GetNodeByID(panel.state.volume_id)
    segment = panel.state.segments[0].segment_id
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment, volume)
    mask[: mask.shape[0] // 2] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment, volume)
    panel.click("approveCorrectedButton")
    wait_saved(panel)
    table = panel.find("diceTable")
    assert panel.has("diceTable")
    rows = {table.item(row, 3).text(): float(table.item(row, 0).text()) for row in range(table.rowCount())}
    assert rows["right lung"] == 1.0
    assert 0.0 < rows["left lung"] < 0.95
    assert [each["review"]["decision"] for each in episodes(tmp_path)] == ["corrected"]
    assert np.count_nonzero(mask) > 0


def test_rejecting_wants_a_reason(done: Opened, tmp_path: Path) -> None:
    panel = done()
    panel.click("rejectButton")
    panel.settle()
    assert not panel.find("confirmRejectButton").isEnabled()
    panel.type_text("rejectReasonEdit", "leaks into the chest wall")
    panel.click("confirmRejectButton")
    wait_saved(panel)
    (episode,) = episodes(tmp_path)
    assert episode["review"]["decision"] == "rejected"
    assert episode["review"]["reason"] == "leaks into the chest wall"
    assert not panel.has("rejectReasonEdit")


def test_an_episode_folder_that_can_not_be_written_is_said(done: Opened, tmp_path: Path) -> None:
    panel = done()
    (tmp_path / "file").write_text("")
    panel.widget.panel.preferences.set("episodeFolder", str(tmp_path / "file"))
    panel.click("approveButton")
    panel.wait_until(lambda: panel.state.review.error, 30, "an error")
    panel.settle()
    assert panel.has("reviewErrorLabel")
    assert panel.find("approveButton").isEnabled()


def test_the_segment_editor_is_built_when_opened_and_lets_go(done: Opened, slicer: Any) -> None:
    panel = done()
    editor = panel.widget.panel.result.editor
    assert not editor.built
    panel.find("editorSection").setProperty("collapsed", False)
    panel.settle()
    assert editor.built
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentEditorNode") == 1
    native = panel.find("segmentEditor")
    assert native.segmentationNodeID() == panel.state.segmentation_id
    panel.click("undoButton")
    panel.settle()
    assert native.segmentationNodeID() == ""


def test_the_segment_editor_works_on_the_next_result_where_it_is_still_open(done: Opened) -> None:
    panel = done()
    panel.find("editorSection").setProperty("collapsed", False)
    panel.settle()
    native = panel.find("segmentEditor")
    assert (native.has_shortcuts, native.observes_views) == (True, True)
    panel.click("undoButton")
    panel.settle()
    assert (native.has_shortcuts, native.observes_views) == (False, False)
    panel.widget.exit()
    panel.widget.enter()
    assert (native.has_shortcuts, native.observes_views) == (False, False)  # there is nothing to work on
    panel.click("runButton")
    panel.wait_for_phase("done")
    panel.settle()
    assert native.segmentationNodeID() == panel.state.segmentation_id
    assert (native.has_shortcuts, native.observes_views) == (True, True)
    panel.widget.exit()
    assert (native.has_shortcuts, native.observes_views) == (False, False)
    panel.widget.enter()
    assert (native.has_shortcuts, native.observes_views) == (True, True)


def test_what_was_changed_in_the_editor_is_in_the_table_when_it_closes(done: Opened, slicer: Any) -> None:
    panel = done()
    node = slicer.mrmlScene.GetNodeByID(panel.state.segmentation_id)
    first, second = (shown.segment_id for shown in panel.state.segments)
    panel.find("editorSection").setProperty("collapsed", False)
    panel.settle()
    node.GetSegmentation().GetSegment(first).SetName("lung with effusion")
    node.GetDisplayNode().SetSegmentVisibility(first, False)
    node.GetSegmentation().RemoveSegment(second)
    panel.find("editorSection").setProperty("collapsed", True)
    panel.settle()
    table = panel.find("segmentsTable")
    assert [table.item(row, 2).text() for row in range(2)] == ["lung with effusion", "right lung (removed)"]
    assert [table.item(row, 0).checkState() == Qt.CheckState.Checked for row in range(2)] == [False, False]
    panel.find("segmentsTable").selectRow(1)
    panel.click("jumpButton")  # where it was, or nowhere; never an error


def test_phrasings_that_agree(done: Opened, slicer: Any) -> None:
    panel = done()
    panel.find("phrasingSection").setProperty("collapsed", False)
    panel.find("phrasingCountSpinBox").setValue(3)
    panel.settle()
    panel.click("checkPhrasingButton")
    panel.wait_for_phase("done", "failed")
    panel.settle()
    agreement = panel.state.agreement
    assert panel.find("phrasingTable").rowCount() == len(agreement.phrasings) >= 3
    assert panel.find("agreementLabel").text() == "All wordings give the same result."
    assert len(panel.state.segments) == 2
    panel.click("showAgreementButton")
    shown = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceCompositeNodeRed").GetForegroundVolumeID()
    assert shown == panel.state.agreement_volume_id
