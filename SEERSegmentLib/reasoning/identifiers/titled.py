"""Names with a title: Mr, Mrs, Dr, Frau, Mme, Sra, г-н … and what looks like one.

"MR" is magnetic resonance and mitral regurgitation, "MS" multiple sclerosis, "DR" digital radiography, "miss" a verb,
"Fr" a unit of catheters. titles.csv says in which writing (upper, lower, title case) a title has another meaning; there
the word after it must be on no list of ordinary words or eponyms, else it need only not be a word that never is a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from .identifier import Span
from .naming import Reader
from .tokens import Shape, Token
from .words import listed, read_table

__all__ = ["is_title", "titled_names"]

#: Parts of titles that may stand between the first one and the name: Dr. med. univ., Sig.ra, Dott.ssa.
_BETWEEN = listed(
    "doktor doctor docteur professor prof med habil univ dent vet rer nat phil jur h c hc mult ing dipl medic ra"
    " na ssa ri priv doz doc consultant colleague kollege kollegin"
)
#: Eponyms after which MR is an image, and MS multiple sclerosis, however they are written.
_TECHNIQUE = {
    "mr": listed("dixon propeller doppler fourier lava lauenstein"),
    "ms": listed("dawson marburg balo devic schilder mcdonald uhthoff"),
}
#: Words before "MR" or "MS" that make a finding of it.
_FINDING_BEFORE = listed(
    "severe moderate mild trace trivial significant torrential ischaemic ischemic functional degenerative known cardiac"
    " fetal foetal contrast relapsing progressive stable query"
)
#: Words before "miss" that make a verb of it.
_VERB_BEFORE = listed(
    "not t to can could may might would will should must shall i we you they did do don dont didnt cannot never"
    " easily often please or also nearly don't didn't can't won't wouldn't couldn't shouldn't mustn't"
)
#: Words before "Frau" that make it "woman".
_WOMAN_BEFORE = listed(
    "jährige jährigen jaehrige alte alten ältere junge jungen schwangere schwangeren die der eine einer dieser"
)
_WOMAN = frozenset(("frau", "fru"))
#: Surnames that MR, even in one breath, makes an image of: "MR BRAIN", "MR LONG AXIS", "mr day 3".
_IMAGED = listed(
    "long short small day field case cases close sharp spring page pool flow cross major minor may march august"
    " good best little high stone stones summer winter price rooms street guard gates west east north south keys"
    " sunday monday friday wall"
)
#: "Mr-Carter"; but "MR-guided".
_JOINED = re.compile(r"(?:Mrs?|Ms|Dr|Prof)-(?=[^\W\d_])")
_SIMPLE = frozenset(("mr", "mrs", "ms", "miss", "mister"))
_WITH_INITIAL_ALONE = listed("mr mrs ms miss dr prof frau herr mme")
_PERSONS = listed(
    "baby nurse sister father sir lord lady dame master matron midwife captain capt sergeant sgt pastor reverend rev"
)
#: Titles that are words of their own in lower case: only a name of the lists follows one in lower case.
_NAMES_ONLY = _PERSONS | listed(
    "frau herr fru doctor doktor docteur professor professeur monsieur madame mademoiselle madam señor señora señorita"
    " senor senora senhor senhora signore signora dottore dottoressa doctora doctors infant twin familie dona don"
)
_ALSO_SURNAMES = listed("lord master dame baby nurse pan dona don colonel father")


@dataclass(frozen=True)
class Title:
    """A row of titles.csv: ``doubtful`` are the writings in which the word has another meaning.

    ``rule`` is ``"dot"`` (only with a dot), ``"capital"`` (only with a capital, before one), ``"several"`` (a list of
    names follows) or nothing.
    """

    word: str
    doubtful: frozenset[Shape]
    rule: str


@cache
def titles() -> dict[str, Title]:
    """Titles by their word in lower case."""
    return {
        row["title"]: Title(row["title"], frozenset(Shape(shape) for shape in row["doubtful"].split()), row["rule"])
        for row in read_table("titles.csv")
    }


def is_title(token: Token) -> bool:
    """Whether a token is the word of a title."""
    return token.low in titles()


def titled_names(reader: Reader) -> Iterator[Span]:
    """Each name that stands after a title, without the title."""
    known = titles()
    for index, token in enumerate(reader.tokens):
        if token.kind != "word":
            continue
        if token.low in known:
            yield from _Said(reader, index, known[token.low]).names()
        elif (joined := _JOINED.match(token.text)) is not None and token.text[joined.end()].isupper():
            yield Span(token.start + joined.end(), token.end, "name")


class _Said:
    """One title as it is written in a text."""

    def __init__(self, reader: Reader, index: int, title: Title) -> None:
        self.reader, self.words, self.title = reader, reader.words, title
        self.index, self.token = index, reader.tokens[index]
        self.shape = self.token.shape
        self.doubtful = self.shape in title.doubtful or self.shape is Shape.INITIAL
        self.before = reader.low(index - 1)

    def names(self) -> Iterator[Span]:
        """The name after the title, and those that are listed with it."""
        tokens = self.reader.tokens
        first = self._first()
        end = None if first is None else self._end(first)
        while first is not None and end is not None:
            yield Span(tokens[first].start, tokens[end - 1].end, "name")
            first = self._listed(end)
            end = None if first is None else self.reader.rest(first + 1, tokens[first])

    def _first(self) -> int | None:
        """The index at which the name would begin, None where the title is none."""
        reader, title = self.reader, self.title
        before = reader.at(self.index - 1)
        if before is not None and before.kind == "number" and self.token.gap < 2 and title.word != "baby":
            return None  # 80 ms, 8 Fr, 24 hr
        if title.word in _WOMAN and self.before.rpartition("-")[2] in _WOMAN_BEFORE:
            return None
        if self.shape is Shape.NONE or (self.shape is Shape.INITIAL and title.rule != "dot"):
            return None
        at = self.index + 1
        dot = reader.low(at) == "." and reader.tokens[at].gap == 0
        if title.rule == "dot" and not dot and not self._name_follows(at):
            return None
        at += dot
        for _ in range(8):
            word, dotted = reader.low(at), reader.low(at + 1) == "."
            if word not in _BETWEEN or not (dotted or len(word) > 2 or reader.tokens[at].gap == 0):
                break
            at += 1 + dotted
        return at if at < len(reader.tokens) else None

    def _name_follows(self, index: int) -> bool:
        """ "Fr Meier": without its dot, what may be a title is one before a name of the lists."""
        following = self.reader.word(index)
        return self.shape is Shape.TITLE and following is not None and self.words.is_name(following.low)

    def _end(self, first: int) -> int | None:
        """The index after a name that begins at ``first``, or None where it is no name."""
        reader = self.reader
        token = reader.tokens[first]
        if token.kind != "word" or (is_title(token) and not self._title_as_surname(token)):
            return None
        at = reader.initials(first)
        if at == first and self._undotted_initials(token) and reader.surname(first + 1):
            at += 1
        if at > first:
            return self._end_after_initials(first, at)
        at = reader.particles(first)
        one = reader.word(at)
        particles_fit = one is not None and (one.shape is not Shape.LOWER or self.shape is Shape.LOWER)
        for start in (at, first) if particles_fit else (first,):
            if self._accepts(start):
                return reader.rest(start + 1, reader.tokens[start])
        return None

    def _undotted_initials(self, token: Token) -> bool:
        """ "Dr AB Smith"."""
        if token.shape is not Shape.UPPER or len(token.low) > 3 or token.low in self.words.never:
            return False
        return not self.doubtful or not self.words.is_ordinary(token.low)

    def _end_after_initials(self, first: int, at: int) -> int | None:
        reader = self.reader
        after = reader.particles(at)
        one = reader.word(after)
        if one is not None and one.gap < 2 and (one.shape is not Shape.LOWER or after > at) and self._accepts(after):
            return reader.rest(after + 1, one)
        if self.doubtful or self.title.word not in _WITH_INITIAL_ALONE:
            return None
        return None if reader.tokens[first].low in "lrx" and at - first < 3 else at

    def _accepts(self, index: int) -> bool:
        """Whether the word at an index is the name of the one who has the title."""
        token, title = self.reader.tokens[index], self.title
        low, shape = token.low, token.shape
        if token.kind != "word" or shape in (Shape.NONE, Shape.INITIAL) or self._in_phrase(index):
            return False
        if title.rule == "capital" and (shape is Shape.LOWER or self.shape is not Shape.TITLE):
            return False
        if shape is Shape.LOWER:
            return self._accepts_lower(index, low)
        if self.doubtful:
            return self._accepts_doubtful(index, low)
        if shape is Shape.UPPER and self.shape is Shape.TITLE and len(low) < 5:
            return not self.words.is_ordinary(low)
        if shape is Shape.TITLE and self.shape is Shape.TITLE and title.word in _SIMPLE:
            return low not in ("and", "or")
        if low in self.words.never:  # "Dr Le", but not "the Dr. Please …"
            return len(low) == 2 and shape is Shape.TITLE and self.reader.tokens[index - 1].text != "."
        return True

    def _accepts_doubtful(self, index: int, low: str) -> bool:
        """A word with a capital after what may be a title."""
        words, title, token = self.words, self.title, self.reader.tokens[index]
        if low in words.never:
            return False
        if words.is_name(low):
            return True
        if title.word in ("mr", "ms", "mrs") and self.shape is Shape.UPPER and self.before in _FINDING_BEFORE:
            return False
        if title.word == "miss" and self.before in _VERB_BEFORE:
            return False
        if words.is_eponym(low):
            return self._accepts_eponym(index, low)
        if words.is_ordinary(low):
            return self._accepts_ordinary(index, low)
        if token.shape is Shape.UPPER:
            return len(low) > (2 if self.shape is Shape.UPPER else 4)
        return True

    def _accepts_ordinary(self, index: int, low: str) -> bool:
        """ "Baby Stone", "MRS LONG"; but "MRS LONG TE" is spectroscopy."""
        if low not in self.words.also_names or self.reader.low(index + 1) in ("te", "tr", "echo", "axis"):
            return False
        if self._surname_after_mr(index, low):
            return True
        if self.title.word == "mrs":
            return low not in self.words.body and self.reader.tokens[index].shape is self.shape
        return self.title.word in _PERSONS and self.reader.tokens[index].shape is self.shape is Shape.TITLE

    def _surname_after_mr(self, index: int, low: str) -> bool:
        """ "mr hall", "MR GREEN": everyday words that no one images."""
        if self.title.word not in ("mr", "ms", "mrs", "dr") or self.reader.tokens[index].shape is not self.shape:
            return False
        owner = self.before in ("of", "for", "re", "patient", "pt", "on", "by") or self.reader.possessive(index + 1)
        return (low not in _IMAGED and low not in self.words.body) or (
            owner and low in ("stone", "stones", "day", "long", "summer", "winter")
        )

    def _accepts_eponym(self, index: int, low: str) -> bool:
        if low in _TECHNIQUE.get(self.title.word, ()) or self.reader.names_a_thing(index) or self.title.word == "m":
            return False
        owner = self.reader.possessive(index + 1)
        alike = self.reader.tokens[index].shape is self.shape
        if alike and self.title.word in _PERSONS:
            return True
        return owner or self.shape is Shape.LOWER or (alike and self.words.is_common_eponym(low))

    def _accepts_lower(self, index: int, low: str) -> bool:
        words, title = self.words, self.title
        if words.is_name(low):
            return True
        if low in words.never or len(low) < 2 or self.shape is Shape.UPPER:
            return False
        if title.word == "miss" and self.before in _VERB_BEFORE:
            return False
        if self.doubtful and title.word in ("mr", "ms") and self.before in _FINDING_BEFORE:
            return False
        if title.word in _NAMES_ONLY:
            return False
        if words.is_eponym(low):
            return low not in _TECHNIQUE.get(title.word, ()) and not self.reader.names_a_thing(index)
        if words.could_be_name(low):
            return True
        return low in words.also_names and (not self.doubtful or self._surname_after_mr(index, low))

    def _in_phrase(self, index: int) -> bool:
        """ "Sister Mary Joseph nodule", "Lady Windermere syndrome"; but "Mr Austin Moore" is a man."""
        return self.doubtful and self.reader.in_phrase(index)

    def _title_as_surname(self, token: Token) -> bool:
        return token.low in _ALSO_SURNAMES and token.shape is self.shape is Shape.TITLE

    def _listed(self, end: int) -> int | None:
        """The index of a further name: "Drs Khan & Patel", "Dr Khan and Patel", "Dr Khan/Patel"."""
        reader, words = self.reader, self.words
        link, following = reader.at(end), reader.word(end + 1)
        if link is None or following is None or link.gap > 1 or is_title(following):
            return None
        several = self.title.rule == "several"
        linked = (
            link.text in ("&", "/", "+") or link.low in ("and", "und", "et", "y", "e") or (link.text == "," and several)
        )
        if not linked:
            return None
        if words.is_name(following.low):
            return end + 1
        if following.shape not in (Shape.TITLE, Shape.UPPER) or following.low in words.never:
            return None
        fits = not words.is_ordinary(following.low) if several else words.could_be_name(following.low)
        return end + 1 if fits else None
