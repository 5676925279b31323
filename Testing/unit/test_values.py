"""Volumes: what is refused, and a content hash that knows the image and not how it is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from SEERSegmentLib.errors import VolumeError
from SEERSegmentLib.values import Modality, Provenance, Stage, StageRecord, Volume, content_sha256

VOXELS = np.arange(24, dtype=np.int16).reshape(2, 3, 4) - 5


def test_the_hash_is_the_documented_one() -> None:
    """SHA-256 over dtype, shape, affine rounded to 1e-6 mm, and little-endian voxels in C order."""
    affine = np.diag([-0.7, -0.8, 2.5, 1.0])
    affine[0, 3] = 1.23456789
    expected = hashlib.sha256(b"<i2|2x3x4|" + (affine.round(6) + 0.0).astype("<f8").tobytes() + VOXELS.tobytes())
    assert content_sha256(VOXELS, affine) == expected.hexdigest()


@pytest.mark.parametrize(
    "store",
    [
        lambda v: v.astype(">i2"),
        np.asfortranarray,
        lambda v: np.repeat(v, 2, axis=2)[..., ::2],
        lambda v: np.ascontiguousarray(v[::-1, :, ::-1])[::-1, :, ::-1],
    ],
    ids=["big-endian", "Fortran order", "every other", "flipped"],
)
def test_the_hash_does_not_know_how_voxels_lie_in_memory(store: Callable[[np.ndarray], np.ndarray]) -> None:
    stored = store(VOXELS)
    np.testing.assert_array_equal(stored, VOXELS)
    assert Volume(stored, np.eye(4)).sha256 == Volume(VOXELS, np.eye(4)).sha256


def test_the_hash_knows_the_image() -> None:
    touched = VOXELS.copy()
    touched[1, 2, 3] += 1
    moved = np.eye(4)
    moved[0, 3] = 1e-5
    jittered = np.eye(4)
    jittered[0, 3] = -1e-9  # rounding of a header
    images = [Volume(touched, np.eye(4)), Volume(VOXELS, moved), Volume(VOXELS.reshape(2, 4, 3), np.eye(4))]
    images += [Volume(VOXELS.astype(t), np.eye(4)) for t in ("i4", "f2", "f4", "f8", np.longdouble)]
    original = Volume(VOXELS, np.eye(4))
    assert len({image.sha256 for image in (original, *images)}) == 1 + len(images)
    assert Volume(VOXELS, jittered).sha256 == original.sha256
    assert Volume(VOXELS, np.eye(4), Modality.CT).sha256 == original.sha256


@pytest.mark.parametrize(
    ("voxels", "affine", "code"),
    [
        (VOXELS[0], np.eye(4), "volume-not-3d"),
        (VOXELS[None], np.eye(4), "volume-not-3d"),
        (VOXELS[:0], np.eye(4), "volume-empty"),
        (VOXELS > 0, np.eye(4), "voxels-not-real"),
        (VOXELS.astype(complex), np.eye(4), "voxels-not-real"),
        (VOXELS, np.eye(3), "affine-not-finite"),
        (VOXELS, np.diag([1.0, np.nan, 1.0, 1.0]), "affine-not-finite"),
        (VOXELS, np.diag([1.0, 0.0, 1.0, 1.0]), "affine-singular"),
        (VOXELS, np.diag([1.0, 1.0, 1.0, 2.0]), "affine-singular"),
        (VOXELS, np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), "affine-singular"),
        (VOXELS, np.array([[1, 0.2, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), "affine-sheared"),
    ],
)
def test_what_is_no_volume_is_refused(voxels: np.ndarray, affine: np.ndarray, code: str) -> None:
    with pytest.raises(VolumeError) as caught:
        Volume(voxels, affine)
    assert caught.value.code == code


def test_an_affine_cannot_be_changed_afterwards() -> None:
    affine = np.eye(4)
    volume = Volume(VOXELS, affine)
    affine[0, 3] = 100.0
    assert volume.affine[0, 3] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        volume.affine[0, 3] = 1.0
    assert volume.voxel_ml == pytest.approx(0.001)
    assert Volume(VOXELS, np.diag([-0.5, 2.0, -3.0, 1.0])).voxel_ml == pytest.approx(0.003)


def test_provenance_finds_the_record_of_a_stage() -> None:
    record = StageRecord(Stage.VIEWS, "multi-view")
    provenance = Provenance("SEER", (record,))
    assert provenance.record(Stage.VIEWS) is record
    assert provenance.record(Stage.SEGMENT) is None
    assert provenance.notice.startswith("Research use only")
