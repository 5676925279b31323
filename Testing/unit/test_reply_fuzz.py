"""A hundred thousand replies that nobody wrote: whatever comes back as usable is so by another reading, too.

The oracle below shares no code with the parser: it walks through the text by hand. Each example of Hypothesis is a
batch of replies; accidents of good replies, which need no shrinking to be read, come from a seeded generator.
"""

from __future__ import annotations

import json
import random
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SEERSegmentLib.anatomy import resolve_answer
from SEERSegmentLib.errors import ReplyError
from SEERSegmentLib.reasoning.reply import parse_reply, partial_reply
from SEERSegmentLib.values import Abstention, Reasoning, TargetSpec

FILE = Path(__file__).resolve().parents[1] / "data" / "replies_own.jsonl"
GOOD = [
    row["reply"]
    for row in map(json.loads, FILE.read_text(encoding="utf-8").splitlines())
    if row["expect"] == "usable" and len(row["reply"]) < 2_000
]
NAMES = ("evidence", "rationale", "answer")
SPACE = " \t\n\r\x0b\x0c"


def tags_by_hand(text: str) -> list[tuple[str, bool, int, int]] | None:
    """(name, closes, start, end) of each tag; None where one is broken off or has more in it than its name."""
    found = []
    for start, character in enumerate(text):
        if character != "<":
            continue
        at = start + 1
        while at < len(text) and text[at] in SPACE:
            at += 1
        closes = text[at : at + 1] == "/"
        at += closes
        while closes and at < len(text) and text[at] in SPACE:
            at += 1
        name = next((name for name in NAMES if text[at : at + len(name)].lower() == name), None)
        if name is None:
            continue
        at += len(name)
        if at < len(text) and text[at].isascii() and (text[at].isalnum() or text[at] in "_.:-"):
            continue  # the name of another tag
        while at < len(text) and text[at] in SPACE:
            at += 1
        if text[at : at + 1] != ">":
            return None
        found.append((name, closes, start, at + 1))
    return found


def sections_by_hand(text: str) -> tuple[str, str, str] | None:
    """The three sections where the structure is exactly that of a reply."""
    tags = tags_by_hand(text)
    if tags is None or [tag[:2] for tag in tags] != [(name, closes) for name in NAMES for closes in (False, True)]:
        return None
    evidence, rationale, answer = (text[tags[n][3] : tags[n + 1][2]] for n in (0, 2, 4))
    return evidence, rationale, answer


def letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def read(text: str) -> Reasoning | Abstention | ReplyError:
    try:
        return parse_reply(text)
    except ReplyError as error:
        return error


def check(text: str) -> str:
    """Read a reply, hold what comes back against the oracle, and say what it was."""
    so_far = partial_reply(text)
    assert so_far.answer == ""
    reply = read(text)
    if isinstance(reply, ReplyError):
        assert reply.code.startswith("reply-")
        assert reply.user_message.endswith(".")
        return "malformed"
    for shown in (*(item.text for item in reply.evidence), *reply.rationale):
        assert not any(unicodedata.category(character)[0] == "C" for character in shown)
    if isinstance(reply, Abstention):
        assert reply.code
        assert reply.reason.endswith(".")
        assert sections_by_hand(text) is not None
        return "abstain"
    sections = sections_by_hand(text)
    assert sections is not None, text
    evidence, rationale, answer = sections
    assert letters(evidence)
    assert letters(rationale)
    assert "<" not in answer
    assert set(letters(reply.answer)) <= set(letters(answer))
    assert isinstance(resolve_answer(reply.answer), TargetSpec)
    return "usable"


FRAGMENTS = [f"<{slash}{name}>" for name in NAMES for slash in ("", "/")]
FRAGMENTS += [
    "<EVIDENCE>",
    "</ answer >",
    "< rationale>",
    "<answer/>",
    "<answer x=1>",
    "<answers>",
    "&lt;answer&gt;",
    "＜answer＞",
]
FRAGMENTS += [
    "<ans\u200bwer>",
    "<answer",
    "answer>",
    "<",
    ">",
    "</",
    "<think>",
    "</think>",
    "<!--",
    "-->",
    "```",
    "```xml\n",
    "\n",
    " ",
]
FRAGMENTS += [
    "liver",
    "left kidney",
    "and",
    ", ",
    " or ",
    "not",
    "maybe",
    "N/A",
    "...",
    "segment the",
    "?",
    "\u202e",
    "\x00",
    "\ud800",
    "é",
]
FRAGMENTS += [
    "image 3",
    "Seen.",
    "<evidence>Seen.</evidence>",
    "<rationale>Read.</rationale>",
    "<answer>liver</answer>",
    "[2]",
    "**",
]


ANYTHING = st.text(alphabet=st.characters(), max_size=40)
PIECES = st.lists(st.sampled_from(FRAGMENTS), max_size=10).map("".join)
SOUND = "<evidence>{}</evidence><rationale>{}</rationale><answer>{}</answer>"
BATCH = 50


def checked(texts: st.SearchStrategy[str], batches: int) -> Counter[str]:
    """How many of Hypothesis's replies were read as what."""
    counts: Counter[str] = Counter()

    @settings(max_examples=batches)
    @given(st.lists(texts, min_size=BATCH, max_size=BATCH))
    def run(batch: list[str]) -> None:
        counts.update(map(check, batch))

    run()
    assert counts.total() >= BATCH * batches
    return counts


def test_arbitrary_text_is_never_usable() -> None:
    assert set(checked(ANYTHING, 900)) == {"malformed"}


def test_pieces_of_replies_in_any_order() -> None:
    assert checked(PIECES, 500)["malformed"]


def test_any_answer_in_a_sound_structure() -> None:
    counts = checked(ANYTHING.map(lambda answer: SOUND.format("Seen.", "Read.", answer)), 400)
    assert counts["abstain"] > 10_000


def test_pieces_as_an_answer() -> None:
    counts = checked(PIECES.map(lambda answer: SOUND.format("Seen.", "Read.", answer)), 100)
    assert counts["usable"]


def test_any_evidence_and_rationale() -> None:
    counts = checked(st.tuples(ANYTHING, ANYTHING).map(lambda both: SOUND.format(*both, "liver")), 100)
    assert counts["usable"]
    assert counts["malformed"]


def mutated(text: str, dice: random.Random) -> str:
    """A reply after one to three accidents."""
    for _ in range(dice.randint(1, 3)):
        at, other = sorted((dice.randrange(len(text) + 1), dice.randrange(len(text) + 1)))
        kind = dice.randrange(6)
        if kind == 0:
            text = text[:at] + text[at + dice.randint(1, 12) :]  # some characters are lost
        elif kind == 1:
            text = text[:at] + dice.choice(FRAGMENTS) + text[at:]
        elif kind == 2:
            text = text[:other] + text[at:other] + text[other:]  # a stretch comes twice
        elif kind == 3:
            text = text[:at] + text[other:] + text[at:other]  # a stretch comes later
        elif kind == 4:
            text = (
                text[:at]
                + chr(dice.choice((dice.randrange(0x80), dice.randrange(0x3000), 0x202E, 0xFF1C)))
                + text[at + 1 :]
            )
        else:
            text = text[:at]
    return text


@pytest.mark.parametrize("seed", range(4))
def test_accidents_of_good_replies(seed: int) -> None:
    dice = random.Random(seed)
    counts = {"usable": 0, "abstain": 0, "malformed": 0}
    for _ in range(4_000):
        counts[check(mutated(dice.choice(GOOD), dice))] += 1
    assert min(counts.values()) > 20, counts  # each outcome was met, so each was put to the oracle
