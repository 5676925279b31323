"""What would leave the machine in a run, to whom, and what the user has allowed (DESIGN seam 7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..worker.messages import CapabilitiesReport, PartChoice, PartReport
from . import wording
from .preferences import KEY_OPTION, REASONER_KINDS
from .seams import Preferences

__all__ = ["Consents", "Sending", "find_part", "secrets_in", "secrets_of", "sendings", "server_of"]


@dataclass(frozen=True)
class Sending:
    """A part that sends something: ``what`` is ``"snapshots"`` or ``"volume"``."""

    kind: str
    name: str
    server: str
    what: str


class Consents:
    """What may be sent to whom without asking, as the preferences keep it."""

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences

    def granted(self, sending: Sending) -> bool:
        """Whether exactly this was allowed for good; one allowance does not imply another."""
        return sending.what in self._preferences.get("consents").get(sending.server, ())

    def remember(self, sending: Sending) -> None:
        consents = dict(self._preferences.get("consents"))
        consents[sending.server] = sorted({*consents.get(sending.server, ()), sending.what})
        self._preferences.set("consents", consents)

    def forget(self) -> None:
        self._preferences.set("consents", {})


def find_part(capabilities: CapabilitiesReport | None, kind: str, name: str) -> PartReport | None:
    """What is known of a part; None where nothing is."""
    parts = capabilities.parts if capabilities else ()
    return next((part for part in parts if part.kind == kind and part.name == name), None)


def sendings(parts: dict[str, PartChoice], capabilities: CapabilitiesReport) -> Iterator[Sending]:
    """What the chosen parts (by kind) send. Raises UsageError ``part-unavailable``, ``server-missing`` …"""
    for kind, choice in parts.items():
        part = find_part(capabilities, kind, choice.name)
        if part is None:
            raise wording.part_unavailable(kind, choice.name)
        server = server_of(choice)
        if part.sends:
            yield Sending(kind, choice.name, server, part.sends)


def server_of(choice: PartChoice) -> str:
    """Who a part talks to: its address without user, password and query, or its own name where it has none.

    Raises
    ------
    UsageError
        ``server-missing`` (the remote reasoner without an address), ``server-invalid``.
    """
    url = choice.options.get("url", "")
    if not url:
        if choice.name == REASONER_KINDS["remote"]:
            raise wording.server_missing()
        return choice.name
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise wording.server_invalid() from error
    if parts.scheme not in ("http", "https") or not host or any(c.isspace() for c in url):
        raise wording.server_invalid()
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def secrets_of(choice: PartChoice) -> tuple[str, str]:
    """What of a choice must never be shown: its key, and a password within its address."""
    return choice.options.get(KEY_OPTION, ""), _password(choice.options.get("url", ""))


def secrets_in(preferences: Preferences) -> tuple[str, str]:
    """What of the preferences must never be shown, whether it is in use or not."""
    return preferences.get("remoteKey").strip(), _password(preferences.get("remoteUrl"))


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""
