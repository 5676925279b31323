"""A window like Slicer's: the module panel on the left, four views on the right, messages below."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QScrollArea, QSplitter, QVBoxLayout, QWidget

from .boot import boot
from .dialogs import dialogs
from .driving import Driver, wait_until
from .footprint import marked_processes
from .module_loader import load
from .pythonqt import slot_errors, unwrap

__all__ = ["Window"]

_ENDS = ("done", "awaiting edit", "awaiting consent", "failed", "cancelled")


class Window:
    """The stand-in application with the module of a file opened in it."""

    def __init__(self, module: Path, display: bool) -> None:
        self.slicer = boot(display=display)
        dialogs.interactive = display
        self.loaded = load(module, show=False)
        manager = unwrap(self.slicer.app.layoutManager())
        self.views = manager.viewport()
        self.main = QMainWindow()
        self.main.setObjectName("qSlicerMainWindow")
        self.main.setWindowTitle("3D Slicer stand-in: SEER Segment")
        title = QLabel(f"  Module:  <b>{self.loaded.handle.title}</b>")
        title.setFixedHeight(30)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setWidget(self.loaded.native)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(title)
        column.addWidget(self.area, 1)
        splitter = QSplitter()
        splitter.addWidget(left)
        splitter.addWidget(self.views)
        splitter.setSizes([500, 1000])
        splitter.setStretchFactor(1, 1)
        self.main.setCentralWidget(splitter)
        self.main.resize(1500, 950)
        self.main.statusBar().showMessage("Research use only. Not for clinical decisions.")
        self.main.show()
        self.main.activateWindow()
        unwrap(self.slicer.app).startupCompleted.emit()
        self.slicer.util.selectModule(self.loaded.name)
        self.driver = Driver(self.loaded.native)

    @property
    def state(self) -> Any:
        """What the panel shows."""
        return self.loaded.widget.panel.presenter.state

    def open_volume(self, path: Path) -> None:
        """Load a volume and show it with a window for soft tissue."""
        node = self.slicer.util.loadVolume(str(path))
        node.GetDisplayNode().AutoWindowLevelOff()
        node.GetDisplayNode().SetWindowLevel(400, 40)
        self.driver.settle()
        self.slicer.util.resetSliceViews()

    def run(self) -> int:
        """Let a person work until the window is closed."""
        beat = QTimer()
        beat.timeout.connect(self._show_messages)
        beat.start(500)
        code = QApplication.exec()
        self.close()
        return code

    def _show_messages(self) -> None:
        told = dialogs.texts("status")
        if told:
            self.main.statusBar().showMessage(told[-1])

    def run_request(self, request: str, seconds: float = 600.0) -> str:
        """Type the request, press Run and wait for the end; the phase it ended in."""
        self.driver.type_text("requestEdit", request)
        self.driver.click("runButton")
        panel = self.loaded.widget.panel
        wait_until(
            lambda: panel.presenter.state.phase.value in _ENDS and panel.up_to_date, seconds, "the end of the run"
        )
        self.driver.settle()
        return str(panel.presenter.state.phase.value)

    def show_result(self) -> None:
        """Make surfaces of the result and jump to the middle of its first segment."""
        scene = self.slicer.mrmlScene
        node = scene.GetFirstNodeByClass("vtkMRMLSegmentationNode")
        if node is None or node.GetSegmentation().GetNumberOfSegments() == 0:
            return
        node.CreateClosedSurfaceRepresentation()
        centre = node.GetSegmentCenterRAS(node.GetSegmentation().GetNthSegmentID(0))
        if centre:
            self.slicer.vtkMRMLSliceNode.JumpAllSlices(scene, *centre, self.slicer.vtkMRMLSliceNode.OffsetJumpSlice)
        self.driver.settle()

    def picture(self, path: Path) -> Path:
        """The whole window."""
        return self._grab(self.main, path)

    def views_picture(self, path: Path) -> Path:
        """The four views."""
        return self._grab(self.views, path)

    def panel_picture(self, path: Path) -> Path:
        """The panel in its full length, as if the screen were that high."""
        size = self.main.size()
        inner = self.loaded.native.findChildren(QScrollArea)
        heights = [each.widget().sizeHint().height() for each in inner if each.widget() is not None]
        self.main.resize(size.width(), min(4000, max(heights, default=900) + 160))
        self.driver.settle()
        self._grab(self.loaded.native, path)
        self.main.resize(size)
        self.driver.settle()
        return path

    def _grab(self, widget: QWidget, path: Path) -> Path:
        self.driver.settle()
        if not widget.grab().save(str(path)):
            raise OSError(f"The picture can't be written: {path}")
        return path

    def close(self) -> list[BaseException]:
        """End as the application does; what slots raised meanwhile."""
        self.area.takeWidget()
        self.loaded.unload()
        self.main.close()
        with contextlib.suppress(ImportError, AssertionError):  # without psutil the worker ends after this process
            wait_until(lambda: not marked_processes(), 5, "the worker's end")
        self.driver.settle()  # Qt hears of the end
        return list(slot_errors)
