"""What SEER asks of a server, asked of vLLM: an adapter by name, a form held to, replies that stream, keys, cancel."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from SEERSegmentLib.cli import main
from SEERSegmentLib.errors import Cancelled, ServiceError
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.imaging.samples import fetch_sample
from SEERSegmentLib.pipeline import observe
from SEERSegmentLib.protocols import CancelToken, ReasoningCase
from SEERSegmentLib.reasoning import parse_reply
from SEERSegmentLib.reasoning.forms import FORMS
from SEERSegmentLib.reasoning.openai import OpenAIServer
from SEERSegmentLib.reasoning.prompt import Prompt, compose, load_template
from SEERSegmentLib.values import Reasoning, Request

from .conftest import KEY


@pytest.fixture(scope="module")
def prompt() -> Prompt:
    volume, _ = chest_phantom(4.0)
    seen = observe(volume, "seer-v1")
    return compose(ReasoningCase(Request("skeleton"), volume.modality, seen.views, seen.facts), load_template())


def test_the_adapter_is_asked_for_by_its_name(vllm: str, prompt: Prompt) -> None:
    answers = {}
    for model in ("tiny", "seer"):
        (done,) = OpenAIServer(vllm, model, KEY).complete([prompt], cancel=CancelToken())
        read = parse_reply(done.text)
        assert isinstance(read, Reasoning)
        answers[model] = read.answer
        assert done.finish == "stop"
        assert done.tokens
    assert answers == {"tiny": "skeleton", "seer": "spine"}


def test_without_a_name_the_adapter_is_taken(vllm: str, prompt: Prompt) -> None:
    server = OpenAIServer(vllm, "", KEY)
    server.complete([prompt], cancel=CancelToken())
    assert dict(server.details())["model"] == "seer"


def test_a_reply_streams(vllm: str, prompt: Prompt) -> None:
    texts: list[str] = []
    (done,) = OpenAIServer(vllm, "seer", KEY).complete([prompt], on_text=texts.append, cancel=CancelToken())
    assert len(texts) > 5
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
    assert texts[-1] == done.text


def test_a_reply_is_held_to_its_form(vllm: str, prompt: Prompt) -> None:
    """Also where the model would write something else: it is asked for nothing that it has learnt."""
    strange = Prompt("", (*prompt.views, "zzz"), "tags")
    (done,) = OpenAIServer(vllm, "tiny", KEY).complete(
        [strange], constrained=True, max_tokens=1500, cancel=CancelToken()
    )
    assert re.fullmatch(FORMS["tags"].regex, done.text)


def test_a_wrong_key_is_refused(vllm: str, prompt: Prompt) -> None:
    with pytest.raises(ServiceError) as caught:
        OpenAIServer(vllm, "seer", "another-key").complete([prompt], cancel=CancelToken())
    assert "another-key" not in str(caught.value)


def test_a_cancel_ends_the_wait(vllm: str, prompt: Prompt) -> None:
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        OpenAIServer(vllm, "seer", KEY).complete([prompt], on_text=lambda _: cancel.cancel(), cancel=cancel)


def test_a_request_on_a_real_ct(vllm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEER_API_KEY", KEY)
    out = tmp_path / "lung.seg.nrrd"
    words = ["segment", str(fetch_sample("example-ct")), "right lung", "-o", str(out), "--quiet", "--preset", "seer-v1"]
    assert main([*words, "--reasoner", f"openai:{vllm}#seer", "--send", "snapshots"]) == 0
    assert out.is_file()
