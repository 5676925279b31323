"""What the target looks like on its key slice, against what lies around it: a likelihood ratio of intensities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Appearance"]

Plane = NDArray[np.float64]
Bool = NDArray[np.bool_]

_BINS = 48

#: Percentiles of all intensities between which the bins lie; beyond them lies metal, padding and noise.
_RANGE = (0.5, 99.5)

#: Width, in bins, over which a histogram of few pixels is smoothed.
_BLUR = 1.5

#: Share of the pixels that is spread evenly over the bins: an intensity never seen is unlikely, not impossible.
_UNSEEN = 0.005

#: Most that one intensity can say, as a natural logarithm of odds.
_MOST = 3.0


@dataclass(frozen=True, eq=False)
class Appearance:
    """log p(intensity | target) − log p(intensity | surroundings), in bins between ``low`` and ``high``."""

    low: float
    high: float
    ratio: NDArray[np.float64]

    @classmethod
    def of(cls, image: Plane, target: Bool) -> Appearance:
        """Learn from a slice and the target's pixels on it; all others are surroundings."""
        low, high = (float(value) for value in np.percentile(image, _RANGE))
        high = high if high > low else low + 1.0
        inside, outside = (_density(image[where], low, high) for where in (target, ~target))
        return cls(low, high, np.clip(np.log(inside) - np.log(outside), -_MOST, _MOST))

    def __call__(self, image: Plane) -> Plane:
        """The log-likelihood ratio of each pixel."""
        return np.asarray(self.ratio[_bins(image, self.low, self.high)])


def _bins(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.intp]:
    return np.clip((values - low) * (_BINS / (high - low)), 0, _BINS - 1).astype(np.intp)


def _density(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    from scipy import ndimage

    counts = np.bincount(_bins(values, low, high), minlength=_BINS).astype(np.float64)
    smooth = ndimage.gaussian_filter1d(counts, _BLUR, mode="nearest")
    smooth += _UNSEEN * max(float(counts.sum()), 1.0) / _BINS
    return np.asarray(smooth / smooth.sum())
