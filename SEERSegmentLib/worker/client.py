"""The panel's side of the worker: starts it, sends orders, hands reports on, cancels, and cleans up.

Nothing here blocks, starts a thread, or knows Qt, the pipeline or a model: a :class:`~.link.ProcessLink` is the
process, ``timers`` is the application's event loop.
"""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..errors import SeerError, ServiceError, StorageError
from . import messages as m
from . import wire
from .link import ProcessLink
from .session import MARKER

__all__ = [
    "CANCEL_GRACE_MS",
    "CLOSE_GRACE_MS",
    "FINAL",
    "SAVING_GRACE_MS",
    "START_LIMIT_MS",
    "LaterCalls",
    "OnReport",
    "WorkerClient",
]

OnReport = Callable[[wire.Report], None]

#: After a report of these kinds a job has ended.
FINAL = (
    m.RunReport,
    m.AbstentionReport,
    m.AgreementReport,
    m.PreviewReport,
    m.CapabilitiesReport,
    m.ProbeReport,
    m.CompareReport,
    m.SavedReport,
    m.ErrorReport,
    m.CancelledReport,
)

#: A worker that has not acknowledged a cancel by then is killed.
CANCEL_GRACE_MS = 2000

#: A worker that has not ended by then, once asked to, is killed.
CLOSE_GRACE_MS = 1000

#: … and one that is saving an episode, which it finishes first.
SAVING_GRACE_MS = 12_000

#: A worker that has not said that it is ready by then is killed; a cold disk and a virus scanner have their time.
START_LIMIT_MS = 60_000

#: Lines of the worker's log that go into the detail of a crash.
_LOG_TAIL = 20

_MAIN = Path(__file__).with_name("__main__.py")

_Stop = Callable[[], None]


class LaterCalls(Protocol):
    """What of the application's timers is needed here."""

    def call_later(self, milliseconds: int, call: Callable[[], None]) -> Callable[[], None]:
        """Call once later; the result cancels it."""
        ...


@dataclass
class _Job:
    """An order on its way: ``line`` as sent, ``begun`` once a report of it came, ``again`` once it was sent twice."""

    id: str
    line: bytes
    on_report: OnReport
    repeatable: bool
    sent: bool = False
    begun: bool = False
    again: bool = False


class WorkerClient:
    """One worker process at a time, started when there is something to do.

    Parameters
    ----------
    link : ProcessLink
    timers : LaterCalls
    folder : Path
        The session folder: voxels, masks and pictures lie here. It is made (mode 0700) and, by :meth:`close`, removed.
    idle_seconds : float
        The worker ends by itself after so long without an order; 0 or less: never. May be set later, for the next
        worker that is started.
    on_log : callable
        Gets a line for the log box: what the worker writes to its log, and what happens to it.

    Raises
    ------
    StorageError
        ``session-folder-unusable`` where the folder can't be made, or has something in it.
    """

    def __init__(
        self,
        link: ProcessLink,
        timers: LaterCalls,
        folder: Path,
        *,
        idle_seconds: float,
        on_log: Callable[[str], None],
    ) -> None:
        self.folder = folder
        self._link, self._timers, self.idle_seconds, self._on_log = link, timers, idle_seconds, on_log
        self._token = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        self._jobs: dict[str, _Job] = {}  # in the order of sending
        self._unacknowledged: dict[str, _Stop] = {}  # cancelled jobs that the worker still has to let go of
        self._life = 0  # number of the process; what an earlier one still says is not listened to
        self._alive = self._ready = self._ending = self._closed = False
        self._pid: int | None = None
        self._pieces: list[bytes] = []  # of a line that has not ended yet
        self._lines: deque[bytes] = deque()
        self._log_rest = b""
        self._log_tail: list[str] = []
        self._stop_waiting: _Stop = _nothing
        _make_folder(folder)

    @property
    def running(self) -> bool:
        """Whether a worker process is there, ready or about to be."""
        return self._alive

    def new_job(self) -> str:
        """An id that no other job has, of this session or another; it may be part of a file's name."""
        return f"job-{self._token}-{next(self._numbers)}"

    def send(self, order: wire.Order, on_report: OnReport) -> None:
        """Send an order; ``on_report`` gets the job's reports, the last of which is one of :data:`FINAL`.

        No report comes before this returns. A worker is started if none runs. If it crashes, the job gets an
        ErrorReport ``worker-crashed``; the next order starts another one.

        Raises
        ------
        ServiceError
            ``wire-malformed`` for an order with wrong contents; ``worker-closed`` after :meth:`close`.
        """
        if self._closed:
            raise ServiceError("The panel was closed.", code="worker-closed")
        id = getattr(order, "job", "")
        if not id or id in self._jobs or isinstance(order, m.CancelOrder | m.ShutdownOrder):
            raise ServiceError("This order can't be sent.", code="wire-malformed", detail=type(order).__name__)
        self._jobs[id] = _Job(id, wire.encode(order), on_report, repeatable=not isinstance(order, m.ReviewOrder))
        self._go_on()

    def cancel(self, job: str) -> None:
        """Forget a job at once: no report of it is delivered from here on. The worker is told to stop it.

        A worker that doesn't acknowledge within two seconds is killed with all its children.
        """
        known = self._jobs.pop(job, None)
        if known is None or not known.sent or self._ending:
            return
        self._link.write(wire.encode(m.CancelOrder(job)))
        life = self._life
        self._unacknowledged[job] = self._timers.call_later(CANCEL_GRACE_MS, lambda: self._kill_stuck(job, life))

    def restart(self) -> None:
        """End the worker, which should be idle: the next order finds a new one, with packages installed meanwhile."""
        if self._alive and not self._ending and not self._closed:
            self._kill()

    def discard(self, job: str) -> None:
        """Remove the files that the worker wrote for a job, once nobody needs its masks and pictures any more."""
        for path in self.folder.glob(f"{job}.*"):
            with suppress(OSError):  # still mapped by the worker, on Windows: close() removes it
                path.unlink()

    def close(self) -> None:
        """End the worker, by killing it if it doesn't go, and remove the session folder. No report comes any more.

        A worker that is saving an episode finishes that first, and removes the folder itself.
        """
        if self._closed:
            return
        self._closed = True
        saving = self._alive and any(job.sent and not job.repeatable for job in self._jobs.values())
        self._jobs.clear()
        self._forget_cancels()
        if self._alive:
            if not self._ending:
                self._link.write(wire.encode(m.ShutdownOrder()))
            self._stop_waiting()
            self._stop_waiting = self._timers.call_later(SAVING_GRACE_MS if saving else CLOSE_GRACE_MS, self._kill)
        if not saving:
            # Now, since an application that quits gives timers no more time; what is mapped stays readable.
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- the process --------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Start a worker if one is needed, and send what waits."""
        if not self._alive:
            if self._jobs and not self._closed:
                self._start()
        elif self._ready and not self._ending:
            for job in self._jobs.values():
                if not job.sent:
                    job.sent = True
                    self._link.write(job.line)

    def _start(self) -> None:
        self._life += 1
        life = self._life
        self._alive, self._ready, self._ending, self._pid = True, False, False, None
        self._pieces, self._lines, self._log_rest, self._log_tail = [], deque(), b"", []
        self._stop_waiting = self._timers.call_later(START_LIMIT_MS, self._kill_unready)
        arguments = [str(_MAIN), "--folder", str(self.folder), "--idle-seconds", f"{self.idle_seconds:g}"]
        starting = True

        def on_exit(code: int, why: str) -> None:
            if starting:  # from within send(): the caller hears of it after that
                self._timers.call_later(0, lambda: self._exited(life, code, why))
            else:
                self._exited(life, code, why)

        self._link.start(arguments, lambda data: self._read(life, data), lambda data: self._log(life, data), on_exit)
        starting = False

    def _exited(self, life: int, code: int, why: str) -> None:
        if life != self._life or not self._alive:
            return
        was_ready, expected = self._ready, self._ending or (self._ready and code == 0)
        self._alive = self._ready = self._ending = False
        self._stop_waiting()
        self._stop_waiting = _nothing
        self._forget_cancels()
        if self._log_rest:
            self._say(self._log_rest)
        if self._closed:
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        said = f"The worker process ended ({why or f'exit code {code}'})."
        self._on_log(said)
        # An order that this worker never got to goes to the next one, once: it ended on our own word, or idle.
        kept = {j.id: j for j in self._jobs.values() if expected and j.repeatable and not j.begun and not j.again}
        lost = [job for job in self._jobs.values() if job.id not in kept]
        for job in kept.values():
            job.again, job.sent = job.sent, False
        self._jobs = kept
        self._go_on()
        self._fail(lost, *_words_of_an_end(was_ready), "\n".join((said, *self._log_tail)))

    def _kill(self) -> None:
        self._ending = True
        self._link.kill_tree(self._pid)
        self._stop_waiting()
        self._stop_waiting = _nothing

    def _kill_stuck(self, job: str, life: int) -> None:
        if life == self._life and self._unacknowledged.pop(job, _nothing) is not _nothing:
            self._on_log("The worker process did not stop within two seconds; it is ended.")
            self._kill()

    def _kill_unready(self) -> None:
        if self._alive and not self._ready:
            self._give_up("worker-not-started", "The worker process started, but did not get ready in time.", "")

    # --- what comes from it -------------------------------------------------------------------------------------------

    def _read(self, life: int, data: bytes) -> None:
        """Take in a chunk of output; a line may come in pieces, and a chunk may hold many."""
        if not self._listens_to(life):
            return
        first, *others = data.split(b"\n")
        self._pieces.append(first)
        for other in others:
            self._lines.append(b"".join(self._pieces))
            self._pieces = [other]
        while self._lines and self._listens_to(life):
            line = self._lines.popleft()  # before it is dealt with: whoever gets the report may raise
            if line.strip():
                self._take(line)
        if self._listens_to(life) and sum(map(len, self._pieces)) > wire.MAX_LINE:
            self._give_up("wire-malformed", "The worker process answered in a way that can't be read.", "no line end")

    def _listens_to(self, life: int) -> bool:
        return life == self._life and self._alive and not self._ending and not self._closed

    def _take(self, line: bytes) -> None:
        if not self._ready and wire.protocol_of(line) not in (None, m.PROTOCOL):
            message = "The worker process is of another version than the panel; restart Slicer."
            return self._give_up("worker-protocol", message, f"protocol {wire.protocol_of(line)}, not {m.PROTOCOL}")
        try:
            report = wire.decode_report(line)
        except SeerError as error:
            return self._take_garbage(line, error)
        if isinstance(report, m.ReadyReport):
            self._ready, self._pid = True, report.pid
            self._stop_waiting()
            self._stop_waiting = _nothing
            return self._go_on()
        if isinstance(report, m.LogReport):
            return self._on_log(report.text)
        final = isinstance(report, FINAL)
        if final and (stop := self._unacknowledged.pop(report.job, None)):
            stop()
        job = self._jobs.get(report.job)
        if job is None:  # late: cancelled meanwhile
            return None
        job.begun = True
        if final:
            del self._jobs[job.id]
        return job.on_report(report)

    def _take_garbage(self, line: bytes, error: SeerError) -> None:
        """A line that is no report: noted, and if it was to be one of a job that waits, that job is told."""
        self._on_log(f"The worker process wrote something that is no report ({error.detail}).")
        if job := self._jobs.get(wire.job_of(line)):
            self.cancel(job.id)
            job.on_report(m.ErrorReport(job.id, error.code, error.user_message, error.detail))

    def _log(self, life: int, data: bytes) -> None:
        if life != self._life:
            return
        *lines, self._log_rest = (self._log_rest + data).split(b"\n")
        for line in lines:
            self._say(line)

    def _say(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip()
        if text:
            self._log_tail = [*self._log_tail, text][-_LOG_TAIL:]
            self._on_log(text)

    # --- jobs ---------------------------------------------------------------------------------------------------------

    def _give_up(self, code: str, message: str, detail: str) -> None:
        """End a process that can't be used; every job that waits is told why."""
        self._on_log(message)
        lost = list(self._jobs.values())
        self._jobs.clear()  # before the process ends, so that none is sent to the next one
        self._kill()
        self._fail(lost, code, message, detail)

    def _fail(self, lost: Iterable[_Job], code: str, message: str, detail: str) -> None:
        for job in lost:
            job.on_report(m.ErrorReport(job.id, code, message, detail, retryable=True))

    def _forget_cancels(self) -> None:
        for stop in self._unacknowledged.values():
            stop()
        self._unacknowledged.clear()


def _nothing() -> None: ...


def _words_of_an_end(was_ready: bool) -> tuple[str, str]:
    if was_ready:
        return "worker-crashed", "The worker process ended unexpectedly; run again to start a new one."
    return "worker-not-started", "The worker process could not be started; the log says why."


def _make_folder(folder: Path) -> None:
    """Make the folder, for this user alone. One that holds something is not taken: it would be removed at the end."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.is_symlink() or any(folder.iterdir()):
            raise FileExistsError("it is not empty")
        folder.chmod(0o700)
        if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
            raise PermissionError("it belongs to someone else")
        (folder / MARKER).touch(mode=0o600)
    except OSError as error:
        raise StorageError(
            "The folder for this session's images can't be made.", code="session-folder-unusable", detail=str(error)
        ) from error
