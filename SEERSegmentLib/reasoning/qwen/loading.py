"""Weights into memory: base model and adapter, with attention that falls back, progress, and a cancel that is heard."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import MissingExtra
from ...protocols import CancelToken
from .device import Plan, attentions_to_try, out_of_memory
from .matching import first_line, mismatch, unloadable
from .weights import AdapterFiles, ModelFiles

__all__ = ["import_stack", "load_model"]


def import_stack(*, adapter: bool) -> None:
    """Import torch, transformers and, for an adapter, peft, kept quiet: no telemetry, no bars, warnings to stderr.

    Raises
    ------
    MissingExtra
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        import torch  # noqa: F401
        import transformers
        from transformers import Qwen3VLForConditionalGeneration  # noqa: F401 - from transformers 4.57

        if adapter:
            import peft  # noqa: F401
    except ImportError as error:
        raise MissingExtra("The local reasoner", "local") from error
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def load_model(
    files: ModelFiles,
    adapter: AdapterFiles | None,
    plan: Plan,
    on_status: Callable[[str], None],
    cancel: CancelToken,
) -> tuple[Any, Plan]:
    """The model on its device, ready to be asked, and the plan as it came out.

    Raises
    ------
    ReasonerError
        ``model-damaged``, ``adapter-mismatch``. What torch raises for want of memory passes through.
    Cancelled
    """
    candidates, passed = attentions_to_try(plan.attention, plan.device, plan.dtype)
    notes = [*plan.notes, *passed]
    for attention in candidates:
        cancel.check()
        try:
            model = _base(files, plan, attention, on_status, cancel)
            break
        except (ImportError, ValueError, RuntimeError) as error:
            # What transformers and the kernels raise for an attention that they can't provide here.
            if out_of_memory(error):
                raise
            if attention == candidates[-1]:
                raise unloadable(files, f"{type(error).__name__}: {first_line(error)}") from error
            notes.append(f"{attention} failed: {first_line(error)}")
    cancel.check()
    if adapter is not None:
        on_status("Loading the adapter")
        model = _adapted(model, adapter, plan.device)
        cancel.check()
    return model.eval(), Plan(plan.device, plan.dtype, attention, tuple(notes))


def _base(files: ModelFiles, plan: Plan, attention: str, on_status: Callable[[str], None], cancel: CancelToken) -> Any:
    import torch
    from safetensors import SafetensorError
    from transformers import Qwen3VLForConditionalGeneration

    where = {} if plan.device == "cpu" else {"device_map": {"": plan.device}}
    try:
        with _watched(on_status, cancel):
            model, report = Qwen3VLForConditionalGeneration.from_pretrained(
                str(files.folder),
                dtype=getattr(torch, plan.dtype),
                attn_implementation=attention,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
                **where,
            )
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        raise unloadable(files, f"{type(error).__name__}: {first_line(error)}") from error
    if unset := [*report["missing_keys"], *report["mismatched_keys"]]:  # would be left at random
        raise unloadable(files, f"{len(unset)} weights are missing, as {unset[0]}")
    if attention.startswith("flash"):  # its kernels say only when they run that they can't
        with torch.inference_mode():
            model(input_ids=torch.zeros((1, 2), dtype=torch.long, device=plan.device))
    return model


def _adapted(model: Any, adapter: AdapterFiles, device: str) -> Any:
    """The base with the adapter within its layers: what the forward pass of peft's own wrapper runs."""
    from peft import PeftModel

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wrapped = PeftModel.from_pretrained(
                model, str(adapter.folder), is_trainable=False, torch_device=device, local_files_only=True
            )
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise mismatch(adapter, first_line(error)) from error
    # peft only warns where weights of the adapter find no place, or places no weight.
    held = {name.replace(".default.", ".") for name, _ in wrapped.named_parameters() if ".lora_" in name}
    given = {name for name in adapter.tensors() if ".lora_A." in name or ".lora_B." in name}
    if missing := given ^ {name for name in held if ".lora_A." in name or ".lora_B." in name}:
        raise mismatch(adapter, f"{len(missing)} weights without a counterpart, as {min(missing)}")
    return wrapped.base_model.model


@contextmanager
def _watched(on_status: Callable[[str], None], cancel: CancelToken) -> Iterator[None]:
    """Within the block, transformers' progress bars tell ``on_status`` instead, and a cancel is heard at each step.

    Versions before 5 have no such hook: there, loading is one step.
    """
    from transformers.utils import logging as bars

    set_hook = getattr(bars, "set_tqdm_hook", None)
    if set_hook is None:
        on_status("Loading the model")
        yield
        return

    def hook(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return _Steps(args[0] if args else kwargs.get("iterable"), on_status, cancel)

    previous = set_hook(hook)
    try:
        yield
    finally:
        set_hook(previous)


class _Steps:
    """Stands in for a progress bar."""

    def __init__(self, steps: Any, on_status: Callable[[str], None], cancel: CancelToken) -> None:
        self._steps, self._on_status, self._cancel = steps, on_status, cancel

    def __iter__(self) -> Iterator[Any]:
        steps = self._steps if self._steps is not None else ()
        total, told = (len(steps) if hasattr(steps, "__len__") else 0), -1
        for number, step in enumerate(steps):
            self._cancel.check()
            if total and (percent := 10 * (10 * number // total)) != told:
                told = percent
                self._on_status(f"Loading the model: {percent}%")
            yield step

    def __enter__(self) -> _Steps:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __getattr__(self, name: str) -> Callable[..., None]:
        """A bar's other methods (update, close, set_description …) have nothing to do here."""
        return lambda *_, **__: None
