"""The shipped module on the stand-in: both layouts on disk, and nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt

from .conftest import ROOT, Panel

IN_BOTH_LAYOUTS = """
from Testing.standin.driving import Driver
loaded = load(Path({path!r}))
import SEERSegmentLib, SEERSegmentPanel
print(Path(SEERSegmentLib.__file__).resolve().parents[1])
print(Path(SEERSegmentPanel.__file__).resolve().parents[1])
print(loaded.handle.title, loaded.handle.icon is not None)
Driver(loaded.native).find("runButton")
loaded.unload()
"""


def test_module_finds_its_library_in_both_layouts(module_file: Path, in_new_process: Callable[..., str]) -> None:
    library, package, shown = in_new_process(IN_BOTH_LAYOUTS.format(path=str(module_file))).splitlines()
    checkout = module_file.parent == ROOT / "SEERSegment"
    assert Path(library) == (ROOT if checkout else module_file.parent)
    assert Path(package) == module_file.parent
    assert shown == "SEER Segment True"


def test_module_opens_on_slicer_5_10(module_file: Path, in_new_process: Callable[..., str]) -> None:
    code = IN_BOTH_LAYOUTS.format(path=str(module_file))
    assert in_new_process(code, version="5.10").splitlines()[2] == "SEER Segment True"


def test_opening_starts_nothing_and_closing_leaves_nothing(panel: Callable[[], Panel], slicer: Any) -> None:
    from Testing.standin import footprint

    before = footprint.take(slicer)
    opened = panel()
    now = footprint.take(slicer)
    assert now.threads == before.threads
    assert now.processes == before.processes
    assert opened.has("runButton")


def test_a_run_by_keyboard_ends_in_a_segmentation(
    panel: Callable[[], Panel], load_volume: Callable[[str], Any], slicer: Any
) -> None:
    load_volume("ct-chest")
    opened = panel()
    opened.type_text("requestEdit", "outline both lungs")
    opened.press("requestEdit", Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    opened.wait_for_phase("done")
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSegmentationNode")
    assert node.GetSegmentation().GetNumberOfSegments() == 2


def test_switching_modules_and_quitting(panel: Callable[[], Panel], slicer: Any) -> None:
    opened = panel()
    slicer.util.selectModule("Data")
    slicer.util.selectModule("SEERSegment")
    assert opened.has("runButton")
    opened.quit_application()


def test_reloading_makes_a_new_panel(in_new_process: Callable[..., str]) -> None:
    """In a process of its own, since a reload makes new classes under the old names."""
    code = f"""
from PySide6.QtWidgets import QWidget
loaded = load(Path({str(ROOT / "SEERSegment" / "SEERSegment.py")!r}))
loaded.widget.onReload()
print(loaded.handle.widget is not loaded.widget)
# As in Slicer, the old panel stays, hidden, in the module's widget.
print([each.isHidden() for each in loaded.native.findChildren(QWidget, "SEERSegment")])
loaded.unload()
"""
    assert in_new_process(code).splitlines() == ["True", "[True, False]"]


def test_slicers_own_runner_runs_the_modules_test(module_file: Path, in_new_process: Callable[..., str]) -> None:
    code = f"""
loaded = load(Path({str(module_file)!r}))
slicer.selfTests["SEERSegment"]()
from Testing.standin.pythonqt import slot_errors
print("slots that raised:", len(slot_errors))
loaded.unload()
"""
    assert in_new_process(code).splitlines()[-1] == "slots that raised: 0"


def test_the_demo_writes_its_pictures(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "Testing" / "standin" / "run_panel.py"), "--offscreen", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["1-opened.png", "2-result.png", "3-panel.png", "4-views.png"]
    assert all((tmp_path / name).stat().st_size > 10_000 for name in names)


def test_the_demo_says_when_the_module_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from Testing.standin import run_panel

    monkeypatch.setattr(run_panel, "MODULE", tmp_path / "SEERSegment.py")
    assert run_panel.main([]) == 2
    assert "is missing" in capsys.readouterr().err
