"""Qwen3-VL on this machine as a :class:`~SEERSegmentLib.reasoning.vlm.VisionLanguageModel`."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeVar

from ...errors import MissingExtra, ReasonerError, SeerError
from ...protocols import CancelToken, Readiness
from ..forms import FORMS
from ..prompt import Prompt
from ..vlm import MAX_TOKENS, Completion, OnText, ignore_text
from .device import Plan, check_choices, choose_device, empty_cache, out_of_memory
from .generate import generate, shared_length
from .loading import import_stack, load_model
from .matching import check_adapter, check_weights
from .memory import Load, check_fits, fitting_plan, prompt_bytes
from .processor import Encoded, Processor
from .weights import AdapterFiles, ModelFiles, find_adapter, find_model
from .writing import FreeWriter, SkeletonWriter, Writer

__all__ = ["QwenVL"]

_Result = TypeVar("_Result")

#: How often a call that waits for another one looks whether it was cancelled, in seconds.
_LOOK = 0.05


@dataclass(frozen=True)
class _Prepared:
    """All but the weights."""

    files: ModelFiles
    adapter: AdapterFiles | None
    processor: Processor


@dataclass(frozen=True)
class _Loaded:
    """The weights in memory, and how they came there."""

    model: Any
    plan: Plan


class QwenVL:
    """A local Qwen3-VL, with or without a LoRA adapter. Weights are loaded at the first call and then kept.

    Parameters
    ----------
    model : str
        A folder, or ``organisation/name`` of the hub, found in this machine's cache.
    adapter : str
        The same for a LoRA adapter; empty for none.
    device, dtype, attention : str
        ``"auto"``, or one of ``cuda``, ``cuda:1``, ``mps``, ``cpu``; ``bfloat16``, ``float16``, ``float32``;
        ``flash_attention_2``, ``sdpa``, ``eager``.
    revision, adapter_revision : str
        Commit, for what is named by its place on the hub.
    download : bool
        Fetch from the hub what is not in the cache.

    Raises
    ------
    UsageError
        ``part-options``.
    """

    def __init__(
        self,
        model: str,
        adapter: str = "",
        *,
        device: str = "auto",
        dtype: str = "auto",
        attention: str = "auto",
        revision: str = "",
        adapter_revision: str = "",
        download: bool = False,
    ) -> None:
        check_choices(device, dtype, attention)
        self._name, self._revision = model, revision
        self._adapter_name, self._adapter_revision = adapter, adapter_revision
        self._device, self._dtype, self._attention = device, dtype, attention
        self._download = download
        self._lock = threading.Lock()  # one call at a time: two would need the memory twice
        self._prepared: _Prepared | None = None
        self._loaded: _Loaded | None = None

    def readiness(self) -> Readiness:
        """Whether the packages and the files are there; imports and loads nothing."""
        if not all(importlib.util.find_spec(one) for one in self._packages()):
            return Readiness(False, MissingExtra("The local reasoner", "local").user_message)
        if self._download:  # what is missing will come
            return Readiness(True)
        try:
            self._find()
        except SeerError as error:
            return Readiness(False, error.user_message)
        return Readiness(True)

    def details(self) -> tuple[tuple[str, str], ...]:
        """Model and adapter with their revisions; once loaded, also device, numbers, attention and versions."""
        found = [("model", self._name), ("model revision", self._revision)]
        found += [("adapter", self._adapter_name), ("adapter revision", self._adapter_revision)]
        adapter = self._prepared.adapter if self._prepared is not None else None
        if adapter is not None and adapter.base != self._name:
            found.append(("adapter made for", adapter.base))
        if self._loaded is not None:
            plan = self._loaded.plan
            found += [("device", plan.device), ("dtype", plan.dtype), ("attention", plan.attention)]
            found.append(("fall-backs", "; ".join(plan.notes)))
            found.append(("software", ", ".join(f"{one} {version(one)}" for one in self._packages())))
        return tuple((name, text) for name, text in found if text)

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
        """One whole reply per prompt, in order, greedily, as one batch.

        Settings for sampling and penalties that a model brings (``generation_config.json``) are left aside. With
        ``constrained`` a reply has the form's fixed texts even where these alone are longer than ``max_tokens``.

        Raises
        ------
        MissingExtra
        UsageError, ServiceError
            ``model-unpinned``, ``model-download``.
        ReasonerError
            What :func:`~.weights.find_model` and :func:`~.weights.find_adapter` raise; ``model-damaged``,
            ``adapter-mismatch``, ``device-unavailable``, ``memory-too-small``, ``memory-exhausted``,
            ``model-overflow``, ``prompt-pictures``, ``prompt-too-long``.
        Cancelled
            The loaded model is kept.
        """
        if not prompts:
            return ()
        while not self._lock.acquire(timeout=_LOOK):
            cancel.check()
        try:
            cancel.check()
            prepared = self._prepare(on_status, cancel)
            processor = prepared.processor
            try:
                encoded = [processor.encode(prompt) for prompt in prompts]
                cancel.check()
                loaded = self._load(prepared, _load_of(prepared, encoded, max_tokens), on_status, cancel)
                on_status("Reading the pictures and the request")
                writers = [_writer(processor, prompt, constrained, max_tokens) for prompt in prompts]
                stream = _Stream(processor, writers[0], on_text, cancel)
                _within_memory(
                    loaded.plan.device,
                    lambda: generate(loaded.model, processor, encoded, writers, stream.show, cancel),
                )
            finally:
                processor.forget_pictures()
            replies = tuple(Completion(processor.text(one.ids), one.finish, len(one.ids)) for one in writers)
            stream.end(replies[0].text)
            return replies
        finally:
            self._lock.release()

    def _packages(self) -> tuple[str, ...]:
        return ("torch", "transformers", "peft") if self._adapter_name else ("torch", "transformers")

    def _find(self) -> tuple[ModelFiles, AdapterFiles | None]:
        files = find_model(self._name, self._revision, download=self._download)
        if not self._adapter_name:
            return files, None
        return files, find_adapter(self._adapter_name, self._adapter_revision, download=self._download)

    def _prepare(self, on_status: OnText, cancel: CancelToken) -> _Prepared:
        """Files found, packages imported, the processor made: once."""
        if self._prepared is None:
            on_status("Downloading what is missing of the model" if self._download else "Looking for the model")
            files, adapter = self._find()
            cancel.check()
            on_status("Starting PyTorch and transformers")
            import_stack(adapter=adapter is not None)
            cancel.check()
            self._prepared = _Prepared(files, adapter, Processor(files))
        return self._prepared

    def _load(self, prepared: _Prepared, load: Load, on_status: OnText, cancel: CancelToken) -> _Loaded:
        """Weights in memory, once, and room for this load beside them; after a failure nothing is kept."""
        config = prepared.files.config
        if self._loaded is not None:
            plan = self._loaded.plan
            needed = prompt_bytes(config, load, plan.bytes, eager=plan.attention == "eager")
            check_fits(needed, plan.device, "The request with its pictures")
            return self._loaded
        device = choose_device(self._device)
        tensors = prepared.files.tensors()
        check_weights(prepared.files, tensors)
        adapter = prepared.adapter.tensors() if prepared.adapter is not None else {}
        if prepared.adapter is not None:
            check_adapter(tensors, adapter, prepared.adapter)
        wanted = Plan(device, self._dtype, self._attention)
        plan = fitting_plan(wanted, prepared.files, tensors.values(), adapter.values(), load)
        self._loaded = _Loaded(
            *_within_memory(device, lambda: load_model(prepared.files, prepared.adapter, plan, on_status, cancel))
        )
        return self._loaded


class _Stream:
    """Shows how the first reply grows, whole characters only."""

    def __init__(self, processor: Processor, writer: Writer, on_text: OnText, cancel: CancelToken) -> None:
        self._processor, self._writer, self._on_text, self._cancel = processor, writer, on_text, cancel
        self._shown = ""

    def show(self) -> None:
        # The bytes of a character may come in several tokens; half a one is decoded as U+FFFD.
        text = self._processor.text(self._writer.ids).rstrip("\ufffd")
        if not self._cancel.cancelled:
            self.end(text)

    def end(self, text: str) -> None:
        if text != self._shown:
            self._shown = text
            self._on_text(text)


def _writer(processor: Processor, prompt: Prompt, constrained: bool, max_tokens: int) -> Writer:
    if not constrained:
        return FreeWriter(processor.ends, max_tokens)
    pieces = [(piece.text, piece.tokens) for piece in FORMS[prompt.form].skeleton]
    return SkeletonWriter(pieces, processor.tokens, processor.cut, max_tokens)


def _load_of(prepared: _Prepared, encoded: Sequence[Encoded], max_tokens: int) -> Load:
    """What a call reads and writes. Raises ReasonerError ``prompt-too-long``."""
    most: int = prepared.files.config["text_config"]["max_position_embeddings"]
    longest = max(len(one) for one in encoded)
    if longest + max_tokens > most:
        raise ReasonerError(
            f"The request with its pictures is too long for the model: {longest} tokens and {max_tokens} for the reply,"
            f" of {most}. Use fewer views.",
            code="prompt-too-long",
        )
    shared = shared_length(encoded)
    pictured = encoded[:1] if shared else encoded
    patches = sum(prepared.processor.patch_count(view) for one in pictured for view in one.views)
    return Load(tuple(len(one) for one in encoded), shared, patches, max_tokens)


def _within_memory(device: str, work: Callable[[], _Result]) -> _Result:
    """Do it; where the device's memory runs out, tidy up and say so.

    The error is raised after the one of torch is gone, whose frames hold the very tensors that filled the memory.
    """
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        said = str(error)
    empty_cache(device)
    raise ReasonerError(
        f"The memory of {device} ran out while the model was at work. Close what else uses it, or use fewer views or"
        " rephrasings.",
        code="memory-exhausted",
        detail=said[:300],
        retryable=True,
    )
