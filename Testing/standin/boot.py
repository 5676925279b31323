"""The application for the tests: Slicer's real core, and a stand-in for everything that is Qt, put where imports look.

``boot()`` gives the ``slicer`` package and leaves ``qt``, ``ctk``, ``slicer.i18n``, ``slicer.ScriptedLoadableModule``,
``slicer.packaging`` and ``SampleData`` in ``sys.modules``. Once in a process.
"""

from __future__ import annotations

import atexit
import os
import re
import stat
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QApplication

from . import application, layout, modules, packaging_module, sampledata, scripted, util, viewers
from .core import application_logic, boot_core
from .fonts import ensure_fonts, offscreen_application
from .footprint import MARK
from .io_manager import CoreIOManager
from .module_loader import ModuleWidgetRepresentation, ScriptedModule
from .qmrml_combo import NodeComboBox
from .qmrml_editor import SegmentEditorWidget
from .qmrml_segments import SegmentationShow3DButton, SegmentsTableView
from .qmrml_selectors import SegmentSelectorWidget, SubjectHierarchyTreeView
from .qmrml_widget import MRMLWidget
from .surface import surface

__all__ = ["boot"]

#: The Slicer that was recorded; what it has and 5.10 hasn't is hidden by ``boot(version="5.10")``.
NEWEST = (5, 13)

WIDGETS = {
    "qMRMLNodeComboBox": NodeComboBox,
    "qMRMLSegmentEditorWidget": SegmentEditorWidget,
    "qMRMLSegmentSelectorWidget": SegmentSelectorWidget,
    "qMRMLSegmentationShow3DButton": SegmentationShow3DButton,
    "qMRMLSegmentsTableView": SegmentsTableView,
    "qMRMLSliceWidget": viewers.SliceWidget,
    "qMRMLSubjectHierarchyTreeView": SubjectHierarchyTreeView,
    "qMRMLThreeDWidget": viewers.ThreeDWidget,
    "qMRMLWidget": MRMLWidget,
}

OBJECTS = {
    "slicer.app": application.Application,
    "slicer.app.commandOptions()": application.CommandOptions,
    "slicer.app.coreIOManager()": CoreIOManager,
    "slicer.app.layoutManager()": layout.LayoutManager,
    "slicer.app.moduleManager()": modules.ModuleManager,
}

_booted: dict[str, Any] = {}


def boot(version: str = "", display: bool = False) -> Any:
    """The ``slicer`` package, ready for a scripted module.

    Parameters
    ----------
    version : str
        ``"5.10"`` hides what is newer; empty is the recorded application.
    display : bool
        Use the machine's display; otherwise everything is drawn off screen.

    Raises
    ------
    RuntimeError
        Booted before, as another version.
    MissingExtra
        Naming ``slicer-test``, when the wheels with Slicer's core are not installed.
    """
    found = re.fullmatch(r"(\d+)\.(\d+)", version) if version else None
    number = (int(found.group(1)), int(found.group(2))) if found else NEWEST
    if "slicer" in _booted:
        if _booted["number"] != number:
            raise RuntimeError("The stand-in is one application: it has booted as another version already.")
        return _booted["slicer"]
    os.environ[MARK] = str(os.getpid())
    _booted["qt"] = _qt_application(display)
    slicer = boot_core()
    _install_qt(slicer)
    _install_application(slicer, number)
    _install_modules(slicer, number)
    _put_launcher_on_path()
    _booted["slicer"], _booted["number"] = slicer, number
    return slicer


def _qt_application(display: bool) -> Any:
    if not display:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        return offscreen_application()
    application = QApplication.instance() or QApplication(["Slicer"])
    assert isinstance(application, QApplication)
    ensure_fonts(application)
    return application


def _install_qt(slicer: Any) -> None:
    """``qt``, ``ctk``, and Slicer's own widgets under ``slicer``."""
    from . import ctkmodule, pythonqt, qtmodule

    qtmodule.install()
    ctkmodule.install()
    for name, native in {**WIDGETS, **OBJECTS}.items():
        pythonqt.register_class(name, native)

    def find(name: str) -> Any:
        if name.startswith("q") and name in surface().names("slicer"):
            return pythonqt.proxy_class(name)
        raise AttributeError(f"module 'slicer' has no attribute '{name}'")

    slicer.__getattr__ = find
    slicer.qSlicerScriptedLoadableModule = ScriptedModule
    slicer.qSlicerScriptedLoadableModuleWidget = ModuleWidgetRepresentation


def _install_application(slicer: Any, number: tuple[int, int]) -> None:
    """``slicer.app`` and ``slicer.util``."""
    from . import pythonqt

    native = application.Application(slicer.mrmlScene, application_logic(), number)
    _booted["application"] = native
    slicer.app = pythonqt.wrap_as("slicer.app", native)
    atexit.register(native.remove_files)
    slicer.modules = modules.Modules(surface().names("slicer.modules"), slicer.modules)
    import slicer.util

    util.replace(sys.modules["slicer.util"], lambda: native.testing)


def _install_modules(slicer: Any, number: tuple[int, int]) -> None:
    """What a scripted module imports."""
    i18n = types.ModuleType("slicer.i18n")
    i18n.tr = lambda text: text  # type: ignore[attr-defined]
    i18n.translate = lambda context, text: text  # type: ignore[attr-defined]
    base = types.ModuleType("slicer.ScriptedLoadableModule")
    base.__all__ = list(scripted.__all__)  # type: ignore[attr-defined]
    for name in scripted.__all__:
        setattr(base, name, getattr(scripted, name))
    made = {"i18n": i18n, "ScriptedLoadableModule": base}
    if number >= (5, 12):
        made["packaging"] = packaging_module.make()
    for name, module in made.items():
        sys.modules[f"slicer.{name}"] = module
        setattr(slicer, name, module)
    sys.modules["SampleData"] = sampledata.make(number > (5, 10))


def _put_launcher_on_path() -> None:
    """A ``PythonSlicer`` that, as Slicer's, is a launcher: the interpreter is its child."""
    if os.name == "nt":
        return
    folder = tempfile.TemporaryDirectory(prefix="seer-launcher-")
    atexit.register(folder.cleanup)
    launcher = Path(folder.name) / "PythonSlicer"
    launcher.write_text(f'#!/bin/sh\n"{sys.executable}" "$@"\nexit $?\n', encoding="utf-8")
    launcher.chmod(launcher.stat().st_mode | stat.S_IXUSR)
    os.environ["PATH"] = f"{folder.name}{os.pathsep}{os.environ.get('PATH', '')}"
