"""Dates in numbers: days, months of a year, dates of birth. Those with a month's name are in dates_named.py.

A year alone is history ("nephrectomy 2019") and stays. A fraction is no date ("segments 5/8", "power 4/5"), nor are
the British short forms of a time that has passed ("6/12", "2/52", "5/7"): two numbers with a slash are one only where
a word before them says so ("seen on 3/4"), or a leading zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .births import find_births
from .dates_named import CLOCK, YEAR, find_named_dates
from .folding import BLANK
from .identifier import Span
from .units import counted_after, measured_before

__all__ = ["find_dates"]

_SEPARATED = re.compile(
    r"(?<![\w/])(?<!\w-)(?<!\d\.)(?P<a>\d{1,4}) ?(?P<sep>[/.-]) ?(?P<b>\d{1,2}) ?(?P=sep) ?(?P<c>'?\d{1,4})"
    rf"(?!\w|[./]\d|-\d(?!\d?[./]\d)|[./-]?[^\W\d_T]){CLOCK}"
)
_ISO = re.compile(rf"(?<![\w./-]){YEAR}[-/.]?[01]\d[-/.]?[0-3]\dT[0-2]\d:?[0-5]\d[^\s{BLANK}]{{0,14}}")
_COMPACT = re.compile(
    r"(?<![^\W_])(?<!\d\.)(?:19|20)\d\d(?P<sep>[_-]?)(?:0[1-9]|1[0-2])(?P=sep)(?:0[1-9]|[12]\d|3[01])(?:[_-]?\d{4,6})?(?![^\W_])"
)
_SPACED = re.compile(rf"(?<![\w./-])(?P<a>\d{{1,2}}) (?P<b>\d{{1,2}}) {YEAR}(?!\w|[./-]\d)")
_MONTH_YEAR = re.compile(rf"(?<![\w./-])(?:0?[1-9]|1[0-2])[/.-]{YEAR}(?!\w|[./-]\d)")
_YEAR_MONTH = re.compile(rf"(?<![\w./-]){YEAR}[/.-](?:0[1-9]|1[0-2])(?!\w|[./-]\d)")
_HAN_NUMBER = "一二三四五六七八九十"
_EAST_ASIAN = re.compile(
    r"(?:(?:明治|大正|昭和|平成|令和|民国|民國)?\d{1,4}|[零〇一二三四五六七八九]{4})\s?[年년]"
    rf"\s?(?:\d{{1,2}}|[{_HAN_NUMBER}]{{1,3}})\s?[月월](?:\s?(?:\d{{1,2}}|[{_HAN_NUMBER}廿]{{1,3}})\s?[日号號일])?"
    r"|(?<!\d)\d{1,2}\s?[月월]\s?\d{1,2}\s?[日号號일]"
)
#: A Japanese year of an era: S32.3.12.
_ERA = re.compile(r"(?<![^\W_])[SHR]\d{1,2}\.\d{1,2}\.\d{1,2}(?![\w./])")

_IMAGING = r"(?:scan|study|exam|examination|film|report|visit|referral|clinic|images?|ct|mri|mr|us|xr|cxr|pet)"
_WEEKDAY = r"(?:mon|tues?|wed|thurs?|thu|fri|sat|sun)(?:day|nesday|rsday|urday|sday)?,?(?: the)?"
_DAY_MONTH = re.compile(
    rf"(?<!\w)(?:{_WEEKDAY}|on(?: the)?|dated|dd|date[ds]?:?|seen|scanned|imaged|admitted|discharged|booked(?: for)?"
    rf"|appointment|appt|due|{_IMAGING} (?:of|on|from|dated|done|dd)|vom|am|zum|d\.d\.|le|du|el|del día|il|em|op|den"
    r"|от) (?P<date>(?P<a>\d{1,2})[/.-](?P<b>\d{1,2})\.?)(?!\w|[./%-]?\d)",
    re.IGNORECASE,
)
_WEEKDAY_AND_DAY = re.compile(rf"(?<!\w){_WEEKDAY} (?P<date>[0-3]?\d(?:st|nd|rd|th))(?!\w)", re.IGNORECASE)
_PADDED = re.compile(r"(?<![\w./:-])(?P<date>(?P<a>0\d|[0-3]\d(?=/0))/(?P<b>[0-3]\d))(?!\w|[./%-]?\d)")
#: The greater number first is no fraction; sevenths, twelfths and fifty-seconds are days, months and weeks.
_DAY_FIRST = re.compile(r"(?<![\w./:-])(?P<date>(?P<a>1[3-9]|2\d|3[01])/(?P<b>[1-689]|1[01]))(?!\w|[./%-]?\d)")
_AFTER_IMAGE = re.compile(
    rf"(?<!\w)(?:{_IMAGING}|x-?ray|bloods|op|surgery) (?P<date>(?P<a>[0-3]\d)/(?P<b>[01]\d))(?!\w|[./%-]?\d)",
    re.IGNORECASE,
)
#: Words whose numbers run on: "ribs 8/9/10" is no ninth of August.
_RUN_BEFORE = re.compile(
    r"(?<![^\W_])(?:ribs?|segments?|segs?|levels?|series|images?|slices?|nodes?|stations?|vertebrae?|rippen?|segmente?|lobes?|phases?"
    r"|version|slicer|v|grade|gleason|frames?|numbers?|nos?|sections?|c|t|l|d|th|s|b|seg\.|côtes?|costillas?|coste|zones?"
    r"|views?|bp) ?(?:and |, ?)?$",
    re.IGNORECASE,
)
_CENTURIES = ("18", "19", "20", "21")


def find_dates(text: str) -> Iterator[Span]:
    """Each date in a folded text, those of birth first."""
    yield from find_births(text)
    for match in _SEPARATED.finditer(text):
        if _is_date(match["a"], match["b"], match["c"].removeprefix("'"), match["sep"]) and not _is_run(text, match):
            yield Span(*match.span(), "date")
    for pattern in (_ISO, _COMPACT, _EAST_ASIAN, _ERA):
        yield from (Span(*match.span(), "date") for match in pattern.finditer(text))
    for match in _SPACED.finditer(text):
        if _day_and_month(int(match["a"]), int(match["b"])):
            yield Span(*match.span(), "date")
    for pattern in (_MONTH_YEAR, _YEAR_MONTH):
        for match in pattern.finditer(text):
            if not measured_before(text, match.start()):
                yield Span(*match.span(), "date")
    yield from _without_year(text)
    yield from (Span(*match.span("date"), "date") for match in _WEEKDAY_AND_DAY.finditer(text))
    yield from find_named_dates(text)


def _without_year(text: str) -> Iterator[Span]:
    for pattern in (_DAY_MONTH, _AFTER_IMAGE, _PADDED, _DAY_FIRST):
        for match in pattern.finditer(text):
            run = pattern in (_PADDED, _DAY_FIRST) and (measured_before(text, match.start()) or _is_run(text, match))
            if _day_and_month(int(match["a"]), int(match["b"])) and not counted_after(text, match.end()) and not run:
                yield Span(*match.span("date"), "date")


def _is_date(a: str, b: str, c: str, separator: str) -> bool:
    """Whether three numbers are day, month and year in one of the orders that people use."""
    if len(a) == 4:
        return a[:2] in _CENTURIES and len(c) <= 2 and _day_and_month(int(c), int(b))
    if len(a) <= 2 and len(c) in (2, 4) and _day_and_month(int(a), int(b)):
        return len(c) == 2 or c[:2] in _CENTURIES
    year_first = len(a) == len(b) == len(c) == 2
    return year_first and separator != "." and _day_and_month(int(c), int(b))


def _day_and_month(one: int, other: int) -> bool:
    return (1 <= one <= 31 and 1 <= other <= 12) or (1 <= other <= 31 and 1 <= one <= 12)


def _is_run(text: str, match: re.Match[str]) -> bool:
    """Whether they are numbers of ribs, segments or a version; none has a year of four digits."""
    if re.search(r"\d{4}", match[0]):
        return False
    return _RUN_BEFORE.search(text[max(0, match.start() - 24) : match.start()]) is not None
