"""SEER's values as plain JSON values; the code lies beside the values, where the panel finds it without this room."""

from __future__ import annotations

from ..values.plain import as_plain

__all__ = ["as_plain"]
