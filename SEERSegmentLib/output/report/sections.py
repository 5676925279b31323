"""The parts of the report's page, each a function from values to markup."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...values import (
    Evidence,
    Finding,
    Provenance,
    Request,
    Segment,
    Severity,
    Skill,
    StageRecord,
    Terminology,
    Volume,
)
from .figures import colour
from .html import Child, Html, element, join

__all__ = [
    "evidence_table",
    "findings_list",
    "geometry_table",
    "number",
    "provenance_table",
    "rationale_list",
    "request_and_answer",
    "section",
    "segments_table",
    "skills_list",
]

_SEVERITY_WORDS = {Severity.INFO: "Note", Severity.WARNING: "Warning", Severity.ERROR: "Problem"}

#: Icons by shape as well as by colour: circle, triangle, octagon.
_SEVERITY_SHAPES = {
    Severity.INFO: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm-1 6v5h2V7Zm0-3v2h2V4Z",
    Severity.WARNING: "M8 1 15.5 14.5H.5ZM7 6v4h2V6Zm0 5.2V13h2v-1.8Z",
    Severity.ERROR: "M5 1h6l4 4v6l-4 4H5l-4-4V5ZM7 4v5h2V4Zm0 6.5v2h2v-2Z",
}


def section(title: str, *body: Child, note: str = "", identifier: str = "") -> Html:
    """A titled part of the page."""
    return element(
        "section",
        element("h2", title),
        element("p", note, class_="note") if note else None,
        *body,
        id=identifier or None,
    )


def request_and_answer(request: Request | None, answer_title: str, answer: Child, detail: str) -> Html:
    """What was asked, verbatim, beside what came of it."""
    asked = element("blockquote", request.text, dir="auto") if request else element("p", "—", class_="note")
    return element(
        "div",
        element("div", element("h2", "Request"), asked, class_="asked"),
        element(
            "div",
            element("h2", answer_title),
            element("p", answer, class_="answer", dir="auto"),
            element("p", detail, class_="note") if detail else None,
            class_="answered",
        ),
        class_="exchange",
    )


def segments_table(segments: Sequence[Segment]) -> Html:
    """Name, code, volume and voxel count of each segment."""
    rows = [
        element(
            "tr",
            element(
                "th",
                element("span", class_="swatch", style=f"background:{colour(segment.colour)}", aria_hidden="true"),
                element("span", segment.name, dir="auto"),
                scope="row",
            ),
            element("td", _code(segment.terminology)),
            element("td", _millilitres(segment.volume_ml), class_="number"),
            element("td", f"{int(segment.mask.voxels.sum()):,}", class_="number"),
        )
        for segment in segments
    ]
    return _table(("Segment", "SNOMED CT"), ("Volume (mL)", "Voxels"), rows)


def evidence_table(evidence: Sequence[Evidence]) -> Html:
    """Observations with value, unit and source."""
    if not evidence:
        return element("p", "No evidence was given.", class_="note")
    rows = [
        element(
            "tr",
            element("th", item.text, scope="row"),
            element("td", _value(item.value), class_="number"),
            element("td", item.unit),
            element("td", item.source, class_="source"),
        )
        for item in evidence
    ]
    return _table(("Observation",), ("Value",), rows, ("Unit", "Source"))


def rationale_list(steps: Sequence[str]) -> Html:
    """The steps from request to answer, numbered."""
    if not steps:
        return element("p", "No rationale was given.", class_="note")
    return element("ol", (element("li", step) for step in steps), class_="steps")


def findings_list(findings: Sequence[Finding]) -> Html:
    """Checks and their outcome: icon, colour and words."""
    if not findings:
        return element("p", "The checks found nothing to report.", class_="note")
    order = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
    return element("ul", (_finding(f) for f in sorted(findings, key=lambda f: order[f.severity])), class_="findings")


def skills_list(skills: Sequence[Skill], used: Sequence[str]) -> Html:
    """Skills that were retrieved, and which of them the reasoner says it used."""
    return element(
        "ul",
        (
            element(
                "li",
                element("strong", skill.tag),
                " ",
                element("span", "used" if skill.id in used or skill.tag in used else "not used", class_="pill"),
                element("p", skill.content),
                element("p", skill.why_retrieved, class_="note") if skill.why_retrieved else None,
            )
            for skill in skills
        ),
        class_="skills",
    )


def provenance_table(provenance: Provenance) -> Html:
    """What each stage used, what it was given or made (as a hash), and how long it took."""
    return _table(
        ("Stage", "What", "Version"),
        ("Seconds",),
        [_record(record) for record in provenance.records],
        ("SHA-256", "Details"),
    )


def geometry_table(volume: Volume) -> Html:
    """The volume's grid and its place in the patient."""
    k, j, i = volume.shape
    matrix = "\n".join(" ".join(f"{value:10.4f}" for value in row) for row in volume.affine[:3])
    told_by = f", from {volume.modality_source}" if volume.modality_source else ""
    facts: list[tuple[str, Child]] = [
        ("Volume", volume.name),
        ("Modality", volume.modality.value + told_by),
        ("Voxels (i × j × k)", f"{i} × {j} × {k}, {volume.voxels.dtype.name}"),
        ("Voxel size", " × ".join(f"{size:.4g}" for size in volume.spacing) + " mm"),
        ("Axes run to", volume.axis_codes),
        ("Voxel to RAS (mm)", element("pre", matrix)),
        ("Since it was read", ", ".join(volume.transforms) or "nothing was changed"),
        ("SHA-256", element("code", volume.sha256, class_="hash")),
    ]
    return element("dl", ((element("dt", name), element("dd", value)) for name, value in facts), class_="facts")


def number(value: float) -> str:
    """Four figures at most, with a true minus sign."""
    return f"{value:.4g}".replace("-", "−")


# --------------------------------------------------------------------------------------------------------------- parts


def _table(words: Sequence[str], numbers: Sequence[str], rows: Sequence[Html], after: Sequence[str] = ()) -> Html:
    head = element(
        "tr",
        (element("th", title, scope="col") for title in words),
        (element("th", title, scope="col", class_="number") for title in numbers),
        (element("th", title, scope="col") for title in after),
    )
    return element(
        "div", element("table", element("thead", head), element("tbody", *rows)), class_="scroll", tabindex=0
    )


def _finding(finding: Finding) -> Html:
    severity = finding.severity
    icon = element(
        "svg",
        element("path", d=_SEVERITY_SHAPES[severity], fill_rule="evenodd"),
        viewBox="0 0 16 16",
        aria_hidden="true",
        class_="icon",
    )
    return element(
        "li",
        icon,
        element(
            "div",
            element("strong", _SEVERITY_WORDS[severity], ", stops the run" if finding.blocking else None),
            element("span", finding.target, class_="pill", dir="auto") if finding.target else None,
            element("span", finding.status, class_="pill") if finding.status else None,
            element("p", finding.message),
            element("p", finding.advice, class_="note") if finding.advice else None,
        ),
        class_=severity.value,
    )


def _record(record: StageRecord) -> Html:
    details = "; ".join(f"{name}: {text}" for name, text in record.details)
    return element(
        "tr",
        element("th", record.stage.value.capitalize(), scope="row"),
        element("td", record.name),
        element("td", record.version),
        element("td", "" if math.isnan(record.seconds) else f"{record.seconds:.2f}", class_="number"),
        element("td", element("code", record.sha256[:12], title=record.sha256) if record.sha256 else None),
        element("td", details, class_="details"),
    )


def _code(terminology: Terminology | None) -> Html:
    if terminology is None:
        return element("span", "no code: free text", class_="note")
    every = (terminology.type, terminology.modifier, terminology.region, terminology.region_modifier)
    codes = [code for code in every if code is not None]
    return join(
        (element("span", element("code", code.value), " ", code.meaning, class_="coded") for code in codes),
    )


def _millilitres(volume_ml: float) -> str:
    """Three figures for what is small, whole millilitres for what is large: the last digit means something."""
    if volume_ml == 0 or volume_ml >= 100:
        return f"{volume_ml:,.0f}"
    return f"{volume_ml:.1f}" if volume_ml >= 1 else f"{volume_ml:.3f}"


def _value(value: float | str | tuple[float, ...] | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return ", ".join(number(item) for item in value)
    return number(value)
