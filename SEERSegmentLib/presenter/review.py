"""The user's judgement of a result: comparing the corrected masks with the proposed ones, and saving the episode."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..errors import SeerError
from ..worker.masking import is_secret
from ..worker.messages import (
    CancelledReport,
    CompareOrder,
    CompareReport,
    CroppedMask,
    ErrorReport,
    PartChoice,
    ReviewOrder,
    RunOrder,
    SavedReport,
)
from ..worker.wire import Report
from . import wording
from .attempt import Result
from .board import Board
from .preferences import episode_folder
from .seams import Client, Preferences, Scene

__all__ = ["DECISIONS", "Reviewer"]

DECISIONS = ("approved", "corrected", "rejected")


class Reviewer:
    """One job of review at a time. What is being saved goes on whatever happens to the scene (DESIGN seam 8)."""

    def __init__(self, board: Board, scene: Scene, client: Client, preferences: Preferences) -> None:
        self._board = board
        self._scene = scene
        self._client = client
        self._preferences = preferences
        self._job = ""
        self._forgotten = False
        self.saving = False

    def compare(self, result: Result | None) -> None:
        """Dice between proposal and what the segments are now."""
        if self._job:
            self._board.log("A review is under way; comparing was ignored.")
            return
        try:
            corrected = self._read_masks(result)
        except SeerError as error:
            self._refuse(error)
            return
        assert result is not None
        proposed = tuple((piece.name, piece.mask) for piece in result.report.segments)
        self._send(CompareOrder(self._client.new_job(), proposed, corrected, result.order.volume.affine))

    def review(self, result: Result | None, decision: str, reason: str) -> None:
        """Save the decision as an episode. An approval or correction may have a reason, a rejection has one."""
        if self._job:
            self._board.log(f"A review is under way; '{decision}' was ignored.")
            return
        reason = reason.strip()
        try:
            if self._board.state.review.saved:
                raise wording.review_saved_already()
            if result is None:
                raise wording.review_nothing()
            if decision == "rejected" and not reason:
                raise wording.review_reason_missing()
            corrected = self._read_masks(result) if decision == "corrected" else ()
        except SeerError as error:
            self._refuse(error)
            return
        self._send(
            ReviewOrder(
                self._client.new_job(),
                episode_folder(self._preferences),
                decision,
                reason,
                _without_key(result.order),
                result.report,
                corrected,
            )
        )

    def leave(self) -> None:
        """The result goes: stop comparing. What is being saved is saved."""
        if self._job and not self.saving:
            job, self._job = self._job, ""
            self._set(busy=False)
            self._client.cancel(job)

    def forget(self) -> None:
        """Nothing of the result is shown any more: what is being saved is told in the log only."""
        self.leave()
        self._forgotten = self.saving

    def stop(self) -> None:
        """The user doesn't want to wait any longer, not even for what is being saved."""
        if not self._job:
            return
        job, self._job = self._job, ""
        saving, self.saving = self.saving, False
        if saving:
            self._refuse(wording.review_stopped())
        else:
            self._set(busy=False)
        self._client.cancel(job)

    def _read_masks(self, result: Result | None) -> tuple[tuple[str, CroppedMask], ...]:
        if result is None:
            raise wording.review_nothing()
        if not self._scene.exists(result.committed.segmentation_id):
            raise wording.output_gone()
        return self._scene.read_masks(result.committed, self._client.folder)

    def _send(self, order: CompareOrder | ReviewOrder) -> None:
        self._job, self.saving, self._forgotten = order.job, isinstance(order, ReviewOrder), False
        decision = order.decision if isinstance(order, ReviewOrder) else self._board.state.review.decision
        self._set(busy=True, decision=decision, error=None)
        try:
            self._client.send(order, lambda report: self._on_report(order.job, report))
        except SeerError as error:
            self._job, self.saving = "", False
            self._refuse(error)

    def _on_report(self, job: str, report: Report) -> None:
        if job != self._job:
            return  # late
        with self._board.turn():
            saving = self.saving
            self._job, self.saving = "", False
            if isinstance(report, CompareReport) and not saving:
                self._set(busy=False, comparison=report.segments)
            elif isinstance(report, SavedReport) and saving:
                self._board.log(f"The episode {report.episode} was saved in {report.folder}.")
                self._set(busy=False, saved=report.episode, folder=report.folder)
                self._forgotten = False
            elif isinstance(report, ErrorReport):
                self._refuse(report)
            elif isinstance(report, CancelledReport) and saving:
                self._refuse(wording.review_stopped())
            elif isinstance(report, CancelledReport):
                self._set(busy=False)
            else:
                self._refuse(wording.report_unexpected(type(report).__name__))

    def _refuse(self, error: SeerError | ErrorReport) -> None:
        shown, review = self._board.shown(error), self._board.state.review
        if self._forgotten:  # nobody looks at that review any more, and a failed one must be seen
            self._forgotten = False
            self._board.set(error=shown)
        else:
            self._set(busy=False, decision=review.decision if review.saved else "", error=shown)

    def _set(self, **changes: Any) -> None:
        if not self._forgotten:
            self._board.set(review=replace(self._board.state.review, **changes))


def _without_key(order: RunOrder) -> RunOrder:
    """The order as it was sent, but for the keys of servers, which have no business in an episode."""
    return replace(order, reasoner=_keyless(order.reasoner), backbone=_keyless(order.backbone))


def _keyless(choice: PartChoice) -> PartChoice:
    return PartChoice(choice.name, {name: value for name, value in choice.options.items() if not is_secret(name)})
