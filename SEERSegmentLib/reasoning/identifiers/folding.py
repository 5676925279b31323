"""One form for what looks the same, with the way back: every character that is folded knows where it stood.

Full-width letters and digits, the digits of other scripts, typographic hyphens, quotes and spaces become plain ones,
one for one. Characters that no reader sees (zero-width, directional) are passed over, so that none can hide a number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from .identifier import KINDS

__all__ = ["BLANK", "Folded", "blanked", "fold"]

#: Stands in the place of what has been found already. It is no letter, digit, mark of a number or white space.
BLANK = "\ufffc"

_UNSEEN = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff]"
)
_PLACEHOLDER = re.compile("|".join(re.escape(name) for name in KINDS.values()), re.IGNORECASE)
_HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\ufe58\ufe63\uff0d"
_APOSTROPHES = "\u2018\u2019\u02bc\u2032\u00b4`\uff07"
_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t\x0b\x0c"


class _Table(dict[int, str]):
    """Code point → its plain form; worked out when a character is first met."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        plain = character
        if point > 127:
            digit = unicodedata.digit(character, None)
            if digit is not None and unicodedata.category(character) == "Nd":
                plain = str(digit)
            else:
                folded = unicodedata.normalize("NFKC", character)
                plain = folded if len(folded) == 1 else character
        self[point] = plain
        return plain


_TABLE = _Table()
_TABLE.update({ord(c): "-" for c in _HYPHENS})
_TABLE.update({ord(c): "'" for c in _APOSTROPHES})
_TABLE.update({ord(c): " " for c in _SPACES})
_TABLE.update({ord("\r"): "\n", ord("\u2028"): "\n", ord("\u2029"): "\n", ord("\x85"): "\n", ord(BLANK): " "})


class Folded(NamedTuple):
    """A folded text. ``places[i]`` is where its character ``i`` stands in the original; None if nowhere else."""

    text: str
    places: Sequence[int] | None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters ``start`` to ``end`` stand in the original."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def fold(text: str) -> Folded:
    """Fold a text; placeholders that an earlier screening left in it are blanked."""
    places: list[int] | None = None
    if not text.isascii() and _UNSEEN.search(text):
        unseen = {match.start() for match in _UNSEEN.finditer(text)}
        places = [at for at in range(len(text)) if at not in unseen]
        text = "".join([text[at] for at in places])
    plain = text.translate(_TABLE)
    return Folded(_PLACEHOLDER.sub(lambda match: BLANK * len(match[0]), plain), places)


def blanked(text: str, spans: Sequence[tuple[int, int, str]]) -> str:
    """A folded text with spans, in order and apart from each other, blanked."""
    parts: list[str] = []
    at = 0
    for start, end, _ in spans:
        parts += text[at:start], BLANK * (end - start)
        at = end
    parts.append(text[at:])
    return "".join(parts)
