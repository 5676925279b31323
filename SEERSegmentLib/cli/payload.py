"""What a reasoner would send, shown before it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..output import as_plain
from ..protocols import Outgoing, Reasoner, ReasoningCase, Sender

if TYPE_CHECKING:
    from ..pipeline import Observed
    from ..values import Request, Volume

__all__ = ["payload_json", "payload_lines", "payload_of"]


def payload_of(reasoner: Reasoner, request: Request, volume: Volume, observed: Observed) -> Outgoing | None:
    """What would leave this computer for a request; None for a reasoner that sends nothing."""
    if reasoner.info.offline or not isinstance(reasoner, Sender):
        return None
    return reasoner.outgoing(ReasoningCase(request, volume.modality, observed.views, observed.facts))


def payload_json(outgoing: Outgoing | None) -> dict[str, Any]:
    """The object that ``--json`` prints; docs/command-line.md names its keys."""
    if outgoing is None:
        return {"status": "done", "sends": False}
    views = [
        {"name": v.name, "plane": v.plane.value, "size": list(v.pixels.shape[::-1]), "sha256": v.sha256}
        for v in outgoing.views
    ]
    return {
        "status": "done",
        "sends": True,
        "server": outgoing.server,
        "model": outgoing.model,
        "texts": list(outgoing.texts),
        "views": views,
        "findings": as_plain(outgoing.findings),
    }


def payload_lines(outgoing: Outgoing | None) -> list[str]:
    """The same for people."""
    if outgoing is None:
        return ["Nothing would leave this computer."]
    lines = [f"Would be sent to {outgoing.server or 'the server'}; nothing was sent now."]
    if outgoing.model:
        lines.append(f"Model: {outgoing.model}")
    for number, text in enumerate(outgoing.texts, 1):
        lines += [f"Text {number}:", *(f"  {line}" for line in text.splitlines())]
    lines.append(f"Pictures: {len(outgoing.views)}")
    lines += [f"  {v.name}, {v.pixels.shape[1]}×{v.pixels.shape[0]} pixels" for v in outgoing.views]
    return lines + [finding.message for finding in outgoing.findings]
