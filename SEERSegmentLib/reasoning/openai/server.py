"""A server as a vision-language model."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ...errors import ServiceError, UsageError
from ...protocols import CancelToken, Readiness
from ..prompt import Prompt
from ..vlm import MAX_TOKENS, Completion, OnText, ignore_text
from . import faults
from .address import Address, check_key, parse_address
from .background import Background
from .capabilities import Known, Memory
from .keys import find_key, key_at_hand
from .payload import Pictures

if TYPE_CHECKING:
    from .call import Call

__all__ = ["OpenAIServer"]

#: For all of a call, in seconds.
DEADLINE_S = 120.0

#: Rephrasings that are asked at the same time.
AT_ONCE = 4

_MEMORY = Memory()


class OpenAIServer:
    """Any OpenAI-compatible multimodal server.

    Parameters
    ----------
    url : str
        ``"http://127.0.0.1:8000/v1"``.
    model : str
        As the server lists it. Without one: the server's only adapter, else its first model.
    key : str
        Without one: the environment's ``SEER_API_KEY``, else the keyring's for this server.
    deadline_s : float
        For all of a call, in seconds.
    at_once : int
        Prompts that are asked at the same time.
    memory : Memory, optional
        Of what servers have; this process's where not given.
    """

    def __init__(
        self,
        url: str,
        model: str = "",
        key: str = "",
        *,
        deadline_s: float = DEADLINE_S,
        at_once: int = AT_ONCE,
        memory: Memory = _MEMORY,
    ) -> None:
        self._url, self._model, self._given_key = url, model.strip(), key
        self._deadline_s, self._at_once, self._memory = deadline_s, at_once, memory
        self._which: tuple[str, str, bool] | None = None

    def readiness(self) -> Readiness:
        """Whether there is an address, and a key may go there; nothing is contacted."""
        try:
            check_key(parse_address(self._url), key_at_hand(self._given_key))
        except UsageError as error:
            return Readiness(False, error.user_message)
        if importlib.util.find_spec("requests") is None:
            return Readiness(False, "Install the Python package requests.")
        return Readiness(True)

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        constrained: bool = False,
        max_tokens: int = MAX_TOKENS,
        on_text: OnText = ignore_text,
        on_status: OnText = ignore_text,
        cancel: CancelToken,
    ) -> tuple[Completion, ...]:
        """One whole reply per prompt, in order; see :class:`~SEERSegmentLib.reasoning.vlm.VisionLanguageModel`.

        The first call for a server asks it what it has; the first constrained one, whether it can hold a reply to a
        form. A cancel is heard at once, whatever the network does.

        Raises
        ------
        UsageError
            ``server-missing``, ``server-invalid``, ``server-key-invalid``, ``server-key-unencrypted``.
        ServiceError
            ``server-…``, see :mod:`.faults`.
        Cancelled
        """
        from .call import Growth  # and requests with it

        if not prompts:
            return ()
        address = parse_address(self._url)
        on_status(f"Waiting for {address.place}.")
        late = partial(faults.timeout, address.place, self._deadline_s)
        with Background(self._deadline_s, cancel, late) as background:
            try:
                (call,) = background.do([partial(self._opened, address, background, prompts[0], constrained)])
                growth = Growth(on_text, background)
                busy = partial(background.later, partial(on_status, f"{address.place} can't answer yet; trying again."))
                tasks = [
                    partial(call.reply, prompt, max_tokens, ignore_text if number else growth.add, busy)
                    for number, prompt in enumerate(prompts)
                ]
                return tuple(background.do(tasks, self._at_once))
            except ServiceError:
                if self._which is not None:  # what was known may be what is wrong: it was started with another model
                    self._memory.forget(self._which)
                raise

    def details(self) -> tuple[tuple[str, str], ...]:
        """Server, model and base model, kind of server, structured outputs: what is known of them yet."""
        try:
            place = parse_address(self._url).place
        except UsageError:
            return ()
        known = self._memory.get(self._which) if self._which is not None else None
        if known is None:
            return (("server", place), ("model", self._model)) if self._model else (("server", place),)
        found = {
            "server": place,
            "server kind": known.kind,
            "model": known.model.name,
            "base model": known.model.parent,
            "structured outputs": "" if known.dialect is None else _held_as(known),
            "decoding": "greedy" if known.manner.greedy else "the server's own: it refuses temperature 0",
        }
        return tuple((name, text) for name, text in found.items() if text)

    def _opened(self, address: Address, background: Background, prompt: Prompt, constrained: bool) -> Call:
        """What all prompts of a call share. Run in the background: a keyring may ask the user, a server may sleep."""
        from .asking import Desk
        from .call import Call
        from .discovery import dialect_of, what_it_has

        desk = Desk(address, find_key(address, self._given_key), background)
        self._which = which = (address.url, self._model, bool(desk.key))
        known = self._memory.get(which)
        if known is None:
            known = what_it_has(desk, self._model)
            self._memory.put(which, known)
        if constrained and known.dialect is None:
            known = replace(known, dialect=dialect_of(desk, known))
            self._memory.put(which, known)
        pictures = Pictures()
        for view in prompt.views:
            pictures(view)
        return Call(desk, self._memory, which, known, pictures, constrained)


def _held_as(known: Known) -> str:
    return f"as in {known.dialect}" if known.dialect and known.manner.held else "none"
