"""Names that nothing announces: "John Smith", "DOE^JANE", "Nakamura, H.", "Priya's scan", "J. Patel"."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from .identifier import Span
from .naming import Reader
from .tokens import Shape, Token
from .words import Words, listed

__all__ = ["bare_names", "component_names", "repeated_names"]

#: A DICOM person name: components of letters between carets.
_FAMILY_NAME = re.compile(
    r"(?<![^\W_])(?:(?:van|von|vom|der|den|de|del|della|di|da|dos|la|le|al|el|bin|st\.?) ){0,3}"
    r"[^\W\d_](?:[^\W\d_]|['.-]){0,64}\Z",
    re.IGNORECASE,
)
_COMPONENTS = re.compile(r"(?:\^{1,4}(?:[^\W\d_]|[.'-]){1,64}){1,5}\^{0,4}")
_LONGEST_FAMILY_NAME = 84
#: A shorter name in upper case, alone, is more often an acronym: ASA, ANA, MIA.
_SHORTEST_UPPER = 5
#: Words and letters that tell a text in German.
_GERMAN = listed(
    "bitte und der die das den dem mit bei nach ohne nicht links rechts linke rechte linken rechten niere nieren leber"
    " milz lunge vor zum zur von vom ist"
)
_UMLAUT = re.compile("[äöüß]")

_UNDERSCORED = re.compile(r"(?<![^\W_])[^\W\d_]{2,24}_[^\W\d_]{2,24}(?![^\W_])")

#: What somebody has, rather than what is named after somebody.
_OWNED = listed(
    "left right rt lt both bilateral ct mr mri us cta xray x-ray scan scans study images image imaging request"
    " kidney kidneys liver lung lungs spleen heart brain spine pelvis abdomen chest prostate bladder aorta adrenal"
    " adrenals femur hip knee shoulder tumour tumor mass aneurysm pancreas thyroid case appointment referral"
    " report consult"
)
#: Before a single letter and a dot, these make a class or a level of it: "Child-Pugh C. Ascites".
_CLASS_BEFORE = listed(
    "type class grade stage hepatitis child pugh child-pugh stanford vitamin typ stadium hep weber part group"
    " segment category level phase lead point line view image series option plan section birads bi-rads density"
)
#: First letters of German abbreviations of two: "o. B.", "Z. n.", "V. a.".
_ABBREVIATED_BEFORE = frozenset("ozvui")
#: Before a given name in lower case, these say that somebody is meant.
_PERSON_BEFORE = listed("for from of ask thanks hi hello dear by with to tell call cheers per patient pt name hallo is")


def bare_names(reader: Reader) -> Iterator[Span]:
    """Each name that shows by itself."""
    done = 0
    nouns = any(token.low in _GERMAN or _UMLAUT.search(token.low) for token in reader.tokens)
    for index, token in enumerate(reader.tokens):
        if index < done or token.kind != "word" or token.shape is Shape.NONE:
            continue
        span = _listed(reader, index, token)
        if span is None and token.shape is not Shape.LOWER:
            span = _owner(reader, index, token) or _initialled(reader, index, token)
            span = span or _surname_first(reader, index, token)
            span = span or (None if nouns else _two_strange(reader, index, token))
        if span is not None:
            start, done = span
            yield Span(reader.tokens[start].start, reader.tokens[done - 1].end, "name")


def component_names(text: str, words: Words) -> Iterator[Span]:
    """DICOM person names, DOE^JANE^A, and those in names of files, Smith_John."""
    for match in _COMPONENTS.finditer(text):
        family = _FAMILY_NAME.search(text, max(0, match.start() - _LONGEST_FAMILY_NAME), match.start())
        if family is not None:
            yield Span(family.start(), match.end(), "name")
    for match in _UNDERSCORED.finditer(text):
        parts = match[0].lower().split("_")
        if any(words.is_name(part) for part in parts) and not any(words.is_ordinary(part) for part in parts):
            yield Span(match.start(), match.end(), "name")


def repeated_names(reader: Reader, known: Container[str]) -> Iterator[Span]:
    """Words of names that were found elsewhere in the text, in ``known`` in lower case.

    An eponym among them is one here too: whoever reads of "Miss [name] with a Baker's cyst" knows her name.
    """
    for token in reader.tokens:
        words, low = reader.words, token.low
        if token.kind != "word" or low not in known:
            continue
        said = words.is_ordinary(low) and low not in words.also_names
        if said or low in words.body or (token.shape is Shape.LOWER and not words.could_be_name(low)):
            continue
        yield Span(token.start, token.end, "name")


def _listed(reader: Reader, index: int, token: Token) -> tuple[int, int] | None:
    """A name of the lists, or a given name before a surname."""
    words, low = reader.words, token.low
    if reader.in_phrase(index) or low in words.never or _is_saint(reader, index):
        return None
    if token.shape is Shape.LOWER:
        return _listed_lower(reader, index, token)
    known = words.is_name(low)
    if known and (token.shape is not Shape.UPPER or len(low) >= _SHORTEST_UPPER or _upper_near(reader, index)):
        if reader.names_a_thing(index) and not words.is_given(low):
            return None
        if words.is_given(low) and _eponym_follows(reader, index):
            return None
        return index, reader.rest(index + 1, token)
    if known or words.is_given_before_surname(low):
        return _given_first(reader, index, token)
    return None


def _is_saint(reader: Reader, index: int) -> bool:
    """ "St Mary's": a hospital."""
    before = reader.low(index - 2) if reader.low(index - 1) == "." else reader.low(index - 1)
    return before in ("st", "saint", "sankt", "san", "santa", "hôpital")


def _given_first(reader: Reader, index: int, token: Token) -> tuple[int, int] | None:
    """ "Mark Johnson": a given name that is a word as well, before a surname."""
    words = reader.words
    if token.shape is Shape.UPPER and (words.is_ordinary(token.low) or not _upper_near(reader, index)):
        return None
    if reader.names_a_thing(index):
        return None
    after = reader.initials(index + 1)
    following = reader.word(after)
    if following is None or following.gap > 1 or not reader.surname(after):
        return None
    if following.low in words.also_names and words.is_ordinary(token.low):  # "Mark Stone" is more often an order
        return None
    if following.shape is not token.shape and following.shape is not Shape.TITLE:
        return None
    return index, reader.rest(after + 1, following)


def _listed_lower(reader: Reader, index: int, token: Token) -> tuple[int, int] | None:
    """ "john smith", or "for priya": in lower case one word of the lists is not enough."""
    words, low = reader.words, token.low
    if not words.is_name(low):
        return None
    following = reader.word(index + 1)
    if following is not None and following.gap < 2 and following.shape is Shape.LOWER and words.is_given(low):
        fresh = words.could_be_name(following.low) and len(following.low) > 2
        known = words.is_name(following.low) or words.is_common_eponym(following.low)
        if (known or fresh) and not reader.names_a_thing(index + 1):
            return index, reader.rest(index + 2, following)
    if following is None and reader.low(index + 1) == "," and words.is_given(reader.low(index + 2)):
        return index, reader.rest(index + 3, token)
    announced = reader.low(index - 1) in _PERSON_BEFORE or reader.possessive(index + 1)
    if announced and not reader.names_a_thing(index):
        return index, index + 1
    return None


def _owner(reader: Reader, index: int, token: Token) -> tuple[int, int] | None:
    """ "Okonkwo's left kidney": a person's, where "Baker's cyst" is nobody's."""
    thing = reader.at(index + 2)
    if token.shape is not Shape.TITLE or not reader.possessive(index + 1) or thing is None:
        return None
    low, words = token.low, reader.words
    if thing.low not in _OWNED or reader.low(index + 3) in words.after_eponym:
        return None
    common = words.is_common_eponym(low) and thing.low in ("left", "right", "rt", "lt", "ct", "mr", "mri", "scan")
    return (index, index + 1) if words.could_be_name(low) or common else None


def _initialled(reader: Reader, index: int, token: Token) -> tuple[int, int] | None:
    """ "J. Patel", "A.B. Okonkwo", "Okonkwo J.R."."""
    if token.shape is Shape.INITIAL:
        return _initials_first(reader, index)
    if token.shape is not Shape.TITLE or not reader.words.could_be_name(token.low):
        return None
    end = reader.initials(index + 1)
    if end <= index + 3 or reader.tokens[index + 1].gap != 1 or reader.tokens[end - 1].text != ".":
        return None
    return index, end


def _initials_first(reader: Reader, index: int) -> tuple[int, int] | None:
    before = reader.low(index - 1)
    abbreviated = before == "." and reader.low(index - 2) in _ABBREVIATED_BEFORE
    if before in _CLASS_BEFORE or abbreviated:
        return None
    if reader.low(index + 1) != "." or reader.tokens[index + 1].gap:
        return None
    end = reader.initials(index)
    start = reader.particles(end)
    one = reader.word(start)
    if one is None or one.gap > 1 or one.shape is not Shape.TITLE or one.low in reader.words.never:
        return None
    if not reader.words.could_be_name(one.low) or len(one.low) < 3:
        return None
    return index, reader.rest(start + 1, one)


def _surname_first(reader: Reader, index: int, token: Token) -> tuple[int, int] | None:
    """ "Okonkwo, Chidi", "NAKAMURA, Haruki": what stands before a comma and a given name."""
    comma, given = reader.at(index + 1), reader.word(index + 2)
    if comma is None or comma.text != "," or given is None or given.gap > 1 or given.shape is Shape.LOWER:
        return None
    if given.shape is Shape.INITIAL:
        return _initial_after_comma(reader, index, token)
    words = reader.words
    if token.shape not in (Shape.TITLE, Shape.UPPER) or words.is_ordinary(token.low) or token.low in words.never:
        return None
    if words.is_given(given.low) or (words.is_given_before_surname(given.low) and not words.is_ordinary(given.low)):
        return index, reader.rest(index + 3, given)
    line_start = index == 0 or token.gap > 1 or reader.low(index - 1) in (":", "=")
    strange = words.could_be_name(token.low) and words.could_be_name(given.low) and len(token.low) > 3
    written = token.shape is Shape.UPPER and given.shape is Shape.TITLE
    if line_start and strange and written and len(given.low) > 2:
        return index, reader.rest(index + 3, given)
    return None


def _initial_after_comma(reader: Reader, index: int, token: Token) -> tuple[int, int] | None:
    """ "Okonkwo, C."."""
    dotted = reader.low(index + 3) == "." and reader.tokens[index + 3].gap == 0
    fits = token.shape in (Shape.TITLE, Shape.UPPER) and len(token.low) > 3 and reader.words.could_be_name(token.low)
    return (index, index + 4) if dotted and fits else None


def _two_strange(reader: Reader, index: int, token: Token) -> tuple[int, int] | None:
    """ "Ottoline Quentell": two words with capitals that are on no list. German nouns have capitals too: not there."""
    following = reader.word(index + 1)
    if token.shape is not Shape.TITLE or following is None or following.shape is not Shape.TITLE or following.gap != 1:
        return None
    if reader.names_a_thing(index + 1) or reader.in_phrase(index) or min(len(token.low), len(following.low)) < 3:
        return None
    strange = reader.words.could_be_name(token.low) and reader.words.could_be_name(following.low)
    return (index, reader.rest(index + 2, following)) if strange else None


def _eponym_follows(reader: Reader, index: int) -> bool:
    """ "Arnold Chiari" is nobody, "Sarah Johnson" is."""
    following = reader.word(index + 1)
    return (
        following is not None
        and following.gap < 2
        and reader.words.is_eponym(following.low)
        and reader.names_a_thing(index + 1)
    )


def _upper_near(reader: Reader, index: int) -> bool:
    """Whether a name next to it, or for a long one all words around, are in upper case, so that it is no acronym."""
    for beside in (index - 1, index + 1):
        token = reader.word(beside)
        if token is not None and token.shape is Shape.UPPER and len(token.low) > 2 and reader.surname(beside):
            return True
    near = [
        token for token in reader.tokens[max(0, index - 6) : index + 7] if token.kind == "word" and len(token.text) > 1
    ]
    alone = len(reader.low(index)) < _SHORTEST_UPPER
    return not alone and len(near) > 1 and all(token.shape in (Shape.UPPER, Shape.NONE) for token in near)
