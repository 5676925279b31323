"""The local model, as the reasoner uses it: real classes, real files, tiny weights that were trained here.

How a prompt becomes tokens and positions is compared with transformers' own way, so that what the tiny model shows
holds for the real one.

One long file: the tests share one trained model.
"""

from __future__ import annotations

import json
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra model-test")
pytest.importorskip("transformers", reason="needs the extra model-test")
pytest.importorskip("peft", reason="needs the extra model-test")

import torch

from SEERSegmentLib.errors import Cancelled, ReasonerError
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.imaging.views import render_views
from SEERSegmentLib.protocols import CancelToken, ReasoningCase
from SEERSegmentLib.reasoning.medvol.prompt import compose_medvol
from SEERSegmentLib.reasoning.prompt import Prompt, chat_messages, compose, load_template
from SEERSegmentLib.reasoning.qwen import QwenVL, memory
from SEERSegmentLib.reasoning.qwen import generate as generation
from SEERSegmentLib.reasoning.qwen.processor import Processor
from SEERSegmentLib.reasoning.qwen.weights import find_model
from SEERSegmentLib.values import Modality, Request, View
from Testing.tiny_qwen import ADAPTED, ANCHORS, FREE, MALFORMED, REPLIES, tiny_adapter, tiny_qwen, untrained

WORDINGS = (
    "right lung",
    "segment the left lung",
    "lungs",
    "trachea!!",
    "skeleton",
    "the spine",
    "hello there",
    MALFORMED,
)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Matrices this small are slower on several threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def views() -> tuple[View, ...]:
    return render_views(chest_phantom(5.0)[0], "seer-v1")


@pytest.fixture(scope="module")
def model() -> QwenVL:
    return QwenVL(str(tiny_qwen()), device="cpu")


def prompt(request: str, views: Sequence[View]) -> Prompt:
    return compose(ReasoningCase(Request(request), Modality.CT, tuple(views)), load_template())


def ask(model: QwenVL, *prompts: Prompt, **options: Any) -> list[str]:
    return [one.text for one in model.complete(prompts, **{"cancel": CancelToken(), **options})]


def loaded(model: QwenVL) -> Any:
    """The torch model within."""
    assert model._loaded is not None
    return model._loaded.model


def copy_of(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to)
    return to


@pytest.mark.parametrize("request_", REPLIES)
def test_a_reply_depends_on_the_request(model: QwenVL, views: tuple[View, ...], request_: str) -> None:
    (reply,) = model.complete([prompt(request_, views)], cancel=CancelToken())
    assert (reply.text, reply.finish) == (REPLIES[request_], "stop")
    assert reply.tokens == len(Processor(find_model(str(tiny_qwen()))).tokens(reply.text))


def test_multi_view_and_slices_with_tags(model: QwenVL) -> None:
    volume = chest_phantom(5.0)[0]
    assert ask(model, prompt("trachea", render_views(volume, "multi-view"))) == [REPLIES["trachea"]]
    case = ReasoningCase(Request("left lung"), Modality.CT, render_views(volume, "medvol-r1"))
    assert ask(model, compose_medvol(case, load_template("medvol"))) == [ANCHORS["left lung"]]


def test_a_request_without_pictures(model: QwenVL) -> None:
    assert ask(model, prompt("lungs", ())) == [REPLIES["lungs"]]


class TestSameAsTransformersOwn:
    """Tokens, positions and replies are those of the stock classes."""

    def stock_inputs(self, processor: Processor, one: Prompt) -> dict[str, Any]:
        """By the stock processor's recipe: as many picture tokens as the grid has, in the rendered text."""
        text = processor.tokenizer.apply_chat_template(
            chat_messages(one, lambda _: {"type": "image"}), tokenize=False, add_generation_prompt=True
        )
        pixels, grids = processor.pixels(one.views)
        for grid in grids:
            text = text.replace("<|image_pad|>", "<|placeholder|>" * int(grid.prod() // 4), 1)
        text = text.replace("<|placeholder|>", "<|image_pad|>")
        ids = torch.tensor([processor.tokenizer(text)["input_ids"]])
        types = (ids == processor.tokenizer.convert_tokens_to_ids("<|image_pad|>")).int()
        return {
            "input_ids": ids,
            "attention_mask": torch.ones_like(ids),
            "mm_token_type_ids": types,
            "pixel_values": torch.from_numpy(pixels),
            "image_grid_thw": torch.from_numpy(grids),
        }

    @pytest.fixture(params=["seer-v1", "multi-view", "medvol-r1"])
    def prompted(self, request: pytest.FixtureRequest) -> Prompt:
        case = ReasoningCase(Request("left lung"), Modality.CT, render_views(chest_phantom(5.0)[0], request.param))
        if request.param == "medvol-r1":
            return compose_medvol(case, load_template("medvol"))
        return compose(case, load_template())

    def test_tokens_and_positions(self, model: QwenVL, prompted: Prompt) -> None:
        ask(model, prompted, max_tokens=1)
        processor = Processor(find_model(str(tiny_qwen())))
        encoded = processor.encode(prompted)
        stock = self.stock_inputs(processor, prompted)
        np.testing.assert_array_equal(encoded.ids, stock["input_ids"][0])
        positions, _ = loaded(model).model.get_rope_index(
            stock["input_ids"], stock["mm_token_type_ids"], stock["image_grid_thw"]
        )
        np.testing.assert_array_equal(encoded.positions, positions[:, 0])

    def test_reply(self, model: QwenVL, prompted: Prompt) -> None:
        (ours,) = model.complete([prompted], cancel=CancelToken())
        processor = Processor(find_model(str(tiny_qwen())))
        inputs = self.stock_inputs(processor, prompted)
        made = loaded(model).generate(**inputs, max_new_tokens=120, do_sample=False)
        theirs = made[0, inputs["input_ids"].shape[1] :].tolist()
        assert processor.text([one for one in theirs if one not in processor.ends]) == ours.text

    def test_a_view_of_448_by_448_is_196_tokens_with_the_real_settings(self, views: tuple[View, ...]) -> None:
        """Those of Qwen3-VL-4B-Instruct: 65,536 to 16,777,216 pixels, patches of 16, merged by two."""
        files = find_model(str(tiny_qwen()))
        real = {**files.image_settings, "size": {"shortest_edge": 65536, "longest_edge": 16777216}}
        encoded = Processor(replace(files, image_settings=real)).encode(prompt("liver", views))
        image = Processor(files).tokenizer.convert_tokens_to_ids("<|image_pad|>")
        assert int((encoded.ids == image).sum()) == 8 * 196


class TestBatch:
    def test_a_batch_gives_what_each_prompt_alone_gives(self, model: QwenVL, views: tuple[View, ...]) -> None:
        prompts = [prompt(words, views) for words in WORDINGS]
        together = model.complete(prompts, cancel=CancelToken())
        alone = [model.complete([one], cancel=CancelToken())[0] for one in prompts]
        assert list(together) == alone
        assert len({one.tokens for one in together}) > 1  # they end at different times

    def test_also_where_the_pictures_are_not_shared(self, model: QwenVL, views: tuple[View, ...]) -> None:
        prompts = [prompt("right lung", views), prompt("left lung", views[::-1]), prompt("trachea", views[:3])]
        assert generation.shared_length([_encoded(one) for one in prompts]) == 0
        together = model.complete(prompts, cancel=CancelToken())
        assert list(together) == [model.complete([one], cancel=CancelToken())[0] for one in prompts]

    def test_also_for_a_model_that_writes_nonsense(self, views: tuple[View, ...]) -> None:
        random = QwenVL(str(untrained()), device="cpu")
        prompts = [prompt(words, views) for words in WORDINGS[:4]]
        together = random.complete(prompts, max_tokens=24, cancel=CancelToken())
        assert list(together) == [random.complete([one], max_tokens=24, cancel=CancelToken())[0] for one in prompts]
        assert {one.finish for one in together} == {"length"}

    def test_what_prompts_share_is_read_once(self, model: QwenVL, views: tuple[View, ...]) -> None:
        prompts = [prompt(words, views) for words in WORDINGS]
        ask(model, prompts[0], max_tokens=1)
        read: list[tuple[int, ...]] = []
        hook = (
            loaded(model)
            .model.language_model.layers[0]
            .register_forward_pre_hook(lambda _, arguments: read.append(tuple(arguments[0].shape[:2])))
        )
        try:
            ask(model, *prompts, max_tokens=3)
        finally:
            hook.remove()
        longest = max(len(_encoded(one)) for one in prompts)
        (one_row, shared), (rows, own), *steps = read
        assert (one_row, rows, shared + own) == (1, len(prompts), longest)
        assert own < 40
        assert steps == [(len(prompts), 1)] * 2

    def test_the_same_prompt_twice(self, model: QwenVL, views: tuple[View, ...]) -> None:
        one = prompt("lungs", views)
        assert ask(model, one, one) == [REPLIES["lungs"]] * 2

    def test_no_prompts(self, model: QwenVL) -> None:
        assert model.complete([], cancel=CancelToken()) == ()


def _encoded(one: Prompt) -> Any:
    return Processor(find_model(str(tiny_qwen()))).encode(one)


class TestPictures:
    def logits(self, model: QwenVL, one: Prompt) -> Any:
        """What the model says of the first token of its reply."""
        ask(model, one, max_tokens=1)
        processor = Processor(find_model(str(tiny_qwen())))
        with torch.inference_mode():
            return generation._Batch(loaded(model), processor, [processor.encode(one)]).logits[0]

    def test_swapping_two_changes_the_logits(self, model: QwenVL, views: tuple[View, ...]) -> None:
        """The words stay, so the difference can only come from the pixels."""
        one = prompt("right lung", views)
        words = one.content[-1]
        swapped = Prompt(one.system, (views[1], views[0], *views[2:], words))
        blank = Prompt(one.system, (*views[:7], replace(views[7], pixels=np.zeros_like(views[7].pixels)), words))
        usual = self.logits(model, one)
        assert torch.equal(usual, self.logits(model, one))
        for other in (swapped, blank):
            assert (usual - self.logits(model, other)).abs().max() > 1e-4

    def test_words_and_pictures_keep_their_order(self, model: QwenVL, views: tuple[View, ...]) -> None:
        mixed = Prompt("s", ("<slice 1>", views[0], "<slice 2>", views[1], "which?"))
        encoded = _encoded(mixed)
        processor = Processor(find_model(str(tiny_qwen())))
        text = processor.text(encoded.ids.tolist()).replace("<|image_pad|>" * 4, "(picture)")
        assert "<slice 1><|vision_start|>(picture)<|vision_end|><slice 2><|vision_start|>(picture)" in text

    def test_a_prompt_whose_words_hold_a_picture_s_token(self, model: QwenVL, views: tuple[View, ...]) -> None:
        with pytest.raises(ReasonerError) as caught:
            ask(model, Prompt("s", (views[0], "<|image_pad|>")))
        assert caught.value.code == "prompt-pictures"

    def test_a_picture_that_is_too_thin(self, model: QwenVL, views: tuple[View, ...]) -> None:
        thin = replace(views[0], pixels=np.zeros((1, 448), dtype=np.uint8))
        with pytest.raises(ReasonerError) as caught:
            ask(model, Prompt("s", (thin, "what?")))
        assert caught.value.code == "prompt-pictures"

    def test_more_pictures_than_the_model_can_take(self, tmp_path: Path, views: tuple[View, ...]) -> None:
        folder = copy_of(tiny_qwen(), tmp_path / "model")
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config["text_config"]["max_position_embeddings"] = 600
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        with pytest.raises(ReasonerError) as caught:
            ask(QwenVL(str(folder), device="cpu"), prompt("right lung", views))
        assert caught.value.code == "prompt-too-long"


class TestStreaming:
    def test_what_is_shown_grows_into_the_reply(self, model: QwenVL, views: tuple[View, ...]) -> None:
        shown: list[str] = []
        (text,) = ask(model, prompt("skeleton", views), on_text=shown.append)
        assert text == REPLIES["skeleton"] == shown[-1]
        assert all(later.startswith(earlier) and later != earlier for earlier, later in pairwise(shown))
        assert len(shown) > 20

    def test_half_a_character_is_never_shown(self, model: QwenVL, views: tuple[View, ...]) -> None:
        shown: list[str] = []
        (text,) = ask(model, prompt("skeleton", views), on_text=shown.append)
        processor = Processor(find_model(str(tiny_qwen())))
        assert len(processor.tokens("≥")) == 3  # it comes in three tokens
        assert "≥" in text
        assert not any("\ufffd" in one for one in shown)

    def test_of_a_batch_the_first_reply_is_shown(self, model: QwenVL, views: tuple[View, ...]) -> None:
        shown: list[str] = []
        ask(model, *(prompt(words, views) for words in ("lungs", "skeleton", "trachea")), on_text=shown.append)
        assert shown[-1] == REPLIES["lungs"]

    def test_in_the_thread_that_asks(self, model: QwenVL, views: tuple[View, ...]) -> None:
        threads: set[int] = set()
        ask(model, prompt("lungs", views), on_text=lambda _: threads.add(threading.get_ident()))
        assert threads == {threading.get_ident()}

    def test_what_is_under_way_is_told(self, views: tuple[View, ...]) -> None:
        told: list[str] = []
        ask(QwenVL(str(tiny_qwen()), str(tiny_adapter()), device="cpu"), prompt("lungs", views), on_status=told.append)
        order = [
            "Looking for",
            "Starting",
            "Loading the model: 0%",
            "Loading the model: 50%",
            "Loading the adapter",
            "Reading",
        ]
        places = [next(n for n, text in enumerate(told) if text.startswith(words)) for words in order]
        assert places == sorted(places)


class TestCancel:
    def steps(self, model: QwenVL) -> tuple[list[int], Callable[[], None]]:
        """Counts how often the whole model runs: once for the prompt, then once for each token."""
        counted: list[int] = []
        hook = loaded(model).model.language_model.norm.register_forward_hook(lambda *_: counted.append(1))
        return counted, hook.remove

    @pytest.mark.parametrize("after", [1, 2, 7])
    def test_at_most_one_token_after_it_is_asked(self, model: QwenVL, views: tuple[View, ...], after: int) -> None:
        one = prompt("right lung", views)
        ask(model, one, max_tokens=1)
        before = loaded(model)
        token, shown = CancelToken(), []
        counted, stop_counting = self.steps(model)

        def show(text: str) -> None:
            shown.append(text)
            if len(shown) == after:
                counted.clear()
                token.cancel()

        try:
            with pytest.raises(Cancelled):
                ask(model, one, on_text=show, cancel=token)
        finally:
            stop_counting()
        assert len(counted) <= 1
        assert len(shown) == after
        assert loaded(model) is before
        assert ask(model, one) == [REPLIES["right lung"]]

    @pytest.mark.parametrize("where", ["visual.blocks", "language_model.layers"])
    def test_heard_while_a_long_prompt_is_read(self, model: QwenVL, views: tuple[View, ...], where: str) -> None:
        """Between layers: with the real model on a processor, reading alone takes minutes."""
        one = prompt("right lung", views)
        ask(model, one, max_tokens=1)
        layers = loaded(model).model
        for name in where.split("."):
            layers = getattr(layers, name)
        token, ran = CancelToken(), []
        hooks = [
            layers[0].register_forward_hook(lambda *_: token.cancel()),
            layers[1].register_forward_hook(lambda *_: ran.append(1)),
        ]
        try:
            with pytest.raises(Cancelled):
                ask(model, one, cancel=token)
        finally:
            for hook in hooks:
                hook.remove()
        assert not ran
        assert ask(model, one) == [REPLIES["right lung"]]

    @pytest.mark.parametrize(
        "step", ["Starting", "Loading the model: 0%", "Loading the model: 50%", "Loading the adapter"]
    )
    def test_heard_while_loading(self, views: tuple[View, ...], step: str) -> None:
        model, token = QwenVL(str(tiny_qwen()), str(tiny_adapter()), device="cpu"), CancelToken()
        told: list[str] = []

        def hear(text: str) -> None:
            told.append(text)
            if text.startswith(step):
                token.cancel()

        with pytest.raises(Cancelled):
            ask(model, prompt("lungs", views), on_status=hear, cancel=token)
        assert told[-1].startswith(step)
        assert model._loaded is None
        assert ask(model, prompt("lungs", views)) == [REPLIES["lungs"]]

    def test_a_call_that_waits_for_another_is_cancelled_too(self, model: QwenVL, views: tuple[View, ...]) -> None:
        writing, go_on = threading.Event(), threading.Event()

        def hold(_: str) -> None:
            writing.set()
            go_on.wait(60)

        replies: list[str] = []
        first = threading.Thread(
            target=lambda: replies.extend(ask(model, prompt("lungs", views), on_text=hold)), daemon=True
        )
        first.start()
        assert writing.wait(60)
        token = CancelToken()
        threading.Timer(0.1, token.cancel).start()
        with pytest.raises(Cancelled):
            ask(model, prompt("trachea", views), cancel=token)
        go_on.set()
        first.join(60)
        assert replies == [REPLIES["lungs"]]


class TestLimits:
    def test_a_reply_that_is_cut_off_says_so(self, model: QwenVL, views: tuple[View, ...]) -> None:
        (reply,) = model.complete([prompt("lungs", views)], max_tokens=9, cancel=CancelToken())
        assert (reply.finish, reply.tokens) == ("length", 9)
        assert REPLIES["lungs"].startswith(reply.text)

    @pytest.mark.parametrize(("spare", "finish"), [(0, "length"), (1, "stop")])
    def test_a_reply_that_just_fits(self, model: QwenVL, views: tuple[View, ...], spare: int, finish: str) -> None:
        """The token that ends a reply counts among the most tokens, as in transformers."""
        (whole,) = model.complete([prompt("lungs", views)], cancel=CancelToken())
        assert whole.tokens is not None
        (reply,) = model.complete([prompt("lungs", views)], max_tokens=whole.tokens + spare, cancel=CancelToken())
        assert (reply.text, reply.finish, reply.tokens) == (whole.text, finish, whole.tokens)


class TestConstrained:
    def test_a_reply_without_form_gets_one(self, model: QwenVL, views: tuple[View, ...]) -> None:
        assert ask(model, prompt(MALFORMED, views)) == [FREE]
        (held,) = ask(model, prompt(MALFORMED, views), constrained=True)
        assert held.startswith("<evidence>")
        assert [held.count(tag) for tag in ("<evidence>", "</evidence>\n<rationale>", "</rationale>\n<answer>")] == [
            1
        ] * 3
        assert held.endswith("</answer>")
        assert held.count("<") == 6

    def test_a_reply_that_has_it_stays_as_it_is(self, model: QwenVL, views: tuple[View, ...]) -> None:
        """Tokens that run across the border between a text and a tag are cut there, not dropped."""
        prompts = [prompt(words, views) for words in ("right lung", "skeleton", "hello there")]
        assert ask(model, *prompts, constrained=True) == ask(model, *prompts)

    @pytest.mark.parametrize("form", ["tags", "anchor"])
    def test_nonsense_has_the_form(self, views: tuple[View, ...], form: str) -> None:
        random = QwenVL(str(untrained()), device="cpu")
        prompts = [replace(prompt(words, views), form=form) for words in WORDINGS[:3]]
        begin, middle = {
            "tags": ("<evidence>", "</rationale>\n<answer>"),
            "anchor": ("<think>", '<answer>[{"slice": '),
        }[form]
        for reply in random.complete(prompts, constrained=True, max_tokens=100, cancel=CancelToken()):
            assert reply.text.startswith(begin)
            assert middle in reply.text
            assert reply.text.endswith("</answer>")
            assert reply.text.count("<") == {"tags": 6, "anchor": 4}[form]
            assert reply.finish == "stop"


class TestLayouts:
    """v1.1, an adapter beside its base; v1.0, whole weights in one file or several; the hub's cache."""

    def test_an_adapter_from_the_disk_changes_the_reply(self, model: QwenVL, views: tuple[View, ...]) -> None:
        adapted = QwenVL(str(tiny_qwen()), str(tiny_adapter()), device="cpu")
        prompts = [prompt("skeleton", views), prompt("right lung", views)]
        assert ask(model, *prompts) == [REPLIES["skeleton"], REPLIES["right lung"]]
        assert ask(adapted, *prompts) == [ADAPTED["skeleton"], REPLIES["right lung"]]
        told = dict(adapted.details())
        assert told["adapter"] == str(tiny_adapter())
        assert (told["device"], told["dtype"], told["attention"]) == ("cpu", "float32", "sdpa")
        assert "peft" in told["software"]

    def test_an_adapter_of_another_base_is_noted(self, tmp_path: Path, views: tuple[View, ...]) -> None:
        folder = copy_of(tiny_adapter(), tmp_path / "adapter")
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        config["base_model_name_or_path"] = "Qwen/Qwen3-VL-4B-Instruct"
        (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
        adapted = QwenVL(str(tiny_qwen()), str(folder), device="cpu")
        assert ask(adapted, prompt("skeleton", views)) == [ADAPTED["skeleton"]]
        assert dict(adapted.details())["adapter made for"] == "Qwen/Qwen3-VL-4B-Instruct"

    def test_shards(self, tmp_path: Path, views: tuple[View, ...]) -> None:
        from transformers import Qwen3VLForConditionalGeneration

        folder = copy_of(tiny_qwen(), tmp_path / "checkpoint-4099")
        whole = Qwen3VLForConditionalGeneration.from_pretrained(str(folder), dtype=torch.float32)
        (folder / "model.safetensors").unlink()
        whole.save_pretrained(folder, max_shard_size="300KB")
        assert len(list(folder.glob("model-*.safetensors"))) > 2
        assert ask(QwenVL(str(tmp_path), device="cpu"), prompt("trachea", views)) == [REPLIES["trachea"]]

    def test_the_hub_s_cache_at_a_pinned_commit(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, views: tuple[View, ...]
    ) -> None:
        commit = "0123456789abcdef0123456789abcdef01234567"
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
        copy_of(tiny_qwen(), tmp_path / "models--Qwen--tiny" / "snapshots" / commit)
        copy_of(tiny_adapter(), tmp_path / "models--Ztrura--SEER" / "snapshots" / commit / "v1.1" / "checkpoint-4099")
        model = QwenVL("Qwen/tiny", "Ztrura/SEER/v1.1", revision=commit, adapter_revision=commit, device="cpu")
        assert ask(model, prompt("skeleton", views)) == [ADAPTED["skeleton"]]
        assert dict(model.details())["model revision"] == commit

    @pytest.mark.parametrize("change", ["shape", "missing", "extra"])
    def test_an_adapter_that_does_not_fit(self, tmp_path: Path, views: tuple[View, ...], change: str) -> None:
        from safetensors.torch import load_file, save_file

        folder = copy_of(tiny_adapter(), tmp_path / "adapter")
        weights = load_file(folder / "adapter_model.safetensors")
        name = next(one for one in weights if ".lora_A." in one)
        if change == "shape":
            weights[name] = torch.zeros(8, 65)
        elif change == "missing":
            del weights[name]
        else:
            weights[name.replace("layers.0", "layers.7")] = weights[name].clone()
        save_file(weights, folder / "adapter_model.safetensors")
        model = QwenVL(str(tiny_qwen()), str(folder), device="cpu")
        with pytest.raises(ReasonerError) as caught:
            ask(model, prompt("skeleton", views))
        assert caught.value.code == "adapter-mismatch"
        assert model._loaded is None

    def test_an_adapter_that_leaves_out_a_part_the_model_would_need(self, tmp_path: Path, views: Any) -> None:
        folder = copy_of(tiny_adapter(), tmp_path / "adapter")
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        config["target_modules"] = "no_such_projection"
        (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
        with pytest.raises(ReasonerError) as caught:
            ask(QwenVL(str(tiny_qwen()), str(folder), device="cpu"), prompt("skeleton", views))
        assert caught.value.code == "adapter-mismatch"

    def test_weights_that_lack_a_tensor(self, tmp_path: Path, views: tuple[View, ...]) -> None:
        from safetensors.torch import load_file, save_file

        folder = copy_of(tiny_qwen(), tmp_path / "model")
        weights = load_file(folder / "model.safetensors")
        weights.pop(next(name for name in weights if "layers.1.mlp" in name))
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        model = QwenVL(str(folder), device="cpu")
        with pytest.raises(ReasonerError) as caught:
            ask(model, prompt("skeleton", views))
        assert caught.value.code == "model-damaged"

    def test_a_tokenizer_of_another_model(self, tmp_path: Path, views: tuple[View, ...]) -> None:
        folder = copy_of(tiny_qwen(), tmp_path / "model")
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        (folder / "config.json").write_text(json.dumps({**config, "image_token_id": 5}), encoding="utf-8")
        with pytest.raises(ReasonerError) as caught:
            ask(QwenVL(str(folder), device="cpu"), prompt("skeleton", views))
        assert caught.value.code == "model-damaged"

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("chat_template.jinja", "{% if %}"),
            ("tokenizer.json", "{}"),
            ("preprocessor_config.json", '{"size": 5, "x": 1}'),
        ],
    )
    def test_files_that_can_not_be_used(self, tmp_path: Path, views: Any, name: str, content: str) -> None:
        folder = copy_of(tiny_qwen(), tmp_path / "model")
        (folder / name).write_text(content, encoding="utf-8")
        with pytest.raises(ReasonerError) as caught:
            ask(QwenVL(str(folder), device="cpu"), prompt("skeleton", views))
        assert caught.value.code == "model-damaged"


class TestMemory:
    def test_too_little_is_said_before_anything_is_loaded(
        self, monkeypatch: pytest.MonkeyPatch, views: tuple[View, ...]
    ) -> None:
        monkeypatch.setattr(memory, "free_memory", lambda device: 1_000_000)
        told: list[str] = []
        model = QwenVL(str(tiny_qwen()), device="cpu")
        with pytest.raises(ReasonerError) as caught:
            ask(model, prompt("lungs", views), on_status=told.append)
        assert caught.value.code == "memory-too-small"
        assert "GB" in caught.value.user_message
        assert not any("Loading" in text for text in told)

    def test_what_fits_in_half_the_numbers_runs_in_bfloat16(
        self, monkeypatch: pytest.MonkeyPatch, views: tuple[View, ...]
    ) -> None:
        needed: list[int] = []
        check = memory.check_fits
        monkeypatch.setattr(memory, "check_fits", lambda size, *rest: (needed.append(size), check(size, *rest))[1])
        ask(QwenVL(str(tiny_qwen()), device="cpu"), prompt("lungs", views))
        monkeypatch.setattr(memory, "free_memory", lambda device: needed[0] - 1)
        model = QwenVL(str(tiny_qwen()), device="cpu")
        assert ask(model, prompt("lungs", views), max_tokens=256)[0].startswith("<evidence>")
        assert dict(model.details())["dtype"] == "bfloat16"
        assert "float32 did not fit" in dict(model.details())["fall-backs"]
        with pytest.raises(ReasonerError, match="GB"):
            ask(QwenVL(str(tiny_qwen()), device="cpu", dtype="float32"), prompt("lungs", views))

    def test_a_batch_that_is_too_large_for_what_is_left(
        self, model: QwenVL, monkeypatch: pytest.MonkeyPatch, views: tuple[View, ...]
    ) -> None:
        ask(model, prompt("lungs", views))
        monkeypatch.setattr(memory, "free_memory", lambda device: 3_000_000)
        with pytest.raises(ReasonerError) as caught:
            ask(model, *(prompt(f"lungs {n}", views) for n in range(60)))
        assert caught.value.code == "memory-too-small"
        monkeypatch.undo()
        assert ask(model, prompt("lungs", views)) == [REPLIES["lungs"]]

    @pytest.mark.parametrize(
        "error",
        [
            torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
            RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
            RuntimeError("MPS backend out of memory"),
            MemoryError(),
        ],
        ids=["cuda", "processor", "mps", "python"],
    )
    @pytest.mark.parametrize("when", ["at work", "loading"])
    def test_running_out_of_it(self, views: tuple[View, ...], error: BaseException, when: str) -> None:
        model, full = QwenVL(str(tiny_qwen()), device="cpu"), True

        def fail(*_: Any) -> None:
            if full:
                raise error

        if when == "at work":
            ask(model, prompt("lungs", views))
            loaded(model).model.language_model.layers[1].register_forward_hook(fail)
        with pytest.raises(ReasonerError) as caught:
            ask(model, prompt("lungs", views), on_status=lambda text: fail() if text.startswith("Loading") else None)
        assert (caught.value.code, caught.value.retryable) == ("memory-exhausted", True)
        assert (model._loaded is None) == (when == "loading")
        full = False
        assert ask(model, prompt("lungs", views)) == [REPLIES["lungs"]]

    def test_another_failure_stays_what_it_is(self, views: tuple[View, ...]) -> None:
        model = QwenVL(str(tiny_qwen()), device="cpu")
        ask(model, prompt("lungs", views))

        def fail(*_: Any) -> None:
            raise RuntimeError("a mistake")

        loaded(model).model.language_model.layers[0].register_forward_hook(fail)
        with pytest.raises(RuntimeError, match="a mistake"):
            ask(model, prompt("lungs", views))

    def test_numbers_out_of_range(self, views: tuple[View, ...]) -> None:
        model = QwenVL(str(tiny_qwen()), device="cpu")
        ask(model, prompt("lungs", views))
        loaded(model).model.language_model.layers[1].register_forward_hook(
            lambda *arguments: arguments[2] * float("inf")
        )
        with pytest.raises(ReasonerError) as caught:
            ask(model, prompt("lungs", views))
        assert caught.value.code == "model-overflow"


class TestChoices:
    @pytest.mark.parametrize("attention", ["eager", "sdpa"])
    @pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
    def test_attention_and_numbers(self, views: tuple[View, ...], attention: str, dtype: str) -> None:
        model = QwenVL(str(tiny_qwen()), device="cpu", attention=attention, dtype=dtype)
        (alone,) = ask(model, prompt("right lung", views))
        assert alone.startswith("<evidence>")
        assert alone == REPLIES["right lung"] or dtype == "bfloat16"
        told = dict(model.details())
        assert (told["attention"], told["dtype"]) == (attention, dtype)

    def test_an_attention_that_is_not_there_falls_back(self, views: tuple[View, ...]) -> None:
        model = QwenVL(str(tiny_qwen()), device="cpu", attention="flash_attention_2")
        assert ask(model, prompt("lungs", views)) == [REPLIES["lungs"]]
        told = dict(model.details())
        assert told["attention"] == "sdpa"
        assert "flash_attention_2 passed over: no cuda device" in told["fall-backs"]

    def test_an_attention_that_fails_falls_back(self, views: tuple[View, ...], monkeypatch: pytest.MonkeyPatch) -> None:
        from SEERSegmentLib.reasoning.qwen import loading

        monkeypatch.setattr(loading, "attentions_to_try", lambda *_: (("flash_attention_2", "eager"), ()))
        model = QwenVL(str(tiny_qwen()), device="cpu")
        assert ask(model, prompt("lungs", views)) == [REPLIES["lungs"]]
        told = dict(model.details())
        assert told["attention"] == "eager"
        assert "flash_attention_2 failed" in told["fall-backs"]

    def test_a_device_that_is_not_there(self, views: tuple[View, ...]) -> None:
        if torch.cuda.device_count() > 7:
            pytest.skip("there is one")
        with pytest.raises(ReasonerError) as caught:
            ask(QwenVL(str(tiny_qwen()), device="cuda:7"), prompt("lungs", views))
        assert caught.value.code == "device-unavailable"


def test_it_runs_without_torchvision_and_without_a_network(
    monkeypatch: pytest.MonkeyPatch, views: tuple[View, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    """And writes nothing to standard output, which in the worker is a protocol."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something wanted a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert "torchvision" not in sys.modules
    model = QwenVL(str(tiny_qwen()), str(tiny_adapter()), device="cpu")
    assert ask(model, prompt("skeleton", views)) == [ADAPTED["skeleton"]]
    assert "torchvision" not in sys.modules
    assert capfd.readouterr().out == ""
