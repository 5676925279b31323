"""Whether the parts of a model belong together: configuration, weights, adapter; found out from sizes alone.

Nothing is loaded for it. What a configuration describes is built without memory, on torch's "meta" device, and
compared with the headers of the weights, before minutes are spent on loading them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import ReasonerError
from .headers import TensorInfo
from .weights import AdapterFiles, ModelFiles

__all__ = ["check_adapter", "check_weights", "first_line", "mismatch", "unloadable"]

_PREFIX = "base_model.model."


def check_weights(files: ModelFiles, tensors: Mapping[str, TensorInfo]) -> None:
    """Compare the sizes that the configuration says with those of the weights.

    Raises
    ------
    ReasonerError
        ``model-damaged``.
    """
    import torch
    from huggingface_hub import errors as hub_errors
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    # What its classes raise for a configuration that can't be; the last one is no ValueError.
    strict = getattr(hub_errors, "StrictDataclassError", ValueError)
    wrong = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RuntimeError, AssertionError, OSError)
    layers = sum(name.endswith(".self_attn.q_proj.weight") for name in tensors)
    try:
        config: Any = Qwen3VLConfig.from_pretrained(str(files.folder), local_files_only=True)
        said = int(config.text_config.num_hidden_layers)
        if said != layers:
            raise unloadable(files, f"{said} layers in the configuration, {layers} in the weights")
        with torch.device("meta"):
            model = Qwen3VLForConditionalGeneration(config)
        wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    except (*wrong, strict) as error:
        raise unloadable(files, f"{type(error).__name__}: {first_line(error)}") from error
    for name, shape in wanted.items():
        if name in tensors and tensors[name].shape != shape:
            raise unloadable(files, f"{name}: {shape} in the configuration, {tensors[name].shape} in the weights")


def check_adapter(base: Mapping[str, TensorInfo], adapter: Mapping[str, TensorInfo], files: AdapterFiles) -> None:
    """Compare the sizes that an adapter was made for with those of the base.

    Raises
    ------
    ReasonerError
        ``adapter-mismatch``.
    """
    for name, one in adapter.items():
        module, found, _ = name.removeprefix(_PREFIX).rpartition(".lora_A.weight")
        weight = base.get(f"{module}.weight")
        if not found or weight is None or len(weight.shape) != 2:
            continue
        out, into = weight.shape
        other = adapter.get(name.replace(".lora_A.", ".lora_B."))
        if one.shape[-1:] != (into,) or other is None or other.shape[:1] != (out,):
            raise mismatch(files, f"{module}: {one.shape} on a weight of {(out, into)}")


def first_line(error: BaseException) -> str:
    """What an error says, shortened for a note."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def unloadable(files: ModelFiles, detail: str) -> ReasonerError:
    """The error of a model that can't be loaded."""
    return ReasonerError(
        f"The model {files.name} can't be loaded: its files are damaged or don't belong together. Copy or download it"
        " again.",
        code="model-damaged",
        detail=detail,
    )


def mismatch(adapter: AdapterFiles, detail: str) -> ReasonerError:
    """The error of an adapter for another model."""
    made_for = f" It was made for {adapter.base}." if adapter.base else ""
    return ReasonerError(
        f"The adapter {adapter.name} does not fit the model.{made_for}", code="adapter-mismatch", detail=detail
    )
