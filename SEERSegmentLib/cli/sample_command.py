"""``seer sample``: real volumes to try SEER on."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..anatomy import label_set
from ..errors import StorageError, UsageError
from ..imaging.samples import SAMPLES, export_sample
from ..output.atomic import write_atomically
from ..values import Modality
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
    if modality := SAMPLES[parsed.name].labels_of:
        written["label names"] = _write_label_names(parsed.output / "label-names.csv", modality)
    console.text(*(f"Wrote {path}  ({part})" for part, path in written.items()))
    console.json(
        {
            "status": "done",
            "sample": _described(parsed.name),
            "files": {part: str(path) for part, path in written.items()},
        }
    )
    return 0


def _write_label_names(path: Path, modality: Modality) -> Path:
    """The names of the labels, as `seer segment --label-names` takes them. Raises StorageError."""
    rows = [f"{label},{name}\n" for label, name in label_set(modality).items()]
    content = "".join(["id,name\n", *rows]).encode()
    if path.exists() and path.read_bytes() != content:
        raise StorageError(
            f"{path} exists already and names other labels; choose another folder.", code="output-exists"
        )
    with write_atomically(path) as partial:
        partial.write_bytes(content)
    return path


def _described(name: str) -> dict[str, object]:
    sample = SAMPLES[name]
    return {
        "name": name,
        "summary": sample.summary,
        "parts": list(sample.parts),
        "package": sample.package.requirement,
        "licence": sample.package.licence,
    }
