"""The body-level scale: one number for how far down the body something lies.

The unit is a vertebra: C1 starts at 1, T1 at 8, L1 at 20, S1 at 25. Above the spine the scale goes on to the vertex at
-6 (the adult skull is about 14 cm from vertex to foramen magnum, some seven cervical vertebrae of 2 cm); below it to
the sole, in steps of a lumbar vertebra with its disc (about 3.5 cm; adult femur about 45 cm, tibia about 38 cm: Gray's
Anatomy). A level ends where the next one starts.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache

__all__ = ["BOTTOM", "LEVELS", "VERTEBRAE", "level_at", "level_span", "parse_span"]

VERTEBRAE: tuple[str, ...] = (
    *(f"C{n}" for n in range(1, 8)),
    *(f"T{n}" for n in range(1, 13)),
    *(f"L{n}" for n in range(1, 6)),
    *(f"S{n}" for n in range(1, 6)),
)

LEVELS: dict[str, float] = {
    "vertex": -6.0,
    "orbit": -3.0,
    "skull_base": 0.0,
    **{name: float(n) for n, name in enumerate(VERTEBRAE, start=1)},
    "symphysis": 30.0,
    "mid_thigh": 36.0,
    "knee": 42.0,
    "mid_calf": 47.0,
    "ankle": 53.0,
    "foot": 54.0,
}
"""Top edge of each named level, from head to foot."""

BOTTOM = 57.0
"""The sole of the foot, where the last level ends."""

_NAMES = tuple(LEVELS)
_TOPS = tuple(LEVELS.values())


def level_span(name: str) -> tuple[float, float]:
    """Top and bottom edge of a named level on the scale.

    Raises
    ------
    KeyError
        If no level has this name.
    """
    index = _NAMES.index(name) if name in LEVELS else -1
    if index < 0:
        raise KeyError(name)
    return _TOPS[index], _TOPS[index + 1] if index + 1 < len(_TOPS) else BOTTOM


@cache
def parse_span(text: str) -> tuple[float, float]:
    """Top and bottom of ``"T11-L4"`` (both levels included) or of one level, ``"C1"``."""
    top, _, bottom = text.partition("-")
    return level_span(top)[0], level_span(bottom or top)[1]


def level_at(value: float) -> str:
    """Name of the level that holds a value of the scale; values off the body give the nearest level."""
    return _NAMES[max(bisect_right(_TOPS, value) - 1, 0)]
