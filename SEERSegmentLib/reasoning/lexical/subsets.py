"""Parts of groups: "the lower two lobes", "all lobes except the right middle", wholes told by their parts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ...anatomy import Vocabulary
from ...anatomy.tables import Row, read_rows
from ...values import Side
from .counted import COUNTS
from .findings import whole_of
from .items import Item
from .lexicon import Ref
from .mention import Mention, SideWord
from .pick import by_quality
from .reading import Reading
from .resolve import resolve_ref
from .scope import excepts
from .sides import side_for
from .text import word_set

__all__ = [
    *("EDGE_WORDS", "all_lobes", "collected", "elliptical_exclusions"),
    *("every_one", "excluded_by_part", "from_edge_of", "group_less", "whole_of_parts"),
]


_TOP = word_set("upper top uppermost topmost first highest")
_BOTTOM = word_set("lower bottom lowermost lowest last bottommost")
EDGE_WORDS = _TOP | _BOTTOM
_COUNT = {"one": 1, "two": 2, "three": 3, "four": 4, "1": 1, "2": 2, "3": 3, "4": 4, "pair": 1, "single": 1}
_LOBES = {"upper": "lung_upper_lobe", "middle": "lung_middle_lobe", "lower": "lung_lower_lobe"}
_ROW = {"lung_upper_lobe": 0, "lung_middle_lobe": 1, "lung_lower_lobe": 2}


def from_top(ids: Sequence[str], known: Vocabulary) -> list[str]:
    """Ids from head to foot."""
    return sorted(ids, key=lambda id: (_ROW.get(known.get(id).concept, 0), known.get(id).span[0], id))


def _edge_count(mention: Mention, reading: Reading) -> int:
    """ "the lower two lobes": how many, negative from the bottom; 0 where no number is told."""
    before = [i.norm for i in reading.clauses[mention.clause].items[max(0, mention.at - 2) : mention.at]]
    if len(before) == 2 and before[0] in EDGE_WORDS and before[1] in _COUNT:
        return _COUNT[before[1]] if before[0] in _TOP else -_COUNT[before[1]]
    return 0


def _from_edge(ids: Sequence[str], few: int, reading: Reading) -> list[str]:
    """The first or last few of a group, from head to foot, on each side."""
    known = reading.lexicon.vocabulary
    leaves = [leaf for id in ids for leaf in known.parts_closure(id)]
    chosen: list[str] = []
    for side in Side:
        row = from_top([leaf for leaf in leaves if known.get(leaf).side is side], known)
        chosen += row[:few] if few > 0 else row[few:]
    return chosen


def from_edge_of(mention: Mention, ids: Sequence[str], reading: Reading) -> list[str]:
    """ "the uppermost of the false ribs", "last two lumbars": some of a row of levels, else all that is given."""
    items = reading.clauses[mention.clause].items[max(0, mention.at - 6) : mention.at]
    words = [i.norm for i in items if i.norm not in ("the", "a") and "side" not in i.kinds]
    edge = next((n for n in range(len(words) - 1, -1, -1) if words[n] in EDGE_WORDS), -1)
    rest = words[edge + 1 :]
    counted = [w for w in rest if w in _COUNT]
    if edge < 0 or not rest or len(rest) - len(counted) - rest.count("of") - rest.count("ones") > 0:
        return list(ids)
    known = reading.lexicon.vocabulary
    leaves = [leaf for id in ids if not id.startswith('"') for leaf in known.parts_closure(id)]
    if not leaves or not all(known.get(leaf).level for leaf in leaves):
        return list(ids)
    before_of = rest[: rest.index("of")] if "of" in rest else rest
    count = next((_COUNT[w] for w in before_of if w in _COUNT), 1)
    few = count if words[edge] in _TOP else -count
    reading.say(f"“{mention.text}”: only the {words[edge]} {count}.")
    return _from_edge(ids, few, reading)


def all_lobes(reading: Reading) -> list[str] | None:
    """ "all lobes", "every lobe of the left lung": lobes as a group."""
    for mention in reading.of("head"):
        if mention.item.value("head") != "lobe" or not (mention.quantified or mention.item.norm.endswith("s")):
            continue
        before = reading.clauses[mention.clause].items[max(0, mention.at - 1) : mention.at]
        if not mention.item.norm.endswith("s") and any(
            i.norm in ("whole", "entire", "complete", "full") for i in before
        ):
            continue  # "whole lobe please" is one
        if any(m.role == "wanted" and m.kind == "structure" for m in reading.mentions):
            continue
        sides = {s.value for s in mention.sides if s.value in ("left", "right") and not s.negated}
        for anchor in reading.mentions:
            if anchor.head is mention or (anchor.role == "anchor" and anchor.at == mention.at - 1):
                sides |= {ref.side.value for ref in anchor.item.refs if ref.side is not Side.NONE}
                sides |= {s.value for s in anchor.sides if s.value in ("left", "right")}
        reading.say(
            f"“{mention.text}”: the lobes of the {'lungs' if len(sides) != 1 else next(iter(sides)) + ' lung'}."
        )
        group = f"lung_{next(iter(sides))}" if len(sides) == 1 else "lungs"
        few = _edge_count(mention, reading)
        return _from_edge([group], few, reading) if few else [group]
    return None


def collected(reading: Reading) -> list[str] | None:
    """ "every bone of the pelvis", "all the gluteal muscles": all of a kind in a place (collections.csv)."""
    for mention in reading.of("head", "structure"):
        group = next((_ALL_OF[r.concept] for r in mention.item.refs if r.concept in _ALL_OF), "")
        kind = mention.item.value("head") or group
        named = mention.item.norm.startswith(("all ", "every "))
        many = named or mention.quantified or mention.item.plural or mention.item.norm.endswith("s")
        if kind in ("", "any"):
            continue
        for anchor in reading.mentions:
            if not (many or anchor.places_kind):
                continue
            if anchor is mention or anchor.clause != mention.clause or anchor.role not in ("anchor", "context"):
                continue
            places = {ref.concept for ref in anchor.item.refs} | {anchor.item.value("outside")}
            place = next((p for p in sorted(places) if (kind, p) in _collections()), None)
            if place is not None:
                told = [s for s in mention.sides if s.value != "both"]
                own = next((ref.side.value for ref in anchor.item.refs if ref.side is not Side.NONE), "")
                mention.sides = told or anchor.sides or ([SideWord(own, anchor.text, anchor.at, 0)] if own else [])
                reading.heard = {anchor.text}
                reading.say(f"“{mention.text}” of “{anchor.text}”: all of them.")
                return [
                    id
                    for one in _collections()[kind, place].split(";")
                    for id in resolve_ref(Ref(one), mention, reading)
                ]
    return None


def group_less(reading: Reading) -> list[str] | None:
    """ "bowel, but not the colon": a kind of thing that is a group of its own, of which parts are not wanted."""
    known = reading.lexicon.vocabulary
    for mention in reading.of("head"):
        refs = mention.item.refs if mention.item.sense("structure") else ()
        own = known.structures.get(refs[0].concept) if len(refs) == 1 else None
        parts = set(known.parts_closure(own.id)) if own is not None and own.parts else set()
        out = {r.concept for m in reading.of("structure", role="excluded") for r in m.item.refs}
        if parts & {leaf for c in out if c in known.structures for leaf in known.parts_closure(c)}:
            reading.say(f"Asked for: {mention.told}, less some of its parts.")
            return [refs[0].concept]
    return None


def every_one(reading: Reading) -> list[str] | None:
    """ "every rib", "each vertebra": all of a row, where nothing else says which."""
    for mention in reading.of("head"):
        group = _ROWS.get(mention.item.value("levelnoun"))
        others = [m for m in reading.mentions if m is not mention and m.role != "excluded" and m.kind != "pronoun"]
        if group and mention.quantified and not others:
            reading.say(f"Asked for: every {mention.text}.")
            return resolve_ref(Ref(group), mention, reading)
    return None


_ROWS = {"rib": "ribs", "vertebra": "vertebrae", "disc": "intervertebral_discs", "C": "cervical_spine",
         "T": "thoracic_spine", "L": "lumbar_spine"}  # fmt: skip
_ALL_OF = {"skeleton": "bone", "skeletal_muscle": "muscle", "vertebrae": "vertebra", "ribs": "rib", "lungs": "lung"}


@cache
def _collections() -> dict[tuple[str, str], str]:
    return {(row["kind"], row["place"]): row["structure"] for row in read_rows("collections.csv")}


def excluded_by_part(base: Sequence[str], reading: Reading) -> set[str]:
    """ "Left lung, but skip the lobe with the lingula": the lobe that has it."""
    found: set[str] = set()
    for mention in reading.of("head", role="excluded"):
        parts = [
            m
            for m in reading.of("structure", "outside", role="excluded")
            if m.clause == mention.clause and 0 < m.at - mention.at <= 4
        ]
        for part in parts:
            wholes = {whole_of(part.item)}
            found |= {leaf for leaf in base if leaf in wholes}
    return found


def elliptical_exclusions(ids: Sequence[str], base: Sequence[str], reading: Reading) -> list[str]:
    """What exclusions mean that give no noun or count from one end: "except the right middle", "minus the top two"."""
    known = reading.lexicon.vocabulary
    found: list[str] = []
    kinds = {known.get(leaf).concept for leaf in base}
    for clause in reading.request:
        items = clause.items
        for at, item in enumerate(items):
            if item.mark or item.counted is not None or not excepts(items, at):
                continue
            reach = _reach(items, at)
            words = [i.norm for i in reach]
            sides = {i.value("side") for i in reach} & {"left", "right"}
            found += _counted_from_edge(words, sides, base, known)
            if kinds & set(_LOBES.values()):
                for word in (i.norm for i in reach if not i.refs):
                    concept = _LOBES.get(word)
                    if concept:
                        found += [
                            leaf
                            for leaf in base
                            if known.get(leaf).concept == concept and (not sides or known.get(leaf).side.value in sides)
                        ]
            if not any(i.counted or i.refs for i in reach):
                found += _numbers(reach, sides, base, known)
                found += _by_name(reach, base, known) or by_quality(reach, base, known)
            for i in reach:
                region = i.value("levelnoun")
                if region in COUNTS and region != "rib" and i.counted is None:
                    found += [
                        leaf
                        for leaf in base
                        if known.get(leaf).concept == "vertebra" and known.get(leaf).level[:1] == region
                    ]
    return found


def _reach(items: Sequence[Item], at: int) -> list[Item]:
    """The items that an exclusion reaches."""
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
        noun = any(
            w
            in (
                "levels",
                "level",
                "lobes",
                "lobe",
                "vertebrae",
                "ribs",
                "vertebra",
                "rib",
                "segments",
                "pairs",
                "pair",
                "ones",
                "one",
                "discs",
                "bodies",
            )
            for w in rest
        )
        if not count and not (noun and not any(w in ("lobe", "lobes") for w in rest)):
            continue
        leaves = [leaf for leaf in base if not sides or known.get(leaf).side.value in sides]
        chosen: list[str] = []
        for side in Side:
            row = from_top([leaf for leaf in leaves if known.get(leaf).side is side], known)
            chosen += row[: count or 1] if word in _TOP else row[-(count or 1) :]
        return chosen
    return []


def _by_name(reach: Sequence[Item], base: Sequence[str], known: Vocabulary) -> list[str]:
    """ "gluteal muscles except minimus": a word of some of the parts' names."""
    found: list[str] = []
    for item in reach:
        if not item.kinds and len(item.norm) > 4:
            named = [leaf for leaf in base if item.norm in known.get(leaf).name.casefold().split()]
            found += named if len(named) < len(base) else []
    return found


def _numbers(reach: Sequence[Item], sides: set[str], base: Sequence[str], known: Vocabulary) -> list[str]:
    """ "all ribs except 11 and 12"."""
    levels: set[str] = set()
    for item in reach:
        if item.norm.isdecimal():
            levels.add(item.norm)
        elif item.value("ord") and int(item.value("ord")) > 0:
            levels.add(item.value("ord"))
        elif item.value("ord") == "-1":
            levels.add("12")
    regions = {known.get(leaf).level[:1] for leaf in base if known.get(leaf).concept == "vertebra"}
    if len(regions) == 1 and all(known.get(leaf).concept == "vertebra" for leaf in base):
        region = regions.pop()  # "lumbar vertebrae minus the fifth"
        return [leaf for leaf in base if known.get(leaf).level in {f"{region}{level}" for level in levels}]
    return [
        leaf
        for leaf in base
        if known.get(leaf).concept == "rib"
        and known.get(leaf).level in levels
        and (not sides or known.get(leaf).side.value in sides)
    ]


@cache
def _wholes() -> tuple[Row, ...]:
    return tuple(read_rows("wholes.csv"))


def whole_of_parts(wanted: Sequence[Mention], reading: Reading) -> list[str] | None:
    """A whole that is told by naming its parts (wholes.csv): ilium, ischium and pubis are the hip bone."""
    names = {ref.concept for m in wanted for ref in m.item.refs} | {m.item.value("outside") for m in wanted} - {""}
    for row in _wholes():
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
