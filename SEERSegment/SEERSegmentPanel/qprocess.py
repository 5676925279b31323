"""The worker's process over ``QProcess``: the only way to run anything beside Slicer's event loop (DESIGN seam 5)."""

from __future__ import annotations

import shutil

import qt
from slicer.i18n import tr as _

from SEERSegmentLib.interpreter import python_interpreter
from SEERSegmentLib.worker import trees

from .widgets import later

__all__ = ["QtProcessLink", "interpreter"]

#: Processes that have not said yet that they ended. A QProcess that goes while its process runs would wait for it.
_running = set()


def interpreter():
    """Slicer's own Python launcher, which Slicer has on its PATH; else what Python there is."""
    return shutil.which("PythonSlicer") or python_interpreter()


class QtProcessLink:
    """A ``ProcessLink``: no call waits; what the process says arrives through callbacks from the event loop."""

    def __init__(self, program=None):
        self._program = program
        self._process = None
        self._callbacks = None

    @property
    def running(self):
        return self._process is not None

    def start(self, arguments, on_output, on_log, on_exit):
        """Start the interpreter with ``arguments``. ``on_exit`` gets (exit code, why), also if it can't start."""
        process = qt.QProcess()
        self._process = process
        self._callbacks = (on_output, on_log, on_exit)

        # Each slot knows its own process: what a process that was replaced still says is dropped.
        def output():
            if self._process is process:
                self._read(process)

        def finished(exit_code, exit_status):
            self._finished(process, exit_code, exit_status)

        def failed(error):
            self._failed(process, error)

        process.connect("readyReadStandardOutput()", output)
        process.connect("readyReadStandardError()", output)
        process.connect("finished(int,QProcess::ExitStatus)", finished)
        process.connect("errorOccurred(QProcess::ProcessError)", failed)
        _running.add(process)
        process.start(self._program or interpreter(), list(arguments))

    def write(self, data):
        if self._process is not None:
            self._process.write(qt.QByteArray(data))

    def kill_tree(self, pid):
        """End the process, its launcher and all their children, now."""
        process = self._process
        if process is None:
            return
        trees.kill_tree(int(process.processId()), pid)
        process.kill()

    def abandon(self):
        """End it, and listen to nothing that it still says: the panel goes away."""
        self.kill_tree(None)
        self._process = self._callbacks = None

    def _read(self, process):
        for channel, read in enumerate((process.readAllStandardOutput, process.readAllStandardError)):
            data = bytes(read().data())
            if data and self._process is process:
                self._callbacks[channel](data)

    def _finished(self, process, exit_code, exit_status):
        if self._process is process:
            self._read(process)
        crashed = int(exit_status) == int(qt.QProcess.CrashExit)
        why = _("The worker process was ended from outside.") if crashed else _("The worker process ended.")
        self._end(process, exit_code, why)

    def _failed(self, process, error):
        # Any other error is followed by finished(); a program that doesn't start is not.
        if int(error) == int(qt.QProcess.FailedToStart):
            self._end(process, -1, _("Python could not be started: {why}").format(why=process.errorString()))

    def _end(self, process, exit_code, why):
        # Not at once: this may be called from within the process object, even while it is destroyed.
        qt.QTimer.singleShot(0, later(_dispose, process))
        if self._process is not process:
            return
        on_exit = self._callbacks[2]
        self._process = self._callbacks = None
        on_exit(exit_code, why)


def _dispose(process):
    _running.discard(process)
    process.deleteLater()
