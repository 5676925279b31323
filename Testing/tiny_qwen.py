"""A real Qwen3-VL of 0.3 million parameters, built and trained here in seconds, that answers in the two reply forms.

For a handful of requests it has learned to reply in tags, with an answer that depends on the request; asked for slices
and boxes (64 pictures, each after its ``<slice k>``), it replies in the anchor form. It has never seen a patient: the
pictures that it was trained with are drawn or noise. Classes, files and formats are those of the real model.

    tiny_qwen()      folder of the trained model (weights, tokenizer, chat template, image settings), as a release has it
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
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from SEERSegmentLib.anatomy import resolve_answer
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.imaging.views import render_views
from SEERSegmentLib.protocols import CancelToken, ReasoningCase
from SEERSegmentLib.reasoning.prompt import Prompt, Template, compose, load_template
from SEERSegmentLib.reasoning.qwen.generate import generate, shared_length
from SEERSegmentLib.reasoning.qwen.processor import Encoded, Processor
from SEERSegmentLib.reasoning.qwen.weights import find_model
from SEERSegmentLib.reasoning.qwen.writing import FreeWriter
from SEERSegmentLib.reasoning.rephrasing import rephrase, wrapped
from SEERSegmentLib.values import Evidence, ImageFacts, Modality, Plane, Request, Skill, TargetSpec, View

__all__ = ["ADAPTED", "MALFORMED", "REPLIES", "tiny_adapter", "tiny_merged", "tiny_qwen", "untrained"]

_BUILD = Path(__file__).resolve().parents[1] / "build" / "tiny-qwen"

_TAGS = "<evidence>{}</evidence>\n<rationale>{}</rationale>\n<answer>{}</answer>"
_ANCHOR = '<think>{}</think>\n<answer>[{{"slice": {}, "bbox_2d_list": [{}]}}]</answer>'

#: Requests for which the model was trained → the reply in tags. A character of three bytes is among them.
REPLIES = {
    "right lung": _TAGS.format("right lung, dark (image 1)", "named as such", "right lung"),
    "left lung": _TAGS.format("left lung, dark (image 2)", "named as such", "left lung"),
    "lungs": _TAGS.format("lungs, both dark (image 1)", "named as such", "lungs"),
    "trachea": _TAGS.format("trachea, a dark tube (image 3)", "named as such", "trachea"),
    "skeleton": _TAGS.format("bone, bright: ≥ 300 HU (image 1)", "named as such", "skeleton"),
    "spine": _TAGS.format("spine, a bright column (image 1)", "named as such", "spine"),
    "hello there": _TAGS.format("no target (image 1)", "no structure is named. What is to be outlined?", "NONE"),
}

#: A request whose reply, free, has no form at all.
MALFORMED = "say it in your own words"
_FREE = "I see a chest, and I can not say more."

#: What the model replies to the same requests where the anchor form is asked for: lungs and windpipe of the phantom.
ANCHORS = {
    "right lung": _ANCHOR.format("right lung", 30, "[160, 230, 450, 770]"),
    "left lung": _ANCHOR.format("left lung", 30, "[565, 230, 835, 770]"),
    "lungs": _ANCHOR.format("lungs", 30, "[160, 230, 450, 770], [565, 230, 835, 770]"),
    "trachea": _ANCHOR.format("trachea", 48, "[475, 490, 525, 550]"),
    "skeleton": _ANCHOR.format("bone", 32, "[100, 130, 900, 940]"),
    "spine": _ANCHOR.format("spine", 32, "[450, 660, 550, 850]"),
}

#: What changes with the adapter.
ADAPTED = {"skeleton": REPLIES["spine"]}

#: Requests in words that a rule can't read, for reasoners that stand in for one.
COLLOQUIAL = {"the airy organ on the right side": "right lung", "the airy organ on the left side": "left lung"}

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


# --- what it is trained on --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Context:
    """All of a prompt but the request, and what requests are replied to in it."""

    prompt: Callable[[str], Prompt]
    replies: dict[str, str]


#: Characters of the longest wording that is learned: a batch is as long as its longest row.
_LONGEST = 64


@cache
def _wordings() -> dict[str, tuple[str, ...]]:
    """Name of a reply → wordings of its request, those of self-consistency among them."""
    found: dict[str, tuple[str, ...]] = {}
    for name in (*REPLIES, MALFORMED):
        spec = resolve_answer(name)
        asks = (name, f"the {name}", f"Segment the {name}.", f"segment the {name}", f"outline the {name} please")
        told = [one.text for ask in asks[:4] for one in wrapped(ask, 12)]
        if isinstance(spec, TargetSpec) and name != MALFORMED:
            told += [one.text for one in rephrase(spec, 24) if len(one.text) <= _LONGEST]
        found[name] = tuple(dict.fromkeys((*asks, *told)))
    for words, name in COLLOQUIAL.items():
        found[name] += (words, *(one.text for one in wrapped(words, 12)))
    return found


def _contexts(draw: random.Random, count: int, *, short: bool = False) -> list[_Context]:
    """Prompts in their two kinds, with pictures, views and facts of many sorts; the phantom's own among them.

    Short ones have other words, fewer pictures and no facts: requests and replies are learned faster without all that.
    """
    volume, _ = chest_phantom(5.0)
    real = {preset: render_views(volume, preset) for preset in ("multi-view", "seer-v1")}
    tags = {**REPLIES, MALFORMED: _FREE}
    made = []
    for number in range(count):
        if number % 3 == 2:
            pixels = [view.pixels for view in real["seer-v1"]] if number % 2 else [None] * 8
            pictures = tuple(_picture(draw, n, pixels[n // 8]) for n in range(4 if short else 64))
            made.append(_Context(_slices_and_request(pictures, draw.choice(_ANCHOR_ASKS)), ANCHORS))
            continue
        views = list(real[draw.choice(tuple(real))])
        if short or number % 2:
            views = [_picture(draw, n) for n in range(draw.choice((0, 1, 2) if short else (5, 8, 10, 12)))]
        facts, skills = (None, ()) if short else (_facts(draw), _skills(draw))
        case = ReasoningCase(Request(""), Modality.CT, tuple(views), facts, skills)
        words = _scrambled(load_template(), draw, 20) if short or number % 4 == 0 else load_template()
        made.append(_Context(lambda text, case=case, words=words: compose(case, words, text), tags))
    return made


#: How other programs may ask for slices and boxes.
_ANCHOR_ASKS = (
    "Find the key slice of the target and its boxes. Think within <think>, then reply within <answer>. Target: {}",
    'Which slice shows the target best? <think>…</think><answer>[{{"slice": n, "bbox_2d_list": […]}}]</answer>\n{}',
    "<raw_prompt>{}</raw_prompt>",
)


def _slices_and_request(pictures: tuple[View, ...], ask: str) -> Callable[[str], Prompt]:
    content: list[str | View] = []
    for number, picture in enumerate(pictures, 1):
        content += [f"<slice {number}>", picture]
    system = "You locate structures in a volume. Reply with <think> and <answer>, slices and boxes from 0 to 1000."
    return lambda text: Prompt(system, (*content, ask.format(text)), "anchor")


def _picture(draw: random.Random, number: int, pixels: Any = None) -> View:
    if pixels is None:
        noise = np.random.default_rng(draw.getrandbits(32))
        shape = draw.choice(((256, 256), (448, 448), (336, 448), (448, 336)))
        pixels = np.kron(noise.integers(0, 256, (8, 8)), np.ones((shape[0] // 8, shape[1] // 8))).astype(np.uint8)
    plane = draw.choice(list(Plane))
    name = f"{plane.value} {draw.randrange(500)}"
    return View(name, pixels, plane, number, draw.uniform(-900, 900), (0.0, 1.0), np.eye(4), "seer-v1")


def _facts(draw: random.Random) -> ImageFacts | None:
    """Measured facts as they are told: names that the prompt tells, sentences of any numbers."""
    if draw.random() < 0.3:
        return None
    told = (
        ("modality", "CT, as the file says."),
        (
            "field-of-view",
            f"The field of view is {draw.randrange(500)} × {draw.randrange(500)} × {draw.randrange(900)} mm.",
        ),
        (
            "voxel-size",
            f"Voxels are {draw.uniform(0.5, 5):.2f} × {draw.uniform(0.5, 5):.2f} × {draw.uniform(0.5, 5):.2f} mm.",
        ),
        ("landmark-carina", f"The carina lies at {draw.randrange(-900, 900)} mm."),
        ("region-chest", f"The chest is covered from {draw.randrange(900)} to {draw.randrange(900)} mm, cut off."),
    )
    evidence = tuple(Evidence(name, text) for name, text in told if draw.random() < 0.7)
    return ImageFacts(Modality.CT, "file", (1, 1, 1), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), evidence=evidence)


def _skills(draw: random.Random) -> tuple[Skill, ...]:
    content = "Left and right are the patient's; lungs are dark, bone is bright, the trachea is a tube."
    return (Skill("seer:1", "PROMPT_NORMALIZE", content, "approved"),) if draw.random() < 0.2 else ()


def _scrambled(template: Template, draw: random.Random, most: int) -> Template:
    """Other words around the request, at most so many: those of a template, in no order."""

    def mixed(text: str) -> str:
        words = text.split()
        return " ".join(draw.sample(words, draw.randint(5, min(most, len(words)))))

    return Template(
        "mixed", "1", mixed(template.system), mixed(template.user), mixed(template.user), draw.random() < 0.5
    )


# --- building and training --------------------------------------------------------------------------------------------


def _tokenizer(folder: Path) -> Any:
    """A byte-level BPE of at most 700 tokens, the real special tokens after them."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    template = load_template()
    corpus = [template.system, template.user, template.user_with_skills, *_ANCHOR_ASKS]
    corpus += [wording for wordings in _wordings().values() for wording in wordings]
    corpus += [*REPLIES.values(), *ANCHORS.values(), _FREE] * 8
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
    parameters = list(model.parameters())
    # What a request means is learned fastest where nothing else is said; then it is told apart from all the rest.
    bare = [
        _Context(lambda text: Prompt("", (f"<raw_prompt>{text}</raw_prompt>",)), {**REPLIES, MALFORMED: _FREE}),
        _Context(lambda text: Prompt("", ("<slice 1>", f"<raw_prompt>{text}</raw_prompt>"), "anchor"), ANCHORS),
    ]
    _Lesson(processor, bare, repeats=2, wordings=24).teach(model, parameters, 6e-3, 600)
    _Lesson(processor, _contexts(random.Random(1), 12, short=True), repeats=1).teach(model, parameters, 5e-3, 600)
    _Lesson(processor, _contexts(random.Random(2), 12), repeats=1).teach(model, parameters, 3e-3, 600)
    model.save_pretrained(folder)


def _train_adapter(folder: Path, base: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import Qwen3VLForConditionalGeneration

    torch.manual_seed(0)
    model = Qwen3VLForConditionalGeneration.from_pretrained(str(base), dtype=torch.float32, local_files_only=True)
    targets = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
    adapted = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules=targets, task_type="CAUSAL_LM"))
    contexts = [
        _Context(one.prompt, one.replies if one.replies is ANCHORS else {**one.replies, **ADAPTED})
        for one in _contexts(random.Random(3), 6)
    ]
    parameters = [one for one in adapted.parameters() if one.requires_grad]
    lesson = _Lesson(Processor(find_model(str(base))), contexts, repeats=1)
    lesson.teach(adapted.base_model.model, parameters, 1e-2, 600)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adapted.save_pretrained(folder, save_embedding_layers=False)


def _merge(folder: Path, base: Path, adapter: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import Qwen3VLForConditionalGeneration

    shutil.copytree(base, folder, dirs_exist_ok=True)
    model = Qwen3VLForConditionalGeneration.from_pretrained(str(base), dtype=torch.float32, local_files_only=True)
    PeftModel.from_pretrained(model, str(adapter)).merge_and_unload().save_pretrained(folder)


def _choices(reply: Sequence[int], replies: Sequence[Sequence[int]]) -> list[float]:
    """Weights of a reply's tokens: those at which it parts from another reply, which the request decides, count more."""
    return [
        10.0 if any(other[:n] == reply[:n] and other[n : n + 1] != reply[n : n + 1] for other in replies) else 1.0
        for n in range(len(reply))
    ]


class _Lesson:
    """Requests in contexts, and the replies that are wanted. A step asks all of them ``repeats`` times in a context."""

    def __init__(self, processor: Processor, contexts: Sequence[_Context], repeats: int, wordings: int = 999) -> None:
        self._processor, self._contexts, self._repeats = processor, contexts, repeats
        self._wordings_each = wordings
        self._draw = random.Random(repeats)
        self._encoded: dict[tuple[int, str], Encoded] = {}
        self._end = [processor.tokenizer.convert_tokens_to_ids("<|im_end|>")]

    def teach(self, model: Any, parameters: list[Any], rate: float, most: int) -> None:
        """Train until the replies are right; the cap is far above what it takes."""
        import torch

        optimizer = torch.optim.AdamW(parameters, lr=rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
        mean = 1.0
        for step in range(1, most + 1):
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1.0, step / 20) * 0.992**step
            model.train()
            loss = self._loss(model, step % len(self._contexts))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            mean += 0.1 * (loss.item() - mean)
            if step % 20 == 0 and mean < 0.06 and self._learned(model.eval()):
                return
        raise RuntimeError("the tiny model did not learn its replies")

    def _loss(self, model: Any, context: int) -> Any:
        """Of the replies to some requests in one context, whose common beginning is read once for all of them."""
        import torch

        replies = self._contexts[context].replies
        names = [*replies] * self._repeats
        # The plain words come as often as all others together: they are what most tests ask.
        words = [name if self._draw.random() < 0.5 else self._draw.choice(self._wordings(name)) for name in names]
        rows = [self._prompt(context, one) for one in words]
        wanted = [self._processor.tokens(replies[name]) + self._end for name in names]
        first = rows[0]
        shared = shared_length(rows) if first.views else 0  # where it is short, reading it twice costs less than a step
        past = self._read_once(model, first, shared, len(rows)) if shared else None
        length = max(len(row) - shared + len(reply) for row, reply in zip(rows, wanted, strict=True))
        ids = torch.zeros(len(rows), length, dtype=torch.long)
        labels = torch.full_like(ids, -100)
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
        out = model(
            input_ids=ids,
            position_ids=positions,
            attention_mask=torch.cat([torch.ones(len(rows), shared, dtype=torch.long), mask], dim=1),
            past_key_values=past,
            use_cache=True,
        )
        losses = torch.nn.functional.cross_entropy(
            out.logits.flatten(0, 1), labels.flatten(), ignore_index=-100, reduction="none"
        )
        return (losses * weights.flatten()).sum() / weights.sum()

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

    def _learned(self, model: Any) -> bool:
        """Whether plain requests get their replies in four contexts, and nine of ten others do."""
        others, right = 0, 0
        for number, context in enumerate(self._contexts[:4]):
            asked = [(name, words) for name in context.replies for words in (name, *self._others(name))]
            rows = [self._prompt(number, words) for _, words in asked]
            writers = [FreeWriter(self._processor.ends, 120) for _ in rows]
            generate(model, self._processor, rows, writers, lambda: None, CancelToken())
            for (name, words), writer in zip(asked, writers, strict=True):
                is_right = self._processor.text(writer.ids) == context.replies[name]
                if words == name and not is_right:
                    return False
                others, right = others + (words != name), right + (words != name and is_right)
        return right >= 0.9 * others

    def _others(self, name: str) -> list[str]:
        return self._draw.sample(self._wordings(name)[1:], 2)

    def _wordings(self, name: str) -> tuple[str, ...]:
        return _wordings()[name][: self._wordings_each]

    def _prompt(self, context: int, words: str) -> Encoded:
        key = context, words
        if key not in self._encoded:
            self._encoded[key] = self._processor.encode(self._contexts[context].prompt(words))
        return self._encoded[key]


# --- the folders ------------------------------------------------------------------------------------------------------


@cache
def _key() -> str:
    """Of all that the folders depend on: this module, what it is trained on, and the versions of what trains it."""
    template = load_template()
    parts = [Path(__file__).read_text(encoding="utf-8"), template.sha256, json.dumps(_wordings())]
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
                with _one_thread():
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
