"""Where episodes are kept when the user has not chosen."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["default_folder"]


def default_folder() -> Path:
    """``seer/episodes`` in the user's data folder, as the operating system has it; nothing is made or looked at.

    ``%LOCALAPPDATA%`` on Windows, ``~/Library/Application Support`` on macOS, else ``$XDG_DATA_HOME`` or
    ``~/.local/share``.
    """
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Application Support")
    else:
        base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "seer" / "episodes"
