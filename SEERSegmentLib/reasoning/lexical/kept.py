"""Keeps what the engine makes of the tables' texts between runs: making it takes seconds, reading it a tenth.

The file lies in the user's cache folder, as JSON. Its name holds a digest of the tables and of the code that reads
them, so that it is never out of date; where it can't be written, all is made anew each time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from ...anatomy.normalise import DATA
from ...folders import cache_folder

__all__ = ["kept"]

_HERE = Path(__file__).parent


@cache
def _digest() -> str:
    digest = hashlib.sha256()
    sources = [*_HERE.glob("*.py"), *_HERE.parents[1].joinpath("anatomy").glob("*.py"), *Path(DATA).glob("*.csv")]
    for source in sorted(sources):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:20]


def kept(name: str, make: Callable[[], Any]) -> Any:
    """What ``make`` returns, plain data, from the file of an earlier run where there is one."""
    folder = cache_folder() / "tables"
    path = folder / f"{name}-{_digest()}.json"
    with contextlib.suppress(OSError, ValueError):
        return json.loads(path.read_text(encoding="utf-8"))
    made = make()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{name}-*.json"):
            old.unlink(missing_ok=True)
        handle, draft = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(made, file, ensure_ascii=False, separators=(",", ":"))
        Path(draft).replace(path)  # whole or not at all, whoever else reads it
    return made
