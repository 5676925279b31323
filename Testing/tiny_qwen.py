"""A real Qwen3-VL of 0.3 million parameters, built and trained here in seconds, that answers in the two reply forms.

For a handful of requests it has learned to reply in tags, with an answer that depends on the request; asked for slices
and boxes, it replies in the anchor form. It has never seen a patient: the pictures it was trained with are drawn or
noise. Classes, files and formats are those of the real model.

    tiny_qwen()      folder of the trained model: weights, tokenizer, chat template, image settings, as in a release
    tiny_adapter()   a LoRA adapter on it that changes one reply: asked for the skeleton, it answers "spine"
    tiny_merged()    the model with the adapter merged in: whole weights, for servers that take no adapter
    untrained()      the same with random weights: it writes nonsense

Folders are made once, under build/, by whoever comes first; parallel test processes wait for it. Say::

    pytest.importorskip("transformers", reason="the local reasoner needs the extra 'local'")
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from SEERSegmentLib.reasoning.prompt import load_template
from SEERSegmentLib.reasoning.qwen.processor import Processor
from SEERSegmentLib.reasoning.qwen.weights import find_model
from Testing import tiny_lesson, tiny_replies
from Testing.tiny_lesson import Lesson
from Testing.tiny_replies import (
    ADAPTED,
    ANCHORS,
    COLLOQUIAL,
    FREE,
    MALFORMED,
    REPLIES,
    Context,
    context,
    wordings,
)

__all__ = [
    "ADAPTED",
    "ANCHORS",
    "COLLOQUIAL",
    "FREE",
    "MALFORMED",
    "REPLIES",
    "tiny_adapter",
    "tiny_merged",
    "tiny_qwen",
    "untrained",
]

_TRAINING = (tiny_lesson, tiny_replies)
_BUILD = Path(__file__).resolve().parents[1] / "build" / "tiny-qwen"

_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>")
_SPECIAL += ("<|image_pad|>", "<|video_pad|>")

_CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
    "{% if part.type == 'text' %}{{ part.text }}{% else %}<|vision_start|><|image_pad|><|vision_end|>{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_qwen(head: int = 16) -> Path:
    """The trained model. ``head`` is the size of an attention head: 16, or 32 for vLLM on a CPU."""
    return _made(f"model-{head}", lambda folder: _train(folder, head))


def tiny_adapter(head: int = 16) -> Path:
    """The adapter on ``tiny_qwen(head)``, as peft saves it."""
    return _made(f"adapter-{head}", lambda folder: _train_adapter(folder, tiny_qwen(head)))


def tiny_merged(head: int = 16) -> Path:
    """``tiny_qwen(head)`` with the adapter merged in, complete in one folder."""
    return _made(f"merged-{head}", lambda folder: _merge(folder, tiny_qwen(head), tiny_adapter(head)))


def untrained(head: int = 16) -> Path:
    """The same model before its training."""
    return _made(f"untrained-{head}", lambda folder: _new(folder, head))


def _tokenizer(folder: Path) -> Any:
    """A byte-level BPE of at most 700 tokens, the real special tokens after them."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    templates = load_template(), load_template("medvol")
    corpus = [text for one in templates for text in (one.system, one.user, one.user_with_skills)]
    corpus += [wording for told in wordings().values() for wording in told]
    corpus += [*REPLIES.values(), *ANCHORS.values(), FREE] * 8
    corpus += ["<slice 1>", "image 1: axial 57 (axial, at -120 mm)", "<views>", "<measured>", "<skill_bank>"] * 8
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    # What is not ASCII stays in single bytes, so that characters are cut in the middle as in a real reply.
    ascii_only = [text.encode("ascii", "ignore").decode() for text in corpus]
    bpe.train_from_iterator(
        ascii_only, trainers.BpeTrainer(vocab_size=690, initial_alphabet=alphabet, show_progress=False)
    )
    bpe.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in _SPECIAL])
    bpe.add_tokens([AddedToken(token, special=False, normalized=False) for token in ("<think>", "</think>")])
    made = PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>", clean_up_tokenization_spaces=False
    )
    made.chat_template = _CHAT
    made.save_pretrained(folder)
    return made


def _new(folder: Path, head: int) -> Any:
    """The whole folder, with random weights; returns the model."""
    import torch
    from transformers import GenerationConfig, Qwen3VLConfig, Qwen3VLForConditionalGeneration

    tokenizer = _tokenizer(folder)
    number = tokenizer.convert_tokens_to_ids
    hidden = 4 * head
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_interleaved": True}
    text = {
        "vocab_size": 64 * -(-len(tokenizer) // 64),
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": head,
        "max_position_embeddings": 32768,
        "rope_parameters": {**rope, "mrope_section": [head // 4, head // 8, head // 8]},
        "tie_word_embeddings": True,
        "bos_token_id": number("<|endoftext|>"),
        "eos_token_id": number("<|im_end|>"),
    }
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_heads": 2,
        "patch_size": 16,
        "temporal_patch_size": 2,
        "spatial_merge_size": 2,
        "out_hidden_size": hidden,
        "num_position_embeddings": 16,
        "deepstack_visual_indexes": [0, 1],
    }
    config = Qwen3VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=number("<|image_pad|>"),
        video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"),
        tie_word_embeddings=True,
    )
    torch.manual_seed(0)
    model = Qwen3VLForConditionalGeneration(config)
    ends = [number("<|im_end|>"), number("<|endoftext|>")]
    model.generation_config = GenerationConfig(eos_token_id=ends, pad_token_id=ends[1], do_sample=False)
    model.save_pretrained(folder)
    images = {
        "size": {"shortest_edge": 1024, "longest_edge": 4096},  # pixels: 1 to 4 tokens for a picture
        "patch_size": 16,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "image_processor_type": "Qwen2VLImageProcessorFast",
        "processor_class": "Qwen3VLProcessor",
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(images, indent=2), encoding="utf-8")
    videos = {**images, "video_processor_type": "Qwen3VLVideoProcessor"}
    (folder / "video_preprocessor_config.json").write_text(json.dumps(videos, indent=2), encoding="utf-8")
    return model


def _train(folder: Path, head: int) -> None:
    model = _new(folder, head)
    processor = Processor(find_model(str(folder)))
    # What a request means is learned fastest where little else is said; then it is told apart from all the rest.
    Lesson(processor, lambda draw: context(draw, "bare"), 2, wordings=24).teach(model, 6e-3, 220)
    Lesson(processor, lambda draw: context(draw, "short")).teach(model, 5e-3, 160)
    _taught(Lesson(processor, lambda draw: context(draw, "full")), model, 4e-3, 160)
    model.save_pretrained(folder)


def _train_adapter(folder: Path, base: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import Qwen3VLForConditionalGeneration

    def changed(draw: random.Random) -> Context:
        usual = context(draw, "full")
        return usual if usual.replies is ANCHORS else Context(usual.prompt, {**usual.replies, **ADAPTED})

    torch.manual_seed(0)
    model = Qwen3VLForConditionalGeneration.from_pretrained(str(base), dtype=torch.float32, local_files_only=True)
    targets = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
    adapted = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=targets, task_type="CAUSAL_LM"))
    _taught(Lesson(Processor(find_model(str(base))), changed), adapted.base_model.model, 6e-3, 100)
    adapted.save_pretrained(folder, save_embedding_layers=False)


def _taught(lesson: Lesson, model: Any, rate: float, steps: int) -> None:
    """Repeat a lesson until it is learned: how long it takes hangs on the machine's arithmetic."""
    for _ in range(5):
        lesson.teach(model, rate, steps)
        if lesson.learned(model):
            return
    raise RuntimeError("the tiny model did not learn its replies")


def _merge(folder: Path, base: Path, adapter: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import Qwen3VLForConditionalGeneration

    shutil.copytree(base, folder, dirs_exist_ok=True)
    model = Qwen3VLForConditionalGeneration.from_pretrained(str(base), dtype=torch.float32, local_files_only=True)
    PeftModel.from_pretrained(model, str(adapter)).merge_and_unload().save_pretrained(folder)


@cache
def _key() -> str:
    """Of all that the folders depend on: these modules, what they draw on, and the versions of what trains."""
    parts = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in (sys.modules[__name__], *_TRAINING)]
    parts += [load_template().sha256, load_template("medvol").sha256, json.dumps(wordings())]
    parts += [f"{package} {version(package)}" for package in ("torch", "transformers", "peft", "tokenizers")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _made(name: str, make: Callable[[Path], Any]) -> Path:
    """A folder made once: by the process that holds the lock, whole or not at all."""
    from filelock import FileLock

    folder = _BUILD / f"{name}-{_key()}"
    if not folder.is_dir():
        _BUILD.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not folder.is_dir():
                partial = _BUILD / f"{name}-{os.getpid()}.partial"
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir()
                with _one_thread(), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    make(partial)
                partial.rename(folder)
    return folder


@contextmanager
def _one_thread() -> Iterator[None]:
    """Matrices this small are slower on several threads, and the result is the same on any machine's number of them."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
