"""Opens the module's panel beside four views with a sample CT, for a person without Slicer.

``python -m Testing.standin.run_panel`` from the repository's root. With a display it is a window to work in; without
one a request is typed and run to its end, and pictures are written. ``--models`` writes pictures of the settings and of
runs with a scripted server in the place of a model.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "SEERSegment" / "SEERSegment.py"
REQUESTS = {"ct-chest": "outline both lungs", "example-ct": "all of the bones"}


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="run_panel", description=__doc__)
    parser.add_argument("--sample", choices=sorted(REQUESTS), default="ct-chest", help="the CT to open")
    parser.add_argument("--request", default="", help="what is typed without a display")
    parser.add_argument("--offscreen", action="store_true", help="write pictures even where there is a display")
    parser.add_argument("--models", action="store_true", help="pictures with a scripted server as the model")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "panel", help="where pictures go")
    return parser.parse_args(given)


def has_display() -> bool:
    """Whether a window can be shown to somebody."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def main(given: list[str] | None = None) -> int:
    """Run; 0 is done, 2 that something is missing, 5 that the run did not end well."""
    options = arguments(given)
    if not MODULE.is_file():
        print(f"The module is not in this checkout: {MODULE} is missing.", file=sys.stderr)
        return 2
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    try:
        from Testing.standin.window import Window
    except ImportError as error:
        print(f"{error}. Install the extra slicer-test: pip install -e '.[slicer-test]'", file=sys.stderr)
        return 2
    from SEERSegmentLib.errors import SeerError
    from SEERSegmentLib.imaging.samples import fetch_sample

    display = has_display() and not (options.offscreen or options.models)
    try:
        path = fetch_sample(options.sample)
        window = Window(MODULE, display)
        window.open_volume(path)
    except SeerError as error:
        print(error.user_message, file=sys.stderr)
        return 2
    if display:
        return window.run()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.models:
        from Testing.standin.model_pictures import write_model_pictures

        return _ended(window, write_model_pictures(window, options.out))
    return _write_pictures(window, options.request or REQUESTS[options.sample], options.out)


def _write_pictures(window: Any, request: str, folder: Path) -> int:
    """Type the request, wait for the end of the run, show the result and write what is seen."""
    pictures = [window.picture(folder / "1-opened.png")]
    print(f"Request: {request}")
    phase = window.run_request(request)
    print(f"The run ended: {phase}")
    window.show_result()
    pictures += [window.picture(folder / "2-result.png"), window.panel_picture(folder / "3-panel.png")]
    pictures.append(window.views_picture(folder / "4-views.png"))
    return _ended(window, pictures)


def _ended(window: Any, pictures: list[Path]) -> int:
    """Close, and say which pictures there are."""
    phase = window.state.phase.value
    errors = window.close()
    for error in errors:
        print(f"A slot raised: {error!r}", file=sys.stderr)
    print("Pictures:", *pictures, sep="\n  ")
    return 0 if phase == "done" and not errors else 5


if __name__ == "__main__":
    sys.exit(main())
