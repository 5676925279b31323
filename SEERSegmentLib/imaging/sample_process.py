"""Fetch a sample in a process of its own: ``python sample_process.py NAME``, for callers that must not wait.

Two JSON lines come out: ``{"pid": …}`` at once, and at the end ``{"path": …}`` or ``{"code": …, "message": …,
"detail": …}``. The process leads a group of its own where the system has such, so that killing the group ends pip too.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Fetch the volume of the sample named by the only argument."""
    if hasattr(os, "setsid"):
        with contextlib.suppress(OSError):  # the leader of a group already
            os.setsid()
    _say({"pid": os.getpid()})
    from SEERSegmentLib.errors import SeerError
    from SEERSegmentLib.imaging.samples import fetch_sample

    try:
        (name,) = arguments
        path = fetch_sample(name)
    except SeerError as error:
        _say({"code": error.code, "message": error.user_message, "detail": error.detail})
        return error.exit_code
    _say({"path": str(path)})
    return 0


def _say(what: dict[str, object]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    # Run as a file, wherever the library lies: its parent is searched, this folder is not.
    folder = Path(__file__).resolve().parent
    sys.path[:] = [str(folder.parents[1]), *(entry for entry in sys.path if Path(entry or ".").resolve() != folder)]
    sys.exit(main(sys.argv[1:]))
