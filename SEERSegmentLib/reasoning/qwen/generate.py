"""Prompts in, replies out: one greedy batch that reads its common beginning once.

The rephrasings of a request differ in its last words only, long after the system text and the pictures. So what all
prompts begin with (tokens and pictures alike) is read once, as a batch of one; its keys and values are then repeated
for every prompt, and the prompts' own ends are read and written together, padded on the left. Prompts that don't share
their pictures are read as an ordinary padded batch. Either way a reply is the one that the prompt alone would get.

Positions are handed to the model with every step, so nothing here rests on state that a model keeps between calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ReasonerError
from ...protocols import CancelToken
from .processor import Encoded, Processor
from .writing import Writer

__all__ = ["generate", "shared_length"]


def generate(
    model: Any,
    processor: Processor,
    prompts: Sequence[Encoded],
    writers: Sequence[Writer],
    on_token: Callable[[], None],
    cancel: CancelToken,
) -> None:
    """Let every writer write its reply.

    Parameters
    ----------
    model : Qwen3VLForConditionalGeneration
    processor : Processor
        For the pictures.
    prompts : sequence of Encoded
    writers : sequence of Writer
        One for each prompt; they hold the replies afterwards.
    on_token : callable
        Called after every step, in this thread.
    cancel : CancelToken
        Heard between two layers of the model.

    Raises
    ------
    ReasonerError
        ``model-overflow``.
    Cancelled
    """
    import torch

    with torch.inference_mode(), _interruptible(model, cancel):
        batch = _Batch(model, processor, prompts)
        while True:
            cancel.check()
            choices = batch.logits.argmax(dim=-1).tolist()
            written = [
                choice if writer.finish else writer.write(choice)
                for writer, choice in zip(writers, choices, strict=True)
            ]
            on_token()
            if all(writer.finish for writer in writers):
                return
            cancel.check()
            batch.read(written)


def shared_length(prompts: Sequence[Encoded]) -> int:
    """Tokens at the beginning of all prompts that can be read once: 0, or at least up to the last picture.

    Of several prompts each keeps at least one token of its own.
    """
    first = prompts[0]
    if len(prompts) == 1:
        return len(first)
    length = min(len(one) for one in prompts) - 1
    pictures = [view.sha256 for view in first.views]
    for other in prompts[1:]:
        if [view.sha256 for view in other.views] != pictures:
            return 0
        differ = np.flatnonzero(first.ids[:length] != other.ids[:length])
        length = int(differ[0]) if len(differ) else length
    return length if length >= max(one.last_picture for one in prompts) else 0


class _Batch:
    """Prompts that are being answered: the model's memory of them, and what it says comes next."""

    def __init__(self, model: Any, processor: Processor, prompts: Sequence[Encoded]) -> None:
        self._model = model
        self._device = model.device
        self._cache: Any = None  # keys and values, as the model's own class of them
        self._mask: NDArray[np.int64] = np.ones((len(prompts), 0), dtype=np.int64)
        self._next = np.array([one.positions.max() + 1 for one in prompts])
        shared = shared_length(prompts)
        if shared:
            self._mask = self._mask[:1]
            first = prompts[0]
            self._forward(first.ids[None, :shared], first.positions[:, None, :shared], None, processor, first.views)
        if shared < max(len(one) for one in prompts):
            if shared:
                self._repeat(len(prompts))
            views = [] if shared else [view for one in prompts for view in one.views]
            self._forward(*_padded(prompts, shared), processor, views)

    def read(self, tokens: Sequence[int]) -> None:
        """One more token for each prompt."""
        ids = np.array(tokens, dtype=np.int64)[:, None]
        positions = np.broadcast_to(self._next[None, :, None], (3, len(tokens), 1))
        self._next = self._next + 1
        self._forward(ids, positions, None)

    def _repeat(self, times: int) -> None:
        """What was read as a batch of one becomes the beginning of every prompt."""
        self._cache.batch_repeat_interleave(times)
        self._mask = np.repeat(self._mask, times, axis=0)

    def _forward(
        self,
        ids: NDArray[np.int64],  # (prompts, tokens)
        positions: NDArray[np.int64],  # (3, prompts, tokens)
        mask: NDArray[np.int64] | None,  # (prompts, tokens); None: no padding among them
        processor: Processor | None = None,
        views: Sequence[Any] = (),
    ) -> None:
        import torch

        count, length = ids.shape
        begin = self._mask.shape[1]
        self._mask = np.concatenate([self._mask, np.ones_like(ids) if mask is None else mask], axis=1)
        # A first row of plain places in the sequence: attention kernels take jumps in it for borders between texts.
        places = np.broadcast_to(np.arange(begin, begin + length), (1, count, length))
        tensors = {
            "input_ids": torch.from_numpy(ids),
            "position_ids": torch.from_numpy(np.concatenate([places, positions])),
        }
        if not self._mask.all():
            tensors["attention_mask"] = torch.from_numpy(self._mask)
        if views and processor is not None:
            pixels, grids = processor.pixels(views)
            tensors["pixel_values"] = torch.from_numpy(pixels)
            tensors["image_grid_thw"] = torch.from_numpy(grids)
        moved = {name: tensor.to(self._device) for name, tensor in tensors.items()}
        out = self._model(**moved, past_key_values=self._cache, use_cache=True, logits_to_keep=1)
        self._cache = out.past_key_values
        self.logits = out.logits[:, -1].float()  # (prompts, vocabulary)
        if not bool(self.logits.amax().isfinite()):
            raise ReasonerError(
                f"The model's numbers ran out of the range of {self._model.dtype}; set dtype=float32 or bfloat16.",
                code="model-overflow",
            )


def _padded(prompts: Sequence[Encoded], start: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Tokens, positions and mask of the prompts from ``start`` on, padded on the left with what no one looks at."""
    length = max(len(one) for one in prompts) - start
    ids = np.zeros((len(prompts), length), dtype=np.int64)
    positions = np.zeros((3, len(prompts), length), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, one in enumerate(prompts):
        begin = length - (len(one) - start)
        ids[row, begin:] = one.ids[start:]
        positions[:, row, begin:] = one.positions[:, start:]
        mask[row, begin:] = 1
    return ids, positions, mask


@contextmanager
def _interruptible(model: Any, cancel: CancelToken) -> Iterator[None]:
    """Within the block, a cancel is heard before every layer: reading a long prompt can take minutes."""

    def listen(*_: Any) -> None:
        cancel.check()

    with ExitStack() as stack:
        for layer in (*model.model.visual.blocks, *model.model.language_model.layers):
            stack.callback(layer.register_forward_pre_hook(listen).remove)
        yield
