"""Questions beside a run: whether a server answers, and which parts there are."""

from __future__ import annotations

from typing import Any

from SEERSegmentLib.presenter.state import Phase
from SEERSegmentLib.worker.messages import ErrorReport, PartChoice, ProbeOrder, ProbeReport
from Testing.presenter_world import PARTS, World, parts_report

URL = "http://localhost:8000/v1"
KEY = "sk-very-secret-key"


def remote(**preferences: Any) -> World:
    world = World(reasonerKind="remote", remoteUrl=URL, remoteKey=KEY, **preferences)
    world.know_parts()
    return world


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


def test_parts_are_looked_up_again_after_a_change_meanwhile() -> None:
    world = World(reasonerKind="local", localModel="/one")
    world.presenter.refresh_capabilities()
    world.presenter.refresh_capabilities()  # nothing has changed
    world.client.finish(parts_report(world.client.orders[-1]))
    assert len(world.client.orders) == 1
    world.preferences.set("localModel", "/two")
    world.presenter.refresh_capabilities()
    for name in ("/three", "/four"):
        world.preferences.set("localModel", name)
        world.presenter.refresh_capabilities()
    world.client.finish(parts_report(world.client.orders[-1]))
    world.client.finish(parts_report(world.client.orders[-1]))
    asked = [order.reasoner.options["model"] for order in world.client.orders]
    assert asked == ["/one", "/two", "/four"]
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
