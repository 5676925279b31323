"""Ending a process with all that it started, on what Python itself has.

Slicer's interpreter is a launcher that starts the real one as its child, and a backbone may start children of its own:
ending the process that was started ends none of them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

__all__ = ["descendants", "end_with_children", "kill_tree"]

#: Rounds of looking for children; each stops what it finds, so that a further one finds only what was born meanwhile.
_ROUNDS = 5


def kill_tree(*roots: int | None) -> None:
    """End processes, their children, and theirs, now. Doesn't wait for them to be gone.

    Parameters
    ----------
    roots : int or None
        Process ids: the launcher's, and the worker's own once it is known. The worker leads a process group, so that
        also those of its descendants are found whose parents have ended. None, this process and ids that no process
        has are passed over. Call it only while the process that was started has not been waited for: an id may be
        given to a stranger later.
    """
    known = [pid for pid in roots if pid and pid > 1 and pid != os.getpid()]
    if sys.platform == "win32":
        for pid in known:
            _taskkill(pid)
        return
    found = _stopped_tree(known)
    for pid in known:
        with suppress(OSError):
            if os.getpgid(pid) == pid != os.getpgrp():
                os.killpg(pid, signal.SIGKILL)
    _signal(found, signal.SIGKILL)


def end_with_children(code: int) -> NoReturn:
    """End this process, at once and with all that it started; nothing is flushed."""
    if sys.platform == "win32":
        _taskkill(os.getpid()).wait()
    else:
        _signal(_stopped_tree(descendants([os.getpid()])), signal.SIGKILL)
    os._exit(code)


def descendants(roots: Iterable[int]) -> set[int]:
    """Ids of the children of processes, and of theirs, as they are now; without the roots themselves."""
    children: dict[int, set[int]] = defaultdict(set)
    for pid, parent in _parents().items():
        children[parent].add(pid)
    found: set[int] = set()
    ahead = [*roots]
    while ahead:
        new = children[ahead.pop()] - found
        found |= new
        ahead += new
    return found


def _stopped_tree(roots: Iterable[int]) -> set[int]:
    """Stop processes and their descendants, so that none can start another before it is killed; all their ids."""
    found = set(roots)
    _signal(found, signal.SIGSTOP)
    for _ in range(_ROUNDS):
        new = descendants(found) - found
        if not new:
            break
        _signal(new, signal.SIGSTOP)
        found |= new
    return found


def _taskkill(pid: int) -> subprocess.Popen[bytes]:
    """Windows' own tool, which knows the tree; without a console window."""
    no_window: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    nowhere = subprocess.DEVNULL
    command = ["taskkill", "/PID", str(pid), "/T", "/F"]
    return subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, creationflags=no_window)


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with suppress(OSError):  # it ended by itself meanwhile
            os.kill(pid, number)


def _parents() -> dict[int, int]:
    """Parent of every process of this computer; empty where it can't be told."""
    proc = Path("/proc")
    if (proc / "self" / "stat").exists():
        return dict(filter(None, (_from_proc(entry) for entry in proc.iterdir() if entry.name.isdigit())))
    try:
        listed = subprocess.run(
            ["/bin/ps", "-axo", "pid=,ppid="], capture_output=True, text=True, timeout=5, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    return _from_ps(listed)


def _from_ps(listed: str) -> dict[int, int]:
    rows = (line.split() for line in listed.splitlines())
    return {int(row[0]): int(row[1]) for row in rows if len(row) == 2 and row[0].isdigit() and row[1].isdigit()}


def _from_proc(entry: Path) -> tuple[int, int] | None:
    try:
        stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # "pid (name) state ppid …": the name may hold spaces and brackets
    return int(entry.name), int(stat.rpartition(")")[2].split()[1])
