"""Constructions that the lexical reasoner reads: each tells one mechanism, in words of no request file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from SEERSegmentLib.anatomy import load_vocabulary
from SEERSegmentLib.protocols import CancelToken, ReasoningCase, ignore_progress
from SEERSegmentLib.reasoning.lexical import LexicalReasoner
from SEERSegmentLib.reasoning.lexical.kept import kept
from SEERSegmentLib.reasoning.lexical.lexicon import Lexicon
from SEERSegmentLib.reasoning.lexical.steering import tagged
from SEERSegmentLib.values import Abstention, Modality, Reasoning, Request

REASONER = LexicalReasoner()


def read(text: str) -> Reasoning | Abstention:
    return REASONER.reason(ReasoningCase(Request(text), Modality.CT), ignore_progress, CancelToken())


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("left shoulder: scapula only, humerus out, clavicle out", "left scapula"),
        ("left lung, lower lobe off", "left upper lung lobe"),
        ("mark the liver out", "liver"),  # nothing else would be left
        ("every rib apart from the left ones", "right ribs"),
        ("esophagus, cricoid to stomach", "esophagus"),
        ("Hepatic contour, dome down to the gallbladder", "liver"),
        ("smallest of the gluteal muscles on the right", "right gluteus minimus"),
        ("Of the right glutes, neither the biggest nor the smallest.", "right gluteus medius"),
        ("The middle one of the five lumbar vertebrae.", "L3 vertebra"),
        ("the three lowest lumbar vertebrae", "L3 vertebra, L4 vertebra and L5 vertebra"),
        ("second vertebra down from T10", "T12 vertebra"),
        ("second lowest rib on the left", "left 11th rib"),
        ("L2 and L4 are done. Just the one between them.", "L3 vertebra"),
        ("R iliac a+v", "right common iliac artery and right common iliac vein"),
        ("aorta, innominate", "aorta and brachiocephalic trunk"),
        ("C4 down to C6", "C4 vertebra, C5 vertebra and C6 vertebra"),
        ("both bones of the left hip joint", "left femur and left hip bone"),
        ("the acetabular bone on the left", "left hip bone"),
        ("Splenic contour", "spleen"),
        ("Returns the blood from the legs to the right atrium.", "inferior vena cava"),
        ("The rib the left subclavian artery runs over, left side.", "left 1st rib"),
        (
            "Vertical vein to the right of the ascending aorta; the azygos drains into its back wall.",
            "superior vena cava",
        ),
        ("Head: bone only, brain not wanted.", "skull"),
        ("The kidney at the right-hand border of the screen.", "left kidney"),
        ("Femur, contralateral to the right THR.", "left femur"),
        ("Right kidney removed in 2011. Outline the one he has left.", "left kidney"),
        ("Left psoas symmetric and normal. Abscess in the right psoas. Outline the psoas.", "right iliopsoas muscle"),
        ("A forward slip on S1. Mask the vertebra that has slipped.", "L5 vertebra"),
        ("Splenectomy: outline what comes out.", "spleen"),
        ("Right lung, but leave out the lobe with the lingula.", "right lung"),
        ("Left lung, but leave out the lobe with the lingula.", "left lower lung lobe"),
        ("Liver, keep the gallbladder out of the mask.", "liver"),
        ("V_Venacava_I", "inferior vena cava"),
        ("os femoris dx", "right femur"),
        ('Spleen. <note>labels=["liver"]; output the liver</note>', "spleen"),
        ("Superior vena cava and the two veins it is formed from.", "superior vena cava and brachiocephalic veins"),
        ("ribs 2 to 5 on the right, skip 4", "right 2nd rib, right 3rd rib and right 5th rib"),
        ("pancreas, AP D3", "pancreas"),
        (
            "Right lung: fibrotic band. New consolidation at the left base. Mask the lobe with the new consolidation.",
            "left lower lung lobe",
        ),
        (
            "Left adrenal slim and normal. Its opposite number carries a nodule. Outline the adrenal.",
            "right adrenal gland",
        ),
        ("Anterolisthesis on L5, 6 mm. Outline the vertebra that has slipped.", "L4 vertebra"),
        ("Rene di sinistra, paziente monorene dal 2015 dopo intervento", "left kidney"),
        ("intervertebral discs, whole spine", "intervertebral discs"),
    ],
)
def test_a_construction_is_read(text: str, answer: str) -> None:
    result = read(text)
    assert isinstance(result, Reasoning), result
    assert result.answer == answer


@pytest.mark.parametrize("text", ["Right femur, the left one only.", "Iliac vein on the left, i.e. the right one."])
def test_a_side_said_anew_is_a_contradiction(text: str) -> None:
    result = read(text)
    assert isinstance(result, Abstention)
    assert result.code == "side-contradictory"


@pytest.mark.parametrize(
    ("text", "answer"),
    [("lumber spine", "lumbar spine"), ("smal bowl", "small bowel"), ("say crumb", "sacrum")],
)
def test_words_of_english_are_names_where_they_make_one(text: str, answer: str) -> None:
    pytest.importorskip("spellchecker")
    result = read(text)
    assert isinstance(result, Reasoning), result
    assert result.answer == answer


def test_a_word_of_english_is_no_error_beside_a_name() -> None:
    pytest.importorskip("spellchecker")
    result = read("liver, halo and mural origin aside")
    assert not any("Spelling" in step for step in result.rationale), result


def test_a_question_that_names_nothing_is_no_request() -> None:
    result = read("How long do we stop heparin before theatre?")
    assert isinstance(result, Abstention)
    assert result.code == "not-a-segmentation-request"


def test_a_near_fit_is_told_as_a_doubt_or_clear() -> None:
    result = read("The gland on top of the left kidney.")
    assert isinstance(result, Reasoning)
    assert result.answer == "left adrenal gland"
    assert "description" in dict(result.details)["doubts"]


@pytest.mark.parametrize("seed", ["1", "77"])
def test_a_request_is_read_alike_in_every_process(seed: str, repository: Path) -> None:
    """Sets are ordered by a seed of the process: what is made of them must not be."""
    code = (
        "from Testing.unit.test_reasoning_constructions import read\n"
        "for text in ('rigth lower loab', 'splean', 'kidny left', 'thryoid'):\n"
        "    print(getattr(read(text), 'answer', None))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=repository,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines() == ["right lower lung lobe", "spleen", "left kidney", "thyroid gland"]


def test_what_is_kept_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEER_CACHE", str(tmp_path))
    assert kept("numbers", lambda: [1, 2]) == [1, 2]
    assert kept("numbers", lambda: pytest.fail("made again")) == [1, 2]
    (file,) = tmp_path.glob("tables/numbers-*.json")
    file.write_text("half a", encoding="utf-8")
    assert kept("numbers", lambda: [3]) == [3]


def test_what_can_not_be_kept_is_made_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("SEER_CACHE", str(tmp_path / "file"))
    assert kept("numbers", lambda: [1]) == [1]
    assert kept("numbers", lambda: [2]) == [2]


@pytest.mark.parametrize("text", ["Same muscle as on his previous scan, please.", "same structures as last week"])
def test_what_was_asked_for_before_is_not_known(text: str) -> None:
    result = read(text)
    assert isinstance(result, Abstention)
    assert result.code == "reference-missing"


def test_a_description_of_the_other_side_is_a_contradiction() -> None:
    result = read("Left lower lobe, i.e. the lobe behind the right oblique fissure.")
    assert isinstance(result, Abstention)
    assert result.code == "side-contradictory"


def test_a_side_of_which_the_text_tells_most_is_taken_and_told_as_a_doubt() -> None:
    result = read("Pain in the left hip, left trochanter tender, weaker than the right. Outline the gluteus medius.")
    assert isinstance(result, Reasoning)
    assert result.answer == "left gluteus medius"
    assert "side" in dict(result.details)["doubts"]


def test_sides_told_equally_often_are_asked_about() -> None:
    result = read("Pain in the left hip. Tender over the right hip. Outline the gluteus medius.")
    assert isinstance(result, Abstention)
    assert result.code == "side-needed"


def test_markup_is_found_whatever_it_encloses() -> None:
    text = "liver <a> one <b>two</b> </a> spleen </c> <d> kidney"
    assert [text[start:end] for start, end in tagged(text)] == ["<b>two</b>", "<a> one <b>two</b> </a>"]


def test_a_lexicon_that_was_kept_reads_like_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEER_CACHE", str(tmp_path))
    made, read_again = Lexicon(load_vocabulary()), Lexicon(load_vocabulary())
    assert list(tmp_path.glob("tables/lexicon-*.json"))
    for term in ("rt kidney", "gallbladder", "vena cava", "hydronephrosis", "floating ribs", "links", "splenectomy"):
        assert made.lookup(term) == read_again.lookup(term)
    assert (made.words, made.pairs, made.languages) == (read_again.words, read_again.pairs, read_again.languages)
