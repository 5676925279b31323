"""A world for the presenter, without Qt, Slicer and processes: a scene, a worker, time and settings, moved by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from SEERSegmentLib.errors import SeerError, VolumeError
from SEERSegmentLib.presenter.preferences import PreferenceTable
from SEERSegmentLib.presenter.presenter import Presenter
from SEERSegmentLib.presenter.seams import Committed, Inputs
from SEERSegmentLib.presenter.state import PanelState, ShownSegment
from SEERSegmentLib.values import (
    Abstention,
    Evidence,
    Finding,
    Plane,
    Provenance,
    Reasoning,
    Severity,
    Skill,
    Target,
    TargetSpec,
)
from SEERSegmentLib.worker.messages import (
    AbstentionReport,
    AgreementReport,
    ArrayFile,
    CapabilitiesOrder,
    CapabilitiesReport,
    CroppedMask,
    PartReport,
    PhrasingReport,
    PreviewReport,
    RunReport,
    SegmentPiece,
    ViewPicture,
    VolumeFile,
)

IDENTITY = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))
VOLUME = VolumeFile(ArrayFile("volume.npy", "<i2", (4, 5, 6)), IDENTITY)
MASK = CroppedMask(ArrayFile("mask.npy", "|u1", (1, 1, 1)), (0, 0, 0), (4, 5, 6))
CORRECTED = CroppedMask(ArrayFile("now.npy", "|u1", (2, 1, 1)), (0, 0, 0), (4, 5, 6))
PIECE = SegmentPiece("Segment_1", "liver", (200, 100, 50), None, Target("liver", "liver"), 12.5, MASK, (0.0, 0.0, 0.0))
VIEW = ViewPicture(
    "axial 2",
    "axial-2.png",
    (448, 400),
    Plane.AXIAL,
    2,
    2.0,
    ("A", "L", "P", "R"),
    (0.0, 0.0, 2.0),
    IDENTITY,
    "multi-view",
)
SKILL = Skill("skill-1", "side", "Right is the patient's right.")
FINDING = Finding("coverage", Severity.WARNING, "The liver is cut off.")
REASONING = Reasoning((Evidence("modality", "CT"),), ("The liver is named.",), "liver", "lexical")


@dataclass
class Scene:
    """Nodes by id, each with its segments; ``written`` are the files in the session folder."""

    nodes: dict[str, list[str]] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    slabs: int = 3
    fail_in: str = ""
    error: Exception = field(default_factory=lambda: VolumeError("The volume was changed.", code="volume-changed"))
    during_commit: Callable[[], None] | None = None
    undone: list[Committed] = field(default_factory=list)
    number: int = 0

    def content(self) -> dict[str, list[str]]:
        return copy.deepcopy(self.nodes)

    def _may_fail(self, where: str) -> None:
        if self.fail_in == where:
            raise self.error

    def exists(self, node_id: str) -> bool:
        return node_id in self.nodes

    def copy_volume(self, volume_id: str, folder: Path) -> Copying:
        self._may_fail("copy_volume")
        return Copying(self, volume_id)

    def crop(self, volume_id: str, roi_id: str) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        self._may_fail("crop")
        return (0, 2), (1, 3), (2, 4)

    def commit(self, report: RunReport, inputs: Inputs, request: str, folder: Path) -> Committed:
        self._may_fail("commit")
        self.number += 1
        node = inputs.segmentation_id or f"segmentation-{self.number}"
        before = copy.deepcopy(self.nodes.get(node))
        self.nodes.setdefault(node, []).append(f"run {self.number}: {request}")
        if self.during_commit is not None:
            self.during_commit()
        shown = tuple(ShownSegment(f"{self.number}.{piece.id}", piece) for piece in report.segments)
        return Committed(node, shown, before)

    def undo(self, committed: Committed) -> None:
        assert committed not in self.undone, "a run was undone twice"
        self._may_fail("undo")
        self.undone.append(committed)
        if committed.undo is None:
            del self.nodes[committed.segmentation_id]
        else:
            self.nodes[committed.segmentation_id] = committed.undo

    def read_masks(self, committed: Committed, folder: Path) -> tuple[tuple[str, CroppedMask], ...]:
        self._may_fail("read_masks")
        return tuple((shown.piece.name, CORRECTED) for shown in committed.segments)

    def add_agreement(self, report: AgreementReport, volume_id: str, folder: Path) -> str:
        self._may_fail("add_agreement")
        self.number += 1
        self.nodes[f"agreement-{self.number}"] = []
        return f"agreement-{self.number}"


@dataclass
class Copying:
    """Of one volume: a file that is there from the first slab on, and goes when it is abandoned."""

    scene: Scene
    volume_id: str
    done: int = 0
    over: bool = False

    def step(self) -> float:
        assert not self.over, "stepped after its end"
        self.scene._may_fail("step")
        self.scene.written.add(self.volume_id)
        self.done += 1
        return min(1.0, self.done / self.scene.slabs)

    def finish(self) -> VolumeFile:
        assert not self.over
        self.scene._may_fail("finish")
        self.over = True
        return VOLUME

    def abandon(self) -> None:
        assert not self.over, "abandoned after its end"
        self.over = True
        self.scene.written.discard(self.volume_id)


@dataclass
class Client:
    """Keeps the orders; a test answers them. ``live`` are the jobs whose reports a real client would deliver."""

    folder: Path = Path("session")
    orders: list[Any] = field(default_factory=list)
    live: dict[str, Callable[[Any], None]] = field(default_factory=dict)
    past: dict[str, Callable[[Any], None]] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)
    fail: SeerError | None = None
    answer_at_once: Callable[[Any], Any] | None = None
    closed: int = 0
    number: int = 0

    def new_job(self) -> str:
        self.number += 1
        return f"job-{self.number}"

    def send(self, order: Any, on_report: Callable[[Any], None]) -> None:
        if self.fail is not None:
            raise self.fail
        self.orders.append(order)
        self.live[order.job] = on_report
        if self.answer_at_once is not None and (report := self.answer_at_once(order)) is not None:
            self.finish(report)

    def report(self, report: Any) -> None:
        """Progress of a job that lives."""
        self.live[report.job](report)

    def finish(self, report: Any) -> None:
        """The last report of a job."""
        self.past[report.job] = self.live.pop(report.job)
        self.past[report.job](report)

    def cancel(self, job: str) -> None:
        if job in self.live:
            self.past[job] = self.live.pop(job)
        self.cancelled.append(job)

    def discard(self, job: str) -> None:
        self.discarded.append(job)

    def close(self) -> None:
        self.closed += 1

    def last(self, kind: type) -> Any:
        """The newest order, which is of this kind."""
        assert type(self.orders[-1]) is kind
        return self.orders[-1]


@dataclass
class Timers:
    """Time that passes when told to."""

    seconds: float = 0.0
    calls: list[Callable[[], None]] = field(default_factory=list)

    def now(self) -> float:
        return self.seconds

    def call_later(self, milliseconds: int, call: Callable[[], None]) -> Callable[[], None]:
        entry = lambda: call()  # noqa: E731 - one of its own for each call, so that it can be taken out again
        self.calls.append(entry)
        return lambda: self.calls.remove(entry) if entry in self.calls else None

    def tick(self) -> None:
        self.seconds += 0.5
        if self.calls:
            self.calls.pop(0)()

    def run(self) -> None:
        while self.calls:
            self.tick()


class Store(dict[str, Any]):
    """Settings as they are after a restart: every value is text."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name, default)

    def set(self, name: str, value: Any) -> None:
        self[name] = str(value).lower() if isinstance(value, bool) else str(value)

    def remove(self, name: str) -> None:
        self.pop(name, None)


BOTH = ("multi-view", "seer-v1")
PARTS = (
    PartReport("reasoner", "lexical", "1", "", True, "", protocol="tags", presets=BOTH),
    PartReport("reasoner", "cascade", "1", "", False, "Say which model.", protocol="tags", presets=BOTH),
    PartReport("reasoner", "qwen", "1", "", False, "Choose a folder.", protocol="tags", presets=BOTH),
    PartReport("reasoner", "openai", "1", "", True, "", sends="snapshots", protocol="tags", presets=BOTH),
    PartReport("reasoner", "medvol", "1", "", False, "Say which model.", protocol="anchor", presets=("medvol-r1",)),
    PartReport("backbone", "classical", "1", "", True, "", accepts=("label",)),
    PartReport("backbone", "propagation", "1", "", True, "", accepts=("box",)),
    PartReport("backbone", "far", "1", "", True, "", sends="volume", accepts=("text",)),
)


def parts_report(order: CapabilitiesOrder, parts: tuple[PartReport, ...] = PARTS) -> CapabilitiesReport:
    """What a worker would answer: the list, and the order's reasoner as it is with its options."""
    by_name = {part.name: part for part in parts}
    choice = order.reasoner
    if choice is None or choice.name not in by_name:
        return CapabilitiesReport(order.job, parts)
    behind = by_name.get(choice.options.get("vlm", choice.name), by_name[choice.name])
    trained = bool(choice.options.get("adapter")) or choice.options.get("template", "").startswith("official")
    presets = tuple(reversed(BOTH)) if trained else by_name[choice.name].presets
    described = replace(by_name[choice.name], ready=True, what_to_do="", sends=behind.sends, presets=presets)
    return CapabilitiesReport(order.job, parts, chosen=described)


class World:
    """Everything around one presenter, and the ways that it usually goes."""

    def __init__(self, **preferences: Any) -> None:
        self.scene = Scene(nodes={"volume": [], "other volume": [], "mine": ["by hand"], "roi": []})
        self.client, self.timers, self.store = Client(), Timers(), Store()
        self.preferences = PreferenceTable(self.store)
        for name, value in preferences.items():
            self.preferences.set(name, value)
        self.told: list[PanelState] = []
        self.on_change: Callable[[PanelState], None] = lambda state: None
        self.presenter = Presenter(self.scene, self.client, self.timers, self.preferences, self._tell)

    def _tell(self, state: PanelState) -> None:
        self.told.append(state)
        self.on_change(state)

    @property
    def state(self) -> PanelState:
        return self.presenter.state

    def know_parts(self, parts: tuple[PartReport, ...] = PARTS) -> None:
        self.presenter.refresh_capabilities()
        self.client.finish(parts_report(self.client.last(CapabilitiesOrder), parts))

    def begin_run(self, text: str = "the liver", inputs: Inputs | None = None) -> None:
        """A run up to its question, or to where the volume is copied."""
        self.presenter.run(text, inputs or Inputs("volume"))
        if self.client.orders and self.client.orders[-1].job in self.client.live:
            self.client.finish(parts_report(self.client.last(CapabilitiesOrder)))

    def send_run(self, text: str = "the liver", inputs: Inputs | None = None) -> str:
        """A run up to the order; the job's id."""
        if self.state.capabilities is None:
            self.know_parts()
        self.begin_run(text, inputs)
        self.timers.run()
        return str(self.client.orders[-1].job)

    def complete_run(self, text: str = "the liver", inputs: Inputs | None = None) -> str:
        """A run up to its end; the job's id."""
        job = self.send_run(text, inputs)
        self.client.finish(run_report(job))
        return job

    def block(self) -> str:
        """A run that a check stops; the job's id."""
        job = self.send_run()
        self.client.finish(AbstentionReport(job, Abstention("blocked", "It is an MR.", "Run anyway?"), "liver"))
        return job


def run_report(job: str) -> RunReport:
    spec, provenance = TargetSpec("liver", (PIECE.target,)), Provenance("SEER", ())
    return RunReport(job, "0" * 64, (VIEW,), (SKILL,), REASONING, spec, (PIECE,), (FINDING,), provenance)


def preview_report(job: str, **more: Any) -> PreviewReport:
    texts = ("You help a radiologist.", "<raw_prompt>the liver</raw_prompt>")
    return PreviewReport(job, "http://localhost:8000/v1", "seer", texts, (VIEW,), **more)


def agreement_report(job: str) -> AgreementReport:
    phrasings = (PhrasingReport("liver", "short", "liver", 1.0),)
    return AgreementReport(job, phrasings, 0.9, 0.8, 0.1, ArrayFile("agreement.npy", "<f4", (4, 5, 6)))
