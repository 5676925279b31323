"""What would be sent, shown while the user is asked for consent: made by the worker, and sent to nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import SeerError
from ..worker.messages import ErrorReport, PreviewOrder, PreviewReport, ProgressReport, VolumeFile
from ..worker.wire import Report
from . import wording
from .attempt import Attempt
from .board import Board
from .copying import SlabLoop
from .seams import Client, Scene, Timers
from .state import Preview

__all__ = ["Previewer"]


class Previewer:
    """One preview at a time. The question stays as it is, whatever becomes of it.

    ``on_job`` is told of the worker's job, whose files are to be removed in the end.
    """

    def __init__(
        self, board: Board, scene: Scene, client: Client, timers: Timers, on_job: Callable[[str], None]
    ) -> None:
        self._board = board
        self._scene = scene
        self._client = client
        self._timers = timers
        self._on_job = on_job
        self._loop: SlabLoop | None = None
        self._job = ""

    def begin(self, attempt: Attempt) -> None:
        """Copy the volume, which the run needs anyway, and ask the worker what the reasoner would send."""
        if self._loop is not None or self._job:
            self._board.log("What would be sent is being put together already.")
            return
        self._board.set(preview=Preview(busy=True, message="Copying the volume"))
        try:
            copying = self._scene.copy_volume(attempt.inputs.volume_id, self._client.folder)
        except SeerError as error:
            self._fail(error)
            return
        self._loop = SlabLoop(
            copying, self._timers, self._board.turn, _ignore, lambda file: self._order(attempt, file), self._fail
        )

    def stop(self) -> None:
        """Nobody wants to see it any more."""
        if self._loop is not None:
            self._loop.stop()
            self._loop = None
        job, self._job = self._job, ""
        self._board.set(preview=None)
        if job:
            self._client.cancel(job)

    def _order(self, attempt: Attempt, file: VolumeFile) -> None:
        self._loop = None
        self._job = job = self._client.new_job()
        self._on_job(job)
        self._board.set(preview=Preview(busy=True, message="Putting together what would be sent"))
        order = PreviewOrder(job, attempt.run_order(job, file))
        try:
            self._client.send(order, lambda report: self._on_report(job, report))
        except SeerError as error:
            self._fail(error)

    def _on_report(self, job: str, report: Report) -> None:
        if job != self._job or isinstance(report, ProgressReport):
            return  # late; or on the way, which takes no longer than a glance
        with self._board.turn():
            clean = self._board.clean
            if isinstance(report, PreviewReport):
                self._job = ""
                self._set(
                    server=clean(report.server),
                    model=clean(report.model),
                    texts=tuple(map(clean, report.texts)),
                    views=report.views,
                    findings=report.findings,
                )
            elif isinstance(report, ErrorReport):
                self._fail(report)
            else:
                self._fail(wording.report_unexpected(type(report).__name__))

    def _fail(self, error: SeerError | ErrorReport) -> None:
        self._loop, self._job = None, ""
        self._set(error=self._board.shown(error))

    def _set(self, **found: Any) -> None:
        self._board.set(preview=Preview(**found))


def _ignore(share: float) -> None:
    """A copy is made in a moment."""
