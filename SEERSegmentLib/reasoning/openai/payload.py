"""A prompt as the JSON that a server is sent. Pictures go as data URLs only: a server is never told to fetch anything.

The pictures are grey PNG files: as RGB the views of a CT were twice as long, and every server makes RGB of either
before its model sees it. The same prompt gives the same bytes.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...imaging import encode_png
from ...values import View
from ..prompt import Prompt, chat_messages

__all__ = ["Manner", "Pictures", "chat_payload", "encoded"]


@dataclass(frozen=True)
class Manner:
    """How this server wants to be asked, where servers differ; what it refused is left out.

    Attributes
    ----------
    limit : str
        The name of the field for the most tokens.
    usage : bool
        Ask for the number of tokens at the stream's end.
    greedy : bool
        Say that the likeliest token is wanted each time. A few vendors' models refuse; provenance says so then.
    held : bool
        Hold the reply to a form, where it is asked for and the server can.
    """

    limit: str = "max_tokens"
    usage: bool = True
    greedy: bool = True
    held: bool = True


class Pictures:
    """Items of views, each encoded once: rephrasings of a request show the same pictures."""

    def __init__(self) -> None:
        self._items: dict[str, dict[str, Any]] = {}

    def __call__(self, view: View) -> dict[str, Any]:
        if view.sha256 not in self._items:
            url = f"data:image/png;base64,{b64encode(encode_png(view)).decode('ascii')}"
            self._items[view.sha256] = {"type": "image_url", "image_url": {"url": url}}
        return self._items[view.sha256]


def chat_payload(
    prompt: Prompt,
    model: str,
    max_tokens: int,
    manner: Manner | None = None,
    *,
    pictures: Pictures | None = None,
    form: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What is sent to ``/chat/completions``.

    Parameters
    ----------
    prompt : Prompt
    model : str
    max_tokens : int
    manner : Manner, optional
    pictures : Pictures, optional
        Shared by prompts with the same views.
    form : mapping, optional
        The fields by which this server holds a reply to a form.
    """
    manner = manner or Manner()
    payload: dict[str, Any] = {"model": model, "messages": chat_messages(prompt, pictures or Pictures())}
    if manner.greedy:
        payload["temperature"] = 0
    payload[manner.limit] = max_tokens
    payload["stream"] = True
    if manner.usage:
        payload["stream_options"] = {"include_usage": True}
    if manner.held:
        payload.update(form or {})
    return payload


def encoded(payload: Mapping[str, Any]) -> bytes:
    """As it goes over the network."""
    return json.dumps(payload, separators=(",", ":"), allow_nan=False).encode("ascii")
