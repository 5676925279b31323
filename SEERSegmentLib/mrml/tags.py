"""Where a segment comes from, in its tags and in a text node: request, reasoning, findings, provenance, target.

Tags are what survives in a ``.seg.nrrd``, an ``.mrb`` and a copy into another segmentation. Slicer cuts a tag's value
at the first ``|`` and loses keys that hold a ``:``; so a value is percent-encoded JSON, under the same keys that
``output.write_seg_nrrd`` writes. The text node holds the same for people, as indented JSON.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, unquote

import slicer
import vtk

from ..values.plain import as_plain
from ..worker.messages import RunReport, SegmentPiece

__all__ = ["RECORD_ROLE", "TAGS", "add_record", "read_tags", "reasoning_record", "shared_tags", "write_tags"]

#: Tags that every segment carries, so that one copied elsewhere still says where it is from; then its own.
TAGS = (
    "SEER.Notice",
    "SEER.Request",
    "SEER.Reasoning",
    "SEER.Skills",
    "SEER.Findings",
    "SEER.Provenance",
    "SEER.Volume",
    "SEER.Target",
    "SEER.VolumeML",
)

#: Node reference from a segmentation to the text nodes of the runs that wrote into it.
RECORD_ROLE = "SEER.reasoning"

_SAFE = " !\"#$&'()*+,-./;<=>?@[]^_`{}~"


def shared_tags(report: RunReport, request: str, volume_name: str) -> dict[str, str]:
    """The tags that all segments of a run have in common, as they are written."""
    return {key: _encoded(value) for key, value in _shared_facts(report, request, volume_name).items()}


def _encoded(value: Any) -> str:
    # the notice is readable as it is; JSON of all others
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return quote(text, safe=_SAFE)


def _shared_facts(report: RunReport, request: str, volume_name: str) -> dict[str, Any]:
    reasoning = as_plain(report.reasoning)
    reasoning.pop("findings")  # these stand among the run's findings
    return {
        "SEER.Notice": report.provenance.notice,
        "SEER.Request": {"text": request, "id": report.job},
        "SEER.Reasoning": reasoning,
        "SEER.Skills": as_plain(report.skills),
        "SEER.Findings": as_plain(report.findings),
        "SEER.Provenance": as_plain(report.provenance),
        "SEER.Volume": {"name": volume_name, "sha256": report.volume_sha256},
    }


def write_tags(segment: Any, piece: SegmentPiece, shared: dict[str, str]) -> None:
    """Write all of :data:`TAGS` to a vtkSegment; ``shared`` is what :func:`shared_tags` gave, once for a run."""
    own = {"SEER.Target": _encoded(as_plain(piece.target)), "SEER.VolumeML": _encoded(round(piece.volume_ml, 3))}
    for key, text in {**shared, **own}.items():
        segment.SetTag(key, text)


def read_tags(segment: Any) -> dict[str, Any]:
    """What a vtkSegment's SEER tags say, decoded; keys that it doesn't have, or that are damaged, are left out."""
    found: dict[str, Any] = {}
    for key in TAGS:
        value = vtk.reference("")
        if not segment.GetTag(key, value):
            continue
        text = unquote(str(value))
        try:
            found[key] = text if key == "SEER.Notice" else json.loads(text)
        except ValueError:
            continue  # someone edited it; the text node has it still
    return found


def reasoning_record(report: RunReport, request: str, volume_name: str) -> str:
    """The run's full reasoning as indented JSON, for people and programs."""
    facts = _shared_facts(report, request, volume_name)
    record = {key.removeprefix("SEER.").lower(): value for key, value in facts.items()}
    record["segments"] = [
        {
            "id": piece.id,
            "name": piece.name,
            "target": as_plain(piece.target),
            "volume_ml": round(piece.volume_ml, 3),
            "findings": as_plain(piece.findings),
        }
        for piece in report.segments
    ]
    return json.dumps(record, indent=1, ensure_ascii=False)


def add_record(segmentation: Any, text: str, name: str) -> Any:
    """A text node with the record, which the segmentation refers to; the node."""
    node = segmentation.GetScene().AddNewNodeByClass("vtkMRMLTextNode", name)
    node.SetEncoding(vtk.VTK_ENCODING_UTF_8)
    node.SetText(text)
    segmentation.AddNodeReferenceID(RECORD_ROLE, node.GetID())
    return node


def records_of(segmentation: Any) -> list[Any]:
    """The text nodes of the runs that wrote into a segmentation, oldest first."""
    count = segmentation.GetNumberOfNodeReferences(RECORD_ROLE)
    nodes = [segmentation.GetNthNodeReference(RECORD_ROLE, number) for number in range(count)]
    return [node for node in nodes if isinstance(node, slicer.vtkMRMLTextNode)]
