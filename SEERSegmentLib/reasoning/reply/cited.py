"""Which pictures an observation cites: "(image 3)", "views 2-4", "axial 57", "slice 57", "z=57", "coronal MIP"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ...values import Evidence, Finding, Plane, Severity, View
from .shown import items_of

__all__ = ["evidence_of"]

_LIST = r"\d{1,4}(?:\s{0,3}(?:-|–|to|through|,\s?and|,|and|&)\s{0,3}\d{1,4}){0,30}"
#: By the picture's number in the prompt, or by the plane and index of its slice; a number with a unit is a size.
_CITATION = re.compile(
    r"\b(?:(?P<number>images?|imgs?|views?|pictures?|figures?|figs?)\b\.?"
    r"|(?:(?P<plane>axial|coronal|sagittal)\s)?(?P<slice>slices?)\b"
    r"|(?P<own>axial|coronal|sagittal)(?=\s#?\d)|z(?P<z>)(?=\s?=\s?\d))"
    rf"\s{{0,3}}[#=]?\s{{0,3}}(?P<list>{_LIST})(?!\d|\s?(?:mm|cm|ml|hu|%|x\b|×)|[.,]\d)",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(\d+)(?:\s*(?:-|–|to|through)\s*(\d+))?", re.IGNORECASE)
_MAX_NAMED = 5


def evidence_of(section: str, views: Sequence[View]) -> tuple[tuple[Evidence, ...], tuple[Finding, ...]]:
    """The observations of a section, each with the views that it cites, and a finding on pictures that don't exist.

    Without views nothing is looked up and nothing found.
    """
    evidence, unknown = [], dict[str, None]()
    for text in items_of(section):
        cited, missing = _cited(text, views) if views else ((), ())
        evidence.append(Evidence("seen", text, source=", ".join(cited)))
        unknown.update(dict.fromkeys(missing))
    return tuple(evidence), (_finding(list(unknown)),) if unknown else ()


def _finding(unknown: list[str]) -> Finding:
    more = " and others" if len(unknown) > _MAX_NAMED else ""
    return Finding(
        "evidence-cites-no-view",
        Severity.WARNING,
        f"The evidence cites {', '.join(unknown[:_MAX_NAMED])}{more}, which the model was not shown.",
        advice="Check the evidence against the image.",
    )


def _cited(text: str, views: Sequence[View]) -> tuple[list[str], list[str]]:
    """Names of the views that a text cites, in their order of mention, and what it cites that isn't there."""
    names, missing = dict[str, None](), list[str]()
    for citation in _CITATION.finditer(text):
        for first, last in _ranges(citation["list"]):
            found = _matching(citation, first, last, views)
            if found:
                names.update(dict.fromkeys(view.name for view in found))
            else:
                missing.append(_as_cited(citation, first, last))
    said = text.casefold()
    names.update({view.name: None for view in views if view.slice_index is None and view.name.casefold() in said})
    return list(names), missing


def _ranges(numbers: str) -> Iterator[tuple[int, int]]:
    for part in _RANGE.finditer(numbers):
        first = int(part[1])
        yield first, max(first, int(part[2] or first))


def _matching(citation: re.Match[str], first: int, last: int, views: Sequence[View]) -> list[View]:
    if citation["number"]:
        return list(views[first - 1 : last]) if first >= 1 and last <= len(views) else []
    plane = citation["plane"] or citation["own"]
    planes = {Plane(plane.lower())} if plane else {Plane.AXIAL}
    return [
        view
        for view in views
        if view.plane in planes and view.slice_index is not None and first <= view.slice_index <= last
    ]


def _as_cited(citation: re.Match[str], first: int, last: int) -> str:
    words = citation[0][: citation.start("list") - citation.start()].strip(" #=.").lower()
    return f"{words} {first}" + (f"-{last}" if last > first else "")
