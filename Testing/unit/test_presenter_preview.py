"""What would be sent is shown before it goes; nothing is sent for that, and the question stays as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from SEERSegmentLib.errors import ServiceError
from SEERSegmentLib.presenter.seams import Inputs
from SEERSegmentLib.presenter.state import Phase, Preview
from SEERSegmentLib.values import Finding, Modality, Severity, Stage
from SEERSegmentLib.worker.messages import ErrorReport, PreviewOrder, ProgressReport, RunOrder
from Testing.presenter_world import VIEW, World, preview_report, run_report

KEY = "sk-very-secret-key"


@pytest.fixture
def world() -> World:
    """At the question for consent."""
    made = World(reasonerKind="remote", remoteUrl="http://localhost:8000/v1", remoteKey=KEY)
    made.know_parts()
    made.begin_run()
    assert made.state.phase is Phase.AWAITING_CONSENT
    return made


def shown(world: World) -> Preview:
    preview = world.state.preview
    assert preview is not None
    return preview


def order_preview(world: World) -> PreviewOrder:
    world.presenter.preview()
    world.timers.run()
    order: PreviewOrder = world.client.last(PreviewOrder)
    return order


def test_texts_and_pictures_are_shown_and_the_question_stays(world: World) -> None:
    consent = world.state.consent
    world.presenter.preview()
    assert shown(world).busy
    world.timers.run()
    order = world.client.last(PreviewOrder)
    assert (order.run.text, order.run.allowed, order.run.preset) == ("the liver", (), "multi-view")
    assert order.run.reasoner.options["url"] == "http://localhost:8000/v1"
    world.client.report(ProgressReport(order.job, Stage.VIEWS, 1.0, "10 views", (VIEW,)))
    assert shown(world).busy
    masked = Finding("identifiers-masked", Severity.INFO, "A name was taken out of it.")
    world.client.finish(preview_report(order.job, findings=(masked,)))
    preview = shown(world)
    assert (preview.busy, preview.views, preview.findings, preview.model) == (False, (VIEW,), (masked,), "seer")
    assert preview.texts[-1] == "<raw_prompt>the liver</raw_prompt>"
    assert (world.state.phase, world.state.consent, world.state.views) == (Phase.AWAITING_CONSENT, consent, ())
    assert not any(isinstance(each, RunOrder) for each in world.client.orders)


def test_yes_after_the_preview_runs_and_no_ends(world: World) -> None:
    world.client.finish(preview_report(order_preview(world).job))
    world.presenter.answer_consent(True)
    assert (world.state.phase, world.state.preview) == (Phase.PREPARING, None)
    world.timers.run()
    order = world.client.last(RunOrder)
    assert order.allowed == ("snapshots",)
    world.client.finish(run_report(order.job))
    assert world.state.phase is Phase.DONE

    world.begin_run()
    preview = order_preview(world)
    world.client.finish(preview_report(preview.job))
    world.presenter.answer_consent(False)
    assert (world.state.phase, world.state.preview, world.state.views) == (Phase.CANCELLED, None, ())
    world.begin_run()
    assert preview.job in world.client.discarded  # nobody shows its pictures any more


@pytest.mark.parametrize("when", ["while copying", "while waiting"])
@pytest.mark.parametrize("how", ["yes", "no", "cancel", "volume removed", "scene closed", "panel closed"])
def test_whatever_ends_the_question_ends_the_preview(world: World, when: str, how: str) -> None:
    world.presenter.preview()
    job = ""
    if when == "while waiting":
        world.timers.run()
        job = world.client.last(PreviewOrder).job
    else:
        world.timers.tick()
    ways: dict[str, Any] = {
        "yes": lambda: world.presenter.answer_consent(True),
        "no": lambda: world.presenter.answer_consent(False),
        "cancel": world.presenter.cancel,
        "volume removed": lambda: world.presenter.node_removed("volume"),
        "scene closed": world.presenter.scene_closing,
        "panel closed": world.presenter.close,
    }
    ways[how]()
    assert world.state.preview is None
    assert (job in world.client.cancelled) is (when == "while waiting")
    if job:
        world.client.past[job](preview_report(job))
        assert world.state.preview is None
    world.timers.run()
    sent = [order for order in world.client.orders if isinstance(order, RunOrder)]
    assert len(sent) == (1 if how == "yes" else 0)
    if how in ("no", "cancel"):
        assert world.state.phase is Phase.CANCELLED
        world.begin_run()
        assert world.state.phase is Phase.AWAITING_CONSENT


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ErrorReport("", "identifiers-in-request", "The request holds a name; nothing was sent."), "holds a name"),
        (ErrorReport("", "worker-crashed", "The worker ended.", retryable=True), "The worker ended."),
    ],
    ids=["identifiers", "crash"],
)
def test_an_error_is_shown_in_place_and_it_can_be_tried_again(world: World, error: ErrorReport, said: str) -> None:
    order = order_preview(world)
    world.client.finish(ErrorReport(order.job, error.code, error.user_message, error.detail, error.retryable))
    failed = shown(world).error
    assert failed is not None
    assert (failed.code, said in failed.message) == (error.code, True)
    assert (world.state.phase, world.state.error) == (Phase.AWAITING_CONSENT, None)
    again = order_preview(world)
    world.client.finish(preview_report(again.job))
    assert shown(world).error is None
    assert shown(world).texts


def test_what_can_go_wrong_on_the_way_is_shown_in_place(world: World) -> None:
    for where in ("copy_volume", "step", "finish"):
        world.scene.fail_in = where
        world.presenter.preview()
        world.timers.run()
        failed = shown(world).error
        assert failed is not None, where
        assert failed.code == "volume-changed"
    world.scene.fail_in = ""
    world.client.fail = ServiceError("The panel was closed.", code="worker-closed")
    world.presenter.preview()
    world.timers.run()
    failed = shown(world).error
    assert failed is not None
    assert failed.code == "worker-closed"
    world.client.fail = None
    order = order_preview(world)
    world.client.finish(run_report(order.job))
    failed = shown(world).error
    assert failed is not None
    assert failed.code == "report-unexpected"
    assert world.state.phase is Phase.AWAITING_CONSENT


def test_one_preview_at_a_time_and_none_without_a_question(world: World) -> None:
    order = order_preview(world)
    world.presenter.preview()
    world.timers.run()
    assert world.client.orders[-1] is order
    world.presenter.cancel()
    world.presenter.preview()
    assert world.client.orders[-1] is order
    assert world.state.preview is None


def test_it_is_of_the_volume_as_the_user_says_that_it_is(world: World) -> None:
    world.presenter.cancel()
    world.begin_run(inputs=Inputs("volume", modality=Modality.MR))
    volume = order_preview(world).run.volume
    assert (volume.modality, volume.modality_source) == (Modality.MR, "user")


def test_pictures_of_a_result_come_back_after_the_question_of_a_check() -> None:
    world = World(reasonerKind="remote", remoteUrl="http://localhost:8000/v1")
    world.know_parts()
    world.begin_run()
    world.presenter.answer_consent(True)
    world.timers.run()
    world.client.finish(run_report(world.client.last(RunOrder).job))
    kept = world.state.views
    world.presenter.check_phrasing("the liver", Inputs("volume"))
    world.client.finish(preview_report(order_preview(world).job))
    assert world.state.views == kept
    world.presenter.cancel()
    assert (world.state.views, world.state.preview) == (kept, None)


def test_no_key_is_shown_in_it(world: World) -> None:
    order = order_preview(world)
    texts = ("You help.", f"<raw_prompt>my key is {KEY}</raw_prompt>")
    world.client.finish(replace(preview_report(order.job), texts=texts, server=f"http://{KEY}@localhost"))
    assert shown(world).texts[0] == "You help."
    assert KEY not in repr(world.told)
