"""Telephone numbers, and numbers and codes that are too long, or too oddly grouped, to be a measurement."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .identifier import Span
from .units import counts_many, has_unit, measured_before, range_before
from .words import listed

__all__ = ["find_numbers"]

_EXTENSION = r"(?:,? ?(?:x|ext\.?|extn\.?) ?\d{1,6}(?!\w))?"
_TELEPHONE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # International, with a country code.
        rf"(?<![\w+])(?:\+|00 ?(?=[1-9]\d))\d{{1,3}}(?:[ ().\-/]{{0,3}}\d{{1,5}}){{2,8}}(?!\w){_EXTENSION}",
        # National, with a leading zero and eight digits or more in groups.
        rf"(?<![\w.,+/-])\(?0\d{{0,5}}\)?(?:[ ./()-]{{1,3}}\d{{2,8}}){{1,6}}(?!\w|[.,]\d){_EXTENSION}",
        # North American.
        r"(?<![\w.,+/-])(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])\d{3}(?:[ .-]| - )\d{4}(?!\w|[.,]\d)"
        rf"{_EXTENSION}",
        # Indian mobile.
        r"(?<![\w.,+/-])[6-9]\d{4} \d{5}(?!\w|[.,]\d)",
    )
)
_LOCAL = re.compile(r"(?<![\w.,+/-])(?P<a>[2-9]\d\d)(?P<sep>[- ])(?P<b>\d{4})(?!\w|[.,/-]\d)")

_LONG = re.compile(r"(?<![\w.,])(?:\d{6,40}|0\d{4})(?![^\W_]|\.\d)")
_CODE = re.compile(r"(?<![^\W_])(?P<letters>[A-Za-z]{1,6})[-_/]?\d{5,24}[A-Za-z]{0,2}(?![^\W_])")
_DIGITS_FIRST = re.compile(
    r"(?<![^\W_])(?:(?P<digits>\d{5,24})[A-Za-z]{1,2}|\d{1,4}[A-Za-z]{1,4}\d{4,20}[A-Za-z]{0,2})(?![^\W_])"
)
_MIXED = re.compile(r"(?<![^\W_])(?=[A-Za-z0-9]{8,40}(?![^\W_]))(?:[A-Za-z]{1,6}\d{1,8}){2,5}[A-Za-z]{0,3}(?![^\W_])")
_GROUPED = re.compile(
    r"(?<![\w.,])(?P<letters>[A-Za-z]{0,5})[-_/]?(?P<numbers>\d{1,10}(?:[-/_]\d{1,10}){1,7})"
    r"(?:[-/]?[A-Za-z0-9])?(?!\w|[.,]\d)"
)
_SPREAD = re.compile(r"(?<![\w.,-])\d{2,5}(?:[ .-]\d{2,5}){2,7}(?!\w|[.,]\d)")
#: A letter, a year and a number: how pathology counts its specimens.
_PATHOLOGY = re.compile(r"[AC-Z]\d\d[-/]\d{4,8}")
#: National insurance numbers, and the Italian tax code.
_NATIONAL = (
    re.compile(r"(?<!\w)[A-CEGHJ-PR-TW-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D](?!\w)", re.IGNORECASE),
    re.compile(r"(?<!\w)[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z](?!\w)", re.IGNORECASE),
    re.compile(r"(?<![\w.,/-])\d{3}-\d\d-\d{4}(?!\w|[.,/-]\d)"),
)
#: Letters before a number that measures: b-values, levels of the spine, quantities.
_QUANTITIES = listed(
    "b bp hu te tr ti kv kvp ma mas wl ww c t l s d th x n im se img z y fps adc gbq mbq cd ca iv v r p m e g f h"
    " bw fov"
)
_YEARS = range(1850, 2101)


def find_numbers(text: str) -> Iterator[Span]:
    """Each such number in a folded text."""
    for pattern in _NATIONAL:
        yield from (Span(*match.span(), "national-id") for match in pattern.finditer(text))
    for pattern in _TELEPHONE:
        for match in pattern.finditer(text):
            if 8 <= _digits(match[0]) <= 22:
                yield Span(*match.span(), "phone")
    for match in _LOCAL.finditer(text):
        if _is_local(text, match):
            yield Span(*match.span(), "phone")
    for match in _SPREAD.finditer(text):
        if _digits(match[0]) >= 9 and not measured_before(text, match.start()) and not has_unit(text, match.end()):
            yield Span(*match.span(), "phone")
    for match in _LONG.finditer(text):
        if (len(match[0]) > 7 or not measured_before(text, match.start())) and not counts_many(text, match.end()):
            yield Span(*match.span(), "record-number")
    for match in _GROUPED.finditer(text):
        if _is_grouped(text, match):
            yield Span(*match.span(), "record-number")
    yield from (Span(*match.span(), "record-number") for match in _codes(text))


def _codes(text: str) -> Iterator[re.Match[str]]:
    """Letters and digits in one: "CT20231234", "12ab3456", "AB12CD34"."""
    for match in _CODE.finditer(text):
        letters, count = match["letters"], _digits(match[0])
        measures = letters.lower() in _QUANTITIES and (len(letters) > 2 or count < 6)
        if not measures:
            yield match
    for match in _DIGITS_FIRST.finditer(text):
        end = match.end() if match["digits"] is None else match.end("digits")
        if _digits(match[0]) > 5 and not has_unit(text, end) and not counts_many(text, end):
            yield match
    for match in _MIXED.finditer(text):
        groups = re.findall(r"\d+", match[0])
        level = all(letters.lower() in "tlcsd" for letters in re.findall(r"[A-Za-z]+", match[0]))
        if sum(map(len, groups)) >= 4 and max(map(len, groups)) > 1 and not level:
            yield match


def _is_grouped(text: str, match: re.Match[str]) -> bool:
    """Whether numbers joined by hyphens or slashes are no range, ratio, span of years, or list of segments."""
    if _PATHOLOGY.fullmatch(match[0]):
        return True
    letters, groups = match["letters"], re.findall(r"\d+", match["numbers"])
    total = sum(map(len, groups))
    if total < 6 or letters.lower() in _QUANTITIES or has_unit(text, match.end()):
        return False
    if not letters and range_before(text, match.start()):
        return False
    if len(groups) == 2 and not letters:
        return _is_pair(*groups)
    if not letters and total < 8 and max(map(len, groups)) < 3:
        return False
    return max(map(len, groups)) > 2 and (letters != "" or total > 6)


def _is_pair(one: str, other: str) -> bool:
    """Whether two numbers identify: "12-34567", "120357-1234"; not "2019-2021", "1000-1500", "100-200"."""
    if int(one) in _YEARS and int(other) in _YEARS and len(one) == len(other) == 4:
        return False
    padded = any(group.startswith("0") and len(group) > 1 for group in (one, other))
    rounded = int(one) < int(other) and int(one) % 10 == 0 and int(other) % 10 == 0
    if padded:
        return True
    return not rounded and (len(one) + len(other) > 6 or max(len(one), len(other)) > 3)


def _is_local(text: str, match: re.Match[str]) -> bool:
    one, other = int(match["a"]), int(match["b"])
    if has_unit(text, match.end()):
        return False
    if match["b"].startswith("0") or one == 555:
        return True
    if match["sep"] == " " or range_before(text, match.start()) or other in _YEARS:
        return False
    return one % 10 != 0 or other % 10 != 0


def _digits(text: str) -> int:
    return sum(c.isdigit() for c in text)
