"""Slicer's core is set up once, and who lacks it is told what brings it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from Testing.standin.core import MODULE_LOGICS, application_logic, boot_core


@pytest.mark.parametrize("missing", ["slicer", "trame_slicer"])
def test_without_the_wheel_the_error_names_the_extra(repository: Path, missing: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from Testing.standin.core import boot_core\n"
        "try: boot_core()\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repository)
    assert done.stdout.startswith("MissingExtra")
    assert "slicer-test" in done.stdout


def test_it_is_one_core(slicer: Any) -> None:
    scene = slicer.mrmlScene
    assert boot_core() is slicer
    assert slicer.mrmlScene is scene
    assert application_logic().GetMRMLScene() is scene


def test_logics_of_all_modules_know_the_scene(slicer: Any, scene: Any) -> None:
    for name in MODULE_LOGICS:
        assert getattr(slicer.modules, name).logic().GetMRMLScene() is scene
    with pytest.raises(AttributeError):
        _ = slicer.modules.nonsense


def test_terminologies_are_loaded(slicer: Any) -> None:
    import vtk

    names = vtk.vtkStringArray()
    slicer.modules.terminologies.logic().GetLoadedTerminologyNames(names)
    loaded = [names.GetValue(number) for number in range(names.GetNumberOfValues())]
    assert "Segmentation category and type - 3D Slicer General Anatomy list" in loaded


def test_clearing_leaves_the_singletons(slicer: Any, scene: Any) -> None:
    nodes = {scene.GetNthNode(number).GetID() for number in range(scene.GetNumberOfNodes())}
    hierarchy = scene.GetSubjectHierarchyNode()
    assert hierarchy is not None
    assert hierarchy.GetNumberOfItems() == 0
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    assert scene.GetSubjectHierarchyNode().GetNumberOfItems() == 1
    scene.Clear(False)
    assert {scene.GetNthNode(number).GetID() for number in range(scene.GetNumberOfNodes())} == nodes
    assert scene.GetSubjectHierarchyNode().GetNumberOfItems() == 0
    assert scene.GetNodeByID("vtkMRMLColorTableNodeIron") is not None
