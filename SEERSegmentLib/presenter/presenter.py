"""The presenter: the user's intents and the events of the world in, a new state out."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..errors import SeerError
from . import wording
from .attempt import Attempt, Result
from .board import Board
from .catalogue import Catalogue
from .choices import AUTOMATIC, EMBEDDED_REASONER, reasoner_choice
from .connection import Connection
from .consent import secrets_in
from .history import remembered
from .review import DECISIONS, Reviewer
from .runner import Runner
from .seams import Client, Committed, Inputs, Preferences, Scene, Timers
from .state import PanelState, Phase, ReviewState

__all__ = ["Presenter"]


class Presenter:
    """The panel's state machine; see the package for its phases.

    No intent raises for what a user does: it becomes ``state.error`` or ``state.review.error``. ``on_change`` is called
    with every new state, in order, before the intent, report or tick that brought it returns; it may send intents
    itself.

    Parameters
    ----------
    scene, client, timers, preferences
        The world; see :mod:`.seams`. The presenter closes ``client``.
    on_change : callable
    """

    def __init__(
        self,
        scene: Scene,
        client: Client,
        timers: Timers,
        preferences: Preferences,
        on_change: Callable[[PanelState], None],
    ) -> None:
        self._scene = scene
        self._client = client
        self._preferences = preferences
        self._committed: list[tuple[Committed, str]] = []  # this session's runs with their requests, newest last
        self._closed = False
        self._board = board = Board(on_change, self._derive, lambda: secrets_in(preferences), self._on_unexpected)
        catalogue = Catalogue(board)
        self._runner = Runner(board, scene, client, timers, preferences, catalogue, self._on_committed)
        self._reviewer = Reviewer(board, scene, client, preferences)
        self._connection = Connection(board, client, preferences, catalogue)
        board.state = PanelState(history=remembered(preferences.get("history")))

    @property
    def state(self) -> PanelState:
        """What the panel shows now."""
        return self._board.state

    # --- intents ------------------------------------------------------------------------------------------------------

    def run(self, text: str, inputs: Inputs) -> None:
        """Segment what the text asks for."""
        with self._board.turn():
            if self._free("Run"):
                self._begin(Attempt.of(self._preferences, text, inputs))

    def run_with_answer(self, answer: str, inputs: Inputs) -> None:
        """Execute an answer that the user wrote; the reasoner is not asked."""
        with self._board.turn():
            if not self._free("Run with this answer"):
                return
            if not answer.strip():
                self._board.set(error=self._board.shown(wording.answer_empty()))
                return
            text = self.state.request or answer
            self._begin(Attempt.of(self._preferences, text, inputs, answer=answer.strip()))

    def run_anyway(self, inputs: Inputs) -> None:
        """Run what a check blocked, as the user has seen it."""
        with self._board.turn():
            if not self._free("Run anyway"):
                return
            blocked = self._runner.blocked
            if blocked is None:
                self._board.log("Nothing was blocked; 'Run anyway' was ignored.")
                return
            if inputs.volume_id != blocked.inputs.volume_id:
                self._board.set(error=self._board.shown(wording.volume_differs()))
                return
            answer = blocked.answer
            if answer is None and not self._answers_the_same_again(blocked):
                answer = self.state.executable_answer or None  # what the user saw, and not what another reply may say
            self._begin(Attempt.of(self._preferences, blocked.text, inputs, answer=answer, run_anyway=True))

    def check_phrasing(self, text: str, inputs: Inputs) -> None:
        """Run rephrasings of the text and show how far their masks agree. A result that is shown stays."""
        with self._board.turn():
            if self._free("Check phrasing"):
                self._begin(Attempt.of_phrasings(self._preferences, text, inputs))

    def cancel(self) -> None:
        """Stop at once whatever is under way; the scene is as it was."""
        with self._board.turn():
            if self._closed:
                return
            self._connection.stop()
            self._reviewer.stop()
            if self._runner.attempt is not None:
                self._runner.stop("Cancelled; the scene is as it was.")
            elif self.state.phase is Phase.AWAITING_EDIT:
                self._dismiss("Cancelled; the scene is as it was.")

    def answer_consent(self, allow: bool, remember: bool = False) -> None:
        """Allow or refuse what ``state.consent`` asks; with ``remember`` the same is not asked again."""
        with self._board.turn():
            if not self._closed:
                self._runner.answer_consent(allow, remember)

    def preview(self) -> None:
        """Fill ``state.preview`` with what would be sent, while ``state.consent`` asks for it. Nothing is sent."""
        with self._board.turn():
            if not self._closed:
                self._runner.preview()

    def undo(self) -> None:
        """Take the newest run of this session out of the scene."""
        with self._board.turn():
            if not self._free("Undo"):
                return
            if not self._committed:
                self._board.log("There is no run to undo.")
                return
            committed, text = self._committed.pop()
            shown = self._runner.result
            is_shown = shown is not None and shown.committed is committed
            if is_shown:
                self._forget_result()
            if is_shown or self.state.phase is not Phase.AWAITING_EDIT:  # the question of a later run stays
                self._runner.blocked = None
                self._board.set(phase=Phase.IDLE, error=None, abstention=None, blocked=False)
            try:
                if self._scene.exists(committed.segmentation_id):
                    self._scene.undo(committed)
                    message = f"Undone: {text}"
                else:
                    message = "The segmentation of that run is no longer in the scene; there was nothing to undo."
            except SeerError as error:
                self._board.set(error=self._board.shown(error), message=error.user_message)
            else:
                self._board.log(message)
                self._board.set(message=message, error=None)

    def compare(self) -> None:
        """Fill ``state.review.comparison`` with the Dice between the proposal and the segments as they are now."""
        with self._board.turn():
            if self._free("Compare"):
                self._reviewer.compare(self._runner.result)

    def review(self, decision: str, reason: str = "") -> None:
        """Save the user's decision on the result: ``"approved"``, ``"corrected"``, ``"rejected"`` (with a reason).

        Raises
        ------
        ValueError
            For another decision: a mistake of the caller, not of a user.
        """
        if decision not in DECISIONS:
            raise ValueError(f"a decision is one of {', '.join(DECISIONS)}")
        with self._board.turn():
            if self._free("Review"):
                self._reviewer.review(self._runner.result, decision, reason)

    def refresh_capabilities(self) -> None:
        """Ask the worker which reasoners and backbones there are."""
        with self._board.turn():
            if self._free("Look up the parts"):
                self._connection.refresh_capabilities()

    def test_connection(self, kind: str = "") -> None:
        """Ask the server of the chosen reasoner, or of a ``kind``, whether it is there; see ``state.probe``."""
        with self._board.turn():
            if self._free("Test connection"):
                self._connection.test_connection(kind)

    def forget_consents(self) -> None:
        """Ask again before anything is sent; done at once, even while something runs."""
        with self._board.turn():
            if not self._closed:
                self._runner.forget_consents()

    def log(self, text: str) -> None:
        """A line for the log box: of the worker, or of the panel. Secrets are taken out."""
        with self._board.turn():
            if not self._closed:
                self._board.log(text)

    # --- events of the world ------------------------------------------------------------------------------------------

    def scene_closing(self) -> None:
        """The scene is about to be emptied: everything of it is abandoned and forgotten."""
        with self._board.turn():
            if self._closed:
                return
            self._runner.stop("The scene was closed; the run was stopped.")
            self._reviewer.forget()
            self._runner.forget()
            self._committed.clear()
            state = self.state
            fresh = PanelState(
                history=state.history,
                capabilities=state.capabilities,
                chosen=state.chosen,
                probe=state.probe,
                probing=state.probing,
                log=state.log,
            )
            self._board.set(**vars(fresh))

    def node_removed(self, node_id: str) -> None:
        """A node left the scene; what needed it stops with a sentence."""
        with self._board.turn():
            if not node_id or self._closed:
                return
            attempt = self._runner.attempt
            if attempt is not None and node_id == attempt.inputs.volume_id:
                self._runner.stop("The volume was removed from the scene; the run was stopped.")
            elif attempt is not None and node_id == attempt.inputs.segmentation_id:
                self._runner.stop("The segmentation was removed from the scene; the run was stopped.")
            elif self.state.phase is Phase.AWAITING_EDIT and node_id == self.state.volume_id:
                self._dismiss("The volume was removed from the scene; please choose another one.")
            self._forget_node(node_id)

    def close(self) -> None:
        """The panel goes away or the application quits: stop everything and tell nobody any more."""
        with self._board.turn():
            if self._closed:
                return
            self._runner.stop("The panel was closed; the run was stopped.")
            self._connection.stop()
            self._reviewer.leave()
            self._closed = True
        self._board.close()
        self._client.close()

    # --- within -------------------------------------------------------------------------------------------------------

    def _free(self, intent: str) -> bool:
        """Whether an intent can be followed now; if not, the log says why."""
        if self._closed:
            return False
        if self._runner.attempt is not None:
            waiting = self.state.phase is Phase.AWAITING_CONSENT
            why = "a question is waiting for its answer" if waiting else "a run is under way"
        elif self._reviewer.saving:
            why = "a review is being saved"
        else:
            return True
        self._board.log(f"'{intent}' was ignored: {why}.")
        return False

    def _begin(self, attempt: Attempt) -> None:
        if attempt.answer is not None and attempt.preset == AUTOMATIC:
            # no reasoner is asked: what its views were stays to be seen
            attempt.preset = self.state.views[0].preset if self.state.views else ""
        self._reviewer.leave()
        self._runner.begin(attempt)

    def _answers_the_same_again(self, blocked: Attempt) -> bool:
        """The embedded reasoner reads by rules: asked again, it keeps its own evidence, rationale and findings."""
        return blocked.reasoner.name == EMBEDDED_REASONER and reasoner_choice(self._preferences) == blocked.reasoner

    def _on_committed(self, attempt: Attempt, result: Result) -> None:
        self._committed.append((result.committed, attempt.text))

    def _dismiss(self, message: str) -> None:
        """The question of an abstention is not answered any more."""
        self._runner.blocked = None
        self._board.set(phase=Phase.CANCELLED, message=message, blocked=False)
        self._board.log(message)

    def _forget_node(self, node_id: str) -> None:
        self._committed = [kept for kept in self._committed if kept[0].segmentation_id != node_id]
        result = self._runner.result
        changes: dict[str, Any] = {}
        if result is not None and result.committed.segmentation_id == node_id:
            self._forget_result()
            if self._runner.attempt is None:
                changes["message"] = "The segmentation of the result was removed from the scene."
                self._board.log(changes["message"])
        if node_id == self.state.agreement_volume_id:
            changes["agreement_volume_id"] = ""
        self._board.set(**changes)

    def _forget_result(self) -> None:
        """The result is no longer in the scene. A review that is saved, or being saved, stays to be seen."""
        self._reviewer.leave()
        self._runner.result = None
        review = self.state.review
        kept = review if review.saved or self._reviewer.saving else ReviewState()
        self._board.set(segmentation_id="", segments=(), review=kept)

    def _derive(self, state: PanelState) -> PanelState:
        return replace(state, can_undo=bool(self._committed) and not _occupied(state))

    def _on_unexpected(self, error: Exception) -> None:
        """A mistake in SEER or in the scene: shown, and nothing is left hanging."""
        shown = self._board.shown(wording.unexpected("".join(traceback.format_exception(error))))
        if self._runner.attempt is not None:
            self._runner.stop(shown.message, Phase.FAILED)
        elif _occupied(self.state):  # it went wrong half-way out of a run
            self._board.set(phase=Phase.FAILED, consent=None)
        self._board.set(error=shown)


def _occupied(state: PanelState) -> bool:
    """An attempt lives: it is busy, or waits for an answer."""
    return state.phase.busy or state.phase is Phase.AWAITING_CONSENT
