"""The panel on the harness: how long it takes to open, and how long it keeps the application waiting during a run.

Slicer's core, and PySide6 as a stand-in for its Qt, with the shipped SEERSegment.py and .ui; the worker runs as its own
process, as in Slicer. Every measurement is made in a process of its own. What the stand-in needs to read PySide6's
signatures and enums, when a class or member is met for the first time, is taken out; the rest of its cost is included.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REPEATS = 3
VOLUMES = {"sample": "ct-chest, 128 × 128 × 34", "large": "generated chest, 512 × 512 × 300"}


def measured(bytecode: Path, *what: str) -> Any:
    """What a new process measured.

    Raises
    ------
    RuntimeError
        It ended with an error; the text is what it said.
    """
    # Slicer keeps the bytecode of its modules; a first start that compiles them is not what is measured.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(bytecode)
    command = [sys.executable, "-m", "bench.panel_process", *what]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def row(what: str, wall: float, cpu: float | None = None, bar: float | None = None) -> None:
    """A line of the table: milliseconds, of which CPU time of the Qt thread, the bar and whether it holds."""
    used = "" if cpu is None else f"{cpu:.0f}"
    limit = "" if bar is None else f"≤ {bar:g}"
    verdict = "" if bar is None else "pass" if wall <= bar else "FAIL"
    print(f"| {what} | {wall:.0f} | {used} | {limit} | {verdict} |", flush=True)


def print_opening(bytecode: Path) -> None:
    """From the booted application to the first paint."""
    runs = [measured(bytecode, "open") for _ in range(REPEATS + 1)][1:]
    best = min(runs, key=lambda run: float(run["wall"]))
    row(f"panel open after `import slicer`, best of {REPEATS}", best["wall"], best["cpu"], 300)
    row("taken out of it: PySide6's signatures and enums", best["harness"])


def print_run(bytecode: Path, volume: str) -> None:
    """From the click on Run to done, and its pictures shown."""
    runs = [measured(bytecode, "run", volume) for _ in range(REPEATS)]
    middle = sorted((run["block"] for run in runs), key=lambda block: float(block["wall"]))[REPEATS // 2]
    row(f"{volume}: longest block during a run, median of {REPEATS}", middle["wall"], middle["cpu"], 50)
    for what, key in (("the commit of the segments, apart", "commit"), ("surfaces by Show 3D, apart", "surfaces")):
        wall, cpu = (statistics.median(run[key][n] for run in runs) for n in (0, 1))
        row(f"{volume}: {what} ({runs[0]['segments']} segments)", wall, cpu)


def print_cancel(bytecode: Path, volume: str) -> None:
    """Cancel while copying, reasoning and segmenting."""
    runs = [measured(bytecode, "cancel", volume) for _ in range(REPEATS)]
    for phase in runs[0]:
        found = [run[phase] for run in runs if run[phase] is not None]
        if not found:
            continue  # over before it could be cancelled
        row(f"{volume}: cancel while {phase}: Run again", statistics.median(f["effect"] for f in found), bar=250)
        waits = [f["acknowledged"] for f in found if f["acknowledged"] is not None]
        if waits:
            row(f"{volume}: cancel while {phase}: acknowledged by the worker", statistics.median(waits))
        middle = sorted((f["block"] for f in found), key=lambda block: float(block["wall"]))[len(found) // 2]
        row(f"{volume}: cancel while {phase}: longest block", middle["wall"], middle["cpu"], 50)


def main() -> None:
    """Print the figures, the bars, and what takes longest."""
    with tempfile.TemporaryDirectory() as folder:
        bytecode = Path(folder)
        print("Sizes:", "; ".join(f"{name}: {what}" for name, what in VOLUMES.items()))
        print(
            f"Median of {REPEATS} processes unless said otherwise; other work on the machine makes blocks longer: the"
        )
        print("Qt thread's own CPU time within the same block stands beside them.\n")
        print("| what | ms | CPU, ms | bar | |\n|---|---|---|---|---|")
        print_opening(bytecode)
        for volume in VOLUMES:
            print_run(bytecode, volume)
            print_cancel(bytecode, volume)
        for volume in VOLUMES:
            print(f"\nThe five slowest calls in the Qt thread during a run, {volume} (own CPU time, with tracing):\n")
            print("| call | longest, ms | calls |\n|---|---|---|")
            for name, milliseconds, count in measured(bytecode, "calls", volume)["calls"]:
                print(f"| {name} | {milliseconds:.1f} | {count} |", flush=True)


if __name__ == "__main__":
    main()
