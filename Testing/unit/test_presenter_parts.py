"""What depends on the parts of a run: its views, who draws from boxes, and what is said of both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from SEERSegmentLib.anatomy import resolve_answer
from SEERSegmentLib.presenter.catalogue import effective_preset, stand_in_for
from SEERSegmentLib.presenter.seams import Inputs
from SEERSegmentLib.presenter.state import Phase
from SEERSegmentLib.values import Abstention
from SEERSegmentLib.worker.messages import CapabilitiesOrder, CapabilitiesReport, PartReport, RunOrder
from Testing.presenter_world import BOTH, PARTS, World, parts_report, run_report

BOXED = "left kidney @k57[120 200 180 260]"
KNOWN = CapabilitiesReport("job", PARTS)
MEDVOL = PartReport("reasoner", "medvol", "1", "", True, "", protocol="anchor", presets=("medvol-r1",))


def sent(world: World) -> RunOrder:
    world.begin_run()
    world.timers.run()
    order: RunOrder = world.client.last(RunOrder)
    return order


@pytest.mark.parametrize(
    ("preferences", "preset"),
    [
        ({}, "multi-view"),
        ({"preset": "seer-v1"}, "seer-v1"),
        ({"reasonerKind": "local", "localModel": "/m"}, "multi-view"),
        ({"reasonerKind": "local", "localModel": "/m", "localAdapter": "/a"}, "seer-v1"),
        ({"reasonerKind": "local", "localModel": "/m", "localAdapter": "/a", "tablesFirst": True}, "seer-v1"),
        ({"reasonerKind": "local", "localModel": "/m", "localAdapter": "/a", "preset": "multi-view"}, "multi-view"),
        ({"reasonerKind": "medvol", "localModel": "/m"}, "medvol-r1"),
        ({"reasonerKind": "medvol", "localModel": "/m", "preset": "seer-v1"}, "medvol-r1"),
    ],
    ids=lambda value: "-".join(map(str, value.values())) or "default" if isinstance(value, dict) else value,
)
def test_views_are_the_preferred_ones_or_those_that_the_reasoner_is_best_with(
    preferences: dict[str, Any], preset: str
) -> None:
    assert sent(World(**preferences)).preset == preset


def test_where_nothing_is_known_the_worker_decides() -> None:
    assert effective_preset("auto", None) == ""
    assert effective_preset("seer-v1", None) == "seer-v1"
    assert effective_preset("auto", replace(MEDVOL, presets=())) == ""


def test_an_own_answer_keeps_the_views_that_are_shown() -> None:
    world = World(reasonerKind="medvol", localModel="/m")
    order = sent(world)
    assert order.preset == "medvol-r1"
    report = run_report(order.job)
    views = tuple(replace(view, preset="medvol-r1") for view in report.views)
    world.client.finish(replace(report, views=views))
    world.presenter.run_with_answer("liver", Inputs("volume"))
    world.timers.run()
    assert world.client.last(RunOrder).preset == "medvol-r1"
    fresh = World()
    fresh.know_parts()
    fresh.presenter.run_with_answer("liver", Inputs("volume"))
    fresh.timers.run()
    assert fresh.client.last(RunOrder).preset == ""


def test_boxes_are_drawn_from_by_a_backbone_that_can_and_the_panel_says_so() -> None:
    world = World(reasonerKind="medvol", localModel="/m")
    order = sent(world)
    assert order.backbone.name == "propagation"
    assert "'classical' can't start from" in world.state.note
    assert "'propagation' segments instead" in world.state.note
    assert world.state.note in world.state.log
    world.client.finish(run_report(order.job))
    assert world.state.note  # it is of the result
    assert world.preferences.get("backbone") == "classical"  # the choice stays the user's
    world.preferences.set("reasonerKind", "embedded")
    assert sent(world).backbone.name == "classical"
    assert world.state.note == ""


def test_an_answer_with_boxes_goes_to_a_backbone_that_takes_them_whoever_wrote_it() -> None:
    world = World()
    world.know_parts()
    for answer, backbone in ((BOXED, "propagation"), ("left kidney", "classical"), ("left or right", "classical")):
        world.presenter.run_with_answer(answer, Inputs("volume"))
        world.timers.run()
        assert world.client.last(RunOrder).backbone.name == backbone
        world.presenter.cancel()


@pytest.mark.parametrize(
    "answer", [BOXED, "Left Kidney@K57[1,2,3,4]", "liver", "liver @ the hilum", "a@b", "spleen; liver"]
)
def test_boxes_in_an_answer_are_known_as_the_vocabulary_reads_them(answer: str) -> None:
    resolved = resolve_answer(answer)
    boxed = not isinstance(resolved, Abstention) and bool(resolved.anchors)
    assert stand_in_for("classical", KNOWN, None, answer) == ("propagation" if boxed else "")


def test_a_stand_in_is_ready_and_takes_boxes() -> None:
    assert stand_in_for("classical", KNOWN, MEDVOL) == "propagation"
    assert stand_in_for("propagation", KNOWN, MEDVOL) == ""
    assert stand_in_for("classical", None, MEDVOL) == ""
    assert stand_in_for("nobody", KNOWN, MEDVOL) == ""
    assert stand_in_for("classical", KNOWN, replace(MEDVOL, protocol="tags")) == ""
    assert stand_in_for("classical", KNOWN, MEDVOL, "liver") == ""
    assert stand_in_for("classical", KNOWN, None, BOXED) == "propagation"
    lame = tuple(replace(part, ready=part.name != "propagation") for part in PARTS)
    assert stand_in_for("classical", replace(KNOWN, parts=lame), MEDVOL) == ""
    other = PartReport("backbone", "medsam2", "1", "", True, "", accepts=("box",))
    assert stand_in_for("classical", replace(KNOWN, parts=(*lame, other)), MEDVOL) == "medsam2"
    assert stand_in_for("classical", replace(KNOWN, parts=(other, *PARTS)), MEDVOL) == "propagation"


def test_a_stand_in_that_sends_is_asked_about() -> None:
    world = World(reasonerKind="medvol", localModel="/m")
    sends = tuple(replace(part, sends="volume") if part.name == "propagation" else part for part in PARTS)
    world.know_parts(sends)
    world.begin_run()
    assert world.state.phase is Phase.AWAITING_CONSENT
    assert world.state.consent is not None
    assert (world.state.consent.server, world.state.consent.what) == ("propagation", "volume")


def test_the_chosen_reasoner_is_looked_at_once_for_the_same_options() -> None:
    world = World(reasonerKind="local", localModel="/m")
    assert sent(world).reasoner.options["model"] == "/m"
    world.presenter.cancel()
    assert isinstance(world.client.orders[0], CapabilitiesOrder)
    count = len(world.client.orders)
    sent(world)
    assert len(world.client.orders) == count + 1  # no further look
    world.presenter.cancel()
    world.preferences.set("localModel", "/other")
    world.presenter.run("the liver", Inputs("volume"))
    order = world.client.last(CapabilitiesOrder)
    assert order.reasoner is not None
    assert order.reasoner.options["model"] == "/other"
    world.client.finish(parts_report(order))
    assert world.state.chosen is not None
    assert world.state.chosen.presets == BOTH


def test_what_was_looked_up_for_other_options_is_not_taken_for_these() -> None:
    """The settings ask about one adapter while a run is about to begin with another."""
    world = World(reasonerKind="local", localModel="/m", localAdapter="/a")
    world.presenter.refresh_capabilities()
    settings = world.client.last(CapabilitiesOrder)
    world.preferences.set("localAdapter", "")
    world.presenter.run("the liver", Inputs("volume"))
    run = world.client.last(CapabilitiesOrder)
    world.client.finish(parts_report(run))
    world.client.finish(parts_report(settings))  # late
    world.timers.run()
    assert world.client.last(RunOrder).preset == "multi-view"
    world.presenter.cancel()
    assert sent(world).preset == "multi-view"
