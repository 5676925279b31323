"""The process behind the worker, as its client sees it: the panel implements it with ``QProcess``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["ProcessLink"]


class ProcessLink(Protocol):
    """One worker process at a time. No method blocks; callbacks come from the event loop of the caller's thread."""

    def start(
        self,
        arguments: list[str],
        on_output: Callable[[bytes], None],
        on_log: Callable[[bytes], None],
        on_exit: Callable[[int, str], None],
    ) -> None:
        """Start the interpreter with arguments. ``on_exit`` gets (exit code, why in words), also if it can't start."""
        ...

    def write(self, data: bytes) -> None: ...

    def kill_tree(self, pid: int | None) -> None:
        """End the process, its launcher and all their children, now. ``pid`` is the worker's own, once it said so."""
        ...

    @property
    def running(self) -> bool: ...
