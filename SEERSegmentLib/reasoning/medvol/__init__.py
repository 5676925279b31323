"""MedVol-R1's way to ground a request: a key slice and boxes, "a verifiable 2D evidence anchor" (arXiv:2605.26621).

    case ─► 64 tagged slices ─► model ─► <think> <answer> ─► parsed, strictly ─► anchors in voxels ─► answer
                                  ▲          unusable │                                    name ┘ from the request
                                  └── once more, held to the form

The answer, ``left kidney @k57[120 200 180 260]``, is all that is executed; a backbone that takes boxes draws from it.
:mod:`.rewards` holds the reward that MedVol-R1 is trained with.
"""

from __future__ import annotations

from .prompt import NUMBERINGS, SCALES, compose_medvol, slice_numbers
from .reasoner import MedVolReasoner
from .reply import AnchorReply, KeySlice, parse_anchor_reply

__all__ = [
    "NUMBERINGS",
    "SCALES",
    "AnchorReply",
    "KeySlice",
    "MedVolReasoner",
    "compose_medvol",
    "parse_anchor_reply",
    "slice_numbers",
]
