"""Volume nodes into the session folder: in slabs, checked, described, and not twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from SEERSegmentLib.errors import VolumeError
from SEERSegmentLib.mrml import volumes
from SEERSegmentLib.mrml.scene import MrmlScene
from SEERSegmentLib.presenter.seams import Copying
from SEERSegmentLib.values import Modality
from SEERSegmentLib.worker.files import open_array
from SEERSegmentLib.worker.messages import VolumeFile

from .nodes import add_transform, add_volume, affine_of, rotation


def steps_of(copying: Copying) -> list[float]:
    """Run a copy to its end; what each step returned."""
    shares = [copying.step()]
    while shares[-1] < 1.0:
        shares.append(copying.step())
    return shares


def copy(scene: MrmlScene, node: Any, folder: Path) -> VolumeFile:
    """The whole copy."""
    copying = scene.copy_volume(node.GetID(), folder)
    steps_of(copying)
    return copying.finish()


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.float32, np.float64])
def test_the_copy_is_the_voxels_and_the_affine(slicer: Any, tmp_path: Path, dtype: Any) -> None:
    voxels = np.random.default_rng(1).integers(0, 100, (4, 5, 6)).astype(dtype)
    affine = affine_of(rotation(30))
    file = copy(MrmlScene(), add_volume(slicer, voxels, affine, "名 é"), tmp_path)
    copied = open_array(tmp_path, file.voxels)
    assert copied.dtype == np.dtype(dtype)
    assert (copied == voxels).all()
    np.testing.assert_allclose(np.array(file.affine), affine, atol=1e-12)
    assert (file.name, file.transforms, file.modality) == ("名 é", (), Modality.UNKNOWN)


def test_a_slab_is_at_most_eight_megabytes(slicer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert volumes.SLAB_BYTES <= 8 << 20
    monkeypatch.setattr(volumes, "SLAB_BYTES", 1000)
    voxels = np.arange(7 * 11 * 13, dtype=np.int16).reshape(7, 11, 13)  # 2002 bytes: two slabs and a bit
    node = add_volume(slicer, voxels)
    copying = MrmlScene().copy_volume(node.GetID(), tmp_path)
    shares = steps_of(copying)
    assert len(shares) == 3
    assert shares == sorted(shares)
    assert (open_array(tmp_path, copying.finish().voxels) == voxels).all()


def test_a_slice_larger_than_a_slab_is_divided(slicer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volumes, "SLAB_BYTES", 100)
    voxels = np.arange(2 * 20 * 20, dtype=np.int16).reshape(2, 20, 20)
    copying = MrmlScene().copy_volume(add_volume(slicer, voxels).GetID(), tmp_path)
    assert len(steps_of(copying)) == 16
    assert (open_array(tmp_path, copying.finish().voxels) == voxels).all()


def test_an_unchanged_volume_is_not_copied_again(slicer: Any, tmp_path: Path) -> None:
    scene = MrmlScene()
    node = add_volume(slicer, np.arange(60, dtype=np.int16).reshape(3, 4, 5))
    first = copy(scene, node, tmp_path)
    node.SetName("renamed")
    node.SetAndObserveTransformNodeID(add_transform(slicer, affine_of(np.eye(3), (1, 1, 1))).GetID())
    again = copy(scene, node, tmp_path)
    assert again.voxels == first.voxels
    assert again.name == "renamed"
    assert again.affine != first.affine
    slicer.util.arrayFromVolume(node)[0, 0, 0] = 99
    slicer.util.arrayFromVolumeModified(node)
    changed = copy(scene, node, tmp_path)
    assert changed.voxels != first.voxels
    assert open_array(tmp_path, changed.voxels)[0, 0, 0] == 99


def test_old_copies_do_not_pile_up(slicer: Any, tmp_path: Path) -> None:
    scene = MrmlScene()
    for value in range(5):
        copy(scene, add_volume(slicer, np.full((2, 2, 2), value, np.int16)), tmp_path)
    assert len(list(tmp_path.glob("*.npy"))) == 2


def test_a_copy_that_vanished_from_the_folder_is_made_again(slicer: Any, tmp_path: Path) -> None:
    scene = MrmlScene()
    node = add_volume(slicer, np.ones((2, 2, 2), np.int16))
    (tmp_path / copy(scene, node, tmp_path).voxels.name).unlink()
    assert open_array(tmp_path, copy(scene, node, tmp_path).voxels).all()


@pytest.mark.parametrize("change", ["voxels", "image", "geometry", "transform", "matrix"])
@pytest.mark.parametrize("when", ["between steps", "after the last"])
def test_a_volume_that_changes_meanwhile(
    slicer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, when: str
) -> None:
    import vtk

    monkeypatch.setattr(volumes, "SLAB_BYTES", 100)
    node = add_volume(slicer, np.zeros((5, 6, 7), np.int16))
    transform = add_transform(slicer, np.eye(4))
    node.SetAndObserveTransformNodeID(transform.GetID())
    copying = MrmlScene().copy_volume(node.GetID(), tmp_path)
    copying.step()
    if when == "after the last":
        steps_of(copying)
    if change == "voxels":
        slicer.util.arrayFromVolume(node)[4, 5, 6] = 1
        slicer.util.arrayFromVolumeModified(node)
    elif change == "image":
        node.SetAndObserveImageData(vtk.vtkImageData())
    elif change == "geometry":
        node.SetOrigin(1, 2, 3)
    elif change == "transform":
        node.SetAndObserveTransformNodeID(add_transform(slicer, affine_of(np.eye(3))).GetID())
    else:
        slicer.util.updateTransformMatrixFromArray(transform, affine_of(np.eye(3)))
    with pytest.raises(VolumeError) as caught:
        copying.step() if when == "between steps" else copying.finish()
    assert caught.value.code == "volume-changed"
    copying.abandon()
    assert list(tmp_path.iterdir()) == []


def test_a_volume_that_is_removed_meanwhile(slicer: Any, scene: Any, tmp_path: Path) -> None:
    node = add_volume(slicer, np.zeros((3, 3, 3), np.int16))
    copying = MrmlScene().copy_volume(node.GetID(), tmp_path)
    scene.RemoveNode(node)
    with pytest.raises(VolumeError) as caught:
        copying.step()
    assert caught.value.code == "volume-gone"
    copying.abandon()
    assert list(tmp_path.iterdir()) == []


def test_abandon_leaves_a_finished_copy(slicer: Any, tmp_path: Path) -> None:
    scene = MrmlScene()
    node = add_volume(slicer, np.ones((3, 3, 3), np.int16))
    file = copy(scene, node, tmp_path)
    again = scene.copy_volume(node.GetID(), tmp_path)
    again.abandon()
    assert open_array(tmp_path, file.voxels).all()


def add_other(slicer: Any, kind: str) -> Any:
    """A volume that SEER does not segment."""
    if kind == "voxels-colour":
        return slicer.util.addVolumeFromArray(np.zeros((3, 4, 5, 3), np.uint8), nodeClassName="vtkMRMLVectorVolumeNode")
    if kind == "voxels-vector":
        node = add_volume(slicer, np.zeros((3, 4, 5), np.int16))
        node.GetImageData().AllocateScalars(4, 2)
        return node
    if kind == "volume-labelmap":
        return slicer.util.addVolumeFromArray(np.zeros((3, 4, 5), np.int16), nodeClassName="vtkMRMLLabelMapVolumeNode")
    if kind == "volume-2d":
        return add_volume(slicer, np.zeros((1, 4, 5), np.int16))
    if kind == "volume-gone":
        return slicer.mrmlScene.AddNewNodeByClass("vtkMRMLModelNode")
    return slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")


@pytest.mark.parametrize(
    "code", ["voxels-colour", "voxels-vector", "volume-labelmap", "volume-2d", "volume-empty", "volume-gone"]
)
def test_what_is_no_grey_volume_is_refused_by_name(slicer: Any, tmp_path: Path, code: str) -> None:
    node = add_other(slicer, code)
    with pytest.raises(VolumeError) as caught:
        MrmlScene().copy_volume(node.GetID(), tmp_path)
    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_no_volume_is_chosen(slicer: Any, tmp_path: Path) -> None:
    with pytest.raises(VolumeError) as caught:
        MrmlScene().copy_volume("", tmp_path)
    assert caught.value.code == "volume-none"


@pytest.mark.parametrize(("tag", "modality"), [("CT", Modality.CT), ("MR", Modality.MR), ("PT", Modality.UNKNOWN)])
@pytest.mark.parametrize("where", ["series", "study"])
def test_modality_of_the_dicom_series(slicer: Any, tmp_path: Path, tag: str, modality: Modality, where: str) -> None:
    node = add_volume(slicer, np.zeros((2, 2, 2), np.int16))
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    series = hierarchy.GetItemByDataNode(node)
    hierarchy.SetItemParent(series, study)
    hierarchy.SetItemAttribute(series if where == "series" else study, "DICOM.Modality", tag)
    file = copy(MrmlScene(), node, tmp_path)
    assert (file.modality, file.modality_source) == (modality, "DICOM" if modality is not Modality.UNKNOWN else "")


def test_hounsfield_units_say_ct(slicer: Any, tmp_path: Path) -> None:
    node = add_volume(slicer, np.zeros((2, 2, 2), np.int16))
    unit = slicer.vtkCodedEntry()
    unit.SetValueSchemeMeaning("[hnsf'U]", "UCUM", "Hounsfield unit")
    node.SetVoxelValueUnits(unit)
    assert copy(MrmlScene(), node, tmp_path).modality is Modality.CT


def test_a_sequence_gives_its_current_frame(slicer: Any, scene: Any, tmp_path: Path) -> None:
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "cine")
    sequence.SetIndexName("time")
    sequence.SetIndexUnit("s")
    for number in range(3):
        frame = slicer.vtkMRMLScalarVolumeNode()
        image = slicer.util.addVolumeFromArray(np.full((3, 4, 5), number * 10, np.int16))
        frame.SetAndObserveImageData(image.GetImageData())
        sequence.SetDataNodeAtValue(frame, str(number * 0.5))
        scene.RemoveNode(image)
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    logic = slicer.modules.sequences.logic()
    browser.SetSelectedItemNumber(1)
    logic.UpdateAllProxyNodes()
    proxy = browser.GetProxyNode(sequence)
    seer = MrmlScene()
    file = copy(seer, proxy, tmp_path)
    assert (open_array(tmp_path, file.voxels) == 10).all()
    assert file.transforms == ("frame 2 of 3 (time 0.5 s)",)

    copying = seer.copy_volume(proxy.GetID(), tmp_path)
    browser.SetSelectedItemNumber(2)
    logic.UpdateAllProxyNodes()
    with pytest.raises(VolumeError) as caught:
        copying.step()
    assert caught.value.code == "volume-changed"
