"""The stand-in application: what Slicer has is there, what it hasn't is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Property, QSettings, Signal

from Testing.standin.dialogs import Dialogs
from Testing.standin.driving import Driver, wait_until
from Testing.standin.pythonqt import failed_connections, slot_errors, unwrap
from Testing.standin.surface import surface


def test_widgets_and_objects_have_no_property_or_signal_of_their_own_invention(slicer: Any) -> None:
    from Testing.standin.boot import OBJECTS, WIDGETS

    for name, native in {**WIDGETS, **OBJECTS}.items():
        record = surface().record(name)
        for cls in native.__mro__:
            for member, value in vars(cls).items() if cls.__module__.startswith("Testing") else ():
                if isinstance(value, Property):
                    assert member in record.properties, f"{name}.{member}"
                if isinstance(value, Signal):
                    assert record.signals_named(member), f"{name}.{member}"


def test_every_widget_can_be_made(slicer: Any) -> None:
    from Testing.standin.boot import WIDGETS

    for name in WIDGETS.keys() - {"qMRMLSliceWidget", "qMRMLThreeDWidget"}:  # those are the layout manager's
        assert type(unwrap(getattr(slicer, name)())) is WIDGETS[name]


def test_unknown_names_are_refused(slicer: Any) -> None:
    for owner, name in (
        (slicer.util, "loadMyVolume"),
        (slicer.app, "mainWindow"),
        (slicer.modules, "totalsegmentator"),
        (slicer, "qMRMLNoSuchWidget"),
        (slicer.app.layoutManager(), "jumpTo"),
    ):
        with pytest.raises(AttributeError):
            getattr(owner, name)


def test_module_names_and_logics_are_slicers(slicer: Any) -> None:
    assert slicer.modules.segmentations.logic().GetClassName() == "vtkSlicerSegmentationsModuleLogic"
    assert slicer.modules.segmenteditor.name == "segmenteditor"


def test_settings_live_in_a_file_of_this_process(slicer: Any) -> None:
    import qt

    qt.QSettings().setValue("SEERSegment/overlap", "keep")
    assert slicer.app.userSettings().value("SEERSegment/overlap") == "keep"
    assert slicer.util.settingsValue("SEERSegment/overlap", "") == "keep"
    assert Path(QSettings().fileName()).is_relative_to(Path(slicer.app.slicerHome))


def test_messages_are_kept_and_nobody_waits(slicer: Any, dialogs: Dialogs) -> None:
    slicer.util.errorDisplay("It broke", detailedText="line 3")
    slicer.util.delayDisplay("Now", 60_000)
    assert [(each.kind, each.text, each.detail) for each in dialogs.shown] == [
        ("error", "It broke", "line 3"),
        ("delay", "Now", ""),
    ]
    dialogs.answers[:] = [False, True]
    assert slicer.util.confirmOkCancelDisplay("Install?") is False
    assert slicer.util.confirmYesNoDisplay("Install?") is True
    with pytest.raises(RuntimeError, match="does not answer"):
        slicer.util.confirmYesNoDisplay("And now?")


def test_testing_mode_answers_yes_as_slicer_does(slicer: Any) -> None:
    unwrap(slicer.app).testing = True
    assert slicer.app.testingEnabled() is True
    assert slicer.util.confirmOkCancelDisplay("Install?") is True


def test_pip_install_installs_nothing(slicer: Any, dialogs: Dialogs) -> None:
    slicer.util.pip_install("rapidfuzz rich")
    slicer.packaging.pip_install(["rich>=13"])
    assert dialogs.installed == ["rapidfuzz rich", "rich>=13"]


def test_the_python_launcher_starts_the_interpreter_as_its_child(slicer: Any) -> None:
    import subprocess

    launcher = shutil.which("PythonSlicer")
    assert launcher is not None
    code = "import os, sys; print(os.getppid())"
    process = subprocess.Popen([launcher, "-c", code], stdout=subprocess.PIPE, text=True)
    said, _ = process.communicate(timeout=60)
    assert int(said) == process.pid


def test_select_module_enters_and_leaves(slicer: Any) -> None:
    from Testing.standin.module_loader import ScriptedModule

    calls: list[str] = []

    class Widget:
        def enter(self) -> None:
            calls.append("enter")

        def exit(self) -> None:
            calls.append("exit")

    handle = ScriptedModule("Probe", "/probe.py")
    handle.__dict__["widget"] = Widget()
    manager = unwrap(slicer.app.moduleManager())
    manager.add("Probe", handle)
    slicer.util.selectModule("Probe")
    slicer.util.selectModule("Probe")
    slicer.util.selectModule("Data")
    manager.remove("Probe")
    assert calls == ["enter", "exit"]


def test_module_object_takes_its_own_fields_only() -> None:
    from Testing.standin.module_loader import ScriptedModule

    handle = ScriptedModule("Probe", "/probe.py")
    handle.title = "Probe"
    with pytest.raises(AttributeError):
        handle.titel = "Probe"
    with pytest.raises(TypeError):
        handle.categories = "Segmentation"


def test_a_signal_that_does_not_exist_connects_silently_and_is_noted(slicer: Any) -> None:
    assert slicer.app.connect("aboutToQuitt()", lambda: None) is False
    assert failed_connections
    failed_connections.clear()


def test_sample_data_sources_are_registered(slicer: Any) -> None:
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="Probe", sampleName="P", uris="probe:1", fileNames="p.nrrd", nodeNames="P", customDownloader=len
    )
    source = SampleData.SampleDataLogic().sourceForSampleName("P")
    assert source.uris == ["probe:1"]
    slicer.modules.sampleDataSources.pop("Probe")


def test_slicer_5_10_lacks_what_came_later(in_new_process: Callable[..., str]) -> None:
    code = """
import SampleData
print(hasattr(slicer, "packaging"), hasattr(SampleData.SampleDataLogic, "registerCustomSampleDataCategory"))
print(slicer.app.majorVersion, slicer.app.minorVersion)
"""
    assert in_new_process(code, version="5.10").split() == ["False", "False", "5", "10"]
    assert in_new_process(code).split() == ["True", "True", "5", "13"]


def test_parameter_node_is_one_for_the_scene(slicer: Any) -> None:
    from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

    class ProbeLogic(ScriptedLoadableModuleLogic):
        pass

    node = ProbeLogic().getParameterNode()
    assert ProbeLogic().getParameterNode() is node
    assert node.GetAttribute("ModuleName") == "Probe"


def test_scene_and_segmentation_come_back_from_files(slicer: Any, tmp_path: Path) -> None:
    volume = slicer.util.addVolumeFromArray(np.zeros((6, 5, 4), dtype=np.int16), name="CT")
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "result")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    node.GetSegmentation().AddEmptySegment("liver", "liver")
    mask = np.zeros((6, 5, 4), dtype=np.uint8)
    mask[2:4, 1:3, 1:3] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, "liver", volume)
    assert slicer.util.saveNode(node, str(tmp_path / "result.seg.nrrd"))
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    restored = slicer.util.getNode("result")
    assert (slicer.util.arrayFromSegmentBinaryLabelmap(restored, "liver", slicer.util.getNode("CT")) == mask).all()
    loaded = slicer.util.loadSegmentation(str(tmp_path / "result.seg.nrrd"))
    assert loaded.GetSegmentation().GetSegment("liver") is not None
    with pytest.raises(RuntimeError):
        slicer.util.loadVolume(str(tmp_path / "nothing.nrrd"))


def test_a_person_cannot_click_what_is_hidden_or_greyed(slicer: Any) -> None:
    import qt

    root, clicks = qt.QWidget(), []
    button = qt.QPushButton("Go", root)
    button.setObjectName("goButton")
    button.connect("clicked()", lambda: clicks.append(1))
    driver = Driver(unwrap(root))
    with pytest.raises(AssertionError, match="seen"):
        driver.click("goButton")
    root.show()
    driver.click("goButton")
    button.setEnabled(False)
    with pytest.raises(AssertionError, match="greyed"):
        driver.click("goButton")
    with pytest.raises(LookupError):
        driver.click("stopButton")
    assert clicks == [1]


def test_waiting_ends_at_an_error_in_a_slot_and_at_its_time(slicer: Any) -> None:
    import qt

    with pytest.raises(AssertionError, match="Not within"):
        wait_until(lambda: False, 0.05, "never")
    qt.QTimer.singleShot(0, lambda: [][0])
    with pytest.raises(AssertionError, match="A slot raised"):
        wait_until(lambda: False, 20)
    slot_errors.clear()
