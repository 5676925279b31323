"""Optional packages: asked for on first use or after a click, and installed by what Slicer has for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from Testing.standin.pythonqt import unwrap

from .conftest import Panel

Opened = Callable[[], Panel]


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
    opened.find("settingsSection").setProperty("collapsed", False)
    opened.wait_until(lambda: opened.has("install_qwen"), 30, "the list of parts")
    opened.settle()
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
