"""Recognises text that talks to the system instead of about the patient (steering.csv).

Such text is never acted on. It is set aside whole and shown in the rationale, whatever it asks for.
"""

from __future__ import annotations

import re
from functools import cache

from ...anatomy import normalise
from ...anatomy.tables import read_rows

__all__ = ["quotes_someone", "steers"]


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
