"""Evidence that goes with a reading: measured items of the image, and whether the target's region is in view."""

from __future__ import annotations

from ...anatomy import load_vocabulary
from ...protocols import ReasoningCase
from ...values import Evidence, ImageFacts, TargetSpec

__all__ = ["evidence_for"]


def evidence_for(spec: TargetSpec | None, case: ReasoningCase) -> tuple[Evidence, ...]:
    """What the image shows that matters here: everything measured, then the place of each target.

    Nothing is said of the image that was not measured in it; without an image, that is what the evidence says.
    """
    if case.facts is None:
        return (Evidence("no-image", "No image was given; the request was read on its own.", source="request"),)
    items = list(case.facts.evidence)
    if spec is not None:
        items += [item for target in spec.targets if (item := _in_view(target.structure, case.facts)) is not None]
    return tuple(items)


def _in_view(id: str, facts: ImageFacts) -> Evidence | None:
    if not id or facts.covered_levels is None:
        return None
    structure = load_vocabulary().get(id)
    top, bottom = structure.span
    seen_top, seen_bottom = facts.covered_levels
    shared = min(bottom, seen_bottom) - max(top, seen_top)
    share = max(0.0, min(1.0, shared / (bottom - top))) if bottom > top else 0.0
    if share <= 0.0:
        verdict = "outside the slices"
    elif share >= 0.999:
        verdict = "within the slices"
    else:
        verdict = "partly within the slices"
    return Evidence(
        "target-in-view",
        f"{structure.name[:1].upper()}{structure.name[1:]}: its usual place is {verdict}.",
        round(100.0 * share),
        "%",
        "body levels covered",
    )
