"""Views as figures: the grey image as it was rendered, with outlines and letters as vectors over it."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...imaging import encode_png, orientation_letters
from ...values import RGB, Segment, View
from ..overlay import mask_outline, pixel_size
from .html import Child, Html, element, join

__all__ = ["colour", "figure"]

#: Height of a direction letter as a fraction of the figure's larger side, and its distance from the edge.
_LETTER, _MARGIN = 0.052, 0.026


def figure(view: View, segments: Sequence[Segment], caption: Child, boxes: Sequence[NDArray[np.float64]] = ()) -> Html:
    """A view in its true proportions with every segment's outline, and the letters at its edges.

    ``boxes``, polygons (n, 2) of (column, row), are what the segments were drawn from.
    """
    rows, columns = view.pixels.shape
    pixel_width, pixel_height = pixel_size(view)
    width, height = columns * pixel_width, rows * pixel_height
    picture = element(
        "image",
        href="data:image/png;base64," + base64.b64encode(encode_png(view)).decode("ascii"),
        width=f"{width:.2f}",
        height=f"{height:.2f}",
        preserveAspectRatio="none",
    )
    scale = np.array([pixel_width, pixel_height])
    drawn = [
        (segment, path)
        for segment in segments
        if (path := _path(mask_outline(segment.mask.voxels, segment.mask.affine, view), scale))
    ]
    letters = dict(zip(("left", "right", "top", "bottom"), orientation_letters(view), strict=True))
    svg = element(
        "svg",
        picture,
        (_outline(segment, path) for segment, path in drawn),
        _drawn_boxes(_path(boxes, scale)) if boxes else None,
        _drawn_letters(letters, width, height),
        role="img",
        aria_label=_described(view, [segment.name for segment, _ in drawn], letters, bool(boxes)),
        viewBox=f"0 0 {width:.2f} {height:.2f}",
    )
    return element("figure", svg, element("figcaption", caption))


def colour(rgb: RGB) -> str:
    """CSS spelling of a colour."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def _path(polygons: Sequence[NDArray[np.float64]], scale: NDArray[np.float64]) -> str:
    """SVG path data in mm; pixel centres lie half a pixel into the image."""
    parts = []
    for polygon in polygons:
        points = (polygon + 0.5) * scale
        parts.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points.tolist()) + "Z")
    return "".join(parts)


def _outline(segment: Segment, path: str) -> Html:
    """A line of the other brightness under the coloured one, so that it shows on white bone and on black air alike."""
    return element(
        "g",
        element("title", segment.name),
        element("path", d=path, class_="halo light" if _is_dark(segment.colour) else "halo"),
        element("path", d=path, class_="line", stroke=colour(segment.colour), fill=colour(segment.colour)),
        class_="outline",
    )


def _drawn_boxes(path: str) -> Html:
    """The boxes of a key slice, dashed: told from an outline without colour."""
    return element(
        "g",
        element("title", "box that the reasoner gave"),
        element("path", d=path, class_="halo"),
        element("path", d=path, class_="line"),
        class_="outline box",
    )


def _is_dark(rgb: RGB) -> bool:
    """Whether white contrasts more with a colour than black does (WCAG 2, relative luminance below 0.179)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (channel / 255 for channel in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] < 0.179


def _drawn_letters(letters: dict[str, str], width: float, height: float) -> Html:
    size, margin = _LETTER * max(width, height), _MARGIN * max(width, height)
    places = {
        "left": (margin, height / 2, "start", "central"),
        "right": (width - margin, height / 2, "end", "central"),
        "top": (width / 2, margin, "middle", "hanging"),
        "bottom": (width / 2, height - margin, "middle", "auto"),
    }
    return join(
        element(
            "text",
            letters[edge],
            x=f"{x:.2f}",
            y=f"{y:.2f}",
            text_anchor=anchor,
            dominant_baseline=baseline,
            font_size=f"{size:.2f}",
            class_="letter",
        )
        for edge, (x, y, anchor, baseline) in places.items()
    )


def _described(view: View, names: Sequence[str], letters: dict[str, str], boxed: bool) -> str:
    """What the picture shows, for those who can't see it."""
    outlined = f"outlines of {', '.join(names)}" if names else "no segment in it"
    outlined += " and the boxes that it was drawn from" if boxed else ""
    kind = f"{view.plane.value} {'projection' if view.slice_index is None else 'slice'}"
    return f"{view.name}: {kind} with {outlined}; image left is patient {letters['left']}, top is {letters['top']}."
