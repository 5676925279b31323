"""How a run ends early or is taken back: cancel, undo, nodes that go, a scene that closes, a panel that goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from SEERSegmentLib.errors import VolumeError
from SEERSegmentLib.presenter.seams import Inputs
from SEERSegmentLib.presenter.state import PanelState, Phase
from SEERSegmentLib.values import Stage
from SEERSegmentLib.worker.messages import (
    ErrorReport,
    ProbeReport,
    ProgressReport,
    SavedReport,
)
from Testing.presenter_world import REASONING, World, run_report


def _while_looking_up(world: World) -> None:
    world.presenter.run("the liver", Inputs("volume", "mine"))


def _while_asking(world: World) -> None:
    world.preferences.set("backbone", "far")
    world.know_parts()
    world.presenter.run("the liver", Inputs("volume", "mine"))


def _while_copying(world: World) -> None:
    world.know_parts()
    world.presenter.run("the liver", Inputs("volume", "mine"))
    world.timers.tick()


def _while_reasoning(world: World) -> None:
    world.send_run("the liver", Inputs("volume", "mine"))


def _while_segmenting(world: World) -> None:
    _while_reasoning(world)
    world.client.report(ProgressReport(world.client.orders[-1].job, Stage.SEGMENT, 0.5))


BUSY = [_while_looking_up, _while_asking, _while_copying, _while_reasoning, _while_segmenting]


@pytest.mark.parametrize(
    ("stop", "phase"),
    [
        (lambda world: world.presenter.cancel(), Phase.CANCELLED),
        (lambda world: world.presenter.node_removed("volume"), Phase.CANCELLED),
        (lambda world: world.presenter.node_removed("mine"), Phase.CANCELLED),
        (lambda world: world.presenter.scene_closing(), Phase.IDLE),
        (lambda world: world.presenter.close(), Phase.CANCELLED),
    ],
    ids=["cancel", "volume removed", "output removed", "scene closing", "close"],
)
@pytest.mark.parametrize("begin", BUSY)
def test_a_run_stops_at_once_in_every_phase(
    begin: Callable[[World], None], stop: Callable[[World], None], phase: Phase
) -> None:
    world = World()
    begin(world)
    before, live = world.scene.content(), list(world.client.live)
    stop(world)
    assert world.state.phase is phase
    assert world.client.cancelled == live
    assert not world.timers.calls
    assert world.scene.written == set() or begin in (_while_reasoning, _while_segmenting)
    assert (world.state.consent, world.state.segments, world.state.can_undo) == (None, (), False)
    assert world.state.message or phase is Phase.IDLE
    after = world.state
    for job, deliver in world.client.past.items():  # late reports
        deliver(ProgressReport(job, Stage.REASON, 0.5, "late", REASONING))
        deliver(run_report(job))
        deliver(ErrorReport(job, "late", "Too late."))
    world.presenter.answer_consent(True)
    assert replace(world.state, log=()) == replace(after, log=())
    assert world.scene.content() == before


@pytest.mark.parametrize("begin", BUSY)
def test_intents_while_something_is_under_way_are_ignored_and_not_queued(begin: Callable[[World], None]) -> None:
    world = World()
    world.complete_run()
    begin(world)
    before, orders = world.state, list(world.client.orders)
    inputs = Inputs("volume")
    presenter = world.presenter
    presenter.run("the spleen", inputs)
    presenter.run_with_answer("spleen", inputs)
    presenter.run_anyway(inputs)
    presenter.check_phrasing("the spleen", inputs)
    presenter.undo()
    presenter.compare()
    presenter.review("approved")
    presenter.refresh_capabilities()
    presenter.test_connection()
    assert world.client.orders == orders
    assert replace(world.state, log=()) == replace(before, log=())
    assert len(world.state.log) == len(before.log) + 9
    assert all("ignored" in line for line in world.state.log[-9:])
    assert not world.state.can_undo
    presenter.cancel()
    assert world.state.can_undo
    world.timers.run()
    assert world.client.orders == orders


def test_cancel_with_nothing_under_way_changes_nothing() -> None:
    world = World()
    world.complete_run()
    before = world.state
    world.presenter.cancel()
    assert world.state is before


def test_cancel_dismisses_the_question_of_an_abstention() -> None:
    world = World()
    world.block()
    world.presenter.cancel()
    assert (world.state.phase, world.state.blocked) == (Phase.CANCELLED, False)
    world.presenter.run_anyway(Inputs("volume"))
    assert world.state.phase is Phase.CANCELLED


def test_undo_takes_back_the_runs_of_this_session_one_by_one() -> None:
    world = World()
    contents = []
    for inputs in (Inputs("volume"), Inputs("volume", "mine"), Inputs("volume", "mine")):
        contents.append(world.scene.content())
        world.complete_run(f"request {len(contents)}", inputs)
    for number in (3, 2, 1):
        assert world.state.can_undo
        world.presenter.undo()
        assert world.scene.content() == contents.pop()
        assert (world.state.phase, world.state.segments, world.state.segmentation_id) == (Phase.IDLE, (), "")
        assert f"request {number}" in world.state.message
    assert not world.state.can_undo
    world.presenter.undo()
    assert len(world.scene.undone) == 3


def test_undo_of_a_node_that_is_gone_breaks_nothing() -> None:
    world = World()
    world.complete_run()
    del world.scene.nodes["segmentation-1"]  # without a word to the presenter
    world.presenter.undo()
    assert world.scene.undone == []
    assert not world.state.can_undo
    assert "no longer in the scene" in world.state.message


def test_an_undo_that_fails_says_so_and_is_not_tried_again() -> None:
    world = World()
    world.complete_run()
    world.scene.fail_in, world.scene.error = "undo", VolumeError("It can't be undone.", code="volume")
    world.presenter.undo()
    assert world.state.error is not None
    assert world.state.error.message == "It can't be undone."
    assert not world.state.can_undo


def test_a_removed_result_empties_its_section() -> None:
    world = World()
    world.complete_run("one", Inputs("volume", "mine"))
    world.complete_run("two", Inputs("volume", "mine"))
    del world.scene.nodes["mine"]
    world.presenter.node_removed("mine")
    assert (world.state.segments, world.state.segmentation_id, world.state.can_undo) == ((), "", False)
    assert "removed" in world.state.message
    world.presenter.review("approved")
    assert world.state.review.error is not None
    assert world.state.review.error.code == "review-nothing"


def test_a_removed_volume_ends_a_question_but_not_a_result() -> None:
    world = World()
    world.block()
    world.presenter.node_removed("volume")
    assert (world.state.phase, world.state.blocked) == (Phase.CANCELLED, False)
    world.complete_run()
    world.presenter.node_removed("volume")
    assert world.state.phase is Phase.DONE
    assert world.state.can_undo
    world.presenter.node_removed("something else")
    assert world.state.segments


def test_a_run_that_ends_while_it_is_written_is_taken_back() -> None:
    """What a commit sets off in the application may reach the presenter before the commit returns."""
    world = World()
    before = world.scene.content()
    world.scene.during_commit = lambda: world.presenter.node_removed("volume")
    world.complete_run()
    assert world.state.phase is Phase.CANCELLED
    assert world.scene.content() == before
    assert not world.state.can_undo


def test_a_closing_scene_is_forgotten_but_for_the_history() -> None:
    world = World()
    world.complete_run("one")
    world.presenter.test_connection()
    probe = ProbeReport(world.client.orders[-1].job, True, "It answers.")
    world.client.finish(probe)
    world.presenter.run("", Inputs("volume"))
    assert world.state.error is not None
    capabilities = world.state.capabilities
    world.presenter.scene_closing()
    assert replace(world.state, log=()) == PanelState(history=("one",), capabilities=capabilities, probe=probe)
    world.presenter.undo()
    assert world.scene.undone == []


def test_a_closed_presenter_does_and_tells_nothing() -> None:
    world = World()
    world.complete_run()
    world.presenter.close()
    world.presenter.close()
    assert world.client.closed == 1
    before, told, orders = world.state, len(world.told), len(world.client.orders)
    presenter = world.presenter
    presenter.run("the spleen", Inputs("volume"))
    presenter.undo()
    presenter.review("approved")
    presenter.refresh_capabilities()
    presenter.test_connection()
    presenter.cancel()
    presenter.node_removed("volume")
    presenter.scene_closing()
    presenter.forget_consents()
    presenter.log("a line")
    presenter.answer_consent(True)
    assert world.state is before
    assert (len(world.told), len(world.client.orders)) == (told, orders)


def test_what_comes_after_closing_is_told_to_nobody() -> None:
    world = World()
    world.complete_run()
    world.presenter.review("approved")
    world.presenter.close()
    told = len(world.told)
    world.client.finish(SavedReport(world.client.orders[-1].job, "episode", "folder"))
    assert len(world.told) == told


def test_a_tick_that_was_due_when_the_run_was_cancelled_does_nothing() -> None:
    world = World()
    world.know_parts()
    world.presenter.run("the liver", Inputs("volume"))
    world.timers.tick()
    due = world.timers.calls[0]
    world.presenter.cancel()
    before = world.state
    due()
    assert world.state is before
    assert world.scene.written == set()


def test_a_mistake_within_a_commit_takes_the_run_back() -> None:
    world = World()
    before = world.scene.content()

    def cancel_in_vain() -> None:
        world.timers.now = lambda: 1 / 0  # type: ignore[method-assign]
        world.presenter.cancel()

    world.scene.during_commit = cancel_in_vain
    world.complete_run()
    assert world.scene.content() == before
    assert world.state.phase is Phase.FAILED
    assert world.state.error is not None
    assert world.state.error.code == "panel-unexpected"
