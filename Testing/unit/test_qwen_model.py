"""The local model as the reasoner uses it: real classes, real files, tiny weights that were trained here."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
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
from SEERSegmentLib.protocols import CancelToken, ReasoningCase
from SEERSegmentLib.reasoning.medvol.prompt import compose_medvol
from SEERSegmentLib.reasoning.prompt import Prompt, load_template
from SEERSegmentLib.reasoning.qwen import QwenVL
from SEERSegmentLib.reasoning.qwen import generate as generation
from SEERSegmentLib.reasoning.qwen.processor import Processor
from SEERSegmentLib.reasoning.qwen.weights import find_model
from SEERSegmentLib.values import Modality, Request
from Testing.qwen_parts import ask, copy_of, encoded, loaded, one_thread, processor, prompt, views
from Testing.tiny_qwen import ANCHORS, FREE, MALFORMED, REPLIES, tiny_adapter, tiny_qwen, untrained

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
def threads() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def model() -> QwenVL:
    return QwenVL(str(tiny_qwen()), device="cpu")


@pytest.mark.parametrize("request_", REPLIES)
def test_a_reply_depends_on_the_request(model: QwenVL, request_: str) -> None:
    (reply,) = model.complete([prompt(request_)], cancel=CancelToken())
    assert (reply.text, reply.finish) == (REPLIES[request_], "stop")
    assert reply.tokens == len(processor().tokens(reply.text))


def test_multi_view_and_slices_with_tags(model: QwenVL) -> None:
    assert ask(model, prompt("trachea", views("multi-view"))) == [REPLIES["trachea"]]
    case = ReasoningCase(Request("left lung"), Modality.CT, views("medvol-r1"))
    assert ask(model, compose_medvol(case, load_template("medvol"))) == [ANCHORS["left lung"]]


def test_a_request_without_pictures(model: QwenVL) -> None:
    assert ask(model, prompt("lungs", ())) == [REPLIES["lungs"]]


def test_a_view_of_448_by_448_is_196_tokens_with_the_real_settings() -> None:
    """Those of Qwen3-VL-4B-Instruct: 65,536 to 16,777,216 pixels, patches of 16, merged by two."""
    files = find_model(str(tiny_qwen()))
    real = {**files.image_settings, "size": {"shortest_edge": 65536, "longest_edge": 16777216}}
    read = Processor(replace(files, image_settings=real)).encode(prompt("liver"))
    image = processor().tokenizer.convert_tokens_to_ids("<|image_pad|>")
    assert int((read.ids == image).sum()) == 8 * 196


class TestBatch:
    def test_a_batch_gives_what_each_prompt_alone_gives(self, model: QwenVL) -> None:
        prompts = [prompt(words) for words in WORDINGS]
        together = model.complete(prompts, cancel=CancelToken())
        alone = [model.complete([one], cancel=CancelToken())[0] for one in prompts]
        assert list(together) == alone
        assert len({one.tokens for one in together}) > 1  # they end at different times

    def test_also_where_the_pictures_are_not_shared(self, model: QwenVL) -> None:
        prompts = [prompt("right lung"), prompt("left lung", views()[::-1]), prompt("trachea", views()[:3])]
        assert generation.shared_length([encoded(one) for one in prompts]) == 0
        together = model.complete(prompts, cancel=CancelToken())
        assert list(together) == [model.complete([one], cancel=CancelToken())[0] for one in prompts]

    def test_also_for_a_model_that_writes_nonsense(self) -> None:
        random = QwenVL(str(untrained()), device="cpu")
        prompts = [prompt(words) for words in WORDINGS[:4]]
        together = random.complete(prompts, max_tokens=24, cancel=CancelToken())
        assert list(together) == [random.complete([one], max_tokens=24, cancel=CancelToken())[0] for one in prompts]
        assert {one.finish for one in together} == {"length"}

    def test_what_prompts_share_is_read_once(self, model: QwenVL) -> None:
        prompts = [prompt(words) for words in WORDINGS]
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
        longest = max(len(encoded(one)) for one in prompts)
        (one_row, shared), (rows, own), *steps = read
        assert (one_row, rows, shared + own) == (1, len(prompts), longest)
        assert own < 40
        assert steps == [(len(prompts), 1)] * 2

    def test_the_same_prompt_twice(self, model: QwenVL) -> None:
        one = prompt("lungs")
        assert ask(model, one, one) == [REPLIES["lungs"]] * 2

    def test_no_prompts(self, model: QwenVL) -> None:
        assert model.complete([], cancel=CancelToken()) == ()


class TestPictures:
    def logits(self, model: QwenVL, one: Prompt) -> Any:
        """What the model says of the first token of its reply."""
        ask(model, one, max_tokens=1)
        with torch.inference_mode():
            return generation._Batch(loaded(model), processor(), [encoded(one)]).logits[0]

    def test_swapping_two_changes_the_logits(self, model: QwenVL) -> None:
        """The words stay, so the difference can only come from the pixels."""
        one = prompt("right lung")
        words = one.content[-1]
        swapped = Prompt(one.system, (views()[1], views()[0], *views()[2:], words))
        blank = Prompt(one.system, (*views()[:7], replace(views()[7], pixels=np.zeros_like(views()[7].pixels)), words))
        usual = self.logits(model, one)
        assert torch.equal(usual, self.logits(model, one))
        for other in (swapped, blank):
            assert (usual - self.logits(model, other)).abs().max() > 1e-4

    def test_words_and_pictures_keep_their_order(self, model: QwenVL) -> None:
        mixed = Prompt("s", ("<slice 1>", views()[0], "<slice 2>", views()[1], "which?"))
        text = processor().text(encoded(mixed).ids.tolist()).replace("<|image_pad|>" * 4, "(picture)")
        assert "<slice 1><|vision_start|>(picture)<|vision_end|><slice 2><|vision_start|>(picture)" in text

    def test_a_prompt_whose_words_hold_a_picture_s_token(self, model: QwenVL) -> None:
        with pytest.raises(ReasonerError) as caught:
            ask(model, Prompt("s", (views()[0], "<|image_pad|>")))
        assert caught.value.code == "prompt-pictures"

    def test_a_picture_that_is_too_thin(self, model: QwenVL) -> None:
        thin = replace(views()[0], pixels=np.zeros((1, 448), dtype=np.uint8))
        with pytest.raises(ReasonerError) as caught:
            ask(model, Prompt("s", (thin, "what?")))
        assert caught.value.code == "prompt-pictures"

    def test_more_pictures_than_the_model_can_take(self, tmp_path: Path) -> None:
        folder = copy_of(tiny_qwen(), tmp_path / "model")
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config["text_config"]["max_position_embeddings"] = 600
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        with pytest.raises(ReasonerError) as caught:
            ask(QwenVL(str(folder), device="cpu"), prompt("right lung"))
        assert caught.value.code == "prompt-too-long"


class TestStreaming:
    def test_what_is_shown_grows_into_the_reply(self, model: QwenVL) -> None:
        shown: list[str] = []
        (text,) = ask(model, prompt("skeleton"), on_text=shown.append)
        assert text == REPLIES["skeleton"] == shown[-1]
        assert all(later.startswith(earlier) and later != earlier for earlier, later in pairwise(shown))
        assert len(shown) > 20

    def test_half_a_character_is_never_shown(self, model: QwenVL) -> None:
        shown: list[str] = []
        (text,) = ask(model, prompt("skeleton"), on_text=shown.append)
        assert len(processor().tokens("≥")) == 3  # it comes in three tokens
        assert "≥" in text
        assert not any("\ufffd" in one for one in shown)

    def test_of_a_batch_the_first_reply_is_shown(self, model: QwenVL) -> None:
        shown: list[str] = []
        ask(model, *(prompt(words) for words in ("lungs", "skeleton", "trachea")), on_text=shown.append)
        assert shown[-1] == REPLIES["lungs"]

    def test_in_the_thread_that_asks(self, model: QwenVL) -> None:
        threads: set[int] = set()
        ask(model, prompt("lungs"), on_text=lambda _: threads.add(threading.get_ident()))
        assert threads == {threading.get_ident()}

    def test_what_is_under_way_is_told(self) -> None:
        told: list[str] = []
        ask(QwenVL(str(tiny_qwen()), str(tiny_adapter()), device="cpu"), prompt("lungs"), on_status=told.append)
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
    def test_at_most_one_token_after_it_is_asked(self, model: QwenVL, after: int) -> None:
        one = prompt("right lung")
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
    def test_heard_while_a_long_prompt_is_read(self, model: QwenVL, where: str) -> None:
        """Between layers: with the real model on a processor, reading alone takes minutes."""
        one = prompt("right lung")
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
    def test_heard_while_loading(self, step: str) -> None:
        model, token = QwenVL(str(tiny_qwen()), str(tiny_adapter()), device="cpu"), CancelToken()
        told: list[str] = []

        def hear(text: str) -> None:
            told.append(text)
            if text.startswith(step):
                token.cancel()

        with pytest.raises(Cancelled):
            ask(model, prompt("lungs"), on_status=hear, cancel=token)
        assert told[-1].startswith(step)
        assert model._loaded is None
        assert ask(model, prompt("lungs")) == [REPLIES["lungs"]]

    def test_a_call_that_waits_for_another_is_cancelled_too(self, model: QwenVL) -> None:
        writing, go_on = threading.Event(), threading.Event()

        def hold(_: str) -> None:
            writing.set()
            go_on.wait(60)

        replies: list[str] = []
        first = threading.Thread(target=lambda: replies.extend(ask(model, prompt("lungs"), on_text=hold)), daemon=True)
        first.start()
        assert writing.wait(60)
        token = CancelToken()
        threading.Timer(0.1, token.cancel).start()
        with pytest.raises(Cancelled):
            ask(model, prompt("trachea"), cancel=token)
        go_on.set()
        first.join(60)
        assert replies == [REPLIES["lungs"]]


class TestLimits:
    def test_a_reply_that_is_cut_off_says_so(self, model: QwenVL) -> None:
        (reply,) = model.complete([prompt("lungs")], max_tokens=9, cancel=CancelToken())
        assert (reply.finish, reply.tokens) == ("length", 9)
        assert REPLIES["lungs"].startswith(reply.text)

    @pytest.mark.parametrize(("spare", "finish"), [(0, "length"), (1, "stop")])
    def test_a_reply_that_just_fits(self, model: QwenVL, spare: int, finish: str) -> None:
        """The token that ends a reply counts among the most tokens, as in transformers."""
        (whole,) = model.complete([prompt("lungs")], cancel=CancelToken())
        assert whole.tokens is not None
        (reply,) = model.complete([prompt("lungs")], max_tokens=whole.tokens + spare, cancel=CancelToken())
        assert (reply.text, reply.finish, reply.tokens) == (whole.text, finish, whole.tokens)


class TestConstrained:
    def test_a_reply_without_form_gets_one(self, model: QwenVL) -> None:
        assert ask(model, prompt(MALFORMED)) == [FREE]
        (held,) = ask(model, prompt(MALFORMED), constrained=True)
        assert held.startswith("<evidence>")
        assert [held.count(tag) for tag in ("<evidence>", "</evidence>\n<rationale>", "</rationale>\n<answer>")] == [
            1
        ] * 3
        assert held.endswith("</answer>")
        assert held.count("<") == 6

    def test_a_reply_that_has_it_stays_as_it_is(self, model: QwenVL) -> None:
        """Tokens that run across the border between a text and a tag are cut there, not dropped."""
        prompts = [prompt(words) for words in ("right lung", "skeleton", "hello there")]
        assert ask(model, *prompts, constrained=True) == ask(model, *prompts)

    @pytest.mark.parametrize("form", ["tags", "anchor"])
    def test_nonsense_has_the_form(self, form: str) -> None:
        random = QwenVL(str(untrained()), device="cpu")
        prompts = [replace(prompt(words), form=form) for words in WORDINGS[:3]]
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
