"""Takes one attempt at a time along: parts → consent → copy → order → reports → scene."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import SeerError
from ..values import Finding, Reasoning, Skill, Stage
from ..worker.messages import (
    AbstentionReport,
    AgreementOrder,
    AgreementReport,
    CancelledReport,
    CapabilitiesOrder,
    CapabilitiesReport,
    ErrorReport,
    PartChoice,
    ProgressReport,
    RunOrder,
    RunReport,
    ViewPicture,
    VolumeFile,
)
from ..worker.wire import Report
from . import wording
from .attempt import Attempt, Result
from .board import Board
from .catalogue import Catalogue, effective_preset, stand_in_for
from .consent import secrets_of, server_of
from .copying import SlabLoop
from .history import remembered
from .permission import Permission
from .preview import Previewer
from .seams import Client, Preferences, Scene, Timers
from .state import Activity, Phase, ReviewState

__all__ = ["BLOCKED", "Runner"]

#: Code of the abstention that stands for a blocking finding.
BLOCKED = "blocked"

#: What a new attempt clears of the state, whatever it is of …
_PROGRESS: dict[str, Any] = {
    "stage": "",
    "message": "",
    "note": "",
    "fraction": None,
    "finished": None,
    "consent": None,
    "preview": None,
    "error": None,
    "abstention": None,
    "blocked": False,
    "agreement": None,
    "agreement_volume_id": "",
}
#: … and what goes with the result.
_RESULT: dict[str, Any] = {
    "views": (),
    "skills": (),
    "reasoning": None,
    "streaming": False,
    "executable_answer": "",
    "findings": (),
    "segmentation_id": "",
    "segments": (),
    "review": ReviewState(),
}


class Runner:
    """The attempt that lives, the result that is shown, and the last attempt that a check blocked.

    ``on_committed`` is handed each new result, once it is in the scene.
    """

    def __init__(
        self,
        board: Board,
        scene: Scene,
        client: Client,
        timers: Timers,
        preferences: Preferences,
        catalogue: Catalogue,
        on_committed: Callable[[Attempt, Result], None],
    ) -> None:
        self._board = board
        self._scene = scene
        self._client = client
        self._timers = timers
        self._preferences = preferences
        self._catalogue = catalogue
        self._permission = Permission(board, preferences, catalogue, self._copy)
        self._on_committed = on_committed
        self._jobs: list[str] = []  # whose files may lie in the session folder
        self._previewer = Previewer(board, scene, client, timers, lambda job: self._jobs.append(job))
        self.attempt: Attempt | None = None
        self.result: Result | None = None
        self.blocked: Attempt | None = None

    def begin(self, attempt: Attempt) -> None:
        """Start an attempt, unless something is missing: then the error is shown, and a result stays as it is."""
        board = self._board
        board.hide(*secrets_of(attempt.reasoner), *secrets_of(attempt.backbone))
        try:
            self._check(attempt)
        except SeerError as error:
            shown = board.shown(error)
            keep = board.state.phase in (Phase.DONE, Phase.AWAITING_EDIT)
            board.set(phase=board.state.phase if keep else Phase.FAILED, error=shown)
            return
        history = remembered(board.state.history, attempt.text)
        self._preferences.set("history", list(history))
        changes = dict(_PROGRESS, phase=Phase.PREPARING, activity=attempt.activity, history=history)
        if attempt.activity is Activity.RUN or self.result is None:
            changes |= {**_RESULT, "request": attempt.text, "volume_id": attempt.inputs.volume_id}
            self.result = None
        self.attempt, self.blocked = attempt, None
        self._discard_files()
        board.set(**changes, started=self._timers.now())
        if self._catalogue.knows(attempt.parts):
            self._ask_consents(attempt)
        else:
            board.set(message="Looking up what the chosen parts would send")
            self._send(attempt, self._catalogue.order(self._client.new_job(), attempt.reasoner))

    def answer_consent(self, allow: bool, remember: bool) -> None:
        """The user's answer to the question that is shown."""
        attempt = self.attempt
        if attempt is None or self._board.state.consent is None:
            self._board.log("There is no question to answer.")
            return
        self._previewer.stop()
        if refused := self._permission.answer(attempt, allow, remember):
            self.stop(f"Cancelled: nothing was sent to {refused}.")

    def preview(self) -> None:
        """Show what would be sent if the question that is shown were answered with yes."""
        if self.attempt is None or self._board.state.consent is None:
            self._board.log("There is no question, so nothing would be sent.")
            return
        self._previewer.begin(self.attempt)

    def forget_consents(self) -> None:
        self._permission.forget()

    def stop(self, message: str, phase: Phase = Phase.CANCELLED) -> None:
        """End the attempt at once, whatever it is doing. The scene has not been touched."""
        attempt = self.attempt
        if attempt is None:
            return
        self._previewer.stop()
        self._end(attempt, phase=phase, message=message)
        self._board.log(message)
        if attempt.loop is not None:
            attempt.loop.stop()
        if attempt.job:
            self._client.cancel(attempt.job)

    def forget(self) -> None:
        """No result and no question any more."""
        self.result = self.blocked = None

    # --- on the way ---------------------------------------------------------------------------------------------------

    def _check(self, attempt: Attempt) -> None:
        """What is missing is said before anything is done. Raises SeerError."""
        inputs = attempt.inputs
        if not inputs.volume_id:
            raise wording.volume_not_chosen()
        if not self._scene.exists(inputs.volume_id):
            raise wording.volume_gone()
        if inputs.segmentation_id and not self._scene.exists(inputs.segmentation_id):
            raise wording.output_gone()
        if not attempt.text:
            raise wording.request_empty()
        for choice in attempt.parts.values():
            server_of(choice)

    def _ask_consents(self, attempt: Attempt) -> None:
        try:
            self._settle(attempt)
            self._permission.ask(attempt)
        except SeerError as error:
            self._fail(attempt, error)

    def _settle(self, attempt: Attempt) -> None:
        """Decide what depends on the parts: the views, and who draws from boxes. Raises SeerError."""
        state, reasoner = self._board.state, None
        if attempt.answer is None:
            reasoner = self._catalogue.described(attempt.reasoner)
            if reasoner is not None and attempt.reasoner.options and not reasoner.ready:
                raise wording.part_not_ready(reasoner)  # before anybody is asked whether it may send
            attempt.preset = effective_preset(attempt.preset, reasoner)
        chosen = attempt.backbone.name
        if instead := stand_in_for(chosen, state.capabilities, reasoner, attempt.answer):
            attempt.backbone = PartChoice(instead)
            note = wording.stand_in(chosen, instead)
            self._board.log(note)
            self._board.set(note=note)

    def _copy(self, attempt: Attempt) -> None:
        board = self._board
        # time that the user took to answer a question is no time of the run
        started = self._timers.now()
        board.set(phase=Phase.PREPARING, consent=None, message="Copying the volume", fraction=0.0, started=started)
        try:
            copying = self._scene.copy_volume(attempt.inputs.volume_id, self._client.folder)
        except SeerError as error:
            self._fail(attempt, error)
            return
        attempt.loop = SlabLoop(
            copying,
            self._timers,
            board.turn,
            lambda share: board.set(fraction=share),
            lambda file: self._order(attempt, file),
            lambda error: self._fail(attempt, error),
        )

    def _order(self, attempt: Attempt, file: VolumeFile) -> None:
        attempt.loop = None
        inputs = attempt.inputs
        try:
            crop = self._scene.crop(inputs.volume_id, inputs.roi_id) if inputs.roi_id else None
        except SeerError as error:
            self._fail(attempt, error)
            return
        attempt.order = attempt.run_order(self._client.new_job(), file, crop)
        self._board.set(phase=Phase.REASONING, message="", fraction=None)
        if attempt.activity is Activity.RUN:
            self._send(attempt, attempt.order)
        else:
            self._send(attempt, AgreementOrder(attempt.order.job, attempt.order, attempt.phrasings, attempt.seed))

    def _send(self, attempt: Attempt, order: RunOrder | AgreementOrder | CapabilitiesOrder) -> None:
        attempt.job = order.job  # before it is sent: a client may answer at once
        self._jobs.append(order.job)
        try:
            self._client.send(order, lambda report: self._on_report(attempt, report))
        except SeerError as error:
            attempt.job = ""
            self._fail(attempt, error)

    def _discard_files(self) -> None:
        """Files of attempts whose masks and pictures nobody shows any more."""
        kept = self.result.order.job if self.result else ""
        for job in self._jobs:
            if job != kept:
                self._client.discard(job)
        self._jobs = [kept] if kept else []

    # --- what comes back ----------------------------------------------------------------------------------------------

    def _on_report(self, attempt: Attempt, report: Report) -> None:
        if self.attempt is not attempt or getattr(report, "job", "") != attempt.job:
            return  # late: the attempt has ended
        with self._board.turn():
            if isinstance(report, ProgressReport):
                self._show_progress(attempt, report)
                return
            attempt.job = ""
            if isinstance(report, CapabilitiesReport) and attempt.order is None:
                self._catalogue.take(report, attempt.reasoner)
                self._ask_consents(attempt)
            elif isinstance(report, RunReport) and attempt.activity is Activity.RUN:
                self._commit(attempt, report)
            elif isinstance(report, AgreementReport) and attempt.activity is Activity.PHRASING:
                self._show_agreement(attempt, report)
            elif isinstance(report, AbstentionReport):
                self._abstain(attempt, report)
            elif isinstance(report, ErrorReport):
                self._fail(attempt, report)
            elif isinstance(report, CancelledReport):
                self.stop("The worker process stopped the run.")
            else:
                self._fail(attempt, wording.report_unexpected(type(report).__name__))

    def _show_progress(self, attempt: Attempt, report: ProgressReport) -> None:
        segmenting = report.stage in (Stage.SEGMENT, Stage.CHECK)
        changes: dict[str, Any] = {
            "phase": Phase.SEGMENTING if segmenting else Phase.REASONING,
            "stage": report.stage.value,
            "fraction": report.fraction,
            "message": self._board.clean(report.message),
        }
        if attempt.activity is Activity.RUN:  # rephrasings leave what is shown of the request's own run
            changes |= _values(report)
        self._board.set(**changes)

    def _commit(self, attempt: Attempt, report: RunReport) -> None:
        assert attempt.order is not None
        try:
            committed = self._scene.commit(report, attempt.inputs, attempt.text, self._client.folder)
        except SeerError as error:
            self._fail(attempt, error)
            return
        if self.attempt is not attempt:  # what the commit set off (a node removed) has ended the run
            self._scene.undo(committed)
            return
        result = Result(attempt.order, report, committed)
        self.result = result
        self._on_committed(attempt, result)
        seconds = self._timers.now() - (self._board.state.started or 0.0)
        names = tuple(shown.piece.name for shown in committed.segments)
        self._end(
            attempt,
            phase=Phase.DONE,
            message=wording.result_sentence(names, sum(s.piece.volume_ml for s in committed.segments), seconds),
            views=report.views,
            skills=report.skills,
            reasoning=report.reasoning,
            streaming=False,
            findings=report.findings,
            segmentation_id=committed.segmentation_id,
            segments=committed.segments,
        )
        self._board.log(self._board.state.message)

    def _show_agreement(self, attempt: Attempt, report: AgreementReport) -> None:
        volume_id = ""
        if report.agreement is not None:
            try:
                volume_id = self._scene.add_agreement(report, attempt.inputs.volume_id, self._client.folder)
            except SeerError as error:
                self._fail(attempt, error)
                self._board.set(agreement=report)
                return
        if self.attempt is attempt:
            self._end(attempt, phase=Phase.DONE, agreement=report, agreement_volume_id=volume_id)

    def _abstain(self, attempt: Attempt, report: AbstentionReport) -> None:
        abstention = report.abstention
        blocked = abstention.code == BLOCKED
        self.blocked = attempt if blocked else None
        changes: dict[str, Any] = {"executable_answer": report.answer} if report.answer else {}
        if attempt.activity is Activity.RUN:
            changes["findings"] = abstention.findings
        self._end(attempt, phase=Phase.AWAITING_EDIT, abstention=abstention, blocked=blocked, **changes)
        self._board.log(f"{abstention.code}: {abstention.reason}")

    def _fail(self, attempt: Attempt, error: SeerError | ErrorReport) -> None:
        if self.attempt is attempt:
            shown = self._board.shown(error)
            self._end(attempt, phase=Phase.FAILED, error=shown, message=shown.message)

    def _end(self, attempt: Attempt, **changes: Any) -> None:
        """Nothing lives any more. A reasoning that was cut off is no reasoning; a whole one can be run again."""
        state = self._board.state
        ended: dict[str, Any] = {"stage": "", "message": "", "fraction": None, "consent": None, "preview": None}
        if attempt.activity is Activity.RUN:
            reasoning = changes.get("reasoning", None if state.streaming else state.reasoning)
            ended |= {"reasoning": reasoning, "streaming": False}
            ended["executable_answer"] = reasoning.answer if reasoning else ""
        self.attempt = None
        self._board.set(**{**ended, "finished": self._timers.now(), **changes})


def _values(report: ProgressReport) -> dict[str, Any]:
    """What a run's progress brings to show."""
    value = report.value
    if isinstance(value, Reasoning):
        streaming = report.stage is Stage.REASON and report.fraction != 1.0
        return {"reasoning": value, "streaming": streaming}
    if isinstance(value, tuple) and value:
        names = {ViewPicture: "views", Skill: "skills", Finding: "findings"}
        return {names[type(value[0])]: value}
    return {}
