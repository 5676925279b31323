"""Replies: a set written by hand, each read as it says; and no reply that was cut off is ever usable."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from SEERSegmentLib.anatomy import normalise, resolve_answer
from SEERSegmentLib.errors import ReplyError
from SEERSegmentLib.reasoning.reply import MAX_REPLY, parse_reply
from SEERSegmentLib.values import Abstention, TargetSpec

FILE = Path(__file__).resolve().parents[1] / "data" / "replies_own.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
GOOD = [row for row in ROWS if row["expect"] == "usable"]


def outcome(text: str, request: str = "") -> tuple[str, list[str]]:
    """usable, abstain or malformed; and the names of what would be executed."""
    try:
        reply = parse_reply(text, request=request)
    except ReplyError:
        return "malformed", []
    if isinstance(reply, Abstention):
        return "abstain", []
    spec = resolve_answer(reply.answer)
    assert isinstance(spec, TargetSpec)
    return "usable", [normalise(target.text) for target in spec.targets]


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['id']}-{row['category']}" for row in ROWS])
def test_each_reply_is_read_as_the_set_says(row: dict[str, Any]) -> None:
    expected = row["expect"], [normalise(name) for name in row["answer"]]
    assert outcome(row["reply"], row.get("request", "")) == expected, row["note"]


def test_the_set_has_all_outcomes_in_both_parts() -> None:
    counts = Counter((row["split"], row["expect"]) for row in ROWS)
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert all(counts["tuned", expect] >= 100 for expect in ("usable", "abstain", "malformed"))
    assert all(counts["aside", expect] >= 50 for expect in ("usable", "abstain", "malformed"))
    assert all(counts["aside-2", expect] >= 25 for expect in ("usable", "abstain", "malformed"))


def test_a_reply_that_is_cut_anywhere_is_never_usable() -> None:
    """A cut behind ``</answer>`` takes nothing of the reply proper; any other leaves it unusable."""
    cuts = 0
    for row in GOOD:
        text = row["reply"]
        closing = re.search(r"<\s*/\s*answer\s*>", text, re.IGNORECASE)
        assert closing is not None
        whole = closing.end()
        for end in range(max(0, len(text) - 2_000), len(text)):
            usable = outcome(text[:end])[0] == "usable"
            assert usable == (end >= whole), (row["id"], end, text[:end][-40:])
            cuts += 1
    assert cuts > 30_000


def test_a_reply_whose_beginning_is_cut_off_is_never_usable() -> None:
    for row in GOOD:
        text = row["reply"]
        opening = re.search(r"<\s*evidence", text, re.IGNORECASE)
        assert opening is not None
        for first in range(opening.start() + 1, len(text), 7):
            assert outcome(text[first:])[0] == "malformed", (row["id"], first)


LONG = [
    (
        "<evidence>" + "The liver is seen. " * 40_000 + "</evidence><rationale>b</rationale><answer>liver</answer>",
        "usable",
    ),
    ("preamble " * 20_000 + "<evidence>a1</evidence><rationale>b1</rationale><answer>liver</answer>", "usable"),
    ("<evidence>a1</evidence><rationale>b1</rationale><answer>" + " " * 200_000 + "liver</answer>", "usable"),
    ("<evidence>a1</evidence><rationale>b1</rationale><answer>" + "liver, " * 20_000 + "</answer>", "abstain"),
    (
        "<evidence>a1</evidence><rationale>b1</rationale><answer>" + "The liver is large. " * 6_000 + "</answer>",
        "abstain",
    ),
    ("a" * 100_000, "malformed"),
    ("<" + " " * 300_000 + "x", "malformed"),
    ("<" + " " * 300_000 + "/" + " " * 300_000 + "answe", "malformed"),
    ("<think" + " " * 300_000 + "x", "malformed"),
    ("<answer" + " " * 300_000 + "x", "malformed"),
    ("<evidence>" + "a" * (MAX_REPLY + 1) + "</evidence><rationale>b</rationale><answer>liver</answer>", "malformed"),
]


@pytest.mark.parametrize(("text", "expected"), LONG, ids=[f"{n}-{e}" for n, (_, e) in enumerate(LONG)])
def test_long_replies_are_read_like_short_ones(text: str, expected: str) -> None:
    assert outcome(text)[0] == expected


UNITS = [
    "<",
    "</",
    "< ",
    "<answer>",
    "</answer>",
    "<answer",
    "<answer >",
    "<think>",
    "<!--",
    "-->",
    "&lt;",
    '"',
    "“",
    "*",
    "**",
    "`",
    "```\n",
]
UNITS += [
    "_",
    "(",
    "[",
    "- ",
    "1. ",
    "\n",
    " ",
    "\u200b",
    "\u202e",
    "\x00",
    "\ud800",
    "\ue000",
    "e\u0301",
    "，",
    "a ",
    "image 1 ",
    "1-",
    "?",
    ". A",
    "/",
]


@pytest.mark.parametrize("place", ["alone", "before", "evidence", "rationale", "answer"])
@pytest.mark.parametrize("unit", UNITS, ids=[unit.encode("unicode_escape").decode() for unit in UNITS])
def test_a_third_of_a_megabyte_of_anything_comes_to_an_end(unit: str, place: str) -> None:
    """Work that grew with the square of the length would not end within hours."""
    junk = unit * (300_000 // len(unit))
    parts = {"before": "", "evidence": "seen ", "rationale": "read ", "answer": "liver"}
    if place == "alone":
        text = junk
    else:
        parts[place] += junk
        before, evidence, rationale, answer = parts.values()
        text = f"{before}<evidence>{evidence}</evidence><rationale>{rationale}</rationale><answer>{answer}</answer>"
    kind, _ = outcome(text)
    assert kind in ("usable", "abstain", "malformed")
    if place == "answer":
        assert kind != "usable" or not unit.strip()  # white space alone may stand beside a name
