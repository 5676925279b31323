"""How the tiny Qwen3-VL is trained: all replies at once, in ever new surroundings, until they are right."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from SEERSegmentLib.protocols import CancelToken
from SEERSegmentLib.reasoning.qwen.generate import generate, shared_length
from SEERSegmentLib.reasoning.qwen.processor import Encoded, Processor
from SEERSegmentLib.reasoning.qwen.writing import FreeWriter
from Testing.tiny_replies import Context, plain, wordings

__all__ = ["Lesson"]


def _choices(reply: Sequence[int], replies: Sequence[Sequence[int]]) -> list[float]:
    """Weights of a reply's tokens: where it parts from another reply, the request decides, and that counts more."""
    return [
        10.0 if any(other[:n] == reply[:n] and other[n : n + 1] != reply[n : n + 1] for other in replies) else 1.0
        for n in range(len(reply))
    ]


class Lesson:
    """Requests in ever new contexts, and the replies that are wanted.

    Parameters
    ----------
    processor : Processor
    make : callable
        A context, at random.
    repeats : int
        How often a step asks each request.
    wordings : int
        How many wordings of a request are asked, the plain ones first.
    """

    def __init__(
        self, processor: Processor, make: Callable[[random.Random], Context], repeats: int = 1, wordings: int = 999
    ) -> None:
        self._processor, self._make, self._repeats = processor, make, repeats
        self._most_wordings = wordings
        self._draw = random.Random(repeats)
        self._end = [processor.tokenizer.convert_tokens_to_ids("<|im_end|>")]

    def teach(self, model: Any, rate: float, steps: int) -> None:
        """Train what can be trained, at a rate that falls to nothing."""
        import torch

        parameters = [one for one in model.parameters() if one.requires_grad]
        optimizer = torch.optim.AdamW(parameters, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
        model.train()
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = rate * min((step + 1) / 20, 1 - step / steps)
            loss = self._loss(model, self._make(self._draw))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            if step % 50 == 49:
                self._processor.forget_pictures()
        model.eval()

    def _loss(self, model: Any, context: Context) -> Any:
        """Of the replies to some requests in one context, whose common beginning is read once for all of them."""
        import torch

        replies = context.replies
        names = [*replies] * self._repeats
        # The plain words come as often as all others together: they are what tests ask most.
        words = [
            self._draw.choice(plain(name) if self._draw.random() < 0.5 else self._wordings(name)) for name in names
        ]
        rows = [self._processor.encode(context.prompt(one)) for one in words]
        wanted = [self._processor.tokens(replies[name]) + self._end for name in names]
        first = rows[0]
        shared = shared_length(rows) if first.views else 0  # where it is short, reading it twice costs less than a step
        past = self._read_once(model, first, shared, len(rows)) if shared else None
        length = max(len(row) - shared + len(reply) for row, reply in zip(rows, wanted, strict=True))
        ids = torch.zeros(len(rows), length, dtype=torch.long)
        labels = torch.full_like(ids, -1)
        weights = torch.zeros(ids.shape)
        positions = torch.zeros(3, len(rows), length, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for n, (row, reply) in enumerate(zip(rows, wanted, strict=True)):
            own = len(row) - shared
            end = own + len(reply)
            ids[n, :own] = torch.from_numpy(row.ids[shared:])
            ids[n, own:end] = torch.tensor(reply)
            labels[n, own - 1 : end - 1] = ids[n, own:end]
            weights[n, own - 1 : end - 1] = torch.tensor(_choices(reply, wanted))
            start = int(row.positions.max()) + 1
            positions[:, n, :own] = torch.from_numpy(row.positions[:, shared:])
            positions[:, n, own:end] = torch.arange(start, start + len(reply))
            mask[n, :end] = 1
        read = model.model(
            input_ids=ids,
            position_ids=positions,
            attention_mask=torch.cat([torch.ones(len(rows), shared, dtype=torch.long), mask], dim=1),
            past_key_values=past,
            use_cache=True,
        ).last_hidden_state
        told = labels >= 0  # the vocabulary is looked at where a reply stands, and nowhere else
        losses = torch.nn.functional.cross_entropy(model.lm_head(read[told]), labels[told], reduction="none")
        return (losses * weights[told]).sum() / weights.sum()

    def _read_once(self, model: Any, first: Encoded, shared: int, times: int) -> Any:
        """Keys and values of the beginning, pictures included, for so many requests."""
        import torch

        pixels, grids = self._processor.pixels(first.views)
        read = model(
            input_ids=torch.from_numpy(first.ids[None, :shared]),
            position_ids=torch.from_numpy(first.positions[:, None, :shared]),
            pixel_values=torch.from_numpy(pixels),
            image_grid_thw=torch.from_numpy(grids),
            use_cache=True,
            logits_to_keep=1,
        ).past_key_values
        read.batch_repeat_interleave(times)
        return read

    def learned(self, model: Any) -> bool:
        """Whether in twenty new contexts all plain requests get their replies, and nine of ten others do."""
        others, right = 0, 0
        for _ in range(20):
            context = self._make(self._draw)
            asked = [(name, words) for name in context.replies for words in (*plain(name), self._other(name))]
            rows = [self._processor.encode(context.prompt(words)) for _, words in asked]
            writers = [FreeWriter(self._processor.ends, 120) for _ in rows]
            generate(model, self._processor, rows, writers, lambda: None, CancelToken())
            for (name, words), writer in zip(asked, writers, strict=True):
                is_right = self._processor.text(writer.ids) == context.replies[name]
                if words in plain(name):
                    if not is_right:
                        return False
                else:
                    others, right = others + 1, right + is_right
        return right >= 0.9 * others

    def _other(self, name: str) -> str:
        return self._draw.choice([words for words in self._wordings(name) if words not in plain(name)])

    def _wordings(self, name: str) -> tuple[str, ...]:
        return wordings()[name][: self._most_wordings]
