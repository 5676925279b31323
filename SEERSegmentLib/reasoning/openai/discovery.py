"""Asking a server what it has: its models, and whether it holds a reply to a form.

No picture and no request of the user is in any of these questions.
"""

from __future__ import annotations

import re

from ...errors import ServiceError
from ..vlm import Completion
from .asking import Desk, Refusal, list_models, patiently
from .capabilities import DIALECTS, PROBE, Known, choose, kind_of
from .payload import encoded
from .reply import read_reply
from .words import Hidden

__all__ = ["dialect_of", "what_it_has"]

_PROBE_TOKENS = 32

#: A server that just has no list of models answers so.
_NO_LIST = ("server-not-found", "server-status")

#: And one that doesn't know a field of a form, other than by refusing it.
_NO_FORM = ("server-failed", "server-error", "server-unexpected", "server-empty", "server-too-long", "server-status")


def what_it_has(desk: Desk, wanted: str) -> Known:
    """What a server says that it has."""
    try:
        models = list_models(desk)
    except ServiceError as error:
        # `transformers serve` fails to list its models where its machine has no hub cache, and answers all the same.
        if error.code not in _NO_LIST and not (wanted and error.code == "server-failed"):
            raise
        models = ()
    return Known(choose(models, wanted, desk.address.place), kind_of(models))


def dialect_of(desk: Desk, known: Known) -> str:
    """In which dialect a server holds a reply to a form, seen from what comes back; empty where in none."""
    for name in known.dialects:
        question = {"model": known.sent_name, "messages": [{"role": "user", "content": "Say hello."}]}
        limits = {"temperature": 0, known.manner.limit: _PROBE_TOKENS}
        body = encoded({**question, **limits, **DIALECTS[name](PROBE)})

        def attempt(body: bytes = body) -> Completion:
            with desk.ask("POST", "/chat/completions", body) as answer:
                return read_reply(answer, Hidden(desk.key), _PROBE_TOKENS)

        try:
            reply = patiently(attempt, desk.background)
        except Refusal:
            continue
        except ServiceError as error:
            if error.code not in _NO_FORM:
                raise
            continue
        if re.fullmatch(PROBE.regex, reply.text.strip()):
            return name
    return ""
