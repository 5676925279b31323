"""``python -m SEERSegmentLib.worker``, or this file's path: be a worker process."""

from __future__ import annotations

import sys
from pathlib import Path

if not __package__:  # run by its path: its own folder is on the path then, and its modules are no top-level ones
    here = Path(__file__).resolve().parent
    sys.path[:] = [str(here.parents[1]), *(entry for entry in sys.path if not entry or Path(entry).resolve() != here)]

from SEERSegmentLib.worker.process import main

if __name__ == "__main__":
    raise SystemExit(main())
