"""Recognises text that talks to the system instead of about the patient (steering.csv).

Such text is never acted on. It is set aside whole and shown in the rationale, whatever it asks for.
"""

from __future__ import annotations

import re
from functools import cache

from ...anatomy import normalise
from ...anatomy.tables import read_rows

__all__ = ["quotes_someone", "steers", "tagged"]

_TAG = re.compile(r"<\s*(/?)\s*([A-Za-z][\w-]{0,30})[^<>\n]{0,80}>")


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    by_kind: dict[str, list[str]] = {}
    for row in read_rows("steering.csv"):
        by_kind.setdefault(row["kind"], []).append(row["pattern"])
    return {kind: re.compile("|".join(patterns)) for kind, patterns in by_kind.items()}


def steers(text: str) -> bool:
    """Whether a text gives the system orders about itself, or claims someone's consent for what it adds."""
    words = normalise(text)
    return bool(_patterns()["steering"].search(words) or _patterns()["consent"].search(words))


def quotes_someone(text: str) -> bool:
    """Whether a text reports what a letter, a footer or another person says."""
    return bool(_patterns()["third-party"].search(normalise(text)))


def tagged(text: str) -> list[tuple[int, int]]:
    """Where a text is enclosed in tags, as pairs of start and end: markup is nothing that a person asks for."""
    opened: dict[str, int] = {}
    found: list[tuple[int, int]] = []
    for tag in _TAG.finditer(text):
        closing, name = tag[1], tag[2].casefold()
        if not closing:
            opened.setdefault(name, tag.start())
        elif name in opened:
            found.append((opened.pop(name), tag.end()))
    return found[:_MANY_TAGS]


_MANY_TAGS = 50
