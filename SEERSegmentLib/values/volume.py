"""A scalar 3D image with its place in the patient, and what makes a place usable."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import VolumeError
from .closed_sets import Modality


def content_sha256(voxels: NDArray[Any], affine: NDArray[np.float64]) -> str:
    """SHA-256 over dtype, shape, affine rounded to 1e-6 mm, and little-endian C-order voxels.

    Parameters
    ----------
    voxels : ndarray, shape (k, j, i)
    affine : ndarray, shape (4, 4), IJK→RAS in mm

    Returns
    -------
    str
        64 hex digits. The same image gives the same hash on any machine, whatever file it came from.
    """
    little = voxels.dtype.newbyteorder("<")
    digest = hashlib.sha256()
    digest.update(f"{little.str}|{'x'.join(map(str, voxels.shape))}|".encode())
    digest.update((np.round(affine, 6) + 0.0).astype("<f8").tobytes())  # + 0.0 turns -0.0 into 0.0
    for slab in voxels:  # slab by slab: a non-contiguous or big-endian volume costs one slice of memory, not a copy
        digest.update(np.ascontiguousarray(slab, dtype=little).view(np.uint8).data)
    return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Volume:
    """A scalar 3D image with its place in the patient.

    Attributes
    ----------
    voxels : ndarray, shape (k, j, i)
        Real, finite scalars; HU for CT. Never written to by SEER.
    affine : ndarray, shape (4, 4), float64
        IJK→RAS in mm; columns are orthogonal, either handedness. Sheared or singular affines are refused.
    modality : Modality
    modality_source : str
        Where the modality comes from: ``"DICOM"``, ``"intensities"`` or ``"user"``.
    name : str
        What to call it on screen; a file's name without its folder.
    transforms : tuple[str, ...]
        What was done to it since it was read, in order (``"reoriented RAS to LPS"``), for the provenance.
    metadata : mapping
        Further facts from the file, by name (``"BodyPartExamined"``); never identifies a patient.

    Raises
    ------
    VolumeError
        Codes ``volume-not-3d``, ``volume-empty``, ``voxels-not-real``, ``affine-not-finite``, ``affine-singular``,
        ``affine-sheared``.
    """

    voxels: NDArray[Any]
    affine: NDArray[np.float64]
    modality: Modality = Modality.UNKNOWN
    modality_source: str = ""
    name: str = "volume"
    transforms: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.voxels.ndim != 3:
            raise VolumeError(
                f"This image has {self.voxels.ndim} dimensions; SEER segments 3D volumes.", code="volume-not-3d"
            )
        if self.voxels.size == 0:
            raise VolumeError("This image has no voxels.", code="volume-empty")
        if self.voxels.dtype.kind not in "iuf":
            raise VolumeError(
                "This image's voxels are not plain numbers (colour, complex or boolean).",
                code="voxels-not-real",
                detail=str(self.voxels.dtype),
            )
        affine = np.array(self.affine, dtype=np.float64)
        check_affine(affine)
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels (k, j, i)."""
        k, j, i = self.voxels.shape
        return k, j, i

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size (i, j, k) in mm."""
        si, sj, sk = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(si), float(sj), float(sk)

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in mL."""
        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    @property
    def axis_codes(self) -> str:
        """Where (i, j, k) run to, nearest anatomical direction, as in ``"LPS"``."""
        return axis_codes(self.affine)

    @cached_property
    def sha256(self) -> str:
        """Content hash; see :func:`content_sha256`."""
        return content_sha256(self.voxels, self.affine)


#: Angle between two image axes below which a volume counts as sheared: cos of it. ITK's NIfTI reader allows about
#: 1e-4 of rounding in a direction matrix; header values in single precision stay well within 1e-3.
SHEAR_TOLERANCE = 1e-3


def check_affine(affine: NDArray[np.float64]) -> None:
    """Refuse an IJK→RAS affine that SEER could not keep exactly; see :class:`Volume` for the codes."""
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        raise VolumeError("This image's position or orientation is not a number.", code="affine-not-finite")
    axes = affine[:3, :3]
    lengths = np.linalg.norm(axes, axis=0)
    if not np.array_equal(affine[3], [0.0, 0.0, 0.0, 1.0]) or (lengths < 1e-9).any():
        raise VolumeError(
            "This image's orientation can't be used: one of its axes has no length.", code="affine-singular"
        )
    cosines = (axes / lengths).T @ (axes / lengths) - np.eye(3)
    if abs(float(np.linalg.det(axes / lengths))) < 1e-6:
        raise VolumeError(
            "This image's orientation can't be used: two of its axes point the same way.", code="affine-singular"
        )
    if np.abs(cosines).max() > SHEAR_TOLERANCE:
        raise VolumeError(
            "This image's axes are not at right angles (a tilted gantry, perhaps); allow it to be resampled to right"
            " angles.",
            code="affine-sheared",
            detail=f"largest cosine between two axes {np.abs(cosines).max():.4f}",
        )


def axis_codes(affine: NDArray[np.float64]) -> str:
    """Nearest anatomical direction of each voxel axis (i, j, k), as in ``"RAS"``: greedy, largest component first."""
    cosines = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    letters = [""] * 3
    free_world, free_axis = {0, 1, 2}, {0, 1, 2}
    while free_axis:
        world, axis = max(
            ((w, a) for w in sorted(free_world) for a in sorted(free_axis)), key=lambda p: abs(cosines[p])
        )
        letters[axis] = ("RAS" if cosines[world, axis] > 0 else "LPI")[world]
        free_world.discard(world)
        free_axis.discard(axis)
    return "".join(letters)
