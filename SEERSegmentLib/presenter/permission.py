"""The user's permission: what an attempt would send is asked about, one server after the other, before it goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from .attempt import Attempt
from .board import Board
from .catalogue import Catalogue
from .consent import Consents, Sending, sendings
from .question import question
from .seams import Preferences
from .state import Phase

__all__ = ["Permission"]


class Permission:
    """Asks what has not been allowed for good; ``go_on`` gets the attempt once nothing is open any more."""

    def __init__(
        self, board: Board, preferences: Preferences, catalogue: Catalogue, go_on: Callable[[Attempt], None]
    ) -> None:
        self._board = board
        self._consents = Consents(preferences)
        self._catalogue = catalogue
        self._go_on = go_on

    def ask(self, attempt: Attempt) -> None:
        """Raises SeerError where a part is not there or has no usable address."""
        capabilities = self._board.state.capabilities
        assert capabilities is not None
        described = self._catalogue.described(attempt.reasoner) if attempt.answer is None else None
        found = sendings(attempt.parts, capabilities, described)
        attempt.questions = deque(self._of_attempt(sending, attempt) for sending in found)
        self._ask_next(attempt)

    def answer(self, attempt: Attempt, allow: bool, remember: bool) -> str:
        """The user's answer to the question that is shown. Who was refused, empty where nobody was."""
        sending = attempt.questions.popleft()
        if not allow:
            return sending.server
        what = " + ".join(sorted(sending.scope))
        self._board.log(f"Allowed: {what} to {sending.server}{', remembered' if remember else ', this once'}.")
        if remember:
            self._consents.remember(sending)
        attempt.allowed.add(sending.what)
        self._ask_next(attempt)
        return ""

    def forget(self) -> None:
        """Ask again before anything is sent."""
        self._consents.forget()
        self._board.log("Nothing is sent any more without asking.")

    def _ask_next(self, attempt: Attempt) -> None:
        while attempt.questions:
            sending = attempt.questions[0]
            if not self._consents.granted(sending):
                self._board.set(phase=Phase.AWAITING_CONSENT, message="", consent=question(sending), preview=None)
                return
            attempt.allowed.add(sending.what)
            attempt.questions.popleft()
        self._go_on(attempt)

    def _of_attempt(self, sending: Sending, attempt: Attempt) -> Sending:
        """The sending as it is in this very run: with its views, and the rephrasings of all wordings."""
        preset = attempt.preset if sending.what == "snapshots" else ""
        beside = int(sending.choice.options.get("rephrasings") or 0) if sending.kind == "reasoner" else 0
        wordings = (attempt.phrasings + 1) * (beside + 1)
        return replace(sending, preset=preset, phrasings=wordings - 1)
