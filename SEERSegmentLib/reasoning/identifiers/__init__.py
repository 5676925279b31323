"""Identifiers in requests: names, record numbers, dates, telephone numbers, before a text leaves the computer.

Knows nothing of servers or consent: it says what stands where in a text, and masks it. docs/identifiers.md says how
well.
"""

from __future__ import annotations

from .identifier import KINDS, Identifier
from .screen import find_identifiers, masked

__all__ = ["KINDS", "Identifier", "find_identifiers", "masked"]
