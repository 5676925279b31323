"""Whether a model and a prompt fit into the memory that is free, reckoned before anything is loaded.

What is counted, each from the headers of the weights or the model's configuration:

    weights       every number of every tensor, in the type it will have on the device
    keys, values  2 · layers · key heads · head size · (prompt + reply tokens), of every prompt
    reading       what the layers hold at once while the longest part is read, and the logits of the vocabulary
    pictures      the same for the patches of the vision encoder
    reserve       5% of it all, and what the device's own library takes

An estimate, not a promise: where it is wrong, the error ``memory-exhausted`` comes during the run instead.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...errors import ReasonerError
from .device import Plan, dtypes_to_try
from .headers import TensorInfo
from .weights import ModelFiles

__all__ = ["Load", "check_fits", "fitting_plan", "free_memory", "prompt_bytes", "weight_bytes"]

_GB = 1e9
_GROUP = Path("/sys/fs/cgroup")
_RESERVE = 1.05

#: What CUDA takes for itself once a first computation has run.
_LIBRARY = 600_000_000

#: Copies of a token's hidden vector, and of the wider one between, that a layer holds at once in inference: residual,
#: normalised, queries, keys, values, output; gate, up and their product.
_NARROW, _WIDE = 8, 3


@dataclass(frozen=True)
class Load:
    """The prompts of one call: how many, tokens that each reads, patches of pictures, and most tokens of a reply."""

    tokens: tuple[int, ...]
    shared: int
    patches: int
    reply: int


def weight_bytes(tensors: Iterable[TensorInfo], number: int) -> int:
    """Size of weights once loaded with ``number`` bytes for each floating-point value."""
    return sum(one.count * (number if one.is_float else 8) for one in tensors)


def prompt_bytes(config: Mapping[str, Any], load: Load, number: int, *, eager: bool) -> int:
    """What reading and answering prompts takes beside the weights.

    Parameters
    ----------
    config : mapping
        The model's ``config.json``.
    load : Load
    number : int
        Bytes of a floating-point value.
    eager : bool
        Attention that keeps its whole matrix of scores.
    """
    text, vision = config["text_config"], config["vision_config"]
    heads, hidden, wide = text["num_attention_heads"], text["hidden_size"], text["intermediate_size"]
    each = 2 * text["num_hidden_layers"] * text["num_key_value_heads"] * text["head_dim"] * number
    # What was read once is copied for each of several prompts.
    cache = each * (sum(one + load.reply for one in load.tokens) + (load.shared if len(load.tokens) > 1 else 0))
    read = max(load.shared, sum(one - load.shared for one in load.tokens))
    reading = read * (_NARROW * hidden + _WIDE * wide) * number
    reading += heads * read * max(load.tokens) * (number + 4) if eager else 0
    logits = len(load.tokens) * text["vocab_size"] * (number + 4)
    pictures = load.patches * (_NARROW * vision["hidden_size"] + _WIDE * vision["intermediate_size"]) * number
    pictures += load.patches * 2 * hidden * number * 4  # merged patches, and those for the first layers (DeepStack)
    return int(cache + max(reading, pictures) + logits)


def fitting_plan(
    wanted: Plan, files: ModelFiles, tensors: Collection[TensorInfo], adapter: Collection[TensorInfo], load: Load
) -> Plan:
    """The plan with the first number type of the device that fits with everything else.

    Raises
    ------
    ReasonerError
        ``memory-too-small``.
    """
    dtypes = dtypes_to_try(wanted.dtype, wanted.device)
    plans = [
        replace(wanted, dtype=dtype, notes=tuple(f"{one} did not fit" for one in dtypes[:n]))
        for n, dtype in enumerate(dtypes)
    ]
    for plan in plans:
        needed = weight_bytes(tensors, plan.bytes) + weight_bytes(adapter, 4)  # peft keeps an adapter in float32
        needed += prompt_bytes(files.config, load, plan.bytes, eager=plan.attention == "eager")
        needed = int(needed * _RESERVE) + (_LIBRARY if plan.device.startswith("cuda") else 0)
        try:
            check_fits(needed, plan.device, f"The model {files.name}")
        except ReasonerError:
            if plan is plans[-1]:
                raise
        else:
            return plan
    raise AssertionError("a device has a number type")


def check_fits(needed: int, device: str, what: str) -> None:
    """Refuse what doesn't fit into the device's free memory.

    Raises
    ------
    ReasonerError
        ``memory-too-small``.
    """
    free = free_memory(device)
    if free is None or needed <= free:
        return
    place = "this computer's memory" if device == "cpu" else f"the memory of {device}"
    advice = (
        "Close other programs, or choose a server" if device == "cpu" else "Close what else uses it, or set device=cpu"
    )
    raise ReasonerError(
        f"{what} needs about {needed / _GB:.1f} GB, and {free / _GB:.1f} GB of {place} are free. {advice}.",
        code="memory-too-small",
    )


def free_memory(device: str) -> int | None:
    """Free bytes on a device; None where it can't be told."""
    if device.startswith("cuda"):
        import torch

        free: int = torch.cuda.mem_get_info(device)[0]
        # What torch keeps for itself without using it is as good as free.
        return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
    free_here = _free_of_the_computer()
    if device == "mps":  # the GPU works in the computer's own memory, within a limit of its own
        import torch

        limit = int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
        return limit if free_here is None else min(limit, free_here)
    return free_here


def _free_of_the_computer() -> int | None:
    known = [one for one in (_free_by_system(), _free_of_the_group()) if one is not None]
    return min(known, default=None)


def _free_by_system() -> int | None:
    """psutil where it is installed; else what the system says itself."""
    try:
        import psutil
    except ImportError:
        pass
    else:
        return int(psutil.virtual_memory().available)
    if sys.platform == "win32":
        return _free_of_windows()
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _free_of_the_group() -> int | None:
    """What a Linux control group (a container) may still take."""
    try:
        limit = (_GROUP / "memory.max").read_text(encoding="ascii").strip()
        used = int((_GROUP / "memory.current").read_text(encoding="ascii"))
        reclaimable = (_GROUP / "memory.stat").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return None
    files = sum(int(line.split()[1]) for line in reclaimable if line.startswith("inactive_file "))
    return int(limit) - used + files if limit.isdecimal() else None


def _free_of_windows() -> int | None:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = [
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "page", "page_free", "virtual", "virtual_free")),
            ("extended", ctypes.c_ulonglong),
        ]

    status = Status(length=ctypes.sizeof(Status))
    windll = getattr(ctypes, "windll", None)
    if windll is None or not windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.free)
