"""The grounded reasoner: a case in, a Reasoning or an Abstention out, whatever model stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ...anatomy import outside_labels, resolve_answer
from ...errors import ReplyError
from ...protocols import CancelToken, Emit, Outgoing, Readiness, ReasonerInfo, ReasoningCase
from ...values import Abstention, Finding, Progress, Reasoning, Severity, Stage
from ..prompt import Prompt, compose
from ..reply import parse_reply, partial_reply
from ..vlm import Completion, VisionLanguageModel
from .screening import screened
from .settings import Settings
from .vote import Outcome, vote
from .wordings import rephrasings_of

__all__ = ["GroundedReasoner"]


class GroundedReasoner:
    """π(e, r, a | I, q, B) of the SEER paper, equation 2, by a vision-language model.

    Parameters
    ----------
    info : ReasonerInfo
        ``info.offline`` is False for a model on a server: what is sent to it is screened for identifiers.
    model : VisionLanguageModel
    settings : Settings
    """

    def __init__(self, info: ReasonerInfo, model: VisionLanguageModel, settings: Settings) -> None:
        self.info, self._model, self._settings = info, model, settings

    def readiness(self) -> Readiness:
        """Whether the model can run now; loads and contacts nothing."""
        return self._model.readiness()

    def outgoing(self, case: ReasoningCase) -> Outgoing:
        """What would be sent for a case at first; see :class:`~SEERSegmentLib.protocols.Sender`."""
        case, findings = self._screened(case)
        _, prompts = self._prompts(case, CancelToken())
        texts = [part for prompt in prompts for part in (prompt.system, *prompt.content) if isinstance(part, str)]
        details = dict(self._model.details())
        views = prompts[0].views
        return Outgoing(
            details.get("server", ""), details.get("model", ""), tuple(dict.fromkeys(texts)), views, findings
        )

    def reason(self, case: ReasoningCase, emit: Emit, cancel: CancelToken) -> Reasoning | Abstention:
        """Ask the model, at most twice.

        Raises
        ------
        ReplyError
            Where the reply can't be read the second time either.
        ReasonerError, ServiceError, UsageError, Cancelled
            As the model does; ServiceError ``identifiers-in-request``.
        """
        cancel.check()
        screened_case, removed = self._screened(case)
        emit(Progress(Stage.REASON, None, "Asking the model"))
        wordings, prompts = self._prompts(screened_case, cancel)
        outcomes = self._ask(screened_case, wordings, prompts, emit, cancel)
        outcome = outcomes[0] if len(outcomes) == 1 else vote(outcomes)
        if isinstance(outcome, ReplyError):
            raise outcome
        details = (*self._model.details(), ("template", self._settings.template.title))
        details += (("wordings", str(len(wordings))),) if len(wordings) > 1 else ()
        measured = case.facts.evidence if case.facts is not None else ()
        evidence = (*outcome.evidence, *measured)
        findings = (*outcome.findings, *removed)
        sha256 = prompts[0].sha256
        if isinstance(outcome, Reasoning) and case.closed:
            spec = resolve_answer(outcome.answer)
            outside = spec if isinstance(spec, Abstention) else outside_labels(spec, case.modality)
            if outside is not None:
                outcome = replace(outside, rationale=outcome.rationale, raw=outcome.raw)
        return replace(
            outcome,
            evidence=evidence,
            findings=findings,
            reasoner=self.info.name,
            prompt_sha256=sha256,
            details=details,
        )

    def _screened(self, case: ReasoningCase) -> tuple[ReasoningCase, tuple[Finding, ...]]:
        return (case, ()) if self.info.offline else screened(case, self._settings.identifiers)

    def _prompts(self, case: ReasoningCase, cancel: CancelToken) -> tuple[list[str], list[Prompt]]:
        """The request and its rephrasings, and the prompt of each."""
        others = rephrasings_of(case, self._settings.rephrasings, self._settings.seed, cancel)
        wordings = [case.request.text, *(one.text for one in others)]
        return wordings, [compose(case, self._settings.template, wording) for wording in wordings]

    def _ask(
        self, case: ReasoningCase, wordings: Sequence[str], prompts: Sequence[Prompt], emit: Emit, cancel: CancelToken
    ) -> list[Outcome]:
        """What each wording comes to; those that can't be read are asked once more, held to the form."""
        outcomes = self._complete(case, wordings, prompts, emit, cancel, constrained=False)
        broken = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, ReplyError)]
        if not broken:
            return outcomes
        emit(Progress(Stage.REASON, None, "The reply could not be read; asking once more"))
        again = self._complete(
            case, [wordings[n] for n in broken], [prompts[n] for n in broken], emit, cancel, constrained=True
        )
        for number, outcome in zip(broken, again, strict=True):
            first = outcomes[number]
            assert isinstance(first, ReplyError)
            outcomes[number] = outcome if isinstance(outcome, ReplyError) else _marked(outcome, first)
        return outcomes

    def _complete(
        self,
        case: ReasoningCase,
        wordings: Sequence[str],
        prompts: Sequence[Prompt],
        emit: Emit,
        cancel: CancelToken,
        *,
        constrained: bool,
    ) -> list[Outcome]:
        completions = self._model.complete(
            prompts,
            constrained=constrained,
            max_tokens=self._settings.max_tokens,
            on_text=self._streamer(case, emit),
            on_status=lambda said: emit(Progress(Stage.REASON, None, said)),
            cancel=cancel,
        )
        return [self._read(one, words, case) for one, words in zip(completions, wordings, strict=True)]

    def _streamer(self, case: ReasoningCase, emit: Emit) -> Callable[[str], None]:
        def show(text: str) -> None:
            so_far = partial_reply(text, reasoner=self.info.name, views=case.views)
            emit(Progress(Stage.REASON, None, "The model is writing", so_far))

        return show

    def _read(self, completion: Completion, wording: str, case: ReasoningCase) -> Outcome:
        if completion.finish == "filtered":
            return Abstention(
                "reply-filtered",
                "The server kept the model's reply back, by a filter of its own.",
                "Should the request be worded differently?",
                raw=completion.text,
            )
        try:
            return parse_reply(
                completion.text, reasoner=self.info.name, request=wording, views=case.views, skills=case.skills
            )
        except ReplyError as error:
            return error


def _marked(outcome: Reasoning | Abstention, first: ReplyError) -> Reasoning | Abstention:
    """A second reply says that there was a first, and what was wrong with it."""
    finding = Finding(
        "reply-asked-again",
        Severity.INFO,
        f"The model's first reply could not be read ({first.code}); this is its second, held to the form.",
    )
    return replace(outcome, findings=(*outcome.findings, finding))
