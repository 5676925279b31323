"""Prompts for the tiny Qwen3-VL, and ways to ask it, for its tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.imaging.views import render_views
from SEERSegmentLib.protocols import CancelToken, ReasoningCase
from SEERSegmentLib.reasoning.prompt import Prompt, compose, load_template
from SEERSegmentLib.reasoning.qwen import QwenVL
from SEERSegmentLib.reasoning.qwen.processor import Encoded, Processor
from SEERSegmentLib.reasoning.qwen.weights import find_model
from SEERSegmentLib.values import Modality, Request, View
from Testing.tiny_qwen import tiny_qwen

__all__ = ["ask", "copy_of", "encoded", "loaded", "one_thread", "processor", "prompt", "views"]


@cache
def views(preset: str = "seer-v1") -> tuple[View, ...]:
    """Of the phantom."""
    return render_views(chest_phantom(5.0)[0], preset)


def prompt(request: str, pictures: Sequence[View] | None = None) -> Prompt:
    """A request with the phantom's views, or others."""
    shown = views() if pictures is None else tuple(pictures)
    return compose(ReasoningCase(Request(request), Modality.CT, shown), load_template())


def ask(model: QwenVL, *prompts: Prompt, **options: Any) -> list[str]:
    """The texts of the replies."""
    return [one.text for one in model.complete(prompts, **{"cancel": CancelToken(), **options})]


def loaded(model: QwenVL) -> Any:
    """The torch model within, once it was asked."""
    assert model._loaded is not None
    return model._loaded.model


@cache
def processor() -> Processor:
    """Of the tiny model."""
    return Processor(find_model(str(tiny_qwen())))


def encoded(one: Prompt) -> Encoded:
    """A prompt as the tiny model reads it."""
    return processor().encode(one)


def copy_of(folder: Path, to: Path) -> Path:
    """A folder that a test may change."""
    shutil.copytree(folder, to)
    return to


@contextmanager
def one_thread() -> Iterator[None]:
    """Matrices this small are slower on several threads."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
