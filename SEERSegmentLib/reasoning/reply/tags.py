"""The structure of a reply: three sections, once each, in order, closed, side by side. Nothing else is a reply.

White space within a tag and the case of its name don't matter, nor does what stands around the sections. Everything
else does: an attribute, a second tag of the same name in a draft, a tag that only looks like one. A model can be asked
again; a guess at what it meant would be executed.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from ...errors import ReplyError
from .shown import is_hidden, loggable

__all__ = ["CODES", "MAX_REPLY", "NAMES", "Sections", "Tag", "broken", "find_tags", "sections_of"]

MAX_REPLY = 1_000_000
"""Longest reply read, in characters: a model's budget is some thousand; what is longer is a fault."""

_MAX_DETAIL = 8_000

NAMES = ("evidence", "rationale", "answer")

#: The start of a tag: up to its name. "<answers" and "<answer-2" are other tags.
_START = re.compile(r"<\s*(?:(/)\s*)?(evidence|rationale|answer)(?![\w.:-])", re.IGNORECASE | re.ASCII)
_END = re.compile(r"\s*(>?)", re.ASCII)
#: What takes a section out of the reply proper: a draft while thinking, a comment.
_ASIDE = re.compile(
    r"<\s*(?:(/)\s*)?(?:think|thinking|thought|thoughts|reasoning|scratchpad|draft)\s*>|<!--|-->",
    re.IGNORECASE | re.ASCII,
)
#: Characters that readers take for those of a tag: full-width and small forms.
_LOOKALIKES = {0xFE64: "<", 0xFE65: ">", **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}}

#: Code of a broken reply → what the user is told; {0} is the section.
CODES = {
    "reply-empty": "The model replied nothing.",
    "reply-too-long": f"The model's reply is longer than {MAX_REPLY:,} characters, so something went wrong.",
    "reply-tag-missing": "The model's reply lacks its {0}.",
    "reply-tag-twice": "The model's reply gives its {0} more than once, so it isn't clear which one counts.",
    "reply-tag-unclosed": "The {0} in the model's reply has no end, so it may have been cut off.",
    "reply-tag-unopened": "The {0} in the model's reply has an end but no beginning.",
    "reply-tag-order": "The parts of the model's reply do not come in the order evidence, rationale, answer.",
    "reply-tag-nested": "The {0} in the model's reply stands inside of something else.",
    "reply-tag-form": "A mark around the {0} in the model's reply is not written as it has to be.",
    "reply-tag-disguised": "The model's reply holds marks that only look like those of its parts.",
    "reply-section-blank": "The model's reply gives no {0}.",
    "reply-answer-markup": "The answer in the model's reply holds marks of its own, so it is not just a name.",
}


class Tag(NamedTuple):
    """One tag, or what begins as one.

    ``whole`` is False where something else than one ``>`` follows the name, or more than one ``<`` stands before it.
    """

    name: str
    closes: bool
    start: int
    end: int
    whole: bool


class Sections(NamedTuple):
    """What stands between the tags, as it came."""

    evidence: str
    rationale: str
    answer: str


def broken(code: str, text: str, name: str = "") -> ReplyError:
    """The error of a broken reply; its detail is the reply itself, shortened, for the log and the provenance."""
    return ReplyError(CODES[code].format(name), code=code, detail=loggable(text[:_MAX_DETAIL]))


def find_tags(text: str) -> list[Tag]:
    """Every tag of the three names, in order."""
    tags = []
    for start in _START.finditer(text):
        end = _END.match(text, start.end())
        assert end is not None  # it matches nothing, too
        doubled = text[max(0, start.start() - 1) : start.start()] == "<" or text[end.end() : end.end() + 1] == ">"
        whole = bool(end[1]) and not doubled
        tags.append(Tag(start[2].lower(), bool(start[1]), start.start(), end.end(), whole))
    return tags


def sections_of(text: str) -> Sections:
    """The three sections of a reply.

    Raises
    ------
    ReplyError
        ``reply-empty``, ``reply-too-long``, ``reply-tag-form``, ``reply-tag-disguised``, ``reply-tag-twice``,
        ``reply-tag-unclosed``, ``reply-tag-unopened``, ``reply-tag-missing``, ``reply-tag-nested``,
        ``reply-tag-order``.
    """
    if len(text) > MAX_REPLY:
        raise broken("reply-too-long", text)
    if not text.strip():
        raise broken("reply-empty", text)
    tags = find_tags(text)
    for tag in tags:
        if not tag.whole:
            raise broken("reply-tag-form", text, tag.name)
    if _disguised(text, len(tags)):
        raise broken("reply-tag-disguised", text)
    if [(tag.name, tag.closes) for tag in tags] != [(name, closes) for name in NAMES for closes in (False, True)]:
        raise _misplaced(tags, text)
    _not_aside(tags, text)
    return Sections(
        *(text[opening.end : closing.start] for opening, closing in zip(tags[::2], tags[1::2], strict=True))
    )


def _disguised(text: str, count: int) -> bool:
    """Whether a reader would see other tags than are read: some with invisible or full-width characters in them."""
    table: dict[int, str | None] = dict(_LOOKALIKES)
    table.update({ord(character): None for character in set(text) if is_hidden(character)})
    return len(find_tags(text.translate(table))) != count


def _misplaced(tags: list[Tag], text: str) -> ReplyError:
    """What is wrong with tags that are whole but not those that a reply has."""
    opened = Counter(tag.name for tag in tags if not tag.closes)
    closed = Counter(tag.name for tag in tags if tag.closes)
    for code, names in (
        ("reply-tag-twice", [name for name in NAMES if opened[name] > 1 or closed[name] > 1]),
        ("reply-tag-unclosed", [name for name in NAMES if opened[name] > closed[name]]),
        ("reply-tag-unopened", [name for name in NAMES if opened[name] < closed[name]]),
        ("reply-tag-missing", [name for name in NAMES if not opened[name]]),
    ):
        if names:
            return broken(code, text, " and ".join(names))
    inside = ""
    for tag in tags:
        if inside and not tag.closes:
            return broken("reply-tag-nested", text, tag.name)
        inside = "" if tag.closes else tag.name
    return broken("reply-tag-order", text)


def _not_aside(tags: list[Tag], text: str) -> None:
    """Raise where a section stands within the model's thinking or a comment."""
    openings = [tag for tag in tags if not tag.closes]
    depth = at = 0
    for aside in _ASIDE.finditer(text):
        while at < len(openings) and openings[at].start < aside.start():
            if depth:
                raise broken("reply-tag-nested", text, openings[at].name)
            at += 1
        closes = bool(aside[1]) or aside[0] == "-->"
        depth = max(0, depth - 1) if closes else depth + 1
    if depth and at < len(openings):
        raise broken("reply-tag-nested", text, openings[at].name)
