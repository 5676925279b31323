"""Keys stay out of logs and reports: what an order says of them is hidden, and so are their very characters."""

from __future__ import annotations

from collections.abc import Iterator

from . import messages as m
from . import wire

__all__ = ["Secrets", "described"]

#: Parts of the names of options whose value is a secret, lower case.
_SECRET_NAMES = ("key", "token", "secret", "password")

_HIDDEN = "•••"

#: A shorter text than this occurs in other words, and is no key.
_SHORTEST = 4


class Secrets:
    """The keys that a worker was handed, for taking them out of what it says."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def learn(self, order: wire.Order) -> None:
        """Take note of an order's keys."""
        for choice in _choices(order):
            self._known.update(
                value for name, value in choice.options.items() if _is_secret(name) and len(value) >= _SHORTEST
            )

    def masked(self, text: str) -> str:
        """A text without any key."""
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, _HIDDEN)
        return text


def described(order: wire.Order) -> str:
    """An order for the log: its kind and its parts, without what the user typed and without keys."""
    return " ".join((type(order).__name__, *(_description(choice) for choice in _choices(order))))


def _description(choice: m.PartChoice) -> str:
    options = (f"{name}={_HIDDEN if _is_secret(name) else value}" for name, value in choice.options.items())
    return f"{choice.name}({', '.join(options)})"


def _choices(order: wire.Order) -> Iterator[m.PartChoice]:
    if isinstance(order, m.AgreementOrder | m.ReviewOrder):
        order = order.run
    if isinstance(order, m.RunOrder):
        yield order.backbone
    if isinstance(order, m.RunOrder | m.ProbeOrder):
        yield order.reasoner


def _is_secret(name: str) -> bool:
    return any(part in name.lower() for part in _SECRET_NAMES)
