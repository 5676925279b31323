"""One HTTP exchange with a server: bounded in size and time, ended from any thread, and nothing but what was asked for.

- A connection of its own: no cookies, no redirects, no ``.netrc``, no proxy between this computer and itself. Another
  computer is reached by the proxy that the environment or the system names, and trusted by its certificate:
  ``REQUESTS_CA_BUNDLE`` names certificates of one's own.
- The answer comes as it is: it is asked for uncompressed, and refused compressed, so that nothing can swell.
"""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import urllib3
from requests.utils import get_environ_proxies, select_proxy

from ... import __version__
from ...errors import ServiceError
from . import faults
from .address import Address
from .background import Background
from .connections import Adapter, Way
from .line import Line

__all__ = ["LONGEST_ANSWER", "Answer", "exchange"]

#: Bytes of an answer: a reply of 4,096 tokens, streamed with all that servers put around each, takes 1.5 MB.
LONGEST_ANSWER = 8 << 20

_PIECE = 1 << 16
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_WRONG = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)


@dataclass(frozen=True, eq=False)
class Answer:
    """The head of an answer, and its body in pieces as they come."""

    status: int
    headers: Mapping[str, str]
    place: str
    line: Line
    _raw: Any

    @property
    def kind(self) -> str:
        """Its media type, in lower case and without parameters; empty where it has none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def pieces(self, longest: int = LONGEST_ANSWER) -> Iterator[bytes]:
        """The body. Raises ServiceError ``server-cut-off``, ``server-too-long``."""
        length = self.headers.get("Content-Length", "")
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        lacking = int(length) if length.isdecimal() and not chunked else 0
        read = 0
        while piece := self._read():
            read += len(piece)
            if read > longest:
                raise faults.too_long(self.place, f"more than {longest} bytes")
            yield piece
        if read < lacking:  # newer versions of urllib3 see to it themselves
            raise faults.cut_off(self.place, f"{read} of {lacking} bytes")

    def body(self, longest: int = LONGEST_ANSWER) -> bytes:
        """All of the body. Raises as pieces does."""
        return b"".join(self.pieces(longest))

    def _read(self) -> bytes:
        """What has come, at least one byte; nothing at the end."""
        try:
            if hasattr(self._raw, "read1"):
                piece: bytes = self._raw.read1(_PIECE, decode_content=False)
            else:  # urllib3 before 2.1 has none of its own
                piece = self._raw._fp.read1(_PIECE)
        except _WRONG as error:
            raise faults.cut_off(self.place, type(error).__name__) from None
        return piece


@contextmanager
def exchange(
    method: str,
    address: Address,
    path: str,
    background: Background,
    *,
    key: str = "",
    body: bytes | None = None,
) -> Iterator[Answer]:
    """Ask, and hand out the answer as soon as its head is there; the connection ends with the block.

    Parameters
    ----------
    method, path : str
        ``"POST"``, ``"/chat/completions"``.
    address : Address
    background : Background
        Whose time it takes, and which ends it.
    key : str
        Sent as bearer token.
    body : bytes, optional
        JSON.

    Raises
    ------
    ServiceError
    NotSent
        It failed before anything was sent.
    """
    headers = {
        "User-Agent": f"seer-segment/{__version__}",
        "Accept": "text/event-stream, application/json",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    if body is not None:
        headers["Content-Type"] = "application/json"
    if key:
        headers["Authorization"] = f"Bearer {key}"
    with background.line() as line, closing(Adapter(Way(address, line, background))) as adapter:
        response = _sent(adapter, requests.Request(method, address.url + path, headers, data=body), address, background)
        with closing(response):
            if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
                raise faults.compressed(address.place)
            yield Answer(response.status_code, response.headers, address.place, line, response.raw)


def _sent(adapter: Adapter, request: requests.Request, address: Address, background: Background) -> requests.Response:
    trusted, proxies = _trusted(), _proxies(address)
    try:
        return adapter.send(request.prepare(), stream=True, timeout=background.left(), verify=trusted, proxies=proxies)
    except _WRONG as error:
        raise _fault(error, address, background) from None


def _trusted() -> bool | str:
    for variable in _CERTIFICATES:
        if path := os.environ.get(variable):
            if not Path(path).exists():
                raise faults.certificates_unreadable(variable)
            return path
    return True


def _proxies(address: Address) -> dict[str, str]:
    if address.loopback:
        return {}
    proxies: dict[str, str] = get_environ_proxies(address.url)
    chosen = select_proxy(address.url, proxies) or ""
    if chosen.lower().startswith("socks"):
        raise faults.proxy_kind()
    return proxies


def _fault(error: Exception, address: Address, background: Background) -> ServiceError:
    """What went wrong after a connection was made. What libraries say may quote the headers, so it is not passed on."""
    kinds = {type(cause) for cause in _causes(error)}
    detail = type(error).__name__
    if any(issubclass(kind, TimeoutError) for kind in kinds) or isinstance(error, requests.Timeout):
        return faults.cut_off(address.place, "no answer in time")
    if any(issubclass(kind, http.client.RemoteDisconnected) for kind in kinds):
        return faults.cut_off(address.place, "closed without an answer")
    if isinstance(error, requests.exceptions.ProxyError):
        return faults.proxy(address.place)
    if isinstance(error, (requests.exceptions.InvalidHeader, ValueError)) or any(
        issubclass(kind, http.client.HTTPException) for kind in kinds
    ):
        return faults.not_http(address.place)
    return faults.cut_off(address.place, detail)


def _causes(error: BaseException, depth: int = 6) -> Iterator[BaseException]:
    """An error and those that it wraps, in its arguments as urllib3 does, or as what it came from."""
    yield error
    if depth:
        inner = [one for one in error.args if isinstance(one, BaseException)]
        inner += [one for one in (getattr(error, "reason", None), error.__cause__) if isinstance(one, BaseException)]
        for one in inner:
            yield from _causes(one, depth - 1)
