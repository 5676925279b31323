"""The address of a server: which are taken, how it is shown, and whether a key may go there."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from . import faults

__all__ = ["Address", "check_key", "is_loopback", "parse_address"]

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL}){{0,126}}\.?")


@dataclass(frozen=True)
class Address:
    """``http://host:8000/v1``, taken apart; what is asked for is put together from these parts and nothing else.

    Attributes
    ----------
    scheme : {"http", "https"}
    host : str
        In lower case and ASCII; an IPv6 address without brackets.
    port : int or None
    path : str
        Without a slash at its end.
    """

    scheme: str
    host: str
    port: int | None
    path: str

    @property
    def place(self) -> str:
        """Host and port, to be shown: it holds no path, in which some servers have a key."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host

    @property
    def origin(self) -> str:
        """What a key belongs to: ``"https://host"`` or ``"https://host:8443"``."""
        return f"{self.scheme}://{self.place}"

    @property
    def url(self) -> str:
        return self.origin + self.path

    @property
    def loopback(self) -> bool:
        """Whether it is this computer."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host, by name or number, is this computer."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def parse_address(url: str) -> Address:
    """An address as the user typed it.

    Raises
    ------
    UsageError
        ``server-missing``; ``server-invalid`` where it is none, is of neither http nor https, or has user, password, a
        query or a fragment.
    """
    url = url.strip()
    if not url:
        raise faults.no_address()
    if not url.isprintable() or " " in url:
        raise faults.bad_address("This is not an address of a server.")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _host(parts.hostname or "", bracketed="[" in parts.netloc)
    except ValueError:
        raise faults.bad_address("This is not an address of a server.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise faults.bad_address("Give the server's address as https://… or http://…")
    if "@" in parts.netloc:
        raise faults.bad_address("Leave user and password out of the address; there is a field for the key.")
    if parts.query or parts.fragment or url[-1] in "?#":
        raise faults.bad_address("Leave everything from ? or # on out of the address.")
    return Address(parts.scheme, host, port, parts.path.rstrip("/"))


def check_key(address: Address, key: str) -> None:
    """Refuse a key that can't be one, or that would go to another computer unencrypted.

    Raises UsageError ``server-key-invalid``, ``server-key-unencrypted``.
    """
    if not re.fullmatch(r"[!-~]*", key):
        raise faults.bad_key()
    if key and address.scheme == "http" and not address.loopback:
        raise faults.key_in_clear()


def _host(name: str, *, bracketed: bool) -> str:
    """In ASCII. Raises ValueError for what can't be the name or number of a computer."""
    if bracketed or ":" in name:
        return str(ipaddress.IPv6Address(name))
    if not name.isascii():
        name = name.encode("idna").decode("ascii")
    if name and not _NAME.fullmatch(name):
        raise ValueError(name)
    return name
