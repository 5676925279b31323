"""Review, comparing and checking the phrasing: the jobs that judge a result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from SEERSegmentLib.errors import VolumeError
from SEERSegmentLib.presenter.preferences import default_episode_folder
from SEERSegmentLib.presenter.seams import Inputs
from SEERSegmentLib.presenter.state import Activity, Phase, ReviewState
from SEERSegmentLib.values import Abstention, Stage
from SEERSegmentLib.worker.messages import (
    AbstentionReport,
    AgreementOrder,
    CancelledReport,
    CompareOrder,
    CompareReport,
    ErrorReport,
    ProgressReport,
    ReviewOrder,
    RunOrder,
    RunReport,
    SavedReport,
    SegmentComparison,
)
from Testing.presenter_world import CORRECTED, MASK, PIECE, World, agreement_report, run_report


def done(**preferences: str) -> tuple[World, RunOrder]:
    world = World(**preferences)
    world.complete_run()
    return world, world.client.last(RunOrder)


def test_an_approval_is_saved_with_what_was_sent_and_what_came(tmp_path: Path) -> None:
    world, order = done(episodeFolder=str(tmp_path))
    world.presenter.review("approved", " fine ")
    sent = world.client.last(ReviewOrder)
    assert (sent.store, sent.decision, sent.reason, sent.corrected) == (str(tmp_path), "approved", "fine", ())
    assert (sent.run, sent.report) == (order, run_report(order.job))
    assert (world.state.review.busy, world.state.review.decision, world.state.review.saved) == (True, "approved", "")
    world.client.finish(SavedReport(sent.job, "episode-1", str(tmp_path)))
    expected = ReviewState(decision="approved", saved="episode-1", folder=str(tmp_path))
    assert world.state.review == expected
    assert any("episode-1" in line for line in world.state.log)
    world.presenter.review("rejected", "no")
    assert world.client.orders[-1] is sent
    assert world.state.review.error is not None
    assert world.state.review.error.code == "review-saved"
    assert replace(world.state.review, error=None) == expected


def test_a_correction_carries_the_masks_as_they_are_now() -> None:
    world, _ = done()
    world.presenter.review("corrected")
    sent = world.client.last(ReviewOrder)
    assert sent.corrected == ((PIECE.name, CORRECTED),)
    assert sent.store == default_episode_folder()


def test_a_rejection_needs_a_reason() -> None:
    world, _ = done()
    world.presenter.review("rejected", "  ")
    assert world.state.review.error is not None
    assert world.state.review.error.code == "review-reason-missing"
    assert not world.state.review.busy
    world.presenter.review("rejected", "It is the spleen.")
    assert world.client.last(ReviewOrder).reason == "It is the spleen."
    assert world.state.review.error is None


def test_an_unknown_decision_is_a_mistake_of_the_caller() -> None:
    world, _ = done()
    with pytest.raises(ValueError, match="a decision is one of"):
        world.presenter.review("approve")


def test_the_key_of_a_server_is_not_part_of_an_episode() -> None:
    world = World(reasonerKind="remote", remoteUrl="http://localhost:1", remoteKey="sk-very-secret")
    world.know_parts()
    world.presenter.run("the liver", Inputs("volume"))
    world.presenter.answer_consent(True)
    world.timers.run()
    order = world.client.last(RunOrder)
    assert order.reasoner.options["key"] == "sk-very-secret"
    world.client.finish(run_report(order.job))
    world.presenter.review("approved")
    sent = world.client.last(ReviewOrder)
    assert "sk-very-secret" not in repr(sent)
    assert sent.run.reasoner.options["url"] == "http://localhost:1"


@pytest.mark.parametrize("kind", ["remote", "cascade", "medvol"])
def test_no_episode_gets_a_key_whatever_stands_before_the_server(kind: str) -> None:
    kinds = {"cascade": {"reasonerKind": "remote", "tablesFirst": True}, "remote": {"reasonerKind": "remote"}}
    more = kinds.get(kind, {"reasonerKind": "medvol", "medvolModel": "remote"})
    world = World(remoteUrl="http://localhost:1", remoteKey="sk-very-secret", **more)
    world.know_parts()
    world.begin_run()
    world.presenter.answer_consent(True)
    world.timers.run()
    order = world.client.last(RunOrder)
    assert order.reasoner.options["key"] == "sk-very-secret"
    world.client.finish(run_report(order.job))
    world.presenter.review("approved")
    assert "sk-very-secret" not in repr(world.client.last(ReviewOrder))


def test_a_failed_save_can_be_repeated() -> None:
    world, _ = done()
    world.presenter.review("approved")
    world.client.finish(ErrorReport(world.client.orders[-1].job, "output-unwritable", "The disk is full."))
    review = world.state.review
    assert (review.busy, review.decision, review.saved) == (False, "", "")
    assert review.error is not None
    assert review.error.message == "The disk is full."
    assert world.state.phase is Phase.DONE
    world.presenter.review("approved")
    assert world.state.review.busy


@pytest.mark.parametrize("intent", ["compare", "corrected"])
def test_masks_that_cannot_be_read_are_an_error_of_the_review(intent: str) -> None:
    world, _ = done()
    intend: Callable[[], None] = {
        "compare": world.presenter.compare,
        "corrected": lambda: world.presenter.review("corrected"),
    }[intent]
    world.scene.fail_in, world.scene.error = "read_masks", VolumeError("They can't be read.", code="volume")
    intend()
    assert world.state.review.error is not None
    assert world.state.review.error.message == "They can't be read."
    world.scene.fail_in = ""
    del world.scene.nodes["segmentation-1"]
    intend()
    assert world.state.review.error is not None
    assert world.state.review.error.code == "output-gone"
    assert not world.client.live


def test_comparing_shows_dice_and_keeps_a_saved_review() -> None:
    world, run = done()
    world.presenter.review("approved")
    world.client.finish(SavedReport(world.client.orders[-1].job, "episode-1", "folder"))
    world.presenter.compare()
    order = world.client.last(CompareOrder)
    assert (order.proposed, order.corrected) == (((PIECE.name, MASK),), ((PIECE.name, CORRECTED),))
    assert order.affine == run.volume.affine  # so that mL are known in a fresh worker too
    assert world.state.review.busy
    comparison = (SegmentComparison("liver", 0.9, 10.0, 12.0),)
    world.client.finish(CompareReport(order.job, comparison))
    assert world.state.review == ReviewState(False, comparison, "approved", "episode-1", "folder")


@pytest.mark.parametrize("intent", ["compare", "approved"])
def test_without_a_result_there_is_nothing_to_review(intent: str) -> None:
    world = World()
    if intent == "compare":
        world.presenter.compare()
    else:
        world.presenter.review(intent)
    assert world.state.review.error is not None
    assert world.state.review.error.code == "review-nothing"
    assert world.client.orders == []


def test_a_run_waits_for_a_review_that_is_being_saved_and_ends_a_comparison() -> None:
    world, _ = done()
    world.presenter.compare()
    comparing = world.client.orders[-1].job
    world.presenter.review("approved")  # one at a time
    assert isinstance(world.client.orders[-1], CompareOrder)
    world.presenter.run("the spleen", Inputs("volume"))
    assert world.client.cancelled == [comparing]
    assert world.state.review == ReviewState()
    world.timers.run()
    world.client.finish(run_report(world.client.last(RunOrder).job))
    world.presenter.review("approved")
    world.presenter.run("the liver", Inputs("volume"))
    assert world.state.phase is Phase.DONE
    assert "being saved" in world.state.log[-1]
    world.client.finish(SavedReport(world.client.last(ReviewOrder).job, "episode-1", "folder"))
    world.presenter.run("the liver", Inputs("volume"))
    assert world.state.phase is Phase.PREPARING
    assert world.state.review == ReviewState()


@pytest.mark.parametrize("removed", [False, True])
def test_what_is_being_saved_is_saved_whatever_happens_to_the_scene(removed: bool) -> None:
    world, _ = done()
    world.presenter.review("approved")
    job = world.client.orders[-1].job
    if removed:
        world.presenter.node_removed("segmentation-1")
    else:
        world.presenter.scene_closing()
        assert world.state.review == ReviewState()
    assert world.client.cancelled == []
    world.client.finish(SavedReport(job, "episode-1", "folder"))
    assert any("episode-1" in line for line in world.state.log)
    assert world.state.review.saved == ("episode-1" if removed else "")
    world.complete_run()
    world.presenter.review("approved")
    assert world.state.review.busy


def test_a_save_that_fails_after_the_scene_was_closed_is_still_shown() -> None:
    world, _ = done()
    world.presenter.review("approved")
    job = world.client.orders[-1].job
    world.presenter.scene_closing()
    world.client.finish(ErrorReport(job, "output-unwritable", "The disk is full."))
    assert world.state.error is not None
    assert world.state.error.message == "The disk is full."
    world.presenter.review("approved")
    assert world.state.review.error is not None
    assert world.state.review.error.code == "review-nothing"


def test_cancel_ends_the_waiting_for_a_review() -> None:
    world, _ = done()
    for stop in (world.presenter.cancel, lambda: world.client.finish(CancelledReport(world.client.orders[-1].job))):
        world.presenter.compare()
        stop()
        assert (world.state.review.busy, world.state.review.error) == (False, None)
    world.presenter.review("approved")
    job = world.client.orders[-1].job
    world.presenter.cancel()
    assert world.state.review.error is not None
    assert world.state.review.error.code == "review-stopped"
    assert world.state.phase is Phase.DONE
    world.client.past[job](SavedReport(job, "episode-1", "folder"))
    assert world.state.review.saved == ""
    world.presenter.review("approved")
    world.client.finish(CancelledReport(world.client.orders[-1].job))
    assert world.state.review.error is not None
    assert world.state.review.error.code == "review-stopped"


def test_checking_the_phrasing_shows_agreement_and_keeps_the_result() -> None:
    world, _ = done(seed="7")
    result = world.state
    world.presenter.check_phrasing("pls outline the liver", Inputs("volume"))
    assert (world.state.phase, world.state.activity) == (Phase.PREPARING, Activity.PHRASING)
    world.timers.run()
    order = world.client.last(AgreementOrder)
    assert (order.n, order.seed, order.run.job, order.run.text) == (8, 7, order.job, "pls outline the liver")
    for stage, phase in ((Stage.SEGMENT, Phase.SEGMENTING), (Stage.REASON, Phase.REASONING)):
        world.client.report(ProgressReport(order.job, stage, 0.5, "phrasing 2 of 9", ()))
        assert (world.state.phase, world.state.message) == (phase, "phrasing 2 of 9")
    report = agreement_report(order.job)
    world.client.finish(report)
    state = world.state
    assert (state.phase, state.agreement, state.agreement_volume_id) == (Phase.DONE, report, "agreement-2")
    assert (state.segments, state.reasoning, state.views) == (result.segments, result.reasoning, result.views)
    assert (state.request, state.can_undo) == ("the liver", True)
    world.presenter.review("approved")
    assert world.client.last(ReviewOrder).run.text == "the liver"
    world.presenter.node_removed("agreement-2")
    assert (world.state.agreement, world.state.agreement_volume_id) == (report, "")


def test_an_agreement_without_a_map_adds_no_volume() -> None:
    world = World()
    world.know_parts()
    world.presenter.check_phrasing("the liver", Inputs("volume"))
    world.timers.run()
    before = world.scene.content()
    world.client.finish(replace(agreement_report(world.client.orders[-1].job), agreement=None, mean=None))
    assert (world.state.phase, world.state.agreement_volume_id) == (Phase.DONE, "")
    assert world.state.agreement is not None
    assert world.scene.content() == before


def test_an_agreement_map_that_cannot_be_added_is_an_error_with_its_numbers_shown() -> None:
    world = World()
    world.know_parts()
    world.scene.fail_in = "add_agreement"
    world.presenter.check_phrasing("the liver", Inputs("volume"))
    world.timers.run()
    world.client.finish(agreement_report(world.client.orders[-1].job))
    assert world.state.phase is Phase.FAILED
    assert world.state.agreement is not None
    assert world.state.agreement.mean == 0.9


def test_a_phrasing_that_is_cancelled_fails_or_abstains_keeps_the_result() -> None:
    world, _ = done()
    segments = world.state.segments
    endings: list[Callable[[str], None]] = [
        lambda job: world.presenter.cancel(),
        lambda job: world.client.finish(ErrorReport(job, "reasoner", "It failed.")),
        lambda job: world.client.finish(AbstentionReport(job, Abstention("no-anatomy", "Nothing.", "What?"))),
    ]
    for ending, phase in zip(endings, (Phase.CANCELLED, Phase.FAILED, Phase.AWAITING_EDIT), strict=True):
        world.presenter.check_phrasing("the liver", Inputs("volume"))
        world.timers.run()
        ending(world.client.orders[-1].job)
        assert (world.state.phase, world.state.segments) == (phase, segments)
    assert world.state.executable_answer == "liver"
    world.presenter.undo()
    assert (world.state.phase, world.state.abstention, world.state.segments) == (Phase.IDLE, None, ())


def test_an_order_of_one_kind_is_not_answered_by_a_report_of_another() -> None:
    world, _ = done()
    world.presenter.compare()
    world.client.finish(SavedReport(world.client.orders[-1].job, "episode", "folder"))
    assert world.state.review.error is not None
    assert world.state.review.error.code == "report-unexpected"
    world.presenter.check_phrasing("the liver", Inputs("volume"))
    world.timers.run()
    before = world.scene.content()
    report: RunReport = run_report(world.client.last(AgreementOrder).job)
    world.client.finish(report)
    assert world.state.phase is Phase.FAILED
    assert world.scene.content() == before
