"""Work that waits for the network, in threads of its own: the caller's thread waits only for them, and not for long.

A name that is looked up, a handshake, a server that says nothing: none of these can be interrupted from outside
everywhere. So they happen in daemon threads that report to a queue. Whoever cancels ends the connections and wakes the
caller; the same where time is up. A thread that still hangs is left to itself: it has no connection any more, can make
none, and its outcome goes nowhere.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from ...errors import SeerError, ServiceError
from ...protocols import CancelToken
from .line import Line

__all__ = ["Background"]

_T = TypeVar("_T")


@dataclass(frozen=True)
class _Outcome:
    number: int
    value: Any = None
    error: Exception | None = None


class Background:
    """What belongs to one call: its time, its threads, its connections. A context manager; at its end all are ended.

    Parameters
    ----------
    seconds : float
        For everything together.
    cancel : CancelToken
    late : callable
        Makes the error for when time is up.
    """

    def __init__(self, seconds: float, cancel: CancelToken, late: Callable[[], ServiceError]) -> None:
        self._ends = time.monotonic() + seconds
        self._cancel, self._late = cancel, late
        self._box: queue.SimpleQueue[_Outcome | Callable[[], None]] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._lines: set[Line] = set()
        self._changing = threading.Lock()
        self._stack = ExitStack()

    def __enter__(self) -> Background:
        self._stack.callback(self._stop)
        self._stack.enter_context(self._cancel.when_cancelled(self._stop))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def do(self, tasks: Sequence[Callable[[], _T]], at_once: int = 1) -> list[_T]:
        """Outcomes of all tasks, in order; each runs in a thread of its own, ``at_once`` at a time.

        Raises
        ------
        SeerError
            The first that a task raises, as if it were raised here; the others are not waited for.
        Cancelled
        """
        self._cancel.check()
        waiting = list(enumerate(tasks))[::-1]
        for _ in range(min(at_once, len(waiting))):
            self._start(*waiting.pop())
        outcomes: dict[int, _T] = {}
        while len(outcomes) < len(tasks):
            news = self._next()
            if not isinstance(news, _Outcome):
                news()
                continue
            if news.error is not None:
                raise _bare(news.error)
            outcomes[news.number] = news.value
            if waiting:
                self._start(*waiting.pop())
        return [outcomes[number] for number in range(len(tasks))]

    # --- for the threads ----------------------------------------------------------------------------------------------

    def left(self) -> float:
        """Seconds left, never quite 0: a socket takes that for "don't wait"."""
        return max(0.001, self._ends - time.monotonic())

    def later(self, call: Callable[[], None]) -> None:
        """Let the caller's thread make a call, while it waits."""
        self._box.put(call)

    def pause(self, seconds: float) -> bool:
        """Wait. False, at once, as soon as all is stopped."""
        return not self._stopped.wait(seconds)

    @contextmanager
    def line(self) -> Iterator[Line]:
        """A connection that is ended with everything else, and where the block fails."""
        line = Line()
        with self._changing:
            self._lines.add(line)
        if self._stopped.is_set():
            line.end()
        try:
            yield line
        except BaseException:
            line.end()
            raise
        finally:
            with self._changing:
                self._lines.discard(line)
            line.release()

    # ------------------------------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        self._stopped.set()
        with self._changing:
            lines = list(self._lines)
        for line in lines:
            line.end()
        self._box.put(_nothing)

    def _start(self, number: int, task: Callable[[], Any]) -> None:
        threading.Thread(target=self._run, args=(number, task), name="seer-server", daemon=True).start()

    def _run(self, number: int, task: Callable[[], Any]) -> None:
        try:
            self._box.put(_Outcome(number, task()))
        except Exception as error:  # noqa: BLE001 - the thread's border: it is raised where it is waited for
            self._box.put(_Outcome(number, error=error))

    def _next(self) -> _Outcome | Callable[[], None]:
        try:
            news = self._box.get(timeout=self.left())
        except queue.Empty:
            news = _nothing
        self._cancel.check()
        done = isinstance(news, _Outcome) and news.error is None
        if (
            not done and time.monotonic() >= self._ends
        ):  # a thread whose socket ran out of time may be the first to say so
            raise self._late()
        return news


def _nothing() -> None:
    """Wakes the caller's thread."""


def _bare(error: Exception) -> Exception:
    """An error of SEER's without what it came from: a library's error holds the request, headers and all."""
    if isinstance(error, SeerError):
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)
    return error
