"""Predictions of trained networks: their accuracy, and the distance between those of two networks."""

from typing import NamedTuple

import numpy as np

from .arrays import Array


class Distance(NamedTuple):
    """How far the predictions of two networks on the same rows are apart, from 0 to 1."""

    largest: float
    """The largest difference of a probability."""
    mean: float
    """The mean absolute difference of the probabilities."""
    changed_predictions: float
    """The share of the rows whose most likely class differs."""


def compare_predictions(first: Array, second: Array) -> Distance:
    """Return the distance between probabilities (rows, classes); NaN where one of them is not finite."""
    difference = np.abs(first.astype(np.float64) - second)
    if not np.isfinite(difference).all():
        return Distance(np.nan, np.nan, np.nan)
    changed = first.argmax(axis=1) != second.argmax(axis=1)
    return Distance(float(difference.max()), float(difference.mean()), float(changed.mean()))


def accuracy(probabilities: Array, y: Array) -> float:
    """Return the share of the rows whose most likely class is the label."""
    return float((probabilities.argmax(axis=1) == y).mean())
