"""Voxels between MRML and NumPy: oriented images, where they are set, and resampling between grids."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
import vtk.util.numpy_support as vtk_numpy
from numpy.typing import NDArray

from .geometry import array_from_matrix, matrix_from_array

__all__ = [
    "Box",
    "Extent",
    "bounding_box",
    "extent_of",
    "image_matrix",
    "oriented_image",
    "resample_nearest",
    "voxels_of",
]

#: Half-open voxel ranges (k, j, i).
Box = tuple[slice, slice, slice]
#: (i0, i1, j0, j1, k0, k1), ends included, as VTK has it.
Extent = tuple[int, int, int, int, int, int]


def voxels_of(image: Any) -> NDArray[Any]:
    """The voxels of a vtkImageData where they are, shape (k, j, i); writing to the array writes to the image."""
    i, j, k = image.GetDimensions()
    array: NDArray[Any] = vtk_numpy.vtk_to_numpy(image.GetPointData().GetScalars())
    return array.reshape(k, j, i)


def extent_of(image: Any) -> Extent | None:
    """The extent of an image; None for one without voxels."""
    if image is None or image.GetPointData().GetScalars() is None:
        return None
    i0, i1, j0, j1, k0, k1 = image.GetExtent()
    return None if i0 > i1 or j0 > j1 or k0 > k1 else (i0, i1, j0, j1, k0, k1)


def image_matrix(image: Any) -> NDArray[np.float64]:
    """IJK→RAS of a vtkOrientedImageData in its segmentation's frame; index (0, 0, 0) need not be in its extent."""
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return array_from_matrix(matrix)


def oriented_image(shape: tuple[int, int, int], origin: tuple[int, int, int], affine: NDArray[np.float64]) -> Any:
    """A vtkOrientedImageData of uint8 with room for ``shape`` (k, j, i) voxels, not yet set.

    Its first voxel is ``origin`` (k, j, i) of the grid that ``affine`` (IJK→RAS) places.
    """
    image = slicer.vtkOrientedImageData()
    (k, j, i), (k0, j0, i0) = shape, origin
    image.SetExtent(i0, i0 + i - 1, j0, j0 + j - 1, k0, k0 + k - 1)
    image.SetImageToWorldMatrix(matrix_from_array(affine))
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    return image


def resample_nearest(image: Any, extent: Extent, affine: NDArray[np.float64]) -> NDArray[Any]:
    """The nearest voxel of ``image`` for each voxel of ``extent`` on another grid; 0 outside; shape (k, j, i)."""
    reference = slicer.vtkOrientedImageData()
    reference.SetExtent(extent)
    reference.SetImageToWorldMatrix(matrix_from_array(affine))
    resampled = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        image, reference, resampled, False, False
    )
    return voxels_of(resampled).copy()  # the image goes away with this call


def bounding_box(labels: NDArray[Any], label: int = 1) -> Box | None:
    """The smallest box that holds all voxels that are ``label``; None if none is."""
    slices = np.zeros(labels.shape[0], bool)
    plane = np.zeros(labels.shape[1:], bool)
    for number, slab in enumerate(labels):  # slice by slice: no temporary as large as the labelmap
        drawn = slab == label
        slices[number] = drawn.any()
        if slices[number]:
            np.logical_or(plane, drawn, out=plane)
    if not slices.any():
        return None
    k0, k1 = _ends(slices)
    j0, j1 = _ends(plane.any(axis=1))
    i0, i1 = _ends(plane.any(axis=0))
    return slice(k0, k1), slice(j0, j1), slice(i0, i1)


def _ends(flags: Any) -> tuple[int, int]:
    where = np.flatnonzero(flags)
    return int(where[0]), int(where[-1]) + 1
