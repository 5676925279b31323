"""Any OpenAI-compatible multimodal server as a vision-language model: vLLM, SGLang, llama.cpp, Ollama, a vendor's.

    server = OpenAIServer("http://127.0.0.1:8000/v1", "seer")
    (reply,) = server.complete([prompt], cancel=CancelToken())

    server.py, call.py                the model; the prompts of one call
    address.py, keys.py               where it may be, and what key goes there
    capabilities.py, discovery.py     what a server has, and how it is asked for that
    payload.py                        a prompt → the JSON that is sent
    asking.py                         one question: what is tried again, and when
    background.py, line.py            threads that wait for the network, so that the caller's never does
    connections.py, transport.py      one HTTP exchange, bounded in size and time, that any thread can end
    sse.py, reply.py                  bytes → events → a reply that is whole
    faults.py, words.py               every error, and what of a server's own words is shown

Nothing here imports requests until something is asked.
"""

from __future__ import annotations

from .server import OpenAIServer

__all__ = ["OpenAIServer"]
