"""Sample data: offered in Slicer's Sample Data module, fetched by a process of its own, loaded, cancelled, refused."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import url2pathname

import psutil
import pytest
from PIL import Image
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QProgressDialog, QPushButton

from SEERSegmentLib.errors import Cancelled, ServiceError
from SEERSegmentLib.imaging.samples import cached_sample, fetch_sample
from Testing.standin.dialogs import dialogs


@pytest.fixture
def sampledata(slicer: Any, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(repository / "SEERSegment"))
    from SEERSegmentPanel import sampledata

    monkeypatch.setattr(slicer.modules, "sampleDataSources", {})
    sampledata.register()
    return sampledata


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _source(slicer: Any, name: str) -> Any:
    (source,) = (each for each in slicer.modules.sampleDataSources["SEER"] if each.sampleName == name)
    return source


def _when_dialog_is_up(call: Callable[[QProgressDialog], Any]) -> list[str]:
    """Call once the download's dialog can be seen; the list holds what it said."""
    said: list[str] = []
    looks = iter(range(1000))

    def look() -> None:
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, QProgressDialog) and widget.isVisible():
                said.append(widget.labelText())
                call(widget)
                return
        if next(looks, None) is not None:
            QTimer.singleShot(10, look)

    QTimer.singleShot(0, look)
    return said


def _press_cancel(dialog: QProgressDialog) -> None:
    button = dialog.findChild(QPushButton)
    assert button is not None
    button.click()


def test_the_samples_are_offered_once_however_often_the_module_is_loaded(slicer: Any, sampledata: Any) -> None:
    sampledata.register()
    sources = slicer.modules.sampleDataSources["SEER"]
    assert [source.sampleName for source in sources] == ["SEERChestCT", "SEERAbdomenCT", "SEERAbdomenMR"]
    for source in sources:
        assert source.customDownloader is sampledata.download
        assert "://" not in source.uris[0]
        with Image.open(source.thumbnailFileName) as thumbnail:
            assert thumbnail.size == (270, 180)


def test_what_is_said_of_a_sample_is_what_its_file_is(slicer: Any, sampledata: Any) -> None:
    for sample in sampledata.SAMPLES:
        path = fetch_sample(sample.sample)
        assert path.name == sample.file_name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sample.sha256
        assert _source(slicer, sample.name).checksums == ["SHA256:" + sample.sha256]


def test_a_click_fetches_and_loads(slicer: Any, sampledata: Any, empty_cache: Path) -> None:
    """From an empty cache, with the dialog up and no Python thread; the second time without a dialog."""
    threads = threading.enumerate()
    during: list[list[threading.Thread]] = []
    said = _when_dialog_is_up(lambda _dialog: during.append(threading.enumerate()))
    source = _source(slicer, "SEERChestCT")
    node = source.customDownloader(source)
    assert node.GetName() == "Chest CT"
    assert node.GetImageData().GetDimensions() == (128, 128, 34)
    assert node.GetStorageNode() is None  # saving the scene writes a copy, never over the cached file
    assert cached_sample("ct-chest") is not None
    assert "1 MB" in said[0]
    assert during == [threads]
    assert threading.enumerate() == threads

    again = source.customDownloader(source)
    assert again is not None
    assert len(said) == 1
    assert dialogs.texts("error") == []


def test_cancel_stops_the_download_and_leaves_nothing(slicer: Any, sampledata: Any, empty_cache: Path) -> None:
    _when_dialog_is_up(_press_cancel)
    source = _source(slicer, "SEERAbdomenCT")
    assert source.customDownloader(source) is None
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 0
    assert dialogs.texts("status") == ["The download was stopped."]
    assert dialogs.texts("error") == []
    assert cached_sample("example-ct") is None


def _command(process: Any) -> str:
    """A process's command line; empty for one that has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_cancel_ends_the_whole_tree_of_processes(slicer: Any, sampledata: Any, empty_cache: Path) -> None:
    """PythonSlicer is a launcher: what it started has to go too."""
    seen: list[psutil.Process] = []

    def look_then_cancel(dialog: QProgressDialog) -> None:
        def look() -> None:
            children = psutil.Process().children(recursive=True)
            seen[:] = [child for child in children if "sample_process.py" in _command(child)]
            if len(seen) < 2:  # the launcher, and the interpreter below it
                QTimer.singleShot(10, look)
            else:
                _press_cancel(dialog)

        look()

    _when_dialog_is_up(look_then_cancel)
    with pytest.raises(Cancelled):
        sampledata.fetch("example-ct")
    gone, alive = psutil.wait_procs(seen, timeout=20)
    assert len(gone) >= 2
    assert alive == []


def test_without_a_network_it_says_so_in_words(
    slicer: Any, sampledata: Any, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    source = _source(slicer, "SEERChestCT")
    assert source.customDownloader(source) is None
    (error,) = (shown for shown in dialogs.shown if shown.kind == "error")
    assert "is there a network?" in error.text


def test_a_python_that_does_not_start_is_an_error_in_words(slicer: Any, sampledata: Any, empty_cache: Path) -> None:
    from SEERSegmentPanel.qprocess import QtProcessLink

    with pytest.raises(ServiceError) as refused:
        sampledata.fetch("ct-chest", QtProcessLink(str(empty_cache / "no-such-python")))
    assert refused.value.code == "sample-fetch-failed"
    assert "could not be started" in refused.value.user_message


class BrokenLink:
    """A process that ends in the middle of a line."""

    def start(self, arguments: list[str], on_output: Any, on_log: Any, on_exit: Any) -> None:
        on_output(b'{"pid": 1}\n{"pa')
        on_log(b"Killed")
        on_exit(-9, "The process was ended from outside.")


def test_a_process_that_dies_is_an_error_in_words(slicer: Any, sampledata: Any, empty_cache: Path) -> None:
    with pytest.raises(ServiceError, match="ended from outside") as refused:
        sampledata.fetch("ct-chest", BrokenLink())
    assert refused.value.detail == "Killed"


def test_a_file_that_can_not_be_loaded_is_an_error_in_words(
    slicer: Any, sampledata: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, properties: Any) -> Any:
        raise RuntimeError("no reader")

    monkeypatch.setattr(slicer.util, "loadVolume", refuse)
    source = _source(slicer, "SEERChestCT")
    assert source.customDownloader(source) is None
    assert dialogs.texts("error") == ["The sample volume can't be loaded."]


def test_a_script_gets_the_sample_by_name_too(slicer: Any, sampledata: Any) -> None:
    """``SampleData.downloadSample`` asks no custom downloader; the rewritten URL is that of the fetched file."""
    import SampleData

    rule = SampleData.SampleDataLogic.rewrite_rules["SEER"]
    url = rule(_source(slicer, "SEERAbdomenMR").uris[0])
    assert url.startswith("file://")
    assert Path(url2pathname(url.removeprefix("file://"))) == fetch_sample("example-mr-sm")
    assert rule("https://example.org/CT-chest.nrrd") == "https://example.org/CT-chest.nrrd"
