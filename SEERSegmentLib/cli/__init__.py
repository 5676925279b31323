"""The command ``seer``. Importing it loads Python's standard library only; each command imports what it needs."""

from __future__ import annotations

from .main import main

__all__ = ["main"]
