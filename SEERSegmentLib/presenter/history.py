"""The requests that were run, newest first."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["MAX_HISTORY", "remembered"]

MAX_HISTORY = 50

#: A report pasted by mistake is no request that anyone picks from a list.
_LONGEST = 2_000


def remembered(history: Iterable[str], text: str = "") -> tuple[str, ...]:
    """The history with ``text`` as its newest entry: no duplicates, no blanks, at most ``MAX_HISTORY``."""
    entries = (entry.strip() for entry in (text, *history))
    return tuple(dict.fromkeys(entry for entry in entries if entry and len(entry) <= _LONGEST))[:MAX_HISTORY]
