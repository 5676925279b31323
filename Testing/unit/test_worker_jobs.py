"""What a worker does for each order, without its process."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from SEERSegmentLib.errors import SeerError
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.protocols import CancelToken
from SEERSegmentLib.values import CroppedArray, Modality, Progress, Reasoning, Stage
from SEERSegmentLib.worker import jobs as module
from SEERSegmentLib.worker.files import write_mask
from SEERSegmentLib.worker.jobs import Jobs
from SEERSegmentLib.worker.masking import Secrets, described
from SEERSegmentLib.worker.messages import (
    AgreementOrder,
    ArrayFile,
    CapabilitiesOrder,
    CompareOrder,
    CompareReport,
    CroppedMask,
    PartChoice,
    PreviewOrder,
    ProbeOrder,
    ProgressReport,
    ReviewOrder,
    RunOrder,
    RunReport,
    VolumeFile,
)
from SEERSegmentLib.worker.parts import Parts, devices
from SEERSegmentLib.worker.results import Pictures
from Testing.worker_parts import volume_file

GRID = (4000, 4000, 4000)
AFFINE = ((2.0, 0.0, 0.0, 0.0), (0.0, 5.0, 0.0, 0.0), (0.0, 0.0, 10.0, 0.0), (0.0, 0.0, 0.0, 1.0))


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path, lambda report: None)


def mask(folder: Path, name: str, origin: tuple[int, int, int], shape: tuple[int, int, int]) -> CroppedMask:
    return write_mask(folder, name, CroppedArray(np.ones(shape, bool), origin, GRID))


def compare(jobs: Jobs, proposed: dict[str, CroppedMask], corrected: dict[str, CroppedMask], **more: Any) -> Any:
    order = CompareOrder("job-1", tuple(proposed.items()), tuple(corrected.items()), **more)
    report = jobs.do(order, CancelToken())
    assert isinstance(report, CompareReport)
    return {segment.name: segment for segment in report.segments}


def test_masks_are_compared_where_they_lie_in_a_grid_that_no_computer_holds(jobs: Jobs, tmp_path: Path) -> None:
    one = mask(tmp_path, "one.npy", (10, 10, 3900), (4, 4, 4))
    half = mask(tmp_path, "half.npy", (12, 10, 3900), (4, 4, 4))
    far = mask(tmp_path, "far.npy", (0, 0, 0), (4, 4, 4))
    none = CroppedMask(None, (0, 0, 0), GRID)
    proposed = {"same": one, "half": one, "far": one, "emptied": one, "removed": one, "empty": none}
    corrected = {"same": one, "half": half, "far": far, "emptied": none, "empty": none, "new": one}
    found = compare(jobs, proposed, corrected, affine=AFFINE)
    dice = {name: segment.dice for name, segment in found.items()}
    assert dice == {"same": 1.0, "half": 0.5, "far": 0.0, "emptied": 0.0, "removed": 0.0, "empty": 1.0, "new": 0.0}
    assert found["same"].proposed_ml == pytest.approx(64 * 0.1)
    assert found["new"].proposed_ml == 0.0
    assert found["new"].corrected_ml == pytest.approx(64 * 0.1)


def test_without_an_affine_or_a_volume_nobody_knows_the_millilitres(jobs: Jobs, tmp_path: Path) -> None:
    one = mask(tmp_path, "one.npy", (0, 0, 0), (2, 2, 2))
    assert math.isnan(compare(jobs, {"a": one}, {"a": one})["a"].proposed_ml)


def test_masks_of_two_grids_are_not_compared(jobs: Jobs, tmp_path: Path) -> None:
    one = mask(tmp_path, "one.npy", (0, 0, 0), (2, 2, 2))
    with pytest.raises(SeerError) as caught:
        compare(jobs, {"a": one}, {"a": replace(one, grid=(2, 2, 2))})
    assert caught.value.code == "compare-grids"


# --- volumes ----------------------------------------------------------------------------------------------------------


def run(folder: Path, voxels: np.ndarray, **more: Any) -> Any:
    chest, _ = chest_phantom(8.0)
    file = volume_file(folder, replace(chest, voxels=voxels), **more)
    order = RunOrder("job-1", file, "the right lung", PartChoice("lexical"), PartChoice("classical"))
    return Jobs(folder, lambda report: None).do(order, CancelToken())


def test_the_panel_may_say_what_modality_it_is(tmp_path: Path) -> None:
    chest, _ = chest_phantom(8.0)
    told = run(tmp_path, chest.voxels, modality=Modality.CT, modality_source="DICOM")
    assert dict(told.provenance.record(Stage.READ).details)["modality"] == "CT (from DICOM)"
    guessed = run(tmp_path, chest.voxels)
    assert dict(guessed.provenance.record(Stage.READ).details)["modality"] == "CT (from intensities)"


@pytest.mark.parametrize(("value", "code"), [(math.nan, "voxels-nan"), (math.inf, "voxels-infinite")])
def test_a_volume_is_checked_as_one_that_is_read(tmp_path: Path, value: float, code: str) -> None:
    chest, _ = chest_phantom(8.0)
    voxels = chest.voxels.astype(np.float32)
    voxels[3, 4, 5] = value
    with pytest.raises(SeerError) as caught:
        run(tmp_path, voxels)
    assert caught.value.code == code
    with pytest.raises(SeerError) as caught:
        run(tmp_path, np.zeros_like(voxels))
    assert caught.value.code == "volume-constant"


# --- reviews ----------------------------------------------------------------------------------------------------------


def test_a_correction_is_saved_with_the_masks_as_they_were_left(tmp_path: Path) -> None:
    from SEERSegmentLib.episodes import EpisodeStore

    folder, store = tmp_path / "session", tmp_path / "store"
    folder.mkdir()
    chest, truth = chest_phantom(8.0)
    order = RunOrder("job-1", volume_file(folder, chest), "right lung", PartChoice("lexical"), PartChoice("classical"))
    jobs = Jobs(folder, lambda report: None)
    report = jobs.do(order, CancelToken())
    assert isinstance(report, RunReport)
    mine = write_mask(folder, "mine.npy", CroppedArray.of(truth["lung_right"]))
    review = ReviewOrder("job-2", str(store), "corrected", "the apex", order, report, (("right lung", mine),))
    saved = jobs.do(review, CancelToken())
    (episode,) = EpisodeStore(store).read()
    assert saved.episode == episode.id  # type: ignore[union-attr]
    assert (episode.review.decision, episode.review.reason) == ("corrected", "the apex")
    kept, _ = EpisodeStore(store).read_mask(episode.review.corrected[0].mask)
    np.testing.assert_array_equal(kept.whole(), truth["lung_right"])
    assert episode.volume.modality is Modality.CT  # which the panel did not know

    for wrong in (
        {"decision": "perhaps"},
        {"decision": "approved"},
        {"corrected": (("x", replace(mine, grid=(99,) * 3)),)},
    ):
        with pytest.raises(SeerError) as caught:
            jobs.do(replace(review, **wrong), CancelToken())
        assert caught.value.code == "review-unusable"
    assert len(EpisodeStore(store).read()) == 1
    cancelled = CancelToken()
    cancelled.cancel()
    with pytest.raises(SeerError) as caught:
        jobs.do(review, cancelled)
    assert caught.value.code == "cancelled"
    assert len(EpisodeStore(store).read()) == 1


# --- progress ---------------------------------------------------------------------------------------------------------


def test_progress_that_pours_is_thinned_and_what_counts_is_kept(tmp_path: Path) -> None:
    told: list[Any] = []
    now = [0.0]
    teller = module._Teller("job-1", told.append, Pictures(tmp_path, "job-1"), lambda: now[0])
    teller(Progress(Stage.REASON, 0.0, "starts"))
    for number in range(10_000):
        now[0] += 0.001
        teller(Progress(Stage.REASON, None, str(number), Reasoning((), (), f"answer {number}", "test")))
    final = Reasoning((), (), "the answer", "test")
    teller(Progress(Stage.REASON, 1.0, "ends", final))
    teller(Progress(Stage.RESOLVE, 0.0))
    assert 200 <= len(told) <= 300
    assert told[0] == ProgressReport("job-1", Stage.REASON, 0.0, "starts")
    assert told[1].message == "0"
    assert told[-2] == ProgressReport("job-1", Stage.REASON, 1.0, "ends", final)
    assert told[-1].stage is Stage.RESOLVE
    assert teller.answer == "the answer"


def test_what_is_said_between_two_replies_is_told_though_they_pour(tmp_path: Path) -> None:
    told: list[Any] = []
    now = [0.0]
    teller = module._Teller("job-1", told.append, Pictures(tmp_path, "job-1"), lambda: now[0])
    teller(Progress(Stage.REASON, 0.0, "starts"))
    writes = Progress(Stage.REASON, None, "The model is writing", Reasoning((), (), "", "test"))
    for _ in range(500):
        now[0] += 0.001
        teller(writes)
    teller(Progress(Stage.REASON, None, "The reply could not be read; asking once more"))
    assert told[-1].message == "The reply could not be read; asking once more"
    before = len(told)
    for _ in range(5000):  # nobody can pour by saying something between any two words
        now[0] += 0.001
        teller(writes)
        teller(Progress(Stage.REASON, None, "again"))
    assert len(told) - before <= 150


# --- parts ------------------------------------------------------------------------------------------------------------


def test_a_part_is_made_once_for_the_same_options(tmp_path: Path) -> None:
    _, truth = chest_phantom(8.0)
    labels = tmp_path / "labels.nrrd"
    write_labels(labels, truth["lung_right"])
    names = tmp_path / "names.json"
    names.write_text('{"1": "lung_right"}')
    parts = Parts()
    choice = PartChoice("reference", {"labelmap": str(labels), "names": str(names)})
    first = parts.backbone(choice, ())
    assert parts.backbone(replace(choice, options=dict(choice.options)), ()) is first
    write_labels(labels, truth["lung_left"])  # the user has corrected it meanwhile
    second = parts.backbone(choice, ())
    assert second is not first
    assert parts.backbone(PartChoice("classical"), ()) is not second
    assert parts.reasoner(PartChoice("lexical"), ()) is parts.reasoner(PartChoice("lexical"), ())


def write_labels(path: Path, voxels: np.ndarray) -> None:
    import SimpleITK as sitk

    sitk.WriteImage(sitk.GetImageFromArray(voxels.astype(np.uint8)), str(path))


def test_options_that_a_part_does_not_take_are_named_without_their_values() -> None:
    with pytest.raises(SeerError) as caught:
        Parts().reasoner(PartChoice("lexical", {"key": "sk-very-secret"}), ())
    assert caught.value.code == "part-options"
    assert "key" in caught.value.detail
    assert "secret" not in f"{caught.value}{caught.value.detail}"
    with pytest.raises(SeerError) as caught:
        Parts().backbone(PartChoice("reference"), ())
    assert caught.value.code == "part-options"
    assert "label map" in caught.value.user_message


class _Torch:
    def __init__(self, cuda: bool, mps: bool) -> None:
        self.cuda = self.backends = self
        self.mps = _Usable(mps)
        self.is_available = lambda: cuda


class _Usable:
    def __init__(self, usable: bool) -> None:
        self.is_available = lambda: usable


def test_devices_are_those_of_torch_where_there_is_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    from SEERSegmentLib.worker import parts

    monkeypatch.setattr(parts.importlib.util, "find_spec", lambda name: None)
    assert devices() == ("cpu",)
    monkeypatch.setattr(parts.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "torch", _Torch(cuda=True, mps=False))  # type: ignore[arg-type]
    assert devices() == ("cpu", "cuda")
    monkeypatch.setitem(sys.modules, "torch", _Torch(cuda=False, mps=True))  # type: ignore[arg-type]
    assert devices() == ("cpu", "mps")
    monkeypatch.setitem(sys.modules, "torch", None)  # found, and can't be imported
    assert devices() == ("cpu",)


# --- keys -------------------------------------------------------------------------------------------------------------


def test_keys_are_hidden_and_short_words_are_not_taken_for_keys() -> None:
    options = {"key": "sk-very-secret", "apiToken": "tok-secret", "url": "http://localhost/v1", "PASSWORD": "a"}
    order = ProbeOrder("job-1", PartChoice("openai", options))
    secrets = Secrets()
    secrets.learn(order)
    assert secrets.masked("a Bearer sk-very-secret, tok-secret at http://localhost/v1") == (
        "a Bearer •••, ••• at http://localhost/v1"
    )
    assert secrets.masked("at http://me:pass-word@localhost") == "at http://me:pass-word@localhost"
    behind = PartChoice(
        "cascade", {"vlm": "openai", "key": "sk-other-secret", "url": "http://me:pass-word@localhost/v1"}
    )
    chest = VolumeFile(ArrayFile("v.npy", "<i2", (4, 5, 6)), AFFINE)
    run = RunOrder("job-1", chest, "the liver", behind, PartChoice("far", {"token": "tok-far"}))
    for holder in (
        run,
        AgreementOrder("job-2", run, 3, 0),
        PreviewOrder("job-3", run),
        CapabilitiesOrder("job-4", behind),
        ProbeOrder("job-5", behind),
    ):
        secrets = Secrets()
        secrets.learn(holder)
        said = secrets.masked("sk-other-secret at http://me:pass-word@localhost/v1")
        assert said == "••• at http://me:•••@localhost/v1", holder
        words = described(holder)
        assert "secret" not in words
        assert "pass-word" not in words
        assert "the liver" not in words
        assert "cascade(vlm=openai, key=•••, url=http://•••@localhost/v1)" in words
    words = described(order)
    assert "secret" not in words
    assert "url=http://localhost/v1" in words
    assert described(CapabilitiesOrder("job-1")) == "CapabilitiesOrder"


def test_a_key_of_the_environment_is_hidden_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEER_API_KEY", "sk-of-the-environment")
    assert Secrets().masked("Bearer sk-of-the-environment") == "Bearer •••"
    monkeypatch.setenv("SEER_API_KEY", "x")
    assert Secrets().masked("next") == "next"
