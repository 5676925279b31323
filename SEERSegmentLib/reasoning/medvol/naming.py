"""What the target of a request is called. MedVol-R1 points at it without naming it, and a segment needs a name."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...anatomy import outside_labels, resolve_answer
from ...protocols import CancelToken, ReasoningCase, ignore_progress
from ...values import Abstention, Finding, Severity, Target, TargetSpec
from ..lexical import LexicalReasoner

__all__ = ["UNNAMED", "Named", "referent"]

#: What a target is called that the request describes in words that the tables can't read.
UNNAMED = "boxed structure"

#: Abstentions of the tables that a look at the image may settle. All others say that the request asks for nothing
#: that could be found, or for one of several things: whatever a model then points at would be a guess.
_OPEN = frozenset({"no-anatomy", "target-unclear", "ambiguous-term", "site-needed", "side-needed", "level-needed"})


@dataclass(frozen=True)
class Named:
    """The one target of a request, how its name came about, and what is to be said of it."""

    target: Target
    rationale: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


def referent(case: ReasoningCase, cancel: CancelToken) -> Named | Abstention:
    """The target as the lexical reasoner reads it in the request, or ``UNNAMED``.

    Abstains with ``anchor-one-target`` where the request asks for several, with ``outside-vocabulary`` in a closed
    case, and as the lexical reasoner does where no image could help.
    """
    read = LexicalReasoner().reason(case, ignore_progress, cancel)
    if isinstance(read, Abstention):
        return _unnamed(read, case) if read.code in _OPEN else read
    spec = resolve_answer(read.answer)
    if isinstance(spec, Abstention):
        return replace(spec, rationale=read.rationale, evidence=read.evidence)
    if len(spec.targets) > 1:
        names = tuple(target.text for target in spec.targets)
        return Abstention(
            "anchor-one-target",
            f"The request asks for {len(names)} structures ({', '.join(names)}), and MedVol-R1 grounds one at a time.",
            "Which one should be outlined first?",
            names,
            evidence=read.evidence,
            rationale=read.rationale,
        )
    (target,) = spec.targets
    return Named(target, (f"What the request asks for is called {target.text}, as the embedded tables read it.",))


def _unnamed(read: Abstention, case: ReasoningCase) -> Named | Abstention:
    target = Target(UNNAMED)
    if case.closed and (outside := outside_labels(TargetSpec(UNNAMED, (target,)), case.modality)):
        return outside
    finding = Finding(
        "target-unnamed",
        Severity.WARNING,
        f"What this is called could not be told from the request: {read.reason} The segment is named “{UNNAMED}”, and"
        " checks that depend on the name were not made.",
        target=UNNAMED,
        advice="Look at the key slice, and rename the segment.",
    )
    return Named(target, (f"The embedded tables can't name it: {read.reason}",), (finding,))
