"""A request, read: clauses, mentions, sides, what is gone, and the steps taken so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...values import Modality, Side
from .clauses import Clause, Role
from .items import Item
from .lexicon import Lexicon
from .mention import Mention, SideWord
from .text import word_set

__all__ = ["Gone", "Reading", "find_gone"]


@dataclass(frozen=True, slots=True)
class Gone:
    """A structure that was removed: ``"*"`` where only the operation is named."""

    concept: str
    side: Side
    words: str


@dataclass
class Reading:
    """Everything the later stages look at.

    ``steps`` becomes the rationale. ``spent`` holds mentions (by identity) that are no target, and why; ``used``
    lesions and diseases that gave a target; ``heard`` the words of a description by which its target was found.
    ``doubts`` says what of the reading was inferred rather than read: a second reader may be asked.
    """

    text: str
    clauses: list[Clause]
    mentions: list[Mention]
    sides: list[SideWord]
    lexicon: Lexicon
    modality: Modality
    gone: list[Gone] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    memo: dict[str, Any] = field(default_factory=dict)
    spent: dict[int, str] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    heard: set[str] | None = None
    doubts: list[str] = field(default_factory=list)

    def say(self, step: str) -> None:
        if step not in self.steps:
            self.steps.append(step)

    @property
    def request(self) -> list[Clause]:
        return [c for c in self.clauses if c.role is Role.REQUEST]

    @property
    def context(self) -> list[Clause]:
        return [c for c in self.clauses if c.role is Role.CONTEXT]

    @property
    def request_items(self) -> list[Item]:
        return [item for clause in self.request for item in clause.items]

    def of(self, *kinds: str, role: str = "wanted") -> list[Mention]:
        """Mentions of some kinds in a role, in order."""
        return [m for m in self.mentions if m.role == role and m.kind in kinds]

    def asks(self, *kinds: str) -> bool:
        """Whether a request clause holds an item of one of the kinds."""
        return any(item.kinds & set(kinds) for item in self.request_items)


_SURVIVOR = word_set("remaining solitary other left native sole surviving")
_PAST = word_set(
    "previous previously prior post sp status had since was were ago old done removed absent agenesis",
    "agenetic following known after aged history childhood former underwent lost years year months has old",
    "yesterday donated resected amputated prosthesis prosthetic replacement replaced congenital born pmh hx",
    "remote",
)
_REPLACED = word_set("thr hemiarthroplasty") | {
    *("hip replacement", "total hip replacement", "hip arthroplasty", "shoulder hemiarthroplasty"),
    *("reverse shoulder arthroplasty", "shoulder arthroplasty"),
}
_PLANNED = word_set(
    "planned planning booked before pre preop workup scheduled listed plan candidate candidates",
    "considering proposed tomorrow upcoming pending consider consent robotic partial donor prospective",
    "awaiting suitability theatre tci simulate",
)


def find_gone(clauses: list[Clause]) -> Iterator[Gone]:
    """Operations and losses told in the text: "left nephrectomy 2019", "right leg amputated"."""
    survivor = any(i.norm in _SURVIVOR for c in clauses for i in c.items)
    remains = any(c.role is Role.REQUEST and c.has("remain") for c in clauses)
    for clause in clauses:
        if clause.role in (Role.QUOTED, Role.STEERING):
            continue
        yield from _only_one(clause)
        if not clause.has("removed"):
            continue
        for at, item in enumerate(clause.items):
            removed = item.sense("removed")
            if removed is None:
                continue
            words = {i.norm for i in clause.items if not i.mark}
            happened = (
                bool(words & _PAST)
                or {"s", "p"} <= words
                or any(w.isdecimal() and len(w) == 4 for w in words)
                or clause.role is Role.CONTEXT
            )
            intended = bool(words & _PLANNED) or any(i.norm == "for" for i in clause.items[max(0, at - 3) : at])
            if (
                intended
                and not remains  # "what stays" after an operation to come
                and not any(w.isdecimal() and len(w) == 4 for w in words)
                and not words & {"was", "had", "post", "prior", "previous"}
            ):
                continue
            if not happened and removed.value != "*":
                happened = survivor
            if not happened or (item.norm in _REPLACED and not remains and not survivor):
                continue  # the bone with a new joint is there, and may be what is asked for
            side = _side_near(clause.items, at)
            concept = removed.value
            if concept == "*":
                concept = _concept_near(clause.items, at)
            yield Gone(concept or "*", side, item.text)


def _only_one(clause: Clause) -> Iterator[Gone]:
    """ "solitary right kidney": there is no other."""
    for item, after, more in zip(clause.items, clause.items[1:], (*clause.items[2:], None), strict=False):
        if item.norm not in ("solitary", "single", "sole"):
            continue
        if after.refs and after.refs[0].side is not Side.NONE:
            yield Gone(after.refs[0].concept, after.refs[0].side.opposite, f"{item.text} {after.text}")
        elif after.value("side") in ("left", "right") and more is not None and more.refs:
            side = Side(after.value("side")).opposite
            yield Gone(more.refs[0].concept, side, f"{item.text} {after.text} {more.text}")


def _side_near(items: tuple[Item, ...], at: int) -> Side:
    order = sorted(range(len(items)), key=lambda n: (abs(n - at), n > at))
    for n in order:
        if abs(n - at) > 8:
            break
        value = items[n].value("side")
        if value in ("left", "right"):
            return Side(value)
        for ref in items[n].refs:
            if ref.side is not Side.NONE:
                return ref.side
    return Side.NONE


def _concept_near(items: tuple[Item, ...], at: int) -> str:
    for n in sorted(range(len(items)), key=lambda n: abs(n - at)):
        if abs(n - at) <= 6 and items[n].norm in _LIMBS:
            return _LIMBS[items[n].norm]
        if abs(n - at) <= 6 and items[n].refs:
            return items[n].refs[0].concept
    return ""


_LIMBS = {"leg": "femur", "thigh": "femur", "arm": "humerus", "hip": "femur", "shoulder": "humerus"}
