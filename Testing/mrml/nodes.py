"""Nodes, reports and reference answers for the tests on MRML."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from SEERSegmentLib.presenter.seams import Inputs
from SEERSegmentLib.presenter.state import OverlapPolicy
from SEERSegmentLib.values import (
    Code,
    CroppedArray,
    Evidence,
    Finding,
    Provenance,
    Reasoning,
    Severity,
    Skill,
    Stage,
    StageRecord,
    Target,
    TargetSpec,
    Terminology,
)
from SEERSegmentLib.worker.files import write_mask
from SEERSegmentLib.worker.messages import RunReport, SegmentPiece

#: What Slicer's own files lose or change when it stands in a tag unprotected.
NASTY = 'left|right: 100% "sure" ~ ^ & <b> \\ \n 左肾 🫘'

LIVER = Terminology(
    Code("SCT", "123037004", "Anatomical Structure"),
    Code("SCT", "10200004", "Liver"),
)
RIGHT_KIDNEY = Terminology(
    Code("SCT", "123037004", "Anatomical Structure"),
    Code("SCT", "64033007", "Kidney"),
    modifier=Code("SCT", "24028007", "Right"),
)
LUNG_NODULE = Terminology(
    Code("SCT", "49755003", "Morphologically Altered Structure"),
    Code("SCT", "4147007", "Mass"),
    region=Code("SCT", "39607008", "Lung"),
    region_modifier=Code("SCT", "7771000", "Left"),
)

#: The 48 ways in which voxel axes can run along the patient's: signed permutations.
ORIENTATIONS = [
    np.array([[sign if axis == row else 0.0 for axis, sign in zip(order, signs, strict=True)] for row in range(3)])
    for order in permutations(range(3))
    for signs in product((1.0, -1.0), repeat=3)
]


def affine_of(
    directions: NDArray[np.float64],
    spacing: Sequence[float] = (0.7, 1.3, 2.5),
    origin: Sequence[float] = (-31, 17, 203),
) -> NDArray[np.float64]:
    """IJK→RAS, shape (4, 4)."""
    affine = np.eye(4)
    affine[:3, :3] = directions * np.asarray(spacing)
    affine[:3, 3] = origin
    return affine


def rotation(degrees: float, axis: Sequence[float] = (1, 2, 3)) -> NDArray[np.float64]:
    """Rotation matrix, shape (3, 3)."""
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.deg2rad(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def add_volume(
    slicer: Any, voxels: NDArray[Any], affine: NDArray[np.float64] | None = None, name: str = "CT chest"
) -> Any:
    """A scalar volume node."""
    return slicer.util.addVolumeFromArray(voxels, ijkToRAS=np.eye(4) if affine is None else affine, name=name)


def add_transform(slicer: Any, matrix: NDArray[np.float64], parent: Any = None) -> Any:
    """A linear transform node, below another."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    slicer.util.updateTransformMatrixFromArray(node, matrix)
    if parent is not None:
        node.SetAndObserveTransformNodeID(parent.GetID())
    return node


def add_bend(slicer: Any) -> Any:
    """A transform node that is not linear."""
    import vtk

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode")
    bend = vtk.vtkThinPlateSplineTransform()
    source, target = vtk.vtkPoints(), vtk.vtkPoints()
    for point in product((0.0, 10.0), repeat=3):
        source.InsertNextPoint(*point)
        target.InsertNextPoint(point[0] + 0.1 * point[1] * point[2], point[1], point[2])
    bend.SetSourceLandmarks(source)
    bend.SetTargetLandmarks(target)
    bend.SetBasisToR()
    node.SetAndObserveTransformToParent(bend)
    return node


def random_mask(shape: tuple[int, int, int], seed: int, share: float = 0.5) -> NDArray[np.bool_]:
    """A mask with a ragged border within a random box."""
    random = np.random.default_rng(seed)
    mask = np.zeros(shape, bool)
    low = [int(random.integers(0, n // 2)) for n in shape]
    high = [int(random.integers(a + 1, n + 1)) for a, n in zip(low, shape, strict=True)]
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    mask[box] = random.random(mask[box].shape) < share
    mask[tuple(low)] = True
    return mask


def piece_of(
    mask: NDArray[Any],
    folder: Path,
    name: str = "liver",
    terminology: Terminology | None = LIVER,
    number: int = 0,
) -> SegmentPiece:
    """A proposed segment whose mask lies in the folder."""
    identifier = name.replace(" ", "_")
    return SegmentPiece(
        id=identifier,
        name=name,
        colour=(221, 130, 101),
        terminology=terminology,
        target=Target(name, identifier),
        volume_ml=float(np.count_nonzero(mask)) / 1000,
        mask=write_mask(folder, f"{identifier}-{number}-{np.count_nonzero(mask)}.npy", CroppedArray.of(mask)),
        centre_ras=(0.0, 0.0, 0.0),
        findings=(Finding("mask-touches-border", Severity.WARNING, NASTY),),
    )


def report_of(pieces: Sequence[SegmentPiece], text: str = "liver") -> RunReport:
    """A run's report with every field filled, some with what is hard to store."""
    return RunReport(
        job="job-1",
        volume_sha256="0" * 64,
        views=(),
        skills=(Skill("seer:0123456789ab", "ABBR_DISAMBIGUATE", NASTY, why_retrieved="test"),),
        reasoning=Reasoning(
            evidence=(Evidence("field-of-view", NASTY, (1.0, 2.0), "mm", "axial 3"),),
            rationale=("Read as the liver.", NASTY),
            answer=text,
            reasoner="lexical",
            raw=NASTY,
        ),
        spec=TargetSpec(text, tuple(piece.target for piece in pieces)),
        segments=tuple(pieces),
        findings=(Finding("side-unknown", Severity.INFO, NASTY),),
        provenance=Provenance("SEER 0", (StageRecord(Stage.SEGMENT, "classical", "1", details=(("note", NASTY),)),)),
    )


def inputs_of(volume: Any, segmentation: Any = None, overlap: OverlapPolicy = OverlapPolicy.KEEP) -> Inputs:
    """The panel's choice of nodes."""
    return Inputs(volume.GetID(), "" if segmentation is None else segmentation.GetID(), overlap=overlap)


def shown_mask(slicer: Any, segmentation: Any, segment_id: str, volume: Any) -> NDArray[Any]:
    """A segment on the volume's whole grid, by Slicer's own export."""
    return slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segment_id, volume).copy()
