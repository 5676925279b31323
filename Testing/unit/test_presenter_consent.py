"""What leaves the machine: nobody is sent anything without having been named to the user, and no key is ever shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from SEERSegmentLib.imaging import medvol_r1
from SEERSegmentLib.imaging.multiview import LONG_EDGE, SLICES_PER_PLANE
from SEERSegmentLib.imaging.seer_v1 import SIZE, SLICES
from SEERSegmentLib.imaging.views import PRESETS
from SEERSegmentLib.presenter.consent import server_of
from SEERSegmentLib.presenter.question import SNAPSHOTS
from SEERSegmentLib.presenter.seams import Inputs
from SEERSegmentLib.presenter.state import Phase
from SEERSegmentLib.worker.messages import (
    AgreementOrder,
    CapabilitiesOrder,
    ErrorReport,
    PartChoice,
    PartReport,
    ProbeOrder,
    ProbeReport,
    ProgressReport,
    RunOrder,
    Stage,
)
from Testing.presenter_world import PARTS, World, parts_report, run_report

URL = "http://localhost:8000/v1"
KEY = "sk-very-secret-key"


def remote(**preferences: Any) -> World:
    world = World(**{"reasonerKind": "remote", "remoteUrl": URL, "remoteKey": KEY, **preferences})
    world.know_parts()
    return world


def ask(world: World) -> str:
    """What the user is asked; empty for nothing."""
    world.begin_run()
    return world.state.consent.text if world.state.consent else ""


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


MASKED = "name, number or date is taken out first"
MEASURED = "what was measured of the volume"
SKILLS = "the text of skills"
ONLY = "Where the embedded tables abstain or are unsure, and only then"


@pytest.mark.parametrize(
    ("preferences", "named", "unnamed"),
    [
        ({}, ("reasoner openai", "up to 10 snapshots", MASKED, MEASURED, SKILLS), (ONLY, "face", "rephrasings")),
        ({"tablesFirst": True}, (ONLY, "reasoner openai", "up to 10 snapshots", MASKED, MEASURED), ("cascade",)),
        ({"template": "official", "officialCheckout": "/x"}, ("up to 8 snapshots", "seer-v1", SKILLS), (MEASURED,)),
        ({"template": "custom", "templateFile": "/x"}, (f"{MEASURED}", "where your own words ask for it"), ()),
        ({"preset": "seer-v1"}, ("up to 8 snapshots of at most 448×448 pixels", "preset seer-v1"), ("multi-view",)),
        ({"rephrasings": 4}, ("and 4 rephrasings of it",), ()),
        ({"identifiers": "refuse"}, ("nothing is sent if it holds",), (MASKED, "as typed")),
        ({"identifiers": "send"}, ("as typed: a patient's name or number in it is sent too",), (MASKED,)),
        (
            {"reasonerKind": "medvol", "medvolModel": "remote", "preset": "seer-v1"},
            ("reasoner medvol, which asks openai,", "up to 64 snapshots of at most 256×256", "whole volume", "face"),
            (MEASURED, SKILLS, "seer-v1"),
        ),
    ],
    ids=lambda value: "-".join(map(str, value)) or "plain" if isinstance(value, dict) else "",
)
def test_the_question_names_all_that_is_sent_and_no_more(
    preferences: dict[str, Any], named: tuple[str, ...], unnamed: tuple[str, ...]
) -> None:
    text = ask(remote(**preferences))
    assert [words for words in (*named, URL, "the text of your request", "burned into") if words not in text] == []
    assert [words for words in unnamed if words in text] == []


def test_a_third_party_s_reasoner_is_not_said_to_look_for_names() -> None:
    world = World(reasonerKind="theirs")
    theirs = PartReport("reasoner", "theirs", "1", "", True, "", sends="snapshots", presets=("seer-v1",))
    world.know_parts((*PARTS, theirs))
    text = ask(world)
    for words in ("up to 8 snapshots", "as typed", MEASURED):
        assert words in text


@pytest.mark.parametrize("kind", ["local", "medvol"])
@pytest.mark.parametrize("first", [True, False])
def test_a_model_on_this_computer_is_no_question(kind: str, first: bool) -> None:
    world = World(reasonerKind=kind, localModel="/m", tablesFirst=first)
    world.know_parts()
    assert ask(world) == ""
    world.timers.run()
    order = world.client.last(RunOrder)
    assert (order.allowed, order.reasoner.options["vlm" if kind == "medvol" or first else "model"] != "") == ((), True)


def test_what_the_instance_says_adds_to_what_is_asked_about_and_takes_nothing_away() -> None:
    """A model behind another reasoner is asked about, though neither the list nor the worker says that it sends."""
    quiet = tuple(replace(part, sends="") for part in PARTS)
    world = World(reasonerKind="remote", remoteUrl=URL, tablesFirst=True)
    world.know_parts(quiet)
    assert ask(world) == ""
    for parts, chosen in ((quiet, "snapshots"), (PARTS, "")):
        world = World(reasonerKind="remote", remoteUrl=URL, tablesFirst=True)
        world.presenter.refresh_capabilities()
        report = parts_report(world.client.last(CapabilitiesOrder), parts)
        assert report.chosen is not None
        world.client.finish(replace(report, chosen=replace(report.chosen, sends=chosen)))
        assert "up to 10 snapshots" in ask(world)


def test_more_than_was_remembered_is_asked_about_again() -> None:
    world = remote()
    for more in ({}, {"identifiers": "send"}, {"reasonerKind": "medvol", "medvolModel": "remote"}):
        for name, value in more.items():
            world.preferences.set(name, value)
        assert ask(world), more
        world.presenter.answer_consent(True, remember=True)
        world.timers.run()
        world.client.finish(run_report(world.client.last(RunOrder).job))
        assert not ask(world), more
        world.presenter.cancel()
    assert world.preferences.get("consents") == {URL: ["identifiers", "slices", "snapshots"]}


@pytest.mark.parametrize("more", [{"tablesFirst": True}, {"reasonerKind": "medvol", "medvolModel": "remote"}])
def test_a_server_behind_another_reasoner_needs_an_address_too(more: dict[str, Any]) -> None:
    world = World(**{"reasonerKind": "remote", **more})
    world.presenter.run("the liver", Inputs("volume"))
    assert world.state.error is not None
    assert world.state.error.code == "server-missing"


def test_nobody_is_asked_about_a_reasoner_that_is_not_ready() -> None:
    world = remote(template="official")
    parts = parts_report(CapabilitiesOrder("job"))
    lacks = PartReport("reasoner", "openai", "1", "", False, "There are no such words.", code="template-unreadable")
    for _ in range(2):  # it is looked at again each time: what was lacking may be there by now
        world.preferences.set("officialCheckout", "/x")
        world.presenter.run("the liver", Inputs("volume"))
        order = world.client.last(CapabilitiesOrder)
        world.client.finish(replace(parts, job=order.job, chosen=lacks))
        assert world.state.phase is Phase.FAILED
        assert world.state.error is not None
        assert (world.state.error.code, world.state.consent) == ("template-unreadable", None)
        assert "There are no such words." in world.state.error.message


def test_check_phrasing_says_how_many_rephrasings_are_sent() -> None:
    world = remote(phrasings=5, preset="seer-v1")
    world.presenter.check_phrasing("the liver", Inputs("volume"))
    assert world.state.consent is not None
    assert "up to 8 snapshots" in world.state.consent.text
    assert "and 5 rephrasings of it" in world.state.consent.text
    world.presenter.cancel()
    world.preferences.set("rephrasings", 2)  # of each wording
    world.presenter.check_phrasing("the liver", Inputs("volume"))
    world.client.finish(parts_report(world.client.last(CapabilitiesOrder)))
    assert world.state.consent is not None
    assert "and 17 rephrasings of it" in world.state.consent.text
    world.presenter.answer_consent(True)
    world.timers.run()
    assert world.client.last(AgreementOrder).run.allowed == ("snapshots",)


def test_the_numbers_in_the_question_are_those_of_the_views() -> None:
    assert set(SNAPSHOTS) == set(PRESETS)
    assert SNAPSHOTS["multi-view"] == (3 * SLICES_PER_PLANE + 1, LONG_EDGE)
    assert SNAPSHOTS["seer-v1"] == (SLICES, SIZE)
    assert SNAPSHOTS["medvol-r1"] == (medvol_r1.SLICES, medvol_r1.SIZE)


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


@pytest.mark.parametrize("more", [{}, {"tablesFirst": True}, {"reasonerKind": "medvol", "medvolModel": "remote"}])
def test_no_secret_is_shown_whatever_stands_before_the_server(more: dict[str, Any]) -> None:
    world = World(**{"reasonerKind": "remote", "remoteUrl": URL, "remoteKey": KEY, **more})
    world.presenter.refresh_capabilities()
    order = world.client.last(CapabilitiesOrder)
    assert KEY in repr(order)
    report = parts_report(order)
    assert report.chosen is not None
    world.client.finish(replace(report, chosen=replace(report.chosen, ready=False, what_to_do=f"{KEY} is wrong")))
    world.begin_run()
    world.presenter.preview()
    world.timers.run()
    world.client.finish(ErrorReport(world.client.orders[-1].job, "service", f"401: {KEY}", f"with {KEY}"))
    world.presenter.answer_consent(True, remember=True)
    world.timers.run()
    assert KEY in repr(world.client.last(RunOrder))
    world.presenter.cancel()
    assert KEY not in repr(world.told) + repr(world.state) + repr(world.presenter) + repr(dict(world.store))


def test_a_key_that_was_typed_and_never_used_is_not_shown_either() -> None:
    world = World(remoteKey=KEY)
    world.presenter.log(f"pasted {KEY}")
    assert world.state.log == ("pasted •••",)
