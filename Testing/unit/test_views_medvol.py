"""Preset medvol-r1: 64 upright axial slices from head to feet, exact places, the same picture in any storage order."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from SEERSegmentLib.errors import Cancelled, UsageError
from SEERSegmentLib.imaging import orientation_letters, read_volume, render_views, reorientation_to
from SEERSegmentLib.imaging.medvol_r1 import SIZE, SLICES, slices_from_head
from SEERSegmentLib.protocols import CancelToken
from SEERSegmentLib.values import Modality, Plane, Volume

Sample = Callable[..., Path]

ORIENTATIONS = ["".join(c) for p in permutations(("RL", "AP", "SI")) for c in product(*p)]


def turned(volume: Volume, codes: str) -> Volume:
    turn = reorientation_to(volume, codes)
    return Volume(turn.apply(volume.voxels).copy(), volume.affine @ turn.index_affine(), volume.modality)


@st.composite
def affines(draw: st.DrawFn) -> NDArray[np.float64]:
    angles = draw(st.tuples(*[st.floats(-180, 180)] * 3))
    spacing = draw(st.tuples(*[st.floats(0.5, 5)] * 3))
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * spacing
    affine[:3, 0] *= draw(st.sampled_from([1, -1]))
    affine[:3, 3] = draw(st.tuples(*[st.floats(-300, 300)] * 3))
    return affine


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 100, 127, 128, 129, 512, 2000])
def test_slices_are_spread_from_end_to_end_and_none_is_shown_twice(count: int) -> None:
    chosen = slices_from_head(count)
    assert len(chosen) == min(count, SLICES)
    assert (chosen[0], chosen[-1]) == (0, count - 1)
    steps = np.diff(chosen)
    assert (steps > 0).all()
    if count > 1:
        assert steps.max() - steps.min() <= 1  # evenly, as far as whole slices allow


def test_all_storage_orders_of_a_real_volume_give_the_same_pixels_in_the_same_places(sample: Sample) -> None:
    volume = read_volume(sample("example-ct-sm"))
    expected = render_views(volume, "medvol-r1")
    for codes in ORIENTATIONS:
        stored = turned(volume, codes)
        views = render_views(stored, "medvol-r1")
        assert len(views) == len(expected) == 30
        axis = next(a for a, code in enumerate(stored.axis_codes) if code in "SI")
        for ours, theirs in zip(views, expected, strict=True):
            np.testing.assert_array_equal(ours.pixels, theirs.pixels, err_msg=f"{codes} {theirs.name}")
            np.testing.assert_allclose(ours.pixel_to_ras, theirs.pixel_to_ras, atol=1e-6)
            assert ours.window == theirs.window
            index = np.linalg.solve(stored.affine, ours.pixel_to_ras @ [5, 5, 0, 1])
            assert index[axis] == pytest.approx(ours.slice_index, abs=1e-6)  # the volume's own


def test_the_first_slice_is_at_the_head_and_the_last_at_the_feet(sample: Sample) -> None:
    views = render_views(read_volume(sample("example-ct")), "medvol-r1")
    assert len(views) == SLICES
    heights = [view.position_mm for view in views]
    assert heights == sorted(heights, reverse=True)
    assert len({view.name for view in views}) == len(views)
    assert {(view.preset, view.plane) for view in views} == {("medvol-r1", Plane.AXIAL)}
    for view in views:
        assert view.pixels.shape == (SIZE, SIZE)
        assert view.pixels.dtype == np.uint8
        assert orientation_letters(view) == ("R", "L", "A", "P")


@settings(max_examples=40)
@given(
    affine=affines(),
    shape=st.tuples(st.integers(1, 70), st.integers(12, 40), st.integers(12, 40)),
    data=st.data(),
)
def test_a_marked_voxel_shows_up_where_its_pixel_says(
    affine: NDArray[np.float64], shape: tuple[int, int, int], data: st.DataObject
) -> None:
    """For any orientation, obliquity, aspect and number of slices."""
    voxels = np.random.default_rng(0).integers(-160, -60, shape).astype(np.int16)
    voxels[:2] = voxels[:, :2] = voxels[:, :, :2] = 240  # enough of it that the window stays the same
    plain = render_views(Volume(voxels, affine, Modality.CT), "medvol-r1")
    which = data.draw(st.integers(0, len(plain) - 1))
    where = data.draw(st.tuples(st.floats(0.3, 0.7), st.floats(0.3, 0.7)))
    point = plain[which].pixel_to_ras @ [where[0] * SIZE, where[1] * SIZE, 0, 1]
    i, j, k = np.rint(np.linalg.solve(affine, point))[:3].astype(int)
    assume(voxels[k, j, i] < 0)
    marked = voxels.copy()
    marked[k, j, i] = 240
    view = render_views(Volume(marked, affine, Modality.CT), "medvol-r1")[which]
    assert view.name == plain[which].name
    low, high = view.window
    before_low, before_high = plain[which].window
    gain = (view.pixels / 255 * (high - low) + low) - (
        plain[which].pixels / 255 * (before_high - before_low) + before_low
    )
    gain = np.where(gain > 0.5 * gain.max(), gain, 0)
    rows, columns = (np.indices(gain.shape) * gain).sum(axis=(1, 2)) / gain.sum()
    found = (view.pixel_to_ras @ [columns, rows, 0, 1])[:3]
    apart = np.linalg.solve(affine[:3, :3], found - (affine @ [i, j, k, 1])[:3])
    assert np.abs(apart).max() < 0.35  # voxels; a voxel's own edges lie 0.5 away


def test_the_corners_of_the_picture_are_the_corners_of_the_slice() -> None:
    """Whatever the aspect: outer edges of pixels and voxels coincide, exactly."""
    affine = np.diag([-0.7, -1.9, 3.0, 1.0])
    affine[:3, 3] = 11, -7, 5
    volume = Volume(np.zeros((5, 31, 47), np.int16), affine, Modality.CT)
    view = render_views(volume, "medvol-r1")[1]  # the second from the head: k = 3
    for pixel, voxel in (((-0.5, -0.5), (-0.5, -0.5)), ((255.5, 255.5), (46.5, 30.5)), ((127.5, 127.5), (23.0, 15.0))):
        np.testing.assert_allclose(view.pixel_to_ras @ [*pixel, 0, 1], affine @ [*voxel, 3, 1], atol=1e-9)
    np.testing.assert_allclose(view.pixel_to_ras[:3, 2], [0, 0, 3.0])  # one slice to the head


def test_ct_is_cut_to_the_soft_tissue_window_and_stretched_by_slice() -> None:
    ramp = np.linspace(-1000, 1000, 64 * 64).reshape(64, 64)
    voxels = np.stack([ramp, ramp * 0.02]).astype(np.int16)  # the upper slice holds −20 … 20 HU only
    upper, lower = render_views(Volume(voxels, np.diag([-1.0, -1, 1, 1]), Modality.CT), "medvol-r1")
    assert lower.window == (-160, 240)
    low, high = upper.window
    assert (low, high) == pytest.approx((-19.6, 19.6), abs=1)
    assert lower.pixels[128, 250] > lower.pixels[128, 5]


def test_an_even_slice_is_black_and_mr_follows_its_intensities(sample: Sample) -> None:
    flat = render_views(Volume(np.full((3, 20, 20), 40, np.int16), np.eye(4), Modality.CT), "medvol-r1")
    assert all((view.pixels == 0).all() for view in flat)
    mr = read_volume(sample("example-mr-sm"))
    doubled = Volume(mr.voxels * 2, mr.affine, Modality.MR)
    for ours, theirs in zip(render_views(mr, "medvol-r1"), render_views(doubled, "medvol-r1"), strict=True):
        assert np.allclose(np.array(ours.window) * 2, theirs.window)
        assert np.abs(ours.pixels.astype(int) - theirs.pixels).max() <= 1


def test_rendering_can_be_cancelled_and_has_no_storage_order_to_choose() -> None:
    token = CancelToken()
    token.cancel()
    volume = Volume(np.zeros((3, 20, 20), np.int16), np.eye(4), Modality.CT)
    with pytest.raises(Cancelled):
        render_views(volume, "medvol-r1", cancel=token)
    with pytest.raises(UsageError) as refused:
        render_views(volume, "medvol-r1", as_stored=True)
    assert refused.value.code == "as-stored-unused"
