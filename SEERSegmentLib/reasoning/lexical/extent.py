"""Extents: "trachea, cricoid to carina", "gastric contour, fundus through to pylorus".

Where a target reaches from and to is no target itself, as long as something else is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from .items import Item
from .mention import Mention
from .text import word_set

__all__ = ["set_extents_aside"]

_FROM = word_set("from ab von vom desde de depuis da dal") | {"from the", "starting at", "beginning at"}
_TO = word_set("to through thru until till bis hasta jusqu a fino") | {
    *(
        "down to",
        "up to",
        "through to",
        "down to the",
        "up to the",
        "as far as",
        "to the",
        "out to",
        "on to",
        "all the way to",
    ),
    *("running to", "extending to", "ending at"),
}
_LIGHT = word_set("the a its his her level of all way")


def set_extents_aside(mentions: Sequence[Mention], items: Sequence[Item]) -> None:
    """Give the ends of an extent the role of a place, where the clause asks for something besides."""
    named = [m for m in mentions if m.kind in ("structure", "outside") and m.role in ("wanted", "anchor")]
    ends: list[Mention] = []
    for mention in named:
        before = _word_before(mention.at, items)
        wants = any("ask" in i.kinds or i.norm in ("want", "need") for i in items[mention.at + 1 :])
        if before in _FROM and mention.item.counted is None and not wants:  # "From the iliac vessels I want the vein"
            ends.append(mention)
        elif before in _TO and mention.item.counted is None and (first := _start_of(mention, named, items)) is not None:
            ends += [m for m in (first, mention) if m not in ends]
    targets = [
        m
        for m in mentions
        if m.role == "wanted" and m not in ends and m.kind in ("structure", "outside", "head", "lesion", "adjective")
    ]
    if not targets:
        return
    for mention in ends:
        if mention.role == "wanted":
            mention.role, mention.why = "anchor", "it says how far the target reaches"


def _word_before(at: int, items: Sequence[Item]) -> str:
    place = at - 1
    while place > 0 and (items[place].norm in _LIGHT or items[place].kinds & {"side"}):
        place -= 1
    return items[place].norm if place >= 0 else ""


def _start_of(end: Mention, named: Sequence[Mention], items: Sequence[Item]) -> Mention | None:
    """Where an extent that ends here begins: the name before "to", if a break or "from" opens it."""
    before = [m for m in named if m.at < end.at]
    if not before:
        return None
    first = before[-1]
    between = items[first.at + 1 : end.at]
    if any(i.mark or i.names_anatomy for i in between):
        return None
    place = first.at - 1
    while place >= 0 and (items[place].norm in _LIGHT or items[place].kinds & {"side"}):
        place -= 1
    opens = place < 0 or items[place].mark or items[place].norm in _FROM
    return first if opens else None
