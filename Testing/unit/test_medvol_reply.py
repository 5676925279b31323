"""MedVol-R1's replies: what is usable is read exactly, what says no is an abstention, and nothing else gets through."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SEERSegmentLib.anatomy.anchors import MAX_BOXES, MAX_KEY_SLICES
from SEERSegmentLib.errors import ReplyError
from SEERSegmentLib.imaging import render_views
from SEERSegmentLib.reasoning.medvol import AnchorReply, parse_anchor_reply, slice_numbers
from SEERSegmentLib.reasoning.medvol.reply import MAX_REPLY, partial_think
from SEERSegmentLib.values import Abstention, Modality, Volume

#: 100 slices, of which 64 are shown, stored from feet to head.
VIEWS = render_views(Volume(np.zeros((100, 16, 16), np.int16), np.diag([-1.0, -1, 2, 1]), Modality.CT), "medvol-r1")

ANSWER = '[{"slice": 16, "bbox_2d_list": [[100, 200, 300, 400]]}]'
GOOD = f"<think>The liver is the large organ on the right.</think>\n<answer>{ANSWER}</answer>"


def read(text: str, **options: str) -> AnchorReply:
    reply = parse_anchor_reply(text, VIEWS, **options)
    assert isinstance(reply, AnchorReply), reply
    return reply


def outcome(text: str, **options: str) -> AnchorReply | Abstention | ReplyError:
    try:
        return parse_anchor_reply(text, VIEWS, **options)
    except ReplyError as error:
        return error


def code(text: str, **options: str) -> str:
    """Why a reply is not used: an abstention's code, or an error's."""
    reply = outcome(text, **options)
    if isinstance(reply, ReplyError):
        assert reply.user_message.endswith(".")
        assert "nothing of it was run" in reply.user_message
        return reply.code
    assert isinstance(reply, Abstention), reply
    assert reply.question.endswith("?")
    assert reply.raw == text
    return reply.code


def with_answer(answer: str) -> str:
    return f"<think>seen</think><answer>{answer}</answer>"


def with_box(*edges: object) -> str:
    return with_answer(f'[{{"slice": 16, "bbox_2d_list": [[{", ".join(map(str, edges))}]]}}]')


def test_a_reply_is_read_into_pixels_of_the_view_that_it_names() -> None:
    reply = read(GOOD)
    assert reply.think == "The liver is the large organ on the right."
    (key,) = reply.key_slices
    assert (key.number, key.view) == (16, 15)
    # thousandths of 256 pixels, from the outer edge of the first
    assert key.boxes == ((25.6 - 0.5, 51.2 - 0.5, 76.8 - 0.5, 102.4 - 0.5),)
    whole = read(with_box(0, 0, 1000, 1000)).key_slices[0].boxes
    assert whole == ((-0.5, -0.5, 255.5, 255.5),)


def test_pixels_are_another_scale() -> None:
    (key,) = read(with_box(0, 64, 256, 128), scale="pixels").key_slices
    assert key.boxes == ((-0.5, 63.5, 255.5, 127.5),)
    assert code(with_box(0, 0, 257, 10), scale="pixels") == "anchor-box"


def test_slices_are_numbered_as_shown_or_as_in_the_volume_from_the_head() -> None:
    assert slice_numbers(VIEWS) == tuple(range(1, 65))
    source = slice_numbers(VIEWS, "source")
    assert (source[0], source[-1], len(set(source))) == (0, 99, 64)
    assert source == tuple(99 - (view.slice_index or 0) for view in VIEWS)  # stored feet first
    hidden = next(n for n in range(100) if n not in source)
    text = GOOD.replace('"slice": 16', f'"slice": {source[40]}')
    assert read(text, numbering="source").key_slices[0].view == 40
    assert code(GOOD.replace('"slice": 16', f'"slice": {hidden}'), numbering="source") == "anchor-slice"
    assert code(GOOD.replace('"slice": 16', '"slice": 99')) == "anchor-slice"


@pytest.mark.parametrize(
    "text",
    [
        GOOD.upper().replace("BBOX_2D_LIST", "bbox_2d_list").replace('"SLICE"', '"slice"'),
        GOOD.replace("<", "< ").replace(">", " >").replace("</ ", "</"),
        f"Sure! Here it is:\n{GOOD}\nI hope this helps.",
        GOOD.replace(ANSWER, f"```json\n{ANSWER}\n```"),
        GOOD.replace(ANSWER, f"```{ANSWER}```"),
        GOOD.replace(ANSWER, f"\n\n  {ANSWER}\t\n"),
        GOOD.replace(ANSWER, ANSWER.replace(" ", "")),
        GOOD.replace(ANSWER, json.dumps(json.loads(ANSWER), indent=4)),
        GOOD.replace("The liver", "The \u202eliver\u200b"),
        GOOD.replace("The liver", "Lesion < 1 cm & <b>liver</b>"),
        GOOD.replace("100, 200, 300, 400", "100.0, 200.0, 3e2, 400"),
        "\ufeff" + GOOD,
    ],
)
def test_white_space_case_fences_and_text_around_don_t_matter(text: str) -> None:
    assert read(text).key_slices == read(GOOD).key_slices


def test_thoughts_are_shown_without_hidden_characters_and_blank_lines() -> None:
    text = GOOD.replace("The liver", "\u200b\n\n  One\u202e.\x00\n\n\tTwo.  \n")
    assert read(text).think.splitlines()[:2] == ["One.", "Two."]


def test_several_key_slices_and_boxes_keep_their_order() -> None:
    first, second = '{"slice": 20, "bbox_2d_list": [[5, 6, 7, 8], [1, 2, 3, 4]]}', ANSWER[1:-1]
    reply = read(with_answer(f"[{first}, {second}]"))
    assert [(key.number, len(key.boxes)) for key in reply.key_slices] == [(20, 2), (16, 1)]
    assert reply.key_slices[0].boxes[0][0] > reply.key_slices[0].boxes[1][0]


@pytest.mark.parametrize(
    "answer",
    [
        "[]",
        "",
        "   ",
        "none",
        "NONE.",
        '"none"',
        "[none]",
        "null",
        "N/A",
        "n / a",
        "not visible",
        "No such structure in these slices.",
        "Nothing fits.",
        "unknown",
        "I cannot find it.",
        "I'm sorry, but I can't help with that.",
        "Sorry",
        "can't tell",
        "There is no tumour in these slices.",
        "The requested structure is not visible.",
        "The spleen was not found",
        '[{"slice": 16, "bbox_2d_list": []}]',
        "```json\n[]\n```",
    ],
)
def test_an_answer_that_says_no_is_an_abstention(answer: str) -> None:
    assert code(with_answer(answer)) == "target-not-found"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "liver",
        ANSWER,
        f"<answer>{ANSWER}</answer>",
        "<think>seen</think>",
        f"<think>seen</think>{ANSWER}",
        f"<think></think><answer>{ANSWER}</answer>",
        f"<think> \u200b\n </think><answer>{ANSWER}</answer>",
        f"<think>seen<answer>{ANSWER}</answer>",
        f"<think>seen</think><answer>{ANSWER}",
        f"<answer>{ANSWER}</answer><think>seen</think>",
        f"<think>seen<answer>{ANSWER}</answer></think>",
        f"<answer><think>seen</think>{ANSWER}</answer>",
        f"{GOOD}{GOOD}",
        f"<think>a</think>{GOOD}",
        f"{GOOD}<answer>{ANSWER}</answer>",
        f"{GOOD}<answer>",
        f"<think>the form is <answer>…</answer></think><answer>{ANSWER}</answer>",
        GOOD.replace("<", "&lt;").replace(">", "&gt;"),
        GOOD.replace("<answer>", "<ans\u200bwer>"),
        GOOD.replace("think>", "thinking>"),
        GOOD.replace("<answer>", '<answer id="1">'),
    ],
)
def test_broken_structure_is_refused(text: str) -> None:
    assert code(text) == "anchor-structure"


@pytest.mark.parametrize(
    "answer",
    [
        "liver",
        "slice 16, box 100 200 300 400",
        ANSWER[:-1],
        ANSWER + ANSWER,
        ANSWER[1:-1],
        "{}",
        "16",
        "[16]",
        "[[100, 200, 300, 400]]",
        "[{}]",
        '[{"slice": 16}]',
        '[{"bbox_2d_list": [[100, 200, 300, 400]]}]',
        '[{"slice": 16, "bbox_2d": [100, 200, 300, 400]}]',
        '[{"slice": 16, "bbox_2d_list": [[100, 200, 300, 400]], "label": "liver"}]',
        '[{"slice": 16, "slice": 17, "bbox_2d_list": [[100, 200, 300, 400]]}]',
        '[{"slice": NaN, "bbox_2d_list": [[100, 200, 300, 400]]}]',
        '[{"slice": 16, "bbox_2d_list": [[100, 200, Infinity, 400]]}]',
        "[{'slice': 16, 'bbox_2d_list': [[100, 200, 300, 400]]}]",
        ANSWER.replace("16", "1\u200b6"),
        ANSWER.replace("16", "016"),
        "[" * 5000,
        "[" * 5000 + "]" * 5000,
    ],
)
def test_an_answer_that_is_not_the_agreed_json_is_refused(answer: str) -> None:
    assert code(with_answer(answer)) == "anchor-json"


@pytest.mark.parametrize("number", ["0", "65", "-1", "1.0", "16.5", "true", "null", '"16"', "[16]", "1e1", "9" * 4000])
def test_a_slice_that_was_not_shown_is_refused(number: str) -> None:
    assert code(with_answer(f'[{{"slice": {number}, "bbox_2d_list": [[1, 2, 3, 4]]}}]')) == "anchor-slice"


def test_a_slice_that_comes_twice_is_refused() -> None:
    twice = '{"slice": 16, "bbox_2d_list": [[1, 2, 3, 4]]}'
    assert code(with_answer(f"[{twice}, {twice}]")) == "anchor-slice"


@pytest.mark.parametrize(
    "edges",
    [
        (1, 2, 3),
        (1, 2, 3, 4, 5),
        (),
        (3, 2, 1, 4),
        (1, 4, 3, 2),
        (1, 2, 1, 4),
        (1, 2, 3, 2),
        (-1, 2, 3, 4),
        (1, 2, 1001, 4),
        (1, 2, 3, 1000.1),
        (1, "true", 3, 4),
        (1, "null", 3, 4),
        (1, '"2"', 3, 4),
        (1, "[2]", 3, 4),
        (1, 2, "1e999", 4),
        (1, 2, "9" * 400, 4),
    ],
)
def test_a_box_that_is_none_is_refused_and_not_mended(edges: tuple[object, ...]) -> None:
    assert code(with_box(*edges)) == "anchor-box"


@pytest.mark.parametrize(
    "boxes", ['"none"', "{}", "null", "[1, 2, 3, 4]", "[[1, 2, 3, 4], []]", "[[1, 2, 3, 4], [1, 2, 3, 4.0]]"]
)
def test_boxes_that_are_no_list_of_different_boxes_are_refused(boxes: str) -> None:
    assert code(with_answer(f'[{{"slice": 16, "bbox_2d_list": {boxes}}}]')) == "anchor-box"


def test_one_slice_without_a_box_beside_another_is_refused() -> None:
    item = '{"slice": 16, "bbox_2d_list": [[1, 2, 3, 4]]}, {"slice": 17, "bbox_2d_list": []}'
    assert code(with_answer(f"[{item}]")) == "anchor-box"


def test_too_much_is_refused() -> None:
    boxes = ", ".join(f"[{n}, 0, {n + 1}, 9]" for n in range(MAX_BOXES + 1))
    assert code(with_answer(f'[{{"slice": 16, "bbox_2d_list": [{boxes}]}}]')) == "anchor-too-much"
    keys = ", ".join(f'{{"slice": {n}, "bbox_2d_list": [[1, 2, 3, 4]]}}' for n in range(1, MAX_KEY_SLICES + 2))
    assert code(with_answer(f"[{keys}]")) == "anchor-too-much"
    assert code(GOOD.replace("liver", "l" * MAX_REPLY)) == "anchor-too-much"
    assert code(GOOD.replace(ANSWER, ANSWER + " " * 30_000 + ANSWER)) == "anchor-too-much"


def test_a_reply_cut_anywhere_is_never_used() -> None:
    for whole in (GOOD, GOOD.replace(ANSWER, f"```json\n{ANSWER}\n```"), f"Well. {GOOD}"):
        for end in range(len(whole)):
            with pytest.raises(ReplyError):
                parse_anchor_reply(whole[:end], VIEWS)


@pytest.mark.parametrize(
    "unit",
    ["<think>", "</think>", "<answer>", "< ", "<", "```", "[", "{", '{"slice":', "9", " ", "\n", "\u200b", "the a "],
)
@pytest.mark.parametrize("place", ["think", "answer", "around"])
def test_huge_replies_come_to_an_end(unit: str, place: str) -> None:
    much = unit * (19_000 // len(unit))
    texts = {
        "think": f"<think>{much}</think><answer>{ANSWER}</answer>",
        "answer": f"<think>seen</think><answer>```{much}x</answer>",
        "around": f"{much * 4}{GOOD}",
    }
    assert isinstance(outcome(texts[place]), AnchorReply | Abstention | ReplyError)
    assert isinstance(partial_think(texts[place]), str)


PIECES = st.sampled_from(
    [
        *"[]{}:, \n\x00\u202e",
        "<think>",
        "</think>",
        "<answer>",
        "</answer>",
        "<ANSWER>",
        "seen",
        ANSWER,
        "none",
        "16",
        '"slice"',
        '"bbox_2d_list"',
        "[1, 2, 3, 4]",
        "-5",
        "1e9",
        "NaN",
        "```",
        "&lt;",
    ]
)


@settings(max_examples=500)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=14).map("".join)))
def test_any_text_is_a_valid_reply_an_abstention_or_an_error(text: str) -> None:
    reply = outcome(text)
    if isinstance(reply, ReplyError):
        assert reply.code in {"anchor-structure", "anchor-json", "anchor-slice", "anchor-box", "anchor-too-much"}
    if isinstance(reply, AnchorReply):
        assert reply.think
        assert reply.key_slices
        for key in reply.key_slices:
            assert 0 <= key.view < len(VIEWS)
            for x0, y0, x1, y1 in key.boxes:
                assert -0.5 <= x0 < x1 <= 255.5
                assert -0.5 <= y0 < y1 <= 255.5


BOXES = st.tuples(*[st.integers(0, 900)] * 2, *[st.integers(1, 100)] * 2).map(
    lambda drawn: (drawn[0], drawn[1], drawn[0] + drawn[2], drawn[1] + drawn[3])
)


@given(
    st.dictionaries(st.integers(1, 64), st.lists(BOXES, min_size=1, max_size=4, unique=True), min_size=1, max_size=4)
)
def test_what_is_written_is_what_is_read(keys: dict[int, list[tuple[int, int, int, int]]]) -> None:
    plain = [{"slice": number, "bbox_2d_list": boxes} for number, boxes in keys.items()]
    reply = read(with_answer(json.dumps(plain)))
    back = {
        key.number: [tuple(round((edge + 0.5) / 256 * 1000) for edge in box) for box in key.boxes]
        for key in reply.key_slices
    }
    assert back == keys


@pytest.mark.parametrize(
    ("text", "so_far"),
    [
        ("", ""),
        ("Well", ""),
        ("<thi", ""),
        ("<think>", ""),
        ("<think>The li", "The li"),
        ("<think>The liver is < 1", "The liver is < 1"),
        ("<think>The liver.</", "The liver."),
        ("<think>The liver.<", "The liver."),
        ("<think>The liver.</think><answer>[", "The liver."),
        (f"<answer>{ANSWER}", ""),
    ],
)
def test_thoughts_can_be_shown_while_they_are_written(text: str, so_far: str) -> None:
    assert partial_think(text) == so_far
