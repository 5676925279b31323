"""Members of a list: what puts two nouns on the same level, and where one member ends and the next begins."""

from __future__ import annotations

from collections.abc import Sequence

from .items import Item
from .text import word_set

__all__ = [
    "COMMAS",
    "after_joint",
    "before_joint",
    "cut_between",
    "is_and",
    "is_light",
    "joins",
    "leads_to",
    "strongly",
]

_AND = word_set("und et y e ed plus sowie")  # too short to be told from other words elsewhere
_JOINTS = frozenset("+&\uff0b\uff06")
COMMAS = frozenset(",;/\uff0c\u3001\uff1b\u30fb")
_LIGHT = word_set(
    "the a an all both of its his her this that these those any every each whole entire complete full",
    "der die das den dem ein eine einen alle beide le la les l un une des du de tout tous toute toutes el los las",
    "una unos todos todas il lo gli i uno tutti tutte o os as um uma todos todas please pls the then",
)


def joins(items: Sequence[Item], at: int) -> bool:
    """Whether an item puts two things on the same level: "and", "+", "as well as", or a comma before a bare name."""
    return is_and(items[at]) or (items[at].mark and items[at].text in COMMAS)


def is_and(item: Item) -> bool:
    return "plus" in item.kinds or item.norm in _AND or (item.mark and item.text in _JOINTS)


def is_light(item: Item) -> bool:
    return item.mark or item.norm in _LIGHT or bool(item.kinds & {"side", "all", "plus", "only", "adjective", "ask"})


def leads_to(items: Sequence[Item], joint: int, name: int) -> bool:
    """Whether only words that go before a noun stand between a joint and a name."""
    between = items[joint + 1 : name]
    free = sum(1 for i in between if not is_light(i))
    comma = items[joint].mark and items[joint].text in COMMAS
    if any(i.mark and i.text not in "-\u2010\u2011'" for i in between):
        return False
    if any(i.kinds & {"ask", "cause", "uncertain", "not", "except"} for i in between):
        return False
    return free == 0 if comma else free <= 2


def strongly(items: Sequence[Item], one: int, other: int) -> bool:
    """Whether "and", "+" or the like stands between, not commas alone; or the comma belongs to a list with "and"."""
    low, high = sorted((one, other))
    between = items[low + 1 : high]
    if any(is_and(i) for i in between):
        return True
    return any("plus" in i.kinds for i in items[high + 1 : high + 4])


def cut_between(items: Sequence[Item], one: int, other: int) -> int | None:
    """The joint that puts two nouns on the same level: the last before the second, right in front of it."""
    one, other = sorted((one, other))
    joints = [n for n in range(one + 1, other) if joins(items, n)]
    if not joints or not strongly(items, one, other):
        return None
    last = joints[-1]
    between = items[last + 1 : other]
    return last if all(is_light(i) and "ask" not in i.kinds for i in between) else None


def after_joint(items: Sequence[Item], low: int, high: int) -> int:
    joints = [n for n in range(low + 1, high) if joins(items, n)]
    return joints[0] + 1 if joints and low >= 0 else low + 1 if low >= 0 else 0


def before_joint(items: Sequence[Item], low: int, high: int) -> int:
    joints = [n for n in range(low + 1, high) if joins(items, n)]
    return joints[-1] if joints and high < len(items) else high
