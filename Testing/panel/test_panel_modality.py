"""What the user says of the modality: it goes with the run, with the scene, and not to another volume."""

from __future__ import annotations

from typing import Any


def test_a_wrong_modality_is_the_users_to_correct(panel: Any, load_volume: Any) -> None:
    volume = load_volume("ct-chest")
    shown = panel()
    shown.choose("modalityComboBox", "MR")
    shown.type_text("requestEdit", "outline both lungs")
    shown.click("runButton")
    shown.wait_for_phase("failed", 60)
    assert shown.state.error.code == "modality-unsupported"
    shown.choose("modalityComboBox", "CT")
    shown.click("runButton")
    shown.wait_for_phase("done", 60)
    said = [record for record in shown.state.segments[0].piece.findings if record.code.startswith("modality")]
    assert not said
    assert shown.find("volumeSelector").currentNodeID == volume.GetID()


def test_what_was_said_of_one_volume_is_not_said_of_the_next(panel: Any, load_volume: Any, slicer: Any) -> None:
    first = load_volume("ct-chest")
    shown = panel()
    shown.choose("modalityComboBox", "MR")
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "other")
    assert shown.find("modalityComboBox").currentText() == "MR"
    shown.select_node("volumeSelector", other)
    assert shown.find("modalityComboBox").currentIndex() == 0
    shown.select_node("volumeSelector", first)
    assert shown.find("modalityComboBox").currentIndex() == 0
