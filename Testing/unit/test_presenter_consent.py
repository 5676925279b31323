"""What leaves the machine: nobody is sent anything without having been named to the user, and no key is ever shown."""

from __future__ import annotations

from typing import Any

import pytest

from SEERSegmentLib.imaging.multiview import LONG_EDGE, SLICES_PER_PLANE
from SEERSegmentLib.imaging.seer_v1 import SIZE, SLICES
from SEERSegmentLib.imaging.views import PRESETS
from SEERSegmentLib.presenter.consent import server_of
from SEERSegmentLib.presenter.seams import Inputs
from SEERSegmentLib.presenter.state import Phase
from SEERSegmentLib.presenter.wording import SNAPSHOTS
from SEERSegmentLib.worker.messages import (
    AgreementOrder,
    ErrorReport,
    PartChoice,
    ProbeOrder,
    ProbeReport,
    ProgressReport,
    RunOrder,
    Stage,
)
from Testing.presenter_world import PARTS, World, run_report

URL = "http://localhost:8000/v1"
KEY = "sk-very-secret-key"


def remote(**preferences: Any) -> World:
    world = World(reasonerKind="remote", remoteUrl=URL, remoteKey=KEY, **preferences)
    world.know_parts()
    return world


def ask(world: World) -> None:
    world.presenter.run("the liver", Inputs("volume"))


def test_the_question_names_exactly_what_is_sent_and_to_whom() -> None:
    world = remote()
    ask(world)
    assert world.state.phase is Phase.AWAITING_CONSENT
    consent = world.state.consent
    assert consent is not None
    assert (consent.server, consent.what) == (URL, "snapshots")
    for words in (
        "reasoner openai",
        URL,
        "up to 10 snapshots of at most 448×448 pixels",
        "preset multi-view",
        "the text of your request",
        "burned into the image",
        "not encrypted",
        "your own computer",  # loopback is no exception
    ):
        assert words in consent.text
    assert "face" not in consent.text
    assert world.timers.calls == []  # nothing is copied before the answer


def test_a_volume_is_named_as_one_with_the_face_it_may_show() -> None:
    world = World(backbone="far", reasonerKind="embedded")
    world.know_parts()
    ask(world)
    consent = world.state.consent
    assert consent is not None
    assert (consent.server, consent.what) == ("far", "volume")
    for words in ("backbone far", "the volume itself", "the text of your request", "burned into", "face"):
        assert words in consent.text
    assert "snapshots" not in consent.text


def test_check_phrasing_says_how_many_rephrasings_are_sent() -> None:
    world = remote(phrasings=5, preset="seer-v1")
    world.presenter.check_phrasing("the liver", Inputs("volume"))
    assert world.state.consent is not None
    assert "up to 8 snapshots" in world.state.consent.text
    assert "and 5 rephrasings of it" in world.state.consent.text
    world.presenter.answer_consent(True)
    world.timers.run()
    assert world.client.last(AgreementOrder).run.allowed == ("snapshots",)


def test_the_numbers_in_the_question_are_those_of_the_views() -> None:
    assert set(SNAPSHOTS) == set(PRESETS)
    assert SNAPSHOTS["multi-view"] == (3 * SLICES_PER_PLANE + 1, LONG_EDGE)
    assert SNAPSHOTS["seer-v1"] == (SLICES, SIZE)


def test_a_refusal_sends_nothing() -> None:
    world = remote()
    ask(world)
    orders = list(world.client.orders)
    world.presenter.answer_consent(False, remember=True)
    world.timers.run()
    assert (world.state.phase, world.state.consent) == (Phase.CANCELLED, None)
    assert world.client.orders == orders
    assert world.preferences.get("consents") == {}


def test_each_server_is_asked_about_by_itself() -> None:
    world = remote(backbone="far")
    ask(world)
    assert world.state.consent is not None
    assert world.state.consent.server == URL
    world.presenter.answer_consent(True)
    assert world.state.consent is not None
    assert (world.state.phase, world.state.consent.server) == (Phase.AWAITING_CONSENT, "far")
    world.presenter.answer_consent(True)
    assert (world.state.phase, world.state.consent) == (Phase.PREPARING, None)
    world.timers.run()
    assert world.client.last(RunOrder).allowed == ("snapshots", "volume")


def test_an_allowance_is_for_this_once_unless_it_is_remembered() -> None:
    world = remote()
    for remember in (False, True):
        ask(world)
        assert world.state.phase is Phase.AWAITING_CONSENT
        world.presenter.answer_consent(True, remember)
        world.timers.run()
        world.client.finish(run_report(world.client.last(RunOrder).job))
    assert world.preferences.get("consents") == {URL: ["snapshots"]}
    ask(world)
    assert world.state.phase is Phase.PREPARING
    world.timers.run()
    assert world.client.last(RunOrder).allowed == ("snapshots",)
    world.presenter.forget_consents()
    world.presenter.cancel()
    ask(world)
    assert world.state.phase is Phase.AWAITING_CONSENT


def test_an_allowance_of_another_server_or_of_less_does_not_count() -> None:
    world = remote(consents={"http://elsewhere/v1": ["snapshots"], URL: ["volume"]})
    ask(world)
    assert world.state.phase is Phase.AWAITING_CONSENT
    world.preferences.set("consents", {"far": ["snapshots"]})
    world.presenter.cancel()
    world.preferences.set("reasonerKind", "embedded")
    world.preferences.set("backbone", "far")
    ask(world)
    assert world.state.phase is Phase.AWAITING_CONSENT


def test_what_was_chosen_when_it_was_asked_is_what_is_sent() -> None:
    world = remote()
    ask(world)
    world.preferences.set("remoteUrl", "http://another.example/v1")
    world.presenter.answer_consent(True)
    world.timers.run()
    assert world.client.last(RunOrder).reasoner.options["url"] == URL


def test_an_own_answer_is_sent_to_no_reasoner() -> None:
    world = remote()
    world.presenter.run_with_answer("liver", Inputs("volume"))
    world.timers.run()
    order = world.client.last(RunOrder)
    assert (order.allowed, URL in repr(order), KEY in repr(order)) == ((), False, False)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("https://user:password@Example.org:8443/v1/?key=x#y", "https://example.org:8443/v1"),
        ("http://[::1]:80/v1", "http://[::1]:80/v1"),
        ("http://127.0.0.1", "http://127.0.0.1"),
    ],
)
def test_a_server_is_named_without_user_password_and_query(url: str, server: str) -> None:
    assert server_of(PartChoice("openai", {"url": url})) == server


def test_no_secret_is_ever_shown() -> None:
    world = World(reasonerKind="remote", remoteUrl="http://me:pass-word@localhost:1/v1", remoteKey=KEY)
    world.know_parts()
    world.presenter.test_connection()
    assert world.client.last(ProbeOrder).reasoner.options["key"] == KEY
    job = world.client.orders[-1].job
    world.client.finish(ProbeReport(job, False, f"401 for {KEY}", (f"model {KEY}",)))
    ask(world)
    world.presenter.answer_consent(True, remember=True)
    world.timers.run()
    job = world.client.last(RunOrder).job
    world.client.report(ProgressReport(job, Stage.REASON, None, f"asking with {KEY}"))
    world.presenter.log(f"header: Bearer {KEY}")
    world.client.finish(ErrorReport(job, "service", f"401: {KEY}", f"GET http://me:pass-word@localhost with {KEY}"))
    world.presenter.run("the liver", Inputs("volume"))
    world.presenter.cancel()
    shown = repr(world.told) + repr(world.state) + repr(world.presenter) + repr(dict(world.store))
    assert KEY not in shown
    assert "pass-word" not in repr(world.told) + repr(world.state)
    assert "•••" in repr(world.told)


def test_a_key_that_was_typed_and_never_used_is_not_shown_either() -> None:
    world = World(remoteKey=KEY)
    world.presenter.log(f"pasted {KEY}")
    assert world.state.log == ("pasted •••",)


def test_testing_a_connection_sends_neither_image_nor_request() -> None:
    world = remote(remoteModel="big")
    world.presenter.test_connection()
    order = world.client.last(ProbeOrder)
    assert order.reasoner == PartChoice("openai", {"url": URL, "model": "big", "key": KEY})
    assert (world.state.probing, world.state.probe, world.state.phase) == (True, None, Phase.IDLE)
    world.presenter.test_connection()
    assert world.client.orders[-1] is order
    report = ProbeReport(order.job, True, "It answers.", ("big",))
    world.client.finish(report)
    assert (world.state.probing, world.state.probe) == (False, report)


def test_a_connection_that_fails_or_is_cancelled_says_so() -> None:
    world = remote()
    world.presenter.test_connection()
    job = world.client.orders[-1].job
    world.client.finish(ErrorReport(job, "worker-crashed", "The worker ended."))
    assert world.state.probe == ProbeReport(job, False, "The worker ended.")
    assert world.state.phase is Phase.IDLE
    world.presenter.test_connection()
    job = world.client.orders[-1].job
    world.presenter.cancel()
    assert (world.state.probing, world.client.cancelled) == (False, [job])
    world.client.past[job](ProbeReport(job, True, "late"))
    assert world.state.probe is None
    world.preferences.set("remoteUrl", "")
    world.presenter.test_connection()
    assert world.state.probe is not None
    assert not world.state.probe.ok
    assert not world.state.probing
    assert not world.client.live


def test_the_parts_are_looked_up_once_at_a_time() -> None:
    world = World()
    world.presenter.refresh_capabilities()
    world.presenter.refresh_capabilities()
    assert len(world.client.orders) == 1
    world.client.finish(ErrorReport(world.client.orders[0].job, "worker-crashed", "The worker ended."))
    assert world.state.error is not None
    assert world.state.phase is Phase.IDLE
    world.know_parts()
    assert world.state.capabilities is not None
    assert world.state.capabilities.parts == PARTS
