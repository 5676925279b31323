"""Qwen3-VL on this machine as a :class:`~SEERSegmentLib.reasoning.vlm.VisionLanguageModel`."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, TypeVar

from ...errors import MissingExtra, ReasonerError, SeerError
from ...protocols import CancelToken, Readiness
from ..forms import FORMS
from ..prompt import Prompt
from ..vlm import MAX_TOKENS, Completion, OnText, ignore_text
from .device import Plan, check_choices, choose_device, empty_cache, out_of_memory
from .generate import generate, shared_length
from .loading import check_adapter, import_stack, load_model
from .memory import Load, check_fits, fitting_plan, prompt_bytes
from .processor import Encoded, Processor
from .weights import AdapterFiles, ModelFiles, find_adapter, find_model
from .writing import FreeWriter, SkeletonWriter, Writer

__all__ = ["QwenVL"]

_Result = TypeVar("_Result")

#: How often a call that waits for another one looks whether it was cancelled, in seconds.
_LOOK = 0.05


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
        self._files: ModelFiles | None = None
        self._adapter: AdapterFiles | None = None
        self._processor: Processor | None = None
        self._plan: Plan | None = None
        self._model: Any = None

    def readiness(self) -> Readiness:
        """Whether the packages and the files are there; imports and loads nothing."""
        packages = ("torch", "transformers", *(("peft",) if self._adapter_name else ()))
        if not all(importlib.util.find_spec(one) for one in packages):
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
        if self._adapter is not None and self._adapter.base != self._name:
            found.append(("adapter made for", self._adapter.base))
        if self._plan is not None:
            found += [("device", self._plan.device), ("dtype", self._plan.dtype), ("attention", self._plan.attention)]
            found.append(("fall-backs", "; ".join(self._plan.notes)))
            packages = ("torch", "transformers", *(("peft",) if self._adapter else ()))
            found.append(("software", ", ".join(f"{one} {version(one)}" for one in packages)))
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
            ``prompt-pictures``, ``prompt-too-long``.
        Cancelled
            The loaded model is kept.
        """
        if not prompts:
            return ()
        while not self._lock.acquire(timeout=_LOOK):
            cancel.check()
        try:
            cancel.check()
            processor = self._prepared(on_status, cancel)
            try:
                return self._answered(processor, prompts, constrained, max_tokens, on_text, on_status, cancel)
            finally:
                processor.forget_pictures()
        finally:
            self._lock.release()

    def _find(self) -> tuple[ModelFiles, AdapterFiles | None]:
        files = find_model(self._name, self._revision, download=self._download)
        if not self._adapter_name:
            return files, None
        return files, find_adapter(self._adapter_name, self._adapter_revision, download=self._download)

    def _prepared(self, on_status: OnText, cancel: CancelToken) -> Processor:
        """The processor, made at the first call: files found, packages imported, no weights yet."""
        if self._processor is None:
            on_status("Downloading what is missing of the model" if self._download else "Looking for the model")
            self._files, self._adapter = self._find()
            cancel.check()
            on_status("Starting PyTorch and transformers")
            import_stack(adapter=self._adapter is not None)
            cancel.check()
            self._processor = Processor(self._files)
        return self._processor

    def _answered(
        self,
        processor: Processor,
        prompts: Sequence[Prompt],
        constrained: bool,
        max_tokens: int,
        on_text: OnText,
        on_status: OnText,
        cancel: CancelToken,
    ) -> tuple[Completion, ...]:
        encoded = [processor.encode(prompt) for prompt in prompts]
        cancel.check()
        load = self._load_of(encoded, processor, max_tokens)
        if self._model is None:
            self._load_weights(load, on_status, cancel)
        else:
            self._check_room(load)
        on_status("Reading the pictures and the request")
        writers = [self._writer(processor, prompt, constrained, max_tokens) for prompt in prompts]
        shown = ""

        def show() -> None:
            nonlocal shown
            # The bytes of a character may come in several tokens; half a one is decoded as U+FFFD.
            text = processor.text(writers[0].ids).rstrip("\ufffd")
            if text != shown and not cancel.cancelled:
                shown = text
                on_text(text)

        self._within_memory(lambda: generate(self._model, processor, encoded, writers, show, cancel))
        replies = tuple(Completion(processor.text(one.ids), one.finish, len(one.ids)) for one in writers)
        if replies[0].text != shown:
            on_text(replies[0].text)
        return replies

    def _writer(self, processor: Processor, prompt: Prompt, constrained: bool, max_tokens: int) -> Writer:
        if not constrained:
            return FreeWriter(processor.ends, max_tokens)
        pieces = [(piece.text, piece.tokens) for piece in FORMS[prompt.form].skeleton]
        return SkeletonWriter(pieces, processor.tokens, processor.cut, max_tokens)

    def _load_of(self, encoded: Sequence[Encoded], processor: Processor, max_tokens: int) -> Load:
        assert self._files is not None
        most = int((self._files.config.get("text_config") or {}).get("max_position_embeddings", 128000))
        longest = max(len(one) for one in encoded)
        if longest + max_tokens > most:
            raise ReasonerError(
                f"The request with its pictures is too long for the model: {longest} tokens and {max_tokens} of the"
                f" reply, of {most}. Use fewer views.",
                code="prompt-too-long",
            )
        shared = shared_length(encoded)
        pictured = encoded[:1] if shared else encoded
        patches = sum(processor.patch_count(view) for one in pictured for view in one.views)
        return Load(tuple(len(one) for one in encoded), shared, patches, max_tokens)

    def _load_weights(self, load: Load, on_status: OnText, cancel: CancelToken) -> None:
        """Check that all fits, then load; after a failure nothing is kept."""
        assert self._files is not None
        device = choose_device(self._device)
        tensors = self._files.tensors()
        adapter = self._adapter.tensors() if self._adapter is not None else {}
        if self._adapter is not None:
            check_adapter(tensors, adapter, self._adapter)
        wanted = Plan(device, self._dtype, self._attention)
        plan = fitting_plan(wanted, self._files, tensors.values(), adapter.values(), load)
        self._plan = plan
        try:
            loaded = self._within_memory(lambda: load_model(self._files, self._adapter, plan, on_status, cancel))
        except BaseException:
            self._plan = None
            raise
        self._model, self._plan = loaded

    def _check_room(self, load: Load) -> None:
        assert self._files is not None
        assert self._plan is not None
        needed = prompt_bytes(self._files.config, load, self._plan.bytes, eager=self._plan.attention == "eager")
        check_fits(needed, self._plan.device, "The request with its pictures")

    def _within_memory(self, work: Callable[[], _Result]) -> _Result:
        """Do it; where the device's memory runs out, tidy up and say so.

        The error is raised after the one of torch is gone, whose frames hold the very tensors that filled the memory.
        """
        assert self._plan is not None
        try:
            return work()
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            said = str(error)
        empty_cache(self._plan.device)
        raise ReasonerError(
            f"The memory of {self._plan.device} ran out while the model was at work; nothing was lost. Close what else"
            " uses it, or use fewer views or rephrasings.",
            code="memory-exhausted",
            detail=said[:300],
            retryable=True,
        )
