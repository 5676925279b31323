"""Dates with the name of a month, in the languages that requests come in (months.csv), in figures or spoken.

The names are looked up word by word; what stands before and after one is then read from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .identifier import Span
from .units import has_length
from .words import listed, read_table

__all__ = ["CLOCK", "MONTH", "NUMBER_WORD", "YEAR", "find_named_dates"]

YEAR = r"(?:1[89]|20|21)\d\d"
#: A time of day that follows a date, or nothing.
CLOCK = (
    r"(?:,? ?(?:at|um|à|@|T|-)? ?[012]?\d[:.h][0-5]\d(?:[:.][0-5]\d(?:\.\d{1,6})?)?"
    r" ?(?:[ap]\.?m\.?|h|uhr|hrs?)?(?:Z|[+-]\d\d:?\d\d)?(?!\w))?"
)
#: The words of a spoken number, ordinals too.
NUMBER_WORD = (
    r"(?:oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    r"|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|first|second|third|fourth"
    r"|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth"
    r"|eighteenth|nineteenth|twentieth|thirtieth)(?![^\W\d_])"
)
_NEEDS = {row["word"]: row["needs"] for row in read_table("months.csv")}
_NAMES = "|".join(re.escape(word) for word in sorted(_NEEDS, key=len, reverse=True))
#: The name of a month.
MONTH = rf"(?<![^\W\d_])(?:{_NAMES})(?![^\W\d_])"

_WORD = re.compile(r"[^\W\d_]{3,12}")
_LINK = r"(?:[ ./,-]{1,3}| ?(?:of|de|di|d') ?){0,2}"
_DAY_SIGN = r"(?: ?(?:st|nd|rd|th|er|re|º|ª|°|\.|,|e|o|a|de|ème)(?![^\W\d_])\.?)?"
_SPOKEN_YEAR = rf"(?:nineteen|twenty|two thousand)(?: (?:and )?{NUMBER_WORD}){{0,3}}(?:[ -]{NUMBER_WORD})?"
_FULL_YEAR = rf"(?P<year>{YEAR}|'\d\d|{_SPOKEN_YEAR})(?!\w)(?!\.\d)"
_SHORT_YEAR = r"(?:(?<=[-/. ])|(?<=[^\W\d_]))\d\d(?!\w|[./,]\d)(?! ?(?:mm|cm|ml|years?|yo|slices?|images?))"

# Before the name: a day, a spoken day, a year.
_DAY_BEFORE = re.compile(
    rf"(?<![\w/])(?<!\d[.,-])(?:\d{{1,2}}\.? ?[-/&+] ?)?(?P<day>\d{{1,2}}){_DAY_SIGN}{_LINK}\Z", re.IGNORECASE
)
_SPOKEN_BEFORE = re.compile(rf"(?<!\w)(?:the )?{NUMBER_WORD}(?:[ -]{NUMBER_WORD})?(?: of)? \Z", re.IGNORECASE)
_YEAR_BEFORE = re.compile(rf"(?<![\w./-]){YEAR}[ ./,-]{{1,2}}\Z")
# After it.
_YEAR_AFTER_DAY = re.compile(rf"\.?{_LINK}(?:the year )?(?:{_FULL_YEAR}|{_SHORT_YEAR}){CLOCK}(?!\w)", re.IGNORECASE)
_CLOCK_AFTER = re.compile(rf"\.?{CLOCK}(?!\w)", re.IGNORECASE)
_DAY_AFTER = re.compile(
    rf"\.?{_LINK}(?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\w|[./]\d)"
    rf"(?:[ ,/-]{{0,2}}{_FULL_YEAR}|[ ,/-]{{1,2}}'?\d\d(?!\w|[./]\d))?{CLOCK}(?!\w)",
    re.IGNORECASE,
)
_SPOKEN_AFTER = re.compile(rf" (?:the )?{NUMBER_WORD}(?:[ -]{NUMBER_WORD})?(?:,? {_FULL_YEAR})?(?!\w)", re.IGNORECASE)
_YEAR_AFTER = re.compile(rf"\.?{_LINK}{_FULL_YEAR}", re.IGNORECASE)
_SHORT_AFTER = re.compile(r"\.?(?:[-/.' ]{1,2}'\d\d|[-/]\d\d|[ ][3-9][2-9])(?!\w|[./]\d)")
_FARTHEST_BEFORE = 48

#: Months that are something else in capitals: an operation, artefact reduction, an optical scan.
_ACRONYMS = frozenset(("APR", "MAR", "OCT", "DEC"))
_TIME_BEFORE = listed("in since of from dated ct mri scan till until")


def find_named_dates(text: str) -> Iterator[Span]:
    """Each such date in a folded text."""
    for word in _WORD.finditer(text):
        if (needs := _NEEDS.get(word[0].lower())) is not None and (span := _date(text, word, needs)) is not None:
            yield span


def _date(text: str, word: re.Match[str], needs: str) -> Span | None:
    """The date that the name of a month is part of; None where the word is something else, or stands alone."""
    start, end = word.span()
    far = max(0, start - _FARTHEST_BEFORE)
    day = _DAY_BEFORE.search(text, far, start)
    if day is not None and _is_day(day["day"]):
        after = _YEAR_AFTER_DAY.match(text, end)
        if after is not None or _fits(text, word, needs, end, day=True):
            last = after or _CLOCK_AFTER.match(text, end)
            return Span(day.start(), end if last is None else last.end(), "date")
    spoken = _SPOKEN_BEFORE.search(text, far, start)
    if spoken is not None and _fits(text, word, needs, end, day=True):
        after = _YEAR_AFTER_DAY.match(text, end)
        return Span(spoken.start(), end if after is None else after.end(), "date")
    before = _YEAR_BEFORE.search(text, far, start)
    for pattern in (_DAY_AFTER, _SPOKEN_AFTER, _YEAR_AFTER, _SHORT_AFTER):
        after = pattern.match(text, end)
        if after is None or (pattern is _DAY_AFTER and not _is_day(after["day"])):
            continue
        sure = pattern is _DAY_AFTER and (after["year"] or before)
        if sure or _fits(text, word, needs, after.end(), day=pattern in (_DAY_AFTER, _SPOKEN_AFTER)):
            return Span(start if before is None else before.start(), after.end(), "date")
    if before is not None and _fits(text, word, needs, end, day=False):
        return Span(before.start(), end, "date")  # "2021 March"
    return None


def _fits(text: str, word: re.Match[str], needs: str, end: int, *, day: bool) -> bool:
    """Whether the month's word is one here: "may" is a verb, "MAR" artefact reduction, "APR" an operation."""
    if needs == "full" or (needs == "capital" and word[0] != "May"):
        return False
    if not day and word[0] in _ACRONYMS:
        before = text[max(0, word.start() - 10) : word.start()].lower().split()
        return before[-1:] != [] and before[-1] in _TIME_BEFORE
    return not has_length(text, end)


def _is_day(figures: str) -> bool:
    return 1 <= int(figures) <= 31
