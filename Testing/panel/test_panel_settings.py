"""Settings and first use, through the widgets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QLineEdit

from .conftest import Panel

Opened = Callable[[], Panel]


def expand(panel: Panel) -> None:
    panel.find("settingsSection").setProperty("collapsed", False)
    panel.wait_until(lambda: panel.has("backbone_classical"), 30, "the list of parts")
    panel.settle()


def test_opening_the_panel_asks_nobody_and_settings_are_built_when_expanded(panel: Opened) -> None:
    opened = panel()
    assert not opened.widget.panel.client.running
    assert opened.widget.panel.presenter.state.capabilities is None
    assert not opened.root.findChildren(object, "remoteUrlEdit")
    expand(opened)
    assert opened.widget.panel.client.running


def field(panel: Panel, name: str) -> Any:
    """The line within a field for a path."""
    return panel.find(name).findChildren(QLineEdit)[0]


def groups(panel: Panel) -> dict[str, bool]:
    """The groups of models that can be seen, and whether each is unfolded."""
    names = ("medvolGroup", "localGroup", "remoteGroup", "askingGroup")
    return {name: not panel.find(name).property("collapsed") for name in names if panel.has(name)}


def test_every_kind_of_reasoner_can_be_chosen_and_shows_what_it_is_made_of(panel: Opened) -> None:
    opened = panel()
    expand(opened)
    assert opened.find("reasoner_embedded").isChecked()
    assert opened.find("backbone_classical").isChecked()
    assert not opened.has("tablesFirstBox")
    assert not opened.has("reasoner_cascade")  # it is the switch
    assert groups(opened) == {"localGroup": False, "remoteGroup": False, "askingGroup": False}
    opened.click("reasoner_local")
    opened.settle()
    assert opened.has("tablesFirstBox")
    assert groups(opened) == {"localGroup": True, "remoteGroup": False, "askingGroup": True}
    opened.click("reasoner_remote")
    opened.settle()
    assert groups(opened) == {"localGroup": False, "remoteGroup": True, "askingGroup": True}
    opened.click("reasoner_medvol")
    opened.settle()
    assert groups(opened) == {"medvolGroup": True, "localGroup": True, "remoteGroup": False}
    assert not opened.has("tablesFirstBox")
    opened.choose("medvolModelComboBox", "The server below")
    opened.settle()
    assert groups(opened) == {"medvolGroup": True, "localGroup": False, "remoteGroup": True}


def test_whether_the_chosen_reasoner_is_ready_is_said_as_it_is_set_up(panel: Opened, tmp_path: Path) -> None:
    opened = panel()
    expand(opened)
    assert not opened.has("reasonerStatusLabel")

    def status_with(words: str) -> None:
        status = opened.find("reasonerStatusLabel")
        opened.wait_until(lambda: words in status.text() and opened.has("reasonerStatusLabel"), 30, words)

    opened.click("reasoner_remote")
    status_with("Not ready: enter the server's address below.")
    opened.type_text("remoteUrlEdit", "http://127.0.0.1:9/v1")
    status_with("Ready.")
    opened.click("reasoner_local")
    status_with("Not ready: choose the folder of the model below.")
    opened.type_text(field(opened, "localModelEdit"), str(tmp_path / "nothing"))
    status_with(f"There is no folder {tmp_path}/nothing")
    opened.choose("templateComboBox", "My own, from a file")
    opened.settle()
    opened.type_text(field(opened, "templateFileEdit"), str(tmp_path / "words.json"))
    status_with("words.json can't be used")


def test_a_commit_is_asked_for_where_the_name_is_one_of_the_hub(panel: Opened) -> None:
    opened = panel()
    expand(opened)
    opened.click("reasoner_local")
    opened.settle()
    hub = ("localRevisionEdit", "adapterRevisionEdit", "downloadBox")
    assert [name for name in hub if opened.has(name)] == []
    opened.type_text(field(opened, "localModelEdit"), "Qwen/Qwen3-VL-4B-Instruct")
    opened.settle()
    assert [name for name in hub if opened.has(name)] == ["localRevisionEdit", "downloadBox"]
    opened.type_text(field(opened, "localAdapterEdit"), "Ztrura/SEER/v1.1")
    opened.settle()
    assert [name for name in hub if opened.has(name)] == list(hub)
    for name in ("localModelEdit", "localAdapterEdit"):
        opened.type_text(field(opened, name), "")
    opened.settle()
    assert [name for name in hub if opened.has(name)] == []
    preferences = opened.widget.panel.preferences
    assert (preferences.get("localModel"), preferences.get("localAdapter")) == ("", "")


def test_official_words_ask_for_a_checkout_and_own_ones_for_a_file(panel: Opened) -> None:
    opened = panel()
    expand(opened)
    opened.click("reasoner_remote")
    opened.settle()
    for words, shown in (
        ("Those of the official release 1.1", "officialCheckoutEdit"),
        ("Those of the official release 1.0", "officialCheckoutEdit"),
        ("My own, from a file", "templateFileEdit"),
        ("SEER's own, as in this extension", ""),
    ):
        opened.choose("templateComboBox", words)
        opened.settle()
        assert [name for name in ("officialCheckoutEdit", "templateFileEdit") if opened.has(name)] == [shown] * bool(
            shown
        )


def test_a_backbone_that_can_not_take_boxes_is_stood_in_for_with_a_note(panel: Opened) -> None:
    opened = panel()
    expand(opened)
    assert not opened.has("backboneNoteLabel")
    opened.click("reasoner_medvol")
    opened.settle()
    assert "'propagation' segments instead" in opened.find("backboneNoteLabel").text()
    assert opened.has("backboneNoteLabel")
    opened.click("backbone_propagation")
    opened.settle()
    assert not opened.has("backboneNoteLabel")
    opened.click("backbone_classical")
    opened.click("reasoner_embedded")
    opened.settle()
    assert not opened.has("backboneNoteLabel")


def test_how_a_model_is_asked_survives_a_restart(panel: Opened) -> None:
    first = panel()
    expand(first)
    first.click("reasoner_remote")
    first.settle()
    first.click("tablesFirstBox")
    first.choose("identifiersComboBox", "Such a request is not sent")
    first.choose("templateComboBox", "My own, from a file")
    first.settle()
    first.type_text(field(first, "templateFileEdit"), "/words.json")
    first.find("rephrasingsBox").setValue(5)
    first.click("reasoner_medvol")
    first.settle()
    first.choose("medvolModelComboBox", "The server below")
    first.choose("medvolScaleComboBox", "In pixels")
    first.choose("medvolNumberingComboBox", "All of the volume, from 0 at the head")
    first.loaded.unload()

    second = panel()
    expand(second)
    assert second.find("reasoner_medvol").isChecked()
    shown = {name: second.find(name).currentData() for name in ("medvolModelComboBox", "medvolScaleComboBox")}
    assert shown == {"medvolModelComboBox": "remote", "medvolScaleComboBox": "pixels"}
    assert second.find("medvolNumberingComboBox").currentData() == "source"
    second.click("reasoner_remote")
    second.settle()
    assert second.find("tablesFirstBox").isChecked()
    assert second.find("identifiersComboBox").currentData() == "refuse"
    assert second.find("templateComboBox").currentData() == "custom"
    assert field(second, "templateFileEdit").text() == "/words.json"
    assert second.find("rephrasingsBox").value() == 5


def test_choices_survive_a_restart(panel: Opened, tmp_path: Path) -> None:
    first = panel()
    expand(first)
    first.choose("presetComboBox", "seer-v1: 8 axial views")
    first.find("idleMinutesBox").setValue(3)
    assert first.widget.panel.client.idle_seconds == 180.0
    first.click("backbone_reference")
    first.settle()
    first.type_text(field(first, "referenceLabelsEdit"), "/labels.nii")
    first.choose("overlapComboBox", "Replace: the new segment takes the voxels")
    first.find("phrasingCountSpinBox").setValue(5)
    first.find("phrasingSeedSpinBox").setValue(17)
    first.loaded.unload()

    second = panel()
    expand(second)
    preferences = second.widget.panel.preferences
    assert second.find("presetComboBox").currentData() == "seer-v1" == preferences.get("preset")
    assert second.find("idleMinutesBox").value() == 3
    assert second.find("backbone_reference").isChecked()
    assert preferences.get("referenceLabels") == "/labels.nii"
    assert second.find("overlapComboBox").currentData() == "replace"
    assert second.find("phrasingCountSpinBox").value() == 5
    assert second.find("phrasingSeedSpinBox").value() == 17


def test_the_reference_backbone_answers_from_its_label_map(
    panel: Opened, load_volume: Callable[[str], Any], sample: Callable[..., Path]
) -> None:
    load_volume("ct-chest")
    opened = panel()
    opened.widget.panel.preferences.set("backbone", "reference")
    opened.widget.panel.preferences.set("referenceLabels", str(sample("ct-chest", "labels")))
    opened.type_text("requestEdit", "outline both lungs")
    opened.click("runButton")
    opened.wait_for_phase("done", "failed", "awaiting edit")
    assert opened.state.phase.value == "done", opened.state.error
