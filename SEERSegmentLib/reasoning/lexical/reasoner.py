"""The lexical reasoner: request in, reasoning or a question back."""

from __future__ import annotations

from functools import cached_property

from ...anatomy import labels_for, render, resolve_answer
from ...protocols import CancelToken, Emit, Readiness, ReasonerInfo, ReasoningCase
from ...values import Abstention, Modality, Progress, Reasoning, Stage, TargetSpec
from .account import set_aside
from .choose import choose
from .clauses import Clause, Role, assign_roles
from .evidence import evidence_for
from .lexicon import Lexicon, load_lexicon
from .outcome import Chosen, Question, abstain
from .read import read_clauses, speller
from .reading import Reading, find_gone
from .scope import read_scope

__all__ = ["LexicalReasoner", "speller"]

_NAME, _VERSION = "lexical", "1.0"


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
            spec = self._spec(choose(reading), reading)
            if case.closed:
                _check_closed(spec, case.modality)
        except Question as question:
            return abstain(question, _rationale(reading), _NAME, evidence_for(None, case))
        answer = render(spec)
        reading.say(f"Answer: {answer}.")
        return Reasoning(evidence_for(spec, case), _rationale(reading), answer, _NAME)

    def read(self, text: str, modality: Modality = Modality.UNKNOWN) -> Reading:
        """All stages before the choice, for inspection."""
        clauses, notes = read_clauses(text, self.lexicon, speller())
        clauses = assign_roles(clauses)
        reading = Reading(text, clauses, [], [], self.lexicon, modality)
        for note in notes:
            reading.say(f"Spelling: {note}.")
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
        reading.gone = list(find_gone(clauses))
        return reading

    def _spec(self, chosen: Chosen, reading: Reading) -> TargetSpec:
        names = [f'"{name}"' if name in chosen.free else name for name in chosen.names]
        resolved = resolve_answer("; ".join(names))
        if isinstance(resolved, Abstention):
            raise Question(resolved.code, resolved.reason, resolved.question, resolved.suggestions)
        return resolved


def _has_unknown_words(clauses: list[Clause]) -> bool:
    items = (i for c in clauses if c.role is Role.REQUEST for i in c.items)
    return any(not i.kinds and len(i.norm) > 3 and i.norm.isalpha() and not speller().known(i.norm) for i in items)


def _check_closed(spec: TargetSpec, modality: Modality) -> None:
    outside = [t.text for t in spec.targets if not labels_for(t, modality)]
    if outside:
        raise Question(
            "outside-vocabulary",
            f"The label set has no {', '.join(outside)}.",
            "Do you want another structure, or a backbone that reads free text?",
        )


def _rationale(reading: Reading) -> tuple[str, ...]:
    aside = set_aside(reading)
    steps = reading.steps
    cut = next((n for n, s in enumerate(steps) if s.startswith("Answer:")), len(steps))
    return tuple(dict.fromkeys((*steps[:cut], *aside, *steps[cut:])))


def _short(clause: Clause) -> str:
    text = " ".join(clause.text.split())
    return text if len(text) <= 160 else text[:157] + "…"
