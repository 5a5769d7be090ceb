"""Framework defaults: the values that each framework chooses, and how far apart its trained network then is.

The same network is trained on the same rows in the same order. A field of the spec that is "default" has the
framework's own default where that has one, and the common spec's value where it has none. The trained network is
compared with the one that the reference implementation trains by the common spec, and with every other.
"""

from collections.abc import Callable, Mapping

import numpy as np

from ...common.arrays import Array, Arrays
from ...common.predictions import compare_predictions
from . import figures

TARGET = 0.95
"""The validation accuracy of which the table says when training reaches it."""

SHAPES = {1.8: "uniform", 3.0: "normal", 2.4: "truncated normal"}
"""By kurtosis; that of a normal distribution cut off at two deviations is 2.37."""


def describe_weights(arrays: Arrays) -> str:
    """Return how the largest kernel (in, out) seems to have been drawn: `uniform, variance 0.33 / fan-in`."""
    kernel = max((array for name, array in arrays.items() if name.endswith("kernel")), key=np.size).astype(np.float64)
    variance = kernel.var()
    if variance == 0:
        return "constant"
    kurtosis = float(((kernel - kernel.mean()) ** 4).mean() / variance**2)
    shape = SHAPES[min(SHAPES, key=lambda typical: abs(typical - kurtosis))]
    return f"{shape}, variance {variance * kernel.shape[0]:.2f} / fan-in"


COMMON_SPEC = "the common spec"
"""The name under which the common spec's own network is compared."""


def record_default_distances(trained: Mapping[str, Array], add: Callable[..., None]) -> None:
    """Record the distance of every trained network from every other.

    `trained` holds test probabilities (rows, classes) by NAME:VARIANT, and those of the common spec by COMMON_SPEC.
    """
    for name, probabilities in trained.items():
        backend, _, variant = name.partition(":")
        for other, others in trained.items():
            if variant and other != name:
                distance = compare_predictions(probabilities, others)
                add(
                    figures.DEFAULT_DISTANCE,
                    distance.mean,
                    other=other,
                    mean=distance.mean,
                    largest=distance.largest,
                    changed_predictions=distance.changed_predictions,
                    backend=backend,
                    variant=variant,
                )
