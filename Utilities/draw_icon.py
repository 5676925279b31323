#!/usr/bin/env python3
"""Draw the extension's icon: an eye whose iris is an axial slice of the chest, its organs outlined.

``python Utilities/draw_icon.py`` writes the 128×128 PNG of the extension and the same one of the module. Shapes are
drawn eight times as large and reduced, which smooths their edges.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

SIZE = 128
_SCALE = 8
_SIDE = SIZE * _SCALE
_MAGNIFIED = 1.26  # the slice within the iris
#: Where the icon goes, below the root of the checkout.
TARGETS = ("Resources/SEER.png", "SEERSegment/Resources/Icons/SEERSegment.png")

Point = tuple[float, float]
Colour = tuple[int, int, int]

_DEEP: Colour = (10, 22, 48)
_TEAL: Colour = (14, 104, 128)
_LIGHT: Colour = (226, 246, 250)
_BODY: Colour = (74, 92, 116)
_LUNG: Colour = (74, 196, 226)
_HEART: Colour = (240, 104, 92)
_BONE: Colour = (250, 226, 160)


def _smooth(points: list[Point], steps: int = 24) -> list[Point]:
    """A closed Catmull–Rom curve through points of the slice (0 to 128), in drawing units."""
    curve: list[Point] = []
    count = len(points)
    points = [(64 + _MAGNIFIED * (x - 64), 65 + _MAGNIFIED * (y - 64)) for x, y in points]
    for k in range(count):
        p0, p1, p2, p3 = (points[(k + d) % count] for d in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            x, y = (
                0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)
                for a, b, c, d in zip(p0, p1, p2, p3, strict=True)
            )
            curve.append((x * _SCALE, y * _SCALE))
    return curve


def _almond(width: float, height: float) -> list[Point]:
    """The lids of an eye around the centre: two arcs that meet at its corners, in drawing units."""
    radius = (width**2 / 4 + height**2 / 4) / height
    half = math.asin(width / 2 / radius)
    upper = [half * (2 * step / 80 - 1) for step in range(81)]
    top = [(64 + radius * math.sin(a), 64 + (radius - height / 2) - radius * math.cos(a)) for a in upper]
    bottom = [(128 - x, 128 - y) for x, y in top]
    return [(x * _SCALE, y * _SCALE) for x, y in top + bottom]


def _mask(draw_into: list[Point]) -> Image.Image:
    mask = Image.new("L", (_SIDE, _SIDE), 0)
    ImageDraw.Draw(mask).polygon(draw_into, fill=255)
    return mask


def _disc(radius: float) -> Image.Image:
    mask = Image.new("L", (_SIDE, _SIDE), 0)
    low, high = (64 - radius) * _SCALE, (64 + radius) * _SCALE
    ImageDraw.Draw(mask).ellipse((low, low, high, high), fill=255)
    return mask


def _gradient(top: Colour, bottom: Colour) -> Image.Image:
    """From the upper left to the lower right corner."""
    ramp = Image.linear_gradient("L").resize((_SIDE, _SIDE))
    ramp = Image.blend(ramp, ramp.transpose(Image.Transpose.ROTATE_90), 0.5)
    plain = [Image.new("RGB", (_SIDE, _SIDE), colour) for colour in (bottom, top)]
    return Image.composite(plain[0], plain[1], ramp)


def _paint(canvas: Image.Image, mask: Image.Image, colour: Colour, opacity: float = 1.0) -> None:
    canvas.paste(colour, (0, 0, _SIDE, _SIDE), mask.point(lambda value: round(value * opacity)))


def _organ(canvas: Image.Image, points: list[Point], colour: Colour, inside: Image.Image) -> None:
    """A filled shape with the bright outline of a segment."""
    mask = ImageChops.multiply(_mask(_smooth(points)), inside)
    rim = ImageChops.subtract(mask, mask.filter(ImageFilter.GaussianBlur(6)).point(lambda v: 255 if v > 235 else 0))
    _paint(canvas, mask, colour, 0.82)
    _paint(canvas, rim, tuple(min(255, value + 60) for value in colour), 0.9)


def draw() -> Image.Image:
    """The icon, RGBA, 128×128."""
    canvas = _gradient((22, 60, 96), _DEEP)
    eye = _mask(_almond(118, 84))
    lids = _mask(_almond(108, 73))
    _paint(canvas, eye.filter(ImageFilter.GaussianBlur(30)), _TEAL, 0.9)
    _paint(canvas, eye, _LIGHT)
    canvas.paste(_gradient((20, 132, 156), (8, 40, 74)), (0, 0), lids)

    iris = ImageChops.multiply(_disc(36), lids)
    _paint(canvas, _disc(39).filter(ImageFilter.GaussianBlur(10)), _DEEP, 0.55)
    _paint(canvas, _disc(38), _LIGHT)
    _paint(canvas, _disc(36), _DEEP)
    _organ(canvas, [(64, 42), (82, 46), (90, 62), (84, 79), (64, 84), (44, 79), (38, 62), (46, 46)], _BODY, iris)
    # As in every axial slice: the patient's right lung is on the viewer's left.
    _organ(canvas, [(57, 49), (60, 60), (58, 73), (50, 77), (43, 70), (43, 56), (49, 48)], _LUNG, iris)
    _organ(
        canvas, [(73, 48), (81, 50), (86, 62), (83, 73), (75, 77), (71, 72), (75, 64), (76, 58), (72, 53)], _LUNG, iris
    )
    _organ(canvas, [(63, 50), (69, 51), (73, 58), (71, 65), (64, 66), (60, 60), (60, 53)], _HEART, iris)
    _organ(canvas, [(61, 70), (67, 70), (69, 74), (66, 80), (62, 80), (59, 74)], _BONE, iris)

    shine = Image.new("L", (_SIDE, _SIDE), 0)
    ImageDraw.Draw(shine).ellipse(tuple(v * _SCALE for v in (44, 32, 72, 44)), fill=120)
    shine = ImageChops.multiply(shine.filter(ImageFilter.GaussianBlur(22)), iris)
    _paint(canvas, shine, (255, 255, 255), 0.75)

    corners = Image.new("L", (_SIDE, _SIDE), 0)
    ImageDraw.Draw(corners).rounded_rectangle((8, 8, _SIDE - 9, _SIDE - 9), radius=26 * _SCALE, fill=255)
    canvas.putalpha(corners)
    return canvas.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def main() -> int:
    root = Path(__file__).resolve().parents[1]
    icon = draw()
    for target in TARGETS:
        (root / target).parent.mkdir(parents=True, exist_ok=True)
        icon.save(root / target, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
