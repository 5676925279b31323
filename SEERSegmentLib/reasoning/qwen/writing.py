"""Who chooses the next token of one reply: the model alone, or the model within a skeleton.

A writer is told the model's greedy choice and says which token is written. It knows nothing of tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

__all__ = ["FreeWriter", "SkeletonWriter", "Writer"]


class Writer(Protocol):
    """One reply as it grows: ``ids`` are its tokens, without the one that ends it."""

    ids: list[int]
    finish: str

    def write(self, choice: int) -> int:
        """Take the model's choice; returns the token that is written, to be read by the model next."""
        ...


class FreeWriter:
    """Greedy decoding: every choice is taken.

    Parameters
    ----------
    ends : collection of int
        Tokens that end a reply.
    most : int
        Tokens that may be chosen, the ending one included. A reply cut off by this has ``finish`` ``"length"``, one
        that ended ``"stop"``, one that still grows an empty one.
    """

    def __init__(self, ends: Collection[int], most: int) -> None:
        self.ids: list[int] = []
        self.finish = ""
        self._ends, self._most = ends, most

    def write(self, choice: int) -> int:
        """Take the model's choice."""
        if choice in self._ends:
            self.finish = "stop"
            return choice
        self.ids.append(choice)
        if len(self.ids) >= self._most:
            self.finish = "length"
        return choice


class SkeletonWriter:
    """Writes the fixed texts itself and lets the model write between them.

    Parameters
    ----------
    pieces : sequence of (fixed text, most tokens to be chosen after it)
        No fixed text is empty.
    tokens : callable
        Text → its tokens.
    cut : callable
        Token → None where the model may write it; else what comes before the forbidden part of it. That is written
        together with the next piece, which begins there.
    most : int
        Tokens of the whole reply. Where the pieces' own limits come to more, the later ones get less; the fixed texts
        are always written.
    """

    def __init__(
        self,
        pieces: Sequence[tuple[str, int]],
        tokens: Callable[[str], Sequence[int]],
        cut: Callable[[int], str | None],
        most: int,
    ) -> None:
        self.ids: list[int] = []
        self.finish = ""
        self._pieces = list(pieces)
        self._tokens, self._cut = tokens, cut
        self._fixed: list[int] = []
        self._free = 0
        self._spare = most - sum(len(tokens(text)) for text, _ in pieces)
        self._begin("")

    def write(self, choice: int) -> int:
        """Take the model's choice where it is free to choose."""
        if not self._fixed:
            before = self._cut(choice)
            if before is None:
                self._fixed = [choice]
                self._free -= 1
                self._spare -= 1
            else:
                self._begin(before)
        if not self._fixed:  # the last piece let the model write, and it is done
            self.finish = "stop"
            return choice
        written = self._fixed.pop(0)
        self.ids.append(written)
        if not self._fixed and not self._free:
            self._begin("")
            self.finish = "" if self._fixed else "stop"
        return written

    def _begin(self, before: str) -> None:
        """Go on to the next piece, if there is one."""
        self._free = 0
        if self._pieces:
            text, free = self._pieces.pop(0)
            self._fixed = list(self._tokens(before + text))
            self._free = min(free, max(self._spare, 0))
