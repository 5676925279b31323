"""Grounded reasoning around a model whose replies the test writes: nothing that can't be trusted gets through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from SEERSegmentLib.errors import Cancelled, ReplyError, ServiceError
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.pipeline import Job, observe, run
from SEERSegmentLib.protocols import (
    BackboneInfo,
    CancelToken,
    Emit,
    Readiness,
    Reasoner,
    ReasonerInfo,
    ReasoningCase,
    Sender,
)
from SEERSegmentLib.reasoning.grounded import GroundedReasoner, Settings, settings_of
from SEERSegmentLib.reasoning.rephrasing import wrapped
from SEERSegmentLib.values import (
    Abstention,
    Mask,
    Modality,
    Progress,
    Reasoning,
    Request,
    Segmentation,
    Skill,
    Stage,
    TargetSpec,
    Volume,
)
from Testing.scripted_model import ScriptedModel, case, reply, request_in

INFO = ReasonerInfo("scripted", "1", "For tests.")
FAR = replace(INFO, offline=False)


def reasoner(
    script: Callable[[str, bool], str],
    info: ReasonerInfo = INFO,
    settings: Settings | None = None,
    finish: str = "stop",
) -> tuple[GroundedReasoner, ScriptedModel]:
    model = ScriptedModel(script, finish)
    return GroundedReasoner(info, model, settings or Settings()), model


def ask(made: GroundedReasoner, case: ReasoningCase) -> Reasoning | Abstention:
    return made.reason(case, lambda _: None, CancelToken())


class Recorder:
    """A backbone that keeps what it was handed, and draws nothing."""

    info = BackboneInfo("recorder", "1", "For tests.", frozenset({"text"}), frozenset(Modality))

    def __init__(self) -> None:
        self.handed: list[TargetSpec] = []

    def readiness(self) -> Readiness:
        return Readiness(True)

    def segment(self, volume: Volume, spec: TargetSpec, emit: Emit, cancel: CancelToken) -> Sequence[Mask]:
        self.handed.append(spec)
        return [Mask(np.zeros(volume.shape, bool), volume.affine, target) for target in spec.targets]


def test_a_whole_reply_becomes_a_reasoning_with_its_provenance() -> None:
    made, model = reasoner(lambda request, held: reply("right kidney", evidence="A bean (image 2).\nNo stone."))
    assert isinstance(made, Reasoner)
    assert isinstance(made, Sender)
    result = ask(made, case("RK"))
    assert isinstance(result, Reasoning)
    assert (result.answer, result.reasoner) == ("right kidney", "scripted")
    assert [item.source for item in result.evidence] == ["axial 20", ""]
    assert result.prompt_sha256 == model.asked[0][0][0].sha256
    details = dict(result.details)
    assert details["model"] == "scripted"
    assert details["template"].startswith("seer 1 (")
    assert result.raw.startswith("<evidence>")


def test_what_was_measured_follows_what_was_seen() -> None:
    volume, _ = chest_phantom(6.0)
    seen = observe(volume)
    made, _ = reasoner(lambda request, held: reply("right lung"))
    result = ask(made, ReasoningCase(Request("rt lung"), volume.modality, seen.views, seen.facts))
    assert result.evidence[0].text == "It is seen (image 1)."
    assert result.evidence[0].source == seen.views[0].name
    assert result.evidence[1:] == seen.facts.evidence


def test_a_reply_streams_and_nothing_of_it_can_be_run_before_it_is_whole() -> None:
    made, _ = reasoner(lambda request, held: reply("right lung"))
    told: list[Progress] = []
    made.reason(case("rt lung"), told.append, CancelToken())
    partial = [progress.value for progress in told if isinstance(progress.value, Reasoning)]
    assert len(partial) > 10
    assert all(one.answer == "" for one in partial)
    assert [item.text for item in partial[-1].evidence] == ["It is seen (image 1)."]
    assert all(progress.stage is Stage.REASON for progress in told)


@pytest.mark.parametrize(
    "broken",
    [
        "right lung",
        "",
        "<evidence>x</evidence><rationale>y</rationale><answer>right lung",
        "<answer>right lung</answer>",
        reply("right lung") + reply("left lung"),
    ],
)
def test_a_reply_that_can_not_be_read_is_asked_for_once_more(broken: str) -> None:
    made, model = reasoner(lambda request, held: reply("right lung") if held else broken)
    result = ask(made, case("rt lung"))
    assert isinstance(result, Reasoning)
    assert result.answer == "right lung"
    assert [finding.code for finding in result.findings] == ["reply-asked-again"]
    assert [held for _, held in model.asked] == [False, True]


def test_what_can_not_be_read_twice_reaches_no_backbone() -> None:
    made, model = reasoner(lambda request, held: "right lung")
    with pytest.raises(ReplyError):
        ask(made, case("rt lung"))
    assert len(model.asked) == 2
    volume, _ = chest_phantom(6.0)
    backbone = Recorder()
    result = run(Job(volume, Request("rt lung"), made, backbone))
    assert isinstance(result, Abstention)
    assert result.code.startswith("reply-")
    assert backbone.handed == []


@pytest.mark.parametrize("answer", ["NONE", "I cannot tell.", "liver or spleen", "segment the liver", ""])
def test_an_abstention_is_an_answer_and_not_asked_again(answer: str) -> None:
    made, model = reasoner(lambda request, held: reply(answer))
    backbone = Recorder()
    volume, _ = chest_phantom(6.0)
    result = run(Job(volume, Request("rt lung"), made, backbone))
    assert isinstance(result, Abstention)
    assert result.reason
    assert result.question
    assert result.rationale == ("The request names it.",)
    assert len(model.asked) == 1
    assert backbone.handed == []


def test_a_reply_that_a_server_kept_back_is_an_abstention() -> None:
    made, _ = reasoner(lambda request, held: reply("right lung"), finish="filtered")
    result = ask(made, case("rt lung"))
    assert isinstance(result, Abstention)
    assert result.code == "reply-filtered"


def test_a_cancel_goes_through() -> None:
    made, _ = reasoner(lambda request, held: reply("right lung"))
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        made.reason(case("rt lung"), lambda progress: cancel.cancel() if progress.value else None, cancel)


def test_a_side_that_contradicts_request_or_rationale_stops_the_run() -> None:
    volume, _ = chest_phantom(6.0)
    for text, rationale in (("rt lung", "The request names it."), ("that lung", "The right lung is meant.")):
        made, _ = reasoner(lambda request, held, said=rationale: reply("left lung", said))
        backbone = Recorder()
        result = run(Job(volume, Request(text), made, backbone))
        assert isinstance(result, Abstention), text
        assert result.code == "blocked"
        assert backbone.handed == []
        anyway = run(Job(volume, Request(text), made, backbone, run_anyway=True))
        assert isinstance(anyway, Segmentation)


def test_free_text_goes_to_a_text_backbone_as_it_stands() -> None:
    volume, _ = chest_phantom(6.0)
    made, _ = reasoner(lambda request, held: reply("spiculated nodule in the right upper lobe"))
    backbone = Recorder()
    assert isinstance(run(Job(volume, Request("the nodule"), made, backbone)), Segmentation)
    assert backbone.handed[0].prompt == "spiculated nodule in the right upper lobe"


def test_a_closed_vocabulary_abstains_from_what_it_lacks() -> None:
    made, _ = reasoner(lambda request, held: reply("spiculated nodule in the right upper lobe"))
    result = ask(made, case("the nodule", closed=True))
    assert isinstance(result, Abstention)
    assert result.code == "outside-vocabulary"
    made, _ = reasoner(lambda request, held: reply("liver"))
    assert isinstance(ask(made, case("liver", closed=True)), Reasoning)


SKILL = Skill("seer:9", "ABBR", "for Mr Smith RK is the right kidney", "from MRN 1234567")
NAMED = "Mr Smith, MRN 1234567, DOB 12/03/1957: outline the RK"


def sent(model: ScriptedModel) -> str:
    """All words that the model was handed."""
    return "\n".join(
        part for prompts, _ in model.asked for prompt in prompts for part in prompt.content if isinstance(part, str)
    )


def test_a_server_gets_no_identifier_and_the_user_is_told() -> None:
    made, model = reasoner(lambda request, held: reply("right kidney"), FAR)
    result = ask(made, case(NAMED, skills=(SKILL,)))
    assert isinstance(result, Reasoning)
    assert "RK" in sent(model)
    for word in ("Smith", "1234567", "1957"):
        assert word not in sent(model)
        assert word not in repr(result)
    assert [finding.code for finding in result.findings] == ["identifiers-masked"]


def test_a_model_at_hand_is_shown_the_request_as_typed() -> None:
    made, model = reasoner(lambda request, held: reply("right kidney"))
    result = ask(made, case(NAMED))
    assert request_in(model.asked[0][0][0]) == NAMED
    assert result.findings == ()


def test_the_user_may_have_it_stopped_or_sent() -> None:
    made, model = reasoner(lambda request, held: reply("right kidney"), FAR, settings_of({"identifiers": "refuse"}))
    with pytest.raises(ServiceError) as caught:
        ask(made, case(NAMED))
    assert caught.value.code == "identifiers-in-request"
    assert "Smith" not in str(caught.value)
    assert model.asked == []
    made, model = reasoner(lambda request, held: reply("right kidney"), FAR, settings_of({"identifiers": "send"}))
    result = ask(made, case(NAMED))
    assert request_in(model.asked[0][0][0]) == NAMED
    assert [finding.code for finding in result.findings] == ["identifiers-sent"]


def test_what_is_shown_beforehand_is_what_is_sent() -> None:
    settings = settings_of({"rephrasings": "3"})
    made, model = reasoner(lambda request, held: reply("right kidney"), FAR, settings)
    asked = case(NAMED, skills=(SKILL,))
    shown = made.outgoing(asked)
    assert model.asked == []
    ask(made, asked)
    prompts = model.asked[0][0]
    texts = [part for prompt in prompts for part in (prompt.system, *prompt.content) if isinstance(part, str)]
    assert shown.texts == tuple(dict.fromkeys(texts))
    assert shown.views == prompts[0].views
    assert (shown.server, shown.model) == ("nowhere", "scripted")
    assert [finding.code for finding in shown.findings] == ["identifiers-masked"]


def test_rephrasings_are_asked_in_one_batch_and_vote() -> None:
    def script(request: str, held: bool) -> str:
        return reply("left kidney" if request == "RK please" else "right kidney", "It is told.")

    made, model = reasoner(script, settings=settings_of({"rephrasings": "7", "seed": "2"}))
    result = ask(made, case("RK please"))
    assert isinstance(result, Reasoning)
    assert result.answer == "right kidney"
    assert len(model.asked) == 1
    assert len({request_in(prompt) for prompt in model.asked[0][0]}) == 8
    assert [finding.code for finding in result.findings] == ["wordings-outvote-request"]
    assert dict(result.details)["wordings"] == "8"


def test_only_the_wordings_that_could_not_be_read_are_asked_again() -> None:
    odd = wrapped("the frobnitz", 4)[2].text

    def script(request: str, held: bool) -> str:
        return "nothing like it" if request == odd and not held else reply("liver")

    made, model = reasoner(script, settings=settings_of({"rephrasings": "4"}))
    result = ask(made, case("the frobnitz"))
    assert isinstance(result, Reasoning)
    assert [finding.code for finding in result.findings] == ["wordings-agree"]
    assert [[request_in(p) for p in prompts] for prompts, held in model.asked if held] == [[odd]]
