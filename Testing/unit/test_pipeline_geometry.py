"""From request to file, the mask stays where it is in the patient: any storage order, any oblique direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from SEERSegmentLib.backbones.classical import ClassicalBackbone
from SEERSegmentLib.backbones.reference import ReferenceBackbone
from SEERSegmentLib.imaging import read_labelmap, read_volume, reorientation_to
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.metrics import dice
from SEERSegmentLib.output import write_segmentation
from SEERSegmentLib.pipeline import Job, run
from SEERSegmentLib.reasoning.lexical import LexicalReasoner
from SEERSegmentLib.values import Modality, Request, Segmentation, Volume

ORIENTATIONS = ["".join(c) for p in permutations(("RL", "AP", "SI")) for c in product(*p)]
LIVER = {5: "liver"}


def rotation(angles: tuple[float, float, float]) -> NDArray[np.float64]:
    """About the patient's own axes, in degrees; world RAS to world RAS."""
    turned = np.eye(4)
    turned[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    return turned


def stored_as(volume: Volume, codes: str) -> Volume:
    """The same image in another storage order."""
    turn = reorientation_to(volume, codes)
    return replace(volume, voxels=turn.apply(volume.voxels), affine=volume.affine @ turn.index_affine())


def segmented(job: Job) -> Segmentation:
    result = run(job)
    assert isinstance(result, Segmentation)
    return result


def places(mask: NDArray[np.bool_], affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """RAS of every voxel of a mask, in an order that doesn't depend on how it is stored."""
    k, j, i = np.nonzero(mask)
    points: NDArray[np.float64] = (affine @ np.stack([i, j, k, np.ones_like(i)]))[:3].T
    return points[np.lexsort(np.round(points, 3).T)]


@pytest.fixture(scope="module")
def abdomen(sample: Callable[..., Path]) -> tuple[Volume, Volume]:
    """Thirty slices of a real CT, and its label map."""
    return read_volume(sample("example-ct-sm")), read_labelmap(sample("example-ct-sm", "labels"))


@settings(max_examples=12)
@given(codes=st.sampled_from(ORIENTATIONS), angles=st.tuples(*[st.floats(-180, 180)] * 3))
def test_reference_is_exact_for_any_order_and_direction(
    abdomen: tuple[Volume, Volume], codes: str, angles: tuple[float, float, float]
) -> None:
    """The label map stays in its original order; image and map lie as obliquely in the scanner as the patient does."""
    volume, labels = abdomen
    oblique = rotation(angles)
    stored = stored_as(volume, codes)
    turned = replace(stored, affine=oblique @ stored.affine)
    reference = ReferenceBackbone(replace(labels, affine=oblique @ labels.affine), LIVER)
    job = Job(turned, Request("liver"), LexicalReasoner(), reference, answer="liver")
    (segment,) = segmented(job).segments
    assert segment.mask.voxels.shape == turned.shape
    np.testing.assert_array_equal(segment.mask.affine, turned.affine)
    truth = stored_as(replace(volume, voxels=(labels.voxels == 5).astype(np.int8)), codes).voxels
    assert dice(segment.mask.voxels, truth) == 1.0
    assert segment.volume_ml == pytest.approx((labels.voxels == 5).sum() * volume.voxel_ml)


@pytest.mark.parametrize("codes", ["LPS", "RAS", "SRA", "IPR", "ALI"])
def test_the_file_puts_the_mask_where_it_is_in_the_patient(
    abdomen: tuple[Volume, Volume], tmp_path: Path, codes: str
) -> None:
    volume, labels = abdomen
    oblique = rotation((7.0, -11.0, 23.0))
    stored = stored_as(volume, codes)
    turned = replace(stored, affine=oblique @ stored.affine)
    reference = ReferenceBackbone(replace(labels, affine=oblique @ labels.affine), LIVER)
    result = segmented(Job(turned, Request("liver"), LexicalReasoner(), reference))
    expected = places(labels.voxels == 5, oblique @ labels.affine)
    for name in ("liver.seg.nrrd", "liver.nii.gz"):
        path, *_ = write_segmentation(result, tmp_path / name)
        image = sitk.ReadImage(str(path))
        affine = np.eye(4)
        affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
        affine[:3, 3] = image.GetOrigin()
        found = places(sitk.GetArrayFromImage(image) == 1, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine)
        assert len(found) == len(expected)
        np.testing.assert_allclose(found.mean(axis=0), expected.mean(axis=0), atol=1e-3)
        np.testing.assert_allclose(found.min(axis=0), expected.min(axis=0), atol=1e-3)
        np.testing.assert_allclose(found.max(axis=0), expected.max(axis=0), atol=1e-3)


@settings(max_examples=6)
@given(codes=st.sampled_from(ORIENTATIONS), mirrored=st.booleans())
def test_the_right_lung_is_the_patients_right_in_any_order_and_in_a_mirrored_patient(
    codes: str, mirrored: bool
) -> None:
    volume, truth = chest_phantom(5.0)
    if mirrored:
        volume = replace(volume, affine=np.diag([-1.0, 1.0, 1.0, 1.0]) @ volume.affine)
    turn = reorientation_to(volume, codes)
    job = Job(stored_as(volume, codes), Request("pls outline the rt lung"), LexicalReasoner(), ClassicalBackbone())
    result = segmented(job)
    (segment,) = result.segments
    expected, other = ("lung_left", "lung_right") if mirrored else ("lung_right", "lung_left")
    assert dice(turn.invert(segment.mask.voxels), truth[expected]) > 0.95
    assert not (turn.invert(segment.mask.voxels) & truth[other]).any()
    assert [finding.status for finding in result.findings if finding.code == "side-of-patient"] == ["agree"]
    assert result.volume.modality is Modality.CT
