"""The vision-language models that a reasoner can be made on, by name, and the options of each."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from .vlm import VisionLanguageModel

__all__ = ["MODELS", "Model", "ModelKind", "make_model", "model_kind", "split_options"]


@dataclass(frozen=True)
class ModelKind:
    """A kind of model: where its class is, the options that it takes, whether it stays on this computer."""

    module: str
    attribute: str
    options: frozenset[str]
    offline: bool
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """A model that was made; ``offline`` is False where pictures and text are sent to a server."""

    model: VisionLanguageModel
    offline: bool
    needs: tuple[str, ...]


MODELS: Mapping[str, ModelKind] = {
    "qwen": ModelKind(
        ".qwen",
        "QwenVL",
        frozenset({"model", "adapter", "device", "dtype", "attention", "revision", "adapter_revision", "download"}),
        offline=True,
        needs=("weights of Qwen3-VL", "8.9 GB of graphics memory, or 18 GB of main memory"),
    ),
    "openai": ModelKind(
        ".openai",
        "OpenAIServer",
        frozenset({"url", "model", "key", "deadline"}),
        offline=False,
        needs=("a server with an OpenAI-compatible interface",),
    ),
}

_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False, "": False}


def model_kind(name: str) -> ModelKind:
    """A kind of model by name. Raises UsageError ``model-kind-unknown``."""
    if name not in MODELS:
        known = ", ".join(MODELS)
        said = f"There is no kind of model '{name}'; there are: {known}." if name else f"Say which model: {known}."
        raise UsageError(said, code="model-kind-unknown")
    return MODELS[name]


def split_options(name: str, options: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Options of the model itself, and the others. Raises UsageError ``model-kind-unknown``."""
    own = model_kind(name).options
    mine = {key: value for key, value in options.items() if key in own}
    return mine, {key: value for key, value in options.items() if key not in own}


def make_model(name: str, options: Mapping[str, str]) -> Model:
    """A model by the name of its kind.

    Parameters
    ----------
    name : {"qwen", "openai"}
    options : mapping
        Texts, as the command line and the settings give them; empty ones count as not given.

    Raises
    ------
    UsageError
        ``model-kind-unknown``, ``part-options``.
    """
    kind = model_kind(name)
    if unknown := sorted(options.keys() - kind.options):
        raise _wrong(f"there is no option {', '.join(unknown)}")
    arguments: dict[str, Any] = {key: value for key, value in options.items() if value}
    if "download" in arguments:
        arguments["download"] = _yes(arguments["download"], "download")
    if "deadline" in arguments:
        arguments["deadline_s"] = _seconds(arguments.pop("deadline"), "deadline")
    factory = getattr(importlib.import_module(kind.module, __package__), kind.attribute)
    return Model(
        factory(**{"model": "", **arguments} if name == "qwen" else {"url": "", **arguments}), kind.offline, kind.needs
    )


def _yes(text: str, name: str) -> bool:
    if text.casefold() not in _YES:
        raise _wrong(f"{name} must be yes or no")
    return _YES[text.casefold()]


def _seconds(text: str, name: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 1.0 <= seconds <= 86400.0:
        raise _wrong(f"{name} must be a number of seconds from 1 to 86400")
    return seconds


def _wrong(why: str) -> UsageError:
    return UsageError(f"The model can't be made with these settings: {why}.", code="part-options")
