"""The prompts of one call: each its own question, all in the same manner."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from ..forms import FORMS, Form
from ..prompt import Prompt
from ..vlm import Completion, OnText
from .asking import Desk, Refusal, adapted, patiently
from .background import Background
from .capabilities import Known, Memory
from .payload import Pictures, chat_payload, encoded
from .reply import read_reply
from .words import Hidden

__all__ = ["Call", "Growth"]


@dataclass(frozen=True, repr=False)
class Call:
    """Prompts that go to the same server, in the same manner."""

    desk: Desk
    memory: Memory
    which: tuple[str, str, bool]
    known: Known
    pictures: Pictures
    constrained: bool

    def reply(self, prompt: Prompt, max_tokens: int, on_text: OnText, on_wait: Callable[[], None]) -> Completion:
        """One reply; a field that the server refuses is left out from then on. Raises ServiceError."""
        texts = (prompt.system, *(part for part in prompt.content if isinstance(part, str)))
        hidden = Hidden(self.desk.key, texts)
        form: Form | None = FORMS[prompt.form] if self.constrained else None
        while True:
            known = self.memory.get(self.which) or self.known
            body = encoded(
                chat_payload(
                    prompt,
                    known.sent_name,
                    max_tokens,
                    known.manner,
                    pictures=self.pictures,
                    form=known.holding(form),
                )
            )

            def attempt(body: bytes = body, model: str = known.sent_name) -> Completion:
                with self.desk.ask("POST", "/chat/completions", body, model=model, hidden=hidden) as answer:
                    return read_reply(answer, hidden, max_tokens, on_text, thinks=prompt.form == "anchor")

            try:
                return patiently(attempt, self.desk.background, on_wait=on_wait)
            except Refusal as refused:
                manner = adapted(known.manner, refused.said)
                if manner == known.manner:
                    raise refused.error from None
                self.memory.learn(self.which, known.manner, manner)


class Growth:
    """Hands a growing text to the caller's thread: each time all of it, and never faster than that takes it."""

    def __init__(self, on_text: OnText, background: Background) -> None:
        self._on_text, self._background = on_text, background
        self._parts: list[str] = []
        self._due = False
        self._changing = threading.Lock()

    def add(self, part: str) -> None:
        with self._changing:
            self._parts.append(part)
            due, self._due = self._due, True
        if not due:
            self._background.later(self._tell)

    def _tell(self) -> None:
        with self._changing:
            self._due = False
            text = "".join(self._parts)
        self._on_text(text)
