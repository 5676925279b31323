"""Testing the connection to a reasoner's server: one GET of its list of models; no image and no request goes there."""

from __future__ import annotations

import ipaddress
import json
import threading
import time
from typing import Any
from urllib.parse import SplitResult, urlsplit

from ..protocols import CancelToken
from .messages import PartChoice, ProbeReport

__all__ = ["probe"]

#: Time for all of it, in seconds.
LIMIT_S = 10.0

_MAX_ANSWER = 1 << 20
_MAX_MODELS, _MAX_NAME = 200, 200
_POLL_S = 0.05


def probe(job: str, reasoner: PartChoice, cancel: CancelToken) -> ProbeReport:
    """Ask the server at option ``url`` for ``/models``, with option ``key`` as bearer token if there is one.

    The key goes to that address alone: redirects are not followed, ``.netrc`` is not read, and it is not sent
    unencrypted to another computer. Raises Cancelled.
    """
    url, key, model = (reasoner.options.get(name, "").strip() for name in ("url", "key", "model"))
    try:
        address = urlsplit(url)
        wrong = _refusal(address, key)
    except ValueError:
        return ProbeReport(job, False, "This is not an address of a server.")
    if wrong:
        return ProbeReport(job, False, wrong)

    outcome: list[tuple[bool, str, tuple[str, ...]]] = []
    # A thread of the worker's own, so that a cancel does not wait for a server that says nothing.
    asking = threading.Thread(target=lambda: outcome.append(_ask(url, address, key, model)), daemon=True)
    asking.start()
    ends = time.monotonic() + LIMIT_S
    while asking.is_alive() and time.monotonic() < ends:
        cancel.check()
        asking.join(_POLL_S)
    ok, said, models = outcome[0] if outcome else (False, _silent(address), ())
    return ProbeReport(job, ok, said, models)


def _refusal(address: SplitResult, key: str) -> str:
    """Why nothing is sent to an address; empty where it is."""
    if address.scheme not in ("http", "https") or not address.hostname:
        return "Give the server's address as https://… or http://…"
    if address.username or address.password:
        return "Leave user and password out of the address; there is a field for the key."
    if address.query or address.fragment:
        return "Leave everything from ? or # on out of the address."
    _ = address.port  # raises ValueError for one that is none
    if key and address.scheme == "http" and not _is_loopback(address.hostname):
        return "The key would go over the network unencrypted; use https:// for a server on another computer."
    return ""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _ask(url: str, address: SplitResult, key: str, model: str) -> tuple[bool, str, tuple[str, ...]]:
    import requests
    from requests import exceptions as wrong

    def authorise(request: Any) -> Any:  # also keeps requests from looking into .netrc
        if key:
            request.headers["Authorization"] = f"Bearer {key}"
        return request

    place = _place(address)
    try:
        with requests.Session() as session:
            session.trust_env = not _is_loopback(address.hostname or "")  # no proxy between this computer and itself
            asked = f"{url.rstrip('/')}/models"
            with session.get(asked, auth=authorise, timeout=LIMIT_S, allow_redirects=False, stream=True) as answer:
                return _understood(answer, place, key, model)
    except wrong.SSLError:
        return False, f"The certificate of {place} is not trusted, so nothing was sent.", ()
    except wrong.ProxyError:
        return False, f"The proxy of this network doesn't let SEER through to {place}.", ()
    except wrong.Timeout:
        return False, _silent(address), ()
    except wrong.ConnectionError as error:
        if "refused" in str(error).lower():
            return False, f"Nothing answers at {place}: is the server running?", ()
        if "resolve" in str(error).lower() or "getaddrinfo" in str(error).lower():
            return False, f"There is no computer of the name {address.hostname} on this network.", ()
        return False, f"The connection to {place} failed.", ()
    except (wrong.RequestException, ValueError, OSError):
        # what they say may quote the header with the key, so their words are not passed on
        return False, f"{place} could not be asked; check the address and the key.", ()


def _understood(answer: Any, place: str, key: str, model: str) -> tuple[bool, str, tuple[str, ...]]:
    status = answer.status_code
    if status in (401, 403):
        said = "does not accept this key" if key else "asks for a key"
        return False, f"{place} {said}.", ()
    if 300 <= status < 400:
        there = urlsplit(answer.headers.get("Location", "")).netloc.rpartition("@")[2]
        return False, f"{place} sends one on{f' to {there}' if there else ''}; give that address itself.", ()
    if status == 404:
        return False, f"{place} answers, but has no list of models here; the address often ends in /v1.", ()
    if status != 200:
        return False, f"{place} answers with an error (HTTP {status}).", ()
    try:
        listed = json.loads(_body(answer))["data"]
        models = tuple(str(row["id"])[:_MAX_NAME] for row in listed[:_MAX_MODELS])
    except (ValueError, KeyError, TypeError, RecursionError):
        return False, f"{place} answers, but not as a server of models does; check the address.", ()
    said = f"Connected to {place}: {len(models)} model{'' if len(models) == 1 else 's'}."
    if model and model not in models:
        said += f" '{model}' is not among them."
    return True, said, models


def _body(answer: Any) -> bytes:
    body = b""
    for piece in answer.iter_content(65536):
        body += piece
        if len(body) > _MAX_ANSWER:
            raise ValueError("more than a list of models")
    return body


def _place(address: SplitResult) -> str:
    host = f"[{address.hostname}]" if ":" in (address.hostname or "") else address.hostname
    return f"{host}:{address.port}" if address.port else f"{host}"


def _silent(address: SplitResult) -> str:
    return f"{_place(address)} did not answer within {LIMIT_S:.0f} seconds."
