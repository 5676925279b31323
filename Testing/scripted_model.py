"""A vision-language model for tests whose replies a test writes; it keeps what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from SEERSegmentLib.protocols import CancelToken, Readiness, ReasoningCase
from SEERSegmentLib.reasoning.prompt import Prompt
from SEERSegmentLib.reasoning.vlm import MAX_TOKENS, Completion, OnText, ignore_text
from SEERSegmentLib.values import Modality, Plane, Request, View


def reply(answer: str, rationale: str = "The request names it.", evidence: str = "It is seen (image 1).") -> str:
    """A whole reply."""
    return f"<evidence>{evidence}</evidence>\n<rationale>{rationale}</rationale>\n<answer>{answer}</answer>"


def views(count: int = 3) -> tuple[View, ...]:
    """Pictures that differ."""
    return tuple(
        View(
            f"axial {10 * n}",
            np.full((8, 8), 20 * n, np.uint8),
            Plane.AXIAL,
            10 * n,
            10.0 * n,
            (0.0, 1.0),
            np.eye(4),
            "multi-view",
        )
        for n in range(1, count + 1)
    )


def case(text: str, modality: Modality = Modality.CT, **more: object) -> ReasoningCase:
    """A case with three pictures."""
    return ReasoningCase(Request(text), modality, views(), **more)  # type: ignore[arg-type]


@dataclass
class ScriptedModel:
    """Replies as ``script`` says: from the request of a prompt and whether it is held to the form."""

    script: Callable[[str, bool], str]
    finish: str = "stop"
    asked: list[tuple[tuple[Prompt, ...], bool]] = field(default_factory=list)

    def readiness(self) -> Readiness:
        return Readiness(True)

    def details(self) -> tuple[tuple[str, str], ...]:
        return (("model", "scripted"), ("server", "nowhere"))

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
        cancel.check()
        self.asked.append((tuple(prompts), constrained))
        on_status("The script is read")
        texts = [self.script(request_in(prompt), constrained) for prompt in prompts]
        for end in range(1, len(texts[0]) + 1, 7):
            cancel.check()
            on_text(texts[0][:end])
        return tuple(Completion(text, self.finish) for text in texts)


def request_in(prompt: Prompt) -> str:
    """The request that a prompt asks for, as it stands there."""
    text = prompt.content[-1]
    assert isinstance(text, str)
    return text.rpartition("<raw_prompt>")[2].removesuffix("</raw_prompt>")
