"""Testing a connection: one question to a server on loopback, and a sentence for each way it may go."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from SEERSegmentLib.errors import Cancelled
from SEERSegmentLib.protocols import CancelToken
from SEERSegmentLib.reasoning.openai.address import Address
from SEERSegmentLib.worker import probe as module
from SEERSegmentLib.worker.messages import PartChoice, ProbeReport
from SEERSegmentLib.worker.probe import probe

KEY = "sk-very-secret"
MODELS = json.dumps({"data": [{"id": "seer-7b"}, {"id": "other"}]}).encode()


class Server(ThreadingHTTPServer):
    """Answers as a test says, and keeps what it was asked."""

    daemon_threads = True
    status, body, headers = 200, MODELS, {}

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, str | None]] = []
        self.released = threading.Event()
        self.released.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.command, self.path, self.headers["Authorization"]))
        self.server.released.wait(30)
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *arguments: Any) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.released.set()
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def no_other_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEER_API_KEY", raising=False)
    monkeypatch.setitem(sys.modules, "keyring", None)


def ask(url: str, **options: str) -> ProbeReport:
    return probe("job-1", PartChoice("openai", {"url": url, **options}), CancelToken())


def test_a_server_names_its_models(server: Server) -> None:
    report = ask(server.url)
    assert (report.ok, report.models) == (True, ("seer-7b", "other"))
    assert "2 models" in report.message
    assert server.asked == [("GET", "/v1/models", None)]


def test_the_key_goes_along_and_the_model_is_looked_for(server: Server) -> None:
    report = ask(f"{server.url}/", key=KEY, model="absent")
    assert report.ok
    assert "'absent' is not among them" in report.message
    assert server.asked == [("GET", "/v1/models", f"Bearer {KEY}")]
    assert "absent" not in ask(server.url, model="seer-7b").message.replace("seer-7b", "")


def test_what_lies_in_netrc_stays_there(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setattr(Address, "loopback", False)  # as for any other server
    assert ask(server.url).ok
    assert server.asked[0][2] is None


def test_the_key_of_the_environment_goes_along_as_it_would_in_a_run(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEER_API_KEY", KEY)
    assert ask(server.url).ok
    assert ask(server.url, key="another").ok
    assert [key for _, _, key in server.asked] == [f"Bearer {KEY}", "Bearer another"]


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "asks for a key"), (403, "asks for a key"), (404, "/v1"), (500, "HTTP 500"), (503, "HTTP 503")],
)
def test_refusals_have_words(server: Server, status: int, words: str) -> None:
    server.status = status
    report = ask(server.url)
    assert not report.ok
    assert words in report.message


def test_a_wrong_key_is_said_to_be_wrong_and_not_shown(server: Server) -> None:
    server.status = 401
    report = ask(server.url, key=KEY)
    assert "does not accept this key" in report.message
    assert KEY not in repr(report)


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"[]", b"5", b'{"data": 5}', b'{"data": [5]}', b'{"data": [{}]}', b"[" * 100_000, b"\xff"]
)
def test_something_else_that_answers_is_no_server_of_models(server: Server, body: bytes) -> None:
    server.body = body
    report = ask(server.url)
    assert not report.ok
    assert "not as a server of models" in report.message


def test_a_long_answer_is_not_read_to_its_end(server: Server) -> None:
    server.body = b'{"data": []' + b" " * (4 << 20) + b"}"
    assert not ask(server.url).ok


def test_a_key_does_not_follow_a_redirect(server: Server) -> None:
    server.status, server.headers = 302, {"Location": f"http://me:mine@127.0.0.1:{server.server_port}/elsewhere"}
    report = ask(server.url, key=KEY)
    assert not report.ok
    assert f"sends one on to 127.0.0.1:{server.server_port}" in report.message
    assert len(server.asked) == 1
    assert "mine" not in report.message


def test_nothing_there_is_told_from_a_server_that_is_silent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "Nothing answers" in ask(f"http://127.0.0.1:{port}/v1").message
    monkeypatch.setattr(module, "LIMIT_S", 0.2)
    server.released.clear()
    assert "did not answer within" in ask(server.url).message


def test_a_server_without_tls_is_not_spoken_to_as_if_it_had(server: Server) -> None:
    report = ask(server.url.replace("http:", "https:"), key=KEY)
    assert not report.ok
    assert KEY not in report.message
    assert server.asked == []


def test_a_cancel_does_not_wait_for_the_server(server: Server) -> None:
    server.released.clear()
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        probe("job-1", PartChoice("openai", {"url": server.url}), cancel)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "https://"),
        ("localhost:8000", "https://"),
        ("ftp://localhost/v1", "https://"),
        ("file:///etc/passwd", "https://"),
        ("http://", "https://"),
        ("http://me:mine@localhost/v1", "field for the key"),
        ("http://localhost/v1?key=x", "?"),
        ("http://localhost:99999/v1", "not an address"),
        ("http://[::1/v1", "not an address"),
    ],
)
def test_what_is_no_address_is_not_asked(url: str, words: str) -> None:
    report = ask(url)
    assert not report.ok
    assert words in report.message


@pytest.fixture
def connected_to(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Where anyone tries to connect to, or whose name is looked up; nothing leaves."""
    tried: list[object] = []

    def connect(self: socket.socket, where: object) -> None:
        tried.append(where)
        raise ConnectionRefusedError

    def look_up(host: str, port: int, *arguments: Any) -> list[Any]:
        tried.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return tried


@pytest.mark.parametrize("host", ["192.0.2.1", "gpu.example.org", "localhost.example.org", "127.0.0.1.example.org"])
@pytest.mark.parametrize("from_environment", [False, True], ids=["option", "environment"])
def test_a_key_does_not_cross_the_network_in_clear(
    host: str, from_environment: bool, connected_to: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    if from_environment:
        monkeypatch.setenv("SEER_API_KEY", KEY)
    report = ask(f"http://{host}/v1", **({} if from_environment else {"key": KEY}))
    assert "unencrypted" in report.message
    assert KEY not in report.message
    assert connected_to == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.5.0.1", "[::1]"])
def test_on_this_computer_it_may(host: str, connected_to: list[object]) -> None:
    assert "Nothing answers" in ask(f"http://{host}:8000/v1", key=KEY).message
    assert host.strip("[]") in connected_to


def test_a_name_for_this_computer_that_leads_elsewhere_is_not_followed(
    connected_to: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("192.0.2.1", 8000))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments: elsewhere)
    assert "failed" in ask("http://localhost:8000/v1", key=KEY).message
    assert connected_to == []
