"""Fetching a model from the hub: only when it is allowed, only at the pinned commit, only weights and texts.

The hub is a server on loopback that speaks as much of its interface as its own client needs.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("huggingface_hub", reason="needs the extra model-test")

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    name: name.encode()
    for name in (
        "README.md",
        "config.json",
        "merges.txt",
        "chat_template.jinja",
        "model.safetensors",
        "pytorch_model.bin",
        "training_args.bin",
        "modeling_mine.py",
        "v1.1/adapter_config.json",
        "v1.1/adapter_model.safetensors",
        "v1.1/optimizer.pt",
    )
}
ASK = """
import json, sys
from SEERSegmentLib.errors import SeerError
from SEERSegmentLib.reasoning.qwen.hub import find
try:
    folder = find(sys.argv[1], sys.argv[2], download=sys.argv[3] == "yes").folder
    print(json.dumps(sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())))
except SeerError as error:
    print(json.dumps([error.code, error.retryable]))
"""


@pytest.fixture
def hub() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Its address, and what was asked of it: (method, path)."""
    asked: list[tuple[str, str]] = []

    class Hub(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            asked.append((self.command, self.path))
            name = self.path.partition(f"/resolve/{COMMIT}/")[2]
            if self.path.startswith(f"/api/models/org/name/revision/{COMMIT}"):
                files = [{"rfilename": one} for one in FILES]
                self.reply(json.dumps({"id": "org/name", "sha": COMMIT, "siblings": files}).encode())
            elif self.path.startswith(f"/api/models/org/name/tree/{COMMIT}"):
                tree = [{"type": "file", "path": n, "size": len(c), "oid": "0" * 40} for n, c in FILES.items()]
                self.reply(json.dumps(tree).encode())
            elif name in FILES:
                self.reply(FILES[name])
            else:
                self.send_error(404)

        def reply(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def ask(cache: Path, address: str, name: str, commit: str, download: str, **environment: str) -> list[str]:
    """In a process of its own: the hub's client reads its environment when it is imported."""
    settings = {"HF_ENDPOINT": address, "HF_HUB_CACHE": str(cache), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-c", ASK, name, commit, download],
        env={**os.environ, **settings, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_nothing_is_asked_of_the_hub_unless_allowed(tmp_path: Path, hub: tuple[str, list[tuple[str, str]]]) -> None:
    assert ask(tmp_path, hub[0], "org/name", COMMIT, "no") == ["model-missing", False]
    assert ask(tmp_path, hub[0], "org/name", "main", "yes") == ["model-unpinned", False]
    assert hub[1] == []


def test_weights_and_texts_are_fetched_and_nothing_else(tmp_path: Path, hub: tuple[str, list[tuple[str, str]]]) -> None:
    wanted = sorted(name for name in FILES if name.endswith((".safetensors", ".json", ".txt", ".jinja")))
    assert ask(tmp_path, hub[0], "org/name", COMMIT, "yes") == wanted
    assert all(COMMIT in path for _, path in hub[1])
    fetched = {path.partition(f"/resolve/{COMMIT}/")[2] for _, path in hub[1] if "/resolve/" in path}
    assert sorted(fetched) == wanted
    hub[1].clear()
    assert ask(tmp_path, hub[0], "org/name", COMMIT, "no") == wanted
    assert hub[1] == []


def test_of_a_folder_within_the_repository_only_that(tmp_path: Path, hub: tuple[str, list[tuple[str, str]]]) -> None:
    found = ask(tmp_path, hub[0], "org/name/v1.1", COMMIT, "yes")
    assert found == ["adapter_config.json", "adapter_model.safetensors"]
    assert all("/v1.1/" in path for _, path in hub[1] if "/resolve/" in path)


def test_offline_stays_offline(tmp_path: Path, hub: tuple[str, list[tuple[str, str]]]) -> None:
    code, _ = ask(tmp_path, hub[0], "org/name", COMMIT, "yes", HF_HUB_OFFLINE="1")
    assert code == "model-download"
    assert hub[1] == []


def test_a_hub_that_does_not_have_it(tmp_path: Path, hub: tuple[str, list[tuple[str, str]]]) -> None:
    assert ask(tmp_path, hub[0], "org/other", COMMIT, "yes") == ["model-download", True]
