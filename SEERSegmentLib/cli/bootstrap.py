"""Make SEER's environment in a checkout, with nothing but Python's standard library.

``python -m SEERSegmentLib.cli.bootstrap [EXTRA ...]`` makes ``.venv`` beside pyproject.toml and installs SEER there,
editable, with the extras named. ``python -m SEERSegmentLib demo`` calls it when SEER's own dependencies are missing.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

__all__ = ["dependencies_present", "main", "make_environment"]

#: Import names of what the embedded path needs; see pyproject.toml.
_NEEDED = ("numpy", "scipy", "SimpleITK", "PIL", "pydicom", "slicerio", "rich")
_OLDEST_PYTHON = (3, 10)


def dependencies_present() -> bool:
    """Whether this interpreter can run SEER as it is."""
    return all(importlib.util.find_spec(name) is not None for name in _NEEDED)


def make_environment(extras: tuple[str, ...] = ()) -> Path:
    """Make or update the checkout's ``.venv`` and return its interpreter.

    Raises
    ------
    SystemExit
        With a sentence that says what is missing: an older Python, no checkout, no venv module, no network.
    """
    if sys.version_info < _OLDEST_PYTHON:
        raise SystemExit(f"SEER needs Python 3.10 or newer; this is {sys.version.split()[0]}.")
    root = Path(__file__).resolve().parents[2]
    if not (root / "pyproject.toml").is_file():
        raise SystemExit("SEER's dependencies are missing; install them with: pip install seer-segment")
    folder = root / ".venv"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    marker = folder / "-".join((".ready", *sorted(extras)))
    if marker.is_file() and marker.stat().st_mtime >= (root / "pyproject.toml").stat().st_mtime:
        return python
    print(f"Making SEER's environment in {folder} (once, a minute or two) ...", file=sys.stderr, flush=True)
    if not python.exists() and subprocess.run([sys.executable, "-m", "venv", str(folder)], check=False).returncode:
        raise SystemExit("Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv")
    wanted = f"{root}[{','.join(extras)}]" if extras else str(root)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", wanted]
    if subprocess.run(command, check=False).returncode:
        raise SystemExit("SEER's dependencies could not be installed; is there a network?")
    marker.touch()
    return python


def main(arguments: list[str]) -> int:
    """Make the environment with the extras named on the command line."""
    make_environment(tuple(arguments))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
