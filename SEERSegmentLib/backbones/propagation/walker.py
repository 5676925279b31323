"""A random walker with priors on one slice: smooth where the image is even, free to change where it has an edge.

L. Grady, "Multilabel random walker image segmentation using prior models", CVPR 2005: with the weights w of a grid's
edges, its Laplacian L, and a prior p of each pixel to belong to the target, the probabilities x solve (L + γ I) x = γ
p. For two labels this is a Poisson equation with a screening term; the matrix is symmetric and positive definite.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Walker"]

Plane = NDArray[np.float64]

#: Steps of the solver at most: what is still open then lies below the tolerance that decides between two labels.
_STEPS = 60
_TOLERANCE = 1e-3

#: Weight of an edge however strong: keeps the equations solvable where everything differs from everything.
_LEAST = 1e-4


@dataclass(frozen=True, eq=False)
class Walker:
    """The weights of one slice.

    Parameters
    ----------
    image : ndarray, shape (rows, columns)
    scale : float
        Difference of intensities that makes an edge.
    spacing : tuple[float, float]
        mm between rows and between columns.
    """

    image: Plane
    scale: float
    spacing: tuple[float, float]

    def probabilities(self, prior: Plane, trust: float) -> Plane:
        """Probability of each pixel to belong to the target.

        Parameters
        ----------
        prior : ndarray, shape (rows, columns)
            p, 0 to 1.
        trust : float
            γ: how much a prior counts against its neighbours.
        """
        down, right = (self._weights(axis) for axis in (0, 1))
        diagonal = np.full(prior.shape, trust)
        diagonal[:-1] += down
        diagonal[1:] += down
        diagonal[:, :-1] += right
        diagonal[:, 1:] += right

        def apply(x: Plane) -> Plane:
            y = diagonal * x
            y[:-1] -= down * x[1:]
            y[1:] -= down * x[:-1]
            y[:, :-1] -= right * x[:, 1:]
            y[:, 1:] -= right * x[:, :-1]
            return y

        return _conjugate_gradients(apply, diagonal, trust * prior, prior)

    def _weights(self, axis: int) -> Plane:
        step = np.diff(self.image, axis=axis)
        weights = np.exp(-(step**2) / (2.0 * self.scale**2)) + _LEAST
        return np.asarray(weights / self.spacing[axis] ** 2)


def _conjugate_gradients(apply: Callable[[Plane], Plane], diagonal: Plane, right: Plane, start: Plane) -> Plane:
    """Solve ``apply(x) = right`` by conjugate gradients, with the diagonal as preconditioner."""
    x = start.copy()
    rest = right - apply(x)
    direction = scaled = rest / diagonal
    product = float(np.vdot(rest, scaled))
    enough = _TOLERANCE**2 * float(np.vdot(right, right / diagonal))
    for _ in range(_STEPS):
        if product <= enough:
            break
        image = apply(direction)
        length = product / float(np.vdot(direction, image))
        x += length * direction
        rest = rest - length * image
        scaled = rest / diagonal
        before, product = product, float(np.vdot(rest, scaled))
        direction = scaled + (product / before) * direction
    return x
