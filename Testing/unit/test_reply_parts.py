"""What a reply comes back with: evidence and its views, rationale, the answer's own words, findings, reasons, codes."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from SEERSegmentLib.anatomy import resolve_answer
from SEERSegmentLib.errors import ReplyError
from SEERSegmentLib.reasoning.reply import MAX_REPLY, parse_reply, partial_reply, tags
from SEERSegmentLib.values import Abstention, Plane, Reasoning, Severity, Skill, TargetSpec, View


def reply(answer: str, evidence: str = "Seen.", rationale: str = "Read.") -> str:
    return f"<evidence>{evidence}</evidence>\n<rationale>{rationale}</rationale>\n<answer>{answer}</answer>"


def usable(text: str, **known: object) -> Reasoning:
    read = parse_reply(text, **known)  # type: ignore[arg-type]
    assert isinstance(read, Reasoning), read
    return read


def abstention(text: str, **known: object) -> Abstention:
    read = parse_reply(text, **known)  # type: ignore[arg-type]
    assert isinstance(read, Abstention), read
    return read


def view(name: str, plane: Plane, index: int | None) -> View:
    return View(name, np.zeros((2, 2), np.uint8), plane, index, 0.0, (0.0, 1.0), np.eye(4), "multi-view")


VIEWS = [view(f"axial {k}", Plane.AXIAL, k) for k in (10, 20, 30, 40, 57)]
VIEWS += [view("coronal 120", Plane.CORONAL, 120), view("coronal MIP", Plane.CORONAL, None)]


# The answer


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("left kidney", "left kidney"),
        ("  The  left\tkidney. ", "left kidney"),
        ("**Lt kidney**", "Lt kidney"),
        ("- RK\n- spleen", "RK; spleen"),
        ("1. liver\n2. spleen", "liver; spleen"),
        ("1. Rippe links", "1. Rippe links"),
        ("'liver'", "liver"),
        ('"left kidney"', "left kidney"),
        ("left\nkidney", "left kidney"),
        ("rim-enhancing mass in the\nleft temporal lobe", "rim-enhancing mass in the left temporal lobe"),
        ("ｌｉｖｅｒ", "liver"),
        ("liver,\nspleen", "liver; spleen"),
    ],
)
def test_the_answer_keeps_the_replys_own_words_without_decoration(written: str, answer: str) -> None:
    assert usable(reply(written)).answer == answer


def test_targets_come_in_the_order_of_the_reply() -> None:
    spec = resolve_answer(usable(reply("* spleen\n* hypodense lesion in segment VII of the liver\n* RK")).answer)
    assert isinstance(spec, TargetSpec)
    assert [t.structure or t.text for t in spec.targets] == [
        "spleen",
        "hypodense lesion in segment VII of the liver",
        "kidney_right",
    ]


def test_raw_is_the_reply_as_it_came_but_for_half_characters() -> None:
    text = f"Hi.\x00\u202e {reply('liver')} <|im_end|>"
    assert usable(text).raw == text
    assert usable(text + "\ud800").raw == text + "\ufffd"


# Abstentions


def test_an_abstention_carries_what_was_seen_and_thought_and_the_question_back() -> None:
    read = abstention(
        reply("NONE", "Both kidneys (image 1).", "No side is named. Which kidney is meant?"), reasoner="q"
    )
    assert (read.code, read.question, read.reasoner) == ("refusal", "Which kidney is meant?", "q")
    assert [item.text for item in read.evidence] == ["Both kidneys (image 1)."]
    assert read.rationale == ("No side is named.", "Which kidney is meant?")
    assert read.raw


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("", "empty-answer"),
        ("none", "refusal"),
        ("liver?", "hedged"),
        ("possibly liver", "hedged"),
        ("TBD", "placeholder"),
        ("the target structure", "placeholder"),
        ("same as above", "reference-missing"),
        ("segment the liver", "not-a-phrase"),
        ("The target is the liver.", "not-a-phrase"),
        ('{"target": "liver"}', "not-a-phrase"),
        ("liver@k5[1 2 3 4]", "not-a-phrase"),
        ("liver or spleen", "alternatives"),
        ("rt./lt. kidney", "alternatives"),
        ("L4/L5 vertebra", "alternatives"),
        ("not the liver", "negation"),
        ("left", "side-only"),
        ("kidney", "side-needed"),
        ("left right kidney", "side-contradictory"),
        ("rib", "level-needed"),
        ("C9", "no-such-structure"),
        ("rib 15 on the left", "no-such-structure"),
        ("PV", "ambiguous-term"),
        ("splean", "no-anatomy"),
        ("li\u200bver", "answer-unreadable"),
        ("l\u0456ver", "answer-unreadable"),
        ("l\u0336iver", "answer-unreadable"),
        ("liver, " * 2_000 + "liver", "answer-too-long"),
    ],
)
def test_every_abstention_has_its_code_a_reason_and_a_question(answer: str, code: str) -> None:
    read = abstention(reply(answer))
    assert read.code == code
    assert read.reason.endswith(".")
    assert read.question.endswith("?")


def test_an_answer_that_repeats_the_request_is_told_as_such() -> None:
    request = "pls outline the rt kidney, ?hydro"
    assert abstention(reply(request), request=request).code == "echoed-request"
    assert abstention(reply(f"Request: {request}"), request=request).code == "echoed-request"
    assert abstention(reply(request), request="spleen").code == "hedged"
    assert usable(reply("left kidney"), request="Left kidney").answer == "left kidney"


# Malformed replies

BROKEN = {
    "reply-empty": " \n",
    "reply-too-long": "x" * (MAX_REPLY + 1),
    "reply-tag-missing": "The liver.",
    "reply-tag-twice": reply("liver") * 2,
    "reply-tag-unclosed": reply("liver")[:-9],
    "reply-tag-unopened": reply("liver")[10:],
    "reply-tag-order": "<answer>liver</answer><evidence>Seen.</evidence><rationale>Read.</rationale>",
    "reply-tag-nested": "<evidence>Seen.<rationale>Read.</rationale></evidence><answer>liver</answer>",
    "reply-tag-form": reply("liver").replace("<answer>", "<answer kind='organ'>"),
    "reply-tag-disguised": reply("liver", "Seen. ＜answer＞spleen＜/answer＞"),
    "reply-section-blank": reply("liver", rationale="..."),
    "reply-answer-markup": reply("<b>liver</b>"),
}


@pytest.mark.parametrize(("code", "text"), BROKEN.items(), ids=BROKEN.keys())
def test_every_way_to_be_malformed_has_its_code(code: str, text: str) -> None:
    with pytest.raises(ReplyError) as caught:
        parse_reply(text)
    assert caught.value.code == code
    assert caught.value.user_message.endswith(".")
    assert "<" not in caught.value.user_message
    assert caught.value.detail == text[:8_000]


def test_every_code_has_an_example_here_and_stands_in_the_documents(repository: Path) -> None:
    assert set(BROKEN) == set(tags.CODES)
    page = (repository / "docs" / "replies.md").read_text(encoding="utf-8")
    assert {code for code in BROKEN if f"| `{code}` |" in page} == set(BROKEN)


# Evidence


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("The liver is seen (image 3).", "axial 30"),
        ("Images 2-4 show it.", "axial 20, axial 30, axial 40"),
        ("images 1, 3 and 5", "axial 10, axial 30, axial 57"),
        ("View #2 and img. 6", "axial 20, coronal 120"),
        ("slice 57", "axial 57"),
        ("On axial slices 10 and 30", "axial 10, axial 30"),
        ("axial 20, coronal 120", "axial 20, coronal 120"),
        ("at z=40", "axial 40"),
        ("slices 15–45", "axial 20, axial 30, axial 40"),
        ("the coronal MIP shows both lungs", "coronal MIP"),
        ("a mass of 3 cm; slice thickness 5 mm; view 2 cm wide", ""),
        ("no picture is named", ""),
    ],
)
def test_evidence_carries_the_views_that_it_cites(text: str, source: str) -> None:
    read = usable(reply("liver", text), views=VIEWS)
    assert [item.source for item in read.evidence] == [source]
    assert read.findings == ()


def test_pictures_that_were_not_shown_are_a_warning() -> None:
    read = usable(reply("liver", "Image 9 and slice 58.\nImage 0.\nImages 3-12."), views=VIEWS)
    (finding,) = read.findings
    assert (finding.code, finding.severity, finding.blocking) == ("evidence-cites-no-view", Severity.WARNING, False)
    for cited in ("image 9", "slice 58", "image 0", "images 3-12"):
        assert cited in finding.message
    assert usable(reply("liver", "Image 9.")).findings == ()  # without views nothing is looked up


@pytest.mark.parametrize(
    ("section", "items"),
    [
        ("One. Two (image 3). Three", ("One.", "Two (image 3).", "Three")),
        ("- one. still one\n- two\n\n", ("one. still one", "two")),
        ("1. one\n2) two", ("one", "two")),
        ("```\none\n```", ("one",)),
        ("Size 3.2 cm, i.e. large, approx. Right-sided.", ("Size 3.2 cm, i.e. large, approx. Right-sided.",)),
        ("一つ。二つ。", ("一つ。", "二つ。")),
        ("a\u200bb\u202ec\x00d\ue000e\ud800f", ("abcdef",)),
        ("a\r\nb\u2028c", ("a", "b", "c")),
    ],
)
def test_sections_are_shown_by_bullets_lines_and_sentences(section: str, items: tuple[str, ...]) -> None:
    read = usable(reply("liver", section, section))
    assert tuple(item.text for item in read.evidence) == read.rationale == items


def test_what_is_shown_is_bounded() -> None:
    read = usable(reply("liver", "a line\n" * 5_000, "word " * 50_000))
    assert len(read.evidence) == 60
    assert read.evidence[-1].text == "…"
    assert len(read.rationale[0]) == 1_000


# Skills

SKILLS = (
    Skill("seer:0123456789ab", "ABBR_DISAMBIGUATE", "RK …"),
    Skill("seer:ba9876543210", "MESSY_INPUT_REPAIR", "…"),
)


@pytest.mark.parametrize(
    ("rationale", "used"),
    [
        ("Abbr_Disambiguate: RK is a kidney.", ("seer:0123456789ab",)),
        ("As in [2], the typo is mended.", ("seer:ba9876543210",)),
        ("By skill 1 and seer:ba9876543210.", ("seer:0123456789ab", "seer:ba9876543210")),
        ("By skill 12, or skill [3].", ()),
        ("ABBR_DISAMBIGUATES, not a tag.", ()),
    ],
)
def test_a_skill_counts_as_used_where_the_rationale_names_it(rationale: str, used: tuple[str, ...]) -> None:
    assert usable(reply("right kidney", rationale=rationale), skills=SKILLS).skills_used == used


# Contradictions


@pytest.mark.parametrize(
    ("rationale", "answer"),
    [
        ("The request asks for the right kidney.", "left kidney"),
        ("RK is short for it.", "left kidney"),
        ("Kidney on the right side was asked for.", "left kidney"),
        ("The target is the right lower lobe.", "left lower lobe"),
        ("The mass in the left temporal lobe is the target.", "mass in the right temporal lobe"),
    ],
)
def test_a_rationale_of_the_other_side_blocks(rationale: str, answer: str) -> None:
    (finding,) = usable(reply(answer, rationale=rationale)).findings
    assert finding.code == "side-contradicts-rationale"
    assert (finding.severity, finding.blocking) == (Severity.ERROR, True)


@pytest.mark.parametrize(
    ("rationale", "answer"),
    [
        ("The request says L3.", "L4 vertebra"),
        ("The seventh rib was asked for.", "left 8th rib"),
        ("Disc L4/5 is requested.", "L5/S1 disc"),
    ],
)
def test_a_rationale_of_another_level_warns(rationale: str, answer: str) -> None:
    (finding,) = usable(reply(answer, rationale=rationale)).findings
    assert finding.code == "level-contradicts-rationale"
    assert (finding.severity, finding.blocking) == (Severity.WARNING, False)


@pytest.mark.parametrize(
    ("rationale", "answer"),
    [
        ("The left kidney is meant.", "left kidney"),
        ("The kidney is meant.", "left kidney"),
        ("The right kidney is normal. The left kidney is meant.", "left kidney"),
        ("Although the request says right kidney, the hydronephrosis is on the left.", "left kidney"),
        ("The request names the right kidney but means the other one.", "left kidney"),
        ("The right kidney was removed, so the remaining kidney is the target.", "left kidney"),
        ("The right kidney of the image is the patient's left one.", "left kidney"),
        ("Right kidney on the screen.", "left kidney"),
        ("The left lung is asked for, and so is its twin.", "right lung, left lung"),
        ("The right lobe of the liver is large.", "left kidney"),
        ("The vertebra below L3.", "L4 vertebra"),
        ("Counted from L5 up.", "L3 vertebra"),
        ("L4, not L3.", "L4 vertebra"),
        ("T2 signal is high.", "L4 vertebra"),
    ],
)
def test_a_rationale_that_weighs_is_left_alone(rationale: str, answer: str) -> None:
    assert usable(reply(answer, rationale=rationale)).findings == ()


# While it streams


def test_what_there_is_of_a_reply_is_shown_and_never_an_answer() -> None:
    text = f"<think>Hm.</think>{reply('liver', 'One (image 3).', 'Two.')} Bye."
    seen: set[tuple[int, int]] = set()
    for end in range(len(text) + 1):
        so_far = partial_reply(text[:end], reasoner="q", views=VIEWS)
        assert so_far.answer == ""
        assert so_far.reasoner == "q"
        assert not any("<" in shown for shown in (*(item.text for item in so_far.evidence), *so_far.rationale))
        seen.add((len(so_far.evidence), len(so_far.rationale)))
    assert seen == {(0, 0), (1, 0), (1, 1)}
    whole = partial_reply(text, views=VIEWS)
    assert [(item.text, item.source) for item in whole.evidence] == [("One (image 3).", "axial 30")]
    assert whole.rationale == ("Two.",)


@pytest.mark.parametrize(
    "text", [*BROKEN.values(), "</evidence><evidence>", "<rationale>x<evidence>y<", "\ud800<evidence>"]
)
def test_nothing_that_streams_raises(text: str) -> None:
    read = partial_reply(text)
    assert read.answer == ""
    read.raw.encode("utf-8")


def test_nothing_shown_holds_a_character_that_steers_a_terminal_or_hides() -> None:
    everything = "".join(map(chr, range(0x20, 0x3000))) + "".join(map(chr, range(0xD7F0, 0xE010))) + "\ufeff\U000e0041x"
    section = re.sub("[<>＜＞]", "", everything)
    read = usable(reply("liver", f"x {section}", f"y {section}"))
    for text in (*(item.text for item in read.evidence), *read.rationale):
        assert not any(unicodedata.category(character)[0] == "C" for character in text)
