"""TODO: common.predictions."""

from typing import NamedTuple

import numpy as np

from .arrays import Array


class Apart(NamedTuple):
    """How far two trained networks are from each other on the same rows: shares, from 0 to 1."""

    largest: float
    """The largest difference of a probability."""
    mean: float
    """The mean absolute difference."""
    flips: float
    """Rows whose likeliest class is another."""


def apart(first: Array, second: Array) -> Apart:
    """Return how far apart probabilities (rows, classes) are; NaN where one is not finite."""
    difference = np.abs(first.astype(np.float64) - second)
    if not np.isfinite(difference).all():
        return Apart(np.nan, np.nan, np.nan)
    flips = first.argmax(axis=1) != second.argmax(axis=1)
    return Apart(float(difference.max()), float(difference.mean()), float(flips.mean()))


def accuracy(probabilities: Array, y: Array) -> float:
    """Return the share of rows whose likeliest class is the right one; NaN where a probability is not finite."""
    if not np.isfinite(probabilities).all():
        return np.nan
    return float((probabilities.argmax(axis=1) == y).mean())
