"""Names without a title that something announces: "pt", "referred by", "Name:", "Regards,", "MD" …"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from .identifier import Span
from .naming import Reader
from .titled import is_title
from .tokens import Shape, Token
from .words import listed, read_table

__all__ = ["cued_names"]

_BETWEEN_WORDS = listed("is was the our my named called name consultant surgeon registrar radiologist sho spr from")
_BETWEEN_MARKS = frozenset(":-=.(\"',>*|#!")
#: Letters after a name that say what somebody is.
_DEGREES = listed("md do frcr frcs frcp mbbs mbchb phd rn dnb dmrd franzcr faci facr fracs msc bsc mph dpm crna")
_MOST_MARKS = 6
#: Where a name is read: "name on the CD: …".
_WHERE_WORDS = listed("on cd disk disc form band wristband label reads says request card the")
_CLOSING_WORDS = 3


@cache
def cues() -> dict[str, tuple[tuple[tuple[str, ...], str], ...]]:
    """Phrases by their first word, the longest first, each with what it announces."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for row in read_table("cues.csv"):
        phrase = tuple(row["cue"].split())
        found.setdefault(phrase[0], []).append((phrase, row["what"]))
    return {first: tuple(sorted(all_, key=lambda one: -len(one[0]))) for first, all_ in found.items()}


def cued_names(reader: Reader) -> Iterator[Span]:
    """Each name that a cue announces."""
    known = cues()
    for index, token in enumerate(reader.tokens):
        if token.kind != "word":
            continue
        for phrase, what in known.get(token.low, ()):
            if (end := _phrase_end(reader, index, phrase)) is not None:
                yield from _announced(reader, end, what)
                break
        if token.low in _DEGREES and token.shape is not Shape.LOWER:
            yield from _with_degree(reader, index)


def _phrase_end(reader: Reader, index: int, phrase: tuple[str, ...]) -> int | None:
    """The index after the words of a phrase; "d/w" and "d.w." are "d w"."""
    at = index
    for number, word in enumerate(phrase):
        if number and reader.low(at) in ("/", ".", "-"):
            at += 1
        if reader.low(at) != word:
            return None
        at += 1
    return at


def _announced(reader: Reader, at: int, what: str) -> Iterator[Span]:
    colon = False
    for _ in range(_MOST_MARKS):
        token = reader.at(at)
        if token is None:
            return
        if token.text in _BETWEEN_MARKS or token.kind == "possessive":
            colon = colon or token.text in ":="
        elif what == "name" and token.low in _WHERE_WORDS:
            colon = colon or token.low in ("reads", "says")
        elif not (token.low in _BETWEEN_WORDS and what != "closing") and not (what == "role" and is_title(token)):
            break
        elif token.low in ("is", "was"):
            colon = True
        at += 1
    first = reader.at(at)
    if first is None or first.kind != "word" or is_title(first):
        return
    if what == "name" and not colon and not _is_listed(reader, at):
        return
    end = _signature(reader, at) if what == "closing" else _name(reader, at, what, colon)
    if end is not None:
        yield Span(first.start, reader.tokens[end - 1].end, "name")


def _is_listed(reader: Reader, at: int) -> bool:
    """Whether a name of the lists stands at an index, or after an initial."""
    first = reader.word(at)
    if first is not None and (first.shape is Shape.INITIAL or len(first.text) == 1):
        return reader.word(at + 1) is not None and reader.words.is_name(reader.low(at + 1))
    return first is not None and reader.words.is_name(first.low)


def _name(reader: Reader, at: int, what: str, colon: bool) -> int | None:
    after = reader.initials(at)
    if what == "initials":
        short = reader.tokens[at].shape is Shape.UPPER and len(reader.low(at)) < 5
        short = short and not reader.words.is_ordinary(reader.low(at))
        return at + 1 if short else after if after > at else None
    if after > at:
        if reader.surname(after) and reader.tokens[after].gap < 2:
            return reader.rest(after + 1, reader.tokens[after])
        several = after - at >= 3 and reader.tokens[after - 1].text == "."
        return after if several and what != "role" and reader.tokens[at].gap < 2 else None
    if len(reader.low(at)) == 1 and what in ("name", "patient", "by", "alias") and _is_listed(reader, at):
        return reader.rest(at + 2, reader.tokens[at + 1])
    start = reader.particles(at)
    if start > at and ((one := reader.word(start)) is None or not _fits(reader, start, one, what, colon)):
        start = at
    token = reader.tokens[start]
    return reader.rest(start + 1, token) if _fits(reader, start, token, what, colon) else None


def _fits(reader: Reader, index: int, token: Token, what: str, colon: bool) -> bool:
    """Whether a word is the name that a cue announces."""
    words, low = reader.words, token.low
    if token.kind != "word" or token.shape is Shape.NONE or low in words.never or reader.in_phrase(index):
        return False
    if words.is_name(low):
        return token.shape is not Shape.LOWER or what != "greeting" or words.is_given(low)
    if token.shape is Shape.LOWER:
        return _fits_lower(reader, index, what)
    if reader.names_a_thing(index):
        return False
    if what == "verb" and token.shape is Shape.UPPER:
        return False
    if words.is_eponym(low):
        if what in ("by", "name", "alias"):
            return token.shape is Shape.TITLE or what == "name"
        return words.is_common_eponym(low) and token.shape is Shape.TITLE and what in ("role", "patient", "greeting")
    if words.is_ordinary(low):
        given = words.is_given_before_surname(low) and reader.surname(index + 1)
        return given and token.shape is Shape.TITLE
    if token.shape is Shape.UPPER:
        return _fits_upper(reader, index, what, colon)
    return True


def _fits_lower(reader: Reader, index: int, what: str) -> bool:
    low = reader.tokens[index].low
    if what in ("name", "alias"):
        return not reader.words.is_ordinary(low) and len(low) > 1
    return what == "by" and reader.words.could_be_name(low) and len(low) > 2


def _fits_upper(reader: Reader, index: int, what: str, colon: bool) -> bool:
    low = reader.tokens[index].low
    if what == "name":
        return len(low) > 1
    comma = reader.low(index + 1) == "," and reader.surname(index + 2) and len(low) > 2
    if what == "by":
        return comma or len(low) > 3
    return what == "patient" and (comma or (colon and len(low) > 3))


def _signature(reader: Reader, at: int) -> int | None:
    """Up to three words with capitals that end a line, after a closing."""
    words = reader.words
    end = reader.initials(at)
    first = end
    while end - first < _CLOSING_WORDS and (token := reader.word(end)) is not None and (end == at or token.gap < 2):
        known = words.is_name(token.low) or words.is_given_before_surname(token.low)
        fits = token.shape is Shape.TITLE and (words.could_be_name(token.low) or words.is_common_eponym(token.low))
        if not (known and token.shape is not Shape.LOWER) and not fits and not (words.is_name(token.low) and end == at):
            break
        end += 1
    after = reader.at(end)
    last = after is None or after.gap > 1 or after.text in (".", ",", "!", "-", "(", "/")
    return end if end > first and last else None


def _with_degree(reader: Reader, index: int) -> Iterator[Span]:
    """ "Priya Anand MD", "Khan, FRCR"."""
    last = index - 1
    if reader.low(last) in (",", "("):
        last -= 1
    start = last
    while start > last - 3 and (token := reader.at(start)) is not None and token.kind == "word":
        if token.shape is not Shape.TITLE or not (
            reader.surname(start) or reader.words.is_given_before_surname(token.low)
        ):
            break
        start -= 1
    if start < last and reader.surname(last):
        yield Span(reader.tokens[start + 1].start, reader.tokens[last].end, "name")
