"""Index order: permutations and flips are exact, copy nothing, and can be undone."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from SEERSegmentLib.errors import VolumeError
from SEERSegmentLib.imaging import from_lps, reorientation_to, to_lps
from SEERSegmentLib.values import Volume

ORIENTATIONS = ["".join(c) for p in permutations(("RL", "AP", "SI")) for c in product(*p)]


def turned(volume: Volume, codes: str) -> Volume:
    """The same image stored in another order."""
    turn = reorientation_to(volume, codes)
    return Volume(turn.apply(volume.voxels).copy(), volume.affine @ turn.index_affine(), volume.modality)


def example(angles=(0.0, 0.0, 0.0)) -> Volume:
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * [0.7, 1.1, 2.5]
    affine[:3, 3] = [11, -22, 33]
    return Volume(np.arange(2 * 3 * 4, dtype=np.int16).reshape(2, 3, 4), affine)


def world(volume: Volume) -> dict[int, tuple[float, ...]]:
    """Value → RAS of its voxel; all values differ."""
    k, j, i = np.indices(volume.shape)
    index = np.stack([i, j, k, np.ones_like(i)]).reshape(4, -1)
    points = np.round(volume.affine @ index, 6)[:3].T
    return {int(v): tuple(p) for v, p in zip(volume.voxels.ravel(), points, strict=True)}


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_every_voxel_stays_where_it_is_in_the_patient(codes):
    original = turned(example((4, -7, 12)), codes)
    assert original.axis_codes == codes
    lps = to_lps(original)
    assert lps.axis_codes == "LPS"
    assert world(lps) == world(original)
    assert np.shares_memory(lps.voxels, original.voxels)
    np.testing.assert_array_equal(from_lps(lps.voxels, original), original.voxels)
    assert (lps.transforms == ()) == (codes == "LPS")
    if codes != "LPS":
        assert lps.transforms == (f"reoriented {codes} to LPS",)


def test_the_same_image_in_all_48_orders_has_one_content_hash_in_lps():
    assert len({to_lps(turned(example(), codes)).sha256 for codes in ORIENTATIONS}) == 1


@given(angles=st.tuples(*[st.floats(-180, 180)] * 3))
def test_any_oblique_direction(angles):
    original = example(angles)
    lps = to_lps(original)
    assert world(lps) == world(original)
    assert np.linalg.det(lps.affine[:3, :3]) * np.linalg.det(original.affine[:3, :3]) != 0
    np.testing.assert_array_equal(from_lps(lps.voxels, original), original.voxels)


def test_a_mask_of_another_grid_is_refused():
    with pytest.raises(VolumeError) as caught:
        from_lps(np.zeros((5, 5, 5), bool), example())
    assert caught.value.code == "grid-mismatch"
