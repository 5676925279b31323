"""How far a name goes: from its first word over initials, particles and further surnames, and no word further."""

from __future__ import annotations

from collections.abc import Sequence

from .tokens import Shape, Token
from .words import Words, listed, plain

__all__ = ["Reader"]

_PARTICLES = listed(
    "van von vom vander der den de del della dello dei degli delle di da das do dos du des d' la le las los lo y"
    " e i zu zum zur af av ter ten te 't op bin bint ibn ben abu al el ul ur il san santa sant mac mc st o ó ní"
    " nic ap"
)
_SUFFIXES = listed("jr jnr junior snr ii iii iv esq esquire")
_SIDES = frozenset("lr")
_MOST_WORDS = 6
_MOST_PARTICLES = 4
_MOST_INITIALS = 8


class Reader:
    """Reads names among tokens."""

    def __init__(self, tokens: Sequence[Token], words: Words) -> None:
        self.tokens = tokens
        self.words = words
        self._in_phrases = self._phrases()

    def at(self, index: int) -> Token | None:
        """The token of an index, None beyond the ends."""
        return self.tokens[index] if 0 <= index < len(self.tokens) else None

    def word(self, index: int) -> Token | None:
        """The token of an index if it is a word."""
        token = self.at(index)
        return token if token is not None and token.kind == "word" else None

    def low(self, index: int) -> str:
        """The token of an index in lower case, empty beyond the ends."""
        token = self.at(index)
        return "" if token is None else token.low

    def possessive(self, index: int) -> bool:
        """Whether the token of an index is a possessive s, or the apostrophe of one."""
        token = self.at(index)
        return token is not None and token.gap == 0 and (token.kind == "possessive" or token.text == "'")

    def in_phrase(self, index: int) -> bool:
        """Whether a token is part of words that belong together and name nobody ("Austin Moore")."""
        return index in self._in_phrases

    def names_a_thing(self, index: int) -> bool:
        """Whether what follows a word makes an eponym of it: "disease", "'s canal"."""
        token = self.at(index + 1)
        if token is None or token.gap > 1:
            return False
        if self.possessive(index + 1) or token.text == "-":
            token = self.at(index + 2)
        return token is not None and token.kind == "word" and token.low in self.words.after_eponym

    def surname(self, index: int) -> bool:
        """Whether a word with a capital can be the surname after a given name or initials."""
        token = self.word(index)
        if token is None or token.shape not in (Shape.TITLE, Shape.UPPER) or token.low in self.words.never:
            return False
        if self.in_phrase(index):
            return False
        low = token.low
        if self.words.is_name(low) or self.words.could_be_name(low):
            return True
        if low in self.words.body and token.shape is Shape.UPPER:
            return False
        return (self.words.is_common_eponym(low) or low in self.words.also_names) and not self.names_a_thing(index)

    def initials(self, index: int) -> int:
        """The index after initials ("J.R.", "J R"); the same index where there are none."""
        end = index
        while end - index < _MOST_INITIALS and (token := self.word(end)) is not None and token.shape is Shape.INITIAL:
            if (after := self.at(end + 1)) is not None and after.gap == 0 and after.kind == "number":
                break  # T2
            dot = after is not None and after.text == "." and after.gap == 0
            end += 2 if dot else 1
        return end

    def particles(self, index: int) -> int:
        """The index after particles ("van der", "O'"); the same index where there are none."""
        end = index
        while end - index < _MOST_PARTICLES and (token := self.word(end)) is not None and token.low in _PARTICLES:
            if token.shape is Shape.INITIAL and self.low(end + 1) == ".":
                break
            end += 1
            if self.low(end) in ("'", "-", ".") and self.tokens[end].gap == 0:
                end += 1
        return end

    def rest(self, index: int, first: Token) -> int:
        """The index after the last word of a name whose first word stands before ``index``."""
        return self._after_comma(self._along(index, first), first)

    def _along(self, index: int, first: Token) -> int:
        """As :meth:`rest`, without a given name after a comma."""
        end = index
        for _ in range(_MOST_WORDS):
            further = self._further(end, first)
            if further == end:
                break
            end = further
        return end

    def _further(self, index: int, first: Token) -> int:
        token = self.at(index)
        if token is None or token.gap > 1:
            return index
        if (
            token.text == "-"
            and token.gap == 0
            and (following := self.word(index + 1)) is not None
            and not following.gap
        ):
            return index + 2 if self._goes_on(index + 1, first) else index
        if token.kind != "word":
            return index
        if token.low in _SUFFIXES:
            return index + 1 + (self.low(index + 1) == ".")
        if token.shape is Shape.INITIAL and token.low not in ("o", "y", "e"):
            return self._middle_initial(index, first)
        after = self.particles(index)
        if after > index:
            one = self.word(after)
            return after + 1 if one is not None and one.gap < 2 and self._goes_on(after, first) else index
        return index + 1 if self._goes_on(index, first) else index

    def _middle_initial(self, index: int, first: Token) -> int:
        """ "John Q. Public", and "Smith J." whose initial is no side."""
        end = self.initials(index)
        if end == index:
            return index
        one = self.word(end)
        if one is not None and one.gap < 2:
            everyday = one.shape is Shape.TITLE and self.words.is_everyday(one.low) and self._after_given(index)
            if self.surname(end) or everyday:
                return end + 1
        side = self.tokens[index].low in _SIDES and end - index < 3
        return end if self.tokens[end - 1].text == "." and not side else index

    def _goes_on(self, index: int, first: Token) -> bool:
        """Whether a word belongs to the name that the word before it belongs to."""
        token = self.word(index)
        if token is None or token.low in self.words.never or self.names_a_thing(index):
            return False
        low, words = token.low, self.words
        lower = token.shape is Shape.LOWER
        if token.shape not in (Shape.LOWER, Shape.TITLE, Shape.UPPER) or lower != (first.shape is Shape.LOWER):
            return False
        if words.is_name(low):
            return True
        if words.could_be_name(low) and len(low) > 1:
            return not (token.shape is Shape.UPPER is not first.shape and len(low) < 4)  # "Smith CT"
        if not self._after_given(index):
            return False
        if token.shape is Shape.TITLE:
            return words.is_eponym(low) or low in words.also_names or words.is_everyday(low)
        return words.is_common_eponym(low) or (low in words.also_names and low not in words.body)

    def _after_given(self, index: int) -> bool:
        """Whether the word before an index is a given name."""
        return self.words.is_given_before_surname(self.low(index - 1))

    def _after_comma(self, index: int, first: Token) -> int:
        """ "Smith, John" and "SMITH, J."."""
        token, following = self.at(index), self.word(index + 1)
        if token is None or token.text != "," or following is None or following.gap > 1:
            return index
        if self.words.is_given_before_surname(following.low) and not self.names_a_thing(index + 1):
            alike = following.shape is not Shape.LOWER or (
                first.shape is Shape.LOWER and self.words.is_given(following.low)
            )
            return self._last_initial(self._along(index + 2, following)) if alike else index
        if first.shape is following.shape is Shape.UPPER and len(following.low) > 2 and self._goes_on(index + 1, first):
            return self._last_initial(self._along(index + 2, following))  # "O'CONNOR, SINEAD M"
        if following.shape is Shape.INITIAL and following.low not in _SIDES:
            end = self.initials(index + 1)
            return end if end > index + 1 and self.tokens[end - 1].text == "." else index
        return index

    def _last_initial(self, index: int) -> int:
        """ "SMITH, ROBERT J": an initial that ends a name written so needs no dot."""
        token = self.word(index)
        initial = token is not None and token.gap < 2 and token.shape is Shape.INITIAL and token.low not in _SIDES
        after = self.at(index + 1)
        return index + 1 if initial and (after is None or after.kind == "mark" or after.gap > 1) else index

    def _phrases(self) -> frozenset[int]:
        """The indices of tokens that are in a phrase."""
        known = self.words.phrases
        found: set[int] = set()
        for first, token in enumerate(self.tokens):
            for phrase in known.get(plain(token.low), ()):
                if all(plain(self.low(first + n)) == word for n, word in enumerate(phrase)):
                    found.update(range(first, first + len(phrase)))
        return frozenset(found)
