"""A generated chest in CT numbers, for rehearsal without a network and for tests that need known truth.

It is a drawing, not a patient: ellipsoids and tubes of adult size, with textbook CT numbers and scanner-like noise.
The demo says so whenever it falls back to it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..values import Modality, Volume

__all__ = ["chest_phantom"]

# Mean CT numbers in HU at 120 kV, from the definition of the unit (air −1000, water 0) and standard radiology texts.
_HU = {"air": -1000, "lung": -850, "fat": -100, "soft tissue": 40, "heart": 45, "marrow": 180, "cortex": 700}

#: Noise of a routine chest CT, standard deviation in HU.
_NOISE_HU = 12.0


def chest_phantom(spacing_mm: float = 2.5, seed: int = 0) -> tuple[Volume, dict[str, NDArray[np.bool_]]]:
    """Draw a chest of 340 × 240 × 300 mm, and its truth.

    Parameters
    ----------
    spacing_mm : float
        Isotropic voxel size in mm.
    seed : int
        Of the noise; the same seed gives the same voxels.

    Returns
    -------
    volume : Volume
        int16 HU in LPS index order, modality CT.
    truth : dict of str to ndarray, shape (k, j, i), bool
        Masks by vocabulary id: ``body``, ``lung_right``, ``lung_left``, ``airways``, ``skeleton``.
    """
    extent = np.array([400.0, 300.0, 300.0])
    n_i, n_j, n_k = (int(np.ceil(e / spacing_mm)) for e in extent)
    # World RAS of every voxel; i runs to the left (−R), j to posterior (−A), k to superior.
    right = (extent[0] / 2 - spacing_mm * np.arange(n_i))[None, None, :]
    front = (extent[1] / 2 - spacing_mm * np.arange(n_j))[None, :, None]
    up = (spacing_mm * np.arange(n_k) - extent[2] / 2)[:, None, None]

    def ellipsoid(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> NDArray[np.bool_]:
        """Ellipsoid in RAS mm; an infinite radius makes it a tube along that axis."""
        parts = zip((right, front, up), centre, radii, strict=True)
        inside: NDArray[np.bool_] = sum(((x - c) / r) ** 2 for x, c, r in parts) <= 1.0
        return np.broadcast_to(inside, (n_k, n_j, n_i)).copy()

    far = np.inf
    body = ellipsoid((0, 0, 0), (170, 120, far))
    muscle = ellipsoid((0, 0, 0), (158, 108, far))
    lungs = {
        "lung_right": ellipsoid((78, 0, -10), (58, 82, 118)),
        "lung_left": ellipsoid((-80, 0, -10), (54, 80, 118)),
    }
    mediastinum = ellipsoid((0, 0, 0), (24, 200, far)) | ellipsoid((-28, 30, -60), (52, 42, 50))
    trachea = ellipsoid((0, -6, 95), (9, 9, 80)) & (up > 15)
    bronchi = np.zeros_like(body)
    for side in (1.0, -1.0):
        for step in np.linspace(0.0, 1.0, 60):
            bronchi |= ellipsoid((side * 34 * step, -6 - 4 * step, 18 - 26 * step), (6, 6, 6))
    airways = trachea | bronchi
    airway_wall = ellipsoid((0, -6, 95), (12, 12, 83)) & (up > 12)
    for name in lungs:
        lungs[name] &= ~(mediastinum | airway_wall | bronchi)
    spine = ellipsoid((0, -70, 0), (19, 16, far))
    canal = ellipsoid((0, -94, 0), (9, 8, far))
    arch = ellipsoid((0, -96, 0), (22, 15, far)) & ~canal
    sternum = ellipsoid((0, 98, 30), (18, 7, 80))
    # Ribs: bands of the shell between muscle and lungs, sloping down from back to front as ribs do.
    shell = ellipsoid((0, 0, 0), (150, 100, far)) & ~ellipsoid((0, 0, 0), (141, 91, far))
    ribs = shell & (np.mod(up - 0.25 * front, 26.0) < 11.0) & (np.abs(right) > 20)
    marrow = (spine | arch | sternum | ribs) & body
    cortex = marrow & ~(
        ellipsoid((0, -70, 0), (16, 13, far))
        | ellipsoid((0, 98, 30), (15, 5, 77))
        | ellipsoid((0, -96, 0), (18, 11, far))
    )

    voxels = np.full((n_k, n_j, n_i), _HU["air"], dtype=np.float32)
    for where, what in (
        (body, "fat"),
        (muscle, "soft tissue"),
        (mediastinum & muscle, "heart"),
        (lungs["lung_right"] | lungs["lung_left"], "lung"),
        (marrow, "marrow"),
        (cortex, "cortex"),
        (airways, "air"),
    ):
        voxels[where] = _HU[what]
    voxels += np.random.default_rng(seed).normal(0.0, _NOISE_HU, voxels.shape).astype(np.float32)

    affine = np.diag([-spacing_mm, -spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = extent[0] / 2, extent[1] / 2, -extent[2] / 2
    volume = Volume(
        np.clip(np.rint(voxels), -1024, 3071).astype(np.int16),
        affine,
        Modality.CT,
        "user",
        name="generated chest phantom",
    )
    truth = {"body": body, **lungs, "airways": airways, "skeleton": marrow}
    return volume, truth
