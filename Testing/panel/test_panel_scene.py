"""The panel and the scene's life: saved and loaded, closed, nodes deleted, module left, worker killed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Panel

LoadVolume = Callable[[str], Any]
Opened = Callable[[], Panel]


@pytest.fixture
def with_ct(panel: Opened, load_volume: LoadVolume) -> Opened:
    load_volume("ct-chest")
    return panel


def start(panel: Panel, text: str = "all of the bones") -> None:
    """Begin a run and come as far as its views."""
    panel.type_text("requestEdit", text)
    panel.click("runButton")
    panel.wait_until(lambda: panel.state.views, 30, "the views of the run")
    assert panel.state.phase.busy


def run(panel: Panel, text: str) -> None:
    panel.find("requestEdit").setPlainText(text)
    panel.click("runButton")
    panel.wait_for_phase("done")
    panel.settle()


def test_a_saved_scene_brings_request_reasoning_and_result_back(with_ct: Opened, slicer: Any, tmp_path: Path) -> None:
    panel = with_ct()
    run(panel, "pls outline both lungs\n?effusion")
    rationale, answer = panel.find("rationaleCardText").text(), panel.find("answerEdit").toPlainText()
    assert slicer.util.saveScene(str(tmp_path / "saved.mrb"))
    slicer.mrmlScene.Clear(False)
    panel.settle()
    assert not panel.has("resultSection")
    slicer.util.loadScene(str(tmp_path / "saved.mrb"))
    panel.settle()
    assert panel.find("requestEdit").toPlainText() == "pls outline both lungs\n?effusion"
    assert panel.find("rationaleCardText").text() == rationale
    assert panel.find("answerEdit").toPlainText() == answer
    table = panel.find("segmentsTable")
    assert [table.item(row, 2).text() for row in range(table.rowCount())] == ["left lung", "right lung"]
    assert panel.find("volumeSelector").currentNodeID
    assert not panel.has("reviewSection")  # the proposal is no longer there to be compared
    run(panel, "left lung")
    assert len(panel.state.segments) == 1


def test_a_scene_file_that_was_tampered_with_is_shown_as_text_or_not_at_all(with_ct: Opened, slicer: Any) -> None:
    from SEERSegmentPanel.restore import state_of_record

    panel = with_ct()
    run(panel, "left lung")
    state = panel.state
    for record in ({}, {"request": 3}, {"request": {"id": "x"}, "reasoning": []}, {"request": {"id": []}}):
        assert state_of_record(record, "", state) is None


def test_deleting_the_volume_stops_the_run(with_ct: Opened, slicer: Any) -> None:
    panel = with_ct()
    start(panel)
    slicer.mrmlScene.RemoveNode(slicer.mrmlScene.GetNodeByID(panel.state.volume_id))
    panel.settle()
    assert panel.state.phase.value == "cancelled"
    assert "volume was removed" in panel.find("stageLabel").text()
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_deleting_the_result_forgets_it(with_ct: Opened, slicer: Any) -> None:
    panel = with_ct()
    run(panel, "left lung")
    panel.find("editorSection").setProperty("collapsed", False)
    panel.settle()
    slicer.mrmlScene.RemoveNode(slicer.mrmlScene.GetNodeByID(panel.state.segmentation_id))
    panel.settle()
    assert not panel.has("resultSection")
    assert not panel.has("reviewSection")


def test_closing_the_scene_mid_run_is_safe(with_ct: Opened, slicer: Any, load_volume: LoadVolume) -> None:
    panel = with_ct()
    start(panel)
    slicer.mrmlScene.Clear(False)
    panel.settle()
    assert not panel.state.phase.busy
    assert not panel.find("runButton").isEnabled()
    load_volume("ct-chest")
    panel.settle()
    run(panel, "left lung")


def test_a_run_goes_on_while_another_module_is_shown(with_ct: Opened, slicer: Any) -> None:
    panel = with_ct()
    start(panel, "outline both lungs")
    panel.widget.exit()
    panel.wait_for_phase("done")
    panel.widget.enter()
    panel.settle()
    assert panel.find("segmentsTable").rowCount() == 2


def test_cleanup_mid_run_leaves_nothing(with_ct: Opened) -> None:
    threads = threading.enumerate()
    panel = with_ct()
    start(panel)
    panel.widget.cleanup()
    panel.widget.cleanup()  # Slicer may call it twice: quitting, and unloading
    panel.settle()
    assert threading.enumerate() == threads  # processes, nodes and observers are checked by the fixture


def test_a_killed_worker_is_an_error_and_the_next_run_works(with_ct: Opened) -> None:
    panel = with_ct()
    start(panel)
    pid = panel.widget.panel.client._pid
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    panel.wait_for_phase("failed")
    panel.settle()
    assert panel.find("errorCodeLabel").text() == "Code: worker-crashed"
    panel.click("retryButton")
    panel.wait_for_phase("done")
    panel.settle()
    assert not panel.has("errorCard")
    assert panel.find("segmentsTable").rowCount() == 1


def test_quitting_mid_run_ends_the_worker(with_ct: Opened, slicer: Any) -> None:
    panel = with_ct()
    start(panel)
    slicer.app.aboutToQuit.emit()
    panel.settle()
    assert panel.widget.panel is None


def test_a_scene_that_is_added_to_the_open_one_brings_its_request_and_volume(
    with_ct: Opened, slicer: Any, tmp_path: Path
) -> None:
    panel = with_ct()
    panel.find("requestEdit").setPlainText("left lung")
    assert slicer.util.saveScene(str(tmp_path / "saved.mrb"))
    own = panel.find("volumeSelector").currentNodeID
    panel.find("requestEdit").setPlainText("trachea")
    slicer.util.loadScene(str(tmp_path / "saved.mrb"))
    panel.settle()
    assert panel.find("requestEdit").toPlainText() == "left lung"
    assert panel.find("volumeSelector").currentNodeID not in ("", own)


def test_a_scene_without_choices_leaves_those_that_were_made(
    with_ct: Opened, load_volume: LoadVolume, slicer: Any, tmp_path: Path
) -> None:
    panel = with_ct()
    chosen = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
    load_volume("ct-chest")  # the active volume now
    panel.select_node("volumeSelector", chosen)
    panel.find("requestEdit").setPlainText("trachea")
    other = slicer.vtkMRMLScene()
    other.AddNewNodeByClass("vtkMRMLTextNode", "notes")
    assert other.Commit(str(tmp_path / "other.mrml"))
    slicer.util.loadScene(str(tmp_path / "other.mrml"))
    panel.settle()
    assert panel.find("volumeSelector").currentNodeID == chosen.GetID()
    assert panel.find("requestEdit").toPlainText() == "trachea"
