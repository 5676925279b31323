"""Reading a request: what the user typed → a Reasoning, or an Abstention with a question back."""

from __future__ import annotations

from .request import MAX_REQUEST_BYTES, clean_request

__all__ = ["MAX_REQUEST_BYTES", "clean_request"]
