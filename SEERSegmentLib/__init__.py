"""SEER: free-text promptable 3D segmentation with reasoning that can be audited. Research use only.

Importing this package loads nothing but this file; the names below are imported when first used, so that a
command line, Slicer's start-up or a worker pays only for what it touches.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

#: Public name → module that holds it.
_EXPORTS = {
    "Abstention": "values",
    "Job": "pipeline",
    "Mask": "values",
    "Modality": "values",
    "Reasoning": "values",
    "Request": "values",
    "Segmentation": "values",
    "SeerError": "errors",
    "TargetSpec": "values",
    "View": "values",
    "Volume": "values",
    "load_vocabulary": "anatomy",
    "read_volume": "imaging",
    "render_views": "imaging",
    "resolve_answer": "anatomy",
    "run": "pipeline",
    "write_segmentation": "output",
}

__all__ = ["__version__", *_EXPORTS]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(importlib.import_module(f"{__name__}.{_EXPORTS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
