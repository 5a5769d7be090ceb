"""Defaults: what each framework does when it is not told, and how far apart that ends.

The same network on the same rows in the same order; what a spec calls "default" is left to the framework, where that
has a default of its own, and is the common spec's value where it has none. What came of it is held against the common
spec, trained by the oracle, and against every other.
"""

import numpy as np

from ...common.arrays import Arrays

TARGET = 0.95
"""The validation accuracy whose time is told."""

SHAPES = {1.8: "uniform", 3.0: "normal", 2.4: "truncated normal"}
"""By kurtosis; that of a normal distribution cut off at two deviations is 2.37."""


def weights_in_words(arrays: Arrays) -> str:
    """Return how the largest kernel (in, out) seems to have been drawn: `uniform, variance 0.33 / fan-in`."""
    kernel = max((array for name, array in arrays.items() if name.endswith("kernel")), key=np.size).astype(np.float64)
    variance = kernel.var()
    if variance == 0:
        return "constant"
    kurtosis = float(((kernel - kernel.mean()) ** 4).mean() / variance**2)
    shape = SHAPES[min(SHAPES, key=lambda typical: abs(typical - kurtosis))]
    return f"{shape}, variance {variance * kernel.shape[0]:.2f} / fan-in"
