"""Keys stay out of logs and reports: what an order says of them is hidden, and so are their very characters."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from . import messages as m
from . import wire

__all__ = ["Secrets", "described", "is_secret"]

#: Parts of the names of options whose value is a secret, lower case.
_SECRET_NAMES = ("key", "token", "secret", "password")

#: Where a reasoner finds a key that nobody typed.
_KEY_VARIABLE = "SEER_API_KEY"

_HIDDEN = "•••"

#: User and password within an address.
_USER_INFO = re.compile(r"(?<=://)[^/\s]*@")

#: A shorter text than this occurs in other words, and is no key.
_SHORTEST = 4


class Secrets:
    """The keys that a worker was handed, or finds in its environment, for taking them out of what it says."""

    def __init__(self) -> None:
        given = os.environ.get(_KEY_VARIABLE, "").strip()
        self._known: set[str] = {given} if len(given) >= _SHORTEST else set()

    def learn(self, order: wire.Order) -> None:
        """Take note of an order's keys."""
        for choice in _choices(order):
            words = (value if is_secret(name) else _password(value) for name, value in choice.options.items())
            self._known.update(word for word in words if len(word) >= _SHORTEST)

    def masked(self, text: str) -> str:
        """A text without any key."""
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, _HIDDEN)
        return text


def described(order: wire.Order) -> str:
    """An order for the log: its kind and its parts, without what the user typed and without keys."""
    return " ".join((type(order).__name__, *(_description(choice) for choice in _choices(order))))


def _description(choice: m.PartChoice) -> str:
    options = (f"{name}={_HIDDEN if is_secret(name) else _shown(value)}" for name, value in choice.options.items())
    return f"{choice.name}({', '.join(options)})"


def _shown(value: str) -> str:
    return _USER_INFO.sub(f"{_HIDDEN}@", value)


def _password(value: str) -> str:
    try:
        return urlsplit(value).password or "" if "://" in value else ""
    except ValueError:
        return ""


def _choices(order: wire.Order) -> Iterator[m.PartChoice]:
    if isinstance(order, m.AgreementOrder | m.PreviewOrder | m.ReviewOrder):
        order = order.run
    if isinstance(order, m.RunOrder):
        yield order.backbone
    if isinstance(order, m.RunOrder | m.ProbeOrder | m.CapabilitiesOrder) and order.reasoner is not None:
        yield order.reasoner


def is_secret(name: str) -> bool:
    """Whether the value of an option of this name is a secret."""
    return any(part in name.lower() for part in _SECRET_NAMES)
