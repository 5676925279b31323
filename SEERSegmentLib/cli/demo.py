"""``seer demo``: a real CT segmented from a sentence, with the reasoning beside it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

__all__ = ["REQUEST", "SAMPLE", "run_demo"]

SAMPLE = "aorta-ct"
REQUEST = "pls outline the rt lung"


def run_demo(folder: Path, *flags: str) -> int:
    """Fetch a real chest CT (or draw a phantom, and say so), segment it, write segmentation and report into ``folder``.

    Parameters
    ----------
    folder : Path
        Made if need be; what an earlier demo wrote there is replaced.
    *flags
        ``--json``, ``--quiet``, ``--debug``, for the `seer segment` that it runs.

    Returns
    -------
    int
        Exit code of the `seer segment` that it runs.
    """
    from ..errors import ServiceError
    from ..imaging.samples import fetch_sample
    from .main import main
    from .targets import make_folder

    def say(words: str) -> None:
        if "--quiet" not in flags:
            print(words, file=sys.stderr, flush=True)

    make_folder(folder)
    say("Fetching a real chest CT ...")
    try:
        volume = fetch_sample(SAMPLE)
    except ServiceError as error:
        print(f"{error.user_message}\nUsing a generated phantom instead: a drawing, not a patient.", file=sys.stderr)
        volume = _write_phantom(folder / "phantom.nrrd")
    segmentation, report = folder / "right-lung.seg.nrrd", folder / "report.html"
    say(f"Request: “{REQUEST}”\nVolume:  {volume}")
    outputs = ("-o", str(segmentation), "--report", str(report), "--overwrite")
    code = main(["segment", str(volume), REQUEST, *outputs, *flags])
    if code == 0 and "--json" not in flags:
        print(f"\nOpen the report in a browser:        {report.resolve()}")
        print(f"Open the segmentation in 3D Slicer:  {segmentation.resolve()}")
    return code


def _write_phantom(path: Path) -> Path:
    import numpy as np
    import SimpleITK as sitk

    from ..imaging.phantom import chest_phantom

    volume, _ = chest_phantom()
    image: Any = sitk.GetImageFromArray(volume.voxels)
    lps = np.diag([-1.0, -1.0, 1.0]) @ volume.affine[:3]
    image.SetSpacing(volume.spacing)
    image.SetOrigin(lps[:, 3].tolist())
    image.SetDirection((lps[:, :3] / np.array(volume.spacing)).ravel().tolist())
    sitk.WriteImage(image, str(path))
    return path
