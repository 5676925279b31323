"""The seam of a vision-language model: prompts in, texts out; what they mean is none of its business.

The local Qwen3-VL (:mod:`.qwen`) and any OpenAI-compatible server (:mod:`.openai`) are such models; grounded reasoning
(:mod:`.grounded`) and MedVol-R1 (:mod:`.medvol`) talk to either through this, and tests to one of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..protocols import CancelToken, Readiness
from .prompt import Prompt

__all__ = ["MAX_TOKENS", "Completion", "OnText", "VisionLanguageModel", "ignore_text"]

#: Most tokens of a reply, as in SEER's official release.
MAX_TOKENS = 256

#: Is handed the whole text of the first reply so far, every time it grows.
OnText = Callable[[str], None]


def ignore_text(text: str) -> None:
    """An ``on_text`` for callers who don't show how a reply grows."""


@dataclass(frozen=True)
class Completion:
    """A reply as it came.

    Attributes
    ----------
    text : str
    finish : str
        ``"stop"``: the model was done. ``"length"``: it was cut off after the most tokens. ``"filtered"``: a server
        kept the rest back.
    tokens : int or None
        Of the reply, where it is known.
    """

    text: str
    finish: str = "stop"
    tokens: int | None = None


class VisionLanguageModel(Protocol):
    """A model that reads pictures and text and writes text, greedily."""

    def readiness(self) -> Readiness:
        """Whether it can run now; cheap: looks for files and packages, loads and contacts nothing."""
        ...

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
        """One whole reply per prompt, in order; rephrasings of one request come as one batch.

        Parameters
        ----------
        prompts : sequence of Prompt
            With the same pictures.
        constrained : bool
            Let the model write nothing but the form that the prompts ask for, as far as it has a way to.
        max_tokens : int
        on_text : callable
        on_status : callable
            A sentence about what is under way: loading weights, waiting for a server.
        cancel : CancelToken
            Heard within one token.

        Raises
        ------
        ReasonerError, ServiceError, UsageError
            Nothing of a reply that is not whole comes back.
        Cancelled
        """
        ...

    def details(self) -> tuple[tuple[str, str], ...]:
        """For the provenance, (name, text), as far as it is known yet: model, revision, adapter, device, server."""
        ...
