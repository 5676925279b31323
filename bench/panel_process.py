"""One measurement of the panel, in a process of its own: prints a line of JSON. ``bench_panel`` starts it and explains.

``python -m bench.panel_process open``, or ``run``, ``cancel`` or ``calls`` with ``sample`` or ``large``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
MODULE = ROOT / "SEERSegment" / "SEERSegment.py"

LARGE = (300, 512, 512)
SAMPLE = "ct-chest"
REQUEST = "outline both lungs and all of the bones"

#: Between two beats of an idle thread.
BEAT_MS = 5

#: What a cancel is measured in, with the phase and how long it has gone on then.
CANCELS = (("copying", "preparing", 0.0), ("reasoning", "reasoning", 0.2), ("segmenting", "segmenting", 0.1))

#: A time, and the thread's own CPU time then, in seconds.
Moment = tuple[float, float]
Span = tuple[Moment, Moment]


def now() -> Moment:
    """This moment."""
    return time.perf_counter(), time.thread_time()


def timed(function: Callable[..., Any], spans: list[Span]) -> Callable[..., Any]:
    """The function, noting when it began and ended."""

    def call(*arguments: Any) -> Any:
        start = now()
        try:
            return function(*arguments)
        finally:
            spans.append((start, now()))

    return call


class Heartbeat:
    """A timer of the Qt thread that notes when it came."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.beats: list[Moment] = []
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(lambda: self.beats.append(now()))
        self._timer.start(BEAT_MS)

    def stop(self) -> None:
        """No further beat."""
        self._timer.stop()

    def longest(self, begin: Moment, end: Moment, apart: Iterable[Span]) -> dict[str, float]:
        """The longest gap that reaches into ``begin`` … ``end``, less what of it lies in the spans ``apart``.

        Returns
        -------
        dict
            ``wall`` and ``cpu`` in ms, and ``at``, ms after ``begin``.
        """
        found = {"wall": 0.0, "cpu": 0.0, "at": 0.0}
        for first, second in zip(self.beats, self.beats[1:], strict=False):
            if second[0] < begin[0] or first[0] > end[0]:
                continue
            wall, cpu = _less(first, second, apart)
            if wall > found["wall"]:
                found = {"wall": wall, "cpu": cpu, "at": 1000 * (first[0] - begin[0])}
        return found


def _less(start: Moment, end: Moment, apart: Iterable[Span]) -> tuple[float, float]:
    """Wall and CPU time between two moments without the spans that lie there, in ms."""
    within = [(a, b) for a, b in apart if start[0] <= a[0] and b[0] <= end[0]]
    wall, cpu = (1000 * (end[n] - start[n] - sum(b[n] - a[n] for a, b in within)) for n in (0, 1))
    return wall, cpu


class Calls:
    """Own CPU time of each call of SEER's functions: with what it spends in Qt and libraries, not in each other."""

    def __init__(self) -> None:
        self.longest: dict[CodeType, float] = {}
        self.count: dict[CodeType, int] = {}
        self._stack: list[tuple[CodeType, float, list[float]]] = []
        self._ours: dict[str, bool] = {}

    def __enter__(self) -> Calls:
        sys.setprofile(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _event(self, frame: FrameType, event: str, _argument: object) -> None:
        if event not in ("call", "return"):
            return
        code = frame.f_code
        ours = self._ours.get(code.co_filename)
        if ours is None:
            path = Path(code.co_filename)
            ours = any(path.is_relative_to(ROOT / name) for name in ("SEERSegment", "SEERSegmentLib"))
            self._ours[code.co_filename] = ours
        if not ours and code is not _TIMED:
            return
        if event == "call":
            self._stack.append((code, time.thread_time(), [0.0]))
        elif self._stack and self._stack[-1][0] is code:
            _, start, within = self._stack.pop()
            whole = time.thread_time() - start
            own = whole - within[0]
            self.longest[code] = max(own, self.longest.get(code, 0.0))
            self.count[code] = self.count.get(code, 0) + 1
            if self._stack:
                self._stack[-1][2][0] += whole

    def slowest(self, count: int) -> list[tuple[str, float, int]]:
        """The functions with the longest single calls: name, ms of that call, and number of calls."""
        self.longest.pop(_TIMED, None)
        order = sorted(self.longest, key=lambda code: -self.longest[code])[:count]
        return [(_name(code), 1000 * self.longest[code], self.count[code]) for code in order]


#: Its calls take their time out of the calls they lie in.
_TIMED = timed(len, []).__code__


def _name(code: CodeType) -> str:
    path = Path(code.co_filename)
    return f"{path.parent.name}/{path.stem}: {getattr(code, 'co_qualname', code.co_name)}"


def booted(harness: list[Span]) -> Any:
    """The application, with nothing of the library imported that booting it needed.

    ``harness`` gets the spans in which the stand-in reads PySide6's signatures and enums, when a class or a member is
    used for the first time: PythonQt has no such thing, and it takes longer than most of what is measured.
    """
    from Testing.standin import pythonqt, values
    from Testing.standin.boot import boot

    values.get_signature = timed(values.get_signature, harness)
    pythonqt.enum_members = timed(pythonqt.enum_members, harness)
    slicer = boot()
    sys.path[:] = [each for each in sys.path if each and Path(each).resolve() != ROOT]
    for name in [name for name in sys.modules if name.split(".")[0] == "SEERSegmentLib"]:
        del sys.modules[name]
    return slicer


def open_panel() -> tuple[Any, Span]:
    """Load the module into a window that is on the screen; the module, and from when until it was painted."""
    from PySide6.QtCore import QCoreApplication, QEvent, QObject
    from PySide6.QtWidgets import QMainWindow, QScrollArea

    from Testing.standin.module_loader import load

    class Paints(QObject):
        seen = False

        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - the name is Qt's
            self.seen = self.seen or event.type() == QEvent.Type.Paint
            return False

    window, area, paints = QMainWindow(), QScrollArea(), Paints()
    area.setWidgetResizable(True)
    window.setCentralWidget(area)
    window.resize(520, 1100)
    window.show()
    window.activateWindow()
    QCoreApplication.processEvents()
    start = now()
    loaded = load(MODULE)
    loaded.native.installEventFilter(paints)
    area.setWidget(loaded.native)
    while not paints.seen:
        QCoreApplication.processEvents()
    end = now()
    loaded.window = window  # kept as long as the module
    return loaded, (start, end)


def add_volume(slicer: Any, which: str) -> None:
    """The CT of the measurement, active as after loading it."""
    if which == "sample":
        from SEERSegmentLib.imaging.samples import fetch_sample

        slicer.util.loadVolume(str(fetch_sample(SAMPLE)))
        return
    from SEERSegmentLib.imaging.phantom import chest_phantom

    small, _ = chest_phantom(2.5)
    index = np.ix_(*(np.arange(n) * m // n for n, m in zip(LARGE, small.shape, strict=True)))
    spacing = [m / n for n, m in zip(LARGE[::-1], small.shape[::-1], strict=True)]
    affine = small.affine @ np.diag([*spacing, 1.0])
    node = slicer.util.addVolumeFromArray(small.voxels[index], ijkToRAS=affine, name="large CT")
    node.SetAttribute("DICOM.Modality", "CT")
    selection = slicer.app.applicationLogic().GetSelectionNode()
    selection.SetActiveVolumeID(node.GetID())
    slicer.app.applicationLogic().PropagateVolumeSelection()


class Bench:
    """The opened panel with a CT and a typed request."""

    def __init__(self, which: str) -> None:
        self.harness: list[Span] = []
        self.slicer = booted(self.harness)
        sys.path.append(str(ROOT))
        from Testing.standin.driving import Driver, wait_until

        add_volume(self.slicer, which)
        self.loaded, _ = open_panel()
        self.driver, self._wait_until = Driver(self.loaded.native), wait_until
        self.presenter = self.loaded.widget.panel.presenter
        self.driver.type_text("requestEdit", REQUEST)
        self.pause(0.5)

    def pause(self, seconds: float) -> None:
        """Let the event loop run for so long."""
        end = time.perf_counter() + seconds
        self.wait(lambda: time.perf_counter() >= end)

    def wait(self, condition: Callable[[], Any]) -> None:
        """Let the event loop run until the condition holds."""
        self._wait_until(lambda: condition() or self.phase() == "failed", 300.0, "the end of a measurement")
        if self.phase() == "failed":
            raise RuntimeError(f"the run failed: {self.presenter.state.error}")

    def phase(self) -> str:
        """Of the panel's state."""
        return str(self.presenter.state.phase.value)

    def click_run(self) -> None:
        """Run, or Cancel while it runs: it is one button."""
        self.driver.click("runButton")

    def run(self) -> None:
        """Click Run and wait until the run is done, and its pictures are shown."""
        self.click_run()
        self.wait(lambda: self.phase() == "done")
        self.pause(0.5)

    def close(self) -> None:
        """Unload the module, and wait until the worker has gone too."""
        from Testing.standin.footprint import marked_processes

        self.loaded.unload()
        self._wait_until(lambda: not marked_processes(), 10.0, "the worker's end")
        self.driver.settle()


def measure_run(which: str) -> dict[str, Any]:
    """A run from click to done: longest block, the commit, and the surfaces that a click on Show 3D makes."""
    bench = Bench(which)
    from SEERSegmentLib.mrml.scene import MrmlScene

    commits: list[Span] = []
    MrmlScene.commit = timed(MrmlScene.commit, commits)  # type: ignore[method-assign]
    heart = Heartbeat()
    bench.pause(0.1)
    start = now()
    bench.run()
    end = now()
    heart.stop()
    begin = now()
    bench.driver.click("show3DButton")
    surfaces = _less(begin, now(), bench.harness)
    ((started, ended),) = commits
    within = [span for span in bench.harness if not started[0] <= span[0][0] <= ended[0]]
    result = {
        "block": heart.longest(start, end, (*commits, *within)),
        "commit": _less(started, ended, bench.harness),
        "surfaces": surfaces,
        "segments": len(bench.presenter.state.segments),
        "seconds": end[0] - start[0],
    }
    bench.close()
    return result


def measure_cancel(which: str) -> dict[str, Any]:
    """Cancel in each phase: ms until Run stands on the button again, until the worker has said so; longest block."""
    bench = Bench(which)
    from SEERSegmentLib.worker import wire
    from SEERSegmentLib.worker.messages import CancelledReport

    decode, acknowledged = wire.decode_report, []

    def noting(line: bytes) -> Any:
        report = decode(line)
        if isinstance(report, CancelledReport):
            acknowledged.append(time.perf_counter())
        return report

    wire.decode_report = noting
    client, button = bench.loaded.widget.panel.client, bench.driver.find("runButton")
    heart = Heartbeat()
    result: dict[str, Any] = {}
    for name, phase, wait in CANCELS:
        bench.pause(0.1)
        nodes = bench.slicer.mrmlScene.GetNumberOfNodes()
        begin = now()
        bench.click_run()
        bench.wait(lambda phase=phase: bench.phase() in (phase, "done") and bench.presenter.state.fraction != 0.0)
        bench.pause(wait)
        if bench.phase() != phase:
            result[name] = None  # over before it could be cancelled
            bench.wait(lambda: bench.phase() == "done")
            bench.presenter.undo()
            continue
        acknowledged.clear()
        before, start = len(heart.beats), time.perf_counter()
        bench.click_run()
        bench.wait(lambda before=before: len(heart.beats) > before and button.text() == "Run")
        effect = 1000 * (time.perf_counter() - start)
        bench.wait(lambda: not client._unacknowledged)  # waited for unseen, also by the panel
        bench.pause(0.1)
        if bench.phase() != "cancelled" or bench.slicer.mrmlScene.GetNumberOfNodes() != nodes:
            raise RuntimeError("the scene is not as it was")
        result[name] = {
            "effect": effect,
            "acknowledged": 1000 * (acknowledged[0] - start) if acknowledged else None,
            "block": heart.longest(begin, now(), bench.harness),
        }
    heart.stop()
    bench.close()
    return result


def measure_calls(which: str) -> dict[str, Any]:
    """The slowest calls of SEER's functions in the Qt thread during a run."""
    bench = Bench(which)
    with Calls() as calls:
        bench.run()
    bench.close()
    return {"calls": calls.slowest(5)}


def measure_open() -> dict[str, float]:
    """Ms from the booted application to the panel's first paint."""
    harness: list[Span] = []
    booted(harness)
    loaded, (start, end) = open_panel()
    wall, cpu = _less(start, end, harness)
    loaded.unload()
    return {"wall": wall, "cpu": cpu, "harness": 1000 * (end[0] - start[0]) - wall}


def main(arguments: list[str]) -> None:
    """Measure what is named."""
    what, *which = arguments
    measures = {"open": measure_open, "run": measure_run, "cancel": measure_cancel, "calls": measure_calls}
    print(json.dumps(measures[what](*which)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
