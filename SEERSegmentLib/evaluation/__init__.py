"""How good, and how stable, results are."""

from __future__ import annotations

from .agreement import Agreement, Phrasing, check_agreement

__all__ = ["Agreement", "Phrasing", "check_agreement"]
