"""Any intents, reports and events of the world, in any order: the presenter's invariants hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from SEERSegmentLib.errors import VolumeError
from SEERSegmentLib.presenter.seams import Inputs
from SEERSegmentLib.presenter.state import Phase, ReviewState
from SEERSegmentLib.values import Abstention, Stage
from SEERSegmentLib.worker.messages import (
    AbstentionReport,
    AgreementOrder,
    CancelledReport,
    CapabilitiesOrder,
    CapabilitiesReport,
    CompareOrder,
    CompareReport,
    ErrorReport,
    ProbeOrder,
    ProbeReport,
    ProgressReport,
    ReviewOrder,
    RunOrder,
    SavedReport,
)
from Testing.presenter_world import PARTS, REASONING, VIEW, World, agreement_report, run_report

KEY = "sk-very-secret-key"

INPUTS = st.builds(
    Inputs,
    st.sampled_from(["volume", "volume", "other volume", "", "gone"]),
    st.sampled_from(["", "", "mine", "gone"]),
    st.sampled_from(["", "roi"]),
)
TEXTS = st.sampled_from(["the liver", "the spleen", " ", "the right kidney"])

#: What a worker says at the end of an order of each kind, when all goes well.
SUCCESS: dict[type, Callable[[Any], Any]] = {
    RunOrder: lambda order: run_report(order.job),
    AgreementOrder: lambda order: agreement_report(order.job),
    CapabilitiesOrder: lambda order: CapabilitiesReport(order.job, PARTS),
    ProbeOrder: lambda order: ProbeReport(order.job, True, f"It answers to {KEY}."),
    CompareOrder: lambda order: CompareReport(order.job, ()),
    ReviewOrder: lambda order: SavedReport(order.job, "episode", "folder"),
}


class PresenterMachine(RuleBasedStateMachine):
    """``model`` is what the scene has to hold: it changes when a run is committed or undone, and by the world."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(remoteUrl="http://localhost:1/v1", remoteKey=KEY)
        self.presenter, self.scene, self.client = self.world.presenter, self.world.scene, self.world.client
        self.model = self.scene.content()
        self.runs: list[tuple[str, dict[str, list[str]]]] = []  # segmentation, and the scene before it was written

    # --- intents ------------------------------------------------------------------------------------------------------

    @rule(text=TEXTS, inputs=INPUTS)
    def run(self, text: str, inputs: Inputs) -> None:
        self.presenter.run(text, inputs)

    @rule(answer=TEXTS, inputs=INPUTS)
    def run_with_answer(self, answer: str, inputs: Inputs) -> None:
        self.presenter.run_with_answer(answer, inputs)

    @rule(inputs=INPUTS)
    def run_anyway(self, inputs: Inputs) -> None:
        self.presenter.run_anyway(inputs)

    @rule(text=TEXTS, inputs=INPUTS)
    def check_phrasing(self, text: str, inputs: Inputs) -> None:
        self.presenter.check_phrasing(text, inputs)

    @rule()
    def cancel(self) -> None:
        attempt = self._is_occupied()
        self.presenter.cancel()
        assert not self.client.live
        assert not self.world.timers.calls
        if attempt:
            assert self.world.state.phase is Phase.CANCELLED

    @rule(allow=st.booleans(), remember=st.booleans())
    def answer_consent(self, allow: bool, remember: bool) -> None:
        self.presenter.answer_consent(allow, remember)

    @rule()
    def undo(self) -> None:
        can_undo = self.world.state.can_undo
        undone = len(self.scene.undone)
        self.presenter.undo()
        if not can_undo:
            assert len(self.scene.undone) == undone
        elif not self.client.live or len(self.scene.undone) > undone:
            node, before = self.runs.pop()
            if node in before:
                self.model[node] = before[node]
            else:
                self.model.pop(node, None)

    @rule(decision=st.sampled_from(["approved", "corrected", "rejected"]), reason=st.sampled_from(["", "no"]))
    def review(self, decision: str, reason: str) -> None:
        self.presenter.review(decision, reason)

    @rule(intent=st.sampled_from(["compare", "refresh_capabilities", "test_connection", "forget_consents"]))
    def other_intents(self, intent: str) -> None:
        getattr(self.presenter, intent)()

    @rule(kind=st.sampled_from(["embedded", "remote", "local"]), backbone=st.sampled_from(["classical", "far"]))
    def choose_parts(self, kind: str, backbone: str) -> None:
        self.world.preferences.set("reasonerKind", kind)
        self.world.preferences.set("backbone", backbone)

    # --- time and the worker ------------------------------------------------------------------------------------------

    @rule(ticks=st.integers(1, 5))
    def time_passes(self, ticks: int) -> None:
        for _ in range(ticks):
            self.world.timers.tick()

    def _pick(self, data: st.DataObject) -> Any:
        job = data.draw(st.sampled_from(sorted(self.client.live)))
        return next(order for order in self.client.orders if order.job == job)

    @precondition(lambda self: self.client.live)
    @rule(data=st.data(), stage=st.sampled_from(Stage))
    def progress(self, data: st.DataObject, stage: Stage) -> None:
        order = self._pick(data)
        if isinstance(order, RunOrder | AgreementOrder):
            value = data.draw(st.sampled_from([None, (VIEW,), REASONING, ()]))
            self.client.report(ProgressReport(order.job, stage, 0.5, f"with {KEY}", value))

    @precondition(lambda self: self.client.live)
    @rule(data=st.data())
    def success(self, data: st.DataObject) -> None:
        self._succeed(self._pick(data))

    @rule(output=st.sampled_from(["", "mine"]), until=st.sampled_from(["order", "blocked", "end", "undone"]))
    def all_goes_well(self, output: str, until: str) -> None:
        """Whatever waits goes on; then a run goes as far as it is said."""
        self.scene.fail_in = ""
        self._go_on(True)
        self.nodes_are_added()
        self.presenter.run("the liver", Inputs("volume", output))
        self._go_on(until in ("end", "undone"))
        order = self.client.orders[-1]
        if until == "undone" and self.runs:
            self.undo()
            assert self.world.state.segments == ()
        elif until == "blocked" and order.job in self.client.live:
            self.client.finish(AbstentionReport(order.job, Abstention("blocked", "Because.", "What?"), "liver"))
            assert self.world.state.blocked
            self.presenter.run_anyway(Inputs("volume", output))
            assert self.world.state.phase in (Phase.PREPARING, Phase.AWAITING_CONSENT)

    def _go_on(self, end: bool) -> None:
        while self._is_occupied() or (end and self.client.live):
            if self.world.state.consent is not None:
                self.presenter.answer_consent(True)
            elif self.world.timers.calls:
                self.world.timers.run()
            else:
                order = next(order for order in self.client.orders if order.job in self.client.live)
                if isinstance(order, RunOrder | AgreementOrder) and not end:
                    return
                self._succeed(order)

    def _succeed(self, order: Any) -> None:
        before = self.scene.content()
        self.client.finish(SUCCESS[type(order)](order))
        state = self.world.state
        if isinstance(order, RunOrder):
            assert state.phase is Phase.DONE
            self.runs.append((state.segmentation_id, before))
            self.model.setdefault(state.segmentation_id, []).append(f"run {self.scene.number}: {order.text}")
        elif isinstance(order, AgreementOrder):
            self.model[state.agreement_volume_id] = []

    @precondition(lambda self: self.client.live)
    @rule(data=st.data(), how=st.sampled_from(["error", "abstention", "blocked", "cancelled", "wrong kind"]))
    def no_success(self, data: st.DataObject, how: str) -> None:
        order = self._pick(data)
        abstention = Abstention("blocked" if how == "blocked" else "no-anatomy", "Because.", "What?")
        report: Any = {
            "error": ErrorReport(order.job, "worker-crashed", f"It ended with {KEY}.", KEY, True),
            "abstention": AbstentionReport(order.job, abstention),
            "blocked": AbstentionReport(order.job, abstention, "liver"),
            "cancelled": CancelledReport(order.job),
            "wrong kind": ProbeReport(order.job, False, KEY),
        }[how]
        self.client.finish(report)
        if isinstance(order, RunOrder | AgreementOrder):
            assert self.world.state.phase in (Phase.FAILED, Phase.AWAITING_EDIT, Phase.CANCELLED)

    @precondition(lambda self: any(isinstance(o, RunOrder) and o.job in self.client.live for o in self.client.orders))
    @rule(expected=st.booleans())
    def commit_fails(self, expected: bool) -> None:
        error = VolumeError("It changed.", code="volume-changed") if expected else ZeroDivisionError("a mistake")
        self.scene.fail_in, self.scene.error = "commit", error
        order = next(o for o in self.client.orders if isinstance(o, RunOrder) and o.job in self.client.live)
        self.client.finish(run_report(order.job))
        self.scene.fail_in = ""
        assert self.world.state.phase is Phase.FAILED
        assert self.world.state.error is not None
        assert self.world.state.error.code == ("volume-changed" if expected else "panel-unexpected")

    @rule(where=st.sampled_from(["copy_volume", "step", "finish", "crop", ""]))
    def scene_will_fail(self, where: str) -> None:
        self.scene.fail_in, self.scene.error = where, VolumeError("It changed.", code="volume-changed")

    @precondition(lambda self: self.client.past)
    @rule(data=st.data())
    def late_report(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(sorted(self.client.past)))
        order = next(order for order in self.client.orders if order.job == job)
        before = self.world.state
        self.client.past[job](ProgressReport(job, Stage.SEGMENT, 0.5, "late", REASONING))
        self.client.past[job](SUCCESS[type(order)](order))
        self.client.past[job](ErrorReport(job, "late", "Too late."))
        assert self.world.state is before

    # --- the world ----------------------------------------------------------------------------------------------------

    @rule(data=st.data())
    def node_is_removed(self, data: st.DataObject) -> None:
        node = data.draw(st.sampled_from(sorted(self.scene.nodes) or ["nothing"]))
        self.scene.nodes.pop(node, None)
        self.model.pop(node, None)
        self.runs = [run for run in self.runs if run[0] != node]
        self.presenter.node_removed(node)
        assert node not in (self.world.state.segmentation_id, self.world.state.agreement_volume_id)

    @rule()
    def nodes_are_added(self) -> None:
        for node in ("volume", "mine"):
            self.scene.nodes.setdefault(node, [])
            self.model.setdefault(node, [])

    @rule()
    def scene_closes(self) -> None:
        history = self.world.state.history
        self.presenter.scene_closing()
        self.scene.nodes.clear()
        self.model.clear()
        self.runs.clear()
        state = self.world.state
        assert (state.phase, state.history, state.segments, state.can_undo) == (Phase.IDLE, history, (), False)
        assert state.review == ReviewState()

    # --- what always holds --------------------------------------------------------------------------------------------

    def _is_occupied(self) -> bool:
        phase = self.world.state.phase
        return phase.busy or phase is Phase.AWAITING_CONSENT

    @invariant()
    def busy_means_that_exactly_one_thing_lives(self) -> None:
        beside = (CompareOrder, ReviewOrder, ProbeOrder)
        live = [order for order in self.client.orders if order.job in self.client.live]
        runs = [order for order in live if isinstance(order, RunOrder | AgreementOrder)]
        listings = [order for order in live if isinstance(order, CapabilitiesOrder)]
        copying = len(self.world.timers.calls)
        assert copying + len(runs) <= 1
        assert len(live) == len(runs) + len(listings) + sum(isinstance(order, beside) for order in live)
        assert len(listings) <= 2  # the run's own, and one that the panel asked for
        if self.world.state.phase.busy:
            assert copying + len(runs) == 1 or listings
        else:
            assert copying + len(runs) == 0

    @invariant()
    def the_scene_holds_what_was_committed_and_nothing_else(self) -> None:
        assert self.scene.nodes == self.model

    @invariant()
    def what_is_shown_fits_together(self) -> None:
        state = self.world.state
        assert state.can_undo == (bool(self.runs) and not self._is_occupied())
        assert (state.phase is Phase.AWAITING_CONSENT) == (state.consent is not None)
        assert not state.blocked or state.phase is Phase.AWAITING_EDIT or state.error is not None
        assert bool(state.segments) == bool(state.segmentation_id)
        assert state.streaming <= state.phase.busy
        assert (
            state.review.busy
            == any(
                isinstance(order, CompareOrder | ReviewOrder) and order.job in self.client.live
                for order in self.client.orders
            )
            or state.review == ReviewState()
        )
        assert state.phase is not Phase.FAILED or state.error is not None
        assert self.world.told[-1:] in ([], [state])

    @invariant()
    def nothing_is_sent_without_an_allowance(self) -> None:
        for order in self.client.orders:
            run = order.run if isinstance(order, AgreementOrder) else order
            if isinstance(run, RunOrder):
                needed = {"snapshots"} if run.reasoner.name == "openai" else set()
                needed |= {"volume"} if run.backbone.name == "far" else set()
                assert set(run.allowed) == needed

    @invariant()
    def no_secret_is_shown(self) -> None:
        assert KEY not in repr(replace(self.world.state, capabilities=None))

    def teardown(self) -> None:
        before = self.scene.content()
        self.presenter.close()
        assert not self.world.timers.calls
        assert self.scene.content() == before


PresenterMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=40, derandomize=True)
TestPresenterMachine = PresenterMachine.TestCase
