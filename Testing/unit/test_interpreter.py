"""Which Python is started for work beside the application."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from SEERSegmentLib.interpreter import python_interpreter

LAUNCHER = "/opt/Slicer/bin/PythonSlicer"


def _on_path(monkeypatch: pytest.MonkeyPatch, launcher: str | None) -> None:
    """Only PythonSlicer, or nothing, is on the PATH; folders that are named are searched as ever."""
    really = shutil.which

    def which(name: str, path: str | None = None) -> str | None:
        if path is not None:
            return really(name, path=path)
        return launcher if name == "PythonSlicer" else None

    monkeypatch.setattr(shutil, "which", which)


@pytest.mark.parametrize(
    ("executable", "chosen"),
    [
        ("/opt/python3.12", "/opt/python3.12"),
        (LAUNCHER, LAUNCHER),
        ("/opt/Slicer/bin/python-real", "/opt/Slicer/bin/python-real"),
        ("/opt/Slicer/bin/SlicerApp-real", LAUNCHER),
        ("", LAUNCHER),
        (None, LAUNCHER),
    ],
)
def test_python_itself_or_slicers_launcher_but_never_the_application(
    executable: str | None, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    _on_path(monkeypatch, LAUNCHER)
    assert python_interpreter() == chosen


@pytest.mark.skipif(os.name != "posix", reason="lays out an installation as on Linux and macOS")
@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        (("bin/PythonSlicer", "bin/python-real", "bin/SlicerApp-real"), "bin/PythonSlicer"),
        (("bin/python-real", "bin/SlicerApp-real"), "bin/python-real"),
        (("lib/Python/bin/python3", "bin/SlicerApp-real"), "lib/Python/bin/python3"),
        (("bin/SlicerApp-real",), None),
    ],
)
def test_without_a_launcher_on_the_path_the_installation_is_searched(
    files: tuple[str, ...], chosen: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib/Python").mkdir(parents=True)
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin/SlicerApp-real"))
    monkeypatch.setattr(sys, "exec_prefix", str(tmp_path / "lib/Python"))
    _on_path(monkeypatch, None)
    assert python_interpreter() == ("python3" if chosen is None else str(tmp_path / chosen))
