"""``seer sample``: real volumes to try SEER on."""

from __future__ import annotations

import argparse

from ..errors import UsageError
from ..imaging.samples import SAMPLES, export_sample
from .console import Console
from .results import aligned

__all__ = ["run"]


def run(parsed: argparse.Namespace, console: Console) -> int:
    """List the samples, or fetch one. Raises UsageError, ServiceError, StorageError."""
    if parsed.list:
        console.text(*aligned([(name, sample.summary) for name, sample in SAMPLES.items()]))
        console.json({"status": "done", "samples": [_described(name) for name in SAMPLES]})
        return 0
    if parsed.name is None:
        raise UsageError("Name a sample, or add --list to see them.", code="sample-unnamed")
    if parsed.output is None:
        raise UsageError("Say where to put the sample: -o DIR.", code="sample-folder-missing")
    written = export_sample(parsed.name, parsed.output)
    console.text(*(f"Wrote {path}  ({part})" for part, path in written.items()))
    console.json(
        {
            "status": "done",
            "sample": _described(parsed.name),
            "files": {part: str(path) for part, path in written.items()},
        }
    )
    return 0


def _described(name: str) -> dict[str, object]:
    sample = SAMPLES[name]
    return {
        "name": name,
        "summary": sample.summary,
        "parts": list(sample.parts),
        "package": sample.package.requirement,
        "licence": sample.package.licence,
    }
