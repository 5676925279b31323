"""A volume's way into the session folder: one slab per tick of the event loop, so that the application stays alive."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from ..errors import SeerError
from ..worker.messages import VolumeFile
from .seams import Copying, Timers

__all__ = ["SlabLoop"]


class SlabLoop:
    """Steps a Copying until it is complete, then hands over the file.

    Parameters
    ----------
    copying, timers : Copying, Timers
    turn : callable
        Makes the context in which each tick runs.
    on_share, on_file, on_error : callable
        Share copied (0..1); the complete file; the SeerError that ended it. One of the last two is called once, unless
        the loop was stopped.
    """

    def __init__(
        self,
        copying: Copying,
        timers: Timers,
        turn: Callable[[], AbstractContextManager[None]],
        on_share: Callable[[float], None],
        on_file: Callable[[VolumeFile], None],
        on_error: Callable[[SeerError], None],
    ) -> None:
        self._copying = copying
        self._timers = timers
        self._turn = turn
        self._on_share = on_share
        self._on_file = on_file
        self._on_error = on_error
        self._running = True
        self._unschedule = timers.call_later(0, self._tick)

    def stop(self) -> None:
        """End it at once and remove what was written; nothing is called any more."""
        if self._running:
            self._running = False
            self._unschedule()
            self._copying.abandon()

    def _tick(self) -> None:
        if not self._running:  # a timer that was due already when the loop was stopped
            return
        with self._turn():
            try:
                share = self._copying.step()
                if share < 1.0:
                    self._on_share(share)
                    if self._running:
                        self._unschedule = self._timers.call_later(0, self._tick)
                    return
                file = self._copying.finish()
            except SeerError as error:
                self.stop()
                self._on_error(error)
                return
            self._running = False
            self._on_file(file)
