"""The one place where the panel's state is replaced, its log is kept, and the panel is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ..errors import SeerError
from ..worker.messages import ErrorReport
from .state import PanelState, ShownError

__all__ = ["MAX_LOG", "Board"]

#: Lines that the log keeps, and characters of a line.
MAX_LOG = 500
_MAX_LINE = 2_000

#: Shorter "keys" are placeholders like ``none``; taking them out would spoil ordinary sentences.
_SHORTEST_SECRET = 6


class Board:
    """Holds the state and tells ``on_change`` of every replacement, in order, before the outermost turn ends.

    Everything that happens (an intent, a report, a timer's tick) is a *turn*. What is set within it is told when the
    turn is complete, so that a listener that sends an intent of its own finds everything consistent.

    Parameters
    ----------
    on_change : callable
        Is handed each new state.
    derive : callable
        Last word on a state before it is set: fields that follow from others.
    secrets : callable
        What must not be shown, as things stand now.
    on_unexpected : callable
        Is handed an exception that nobody foresaw; a turn is an outer border, where such a one is logged and shown.
    """

    def __init__(
        self,
        on_change: Callable[[PanelState], None],
        derive: Callable[[PanelState], PanelState],
        secrets: Callable[[], Iterable[str]],
        on_unexpected: Callable[[Exception], None],
    ) -> None:
        self.state = PanelState()
        self._on_change: Callable[[PanelState], None] | None = on_change
        self._derive = derive
        self._current_secrets = secrets
        self._on_unexpected = on_unexpected
        self._untold: deque[PanelState] = deque()
        self._depth = 0
        self._telling = False
        self._secrets: set[str] = set()

    def set(self, **changes: Any) -> None:
        """Replace fields of the state; nothing is told where nothing changes."""
        state = self._derive(replace(self.state, **changes))
        if state != self.state:
            self.state = state
            self._untold.append(state)

    def log(self, text: str) -> None:
        """Add lines to the log. The same line twice in a row is kept once."""
        lines = tuple(line[:_MAX_LINE] for line in self.clean(text).splitlines() if line.strip())
        if lines and self.state.log[-len(lines) :] != lines:
            self.set(log=(*self.state.log, *lines)[-MAX_LOG:])

    def shown(self, error: SeerError | ErrorReport) -> ShownError:
        """An error as the panel shows it; its code and detail go to the log."""
        message, detail = self.clean(error.user_message), self.clean(error.detail)
        self.log(f"{error.code}: {message}")
        self.log(detail)
        return ShownError(error.code, message, detail, error.retryable)

    def hide(self, *secrets: str) -> None:
        """Never show these words again, whoever says them."""
        self._secrets.update(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)

    def clean(self, text: str) -> str:
        """A text without any secret."""
        self.hide(*self._current_secrets())
        for secret in self._secrets:
            text = text.replace(secret, "•••")
        return text

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One thing that happens; turns may be nested, as when the scene tells of a node that a turn removes.

        An exception ends the turn it is raised in: what it was part of stops, and an outer turn finds it stopped.
        """
        self._depth += 1
        try:
            yield
        except Exception as error:  # noqa: BLE001 - an outer border: the event loop calls from here
            self._on_unexpected(error)
        finally:
            self._depth -= 1
        self._tell()

    def close(self) -> None:
        """Tell nobody any more."""
        self._on_change = None
        self._untold.clear()

    def _tell(self) -> None:
        if self._depth or self._telling:
            return  # told by the outer turn, or by the loop below
        self._telling = True
        try:
            while self._untold and self._on_change is not None:
                self._on_change(self._untold.popleft())
        finally:
            self._telling = False
