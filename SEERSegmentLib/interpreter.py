"""Which Python a process of its own is started with: this one, or that of 3D Slicer around it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

__all__ = ["python_interpreter"]

#: Slicer's launcher comes first: it sets what the interpreter behind it needs.
_NAMES = ("PythonSlicer", "python-real", "python3", "python")


def python_interpreter() -> str:
    """The program that runs Python scripts.

    Within 3D Slicer that is its launcher. Where ``sys.executable`` is the application that Python is embedded in, or
    nothing, it is never taken: started with a script, the application would open once more. Then the launcher is
    looked for on the PATH, and it or the interpreter around Python's own libraries; a name that the system may know is
    the last resort, so that an error says what is missing.
    """
    if Path(sys.executable or "").name.lower().startswith("python"):
        return sys.executable
    return shutil.which(_NAMES[0]) or _near_the_libraries() or "python3"


def _near_the_libraries() -> str | None:
    """Python's own installation has it in ``bin``, or beside the libraries on Windows; Slicer two folders above."""
    home = Path(sys.exec_prefix)
    folders = os.pathsep.join(str(folder) for folder in (home.parent.parent / "bin", home / "bin", home))
    return next((found for name in _NAMES if (found := shutil.which(name, path=folders))), None)
