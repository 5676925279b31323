"""Questions to the worker beside a run: which parts there are, and whether a server answers."""

from __future__ import annotations

from ..errors import SeerError
from ..worker.messages import CapabilitiesReport, ErrorReport, PartChoice, ProbeOrder, ProbeReport
from ..worker.wire import Report
from . import wording
from .board import Board
from .catalogue import Catalogue
from .choices import reasoner_choice, server_choice, wants_server
from .consent import secrets_of, server_of
from .seams import Client, Preferences

__all__ = ["Connection"]


class Connection:
    """At most one look-up of the parts and one connection test at a time."""

    def __init__(self, board: Board, client: Client, preferences: Preferences, catalogue: Catalogue) -> None:
        self._board = board
        self._client = client
        self._preferences = preferences
        self._catalogue = catalogue
        self._listing = ""
        self._listed: PartChoice | None = None  # with which reasoner it was asked
        self._list_again = False
        self._probing = ""

    def refresh_capabilities(self) -> None:
        """Ask which parts there are and which can run, and the same of the chosen reasoner with its options.

        Where that is being asked already, about other options, it is asked once more after it.
        """
        choice = reasoner_choice(self._preferences)
        if self._listing:
            self._list_again = choice != self._listed
            self._board.log("The parts are being looked up already.")
            return
        self._listed = choice
        self._board.hide(*secrets_of(choice))
        self._listing = job = self._client.new_job()
        try:
            self._client.send(self._catalogue.order(job, choice), lambda report: self._on_listing(job, choice, report))
        except SeerError as error:
            self._listing = ""
            self._board.set(error=self._board.shown(error))

    def test_connection(self, kind: str = "") -> None:
        """Ask the server of the chosen reasoner, or of a ``kind``, for an answer; neither image nor request is sent."""
        if self._probing:
            self._board.log("The connection is being tested already.")
            return
        choice = reasoner_choice(self._preferences, kind)
        choice = server_choice(self._preferences) if wants_server(choice) else choice
        self._board.hide(*secrets_of(choice))
        self._probing = job = self._client.new_job()
        self._board.set(probe=None, probing=True)
        try:
            self._board.log(f"Testing the connection to {server_of(choice)}.")
            self._client.send(ProbeOrder(job, choice), lambda report: self._on_probe(job, report))
        except SeerError as error:
            self._probed(ProbeReport(job, False, self._board.shown(error).message))

    def stop(self) -> None:
        """Wait for neither any more."""
        for job in filter(None, (self._listing, self._probing)):
            self._client.cancel(job)
        self._listing = self._probing = ""
        self._list_again = False
        self._board.set(probing=False)

    def _on_listing(self, job: str, choice: PartChoice, report: Report) -> None:
        if job != self._listing:
            return  # late
        with self._board.turn():
            self._listing = ""
            if isinstance(report, CapabilitiesReport):
                self._catalogue.take(report, choice)
            else:
                self._board.set(error=self._board.shown(_error(report)))
            if self._list_again:
                self._list_again = False
                self.refresh_capabilities()

    def _on_probe(self, job: str, report: Report) -> None:
        if job != self._probing:
            return  # late
        with self._board.turn():
            if isinstance(report, ProbeReport):
                clean = self._board.clean
                self._probed(ProbeReport(job, report.ok, clean(report.message), tuple(map(clean, report.models))))
            else:
                self._probed(ProbeReport(job, False, self._board.shown(_error(report)).message))

    def _probed(self, report: ProbeReport) -> None:
        self._probing = ""
        self._board.set(probe=report, probing=False)


def _error(report: Report) -> SeerError | ErrorReport:
    return report if isinstance(report, ErrorReport) else wording.report_unexpected(type(report).__name__)
