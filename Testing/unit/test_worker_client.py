"""The panel's side of the worker, with a process and a clock that do as they are told.

One long file: every case plays on the same rigged process and clock.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from SEERSegmentLib.errors import ServiceError, StorageError
from SEERSegmentLib.values import Stage
from SEERSegmentLib.worker import wire
from SEERSegmentLib.worker.client import CANCEL_GRACE_MS, CLOSE_GRACE_MS, START_LIMIT_MS, WorkerClient
from SEERSegmentLib.worker.messages import (
    PROTOCOL,
    CancelledReport,
    CancelOrder,
    CapabilitiesOrder,
    CapabilitiesReport,
    ErrorReport,
    LogReport,
    PartChoice,
    ProbeOrder,
    ProgressReport,
    ReadyReport,
    ReviewOrder,
    RunReport,
    ShutdownOrder,
)


@dataclass
class Link:
    """A process on paper: a test says what it writes and when it ends."""

    refuses: str = ""
    starts: list[list[str]] = field(default_factory=list)
    orders: list[Any] = field(default_factory=list)
    kills: list[int | None] = field(default_factory=list)
    ends_when_killed: bool = True
    running: bool = False

    def start(
        self,
        arguments: list[str],
        on_output: Callable[[bytes], None],
        on_log: Callable[[bytes], None],
        on_exit: Callable[[int, str], None],
    ) -> None:
        assert not self.running
        self.starts.append(arguments)
        self.on_output, self.on_log, self.on_exit = on_output, on_log, on_exit
        if self.refuses:
            on_exit(-1, self.refuses)
        else:
            self.running = True

    def write(self, data: bytes) -> None:
        assert self.running
        self.orders += [wire.decode_order(line) for line in data.splitlines()]

    def kill_tree(self, pid: int | None) -> None:
        self.kills.append(pid)
        if self.ends_when_killed:
            self.exit(-9, "killed")

    def say(self, *reports: wire.Report) -> None:
        for report in reports:
            self.on_output(wire.encode(report))

    def ready(self) -> None:
        self.say(ReadyReport(PROTOCOL, "0.1.0", 4711))

    def exit(self, code: int = 1, why: str = "crashed") -> None:
        self.running = False
        self.on_exit(code, why)


@dataclass
class Clock:
    """Timers that fire when a test steps the time."""

    time: int = 0
    due: list[tuple[int, Callable[[], None]]] = field(default_factory=list)

    def call_later(self, milliseconds: int, call: Callable[[], None]) -> Callable[[], None]:
        entry = (self.time + milliseconds, call)
        self.due.append(entry)

        def stop() -> None:
            if entry in self.due:
                self.due.remove(entry)

        return stop

    def step(self, milliseconds: int) -> None:
        self.time += milliseconds
        while now := [entry for entry in self.due if entry[0] <= self.time]:
            self.due.remove(now[0])
            now[0][1]()


class World:
    def __init__(self, folder: Path, **link: Any) -> None:
        self.link, self.clock = Link(**link), Clock()
        self.log: list[str] = []
        self.client = WorkerClient(self.link, self.clock, folder, idle_seconds=600, on_log=self.log.append)

    def ask(self, order: type = CapabilitiesOrder, *arguments: Any) -> tuple[str, list[Any]]:
        """Send an order; its job and the list that its reports will be in."""
        job, reports = self.client.new_job(), []
        self.client.send(order(job, *arguments), reports.append)
        return job, reports


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "session")


def review(world: World) -> tuple[str, list[Any]]:
    from SEERSegmentLib.values import Provenance, Reasoning, TargetSpec
    from SEERSegmentLib.worker.messages import ArrayFile, RunOrder, VolumeFile

    reasoning = Reasoning((), (), "liver", "lexical")
    report = RunReport("a", "", (), (), reasoning, TargetSpec("liver", ()), (), (), Provenance("SEER", ()))
    volume = VolumeFile(ArrayFile("v.npy", "<i2", (1, 1, 1)), ())
    run = RunOrder("a", volume, "liver", PartChoice("lexical"), PartChoice("classical"))
    return world.ask(ReviewOrder, "store", "approved", "", run, report)


def done(job: str) -> CapabilitiesReport:
    return CapabilitiesReport(job, ())


def codes(reports: list[Any]) -> list[str]:
    return [report.code for report in reports if isinstance(report, ErrorReport)]


# --- sending and hearing ----------------------------------------------------------------------------------------------


def test_a_process_is_started_by_the_first_order_only(world: World) -> None:
    assert not world.client.running
    assert world.link.starts == []
    job, reports = world.ask()
    assert world.client.running
    (arguments,) = world.link.starts
    assert Path(arguments[0]).parts[-3:] == ("SEERSegmentLib", "worker", "__main__.py")
    assert arguments[1:] == ["--folder", str(world.client.folder), "--idle-seconds", "600"]
    assert world.link.orders == []  # not before it has said which protocol it speaks
    world.link.ready()
    assert world.link.orders == [CapabilitiesOrder(job)]
    world.link.say(done(job))
    assert reports == [done(job)]
    other, others = world.ask(ProbeOrder, PartChoice("openai"))
    assert world.link.orders[1:] == [ProbeOrder(other, PartChoice("openai"))]
    assert len(world.link.starts) == 1
    assert others == []


def test_reports_reach_the_job_they_are_of_up_to_its_last(world: World) -> None:
    one, ones = world.ask()
    two, twos = world.ask()
    world.link.ready()
    progress = ProgressReport(two, Stage.READ, 0.5)
    world.link.say(progress, done(one), done(two), done(two), ProgressReport(one, Stage.READ))
    assert ones == [done(one)]
    assert twos == [progress, done(two)]


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_lines_come_in_pieces_and_in_heaps(world: World, size: int) -> None:
    job, reports = world.ask()
    progress = ProgressReport(job, Stage.READ, 0.5, "α" * 100)
    heap = b"".join(map(wire.encode, (ReadyReport(PROTOCOL, "1", 5), progress, progress, done(job))))
    for start in range(0, len(heap), size):
        world.link.on_output(heap[start : start + size])
    assert reports == [progress, progress, done(job)]


def test_a_report_may_lead_to_the_next_order(world: World) -> None:
    first = world.client.new_job()
    seen: list[Any] = []

    def on_report(report: wire.Report) -> None:
        seen.append(report)
        world.ask()

    world.client.send(CapabilitiesOrder(first), on_report)
    world.link.ready()
    world.link.say(done(first))
    assert seen == [done(first)]
    assert len(world.link.orders) == 2


def test_what_follows_a_report_is_heard_though_its_listener_raises(world: World) -> None:
    def broken(report: wire.Report) -> None:
        raise RuntimeError("a mistake in the panel")

    one = world.client.new_job()
    world.client.send(CapabilitiesOrder(one), broken)
    two, twos = world.ask()
    world.link.ready()
    with pytest.raises(RuntimeError, match="a mistake in the panel"):
        world.link.on_output(wire.encode(done(one)) + wire.encode(done(two)))
    world.link.on_output(b"")
    assert twos == [done(two)]


def test_ids_are_not_given_twice(tmp_path: Path) -> None:
    clients = [World(tmp_path / name).client for name in "ab"]
    ids = [client.new_job() for client in clients for _ in range(10)]
    assert len(set(ids)) == 20


def test_an_order_that_says_nonsense_is_not_sent(world: World) -> None:
    for order in (CapabilitiesOrder(""), CancelOrder("a"), ShutdownOrder(), ProbeOrder("a", "openai")):  # type: ignore[arg-type]
        with pytest.raises(ServiceError) as caught:
            world.client.send(order, print)
        assert caught.value.code == "wire-malformed"
    assert not world.client.running


# --- cancelling -------------------------------------------------------------------------------------------------------


def test_nothing_of_a_cancelled_job_is_delivered(world: World) -> None:
    job, reports = world.ask()
    world.link.ready()
    world.client.cancel(job)
    assert world.link.orders[-1] == CancelOrder(job)
    world.link.say(ProgressReport(job, Stage.READ), done(job))
    assert reports == []


@pytest.mark.parametrize("last", [CancelledReport, done], ids=["cancelled", "finished meanwhile"])
def test_a_worker_that_acknowledges_lives_on(world: World, last: Callable[[str], Any]) -> None:
    job, _ = world.ask()
    world.link.ready()
    world.client.cancel(job)
    world.clock.step(CANCEL_GRACE_MS - 1)
    world.link.say(last(job))
    world.clock.step(10 * CANCEL_GRACE_MS)
    assert world.link.kills == []
    assert world.client.running


def test_a_worker_that_does_not_is_killed_after_two_seconds(world: World) -> None:
    job, reports = world.ask()
    world.link.ready()
    world.client.cancel(job)
    world.link.say(ProgressReport(job, Stage.READ))
    world.clock.step(CANCEL_GRACE_MS - 1)
    assert world.link.kills == []
    world.clock.step(1)
    assert world.link.kills == [4711]
    assert not world.client.running
    assert reports == []
    assert len(world.link.starts) == 1


def test_an_order_behind_a_stuck_one_goes_to_the_next_worker(world: World) -> None:
    """The user cancelled a run that hangs and has typed the next one: that one did nothing wrong."""
    stuck, _ = world.ask()
    world.link.ready()
    world.client.cancel(stuck)
    job, reports = world.ask()
    world.clock.step(CANCEL_GRACE_MS)
    assert len(world.link.starts) == 2
    assert reports == []
    world.link.ready()
    assert world.link.orders[-1] == CapabilitiesOrder(job)
    world.link.say(done(job))
    assert reports == [done(job)]


def test_what_had_begun_or_may_have_been_saved_is_not_done_twice(world: World) -> None:
    begun, reports = world.ask()
    _, saved = review(world)
    stuck, _ = world.ask()
    world.link.ready()
    world.link.say(ProgressReport(begun, Stage.READ))
    world.client.cancel(stuck)
    world.clock.step(CANCEL_GRACE_MS)
    assert codes(reports) == codes(saved) == ["worker-crashed"]
    assert reports[-1].retryable
    assert len(world.link.starts) == 1


def test_an_order_is_not_sent_to_one_worker_after_another_for_ever(world: World) -> None:
    _, reports = world.ask()
    for _ in range(2):
        assert reports == []
        world.link.ready()
        stuck, _ = world.ask()
        world.client.cancel(stuck)
        world.clock.step(CANCEL_GRACE_MS)
    assert codes(reports) == ["worker-crashed"]


def test_a_job_that_was_not_sent_yet_needs_no_cancel_order(world: World) -> None:
    job, reports = world.ask()
    world.client.cancel(job)
    world.link.ready()
    world.clock.step(CANCEL_GRACE_MS)
    assert world.link.orders == []
    assert world.link.kills == []
    assert reports == []


def test_cancelling_what_is_not_there_does_nothing(world: World) -> None:
    world.client.cancel("job-x-1")
    job, _ = world.ask()
    world.link.ready()
    world.link.say(done(job))
    world.client.cancel(job)
    assert world.link.orders == [CapabilitiesOrder(job)]


def test_a_cancel_of_an_earlier_process_does_not_kill_the_next(world: World) -> None:
    job, _ = world.ask()
    world.link.ready()
    world.client.cancel(job)
    world.link.exit()
    world.ask()
    world.link.ready()
    world.clock.step(CANCEL_GRACE_MS)
    assert world.link.kills == []


def test_an_order_waits_until_a_killed_process_has_gone(tmp_path: Path) -> None:
    world = World(tmp_path / "session", ends_when_killed=False)
    stuck, _ = world.ask()
    world.link.ready()
    world.client.cancel(stuck)
    world.clock.step(CANCEL_GRACE_MS)
    job, reports = world.ask()
    assert world.client.running
    assert len(world.link.starts) == 1
    world.link.say(done(job))  # what it still says is not listened to
    world.client.cancel(job)
    job, reports = world.ask()
    world.link.exit(-9, "killed")
    assert len(world.link.starts) == 2
    world.link.ready()
    world.link.say(done(job))
    assert reports == [done(job)]


# --- processes that fail ----------------------------------------------------------------------------------------------


def test_a_crash_is_told_to_every_job_and_the_next_order_starts_anew(world: World) -> None:
    one, ones = world.ask()
    _, twos = world.ask()
    world.link.ready()
    world.link.say(ProgressReport(one, Stage.READ))
    world.link.on_log(b"Fatal Python error: Segmentation fault\n")
    world.link.exit(139, "crashed")
    assert codes(ones) == codes(twos) == ["worker-crashed"]
    assert ones[-1].retryable
    assert "Segmentation fault" in ones[-1].detail
    assert not world.client.running
    job, reports = world.ask()
    assert len(world.link.starts) == 2
    world.link.ready()
    world.link.say(done(job))
    assert reports == [done(job)]


def test_what_a_dead_process_still_says_is_not_heard(world: World) -> None:
    _, _ = world.ask()
    world.link.ready()
    late = world.link.on_output
    world.link.exit()
    job, reports = world.ask()
    world.link.ready()
    late(wire.encode(done(job)))
    assert reports == []


def test_a_process_that_cannot_start_is_told_after_send_has_returned(tmp_path: Path) -> None:
    world = World(tmp_path / "session", refuses="no such file")
    _, reports = world.ask()
    assert reports == []
    world.clock.step(0)
    assert codes(reports) == ["worker-not-started"]
    assert "no such file" in reports[0].detail
    assert not world.client.running
    _, again = world.ask()
    world.clock.step(0)
    assert codes(again) == ["worker-not-started"]
    assert len(world.link.starts) == 2


def test_a_process_that_ends_before_it_is_ready(world: World) -> None:
    _, reports = world.ask()
    world.link.on_log(b"ModuleNotFoundError: No module named 'numpy'")
    world.link.exit(1, "exit code 1")
    assert codes(reports) == ["worker-not-started"]
    assert "numpy" in reports[0].detail
    assert len(world.link.starts) == 1


def test_a_process_that_never_gets_ready_is_killed(world: World) -> None:
    _, reports = world.ask()
    world.clock.step(START_LIMIT_MS - 1)
    assert reports == []
    world.clock.step(1)
    assert codes(reports) == ["worker-not-started"]
    assert world.link.kills == [None]
    assert len(world.link.starts) == 1
    _, again = world.ask()
    world.link.ready()
    world.clock.step(START_LIMIT_MS)
    assert again == []
    assert len(world.link.kills) == 1


@pytest.mark.parametrize(
    "line",
    [
        wire.encode(ReadyReport(PROTOCOL + 1, "9.0.0", 7)),
        b'{"$":"ReadyReport","protocol":99,"what":"the future says"}\n',
    ],
    ids=["another number", "another shape"],
)
def test_a_worker_of_another_version_is_not_spoken_to(world: World, line: bytes) -> None:
    _, reports = world.ask()
    world.link.on_output(line)
    assert codes(reports) == ["worker-protocol"]
    assert world.link.orders == []
    assert world.link.kills == [None]
    assert len(world.link.starts) == 1


def test_garbage_is_logged_and_passed_over(world: World) -> None:
    job, reports = world.ask()
    world.link.on_output(b"Hello from a library\n\n\xff\xfe\n")
    world.link.ready()
    world.link.on_output(b"[1, 2]\n" + wire.encode(done(job)))
    assert reports == [done(job)]
    assert len([line for line in world.log if "no report" in line]) == 3
    assert not any("Hello" in line for line in world.log)


def test_a_report_that_can_not_be_read_ends_its_job(world: World) -> None:
    job, reports = world.ask()
    world.link.ready()
    world.link.on_output(b'{"$":"CapabilitiesReport","job":"%s","parts":5}\n' % job.encode())
    assert codes(reports) == ["wire-malformed"]
    assert world.link.orders[-1] == CancelOrder(job)
    world.link.say(CancelledReport(job))
    world.clock.step(CANCEL_GRACE_MS)
    assert world.link.kills == []


def test_a_line_without_an_end_does_not_fill_the_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_LINE", 1000)
    _, reports = world.ask()
    world.link.ready()
    for _ in range(5):
        world.link.on_output(b"x" * 200)
    assert reports == []
    world.link.on_output(b"x")
    assert codes(reports) == ["wire-malformed"]
    assert world.link.kills == [4711]


def test_an_idle_end_is_no_error(world: World) -> None:
    job, reports = world.ask()
    world.link.ready()
    world.link.say(done(job))
    world.link.exit(0, "exit code 0")
    assert reports == [done(job)]
    assert not world.client.running


def test_an_order_that_meets_an_idle_end_goes_to_the_next_worker(world: World) -> None:
    job, reports = world.ask()
    world.link.ready()
    world.link.exit(0, "exit code 0")
    assert len(world.link.starts) == 2
    world.link.ready()
    assert world.link.orders == [CapabilitiesOrder(job)] * 2
    world.link.exit(0, "exit code 0")  # a part that ends the process: not for ever
    assert codes(reports) == ["worker-crashed"]
    assert len(world.link.starts) == 2


# --- the log ----------------------------------------------------------------------------------------------------------


def test_a_restart_is_no_error_and_an_order_that_waits_goes_to_the_new_worker(tmp_path: Path) -> None:
    world = World(tmp_path / "session", ends_when_killed=False)
    world.client.restart()  # nobody is there
    assert world.link.kills == []
    job, reports = world.ask()
    world.link.ready()
    world.link.say(done(job))
    world.client.restart()
    world.client.restart()
    assert world.link.kills == [4711]
    job, more = world.ask()  # while the old one goes
    assert [order.job for order in world.link.orders] != [job]
    world.link.exit(-9, "killed")
    world.link.ready()
    world.link.say(done(job))
    assert codes(reports) == codes(more) == []
    assert len(world.link.starts) == 2
    assert isinstance(more[-1], CapabilitiesReport)


def test_the_log_comes_in_lines(world: World) -> None:
    world.ask()
    for piece in (b"first li", b"ne\nsecond \xce", b"\xb1\r\n\nthird", b""):
        world.link.on_log(piece)
    assert world.log == ["first line", "second α"]
    world.link.ready()
    world.link.say(LogReport("from the worker itself"))
    world.link.exit()
    assert world.log[2:4] == ["from the worker itself", "third"]


# --- the folder and the end -------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_the_folder_is_for_this_user_alone(world: World) -> None:
    assert world.client.folder.stat().st_mode & 0o077 == 0


def test_a_folder_with_something_in_it_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(StorageError) as caught:
        World(tmp_path)
    assert caught.value.code == "session-folder-unusable"
    with pytest.raises(StorageError):
        World(tmp_path / "thesis.txt")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    with pytest.raises(StorageError):
        World(tmp_path / "link")
    assert (tmp_path / "thesis.txt").exists()


def test_discarding_removes_the_files_of_one_job(world: World) -> None:
    names = ["job-a-1.mask-1.npy", "job-a-1.view-1.png", "job-a-10.mask-1.npy"]
    for name in names:
        (world.client.folder / name).touch()
    world.client.discard("job-a-1")
    assert [name for name in names if (world.client.folder / name).exists()] == names[2:]


def test_closing_ends_the_worker_and_removes_the_folder(world: World) -> None:
    _, reports = world.ask()
    world.link.ready()
    (world.client.folder / "volume.npy").touch()
    world.client.close()
    assert world.link.orders[-1] == ShutdownOrder()
    assert not world.client.folder.exists()
    world.link.exit(0, "exit code 0")
    world.clock.step(CLOSE_GRACE_MS)
    assert world.link.kills == []
    assert reports == []
    assert world.clock.due == []
    world.client.close()
    with pytest.raises(ServiceError) as caught:
        world.ask()
    assert caught.value.code == "worker-closed"


def test_a_worker_that_does_not_go_is_killed(world: World) -> None:
    world.ask()
    world.link.ready()
    world.client.close()
    world.clock.step(CLOSE_GRACE_MS)
    assert world.link.kills == [4711]
    assert not world.client.running
    assert len(world.link.starts) == 1


def test_a_worker_that_wrote_on_after_the_close_leaves_nothing(world: World) -> None:
    world.ask()
    world.link.ready()
    world.client.close()
    world.client.folder.mkdir()
    (world.client.folder / "job-a-1.mask-1.npy").touch()
    world.link.exit(0, "exit code 0")
    assert not world.client.folder.exists()


def test_closing_without_a_worker(world: World) -> None:
    world.client.close()
    assert not world.client.folder.exists()
    assert world.clock.due == []


def test_closing_while_it_starts(world: World) -> None:
    _, reports = world.ask()
    world.client.close()
    world.link.ready()
    assert world.link.orders == [ShutdownOrder()]
    world.clock.step(CLOSE_GRACE_MS)
    assert world.link.kills == [None]
    assert reports == []
