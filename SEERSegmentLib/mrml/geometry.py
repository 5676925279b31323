"""Where nodes lie: matrices between voxel grids, nodes and the world (RAS, mm)."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray

from ..errors import VolumeError
from ..values import check_affine

__all__ = [
    "array_from_matrix",
    "between_nodes",
    "grid_in_segmentation",
    "integer_shift",
    "local_affine",
    "matrix_from_array",
    "world_affine",
]

#: Two grids count as the same lattice when no corner of the one is further than this from a voxel of the other, in
#: voxels. Headers in single precision stay below it; half a voxel would be a wrong neighbour.
LATTICE_TOLERANCE = 0.02


def array_from_matrix(matrix: Any) -> NDArray[np.float64]:
    """A vtkMatrix4x4 as an array, shape (4, 4)."""
    values: NDArray[np.float64] = np.array([matrix.GetElement(r, c) for r in range(4) for c in range(4)])
    return values.reshape(4, 4)


def matrix_from_array(array: NDArray[np.float64]) -> Any:
    """A new vtkMatrix4x4 of an array, shape (4, 4)."""
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy([float(value) for value in array.ravel()])
    return matrix


def local_affine(volume: Any) -> NDArray[np.float64]:
    """IJK→RAS of a volume node in its own frame, parent transforms left out; mm, shape (4, 4)."""
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return array_from_matrix(matrix)


def between_nodes(source: Any, target: Any) -> NDArray[np.float64] | None:
    """From a node's own frame to another's, or to the world where ``target`` is None; None if it is not linear."""
    transforms = slicer.vtkMRMLTransformNode
    ends = source.GetParentTransformNode(), None if target is None else target.GetParentTransformNode()
    general = vtk.vtkGeneralTransform()
    transforms.GetTransformBetweenNodes(*ends, general)
    if not transforms.IsGeneralTransformLinear(general):  # asking for the matrix would put an error into Slicer's log
        return None
    matrix = vtk.vtkMatrix4x4()
    transforms.GetMatrixTransformBetweenNodes(*ends, matrix)
    return array_from_matrix(matrix)


def world_affine(volume: Any) -> NDArray[np.float64]:
    """IJK→RAS of a volume node in the world, linear parent transforms included; mm, shape (4, 4).

    Raises
    ------
    VolumeError
        ``transform-not-linear``, ``affine-sheared``, ``affine-singular``, ``affine-not-finite``.
    """
    to_world = between_nodes(volume, None)
    if to_world is None:
        raise VolumeError(
            f"“{volume.GetName()}” lies under a non-linear transform. Harden the transform on the volume"
            " (Transforms module), then run again.",
            code="transform-not-linear",
        )
    affine = to_world @ local_affine(volume)
    affine[3] = (0.0, 0.0, 0.0, 1.0)
    check_affine(affine)
    return affine


def grid_in_segmentation(volume: Any, segmentation: Any) -> NDArray[np.float64]:
    """The volume's IJK→RAS in the frame of a segmentation node, which may lie under other transforms; shape (4, 4).

    Raises
    ------
    VolumeError
        ``segmentation-transform``: what lies between the two is not linear, or shears.
    """
    advice = (
        f"The output segmentation “{segmentation.GetName()}” lies under a transform that does not let the image's"
        " voxels be kept. Harden the transform on it, or choose a new segmentation."
    )
    matrix = between_nodes(volume, segmentation)
    if matrix is None:
        raise VolumeError(advice, code="segmentation-transform", detail="not linear")
    affine = matrix @ local_affine(volume)
    affine[3] = (0.0, 0.0, 0.0, 1.0)
    try:
        check_affine(affine)
    except VolumeError as error:
        raise VolumeError(advice, code="segmentation-transform", detail=str(error)) from error
    return affine


def integer_shift(
    source: NDArray[np.float64], target: NDArray[np.float64], extent: tuple[int, ...]
) -> tuple[int, int, int] | None:
    """What to add to an index (i, j, k) of the source grid to get the target grid's index of the same voxel.

    Parameters
    ----------
    source, target : ndarray, shape (4, 4)
        IJK→RAS of both in the same frame.
    extent : (i0, i1, j0, j1, k0, k1)
        The part of the source grid that has to fit, ends included.

    Returns
    -------
    tuple or None
        None where the two are not the same lattice.
    """
    transform = np.linalg.inv(target) @ source
    corners = np.array([(i, j, k, 1.0) for i in extent[0:2] for j in extent[2:4] for k in extent[4:6]]).T
    moved = (transform @ corners - corners)[:3]
    shift = np.round(moved[:, 0])
    if np.abs(moved - shift[:, None]).max() > LATTICE_TOLERANCE:
        return None
    i, j, k = (int(value) for value in shift)
    return i, j, k
