"""Views R(V) of a volume for a reasoner or a reader: the presets, and their encoding as PNG."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..protocols import CancelToken, Emit, ignore_progress
from ..values import Progress, Stage, View, Volume
from .medvol_r1 import render_medvol_r1
from .multiview import render_multi_view
from .orient import to_lps
from .planes import orientation_letters
from .png import encode_pixels
from .seer_v1 import render_seer_v1

__all__ = ["PRESETS", "check_preset", "encode_png", "orientation_letters", "render_views"]

PRESETS = ("multi-view", "seer-v1", "medvol-r1")


def render_views(
    volume: Volume,
    preset: str = "multi-view",
    *,
    as_stored: bool = False,
    region: str | None = None,
    emit: Emit = ignore_progress,
    cancel: CancelToken | None = None,
) -> tuple[View, ...]:
    """Render a volume's views.

    Parameters
    ----------
    volume : Volume
    preset : {"multi-view", "seer-v1", "medvol-r1"}
    as_stored : bool
        For ``seer-v1``: take the voxels in the index order they are stored in, as the official preparation does, rather
        than in LPS order first (the order of the files that SEER's weights were trained on).
    region : str, optional
        For ``multi-view`` of a CT: the body region that chooses the windows.
    emit, cancel
        Progress (one at the end, with the views) and the caller's wish to stop.

    Returns
    -------
    tuple[View, ...]
        In the order a reasoner gets them. ``as_stored`` aside, the same image gives the same pixels in any storage
        order.

    Raises
    ------
    UsageError
        ``preset-unknown``, ``region-unknown``, ``as-stored-unused``.
    Cancelled
    """
    check_preset(preset, as_stored=as_stored)
    cancel = cancel or CancelToken()
    if preset == "seer-v1":
        views = render_seer_v1(volume if as_stored else to_lps(volume), cancel)
    elif preset == "medvol-r1":
        views = render_medvol_r1(volume, cancel)
    else:
        views = render_multi_view(volume, region, cancel)
    emit(Progress(Stage.VIEWS, 1.0, f"{len(views)} views", views))
    return views


def check_preset(preset: str, *, as_stored: bool) -> None:
    """Refuse a preset that doesn't exist (``preset-unknown``) or has no storage order (``as-stored-unused``)."""
    if preset not in PRESETS:
        raise UsageError(
            f"There is no set of views called '{preset}'; use {' or '.join(PRESETS)}.", code="preset-unknown"
        )
    if as_stored and preset != "seer-v1":
        raise UsageError(
            f"Storage order is a choice for the views 'seer-v1' only; '{preset}' looks the same in any.",
            code="as-stored-unused",
        )


def encode_png(view: View | NDArray[np.uint8], *, rgb: bool = False) -> bytes:
    """Encode a view, or pixels of shape (rows, columns) or (rows, columns, 3), as PNG.

    ``rgb`` stores grey three times, as the official preparation of ``seer-v1`` does; what a decoder gives is the same.
    Raises ValueError for pixels of another shape or type.
    """
    pixels = view.pixels if isinstance(view, View) else view
    return encode_pixels(np.repeat(pixels[..., None], 3, axis=2) if rgb and pixels.ndim == 2 else pixels)
