"""Dates and years of birth: here a year alone is enough, and the date may be written or spoken in any way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .dates_named import MONTH, NUMBER_WORD
from .identifier import Span

__all__ = ["find_births"]

_LABELS = (
    r"d[./]? ?o[./]? ?b\.?|date of birth|birth ?dates?|birth ?days?|b-?day|bdate|born(?: on(?: the)?| in)?"
    r"|y\.? ?o\.? ?b\.?|year of birth|birth year|geb\.?(?: ?am| ?dat\.?| ?datum)?|geboren(?: am)?|geburtsdatum"
    r"|geburtstag|geburtsjahr|jahrgang|jg\.?|née? le|née? en|date de naissance|ddn|dn|nacid[oa](?: el| en)?"
    r"|fecha de nac(?:imiento|\.)?|f\.? ?nac\.?|fdn|nat[oa](?: il| nel)?|data di nascita|nascid[oa](?: a| em)?"
    r"|data de nascimento|d\.? ?n\.?|geboortedatum|gebdat\.?|född|født|fødselsdato|syntynyt|urodzon[ya]|ur\."
    r"|data urodzenia|narozen[aý]?|született|d\.? ?tarihi|doğum tarihi|дата рождения|д\.? ?р\.?|г\.? ?р\.?"
    r"|生年月日|出生日期|出生|生日|생년월일"
)
_YEAR = r"(?:18|19|20)\d\d"
_DATE = (
    # Day, month, year in numbers; two of them; one that is a year or a date without separators.
    rf"\d{{1,4}}(?: ?[./-] ?| )\d{{1,2}}(?: ?[./-] ?| )'?\d{{2,4}}|\d{{1,2}}[./-](?:{_YEAR}|\d\d)|\d{{6}}|\d{{8}}"
    rf"|{_YEAR}|'\d\d"
    # With the month's name, the year in full, in short, or spoken.
    rf"|(?:\d{{1,2}}(?:st|nd|rd|th|\.)?[ -]?(?:of )?)?{MONTH}\.?[ -]?(?:(?:the )?\d{{1,2}}(?:st|nd|rd|th)?,?[ -])?"
    rf"(?:{_YEAR}|'?\d\d|{NUMBER_WORD}(?:[ -]{NUMBER_WORD}){{0,4}})"
    rf"|(?:the )?{NUMBER_WORD}(?:[ -](?:of )?(?:{NUMBER_WORD}|{MONTH})){{1,8}}"
)
_BORN = re.compile(
    rf"(?<![^\W_])(?:{_LABELS})(?![^\W\d_])[\s.:;=*,(#/-]{{0,4}}"
    rf"(?:(?:the|is|was|on|am|in|about|circa|c\.) ?){{0,2}}(?P<date>{_DATE})"
    r"(?![^\W_]|[./-]\d|[ -]?(?:weeks?|wks?|/40|months?|days?)(?!\w))",
    re.IGNORECASE,
)
#: "*12.03.1957", "b. 1957", and a class of which everybody is born in one year.
_STAR = re.compile(
    rf"(?<![\w*])(?:\*|b\. ?) ?(?P<date>(?:\d{{1,2}}[./-] ?){{0,2}}{_YEAR}|\d{{1,2}}[./-]\d{{1,2}}[./-]\d\d)"
    r"(?!\w|[./-]\d)"
)
_CLASS = re.compile(
    r"(?<!\w)(?:jahrgang|jg\.?|geburtsjahr|year of birth|yob|birth year) ?:? ?(?P<date>\d\d)(?!\w|[./-]\d)",
    re.IGNORECASE,
)


def find_births(text: str) -> Iterator[Span]:
    """Each date of birth in a folded text, without its label."""
    for pattern in (_BORN, _STAR, _CLASS):
        yield from (Span(*match.span("date"), "birth-date") for match in pattern.finditer(text))
