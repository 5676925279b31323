"""What the screen finds, and what stands in its place once it is masked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["KINDS", "Identifier", "Span", "joined", "replaced"]

#: Every kind of identifier, and how a masked text names it: in words, so that the sentence still reads.
KINDS = MappingProxyType(
    {
        "name": "[name]",
        "record-number": "[record number]",
        "accession": "[accession number]",
        "date": "[date]",
        "birth-date": "[birth date]",
        "phone": "[phone]",
        "email": "[email]",
        "uid": "[UID]",
        "link": "[link]",
        "file": "[file]",
        "address": "[address]",
        "location": "[location]",
        "national-id": "[national ID]",
        "serial-number": "[serial number]",
    }
)


@dataclass(frozen=True)
class Identifier:
    """A part of a text that may tell who the patient, or somebody who cares for them, is.

    Attributes
    ----------
    kind : str
        A key of :data:`KINDS`.
    start, end : int
        Its place in the text, in characters: ``text[start:end]``.
    text : str
        What stands there. It is left out of the repr, which may end in a log or a traceback.
    """

    kind: str
    start: int
    end: int
    text: str = field(repr=False)


class Span(NamedTuple):
    """A find of one rule: characters ``start`` to ``end``, and of which kind."""

    start: int
    end: int
    kind: str


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in order of place, with those that overlap made one, so that no character of any is left out.

    The kind is that of the one that comes first in ``spans``: the surest rules go first.
    """
    result: list[Span] = []
    best = 0
    for rank, span in sorted(enumerate(spans), key=lambda ranked: (ranked[1].start, ranked[0])):
        if not result or span.start >= result[-1].end:
            result.append(span)
            best = rank
            continue
        last = result[-1]
        result[-1] = Span(last.start, max(last.end, span.end), span.kind if rank < best else last.kind)
        best = min(best, rank)
    return result


def replaced(text: str, found: Sequence[Identifier]) -> str:
    """A text with the name of its kind in the place of each identifier."""
    parts: list[str] = []
    at = 0
    for one in sorted(found, key=lambda one: one.start):
        start = max(one.start, at)
        if one.end <= start:
            continue
        parts += text[at:start], KINDS[one.kind]
        at = one.end
    parts.append(text[at:])
    return "".join(parts)
