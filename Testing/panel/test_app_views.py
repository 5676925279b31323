"""The stand-in's views: real slice logics, and pictures in which the result can be found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QImage

from Testing.standin.pythonqt import unwrap
from Testing.standin.slice_picture import direction_letters


def pixels(picture: QImage) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """RGB of a picture, shape (rows, columns, 3)."""
    image = picture.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


@pytest.fixture
def chest(slicer: Any, load_volume: Callable[[str], Any]) -> Any:
    return load_volume("ct-chest")


def add_box(slicer: Any, volume: Any, colour: tuple[float, float, float] = (1.0, 0.0, 0.0)) -> Any:
    """A segmentation with one box in the middle of the volume."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "result")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment_id = node.GetSegmentation().AddEmptySegment("box", "box")
    node.GetSegmentation().GetSegment(segment_id).SetColor(*colour)
    shape = slicer.util.arrayFromVolume(volume).shape
    mask = np.zeros(shape, np.uint8)
    mask[tuple(slice(size // 3, 2 * size // 3) for size in shape)] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment_id, volume)
    return node


def test_loading_shows_the_volume(slicer: Any, chest: Any) -> None:
    selection = slicer.app.applicationLogic().GetSelectionNode()
    assert selection.GetActiveVolumeID() == chest.GetID()
    for name in slicer.app.layoutManager().sliceViewNames():
        widget = slicer.app.layoutManager().sliceWidget(name)
        assert widget.mrmlSliceCompositeNode().GetBackgroundVolumeID() == chest.GetID()


def test_a_jump_moves_the_slices(slicer: Any, chest: Any) -> None:
    manager = slicer.app.layoutManager()
    place = (12.0, -30.0, 40.0)
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *place, slicer.vtkMRMLSliceNode.CenteredJumpSlice)
    offsets = {name: manager.sliceWidget(name).sliceLogic().GetSliceOffset() for name in manager.sliceViewNames()}
    # A sagittal view looks along L, so that its offset is the negative of R.
    assert offsets == pytest.approx({"Red": 40.0, "Green": -30.0, "Yellow": -12.0})


def test_a_segment_is_seen_in_its_colour_and_only_while_visible(slicer: Any, chest: Any) -> None:
    node = add_box(slicer, chest)
    four_up = unwrap(slicer.app.layoutManager()).viewport()
    four_up.resize(600, 500)
    canvas = unwrap(slicer.app.layoutManager().sliceWidget("Red"))._canvas
    centre = node.GetSegmentCenterRAS("box")
    slicer.vtkMRMLSliceNode.JumpAllSlices(slicer.mrmlScene, *centre, 1)
    four_up.grab()

    def reddish() -> int:
        shown = pixels(canvas.grab().toImage()).astype(int)
        return int(((shown[..., 0] - shown[..., 1]) > 60).sum())

    assert reddish() > 500
    node.GetDisplayNode().SetSegmentVisibility("box", False)
    assert reddish() == 0


def test_the_picture_shows_the_volume_where_it_is(slicer: Any, chest: Any) -> None:
    """The voxel in a view's middle is bright or dark in the picture as it is in the volume."""
    chest.GetDisplayNode().AutoWindowLevelOff()
    chest.GetDisplayNode().SetWindowLevel(1, 0)  # black below 0 HU, white above
    manager = slicer.app.layoutManager()
    four_up = unwrap(manager).viewport()
    four_up.resize(600, 500)
    four_up.grab()
    array = slicer.util.arrayFromVolume(chest)
    import vtk

    to_ijk = vtk.vtkMatrix4x4()
    chest.GetRASToIJKMatrix(to_ijk)
    canvas = unwrap(manager.sliceWidget("Red"))._canvas
    shown = pixels(canvas.grab().toImage())
    xy_to_ras = manager.sliceWidget("Red").mrmlSliceNode().GetXYToRAS()
    agreeing = total = 0
    for x in range(60, canvas.width() - 60, 17):
        for y in range(40, canvas.height() - 40, 17):
            ras = xy_to_ras.MultiplyPoint((x, y, 0, 1))
            i, j, k = (round(value) for value in to_ijk.MultiplyPoint(ras)[:3])
            if 1 <= i < array.shape[2] - 1 and 1 <= j < array.shape[1] - 1 and 0 <= k < array.shape[0]:
                around = array[k, j - 1 : j + 2, i - 1 : i + 2]
                if (around > 0).all() or (around < 0).all():
                    total += 1
                    agreeing += (shown[canvas.height() - 1 - y, x, 0] > 127) == (around[1, 1] > 0)
    assert total > 50
    assert agreeing / total > 0.97


def test_letters_of_the_default_views(slicer: Any, chest: Any) -> None:
    from Testing.standin.slice_picture import matrix

    found = {}
    for name in slicer.app.layoutManager().sliceViewNames():
        node = slicer.app.layoutManager().sliceWidget(name).mrmlSliceNode()
        found[name] = "".join(direction_letters(matrix(node.GetXYToRAS())))
    assert found == {"Red": "ALPR", "Green": "SLIR", "Yellow": "SPIA"}


def test_four_views_are_written_as_a_picture(slicer: Any, chest: Any, tmp_path: Path) -> None:
    node = add_box(slicer, chest)
    node.CreateClosedSurfaceRepresentation()
    four_up = unwrap(slicer.app.layoutManager()).viewport()
    four_up.resize(640, 520)
    assert four_up.grab().save(str(tmp_path / "views.png"))
    assert QImage(str(tmp_path / "views.png")).width() == 640


def test_a_closed_scene_leaves_black_views(slicer: Any, chest: Any) -> None:
    add_box(slicer, chest)
    slicer.mrmlScene.Clear(False)
    unwrap(slicer.app.layoutManager()).viewport().grab()
    canvas = unwrap(slicer.app.layoutManager().sliceWidget("Red"))._canvas
    assert pixels(canvas.grab().toImage()).max() == 0
