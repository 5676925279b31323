"""The presenter with a real worker process: request to saved episode, agreement, cancel, consent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from SEERSegmentLib.episodes import EpisodeStore
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.presenter.preferences import PreferenceTable
from SEERSegmentLib.presenter.presenter import Presenter
from SEERSegmentLib.presenter.seams import Committed, Inputs
from SEERSegmentLib.presenter.state import PanelState, Phase
from SEERSegmentLib.values import Stage
from SEERSegmentLib.worker.client import WorkerClient
from SEERSegmentLib.worker.messages import CroppedMask, VolumeFile
from Testing.presenter_world import Copying, Scene, Store
from Testing.subprocess_link import Loop
from Testing.worker_parts import installed, volume_file


class ChestScene(Scene):
    """Its volume is a generated chest, written into the session folder for the worker."""

    file: VolumeFile

    def copy_volume(self, volume_id: str, folder: Path) -> Copying:
        copying = super().copy_volume(volume_id, folder)
        copying.finish = lambda: self.file  # type: ignore[method-assign]
        return copying

    def read_masks(self, committed: Committed, folder: Path) -> tuple[tuple[str, CroppedMask], ...]:
        return tuple((shown.piece.name, shown.piece.mask) for shown in committed.segments)


class Panel:
    def __init__(self, folder: Path, parts: dict[str, str]) -> None:
        self.loop, self.scene = Loop(), ChestScene(nodes={"volume": []})
        self.preferences = PreferenceTable(Store())
        self.preferences.set("episodeFolder", str(folder / "episodes"))
        self.preferences.set("phrasings", 2)
        link = self.loop.link(environment=parts)
        client = WorkerClient(link, self.loop, folder / "session", idle_seconds=600, on_log=self.log)
        self.scene.file = volume_file(client.folder, chest_phantom(6.0)[0])
        self.told: list[PanelState] = []
        self.presenter = Presenter(self.scene, client, self.loop, self.preferences, self.told.append)

    def log(self, line: str) -> None:
        self.presenter.log(line)

    @property
    def state(self) -> PanelState:
        return self.presenter.state

    def run(self, text: str) -> None:
        self.presenter.run(text, Inputs("volume"))
        self.until_over()

    def until_over(self) -> None:
        self.loop.run_until(lambda: not self.state.phase.busy and not self.state.review.busy)


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    folder = tmp_path_factory.mktemp("panel")
    parts = folder / "parts"
    parts.mkdir()
    made = Panel(folder, installed(parts))
    yield made
    made.presenter.close()
    made.loop.close()


def test_from_a_request_to_a_corrected_episode_on_disk(panel: Panel) -> None:
    panel.run("pls outline the rt lung")
    state = panel.state
    assert (state.phase, state.error) == (Phase.DONE, None)
    assert [shown.piece.name for shown in state.segments] == ["right lung"]
    assert state.reasoning is not None
    assert state.executable_answer == "right lung"
    phases = list(dict.fromkeys(told.phase for told in panel.told))
    assert [phase for phase in phases if phase.busy] == [Phase.PREPARING, Phase.REASONING, Phase.SEGMENTING]
    assert any(told.views for told in panel.told if told.phase.busy)
    assert any(told.reasoning for told in panel.told if told.phase.busy)
    panel.presenter.compare()
    panel.until_over()
    assert [one.dice for one in panel.state.review.comparison] == [1.0]
    panel.presenter.review("corrected", "fine")
    panel.until_over()
    assert panel.state.review.error is None
    (episode,) = EpisodeStore(Path(panel.state.review.folder)).read()
    assert episode.id == panel.state.review.saved
    panel.presenter.undo()
    assert list(panel.scene.nodes) == ["volume"]


def test_an_abstention_and_an_own_answer(panel: Panel) -> None:
    panel.run("please do something")
    assert (panel.state.phase, panel.state.blocked) == (Phase.AWAITING_EDIT, False)
    panel.presenter.run_with_answer("left lung", Inputs("volume"))
    panel.until_over()
    assert [shown.piece.name for shown in panel.state.segments] == ["left lung"]


def test_what_a_check_blocks_is_run_anyway(panel: Panel) -> None:
    panel.run("the right lung")
    panel.presenter.run_with_answer("left lung", Inputs("volume"))
    panel.until_over()
    assert (panel.state.phase, panel.state.blocked) == (Phase.AWAITING_EDIT, True)
    assert panel.state.executable_answer == "left lung"
    panel.presenter.run_anyway(Inputs("volume"))
    panel.until_over()
    assert [shown.piece.name for shown in panel.state.segments] == ["left lung"]
    assert any(finding.blocking for finding in panel.state.findings)


def test_the_phrasing_is_checked(panel: Panel) -> None:
    panel.presenter.check_phrasing("the right lung", Inputs("volume"))
    panel.until_over()
    state = panel.state
    assert (state.phase, state.error) == (Phase.DONE, None)
    assert state.agreement is not None
    assert state.agreement_volume_id in panel.scene.nodes


def test_a_cancelled_run_is_over_at_once_and_the_next_one_works(panel: Panel) -> None:
    before = panel.scene.content()
    panel.preferences.set("reasonerKind", "endless")
    panel.presenter.run("the right lung", Inputs("volume"))
    panel.loop.run_until(lambda: panel.state.stage == Stage.REASON.value)
    panel.presenter.cancel()
    assert panel.state.phase is Phase.CANCELLED
    assert panel.scene.content() == before
    panel.preferences.set("reasonerKind", "embedded")
    panel.run("the right lung")
    assert panel.state.phase is Phase.DONE


def test_a_part_that_sends_is_asked_about_and_a_crash_is_an_error(panel: Panel) -> None:
    panel.preferences.set("reasonerKind", "remote")
    panel.presenter.run("the right lung", Inputs("volume"))
    assert panel.state.error is not None
    assert panel.state.error.code == "server-missing"
    panel.preferences.set("reasonerKind", "leaving")
    panel.run("the right lung")
    assert panel.state.phase is Phase.FAILED
    panel.preferences.set("reasonerKind", "embedded")
    panel.preferences.set("backbone", "cloud")
    panel.run("the right lung")
    assert panel.state.phase is Phase.AWAITING_CONSENT
    assert panel.state.consent is not None
    assert (panel.state.consent.server, panel.state.consent.what) == ("cloud", "volume")
    panel.presenter.answer_consent(True)
    panel.until_over()
    assert (panel.state.phase, panel.state.error) == (Phase.DONE, None)
