"""The agreement map of a phrasing check as a volume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import vtk

from ..worker.files import open_array
from ..worker.messages import ArrayFile
from .arrays import voxels_of
from .geometry import local_affine, matrix_from_array
from .placement import place_beside
from .undo import remove_with_belongings

__all__ = ["add_agreement_volume"]

#: A colour table of Slicer's own that goes from black over red to white: more is brighter.
_COLOURS = "vtkMRMLColorTableNodeIron"


def add_agreement_volume(volume: Any, file: ArrayFile, folder: Path) -> Any:
    """A scalar volume (float, 0..1) on the volume's grid and under its transform; the node.

    Voxels that no phrasing drew are see-through, so that the map can be laid over the image.
    """
    agreement = open_array(folder, file)
    image = vtk.vtkImageData()
    k, j, i = agreement.shape
    image.SetDimensions(i, j, k)
    image.AllocateScalars(vtk.VTK_FLOAT, 1)
    np.copyto(voxels_of(image), agreement)
    scene = volume.GetScene()
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", scene.GenerateUniqueName(f"{volume.GetName()} agreement"))
    try:
        node.SetIJKToRASMatrix(matrix_from_array(local_affine(volume)))
        node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
        # the display comes before the image: a default one would first measure all voxels for its window
        node.SetAndObserveDisplayNodeID(_add_display(scene).GetID())
        node.SetAndObserveImageData(image)
        place_beside(node, volume)
    except BaseException:
        remove_with_belongings(scene, node)
        raise
    return node


def _add_display(scene: Any) -> Any:
    display = scene.AddNewNodeByClass("vtkMRMLScalarVolumeDisplayNode")
    colours = _COLOURS if scene.GetNodeByID(_COLOURS) is not None else "vtkMRMLColorTableNodeGrey"
    display.SetAndObserveColorNodeID(colours)
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(0.0, 1.0)
    display.SetAutoThreshold(False)
    display.SetThreshold(1e-3, 1.0)
    display.SetApplyThreshold(True)
    return display
