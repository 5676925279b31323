"""The screen: every rule over a text, until none finds anything more."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from .bare import bare_names, component_names, repeated_names
from .cued import cued_names
from .dates import find_dates
from .folding import blanked, fold
from .forms import find_forms
from .identifier import Identifier, Span, joined, replaced
from .labelled import labelled_numbers
from .naming import Reader
from .numbers import find_numbers
from .places import find_places
from .scripts import script_names
from .titled import titled_names
from .tokens import tokenise
from .words import load_words

__all__ = ["find_identifiers", "masked"]

#: What has been found may have hidden a neighbour: so often is looked again at most.
_MOST_ROUNDS = 8
_SHORTEST_REPEATED = 3


def find_identifiers(text: str) -> tuple[Identifier, ...]:
    """What in a text may tell who somebody is.

    A net, not a guarantee: docs/identifiers.md says what it looks for and what slips through. Its work is linear in the
    length of the text, and it raises nothing.

    Parameters
    ----------
    text : str
        A request, or any text.

    Returns
    -------
    tuple of Identifier
        In order, apart from each other. A placeholder of :func:`masked` is none.
    """
    folded = fold(text)
    found: list[Span] = []
    rest = folded.text
    named: set[str] = set()
    for _ in range(_MOST_ROUNDS):
        fresh = joined(_look(rest, named))
        if not fresh:
            break
        found += fresh
        named.update(word for span in fresh if span.kind == "name" for word in _words_of(rest[span.start : span.end]))
        rest = blanked(rest, fresh)
    identifiers = []
    for start, end, kind in joined(found):
        at, to = folded.place(start, end)
        identifiers.append(Identifier(kind, at, to, text[at:to]))
    return tuple(identifiers)


def masked(text: str, found: Sequence[Identifier] | None = None) -> str:
    """A text in which the kind of each identifier stands in its place: "Dr [name], MRN [record number]".

    Parameters
    ----------
    text : str
    found : sequence of Identifier, optional
        Those to take out: all that :func:`find_identifiers` finds, unless given.
    """
    return replaced(text, find_identifiers(text) if found is None else found)


def _words_of(name: str) -> Iterator[str]:
    """The words of a name by which it is known again elsewhere in the text."""
    return (token.low for token in tokenise(name) if token.kind == "word" and len(token.low) >= _SHORTEST_REPEATED)


def _look(text: str, named: Container[str]) -> list[Span]:
    """What each rule finds in a folded text, the surest rules first.

    ``named`` are the words of names that have been found in it already.
    """
    words = load_words()
    reader = Reader(tokenise(text), words)
    return [
        *find_forms(text),
        *find_dates(text),
        *labelled_numbers(text),
        *find_places(text),
        *find_numbers(text),
        *script_names(text),
        *component_names(text, words),
        *titled_names(reader),
        *cued_names(reader),
        *bare_names(reader),
        *repeated_names(reader, named),
    ]
