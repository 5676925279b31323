"""The connection classes that requests is given: each socket is known from its birth, and each error has its name.

What goes wrong here goes wrong before anything was sent: :class:`NotSent` says so, and that trying again is safe.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from ...errors import ServiceError
from . import faults
from .address import Address, is_loopback
from .background import Background
from .line import Line

__all__ = ["Adapter", "NotSent", "Way"]

#: Longest wait for one address of a computer to take a connection, in seconds.
_CONNECT_S = 10.0


class NotSent(Exception):
    """Nothing was sent: ``error`` says why."""

    def __init__(self, error: ServiceError) -> None:
        super().__init__()
        self.error = error


@dataclass(frozen=True)
class Way:
    """Where to, on which line, within which time."""

    address: Address
    line: Line
    background: Background

    def connect(self, host: str, port: int | None, *, by_proxy: bool) -> socket.socket:
        """A socket connected to the first of a computer's addresses that takes it. Raises ServiceError, NotSent."""
        place = self.address.place
        try:
            found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            if by_proxy:
                raise faults.proxy(place) from None
            if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
                raise NotSent(faults.unknown_host(self.address.host, for_now=True)) from None
            raise faults.unknown_host(self.address.host) from None
        if self.address.loopback:  # whatever a hosts file makes of "localhost"
            found = [one for one in found if is_loopback(str(one[4][0]))]
        fault = faults.unreachable(place)
        for number, (family, kind, protocol, _, where) in enumerate(found):
            connection = socket.socket(family, kind, protocol)
            try:
                self.line.hold(connection)
                connection.settimeout(min(_CONNECT_S, self.background.left() / (len(found) - number)))
                connection.connect(where)
            except ConnectionRefusedError:
                fault = faults.refused(place)
            except OSError:
                pass
            else:
                connection.settimeout(self.background.left())
                return connection
            connection.close()
        raise faults.proxy(place) if by_proxy else NotSent(fault)


class _OnWay:
    """Makes the connections of urllib3 go the Way."""

    way: Way
    host: str
    port: int
    proxy: Any

    def _new_conn(self) -> socket.socket:
        return self.way.connect(self.host, self.port, by_proxy=self.proxy is not None)

    def connect(self) -> None:
        place = self.way.address.place
        try:
            super().connect()  # type: ignore[misc]  # of the urllib3 class that it is mixed with
        except ValueError:  # an untrusted certificate, in all versions of ssl and urllib3
            raise faults.certificate(place) from None
        except (ssl.SSLError, urllib3.exceptions.SSLError):
            raise faults.tls(place) from None
        except (OSError, urllib3.exceptions.HTTPError):
            raise faults.proxy(place) if self.proxy is not None else NotSent(faults.unreachable(place)) from None

    def send(self, data: Any) -> None:
        try:
            super().send(data)  # type: ignore[misc]
        except ConnectionResetError:
            # A server that has read enough to refuse may have answered before it hung up: after this, all versions of
            # urllib3 read on.
            raise BrokenPipeError from None


class Adapter(HTTPAdapter):  # type: ignore[misc]  # untyped here
    """requests' transport for one exchange on one Way."""

    def __init__(self, way: Way) -> None:
        plain = type("Plain", (_OnWay, HTTPConnection), {"way": way})
        secure = type("Secure", (_OnWay, HTTPSConnection), {"way": way})
        self._pools = {
            "http": type("PlainPool", (urllib3.HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("SecurePool", (urllib3.HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager
