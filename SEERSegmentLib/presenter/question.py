"""The question for consent: exactly what would leave the machine, and to whom (DESIGN seam 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..worker.messages import PartChoice
from .choices import behind
from .consent import Sending
from .state import ConsentQuestion

__all__ = ["SNAPSHOTS", "question"]

#: Most snapshots that a preset renders, and their longest edge in pixels.
SNAPSHOTS: Mapping[str, tuple[int, int]] = {"multi-view": (10, 448), "seer-v1": (8, 448), "medvol-r1": (64, 256)}

_MEASURED = "what was measured of the volume: modality, field of view, voxel size, contrast, body regions and landmarks"
_SKILLS = "the text of skills, where some were retrieved for the request"

_BURNED_IN = "Text that is burned into the image, such as a name or a date, may be {where}."
_FACE = "If it shows the head, the face could be reconstructed from {what}."


def question(sending: Sending) -> ConsentQuestion:
    """What is asked before a part may send."""
    lines = [f"{_who(sending)} sends to {sending.server}:", *(f"• {item}" for item in _items(sending))]
    if sending.what == "volume":
        lines.append(f"{_BURNED_IN.format(where='included')} {_FACE.format(what='it')}")
    else:
        face = f" {_FACE.format(what='them')}" if sending.series else ""
        lines.append(_BURNED_IN.format(where="visible in the snapshots") + face)
    if sending.server.startswith("http://"):
        lines.append("The connection is not encrypted.")
    lines.append("You are asked even if this address is your own computer, since it may pass the data on.")
    return ConsentQuestion(sending.server, sending.what, "\n".join(lines))


def _who(sending: Sending) -> str:
    asked, choice = behind(sending.choice), sending.choice
    if choice.name == "cascade" and asked:
        return f"Where the embedded tables abstain or are unsure, and only then, the reasoner {asked}"
    return f"The {sending.kind} {choice.name}{f', which asks {asked},' if asked else ''}"


def _items(sending: Sending) -> Iterator[str]:
    """What is sent, one item a line."""
    if sending.what == "volume":
        yield "the volume itself, with all its voxels"
    else:
        count, edge = SNAPSHOTS.get(sending.preset, (0, 0))
        size = f"up to {count} snapshots of at most {edge}×{edge} pixels" if count else "snapshots of the volume"
        through = ", which run through the whole volume" if sending.series else ""
        yield f"{size} (the views of the preset {sending.preset}{through})" if sending.preset else size
    yield _request(sending)
    if sending.what == "snapshots":
        yield from _told(sending.choice)


def _request(sending: Sending) -> str:
    rephrased = f", and {sending.phrasings} rephrasings of it" if sending.phrasings else ""
    becomes = {
        "mask": "; what looks like a patient's name, number or date is taken out first",
        "refuse": "; nothing is sent if it holds what looks like a patient's name, number or date",
    }.get(sending.identifiers, ", as typed: a patient's name or number in it is sent too")
    return f"the text of your request{rephrased}{becomes}"


def _told(choice: PartChoice) -> Iterator[str]:
    """What a model is told besides; what a third party makes of it is not known here."""
    if choice.name == "medvol":
        return
    template = choice.options.get("template", "")
    if template == "custom":
        yield f"{_MEASURED}; where your own words ask for it"
    elif not template.startswith("official"):
        yield _MEASURED
    yield _SKILLS
