"""A run's result in words and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..output import as_plain
from ..values import RESEARCH_USE_ONLY, Abstention, Finding, Segmentation, Severity

__all__ = ["EXIT_ABSTAINED", "aligned", "as_json", "as_lines"]

EXIT_ABSTAINED = 3

_SEVERITY_WORDS = {Severity.INFO: "Note", Severity.WARNING: "Warning", Severity.ERROR: "Problem"}


def as_json(result: Segmentation | Abstention, request: str, files: Mapping[str, Path]) -> dict[str, Any]:
    """The object that ``--json`` prints; docs/command-line.md names its keys."""
    common: dict[str, Any] = {
        "status": "done" if isinstance(result, Segmentation) else "abstained",
        "notice": RESEARCH_USE_ONLY,
        "request": request,
        "files": {kind: str(path) for kind, path in files.items()},
        "findings": as_plain(result.findings),
        "provenance": as_plain(result.provenance),
    }
    if isinstance(result, Abstention):
        return common | {
            "code": result.code,
            "reason": result.reason,
            "question": result.question,
            "suggestions": list(result.suggestions),
            "evidence": as_plain(result.evidence),
            "rationale": list(result.rationale),
            "reasoner": result.reasoner,
        }
    return common | {
        "answer": result.reasoning.answer,
        "prompt": result.spec.prompt,
        "segments": [
            {
                "id": segment.id,
                "name": segment.name,
                "target": as_plain(segment.mask.target),
                "terminology": as_plain(segment.terminology),
                "colour": list(segment.colour),
                "volume_ml": segment.volume_ml,
                "voxels": int(segment.mask.voxels.sum()),
            }
            for segment in result.segments
        ],
        "evidence": as_plain(result.reasoning.evidence),
        "rationale": list(result.reasoning.rationale),
        "reasoner": result.reasoning.reasoner,
        "skills_used": list(result.reasoning.skills_used),
    }


def as_lines(result: Segmentation | Abstention, files: Mapping[str, Path]) -> list[str]:
    """The result for a terminal or a log."""
    lines, findings = [RESEARCH_USE_ONLY], result.findings
    reasoning = result if isinstance(result, Abstention) else result.reasoning
    lines += ["Evidence:", *(f"  - {item.text}" for item in reasoning.evidence)] if reasoning.evidence else []
    steps = enumerate(reasoning.rationale, 1)
    lines += ["Rationale:", *(f"  {number}. {step}" for number, step in steps)] if reasoning.rationale else []
    if isinstance(result, Abstention):
        lines += [f"No answer: {result.reason}", f"Question: {result.question}"]
        lines += [f"  for example: {suggestion}" for suggestion in result.suggestions]
        lines += ["  or add --run-anyway to run it all the same"] if result.code == "blocked" else []
        findings = tuple(finding for finding in findings if not finding.blocking)  # these are the reason
    else:
        lines.append(f"Answer: {result.reasoning.answer}")
        rows = [
            (f"  {s.name}", f"{s.volume_ml:,.1f} mL", f"{int(s.mask.voxels.sum()):,} voxels") for s in result.segments
        ]
        lines += aligned(rows, right=(1, 2))
    lines += [_finding(finding) for finding in findings]
    lines += [f"Wrote {path}" for path in files.values()]
    return lines


def aligned(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Rows as lines with their columns under each other."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "   ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _finding(finding: Finding) -> str:
    word = _SEVERITY_WORDS[finding.severity]
    status = f" ({finding.status})" if finding.status else ""
    return f"{word}{status}: {finding.message}" + (f" {finding.advice}" if finding.advice else "")
