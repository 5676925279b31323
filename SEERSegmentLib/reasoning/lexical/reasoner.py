"""The lexical reasoner: request in, reasoning or a question back."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from ...anatomy import outside_labels, render, resolve_answer
from ...protocols import CancelToken, Emit, Readiness, ReasonerInfo, ReasoningCase
from ...values import Abstention, Modality, Progress, Reasoning, Stage, TargetSpec
from .account import set_aside
from .choose import choose
from .clauses import Clause, Role, assign_roles
from .evidence import evidence_for
from .exclusion import exclude_taken_out
from .lexicon import Lexicon, load_lexicon
from .outcome import Chosen, Question, abstain
from .read import read_clauses, speller
from .reading import Reading, find_gone
from .said_around import describe_further
from .scope import read_scope

__all__ = ["DOUBTS", "LexicalReasoner", "speller"]

_NAME, _VERSION = "lexical", "1.0"

#: Questions that a text raises which names nothing; then everyday words may be names that were heard wrongly.
_NAMELESS = frozenset({"no-anatomy", "steering"})
_DICTATED = 400  # characters

#: Name of the detail of a Reasoning that says what of it was inferred rather than read.
DOUBTS = "doubts"


class LexicalReasoner:
    """Reads clinical requests with the project's tables: no weights, no network, the same answer every time."""

    info = ReasonerInfo(_NAME, _VERSION, "Reads the request with anatomical tables and a small engine; offline.")

    def readiness(self) -> Readiness:
        """Always ready: its tables are part of the library."""
        return Readiness(True)

    @cached_property
    def lexicon(self) -> Lexicon:
        return load_lexicon()

    def reason(self, case: ReasoningCase, emit: Emit, cancel: CancelToken) -> Reasoning | Abstention:
        """Read the request. Raises Cancelled."""
        cancel.check()
        emit(Progress(Stage.REASON, None, "Reading the request"))
        reading = self.read(case.request.text, case.modality)
        cancel.check()
        try:
            try:
                spec = self._spec(choose(reading), reading)
            except Question as question:
                reading, spec = self._boldly(question, case)
            if case.closed and (outside := outside_labels(spec, case.modality)):
                raise Question(outside.code, outside.reason, outside.question)
        except Question as question:
            return abstain(question, _rationale(reading), _NAME, evidence_for(None, case))
        answer = render(spec)
        reading.say(f"Answer: {answer}.")
        doubts = "; ".join(dict.fromkeys(reading.doubts))
        details = ((DOUBTS, doubts),) if doubts else ()
        return Reasoning(evidence_for(spec, case), _rationale(reading), answer, _NAME, details=details)

    def _boldly(self, question: Question, case: ReasoningCase) -> tuple[Reading, TargetSpec]:
        """A text that names nothing, read as wrongly heard dictation; the question stands if that is no better."""
        if question.code not in _NAMELESS or len(case.request.text) > _DICTATED:
            raise question
        reading = self.read(case.request.text, case.modality, bold=True)
        try:
            return reading, self._spec(choose(reading), reading)
        except Question:
            raise question from None

    def read(self, text: str, modality: Modality = Modality.UNKNOWN, *, bold: bool = False) -> Reading:
        """All stages before the choice, for inspection."""
        clauses, notes = read_clauses(text, self.lexicon, speller(bold=bold))
        clauses = assign_roles(clauses)
        reading = Reading(text, clauses, [], [], self.lexicon, modality)
        for note in notes:
            reading.say(f"Spelling: {note}.")
            if bold or _mended(note) & _anatomy_and_sides(clauses):
                reading.doubts.append(f"spelling: {note}")
        if not speller().tolerant and (notes or _has_unknown_words(clauses)):
            reading.say("Spelling was checked without rapidfuzz, which is not installed: fewer errors are recognised.")
        for number, clause in enumerate(clauses):
            if clause.role in (Role.QUOTED, Role.STEERING):
                reading.say(f"Set aside: “{_short(clause)}” ({clause.why}).")
            if clause.role is not Role.REQUEST:
                continue
            if len(clauses) > 1:
                reading.say(f"Request: “{_short(clause)}” ({clause.why}).")
            mentions, sides = read_scope(clause, number)
            reading.mentions += mentions
            reading.sides += sides
        exclude_taken_out(reading.mentions)
        describe_further(reading.mentions, reading.clauses)
        if _only_excludes(reading):
            self._read_what_it_is_taken_from(reading)
        reading.gone = list(find_gone(reading.clauses))
        return reading

    def _read_what_it_is_taken_from(self, reading: Reading) -> None:
        """ "Portal side of the liver's veins. I don't mean the cava.": what is wanted stands in another sentence."""
        asked = [n for n, c in enumerate(reading.clauses) if c.role is Role.REQUEST]
        others = [n for n, c in enumerate(reading.clauses) if c.role is Role.CONTEXT and c.span.header != "history"]
        near = [n for n in others if n < asked[0]][-1:] or [n for n in others if n > asked[-1]][:1]
        for number in near:
            clause = replace(reading.clauses[number], role=Role.REQUEST, why="the sentence beside it only excludes")
            reading.clauses[number] = clause
            reading.say(f"Request: “{_short(clause)}” ({clause.why}).")
            mentions, sides = read_scope(clause, number)
            reading.mentions = [*mentions, *reading.mentions]
            reading.sides = [*sides, *reading.sides]

    def _spec(self, chosen: Chosen, reading: Reading) -> TargetSpec:
        names = [f'"{name}"' if name in chosen.free else name for name in chosen.names]
        resolved = resolve_answer("; ".join(names))
        if isinstance(resolved, Abstention):
            raise Question(resolved.code, resolved.reason, resolved.question, resolved.suggestions)
        return resolved


def _only_excludes(reading: Reading) -> bool:
    told = [m for m in reading.mentions if m.kind != "pronoun" and "pron" not in m.item.kinds]
    if not reading.mentions and reading.asks("remain") and any(c.has("not", "except") for c in reading.context[-1:]):
        return True  # "Take the pelvic ring and drop both hip bones; what is left is what I want"
    return bool(told) and all(m.role == "excluded" for m in told) and not reading.asks("remain")


def _mended(note: str) -> set[str]:
    """The words that stand in place of the misspelt ones."""
    return set(note.rpartition("“")[2].rstrip("”").split())


def _anatomy_and_sides(clauses: list[Clause]) -> set[str]:
    """Words by which a target is told."""
    items = (item for clause in clauses for item in clause.items)
    return {word for item in items if item.names_anatomy or "side" in item.kinds for word in item.norm.split()}


def _has_unknown_words(clauses: list[Clause]) -> bool:
    items = (i for c in clauses if c.role is Role.REQUEST for i in c.items)
    return any(not i.kinds and len(i.norm) > 3 and i.norm.isalpha() and not speller().known(i.norm) for i in items)


def _rationale(reading: Reading) -> tuple[str, ...]:
    aside = set_aside(reading)
    steps = reading.steps
    cut = next((n for n, s in enumerate(steps) if s.startswith("Answer:")), len(steps))
    return tuple(dict.fromkeys((*steps[:cut], *aside, *steps[cut:])))


def _short(clause: Clause) -> str:
    text = " ".join(clause.text.split())
    return text if len(text) <= 160 else text[:157] + "…"
