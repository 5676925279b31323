"""Preset seer-v1: the pixels of the official preparation, to the bit."""

from __future__ import annotations

import hashlib
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from SEERSegmentLib.errors import Cancelled
from SEERSegmentLib.imaging import read_volume, render_views, reorientation_to
from SEERSegmentLib.imaging.seer_v1 import grey_slice, slice_indices
from SEERSegmentLib.protocols import CancelToken
from SEERSegmentLib.values import Modality, Plane, Volume

#: SHA-256 over the eight expected pictures of each sample, as nibabel, numpy and Pillow compute them below.
EXPECTED = {
    "example-ct": "9fcd9a1efe7eb848014108b67a7df4026998c64774cb9a1a266209a3619311ac",
    "aorta-ct": "650cdefb8d33b2cf31fa3ed964773c76ec2276d4fd362bd6025e60b513ba11dd",
    "example-mr-sm": "da67b521d0af837f32e61bf2ba9ba9e1acc55c800b3255a903f1c4ab91c94d18",
    "ct-chest": "0781a02f7f4983748b293d3f2841bf2710659b53d484098b16d42607a7053af1",
}


def recipe(values: np.ndarray) -> np.ndarray:
    """One slice by the recipe, written down plainly."""
    values = values.astype(np.float32)
    low, high = np.percentile(values[np.isfinite(values)], (0.5, 99.5))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.zeros(values.shape, np.uint8)
    return (np.clip((values - low) / (high - low), 0.0, 1.0) ** 1.4 * 255.0).astype(np.uint8)


def expected_pixels(path: Path) -> list[np.ndarray]:
    array = nibabel.load(path).get_fdata(dtype=np.float32)
    last = array.shape[2] - 1
    slices = np.linspace(round(0.1 * last), round(0.9 * last), 8).round().astype(int)
    return [
        np.asarray(Image.fromarray(recipe(array[:, :, z])).resize((448, 448), Image.Resampling.BILINEAR))
        for z in slices
    ]


@pytest.fixture
def nifti(sample, tmp_path):
    """The sample as NIfTI; one that is none is written by SimpleITK, as the official preparation does."""

    def get(name: str) -> Path:
        if sample(name).name.endswith(".nii.gz"):
            return sample(name)
        path = tmp_path / f"{name}.nii.gz"
        sitk.WriteImage(sitk.ReadImage(str(sample(name))), str(path), useCompression=True)
        return path

    return get


@pytest.mark.parametrize("name", EXPECTED)
def test_pixels_are_those_of_the_official_preparation(nifti, name):
    path = nifti(name)
    expected = expected_pixels(path)
    views = render_views(read_volume(path), "seer-v1", as_stored=True)
    assert len(views) == 8
    for view, pixels in zip(views, expected, strict=True):
        np.testing.assert_array_equal(view.pixels, pixels, err_msg=view.name)
    assert hashlib.sha256(b"".join(p.tobytes() for p in expected)).hexdigest() == EXPECTED[name]


@settings(max_examples=150)
@given(
    data=st.data(),
    dtype=st.sampled_from(["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]),
    shape=hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=40),
    spread=st.sampled_from([1, 3, 100, 3000, 70_000, 1 << 22]),
)
def test_grey_of_any_slice_equals_the_recipe(data, dtype, shape, spread):
    seed = data.draw(st.integers(0, 2**32 - 1))
    values = np.random.default_rng(seed).normal(data.draw(st.sampled_from([0, 50, -800])), spread, shape)
    info = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else np.finfo(dtype)
    values = np.clip(values, float(info.min), min(float(info.max), 2.0**52)).astype(dtype)
    np.testing.assert_array_equal(grey_slice(values)[0], recipe(values))


def test_slices_of_a_short_volume_are_shown_once():
    assert slice_indices(100) == tuple(np.linspace(10, 89, 8).round().astype(int))
    assert slice_indices(3) == (0, 1, 2)
    assert slice_indices(2) == (0, 1)


def marked(affine, shape=(20, 24, 28), at=(9, 14, 5)):
    """A dark volume with a bright 3 × 3 × 1 spot at voxel (i, j, k)."""
    voxels = np.random.default_rng(0).integers(0, 50, shape).astype(np.int16)
    i, j, k = at
    voxels[k, j - 1 : j + 2, i - 1 : i + 2] = 1000
    return Volume(voxels, affine, Modality.MR)


@pytest.mark.parametrize("as_stored", [True, False])
def test_pixels_know_where_they_are(as_stored):
    affine = np.array([[0, 2.0, 0, -7], [-1.5, 0, 0, 40], [0, 0, 3.0, 100], [0, 0, 0, 1]])
    k = slice_indices(20)[2]
    volume = marked(affine, at=(9, 14, k))
    views = render_views(volume, "seer-v1", as_stored=as_stored)
    view = max(views, key=lambda v: int(v.pixels.max() == 255) * float((v.pixels > 200).mean()))
    bright = np.argwhere(view.pixels > 128)
    spots = [v for v in views if abs(v.position_mm - (affine @ [9, 14, k, 1])[2]) < 0.1]
    assert len(spots) == 1
    bright = np.argwhere(spots[0].pixels > 128)
    row, column = bright.mean(axis=0)
    np.testing.assert_allclose(
        (spots[0].pixel_to_ras @ [column, row, 0, 1])[:3], (affine @ [9, 14, k, 1])[:3], atol=0.2
    )
    assert view.pixels.shape == (448, 448)


def test_storage_order_does_not_matter_unless_asked_for():
    affine = np.diag([-1.0, -1, 2, 1])
    volume = marked(affine)
    turn = reorientation_to(volume, "SAR")
    stored = Volume(turn.apply(volume.voxels).copy(), affine @ turn.index_affine(), Modality.MR)
    for ours, theirs in zip(render_views(volume, "seer-v1"), render_views(stored, "seer-v1"), strict=True):
        np.testing.assert_array_equal(ours.pixels, theirs.pixels)
        np.testing.assert_allclose(ours.pixel_to_ras, theirs.pixel_to_ras, atol=1e-9)
    as_stored = render_views(stored, "seer-v1", as_stored=True)
    assert {v.plane for v in as_stored} == {Plane.SAGITTAL}


def test_stops_when_asked():
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        render_views(marked(np.eye(4)), "seer-v1", cancel=token)
