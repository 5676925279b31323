"""Time as Qt's event loop gives it: the presenter's ``Timers``."""

from __future__ import annotations

import time

import qt

__all__ = ["QtTimers"]


class QtTimers:
    """Timers that call once, each of which can be cancelled; ``close`` cancels all of them.

    A QTimer that Python made goes with its last reference, also in the middle of its own signal, which no QObject
    survives. So a timer that has fired is not dropped but used again.
    """

    def __init__(self):
        self._waiting = set()
        self._idle = []
        self._closed = False

    def now(self):
        """Seconds, monotonic."""
        return time.monotonic()

    def call_later(self, milliseconds, call):
        """Call once after ``milliseconds``, but not after :meth:`close`. Returns a function that cancels it."""
        if self._closed:
            return _nothing
        timer = self._idle.pop() if self._idle else _OneShot(self._done)
        self._waiting.add(timer)
        return timer.begin(max(0, int(milliseconds)), call)

    def close(self):
        """Cancel whatever is still to come."""
        self._closed = True
        for timer in (*self._waiting, *self._idle):
            timer.end()

    def _done(self, timer):
        self._waiting.discard(timer)
        self._idle.append(timer)


def _nothing():
    """Nothing to cancel."""


class _OneShot:
    """A QTimer that is used again and again, for one call at a time."""

    def __init__(self, on_done):
        self._on_done = on_done
        self._call = None
        self._turn = 0
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.connect("timeout()", self._fire)

    def begin(self, milliseconds, call):
        self._call = call
        self._turn = turn = self._turn + 1
        self._timer.start(milliseconds)

        def cancel():
            if self._turn == turn and self._call is not None:
                self._timer.stop()
                self._call = None
                self._on_done(self)

        return cancel

    def end(self):
        """Stop for good. The object goes when the event loop comes round, not while it may be calling."""
        self._call = None
        self._timer.stop()
        self._timer.deleteLater()

    def _fire(self):
        call, self._call = self._call, None
        if call is not None:
            self._on_done(self)
            call()
