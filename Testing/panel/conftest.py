"""Fixtures for the panel: the application once, an empty scene for each test, and the module as Slicer loads it.

``panel()`` loads ``SEERSegment.py`` and gives a :class:`Panel`, which is driven by widget names. When the test is over
the module is unloaded and must have left nothing behind.
"""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6", reason="needs the extra slicer-test")
pytest.importorskip("trame_slicer", reason="needs the extra slicer-test")

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QMainWindow, QScrollArea

from Testing.standin import footprint
from Testing.standin.boot import boot
from Testing.standin.core import take_messages
from Testing.standin.dialogs import Dialogs
from Testing.standin.dialogs import dialogs as the_dialogs
from Testing.standin.driving import Driver, wait_until
from Testing.standin.pythonqt import failed_connections, slot_errors, unwrap

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "SEERSegment" / "SEERSegment.py"


class Panel(Driver):
    """The opened module, in a window as wide as Slicer's module panel.

    Attributes
    ----------
    loaded : LoadedModule
        ``loaded.widget`` is the ``SEERSegmentWidget``, ``loaded.module`` the ``SEERSegment``.
    window : QMainWindow
        What is on the (virtual) screen.
    """

    def __init__(self, loaded: Any) -> None:
        super().__init__(loaded.native)
        self.loaded = loaded
        self.window = QMainWindow()
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(loaded.native)
        self.window.setCentralWidget(area)
        self.window.resize(520, 1100)
        self.window.show()
        self.window.activateWindow()
        self.settle()

    @property
    def widget(self) -> Any:
        """The module's widget object."""
        return self.loaded.widget

    @property
    def presenter(self) -> Any:
        """The state machine behind the panel."""
        return self.loaded.widget.panel.presenter

    @property
    def state(self) -> Any:
        """What the panel shows."""
        return self.presenter.state

    def settle(self) -> None:
        """Let everything happen that is due now, until the panel shows it."""
        super().settle()
        panel = self.widget.panel
        if panel is not None:
            wait_until(lambda: panel.up_to_date, what="the panel shows its state")

    def select_node(self, name: str, node: Any) -> None:
        """Choose a node, or none, in a node selector."""
        self.find(name).setCurrentNode(node)

    def wait_for_phase(self, *phases: str, seconds: float = 60.0) -> None:
        """Let the event loop run until the run is in one of these phases, and the panel shows it."""
        shown = self.widget.panel
        wait_until(
            lambda: self.state.phase.value in phases and shown.up_to_date, seconds, f"{phases}, but {self.state.phase}"
        )

    def quit_application(self) -> None:
        """The user quits: the application says so before it ends."""
        import slicer

        unwrap(slicer.app).aboutToQuit.emit()

    def close(self) -> None:
        """Unload the module and close the window."""
        area = self.window.centralWidget()
        assert isinstance(area, QScrollArea)
        area.takeWidget()
        self.loaded.unload()
        self.window.close()
        self.window.deleteLater()
        self.settle()


@pytest.fixture(scope="session")
def slicer() -> Any:
    """The ``slicer`` package of the stand-in application."""
    return boot()


@pytest.fixture(autouse=True)
def fresh(slicer: Any) -> Iterator[None]:
    """An empty scene, empty settings, no messages.

    Afterwards no slot has raised, no connection failed, and neither VTK nor MRML has complained.
    """
    _reset(slicer)
    yield
    errors, unknown = list(slot_errors), list(failed_connections)
    # VTK tries a display first where a 3D view is drawn, and says so.
    complaints = [text for text in take_messages() if "OpenGLRenderWindow" not in text]
    _reset(slicer)
    assert not errors, f"slots raised: {errors!r}"
    assert not unknown, f"signals that don't exist: {unknown}"
    assert not complaints


def _reset(slicer: Any) -> None:
    slicer.mrmlScene.Clear(False)
    for node in _script_nodes(slicer):
        slicer.mrmlScene.RemoveNode(node)
    QSettings().clear()
    the_dialogs.clear()
    slot_errors.clear()
    failed_connections.clear()
    unwrap(slicer.app).testing = False
    take_messages()


def _script_nodes(slicer: Any) -> list[Any]:
    """Parameter nodes are singletons and stay when a scene is closed."""
    count = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScriptedModuleNode")
    return [slicer.mrmlScene.GetNthNodeByClass(index, "vtkMRMLScriptedModuleNode") for index in range(count)]


@pytest.fixture
def dialogs() -> Dialogs:
    """What was told and asked; put the user's answers into ``dialogs.answers``."""
    return the_dialogs


@pytest.fixture
def panel(slicer: Any) -> Iterator[Callable[[], Panel]]:
    """``panel()`` opens the module; at the end threads, nodes, observers and processes are as they were before."""
    from Testing.standin.module_loader import load

    before = footprint.take(slicer)
    opened: list[Panel] = []

    def open_panel() -> Panel:
        opened.append(Panel(load(MODULE)))
        return opened[-1]

    yield open_panel
    widgets = [weakref.ref(each.widget) for each in opened]
    for each in opened:
        each.close()
    opened.clear()
    del each
    slicer.mrmlScene.Clear(False)
    for node in _script_nodes(slicer):
        slicer.mrmlScene.RemoveNode(node)
    gc.collect()
    assert [widget() for widget in widgets] == [None] * len(widgets), "something still refers to the module's widget"
    wait_until(lambda: footprint.marked_processes() == before.processes, 10, "processes that go on")
    after = footprint.take(slicer)
    assert after.threads == before.threads
    assert after.nodes == before.nodes
    assert set(after.observers) == set(before.observers)


@pytest.fixture
def load_volume(slicer: Any, sample: Callable[..., Path]) -> Callable[[str], Any]:
    """``load_volume("ct-chest")`` is the volume node of a sample, shown and active as after loading it in Slicer."""
    return lambda name: slicer.util.loadVolume(str(sample(name)))


@pytest.fixture(params=["checkout", "installed"])
def module_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """``SEERSegment.py`` in a checkout, and in the one folder where Slicer installs scripted modules."""
    if request.param == "checkout":
        return MODULE
    folder = tmp_path / "qt-scripted-modules"
    folder.mkdir()
    shutil.copy(MODULE, folder)
    ignored = shutil.ignore_patterns("__pycache__")
    for source in (MODULE.parent / "SEERSegmentPanel", MODULE.parent / "Resources", ROOT / "SEERSegmentLib"):
        shutil.copytree(source, folder / source.name, ignore=ignored)
    return folder / MODULE.name


_PREAMBLE = """
import sys
sys.path.insert(0, {root!r})
from Testing.standin.boot import boot
from Testing.standin.core import take_messages
slicer = boot({version!r})
sys.path[:] = [each for each in sys.path if each not in ("", {root!r})]
for name in [name for name in sys.modules if name.split(".")[0] == "SEERSegmentLib"]:
    del sys.modules[name]
from pathlib import Path
from Testing.standin.module_loader import load
"""


@pytest.fixture
def in_new_process(tmp_path: Path) -> Callable[..., str]:
    """``in_new_process(code, version="5.10")`` runs code in a fresh application and gives what it printed.

    ``slicer`` and ``load(path)`` are there; the repository's root is not on ``sys.path``.
    """

    def run(code: str, version: str = "") -> str:
        script = tmp_path / "script.py"
        script.write_text(_PREAMBLE.format(root=str(ROOT), version=version) + code, encoding="utf-8")
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        done = subprocess.run(
            [sys.executable, str(script)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
