"""Key slices and boxes as a part of an answer: ``left kidney @k57[120 200 180 260]``.

An answer is all that is executed, so what a backbone is to draw from stands in it, readable and editable. Behind the
name of a target follow its key slices: ``@``, the index axis that the slice is cut across (i, j or k), the slice's
index, and one or more boxes in brackets. A box is its first and last edge along each of the two other axes, in the
order i, j, k: ``[i0 j0 i1 j1]`` on a slice of constant k. Edges are continuous voxel indices: voxel n reaches from
n - 0.5 to n + 0.5.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

from ..values import Abstention, Anchor

__all__ = ["MAX_BOXES", "MAX_KEY_SLICES", "Drawn", "Piece", "misplaced", "split_anchors", "written"]

MAX_KEY_SLICES = 16
"""Most key slices of one target."""

MAX_BOXES = 32
"""Most boxes on one key slice."""

Box = tuple[float, float, float, float]

_AXES = "ijk"
_FARTHEST = 100_000.0  # voxels; longer than any axis of an image
_QUOTED = r'["“”„«»][^"“”„«»]*["“”„«»]'
_MARK = re.compile(rf"{_QUOTED}|@")
_ANCHOR = re.compile(r'@\s*([ijk])\s*(\d{1,5})((?:\s*\[[^\[\]@"]{0,400}\])+)', re.IGNORECASE)
_NEXT = re.compile(r"\s*(?=@)")
_BOX = re.compile(r"\[([^\]]*)\]")
_NUMBER = re.compile(r"[-+]?\d{1,17}(?:\.\d{1,24})?(?:e[-+]?\d{1,3})?", re.IGNORECASE)
_GOES_ON = re.compile(r"\s*(?:$|[,;.\n\r、&+)]|(?:and|plus)\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A key slice as it is written: which axis, which slice, which boxes; not yet whose."""

    axis: int
    index: int
    boxes: tuple[Box, ...]


class Piece(NamedTuple):
    """A stretch of an answer, and the key slices that follow it: they belong to the last phrase in it."""

    text: str
    drawn: tuple[Drawn, ...] = ()


def written(anchor: Anchor) -> str:
    """An anchor as it stands in an answer; numbers are written so that they are read back exactly."""
    boxes = "".join(f"[{' '.join(map(_number, box))}]" for box in anchor.boxes)
    return f"@{_AXES[anchor.axis]}{anchor.index}{boxes}"


def split_anchors(text: str) -> tuple[Piece, ...] | Abstention:
    """Take the key slices out of an answer.

    Returns
    -------
    tuple of Piece or Abstention
        The text in order, the last piece without key slices. Abstains with ``anchor-malformed``.
    """
    pieces: list[Piece] = []
    start = at = 0
    while mark := _MARK.search(text, at):
        if mark[0] != "@":  # a quoted phrase is taken as it stands
            at = mark.end()
            continue
        drawn, end = _run(text, mark.start())
        if isinstance(drawn, Abstention):
            return drawn
        if not _GOES_ON.match(text, end):
            return _malformed("A key slice stands at the end of a name; put a comma before the next name")
        pieces.append(Piece(text[start : mark.start()], drawn))
        start = at = end
    return (*pieces, Piece(text[start:]))


def misplaced() -> Abstention:
    """Why key slices that stand behind no name of their own are not executed."""
    return _malformed("A key slice stands behind the whole name of its target, side included")


def _run(text: str, start: int) -> tuple[tuple[Drawn, ...] | Abstention, int]:
    """All key slices that follow each other from ``start`` on, and where they end."""
    found: dict[Drawn, None] = {}
    end = start
    while text[end : end + 1] == "@":
        match = _ANCHOR.match(text, end)
        if match is None:
            return _malformed("What follows “@” is not a key slice with boxes"), end
        boxes = [_box(body) for body in _BOX.findall(match[3])]
        if any(box is None for box in boxes):
            return _malformed("A box has four numbers, and its first edges lie before its last"), end
        if len(boxes) > MAX_BOXES or len(found) >= MAX_KEY_SLICES:
            return _malformed(
                f"At most {MAX_KEY_SLICES} key slices of at most {MAX_BOXES} boxes belong to a target"
            ), end
        distinct = tuple(dict.fromkeys(box for box in boxes if box is not None))
        found[Drawn(_AXES.index(match[1].lower()), int(match[2]), distinct)] = None
        end = match.end()
        if following := _NEXT.match(text, end):
            end = following.end()
    return tuple(found), end


def _box(body: str) -> Box | None:
    words = body.replace(",", " ").split()
    if len(words) != 4 or not all(map(_NUMBER.fullmatch, words)):
        return None
    a0, b0, a1, b1 = map(float, words)
    if not (a0 < a1 and b0 < b1) or not all(math.isfinite(edge) and abs(edge) < _FARTHEST for edge in (a0, b0, a1, b1)):
        return None
    return a0, b0, a1, b1


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


def _malformed(why: str) -> Abstention:
    return Abstention(
        "anchor-malformed",
        f"{why}. A key slice is written as @k57[120 200 180 260]: the axis i, j or k, the number of the slice, and for"
        " each box its first and last edges along the other two axes, in voxels.",
        "Which key slice and which box are meant?",
    )
