"""vLLM itself, on the processor, with the tiny model and its adapter by name; for ``make test-vllm`` alone."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from Testing.served_model import free_port, wait_until_ready
from Testing.tiny_qwen import tiny_adapter, tiny_qwen

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-vllm" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
KEY = "tiny-key-of-a-test"
_PATIENCE_S = 600.0


@pytest.fixture(scope="session")
def vllm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server's address; its models are ``tiny`` and the adapter ``seer``, and it asks for :data:`KEY`."""
    assert PYTHON.is_file(), "make test-vllm makes the environment: python Utilities/vllm_environment.py"
    port = free_port()
    command = [str(PYTHON), "-m", "vllm.entrypoints.openai.api_server", "--model", str(tiny_qwen(32))]
    command += ["--served-model-name", "tiny", "--enable-lora", "--lora-modules", f"seer={tiny_adapter(32)}"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--api-key", KEY, "--dtype", "float32"]
    command += ["--max-model-len", "8192", "--limit-mm-per-prompt", '{"image": 64, "video": 0}', "--enforce-eager"]
    command += ["--max-num-seqs", "8"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1"}
    log = tmp_path_factory.mktemp("vllm") / "log.txt"
    with log.open("wb") as sink:
        process = subprocess.Popen(command, env=environment, stdout=sink, stderr=sink, start_new_session=True)
        try:
            wait_until_ready(process, port, lambda: log.read_text(errors="replace"), _PATIENCE_S)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            with suppress(ProcessLookupError):  # it never got ready
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
