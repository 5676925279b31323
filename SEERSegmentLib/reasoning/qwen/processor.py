"""From prompts to numbers: the chat template, the tokenizer, the pictures' grids, and where every token stands.

The stock processor of Qwen3-VL can't be made without torchvision, which only its video half needs. So the parts are put
together here: the tokenizer, the image processor that works on Pillow's pictures, and the model's own chat template.

Positions are Qwen3-VL's interleaved M-RoPE: three numbers (time, row, column) for each token. Text counts all three on
together; the tokens of a picture share one time, and have rows and columns from there; what follows goes on after the
longer side of its grid (Qwen2-VL, Wang et al. 2024, arXiv:2409.12191, section 2.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ReasonerError
from ...values import View
from ..prompt import Prompt, chat_messages
from .weights import ModelFiles

__all__ = ["Encoded", "Processor"]

#: The image processor takes no picture with a side that is longer than this many times the other.
_THINNEST = 200

#: No vocabulary of a model is rounded up by more.
_ROUNDING = 1024

_IMAGE, _END = "<|image_pad|>", "<|im_end|>"


@dataclass(frozen=True, eq=False)
class Encoded:
    """One prompt, ready for the model.

    Attributes
    ----------
    ids : ndarray, shape (tokens,), int64
    positions : ndarray, shape (3, tokens), int64
        Time, row and column of every token.
    views : tuple of View
        Its pictures, in the order of their tokens.
    last_picture : int
        Tokens up to the end of the last picture; 0 without pictures.
    """

    ids: NDArray[np.int64]
    positions: NDArray[np.int64]
    views: tuple[View, ...]
    last_picture: int

    def __len__(self) -> int:
        return len(self.ids)


class Processor:
    """Tokenizer, image processor and chat template of a model's folder; nothing is fetched, no code of its own is run.

    Raises
    ------
    ReasonerError
        ``model-damaged``: files of the folder that can't be used, or don't belong together.
    """

    def __init__(self, files: ModelFiles) -> None:
        from transformers import AutoTokenizer

        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(
                str(files.folder), local_files_only=True, trust_remote_code=False
            )
            self._images = _image_processor(files.image_settings)
            self._merge = int(self._images.merge_size)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _unusable(files, f"{type(error).__name__}: {error}") from error
        self._image_id: int = self.tokenizer.convert_tokens_to_ids(_IMAGE)
        if self._image_id != files.config.get("image_token_id"):
            raise _unusable(files, f"{_IMAGE} is {self._image_id}, not {files.config.get('image_token_id')}")
        self._files = files
        #: Tokens that end a reply.
        self.ends = frozenset({*files.end_tokens, self.tokenizer.convert_tokens_to_ids(_END)})
        self._seen: dict[str, tuple[NDArray[np.float32], tuple[int, int]]] = {}

    def encode(self, prompt: Prompt) -> Encoded:
        """A prompt as tokens, the answer's turn opened.

        Raises
        ------
        ReasonerError
            ``prompt-pictures``: the prompt's words hold a picture's token themselves, or a picture is too thin.
            ``model-damaged``: the chat template or the image settings can't be used.
        """
        from jinja2 import TemplateError

        try:
            text = self.tokenizer.apply_chat_template(
                chat_messages(prompt, lambda _: {"type": "image"}),
                chat_template=self._files.chat_template,
                tokenize=False,
                add_generation_prompt=True,
            )
        except TemplateError as error:
            raise _unusable(self._files, f"chat template: {error}") from error
        ids = np.asarray(self.tokens(text), dtype=np.int64)
        places = np.flatnonzero(ids == self._image_id)
        views = prompt.views
        if len(places) != len(views):
            raise ReasonerError(
                "The words around the request hold a special token of the model; use another template.",
                code="prompt-pictures",
                detail=f"{len(places)} places for {len(views)} pictures",
            )
        grids = [self._prepared(view)[1] for view in views]
        counts = np.ones(len(ids), dtype=np.int64)
        counts[places] = [rows * columns for rows, columns in grids]
        last = int(counts[: places[-1] + 1].sum()) if len(places) else 0
        return Encoded(np.repeat(ids, counts), _positions(len(ids), places, grids), views, last)

    def pixels(self, views: Sequence[View]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Pictures as the vision encoder takes them.

        Returns
        -------
        patches : ndarray, shape (patches of all pictures, values of a patch), float32
        grids : ndarray, shape (pictures, 3), int64
            Patches of each picture: 1, rows, columns.
        """
        prepared = [self._prepared(view) for view in views]
        grids = np.array([(1, rows * self._merge, columns * self._merge) for _, (rows, columns) in prepared])
        return np.concatenate([patches for patches, _ in prepared]), grids.astype(np.int64)

    def patch_count(self, view: View) -> int:
        """Patches of a picture, as the vision encoder counts them."""
        return len(self._prepared(view)[0])

    def forget_pictures(self) -> None:
        """Let go of the pictures that were prepared: those of another case are coming."""
        self._seen.clear()

    def text(self, ids: Sequence[int]) -> str:
        """What tokens say. Special tokens are shown: a reply that holds one is not as it should be."""
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text

    def tokens(self, text: str) -> list[int]:
        """A plain text's tokens."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def cut(self, token: int) -> str | None:
        """What may stand of a token within a piece of text: None for all of it, else what comes before its ``<``.

        Nothing of a special token may.
        """
        if token not in self._closing:
            return None
        before = "" if token in self._markers else self.text([token]).partition("<")[0]
        return "" if "\ufffd" in before else before

    @cached_property
    def _markers(self) -> frozenset[int]:
        """Special and added tokens."""
        return frozenset({*self.tokenizer.all_special_ids, *self.tokenizer.get_added_vocab().values()})

    @cached_property
    def _closing(self) -> frozenset[int]:
        """Tokens that can't stand within a piece of text: markers, and all that hold ``<``."""
        vocabulary: dict[str, int] = self.tokenizer.get_vocab()
        # The model's vocabulary is longer than the tokenizer's, to a round number: such tokens say nothing.
        silent = range(len(vocabulary), len(vocabulary) + _ROUNDING)
        return frozenset({*self._markers, *silent, *(n for token, n in vocabulary.items() if "<" in token)})

    def _prepared(self, view: View) -> tuple[NDArray[np.float32], tuple[int, int]]:
        """A view's patches, and its grid in tokens (rows, columns); computed once."""
        if view.sha256 not in self._seen:
            from PIL import Image

            if max(view.pixels.shape) > _THINNEST * min(view.pixels.shape):
                raise ReasonerError(
                    f"The model can't read a picture as thin as {view.name}; choose other views.",
                    code="prompt-pictures",
                )
            try:
                made = self._images(images=[Image.fromarray(view.pixels).convert("RGB")], return_tensors="np")
            except (ValueError, TypeError, KeyError) as error:
                raise _unusable(self._files, f"image settings: {error}") from error
            _, rows, columns = (int(n) for n in made["image_grid_thw"][0])
            patches = np.asarray(made["pixel_values"], dtype=np.float32)
            self._seen[view.sha256] = patches, (rows // self._merge, columns // self._merge)
        return self._seen[view.sha256]


def _positions(
    length: int, places: NDArray[np.intp], grids: Sequence[tuple[int, int]]
) -> NDArray[np.int64]:  # (3, tokens)
    parts: list[NDArray[np.int64]] = []
    at = position = 0

    def text(count: int) -> None:
        nonlocal position
        parts.append(np.tile(np.arange(position, position + count), (3, 1)))
        position += count

    for place, (rows, columns) in zip(places.tolist(), grids, strict=True):
        text(place - at)
        row, column = np.divmod(np.arange(rows * columns), columns)
        parts.append(position + np.stack([np.zeros_like(row), row, column]))
        position += max(rows, columns)
        at = place + 1
    text(length - at)
    return np.concatenate(parts, axis=1).astype(np.int64)


def _image_processor(settings: dict[str, Any]) -> Any:
    """The image processor that works without torchvision; where it lives depends on the version of transformers."""
    try:
        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil as Images
    except ImportError:  # before transformers 5 the processor of this plain name is the one on Pillow
        from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor as Images

        # It heeds the limits under their older names alone.
        size = settings.get("size") or {}
        limits = {"min_pixels": size.get("shortest_edge"), "max_pixels": size.get("longest_edge")}
        settings = {**{name: value for name, value in limits.items() if value is not None}, **settings}
    return Images(**settings)


def _unusable(files: ModelFiles, detail: str) -> ReasonerError:
    return ReasonerError(
        f"The tokenizer, chat template or image settings of {files.name} can't be used with the model; copy or download"
        " the folder again, whole.",
        code="model-damaged",
        detail=detail[:500],
    )
