"""Mentions and side words: what a request clause names, and what is said about it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .items import Item
from .text import word_set

__all__ = ["Mention", "SideWord", "as_mention", "bind_sides", "kind_of", "names", "place_only"]


@dataclass(slots=True)
class SideWord:
    """A word for a side: ``value`` is left, right, both, other or same; ``frame`` screen or patient where told."""

    value: str
    text: str
    at: int
    segment: int
    frame: str = ""
    negated: bool = False
    used: bool = False


@dataclass(slots=True)
class Mention:
    """A name, description or lesion in a request clause, and everything said about it there.

    ``role`` is ``"wanted"``, ``"excluded"``, ``"anchor"`` (it only says where something else is) or ``"context"``
    (why the request is made). ``kind``: ``"structure"``, ``"outside"``, ``"lesion"``, ``"condition"``,
    ``"head"`` or ``"pronoun"``.
    """

    item: Item
    kind: str
    role: str
    at: int
    segment: int
    clause: int
    why: str = ""
    relation: str = ""
    head: Mention | None = None
    sides: list[SideWord] = field(default_factory=list)
    quantified: bool = False
    joined_to: Mention | None = None
    taken_out: str = ""  # the word that takes it out of the target, if there is another: "sacrum out"
    places_kind: bool = False  # a region told before a kind of thing: "head: bone, not brain"

    @property
    def text(self) -> str:
        return self.item.text

    @property
    def told(self) -> str:
        """The request's words for it and for its side, quoted: “lung”, with “rt” (right)."""
        words = [f"“{s.text}” ({'not ' if s.negated else ''}{s.value})" for s in self.sides]
        return f"“{self.text}”" + (f", with {' and '.join(words)}" if words else "")

    @property
    def each_side(self) -> bool:
        """Whether both sides are told of one by one ("both", "each", "L and R"), not just in the plural."""
        values = {s.value for s in self.sides if not s.negated}
        if len(values & {"left", "right"}) == 1:
            return False
        each = self.quantified and not self.item.plural  # "each kidney"; "all ribs" are a group
        return bool(values & {"both", "left"}) or each or self.item.norm.startswith(("both ", "bilateral "))


def names(item: Item) -> bool:
    """Whether a term names anatomy or a disease."""
    return item.counted is not None or bool(item.kinds & {"structure", "outside", "disease"})


def kind_of(item: Item, quantified: bool = False) -> str:
    """Kind of the mention that a term makes, or ``""``."""
    if item.counted is not None:
        return "structure"
    kinds = item.kinds
    structure = item.sense("structure")
    disease = item.disease
    if disease is not None and (structure is None or disease.kind != "lesion"):
        return "lesion" if disease.lesion else "condition"
    if structure is not None and structure.value == "lesion":
        return "lesion"
    if structure is not None:
        return "head" if _generic(item) or _kind_of_thing(item, quantified) else "structure"
    if "outside" in kinds:
        return "outside"
    if "head" in kinds or ("levelnoun" in kinds and item.norm.split()[-1] in _BODIES):
        return "head"
    if "adjective" in kinds:
        return "adjective"
    if "pron" in kinds:
        return "pronoun"
    return ""


_BODIES = word_set("vertebra vertebrae body bodies disc discs disk disks rib ribs")


def _kind_of_thing(item: Item, quantified: bool) -> bool:
    """A bare "bone" or "bowel" is what a description is about; "all bones" is the skeleton."""
    return "head" in item.kinds and not quantified


def _generic(item: Item) -> bool:
    """A bare "vertebra" or "rib" names a kind of thing; in the plural, all of them."""
    ref = item.refs[0]
    return (
        ref.concept in ("vertebra", "rib", "intervertebral_disc", "vertebrae", "ribs", "intervertebral_discs")
        and not ref.level
        and item.norm in _GENERIC_WORDS
    )


_GENERIC_WORDS = word_set("vertebra rib disc disk costa wirbel rippe") | {
    "vertebral body",
    "intervertebral disc",
    "intervertebral disk",
}


def place_only(item: Item) -> bool:
    """Whether a term is a region or a landmark: it says where rather than what."""
    return "outside" in item.kinds or any(ref.concept in _REGIONS for ref in item.refs)


_REGIONS = word_set(
    "neck head chest abdomen pelvis thorax thigh upper_limb lower_limb calf face hand foot axilla",
    "shoulder_joint hip_joint knee_joint elbow_joint wrist_joint abdominal_wall chest_wall mediastinum",
    "retroperitoneum abdominal_cavity",
)


_SIDED_KINDS = word_set("structure outside lesion head condition adjective pronoun")


def bind_sides(mentions: Sequence[Mention], sides: Sequence[SideWord]) -> None:
    """Give each side word to the mention it stands with: the next one in the same segment, else the nearest."""
    bindable = [m for m in mentions if m.kind in _SIDED_KINDS and not (m.kind == "head" and "pron" in m.item.kinds)]
    for side in sides:
        following = next((m for m in bindable if m.at > side.at), None)
        previous = next((m for m in reversed(bindable) if m.at < side.at), None)
        same = following is not None and following.segment == side.segment
        before = previous is not None and previous.segment == side.segment
        gap_after = following.at - side.at if following else 99
        gap_before = side.at - previous.at if previous else 99
        chosen: Mention | None
        if side.negated and not (same and gap_after <= 3):
            chosen = None
        elif same and before:
            chosen = following if gap_after <= 2 or gap_after <= gap_before else previous
        elif same:
            chosen = following
        elif before:
            chosen = previous
        else:
            chosen = previous if previous is not None and gap_before <= 6 else following if gap_after <= 6 else None
        if chosen is not None:
            if side.negated and chosen.role == "excluded" and not chosen.item.refs and chosen.item.counted is None:
                continue  # "not the right one": it says which of what is wanted is not
            side.negated = side.negated and chosen.role != "excluded"
            chosen.sides.append(side)
            side.used = True
    for later in reversed(mentions):  # "upper and lower lobes on the left": said once, after the list
        earlier = later.joined_to
        if earlier is None or earlier.sides or earlier.role != later.role or earlier.clause != later.clause:
            continue
        if later.sides and all(s.at > later.at for s in later.sides):
            earlier.sides = list(later.sides)


def as_mention(item: Item) -> Mention:
    """A structure named outside the request, as if it had been asked for."""
    return Mention(item, "structure", "wanted", 0, 0, 0)
