"""The reasoner ``medvol``: a request is grounded to a key slice and boxes, which a box backbone takes further."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ...anatomy import render
from ...errors import ReplyError, UsageError
from ...protocols import CancelToken, Emit, Outgoing, Readiness, ReasonerInfo, ReasoningCase
from ...values import Abstention, Finding, Progress, Reasoning, Severity, Stage, TargetSpec
from ...values.observed import Matrix
from ..grounded.screening import screened
from ..models import make_model, split_options
from ..prompt import Prompt
from ..vlm import Completion, VisionLanguageModel
from .naming import referent
from .placing import anchors_of, box_evidence
from .prompt import compose_medvol
from .reply import AnchorReply, parse_anchor_reply, partial_think
from .settings import settings_of

__all__ = ["MedVolReasoner"]

_NAME = "medvol"
_PRESET = "medvol-r1"


class MedVolReasoner:
    """MedVol-R1: "evidence grounding" of a request by a vision-language model (paper, section 2.3, stage 1).

    The model replies with a key slice and boxes, not with a name: what the target is called is read from the request by
    the embedded tables, where they can tell.

    Parameters
    ----------
    vlm : {"qwen", "openai"}
        The model that is asked.
    vision_model : VisionLanguageModel, optional
        In place of one that is made from ``vlm``.
    **options : str
        Of the model, as for the reasoners of these names; of the asking, see :func:`.settings.settings_of`.

    Raises
    ------
    UsageError
        ``model-kind-unknown``, ``part-options``, ``template-unknown``, ``template-unreadable``.
    """

    info = ReasonerInfo(
        _NAME,
        "1.0",
        "MedVol-R1: finds a key slice and boxes for a backbone that draws from boxes.",
        protocol="anchor",
        needs=("a vision-language model, qwen or openai, that was trained as MedVol-R1", "a backbone that takes boxes"),
        licence="MIT (MedVol-R1), Apache-2.0 (Qwen3-VL)",
        presets=(_PRESET,),
    )

    def __init__(self, vlm: str = "", vision_model: VisionLanguageModel | None = None, **options: str) -> None:
        self._model = vision_model
        if vision_model is None and vlm:
            own, options = split_options(vlm, options)
            made = make_model(vlm, own)
            self._model = made.model
            needs = (*made.needs, *type(self).info.needs[1:])
            self.info = replace(type(self).info, offline=made.offline, needs=needs)
        self._settings = settings_of(options)

    def readiness(self) -> Readiness:
        """Whether the model can run now; loads and contacts nothing."""
        if self._model is None:
            return Readiness(False, "Say which model it asks: qwen or openai.")
        return self._model.readiness()

    def outgoing(self, case: ReasoningCase) -> Outgoing:
        """What would be sent for a case at first; see :class:`~SEERSegmentLib.protocols.Sender`."""
        case, removed = self._screened(case)
        prompt = self._prompt(case)
        texts = (prompt.system, *(part for part in prompt.content if isinstance(part, str)))
        details = dict(self._asked().details())
        return Outgoing(details.get("server", ""), details.get("model", ""), texts, prompt.views, removed)

    def reason(self, case: ReasoningCase, emit: Emit, cancel: CancelToken) -> Reasoning | Abstention:
        """Ask the model, at most twice.

        Raises
        ------
        ReplyError
            Where the reply can't be used the second time either.
        UsageError
            ``views-unsuitable`` for a case without the views of preset ``medvol-r1`` or the volume's affine;
            ``model-kind-unknown`` where no model was said.
        ReasonerError, ServiceError, Cancelled
            As the model does; ServiceError ``identifiers-in-request``.
        """
        cancel.check()
        model, affine = self._asked(), _affine_of(case)
        named = referent(case, cancel)
        if isinstance(named, Abstention):
            return replace(named, reasoner=_NAME)
        sent, removed = self._screened(case)
        prompt = self._prompt(sent)
        emit(Progress(Stage.REASON, None, "Asking the model for a key slice"))
        reply, again = self._ask(model, prompt, case, emit, cancel)
        measured = case.facts.evidence if case.facts is not None else ()
        details = (*model.details(), *self._settings.details)
        findings = (*named.findings, *again, *removed)
        if isinstance(reply, Abstention):
            return replace(
                reply,
                evidence=measured,
                findings=findings,
                reasoner=_NAME,
                prompt_sha256=prompt.sha256,
                details=details,
            )
        parsed, raw = reply
        anchors = anchors_of(parsed, case.views, affine)
        evidence = (*box_evidence(parsed, anchors, case.views, affine), *measured)
        answer = render(TargetSpec(named.target.text, (named.target,), anchors))
        rationale = (*parsed.think.splitlines(), *named.rationale, f"Answer: {answer}.")
        return Reasoning(
            evidence,
            rationale,
            answer,
            _NAME,
            findings=findings,
            prompt_sha256=prompt.sha256,
            raw=raw,
            details=details,
        )

    def _asked(self) -> VisionLanguageModel:
        if self._model is None:
            raise UsageError("Say which model medvol asks: qwen or openai.", code="model-kind-unknown")
        return self._model

    def _screened(self, case: ReasoningCase) -> tuple[ReasoningCase, tuple[Finding, ...]]:
        return (case, ()) if self.info.offline else screened(case, self._settings.identifiers)

    def _prompt(self, case: ReasoningCase) -> Prompt:
        own = self._settings
        return compose_medvol(case, own.template, numbering=own.numbering, scale=own.scale)

    def _ask(
        self, model: VisionLanguageModel, prompt: Prompt, case: ReasoningCase, emit: Emit, cancel: CancelToken
    ) -> tuple[tuple[AnchorReply, str] | Abstention, tuple[Finding, ...]]:
        """The reply, parsed and as it came; asked for once more, held to the form, where it could not be used."""

        def complete(constrained: bool) -> tuple[AnchorReply, str] | Abstention:
            (completion,) = model.complete(
                (prompt,),
                constrained=constrained,
                max_tokens=self._settings.max_tokens,
                on_text=_streamer(emit),
                on_status=lambda said: emit(Progress(Stage.REASON, None, said)),
                cancel=cancel,
            )
            return self._read(completion, case)

        try:
            return complete(constrained=False), ()
        except ReplyError as error:
            emit(Progress(Stage.REASON, None, "The reply could not be read; asking once more"))
            said = f"The model's first reply could not be read ({error.code}); this is its second, held to the form."
            return complete(constrained=True), (Finding("reply-asked-again", Severity.INFO, said),)

    def _read(self, completion: Completion, case: ReasoningCase) -> tuple[AnchorReply, str] | Abstention:
        if completion.finish == "filtered":
            return Abstention(
                "reply-filtered",
                "The server kept the model's reply back, by a filter of its own.",
                "Should the request be worded differently?",
                raw=completion.text,
            )
        own = self._settings
        try:
            reply = parse_anchor_reply(completion.text, case.views, scale=own.scale, numbering=own.numbering)
        except ReplyError as error:  # for the abstention that the pipeline makes of it: the reply as it came
            raise ReplyError(error.user_message, code=error.code, detail=completion.text) from error
        return reply if isinstance(reply, Abstention) else (reply, completion.text)


def _streamer(emit: Emit) -> Callable[[str], None]:
    def show(text: str) -> None:
        so_far = Reasoning((), tuple(partial_think(text).splitlines()), "", _NAME, raw=text)
        emit(Progress(Stage.REASON, None, "The model is writing", so_far))

    return show


def _affine_of(case: ReasoningCase) -> Matrix:
    """The volume's affine, where the case holds all that a request is grounded in."""
    affine = case.facts.affine if case.facts is not None else None
    if affine is None or not case.views or any(view.preset != _PRESET for view in case.views):
        raise UsageError(
            f"The reasoner {_NAME} grounds a request in an image: it needs the views of the preset {_PRESET}, and the"
            " measured facts of the volume.",
            code="views-unsuitable",
        )
    return affine
