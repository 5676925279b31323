"""What would leave the machine in a run, to whom, and what the user has allowed (DESIGN seam 7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..worker.messages import CapabilitiesReport, PartChoice, PartReport
from . import wording
from .catalogue import find_part
from .choices import IDENTIFIERS_OPTION, KEY_OPTION, behind, wants_server
from .seams import Preferences

__all__ = ["Consents", "Sending", "secrets_in", "secrets_of", "sendings", "server_of"]


#: Views that run through the whole volume, and are remembered as something else than a few snapshots of it.
_SERIES = ("medvol-r1",)


@dataclass(frozen=True)
class Sending:
    """A part that sends something, in one run.

    Attributes
    ----------
    kind, choice : str, PartChoice
    server : str
    what : {"snapshots", "volume"}
    preset : str
        Of the views that are sent; empty where it is not known, or the volume is sent.
    phrasings : int
        Rephrasings of the request that are sent besides it.
    """

    kind: str
    choice: PartChoice
    server: str
    what: str
    preset: str = ""
    phrasings: int = 0

    @property
    def identifiers(self) -> str:
        """What becomes of a patient's name or number in the request; empty for a part that doesn't look for them."""
        return self.choice.options.get(IDENTIFIERS_OPTION, "")

    @property
    def series(self) -> bool:
        """Whether the views run through the whole volume."""
        return self.preset in _SERIES

    @property
    def scope(self) -> frozenset[str]:
        """All that has to be allowed for it to go without a question."""
        more = (("slices", self.series), ("identifiers", self.identifiers == "send"))
        return frozenset({self.what, *(name for name, is_sent in more if is_sent)})


class Consents:
    """What may be sent to whom without asking, as the preferences keep it."""

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences

    def granted(self, sending: Sending) -> bool:
        """Whether all of this was allowed for good; one allowance does not imply another."""
        return sending.scope <= set(self._preferences.get("consents").get(sending.server, ()))

    def remember(self, sending: Sending) -> None:
        consents = dict(self._preferences.get("consents"))
        consents[sending.server] = sorted({*consents.get(sending.server, ()), *sending.scope})
        self._preferences.set("consents", consents)

    def forget(self) -> None:
        self._preferences.set("consents", {})


def sendings(
    parts: dict[str, PartChoice], capabilities: CapabilitiesReport, described: PartReport | None = None
) -> Iterator[Sending]:
    """What the chosen parts (by kind) send, each by itself and through the part behind it.

    Parameters
    ----------
    parts : dict
        Kind → choice.
    capabilities : CapabilitiesReport
    described : PartReport or None
        The reasoner as it is with its options. It may add to what is sent, and take nothing from it.

    Raises
    ------
    UsageError
        ``part-unavailable``, ``server-missing``, ``server-invalid``.
    """
    for kind, choice in parts.items():
        names = (choice.name, behind(choice)) if behind(choice) else (choice.name,)
        known = [_part(capabilities, kind, name) for name in names]
        known += [described] if described is not None and kind == described.kind else []
        server = server_of(choice)
        for what in dict.fromkeys(part.sends for part in known if part.sends):
            yield Sending(kind, choice, server, what)


def _part(capabilities: CapabilitiesReport, kind: str, name: str) -> PartReport:
    part = find_part(capabilities, kind, name)
    if part is None:
        raise wording.part_unavailable(kind, name)
    return part


def server_of(choice: PartChoice) -> str:
    """Who a part talks to: its address without user, password and query, or its own name where it has none.

    Raises
    ------
    UsageError
        ``server-missing`` (a part that wants a server, without an address), ``server-invalid``.
    """
    url = choice.options.get("url", "")
    if not url:
        if wants_server(choice):
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
