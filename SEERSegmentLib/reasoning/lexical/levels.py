"""Vertebrae, ribs and discs by number: "T12", "ribs 4 to 6", "L3/4", "the last two lumbar vertebrae", "第12胸椎"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ...values import Side
from .counted import COUNTS, SEQUENCE, Counted
from .lexicon import Lexicon
from .text import Token, word_set

__all__ = ["counted_at"]

_CODE = re.compile(r"(c|th|t|d|l|s|hwk|bwk|lwk|swk|hw|bw|lw|vc|vt|vl)(\d{1,2})")
_LETTERS = {"c": "C", "t": "T", "th": "T", "d": "T", "l": "L", "s": "S", "hwk": "C", "bwk": "T", "lwk": "L", "swk": "S",
            "hw": "C", "bw": "T", "lw": "L", "vc": "C", "vt": "T", "vl": "L"}  # fmt: skip
_RANGE_WORDS = word_set("to through thru bis a till hasta ate until up 至 到 から")
_RANGE_PAIRS = frozenset({"down to", "up to", "through to", "thru to", "on to", "all to", "jusqu a", "bis zu"})
_RANGE_MARKS = frozenset("-\u2010\u2011\u2012\u2013\u2014~\uff5e\u301c")
_LIST_WORDS = word_set("and und et y e plus 和 与 と および")
_UNITS = word_set("mm cm ml cc year years yr yrs week weeks month months day days hours x hu kg percent")
_MAX_LIST = 24
_NOUN, _NUMBER, _SPAN = frozenset({"levelnoun"}), frozenset({"ord", "card", "roman"}), frozenset({"span"})


def counted_at(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> Counted | None:
    """Levels that begin at a token, or None."""
    norm = tokens[at].norm
    if not (norm[-1:].isdecimal() or norm[:1].isdecimal() or norm in _LETTERS or lexicon.begins_count(norm)):
        return None
    return (
        _named_span(tokens, at, lexicon)
        or _sided_rib(tokens, at, lexicon)
        or _codes(tokens, at, lexicon)
        or _numbers_then_noun(tokens, at, lexicon)
        or _noun_then_numbers(tokens, at, lexicon)
    )


# ------------------------------------------------------------------------------------------------- T12, L3/4, T10-12


def _named_span(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> Counted | None:
    """ "floating ribs", "thoracolumbar junction": levels that have a name together."""
    found = lexicon.match(tokens, at, _SPAN)
    value = next((s.value for s in found[1] if s.kind == "span"), "") if found else ""
    if not found or not value:
        return None
    kind, _, names = value.partition(":")
    return Counted(kind, tuple(names.split()), found[0], paired=kind == "rib")


_RIB_CODE = re.compile(r"(r|l)(\d{1,2})")


def _sided_rib(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> Counted | None:
    """ "R3 rib", "rib L7"."""
    step = at
    noun = _noun(tokens, at, lexicon)
    if noun and noun[1] == "rib":
        step = noun[0]
    if step >= len(tokens) or not (match := _RIB_CODE.fullmatch(tokens[step].norm)):
        return None
    end = step + 1
    if step == at:
        after = _noun(tokens, end, lexicon)
        if after is None or after[1] != "rib":
            return None
        end = after[0]
    side = Side.RIGHT if match[1] == "r" else Side.LEFT
    number = int(match[2])
    real = 1 <= number <= COUNTS["rib"]
    return Counted("rib", (str(number),) if real else (), end, () if real else (str(number),), side=side)


def _code(tokens: Sequence[Token], at: int) -> tuple[str, int, int, str] | None:
    """Region, number, next token and the letters as written."""
    if at >= len(tokens) or tokens[at].kind != "word":
        return None
    norm = tokens[at].norm
    if match := _CODE.fullmatch(norm):
        return _LETTERS[match[1]], int(match[2]), at + 1, match[1]
    if norm in _LETTERS and len(norm) <= 3:
        step = at + 1
        if step < len(tokens) and tokens[step].text in ("-", ".", " ") and not tokens[step].spaced:
            step += 1
        if (
            step < len(tokens)
            and tokens[step].norm.isdecimal()
            and len(tokens[step].norm) <= 2
            and not tokens[step].newline
        ):
            after = tokens[step + 1].norm if step + 1 < len(tokens) else ""
            if after not in _UNITS:
                return _LETTERS[norm], int(tokens[step].norm), step + 1, norm
    return None


def _codes(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> Counted | None:
    first = _code(tokens, at)
    if first is None:
        return None
    region, number, end, letters = first
    found: list[tuple[str, int]] = [(region, number)]
    slashed = ranged = False
    while end < len(tokens) and len(found) < _MAX_LIST:
        token = tokens[end]
        ranged_by_two = end + 2 < len(tokens) and f"{token.norm} {tokens[end + 1].norm}" in _RANGE_PAIRS
        step = end + 1 + ranged_by_two
        nxt = _code(tokens, step) or _bare_number(tokens, step, region)
        if nxt is None:
            break
        tight = not token.spaced
        if (token.text == "/" and nxt[1] == number + 1) or (token.text == "/" and nxt[0] != region):
            slashed = True
        elif token.text in _RANGE_MARKS or token.norm in _RANGE_WORDS or ranged_by_two:
            between = _between((region, number), nxt[:2])
            if between is None:
                break
            found += between
            ranged = True
        elif token.norm in _LIST_WORDS or token.text in "+,、，" or token.text == "/":
            if (
                token.text == ","
                and not tight
                and nxt[2] - end == 2
                and _code(tokens, end + 1) is None
                and _unit_after(tokens, nxt[2])
            ):
                break
        else:
            break
        region, number, end = nxt[0], nxt[1], nxt[2]
        found.append((region, number))
    end, noun = _noun_after(tokens, end, lexicon)
    if ((slashed or ranged) and noun == "disc" and len(found) == 2) or (slashed and len(found) == 2 and noun == ""):
        return _disc(found, end)
    if noun == "disc" and len(found) == 1:
        return None
    rib = _noun(tokens, end, lexicon)
    if rib and rib[1] == "rib" and {r for r, _ in found} == {"T"}:  # "T5 rib"
        return _counted("rib", [n for _, n in found], rib[0])
    return _vertebrae(found, end, letters)


def _bare_number(tokens: Sequence[Token], at: int, region: str) -> tuple[str, int, int, str] | None:
    token = tokens[at] if at < len(tokens) else None
    if token is None or token.kind != "word" or not token.norm.isdecimal() or len(token.norm) > 2:
        return None
    return None if _unit_after(tokens, at + 1) else (region, int(token.norm), at + 1, "")


def _unit_after(tokens: Sequence[Token], at: int) -> bool:
    return at < len(tokens) and (tokens[at].norm in _UNITS or tokens[at].text == "%")


def _between(first: tuple[str, int], last: tuple[str, int]) -> list[tuple[str, int]] | None:
    """Levels strictly between two; None where the second is not below the first."""
    names = [f"{r}{n}" for r, n in (first, last)]
    if names[0] not in SEQUENCE or names[1] not in SEQUENCE:
        return []
    low, high = SEQUENCE.index(names[0]), SEQUENCE.index(names[1])
    if high <= low:
        return None
    return [(name[0], int(name[1:])) for name in SEQUENCE[low + 1 : high]]


def _disc(found: list[tuple[str, int]], end: int) -> Counted:
    upper, lower = (f"{r}{n}" for r, n in found)
    if upper == "L5" or upper not in SEQUENCE:
        lower = "S1" if upper == "L5" else lower
    elif lower not in SEQUENCE or SEQUENCE.index(lower) != SEQUENCE.index(upper) + 1:
        following = SEQUENCE[SEQUENCE.index(upper) + 1]
        lower = following if found[1][1] == int(following[1:]) else lower
    real = upper in SEQUENCE and lower in SEQUENCE and SEQUENCE.index(lower) == SEQUENCE.index(upper) + 1
    name = f"{upper}/{lower}"
    return Counted("disc", (name,) if real and upper != "C1" else (), end, () if real else (name,))


def _vertebrae(found: list[tuple[str, int]], end: int, letters: str) -> Counted:
    names = list(dict.fromkeys(f"{r}{n}" for r, n in found))
    real = tuple(n for n in names if n in SEQUENCE)
    return Counted("vertebra", real, end, tuple(n for n in names if n not in SEQUENCE), letter_d=letters == "d")


# ---------------------------------------------------------------------------------- "twelfth thoracic", "ribs 4 to 6"


def _noun(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> tuple[int, str] | None:
    found = lexicon.match(tokens, at, _NOUN) if at < len(tokens) else None
    if found is None:
        return None
    end, senses, _ = found
    values = [s.value for s in senses if s.kind == "levelnoun"]
    return (end, values[0]) if values else None


def _noun_after(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> tuple[int, str]:
    """A noun that repeats what a code says ("T12 vertebral body", "L4/5 disc"), taken with it."""
    noun = _noun(tokens, at, lexicon)
    if noun and noun[1] in ("vertebra", "disc", "C", "T", "L", "S"):
        return noun
    if at < len(tokens) and tokens[at].norm in ("level", "body", "bodies", "levels"):
        return at + 1, "vertebra"
    return at, ""


def _number(tokens: Sequence[Token], at: int, lexicon: Lexicon, *, roman: bool) -> tuple[int, int, str] | None:
    """A number word, digit or Roman numeral: value (negative counts from the end), next token, kind."""
    if at >= len(tokens) or not tokens[at].is_word:
        return None
    norm = tokens[at].norm
    if norm.isdecimal() and len(norm) <= 2:
        end = at + 1
        if end < len(tokens) and tokens[end].text in (".", "\u00ba", "\u00aa", "\u00b0") and not tokens[end].spaced:
            end += 1
        return (int(norm), end, "digit") if int(norm) else None
    if match := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th|e|er|ere|eme|a|o)", norm):
        return int(match[1]), at + 1, "ord"
    found = lexicon.match(tokens, at, _NUMBER)
    if found is None:
        return None
    for kind in ("ord", "card", *(("roman",) if roman else ())):
        for sense in found[1]:
            if sense.kind == kind:
                return _from_its_end(tokens, int(sense.value), found[0], kind)
    return None


def _from_its_end(tokens: Sequence[Token], value: int, end: int, kind: str) -> tuple[int, int, str]:
    """ "second | lowest", "third | last": an ordinal that counts from one end."""
    after = tokens[end].norm if end < len(tokens) else ""
    if kind != "ord" or after not in _EDGES or value < 2:
        return value, end, kind
    return (value if _EDGES[after] else -value), end + 1, kind


def _number_list(
    tokens: Sequence[Token], at: int, lexicon: Lexicon, *, roman: bool
) -> tuple[list[int], int, str] | None:
    first = _number(tokens, at, lexicon, roman=roman)
    if first is None:
        return None
    numbers, end, kind = [first[0]], first[1], first[2]
    while end < len(tokens) and len(numbers) < _MAX_LIST:
        token = tokens[end]
        step = end + 1
        comma_and = token.text in ",、，" and step < len(tokens) and tokens[step].norm in _LIST_WORDS
        nxt = _number(tokens, step + comma_and, lexicon, roman=roman)
        if nxt is None or nxt[0] < 0:
            break
        if token.text in _RANGE_MARKS or token.norm in _RANGE_WORDS:
            if nxt[0] <= numbers[-1] or numbers[-1] < 0:
                break
            numbers += range(numbers[-1] + 1, nxt[0] + 1)
        elif token.norm in _LIST_WORDS or token.text in "+,、，/&":
            numbers.append(nxt[0])
        else:
            break
        end = nxt[1]
    return numbers, end, kind


def _numbers_then_noun(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> Counted | None:
    start = at
    if tokens[at].norm == "第":
        at += 1
    listed = _number_list(tokens, at, lexicon, roman=False)
    if listed is None:
        return _edge_span(tokens, at, lexicon)
    numbers, end, kind = listed
    inside = end
    while inside < len(tokens) and tokens[inside].norm in ("of", "the"):
        inside += 1
    if kind == "ord" and len(numbers) == 1 and (named := _named_span(tokens, inside, lexicon)):
        place = numbers[0] - 1 if numbers[0] > 0 else len(named.levels) + numbers[0]
        if 0 <= place < len(named.levels):  # "the last floating rib"
            return replace(named, levels=(named.levels[place],), paired=_plural_noun(tokens, named.end))
    span = _edge_span(tokens, start, lexicon)
    if span:
        return span
    if kind == "card" and start == at:
        return None
    noun = None
    for step in range(end, min(end + 4, len(tokens))):
        noun = _noun(tokens, step, lexicon)
        if noun or tokens[step].norm not in _FILLERS:
            break
    if noun is not None and noun[1] == "vertebra" and kind == "ord" and _from_top(tokens, noun[0]):
        real = [n for n in numbers if 0 < n <= len(SEQUENCE)]
        return Counted("vertebra", tuple(SEQUENCE[n - 1] for n in real), noun[0] + 3) if real else None
    if noun is None or noun[1] in ("vertebra", "disc"):
        return None
    if kind == "digit" and noun[1] in COUNTS and noun[1] != "rib" and start == at and not _ordinal_dot(tokens, end):
        return None  # "2 lumbar vertebrae" counts them, it doesn't name them
    if kind == "digit" and noun[1] == "rib" and start == at and _plural_noun(tokens, noun[0]) and len(numbers) == 1:
        return None
    counted = _counted(noun[1], numbers, _tail(tokens, noun[0], lexicon))
    words = {t.norm for t in tokens[end : noun[0]]}
    if (
        counted is not None
        and counted.kind == "rib"
        and (words & {"pair", "pairs"} or ("ribs" in words and kind == "ord"))
    ):
        return replace(counted, paired=True)
    return counted


_FILLERS = word_set("left right lt rt l r pair of pairs the th set linken rechten linke rechte 左 右")


def _from_top(tokens: Sequence[Token], at: int) -> bool:
    """ "second vertebra | from the top"."""
    return [t.norm for t in tokens[at : at + 3]] in (["from", "the", "top"], ["of", "the", "spine"])


def _ordinal_dot(tokens: Sequence[Token], end: int) -> bool:
    return tokens[end - 1].text in (".", "\u00ba", "\u00aa", "\u00b0")


def _plural_noun(tokens: Sequence[Token], end: int) -> bool:
    return tokens[end - 1].norm.endswith("s")


def _edge_span(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> Counted | None:
    """ "the top three lumbar vertebrae", "last two ribs", "the four lowest thoracic": a number from one end."""
    leads = tokens[at].norm in _EDGES
    count = _number(tokens, at + leads, lexicon, roman=False)
    if count is None or count[2] not in ("card", "digit"):
        return None
    step = count[1]
    if not leads:
        if step >= len(tokens) or tokens[step].norm not in _EDGES:
            return None
        step += 1
    edge = tokens[at if leads else step - 1].norm
    while step < len(tokens) and tokens[step].norm in _FILLERS:
        step += 1
    noun = _noun(tokens, step, lexicon)
    if noun is None or noun[1] not in COUNTS:
        return None
    total = 1 if noun[1] == "S" else COUNTS[noun[1]]
    numbers = list(range(1, count[0] + 1)) if _EDGES[edge] else list(range(total - count[0] + 1, total + 1))
    return _counted(noun[1], numbers, _tail(tokens, noun[0], lexicon))


_EDGES = dict.fromkeys(["first", "top", "upper", "uppermost", "highest", "topmost"], True)
_EDGES |= dict.fromkeys(["last", "bottom", "lower", "lowest", "lowermost", "final", "bottommost"], False)


def _noun_then_numbers(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> Counted | None:
    noun = _noun(tokens, at, lexicon)
    if noun is None or noun[1] in ("disc",):
        return None
    step = noun[0]
    while step < len(tokens) and (tokens[step].norm in _NUMBER_WORDS or tokens[step].text in "#."):
        step += 1
    if noun[1] == "vertebra":
        codes = _codes(tokens, step, lexicon)
        return codes if codes and codes.kind == "vertebra" else None
    listed = _number_list(tokens, step, lexicon, roman=True)
    if listed is None or _unit_after(tokens, listed[1]) or (listed[2] == "card" and not _ends(tokens, listed[1], noun)):
        return None
    if listed[2] == "ord" and any(n < 0 for n in listed[0]):
        return None
    return _counted(noun[1], listed[0], _tail(tokens, listed[1], lexicon))


def _ends(tokens: Sequence[Token], at: int, noun: tuple[int, str]) -> bool:  # "rib eleven", not "ribs two sides"
    return noun[1] == "rib" and (at >= len(tokens) or not tokens[at].is_word or tokens[at].norm in ("in", "on", "with"))


_NUMBER_WORDS = word_set("no nr number numbers num n level levels left right 第") - {"left", "right"}


def _tail(tokens: Sequence[Token], end: int, lexicon: Lexicon) -> int:
    """The index after a noun that only repeats the kind: "lumbar | vertebral bodies", "胸椎 | 椎体"."""
    noun = _noun(tokens, end, lexicon)
    return noun[0] if noun and noun[1] == "vertebra" else end


def _counted(noun: str, numbers: list[int], end: int) -> Counted | None:
    total = COUNTS.get(noun)
    if total is None:
        return None
    last = 1 if noun == "S" else total
    values = list(dict.fromkeys(n if n > 0 else last + 1 + n for n in numbers))
    names = [str(n) if noun == "rib" else f"{noun}{n}" for n in values]
    real = tuple(name for name, n in zip(names, values, strict=True) if 1 <= n <= total)
    missing = tuple(name for name, n in zip(names, values, strict=True) if not 1 <= n <= total)
    return Counted("rib" if noun == "rib" else "vertebra", real, end, missing)
