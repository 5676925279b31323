"""From text to clauses of items: cut, mend the spelling, look up, see the headers."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from .clauses import Clause, Role, Span, cut
from .describe import load_descriptions
from .ellipsis import share_words
from .items import Item, correct_tokens, read_items
from .lexicon import Lexicon, load_lexicon
from .spelling import Speller
from .steering import tagged
from .text import Token, tokenise

__all__ = ["read_clauses", "speller"]

MANY_TOKENS = 600
"""Up to here every word's spelling is mended; in a longer text only that of clauses near its ends or that ask."""

MANY_CLAUSES = 200
"""A longer text is read in full only at its ends; between, clauses that ask for something are looked for."""


@cache
def speller(*, bold: bool = False) -> Speller:
    """The speller over the lexicon and the words of the descriptions."""
    return Speller(load_lexicon(), load_descriptions().words, bold=bold)


def read_clauses(text: str, lexicon: Lexicon, speller: Speller) -> tuple[list[Clause], list[str]]:
    """Clauses of a text, roles not yet told, and what was mended."""
    tokens = tokenise(text)
    notes: list[str] = []
    short = len(tokens) <= MANY_TOKENS
    if short:
        tokens, notes = correct_tokens(tokens, lexicon, speller)
    spans = cut(tokens)
    clauses: list[Clause] = []
    header, paragraph, asking = "", -1, 0
    marked_up = tagged(text)
    edge = len(spans) - MANY_CLAUSES // 2
    for number, span in enumerate(spans):
        own = tokens[span.start : span.end]
        if MANY_CLAUSES // 2 <= number < edge:
            if asking >= MANY_CLAUSES // 4 or not _may_ask(own, lexicon):
                continue
            asking += 1
        if not short and (number >= len(spans) - 2 or number < 1):
            own, mended = correct_tokens(own, lexicon, speller)
            notes += mended
        items = share_words(read_items(text, own, lexicon), lexicon)
        if span.paragraph != paragraph:
            paragraph, header = span.paragraph, ""
        found, skip = _header(items)
        if found:
            header = found
            items = items[skip:]
        if not items:
            continue
        if any(start <= own[0].start < end for start, end in marked_up):
            span = replace(span, tagged=True)
        clauses.append(Clause(_words(text, own), tuple(items), Role.CONTEXT, "", _under(span, header)))
    return clauses, list(dict.fromkeys(notes))


def _may_ask(tokens: list[Token], lexicon: Lexicon) -> bool:
    for at, token in enumerate(tokens):
        if token.kind == "cjk":
            if any(term in token.norm for term in lexicon.cjk_asks):
                return True
        elif token.is_word:
            found = lexicon.match(tokens, at)
            if found and any(s.kind == "ask" and s.value != "weak" for s in found[1]):
                return True
    return False


def _under(span: Span, header: str) -> Span:
    return replace(span, header=header)


def _header(items: list[Item]) -> tuple[str, int]:
    """A header at the beginning ("HISTORY:", "My request:"): what it opens, and how many items it takes."""
    for at, item in enumerate(items[:7]):
        if item.text in (":", "\uff1a") and at:
            values = [i.value("header") for i in items[:at] if "header" in i.kinds]
            if values and not any(i.names_anatomy for i in items[:at]):
                return ("request" if "request" in values else values[0]), at + 1
            return "", 0
    return "", 0


def _words(text: str, tokens: list[Token]) -> str:
    return text[tokens[0].start : tokens[-1].end]
