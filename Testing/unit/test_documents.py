"""What README and CONTRIBUTING show is run here as it stands, and what documents name exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import slicerio

from SEERSegmentLib import registry
from SEERSegmentLib.cli import main
from SEERSegmentLib.cli.main import build_parser
from SEERSegmentLib.errors import UnsupportedTarget
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.pipeline import Job, run
from SEERSegmentLib.protocols import Backbone
from SEERSegmentLib.reasoning import clean_request
from SEERSegmentLib.registry import make_backbone, make_reasoner
from SEERSegmentLib.values import Segmentation, Volume


def write_volume(volume: Volume, path: Path) -> None:
    image = sitk.GetImageFromArray(volume.voxels)
    lps = np.diag([-1.0, -1.0, 1.0]) @ volume.affine[:3]
    image.SetSpacing(volume.spacing)
    image.SetOrigin(lps[:, 3].tolist())
    image.SetDirection((lps[:, :3] / np.array(volume.spacing)).ravel().tolist())
    sitk.WriteImage(image, str(path))


def blocks(path: Path, language: str = "") -> list[str]:
    """Fenced blocks of a document."""
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.M | re.S)


def test_the_library_example_of_the_readme_runs(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume, truth = chest_phantom(4.0)
    write_volume(volume, tmp_path / "chest.nii.gz")
    monkeypatch.chdir(tmp_path)
    (example,) = blocks(repository / "README.md", "python")
    names: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec"), names)
    assert isinstance(names["result"], Segmentation)
    read = slicerio.read_segmentation(str(tmp_path / "lung.seg.nrrd"))
    assert [segment["name"] for segment in read["segments"]] == ["right lung"]
    assert int((read["voxels"] > 0).sum()) == pytest.approx(int(truth["lung_right"].sum()), rel=0.05)


def test_the_library_example_of_the_imaging_page_runs(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume, _ = chest_phantom(5.0)
    write_volume(volume, tmp_path / "chest.nii.gz")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for example in blocks(repository / "docs/imaging.md", "python"):
        exec(compile(example, "imaging.md", "exec"), names)
    assert names["mask_as_stored"].shape == names["volume"].shape
    assert names["views"]


def test_the_backbone_of_the_contributing_guide_takes_a_request(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = blocks(repository / "CONTRIBUTING.md", "python")
    names: dict[str, Any] = {"__name__": "my_package"}
    exec(compile(example, "CONTRIBUTING.md", "exec"), names)
    monkeypatch.setattr("SEERSegmentLib.bright", names["BrightBackbone"], raising=False)
    monkeypatch.setattr(registry, "BACKBONES", {**registry.BACKBONES, "bright": "SEERSegmentLib:bright"})
    backbone = make_backbone("bright")
    assert isinstance(backbone, Backbone)
    assert backbone.readiness().ready
    volume, _ = chest_phantom(5.0)
    job = Job(volume, clean_request("show me all the bones"), make_reasoner("lexical"), backbone)
    result = run(job)
    assert isinstance(result, Segmentation)
    np.testing.assert_array_equal(result.segments[0].mask.voxels, volume.voxels > 300)
    with pytest.raises(UnsupportedTarget, match="skeleton only"):
        run(replace(job, request=clean_request("the right lung")))


@pytest.mark.parametrize("name", ["README.md", "docs/command-line.md"])
def test_every_command_that_is_shown_can_be_parsed(repository: Path, name: str) -> None:
    text = (repository / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"^(?:    \$ )?(seer [a-z].*?)(?:; echo \$\?)?$", text, re.M)
    assert len(lines) >= 4
    for line in lines:
        words = shlex.split(re.split(r"\s{3,}", line)[0])[1:]
        assert build_parser().parse_args([word.replace("…", "x") for word in words]).command == words[0]


def shown_runs(path: Path) -> list[tuple[str, list[str]]]:
    """Each ``$ command`` of a document with the lines that it is said to print."""
    runs: list[tuple[str, list[str]]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("    $ "):
            runs.append((line[6:], []))
        elif line.startswith("    ") and runs and runs[-1][1] is not None:
            runs[-1][1].append(line[4:])
        elif line.strip():
            runs.append(("", []))  # what follows belongs to no command
    return [run for run in runs if run[0]]


def pattern(shown: list[str]) -> str:
    """A line of ``…`` stands for any lines, one within a line for any words; numbers may differ."""
    lines = []
    for line in shown:
        if line.strip() == "…":
            lines.append(r"(?:.*\n)*?")
        else:
            words = re.sub(r"[\d.,]*\d", "\0", re.sub(r" {2,}", "  ", line.rstrip()))
            lines.append(re.escape(words).replace("\0", r"[\d.,]*\d").replace("…", ".*") + r"\n")
    return "".join(lines) + r"\n*"


def test_what_the_reference_shows_is_what_comes(
    repository: Path,
    sample: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "chest.nii.gz").symlink_to(sample("aorta-ct"))
    monkeypatch.chdir(tmp_path)
    runs = shown_runs(repository / "docs/command-line.md")
    assert len(runs) >= 8
    for line, shown in runs:
        command, _, after = line.partition("; ")
        words = shlex.split(command)
        if words[0] == "cat":
            (tmp_path / words[1]).write_text("\n".join(shown), encoding="utf-8")
            continue
        code = main(words[1:])
        out, err = capsys.readouterr()
        if not shown:
            assert code == 0, line
            continue
        printed = re.sub(r" {2,}", "  ", out + "".join(f"{x}\n" for x in err.splitlines() if not x.endswith(" ...")))
        printed = re.sub(r"\n{2,}", "\n", printed)  # empty lines belong to the document's paragraphs too
        printed += f"{code}\n" if after == "echo $?" else ""
        assert re.fullmatch(pattern(shown), printed), f"{line}\n{printed}"


def test_what_documents_name_exists(repository: Path) -> None:
    """Links between documents, and files of the project that are named in code style."""
    documents = [*repository.glob("*.md"), *repository.glob("docs/*.md")]
    assert len(documents) > 6
    for document in documents:
        text = document.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (document.parent / link).exists(), f"{document.name}: {link}"
        for named in re.findall(r"`((?:SEERSegmentLib|Testing|bench|docs)/[\w./*-]+)`", text):
            assert list(repository.glob(named)), f"{document.name}: {named}"


def test_the_requests_of_the_readme_are_read_as_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reason", "--request", "the vertebra just below T12", "--modality", "CT", "--json"]) == 0
    assert '"vertebrae_L1"' in capsys.readouterr().out
    assert main(["reason", "--request", "?hydro on the right, outline the organ", "--modality", "CT", "--json"]) == 0
    assert '"kidney_right"' in capsys.readouterr().out
