"""Settings and first use, through the widgets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QLineEdit

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


# --- what a model on this computer needs ------------------------------------------------------------------------------


class _TorchExtension:
    """Slicer's PyTorch extension, as far as it is used: it notes what it is asked for."""

    def __init__(self, dialogs: Any, there: bool, works: bool) -> None:
        self.PyTorchUtilsLogic = lambda: self  # the name is the extension's
        self._dialogs, self._works = dialogs, works
        self.there = there

    def installTorch(self) -> Any:  # noqa: N802 - the name is the extension's
        self._dialogs.installed.append("torch")
        return object() if self._works else None


@pytest.fixture
def without(
    monkeypatch: pytest.MonkeyPatch, repository: Path, dialogs: Any, slicer: Any
) -> Callable[..., _TorchExtension]:
    """``without("torch", extension=True)``: these modules are not there in the panel's process."""

    def hide(*names: str, extension: bool = True, works: bool = True) -> _TorchExtension:
        monkeypatch.syspath_prepend(str(repository / "SEERSegment"))
        import importlib.util
        import sys

        find = importlib.util.find_spec
        made = _TorchExtension(dialogs, extension, works)
        hidden = set(names) if extension else {*names, "PyTorchUtils"}

        def found(name: str, *more: Any) -> Any:
            if name in hidden:
                return None
            return object() if name in ("PyTorchUtils", "torch", "transformers", "peft") else find(name, *more)

        monkeypatch.setattr(importlib.util, "find_spec", found)
        monkeypatch.setitem(sys.modules, "PyTorchUtils", made)
        return made

    return hide


def ask_for_local(opened: Panel) -> None:
    opened.widget.panel.install_extra("local")
    opened.settle()


def test_pytorch_comes_by_its_extension_and_first(without: Callable[..., Any], panel: Opened, dialogs: Any) -> None:
    without("torch", "transformers")
    opened = panel()
    ask_for_local(opened)
    text = opened.find("installText").text()
    assert "PyTorch, transformers will be installed" in text
    assert "No image and no request is sent" in text
    assert dialogs.installed == []
    opened.click("installLaterButton")
    opened.settle()
    assert (opened.has("installCard"), dialogs.installed) == (False, [])
    ask_for_local(opened)
    opened.click("installButton")
    opened.wait_until(lambda: opened.has("installCloseButton"), 10, "the installation")
    opened.settle()
    assert dialogs.installed == ["torch", "transformers>=4.57"]
    assert "Installed" in opened.find("installTitle").text()
    assert not opened.widget.panel.preferences.get("lightPackagesAsked")  # that is another question


def test_without_that_extension_the_panel_says_how_to_get_it(
    without: Callable[..., Any], panel: Opened, dialogs: Any
) -> None:
    without("torch", "peft", extension=False)
    opened = panel()
    ask_for_local(opened)
    text = opened.find("installText").text()
    for words in ("extension “PyTorch”", "Extensions Manager", "restart Slicer", "peft"):
        assert words in text
    assert not opened.has("installButton")
    opened.click("installCloseButton")
    assert dialogs.installed == []


def test_a_refusal_of_the_extension_installs_nothing_more(
    without: Callable[..., Any], panel: Opened, dialogs: Any
) -> None:
    without("torch", "transformers", works=False)
    opened = panel()
    ask_for_local(opened)
    opened.click("installButton")
    opened.wait_until(lambda: opened.has("installCloseButton"), 10, "the end")
    opened.settle()
    assert dialogs.installed == ["torch"]
    assert "PyTorch was not installed" in opened.find("installTitle").text()


def test_with_pytorch_there_only_the_rest_is_installed_or_nothing(
    without: Callable[..., Any], panel: Opened, dialogs: Any
) -> None:
    without("peft", extension=False)
    opened = panel()
    ask_for_local(opened)
    opened.click("installButton")
    opened.wait_until(lambda: opened.has("installCloseButton"), 10, "the installation")
    opened.settle()
    assert dialogs.installed == ["peft>=0.17"]


def test_the_list_for_a_local_model_has_no_pins_and_no_torch(repository: Path) -> None:
    tomllib = pytest.importorskip("tomllib", reason="in Python since 3.11")
    text = (repository / "SEERSegment/Resources/requirements-local.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    extra = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    local = extra["project"]["optional-dependencies"]["local"]
    assert lines == [each for each in local if not each.startswith("torch")]
    assert not any("==" in line for line in lines)


def test_the_settings_offer_what_a_local_model_needs(
    panel: Opened, dialogs: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the worker's own Python lacks it."""
    (tmp_path / "sitecustomize.py").write_text(_BLOCKER, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    opened = panel()
    expand(opened)
    assert opened.has("install_qwen")
    opened.click("install_qwen")
    opened.settle()
    assert opened.has("installCard")
    assert dialogs.installed == []


_BLOCKER = """
import importlib.abc, sys

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "peft":
            raise ModuleNotFoundError(f"blocked: {name}", name=name)

sys.meta_path.insert(0, Blocker())
"""
