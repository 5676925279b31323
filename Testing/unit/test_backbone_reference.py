"""The backbone ``reference``: geometry, names, unions."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from SEERSegmentLib.backbones.label_names import read_label_names
from SEERSegmentLib.backbones.reference import ReferenceBackbone
from SEERSegmentLib.errors import BackboneError, InputError, UnsupportedTarget, UsageError
from SEERSegmentLib.imaging import read_labelmap, read_volume
from SEERSegmentLib.imaging.orient import Reorientation
from SEERSegmentLib.metrics import dice
from SEERSegmentLib.pipeline import Job, run
from SEERSegmentLib.protocols import CancelToken, ignore_progress
from SEERSegmentLib.reasoning.lexical import LexicalReasoner
from SEERSegmentLib.values import Modality, Request, Segmentation, Stage, Target, TargetSpec, Volume

Sample = Callable[..., Path]

RIGHT_LUNG = Target("right lung", "lung_right")
ORIENTATIONS = [
    (axes, flips) for axes in itertools.permutations((0, 1, 2)) for flips in itertools.product((False, True), repeat=3)
]


def segment(backbone: ReferenceBackbone, volume: Volume, *targets: Target) -> list[np.ndarray]:
    spec = TargetSpec(" and ".join(t.text for t in targets), targets)
    masks = backbone.segment(volume, spec, ignore_progress, CancelToken())
    assert [mask.target for mask in masks] == list(targets)
    for mask in masks:
        assert mask.voxels.shape == volume.shape
        assert mask.voxels.dtype == np.bool_
        np.testing.assert_array_equal(mask.affine, volume.affine)
    return [mask.voxels for mask in masks]


def remarks(backbone: ReferenceBackbone, volume: Volume, *targets: Target) -> list[str]:
    """What the backbone says of its masks."""
    masks = backbone.segment(volume, TargetSpec("", targets), ignore_progress, CancelToken())
    return [finding.message for mask in masks for finding in mask.findings]


def turned(volume: Volume, axes: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> tuple[Volume, Reorientation]:
    turn = Reorientation(volume.shape, axes, flips)
    affine = volume.affine @ turn.index_affine()
    return Volume(turn.apply(volume.voxels), affine, volume.modality, "test"), turn


def small_map(values: np.ndarray, affine: np.ndarray | None = None) -> Volume:
    return Volume(values, np.eye(4) if affine is None else affine)


def test_all_48_orientations_of_a_real_volume(sample: Sample) -> None:
    volume = read_volume(sample("ct-chest"), modality=Modality.CT)
    truth = read_labelmap(sample("ct-chest", "labels")).voxels == 5
    backbone = ReferenceBackbone(sample("ct-chest", "labels"))
    for axes, flips in ORIENTATIONS:
        other, turn = turned(volume, axes, flips)
        (mask,) = segment(backbone, other, RIGHT_LUNG)
        assert dice(turn.invert(mask), truth) == 1.0
        assert remarks(backbone, other, RIGHT_LUNG) == []


def test_slicer_segmentation_names_itself(sample: Sample) -> None:
    volume = read_volume(sample("ct-chest"), modality=Modality.CT)
    labels = read_labelmap(sample("ct-chest", "labels")).voxels
    backbone = ReferenceBackbone(sample("ct-chest", "labels"))
    lungs, spine, tissue = segment(
        backbone, volume, Target("lungs", "lungs"), Target("spine", "spine"), Target("Tissue")
    )
    assert dice(lungs, np.isin(labels, (5, 6))) == 1.0
    assert dice(spine, np.isin(labels, (2, 3, 4))) == 1.0
    assert dice(tissue, labels == 7) == 1.0
    assert any("sacrum" in remark for remark in remarks(backbone, volume, Target("spine", "spine")))


def test_slightly_rounded_header_is_the_same_grid() -> None:
    labels = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    affine = np.diag([0.7, 0.7, 2.5, 1.0])
    affine[:3, 3] = [-120.12345, 33.3, 7.0]
    backbone = ReferenceBackbone(small_map(labels, affine), {59: "liver"})
    rounded = Volume(labels, np.round(affine, 3))
    (mask,) = segment(backbone, rounded, Target("liver", "liver"))
    assert np.argwhere(mask).tolist() == [[2, 3, 4]]
    assert remarks(backbone, rounded, Target("liver", "liver")) == []


@pytest.mark.parametrize("angle", [20.0, 45.0])
def test_oblique_grid_is_sampled_and_says_so(angle: float) -> None:
    k, j, i = np.mgrid[:40, :40, :40]
    ball = ((k - 20) ** 2 + (j - 20) ** 2 + (i - 20) ** 2 <= 144).astype(np.uint8)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    affine = np.eye(4)
    affine[:3, :3] = [[c, -s, 0], [s, c, 0], [0, 0, 1]]
    affine[:3, 3] = np.array([20, 20, 20]) - affine[:3, :3] @ [20, 20, 20]  # turned about the ball's centre
    backbone = ReferenceBackbone(small_map(ball), {1: "spleen"})
    (mask,) = segment(backbone, Volume(ball, affine), Target("spleen", "spleen"))
    assert dice(mask, ball) > 0.96  # the rim of a ball of 12 voxels, rounded to another grid
    assert "nearest" in remarks(backbone, Volume(ball, affine), Target("spleen", "spleen"))[0]


def test_cropped_map_is_placed_exactly() -> None:
    whole = np.zeros((10, 11, 12), np.int16)
    whole[4:7, 3:6, 2:9] = 3
    affine = np.diag([-1.5, 2.0, 3.0, 1.0])
    offset = affine.copy()
    offset[:3, 3] = affine[:3, :3] @ [1, 2, 3]
    backbone = ReferenceBackbone(small_map(whole[3:9, 2:8, 1:11], offset), {3: "urinary bladder"})
    (mask,) = segment(backbone, Volume(whole, affine), Target("urinary bladder", "urinary_bladder"))
    assert dice(mask, whole == 3) == 1.0


def test_map_of_another_place_is_an_error() -> None:
    labels = np.ones((4, 4, 4), np.uint8)
    far = np.eye(4)
    far[:3, 3] = 500.0
    backbone = ReferenceBackbone(small_map(labels, far), {1: "liver"})
    with pytest.raises(BackboneError) as caught:
        segment(backbone, Volume(labels, np.eye(4)), Target("liver", "liver"))
    assert caught.value.code == "labels-elsewhere"


def test_unions_follow_the_parts() -> None:
    labels = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    names = {
        1: "lung_upper_lobe_left",
        2: "lung_lower_lobe_left",
        3: "vertebrae_L1",
        4: "L4 vertebra",
        5: "right kidney",
    }
    backbone = ReferenceBackbone(small_map(labels), names)
    volume = Volume(labels, np.eye(4))
    (left,) = segment(backbone, volume, Target("left lung", "lung_left"))
    assert set(labels[left]) == {1, 2}
    assert remarks(backbone, volume, Target("left lung", "lung_left")) == []
    (lumbar,) = segment(backbone, volume, Target("lumbar spine", "lumbar_spine"))
    assert set(labels[lumbar]) == {3, 4}
    (missing,) = remarks(backbone, volume, Target("lumbar spine", "lumbar_spine"))
    assert "L2" in missing
    assert "L4" not in missing
    with pytest.raises(UnsupportedTarget) as caught:
        segment(backbone, volume, Target("left kidney", "kidney_left"))
    assert caught.value.code == "target-not-in-reference"
    assert "right kidney" in caught.value.user_message
    assert caught.value.exit_code == 6


def test_a_run_says_which_label_map_it_was_answered_from() -> None:
    labels = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)

    def said(map_: np.ndarray, names: dict[int, str]) -> str:
        return dict(ReferenceBackbone(small_map(map_), names).info.details)["label map sha256"]

    assert len(said(labels, {1: "liver"})) == 64
    assert said(labels, {1: "liver"}) == said(labels.copy(order="F"), {1: "liver"})
    assert len({said(labels, {1: "liver"}), said(labels, {2: "liver"}), said(labels[::-1], {1: "liver"})}) == 3
    volume = Volume(labels, np.eye(4), Modality.CT)
    backbone = ReferenceBackbone(small_map(labels), {1: "liver"})
    result = run(Job(volume, Request("liver"), LexicalReasoner(), backbone))
    assert isinstance(result, Segmentation)
    record = result.provenance.record(Stage.SEGMENT)
    assert record is not None
    assert dict(record.details)["label map sha256"] == said(labels, {1: "liver"})


def test_free_text_finds_the_very_name_only() -> None:
    labels = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    backbone = ReferenceBackbone(small_map(labels), {6: "Cavity of the Tumour", 7: "oedema"})
    volume = Volume(labels, np.eye(4))
    (mask,) = segment(backbone, volume, Target("cavity of the tumor"))
    assert set(labels[mask]) == {6}
    with pytest.raises(UnsupportedTarget):
        segment(backbone, volume, Target("tumour"))


def test_label_without_voxels_is_an_empty_mask() -> None:
    labels = np.ones((2, 2, 2), np.uint8)
    backbone = ReferenceBackbone(small_map(labels), {1: "liver", 2: "spleen"})
    (mask,) = segment(backbone, Volume(labels, np.eye(4)), Target("spleen", "spleen"))
    assert not mask.any()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("a.json", '{"1": "liver", "5": "right kidney"}'),
        ("b.json", '{"liver": 1, "right kidney": 5, "background": 0}'),
        ("c.json", json.dumps({"labels": {"background": 0, "liver": 1, "right kidney": 5}})),
        ("a.csv", "id,name\n1,liver\n5,right kidney\n"),
        ("b.csv", 'name,id\r\nliver,1\r\n"right kidney",5\r\n'),
        ("a.tsv", "1\tliver\t255\n5\tright kidney\t128\n"),
        ("a.txt", "# a comment\n1 liver\n5: right kidney\n\n"),
        (
            "snap.txt",
            '    0     0    0    0        0  0  0    "Clear Label"\n'
            '    1   255    0    0        1  1  1    "liver"\n    5     0  255    0      0.5  1  1    "right kidney"\n',
        ),
    ],
)
def test_label_names_of_every_kind(tmp_path: Path, file: str, content: str) -> None:
    path = tmp_path / file
    path.write_text(content, encoding="utf-8")
    assert read_label_names(path) == {1: "liver", 5: "right kidney"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "label-names-empty"),
        (b"nothing here\n", "label-names-empty"),
        (b"\xff\xfe\x00binary", "label-names-unreadable"),
        (b'{"1": ', "label-names-unreadable"),
        (b'{"one": "liver"}', "label-names-unreadable"),
        (b"[1, 2]", "label-names-unreadable"),
        (b"1 liver\n1 spleen\n", "label-names-twice"),
        (b"1 liver\n" * 200_000, "label-names-unreadable"),
    ],
)
def test_bad_label_names_are_refused(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_label_names(path)
    assert caught.value.code == code


def test_names_are_asked_for(tmp_path: Path, sample: Sample) -> None:
    with pytest.raises(InputError) as unreadable:
        read_label_names(tmp_path / "missing.txt")
    assert unreadable.value.code == "label-names-unreadable"
    with pytest.raises(UsageError) as missing:
        ReferenceBackbone(sample("example-ct", "labels"))
    assert missing.value.code == "reference-names-missing"
