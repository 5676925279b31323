"""check_spec(): modality and side of a target, read narrowly and silent in doubt."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from SEERSegmentLib.anatomy import load_vocabulary, resolve_answer
from SEERSegmentLib.grounding import check_spec
from SEERSegmentLib.grounding.request_sides import requested_side
from SEERSegmentLib.values import (
    Finding,
    ImageFacts,
    Modality,
    Request,
    Severity,
    Side,
    Target,
    TargetSpec,
)

FACTS = ImageFacts(Modality.CT, "user", (10, 10, 10), (1.0, 1.0, 1.0), (10.0, 10.0, 10.0))


def spec_of(answer: str) -> TargetSpec:
    spec = resolve_answer(answer)
    assert isinstance(spec, TargetSpec), spec
    return spec


def side_findings(request: str, answer: str) -> list[Finding]:
    found = check_spec(spec_of(answer), Request(request), FACTS)
    return [finding for finding in found if finding.code == "side-contradicts-request"]


@pytest.mark.parametrize(
    ("request_text", "answer"),
    [
        ("pls outline the rt kidney, ?hydro", "left kidney"),
        ("RK", "left kidney"),
        ("L kidney", "right kidney"),
        ("kidney on the right", "left kidney"),
        ("lung right", "left lung"),
        ("right lung", "left lung and liver"),
        ("outline the right kidney, not the left", "left kidney"),
        ("hx of RCC, outline right kidney", "left kidney"),
        ("left lung nodule, right kidney please", "left kidney"),
        ("left native kidney", "right kidney"),
        ("right-sided kidney", "left kidney"),
        ("hip pain right; please do the left femur", "right femur"),
        ("right 7th rib", "left rib 7"),
        ("RIGHT KIDNEY!!!", "left kidney"),
        ("linke Niere bitte", "right kidney"),
        ("riñón izquierdo", "right kidney"),
        ("rein gauche", "right kidney"),
        ("RUL", "left upper lobe of lung"),
        ("contour left upper lobe", "right upper lobe of lung"),
    ],
)
def test_a_contradicted_side_blocks(request_text: str, answer: str) -> None:
    (finding,) = side_findings(request_text, answer)
    assert finding.blocking
    assert finding.severity is Severity.ERROR
    assert finding.target == spec_of(answer).targets[0].text
    assert finding.target in finding.message


@pytest.mark.parametrize(
    ("request_text", "answer"),
    [
        ("pls outline the rt kidney, ?hydro", "right kidney"),
        ("segment the left kidney", "left kidney and right kidney"),
        ("both kidneys", "left kidney and right kidney"),
        ("both kidneys", "left kidney"),
        ("left and right kidneys", "left kidney"),
        ("left / right kidney", "right kidney"),
        ("left kidney or right kidney", "left kidney"),
        ("s/p left nephrectomy, outline the remaining kidney", "right kidney"),
        ("prior left kidney transplant; outline the kidney", "right kidney"),
        ("not the left kidney, the right one", "right kidney"),
        ("the kidney opposite the left kidney", "right kidney"),
        ("kidney, left side of the screen", "right kidney"),
        ("the kidney on the left of the image", "right kidney"),
        ("image left kidney", "right kidney"),
        ("what is left of the kidney", "right kidney"),
        ("right hemiparesis, outline the brain", "brain"),
        ("left adrenal and kidney", "right kidney"),
        ("the kidney", "right kidney"),
        ("left lung nodule with kidney cyst", "right kidney"),
        ("spleen left kidney right", "right kidney"),
        ("", "right kidney"),
    ],
)
def test_agreement_and_doubt_are_silent(request_text: str, answer: str) -> None:
    assert side_findings(request_text, answer) == []


def test_free_text_targets_are_checked_by_their_own_words() -> None:
    target = Target("left gizmo", side=Side.LEFT)
    spec = TargetSpec("left gizmo", (target,))
    found = check_spec(spec, Request("outline the right gizmo"), FACTS)
    assert [finding.code for finding in found] == ["side-contradicts-request"]
    assert check_spec(spec, Request("outline the left gizmo"), FACTS) == ()
    assert check_spec(spec, Request("outline the right kidney"), FACTS) == ()


SIDED = sorted(
    s.id for s in load_vocabulary().structures.values() if s.side is not Side.NONE and s.name.startswith(s.side.value)
)


@given(structure=st.sampled_from(SIDED), frame=st.sampled_from(["{}", "please segment the {}.", "show me {} , thanks"]))
def test_a_structure_s_own_name_never_contradicts_it_and_its_mirror_always_does(structure: str, frame: str) -> None:
    known = load_vocabulary()
    asked = known.get(structure)
    target = Target(asked.name, asked.id, asked.side, asked.level)
    request = frame.format(asked.name)
    assert requested_side(request, target) in (asked.side, None)
    mirrored = known.structure_for(asked.concept, asked.side.opposite, asked.level)
    if mirrored is not None and requested_side(request, target) is not None:
        other = Target(mirrored.name, mirrored.id, mirrored.side, mirrored.level)
        found = check_spec(TargetSpec(mirrored.name, (other,)), Request(request), FACTS)
        assert [finding.code for finding in found if finding.blocking] == ["side-contradicts-request"]


@given(text=st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    kidney = load_vocabulary().get("kidney_left")
    assert requested_side(text, Target(kidney.name, kidney.id, kidney.side)) in (None, Side.LEFT, Side.RIGHT)


def test_a_huge_request_is_read_in_part() -> None:
    kidney = load_vocabulary().get("kidney_left")
    target = Target(kidney.name, kidney.id, kidney.side)
    assert requested_side("x " * 500_000 + "right kidney", target) is None


def test_modality_blocks_only_where_it_is_known_and_wrong() -> None:
    known = load_vocabulary()
    spec = spec_of("left kidney")
    assert check_spec(spec, Request("left kidney"), FACTS) == ()
    only_mr = next(s for s in known.structures.values() if s.modalities == {Modality.MR})
    target = Target(only_mr.name, only_mr.id, only_mr.side, only_mr.level)
    (finding,) = check_spec(TargetSpec(only_mr.name, (target,)), Request("outline it"), FACTS)
    assert (finding.code, finding.severity, finding.blocking) == ("modality-not-allowed", Severity.ERROR, True)
    assert only_mr.name in finding.message
    assert "MR" in finding.message
    for modality in (Modality.MR, Modality.UNKNOWN):
        facts = replace(FACTS, modality=modality)
        assert check_spec(TargetSpec(only_mr.name, (target,)), Request("outline it"), facts) == ()


def test_only_modality_and_side_ever_block() -> None:
    known = load_vocabulary()
    facts = replace(FACTS, covered_levels=(10.0, 12.0))
    for structure in known.structures.values():
        target = Target(structure.name, structure.id, structure.side, structure.level)
        for finding in check_spec(TargetSpec(structure.name, (target,)), Request("outline it"), facts):
            assert finding.blocking == (finding.code in {"modality-not-allowed", "side-contradicts-request"})
            assert finding.target == structure.name
