"""MedVol-R1's reply: ``<think>…</think><answer>[{"slice": 16, "bbox_2d_list": [[x0, y0, x1, y1], …]}]</answer>``.

Exactly one of each part, in this order, closed and not nested; the answer a JSON list of key slices that were shown,
each with boxes within its picture. White space, the case of tags, code fences and text around the tags don't matter;
everything else does. What can't be read is a ReplyError, what says that there is no answer an Abstention, and nothing
is mended: a box that is turned around or reaches out of the picture is not the box that was meant.

The work is linear in the length of a reply, and a reply has a longest length.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...anatomy.anchors import MAX_BOXES, MAX_KEY_SLICES
from ...errors import ReplyError
from ...imaging.anchor_boxes import Box
from ...values import Abstention, View
from .prompt import slice_numbers

__all__ = ["MAX_REPLY", "AnchorReply", "KeySlice", "parse_anchor_reply", "partial_think"]

MAX_REPLY = 100_000
"""Longest reply read, in characters."""

MAX_ANSWER = 20_000
"""Longest content of ``<answer>`` read, in characters: the most boxes that are taken need fewer."""

_TAG = re.compile(r"<\s{0,4}(/?)\s{0,4}(think|answer)\s{0,4}>", re.IGNORECASE)
_ORDER = ["think", "/think", "answer", "/answer"]
_WRITING = re.compile(r"<\s{0,4}/|<\s{0,4}$")
_FENCE = "```"
_LANGUAGE = re.compile(r"[A-Za-z]{0,10}(?=[\s\[]|$)")
_REFUSAL = re.compile(
    r"(?:none|null|nil|nothing|no|not|n ?/ ?a|unknown|unclear|uncertain|unable|abstain\w*|refus\w*|i|sorry|can ?not"
    r"|can['’]?t|there (?:is|are) (?:no|nothing)"
    r"|the \w{1,20}(?: \w{1,20}){0,4} (?:is|was|are|were|does|do|can) ?not)\b",
    re.IGNORECASE,
)
_KEYS = {"slice", "bbox_2d_list"}


@dataclass(frozen=True)
class KeySlice:
    """One key slice of a reply.

    Attributes
    ----------
    number : int
        As the reply gives it: what stands in the slice's tag.
    view : int
        Which of the views that were shown, from 0.
    boxes : tuple of (column0, row0, column1, row1)
        Edges in pixels of that view, whole numbers at pixel centres.
    """

    number: int
    view: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class AnchorReply:
    """A reply that can be used: what the model thought, and where it saw the target."""

    think: str
    key_slices: tuple[KeySlice, ...]


def parse_anchor_reply(
    text: str,
    views: Sequence[View],
    *,
    scale: str = "relative-1000",
    numbering: str = "shown",
    reasoner: str = "",
) -> AnchorReply | Abstention:
    """Read a reply.

    Parameters
    ----------
    text : str
    views : sequence of View
        Those that the model was shown, in order.
    scale : {"relative-1000", "pixels"}
        Of the boxes: thousandths of the picture, or its pixels; both from its outer left and top edges.
    numbering : {"shown", "source"}
        Of the slices; see :func:`~SEERSegmentLib.reasoning.medvol.prompt.slice_numbers`.
    reasoner : str
        For an Abstention.

    Returns
    -------
    AnchorReply or Abstention
        Abstains with ``target-not-found`` where the answer is an empty list, has no boxes, or says in words that there
        is none.

    Raises
    ------
    ReplyError
        ``anchor-structure`` (tags), ``anchor-json`` (the answer is no such JSON), ``anchor-slice`` (not one that was
        shown, or given twice), ``anchor-box`` (no box within the picture, or given twice), ``anchor-too-much``.
    """
    think, answer = _parts(text)
    listed = _listed(answer)
    if not listed:
        return Abstention(
            "target-not-found",
            "The model found nothing in the pictures that it could put a box around for this request.",
            "Is the structure in this image, or should the request be worded differently?",
            rationale=tuple(think.splitlines()),
            reasoner=reasoner,
            raw=text,
        )
    if len(listed) > MAX_KEY_SLICES:
        raise _refused("anchor-too-much", f"It gives more than {MAX_KEY_SLICES} key slices.")
    numbers = {number: place for place, number in enumerate(slice_numbers(views, numbering))}
    found: dict[int, KeySlice] = {}
    for item in listed:
        key = _key_slice(item, views, numbers, scale)
        if key.number in found:
            raise _refused("anchor-slice", f"It gives slice {key.number} twice.")
        found[key.number] = key
    return AnchorReply(think, tuple(found.values()))


def partial_think(text: str) -> str:
    """What the model has thought so far, while its reply is still being written."""
    opened = _TAG.search(text[:MAX_REPLY])
    if opened is None or opened[2].lower() != "think":
        return ""
    rest = text[opened.end() : MAX_REPLY]
    return _shown(_WRITING.split(rest, maxsplit=1)[0])


def _parts(text: str) -> tuple[str, str]:
    """The contents of think and answer."""
    if len(text) > MAX_REPLY:
        raise _refused("anchor-too-much", f"It has more than {MAX_REPLY:,} characters.")
    tags = list(_TAG.finditer(text))
    if [tag[1] + tag[2].lower() for tag in tags] != _ORDER:
        raise _refused("anchor-structure", "It doesn't consist of one <think> and one <answer>, both closed.")
    think = _shown(text[tags[0].end() : tags[1].start()])
    if not think:
        raise _refused("anchor-structure", "Its <think> is empty.")
    answer = text[tags[2].end() : tags[3].start()].strip()
    if len(answer) > MAX_ANSWER:
        raise _refused("anchor-too-much", f"Its answer has more than {MAX_ANSWER:,} characters.")
    if len(answer) >= 2 * len(_FENCE) and answer.startswith(_FENCE) and answer.endswith(_FENCE):
        answer = _LANGUAGE.sub("", answer[len(_FENCE) : -len(_FENCE)], count=1).strip()
    return think, answer


def _shown(text: str) -> str:
    """A text for people: without control, directional and zero-width characters, and without blank lines."""
    seen = "".join(c for c in text if c == "\n" or unicodedata.category(c)[0] != "C")
    return "\n".join(line.strip() for line in seen.splitlines() if line.strip())


def _listed(answer: str) -> list[Any]:
    """The key slices as JSON gives them; none where the answer says that there is nothing."""
    if not answer or _REFUSAL.match(answer.strip(" \t\n\r\"'.([")):
        return []
    try:
        plain = json.loads(answer, parse_constant=_no_number, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise _refused("anchor-json", "Its answer is not a JSON list of key slices.") from error
    if not isinstance(plain, list) or not all(isinstance(item, dict) and item.keys() == _KEYS for item in plain):
        raise _refused("anchor-json", 'Its answer is not a list of objects with "slice" and "bbox_2d_list".')
    if plain and not any(item["bbox_2d_list"] != [] for item in plain):
        return []
    return plain


def _key_slice(item: dict[str, Any], views: Sequence[View], numbers: dict[int, int], scale: str) -> KeySlice:
    number, boxes = item["slice"], item["bbox_2d_list"]
    if type(number) is not int or number not in numbers:
        raise _refused("anchor-slice", f"Its slice is not one of the {len(views)} that were shown.")
    if not isinstance(boxes, list) or not boxes:
        raise _refused("anchor-box", f"Its boxes on slice {number} are not a list of boxes.")
    if len(boxes) > MAX_BOXES:
        raise _refused("anchor-too-much", f"It gives more than {MAX_BOXES} boxes on one slice.")
    place = numbers[number]
    rows, columns = views[place].pixels.shape[:2]
    found = [_box(box, (columns, rows), scale) for box in boxes]
    if len(set(found)) < len(found):
        raise _refused("anchor-box", f"It gives a box on slice {number} twice.")
    return KeySlice(number, place, tuple(found))


def _box(box: Any, size: tuple[int, int], scale: str) -> Box:
    """A box from the reply's scale to pixels."""
    if not isinstance(box, list) or len(box) != 4 or not all(type(edge) in (int, float) for edge in box):
        raise _refused("anchor-box", "A box of it is not four numbers.")
    width, height = size
    most = (1000, 1000) if scale == "relative-1000" else size
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= most[0] and 0 <= y0 < y1 <= most[1]):  # nan compares false
        raise _refused("anchor-box", "A box of it has no extent, is turned around or reaches out of the picture.")
    across, down = width / most[0], height / most[1]
    found = (x0 * across - 0.5, y0 * down - 0.5, x1 * across - 0.5, y1 * down - 0.5)
    assert all(math.isfinite(edge) for edge in found)
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice")
    return found


def _refused(code: str, why: str) -> ReplyError:
    return ReplyError(f"The model's reply can't be used, and nothing of it was run. {why}", code=code)
