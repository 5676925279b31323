"""The presenter's runs: what is asked first, what is sent and shown, and that the scene changes at the end only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from SEERSegmentLib.errors import ServiceError
from SEERSegmentLib.presenter.seams import Inputs
from SEERSegmentLib.presenter.state import OverlapPolicy, PanelState, Phase
from SEERSegmentLib.values import Abstention, Modality, Stage
from SEERSegmentLib.worker.messages import (
    AbstentionReport,
    CancelledReport,
    CapabilitiesOrder,
    CapabilitiesReport,
    CompareReport,
    ErrorReport,
    ProgressReport,
    RunOrder,
)
from Testing.presenter_world import FINDING, PARTS, REASONING, SKILL, VIEW, VOLUME, World, run_report


def test_what_the_user_says_of_the_modality_goes_before_what_the_volume_says() -> None:
    world = World()
    world.know_parts()
    world.complete_run("the liver", Inputs("volume", modality=Modality.MR))
    volume = world.client.last(RunOrder).volume
    assert (volume.modality, volume.modality_source) == (Modality.MR, "user")
    assert replace(volume, modality=VOLUME.modality, modality_source=VOLUME.modality_source) == VOLUME


def test_a_run_goes_through_its_phases_into_the_scene() -> None:
    world = World()
    world.know_parts()
    world.told.clear()
    world.complete_run(" the liver ", Inputs("volume", "mine", "roi", OverlapPolicy.REPLACE))
    assert list(dict.fromkeys(state.phase for state in world.told)) == [Phase.PREPARING, Phase.REASONING, Phase.DONE]
    order = world.client.last(RunOrder)
    assert (order.volume, order.text, order.crop) == (VOLUME, "the liver", ((0, 2), (1, 3), (2, 4)))
    assert (order.reasoner.name, order.backbone.name, order.preset) == ("lexical", "classical", "multi-view")
    assert (order.answer, order.run_anyway, order.allowed) == (None, False, ())
    state = world.state
    assert world.scene.nodes["mine"] == ["by hand", "run 1: the liver"]
    assert state.segmentation_id == "mine"
    assert [shown.segment_id for shown in state.segments] == ["1.Segment_1"]
    assert (state.views, state.skills, state.reasoning) == ((VIEW,), (SKILL,), REASONING)
    assert (state.findings, state.executable_answer, state.can_undo) == ((FINDING,), "liver", True)
    assert (state.request, state.volume_id, state.history) == ("the liver", "volume", ("the liver",))
    assert state.started is not None
    assert state.finished == world.timers.seconds


def test_the_volume_is_copied_one_slab_a_tick() -> None:
    world = World()
    world.know_parts()
    world.scene.slabs = 4
    world.presenter.run("the liver", Inputs("volume"))
    shares = [world.state.fraction]
    while world.timers.calls:
        assert len(world.timers.calls) == 1
        assert world.state.phase is Phase.PREPARING
        world.timers.tick()
        shares.append(world.state.fraction)
    assert shares == [0.0, 0.25, 0.5, 0.75, None]
    assert isinstance(world.client.orders[-1], RunOrder)


@pytest.mark.parametrize(
    ("text", "inputs", "code"),
    [
        ("the liver", Inputs(""), "volume-not-chosen"),
        ("the liver", Inputs("nowhere"), "volume-gone"),
        ("the liver", Inputs("volume", "nowhere"), "output-gone"),
        (" \n ", Inputs("volume"), "request-empty"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_done(text: str, inputs: Inputs, code: str) -> None:
    world = World()
    world.presenter.run(text, inputs)
    assert world.state.phase is Phase.FAILED
    assert world.state.error is not None
    assert world.state.error.code == code
    assert world.state.error.message.endswith(".")
    assert world.client.orders == []
    assert world.timers.calls == []
    assert world.state.history == ()


def test_a_refused_run_leaves_the_result_that_is_shown() -> None:
    world = World()
    world.complete_run()
    world.presenter.run("", Inputs("volume"))
    assert world.state.phase is Phase.DONE
    assert world.state.error is not None
    assert world.state.segments
    world.complete_run("the spleen")
    assert world.state.error is None


def test_what_the_parts_send_is_asked_first_when_it_is_not_known() -> None:
    world = World()
    world.presenter.run("the liver", Inputs("volume"))
    assert world.state.phase is Phase.PREPARING
    order = world.client.last(CapabilitiesOrder)
    assert world.timers.calls == []  # nothing is copied yet
    world.client.finish(CapabilitiesReport(order.job, PARTS))
    world.timers.run()
    assert isinstance(world.client.orders[-1], RunOrder)
    world.client.finish(run_report(world.client.orders[-1].job))
    world.presenter.run("the liver", Inputs("volume"))
    world.timers.run()
    assert [type(order) for order in world.client.orders].count(CapabilitiesOrder) == 1


def test_a_part_that_is_not_in_this_version_is_refused() -> None:
    world = World(reasonerKind="remote", remoteUrl="http://localhost:8000/v1")
    fewer = tuple(part for part in PARTS if part.name != "openai")
    world.know_parts(fewer)
    world.presenter.run("the liver", Inputs("volume"))
    world.client.finish(CapabilitiesReport(world.client.last(CapabilitiesOrder).job, fewer))
    assert world.state.phase is Phase.FAILED
    assert world.state.error is not None
    assert world.state.error.code == "part-unavailable"
    assert "openai" in world.state.error.message


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://a.example", "http://", "http://[1", "https://a b/"])
def test_a_remote_reasoner_without_a_usable_address_is_refused(url: str) -> None:
    world = World(reasonerKind="remote", remoteUrl=url)
    world.presenter.run("the liver", Inputs("volume"))
    assert world.state.error is not None
    assert world.state.error.code == ("server-invalid" if url else "server-missing")
    assert world.client.orders == []


def test_progress_is_shown_as_it_comes() -> None:
    world = World()
    job = world.send_run()

    def progress(stage: Stage, fraction: float | None = None, value: object = None) -> PanelState:
        world.client.report(ProgressReport(job, stage, fraction, f"at {stage.value}", value))  # type: ignore[arg-type]
        return world.state

    assert progress(Stage.READ, 0.0).phase is Phase.REASONING
    assert (world.state.stage, world.state.fraction, world.state.message) == (
        "reading the volume",
        0.0,
        "at reading the volume",
    )
    assert progress(Stage.VIEWS, 1.0, (VIEW,)).views == (VIEW,)
    assert progress(Stage.SKILLS, 1.0, (SKILL,)).skills == (SKILL,)
    partial = replace(REASONING, answer="")
    assert progress(Stage.REASON, None, partial).reasoning == partial
    assert world.state.streaming
    assert progress(Stage.REASON, 1.0, REASONING).reasoning == REASONING
    assert not world.state.streaming
    assert progress(Stage.GROUND, 1.0, (FINDING,)).findings == (FINDING,)
    assert world.state.phase is Phase.REASONING
    assert progress(Stage.SEGMENT, 0.5).phase is Phase.SEGMENTING
    assert progress(Stage.CHECK, 1.0, ()).phase is Phase.SEGMENTING
    assert (world.state.views, world.state.reasoning) == ((VIEW,), REASONING)


def test_an_abstention_waits_for_an_edit_and_an_edited_answer_is_run() -> None:
    world = World()
    job = world.send_run("outline it")
    abstention = Abstention("no-anatomy", "Nothing is named.", "What?", ("the liver",), findings=(FINDING,))
    world.client.finish(AbstentionReport(job, abstention))
    assert world.state.phase is Phase.AWAITING_EDIT
    assert (world.state.abstention, world.state.findings) == (abstention, (FINDING,))
    assert (world.state.blocked, world.state.executable_answer, world.state.segments) == (False, "", ())
    world.presenter.run_anyway(Inputs("volume"))
    assert world.state.phase is Phase.AWAITING_EDIT
    world.presenter.run_with_answer("", Inputs("volume"))
    assert world.state.phase is Phase.AWAITING_EDIT
    assert world.state.error is not None
    assert world.state.error.code == "answer-empty"
    world.presenter.run_with_answer(" liver ", Inputs("volume"))
    world.timers.run()
    order = world.client.last(RunOrder)
    assert (order.text, order.answer, order.run_anyway) == ("outline it", "liver", False)
    world.client.finish(run_report(order.job))
    assert (world.state.phase, world.state.abstention) == (Phase.DONE, None)


def test_an_answer_without_a_request_stands_for_it() -> None:
    world = World()
    world.know_parts()
    world.presenter.run_with_answer("liver", Inputs("volume"))
    world.timers.run()
    assert world.client.last(RunOrder).text == "liver"


def test_a_blocked_run_is_run_anyway() -> None:
    world = World()
    world.block()
    assert world.state.phase is Phase.AWAITING_EDIT
    assert (world.state.blocked, world.state.executable_answer) == (True, "liver")
    world.presenter.run_anyway(Inputs("other volume"))
    assert world.state.error is not None
    assert world.state.error.code == "volume-differs"
    world.presenter.run_anyway(Inputs("volume"))
    world.timers.run()
    order = world.client.last(RunOrder)
    # the embedded reasoner reads by rules, so it is asked again and its reasoning is kept whole
    assert (order.text, order.answer, order.run_anyway) == ("the liver", None, True)
    world.client.finish(run_report(order.job))
    assert (world.state.phase, world.state.blocked) == (Phase.DONE, False)
    world.presenter.run_anyway(Inputs("volume"))
    assert world.state.phase is Phase.DONE


def test_run_anyway_executes_what_was_seen_where_another_reply_may_differ() -> None:
    world = World(reasonerKind="remote", remoteUrl="http://localhost:1/v1")
    world.know_parts()
    world.presenter.run("the liver", Inputs("volume"))
    world.presenter.answer_consent(True)
    world.timers.run()
    job = world.client.last(RunOrder).job
    world.client.finish(AbstentionReport(job, Abstention("blocked", "It is an MR.", "Run anyway?"), "liver"))
    world.presenter.run_anyway(Inputs("volume"))
    world.timers.run()
    order = world.client.last(RunOrder)
    assert (order.answer, order.run_anyway, order.reasoner.name) == ("liver", True, "lexical")
    assert (dict(order.reasoner.options), order.allowed) == ({}, ())  # the server is neither asked nor known


def test_a_reasoning_that_was_cut_off_is_not_kept_and_a_whole_one_can_be_run_again() -> None:
    for fraction, kept in ((None, None), (1.0, REASONING)):
        world = World()
        job = world.send_run()
        world.client.report(ProgressReport(job, Stage.REASON, fraction, "", REASONING))
        world.client.finish(ErrorReport(job, "target-unsupported", "The backbone has no liver.", "detail", False))
        assert world.state.phase is Phase.FAILED
        assert world.state.reasoning == kept
        assert world.state.executable_answer == ("liver" if kept else "")


def _fail_order(world: World) -> None:
    world.client.fail = ServiceError("The worker can't be started.", code="worker-closed")


@pytest.mark.parametrize("where", ["copy_volume", "step", "finish", "crop", "commit", "send"])
def test_a_failure_leaves_the_scene_as_it_was(where: str) -> None:
    world = World()
    world.know_parts()
    world.scene.fail_in = where
    if where == "send":
        _fail_order(world)
    before = world.scene.content()
    world.presenter.run("the liver", Inputs("volume", "mine", "roi"))
    world.timers.run()
    if where == "commit":
        world.client.finish(run_report(world.client.last(RunOrder).job))
    assert world.state.phase is Phase.FAILED
    assert world.state.error is not None
    assert world.state.error.code == ("worker-closed" if where == "send" else "volume-changed")
    assert world.scene.content() == before
    assert not world.state.can_undo
    assert not world.timers.calls
    assert not world.client.live
    world.scene.fail_in, world.client.fail = "", None
    world.complete_run()
    assert world.state.phase is Phase.DONE


@pytest.mark.parametrize("where", ["copy_volume", "step", "commit"])
def test_a_mistake_in_the_scene_is_shown_and_leaves_nothing_hanging(where: str) -> None:
    world = World()
    world.know_parts()
    world.scene.fail_in, world.scene.error = where, ZeroDivisionError("nobody foresaw this")
    world.presenter.run("the liver", Inputs("volume"))
    world.timers.run()
    if where == "commit":
        world.client.finish(run_report(world.client.last(RunOrder).job))
    assert world.state.phase is Phase.FAILED
    assert world.state.error is not None
    assert world.state.error.code == "panel-unexpected"
    assert any("nobody foresaw this" in line for line in world.state.log)
    assert not world.timers.calls
    world.scene.fail_in = ""
    world.complete_run()
    assert world.state.phase is Phase.DONE


def test_a_worker_that_crashes_fails_the_run_and_the_next_one_works() -> None:
    world = World()
    job = world.send_run()
    world.client.finish(ErrorReport(job, "worker-crashed", "The worker ended.", "Traceback …\nline two", True))
    assert world.state.phase is Phase.FAILED
    assert world.state.error is not None
    assert world.state.error.retryable
    assert world.state.log[-3:] == ("worker-crashed: The worker ended.", "Traceback …", "line two")
    world.complete_run()
    assert (world.state.phase, world.state.error) == (Phase.DONE, None)


def test_a_report_of_the_wrong_kind_fails_the_run_and_a_cancelled_one_ends_it() -> None:
    world = World()
    world.client.finish(CompareReport(world.send_run(), ()))
    assert world.state.phase is Phase.FAILED
    assert world.state.error is not None
    assert world.state.error.code == "report-unexpected"
    world.client.finish(CancelledReport(world.send_run()))
    assert world.state.phase is Phase.CANCELLED


def test_a_client_that_answers_at_once_is_fine() -> None:
    world = World()
    world.client.answer_at_once = lambda order: (
        CapabilitiesReport(order.job, PARTS) if isinstance(order, CapabilitiesOrder) else run_report(order.job)
    )
    world.presenter.run("the liver", Inputs("volume"))
    world.timers.run()
    assert world.state.phase is Phase.DONE


def test_files_are_discarded_once_nobody_shows_them() -> None:
    world = World()
    first = world.complete_run()
    assert first not in world.client.discarded
    world.presenter.check_phrasing("the liver", Inputs("volume"))
    assert first not in world.client.discarded  # its result is still shown
    world.presenter.cancel()
    world.send_run()
    assert first in world.client.discarded


@pytest.mark.parametrize("intent", ["run", "cancel", "undo", "scene_closing", "check_phrasing"])
def test_a_listener_that_sends_intents_sees_every_state_in_order(intent: str) -> None:
    world = World()
    world.know_parts()
    arguments = ("the spleen", Inputs("volume")) if intent in ("run", "check_phrasing") else ()
    calls: list[Phase] = []

    def listen(state: PanelState) -> None:
        if len(calls) < 20:
            calls.append(state.phase)
            getattr(world.presenter, intent)(*arguments)

    world.on_change = listen
    told = len(world.told)
    world.presenter.run("the liver", Inputs("volume"))
    world.timers.run()
    for job in list(world.client.live):
        world.client.finish(run_report(job))
    assert calls
    assert world.told[-1] is world.state
    assert all(a is not b for a, b in zip(world.told[told:], world.told[told + 1 :], strict=False))
    assert world.state.phase.busy == bool(world.client.live or world.timers.calls)
    assert "panel-unexpected" not in " ".join(world.state.log)


def test_a_listener_that_answers_every_state_is_not_called_within_itself() -> None:
    world = World()
    depth, deepest, lines = 0, 0, 0

    def listen(state: PanelState) -> None:
        nonlocal depth, deepest, lines
        depth, lines = depth + 1, lines + 1
        deepest = max(deepest, depth)
        if lines < 50:
            world.presenter.log(f"line {lines}")
        depth -= 1

    world.on_change = listen
    world.presenter.log("line 0")
    assert (deepest, len(world.told)) == (1, 50)
    assert [state.log[-1] for state in world.told] == [f"line {number}" for number in range(50)]


def test_a_listener_that_raises_does_not_stop_the_run() -> None:
    world = World()
    world.know_parts()

    def listen(state: PanelState) -> None:
        raise KeyError("a mistake of the panel")

    world.on_change = listen
    with pytest.raises(KeyError):
        world.presenter.run("the liver", Inputs("volume"))
    world.on_change = lambda state: None
    world.timers.run()
    world.client.finish(run_report(world.client.last(RunOrder).job))
    assert world.state.phase is Phase.DONE
    assert world.told[-1] is world.state


def test_a_new_presenter_asks_nobody_and_starts_nothing() -> None:
    world = World()
    assert (world.client.orders, world.timers.calls, world.told) == ([], [], [])
    assert world.state == PanelState()
