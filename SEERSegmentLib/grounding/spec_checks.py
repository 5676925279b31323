"""Checks of a target against the image and the request, before anything runs."""

from __future__ import annotations

from ..anatomy import Structure, level_at, load_vocabulary
from ..anatomy.structure import COLLECTIONS
from ..values import Finding, ImageFacts, Modality, Request, Severity, Side, Target, TargetSpec
from .request_sides import requested_side

__all__ = ["check_spec"]

#: How many missing parts a message names.
NAMED_PARTS = 3


def check_spec(spec: TargetSpec, request: Request, facts: ImageFacts) -> tuple[Finding, ...]:
    """Check each target of a spec: modality, side as requested, body levels in view.

    Parameters
    ----------
    spec : TargetSpec
    request : Request
    facts : ImageFacts
        As measured by :func:`~SEERSegmentLib.grounding.measure`.

    Returns
    -------
    tuple of Finding
        In the order of the targets. Codes ``modality-not-allowed`` and ``side-contradicts-request`` (both blocking),
        ``target-out-of-view`` (warning) and ``target-cut-off`` (information). Silent wherever it can't be sure.
    """
    known = load_vocabulary().structures
    findings: list[Finding] = []
    for target in spec.targets:
        structure = known.get(target.structure)
        if structure is not None:
            findings += _modality(structure, facts)
        findings += _side(target, spec, request)
        if structure is not None:
            findings += _in_view(structure, facts)
    return tuple(findings)


def _modality(structure: Structure, facts: ImageFacts) -> list[Finding]:
    if facts.modality is Modality.UNKNOWN or facts.modality in structure.modalities:
        return []
    allowed = " or ".join(sorted(modality.value for modality in structure.modalities))
    return [
        Finding(
            "modality-not-allowed",
            Severity.ERROR,
            f"The {structure.name} can be segmented on {allowed}, but this is a {facts.modality.value} image.",
            blocking=True,
            target=structure.name,
            advice=f"Load the {allowed} image, or correct the modality if it was told wrongly.",
        )
    ]


def _side(target: Target, spec: TargetSpec, request: Request) -> list[Finding]:
    if target.side is Side.NONE:
        return []
    asked = requested_side(request.text, target)
    if asked is None or asked is target.side:
        return []
    if any(other.side is asked and _same_idea(other, target) for other in spec.targets):
        return []  # the requested side is in the answer too
    return [
        Finding(
            "side-contradicts-request",
            Severity.ERROR,
            f"The request asks for the {asked.value} side, but the answer is the {_name(target)}.",
            blocking=True,
            target=_name(target),
            advice="Correct the side in the answer, or word the request again.",
        )
    ]


def _same_idea(one: Target, other: Target) -> bool:
    known = load_vocabulary().structures
    if one.structure in known and other.structure in known:
        return known[one.structure].concept == known[other.structure].concept
    return one.text.replace(one.side.value, "").split() == other.text.replace(other.side.value, "").split()


def _name(target: Target) -> str:
    structure = load_vocabulary().structures.get(target.structure)
    return structure.name if structure is not None else target.text


def _in_view(structure: Structure, facts: ImageFacts) -> list[Finding]:
    if facts.covered_levels is None:
        return []
    top, bottom = facts.covered_levels
    high, low = structure.span
    shown = f"from about {_level(top)} to {_level(bottom)}"
    if low <= top or high >= bottom:
        where = "above" if low <= top else "below"
        return [
            Finding(
                "target-out-of-view",
                Severity.WARNING,
                f"These slices show the body at most {shown}; the {structure.name} would be {where} them.",
                target=structure.name,
                advice=f"Check that this is the right image; anything outlined here would not be the {structure.name}.",
            )
        ]
    if structure.kind not in COLLECTIONS:
        return []
    # A span is where a structure may lie, so reaching beyond the slices proves nothing; a part that lies outside does.
    known = load_vocabulary()
    parts = [known.get(part) for part in known.parts_closure(structure.id) if part != structure.id]
    missing = [part.name for part in parts if part.span[1] <= top or part.span[0] >= bottom]
    if not missing:
        return []
    names = ", ".join(missing[:NAMED_PARTS]) + (" and more" if len(missing) > NAMED_PARTS else "")
    return [
        Finding(
            "target-cut-off",
            Severity.INFO,
            f"The image holds only a part of the {structure.name}: these slices show the body at most {shown}, without"
            f" {names}.",
            target=structure.name,
        )
    ]


def _level(level: float) -> str:
    return level_at(level).replace("_", " ")
