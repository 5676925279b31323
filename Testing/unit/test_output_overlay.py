"""Outlines on views: where they lie, on slices and projections, in every orientation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from SEERSegmentLib.imaging import render_views
from SEERSegmentLib.output.overlay import mask_outline, pixel_size, trace_outlines
from SEERSegmentLib.values import Modality, Plane, View, Volume


def _area(polygon: NDArray[np.float64]) -> float:
    """Signed, by the shoelace formula; positive for what lies to the right of the way in image coordinates."""
    x, y = polygon.T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2


def _inside(polygons: list[NDArray[np.float64]], x: float, y: float) -> bool:
    """Even-odd rule."""
    crossings = 0
    for polygon in polygons:
        for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
            if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
                crossings += 1
    return crossings % 2 == 1


def test_one_pixel_is_a_diamond_around_it() -> None:
    plane = np.zeros((5, 7), bool)
    plane[2, 4] = True
    (outline,) = trace_outlines(plane)
    assert {tuple(point) for point in outline.tolist()} == {(4.0, 1.5), (4.5, 2.0), (4.0, 2.5), (3.5, 2.0)}


def test_a_rectangle_has_eight_corners_however_large() -> None:
    plane = np.zeros((40, 50), bool)
    plane[5:35, 10:45] = True
    (outline,) = trace_outlines(plane)
    assert len(outline) == 8
    assert outline.min(axis=0).tolist() == [9.5, 4.5]
    assert outline.max(axis=0).tolist() == [44.5, 34.5]


def test_a_hole_runs_the_other_way() -> None:
    plane = np.ones((9, 9), bool)
    plane[4, 4] = False
    areas = sorted(_area(polygon) for polygon in trace_outlines(plane))
    assert len(areas) == 2
    assert areas[0] < 0 < areas[1] or areas[1] < 0 < areas[0]


def test_corner_touching_pixels_stay_apart() -> None:
    assert len(trace_outlines(np.array([[True, False], [False, True]]))) == 2


def test_nothing_has_no_outline() -> None:
    assert trace_outlines(np.zeros((3, 3), bool)) == []


@given(arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_pixels_are_inside_their_outline_and_no_others(plane: NDArray[np.bool_]) -> None:
    rows, columns = plane.shape
    outlines = trace_outlines(plane)
    for y, x in itertools.product(range(rows), range(columns)):
        assert _inside(outlines, x + 1e-3, y + 1e-3) == plane[y, x]


def _view(pixel_to_ras: NDArray[np.float64], shape: tuple[int, int] = (10, 12), index: int | None = 0) -> View:
    return View("v", np.zeros(shape, np.uint8), Plane.AXIAL, index, 0.0, (0, 1), pixel_to_ras, "test")


def test_outline_lies_where_the_voxel_is_in_the_patient() -> None:
    affine = np.diag([-2.0, 3.0, 4.0, 1.0])
    affine[:3, 3] = (50, -60, 70)
    mask = np.zeros((6, 8, 10), bool)
    mask[4, 3, 7] = True
    # Pixels of half a voxel, turned by 90 degrees, starting elsewhere, on slice 4.
    pixel_to_ras = affine @ np.array([[0, 0.5, 0, 2.0], [0.5, 0, 0, 1.0], [0, 0, 1, 4.0], [0, 0, 0, 1]])
    (outline,) = mask_outline(mask, affine, _view(pixel_to_ras))
    # i = 2 + row / 2 = 7 → row 10; j = 1 + column / 2 = 3 → column 4; the edge is half a voxel = one pixel away.
    assert np.allclose(outline.mean(axis=0), (4, 10))
    assert np.allclose(outline.min(axis=0), (3, 9))
    assert np.allclose(outline.max(axis=0), (5, 11))


@pytest.mark.parametrize("k", [-1.0, 3.0, 6.0])
def test_a_slice_without_the_mask_shows_nothing(k: float) -> None:
    mask = np.zeros((6, 8, 10), bool)
    mask[4] = True
    shifted = np.eye(4)
    shifted[2, 3] = k
    assert mask_outline(mask, np.eye(4), _view(shifted)) == []


def test_a_projection_shows_the_mask_whatever_its_depth() -> None:
    mask = np.zeros((6, 8, 10), bool)
    mask[1, 2, 3] = mask[5, 6, 7] = True
    assert len(mask_outline(mask, np.eye(4), _view(np.eye(4), index=None))) == 2


@pytest.mark.parametrize("index", [0, None])
def test_a_view_across_the_grid_is_sampled(index: int | None) -> None:
    mask = np.zeros((21, 21, 21), bool)
    mask[8:13, 8:13, 8:13] = True
    turn = np.radians(30)
    oblique = np.eye(4)
    oblique[:3, 0] = (np.cos(turn), 0, np.sin(turn))
    oblique[:3, 2] = (-np.sin(turn), 0, np.cos(turn))
    oblique[:3, 3] = np.array([10, 10, 10]) - 15 * oblique[:3, 0] - 15 * oblique[:3, 1]
    (outline,) = mask_outline(mask, np.eye(4), _view(oblique, (31, 31), index))
    assert np.allclose((outline.min(axis=0) + outline.max(axis=0)) / 2, (15, 15), atol=0.51)
    # A cube of side 5 seen at 30°: its shadow is 5 (cos + sin) wide, its central section 5 / cos.
    expected = 5 * (np.cos(turn) + np.sin(turn)) if index is None else 5 / np.cos(turn)
    assert np.ptp(outline[:, 0]) == pytest.approx(expected, abs=1.01)


@pytest.mark.parametrize("codes", ["LPS", "RAS", "SRA", "PIR", "ALI"])
@pytest.mark.parametrize("preset", ["multi-view", "seer-v1"])
def test_rendered_views_and_outlines_agree(codes: str, preset: str) -> None:
    """A bright box is its own mask: pixels inside the outline are bright, outside dark, in any storage order."""
    shape_world, spacing_world = (40, 36, 30), (2.0, 2.5, 3.0)
    axes = [{"R": 0, "L": 0, "A": 1, "P": 1, "S": 2, "I": 2}[letter] for letter in codes]
    signs = [1 if letter in "RAS" else -1 for letter in codes]
    affine = np.eye(4)
    affine[:3, :3] = 0
    for column, (axis, sign) in enumerate(zip(axes, signs, strict=True)):
        affine[axis, column] = sign * spacing_world[axis]
    shape = tuple(shape_world[axis] for axis in axes[::-1])
    mask = np.zeros(shape, bool)
    mask[tuple(slice(n // 4, 3 * n // 4) for n in shape)] = True
    volume = Volume(np.where(mask, 2000, -1000).astype(np.int16), affine, Modality.CT)
    views = render_views(volume, preset)
    shown = 0
    for view in views:
        outlines = mask_outline(mask, volume.affine, view)
        bright = view.pixels > 128
        if not outlines:
            assert not bright.any()
            continue
        shown += 1
        points = np.concatenate(outlines)
        rows, columns = np.nonzero(bright)
        edges = np.array([columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5])
        # Bilinear resizing moves the brightness edge by at most about a pixel of the view.
        assert np.abs(np.r_[points.min(axis=0), points.max(axis=0)] - edges).max() <= 1.6
    assert shown >= 4


def test_pixel_size_is_in_mm() -> None:
    assert pixel_size(_view(np.diag([0.5, -2.0, 3.0, 1.0]))) == (0.5, 2.0)
