"""Items: a text read against the lexicon, term by term, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from ...anatomy.tables import read_rows
from .counted import Counted
from .levels import counted_at
from .lexicon import Disease, Lexicon, Ref, Sense
from .misheard import misheard, spells_level
from .spelling import Speller
from .text import Token, word_set

__all__ = ["Item", "correct_tokens", "read_items"]

MANY_UNKNOWN = 60
"""Unknown words in one piece of text up to which each is looked at for an error."""

_ACRONYM = 5
"""Letters up to which a word in capitals, among others that are not, is an abbreviation and no typing error (TAVI)."""

_APOSTROPHES = frozenset("'\u2019\u02bc")
_MR_WORDS = word_set(
    "weighted weighting w wi signal hyperintense hypointense hyperintensity flair image images sequence",
    "mapping map bright dark post pre fs fat sat hyperintensities contrast gad gd n0 n1 n2 n3 m0 m1 tse fse",
    "space dixon tumour tumor tumours ca cancer carcinoma squamous adenocarcinoma primary staged",
)


@dataclass(frozen=True, slots=True)
class Item:
    """A term found in the text, a punctuation mark, or a word that no table has.

    Attributes
    ----------
    start, end : int
        Tokens.
    text : str
        As typed.
    norm : str
    senses : tuple[Sense, ...]
        Every meaning the tables give the term; one term can be a relation and a negation word at once.
    plural : bool
        Read as a plural of the term.
    counted : Counted or None
        Vertebrae, ribs or discs given by number.
    """

    start: int
    end: int
    text: str
    norm: str
    senses: tuple[Sense, ...] = ()
    plural: bool = False
    counted: Counted | None = None
    mark: bool = False
    kinds: frozenset[str] = field(default_factory=frozenset)

    def sense(self, kind: str) -> Sense | None:
        """The first sense of a kind, if the item has one."""
        if kind not in self.kinds:
            return None
        return next((sense for sense in self.senses if sense.kind == kind), None)

    def value(self, kind: str) -> str:
        found = self.sense(kind)
        return found.value if found else ""

    @property
    def refs(self) -> tuple[Ref, ...]:
        """What the item names, as a structure."""
        found = self.sense("structure") or self.sense("adjective")
        return found.refs if found else ()

    @property
    def disease(self) -> Disease | None:
        found = self.sense("disease")
        return found.disease if found else None

    @property
    def names_anatomy(self) -> bool:
        return self.counted is not None or bool(self.kinds & {"structure", "outside"})


def correct_tokens(tokens: Sequence[Token], lexicon: Lexicon, speller: Speller) -> tuple[list[Token], list[str]]:
    """Tokens with errors of typing and dictation mended, and what was mended, in words."""
    mended: list[Token] = []
    notes: list[str] = []
    guesses = 0
    mixed = any(t.text.islower() and len(t.text) > 2 for t in tokens)
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind != "word" or not token.norm.isascii():
            mended.append(token)
            at += 1
            continue
        near = [*mended[-3:], *tokens[at : at + 8]]
        if heard := misheard(near, min(3, len(mended)), lexicon):
            end, words = at + heard[0], heard[1]
            mended += words
            notes.append(f"“{words[0].text}” read as “{' '.join(word.norm for word in words)}”")
            at = end
            continue
        found = lexicon.match(tokens, at)
        if found and found[0] > at + 1:  # a term of several words needs no mending
            mended.extend(tokens[at : found[0]])
            at = found[0]
            continue
        joined = _joined(tokens, at, speller)
        if joined and not spells_level(tokens, joined[0] - 1):
            end, word = joined
            typed = " ".join(t.text for t in tokens[at:end])
            mended.append(replace(token, text=typed, norm=word, end=tokens[end - 1].end))
            if typed.replace(" ", "").casefold() != word:
                notes.append(f"“{typed}” read as “{word}”")
            at = end
            continue
        if mixed and token.text.isupper() and len(token.norm) <= _ACRONYM:
            mended.append(token)
            at += 1
            continue
        guesses += not speller.known(token.norm)
        if guesses > MANY_UNKNOWN:  # not a text with errors, but one in another language, or noise
            mended.append(token)
            at += 1
            continue
        meant = _beside(tokens, at, speller) or speller.correct(token.norm) or _rib_misheard(tokens, at)
        if meant:
            notes.append(f"“{token.text}” read as “{meant}”")
            mended.append(replace(token, norm=meant))
        else:
            mended.append(token)
        at += 1
    return mended, notes


def _joined(tokens: Sequence[Token], at: int, speller: Speller) -> tuple[int, str] | None:
    for count in (3, 2):
        group = tokens[at : at + count]
        if len(group) == count and all((t.kind == "word" and not t.newline) or t is group[0] for t in group):
            word = speller.joined([t.norm for t in group])
            if word:
                return at + count, word
    return None


def _beside(tokens: Sequence[Token], at: int, speller: Speller) -> str | None:
    """What a word of no table must be to make a name with the word before or after it."""
    for step in (1, -1):
        place = at + step
        if 0 <= place < len(tokens) and tokens[place].kind == "word":
            other = tokens[place].norm
            other = speller.correct(other) or other
            if found := speller.partner(tokens[at].norm, other, step == 1):
                return found
    return None


def _rib_misheard(tokens: Sequence[Token], at: int) -> str | None:
    """Three letters are too few for a guess, except next to a number: "seventh rid"."""
    token = tokens[at]
    near = [t.norm for t in (*tokens[max(0, at - 1) : at], *tokens[at + 1 : at + 2])]
    numbered = any(n.rstrip("stndrh").isdigit() or n in _ORDINALS for n in near)
    if numbered and token.norm in ("rid", "rip", "rib", "ribb", "rbi", "ribe", "rips"):
        return "rib"
    return None


_ORDINALS = word_set("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth last lowest")


_UNITS = word_set("mm cm ml l cc g kg mg mgy gy hu m s ms t kv ma pa")

_ENGLISH_TOO = word_set(
    "bras crane dents denture fuss gorge liquor lunge mama mao os pele pie radio rate rein reins rene rim sigma testa",
    "trapeze visage wade labyrinth cara couturier bassinet",
)
"""Names in other languages that are English words too: they count where that language is written, or alone."""

_A_FEW = 3
_OF_AN_AXIS = ("al", "ic", "ous", "ac", "long", "short", "portal")

_SHORT_WORDS = word_set(
    "a an am as at be by do go he hi if in is it me my no of on or so to up us we the and for are was has had",
    "can may all out low pain la le les el los las un una uno il lo i gli al de du des da das do dos der die",
    "den ist im et y e o ou os em na ne ma se si su te tu va pa ti con per por sin sur ad ex ta met add aim",
    "sat ant post cap bad bar mid man men her his",
)
"""Everyday words of the languages read here: an abbreviation spelled like one counts only in capitals (ON, LA, PA)."""


def read_items(text: str, tokens: Sequence[Token], lexicon: Lexicon) -> list[Item]:
    """Read tokens against the lexicon: the longest term at each place, counted levels before plain terms."""
    tokens = [piece for t in tokens for piece in (lexicon.split_cjk(t) if t.kind == "cjk" else (t,))]
    active = {lexicon.languages[t.norm] for t in tokens if t.norm in lexicon.languages and t.norm not in _ENGLISH_TOO}
    items: list[Item] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if not token.is_word:
            items.append(Item(at, at + 1, token.text, "", mark=True))
            at += 1
            continue
        found = lexicon.match(tokens, at)
        if found and found[0] - at > 1:
            found = _up_to_a_count(tokens, at, found, lexicon)
        counted = counted_at(tokens, at, lexicon)
        if counted and (counted.end < (found[0] if found else 0) or _not_a_level(tokens, at, counted)):
            counted, found = None, found if found and found[0] > at + 1 else None
        nothing: tuple[int, list[Sense], bool] = (counted.end if counted else at + 1, [], False)
        end, senses, plural = found if found and not counted else nothing
        kept = tuple(s for s in senses if _active(s, tokens, at, end, active))
        if plural:
            kept = tuple(
                s for s in kept if s.kind not in ("ask", "nonask", "rel", "side", "not", "only", "except", "cause")
            )
        items.append(
            Item(
                at,
                end,
                text[token.start : tokens[end - 1].end],
                " ".join(t.norm for t in tokens[at:end] if t.is_word),
                kept,
                plural,
                counted,
                kinds=frozenset(s.kind for s in kept),
            )
        )
        at = end
    return items


def _up_to_a_count(
    tokens: Sequence[Token], at: int, found: tuple[int, list[Sense], bool], lexicon: Lexicon
) -> tuple[int, list[Sense], bool] | None:
    """ "right ribs 5 to 8": a term gives way to levels that begin inside it and go on after it."""
    for inner in range(at + 1, found[0]):
        counted = counted_at(tokens, inner, lexicon)
        if counted is not None and counted.end > found[0]:
            return lexicon.match(tokens[:inner], at)
    return found


def _not_a_level(tokens: Sequence[Token], at: int, counted: Counted) -> bool:
    """T1 and T2 are MR weightings too, T3 N0 a tumour stage."""
    following = next((t.norm for t in tokens[counted.end : counted.end + 2] if t.is_word), "")
    return tokens[at].norm in ("t1", "t2", "t3", "t4") and following in _MR_WORDS


@cache
def _romance_sides() -> frozenset[str]:
    """Words for sides in Italian, Spanish, Portuguese and Latin."""
    return frozenset(row["term"] for row in read_rows("sides.csv") if row["language"] in ("it", "es", "pt", "la"))


_LATIN_SIDES = frozenset({"dx", "sin"})


def _active(sense: Sense, tokens: Sequence[Token], start: int, end: int, languages: set[str]) -> bool:
    """Whether a short word of another language means what it means there: only where that language is written."""
    first = tokens[start]
    if end - start == 1 and len(first.norm) == 1 and first.kind == "word":
        following = tokens[end] if end < len(tokens) else None
        if following is not None and following.text in _APOSTROPHES and not following.spaced:
            return False  # French l', d'
    if end - start == 1 and first.norm == "axis" and start and tokens[start - 1].norm.endswith(_OF_AN_AXIS):
        return False  # "splenoportal axis", "long axis"
    if end - start == 1 and first.norm in _ENGLISH_TOO and sense.language not in ("en", "la", *languages):
        sided = any(t.norm in _romance_sides() for t in tokens[end : end + 2])
        return sided or len(tokens) <= _A_FEW  # "metabolic rate" is no spleen
    if sense.kind in ("structure", "outside", "disease"):
        if end - start == 1 and first.norm in _UNITS and start and tokens[start - 1].norm[-1:].isdecimal():
            return False  # "182 ml" is no middle lobe
        return not (end - start == 1 and first.norm in _SHORT_WORDS and not first.text.isupper())
    if sense.language in ("en", "la", "zh", "ja"):
        return True
    if end - start == 1 and first.norm in _LATIN_SIDES and (end == len(tokens) or tokens[end].text in ".,;)"):
        return start > 0  # "os femoris dx", "a. subclavia, sin."
    word = " ".join(t.norm for t in tokens[start:end])
    return len(word) > 4 or sense.language in languages
