"""The cascade: the tables first, a vision-language model where they abstain or are unsure.

The lexical reasoner answers most requests at once and on this computer; a model is asked where an image, or more
language, may help. What the request itself makes impossible (a contradictory side, a structure that doesn't exist, text
that steers) stays an abstention: a model that answers it all the same would be guessing.
"""

from __future__ import annotations

from dataclasses import replace

from ..anatomy import resolve_answer
from ..errors import ReplyError, UsageError
from ..protocols import CancelToken, Emit, Outgoing, Readiness, Reasoner, ReasonerInfo, ReasoningCase, Sender
from ..values import Abstention, Finding, Progress, Reasoning, Severity, Stage
from .lexical import DOUBTS, LexicalReasoner
from .models import model_kind
from .visual import OpenAIReasoner, QwenReasoner

__all__ = ["CascadeReasoner"]

_SECOND = {"qwen": QwenReasoner, "openai": OpenAIReasoner}

#: Abstentions of the tables after which a look at the image may help. All others are the request's own fault.
_OPEN = frozenset(
    {"no-anatomy", "target-unclear", "ambiguous-term", "site-needed", "side-needed", "outside-vocabulary"}
)


class CascadeReasoner:
    """The lexical reasoner, and a vision-language model behind it.

    Parameters
    ----------
    vlm : {"qwen", "openai"}
        The second reader.
    second : Reasoner, optional
        In place of one that is made from ``vlm``.
    **options : str
        Of the second reader.

    Raises
    ------
    UsageError
        ``model-kind-unknown`` and what the second reader raises.
    """

    info = ReasonerInfo(
        "cascade",
        "1.0",
        "The embedded tables first; a vision-language model where they abstain or are unsure.",
        needs=("a vision-language model: qwen or openai",),
    )

    def __init__(self, vlm: str = "", second: Reasoner | None = None, **options: str) -> None:
        if second is None and not vlm and options:
            raise UsageError("Say which model the cascade asks: qwen or openai.", code="model-kind-unknown")
        if second is None and vlm:
            model_kind(vlm)
            second = _SECOND[vlm](**options)
        self._first, self._second = LexicalReasoner(), second
        if second is not None:
            self.info = replace(
                type(self).info, offline=second.info.offline, needs=second.info.needs, presets=second.info.presets
            )

    def readiness(self) -> Readiness:
        """That of the second reader: the first is always ready."""
        if self._second is None:
            return Readiness(False, "Say which model it asks: qwen or openai.")
        return self._second.readiness()

    def outgoing(self, case: ReasoningCase) -> Outgoing:
        """What the second reader would send, were it asked."""
        second: object = self._second
        if isinstance(second, Sender):
            return second.outgoing(case)
        return Outgoing("", "", (), ())

    def reason(self, case: ReasoningCase, emit: Emit, cancel: CancelToken) -> Reasoning | Abstention:
        """Read with the tables; ask the second reader where they leave something open. Raises as it does."""
        first = self._first.reason(case, emit, cancel)
        why = _open_question(first)
        if not why or self._second is None:
            return _signed(first)
        emit(Progress(Stage.REASON, None, f"The tables are unsure ({why}); asking {self._second.info.name}"))
        try:
            second = self._second.reason(case, emit, cancel)
        except ReplyError:
            if isinstance(first, Abstention):
                raise
            finding = Finding(
                "second-reader-unreadable",
                Severity.WARNING,
                f"The tables were unsure ({why}), and the reply of {self._second.info.name} could not be read.",
                advice="Check that the answer is what was meant.",
            )
            return _signed(replace(first, findings=(*first.findings, finding)))
        return _signed(_settled(first, second, why, self._second.info.name))


def _open_question(first: Reasoning | Abstention) -> str:
    """Why a second reader should be asked; empty where it should not."""
    if isinstance(first, Abstention):
        return first.reason if first.code in _OPEN else ""
    return dict(first.details).get(DOUBTS, "")


def _settled(
    first: Reasoning | Abstention, second: Reasoning | Abstention, why: str, name: str
) -> Reasoning | Abstention:
    """One outcome of two, and a finding that says how they stand to each other."""
    if isinstance(first, Abstention):
        said = f"The tables gave no answer ({why}); this is the answer of {name}."
        return replace(second, findings=(*second.findings, Finding("tables-abstained", Severity.INFO, said)))
    if isinstance(second, Abstention):
        finding = Finding(
            "readers-disagree",
            Severity.WARNING,
            f"The tables answer “{first.answer}”, but were unsure ({why}); {name} gives no answer: {second.reason}",
            advice="Check that the answer is what was meant.",
        )
        return replace(first, findings=(*first.findings, finding))
    if _same(first.answer, second.answer):
        said = f"The tables were unsure ({why}); {name} came to the same answer."
        return replace(second, findings=(*second.findings, Finding("readers-agree", Severity.INFO, said)))
    finding = Finding(
        "readers-disagree",
        Severity.WARNING,
        f"The tables answer “{first.answer}”, but were unsure ({why}); {name}, which saw the image, answers"
        f" “{second.answer}”, and that was taken.",
        advice="Check that the answer is what was meant.",
    )
    return replace(second, findings=(*second.findings, finding))


def _same(one: str, other: str) -> bool:
    first, second = resolve_answer(one), resolve_answer(other)
    if isinstance(first, Abstention) or isinstance(second, Abstention):
        return False
    return set(first.targets) == set(second.targets)


def _signed(outcome: Reasoning | Abstention) -> Reasoning | Abstention:
    """Which of the two answered stays to be seen: ``cascade: lexical``."""
    return replace(outcome, reasoner=f"cascade: {outcome.reasoner}" if outcome.reasoner else "cascade")
