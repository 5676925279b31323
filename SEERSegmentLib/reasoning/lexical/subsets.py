"""Parts of groups: "the lower two lobes", "all lobes except the right middle", wholes told by their parts."""

from __future__ import annotations

from collections.abc import Sequence

from ...anatomy import Vocabulary
from ...anatomy.tables import read_rows
from ...values import Side
from .levels import COUNTS
from .reading import Reading
from .resolve import side_for
from .lexicon import Ref
from .scope import Mention

__all__ = ["EDGE_WORDS", "all_lobes", "apply_selection", "elliptical_exclusions", "whole_of_parts"]

_TOP = frozenset("upper top uppermost topmost first highest".split())
_BOTTOM = frozenset("lower bottom lowermost lowest last bottommost".split())
EDGE_WORDS = _TOP | _BOTTOM
_COUNT = {"one": 1, "two": 2, "three": 3, "four": 4, "1": 1, "2": 2, "3": 3, "4": 4, "pair": 1, "single": 1}
_LOBES = {"upper": "lung_upper_lobe", "middle": "lung_middle_lobe", "lower": "lung_lower_lobe"}
_ROW = {"lung_upper_lobe": 0, "lung_middle_lobe": 1, "lung_lower_lobe": 2}


def from_top(ids: Sequence[str], known: Vocabulary) -> list[str]:
    """Ids from head to foot."""
    return sorted(ids, key=lambda id: (_ROW.get(known.get(id).concept, 0), known.get(id).span[0], id))


def apply_selection(ids: Sequence[str], selection: tuple[int, int], reading: Reading) -> list[str]:
    """The first or last few of a group, from head to foot, on each side."""
    known = reading.lexicon.vocabulary
    leaves = [leaf for id in ids for leaf in known.parts_closure(id)]
    chosen: list[str] = []
    for side in Side:
        row = from_top([leaf for leaf in leaves if known.get(leaf).side is side], known)
        chosen += row[: selection[1]] if selection[0] > 0 else row[-selection[1] :] if row else []
    return chosen


def all_lobes(reading: Reading) -> list[str] | None:
    """ "all lobes", "every lobe of the left lung": lobes as a group."""
    for mention in reading.of("head"):
        if mention.item.value("head") != "lobe" or not (mention.quantified or mention.item.norm.endswith("s")):
            continue
        if any(m.role == "wanted" and m.kind == "structure" for m in reading.mentions):
            continue
        sides = {s.value for s in mention.sides if s.value in ("left", "right") and not s.negated}
        for anchor in reading.mentions:
            if anchor.head is mention:
                sides |= {ref.side.value for ref in anchor.item.refs if ref.side is not Side.NONE}
                sides |= {s.value for s in anchor.sides if s.value in ("left", "right")}
        reading.say(f"“{mention.text}”: the lobes of the {'lungs' if len(sides) != 1 else next(iter(sides)) + ' lung'}.")
        return [f"lung_{next(iter(sides))}"] if len(sides) == 1 else ["lungs"]
    return None


def elliptical_exclusions(ids: Sequence[str], base: Sequence[str], reading: Reading) -> list[str]:
    """What exclusions mean that give no noun, or count from one end: "except the right middle", "minus the bottom two"."""
    known = reading.lexicon.vocabulary
    found: list[str] = []
    kinds = {known.get(leaf).concept for leaf in base}
    for clause in reading.request:
        items = clause.items
        for at, item in enumerate(items):
            if not item.kinds & {"not", "except"} or item.counted is not None:
                continue
            reach = _reach(items, at)
            words = [i.norm for i in reach]
            sides = {i.value("side") for i in reach} & {"left", "right"}
            found += _counted_from_edge(words, sides, base, known)
            if kinds & set(_LOBES.values()):
                for word in words:
                    concept = _LOBES.get(word)
                    if concept and not any(i.refs for i in reach):
                        found += [leaf for leaf in base if known.get(leaf).concept == concept and (not sides or known.get(leaf).side.value in sides)]
            if not any(i.counted or i.refs for i in reach):
                found += _numbers(reach, sides, base, known)
            for i in reach:
                region = i.value("levelnoun")
                if region in COUNTS and region != "rib" and i.counted is None:
                    found += [leaf for leaf in base if known.get(leaf).concept == "vertebra" and known.get(leaf).level[:1] == region]
    return found


def _reach(items: Sequence, at: int) -> list:  # type: ignore[type-arg]
    reach = []
    for item in items[at + 1 : at + 9]:
        if item.mark and item.text in ".;:)":
            break
        if item.kinds & {"only", "ask"} and not item.kinds & {"structure"}:
            break
        reach.append(item)
    return reach


def _counted_from_edge(words: list[str], sides: set[str], base: Sequence[str], known: Vocabulary) -> list[str]:
    for at, word in enumerate(words):
        if word not in _TOP | _BOTTOM:
            continue
        rest = words[at + 1 : at + 4]
        count = next((_COUNT[w] for w in rest if w in _COUNT), 0)
        noun = any(w in ("levels", "level", "lobes", "lobe", "vertebrae", "ribs", "vertebra", "rib", "segments", "pairs", "pair", "ones", "one", "discs", "bodies") for w in rest)
        if not count and not (noun and not any(w in ("lobe", "lobes") for w in rest)):
            continue
        leaves = [leaf for leaf in base if not sides or known.get(leaf).side.value in sides]
        chosen: list[str] = []
        for side in Side:
            row = from_top([leaf for leaf in leaves if known.get(leaf).side is side], known)
            chosen += row[: count or 1] if word in _TOP else row[-(count or 1) :]
        return chosen
    return []


def _numbers(reach: list, sides: set[str], base: Sequence[str], known: Vocabulary) -> list[str]:  # type: ignore[type-arg]
    """ "all ribs except 11 and 12"."""
    levels: set[str] = set()
    for item in reach:
        if item.norm.isdecimal():
            levels.add(item.norm)
        elif item.value("ord") and int(item.value("ord")) > 0:
            levels.add(item.value("ord"))
        elif item.value("ord") == "-1":
            levels.add("12")
    return [leaf for leaf in base if known.get(leaf).concept == "rib" and known.get(leaf).level in levels and (not sides or known.get(leaf).side.value in sides)]


def whole_of_parts(wanted: Sequence[Mention], reading: Reading) -> list[str] | None:
    """A whole that is told by naming its parts (wholes.csv): ilium, ischium and pubis are the hip bone."""
    names = {ref.concept for m in wanted for ref in m.item.refs} | {m.item.value("outside") for m in wanted} - {""}
    for row in read_rows("wholes.csv"):
        parts = set(row["parts"].split(";"))
        if len(names & parts) >= int(row["at_least"]) and names <= parts:
            reading.say(f"{', '.join(f'“{m.text}”' for m in wanted)}: together the {row['whole'].replace('_', ' ')}.")
            known = reading.lexicon.vocabulary
            if row["whole"] in known.structures:
                return [row["whole"]]
            side = next((s for m in wanted if (s := side_for(m, reading, Ref(row["whole"]))) is not None), None)
            own = known.structure_for(row["whole"], side) if side else known.both(row["whole"])
            return [own.id] if own else None
    return None
