"""Where and in which numbers the model runs, and whether it fits there.

    device     cuda, else mps, else the processor
    numbers    bfloat16 where the GPU has it, else float16; float32 on a processor, or bfloat16 there if only that fits
    attention  flash_attention_2 on cuda where the package is installed; else sdpa; else eager

What is asked for by name is taken as it is, or refused; what is left to "auto" falls back, and the plan says so.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...errors import ReasonerError, UsageError

__all__ = [
    "Plan",
    "attentions_to_try",
    "check_choices",
    "choose_device",
    "dtypes_to_try",
    "empty_cache",
    "out_of_memory",
]

DTYPES = ("auto", "bfloat16", "float16", "float32")
ATTENTIONS = ("auto", "flash_attention_2", "sdpa", "eager")
_BYTES = {"bfloat16": 2, "float16": 2, "float32": 4}


@dataclass(frozen=True)
class Plan:
    """What was decided: device (``"cuda:0"``), dtype and attention by name, and what had to be given up, in words."""

    device: str
    dtype: str
    attention: str
    notes: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Of one number."""
        return _BYTES[self.dtype]


def check_choices(device: str, dtype: str, attention: str) -> None:
    """Refuse names that can't be meant. Raises UsageError ``part-options``; imports nothing."""
    kind, _, number = device.partition(":")
    if kind not in ("auto", "cpu", "cuda", "mps") or (number and not number.isdecimal()):
        raise _bad("device", device, ("auto", "cpu", "cuda", "cuda:0", "mps"))
    if dtype not in DTYPES:
        raise _bad("dtype", dtype, DTYPES)
    if attention not in ATTENTIONS:
        raise _bad("attention", attention, ATTENTIONS)


def choose_device(wanted: str) -> str:
    """The device to run on.

    Raises
    ------
    ReasonerError
        ``device-unavailable``.
    """
    import torch

    has_mps = torch.backends.mps.is_available()
    if wanted == "auto":
        return "cuda:0" if torch.cuda.is_available() else "mps" if has_mps else "cpu"
    kind, _, number = wanted.partition(":")
    there = {"cuda": torch.cuda.device_count(), "mps": int(has_mps), "cpu": 1}[kind]
    if int(number or 0) >= there:
        raise ReasonerError(
            f"There is no device {wanted} for the local reasoner on this machine; choose another, or auto.",
            code="device-unavailable",
            detail=f"torch {torch.__version__} sees {there} of {kind}",
        )
    return f"cuda:{number or 0}" if kind == "cuda" else kind


def dtypes_to_try(wanted: str, device: str) -> tuple[str, ...]:
    """Number types for a device, the first that fits is taken."""
    if wanted != "auto":
        return (wanted,)
    if device == "cpu":
        return ("float32", "bfloat16")
    import torch

    if device == "mps":
        return ("bfloat16",) if torch.backends.mps.is_macos_or_newer(14, 0) else ("float16",)
    # bfloat16 in hardware came with compute capability 8; older GPUs emulate it slowly.
    return ("bfloat16",) if torch.cuda.get_device_capability(device)[0] >= 8 else ("float16",)


def attentions_to_try(wanted: str, device: str, dtype: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Attention implementations in the order to try, and what was passed over, in words."""
    if wanted == "eager":
        return ("eager",), ()
    if wanted == "sdpa":
        return ("sdpa", "eager"), ()
    lacks = []
    if not device.startswith("cuda"):
        lacks.append("no cuda device")
    if importlib.util.find_spec("flash_attn") is None:
        lacks.append("the package flash_attn is not installed")
    if dtype == "float32":
        lacks.append("it works in 16 bits only")
    if not lacks:
        return ("flash_attention_2", "sdpa", "eager"), ()
    notes = (f"flash_attention_2 passed over: {', '.join(lacks)}",) if wanted == "flash_attention_2" else ()
    return ("sdpa", "eager"), notes


def empty_cache(device: str) -> None:
    """Give unused memory back to the device."""
    import gc

    import torch

    gc.collect()
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: cuda has a type for it, the processor and mps have words."""
    import torch

    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    said = str(error).lower()
    return "out of memory" in said or "can't allocate memory" in said or "not enough memory" in said


def _bad(option: str, value: str, choices: Iterable[Any]) -> UsageError:
    return UsageError(
        f"The reasoner can't be made with these settings: {option} is one of {', '.join(choices)}, not '{value}'.",
        code="part-options",
    )
