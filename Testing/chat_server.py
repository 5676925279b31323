"""A small server that does what an OpenAI-compatible one should: lists its models, and chats in events or in one piece.

It has no model: what it replies is a function of what it is asked. What differs between the servers of this world is
an attribute: the list of models, how a reply is held to a form, the fields that are refused, whether it streams.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from Testing.hostile_server import PATIENCE, chunk, event

__all__ = ["ChatServer", "asked_text"]

Payload = dict[str, Any]


def asked_text(payload: Payload) -> str:
    """The last text of the user's turn."""
    content = payload["messages"][-1]["content"]
    return content if isinstance(content, str) else [part["text"] for part in content if part["type"] == "text"][-1]


class ChatServer(ThreadingHTTPServer):
    """A context manager; on loopback.

    Attributes
    ----------
    models : list of dict, or None
        None: there is no list.
    reply : callable
        Payload → the text.
    streams : bool
    held : tuple of str
        Path of the field that holds a reply to a form: ``("structured_outputs", "regex")``; empty: it can't.
    sample : callable
        Form → a text of that form.
    refuses : dict
        Name of a field → the words with which it is refused.
    key : str
        That it asks for.
    gate : threading.Event
        Each chat waits for it before it is answered.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.models: list[dict[str, Any]] | None = [{"id": "seer", "object": "model"}]
        self.reply: Callable[[Payload], str] = lambda payload: f"reply to {asked_text(payload)}"
        self.streams = True
        self.held: tuple[str, ...] = ()
        self.sample: Callable[[str], str] = str
        self.refuses: dict[str, str] = {}
        self.key = ""
        self.gate = threading.Event()
        self.gate.set()
        self.heads: list[tuple[str, str, str | None]] = []
        self.chats: list[Payload] = []
        self.at_once = self.most_at_once = 0
        self.changing = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    @property
    def listed(self) -> int:
        """How often the models were asked for."""
        return sum(path.endswith("/models") for _, path, _ in self.heads)

    def wait_for(self, chats: int) -> None:
        """Until so many chats were asked for."""
        with self.changing:
            assert self.changing.wait_for(lambda: len(self.chats) >= chats, PATIENCE)

    def __enter__(self) -> ChatServer:
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.gate.set()
        self.shutdown()
        self.server_close()
        self._thread.join(PATIENCE)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves in the middle is no error."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer

    def do_GET(self) -> None:
        if self._admitted():
            models = self.server.models
            self._say({"detail": "Not Found"}, 404) if models is None else self._say({"data": models})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._admitted():
            return
        payload, server = json.loads(body), self.server
        with server.changing:
            server.chats.append(payload)
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
            server.changing.notify_all()
        try:
            server.gate.wait(PATIENCE)
            refused = next((words for field, words in server.refuses.items() if field in payload), None)
            if refused is not None:
                self._say({"error": {"message": refused, "type": "invalid_request_error"}}, 400)
            else:
                self._chat(payload)
        finally:
            with server.changing:
                server.at_once -= 1

    def _chat(self, payload: Payload) -> None:
        form: Any = payload
        for name in self.server.held:
            form = form.get(name, {})
        text = self.server.sample(form) if self.server.held and form else self.server.reply(payload)
        words = text.split(" ")
        usage = {"prompt_tokens": 9, "completion_tokens": len(words)}
        if not (self.server.streams and payload.get("stream")):
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            self._say({"object": "chat.completion", "choices": [choice], "usage": usage})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for number, word in enumerate(words):
            self.wfile.write(event(chunk(f" {word}" if number else word)))
        self.wfile.write(event(chunk(finish="stop")))
        if payload.get("stream_options", {}).get("include_usage"):
            self.wfile.write(event({"choices": [], "usage": usage}))
        self.wfile.write(b"data: [DONE]\n\n")

    def _admitted(self) -> bool:
        given = self.headers["Authorization"]
        self.server.heads.append((self.command, self.path, given))
        if self.server.key and given != f"Bearer {self.server.key}":
            self._say({"error": {"message": f"Incorrect API key provided: {given}"}}, 401)
            return False
        return True

    def _say(self, value: Any, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None: ...
