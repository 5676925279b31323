"""Folders of the user that the library writes to."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """Where is kept what can be fetched or made again: ``$SEER_CACHE``, else ``seer`` in the user's cache folder."""
    chosen = os.environ.get("SEER_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or (
        os.environ.get("LOCALAPPDATA") if os.name == "nt" else str(Path.home() / ".cache")
    )
    return Path(base or Path.home() / ".cache") / "seer"
