"""``seer demo``, which also starts where SEER's dependencies are not installed yet."""

from __future__ import annotations

import argparse
import subprocess

from .bootstrap import dependencies_present, make_environment
from .console import Console
from .demo import run_demo

__all__ = ["run"]


def run(parsed: argparse.Namespace, console: Console) -> int:
    """Run the demo here, or in an environment made for it. Raises SeerError, SystemExit."""
    flags = [f"--{name}" for name in ("json", "quiet", "debug") if getattr(parsed, name)]
    if dependencies_present():
        return run_demo(parsed.output, *flags)
    python = make_environment()
    command = [str(python), "-m", "SEERSegmentLib", "demo", "--output", str(parsed.output), *flags]
    return subprocess.run(command, check=False).returncode
