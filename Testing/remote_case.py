"""One request with a picture and a key, as tests of the remote model ask it; none of it may come back in an error."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from SEERSegmentLib.errors import SeerError, ServiceError
from SEERSegmentLib.protocols import CancelToken
from SEERSegmentLib.reasoning.openai import OpenAIServer
from SEERSegmentLib.reasoning.openai.capabilities import Memory
from SEERSegmentLib.reasoning.openai.payload import Pictures
from SEERSegmentLib.reasoning.prompt import Prompt
from SEERSegmentLib.reasoning.vlm import Completion
from SEERSegmentLib.values import Plane, View
from Testing.hostile_server import Script, Visit, watched

__all__ = ["KEY", "PROMPT", "REQUEST", "VIEW", "answering", "ask", "assert_tells_nothing", "client", "fails", "told"]

KEY = "sk-Zk3-very-secret-0815"
REQUEST = "outline the kidney of Zebediah Quux, MRN 4711"
PIXELS = np.random.default_rng(1).integers(0, 256, (24, 20), dtype=np.uint8)
VIEW = View("axial 1", PIXELS, Plane.AXIAL, 1, 1.0, (0.0, 1.0), np.eye(4), "seer-v1")
PROMPT = Prompt("Be exact.", (VIEW, f"Look at it.\n\n<raw_prompt>{REQUEST}</raw_prompt>"))

#: Long enough for any answer on this computer.
ENOUGH_S = 30.0


def client(url: str, model: str = "seer", key: str = KEY, deadline_s: float = ENOUGH_S, **options: Any) -> OpenAIServer:
    """A server as a model, with a memory of its own."""
    return OpenAIServer(url, model, key, deadline_s=deadline_s, **{"memory": Memory(), **options})


def ask(server: OpenAIServer | str, **options: Any) -> Completion:
    """The reply to the request; a call that hangs fails the test."""
    model = client(server) if isinstance(server, str) else server
    options = {"cancel": CancelToken(), **options}
    (reply,) = watched(lambda: model.complete([PROMPT], **options))
    return reply


def answering(*data: bytes, then: Callable[[Visit], object] = lambda visit: None) -> Script:
    """A script that reads the request, sends these bytes, and does something more."""

    def script(visit: Visit) -> None:
        visit.read()
        for piece in data:
            visit.send(piece)
        then(visit)

    return script


def told(error: BaseException) -> str:
    """All that an error says, anywhere: in its words, its fields, its traceback, and what it came from."""
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    inner = [error.__cause__, error.__context__]
    said = [repr(error), str(error), repr(vars(error)), *lines, *(told(one) for one in inner if one is not None)]
    return "\n".join(said)


def assert_tells_nothing(text: str) -> None:
    """No key, no request, no picture."""
    picture = Pictures()(VIEW)["image_url"]["url"].partition("base64,")[2]
    for secret in (KEY, KEY[:12], "Bearer", "Authorization", "Zebediah", "Quux", "4711", picture[:24], "base64"):
        assert secret not in text


def fails(server: OpenAIServer | str, *codes: str, **options: Any) -> SeerError:
    """The error, of one of these codes, that a call ends in; it gives nothing away."""
    with pytest.raises(ServiceError) as caught:
        ask(server, **options)
    error = caught.value
    assert error.code in codes, told(error)
    assert_tells_nothing(told(error))
    assert error.__cause__ is None, "a library's error holds the request and its headers"
    assert error.__context__ is None
    assert error.user_message.endswith((".", "?", '"'))
    return error
