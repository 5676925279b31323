"""A launcher, the interpreter that it starts, and what that starts: all of them end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from SEERSegmentLib.worker import trees
from SEERSegmentLib.worker.trees import descendants, kill_tree

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows' own tool does it there")

#: Each starts the next as its child and writes its own id; the last one sleeps.
CHAIN = """
import os, subprocess, sys, time
depth, own_group = int(sys.argv[1]), sys.argv[2]
if depth == 1 and own_group == "yes":
    os.setsid()
print(os.getpid(), flush=True)
if depth < 3:
    subprocess.Popen([sys.executable, "-c", sys.argv[3], str(depth + 1), own_group, sys.argv[3]])
time.sleep(600)
"""

LIMIT_S = 30.0


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for yet counts as ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def wait_until_gone(pids: list[int]) -> None:
    ends = time.monotonic() + LIMIT_S
    while not all(gone(pid) for pid in pids):
        assert time.monotonic() < ends, f"still there: {[pid for pid in pids if not gone(pid)]}"
        time.sleep(0.01)


@pytest.fixture(params=["no", "yes"], ids=["same group", "own group"])
def chain(request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A launcher and the ids of it, its child, its grandchild and its great-grandchild."""
    command = [sys.executable, "-c", CHAIN, "0", request.param, CHAIN]
    launcher = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert launcher.stdout is not None
    pids = [int(launcher.stdout.readline()) for _ in range(4)]
    yield launcher, pids
    for pid in pids:
        if not gone(pid):
            os.kill(pid, 9)
    launcher.wait()
    launcher.stdout.close()


def test_descendants_are_found(chain: tuple[subprocess.Popen[str], list[int]]) -> None:
    _, pids = chain
    assert descendants([pids[0]]) == set(pids[1:])
    assert set(pids) <= descendants([os.getpid()])


def test_the_launcher_alone_is_enough_to_end_them_all(chain: tuple[subprocess.Popen[str], list[int]]) -> None:
    launcher, pids = chain
    kill_tree(launcher.pid)
    wait_until_gone(pids)


def test_they_end_where_the_launcher_has_gone_before(chain: tuple[subprocess.Popen[str], list[int]]) -> None:
    launcher, pids = chain
    launcher.kill()
    launcher.wait()
    kill_tree(None, pids[1])  # the worker's own id, as it said itself
    wait_until_gone(pids)


def test_the_group_ends_where_the_parents_between_have_gone() -> None:
    command = [sys.executable, "-c", CHAIN, "0", "yes", CHAIN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as launcher:
        assert launcher.stdout is not None
        pids = [int(launcher.stdout.readline()) for _ in range(4)]
        os.kill(pids[2], 9)  # the last one is an orphan now, of the worker's group
        wait_until_gone([pids[2]])
        kill_tree(launcher.pid, pids[1])
        wait_until_gone(pids)


def test_nobody_else_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: int) -> None:
        raise AssertionError(f"a signal was sent: {arguments}")

    monkeypatch.setattr(trees.os, "kill", never)
    monkeypatch.setattr(trees.os, "killpg", never)
    kill_tree(None, 0, 1, -1, os.getpid())


def test_the_table_of_processes_is_read_without_proc() -> None:
    listed = "    1     0\n  502   1\n nonsense\n 7 x\n\n  503   502\n"
    assert trees._from_ps(listed) == {1: 0, 502: 1, 503: 502}


def test_a_process_may_have_any_name(tmp_path: Path) -> None:
    entry = tmp_path / "42"
    entry.mkdir()
    (entry / "stat").write_text("42 (a) b) S 7 42 42 0 -1 4194304")
    assert trees._from_proc(entry) == (42, 7)
    assert trees._from_proc(tmp_path / "43") is None
