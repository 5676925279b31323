"""What the command promises when something goes wrong half-way, and where it runs without what is optional."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
import slicerio
from PIL import Image

from SEERSegmentLib import registry
from SEERSegmentLib.cli import main
from SEERSegmentLib.cli import segment_command as command
from SEERSegmentLib.cli.console import Console
from SEERSegmentLib.errors import SeriesChoiceNeeded, ServiceError, StorageError
from SEERSegmentLib.imaging import samples
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.imaging.samples import export_sample


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    phantom, _ = chest_phantom(6.0)
    image = sitk.GetImageFromArray(phantom.voxels)
    lps = np.diag([-1.0, -1.0, 1.0]) @ phantom.affine[:3]
    image.SetSpacing(phantom.spacing)
    image.SetOrigin(lps[:, 3].tolist())
    image.SetDirection((lps[:, :3] / np.array(phantom.spacing)).ravel().tolist())
    path = tmp_path_factory.mktemp("Bilder é 肺") / "chest ü.nrrd"
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def outputs(tmp_path: Path) -> tuple[str, ...]:
    return ("-o", str(tmp_path / "out.seg.nrrd"), "--report", str(tmp_path / "report.html"), "--quiet")


# ------------------------------------------------------------------------------------------- a report that goes wrong


def test_a_report_that_cannot_be_written_does_not_cost_the_segmentation(
    volume: Path,
    tmp_path: Path,
    outputs: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full_disk(*args: object, **options: object) -> Path:
        raise StorageError("r.html can't be written.", code="output-unwritable", detail="No space left on device")

    monkeypatch.setattr(command, "write_report", full_disk)
    assert main(["segment", str(volume), "rt lung", *outputs]) == 8
    message = capsys.readouterr().err
    assert "[output-unwritable]" in message
    assert f"The segmentation was written, to {tmp_path / 'out.seg.nrrd'}." in message
    assert [path.name for path in tmp_path.iterdir()] == ["out.seg.nrrd"]
    assert len(slicerio.read_segmentation(str(tmp_path / "out.seg.nrrd"))["segments"]) == 1
    assert main(["segment", str(volume), "liver or spleen?", *outputs, "--overwrite"]) == 8
    assert "The segmentation was written" not in capsys.readouterr().err  # an abstention has none


def test_a_report_that_is_cancelled_says_that_the_segmentation_is_there(
    volume: Path,
    tmp_path: Path,
    outputs: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*args: object, **options: object) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "write_report", interrupted)
    assert main(["segment", str(volume), "rt lung", *outputs]) == 130
    message = capsys.readouterr().err
    assert "nothing was written" not in message
    assert str(tmp_path / "out.seg.nrrd") in message
    assert [path.name for path in tmp_path.iterdir()] == ["out.seg.nrrd"]


# ---------------------------------------------------------------------------------------- without what is optional


def test_a_terminal_without_rich_gets_lines(
    volume: Path, outputs: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "rich" else found(name, *more))
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert main(["segment", str(volume), "rt lung", *outputs[:-1]]) == 0
    assert "seer: segmenting ..." in sys.stderr.getvalue()


def test_a_missing_writer_is_found_before_the_run(
    volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("SEERSegmentLib.output.segmentation_files.find_spec", lambda name: None)
    assert main(["segment", str(volume), "rt lung", "-o", str(tmp_path / "out.seg.nrrd")]) == 2
    message = capsys.readouterr().err
    assert "pip install slicerio" in message
    assert "reading the volume" not in message
    assert main(["segment", str(volume), "rt lung", "-o", str(tmp_path / "out.nii.gz"), "--quiet"]) == 0


def test_a_part_that_cannot_be_loaded_or_made(
    volume: Path, outputs: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(registry.BACKBONES, "gone", "no_such_module:Gone")
    monkeypatch.setitem(registry.REASONERS, "broken", f"{__name__}:Broken")
    assert main(["segment", str(volume), "rt lung", *outputs, "--backbone", "gone"]) == 2
    message = capsys.readouterr().err
    assert "[part-unloadable]" in message
    assert "no_such_module" in message
    assert main(["doctor", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    (broken,) = [row for row in content["reasoners"] if row["name"] == "broken"]
    assert broken["ready"] is False
    assert "no driver" in broken["what_to_do"]
    assert [row["name"] for row in content["backbones"]][:2] == ["classical", "reference"]


class Broken:
    """A part of someone else whose making fails."""

    def __init__(self) -> None:
        raise RuntimeError("no driver")


# --------------------------------------------------------------------------------------------------------------- demo


def test_the_demo_without_a_network_draws_a_phantom_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_network(name: str, part: str = "volume") -> Path:
        raise ServiceError("The package could not be fetched; is there a network?", code="sample-fetch-failed")

    monkeypatch.setattr(samples, "fetch_sample", no_network)
    assert main(["demo", "-o", str(tmp_path / "demo")]) == 0
    out, err = capsys.readouterr()
    assert "not a patient" in err
    assert str(tmp_path / "demo" / "report.html") in out
    assert str(tmp_path / "demo" / "right-lung.seg.nrrd") in out
    assert "phantom" in (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")
    assert main(["demo", "-o", str(tmp_path / "demo"), "--json", "--quiet"]) == 0  # again, in place
    out, err = capsys.readouterr()
    assert json.loads(out)["answer"] == "right lung"


def test_the_demo_takes_the_real_chest(
    sample: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample("aorta-ct")
    assert main(["demo", "-o", str(tmp_path), "--json", "--quiet"]) == 0
    (segment,) = json.loads(capsys.readouterr().out)["segments"]
    assert segment["name"] == "right lung"
    assert 1000 < segment["volume_ml"] < 3500
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "right-lung.seg.nrrd"]


# -------------------------------------------------------------------------------------------------------------- views


@pytest.mark.parametrize("name", ["example-ct", "aorta-ct", "example-mr-sm"])
def test_written_views_are_the_official_preparations(
    sample: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """File by file, name by name, computed here with nibabel and Pillow alone."""
    written = ["views", str(sample(name)), "--preset", "seer-v1", "--as-stored", "-o", str(tmp_path), "--quiet"]
    assert main(written) == 0
    array = nibabel.load(sample(name)).get_fdata(dtype=np.float32)
    last = array.shape[2] - 1
    for z in np.linspace(round(last * 0.1), round(last * 0.9), 8).round().astype(int):
        values = array[:, :, z]
        low, high = np.percentile(values, (0.5, 99.5))
        grey = (np.clip((values - low) / (high - low), 0.0, 1.0) ** 1.4 * 255.0).astype(np.uint8)
        expected = Image.fromarray(grey).resize((448, 448), Image.Resampling.BILINEAR).convert("RGB")
        with Image.open(tmp_path / f"z{z:03d}.png") as picture:
            assert picture.mode == "RGB"
            assert picture.tobytes() == expected.tobytes()
    assert len(list(tmp_path.glob("*.png"))) == 8


def test_views_that_fail_leave_nothing(
    volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "views"
    assert main(["views", str(tmp_path / "missing.nrrd"), "-o", str(folder)]) == 4
    assert main(["views", str(volume), "-o", str(folder), "--as-stored"]) == 2
    assert "[as-stored-unused]" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    written = Path.write_text

    def full_disk(self: Path, *args: object, **options: object) -> int:
        if self.name.endswith("views.json"):
            raise OSError(28, "No space left on device")
        return written(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", full_disk)
    assert main(["views", str(volume), "-o", str(folder)]) == 8
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------------------- samples


def test_a_sample_never_replaces_another_of_the_same_name(sample: Callable[..., Path], tmp_path: Path) -> None:
    """example-ct and aorta-ct call their volumes alike; the labels of one must not meet the image of the other."""
    assert sample("example-ct").name == sample("aorta-ct").name
    first = export_sample("example-ct", tmp_path)
    before = hashlib.sha256(first["volume"].read_bytes()).hexdigest()
    assert export_sample("example-ct", tmp_path) == first  # the same again is fine
    with pytest.raises(StorageError) as refused:
        export_sample("aorta-ct", tmp_path)
    assert refused.value.code == "output-exists"
    assert hashlib.sha256(first["volume"].read_bytes()).hexdigest() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_a_sample_that_cannot_be_copied_leaves_no_part_of_a_file(
    sample: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample("ct-chest")

    def full_disk(source: Path, target: Path) -> None:
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(samples.shutil, "copyfile", full_disk)
    with pytest.raises(StorageError) as refused:
        export_sample("ct-chest", tmp_path)
    assert refused.value.code == "output-unwritable"
    assert list(tmp_path.iterdir()) == []


# -------------------------------------------------------------------------------------------------- odd words and sizes


def test_text_from_a_file_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.error(SeriesChoiceNeeded("Two series: '\x1b[2Jred'.", (("1.2", "CT, '\x1b]0;title\x07 \u202eabc'"),)))
    console.text("name \x1b[31m")
    out, err = capsys.readouterr()
    for steering in "\x1b\x07\u202e":
        assert steering not in out + err
    assert "--series 1.2   CT, '" in err


def test_the_longest_request_goes_through_and_a_longer_one_is_refused(
    volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from SEERSegmentLib.reasoning import MAX_REQUEST_BYTES

    for length, codes in ((MAX_REQUEST_BYTES, (0, 3)), (MAX_REQUEST_BYTES + 1, (4,))):
        text = ("right lung. " * (length // 12 + 1))[: length - 1].encode() + b"."
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
        out = tmp_path / f"{length}.seg.nrrd"
        code = main(["segment", str(volume), "-", "-o", str(out), "--json", "--quiet"])
        content = json.loads(capsys.readouterr().out)
        assert code in codes, content
        assert out.exists() == (code == 0)
        if code == 4:
            assert content["error"]["code"] == "request-too-long"


# VmHWM, not ru_maxrss: that one starts at the size of the process which started this one.
_CHILD = """
import sys
from SEERSegmentLib.cli import main
code = main(sys.argv[1:])
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print("peak", int(status["VmHWM"].split()[0]) * 1024)
sys.exit(code)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
@pytest.mark.parametrize("request_text", ["pls outline the rt lung", "show me all the bones"])
def test_peak_memory_of_the_whole_command(tmp_path: Path, repository: Path, request_text: str) -> None:
    """Four times the volume's bytes and 300 MB, report included; `make bench` prints it for 512 × 512 × 400."""
    small, _ = chest_phantom(5.0)
    shape = (200, 512, 512)
    index = [np.arange(n) * m // n for n, m in zip(shape, small.shape, strict=True)]
    image = sitk.GetImageFromArray(small.voxels[np.ix_(*index)])
    image.SetSpacing([5.0 * m / n for n, m in zip(shape[::-1], small.shape[::-1], strict=True)])
    sitk.WriteImage(image, str(tmp_path / "large.nrrd"))
    words = ["segment", str(tmp_path / "large.nrrd"), request_text, "--quiet", "--modality", "CT"]
    words += ["-o", str(tmp_path / "o.seg.nrrd"), "--report", str(tmp_path / "r.html")]
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=repository,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) <= 4 * 2 * np.prod(shape) + 300e6
