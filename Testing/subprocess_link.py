"""A ProcessLink on ``subprocess``, and an event loop to go with it, for tests that have a real worker but no Qt.

    loop = Loop()
    client = WorkerClient(loop.link(), loop, folder, idle_seconds=60, on_log=log.append)
    client.send(CapabilitiesOrder(client.new_job()), reports.append)
    loop.run_until(lambda: reports)

Nothing happens but in :meth:`Loop.run_until`, as nothing happens in the panel but in Qt's event loop.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from SEERSegmentLib.worker.trees import kill_tree

_CHUNK = 1 << 16
_TICK_S = 0.02


class SubprocessLink:
    """One process at a time; its callbacks come from :meth:`pump`.

    Parameters
    ----------
    program : sequence of str
        The interpreter, or a launcher of it.
    environment : mapping, optional
        On top of this process's own.
    """

    def __init__(
        self, program: Sequence[str] = (sys.executable,), environment: Mapping[str, str] | None = None
    ) -> None:
        self._program, self._environment = [*program], {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._selector = selectors.DefaultSelector()
        self._on_exit: Callable[[int, str], None] = lambda code, why: None
        self.started = 0
        self.written: list[bytes] = []

    @property
    def running(self) -> bool:
        return self._process is not None

    @property
    def pid(self) -> int:
        """Of the process that was started: the launcher's, where there is one."""
        assert self._process is not None
        return self._process.pid

    def start(
        self,
        arguments: list[str],
        on_output: Callable[[bytes], None],
        on_log: Callable[[bytes], None],
        on_exit: Callable[[int, str], None],
    ) -> None:
        assert self._process is None, "one process at a time"
        self.started += 1
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                [*self._program, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, env=self._environment, bufsize=0
            )
        except OSError as error:
            on_exit(-1, str(error))
            return
        self._on_exit = on_exit
        for stream, call in ((self._process.stdout, on_output), (self._process.stderr, on_log)):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ, call)

    def write(self, data: bytes) -> None:
        assert self._process is not None, "no process to write to"
        assert self._process.stdin is not None
        self.written.append(data)
        with suppress(OSError, ValueError):  # it is gone, or its pipe closed; pump tells
            self._process.stdin.write(data)

    def close_stdin(self) -> None:
        """What happens when the panel's process dies."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()

    def kill_tree(self, pid: int | None) -> None:
        if self._process is not None:
            kill_tree(self._process.pid, pid)

    def pump(self, seconds: float) -> None:
        """Deliver what has come, waiting for something for at most ``seconds``."""
        if self._process is None:
            return
        for key, _ in self._selector.select(seconds):
            self._deliver(key)
        if self._process is None or self._process.poll() is None:
            return
        process = self._process
        for key in list(self._selector.get_map().values()):  # what it said last
            self._deliver(key)
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
        for stream in (process.stdin, process.stdout, process.stderr):
            assert stream is not None
            stream.close()
        self._process = None
        self._on_exit(process.returncode, f"exit code {process.returncode}")

    def _deliver(self, key: selectors.SelectorKey) -> None:
        while True:
            try:
                data = os.read(key.fd, _CHUNK)
            except BlockingIOError:
                return
            if not data:
                self._selector.unregister(key.fileobj)
                return
            key.data(data)

    def abandon(self) -> None:
        """Leave nothing behind, whatever a test did."""
        if self._process is not None:
            kill_tree(self._process.pid)
            self._process.wait()
            self._on_exit = lambda code, why: None
            self.pump(0)
        self._selector.close()


class Loop:
    """Timers and links, run by hand."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._links: list[SubprocessLink] = []

    def link(
        self, program: Sequence[str] = (sys.executable,), environment: Mapping[str, str] | None = None
    ) -> SubprocessLink:
        """A link that this loop pumps."""
        self._links.append(SubprocessLink(program, environment))
        return self._links[-1]

    def now(self) -> float:
        return time.monotonic()

    def call_later(self, milliseconds: int, call: Callable[[], None]) -> Callable[[], None]:
        self._count += 1
        entry = (self.now() + milliseconds / 1000, self._count, call)
        self._due.append(entry)

        def stop() -> None:
            if entry in self._due:
                self._due.remove(entry)

        return stop

    def turn(self) -> None:
        """One round: what has come from processes, then the timers that are due."""
        for link in self._links:
            link.pump(_TICK_S)
        if not any(link.running for link in self._links):
            time.sleep(_TICK_S)
        for entry in sorted(self._due, key=lambda item: item[:2]):
            if entry in self._due and entry[0] <= self.now():
                self._due.remove(entry)
                entry[2]()

    def run_until(self, condition: Callable[[], object], limit_s: float = 60.0) -> None:
        """Turn until something is so. Raises TimeoutError; the limit is for a test that hangs, not a promise."""
        ends = self.now() + limit_s
        while not condition():
            if self.now() > ends:
                raise TimeoutError("it did not come")
            self.turn()

    def close(self) -> None:
        for link in self._links:
            link.abandon()
