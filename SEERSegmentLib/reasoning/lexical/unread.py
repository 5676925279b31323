"""Words of no table beside a target: named in the rationale, or a question where a list holds nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from .clauses import Role
from .items import Item
from .members import COMMAS, is_and, is_light, joins
from .mention import kind_of
from .outcome import Question
from .read import speller
from .reading import Reading

__all__ = ["name_unread"]


def name_unread(reading: Reading) -> None:
    """Name the words of no table beside a target; ask where a list holds nothing else in a member's place."""
    for number, clause in enumerate(reading.clauses):
        named = [m for m in reading.of("structure", "outside") if m.clause == number]
        if clause.role is not Role.REQUEST or not named:
            continue
        places = {m.at for m in reading.mentions if m.clause == number}
        for own, listed in _members(clause.items, {m.at for m in named}):
            words = [clause.items[n] for n in own if not is_light(clause.items[n])]
            if not words or places & set(own) or not all(_strange(i) for i in words):
                continue
            text = " ".join(i.text for i in words[:6])
            if any(speller().known(i.norm) or speller().is_participle(i.norm) for i in words):
                reading.say(f"Set aside: “{text}” (no structure that the tables know).")
            elif listed and len(words) <= 3 and not any("ask" in clause.items[n].kinds for n in own):
                beside = min(named, key=lambda m: abs(m.at - own[0]))
                raise Question(
                    "target-unclear",
                    f"Beside “{beside.text}”, the request asks for “{text}”, which isn't understood.",
                    f"What is “{text}”, or is “{beside.text}” all?",
                    tuple(m.text for m in named[:3]),
                )
            else:
                reading.say(f"Set aside: “{text}” (not understood).")
                reading.doubts.append(f"“{text}” was not understood")


def _members(items: Sequence[Item], named: set[int]) -> list[tuple[range, bool]]:
    """Stretches between joints and breaks, and whether each is a member of a list: beside "and", or between members."""
    breaks = [n for n, i in enumerate(items) if joins(items, n) or (i.mark and i.text not in "-'\u2019\u2010\u2011.")]
    edges = [-1, *breaks, len(items)]
    spans = [range(a + 1, b) for a, b in pairwise(edges)]
    members: list[tuple[range, bool]] = []
    for number, own in enumerate(spans):
        strong = any(0 <= n < len(items) and is_and(items[n]) for n in (own.start - 1, own.stop))
        sides = [spans[n] for n in (number - 1, number + 1) if 0 <= n < len(spans)]
        between = len(sides) == 2 and all(named & set(side) for side in sides)
        commas = all(items[n].text in COMMAS for n in (own.start - 1, own.stop) if 0 <= n < len(items))
        members.append((own, strong or (between and commas)))
    return members


def _strange(item: Item) -> bool:
    return (
        not item.mark and not item.kinds and kind_of(item) == "" and item.counted is None and not item.norm.isdecimal()
    )
