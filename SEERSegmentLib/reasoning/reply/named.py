"""The answer of a reply: what it names, in its own words, or why it names nothing that can be executed.

Decoration is taken off (fences, emphasis, quotes, bullets). What is left is read by
:func:`~SEERSegmentLib.anatomy.resolve_answer`, as every answer is. What that keeps as free text has to be, word by
word, a noun phrase for something in a body: nobody has read it before it is executed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from ...anatomy import load_vocabulary, normalise, resolve_answer
from ...anatomy.noun_phrase import doubtful_name
from ...anatomy.phrase import is_side_only, is_structure
from ...anatomy.wording import WHICH, shortened
from ...values import Abstention, TargetSpec
from .shown import is_hidden, lines_of

__all__ = ["MAX_SECTION", "named", "spells_a_tag"]

MAX_SECTION = 8_000
"""Longest answer looked at, in characters without runs of white space; longer than any list of names."""

_QUOTED = re.compile(r'"([^"]*)"|[“„]([^“”„]*)[”“]|«([^«»]*)»')
_EMPHASIS = re.compile(r"(\*{1,3}|`{1,3})([^*`]+)\1")
_UNDERLINED = re.compile(r"(?<!\w)(_{1,3})([^_]+)\1(?!\w)")
#: A bullet of a list. "1. Rippe" is the first rib and stays; r) and l) may be sides.
_BULLET = re.compile(r"(?:[-*•·‣▪◦–—+]+|\(?[a-km-qs-z]\))\s+|(\(?\d{1,3}[.)]\s+)")
_ENTITY = re.compile(r"&#?\w{1,10};")
#: White space to most programs, and drawn as nothing or as a box by others.
_CONTROL_SPACE = frozenset("\x0b\x0c\x1c\x1d\x1e\x85")
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2212", "-"))
_MARKS = frozenset(" ,;.'()-/&+!?×–—‘’、_")
#: Something was to be filled in, or breaks off: an underscore that joins nothing, dots, dashes, a joint at the end.
_BLANKS = re.compile(
    r"(?<![^\W_])_|_(?![^\W_])|\.\s?\.|[-–—]\s?[-–—]|[,;]\s?[,;]|(?:\b(?:and|plus)|[&+,;/–—-])\Z", re.IGNORECASE
)
#: Letters, "/", letters: "rt./lt." and "(left)/(right)" too. "L4/L5" and "T2/FLAIR" are names.
_SLASH = re.compile(r"(?<!\d)\s*/|/\s*/")
_TAG_LIKE = re.compile(r"<\s*[/!?|a-zA-Z]")
_STAND_IN = re.compile(r"<{1,3}[\w\s-]{1,40}>{1,3}")
_GOES_ON = re.compile(r"(?:of|in|at|on|with|within|near|to|from)\b", re.IGNORECASE)
_BREAKS_OFF = re.compile(r"\b(?:of|in|at|on|with|within|near|the|to|from)$", re.IGNORECASE)
_ALPHABETS = ("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "HEBREW", "ARABIC", "CHEROKEE", "COPTIC")
#: Codes after which an answer that repeats the request is told as such.
_ECHOES = frozenset({"not-a-phrase", "no-anatomy", "hedged", "alternatives", "reference-missing", "negation"})


def spells_a_tag(section: str) -> bool:
    """Whether an answer holds marks of its own, a placeholder such as ``<target>`` aside: a broken structure."""
    return _TAG_LIKE.search(section) is not None and _STAND_IN.fullmatch(section.strip()) is None


def named(section: str, request: str = "") -> tuple[str, TargetSpec] | Abstention:
    """What an answer names: its own words without decoration, and the targets that they resolve to.

    Parameters
    ----------
    section
        What stands between ``<answer>`` and ``</answer>``.
    request
        Where it is known: an answer that only repeats it is told as such.
    """
    read = _read(section)
    if isinstance(read, Abstention) and request and read.code in _ECHOES and _repeats(section, request):
        return replace(
            read, code="echoed-request", reason="The answer repeats the request instead of naming what it means."
        )
    return read


def _read(section: str) -> tuple[str, TargetSpec] | Abstention:
    if any(is_hidden(character) or character in _CONTROL_SPACE for character in set(section)):
        return _unreadable("hidden control characters")
    text = "\n".join(lines_of(section))
    if len(text) > MAX_SECTION:
        return Abstention("answer-too-long", "The answer is too long to be a list of structures.", WHICH)
    text = unicodedata.normalize("NFKC", text).translate(_HYPHENS)
    if any(unicodedata.category(character)[0] == "M" for character in text):
        return _unreadable("marks over its letters, such as a line through them")
    if any(_mixes_alphabets(word) for word in set(re.findall(r"\w+", text))):
        return _unreadable("letters of another alphabet that look like its own")
    text = _undecorated(text)
    if against := _marks_objection(text):
        return against
    spec = resolve_answer(text)
    if isinstance(spec, Abstention) and spec.code == "refusal":
        return spec  # "N/A"
    if _SLASH.search(text):
        return Abstention(
            "alternatives", "The answer offers alternatives instead of naming what to segment.", "Which one is meant?"
        )
    if isinstance(spec, Abstention):
        return spec
    for target in spec.targets:
        if not target.structure and (against := doubtful_name(target.text)):
            return against
    return text, spec


def _unreadable(what: str) -> Abstention:
    return Abstention("answer-unreadable", f"The answer holds {what}.", WHICH)


def _mixes_alphabets(word: str) -> bool:
    found = {unicodedata.name(letter, "").partition(" ")[0] for letter in word if letter.isalpha()}
    return len(found.intersection(_ALPHABETS)) > 1


def _undecorated(text: str) -> str:
    """The names alone, on one line: without emphasis, quotes and bullets; items of a list behind semicolons."""
    items: list[str] = []
    for line in lines_of(text):
        item = _without_bullet(_UNDERLINED.sub(r"\2", _EMPHASIS.sub(r"\2", _without_bullet(line))))
        item = _QUOTED.sub(lambda quoted: next(filter(None, quoted.groups()), ""), item).strip()
        wrapped = items and (_GOES_ON.match(item) or _BREAKS_OFF.search(items[-1]) or is_side_only(items[-1]))
        if wrapped:
            items[-1] = f"{items[-1]} {item}"
        elif item:
            items.append(item.strip("'‘’ "))
    joined = "; ".join([*(item.rstrip(" ,;") for item in items[:-1]), *items[-1:]])
    return re.sub(r"\A(?:the|an?)\s+|[.!]\Z", "", joined, flags=re.IGNORECASE)


def _without_bullet(line: str) -> str:
    bullet = _BULLET.match(line)
    if bullet is None or (bullet[1] and is_structure(line, load_vocabulary())):
        return line
    return line[bullet.end() :]


def _marks_objection(text: str) -> Abstention | None:
    """Why an answer is no list of names, going by its punctuation."""
    if "?" in text:
        return Abstention("hedged", f"'{shortened(text)}' asks instead of naming what to segment.", WHICH)
    if any(character.isalnum() for character in text):
        strange = {c for c in text if not (c.isalnum() or c in _MARKS)}
        if strange or _ENTITY.search(text) or _BLANKS.search(text) or not _balanced(text):
            return Abstention("not-a-phrase", f"'{shortened(text)}' is not just the name of a structure.", WHICH)
    return None


def _balanced(text: str) -> bool:
    """Whether each parenthesis that opens closes: "1) liver 2) spleen" is no list that is read."""
    depth = 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


def _repeats(section: str, request: str) -> bool:
    answer, asked = normalise(section[:MAX_SECTION]), normalise(request[:MAX_SECTION])
    return bool(asked) and (answer == asked or (len(asked.split()) > 3 and asked in answer))
