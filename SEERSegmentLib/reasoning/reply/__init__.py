"""Reading a reply of evidence, rationale and answer in tags: usable, abstaining, or malformed.

    parse_reply(text)    -> Reasoning | Abstention; raises ReplyError where the structure is broken
    partial_reply(text)  -> Reasoning without an answer, of a reply that is still being written: to show, never to run

The stages, each in its own module, all linear in the length of the reply:

    text ──► sections ──► lines, citations ──► answer ──► contradictions ──► Reasoning │ Abstention
             tags.py      shown.py, cited.py   named.py   agreement.py      parse.py

docs/replies.md has the protocol, what is read leniently and what is not, and the codes.
"""

from __future__ import annotations

from .parse import parse_reply, partial_reply
from .tags import MAX_REPLY

__all__ = ["MAX_REPLY", "parse_reply", "partial_reply"]
