"""Texts that ask for nothing to segment: a finding, a question, thanks, an order to the system."""

from __future__ import annotations

from .outcome import Question
from .reading import Reading
from .text import word_set

__all__ = ["nothing_named", "refuse_what_is_no_request"]


def refuse_what_is_no_request(reading: Reading) -> None:
    requests = reading.request
    if not requests:
        if any(c.role.value == "steering" for c in reading.clauses):
            raise Question(
                "steering",
                "The text tries to direct the system and names nothing to segment.",
                "What would you like to have segmented?",
            )
        raise nothing_named(reading)
    first = [i for c in requests for i in c.items if not i.mark]
    leading = next((i for i in first if not i.kinds <= {"side", "cause", "plus"} or not i.kinds), None)
    strong = any(s.kind == "ask" and s.value != "weak" for i in first for s in i.senses)
    if leading is not None and "nonask" in leading.kinds and not strong and not leading.names_anatomy:
        raise Question(
            "not-a-segmentation-request",
            f"“{requests[0].text.strip()[:80]}” doesn't ask for a segmentation.",
            "What would you like to have segmented?",
        )
    asks_back = (
        leading is not None and leading.norm.split()[0] in _QUESTIONS and first[-1].end <= requests[-1].items[-1].start
    )
    if (
        asks_back
        and requests[-1].items[-1].text in ("?", "\uff1f")
        and not any(i.names_anatomy or i.kinds & _OBJECTS for i in first)
    ):
        raise Question(
            "not-a-segmentation-request",
            f"“{requests[0].text.strip()[:80]}” is a question, and names nothing to segment.",
            "What would you like to have segmented?",
        )
    if _statement(reading):
        raise Question(
            "not-a-segmentation-request",
            "The text reports something and asks for nothing.",
            "What would you like to have segmented?",
        )


_QUESTIONS = word_set(
    "how what when why who which where is are should can could do does did will would may was were has have had"
)
_OBJECTS = frozenset({"structure", "outside", "disease", "head", "adjective", "levelnoun", "pron"})
_FINITE = word_set("is are was were looks look looked appears appear seems seem remains shows showed has had")


def _statement(reading: Reading) -> bool:
    """ "The liver looks normal.": a finding with a verb, and no word that asks."""
    items = reading.request_items
    if reading.asks("ask", "only", "missing", "not", "except", "removed", "remain"):
        return False
    if any(s.value in ("other", "same") for s in reading.sides):
        return False  # "now it is the other one we worry about"
    if any(i.norm == "too" for i in items):
        return False  # "whole bone is fine too"
    finite = any(i.norm in _FINITE for i in items)
    thanks = any(i.norm in ("thanks", "thank you", "cheers", "perfect", "great") for i in items)
    return (finite and any("normal" in i.kinds for i in items)) or (thanks and finite)


def nothing_named(reading: Reading) -> Question:
    if reading.asks("pron") or any(m.kind == "pronoun" for m in reading.mentions):
        return Question(
            "reference-missing",
            "The request points to something that it doesn't name.",
            "Which structure do you mean?",
        )
    if any(m.kind == "head" for m in reading.mentions):
        words = next(m.text for m in reading.mentions if m.kind == "head")
        return Question(
            "target-unclear",
            f"“{words}” doesn't say which structure is meant, and the rest of the text doesn't tell.",
            "Which structure do you mean?",
        )
    return Question(
        "no-anatomy",
        "The request names no part of the body and no lesion.",
        "What would you like to have segmented?",
        ("liver", "right lung", "left kidney"),
    )
