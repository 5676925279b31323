"""The way to a server: connections, certificates, proxies, redirects, what is tried again; a cancel at any moment.

One long file: the tests share the rigged servers.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from SEERSegmentLib.errors import Cancelled, ServiceError
from SEERSegmentLib.protocols import CancelToken
from SEERSegmentLib.reasoning.openai import asking
from SEERSegmentLib.reasoning.prompt import Prompt
from Testing.hostile_server import (
    PATIENCE,
    HostileServer,
    Script,
    Visit,
    chunk,
    event,
    head,
    json_answer,
    stream,
    watched,
)
from Testing.remote_case import KEY, PROMPT, answering, ask, client, fails

REMOTE = "gpu.example.org"
GOOD = answering(head(), *stream("the ", "kidney"))


@pytest.fixture(autouse=True)
def no_other_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SEER_API_KEY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setitem(sys.modules, "keyring", None)


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port on which nothing listens, and nothing will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name gpu.example.org leads to this computer."""

    def look_up(host: str, port: int, *arguments: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


# --- what goes over the wire ------------------------------------------------------------------------------------------


def test_a_request_says_no_more_than_it_must() -> None:
    with HostileServer(GOOD) as server:
        ask(server.url)
        (asked,) = server.posts
        assert asked.headers.pop("user-agent").startswith("seer-segment/")
        assert asked.headers.pop("content-length") == str(len(asked.body))
        assert asked.headers == {
            "host": f"127.0.0.1:{server.port}",
            "accept": "text/event-stream, application/json",
            "accept-encoding": "identity",
            "connection": "close",
            "content-type": "application/json",
            "authorization": f"Bearer {KEY}",
        }


def test_a_server_that_refuses_before_it_has_read_all_is_heard() -> None:
    def refuse(visit: Visit) -> None:
        visit.read_head()
        visit.send(json_answer({"detail": "Request Entity Too Large"}, "413 Payload Too Large"))
        heard.wait(PATIENCE)
        visit.reset()

    heard = threading.Event()
    long = Prompt("." * (12 << 20), PROMPT.content)  # more than the system takes in a socket's stead
    with HostileServer(refuse) as server:
        model = client(server.url)
        threading.Timer(0.5, heard.set).start()  # so that it is still writing when the connection is reset
        with pytest.raises(ServiceError) as caught:
            watched(lambda: model.complete([long], cancel=CancelToken()))
        assert caught.value.code == "server-too-large"


# --- before anything is sent ------------------------------------------------------------------------------------------


def test_nothing_listens(free_port: int) -> None:
    error = fails(f"http://127.0.0.1:{free_port}/v1", "server-refused")
    assert error.retryable
    assert f"127.0.0.1:{free_port}" in error.user_message


@pytest.mark.parametrize(
    ("number", "retryable"), [(socket.EAI_NONAME, False), (socket.EAI_AGAIN, True)], ids=["unknown", "for-now"]
)
def test_no_such_computer(number: int, retryable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []

    def look_up(host: str, *arguments: object) -> None:
        looked_up.append(host)
        raise socket.gaierror(number, "no")

    monkeypatch.setattr(asking, "WAIT_S", 0.0)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    error = fails(f"https://{REMOTE}/v1", "server-unknown-host")
    assert error.retryable is retryable
    assert looked_up == [REMOTE] * (asking.TRIES if retryable else 1)


def test_no_way_to_a_computer(monkeypatch: pytest.MonkeyPatch, named: None) -> None:
    def connect(self: socket.socket, where: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", connect)
    assert fails(f"https://{REMOTE}/v1", "server-unreachable").retryable


def test_the_next_address_of_a_computer_is_tried(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    with HostileServer(GOOD) as server:
        places = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in (free_port, server.port)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments: places)
        assert ask(server.url).text == "the kidney"


def test_a_connection_that_fails_before_anything_was_sent_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    connect, tries = socket.socket.connect, []

    def fails_twice(self: socket.socket, where: object) -> None:
        tries.append(where)
        if len(tries) < 3:
            raise ConnectionResetError
        connect(self, where)  # type: ignore[arg-type]

    with HostileServer(GOOD) as server:
        monkeypatch.setattr(asking, "WAIT_S", 0.0)
        monkeypatch.setattr(socket.socket, "connect", fails_twice)
        assert ask(server.url).text == "the kidney"
        assert len(server.posts) == 1


# --- encryption -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, ssl.SSLContext]]:
    """A self-signed certificate for a name, and a server's side that shows it."""
    folder = tmp_path_factory.mktemp("certificates")

    def make(name: str) -> tuple[Path, ssl.SSLContext]:
        file = name.replace(":", "-")
        certificate, key = folder / f"{file}.pem", folder / f"{file}.key"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
        command += ["-addext", f"subjectAltName={name}", "-out", str(certificate), "-keyout", str(key)]
        subprocess.run(command, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return certificate, context

    return make


Certificates = Callable[[str], tuple[Path, ssl.SSLContext]]


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(certificates: Certificates) -> None:
    with HostileServer(GOOD, tls=certificates("IP:127.0.0.1")[1], lists_models=False) as server:
        fails(server.url, "server-certificate")
        assert server.posts == []
        assert all(visit.asked.method == "" for visit in server.visits), "something was sent"


def test_a_certificate_for_somebody_else_is_not_trusted(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, context = certificates("DNS:somebody.example.org")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with HostileServer(GOOD, tls=context, lists_models=False) as server:
        fails(server.url, "server-certificate")
        assert all(visit.asked.method == "" for visit in server.visits), "something was sent"


def test_ones_own_certificate_is_trusted_if_one_says_so(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, context = certificates("IP:127.0.0.1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    scripts = (answering(json_answer({"data": [{"id": "seer"}]})), GOOD)
    with HostileServer(*scripts, tls=context, lists_models=False) as server:
        assert ask(server.url).text == "the kidney"
        assert server.all_closed()


def test_certificates_that_are_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with HostileServer(GOOD) as server:
        error = fails(server.url, "server-certificate")
        assert "REQUESTS_CA_BUNDLE" in error.user_message
        assert server.visits == []


def test_a_server_without_tls_is_not_spoken_to_as_if_it_had() -> None:
    def read_a_little(visit: Visit) -> None:
        hello.append(visit.connection.recv(4096))
        visit.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    hello: list[bytes] = []
    with HostileServer(read_a_little, lists_models=False) as server:
        fails(server.url.replace("http:", "https:"), "server-tls")
    assert len(hello) == 1, "it was tried again"
    assert KEY.encode() not in hello[0]


def test_a_server_with_tls_is_not_understood_without(certificates: Certificates) -> None:
    with HostileServer(GOOD, tls=certificates("IP:127.0.0.1")[1], lists_models=False) as server:
        fails(server.url.replace("https:", "http:"), "server-http", "server-cut-off")


# --- proxies and redirects --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway"])
def test_a_proxy_that_lets_nobody_through(status: str, monkeypatch: pytest.MonkeyPatch, named: None) -> None:
    def refuse(visit: Visit) -> None:
        visit.read_head()
        visit.send(f"HTTP/1.1 {status}\r\n\r\n".encode())

    with HostileServer(refuse, lists_models=False) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:mine@127.0.0.1:{proxy.port}")
        error = fails(f"https://{REMOTE}/v1", "server-proxy")
        assert "mine" not in str(error)
        assert {visit.asked.method for visit in proxy.visits} == {"CONNECT"}
        assert all("authorization" not in visit.asked.headers for visit in proxy.visits), "the proxy was given the key"


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch, named: None, free_port: int) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port}")
    fails(f"https://{REMOTE}/v1", "server-proxy")


def test_a_proxy_of_a_kind_that_is_not_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    fails(f"https://{REMOTE}/v1", "server-proxy")


def test_a_proxy_takes_what_goes_to_another_computer(monkeypatch: pytest.MonkeyPatch, named: None) -> None:
    scripts = (answering(json_answer({"data": [{"id": "seer"}]})), GOOD)
    with HostileServer(*scripts, lists_models=False) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert ask(client(f"http://{REMOTE}/v1", key="")).text == "the kidney"
        assert [visit.asked.path for visit in proxy.visits] == [
            f"http://{REMOTE}/v1/models",
            f"http://{REMOTE}/v1/chat/completions",
        ]


def test_no_proxy_stands_between_this_computer_and_itself(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port}")
    with HostileServer(GOOD) as server:
        assert ask(server.url).text == "the kidney"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with HostileServer(GOOD) as other:
        there = f"http://me:mine@127.0.0.1:{other.port}/v1/chat/completions?token=mine"
        # more of a body than anyone would read
        moved = answering(head(f"{status} Moved", Location=there), then=lambda visit: visit.repeat(b"x" * 65536))
        with HostileServer(moved) as server:
            error = fails(server.url, "server-redirect")
            assert f"to 127.0.0.1:{other.port};" in error.user_message
            assert "mine" not in str(error)
            assert server.all_closed()
        assert other.visits == []


@pytest.mark.parametrize("location", ["", "/elsewhere", "http://[::1", "//\u202eevil/", "x" * 9999])
def test_a_redirect_to_nowhere_is_one_too(location: str) -> None:
    with HostileServer(answering(head("302 Found", Location=location.encode().decode("latin-1")))) as server:
        assert fails(server.url, "server-redirect").user_message.startswith("127.0.0.1:")


def test_the_list_of_models_is_no_way_round(free_port: int) -> None:
    moved = answering(head("307 Temporary Redirect", Location=f"https://{REMOTE}/"))
    with HostileServer(moved, lists_models=False) as server:
        assert REMOTE in fails(server.url, "server-redirect").user_message
        assert server.posts == []


# --- what is tried again ----------------------------------------------------------------------------------------------


def busy(status: str, after: str) -> Script:
    return answering(json_answer({"error": {"message": "busy"}}, status, Retry_After=after))


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
@pytest.mark.parametrize("after", ["0", "date"])
def test_a_busy_server_is_asked_again_when_it_says_so(status: str, after: str) -> None:
    refusal = busy(status, formatdate(usegmt=True) if after == "date" else after)
    with HostileServer(refusal, refusal, GOOD) as server:
        said: list[str] = []
        assert ask(server.url, on_status=said.append).text == "the kidney"
        assert len(server.posts) == 3
        assert said[0].startswith("Waiting")
        assert len(said) == 3


def test_it_is_not_asked_for_ever() -> None:
    with HostileServer(busy("429 Too Many Requests", "0")) as server:
        assert fails(server.url, "server-busy").retryable
        assert len(server.posts) == asking.TRIES


@pytest.mark.parametrize("after", ["31", "86400", "-1", "soon", "", "Thu, 99 Foo 2099 00:00:00 GMT", "1e9", "9" * 99])
def test_it_is_not_waited_for_beyond_the_deadline_or_for_nonsense(after: str) -> None:
    with HostileServer(busy("503 Service Unavailable", after)) as server:
        fails(server.url, "server-busy")
        assert len(server.posts) == 1


# --- a cancel ---------------------------------------------------------------------------------------------------------


def cancelled(url: str, when: threading.Event, then: Callable[[], None] = lambda: None) -> None:
    """The call is cancelled from another thread at a moment, and ends."""
    cancel = CancelToken()

    def stop() -> None:
        assert when.wait(PATIENCE)
        cancel.cancel()
        then()

    other = threading.Thread(target=stop, daemon=True)
    other.start()
    model = client(url)
    with pytest.raises(Cancelled):
        watched(lambda: model.complete([PROMPT] * 6, cancel=cancel))
    other.join(PATIENCE)


@pytest.mark.parametrize("where", ["before-the-head", "after-the-head", "in-the-middle", "in-a-chunk", "in-an-error"])
def test_a_cancel_closes_the_connection(where: str) -> None:
    sent = {
        "before-the-head": b"",
        "after-the-head": head(),
        "in-the-middle": head() + event(chunk("the ")),
        "in-a-chunk": head(Transfer_Encoding="chunked") + b"ff\r\ndata: ",
        "in-an-error": head("500 Internal Server Error", Content_Length="9"),
    }[where]
    reached = threading.Event()

    def script(visit: Visit) -> None:
        visit.read()
        visit.send(sent)
        reached.set()
        visit.wait_until_closed()
        visit.closed.set()

    with HostileServer(script) as server:
        cancelled(server.url, reached)
        assert server.all_closed()
        assert len(server.posts) <= 4


def test_a_cancel_while_the_models_are_asked_for() -> None:
    reached = threading.Event()

    def script(visit: Visit) -> None:
        visit.read()
        reached.set()
        visit.wait_until_closed()

    with HostileServer(script, lists_models=False) as server:
        cancelled(server.url, reached)
        assert server.all_closed()
        assert server.posts == []


def test_a_cancel_while_it_waits_to_try_again() -> None:
    reached = threading.Event()

    def script(visit: Visit) -> None:
        busy("429 Too Many Requests", "25")(visit)
        reached.set()

    with HostileServer(script) as server:
        cancelled(server.url, reached)
        assert server.all_closed()


def test_a_cancel_in_a_handshake() -> None:
    reached = threading.Event()

    def script(visit: Visit) -> None:
        visit.connection.recv(1)
        reached.set()
        visit.wait_until_closed()
        visit.closed.set()

    with HostileServer(script, lists_models=False) as server:
        cancelled(server.url.replace("http:", "https:"), reached)
        assert server.all_closed()


def test_a_cancel_while_a_name_is_looked_up_lets_nothing_go_later(monkeypatch: pytest.MonkeyPatch) -> None:
    reached, released, found = threading.Event(), threading.Event(), threading.Event()

    with HostileServer(GOOD, lists_models=False) as server:

        def look_up(*arguments: object) -> list[object]:
            reached.set()
            released.wait(PATIENCE)
            found.set()
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port))]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        cancelled(server.url, reached)
        released.set()  # only now, long after the call has ended, the name is found
        assert found.wait(PATIENCE)
        for thread in threading.enumerate():
            if thread.name == "seer-server":
                thread.join(PATIENCE)
        assert server.visits == []


def test_a_cancel_while_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    reached, connect = threading.Event(), socket.socket.connect
    with socket.socket() as full:  # its queue is full: who connects gets no answer
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())

        def connecting(self: socket.socket, where: tuple[str, int]) -> None:
            reached.set()
            connect(self, where)

        monkeypatch.setattr(socket.socket, "connect", connecting)
        cancelled(f"http://127.0.0.1:{full.getsockname()[1]}/v1", reached)
        for one in waiting:
            one.close()


def test_a_call_that_was_cancelled_before_asks_nothing() -> None:
    cancel = CancelToken()
    cancel.cancel()
    with HostileServer(GOOD) as server:
        with pytest.raises(Cancelled):
            ask(server.url, cancel=cancel)
        assert server.visits == []


def test_the_next_call_after_a_cancel_is_as_any_other() -> None:
    reached = threading.Event()

    def stalls(visit: Visit) -> None:
        visit.read()
        reached.set()
        visit.wait_until_closed()

    with HostileServer(stalls, GOOD) as server:
        model, cancel = client(server.url), CancelToken()
        threading.Thread(target=lambda: reached.wait(PATIENCE) and cancel.cancel(), daemon=True).start()
        with pytest.raises(Cancelled):
            ask(model, cancel=cancel)
        assert ask(model).text == "the kidney"
