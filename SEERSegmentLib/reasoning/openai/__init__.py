"""Any OpenAI-compatible multimodal server as a vision-language model: vLLM, SGLang, llama.cpp, Ollama, a vendor's.

    server = OpenAIServer("http://127.0.0.1:8000/v1", "seer")
    (reply,) = server.complete([prompt], cancel=CancelToken())

    address.py, keys.py     where it may be, and what key goes there
    background.py, line.py  threads that wait for the network, so that the caller's never does; the socket of each
    transport.py            one HTTP exchange, bounded in size and time, that any thread can end
    sse.py, reply.py        bytes → events → a reply that is whole
    payload.py              a prompt → the JSON that is sent
    capabilities.py         what the server has, asked once
    asking.py               one question: what is tried again, and when
    faults.py, words.py     every error, and what of a server's own words is shown

Nothing here imports requests until something is asked.
"""

from __future__ import annotations

from .server import OpenAIServer

__all__ = ["OpenAIServer"]
