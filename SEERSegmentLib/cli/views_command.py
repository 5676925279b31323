"""``seer views``: the pictures that a reasoner looks at, as files."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from pathlib import Path

from ..imaging import check_preset, encode_png, orientation_letters, render_views
from ..output import as_plain, check_writable
from ..output.atomic import write_atomically
from ..values import RESEARCH_USE_ONLY, Progress, Stage, View, Volume
from .console import Console
from .inputs import load_volume
from .interrupts import cancel_on_interrupt
from .targets import folder_for_results, refuse_collisions, refuse_existing

__all__ = ["run"]

_INDEX = "views.json"


def run(parsed: argparse.Namespace, console: Console) -> int:
    """Render and write the views. Raises SeerError."""
    folder: Path = parsed.output
    check_preset(parsed.preset, as_stored=parsed.as_stored)
    with folder_for_results(folder), cancel_on_interrupt() as cancel, console.progress() as emit:
        check_writable(folder / _INDEX)
        emit(Progress(Stage.READ))
        volume = load_volume(parsed, cancel)
        views = render_views(volume, parsed.preset, as_stored=parsed.as_stored, emit=emit, cancel=cancel)
        files = [folder / _file_name(view) for view in views]
        index = folder / _INDEX
        refuse_collisions((*files, index), (parsed.volume,))
        refuse_existing((*files, index), overwrite=parsed.overwrite)
        pictures = [encode_png(view, rgb=view.preset == "seer-v1") for view in views]
        cancel.check()
        content = _index(volume, views, files, as_stored=parsed.as_stored)
        with ExitStack() as together:  # all are written before any takes its name
            for file, picture in zip(files, pictures, strict=True):
                together.enter_context(write_atomically(file)).write_bytes(picture)
            text = json.dumps(content, indent=2) + "\n"
            together.enter_context(write_atomically(index)).write_text(text, encoding="utf-8")
    console.text(*(f"Wrote {file}" for file in (*files, index)))
    console.json({"status": "done", "files": {"views": [str(file) for file in files], "index": str(index)}} | content)
    return 0


def _file_name(view: View) -> str:
    """The official name of a seer-v1 slice; else the view's own, as in ``axial-057.png``."""
    if view.preset == "seer-v1":
        return f"z{view.slice_index:03d}.png"
    if view.slice_index is not None:
        return f"{view.plane.value}-{view.slice_index:03d}.png"
    return f"{view.name.lower().replace(' ', '-')}.png"


def _index(volume: Volume, views: tuple[View, ...], files: list[Path], *, as_stored: bool) -> dict[str, object]:
    return {
        "notice": RESEARCH_USE_ONLY,
        "preset": views[0].preset,
        "as_stored": as_stored,
        "volume": {"name": volume.name, "sha256": volume.sha256, "modality": volume.modality.value},
        "pixel_to_ras": "(column, row, 0, 1) of a pixel's centre to RAS in mm; the third column steps one slice",
        "views": [
            {
                "file": file.name,
                "name": view.name,
                "plane": view.plane.value,
                "slice_index": view.slice_index,
                "position_mm": view.position_mm,
                "window": as_plain(view.window),
                "pixel_to_ras": view.pixel_to_ras.tolist(),
                "letters": dict(zip(("left", "right", "top", "bottom"), orientation_letters(view), strict=True)),
                "sha256": view.sha256,
            }
            for view, file in zip(views, files, strict=True)
        ],
    }
