"""A label map with named labels, and how it lies against the grid of a volume."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BackboneError, UsageError, VolumeError
from ..imaging import read_labelmap
from ..values import Volume, content_sha256
from .label_names import read_label_names

__all__ = ["Label", "LabelMap", "read_named_labelmap"]

#: Grids count as one where no corner lies farther off than this share of a voxel: rounding of headers in text or single
#: precision stays far below it.
SAME_GRID_VOXELS = 0.05

_SEGMENT_KEY = re.compile(r"^(Segment\d+)_(Name|LabelValue|Layer|Tags)$")


@dataclass(frozen=True)
class Label:
    """One label: its value in its layer, its name, and the codes of its terminology (type, modifier) if it has any."""

    value: int
    name: str
    layer: int = 0
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class LabelMap:
    """Layers of whole numbers (k, j, i) with one IJK→RAS affine in mm, and their labels."""

    layers: tuple[NDArray[Any], ...]
    affine: NDArray[np.float64]
    labels: tuple[Label, ...]

    @property
    def sha256(self) -> str:
        """Of the layers on their grid and of the labels' names: another map, or other names, give another hash."""
        digest = hashlib.sha256(repr(self.labels).encode("utf-8", "backslashreplace"))
        for layer in self.layers:
            digest.update(content_sha256(layer, self.affine).encode())
        return digest.hexdigest()

    def held(self) -> tuple[Label, ...]:
        """The labels that have any voxel."""
        present = [{int(v) for slab in layer for v in np.unique(slab)} for layer in self.layers]
        return tuple(label for label in self.labels if label.value in present[label.layer])

    def on_grid_of(self, volume: Volume) -> tuple[tuple[NDArray[Any], ...], str]:
        """The layers on a volume's grid, and a note where they had to be resampled.

        Axes that are only permuted or flipped are turned back exactly, without copying; any other grid is sampled at
        the nearest voxel.

        Raises
        ------
        BackboneError
            ``labels-elsewhere`` where map and volume have no voxel in common.
        """
        to_label = np.linalg.inv(self.affine) @ volume.affine  # volume's index (i, j, k, 1) → label map's
        turned = self._turned(to_label, volume.shape)
        if turned is not None:
            return turned, ""
        from scipy import ndimage

        matrix, offset = to_label[:3, :3][::-1, ::-1], to_label[:3, 3][::-1]
        layers = tuple(
            ndimage.affine_transform(layer, matrix, offset, output_shape=volume.shape, order=0, cval=0)
            for layer in self.layers
        )
        if not any(layer.any() for layer in layers):
            raise BackboneError(
                "The label map does not cover this image: none of its labels lies within the slices.",
                code="labels-elsewhere",
            )
        return layers, "The label map has another grid than the image; it was sampled at the nearest voxels."

    def _turned(self, to_label: NDArray[np.float64], shape: tuple[int, int, int]) -> tuple[NDArray[Any], ...] | None:
        axes = np.rint(to_label[:3, :3]).astype(int)
        if not (np.abs(axes).sum(axis=0) == 1).all() or not (np.abs(axes).sum(axis=1) == 1).all():
            return None
        order = np.abs(axes).argmax(axis=0)  # label axis (i, j, k) that each volume axis (i, j, k) runs along
        array_order = tuple(int(2 - order[2 - n]) for n in range(3))
        if tuple(self.layers[0].shape[n] for n in array_order) != shape:
            return None
        exact = np.eye(4)
        exact[:3, :3] = axes
        last = np.array(self.layers[0].shape[::-1]) - 1
        exact[:3, 3] = np.where(axes.sum(axis=1) < 0, last, 0)
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape[::-1]])).reshape(3, -1)
        corners = np.vstack([corners, np.ones(corners.shape[1])])
        if np.abs((to_label - exact) @ corners).max() > SAME_GRID_VOXELS:
            return None
        flips = tuple(slice(None, None, -1 if axes[:, 2 - n].sum() < 0 else 1) for n in range(3))
        return tuple(layer.transpose(array_order)[flips] for layer in self.layers)


def read_named_labelmap(source: Volume | str | Path, names: Mapping[int, str] | str | Path | None) -> LabelMap:
    """A label map from a file, or one already in memory, with its names.

    Parameters
    ----------
    source
        A file, or a Volume of whole numbers.
    names
        Value → name, or a file of names (:func:`read_label_names`). None for a ``.seg.nrrd``, which names its own.

    Raises
    ------
    VolumeError, InputError
        Of reading.
    UsageError
        ``reference-names-missing``.
    """
    table = read_label_names(names) if isinstance(names, (str, Path)) else names
    if not isinstance(source, Volume) and str(source).lower().endswith(".seg.nrrd"):
        own = _read_segmentation(Path(source))
        if table is None:
            return own
        return LabelMap(own.layers, own.affine, tuple(Label(v, n) for v, n in sorted(table.items())))
    if table is None:
        raise UsageError(
            "The label map needs the names of its labels: give --label-names FILE with lines such as “1 liver”.",
            code="reference-names-missing",
        )
    volume = source if isinstance(source, Volume) else read_labelmap(source)
    whole = volume.voxels if volume.voxels.dtype.kind in "iu" else np.rint(volume.voxels).astype(np.int32)
    return LabelMap((whole,), volume.affine, tuple(Label(v, n) for v, n in sorted(table.items())))


def _read_segmentation(path: Path) -> LabelMap:
    """Read 3D Slicer's ``.seg.nrrd``: names, values, layers and codes stand in its header."""
    import SimpleITK as sitk

    make_reader: Any = sitk.ImageFileReader
    reader = make_reader()
    reader.SetFileName(str(path))
    try:
        image: Any = reader.Execute()
    except RuntimeError as error:
        raise VolumeError(
            f"The label map can't be read: {path.name}.", code="labels-unreadable", detail=str(error)
        ) from error
    voxels = sitk.GetArrayFromImage(image)
    if image.GetDimension() != 3:
        raise VolumeError("The label map is not 3D.", code="volume-not-3d")
    layers = tuple(np.moveaxis(voxels, -1, 0)) if voxels.ndim == 4 else (voxels,)
    segments: dict[str, dict[str, str]] = {}
    for key in reader.GetMetaDataKeys():
        if match := _SEGMENT_KEY.match(key):
            segments.setdefault(match[1], {})[match[2]] = reader.GetMetaData(key)
    labels = tuple(
        Label(int(s.get("LabelValue", "1")), s["Name"], int(s.get("Layer", "0")), _codes(s.get("Tags", "")))
        for s in segments.values()
        if "Name" in s
    )
    if not labels:
        raise UsageError(
            "This .seg.nrrd does not name its segments: give --label-names FILE.", code="reference-names-missing"
        )
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return LabelMap(layers, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine, labels)


def _codes(tags: str) -> tuple[str, ...]:
    """SNOMED values of type and modifier, out of ``TerminologyEntry:context~category~type~modifier~…``."""
    match = re.search(r"TerminologyEntry:([^|]*)", tags)
    parts = match[1].split("~") if match else []
    return tuple(part.split("^")[1] for part in parts[2:4] if part.count("^") >= 2 and part.split("^")[1])
