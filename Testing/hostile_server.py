"""A server that behaves as a test scripts it: raw sockets on loopback, one script for each connection.

A script is a function of a :class:`Visit`: it reads what it likes, sends bytes as they are, waits, resets. The server
keeps what it was asked, and for each visit whether the client closed the connection: a client that leaves a socket open
is found out. What a script does after the client has gone is lost, and no error.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

__all__ = ["HostileServer", "Script", "Visit", "chunk", "event", "head", "json_answer", "models", "stream", "watched"]

_T = TypeVar("_T")

#: Longest wait of a server for anything, in seconds: a test that needs it has failed.
PATIENCE = 20.0


@dataclass
class Asked:
    """A request as it came."""

    method: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Visit:
    """One connection of a client."""

    def __init__(self, connection: socket.socket, stopping: threading.Event) -> None:
        self.connection, self._stopping = connection, stopping
        self.asked = Asked()
        self.closed = threading.Event()
        self._read = b""

    def read_head(self) -> Asked:
        """Request line and headers."""
        while b"\r\n\r\n" not in self._read:
            piece = self.connection.recv(65536)
            if not piece:
                raise ConnectionError("no request")
            self._read += piece
        text, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = text.decode("latin-1").split("\r\n")
        self.asked.method, self.asked.path, _ = first.split(" ", 2)
        self.asked.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return self.asked

    def read(self) -> Asked:
        """The whole request."""
        self.read_head()
        length = int(self.asked.headers.get("content-length", 0))
        while len(self._read) < length:
            piece = self.connection.recv(65536)
            if not piece:
                raise ConnectionError("half a request")
            self._read += piece
        self.asked.body = self._read
        return self.asked

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def trickle(self, data: bytes, pause: float) -> None:
        """One byte at a time."""
        for number in range(len(data)):
            self.send(data[number : number + 1])
            if self._stopping.wait(pause):
                raise ConnectionError("the test is over")

    def repeat(self, data: bytes) -> None:
        """Without end, as fast as it is taken."""
        while not self._stopping.is_set():
            self.send(data)

    def wait_until_closed(self) -> None:
        """Say nothing until the client is gone."""
        while self.connection.recv(65536):
            pass

    def reset(self) -> None:
        """Hang up with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.closed.set()

    def end(self) -> None:
        """Nothing more is sent; then wait for the client to close its side."""
        with suppress(OSError, ValueError):
            self.connection.shutdown(socket.SHUT_WR)
        try:
            self.wait_until_closed()
            self.closed.set()
        except TimeoutError:
            pass  # the client holds it open
        except (OSError, ValueError):
            self.closed.set()  # it was reset
        with suppress(OSError):
            self.connection.close()


Script = Callable[[Visit], None]


class HostileServer:
    """Serves one script after the other, the last one for all further connections. A context manager.

    Parameters
    ----------
    *scripts : callable
    tls : ssl.SSLContext, optional
        Speak TLS.
    lists_models : bool
        Answer ``GET …/models`` with the model ``seer`` rather than by a script.
    """

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None, lists_models: bool = True) -> None:
        self._scripts, self._tls, self._lists_models = list(scripts), tls, lists_models
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._stopping = threading.Event()
        self._changing = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.visits: list[Visit] = []
        self.errors: list[BaseException] = []

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v1"

    @property
    def posts(self) -> list[Asked]:
        """The requests for a chat, as they came."""
        return [visit.asked for visit in self.visits if visit.asked.method == "POST"]

    def __enter__(self) -> HostileServer:
        self._begin(self._accept)
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for visit in self.visits:
            with suppress(OSError):
                visit.connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        if self.errors:
            raise self.errors[0]

    def all_closed(self) -> bool:
        """Whether the client has closed every connection that it made."""
        return all(visit.closed.wait(PATIENCE) for visit in self.visits)

    def _begin(self, call: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=call, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            visit = Visit(connection, self._stopping)
            self.visits.append(visit)
            self._begin(self._serve, visit)

    def _serve(self, visit: Visit) -> None:
        try:
            if self._tls is not None:
                visit.connection = self._tls.wrap_socket(visit.connection, server_side=True)
            self._script_for(visit)(visit)
        except OSError:
            pass  # the client has gone, as it may
        except Exception as error:  # noqa: BLE001 - a script's own mistake fails the test
            self.errors.append(error)
        finally:
            visit.end()

    def _script_for(self, visit: Visit) -> Script:
        if self._lists_models:
            start = visit.connection.recv(3, socket.MSG_PEEK) if self._tls is None else b""
            if start == b"GET":
                return lambda visit: (visit.read(), visit.send(models("seer")))[-1]  # type: ignore[func-returns-value]
        with self._changing:
            return self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]


def watched(call: Callable[[], _T]) -> _T:
    """What a call gives or raises; a call that hangs fails the test."""
    outcome: list[_T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(3 * PATIENCE)
    if failed:
        raise failed[0]
    assert outcome, "the call hangs"
    return outcome[0]


# --- what is sent -----------------------------------------------------------------------------------------------------


def head(status: str = "200 OK", kind: str = "text/event-stream", **headers: str) -> bytes:
    """The head of an answer that ends with the connection; an underscore in a header's name stands for a hyphen."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def json_answer(value: Any, status: str = "200 OK", **headers: str) -> bytes:
    body = json.dumps(value).encode()
    return head(status, "application/json", Content_Length=str(len(body)), **headers) + body


def models(*names: str, owner: str = "", parents: dict[str, str] | None = None) -> bytes:
    """The answer to ``/models``."""
    rows = [{"id": name, "object": "model", "owned_by": owner, "parent": (parents or {}).get(name)} for name in names]
    return json_answer({"object": "list", "data": rows})


def chunk(text: str | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One piece of a streamed reply."""
    delta = {} if text is None else {"content": text}
    return {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }


def event(value: Any) -> bytes:
    """A server-sent event with a JSON value."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def stream(*texts: str, finish: str = "stop", done: bool = True) -> Iterator[bytes]:
    """The events of a whole reply."""
    yield event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]})
    for text in texts:
        yield event(chunk(text))
    yield event(chunk(finish=finish))
    yield event({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": len(texts)}})
    if done:
        yield b"data: [DONE]\n\n"
