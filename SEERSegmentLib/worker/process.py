"""The worker process: orders in on stdin, reports out on stdout, one job at a time.

Two threads: one reads orders, so that a cancel is heard during a job, and one does the jobs. stdout is kept for
reports: whatever a library prints goes to stderr, the log. When stdin ends the panel is gone, and the process ends at
once, with its children and the session's folder; only an episode that is being saved is finished first. It imports the
pipeline only after it has said that it is ready.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import re
import sys
import threading
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..errors import Cancelled, SeerError
from ..protocols import CancelToken
from . import messages as m
from . import wire
from .masking import Secrets, described
from .session import remove_session
from .trees import end_with_children

if TYPE_CHECKING:
    from .jobs import Jobs

__all__ = ["Worker", "main"]

_JOB = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")

_CHUNK = 1 << 16

#: How long an episode that is being saved may take once the panel has gone.
_SAVING_SECONDS = 10.0


class Worker:
    """The loop of one process.

    Parameters
    ----------
    folder : Path
        The session folder.
    source, sink : int
        File descriptors of orders and reports; nobody else has them.
    idle_seconds : float
        :meth:`work` returns after so long without an order; 0 or less: never.
    """

    def __init__(self, folder: Path, source: int, sink: int, idle_seconds: float) -> None:
        self._folder, self._source, self._sink = folder, source, sink
        self._idle = idle_seconds if idle_seconds > 0 else None
        self._waiting: deque[tuple[str, wire.Order]] = deque()
        self._current: tuple[str, CancelToken] | None = None
        self._saving = False
        self._state = threading.Condition()
        self._writing = threading.Lock()
        self._secrets = Secrets()
        self._jobs: Jobs | None = None

    def work(self) -> None:
        """Serve until there is nothing to do for too long. The process ends from within when stdin does."""
        self._tell(m.ReadyReport(m.PROTOCOL, __version__, os.getpid()))
        threading.Thread(target=self._listen, name="orders", daemon=True).start()
        while (next_job := self._next()) is not None:
            job, order, cancel = next_job
            last = self._do(job, order, cancel)
            with self._state:  # a cancel comes either before this, and is what is reported, or finds no such job
                self._current, self._saving = None, False
                self._state.notify_all()
                if cancel.cancelled and not isinstance(last, m.CancelledReport):
                    last = m.CancelledReport(job)
                if isinstance(last, m.CancelledReport):  # after an error the snapshots are still shown
                    self._remove_files(job)
                self._tell(last)

    def _next(self) -> tuple[str, wire.Order, CancelToken] | None:
        with self._state:
            if not self._state.wait_for(lambda: self._waiting, self._idle):
                return None
            job, order = self._waiting.popleft()
            cancel = CancelToken()
            self._current = job, cancel
            self._saving = isinstance(order, m.ReviewOrder)
            return job, order, cancel

    def _do(self, job: str, order: wire.Order, cancel: CancelToken) -> wire.Report:
        """A job's last report; no error of a job leaves this function."""
        _log(f"{job}: {described(order)}")
        try:
            if self._jobs is None:
                from .jobs import Jobs

                self._jobs = Jobs(self._folder, self._tell)
            last = self._keyless(self._jobs.do(order, cancel))
            wire.encode(last)
            return last
        except Cancelled:
            return m.CancelledReport(job)
        except SeerError as error:
            _log(f"{job}: {error.code}")
            return self._error(job, error.code, error.user_message, error.detail, error.retryable)
        except MemoryError:
            said = (
                "This computer's memory is not enough for this. Close other programs, or choose a region of interest."
            )
            return self._error(job, "out-of-memory", said, "", retryable=True)
        except (Exception, SystemExit):  # noqa: BLE001 - the worker's border: it reports, and takes the next job
            said = "Something went wrong in SEER that should not have; the log has the details."
            return self._error(job, "worker-unexpected", said, traceback.format_exc(), retryable=False)

    def _keyless(self, report: wire.Report) -> wire.Report:
        """A report without what somebody else's code quotes of its options."""
        if isinstance(report, m.CapabilitiesReport) and report.chosen is not None:
            said = self._secrets.masked(report.chosen.what_to_do)
            return replace(report, chosen=replace(report.chosen, what_to_do=said))
        return report

    def _error(self, job: str, code: str, said: str, detail: str, retryable: bool) -> m.ErrorReport:
        return m.ErrorReport(job, code, self._secrets.masked(said), self._secrets.masked(detail), retryable)

    def _remove_files(self, job: str) -> None:
        for path in self._folder.glob(f"{job}.*"):
            with suppress(OSError):
                path.unlink()

    # --- orders, in a thread of their own -----------------------------------------------------------------------------

    def _listen(self) -> None:
        try:
            for line in _lines(self._source):
                self._hear(line)
        finally:
            # Now, whatever the job is doing: it is nobody's any more.
            self._end()

    def _end(self) -> None:
        # A verdict that the user gave is kept: Slicer may quit right after the click.
        with self._state:
            self._state.wait_for(
                lambda: not self._saving and not any(isinstance(order, m.ReviewOrder) for _, order in self._waiting),
                _SAVING_SECONDS,
            )
        remove_session(self._folder)
        end_with_children(0)

    def _hear(self, line: bytes) -> None:
        try:
            order = wire.decode_order(line)
            job = getattr(order, "job", "")
            if not isinstance(order, m.ShutdownOrder) and not _JOB.fullmatch(job):
                raise wire.malformed("a job's id that is none")
        except SeerError as error:
            job = wire.job_of(line)
            _log(f"an order that can't be read: {error.detail}")
            self._tell(m.ErrorReport(job, error.code, error.user_message, error.detail))
            return
        if isinstance(order, m.ShutdownOrder):
            self._end()
        if isinstance(order, m.CancelOrder):
            self._cancel(job)
            return
        with self._state:
            self._secrets.learn(order)
            self._waiting.append((job, order))
            self._state.notify_all()

    def _cancel(self, job: str) -> None:
        with self._state:
            if self._current is not None and self._current[0] == job:
                self._current[1].cancel()  # acknowledged when it has stopped
                return
            self._waiting = deque(item for item in self._waiting if item[0] != job)
            self._tell(m.CancelledReport(job))

    def _tell(self, report: wire.Report) -> None:
        line = memoryview(wire.encode(report))
        with self._writing:
            try:
                while line:
                    line = line[os.write(self._sink, line) :]
            except OSError:  # nobody listens any more
                end_with_children(1)


def _lines(source: int) -> Iterator[bytes]:
    """Lines of a pipe, as they come; one without an end does not fill the memory."""
    pieces: list[bytes] = []
    held = 0
    while chunk := os.read(source, _CHUNK):
        first, *others = chunk.split(b"\n")
        pieces.append(first)
        held += len(first)
        if held > wire.MAX_LINE + 1:
            pieces = [b"".join(pieces)[: wire.MAX_LINE + 1]]  # too long: refused when its end comes
            held = len(pieces[0])
        for other in others:
            yield b"".join(pieces)
            pieces, held = [other], len(other)


def _log(text: str) -> None:
    print(f"worker: {text}", file=sys.stderr, flush=True)


def _reserved_streams() -> tuple[int, int]:
    """Descriptors of the pipes to the panel, for us alone: what else reads stdin gets nothing, prints go to stderr."""
    source, sink = os.dup(0), os.dup(1)  # not inherited by children
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout.flush()
    os.dup2(2, 1)
    return source, sink


def main(arguments: Sequence[str] | None = None) -> int:
    """Be a worker; returns when idle for too long."""
    parser = argparse.ArgumentParser(prog="worker", description="SEER's worker process; the panel starts it.")
    parser.add_argument("--folder", type=Path, required=True, help="the session's folder")
    parser.add_argument("--idle-seconds", type=float, default=0.0, help="end after so long without an order; 0: never")
    parsed = parser.parse_args(arguments)
    source, sink = _reserved_streams()
    faulthandler.enable()
    if hasattr(os, "setsid"):
        with suppress(OSError):  # it leads a group already
            os.setsid()
    Worker(parsed.folder, source, sink, parsed.idle_seconds).work()
    _log("nothing to do; ending")
    end_with_children(0)
