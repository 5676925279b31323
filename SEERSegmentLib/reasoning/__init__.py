"""Reading a request: what the user typed → a Reasoning, or an Abstention with a question back."""

from __future__ import annotations

from .reply import parse_reply, partial_reply
from .request import MAX_REPORT_BYTES, MAX_REQUEST_BYTES, clean_request
from .rows import RequestRow, answer_row, read_rows

__all__ = [
    "MAX_REPORT_BYTES",
    "MAX_REQUEST_BYTES",
    "RequestRow",
    "answer_row",
    "clean_request",
    "parse_reply",
    "partial_reply",
    "read_rows",
]
