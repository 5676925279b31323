"""Settings and first use, through the widgets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from Testing.standin.pythonqt import unwrap

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


def test_what_is_not_in_this_version_says_so(panel: Opened) -> None:
    opened = panel()
    expand(opened)
    assert opened.find("reasoner_embedded").isChecked()
    for kind in ("local", "remote"):
        assert not opened.find(f"reasoner_{kind}").isEnabled()
        assert opened.find(f"reasoner_{kind}Text").text() == "Not available in this version."
    assert opened.find("backbone_classical").isChecked()


def test_choices_survive_a_restart(panel: Opened, tmp_path: Path) -> None:
    first = panel()
    expand(first)
    first.choose("presetComboBox", "seer-v1: 8 axial views")
    first.find("idleMinutesBox").setValue(3)
    assert first.widget.panel.client.idle_seconds == 180.0
    first.click("backbone_reference")
    first.settle()
    first.type_text(first.find("referenceLabelsEdit").findChildren(type(first.find("remoteUrlEdit")))[0], "/labels.nii")
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


@pytest.fixture
def rapidfuzz_missing(monkeypatch: pytest.MonkeyPatch, slicer: Any, repository: Path) -> None:
    monkeypatch.syspath_prepend(str(repository / "SEERSegment"))
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "rapidfuzz" else find(name, *a))


def test_first_use_asks_and_installs_only_on_a_click(rapidfuzz_missing: None, panel: Opened, dialogs: Any) -> None:
    opened = panel()
    assert opened.has("installCard")
    assert "rapidfuzz" in opened.find("installText").text()
    assert dialogs.installed == []
    opened.click("installLaterButton")
    opened.settle()
    assert not opened.has("installCard")
    assert dialogs.installed == []
    opened.loaded.unload()

    again = panel()
    again.settle()
    again.click("installButton")
    again.wait_until(lambda: dialogs.installed, 10, "the installation")
    again.settle()
    assert len(dialogs.installed) == 1
    assert "rapidfuzz>=3.6" in dialogs.installed[0]
    assert again.has("installCloseButton")
    again.loaded.unload()

    third = panel()
    assert not third.has("installCard")


def test_an_installation_ends_in_testing_mode_too(
    rapidfuzz_missing: None, slicer: Any, panel: Opened, dialogs: Any
) -> None:
    unwrap(slicer.app).testing = True
    opened = panel()
    opened.click("installButton")
    opened.settle()
    assert len(dialogs.installed) == 1
    assert opened.has("installCloseButton")


def test_dont_ask_again_is_kept(rapidfuzz_missing: None, panel: Opened, dialogs: Any) -> None:
    opened = panel()
    opened.click("installNeverButton")
    opened.loaded.unload()
    assert not panel().has("installCard")
    assert dialogs.installed == []


def test_nothing_is_asked_when_nothing_is_missing(panel: Opened) -> None:
    assert not panel().has("installCard")


def test_the_worker_starts_afresh_after_an_installation(
    rapidfuzz_missing: None, panel: Opened, load_volume: Callable[[str], Any]
) -> None:
    load_volume("ct-chest")
    opened = panel()
    opened.type_text("requestEdit", "left lung")
    opened.click("runButton")
    opened.wait_for_phase("done")
    before = opened.widget.panel.client._pid
    opened.settle()
    opened.click("installButton")
    opened.wait_until(lambda: not opened.widget.panel.client.running, 10, "the worker's end")
    opened.click("runButton")
    opened.wait_for_phase("done", "failed")
    assert opened.state.phase.value == "done"
    assert opened.widget.panel.client._pid != before
