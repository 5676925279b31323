"""What tests of the MedVol-R1 path share: a model that replies as it is told, and the reply of a perfect one."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from SEERSegmentLib.protocols import CancelToken, Readiness
from SEERSegmentLib.reasoning.medvol.rewards import truth_boxes
from SEERSegmentLib.reasoning.prompt import Prompt
from SEERSegmentLib.reasoning.vlm import MAX_TOKENS, Completion, OnText, ignore_text
from SEERSegmentLib.values import View

__all__ = ["ScriptedModel", "perfect_reply"]


@dataclass
class ScriptedModel:
    """Gives its replies one after the other, word by word, and keeps what it was asked."""

    replies: Sequence[str | Completion]
    prompts: list[Prompt] = field(default_factory=list)
    constrained: list[bool] = field(default_factory=list)

    def readiness(self) -> Readiness:
        return Readiness(True)

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        constrained: bool = False,
        max_tokens: int = MAX_TOKENS,
        on_text: OnText = ignore_text,
        on_status: OnText = ignore_text,
        cancel: CancelToken,
    ) -> tuple[Completion, ...]:
        (prompt,) = prompts
        reply = self.replies[len(self.prompts)]
        self.prompts.append(prompt)
        self.constrained.append(constrained)
        on_status("thinking hard")
        completion = reply if isinstance(reply, Completion) else Completion(reply)
        words = completion.text.split(" ")
        for end in range(1, len(words) + 1):
            cancel.check()
            on_text(" ".join(words[:end]))
        return (completion,)

    def details(self) -> tuple[tuple[str, str], ...]:
        return (("model", "scripted"),)


def perfect_reply(views: Sequence[View], mask: NDArray[np.bool_], affine: NDArray[np.float64]) -> str:
    """What a perfect model says of a mask (k, j, i) on views of preset medvol-r1: the best slice, and its boxes."""
    best, plane_of = 0, {}
    for number, view in enumerate(views):
        to_index = np.linalg.solve(affine, view.pixel_to_ras)
        rows, columns = np.mgrid[:256, :256]
        i, j, k = np.rint(
            np.tensordot(to_index[:3, [0, 1]], [columns, rows], axes=1) + to_index[:3, 3, None, None]
        ).astype(int)
        nk, nj, ni = mask.shape
        plane_of[number] = mask[np.clip(k, 0, nk - 1), np.clip(j, 0, nj - 1), np.clip(i, 0, ni - 1)]
        if plane_of[number].sum() > plane_of[best].sum():
            best = number
    boxes = []
    for x0, y0, x1, y1 in truth_boxes(plane_of[best], least=20):
        low, high = (
            [math.floor((edge + 0.5) / 256 * 1000) for edge in (x0, y0)],
            [math.ceil((edge + 0.5) / 256 * 1000) for edge in (x1, y1)],
        )
        boxes.append([*low, *high])
    answer = json.dumps([{"slice": best + 1, "bbox_2d_list": boxes}])
    return f"<think>It is seen best on slice {best + 1}.</think>\n<answer>{answer}</answer>"
