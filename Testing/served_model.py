"""``transformers serve`` on loopback with a model of a test: a real server of the OpenAI-compatible kind.

``python -m Testing.served_model MODEL PORT`` is the server itself; :func:`served` starts it and waits until it is
ready. The stock processor of Qwen3-VL can't be made without torchvision, of which it needs nothing for pictures; here
it is put together from the same parts without its video half. Everything else is as ``transformers serve`` has it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["free_port", "served", "wait_until_ready"]

ROOT = Path(__file__).resolve().parents[1]

#: A machine under load needs its time; a server that never gets ready fails the test.
_PATIENCE_S = 180.0


@contextmanager
def served(model: Path) -> Iterator[str]:
    """The server's address (``http://127.0.0.1:PORT/v1``); it ends with the block."""
    port = free_port()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TRANSFORMERS_VERBOSITY": "error"}
    command = [sys.executable, "-m", "Testing.served_model", str(model), str(port)]
    with tempfile.TemporaryFile() as log:

        def said() -> str:
            log.seek(0)
            return log.read().decode(errors="replace")

        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_until_ready(process, port, said)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_ready(
    process: subprocess.Popen[bytes], port: int, said: Callable[[], str], patience_s: float = _PATIENCE_S
) -> None:
    """Wait for ``/health`` of a server on loopback. Raises RuntimeError with the end of what it said."""
    ends = time.monotonic() + patience_s
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while process.poll() is None and time.monotonic() < ends:
        try:
            with opener.open(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the server did not get ready: {said()[-4000:]}")


def free_port() -> int:
    """A port that nobody listens to, of this moment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _serve(model: str, port: int) -> None:
    from transformers import AutoTokenizer, Qwen3VLProcessor
    from transformers.cli.serve import Serve
    from transformers.cli.serving.model_manager import ModelManager
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
    from transformers.processing_utils import ProcessorMixin

    class PicturesOnly(Qwen3VLProcessor):  # type: ignore[misc]
        def __init__(self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None) -> None:
            for name in ("image", "video"):
                token = f"<|{name}_pad|>"
                setattr(self, f"{name}_token", token)
                setattr(self, f"{name}_token_id", tokenizer.convert_tokens_to_ids(token))
            for name in ("vision_start", "vision_end"):
                token = f"<|{name}|>"
                setattr(self, f"{name}_token", token)
                setattr(self, f"{name}_token_id", tokenizer.convert_tokens_to_ids(token))
            ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)

    def load(self: ModelManager, model_id: str, gguf_file: str | None = None) -> PicturesOnly:
        folder = model_id.rpartition("@")[0]
        tokenizer = AutoTokenizer.from_pretrained(folder)
        return PicturesOnly(
            Qwen2VLImageProcessorPil.from_pretrained(folder), tokenizer, chat_template=tokenizer.chat_template
        )

    ModelManager._load_processor = load
    Serve(force_model=model, host="127.0.0.1", port=port, device="cpu", dtype="float32")


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
