"""A well-behaved server as a vision-language model: what is sent, what comes back in which order, what it learns.

One long file: the tests share one server and one way to ask it.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from SEERSegmentLib.errors import Cancelled, ServiceError, UsageError
from SEERSegmentLib.protocols import CancelToken, ReasoningCase
from SEERSegmentLib.reasoning.forms import FORMS
from SEERSegmentLib.reasoning.openai import OpenAIServer
from SEERSegmentLib.reasoning.openai.capabilities import PROBE, Memory
from SEERSegmentLib.reasoning.openai.payload import chat_payload, encoded
from SEERSegmentLib.reasoning.prompt import Prompt, Template, compose
from SEERSegmentLib.reasoning.vlm import Completion, VisionLanguageModel
from SEERSegmentLib.values import Modality, Plane, Request, Skill, View
from Testing.chat_server import ChatServer
from Testing.hostile_server import PATIENCE, HostileServer, chunk, event, head, watched
from Testing.remote_case import KEY, PROMPT, answering, ask, assert_tells_nothing, client, fails, told

HELD = "<evidence>held as asked</evidence>\n<rationale>held as asked</rationale>\n<answer>liver</answer>"


@pytest.fixture(autouse=True)
def no_other_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEER_API_KEY", raising=False)
    monkeypatch.setitem(sys.modules, "keyring", None)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as made:
        yield made


def view(name: str, seed: int) -> View:
    pixels = np.random.default_rng(seed).integers(0, 256, (31, 17), dtype=np.uint8)
    return View(name, pixels, Plane.AXIAL, seed, 1.0, (0.0, 1.0), np.eye(4), "seer-v1")


def prompts(*requests: str) -> list[Prompt]:
    return [Prompt("Be exact.", (PROMPT.views[0], request)) for request in requests]


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_it_is_a_vision_language_model(server: ChatServer) -> None:
    model: VisionLanguageModel = OpenAIServer(server.url, memory=Memory())
    assert model.readiness().ready
    assert server.heads == []


@pytest.mark.parametrize("streams", [True, False], ids=["stream", "json"])
def test_a_case_is_sent_in_the_official_order_and_answered(server: ChatServer, streams: bool) -> None:
    server.streams = streams
    views = (view("axial 1", 1), view("axial 2", 2))
    skill = Skill("seer:0123", "ABBR", "RCC is renal cell carcinoma.", "Check the kidney.")
    case = ReasoningCase(Request("outline the RCC – rechte Niere"), Modality.CT, views, skills=(skill,))
    template = Template("test", "1", "You are exact.", "Look.", "Look, and use the skills.")
    (reply,) = client(server.url).complete([compose(case, template)], max_tokens=77, cancel=CancelToken())
    (sent,) = server.chats
    system, user = sent.pop("messages")
    assert sent == {
        "model": "seer",
        "temperature": 0,
        "max_tokens": 77,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert system == {"role": "system", "content": [{"type": "text", "text": "You are exact."}]}
    assert user["role"] == "user"
    *pictures, text = user["content"]
    assert text == {
        "type": "text",
        "text": "Look, and use the skills.\n\n<skill_bank>\n[1]\nTag: ABBR\nContent: RCC is renal cell carcinoma.\n"
        "Audit: Check the kidney.\n</skill_bank>\n\n<raw_prompt>outline the RCC – rechte Niere</raw_prompt>",
    }
    for shown, picture in zip(views, pictures, strict=True):
        assert picture["type"] == "image_url"
        kind, _, data = picture["image_url"]["url"].partition(";base64,")
        assert kind == "data:image/png"
        image = Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
        np.testing.assert_array_equal(np.asarray(image.convert("RGB"))[..., 1], shown.pixels)
    assert reply == Completion("reply to " + text["text"], "stop", len(text["text"].split(" ")) + 2)


def test_a_picture_of_several_prompts_is_encoded_once(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded_views: list[View] = []

    def encode(view: View) -> bytes:
        encoded_views.append(view)
        return b"png"

    monkeypatch.setattr("SEERSegmentLib.reasoning.openai.payload.encode_png", encode)
    client(server.url).complete([PROMPT] * 5, cancel=CancelToken())
    assert encoded_views == [PROMPT.views[0]]


def test_the_same_prompt_is_the_same_bytes() -> None:
    assert encoded(chat_payload(PROMPT, "seer", 9)) == encoded(chat_payload(PROMPT, "seer", 9))
    assert encoded(chat_payload(PROMPT, "seer", 9)).isascii()


def test_no_prompt_no_question(server: ChatServer) -> None:
    assert client(server.url).complete([], cancel=CancelToken()) == ()
    assert server.heads == []


# --- several, and streaming -------------------------------------------------------------------------------------------


def test_rephrasings_are_asked_four_at_a_time_and_come_in_order(server: ChatServer) -> None:
    server.gate.clear()
    requests = [f"request {n}" for n in range(11)]
    said: list[str] = []
    result: list[tuple[Completion, ...]] = []

    def complete() -> None:
        result.append(client(server.url).complete(prompts(*requests), on_text=said.append, cancel=CancelToken()))

    asking = threading.Thread(target=complete, daemon=True)
    asking.start()
    server.wait_for(4)
    server.gate.wait(0.1)  # would a fifth come
    assert len(server.chats) == 4
    server.gate.set()
    asking.join(30)
    assert [reply.text for reply in result[0]] == [f"reply to {request}" for request in requests]
    assert server.most_at_once == 4
    assert server.listed == 1
    assert {text for text in said if "reply to request 0".startswith(text)} == set(said), "only the first is shown"
    assert said[-1] == "reply to request 0"


def test_text_is_shown_as_it_comes_and_each_time_whole() -> None:
    taken = threading.Semaphore(0)
    words = ["the ", "right ", "kid", "ney"]

    def script(visit: Any) -> None:
        visit.read()
        visit.send(head())
        for word in words:
            visit.send(event(chunk(word)))
            assert taken.acquire(timeout=20), "the text before was not shown while the stream stood still"
        visit.send(event(chunk(finish="stop")))

    said: list[str] = []

    def take(text: str) -> None:
        said.append(text)
        taken.release()

    with HostileServer(script) as server:
        assert ask(server.url, on_text=take).text == "the right kidney"
    assert said == ["the ", "the right ", "the right kid", "the right kidney"]


def test_texts_are_shown_in_the_callers_thread(server: ChatServer) -> None:
    threads: set[threading.Thread] = set()

    def note(text: str) -> None:
        threads.add(threading.current_thread())

    client(server.url).complete([PROMPT], on_text=note, on_status=note, cancel=CancelToken())
    assert threads == {threading.current_thread()}


def test_an_error_in_one_of_several_is_the_calls_and_stops_the_others() -> None:
    broken = answering(head("500 Internal Server Error"))
    stalls = answering(head(), then=lambda visit: visit.wait_until_closed())
    with HostileServer(stalls, stalls, broken) as server:
        with pytest.raises(ServiceError) as caught:
            watched(lambda: client(server.url).complete(prompts("a", "b", "c"), cancel=CancelToken()))
        assert caught.value.code == "server-failed"
        assert server.all_closed()


def test_what_a_listener_raises_ends_the_call(server: ChatServer) -> None:
    def fail(text: str) -> None:
        raise KeyError(text)

    with pytest.raises(KeyError):
        client(server.url).complete([PROMPT], on_text=fail, cancel=CancelToken())


# --- models -----------------------------------------------------------------------------------------------------------

BASE = {"id": "Qwen/Qwen3-VL-4B-Instruct", "owned_by": "vllm", "parent": None}
SEER = {"id": "seer", "owned_by": "vllm", "parent": "Qwen/Qwen3-VL-4B-Instruct"}
OTHER = {"id": "other", "owned_by": "vllm", "parent": "Qwen/Qwen3-VL-4B-Instruct"}
SGLANG = [{**BASE, "owned_by": "sglang"}, {**SEER, "owned_by": "sglang"}]
OLLAMA = [{"id": "qwen3-vl:4b", "owned_by": "library"}, {"id": "llava:latest", "owned_by": "library"}]


@pytest.mark.parametrize(
    ("listed", "wanted", "sent"),
    [
        pytest.param([BASE, SEER], "", "seer", id="the-only-adapter"),
        pytest.param([BASE, SEER, OTHER], "", BASE["id"], id="two-adapters"),
        pytest.param([SEER, OTHER, BASE], "", BASE["id"], id="the-base-listed-last"),
        pytest.param([{"id": "a"}, {"id": "b"}], "", "a", id="the-first"),
        pytest.param([BASE, SEER], BASE["id"], BASE["id"], id="the-base-by-name"),
        pytest.param([BASE, SEER, OTHER], "other", "other", id="an-adapter-by-name"),
        pytest.param(SGLANG, "", f"{BASE['id']}:seer", id="sglang"),
        pytest.param(SGLANG, "seer", f"{BASE['id']}:seer", id="sglang-by-name"),
        pytest.param(SGLANG, f"{BASE['id']}:seer", f"{BASE['id']}:seer", id="sglang-by-both-names"),
        pytest.param(SGLANG, BASE["id"], BASE["id"], id="sglang-base"),
        pytest.param(OLLAMA, "llava", "llava:latest", id="ollama-without-tag"),
        pytest.param(None, "any", "any", id="no-list"),
        pytest.param([], "any", "any", id="empty-list"),
        pytest.param([{"id": "a"}], "/models/merged", "/models/merged", id="a-folder-of-the-servers"),
        pytest.param([{"id": "a"}], "C:\\models\\merged", "C:\\models\\merged", id="a-folder-on-windows"),
    ],
)
def test_the_model_that_is_asked(server: ChatServer, listed: list[Any] | None, wanted: str, sent: str) -> None:
    server.models = listed
    client(server.url, wanted).complete([PROMPT], cancel=CancelToken())
    assert server.chats[0]["model"] == sent


@pytest.mark.parametrize(
    ("listed", "wanted", "code", "said"),
    [
        (None, "", "server-model-missing", "enter the model's name"),
        ([], "", "server-model-missing", "enter the model's name"),
        ([BASE, SEER], "sear", "server-model-unknown", "'sear'; it has: Qwen/Qwen3-VL-4B-Instruct, seer"),
        ([{"id": f"m{n}"} for n in range(99)], "x", "server-model-unknown", "m7 …"),
        ([{"id": "a\n\u202eb"}], "x", "server-model-unknown", "it has: ab"),
    ],
)
def test_a_model_that_is_not_there(server: ChatServer, listed: Any, wanted: str, code: str, said: str) -> None:
    server.models = listed
    assert said in fails(client(server.url, wanted), code).user_message
    assert server.chats == [], "the request was sent"


@pytest.mark.parametrize("data", [{"id": "x"}, [5], [{"id": 5}], ["x"], "x", None])
def test_what_is_no_list_of_models_gets_no_request(server: ChatServer, data: Any) -> None:
    server.models = data if data is not None else {"deep": 1}
    fails(server.url, "server-unexpected")
    assert server.chats == []


@pytest.mark.parametrize("status", ["404 Not Found", "405 Method Not Allowed", "500 Internal Server Error"])
def test_a_server_without_a_list_is_asked_for_the_named_model(status: str) -> None:
    scripts = (answering(head(status)), answering(head(), event(chunk("liver", "stop"))))
    with HostileServer(*scripts, lists_models=False) as server:
        assert ask(server.url).text == "liver"


def test_a_list_that_fails_and_no_name_is_the_lists_error() -> None:
    with HostileServer(answering(head("500 Internal Server Error")), lists_models=False) as server:
        fails(client(server.url, ""), "server-failed")
        assert server.posts == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (head("401 Unauthorized"), "server-unauthorised"),
        (head("503 Service Unavailable"), "server-busy"),
        (head(kind="text/html") + b"<html>Please log in", "server-html"),
        (head(kind="application/json") + b"<html>Please log in", "server-html"),
        (head(kind="application/json"), "server-empty"),
        (head(kind="application/json") + b'{"data": [', "server-cut-off"),
        (head(kind="application/json") + b"[" * 100_000, "server-not-json"),
        (head(kind="application/json") + b"{" + b" " * (3 << 20), "server-too-long"),
        (head(Content_Encoding="gzip"), "server-encoding"),
    ],
)
def test_a_list_that_fails_keeps_the_request_here(answer: bytes, code: str) -> None:
    with HostileServer(answering(answer), lists_models=False) as server:
        fails(server.url, code)
        assert server.posts == []


# --- what is remembered -----------------------------------------------------------------------------------------------


def test_a_server_is_asked_once_what_it_has(server: ChatServer) -> None:
    server.models = [BASE, SEER]
    memory = Memory()
    for _ in range(3):
        client(server.url, "", memory=memory).complete([PROMPT] * 3, cancel=CancelToken())
    assert server.listed == 1
    client(server.url, "seer", memory=memory).complete([PROMPT], cancel=CancelToken())
    assert server.listed == 2, "another model"
    client(server.url, "seer", "", memory=memory).complete([PROMPT], cancel=CancelToken())
    assert server.listed == 3, "without a key others may be seen"


def test_a_server_that_was_started_anew_is_asked_anew(server: ChatServer) -> None:
    model = client(server.url, "")
    model.complete([PROMPT], cancel=CancelToken())
    server.models, server.refuses = [{"id": "new"}], {"stream": "The model `seer` does not exist."}
    fails(model, "server-model-unknown")
    server.refuses = {}
    model.complete([PROMPT], cancel=CancelToken())
    assert [chat["model"] for chat in server.chats] == ["seer", "seer", "new"]


def test_what_is_known_goes_into_the_provenance(server: ChatServer) -> None:
    server.models = [BASE, SEER]
    server.held, server.sample = ("structured_outputs", "regex"), held_sample
    place = server.url.removeprefix("http://").removesuffix("/v1")
    model = client(server.url, "")
    assert model.details() == (("server", place),)
    assert client(server.url, "seer").details() == (("server", place), ("model", "seer"))
    model.complete([PROMPT], cancel=CancelToken())
    known = {"server": place, "server kind": "vLLM", "model": "seer", "base model": BASE["id"], "decoding": "greedy"}
    assert dict(model.details()) == known
    model.complete([PROMPT], constrained=True, cancel=CancelToken())
    assert dict(model.details()) == {**known, "structured outputs": "as in vLLM"}
    assert KEY not in repr(model.details())


# --- forms ------------------------------------------------------------------------------------------------------------


def held_sample(form: str) -> str:
    return "Q7-012-XK" if form in (PROBE.regex, PROBE.gbnf) else HELD


FIELDS = {
    "vLLM": (("structured_outputs", "regex"), {"structured_outputs": {"regex": FORMS["tags"].regex}}),
    "SGLang": (("regex",), {"regex": FORMS["tags"].regex}),
    "llama.cpp": (("grammar",), {"grammar": FORMS["tags"].gbnf}),
    "vLLM before 0.12": (("guided_regex",), {"guided_regex": FORMS["tags"].regex}),
}
OWNERS = {"vLLM": "vllm", "SGLang": "sglang", "llama.cpp": "llamacpp", "vLLM before 0.12": "vllm"}


@pytest.mark.parametrize("owner", ["known", "unknown"])
@pytest.mark.parametrize("dialect", FIELDS)
def test_a_reply_is_held_to_its_form_in_the_servers_own_way(server: ChatServer, dialect: str, owner: str) -> None:
    server.held, sent = FIELDS[dialect]
    server.sample = held_sample
    server.models = [{"id": "seer", "owned_by": OWNERS[dialect] if owner == "known" else "somebody"}]
    model = client(server.url)
    for _ in range(2):
        (reply,) = model.complete([PROMPT], constrained=True, cancel=CancelToken())
        assert reply.text == HELD
    *probes, first, second = server.chats
    assert first == second
    assert {name: first[name] for name in sent} == sent
    assert len(probes) <= (2 if owner == "known" else 4)
    for probe in probes:
        assert_tells_nothing(json.dumps(probe))
        assert "image" not in json.dumps(probe)
        assert probe["max_tokens"] <= 32
    assert ("structured outputs", f"as in {dialect}") in model.details()


def test_the_form_is_the_one_that_the_prompt_asks_for(server: ChatServer) -> None:
    server.held, server.sample = ("regex",), held_sample
    anchor = Prompt("", ("where?",), form="anchor")
    client(server.url).complete([anchor], constrained=True, cancel=CancelToken())
    assert server.chats[-1]["regex"] == FORMS["anchor"].regex


@pytest.mark.parametrize("refuses", [True, False], ids=["refuses-unknown-fields", "ignores-them"])
def test_a_server_without_forms_is_asked_plainly(server: ChatServer, refuses: bool) -> None:
    names = ("structured_outputs", "regex", "grammar", "guided_regex")
    server.refuses = {name: f"Unexpected fields in the request: {{'{name}'}}" for name in names if refuses}
    model = client(server.url)
    for _ in range(2):
        (reply,) = model.complete([PROMPT], constrained=True, cancel=CancelToken())
        assert reply.text.startswith("reply to")
    assert len(server.chats) == 4 + 2, "asked once, in four ways"
    assert not set(names) & server.chats[-1].keys()
    assert ("structured outputs", "none") in model.details()


def test_a_server_that_is_known_to_have_no_forms_is_not_asked_for_them(server: ChatServer) -> None:
    server.models = OLLAMA
    client(server.url, "llava").complete([PROMPT], constrained=True, cancel=CancelToken())
    assert len(server.chats) == 1


def test_no_form_is_asked_for_unless_it_is_wanted(server: ChatServer) -> None:
    server.held, server.sample = ("regex",), held_sample
    client(server.url).complete([PROMPT], cancel=CancelToken())
    assert len(server.chats) == 1


def test_a_server_that_refuses_this_form_is_asked_plainly(server: ChatServer) -> None:
    class Refuses(dict[str, str]):
        """Holds the small form of the probe, and refuses the long one."""

        def items(self) -> Any:
            long = len(json.dumps(server.chats[-1].get("regex", ""))) > 100
            return {"regex": "The grammar is too complex."}.items() if long else {}.items()

    server.held, server.sample, server.refuses = ("regex",), held_sample, Refuses()
    model = client(server.url)
    (reply,) = model.complete([PROMPT], constrained=True, cancel=CancelToken())
    assert reply.text.startswith("reply to")
    assert ("structured outputs", "none") in model.details()


# --- fields that a server refuses -------------------------------------------------------------------------------------

WORDS = {
    "max_tokens": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'.",
    "stream_options": "Unrecognized request argument supplied: stream_options",
    "temperature": "Unsupported value: 'temperature' does not support 0 with this model.",
}


@pytest.mark.parametrize("fields", [["max_tokens"], ["stream_options"], ["temperature"], list(WORDS)], ids="+".join)
def test_a_field_that_is_refused_is_left_out_from_then_on(server: ChatServer, fields: list[str]) -> None:
    server.refuses = {field: WORDS[field] for field in fields}
    model = client(server.url)
    for _ in range(2):
        (reply,) = model.complete([PROMPT], max_tokens=50, cancel=CancelToken())
        assert reply.text.startswith("reply to")
        assert (reply.tokens is None) == ("stream_options" in fields)
    assert len(server.chats) == len(fields) + 2
    assert not set(fields) & server.chats[-1].keys()
    assert server.chats[-1].get("max_completion_tokens") == (50 if "max_tokens" in fields else None)
    decoding = dict(model.details())["decoding"]
    assert decoding == "greedy" or "temperature" in fields


def test_rephrasings_learn_from_each_other(server: ChatServer) -> None:
    server.refuses = dict(WORDS)
    replies = client(server.url).complete(prompts(*"abcdefgh"), cancel=CancelToken())
    assert [reply.text for reply in replies] == [f"reply to {letter}" for letter in "abcdefgh"]
    assert len(server.chats) <= 8 + 4 * len(WORDS)


def test_a_field_that_stays_refused_is_an_error_and_no_endless_round(server: ChatServer) -> None:
    server.refuses = {"model": "max_completion_tokens stream_options temperature grammar"}
    fails(server.url, "server-request-refused")
    assert len(server.chats) <= 5


# --- keys -------------------------------------------------------------------------------------------------------------


def with_keyring(monkeypatch: pytest.MonkeyPatch, keys: dict[tuple[str, str], str], fault: str = "") -> list[Any]:
    """A keyring with these keys; what it is asked for."""
    asked: list[Any] = []
    keyring, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    errors.KeyringError = type("KeyringError", (Exception,), {})  # type: ignore[attr-defined]

    def get_password(service: str, name: str) -> str | None:
        asked.append((service, name))
        if fault:
            raise errors.KeyringError(fault)  # type: ignore[attr-defined]
        return keys.get((service, name))

    keyring.get_password = get_password  # type: ignore[attr-defined]
    keyring.errors = errors  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    return asked


def test_a_key_comes_from_the_option_else_the_environment_else_the_keyring(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = server.url.removesuffix("/v1")
    asked = with_keyring(monkeypatch, {("seer", origin): "from-keyring\n", ("seer", "https://other"): "wrong"})

    def sent(key: str = "") -> set[str | None]:
        server.heads.clear()
        client(server.url, key=key).complete([PROMPT], cancel=CancelToken())
        return {given for _, _, given in server.heads}

    assert sent() == {"Bearer from-keyring"}
    assert asked == [("seer", origin)]
    monkeypatch.setenv("SEER_API_KEY", " from-environment ")
    assert sent() == {"Bearer from-environment"}
    assert sent("from-option") == {"Bearer from-option"}
    assert len(asked) == 1, "the keyring is asked where nothing else is known"


@pytest.mark.parametrize("fault", ["", "locked"])
def test_without_a_key_none_is_sent(server: ChatServer, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_keyring(monkeypatch, {}, fault)
    client(server.url, key="").complete([PROMPT], cancel=CancelToken())
    assert {given for _, _, given in server.heads} == {None}


def test_a_cancel_while_a_keyring_asks_to_be_unlocked_lets_nothing_go_later(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, unlocked, cancel = threading.Event(), threading.Event(), CancelToken()
    with_keyring(monkeypatch, {})

    def get_password(service: str, name: str) -> str:
        asked.set()
        unlocked.wait(PATIENCE)
        return KEY

    monkeypatch.setattr(sys.modules["keyring"], "get_password", get_password)
    threading.Thread(target=lambda: asked.wait(PATIENCE) and cancel.cancel(), daemon=True).start()
    with pytest.raises(Cancelled):
        ask(client(server.url, key=""), cancel=cancel)
    waiting = [thread for thread in threading.enumerate() if thread.name == "seer-server"]
    unlocked.set()  # only now, after the call has ended
    for thread in waiting:
        thread.join(PATIENCE)
    assert server.heads == []


def test_a_key_that_is_wrong_is_said_to_be_and_not_shown(server: ChatServer) -> None:
    server.key = "another"
    assert "does not accept this key" in fails(server.url, "server-unauthorised").user_message
    assert "asks for a key" in fails(client(server.url, key=""), "server-unauthorised").user_message
    assert server.chats == []


def test_a_key_and_a_request_are_in_no_log(server: ChatServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client(server.url).complete([PROMPT], cancel=CancelToken())
    server.refuses = {"model": "no"}
    fails(server.url, "server-request-refused")
    assert_tells_nothing(caplog.text)


def test_a_model_shows_no_key(server: ChatServer) -> None:
    model = client(server.url)
    model.complete([PROMPT], cancel=CancelToken())
    assert_tells_nothing(repr(model) + repr(model.details()) + repr(model.readiness()))


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "ümlaut", "nul\0", "tab\tbed"])
def test_what_can_be_no_key_is_refused_and_not_shown(server: ChatServer, key: str) -> None:
    model = client(server.url, key=key)
    assert "copy it again" in model.readiness().what_to_do
    with pytest.raises(UsageError) as caught:
        ask(model)
    assert caught.value.code == "server-key-invalid"
    assert key not in told(caught.value)
    assert server.heads == []


# --- readiness --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "key", "code"),
    [
        ("", "", "server-missing"),
        ("localhost:8000", "", "server-invalid"),
        ("https://me:mine@gpu.example.org/v1", "", "server-invalid"),
        ("http://gpu.example.org/v1", KEY, "server-key-unencrypted"),
    ],
)
def test_an_address_that_will_not_do(url: str, key: str, code: str) -> None:
    model = client(url, key=key)
    ready = model.readiness()
    assert not ready.ready
    with pytest.raises(UsageError) as caught:
        ask(model)
    assert (caught.value.code, caught.value.user_message) == (code, ready.what_to_do)
    assert "mine" not in told(caught.value)
    assert model.details() == () or model.details()[0] == ("server", "gpu.example.org")


def test_without_requests_it_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "requests" in client("https://gpu.example.org/v1").readiness().what_to_do


def test_importing_it_loads_no_requests() -> None:
    code = "import SEERSegmentLib.reasoning.openai, sys; print('requests' in sys.modules, 'PIL' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
