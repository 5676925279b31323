"""Put the report together and write it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from ... import __version__
from ...errors import UsageError
from ...values import (
    RESEARCH_USE_ONLY,
    Abstention,
    Evidence,
    Modality,
    Plane,
    Request,
    Segment,
    Segmentation,
    Stage,
    TargetSpec,
    View,
    Volume,
)
from ..atomic import check_writable, write_atomically
from ..overlay import box_outlines
from ..snapshots import target_views
from . import sections
from .figures import figure
from .html import Html, element, escape, join

__all__ = ["REPORT_SUFFIXES", "check_report_path", "render_report", "write_report"]

REPORT_SUFFIXES = (".html", ".htm")


def write_report(
    result: Segmentation | Abstention,
    path: Path | str,
    *,
    request: Request | None = None,
    volume: Volume | None = None,
    views: Sequence[View] = (),
) -> Path:
    """Write a run's result as one HTML page, which loads nothing and runs nothing.

    Parameters
    ----------
    result : Segmentation or Abstention
    path : path ending in .html or .htm
        An existing file is replaced.
    request, volume, views
        What an abstention was about, for its page: it doesn't carry them itself.

    Raises
    ------
    UsageError
        Code ``report-suffix``.
    StorageError
        Codes of :func:`~SEERSegmentLib.output.atomic.check_writable`.
    """
    path = Path(path)
    check_report_path(path)
    page = render_report(result, request=request, volume=volume, views=views)
    with write_atomically(path) as scratch:
        scratch.write_text(page, encoding="utf-8")
    return path


def check_report_path(path: Path) -> None:
    """Find out whether a report can be written to ``path``. Raises as :func:`write_report` does."""
    if path.suffix.lower() not in REPORT_SUFFIXES:
        raise UsageError(f"The report is a web page; end its name '{path.name}' in .html.", code="report-suffix")
    check_writable(path)


def render_report(
    result: Segmentation | Abstention,
    *,
    request: Request | None = None,
    volume: Volume | None = None,
    views: Sequence[View] = (),
) -> str:
    """The page as text; parameters of :func:`write_report`."""
    if isinstance(result, Segmentation):
        title, body = f"{result.spec.prompt} – SEER report", _segmentation(result)
    else:
        title, body = "Abstained – SEER report", _abstention(result, request, volume, views)
    folder = files(__package__)
    return Template(folder.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title=escape(title),
        style=folder.joinpath("style.css").read_text(encoding="utf-8"),
        notice=escape(RESEARCH_USE_ONLY),
        body=body,
        software=escape(result.provenance.software if result.provenance else f"SEER {__version__}"),
    )


def _segmentation(result: Segmentation) -> Html:
    reasoning = result.reasoning
    backbone = result.provenance.record(Stage.SEGMENT)
    by = f"by the reasoner {reasoning.reasoner}"
    if backbone:
        by += f", segmented by the backbone {backbone.name} {backbone.version}".rstrip()
    return join(
        sections.request_and_answer(result.request, "Answer that was executed", reasoning.answer, by),
        _through_target(result),
        sections.section("Segments", sections.segments_table(result.segments)),
        sections.section("Findings", sections.findings_list(result.findings)),
        _reasoning(reasoning.evidence, reasoning.rationale),
        sections.section(
            "Skills", sections.skills_list(result.skills, reasoning.skills_used), note="Retrieved from the skill bank."
        )
        if result.skills
        else None,
        _gallery(result.views, result.segments, result.volume, result.spec),
        sections.section("Volume", sections.geometry_table(result.volume)),
        sections.section("Provenance", sections.provenance_table(result.provenance)),
    )


def _abstention(result: Abstention, request: Request | None, volume: Volume | None, views: Sequence[View]) -> Html:
    detail = f"by the reasoner {result.reasoner}" if result.reasoner else ""
    ask = element(
        "div",
        element("h2", "Question back"),
        element("p", result.question, class_="question"),
        (
            element("p", "These would work:", class_="note"),
            element("ul", (element("li", s, dir="auto") for s in result.suggestions), class_="suggestions"),
        )
        if result.suggestions
        else None,
        class_="ask",
    )
    return join(
        sections.request_and_answer(request, "No answer: SEER abstained", result.reason, detail),
        ask,
        sections.section("Findings", sections.findings_list(result.findings)) if result.findings else None,
        _reasoning(result.evidence, result.rationale),
        _gallery(views, (), volume),
        sections.section("Volume", sections.geometry_table(volume)) if volume else None,
        sections.section("Provenance", sections.provenance_table(result.provenance)) if result.provenance else None,
    )


def _reasoning(evidence: Sequence[Evidence], rationale: Sequence[str]) -> Html:
    return join(
        sections.section(
            "Evidence", sections.evidence_table(evidence), note="What was measured or seen in this image."
        ),
        sections.section("Rationale", sections.rationale_list(rationale), note="How the request was read."),
    )


def _through_target(result: Segmentation) -> Html:
    views = (figure(v, result.segments, _caption(v, result.volume)) for v in target_views(result))
    return element("div", views, class_="views target")


def _gallery(
    views: Sequence[View], segments: Sequence[Segment], volume: Volume | None, spec: TargetSpec | None = None
) -> Html | None:
    if not views:
        return None
    anchors = spec.anchors if spec is not None else ()
    figures = (
        figure(view, segments, _caption(view, volume), box_outlines(anchors, volume.affine, view) if volume else ())
        for view in views
    )
    note = "What the reasoner was given to look at. It saw neither outlines nor letters."
    if anchors:
        note += " Dashed: the boxes that the segments were drawn from."
    return sections.section("Views", element("div", figures, class_="views all"), note=note)


def _caption(view: View, volume: Volume | None) -> Html:
    """The view's name, as evidence cites it, where it lies, and what it shows between black and white."""
    axis = {Plane.AXIAL: "S", Plane.CORONAL: "A", Plane.SAGITTAL: "R"}[view.plane]
    where = f"{axis} {sections.number(view.position_mm)} mm" if view.position_mm is not None else "projection"
    unit = " HU" if volume is not None and volume.modality is Modality.CT else ""
    lower, upper = (sections.number(bound) for bound in view.window)
    return join(element("b", view.name), element("span", f"{where} · {lower} to {upper}{unit}"))
