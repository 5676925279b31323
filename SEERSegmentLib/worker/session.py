"""The session folder: where a panel and its worker lay what is too big for a line."""

from __future__ import annotations

import shutil
from pathlib import Path

__all__ = ["MARKER", "remove_session"]

#: Lies in a folder that a panel made for a session; a worker removes no other.
MARKER = ".seer-session"


def remove_session(folder: Path) -> None:
    """Remove a session folder whose panel has gone: patients' images must not outlive it. Any other is left alone."""
    if (folder / MARKER).is_file():
        shutil.rmtree(folder, ignore_errors=True)
