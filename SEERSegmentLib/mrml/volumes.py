"""Volume nodes into the session folder: checked, described, and copied one slab at a time."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import vtk
import vtk.util.numpy_support as vtk_numpy

from ..errors import VolumeError
from ..values import Modality
from ..worker.files import create_array, path_of
from ..worker.messages import ArrayFile, Matrix, VolumeFile
from .geometry import world_affine

__all__ = [
    "SLAB_BYTES",
    "CopiedVolumes",
    "VolumeCopying",
    "VolumeStamp",
    "present_volume",
    "sequence_frame",
    "usable_volume",
    "volume_modality",
    "voxel_stamp",
]

#: Most that one step copies: a few milliseconds, whatever the volume.
SLAB_BYTES = 8 << 20

#: Copies kept in a session folder: the running one, and the one whose result may still be reviewed.
_KEPT = 2


@dataclass(frozen=True)
class VolumeStamp:
    """What a volume node is at one time. VTK's modification times are unique in a process, so equal means unchanged."""

    voxels: tuple[int, tuple[int, int, int]]
    affine: tuple[float, ...]

    @classmethod
    def of(cls, node: Any) -> VolumeStamp:
        """Raises VolumeError as :func:`world_affine`."""
        return cls(voxel_stamp(node), tuple(world_affine(node).ravel().tolist()))


def voxel_stamp(node: Any) -> tuple[int, tuple[int, int, int]]:
    """Modification time and dimensions (i, j, k) of a node's voxels; (0, (0, 0, 0)) without any."""
    image = node.GetImageData()
    return (0, (0, 0, 0)) if image is None else (image.GetMTime(), image.GetDimensions())


def usable_volume(scene: Any, volume_id: str) -> Any:
    """The volume node, if SEER can segment it.

    Raises
    ------
    VolumeError
        ``volume-none``, ``volume-gone``, ``volume-labelmap``, ``voxels-colour``, ``voxels-vector``, ``volume-empty``,
        ``volume-2d``, ``voxels-unsupported``, and those of :func:`world_affine`.
    """
    if not volume_id:
        raise VolumeError("Choose a volume to segment.", code="volume-none")
    node = present_volume(scene, volume_id)
    name = node.GetName()
    if node.IsA("vtkMRMLLabelMapVolumeNode"):
        raise VolumeError(f"“{name}” is a label map, not an image. Choose the image itself.", code="volume-labelmap")
    image = node.GetImageData()
    scalars = None if image is None else image.GetPointData().GetScalars()
    components = 1 if scalars is None else scalars.GetNumberOfComponents()
    if components in (3, 4) or node.IsA("vtkMRMLVectorVolumeNode"):
        raise VolumeError(f"“{name}” is a colour image. Choose a grey one.", code="voxels-colour")
    if components != 1 or node.IsA("vtkMRMLDiffusionWeightedVolumeNode") or node.IsA("vtkMRMLTensorVolumeNode"):
        raise VolumeError(f"“{name}” has several values in each voxel. Choose a volume with one.", code="voxels-vector")
    if scalars is None or min(image.GetDimensions()) < 1:
        raise VolumeError(f"“{name}” holds no image.", code="volume-empty")
    if min(image.GetDimensions()) < 2:
        raise VolumeError(f"“{name}” is a single slice. Load the whole series.", code="volume-2d")
    if scalars.GetDataType() == vtk.VTK_BIT:
        raise VolumeError(f"“{name}” has voxels of a kind that SEER doesn't read.", code="voxels-unsupported")
    world_affine(node)
    return node


def present_volume(scene: Any, volume_id: str) -> Any:
    """The volume node, wherever it lies now. Raises VolumeError ``volume-gone``."""
    node = scene.GetNodeByID(volume_id) if volume_id else None
    if node is None or not node.IsA("vtkMRMLScalarVolumeNode"):
        raise VolumeError("The volume is no longer in the scene.", code="volume-gone")
    return node


def volume_modality(scene: Any, node: Any) -> tuple[Modality, str]:
    """CT, MR or unknown, and where that is from: ``"DICOM"`` (its tag, or the unit of the voxels), or empty."""
    said = node.GetAttribute("DICOM.Modality") or _series_attribute(scene, node, "DICOM.Modality")
    known = {"CT": Modality.CT, "MR": Modality.MR}.get((said or "").strip().upper())
    if known is not None:
        return known, "DICOM"
    unit = node.GetVoxelValueUnits()
    if not said and unit is not None and (unit.GetCodeValue() or "") in ("[hnsf'U]", "hnsf'U"):
        return Modality.CT, "DICOM"
    return Modality.UNKNOWN, ""


def _series_attribute(scene: Any, node: Any, name: str) -> str:
    """An attribute of the node's item in the subject hierarchy, or of the items above it."""
    hierarchy = scene.GetSubjectHierarchyNode()
    item = 0 if hierarchy is None else hierarchy.GetItemByDataNode(node)
    while item and item != hierarchy.GetSceneItemID():
        value = str(hierarchy.GetItemAttribute(item, name) or "")
        if value:
            return value
        item = hierarchy.GetItemParent(item)
    return ""


def sequence_frame(scene: Any, node: Any) -> str:
    """``"frame 3 of 10 (time 2.5 s)"`` for a volume that a sequence browser shows, empty for any other."""
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLSequenceBrowserNode")):
        browser = scene.GetNthNodeByClass(index, "vtkMRMLSequenceBrowserNode")
        is_proxy = getattr(browser, "IsProxyNodeID", None) or browser.IsProxyNode  # the older name is deprecated
        if not is_proxy(node.GetID()):
            continue
        master = browser.GetMasterSequenceNode()
        number = browser.GetSelectedItemNumber()
        if master is None or number < 0:
            return ""
        value = f"{master.GetIndexName()} {master.GetNthIndexValue(number)} {master.GetIndexUnit()}".strip()
        return f"frame {number + 1} of {browser.GetNumberOfItems()} ({value})"
    return ""


@dataclass(frozen=True)
class _Copy:
    volume_id: str
    voxels: tuple[int, tuple[int, int, int]]
    file: ArrayFile


class CopiedVolumes:
    """Which volumes lie in the session folder already: an unchanged one is not copied again."""

    def __init__(self) -> None:
        self._copies: dict[Path, list[_Copy]] = {}

    def find(self, folder: Path, volume_id: str, stamp: VolumeStamp) -> ArrayFile | None:
        """The file of these very voxels, if it is still there."""
        for copy in self._copies.get(folder, []):
            if (copy.volume_id, copy.voxels) == (volume_id, stamp.voxels) and path_of(folder, copy.file.name).is_file():
                return copy.file
        return None

    def last(self, folder: Path, volume_id: str) -> tuple[int, tuple[int, int, int]] | None:
        """The :func:`voxel_stamp` of the volume's last copy; None where it was not copied."""
        found = [copy.voxels for copy in self._copies.get(folder, []) if copy.volume_id == volume_id]
        return found[-1] if found else None

    def add(self, folder: Path, volume_id: str, stamp: VolumeStamp, file: ArrayFile) -> None:
        """Note a copy; those before the last two are removed from the folder."""
        copies = [copy for copy in self._copies.get(folder, []) if copy.file != file]
        copies.append(_Copy(volume_id, stamp.voxels, file))
        for old in copies[:-_KEPT]:
            with suppress(OSError):  # a worker on Windows may still have it mapped: the folder goes with the session
                path_of(folder, old.file.name).unlink(missing_ok=True)
        self._copies = {folder: copies[-_KEPT:]}


class VolumeCopying:
    """A volume on its way into the session folder; see ``seams.Copying``.

    Between two steps the application runs, so every step looks first whether the volume is still what it was: its
    voxels may have been freed.
    """

    def __init__(self, scene: Any, volume_id: str, folder: Path, copied: CopiedVolumes) -> None:
        node = usable_volume(scene, volume_id)
        self._scene, self._volume_id, self._folder, self._copied = scene, volume_id, folder, copied
        self._stamp = VolumeStamp.of(node)
        self._described = self._describe(node)
        self._done = 0
        scalars = node.GetImageData().GetPointData().GetScalars()
        self._total = int(scalars.GetNumberOfTuples())
        self._mapped: np.memmap[Any, Any] | None = None
        reused = copied.find(folder, volume_id, self._stamp)
        if reused is not None:
            self._file, self._done = reused, self._total
            return
        i, j, k = node.GetImageData().GetDimensions()
        dtype = np.dtype(vtk_numpy.get_numpy_array_type(scalars.GetDataType()))
        self._mapped, self._file = create_array(folder, f"volume-{uuid.uuid4().hex}.npy", dtype, (k, j, i))

    def step(self) -> float:
        """Copy at most 8 MB; the share done.

        Raises
        ------
        VolumeError
            ``volume-gone``, ``volume-changed``. Whether the voxels are usable numbers is the worker's to check.
        """
        node = self._unchanged()
        if self._mapped is not None and self._done < self._total:
            # looked up each time: the array's memory may move whenever the application runs
            flat = vtk_numpy.vtk_to_numpy(node.GetImageData().GetPointData().GetScalars()).reshape(-1)
            end = min(self._total, self._done + max(1, SLAB_BYTES // flat.itemsize))
            self._mapped.reshape(-1)[self._done : end] = flat[self._done : end]
            self._done = end
        return self._done / self._total

    def finish(self) -> VolumeFile:
        """Check that nothing changed meanwhile, and describe the copy. Raises VolumeError as :meth:`step`."""
        self._unchanged()
        if self._done < self._total:
            raise RuntimeError(f"finish after {self._done} of {self._total} voxels")
        self._mapped = None
        self._copied.add(self._folder, self._volume_id, self._stamp, self._file)
        return self._described_with(self._file)

    def abandon(self) -> None:
        """Stop, and remove what was written; a finished or reused copy stays."""
        if self._mapped is None:
            return
        self._mapped = None
        with suppress(OSError):
            path_of(self._folder, self._file.name).unlink(missing_ok=True)

    def _unchanged(self) -> Any:
        node = present_volume(self._scene, self._volume_id)
        if voxel_stamp(node) != self._stamp.voxels or VolumeStamp.of(node) != self._stamp:
            raise VolumeError(
                "The volume changed while SEER was reading it. Run again when it is still.",
                code="volume-changed",
                retryable=True,
            )
        return node

    def _describe(self, node: Any) -> dict[str, Any]:
        modality, source = volume_modality(self._scene, node)
        transforms = []
        frame = sequence_frame(self._scene, node)
        if frame:
            transforms.append(frame)
        if node.GetParentTransformNode() is not None:
            transforms.append("linear parent transform applied")
        return {
            "modality": modality,
            "modality_source": source,
            "name": node.GetName() or "volume",
            "transforms": tuple(transforms),
        }

    def _described_with(self, file: ArrayFile) -> VolumeFile:
        rows = np.array(self._stamp.affine).reshape(4, 4).tolist()
        affine = cast(Matrix, tuple(tuple(row) for row in rows))
        return VolumeFile(voxels=file, affine=affine, **self._described)
