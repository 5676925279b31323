"""Numbers that a label makes an identifier: "MRN 0012345", "Acc# CT20231234", "bleep 4412", "Pat.-ID 99182".

labels.csv says of each label how many digits a number after it must have: more where the label is a word of its own
("order 4 views"), fewer where a mark follows it (``#``, ``:``, "no.").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from .folding import BLANK
from .identifier import Span
from .units import has_unit
from .words import read_table

__all__ = ["labelled_numbers"]

_MARK_WORDS = r"(?:number|numbers|nummer|num|nos?|nr|n[°º]|№|id|code|is|was|are|番号|号|는|은|は|为|是)"
#: Between "bleep" and its number.
_WAY_WORDS = r"(?:me|us|him|her|them|on|at|back|under|unter|sur|au|al|doctor|dr|bleep|ext|extn|extension|x)"
_BETWEEN, _BETWEEN_PHONE = (
    re.compile(rf"(?:[\s.:;#=_()\[\]<\"'*>|,~-]|(?<![^\W_]){words}(?![^\W\d_])){{0,12}}", re.IGNORECASE)
    for words in (_MARK_WORDS, f"(?:{_MARK_WORDS}|{_WAY_WORDS})")
)
_MARKED = re.compile(rf"[#:=№]|(?<![^\W_]){_MARK_WORDS}(?![^\W\d_])", re.IGNORECASE)
_MARKED_LABEL = re.compile(r"(?:no|nr|number|id|nummer)$", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]+")
_GROUP = re.compile(r"[^\W_]{1,40}")
_JOINING = re.compile(r" ?[-/_.+()] ?|[ \u00b7]")
_MOST_GROUPS = 9
#: A value may begin with letters: "TCGA-AB-1234", "CT 2023-118".
_LETTERS_FIRST = re.compile(r"[^\W\d_]{1,6}(?:[-/_.][^\W\d_]{1,6}){0,3}(?:[-/_.]|(?<=[A-Z]) )\d")
_ORDINAL_OR_SIZE = re.compile(r"\d{1,2}(?:st|nd|rd|th|mm|cm|ml|yo?|[mf])", re.IGNORECASE)
#: What follows a group of digits that is a number of its own: "7712345 3.2 cm", "68 M", "54 yo".
_OWN_NUMBER = re.compile(r"[.,]\d|\s?(?:[mfMF]\b|/|x\b|y)")
_ENDS = re.compile(r"[,;.)\]\"']| {0,3}$|\n")
_YEAR = re.compile(r"(?:19|20)\d\d")

_DIGIT = r"(?:(?:double|triple) )?(?:zero|oh|nought|one|two|three|four|five|six|seven|eight|nine|niner)"
_SPOKEN = re.compile(rf"{_DIGIT}(?:[ ,-]{{1,2}}{_DIGIT}){{2,24}}(?![^\W_])", re.IGNORECASE)
#: A run of so many spoken digits identifies without a label.
_SPOKEN_ALONE = re.compile(rf"(?<![^\W_]){_DIGIT}(?:[ ,-]{{1,2}}{_DIGIT}){{6,24}}(?![^\W_])", re.IGNORECASE)
_X_EXTENSION = re.compile(r"(?<![\w.×])[xX][ -]?(?P<value>[1-9]\d{3,4})(?![\w.]|,\d)")
_HASH = re.compile(r"(?<![\d&])# ?(?P<value>[A-Za-z]{0,4}-?(?:\d{4,20}|\d{1,8}(?:-\d{1,8}){1,4}))(?!\w)")
#: "bleep [phone] or 4433".
_ONE_MORE = re.compile(rf"{BLANK} ?(?:or|and|&|/|oder|und|ou|o|y|e) ?(?P<value>\d{{3,6}})(?![\w%]|[./,-]\d)")
#: "ring theatre on 5512".
_RING_SOMEBODY = re.compile(
    r"(?<!\w)(?:call|ring|phone|bleep|page|contact|text|reach|dial|fax)(?: [\w'.]{1,20}){1,4} (?:on|at|via|using|under)"
    r" #?(?P<value>\+?\d(?:[ -]?\d){2,14})(?!\w|[./,]\d)",
    re.IGNORECASE,
)
#: "call [name] on 4471": a number at which somebody whose name is found already can be reached.
_REACHED = re.compile(
    rf"{BLANK},? (?:(?:is )?(?:at|on|under|unter|via|x|ext\.?) )#?(?P<value>\d{{3,6}})(?!\w|[./,-]\d)"
)
_MAGNIFICATIONS = ("1000", "10000")

_PLACE = re.compile(r"(?:[A-Z]-?)?\d{1,4}[A-Z]?(?!\w|[.,/-]\d)")
#: Words before "bed" or "room" that make it no place where somebody lies.
_NO_PLACE = re.compile(
    r"(?:tumou?r|vascular|nail|resection|cavity|gastric|surgical|op|ctv|boost|prostate|capillary|gallbladder|liver|pancreatic"
    r"|thyroid|scanner|ct|mri?|theatre|operating|recovery|reading|control|x-?ray|fluoro|interventional|ir|us|angio|exam"
    r"|treatment|the|bone|wound|ulcer|post|lumpectomy|aortic|arterial|distal|embolisation|primary)\s$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Label:
    """A row of labels.csv."""

    kind: str
    least: int
    least_marked: int


def labelled_numbers(text: str) -> Iterator[Span]:
    """Each number that a label in a folded text announces, without the label."""
    beginning_with, joined, table = _labels()
    spaced = (
        beginning_with[run[0].lower()].match(text, run.start())
        for run in _LETTERS.finditer(text)
        if run[0].lower() in beginning_with
    )
    for match in (*filter(None, spaced), *joined.finditer(text)):
        key = re.sub(r"[\W_]", "", match[0].lower())
        label = table.get(key) or table.get(key.removesuffix("s"))
        if label is not None and (span := _value(text, match.start(), match.end(), label)) is not None:
            yield span
    for match in _SPOKEN_ALONE.finditer(text):
        yield Span(*match.span(), "record-number")
    for match in _X_EXTENSION.finditer(text):
        if match["value"] not in _MAGNIFICATIONS:
            yield Span(*match.span(), "phone")
    for match in (*_REACHED.finditer(text), *_RING_SOMEBODY.finditer(text), *_ONE_MORE.finditer(text)):
        if not has_unit(text, match.end()) and not _YEAR.fullmatch(match["value"]):
            yield Span(*match.span("value"), "phone")
    for match in _HASH.finditer(text):
        if _count(match["value"]) > 3:
            yield Span(*match.span("value"), "record-number")


@cache
def _labels() -> tuple[dict[str, re.Pattern[str]], re.Pattern[str], dict[str, Label]]:
    """Patterns of labels by the letters that they begin with; of those in writing without spaces; and the rows."""
    table = {
        row["label"]: Label(row["kind"], int(row["least"]), int(row["least_marked"]))
        for row in read_table("labels.csv")
    }
    longest_first = sorted(table, key=len, reverse=True)
    beginnings: dict[str, list[str]] = {}
    for label in filter(_cased, longest_first):
        for beginning in _beginnings(label):
            beginnings.setdefault(beginning, []).append(_pattern(label))
    return (
        {
            beginning: re.compile(rf"(?:{'|'.join(patterns)})(?:s|'s)?(?![^\W\d_])", re.IGNORECASE)
            for beginning, patterns in beginnings.items()
        },
        re.compile("|".join(re.escape(label) for label in longest_first if not _cased(label)), re.IGNORECASE),
        {re.sub(r"[\W_]", "", label): row for label, row in table.items()},
    )


def _beginnings(label: str) -> set[str]:
    """The runs of letters that a label can begin with: "Pat.-ID" "pat", "PatID" "patid", "M.R.N." "m"."""
    first = label.split()[0]
    run = _LETTERS.match(first)
    letters = first if run is None else run[0]
    found = {letters, f"{letters}s", label.replace(" ", ""), f"{label.replace(' ', '')}s"}
    return found | {letters[0]} if len(first) <= 4 else found


def _cased(label: str) -> bool:
    """Whether a label is in writing with capitals, which is writing with spaces."""
    return label.lower() != label.upper()


def _pattern(label: str) -> str:
    """Words of a label stand apart, joined, with a hyphen or a dot; short ones may have dots in them."""
    words = [
        r"[. ]?".join(map(re.escape, word)) if len(word) <= 4 and word.isalpha() else re.escape(word)
        for word in label.split()
    ]
    return r"[\s._/'-]{0,3}".join(words)


def _value(text: str, begin: int, end: int, label: Label) -> Span | None:
    """The value after a label that stands at ``begin`` to ``end``; None where there is none."""
    pattern = _BETWEEN_PHONE if label.kind == "phone" else _BETWEEN
    between = pattern.match(text, end)
    start = end if between is None else between.end()
    marked = bool(_MARKED.search(text, end, start) or _MARKED_LABEL.search(text, begin, end))
    if label.kind == "location":
        return _place(text, begin, start, label.least_marked if marked else label.least)
    if spoken := _SPOKEN.match(text, start):
        return Span(start, spoken.end(), label.kind)
    stop = _value_end(text, start, label.kind)
    if label.kind == "phone" and (text[start - 1] == "+" or (text[start - 1] == "(" and ")" in text[start:stop])):
        start -= 1
    digits = _count(text[start:stop])
    if digits < (label.least_marked if marked else label.least) or (digits < 6 and has_unit(text, stop)):
        return None
    if not marked and label.least > 2 and _YEAR.fullmatch(text, start, stop):
        return None
    return Span(start, stop, label.kind)


def _value_end(text: str, start: int, kind: str) -> int:
    """The end of a value: groups of letters and digits, joined by hyphens, slashes, dots or single spaces."""
    first = _GROUP.match(text, start) or (_GROUP.match(text, start + 1) if text.startswith("+", start) else None)
    if first is None or not _starts_value(text, first, kind):
        return start
    end = first.end()
    digits = _count(first[0])
    for _ in range(_MOST_GROUPS):
        joint = _JOINING.match(text, end)
        group = None if joint is None else _GROUP.match(text, joint.end())
        if joint is None or group is None or not _continues(text, joint[0], group, digits, kind):
            break
        digits += _count(group[0])
        end = group.end()
    return end


def _starts_value(text: str, first: re.Match[str], kind: str) -> bool:
    if _count(first[0]):
        return _ORDINAL_OR_SIZE.fullmatch(first[0]) is None
    return kind != "phone" and _LETTERS_FIRST.match(text, first.start()) is not None


def _continues(text: str, joint: str, group: re.Match[str], digits: int, kind: str) -> bool:
    """Whether a further group belongs to a value that has so many digits already."""
    own, mark = _count(group[0]), joint.strip()
    letter = len(group[0]) == 1 and group[0].isupper()
    if mark and not joint.endswith((". ", ") ")):
        if not digits and own == 0:
            return not joint.startswith(" ")  # the letters of a value that begins with them
        return own > 0 or (letter and mark in "-/" and not joint.startswith(" "))
    if mark == ".":
        return False
    if not digits:
        return own > 0
    if not group[0].isdigit():  # "AB 12 34 56 C"
        return kind == "national-id" and letter and digits >= 6 and group[0] not in "LR"
    if has_unit(text, group.end()) or _OWN_NUMBER.match(text, group.end()):
        return False
    enough = kind != "national-id" and digits >= (9 if kind == "phone" else 6)
    if len(group[0]) == 1:
        return _ENDS.match(text, group.end()) is not None and (not enough or digits < 7)
    return not enough or len(group[0]) > 2


def _place(text: str, begin: int, start: int, least: int) -> Span | None:
    """A bed or a room: "bed 4", "room 204B"; not "tumour bed 2 cm"."""
    value = _PLACE.match(text, start)
    if value is None or _count(value[0]) < least or has_unit(text, value.end()):
        return None
    return None if _NO_PLACE.search(text[max(0, begin - 16) : begin]) else Span(*value.span(), "location")


def _count(text: str) -> int:
    return sum(c.isdigit() for c in text)
