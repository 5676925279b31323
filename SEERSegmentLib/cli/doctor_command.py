"""``seer doctor``: what is installed, what is ready, and what to do for the rest."""

from __future__ import annotations

import argparse
import inspect
import platform
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .. import __version__
from ..errors import SeerError
from ..output import as_plain
from ..protocols import Readiness
from ..registry import backbone_factory, backbone_names, reasoner_factory, reasoner_names
from .console import Console
from .results import aligned

__all__ = ["run"]

#: Distribution → what needs it; the first six are what 3D Slicer bundles.
_PACKAGES = {
    "numpy": "everything",
    "scipy": "measuring, segmenting",
    "SimpleITK": "segmenting, NIfTI output",
    "Pillow": "pictures",
    "pydicom": "DICOM",
    "requests": "reasoners on a server",
    "slicerio": ".seg.nrrd output",
    "rich": "progress on a terminal",
    "rapidfuzz": "misspelt requests, faster",
    "pyspellchecker": "which words of a request are no errors",
    "torch": "a model on this computer",
    "transformers": "a model on this computer",
    "peft": "adapters on it",
}

#: SEER runs without these.
_OPTIONAL = frozenset({"peft", "pyspellchecker", "rapidfuzz", "requests", "rich", "torch", "transformers"})

#: How the command line gives a part what it can't be made without.
_OPTIONS = {"reference": "give --reference LABELMAP and --label-names FILE"}

#: What making a part that someone else wrote may raise: packages, files, options, drivers that are not as it expects.
_PART_ERRORS = (SeerError, ImportError, AttributeError, OSError, RuntimeError, TypeError, ValueError, LookupError)


def run(parsed: argparse.Namespace, console: Console) -> int:
    """Print the state of this installation; the exit code is 0 whatever it is."""
    packages = [_package(name, use) for name, use in _PACKAGES.items()]
    reasoners = [_part(name, reasoner_factory) for name in reasoner_names()]
    backbones = [_part(name, backbone_factory) for name in backbone_names()]
    console.text(f"SEER {__version__}, Python {platform.python_version()}, {platform.platform()}", sys.executable)
    console.text("", "Packages", *_lines(packages))
    console.text("", "Reasoners", *_lines(reasoners))
    console.text("", "Backbones", *_lines(backbones))
    console.json(
        {
            "status": "done",
            "seer": __version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            "packages": packages,
            "reasoners": reasoners,
            "backbones": backbones,
        }
    )
    return 0


def _package(name: str, use: str) -> dict[str, Any]:
    try:
        installed: str | None = version(name)
    except PackageNotFoundError:
        installed = None
    todo = "" if installed else f"pip install {name}" + (" (optional)" if name in _OPTIONAL else "")
    return {"name": name, "version": installed or "", "ready": installed is not None, "about": use, "what_to_do": todo}


def _part(name: str, find: Callable[[str], Callable[..., Any]]) -> dict[str, Any]:
    """A reasoner or a backbone, as far as it can be known without what only a run would give it."""
    try:
        factory = find(name)
        lacking = [p.name for p in inspect.signature(factory).parameters.values() if p.default is p.empty and _named(p)]
        made: Any = factory if lacking else factory()
        readiness = Readiness(True, _OPTIONS.get(name, f"needs {', '.join(lacking)}")) if lacking else made.readiness()
    except _PART_ERRORS as error:  # the doctor goes on to the next patient
        return {"name": name, "version": "", "ready": False, "about": "", "what_to_do": str(error)}
    info = getattr(made, "info", None)
    about = {
        key: as_plain(getattr(info, key)) for key in ("accepts", "modalities", "needs", "licence") if hasattr(info, key)
    }
    return {
        "name": name,
        "version": getattr(info, "version", ""),
        "ready": readiness.ready,
        "about": getattr(info, "summary", ""),
        "what_to_do": readiness.what_to_do,
        **about,
    }


def _named(parameter: inspect.Parameter) -> bool:
    return parameter.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _lines(rows: Iterable[dict[str, Any]]) -> list[str]:
    return aligned(
        [
            (
                f"  {'ready' if row['ready'] else 'MISSING'}",
                row["name"],
                row["version"],
                row["what_to_do"] or row["about"],
            )
            for row in rows
        ]
    )
