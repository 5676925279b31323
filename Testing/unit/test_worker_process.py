"""A real worker process, spoken to by the real client, on a generated chest.

One long file: the tests share the parts that are installed for the process once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from SEERSegmentLib import __version__
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.metrics import dice
from SEERSegmentLib.values import Modality, Plane, Stage
from SEERSegmentLib.worker import wire
from SEERSegmentLib.worker.client import FINAL, WorkerClient
from SEERSegmentLib.worker.files import read_mask
from SEERSegmentLib.worker.messages import (
    AbstentionReport,
    AgreementOrder,
    AgreementReport,
    CancelOrder,
    CapabilitiesOrder,
    CapabilitiesReport,
    CompareOrder,
    CompareReport,
    ErrorReport,
    PartChoice,
    ProgressReport,
    ReviewOrder,
    RunOrder,
    RunReport,
    SavedReport,
    VolumeFile,
)
from Testing.subprocess_link import Loop, SubprocessLink
from Testing.worker_parts import installed, volume_file

KEY = "sk-never-to-be-seen"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return installed(tmp_path_factory.mktemp("parts"))


class Panel:
    """A client with a real process behind it, and a chest in the session folder."""

    def __init__(self, folder: Path, environment: dict[str, str], idle_seconds: float = 600, **link: Any) -> None:
        self.loop = Loop()
        self.link: SubprocessLink = self.loop.link(environment=environment, **link)
        self.log: list[str] = []
        self.client = WorkerClient(self.link, self.loop, folder, idle_seconds=idle_seconds, on_log=self.log.append)
        self.chest, self.truth = chest_phantom(6.0)
        self.volume: VolumeFile = volume_file(folder, self.chest)

    def order(self, text: str = "the right lung", reasoner: str = "lexical", **more: Any) -> RunOrder:
        choice = PartChoice(reasoner, more.pop("options", {}))
        backbone = more.pop("backbone", PartChoice("classical"))
        return RunOrder(self.client.new_job(), self.volume, text, choice, backbone, **more)

    def send(self, order: wire.Order) -> list[Any]:
        reports: list[Any] = []
        self.client.send(order, reports.append)
        return reports

    def until_last(self, reports: list[Any]) -> Any:
        self.loop.run_until(lambda: reports and isinstance(reports[-1], FINAL))
        return reports[-1]

    def do(self, order: wire.Order) -> Any:
        return self.until_last(self.send(order))

    def until_said(self, reports: list[Any], words: str) -> str:
        """The message of the progress that holds these words."""

        def said() -> list[str]:
            assert not isinstance(reports[-1] if reports else None, ErrorReport), reports[-1]
            return [r.message for r in reports if isinstance(r, ProgressReport) and words in r.message]

        self.loop.run_until(said)
        return said()[0]

    def until_ended(self) -> None:
        self.loop.run_until(lambda: not self.client.running)


@pytest.fixture
def panel(tmp_path: Path, environment: dict[str, str]) -> Iterator[Panel]:
    made = Panel(tmp_path / "session", environment)
    yield made
    made.client.close()
    made.loop.close()


@pytest.fixture
def panel_of(tmp_path: Path, environment: dict[str, str]) -> Iterator[Callable[..., Panel]]:
    made: list[Panel] = []

    def make(**options: Any) -> Panel:
        made.append(Panel(tmp_path / f"session-{len(made)}", environment, **options))
        return made[-1]

    yield make
    for panel in made:
        panel.client.close()
        panel.loop.close()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is killed because the computer that runs this test is busy."""
    monkeypatch.setattr("SEERSegmentLib.worker.client.CANCEL_GRACE_MS", 60_000)


def wait_until(condition: Callable[[], object]) -> None:
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


# --- a run ------------------------------------------------------------------------------------------------------------


def test_a_run_from_order_to_saved_review(panel: Panel, tmp_path: Path) -> None:
    order = panel.order("pls outline the rt lung")
    reports = panel.send(order)
    result = panel.until_last(reports)
    assert isinstance(result, RunReport)

    # what was drawn lies where it should, and is cropped
    (piece,) = result.segments
    mask = read_mask(panel.client.folder, piece.mask)
    assert mask.grid == panel.chest.shape
    assert mask.voxels.size < np.prod(mask.grid)
    assert dice(mask.whole(), panel.truth["lung_right"]) > 0.9
    assert piece.volume_ml == pytest.approx(mask.count * panel.chest.voxel_ml)
    indices = np.argwhere(mask.whole()).mean(axis=0)[::-1]
    np.testing.assert_allclose(piece.centre_ras, (panel.chest.affine @ [*indices, 1])[:3])
    assert piece.terminology is not None
    assert piece.name == "right lung"
    assert result.volume_sha256 == panel.chest.sha256
    assert result.provenance.software == f"SEER {__version__}"

    # what was told on the way
    values = {r.stage: r.value for r in reports if isinstance(r, ProgressReport) and r.value is not None}
    assert values[Stage.VIEWS] == result.views
    assert values[Stage.REASON] == result.reasoning
    assert values[Stage.CHECK] == result.findings
    stages = list(dict.fromkeys(r.stage for r in reports if isinstance(r, ProgressReport)))
    assert stages == [stage for stage in Stage if stage is not Stage.SKILLS]

    # its pictures
    axial = next(view for view in result.views if view.plane is Plane.AXIAL)
    assert axial.letters == ("A", "L", "P", "R")
    assert (panel.client.folder / axial.png).read_bytes().startswith(b"\x89PNG")
    columns, rows = axial.size
    centre = np.array(axial.pixel_to_ras) @ [(columns - 1) / 2, (rows - 1) / 2, 0, 1]
    np.testing.assert_allclose(axial.centre_ras, centre[:3])

    # the modality was told from the intensities, as for a file
    assert result.reasoning.evidence[0].value == "CT"

    # compared and saved
    pair = ((piece.name, piece.mask),)
    compared = panel.do(CompareOrder(panel.client.new_job(), pair, pair))
    assert isinstance(compared, CompareReport)
    assert compared.segments[0].dice == 1.0
    assert compared.segments[0].corrected_ml == pytest.approx(piece.volume_ml)
    store = tmp_path / "episodes"
    saved = panel.do(ReviewOrder(panel.client.new_job(), str(store), "approved", "", order, result))
    assert isinstance(saved, SavedReport)
    from SEERSegmentLib.episodes import EpisodeStore

    (episode,) = EpisodeStore(store).read()
    assert (episode.id, episode.volume.modality, episode.reasoning) == (saved.episode, Modality.CT, result.reasoning)
    kept, _ = EpisodeStore(store).read_mask(episode.segments[0].mask)
    np.testing.assert_array_equal(kept.whole(), mask.whole())


def test_the_second_request_on_a_volume_does_not_measure_it_again(panel: Panel) -> None:
    panel.do(panel.order("the right lung"))
    again = panel.do(panel.order("the left lung"))
    assert "reused" in dict(again.provenance.record(Stage.MEASURE).details)
    copied = replace(panel.volume, voxels=volume_file(panel.client.folder, panel.chest, "copy.npy").voxels)
    third = panel.do(replace(panel.order("the left lung"), volume=copied))
    assert "reused" in dict(third.provenance.record(Stage.MEASURE).details)
    other = panel.do(panel.order("the left lung", preset="seer-v1"))
    assert "reused" not in dict(other.provenance.record(Stage.MEASURE).details)
    changed = replace(panel.chest, voxels=panel.chest.voxels[::-1].copy())
    fresh = volume_file(panel.client.folder, changed)  # under the name of the first
    last = panel.do(replace(panel.order("the left lung"), volume=fresh))
    assert last.volume_sha256 == changed.sha256
    assert "reused" not in dict(last.provenance.record(Stage.MEASURE).details)


def test_an_abstention_comes_back_with_its_question(panel: Panel) -> None:
    report = panel.do(panel.order("the liver or the spleen"))
    assert isinstance(report, AbstentionReport)
    assert report.abstention.code == "alternatives"
    assert report.abstention.question
    assert report.answer == ""


def test_a_blocked_run_says_what_it_would_have_drawn_and_can_be_run_anyway(panel: Panel) -> None:
    order = panel.order("outline the left lung", answer="right lung")
    report = panel.do(order)
    assert isinstance(report, AbstentionReport)
    assert (report.abstention.code, report.answer) == ("blocked", "right lung")
    anyway = panel.do(replace(order, job=panel.client.new_job(), run_anyway=True))
    assert isinstance(anyway, RunReport)
    assert anyway.reasoning.reasoner == "user"


def test_a_region_of_interest_narrows_what_is_drawn(panel: Panel) -> None:
    k, j, i = panel.chest.shape
    report = panel.do(panel.order("the skeleton", crop=((0, k // 2), (0, j), (0, i))))
    (piece,) = report.segments
    mask = read_mask(panel.client.folder, piece.mask)
    assert mask.grid == (k, j, i)
    assert mask.origin[0] + mask.voxels.shape[0] <= k // 2


def test_wordings_are_checked_for_agreement(panel: Panel) -> None:
    run = panel.order("the right lung")
    order = AgreementOrder(panel.client.new_job(), run, 3, 0)
    reports = panel.send(order)
    report = panel.until_last(reports)
    assert isinstance(report, AgreementReport)
    assert len(report.phrasings) == 4
    assert report.mean == report.worst == 1.0
    assert report.agreement is not None
    assert report.agreement.shape == panel.chest.shape
    assert report.agreement.dtype == "<f4"
    assert all(r.job == order.job for r in reports)
    again = panel.do(panel.order("the left lung"))
    assert "reused" in dict(again.provenance.record(Stage.MEASURE).details)


def test_capabilities_name_every_part_with_what_it_lacks(panel: Panel) -> None:
    report = panel.do(CapabilitiesOrder(panel.client.new_job()))
    assert isinstance(report, CapabilitiesReport)
    parts = {part.name: part for part in report.parts}
    assert next(part.name for part in report.parts if part.kind == "reasoner") == "lexical"
    assert parts["lexical"].ready
    assert parts["classical"].ready
    assert parts["classical"].sends == ""
    assert not parts["reference"].ready
    assert "label map" in parts["reference"].what_to_do
    assert parts["reference"].summary
    assert parts["remote"].sends == "snapshots"
    assert parts["remote"].needs == ("network",)
    assert parts["cloud"].sends == "volume"
    assert (parts["unready"].ready, parts["unready"].what_to_do) == (False, "Download its weights.")
    assert "a_package_that_is_not_there" in parts["absent"].what_to_do
    assert "libcudart" in parts["wrecked"].what_to_do
    assert report.devices[0] == "cpu"


# --- cancelling -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("patient")
def test_a_cancel_stops_a_run_and_keeps_what_is_loaded(panel: Panel) -> None:
    first = panel.order(reasoner="endless")
    reports = panel.send(first)
    made = panel.until_said(reports, "made")
    count = len(reports)
    panel.client.cancel(first.job)
    # the same part serves the next run, in the same process; and the volume was measured
    second = panel.order(reasoner="endless")
    more = panel.send(second)
    assert panel.until_said(more, "made") == made
    assert len(reports) == count
    panel.client.cancel(second.job)
    last = panel.do(panel.order())
    assert "reused" in dict(last.provenance.record(Stage.MEASURE).details)
    assert panel.link.started == 1
    assert not list(panel.client.folder.glob(f"{first.job}.*"))


def test_a_run_that_does_not_stop_is_killed_and_the_next_one_goes_on(panel: Panel) -> None:
    stuck = panel.order(reasoner="deaf")
    reports = panel.send(stuck)
    panel.until_said(reports, "deaf")
    pid = panel.link.pid
    panel.client.cancel(stuck.job)
    result = panel.do(panel.order())  # asked before the two seconds are over
    assert isinstance(result, RunReport)
    assert gone(pid)
    assert panel.link.started == 2
    assert not any(isinstance(report, FINAL) for report in reports)


@pytest.mark.usefixtures("patient")
def test_a_job_that_waits_behind_another_is_cancelled_at_once(panel: Panel) -> None:
    running = panel.order(reasoner="endless")
    panel.until_said(panel.send(running), "made")
    waiting = panel.order()
    reports = panel.send(waiting)
    panel.client.cancel(waiting.job)
    acknowledged = panel.client._unacknowledged
    panel.loop.run_until(lambda: not acknowledged)
    assert reports == []
    assert panel.link.started == 1


def test_a_job_that_the_worker_does_not_know_is_acknowledged(panel: Panel) -> None:
    job = panel.order().job
    reports = panel.send(CapabilitiesOrder(panel.client.new_job()))
    panel.until_last(reports)
    heard: list[bytes] = []
    panel.client._read = lambda life, data: heard.append(data)  # type: ignore[method-assign]
    panel.link.write(wire.encode(CancelOrder(job)))
    panel.loop.run_until(lambda: heard)
    assert wire.decode_report(heard[0]).job == job  # type: ignore[union-attr]


# --- parts that misbehave ---------------------------------------------------------------------------------------------


def test_what_a_library_prints_does_not_break_the_stream(panel: Panel) -> None:
    result = panel.do(panel.order(reasoner="chatty"))
    assert isinstance(result, RunReport)
    log = "\n".join(panel.log)
    for words in ("printed by a library", "written by a library", "printed by a child"):
        assert words in log
    assert "no report" not in log


ERRORS = {
    "careless": ("worker-unexpected", "ValueError"),
    "hungry": ("out-of-memory", ""),
    "leaving": ("worker-unexpected", "SystemExit"),
    "odd": ("wire-malformed", "evidence"),
    "unready": ("reasoner-not-ready", ""),
    "absent": ("part-unloadable", ""),
    "nobody": ("reasoner-unknown", ""),
    "remote": ("consent-missing", ""),
}


def test_errors_are_reported_and_the_worker_goes_on(panel: Panel) -> None:
    for reasoner, (code, words) in ERRORS.items():
        report = panel.do(panel.order(reasoner=reasoner))
        assert isinstance(report, ErrorReport), reasoner
        assert (report.code, report.user_message != "") == (code, True)
        assert words in report.detail
        kept = list(panel.client.folder.glob(f"{report.job}.*"))
        assert {path.suffix for path in kept} <= {".png"}  # what was seen until then is still shown …
        panel.client.discard(report.job)
        assert not list(panel.client.folder.glob(f"{report.job}.*"))  # … until there is a next run
    assert isinstance(panel.do(panel.order()), RunReport)
    assert panel.link.started == 1


def test_a_key_is_in_no_log_and_in_no_report(panel: Panel) -> None:
    """Though a part quotes it in its error."""
    reports = panel.send(panel.order(reasoner="careless", options={"key": KEY}))
    panel.until_last(reports)
    assert any("careless(key=" in line for line in panel.log)
    panel.do(panel.order(reasoner="lexical", options={"key": KEY}))
    assert KEY not in "\n".join(panel.log)
    assert KEY not in repr(reports)
    assert any(KEY.encode() in line for line in panel.link.written)  # it was there to be seen


def test_nothing_is_made_that_sends_what_was_not_allowed(panel: Panel, tmp_path: Path) -> None:
    mark = tmp_path / "made"
    refused = panel.do(panel.order(reasoner="remote", options={"mark": str(mark)}, allowed=("volume",)))
    assert (refused.code, mark.exists()) == ("consent-missing", False)
    allowed = panel.do(panel.order(reasoner="remote", options={"mark": str(mark)}, allowed=("snapshots",)))
    assert isinstance(allowed, RunReport)
    assert mark.exists()
    cloud = panel.do(panel.order(backbone=PartChoice("cloud"), allowed=("snapshots",)))
    assert cloud.code == "consent-missing"
    assert isinstance(panel.do(panel.order(backbone=PartChoice("cloud"), allowed=("volume",))), RunReport)
    # a reasoner that is not asked sends nothing
    assert isinstance(panel.do(panel.order(reasoner="remote", answer="right lung")), RunReport)


# --- the life of the process ------------------------------------------------------------------------------------------


def test_a_crash_is_told_and_the_next_order_starts_a_new_process(panel: Panel) -> None:
    reports = panel.send(panel.order(reasoner="endless"))
    panel.until_said(reports, "made")
    os.kill(panel.link.pid, signal.SIGKILL)
    report = panel.until_last(reports)
    assert (report.code, report.retryable) == ("worker-crashed", True)
    assert isinstance(panel.do(panel.order()), RunReport)
    assert panel.link.started == 2


def test_it_ends_with_its_children_and_the_folder_when_the_panel_is_gone(panel: Panel) -> None:
    reports = panel.send(panel.order(reasoner="parent"))
    child = int(panel.until_said(reports, "child").split()[1])
    pid = panel.link.pid
    panel.link.close_stdin()
    wait_until(lambda: gone(child) and gone(pid))
    assert not panel.client.folder.exists()


@pytest.mark.parametrize("way", ["the panel is gone", "the panel is closed"])
def test_an_episode_that_is_being_saved_is_saved_before_it_ends(panel: Panel, tmp_path: Path, way: str) -> None:
    from SEERSegmentLib.episodes import EpisodeStore

    order = panel.order()
    result = panel.do(order)
    store = tmp_path / "episodes"
    panel.send(ReviewOrder(panel.client.new_job(), str(store), "approved", "", order, result))
    if way == "the panel is gone":
        panel.link.close_stdin()
    else:
        panel.client.close()
    panel.until_ended()
    (episode,) = EpisodeStore(store).read()
    assert episode.request.text == order.text
    assert not panel.client.folder.exists()


def test_it_ends_when_it_is_told_to(panel: Panel) -> None:
    reports = panel.send(panel.order(reasoner="parent"))
    child = int(panel.until_said(reports, "child").split()[1])
    panel.client.close()
    panel.until_ended()
    wait_until(lambda: gone(child))
    assert not panel.client.folder.exists()


def test_it_ends_when_nothing_is_to_do(panel_of: Callable[..., Panel]) -> None:
    panel = panel_of(idle_seconds=2)
    assert isinstance(panel.do(panel.order()), RunReport)
    panel.until_ended()
    assert any("nothing to do" in line for line in panel.log)
    assert panel.client.folder.exists()  # the panel still is
    before = panel.link.started
    assert isinstance(panel.do(panel.order()), RunReport)
    assert panel.link.started > before


LAUNCHER = "import subprocess, sys; sys.exit(subprocess.Popen([sys.executable, *sys.argv[1:]]).wait())"


def test_behind_a_launcher_the_whole_tree_is_ended(panel_of: Callable[..., Panel]) -> None:
    """As Slicer's interpreter is: a launcher that starts the real one as its child."""
    panel = panel_of(program=[sys.executable, "-c", LAUNCHER])
    assert isinstance(panel.do(panel.order()), RunReport)
    order = panel.order(reasoner="parent")
    child = int(panel.until_said(panel.send(order), "child").split()[1])
    launcher, worker = panel.link.pid, panel.client._pid
    assert worker not in (None, launcher)
    panel.client.cancel(order.job)
    panel.until_ended()
    wait_until(lambda: gone(launcher) and gone(worker or 0) and gone(child))


def test_the_script_finds_the_library_from_anywhere_and_not_its_own_folder(
    repository: Path, tmp_path: Path, panel_of: Callable[..., Panel]
) -> None:
    """In Slicer the library lies in a folder of modules; a module beside the script must not hide a library's."""
    script = repository / "SEERSegmentLib" / "worker" / "__main__.py"
    show = (
        "import json, runpy, sys; sys.path[0] = sys.argv[2]; runpy.run_path(sys.argv[1]); print(json.dumps(sys.path))"
    )
    command = [sys.executable, "-E", "-c", show, str(script), str(script.parent)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    path = json.loads(done.stdout)
    assert path[0] == str(repository)
    assert str(script.parent) not in path
    panel = panel_of(program=[sys.executable, "-E"])
    assert isinstance(panel.do(CapabilitiesOrder(panel.client.new_job())), CapabilitiesReport)


def test_a_line_that_is_no_order_is_answered_and_passed_over(panel: Panel) -> None:
    panel.do(CapabilitiesOrder(panel.client.new_job()))
    panel.link.write(b"hello\n\n" + b"[" * 5000 + b"\n" + b'{"$":"CancelOrder","job":"../../x"}\n')
    assert isinstance(panel.do(panel.order()), RunReport)
    assert sum("an order that can't be read" in line for line in panel.log) == 4
