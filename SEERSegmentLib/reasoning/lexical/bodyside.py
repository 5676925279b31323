"""Sides told by the body itself: "the heart-side lung", "on the side of the liver", "opposite the spleen"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...anatomy import load_vocabulary
from ...values import Side
from .items import Item
from .text import word_set

__all__ = ["BodySide", "body_sides", "on_screen"]

_FILLERS = word_set("the a his her their its as to of from on than with side")
_TOWARDS = word_set("to towards toward nach a hacia verso")
_REACH = 4  # items between a word for the side and what it is the side of


@dataclass(frozen=True, slots=True)
class BodySide:
    """A side told by what lies there: ``value`` is left, right, same or other; ``items`` are the places it takes."""

    at: int
    value: str
    text: str
    items: frozenset[int]


def body_sides(items: Sequence[Item]) -> list[BodySide]:
    """Sides that a clause tells by naming an unpaired organ, or something the rest of the text places."""
    found = []
    for at, item in enumerate(items):
        if _direction(items, at):
            found.append(BodySide(-1, "", "", frozenset(range(at, at + 3))))
            continue
        told = _before(items, at) if item.norm == "side" else None
        if told is None and (item.norm == "side" or item.value("side") in ("same", "other")):
            told = _after(items, at)
        if told is not None:
            found.append(told)
    return found


def _direction(items: Sequence[Item], at: int) -> bool:
    """ "from left to right" says which way, not which side."""
    if at + 2 >= len(items) or items[at + 1].norm not in _TOWARDS:
        return False
    return {items[at].value("side"), items[at + 2].value("side")} == {"left", "right"}


def _before(items: Sequence[Item], at: int) -> BodySide | None:
    """ "heart-side", "port side"."""
    place = at - 1
    while place >= 0 and items[place].text in ("-", "\u2010", "\u2011"):
        place -= 1
    if place < 0:
        return None
    side = _lies_on(items[place])
    if side is None and "outside" not in items[place].kinds and items[place].norm not in _DEVICES:
        return None
    value = side.value if side else "same"
    return BodySide(place, value, f"{items[place].text} side", frozenset(range(place, at + 1)))


_DEVICES = word_set("port drain stoma pacemaker fracture fractured injured affected lesion tumor mass stone access")


def _after(items: Sequence[Item], at: int) -> BodySide | None:
    """ "the side of the liver", "same side as the spleen", "opposite the liver"."""
    place = at + 1
    while place < len(items) and place <= at + _REACH and items[place].norm in _FILLERS:
        place += 1
    if place >= len(items) or place == at + 1:
        return None
    side = _lies_on(items[place])
    if side is None:
        return None
    value = side.opposite.value if items[at].value("side") == "other" else side.value
    text = " ".join(i.text for i in items[at : place + 1])
    return BodySide(at, value, text, frozenset(range(at, place + 1)))


def _lies_on(item: Item) -> Side | None:
    if len(item.refs) != 1:
        return Side.LEFT if item.norm in _HEART else None
    if item.refs[0].concept == "heart":
        return Side.LEFT  # its apex; most of it lies left of the midline
    own = load_vocabulary().structures.get(item.refs[0].concept)
    return own.lies_on if own is not None and own.lies_on is not Side.NONE else None


_HEART = word_set("cardiac")


def on_screen(items: Sequence[Item], at: int) -> bool:
    """Whether a side is one of the picture: "at the left-hand edge of my monitor", "on screen left"."""
    if at and items[at - 1].norm in _PICTURES and (at < 2 or "side" not in items[at - 2].kinds):
        return True
    for item in items[at + 1 : at + 9]:
        if item.norm in _PICTURES:
            return True
        if not (item.norm in _PLACES or item.text in "-\u2010\u2011"):
            return False
    return False


_PICTURES = word_set("screen monitor display viewer viewport picture film workstation pane") | {
    "my screen",
    "the screen",
    "my monitor",
    "on screen",
}
_PLACES = word_set(
    "hand sided side edge half part portion border aspect corner margin end of the my your our this on at in as",
)
