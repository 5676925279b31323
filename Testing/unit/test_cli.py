"""The command ``seer``: every exit code, what goes to which stream, and that nothing half-written is left.

One long file: all commands are driven through the same fixtures, with scripted parts put in place of the real ones.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import slicerio
from PIL import Image

from SEERSegmentLib import __version__, registry
from SEERSegmentLib.cli import main
from SEERSegmentLib.cli.main import build_parser
from SEERSegmentLib.errors import BackboneError, ReasonerError, ServiceError, UnsupportedTarget
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.protocols import BackboneInfo, CancelToken, Emit, Readiness, ReasonerInfo, ReasoningCase
from SEERSegmentLib.values import (
    RESEARCH_USE_ONLY,
    Abstention,
    Evidence,
    Mask,
    Modality,
    Progress,
    Reasoning,
    Stage,
    TargetSpec,
    Volume,
)


class ScriptedReasoner:
    """Does what the request's first word says."""

    info = ReasonerInfo("scripted", "1", "Does what the request says.")
    asked = 0

    def readiness(self) -> Readiness:
        return Readiness(True)

    def reason(self, case: ReasoningCase, emit: Emit, cancel: CancelToken) -> Reasoning | Abstention:
        type(self).asked += 1
        word = case.request.text.split()[0]
        if word == "abstain":
            return Abstention("alternatives", "There are two.", "Which one?", ("this one",), reasoner="scripted")
        if word == "reasoner-fails":
            raise ReasonerError("The reasoner broke.", code="scripted-failure")
        if word == "service-fails":
            raise ServiceError("The server is away.", code="server-away", retryable=True)
        if word == "bug":
            raise ZeroDivisionError("division by zero")
        if word == "memory":
            raise MemoryError
        evidence = (Evidence("seen", "Lungs are seen", 2.0, "", "coronal MIP"),)
        return Reasoning(evidence, ("It was asked for.",), "right lung", "scripted")


class UnreadyReasoner(ScriptedReasoner):
    def readiness(self) -> Readiness:
        return Readiness(False, "download its weights")


class BoxBackbone:
    """Answers every target with the same box; request-driven mischief comes through ``mischief``."""

    info = BackboneInfo("box", "1", "A box.", frozenset({"label"}), frozenset(Modality))
    mischief: Callable[[CancelToken], None] | None = None
    remark = ""

    def readiness(self) -> Readiness:
        return Readiness(True)

    def segment(self, volume: Volume, spec: TargetSpec, emit: Emit, cancel: CancelToken) -> Sequence[Mask]:
        if BoxBackbone.mischief is not None:
            BoxBackbone.mischief(cancel)
        if BoxBackbone.remark:
            emit(Progress(Stage.SEGMENT, None, BoxBackbone.remark))
        voxels = np.zeros(volume.shape, bool)
        voxels[10:20, 10:20, 5:15] = True
        return [Mask(voxels, volume.affine, target) for target in spec.targets]


@pytest.fixture(autouse=True)
def _scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.REASONERS, "scripted", f"{__name__}:ScriptedReasoner")
    monkeypatch.setitem(registry.REASONERS, "unready", f"{__name__}:UnreadyReasoner")
    monkeypatch.setitem(registry.BACKBONES, "box", f"{__name__}:BoxBackbone")
    monkeypatch.setattr(ScriptedReasoner, "asked", 0)
    monkeypatch.setattr(BoxBackbone, "mischief", None)


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A coarse phantom in a folder whose name has a space and is not ASCII."""
    phantom, _ = chest_phantom(8.0)
    image = sitk.GetImageFromArray(phantom.voxels)
    lps = np.diag([-1.0, -1.0, 1.0]) @ phantom.affine[:3]
    image.SetSpacing(phantom.spacing)
    image.SetOrigin(lps[:, 3].tolist())
    image.SetDirection((lps[:, :3] / np.array(phantom.spacing)).ravel().tolist())
    path = tmp_path_factory.mktemp("Größe 肺") / "chest é.nrrd"
    sitk.WriteImage(image, str(path))
    return path


class Run:
    """One run of the command in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: object) -> None:
        capsys.readouterr()
        self.code = main([str(argument) for argument in arguments])
        self.out, self.err = capsys.readouterr()

    @property
    def json(self) -> dict[str, object]:
        return json.loads(self.out)


@pytest.fixture
def seer(capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    return lambda *arguments: Run(capsys, *arguments)


@pytest.fixture
def segment(seer: Callable[..., Run], volume: Path, tmp_path: Path) -> Callable[..., Run]:
    """``segment(request, *more)`` with the scripted parts, writing to out.seg.nrrd."""

    def run(request: str = "pls outline the rt lung", *more: object) -> Run:
        parts = ("--reasoner", "scripted", "--backbone", "box")
        return seer("segment", volume, request, "-o", tmp_path / "out.seg.nrrd", *parts, *more)

    return run


# ------------------------------------------------------------------------------------------------------------- segment


def test_segment_writes_what_was_asked_for(segment: Callable[..., Run], tmp_path: Path) -> None:
    done = segment("pls outline the rt lung", "--report", tmp_path / "report.html")
    assert done.code == 0
    assert RESEARCH_USE_ONLY in done.out
    assert "Answer: right lung" in done.out
    assert f"Wrote {tmp_path / 'out.seg.nrrd'}" in done.out
    assert "segmenting" in done.err
    assert "segmenting" not in done.out
    read = slicerio.read_segmentation(str(tmp_path / "out.seg.nrrd"))
    assert [s["name"] for s in read["segments"]] == ["right lung"]
    assert int((read["voxels"] > 0).sum()) == 1000
    assert "pls outline the rt lung" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.seg.nrrd", "report.html"]


def test_segment_as_json(segment: Callable[..., Run], tmp_path: Path) -> None:
    done = segment("rt lung é", "--json", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert done.out.count("\n") == 1
    content = json.loads(done.out)
    assert content["status"] == "done"
    assert content["request"] == "rt lung é"
    assert content["answer"] == "right lung"
    assert content["files"] == {"segmentation": str(tmp_path / "out.seg.nrrd")}
    (found,) = content["segments"]
    assert found["name"] == "right lung"
    assert found["voxels"] == 1000
    assert found["volume_ml"] == pytest.approx(512.0)
    assert found["target"]["structure"] == "lung_right"
    assert found["terminology"]["type"]["scheme"] == "SCT"
    assert content["evidence"][0]["source"] == "coronal MIP"
    assert content["rationale"] == ["It was asked for."]
    stages = [record["stage"] for record in content["provenance"]["records"]]
    assert stages[0] == "reading the volume"
    assert "segmenting" in stages


def test_segment_as_nifti_writes_names_beside_it(segment: Callable[..., Run], tmp_path: Path) -> None:
    done = segment("x", "-o", tmp_path / "lung.nii.gz", "--json")
    assert done.code == 0
    assert done.json["files"] == {
        "segmentation": str(tmp_path / "lung.nii.gz"),
        "labels": str(tmp_path / "lung.json"),
    }
    assert (tmp_path / "lung.json").is_file()


@pytest.mark.parametrize("suffix", [".seg.nrrd", ".nii.gz"])
def test_what_was_written_serves_as_reference(
    segment: Callable[..., Run], seer: Callable[..., Run], volume: Path, tmp_path: Path, suffix: str
) -> None:
    written = tmp_path / f"first{suffix}"
    assert segment("x", "-o", written).code == 0
    names = ("--label-names", tmp_path / "first.json") if suffix == ".nii.gz" else ()
    again = ("-o", tmp_path / "again.seg.nrrd", "--reference", written, *names, "--json")
    done = seer("segment", volume, "right lung", *again)
    assert done.code == 0
    assert done.json["segments"][0]["voxels"] == 1000
    read = [sitk.GetArrayFromImage(sitk.ReadImage(str(path))) for path in (written, tmp_path / "again.seg.nrrd")]
    assert np.array_equal(*read)
    failed(seer("segment", volume, "liver", *again[:-1], "--overwrite"), 6, "target-not-in-reference")


def test_remarks_of_a_backbone_are_shown(segment: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoxBackbone, "remark", "Two of its parts are\x1b[31m missing.")
    assert "seer: Two of its parts are [31m missing." in segment().err


def test_an_answer_of_the_user_is_run_without_asking(segment: Callable[..., Run]) -> None:
    done = segment("abstain", "--answer", "left lung", "--json")
    assert done.code == 0
    assert done.json["answer"] == "left lung"
    assert ScriptedReasoner.asked == 0


def test_a_request_on_standard_input(segment: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("rt lung, ü\n".encode())))
    assert segment("-", "--json").json["request"] == "rt lung, ü"


def test_a_blocked_answer_runs_only_if_the_user_insists(segment: Callable[..., Run], tmp_path: Path) -> None:
    blocked = segment("outline the left lung", "--answer", "right lung")
    assert blocked.code == 3
    assert "--run-anyway" in blocked.out
    assert list(tmp_path.iterdir()) == []
    done = segment("outline the left lung", "--answer", "right lung", "--run-anyway", "--json")
    assert done.code == 0
    assert any(finding["blocking"] for finding in done.json["findings"])


def test_an_abstention_is_a_result(segment: Callable[..., Run], tmp_path: Path) -> None:
    done = segment("abstain", "--report", tmp_path / "report.html")
    assert done.code == 3
    assert "No answer: There are two." in done.out
    assert "Question: Which one?" in done.out
    assert "this one" in done.out
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Which one?" in page
    assert page.count('role="img"') > 3
    as_json = segment("abstain", "--json")
    assert (as_json.code, as_json.json["status"], as_json.json["code"]) == (3, "abstained", "alternatives")


# ------------------------------------------------------------------------------------------------- errors, by exit code


def failed(run: Run, code: int, name: str) -> None:
    """One sentence on standard error with the code's name; nothing else anywhere."""
    lines = [line for line in run.err.splitlines() if not line.endswith(" ...")]
    assert (run.code, run.out) == (code, "")
    assert len(lines) == 1
    assert lines[0].startswith("seer: ")
    assert lines[0].endswith(f"[{name}]")
    assert "Traceback" not in run.err


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((), "usage-arguments"),
        (("transmogrify",), "usage-arguments"),
        (("segment",), "usage-arguments"),
        (("segment", "v.nii", "lung", "-o", "o.seg.nrrd", "--modality", "PET"), "usage-arguments"),
        (("segment", "v.nii", "lung", "-o", "o.seg.nrrd", "--reasoner", "oracle"), "reasoner-unknown"),
        (("segment", "v.nii", "lung", "-o", "o.seg.nrrd", "--backbone", "spine"), "backbone-unknown"),
        (("segment", "v.nii", "lung", "-o", "o.nrrd"), "output-suffix"),
        (("segment", "v.nii", "lung", "-o", "o.seg.nrrd", "--report", "r.pdf"), "report-suffix"),
        (("segment", "v.nii", "lung", "-o", "o.nii", "--report", "o.json.html", "--backbone"), "usage-arguments"),
        (("segment", "v.nii.gz", "lung", "-o", "v.nii.gz"), "output-is-input"),
        (("segment", "v.nii", "lung", "-o", "o.seg.nrrd", "--backbone", "reference"), "reference-missing"),
        (
            ("segment", "v.nii", "lung", "-o", "o.seg.nrrd", "--backbone", "box", "--reference", "r.nii"),
            "reference-unused",
        ),
        (("reason", "--modality", "CT"), "usage-arguments"),
        (("sample",), "sample-unnamed"),
        (("sample", "aorta-ct"), "sample-folder-missing"),
        (("sample", "unicorn-ct", "-o", "x"), "sample-unknown"),
        (("segment", "--js", "v.nii"), "usage-arguments"),
    ],
)
def test_usage(
    seer: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    parts = ("--reasoner", "scripted") if arguments[:1] == ("segment",) else ()  # a later option has precedence
    words = (*arguments[:1], *parts, *arguments[1:])
    failed(seer(*words), 2, name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("request_text", "name"),
    [
        ("", "request-empty"),
        (" \n\t", "request-empty"),
        ("lung " * 300_000, "request-too-long"),
        ("lung \x1b[31m", "request-control-characters"),
        ("lung \udcff", "request-undecodable"),
    ],
)
def test_bad_requests(segment: Callable[..., Run], tmp_path: Path, request_text: str, name: str) -> None:
    failed(segment(request_text), 4, name)
    assert list(tmp_path.iterdir()) == []
    assert ScriptedReasoner.asked == 0


@pytest.mark.parametrize(
    ("content", "name"), [(b"\x00\x01\x02lung", "request-binary"), (b"lung " * 600_000, "request-too-long")]
)
def test_bad_requests_on_standard_input(
    segment: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, content: bytes, name: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    failed(segment("-"), 4, name)


def test_bad_volumes(seer: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "text.nii.gz").write_text("not an image")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for name in ("missing.nii.gz", "text.nii.gz", "folder"):
        parts = ("--reasoner", "scripted", "--backbone", "box", "--json")
        done = seer("segment", tmp_path / name, "lung", "-o", tmp_path / "out.seg.nrrd", *parts)
        assert done.code == 4
        assert done.json["status"] == "error"
    assert sorted(tmp_path.rglob("*")) == before


def test_a_reasoner_that_fails(segment: Callable[..., Run], tmp_path: Path) -> None:
    failed(segment("reasoner-fails"), 5, "scripted-failure")
    unready = segment("x", "--reasoner", "unready")
    failed(unready, 5, "reasoner-not-ready")
    assert "download its weights" in unready.err
    assert list(tmp_path.iterdir()) == []


def test_a_backbone_that_fails(segment: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(cancel: CancelToken) -> None:
        raise UnsupportedTarget("The box does no lungs.")

    def broken(cancel: CancelToken) -> None:
        raise BackboneError("The box broke.", code="box-broken", detail="at the hinge")

    monkeypatch.setattr(BoxBackbone, "mischief", unsupported)
    failed(segment(), 6, "target-unsupported")
    monkeypatch.setattr(BoxBackbone, "mischief", broken)
    failed(segment(), 6, "box-broken")
    assert "at the hinge" not in segment().err
    assert "at the hinge" in segment("x", "--debug").err
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_fails(segment: Callable[..., Run]) -> None:
    failed(segment("service-fails"), 7, "server-away")
    content = segment("service-fails", "--json").json
    assert content["error"] == {
        "code": "server-away",
        "message": "The server is away.",
        "detail": "",
        "retryable": True,
        "exit_code": 7,
    }


@pytest.mark.parametrize("option", ["-o", "--report"])
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("no/such/folder/out", "output-folder-missing"),
        ("file/out", "output-folder-is-file"),
        ("file/deep/out", "output-folder-is-file"),
        ("taken", "output-is-folder"),
        ("old", "output-exists"),
        ("x" * 300, "output-unwritable"),
    ],
)
def test_outputs_that_cannot_be_written_are_found_before_the_run(
    segment: Callable[..., Run], tmp_path: Path, option: str, path: str, name: str
) -> None:
    suffix = ".html" if option == "--report" else ".seg.nrrd"
    (tmp_path / "file").write_text("x")
    (tmp_path / f"taken{suffix}").mkdir()
    (tmp_path / f"old{suffix}").write_text("corrected by hand")
    before = sorted(tmp_path.rglob("*"))
    failed(segment("lung", option, tmp_path / f"{path}{suffix}"), 8, name)
    assert ScriptedReasoner.asked == 0
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / f"old{suffix}").read_text() == "corrected by hand"


def test_overwriting_is_asked_for(segment: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "out.seg.nrrd").touch()  # an empty file holds nothing to lose
    assert segment().code == 0
    failed(segment(), 8, "output-exists")
    assert segment("x", "--overwrite").code == 0


def test_one_file_for_two_outputs(segment: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "link.html").symlink_to(tmp_path / "out.seg.nrrd")
    failed(segment("x", "--report", tmp_path / "link.html"), 2, "outputs-collide")


def test_what_nobody_foresaw(segment: Callable[..., Run], tmp_path: Path) -> None:
    failed(segment("bug"), 1, "unexpected")
    assert "ZeroDivisionError" in segment("bug", "--debug").err
    assert segment("bug", "--json").json["error"]["detail"] == "ZeroDivisionError: division by zero"
    failed(segment("memory"), 1, "out-of-memory")
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------------------ Ctrl-C


def test_ctrl_c_stops_at_the_next_check(
    segment: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[str] = []

    def interrupted(cancel: CancelToken) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        reached.append("after the first")
        cancel.check()
        reached.append("after the check")

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(BoxBackbone, "mischief", interrupted)
    failed(segment("x", "--report", tmp_path / "r.html"), 130, "cancelled")
    assert reached == ["after the first"]
    assert list(tmp_path.iterdir()) == []
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_second_ctrl_c_stops_at_once(
    segment: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(cancel: CancelToken) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("still running")

    monkeypatch.setattr(BoxBackbone, "mischief", deaf)
    failed(segment(), 130, "cancelled")
    assert list(tmp_path.iterdir()) == []


# -------------------------------------------------------------------------------------------------------------- reason


def test_one_request_is_read(seer: Callable[..., Run]) -> None:
    done = seer("reason", "--request", "pls outline the rt kidney", "--modality", "CT", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["labels"] == ["kidney_right"]
    assert done.json["answer"] == "right kidney"
    spoken = seer("reason", "--request", "pls outline the rt kidney", "--modality", "ct")
    assert "Answer: right kidney" in spoken.out
    assert "Labels: kidney_right" in spoken.out


def test_one_request_that_is_abstained_from(seer: Callable[..., Run]) -> None:
    done = seer("reason", "--request", "liver or spleen?", "--modality", "CT", "--json")
    assert done.code == 3
    assert done.json["abstain"] is True
    assert done.json["question"]
    assert "Question: " in seer("reason", "--request", "liver or spleen?", "--modality", "CT").out


def test_rows_are_answered_in_order(seer: Callable[..., Run], tmp_path: Path) -> None:
    rows = [
        {"id": "a", "request": "left kidney", "modality": "CT"},
        {"id": 7, "request": "liver or spleen?", "modality": "CT"},
        {"id": "c", "request": "\u0000", "modality": "MR"},
        {"id": "d", "request": "Milz é", "modality": "CT"},
        {"id": "e", "request": "liver tumour", "modality": "CT"},
    ]
    path = tmp_path / "requests é.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n", encoding="utf-8")
    done = seer("reason", "--requests", path, "--json")
    assert done.code == 0
    answers = [json.loads(line) for line in done.out.splitlines()]
    assert [answer["id"] for answer in answers] == ["a", "7", "c", "d", "e"]
    assert [answer["abstain"] for answer in answers[:3]] == [False, True, True]
    assert answers[0]["labels"] == ["kidney_left"]
    assert answers[2]["code"] == "request-binary"
    assert (answers[4]["labels"], answers[4]["abstain"]) == ([], False)
    for answer in answers:
        assert {"id", "labels", "abstain", "reason", "answer", "evidence", "rationale", "seconds"} <= answer.keys()
    closed = [json.loads(line) for line in seer("reason", "--requests", path, "--json", "--closed").out.splitlines()]
    assert closed[4]["abstain"] is True


def test_the_image_is_measured_for_a_row(seer: Callable[..., Run], volume: Path) -> None:
    done = seer("reason", volume, "--request", "lungs", "--json")
    assert done.code == 0
    assert {item["name"] for item in done.json["evidence"]} != {"no-image"}
    assert "measuring the image" in done.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"nope", "is not JSON"),
        (b'{"id": 1}', "no field 'request'"),
        (b'{"request": "\xff"}', "not text in UTF-8"),
        (b'"' + b"x" * 7_000_000, "longer than any request"),
    ],
)
def test_rows_that_cannot_be_read_are_named(
    seer: Callable[..., Run], monkeypatch: pytest.MonkeyPatch, content: bytes, words: str
) -> None:
    monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"request": "liver", "modality": "CT"}\n' + content))
    )
    done = seer("reason", "--requests", "-", "--json")
    assert done.code == 4
    first, last = (json.loads(line) for line in done.out.splitlines())
    assert first["labels"] == ["liver"]
    assert last["error"]["code"] == "request-rows"
    assert "Line 2" in last["error"]["message"]
    assert words in last["error"]["message"]


def test_a_file_of_requests_that_is_not_there(seer: Callable[..., Run], tmp_path: Path) -> None:
    failed(seer("reason", "--requests", tmp_path / "no.jsonl"), 4, "requests-unreadable")
    failed(seer("reason", "--requests", tmp_path), 4, "requests-unreadable")
    failed(seer("reason", "--request", "liver", "--vocabulary", "klingon"), 2, "unknown-vocabulary")
    failed(seer("reason", "--request", " "), 4, "request-empty")


# --------------------------------------------------------------------------------------------------------------- views


def test_views_with_their_maps(seer: Callable[..., Run], volume: Path, tmp_path: Path) -> None:
    done = seer("views", volume, "-o", tmp_path / "a" / "b", "--json")
    assert done.code == 0
    index = json.loads((tmp_path / "a" / "b" / "views.json").read_text())
    assert index["notice"] == RESEARCH_USE_ONLY
    assert {view["plane"] for view in index["views"]} == {"axial", "coronal", "sagittal"}
    for view in index["views"]:
        with Image.open(tmp_path / "a" / "b" / view["file"]) as picture:
            assert picture.mode == "L"
        assert np.array(view["pixel_to_ras"]).shape == (4, 4)
    assert index["views"][0]["letters"] == {"left": "R", "right": "L", "top": "A", "bottom": "P"}


def test_official_views_have_official_names(seer: Callable[..., Run], volume: Path, tmp_path: Path) -> None:
    done = seer("views", volume, "-o", tmp_path, "--preset", "seer-v1", "--as-stored")
    assert done.code == 0
    pictures = sorted(tmp_path.glob("*.png"))
    assert len(pictures) == 8
    assert all(picture.stem[0] == "z" and len(picture.stem) == 4 for picture in pictures)
    with Image.open(pictures[0]) as picture:
        assert (picture.mode, picture.size) == ("RGB", (448, 448))
    failed(seer("views", volume, "-o", tmp_path, "--preset", "seer-v1"), 8, "output-exists")
    assert seer("views", volume, "-o", tmp_path, "--preset", "seer-v1", "--overwrite").code == 0


def test_views_that_cannot_be_written(seer: Callable[..., Run], volume: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    failed(seer("views", volume, "-o", tmp_path / "file" / "views"), 8, "output-folder-unwritable")
    failed(seer("views", volume, "-o", tmp_path / "new", "--preset", "kaleidoscope"), 2, "preset-unknown")


# ------------------------------------------------------------------------------------------------- sample and doctor


def test_samples_are_listed(seer: Callable[..., Run]) -> None:
    assert "aorta-ct" in seer("sample", "--list").out
    listed = seer("sample", "--list", "--json").json["samples"]
    assert {"aorta-ct", "example-ct", "ct-chest"} <= {row["name"] for row in listed}


def test_a_sample_with_labels_rehearses_the_whole_flow(seer: Callable[..., Run], tmp_path: Path) -> None:
    files = seer("sample", "example-ct-sm", "-o", tmp_path / "s", "--json").json["files"]
    reference = ("--reference", files["labels"], "--label-names", files["label names"])
    request = "?hydro on the right, outline the organ"
    done = seer("segment", files["volume"], request, "-o", tmp_path / "k.seg.nrrd", *reference, "--json")
    assert done.code == 0, done.err
    assert done.json["answer"] == "right kidney"
    assert done.json["segments"][0]["volume_ml"] > 50


def test_a_sample_is_exported(
    seer: Callable[..., Run], sample: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = sample("ct-chest").read_bytes()
    done = seer("sample", "ct-chest", "-o", tmp_path / "s", "--json")
    assert done.code == 0
    assert Path(done.json["files"]["volume"]).read_bytes() == expected


def test_the_doctor_names_what_is_missing(seer: Callable[..., Run]) -> None:
    done = seer("doctor")
    assert done.code == 0
    assert __version__ in done.out
    for name in ("numpy", "scripted", "box", "download its weights"):
        assert name in done.out
    content = seer("doctor", "--json").json
    parts = {row["name"]: row for row in content["reasoners"]} | {row["name"]: row for row in content["backbones"]}
    assert parts["unready"]["ready"] is False
    assert parts["unready"]["what_to_do"] == "download its weights"
    assert parts["box"]["accepts"] == ["label"]


def test_the_doctor_survives_a_part_that_cannot_be_loaded(
    seer: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.BACKBONES, "gone", "no_such_module:Gone")
    content = seer("doctor", "--json").json
    (gone,) = [row for row in content["backbones"] if row["name"] == "gone"]
    assert gone["ready"] is False
    assert "no_such_module" in gone["what_to_do"]


# -------------------------------------------------------------------------------------------------- the reference


def test_the_reference_names_every_option_and_no_other(repository: Path) -> None:
    text = (repository / "docs/command-line.md").read_text(encoding="utf-8")
    parser = build_parser()
    commands = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction)).choices
    for name, command in commands.items():
        section = re.search(rf"^## seer {name}$(.*?)(?=^## |\Z)", text, re.M | re.S)
        assert section is not None, name
        options = {o for action in command._actions for o in action.option_strings if o.startswith("--")}
        common = {"--help", "--json", "--quiet", "--debug"}
        rows = set(re.findall(r"^\| `(--[a-z-]+)", section[1], re.M))
        assert rows == options - common, name
    assert all(f"`{option}`" in text for option in ("--json", "--quiet", "--debug"))


# ------------------------------------------------------------------------------------------------- as a real process


def process(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "SEERSegmentLib", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]


def test_version_and_help() -> None:
    assert process("--version").stdout == f"seer {__version__}\n"
    for command in ("segment", "reason", "views", "sample", "doctor", "demo"):
        done = process(command, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert command in done.stdout


def test_a_terminal_that_knows_no_umlauts() -> None:
    done = process("sample", "unicörn", "-o", "x", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 2
    assert "unic\\xf6rn" in done.stderr


def test_a_reader_that_goes_away() -> None:
    command = [sys.executable, "-m", "SEERSegmentLib", "sample", "--list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 141


def test_help_needs_none_of_the_dependencies() -> None:
    code = (
        "import sys\n"
        "for name in ('numpy', 'scipy', 'SimpleITK', 'PIL', 'pydicom', 'rich', 'slicerio'): sys.modules[name] = None\n"
        "from SEERSegmentLib.cli import main\n"
        "assert main(['--help']) == 0\n"
        "sys.exit(main(['sample', 'x']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "segment" in done.stdout
