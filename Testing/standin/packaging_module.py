# ruff: noqa: N803 - the names are Slicer's
"""``slicer.packaging``, in Slicer since 5.12: asks as the application does, and only notes what it would install."""

from __future__ import annotations

import importlib.metadata
import re
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .dialogs import dialogs

__all__ = ["make"]


def make() -> types.ModuleType:
    """The module."""
    module = types.ModuleType("slicer.packaging")
    for function in (load_requirements, pip_check, pip_ensure, pip_install):
        setattr(module, function.__name__, function)
    return module


def load_requirements(path: str | Path) -> list[str]:
    """The requirements of a file, comments left out."""
    lines = (line.split("#")[0].strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def _list(requirements: Any) -> list[str]:
    if isinstance(requirements, str):
        return requirements.split()
    return [str(each) for each in requirements]


def pip_check(requirement: Any) -> bool:
    """Whether a package of that name is there; versions are not compared."""
    name = re.split(r"[<>=!~\[; ]", str(requirement))[0]
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def pip_ensure(
    requirements: Any,
    constraints: Any = None,
    skip_packages: list[str] | None = None,
    prompt_install: bool = True,
    prompt_restart: bool = True,
    requester: str | None = None,
    skip_in_testing: bool = True,
    show_progress: bool = True,
) -> list[str] | None:
    """Ask and note what is missing. Raises RuntimeError where the user declines, as the application does."""
    import slicer

    missing = [each for each in _list(requirements) if not slicer.packaging.pip_check(each)]
    if not missing or (skip_in_testing and slicer.app.testingEnabled()):
        return None
    if prompt_install and not slicer.util.confirmOkCancelDisplay(
        f"{len(missing)} Python packages need to be installed.", requester or "", detailedText="\n".join(missing)
    ):
        raise RuntimeError("User declined package installation")
    return pip_install(missing, constraints, requester=requester)


def pip_install(
    requirements: Any,
    constraints: Any = None,
    no_deps_requirements: Any = None,
    skip_packages: list[str] | None = None,
    blocking: bool = True,
    show_progress: bool = True,
    requester: str | None = None,
    logCallback: Callable[[str], None] | None = None,
    completedCallback: Callable[[int], None] | None = None,
) -> list[str] | None:
    """Note it. Without blocking the call-back comes from the event loop; in testing mode it is always blocking."""
    import qt
    import slicer

    dialogs.installed.append(" ".join(_list(requirements)))
    if not blocking and completedCallback is not None and not slicer.app.testingEnabled():
        qt.QTimer.singleShot(0, lambda: completedCallback(0))
    return None
