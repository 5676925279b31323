"""Preset multi-view: radiological convention, square pixels, exact places, the same picture in any storage order."""

from __future__ import annotations

from io import BytesIO
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.spatial.transform import Rotation

from SEERSegmentLib.errors import Cancelled, UsageError
from SEERSegmentLib.imaging import encode_png, orientation_letters, read_volume, render_views, reorientation_to
from SEERSegmentLib.imaging.windows import CT_WINDOWS, apply_window
from SEERSegmentLib.protocols import CancelToken
from SEERSegmentLib.values import Modality, Plane, Progress, Stage, Volume

ORIENTATIONS = ["".join(c) for p in permutations(("RL", "AP", "SI")) for c in product(*p)]


def body(shape=(30, 36, 40), affine=None) -> np.ndarray:
    """Air with a block of soft tissue that fills most of it, HU."""
    voxels = np.full(shape, -1000, np.int16)
    voxels[3:-3, 4:-5, 6:-4] = 40
    return voxels


def turned(volume: Volume, codes: str) -> Volume:
    turn = reorientation_to(volume, codes)
    return Volume(turn.apply(volume.voxels).copy(), volume.affine @ turn.index_affine(), volume.modality)


@st.composite
def affines(draw):
    angles = draw(st.tuples(*[st.floats(-180, 180)] * 3))
    spacing = draw(st.tuples(*[st.floats(0.5, 5)] * 3))
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * spacing
    affine[:3, 0] *= draw(st.sampled_from([1, -1]))
    affine[:3, 3] = draw(st.tuples(*[st.floats(-300, 300)] * 3))
    return affine


def test_all_storage_orders_of_a_real_volume_give_the_same_pixels(sample):
    volume = read_volume(sample("example-ct-sm"))
    expected = render_views(volume)
    for codes in ORIENTATIONS:
        views = render_views(turned(volume, codes))
        for ours, theirs in zip(views, expected, strict=True):
            np.testing.assert_array_equal(ours.pixels, theirs.pixels, err_msg=f"{codes} {theirs.name}")
            np.testing.assert_allclose(ours.pixel_to_ras[:, [0, 1, 3]], theirs.pixel_to_ras[:, [0, 1, 3]], atol=1e-6)
            assert ours.window == theirs.window


@settings(max_examples=40)
@given(affine=affines())
def test_conventions_hold_for_any_orientation(affine):
    views = render_views(Volume(body(), affine, Modality.CT))
    letters = {
        Plane.AXIAL: ("R", "L", "A", "P"),
        Plane.CORONAL: ("R", "L", "S", "I"),
        Plane.SAGITTAL: ("A", "P", "S", "I"),
    }
    assert [v.plane for v in views] == [Plane.AXIAL] * 3 + [Plane.CORONAL] * 3 + [Plane.SAGITTAL] * 3 + [Plane.CORONAL]
    assert len({v.name for v in views}) == len(views)
    oblique = np.sort(np.abs(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)), axis=0)[-1].min() < 0.75
    for view in views:
        assert max(view.pixels.shape) == 448
        right, down = view.pixel_to_ras[:3, 0], view.pixel_to_ras[:3, 1]
        assert np.linalg.norm(right) == pytest.approx(np.linalg.norm(down), rel=1e-5)  # square
        assert abs(right @ down) < 1e-6 * (right @ right)
        if not oblique:
            assert orientation_letters(view) == letters[view.plane]


@settings(max_examples=40)
@given(affine=affines(), which=st.integers(0, 9), where=st.tuples(st.floats(0.3, 0.7), st.floats(0.3, 0.7)))
def test_a_marked_voxel_shows_up_where_its_pixel_says(affine, which, where):
    volume = Volume(body(), affine, Modality.CT)
    view = render_views(volume, region="bone")[which]
    # the voxel nearest to a place in the view, in the view's own slice
    rows, columns = view.pixels.shape
    point = view.pixel_to_ras @ [where[0] * columns, where[1] * rows, 0, 1]
    index = np.rint(np.linalg.solve(affine, point))[:3].astype(int)
    i, j, k = index
    marked = volume.voxels.copy()
    marked[k, j, i] = 3000
    again = render_views(Volume(marked, affine, Modality.CT), region="bone")[which]
    assert again.name == view.name
    # weigh by how much brighter it became: the centre of the spot
    gain = again.pixels.astype(float) - view.pixels
    r, c = (np.indices(gain.shape) * gain).sum(axis=(1, 2)) / gain.sum()
    found = (again.pixel_to_ras @ [c, r, 0, 1])[:3]
    apart = found - (affine @ [*index, 1])[:3]
    normal = again.pixel_to_ras[:3, 2]
    if view.slice_index is None:  # a projection knows no depth
        apart = apart - normal * (apart @ normal) / (normal @ normal)
    assert np.linalg.norm(apart) < 0.1 * min(volume.spacing) + 0.5 * np.linalg.norm(again.pixel_to_ras[:3, 0])


def test_third_column_steps_one_slice():
    volume = Volume(body(), np.diag([-1, -1, 4.0, 1]), Modality.CT)
    axial = render_views(volume)[0]
    np.testing.assert_allclose(axial.pixel_to_ras[:3, 2], [0, 0, 4])
    assert axial.position_mm == pytest.approx(4 * axial.slice_index)


def test_slice_index_is_the_volumes_own(sample):
    volume = read_volume(sample("aorta-ct"))
    for codes in ("LPS", "RAI", "SAL"):
        stored = turned(volume, codes)
        for view in render_views(stored)[:9]:
            axis = next(a for a, code in enumerate(stored.axis_codes) if code in {"axial": "SI", "coronal": "AP"}.get(
                view.plane.value, "RL"
            ))  # fmt: skip
            index = np.linalg.solve(stored.affine, view.pixel_to_ras @ [5, 5, 0, 1])
            assert index[axis] == pytest.approx(view.slice_index, abs=1e-6)


def test_slices_lie_within_the_patient():
    voxels = np.full((60, 40, 40), -1000, np.int16)
    voxels[40:58, 10:20, 5:15] = 40
    views = render_views(Volume(voxels, np.diag([-1.0, -1, 1, 1]), Modality.CT), region="soft tissue")
    for view in views:
        assert view.pixels.max() > 70
    assert [v.slice_index for v in views if v.plane is Plane.AXIAL] == [43, 49, 55]


def test_ct_windows_follow_the_region(sample):
    chest, abdomen = read_volume(sample("aorta-ct")), read_volume(sample("example-ct"))
    lung, soft, bone, brain = ((level - w / 2, level + w / 2) for w, level in (CT_WINDOWS[n] for n in (
        "lung", "soft tissue", "bone", "brain",
    )))  # fmt: skip
    assert [v.window for v in render_views(chest)][::3] == [lung, soft, bone, bone]
    assert {v.window for v in render_views(abdomen)[:9]} == {soft}
    assert {v.window for v in render_views(abdomen, region="head")[:6]} == {brain}
    with pytest.raises(UsageError) as caught:
        render_views(chest, region="tail")
    assert caught.value.code == "region-unknown"
    assert lung == (-1350, 150)
    assert soft == (-160, 240)
    assert bone == (-500, 1300)
    assert brain == (0, 80)


def test_mr_window_follows_the_intensities_and_not_their_scale(sample):
    volume = read_volume(sample("example-mr-sm"))
    doubled = Volume(volume.voxels * 2, volume.affine, Modality.MR)
    for ours, theirs in zip(render_views(volume), render_views(doubled), strict=True):
        assert np.allclose(np.array(ours.window) * 2, theirs.window)
        assert np.abs(ours.pixels.astype(int) - theirs.pixels).max() <= 1
        assert ours.pixels.std() > 10


@pytest.mark.parametrize("dtype", ["i2", "u2", "u1", "i4", "f4", "f8"])
def test_windowing_is_linear_and_rounds(dtype):
    values = np.arange(0, 120, dtype=dtype).reshape(10, 12)
    expected = np.clip(np.floor((values.astype(float) - 10) / 90 * 255 + 0.5), 0, 255)
    assert np.abs(apply_window(values, (10.0, 100.0)) - expected).max() <= 1e-9


def test_projection_is_the_maximum():
    voxels = body()
    voxels[15, 20, 25] = 2000
    view = render_views(Volume(voxels, np.diag([-1.0, -1, 1, 1]), Modality.CT))[-1]
    assert view.name == "coronal MIP"
    assert view.position_mm is None
    assert view.slice_index is None
    assert view.pixels.max() > 240  # a lone voxel loses a little to the bilinear filter


@pytest.mark.parametrize("codes", ["LPS", "PSL", "SLP", "RAI", "AIR"])
def test_projection_of_any_storage_order_reads_each_voxel(codes):
    voxels = np.random.default_rng(0).integers(-1000, 1000, (9, 10, 11)).astype(np.int16)
    volume = Volume(voxels, np.diag([-1.0, -1, 1, 1]), Modality.CT)
    expected = apply_window(voxels.max(axis=1)[::-1], (-500.0, 1300.0))
    view = render_views(turned(volume, codes))[-1]
    reduced = np.asarray(Image.fromarray(expected).resize(view.pixels.shape[::-1], Image.Resampling.BILINEAR))
    assert np.abs(view.pixels.astype(int) - reduced).mean() < 3


def test_progress_carries_the_views_and_the_run_can_be_stopped():
    heard: list[Progress] = []
    volume = Volume(body(), np.eye(4), Modality.CT)
    views = render_views(volume, emit=heard.append)
    assert [(p.stage, p.value) for p in heard] == [(Stage.VIEWS, views)]
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        render_views(volume, cancel=token)
    with pytest.raises(UsageError) as caught:
        render_views(volume, "holograms")
    assert caught.value.code == "preset-unknown"


@pytest.mark.parametrize("rgb", [False, True])
def test_png_holds_the_very_pixels(rgb):
    view = render_views(Volume(body(), np.eye(4), Modality.CT))[0]
    picture = Image.open(BytesIO(encode_png(view, rgb=rgb)))
    picture.load()
    assert picture.mode == ("RGB" if rgb else "L")
    np.testing.assert_array_equal(np.asarray(picture.convert("L")), view.pixels)
    colour = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(encode_png(colour)))), colour)
    with pytest.raises(ValueError, match="can't be a PNG"):
        encode_png(np.zeros((3, 3), np.uint16))
