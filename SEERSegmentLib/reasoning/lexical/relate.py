"""Relations along the spine and the rib cage: "the vertebra just below T12", "the last rib's vertebra"."""

from __future__ import annotations

from ...values import Side
from .counted import COUNTS, SEQUENCE
from .items import Item
from .lexicon import Ref
from .mention import Mention, as_mention
from .reading import Reading
from .resolve import resolve_ref
from .text import word_set

__all__ = ["counted_relation"]

_SPINE = SEQUENCE[: SEQUENCE.index("S1") + 1]
_EDGES = {"skull": -1, "occiput": -1, "head": -1}  # just above C1
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "2": 2, "3": 3, "4": 4, "1": 1, "five": 5, "5": 5}


def counted_relation(reading: Reading) -> list[str] | None:
    """Ids of vertebrae, ribs or discs that are told by their place next to others, or None."""
    for mention in reading.of("head", "structure"):
        if mention.kind == "structure" and (mention.item.counted or mention.item.refs[0].level):
            continue
        noun = mention.item.value("levelnoun") or ("vertebra" if mention.item.value("head") == "vertebra" else "")
        before = _told_before(mention, reading)
        if not noun and mention.item.norm in ("one", "ones", "level"):
            heads = [m for m in reading.mentions if m.head is mention] + before
            kinds = {place[0] for m in heads if (place := _place(m)) is not None}
            noun = kinds.pop() if len(kinds) == 1 else ""
        if noun not in ("vertebra", "rib", "disc", "C", "T", "L"):
            continue
        anchors = [
            m
            for m in reading.mentions
            if m is not mention and m.clause == mention.clause and m.role in ("anchor", "wanted", "context")
        ]
        placed = [(m, place) for m in (*anchors, *before) if (place := _place(m)) is not None]
        if not placed and noun == "rib":  # "the rib below the right fifth"
            numbers = [
                int(i.value("ord")) for i in reading.clauses[mention.clause].items[mention.at :] if i.value("ord")
            ]
            placed = [(mention, ("rib", [n for n in numbers if n > 0]))] if numbers else []
        if not placed:
            continue
        by_place = [one for one in placed if one[0].relation in _PLACING]
        placed = by_place or placed
        found = _each_related(mention, noun, placed, reading) or _related(mention, noun, placed, reading)
        if found:
            reading.heard = {m.text for m, _ in placed}
            reading.say(f"“{mention.text}” is told by its place next to {', '.join(f'“{m.text}”' for m, _ in placed)}.")
            return found
    return None


def _told_before(mention: Mention, reading: Reading) -> list[Mention]:
    """ "L3 and L5 are done. Just the one between them": what a pronoun after a relation stands for."""
    pointing = [m for m in reading.mentions if m.head is mention and m.item.norm in _THEM and m.relation]
    if not pointing or not mention.clause:
        return []
    named = [as_mention(item) for item in reading.clauses[mention.clause - 1].items if item.counted or item.refs]
    for one in named:
        one.relation = pointing[0].relation
    return named


_PLACING = frozenset({"above", "below", "between", "flank"})
_THEM = word_set("them it these those both")


def _place(mention: Mention) -> tuple[str, list[int]] | None:
    """Kind and indices on the spine (or rib numbers) of an anchor."""
    counted = mention.item.counted
    if counted is not None:
        if counted.kind == "rib":
            return "rib", [int(level) for level in counted.levels]
        if counted.kind == "disc":
            upper = counted.levels[0].split("/")[0] if counted.levels else ""
            return ("disc", [_SPINE.index(upper)]) if upper in _SPINE else None
        return "vertebra", [_SPINE.index(level) for level in counted.levels if level in _SPINE]
    for ref in mention.item.refs:
        name = ref.concept.removeprefix("vertebrae_")
        if name in _SPINE:
            return "vertebra", [_SPINE.index(name)]
        if ref.level in _SPINE:
            return "vertebra", [_SPINE.index(ref.level)]
        if ref.level.isdigit() and ref.concept == "rib":
            return "rib", [int(ref.level)]
        if (pair := ref.concept.removeprefix("ribs_")).isdigit():
            return "rib", [int(pair)]
        if ref.concept == "sacrum":
            return "vertebra", [_SPINE.index("S1")]
        if ref.concept in _EDGES:
            return "vertebra", [-1]
        if ref.concept.startswith("disc_"):
            return "disc", [_SPINE.index(ref.concept.split("_")[1])]
    return None


def _each_related(
    mention: Mention, noun: str, placed: list[tuple[Mention, tuple[str, list[int]]]], reading: Reading
) -> list[str] | None:
    """ "the vertebra above L3 and the one below T4": each by its own place."""
    told = {m.relation for m, _ in placed}
    places = {tuple(numbers) for _, (_, numbers) in placed}
    if told != {"above", "below"} or len(places) < 2:
        return None
    found: list[str] = []
    for own in placed:
        found += _related(mention, noun, [own], reading, [own[0].relation]) or []
    return found or None


def _related(
    mention: Mention,
    noun: str,
    placed: list[tuple[Mention, tuple[str, list[int]]]],
    reading: Reading,
    relations: list[str] | None = None,
) -> list[str] | None:
    items = reading.clauses[mention.clause].items
    relations = relations or [i.value("rel") for i in items if i.value("rel") not in ("", "of", "to", "with")]
    kinds = {kind for _, (kind, _) in placed}
    numbers = [n for _, (_, ns) in placed for n in ns]
    if not numbers:
        return None
    if noun in ("vertebra", "C", "T", "L") and kinds == {"rib"}:
        levels = [f"T{n}" for n in numbers if 1 <= n <= 12]
        return [f"vertebrae_{level}" for level in levels]
    if noun == "rib":
        return _ribs(mention, relations, numbers, kinds, items, reading)
    count = _count(items, mention)
    apart = _apart(items) or _place_in_row(items, mention)
    if noun == "disc":
        gaps = _discs(relations, numbers, kinds, count)
        names = [f"disc_{_SPINE[g]}_{_SPINE[g + 1]}" for g in gaps if 0 <= g < len(_SPINE) - 1]
        known = reading.lexicon.vocabulary.structures  # C1 and C2 have no disc between them
        return [name for name in names if name in known] or None
    wanted = _vertebrae(relations, numbers, kinds, count, apart)
    return [f"vertebrae_{_SPINE[n]}" for n in wanted if 0 <= n < len(_SPINE)] or None


def _vertebrae(relations: list[str], numbers: list[int], kinds: set[str], count: int, apart: int) -> list[int]:
    disc = "disc" in kinds
    low, high = min(numbers), max(numbers)
    if "flank" in relations or ("above" in relations and "below" in relations):
        return [low, low + 1] if disc else [low - 1, high + 1]
    if "between" in relations and len(numbers) > 1:
        return list(range(low + 1, high))
    if "below" in relations:
        first = low + 1 if disc else high + 1
        return [first - 1 + apart] if apart else list(range(first, first + count))
    if "above" in relations:
        last = low if disc else low - 1
        return [last + 1 - apart] if apart else list(range(last - count + 1, last + 1))
    return []


def _discs(relations: list[str], numbers: list[int], kinds: set[str], count: int) -> list[int]:
    low, high = min(numbers), max(numbers)
    if "between" in relations and len(numbers) > 1:
        return list(range(low, high))
    if "flank" in relations:
        return [low - 1, high]
    if "below" in relations:
        start = high + 1 if "disc" in kinds else high
        return list(range(start, start + count))
    if "above" in relations:
        end = low - 1
        return list(range(end - count + 1, end + 1))
    return []


def _ribs(
    mention: Mention,
    relations: list[str],
    numbers: list[int],
    kinds: set[str],
    items: tuple[Item, ...],
    reading: Reading,
) -> list[str] | None:
    if kinds & {"vertebra", "disc"}:
        levels = [int(_SPINE[n][1:]) for n in numbers if 0 <= n < len(_SPINE) and _SPINE[n][0] == "T"]
    elif "between" in relations and len(numbers) > 1:
        levels = list(range(min(numbers) + 1, max(numbers)))
    elif "flank" in relations:
        levels = [min(numbers) - 1, max(numbers) + 1]
    elif "below" in relations:
        levels = [max(numbers) + (_apart(items) or _place_in_row(items, mention) or 1)]
    elif "above" in relations:
        levels = [min(numbers) - (_apart(items) or _place_in_row(items, mention) or 1)]
    else:
        return None
    found: list[str] = []
    for level in levels:
        if 1 <= level <= COUNTS["rib"]:
            found += resolve_ref(Ref("rib", Side.NONE, str(level)), mention, reading)
    return found or None


def _count(items: tuple[Item, ...], mention: Mention) -> int:
    """ "the two vertebrae below": a number right before the noun."""
    for item in items[max(0, mention.at - 2) : mention.at]:
        if item.norm in _NUMBERS:
            return _NUMBERS[item.norm]
    return 1


def _place_in_row(items: tuple[Item, ...], mention: Mention) -> int:
    """ "third vertebra up from L1": the first is the neighbour."""
    before = items[mention.at - 1] if mention.at else None
    return max(0, int(before.value("ord"))) if before is not None and before.value("ord") else 0


def _apart(items: tuple[Item, ...]) -> int:
    """ "two levels below": how far away, where a distance is told instead of a number of things."""
    for at, item in enumerate(items[:-2]):
        step, relation = items[at + 1], items[at + 2]
        if item.norm not in _NUMBERS or step.norm not in _STEPS:
            continue
        if step.norm in ("up", "down") or (step.norm != "vertebrae" and relation.value("rel") in ("above", "below")):
            return _NUMBERS[item.norm]
    return 0


_STEPS = word_set("level levels vertebrae up down step steps segments")
