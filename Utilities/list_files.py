#!/usr/bin/env python3
"""Write the lists of files that CMake installs: ``files.cmake`` beside each CMakeLists.txt that has one.

Slicer's package holds what CMake is told of and nothing else, and CMake itself must not glob: a list that is checked
in shows in a review what comes and goes. ``python Utilities/list_files.py`` rewrites the lists;
``Testing/unit/test_packaging.py`` compares them with the tree.
"""

from __future__ import annotations

import sys
from pathlib import Path

#: Folders that are installed, each with its list.
FOLDERS = ("SEERSegment", "SEERSegmentLib")
_NOT_INSTALLED = {"CMakeLists.txt", "files.cmake"}


def installed_files(folder: Path) -> tuple[list[str], list[str]]:
    """Scripts and resources below a folder, as sorted POSIX paths relative to it."""
    scripts, resources = [], []
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in relative.parts)
        if not path.is_file() or hidden or path.suffix == ".pyc" or relative.as_posix() in _NOT_INSTALLED:
            continue
        (scripts if path.suffix == ".py" else resources).append(relative.as_posix())
    return scripts, resources


def cmake_list(folder: Path) -> str:
    """The text of a folder's ``files.cmake``."""
    lines = ["# Written by Utilities/list_files.py; run it after adding or removing a file."]
    for name, files in zip(("SCRIPTS", "RESOURCES"), installed_files(folder), strict=True):
        lines += [f"set({folder.name}_{name}", *(f"  {file}" for file in files), "  )"]
    return "\n".join(lines) + "\n"


def main() -> int:
    root = Path(__file__).resolve().parents[1]
    for name in FOLDERS:
        (root / name / "files.cmake").write_text(cmake_list(root / name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
