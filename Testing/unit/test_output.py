"""Segmentation files and the report: what is written is what was found, wherever it is read back.

One long file: writers and report are held against the same hand-made segmentations.
"""

from __future__ import annotations

import dataclasses
import json
import re
import tracemalloc
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
import slicerio
from numpy.typing import NDArray

from SEERSegmentLib.anatomy import load_vocabulary
from SEERSegmentLib.errors import SeerError, StorageError, UsageError
from SEERSegmentLib.imaging import render_views
from SEERSegmentLib.output import (
    as_plain,
    check_segmentation_path,
    check_writable,
    write_report,
    write_segmentation,
)
from SEERSegmentLib.output.atomic import write_atomically
from SEERSegmentLib.output.report.page import render_report
from SEERSegmentLib.output.snapshots import target_views
from SEERSegmentLib.values import (
    RESEARCH_USE_ONLY,
    Abstention,
    Code,
    Evidence,
    Finding,
    Mask,
    Modality,
    Plane,
    Provenance,
    Reasoning,
    Request,
    Segment,
    Segmentation,
    Severity,
    Side,
    Skill,
    Stage,
    StageRecord,
    Target,
    TargetSpec,
    Terminology,
    Volume,
)

ANATOMY = Code("SCT", "123037004", "Anatomical Structure")
KIDNEY = Terminology(ANATOMY, Code("SCT", "64033007", "Kidney"), Code("SCT", "7771000", "Left"))
NASTY = 'a <script>alert("x")</script> & "b" | c: d ~ e ^ f\n%7C Größe 肝 \\'

TURN = np.radians(20)
OBLIQUE = np.array([[np.cos(TURN), -np.sin(TURN), 0], [np.sin(TURN), np.cos(TURN), 0], [0, 0, 1]])
GEOMETRIES = {
    "LPS": np.diag([-1.0, -1.0, 1.0]),
    "RAS": np.eye(3),
    "left-handed": np.diag([-1.0, 1.0, 1.0]),
    "permuted": np.array([[0, 0, 1.0], [-1.0, 0, 0], [0, 1.0, 0]]),
    "oblique": OBLIQUE,
    "oblique left-handed": OBLIQUE @ np.diag([1.0, 1.0, -1.0]),
}


def geometry(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3, :3] = directions * np.array([0.8, 1.1, 2.5])
    affine[:3, 3] = (-31.5, 12.25, -340.125)
    return affine


def box(shape: tuple[int, int, int], *bounds: tuple[int, int]) -> NDArray[np.bool_]:
    mask = np.zeros(shape, bool)
    mask[tuple(slice(*bound) for bound in bounds)] = True
    return mask


def segmentation(
    affine: NDArray[np.float64] | None = None,
    masks: Sequence[NDArray[np.bool_]] | None = None,
    names: Sequence[str] = ("left kidney", NASTY),
    request: str = NASTY,
) -> Segmentation:
    shape = (7, 9, 11)
    affine = geometry(GEOMETRIES["LPS"]) if affine is None else affine
    if masks is None:
        masks = [box(shape, (1, 4), (2, 7), (3, 6)), box(shape, (4, 6), (0, 3), (8, 11))]
    ramp = np.arange(np.prod(masks[0].shape)).reshape(masks[0].shape) % 400 - 100
    volume = Volume(ramp.astype(np.int16), affine, Modality.CT, "user", "ct ü.nii.gz", ("reoriented RAS to LPS",))
    segments = []
    for number, (mask, name) in enumerate(zip(masks, names, strict=True), 1):
        known = name == "left kidney"
        target = Target(name, "kidney_left", Side.LEFT, "", "64033007") if known else Target(name)
        volume_ml = int(mask.sum()) * volume.voxel_ml
        segments.append(
            Segment(
                f"Segment_{number}",
                name,
                Mask(mask, affine, target),
                (185 - 40 * number, 102, 83),
                KIDNEY if known else None,
                volume_ml,
            )
        )
    evidence = (
        Evidence("field-of-view", "Field of view <b>head to foot</b>", 286.5, "mm", "axial slices 0-6"),
        Evidence("seen", "Two kidneys", None, "", "coronal 4"),
    )
    findings = (
        Finding("border", Severity.WARNING, "Touches the border & ends there.", target="left kidney", advice="Look."),
        Finding("side", Severity.INFO, "On its own side.", status="agree"),
    )
    provenance = Provenance(
        "SEER test",
        (
            StageRecord(Stage.READ, volume.name, "", volume.sha256, 0.125, (("voxels", "11 × 9 × 7"),)),
            StageRecord(Stage.SEGMENT, "classical", "1.2", "ab" * 32),
        ),
    )
    return Segmentation(
        volume,
        Request(request, "r1"),
        render_views(volume),
        (Skill("seer:1", "ABBR_DISAMBIGUATE", "“lt” is left.", why_retrieved="“lt” in the request"),),
        Reasoning(
            evidence, ("Step one.", "Step <i>two</i>."), "left kidney", "lexical", ("seer:1",), raw="raw | reply"
        ),
        TargetSpec("left kidney", tuple(s.mask.target for s in segments)),
        tuple(segments),
        findings,
        provenance,
    )


# ---------------------------------------------------------------------------------------------------------- .seg.nrrd


@pytest.mark.parametrize("directions", GEOMETRIES.values(), ids=GEOMETRIES)
def test_seg_nrrd_keeps_voxels_and_geometry(tmp_path: Path, directions: NDArray[np.float64]) -> None:
    result = segmentation(geometry(directions))
    path = tmp_path / "out ü.seg.nrrd"
    assert write_segmentation(result, path) == (path,)
    expected = result.segments[0].mask.voxels + 2 * result.segments[1].mask.voxels.astype(np.uint8)
    lps = np.diag([-1, -1, 1, 1]) @ result.volume.affine

    read = slicerio.read_segmentation(str(path))
    assert np.array_equal(read["voxels"], expected.T)
    assert np.allclose(read["ijkToLPS"], lps, atol=1e-9)
    voxels, header = nrrd.read(str(path))
    assert voxels.dtype == np.uint8
    assert np.allclose(header["space directions"].T, lps[:3, :3], atol=1e-9)
    image = sitk.ReadImage(str(path))
    assert np.array_equal(sitk.GetArrayFromImage(image), expected)
    assert image.TransformIndexToPhysicalPoint((3, 5, 2)) == pytest.approx((lps @ [3, 5, 2, 1])[:3])


def test_seg_nrrd_carries_names_colours_codes_and_where_it_comes_from(tmp_path: Path) -> None:
    result = segmentation()
    path = tmp_path / "out.seg.nrrd"
    write_segmentation(result, path)
    read = slicerio.read_segmentation(str(path))
    first, second = read["segments"]
    assert read["SEER_Notice"] == RESEARCH_USE_ONLY
    assert (first["id"], first["name"], first["labelValue"], first["layer"]) == ("Segment_1", "left kidney", 1, 0)
    assert first["color"] == pytest.approx([145 / 255, 102 / 255, 83 / 255], abs=1e-6)
    assert first["terminology"] == {
        "contextName": "Segmentation category and type - 3D Slicer General Anatomy list",
        "category": ["SCT", "123037004", "Anatomical Structure"],
        "type": ["SCT", "64033007", "Kidney"],
        "typeModifier": ["SCT", "7771000", "Left"],
        "anatomicContextName": "Anatomic codes - DICOM master list",
    }
    assert "terminology" not in second
    for segment in (first, second):
        tags = segment["tags"]
        assert tags["SEER.Notice"] == RESEARCH_USE_ONLY
        decoded = {key: json.loads(unquote(tags[key])) for key in tags if key not in ("SEER.Notice", "SEER.VolumeML")}
        assert decoded["SEER.Request"] == {"text": NASTY, "id": "r1"}
        assert decoded["SEER.Reasoning"]["answer"] == "left kidney"
        assert decoded["SEER.Reasoning"]["rationale"] == ["Step one.", "Step <i>two</i>."]
        assert decoded["SEER.Reasoning"]["evidence"][0]["value"] == 286.5
        assert decoded["SEER.Reasoning"]["raw"] == "raw | reply"
        assert decoded["SEER.Findings"] == as_plain(result.findings)
        assert decoded["SEER.Provenance"]["records"][0]["sha256"] == result.volume.sha256
        assert decoded["SEER.Volume"]["ijk_to_ras"] == result.volume.affine.tolist()
    assert json.loads(unquote(second["tags"]["SEER.Target"]))["text"] == NASTY
    assert float(first["tags"]["SEER.VolumeML"]) == pytest.approx(result.segments[0].volume_ml, abs=1e-3)


def test_a_lesion_says_in_which_organ_and_on_which_side_it_lies(tmp_path: Path) -> None:
    lesion = load_vocabulary().get("adrenal_tumor_left")
    result = segmentation()
    first = dataclasses.replace(result.segments[0], terminology=lesion.terminology)
    result = dataclasses.replace(result, segments=(first,))
    write_segmentation(result, tmp_path / "out.seg.nrrd")
    (segment,) = slicerio.read_segmentation(str(tmp_path / "out.seg.nrrd"))["segments"]
    assert segment["terminology"]["anatomicRegion"] == ["SCT", "23451007", "Adrenal gland"]
    assert segment["terminology"]["anatomicRegionModifier"] == ["SCT", "7771000", "Left"]
    page = render_report(result)
    assert "23451007" in page
    assert "7771000" in page


def test_the_header_is_what_slicer_writes(tmp_path: Path) -> None:
    """Read as bytes: one line per field, UTF-8 names, a full terminology entry, tags that Slicer keeps whole."""
    path = tmp_path / "out.seg.nrrd"
    write_segmentation(segmentation(), path)
    header = path.read_bytes().split(b"\n\n")[0].decode("utf-8")
    fields = dict(line.split(":=", 1) for line in header.split("\n") if ":=" in line)
    assert fields["Segment1_Name"] == NASTY.replace("\n", " ")
    entry = (
        "Segmentation category and type - 3D Slicer General Anatomy list~SCT^123037004^Anatomical Structure"
        "~SCT^64033007^Kidney~SCT^7771000^Left~Anatomic codes - DICOM master list~^^~^^"
    )
    tags = fields["Segment0_Tags"].split("|")
    assert f"TerminologyEntry:{entry}" in tags
    assert tags[-1] == ""
    for tag in tags[:-1]:
        key, value = tag.split(":", 1)
        assert re.fullmatch(r"[A-Za-z.]+", key)
        assert ":" not in value
        assert value.isascii()
    assert fields["Segmentation_MasterRepresentation"] == "Binary labelmap"
    name, geometry_text, description = fields["Segmentation_ConversionParameters"].split("|")
    assert description.endswith("&")
    assert name == "Reference image geometry"
    assert geometry_text.endswith(";0;10;0;8;0;6;")


def test_overlapping_segments_get_layers(tmp_path: Path) -> None:
    shape = (7, 9, 11)
    both = box(shape, (1, 6), (1, 8), (1, 10))
    masks = [
        both,
        box(shape, (1, 3), (1, 8), (1, 10)),
        box(shape, (3, 6), (1, 8), (1, 10)),
        box(shape, (2, 4), (2, 4), (2, 4)),
    ]
    result = segmentation(geometry(OBLIQUE), masks, ["lungs", "a", "b", "nodule"])
    path = tmp_path / "out.seg.nrrd"
    write_segmentation(result, path)
    read = slicerio.read_segmentation(str(path))
    assert [segment["layer"] for segment in read["segments"]] == [0, 1, 1, 2]
    assert [segment["labelValue"] for segment in read["segments"]] == [1, 1, 2, 1]
    assert read["voxels"].shape == (3, 11, 9, 7)
    assert np.allclose(read["ijkToLPS"], np.diag([-1, -1, 1, 1]) @ result.volume.affine)
    for segment, mask in zip(read["segments"], masks, strict=True):
        assert np.array_equal(read["voxels"][segment["layer"]] == segment["labelValue"], mask.T)


@pytest.mark.parametrize("suffix", [".seg.nrrd", ".nii.gz"])
def test_more_segments_than_a_byte_holds(tmp_path: Path, suffix: str) -> None:
    masks = [box((1, 16, 20), (0, 1), (n // 20, n // 20 + 1), (n % 20, n % 20 + 1)) for n in range(300)]
    result = segmentation(masks=masks, names=[f"s{n}" for n in range(300)])
    path, *_ = write_segmentation(result, tmp_path / f"out{suffix}")
    read = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    assert np.array_equal(np.unique(read), np.arange(301))


def test_one_mask_is_not_copied() -> None:
    from SEERSegmentLib.output.seg_nrrd import merge_labels

    mask = box((3, 4, 5), (1, 2), (0, 4), (2, 5))
    assert np.shares_memory(merge_labels([mask], [1]), mask)


def test_writing_one_segment_takes_no_second_volume(tmp_path: Path) -> None:
    shape = (64, 256, 256)
    mask = box(shape, (10, 50), (40, 200), (50, 210))
    volume = Volume(np.zeros(shape, np.int16), geometry(OBLIQUE), Modality.CT)
    segment = Segment("s", "s", Mask(mask, volume.affine, Target("s")), (1, 2, 3), None, 1.0)
    result = dataclasses.replace(segmentation(), volume=volume, segments=(segment,))
    write_segmentation(segmentation(), tmp_path / "warm-up.seg.nrrd")
    tracemalloc.start()
    try:
        write_segmentation(result, tmp_path / "out.seg.nrrd")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.25 * volume.voxels.nbytes


def test_masks_are_left_as_they_were(tmp_path: Path) -> None:
    shape = (7, 9, 11)
    masks = [box(shape, (0, 2), (0, 9), (0, 9)), box(shape, (3, 5), (0, 9), (0, 9)), box(shape, (5, 7), (0, 9), (0, 9))]
    before = [mask.copy() for mask in masks]
    write_segmentation(segmentation(masks=masks, names="abc"), tmp_path / "out.seg.nrrd")
    assert all(np.array_equal(a, b) for a, b in zip(masks, before, strict=True))


def test_segment_ids_are_unique_in_the_file(tmp_path: Path) -> None:
    result = segmentation()
    twins = tuple(dataclasses.replace(segment, id="same") for segment in result.segments)
    write_segmentation(dataclasses.replace(result, segments=twins), tmp_path / "out.seg.nrrd")
    read = slicerio.read_segmentation(str(tmp_path / "out.seg.nrrd"))
    assert [segment["id"] for segment in read["segments"]] == ["same", "same_2"]


# --------------------------------------------------------------------------------------------------------------- NIfTI


@pytest.mark.parametrize("directions", GEOMETRIES.values(), ids=GEOMETRIES)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_nifti_keeps_voxels_and_geometry(tmp_path: Path, directions: NDArray[np.float64], suffix: str) -> None:
    result = segmentation(geometry(directions))
    path, names = write_segmentation(result, tmp_path / f"out{suffix}")
    expected = result.segments[0].mask.voxels + 2 * result.segments[1].mask.voxels.astype(np.uint8)
    image = nibabel.load(path)
    assert np.array_equal(np.asarray(image.dataobj), expected.T)
    assert image.get_data_dtype() == np.uint8
    assert np.allclose(image.affine, result.volume.affine, atol=1e-4)  # NIfTI stores single precision
    content = json.loads(names.read_text(encoding="utf-8"))
    assert names == tmp_path / "out.json"
    assert content["notice"] == RESEARCH_USE_ONLY
    assert content["labels"] == {"1": "left kidney", "2": NASTY}
    assert content["segments"][0]["terminology"]["type"]["value"] == "64033007"
    assert content["request"]["text"] == NASTY


def test_nifti_refuses_overlap(tmp_path: Path) -> None:
    mask = box((7, 9, 11), (1, 4), (2, 7), (3, 6))
    with pytest.raises(StorageError, match=r"\.seg\.nrrd") as caught:
        write_segmentation(segmentation(masks=[mask, mask], names=["a", "b"]), tmp_path / "out.nii.gz")
    assert caught.value.code == "segments-overlap"
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------ what can't be written


@pytest.mark.parametrize("name", ["out.nrrd", "out.mha", "out", ".seg.nrrd", "out.seg.nrrd.txt", "out.dcm"])
def test_other_formats_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        write_segmentation(segmentation(), tmp_path / name)
    assert caught.value.code == "output-suffix"
    assert ".nii.gz" in caught.value.user_message
    assert list(tmp_path.iterdir()) == []


def _spoiled(folder: Path, case: str) -> Path:
    if case == "output-folder-missing":
        return folder / "no" / "such" / "out.seg.nrrd"
    if case == "output-folder-is-file":
        (folder / "file").write_text("x")
        return folder / "file" / "out.seg.nrrd"
    if case == "output-is-folder":
        (folder / "out.seg.nrrd").mkdir()
        return folder / "out.seg.nrrd"
    return folder / ("x" * 300 + ".seg.nrrd")


@pytest.mark.parametrize(
    "case", ["output-folder-missing", "output-folder-is-file", "output-is-folder", "output-unwritable"]
)
def test_each_unwritable_path_has_its_code(tmp_path: Path, case: str) -> None:
    path = _spoiled(tmp_path, case)
    before = sorted(tmp_path.rglob("*"))
    for check in (lambda: check_segmentation_path(path), lambda: write_segmentation(segmentation(), path)):
        with pytest.raises(StorageError) as caught:
            check()
        assert caught.value.code == case
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_below_a_file_deep_down(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError) as caught:
        check_writable(tmp_path / "file" / "a" / "b.seg.nrrd")
    assert caught.value.code == "output-folder-is-file"


def test_checking_leaves_nothing_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "out.seg.nrrd"
    path.write_text("mine")
    check_segmentation_path(path)
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("bug")])
def test_a_failed_write_leaves_what_was_there(tmp_path: Path, failure: BaseException) -> None:
    path = tmp_path / "out.txt"
    path.write_text("before")
    expected = StorageError if isinstance(failure, OSError) else type(failure)

    def write() -> None:
        with write_atomically(path) as scratch:
            scratch.write_text("half")
            raise failure

    with pytest.raises(expected):
        write()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.html"
    link.symlink_to(tmp_path / "real" / "report.html")
    write_report(segmentation(), link)
    assert link.is_symlink()
    assert (tmp_path / "real" / "report.html").stat().st_size > 1000


def test_a_mask_off_the_grid_is_not_written(tmp_path: Path) -> None:
    result = segmentation()
    moved = result.volume.affine.copy()
    moved[0, 3] += 1
    segment = dataclasses.replace(
        result.segments[0], mask=Mask(result.segments[0].mask.voxels, moved, Target("left kidney"))
    )
    with pytest.raises(StorageError) as caught:
        write_segmentation(dataclasses.replace(result, segments=(segment,)), tmp_path / "out.seg.nrrd")
    assert caught.value.code == "mask-off-grid"


def test_nothing_to_write(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        write_segmentation(dataclasses.replace(segmentation(), segments=()), tmp_path / "out.seg.nrrd")
    assert caught.value.code == "segmentation-empty"


# ------------------------------------------------------------------------------------------------------ plain values


def test_plain_values_are_strict_json() -> None:
    plain = as_plain({"a": (1, float("nan"), np.float32(0.5), np.int16(3)), "b": Plane.AXIAL, "c": frozenset("yx")})
    assert plain == {"a": [1, None, 0.5, 3], "b": "axial", "c": ["x", "y"]}
    assert json.loads(json.dumps(as_plain(segmentation().provenance), allow_nan=False))["software"] == "SEER test"
    with pytest.raises(TypeError, match="ndarray"):
        as_plain(np.zeros(3))


# -------------------------------------------------------------------------------------------------------- snapshots


@pytest.mark.parametrize("directions", GEOMETRIES.values(), ids=GEOMETRIES)
def test_target_views_go_through_the_target(directions: NDArray[np.float64]) -> None:
    mask = np.zeros((7, 9, 11), bool)
    mask[5, 2, 7] = True
    affine = geometry(directions)
    views = target_views(segmentation(affine, [mask], ["nodule"]))
    assert [view.plane for view in views] == [Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL]
    voxel = affine @ [7, 2, 5, 1]
    for view in views:
        column, row, depth, _ = np.linalg.solve(view.pixel_to_ras, voxel)
        assert depth == pytest.approx(0, abs=1e-9)
        assert (column, row) == pytest.approx((round(column), round(row)), abs=1e-9)
        assert 0 <= round(row) < view.pixels.shape[0]
        assert 0 <= round(column) < view.pixels.shape[1]


def test_target_views_show_the_voxel_where_it_is() -> None:
    """The one bright voxel is bright in each view at the pixel that its map gives."""
    mask = np.zeros((7, 9, 11), bool)
    mask[5, 2, 7] = True
    for directions in GEOMETRIES.values():
        affine = geometry(directions)
        result = segmentation(affine, [mask], ["nodule"])
        volume = dataclasses.replace(result.volume, voxels=np.where(mask, 100, -1000).astype(np.int16))
        for view in target_views(dataclasses.replace(result, volume=volume)):
            column, row, _, _ = np.round(np.linalg.solve(view.pixel_to_ras, affine @ [7, 2, 5, 1])).astype(int)
            assert np.argwhere(view.pixels > 0).tolist() == [[row, column]]


def test_no_target_views_of_nothing() -> None:
    assert target_views(segmentation(masks=[np.zeros((7, 9, 11), bool)], names=["nothing"])) == ()


@pytest.mark.parametrize(("intensity", "window"), [(40, (-160, 240)), (-850, (-1350, 150)), (900, (-500, 1300))])
def test_the_window_shows_the_target_as_grey(intensity: int, window: tuple[float, float]) -> None:
    result = segmentation(masks=[box((7, 9, 11), (1, 4), (2, 7), (3, 6))], names=["thing"])
    volume = dataclasses.replace(result.volume, voxels=np.full((7, 9, 11), intensity, np.int16))
    assert {view.window for view in target_views(dataclasses.replace(result, volume=volume))} == {window}


@pytest.mark.parametrize(
    ("structure", "window"),
    [("skeleton", (-500, 1300)), ("vertebrae_L1", (-500, 1300)), ("brain", (0, 80)), ("liver", (-160, 240))],
)
def test_bones_and_brain_get_their_own_window(structure: str, window: tuple[float, float]) -> None:
    result = segmentation(masks=[box((7, 9, 11), (1, 4), (2, 7), (3, 6))], names=["thing"])
    volume = dataclasses.replace(result.volume, voxels=np.full((7, 9, 11), 40, np.int16))
    (segment,) = result.segments
    mask = dataclasses.replace(segment.mask, target=Target("thing", structure))
    result = dataclasses.replace(result, volume=volume, segments=(dataclasses.replace(segment, mask=mask),))
    assert {view.window for view in target_views(result)} == {window}


# ----------------------------------------------------------------------------------------------------------- report


class _Page(HTMLParser):
    """What a browser would find: tags with attributes, and the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page() -> _Page:
    return _Page(render_report(segmentation()))


def test_the_report_says_everything(page: _Page) -> None:
    assert page.open == []
    for words in (
        RESEARCH_USE_ONLY,
        NASTY,
        "left kidney",
        "64033007",
        "7771000",
        "Field of view <b>head to foot</b>",
        "286.5",
        "axial slices 0-6",
        "Step <i>two</i>.",
        "Touches the border & ends there.",
        "Warning",
        "agree",
        "ABBR_DISAMBIGUATE",
        "classical",
        "0.12",
        "ab" * 6,
        "ct ü.nii.gz",
        "reoriented RAS to LPS",
        "11 × 9 × 7",
    ):
        assert words in page.text, words


def test_the_report_loads_and_runs_nothing(page: _Page) -> None:
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "img", "form", "a"}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href"):
            assert (attributes.get(name) or "data:image/png").startswith("data:image/png")
    assert any("default-src 'none'" in (attributes.get("content") or "") for _, attributes in page.tags)


def test_the_report_has_a_picture_of_every_view_with_outlines_and_letters(page: _Page) -> None:
    result = segmentation()
    figures = [attributes for tag, attributes in page.tags if tag == "svg" and attributes.get("role") == "img"]
    assert len(figures) == 3 + len(result.views)
    assert sum(1 for tag, _ in page.tags if tag == "text") == 4 * len(figures)
    described = [attributes["aria-label"] or "" for attributes in figures]
    assert all("image left is patient" in words for words in described)
    assert "outlines of left kidney" in described[0]
    strokes = {attributes.get("stroke") for tag, attributes in page.tags if tag == "path"}
    assert {"#916653", "#696653"} <= strokes


def test_hostile_text_stays_text_wherever_it_stands() -> None:
    nasty = NASTY.replace("\n", " ") + "\x00\x1b[31m\ud800"
    result = segmentation(names=(nasty, nasty), request=nasty)
    result = dataclasses.replace(
        result,
        spec=TargetSpec(nasty, ()),
        volume=dataclasses.replace(result.volume, name=nasty, transforms=(nasty,)),
        reasoning=Reasoning((Evidence(nasty, nasty, nasty, nasty, nasty),), (nasty,), nasty, nasty),
        findings=(Finding(nasty, Severity.ERROR, nasty, True, nasty, nasty, nasty),),
        skills=(Skill(nasty, nasty, nasty, nasty, nasty),),
        provenance=Provenance(nasty, (StageRecord(Stage.READ, nasty, nasty, nasty, 1.0, ((nasty, nasty),)),)),
    )
    text = render_report(result)
    assert "<script" not in text
    assert "\x00" not in text
    text.encode("utf-8")
    assert _Page(text).open == []


def test_the_report_of_an_abstention(tmp_path: Path) -> None:
    result = segmentation()
    abstention = Abstention(
        "alternatives",
        "Two things with “or” between them.",
        "Which of the two?",
        ("the <liver>", "the spleen"),
        result.reasoning.evidence,
        ("One step.",),
        "lexical",
        result.findings,
        result.provenance,
    )
    path = write_report(
        abstention, tmp_path / "r.html", request=result.request, volume=result.volume, views=result.views
    )
    page = _Page(path.read_text(encoding="utf-8"))
    for words in ("abstained", "Two things with “or”", "Which of the two?", "the <liver>", NASTY, "One step."):
        assert words in page.text
    assert sum(1 for _, attributes in page.tags if attributes.get("role") == "img") == len(result.views)
    bare = _Page(render_report(Abstention("empty", "Nothing asked.", "What?")))
    assert "Nothing asked." in bare.text


def test_a_report_is_named_as_a_web_page(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        write_report(segmentation(), tmp_path / "report.pdf")
    assert caught.value.code == "report-suffix"
    with pytest.raises(SeerError) as unwritable:
        write_report(segmentation(), tmp_path / "no" / "report.html")
    assert unwritable.value.code == "output-folder-missing"
