"""Pixels of DICOM slices: decoded, scaled slice by slice (DICOM PS3.3 C.11.1), stacked into one array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import VolumeError
from ..protocols import CancelToken
from .dicom_scan import DicomSlice, parse_errors
from .headers import truncated

__all__ = ["read_pixels"]


def read_pixels(slices: list[DicomSlice], modality: str, cancel: CancelToken) -> tuple[NDArray[Any], bool]:
    """Decode the slices in order.

    Returns
    -------
    voxels : ndarray, shape (k, j, i)
        Real values: int16 where whole numbers fit, int32 where they don't; float32 where a slope is not 1.
    inverted : bool
        Whether an image stored with white lowest (MONOCHROME1) was turned so that brighter is larger. CT is not:
        its Hounsfield scale says what is bright.

    Raises
    ------
    VolumeError
        ``dicom-compression``, ``dicom-no-pixels``, ``dicom-damaged``, ``file-truncated``, ``rescale-not-finite``.
    """
    factors = np.array([(s.slope, s.intercept) for s in slices])
    if not np.isfinite(factors).all() or (factors[:, 0] == 0).any():
        raise VolumeError(
            "This file's scaling of voxel values is not a usable number; the file is damaged.",
            code="rescale-not-finite",
        )
    whole = bool((factors[:, 0] == 1).all() and (factors[:, 1] == np.rint(factors[:, 1])).all())
    shape = (len(slices), slices[0].rows, slices[0].columns)
    voxels: NDArray[Any] = np.empty(shape, dtype=np.int16 if whole else np.float32)
    inverted = False
    frames, path = None, None
    for index, item in enumerate(slices):
        cancel.check()
        if item.path != path or frames is None:
            frames, scaled, mirror = _decode(item)
            path = item.path
        stored = frames[item.frame]
        if stored.shape != shape[1:]:
            raise VolumeError(
                f"A DICOM file here is damaged: {item.path.name}.", code="dicom-damaged", detail=f"shape {stored.shape}"
            )
        if mirror is not None and modality != "CT":
            stored, inverted = np.subtract(mirror, stored, dtype=np.int32 if stored.dtype.kind in "iu" else float), True
        voxels = _place(voxels, index, stored, item if not scaled else None)
    return voxels, inverted


def _place(voxels: NDArray[Any], index: int, stored: NDArray[Any], scale: DicomSlice | None) -> NDArray[Any]:
    """Put one slice in its place, widening the array where its values need it; returns the array."""
    if voxels.dtype.kind == "f":
        real = stored.astype(np.float64)
        voxels[index] = real if scale is None else real * scale.slope + scale.intercept
        return voxels
    if stored.dtype.kind == "f":
        wider = np.empty(voxels.shape, dtype=np.float32)
        wider[:index] = voxels[:index]
        wider[index] = stored
        return wider
    shift = 0 if scale is None else int(scale.intercept)
    limits = np.iinfo(voxels.dtype)
    if int(stored.min()) + shift < limits.min or int(stored.max()) + shift > limits.max:
        wider = np.empty(voxels.shape, dtype=np.int32 if voxels.dtype == np.int16 else np.int64)
        wider[:index] = voxels[:index]
        return _place(wider, index, stored, scale)
    voxels[index] = stored.astype(np.int64) + shift if shift else stored
    return voxels


def _decode(item: DicomSlice) -> tuple[NDArray[Any], bool, float | None]:
    """(frames (n, rows, columns), whether already scaled, what stored values are subtracted from to invert them)."""
    import pydicom
    from pydicom.uid import RLELossless

    try:
        dataset = pydicom.dcmread(item.path, force=True)
        syntax = getattr(dataset.file_meta, "TransferSyntaxUID", None)
        mirror: float | None = _mirror(dataset) if dataset.get("PhotometricInterpretation") == "MONOCHROME1" else None
        if not any(name in dataset for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
            raise VolumeError(f"A DICOM file here has no pixels: {item.path.name}.", code="dicom-no-pixels")
        if syntax is not None and syntax.is_compressed and syntax.is_encapsulated and syntax != RLELossless:
            if mirror is not None:
                mirror = mirror * item.slope + 2 * item.intercept
            return _decompress(item, str(syntax.name)), True, mirror
        if syntax is None:
            dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
        pixels = np.asarray(dataset.pixel_array)
    except parse_errors() as error:
        if "bytes" in str(error) and "expected" in str(error):
            raise truncated(item.rows * item.columns, item.path.stat().st_size) from error
        raise VolumeError(
            f"A DICOM file here is damaged: {item.path.name}.", code="dicom-damaged", detail=str(error)
        ) from error
    return (pixels if pixels.ndim == 3 else pixels[None]), False, mirror


def _mirror(dataset: Any) -> int:
    """Least plus greatest value that the stored bits can hold: PS3.3 C.7.6.3.1.2, for inverting MONOCHROME1."""
    bits = int(dataset.BitsStored)
    return -1 if int(dataset.PixelRepresentation) == 1 else (1 << bits) - 1


def _decompress(item: DicomSlice, syntax: str) -> NDArray[Any]:
    """Frames of a compressed file through SimpleITK, whose GDCM knows JPEG, JPEG-LS and JPEG 2000 and scales them."""
    import SimpleITK as sitk

    try:
        image = sitk.ReadImage(str(item.path), imageIO="GDCMImageIO")
        frames: NDArray[Any] = sitk.GetArrayFromImage(image)
    except RuntimeError as error:
        raise VolumeError(
            f"These DICOM images are compressed in a way that SEER can't unpack ({syntax}); export them uncompressed.",
            code="dicom-compression",
            detail=str(error).strip().splitlines()[-1],
        ) from error
    return frames if frames.ndim == 3 else frames[None]
