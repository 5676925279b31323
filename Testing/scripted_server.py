"""A server on loopback whose replies a test writes, piece by piece, and which notes all that it is sent.

It speaks as much of the OpenAI-compatible interface as a server of models must: a list of models, and chat completions
as server-sent events. Where a reply says :data:`HOLD` it waits until the test lets it go on, so that no test sleeps.
"""

from __future__ import annotations

import http.server
import json
import select
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

__all__ = ["GOOD", "HOLD", "MODEL", "ScriptedServer", "reply", "serving", "texts_of"]

HOLD = object()
"""In a reply: wait here until :meth:`ScriptedServer.go_on`."""

MODEL = "seer-tiny"

_POLL_S = 0.01


def reply(answer: str, evidence: str = "Both lungs are seen (image 1).", rationale: str = "The lung is named.") -> str:
    """A reply as a trained model writes it."""
    return f"<evidence>{evidence}</evidence>\n<rationale>{rationale}</rationale>\n<answer>{answer}</answer>"


GOOD = reply("right lung")


@dataclass
class ScriptedServer:
    """What it will say, and what it was sent.

    Attributes
    ----------
    replies : list of (list of pieces)
        One for each chat; the last is given again and again.
    asked : list of str
        ``"GET /v1/models"`` …, in order, with whatever was asked.
    chats : list of dict
        The bodies of all chats.
    keys : list of str
        The ``Authorization`` of every request.
    hung_up : threading.Event
        Set once a client has closed its connection in the middle of a reply.
    ending : threading.Event
        Set at the end of the test: nothing is held any more.
    """

    replies: list[Sequence[Any]] = field(default_factory=lambda: [[GOOD]])
    asked: list[str] = field(default_factory=list)
    chats: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    ending: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    _go_on: threading.Event = field(default_factory=threading.Event)

    def go_on(self) -> None:
        """Let the reply that is held go on, to its next hold."""
        self._go_on.set()

    def next_reply(self, body: dict[str, Any]) -> Sequence[Any]:
        """The pieces of the reply to a chat, which is noted."""
        self.chats.append(body)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def waits(self, connection: socket.socket) -> bool:
        """Wait to go on; False where the client hangs up before."""
        while not self._go_on.wait(_POLL_S):
            if self.ending.is_set():
                return False
            if _is_closed(connection):
                self.hung_up.set()
                return False
        self._go_on.clear()
        return True


def _is_closed(connection: socket.socket) -> bool:
    readable, _, _ = select.select([connection], [], [], 0)
    try:
        return bool(readable) and not connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return True


class _Handler(http.server.BaseHTTPRequestHandler):
    chat: ScriptedServer

    def do_GET(self) -> None:
        self._note()
        self._send_json({"data": [{"id": MODEL, "owned_by": "test"}]})

    def do_POST(self) -> None:
        self._note()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        pieces = self.chat.next_reply(body)
        if not body.get("stream"):
            text = "".join(piece for piece in pieces if isinstance(piece, str))
            self._send_json({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for piece in pieces:
            if piece is HOLD:
                if not self.chat.waits(self.connection):
                    return
            else:
                self._event({"delta": {"content": piece}, "finish_reason": None})
        self._event({"delta": {}, "finish_reason": "stop"})
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def _note(self) -> None:
        self.chat.asked.append(f"{self.command} {self.path}")
        self.chat.keys.append(self.headers.get("Authorization", ""))

    def _event(self, choice: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps({"choices": [{"index": 0, **choice}]}).encode() + b"\n\n")
        self.wfile.flush()

    def _send_json(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving() -> Iterator[ScriptedServer]:
    """A server for the time of a test; when it ends, so do all its threads."""
    chat = ScriptedServer()
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"chat": chat}))
    made.daemon_threads = False  # its end waits for them
    chat.url = f"http://127.0.0.1:{made.server_port}/v1"
    thread = threading.Thread(target=made.serve_forever, args=(_POLL_S,))
    thread.start()
    try:
        yield chat
    finally:
        chat.ending.set()
        made.shutdown()
        thread.join()
        made.server_close()


def texts_of(body: dict[str, Any]) -> list[str]:
    """All texts of a chat, in order."""
    found: list[str] = []
    for message in body["messages"]:
        content = message["content"]
        items = [{"type": "text", "text": content}] if isinstance(content, str) else content
        found += [item["text"] for item in items if item["type"] == "text"]
    return found
