"""From boxes on a view to voxels and to the patient: exact for any orientation, obliquity and storage order."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from SEERSegmentLib.errors import UsageError
from SEERSegmentLib.imaging import render_views, reorientation_to
from SEERSegmentLib.imaging.anchor_boxes import anchor_on_view, anchors_within, box_corners_ras, in_plane_axes
from SEERSegmentLib.values import Anchor, Modality, Target, TargetSpec, Volume

ORIENTATIONS = ["".join(c) for p in permutations(("RL", "AP", "SI")) for c in product(*p)]
SHAPE = (9, 40, 31)


@st.composite
def affines(draw: st.DrawFn) -> NDArray[np.float64]:
    angles = draw(st.tuples(*[st.floats(-180, 180)] * 3))
    spacing = draw(st.tuples(*[st.floats(0.5, 5)] * 3))
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * spacing
    affine[:3, 0] *= draw(st.sampled_from([1, -1]))
    affine[:3, 3] = draw(st.tuples(*[st.floats(-300, 300)] * 3))
    return affine


BOXES = st.tuples(*[st.floats(-0.5, 200)] * 2, *[st.floats(0.1, 55)] * 2).map(
    lambda drawn: (drawn[0], drawn[1], drawn[0] + drawn[2], drawn[1] + drawn[3])
)
THOUSANDTHS = st.tuples(*[st.integers(0, 900)] * 2, *[st.integers(1, 100)] * 2).map(
    lambda drawn: (drawn[0], drawn[1], drawn[0] + drawn[2], drawn[1] + drawn[3])
)


@settings(max_examples=60, deadline=None)
@given(affine=affines(), box=BOXES, which=st.integers(0, 8), preset=st.sampled_from(["medvol-r1", "seer-v1"]))
def test_a_box_on_a_view_has_the_same_corners_in_the_patient_as_its_anchor(
    affine: NDArray[np.float64], box: tuple[float, float, float, float], which: int, preset: str
) -> None:
    views = render_views(Volume(np.zeros(SHAPE, np.int16), affine, Modality.CT), preset, as_stored=preset == "seer-v1")
    view = views[which % len(views)]
    anchor = anchor_on_view(view, affine, [box], target=3)
    assert (anchor.target, anchor.index) == (3, view.slice_index)
    corners = box_corners_ras(anchor, affine)
    assert corners.shape == (1, 8, 3)
    x0, y0, x1, y1 = box
    seen = np.array([view.pixel_to_ras @ [x, y, 0, 1] for x in (x0, x1) for y in (y0, y1)])[:, :3]
    middle = (corners[0, :4] + corners[0, 4:]) / 2  # the slice's plane
    for corner in seen:  # each corner on the picture is one of the anchor's, within the rounding of its edges
        assert np.linalg.norm(middle - corner, axis=1).min() < 1e-4
    thickness = np.linalg.norm(corners[0, 4:] - corners[0, :4], axis=1)
    assert thickness == pytest.approx(np.full(4, np.linalg.norm(affine[:3, anchor.axis])))


@given(
    box=st.tuples(*[st.integers(0, 1000)] * 4).filter(lambda b: b[0] < b[2] and b[1] < b[3]), which=st.integers(0, 8)
)
@settings(max_examples=20, deadline=None)
def test_every_storage_order_gives_the_same_box_in_the_patient(box: tuple[int, int, int, int], which: int) -> None:
    affine = np.diag([-0.8, -0.8, 2.5, 1.0])
    affine[:3, 3] = 12, -30, 7
    plain = Volume(np.zeros(SHAPE, np.int16), affine, Modality.CT)
    pixels = tuple(edge / 1000 * 256 - 0.5 for edge in box)
    expected = None
    for codes in ORIENTATIONS:
        turn = reorientation_to(plain, codes)
        stored = Volume(turn.apply(plain.voxels), affine @ turn.index_affine(), Modality.CT)
        view = render_views(stored, "medvol-r1")[which]
        anchor = anchor_on_view(view, stored.affine, [pixels])
        assert stored.axis_codes[anchor.axis] in "SI"
        for edge in anchor.boxes[0]:
            assert edge == round(edge, 3)  # thousandths of a picture are thousandths of voxels: nothing is lost
        corners = np.sort(box_corners_ras(anchor, stored.affine)[0], axis=0)
        expected = corners if expected is None else expected
        np.testing.assert_allclose(corners, expected, atol=1e-6)


def test_a_projection_and_a_view_of_another_grid_have_no_anchor() -> None:
    volume = Volume(np.zeros(SHAPE, np.int16), np.diag([-1.0, -1, 2, 1]), Modality.CT)
    projection = render_views(volume)[-1]
    with pytest.raises(ValueError, match="coronal MIP"):
        anchor_on_view(projection, volume.affine, [(0.0, 0.0, 5.0, 5.0)])
    turned = np.eye(4)
    turned[:3, :3] = Rotation.from_euler("x", 20, degrees=True).as_matrix()
    with pytest.raises(ValueError, match="not a slice along"):
        anchor_on_view(render_views(volume)[0], turned @ volume.affine, [(0.0, 0.0, 5.0, 5.0)])


# --- to a part of the volume ------------------------------------------------------------------------------------------


def spec(*anchors: Anchor) -> TargetSpec:
    return TargetSpec("a, b", (Target("a"), Target("b")), anchors)


def test_anchors_move_into_a_part_and_are_cut_at_its_faces() -> None:
    part = ((10, 20), (5, 50), (20, 61))  # (k, j, i)
    inside = Anchor(0, 12, ((25.0, 6.5, 30.25, 9.0),))
    across = Anchor(1, 19, ((0.0, 0.0, 200.0, 200.0), (0.0, 0.0, 19.4, 200.0)))
    moved = anchors_within(spec(inside, across), part)
    assert moved.targets == spec().targets
    assert moved.anchors == (
        Anchor(0, 2, ((5.0, 1.5, 10.25, 4.0),)),
        Anchor(1, 9, ((-0.5, -0.5, 40.5, 44.5),)),  # the second box lies outside and is left out
    )


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_axis_moves_by_its_own_start(axis: int) -> None:
    part = ((10, 40), (5, 45), (20, 70))
    starts = {0: 20, 1: 5, 2: 10}
    first, second = in_plane_axes(axis)
    whole = Anchor(
        0,
        starts[axis] + 3,
        ((starts[first] + 1.0, starts[second] + 2.0, starts[first] + 3.0, starts[second] + 4.0),),
        axis,
    )
    assert anchors_within(spec(whole), part).anchors == (Anchor(0, 3, ((1.0, 2.0, 3.0, 4.0),), axis),)


@pytest.mark.parametrize(
    "anchor",
    [
        Anchor(0, 9, ((25.0, 6.0, 30.0, 9.0),)),
        Anchor(0, 20, ((25.0, 6.0, 30.0, 9.0),)),
        Anchor(0, 12, ((0.0, 6.0, 19.5, 9.0),)),
        Anchor(0, 12, ((60.5, 6.0, 70.0, 9.0),)),
        Anchor(0, 12, ((25.0, 49.5, 30.0, 60.0),)),
        Anchor(0, 61, ((6.0, 11.0, 9.0, 12.0),), axis=0),
    ],
)
def test_a_target_whose_boxes_all_lie_outside_is_refused_by_name(anchor: Anchor) -> None:
    with pytest.raises(UsageError) as refused:
        anchors_within(spec(anchor, Anchor(1, 12, ((25.0, 6.0, 30.0, 9.0),))), ((10, 20), (5, 50), (20, 61)))
    assert refused.value.code == "anchor-outside"
    assert "the a lie outside" in refused.value.user_message


def test_a_key_slice_outside_beside_one_inside_is_left_out() -> None:
    outside, inside = Anchor(0, 2, ((25.0, 6.0, 30.0, 9.0),)), Anchor(0, 12, ((25.0, 6.0, 30.0, 9.0),))
    assert len(anchors_within(spec(outside, inside), ((10, 20), (5, 50), (20, 61))).anchors) == 1
    assert anchors_within(spec(), ((10, 20), (5, 50), (20, 61))) == spec()
