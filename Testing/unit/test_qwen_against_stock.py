"""The local model against the stock classes: the same positions, logits and replies as transformers gives by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra model-test")
pytest.importorskip("transformers", reason="needs the extra model-test")

import torch

from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.pipeline import observe
from SEERSegmentLib.protocols import CancelToken, ReasoningCase
from SEERSegmentLib.reasoning.prompt import Prompt, compose, load_template
from SEERSegmentLib.reasoning.qwen import QwenVL
from SEERSegmentLib.reasoning.qwen.processor import Encoded, Processor
from SEERSegmentLib.reasoning.qwen.weights import find_model
from SEERSegmentLib.values import Request
from Testing.tiny_qwen import tiny_qwen


@pytest.fixture(scope="module")
def stock() -> Any:
    """The model as transformers loads it."""
    from transformers import Qwen3VLForConditionalGeneration

    return Qwen3VLForConditionalGeneration.from_pretrained(
        str(tiny_qwen()), dtype=torch.float32, local_files_only=True, attn_implementation="sdpa"
    ).eval()


@pytest.fixture(scope="module")
def processor() -> Processor:
    return Processor(find_model(str(tiny_qwen())))


def prompts(*requests: str, preset: str = "seer-v1") -> list[Prompt]:
    volume, _ = chest_phantom(5.0)
    seen = observe(volume, preset)
    case = ReasoningCase(Request(""), volume.modality, seen.views, seen.facts)
    return [compose(case, load_template(), text) for text in requests]


def stock_inputs(processor: Processor, encoded: Encoded) -> dict[str, Any]:
    """What the stock processor would hand to the model."""
    pixels, grids = processor.pixels(encoded.views)
    ids = torch.from_numpy(encoded.ids)[None]
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": (ids == processor.tokenizer.convert_tokens_to_ids("<|image_pad|>")).int(),
        "pixel_values": torch.from_numpy(pixels),
        "image_grid_thw": torch.from_numpy(grids),
    }


@pytest.mark.parametrize("preset", ["seer-v1", "multi-view"])
def test_positions_are_those_of_the_stock_model(stock: Any, processor: Processor, preset: str) -> None:
    for prompt in prompts("right lung", "the left lung, please, and nothing else", preset=preset):
        encoded = processor.encode(prompt)
        inputs = stock_inputs(processor, encoded)
        expected, _ = stock.model.get_rope_index(
            input_ids=inputs["input_ids"],
            mm_token_type_ids=inputs["mm_token_type_ids"],
            image_grid_thw=inputs["image_grid_thw"],
            attention_mask=inputs["attention_mask"],
        )
        assert np.array_equal(encoded.positions, expected[:, 0].numpy())


def stock_reply(stock: Any, processor: Processor, prompt: Prompt) -> str:
    inputs = stock_inputs(processor, processor.encode(prompt))
    with torch.inference_mode():
        written = stock.generate(**inputs, max_new_tokens=80, do_sample=False)
    ids = [token for token in written[0, inputs["input_ids"].shape[1] :].tolist() if token not in processor.ends]
    return processor.text(ids)


@pytest.mark.parametrize("request_text", ["right lung", "trachea", "a request that it has never seen"])
def test_a_reply_is_the_stock_models_own(stock: Any, processor: Processor, request_text: str) -> None:
    (prompt,) = prompts(request_text)
    (done,) = QwenVL(str(tiny_qwen())).complete([prompt], max_tokens=80, cancel=CancelToken())
    assert done.text == stock_reply(stock, processor, prompt)


def test_each_reply_of_a_batch_is_the_stock_models_own(stock: Any, processor: Processor) -> None:
    batch = prompts("left lung", "trachea", "right lung please, if you can see it at all", "skeleton")
    replies = QwenVL(str(tiny_qwen())).complete(batch, max_tokens=80, cancel=CancelToken())
    assert [one.text for one in replies] == [stock_reply(stock, processor, prompt) for prompt in batch]
