"""The generated chest is what its docstring says."""

from __future__ import annotations

import numpy as np

from SEERSegmentLib.imaging.phantom import chest_phantom


def test_phantom_has_adult_lungs_each_on_its_own_side() -> None:
    volume, truth = chest_phantom(4.0)
    assert volume.axis_codes == "LPS"
    for name, sign in (("lung_right", 1), ("lung_left", -1)):
        k, j, i = np.nonzero(truth[name])
        centre = volume.affine @ [i.mean(), j.mean(), k.mean(), 1.0]
        assert np.sign(centre[0]) == sign
        assert 1000 < truth[name].sum() * volume.voxel_ml < 4000
    assert not (truth["lung_right"] & truth["lung_left"]).any()


def test_phantom_is_reproducible_and_changes_with_the_seed() -> None:
    first, _ = chest_phantom(6.0)
    again, _ = chest_phantom(6.0)
    other, _ = chest_phantom(6.0, seed=1)
    assert first.sha256 == again.sha256
    assert first.sha256 != other.sha256
