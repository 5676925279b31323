"""What is shipped: light at start-up, the test that Slicer's own runner calls, and the pictures for people."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from .conftest import ROOT, Panel

MODULE_FOLDER = ROOT / "SEERSegment"
PICTURES = ROOT / "build" / "panel"
SOURCES = sorted(MODULE_FOLDER.rglob("*.py"))

LIGHT_START = """
import sys
before = set(sys.modules)
sys.path.append({folder!r})
import SEERSegment
names = {{name.split(".")[0] for name in set(sys.modules) - before}}
print(sorted(names & {{"SEERSegmentLib", "SEERSegmentPanel", "numpy", "scipy", "SimpleITK", "requests", "PIL"}}))
"""

LIGHT_PANEL = """
loaded = load(Path({path!r}))
import sys
print(sorted(name for name in ("scipy", "SimpleITK", "requests", "pydicom", "rapidfuzz", "PIL") if name in sys.modules))
loaded.unload()
"""


def test_start_up_imports_nothing_of_ours(in_new_process: Callable[..., str]) -> None:
    assert in_new_process(LIGHT_START.format(folder=str(MODULE_FOLDER))).strip() == "[]"


def test_opening_the_panel_imports_nothing_heavy(in_new_process: Callable[..., str]) -> None:
    assert in_new_process(LIGHT_PANEL.format(path=str(MODULE_FOLDER / "SEERSegment.py"))).strip() == "[]"


@pytest.mark.parametrize("window", [True, False], ids=["window", "headless"])
def test_slicers_own_test_passes(panel: Callable[[], Panel], slicer: Any, window: bool, monkeypatch: Any) -> None:
    panel()
    if not window:
        monkeypatch.setattr(slicer.util, "mainWindow", lambda *_: None)
    slicer.selfTests["SEERSegment"]()


BLOCKER = """
import sys

class NotInSlicer:
    names = {"rapidfuzz", "rich", "slicerio", "nibabel", "psutil", "pytest", "hypothesis", "PySide6"}

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            raise ImportError(f"{name} is not in Slicer")

sys.meta_path.insert(0, NotInSlicer())
"""


def test_slicers_own_test_passes_with_what_slicer_bundles_alone(
    panel: Callable[[], Panel], slicer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(BLOCKER, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # of the worker: there everything runs
    opened = panel()
    slicer.selfTests["SEERSegment"]()
    opened.find("requestEdit").setPlainText("outline the left lugn")
    opened.settle()
    opened.click("runButton")
    opened.wait_for_phase("done", "awaiting edit")
    said = opened.state.reasoning or opened.state.abstention
    assert any("without rapidfuzz" in line for line in said.rationale), said.rationale


def test_every_module_is_short_and_the_entry_thin() -> None:
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert lengths["SEERSegment.py"] <= 250
    assert {name: length for name, length in lengths.items() if length > 400} == {}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_thread_no_wait_and_no_isinstance_of_a_qt_class(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    imported = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    assert not imported & {"threading", "concurrent", "multiprocessing", "subprocess", "asyncio"}
    assert "waitFor" not in text
    assert not re.search(r"isinstance\([^)]*\b(qt|ctk)\.", text)
    if path.name != "selftest.py":
        assert "time.sleep" not in text


def test_every_widget_that_acts_has_a_name_and_a_tool_tip(panel: Callable[[], Panel]) -> None:
    opened = panel()
    opened.find("settingsSection").setProperty("collapsed", False)
    opened.wait_until(lambda: opened.has("backbone_classical"), 30, "the list of parts")
    opened.settle()
    nameless = []
    for widget in opened.find("panelContents").findChildren(QWidget):
        if widget.metaObject().className() in ("QPushButton", "QToolButton", "QRadioButton", "QCheckBox", "QLineEdit"):
            inside_another = any(
                parent.metaObject().className().startswith(("ctk", "qMRML", "NodeCombo", "Directory", "PathLine"))
                and not parent.objectName().endswith("Section")
                for parent in ancestors(widget)
            ) or "Spin" in (widget.parentWidget().metaObject().className())
            if not inside_another and not widget.objectName():
                nameless.append(widget)
    assert nameless == []


def ancestors(widget: QWidget) -> list[QWidget]:
    found: list[QWidget] = []
    parent = widget.parentWidget()
    while parent is not None:
        found.append(parent)
        parent = parent.parentWidget()
    return found


def whole(panel: Panel, width: int, path: Path) -> None:
    """A picture of the panel as if the screen were tall enough for all of it."""
    for _ in range(2):
        panel.window.resize(width, 900)
        panel.settle()
        contents = panel.find("panelContents")
        panel.window.resize(width, contents.heightForWidth(contents.width()) + 80)
        panel.settle()
    path.parent.mkdir(parents=True, exist_ok=True)
    panel.picture(path)


@pytest.mark.parametrize("width", [420, 560])
def test_no_text_is_cut_at_this_width(panel: Callable[[], Panel], load_volume: Any, width: int, tmp_path: Path) -> None:
    load_volume("ct-chest")
    opened = panel()
    opened.widget.panel.preferences.set("episodeFolder", str(tmp_path))
    opened.type_text("requestEdit", "pls outline both lungs, ?effusion on the rt")
    opened.click("runButton")
    opened.wait_for_phase("done")
    opened.settle()
    opened.click("approveButton")
    opened.wait_until(lambda: opened.state.review.saved, 30, "the episode")
    opened.find("settingsSection").setProperty("collapsed", False)
    opened.wait_until(lambda: opened.has("backbone_classical"), 30, "the list of parts")
    opened.wait_until(lambda: opened.has(f"thumbnail{len(opened.state.views) - 1}"), 10, "all thumbnails")
    whole(opened, width, PICTURES / f"done-{width}.png")
    cut = [
        label.objectName()
        for label in opened.find("panelContents").findChildren(QLabel)
        if label.isVisible() and label.wordWrap() and label.height() < label.heightForWidth(label.width())
    ]
    assert cut == []
    contents = opened.find("panelContents")
    assert contents.width() <= opened.find("panelScrollArea").viewport().width()


def test_pictures_of_what_waits_for_the_user(panel: Callable[[], Panel], load_volume: Any) -> None:
    load_volume("ct-chest")
    opened = panel()
    for name, request, phase in (
        ("abstention", "outline the left or the right lung", "awaiting edit"),
        ("error", "outline the spleen", "failed"),
    ):
        opened.type_text("requestEdit", request)
        opened.click("runButton")
        opened.wait_for_phase(phase)
        opened.settle()
        whole(opened, 480, PICTURES / f"{name}-480.png")
        assert (PICTURES / f"{name}-480.png").stat().st_size > 10_000


def test_colours_follow_a_dark_palette(panel: Callable[[], Panel], load_volume: Any) -> None:
    light = QApplication.palette()
    dark = QPalette(QColor(53, 53, 53))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        dark.setColor(role, QColor(240, 240, 240))
    dark.setColor(QPalette.ColorRole.Base, QColor(36, 36, 36))
    QApplication.setPalette(dark)
    try:
        load_volume("ct-chest")
        opened = panel()
        assert opened.widget.panel.theme.dark
        opened.type_text("requestEdit", "outline both lungs")
        opened.click("runButton")
        opened.wait_for_phase("done")
        opened.settle()
        whole(opened, 480, PICTURES / "dark-480.png")
    finally:
        QApplication.setPalette(light)
