"""Small networks, with arrays at which nothing is zero, one or symmetric."""

import numpy as np
from bakeoff.portable.spec import Spec, shapes

SMALL = Spec(
    sizes=(5, 7, 6, 4),
    activation="relu",
    batch_norm=True,
    bn_decay=0.7,
    bn_epsilon=0.1,
    optimiser="adam",
    learning_rate=0.01,
    beta1=0.8,
    beta2=0.95,
    epsilon=1e-3,
    batch_size=9,
    dtype="float64",
)


def small(**changes):
    """Return SMALL with these fields changed."""
    return SMALL._replace(**changes)


def some_arrays(spec, seed=0):
    """Return arrays of shapes(spec) drawn from the normal distribution; variances are positive."""
    rng = np.random.Generator(np.random.PCG64(seed))
    arrays = {name: rng.standard_normal(shape) for name, shape in shapes(spec).items()}
    return {
        name: (0.5 + array**2 if name.endswith("running_var") else array).astype(spec.dtype)
        for name, array in arrays.items()
    }


def some_rows(spec, rows=None, seed=1):
    """Return x (rows, features) and y (rows,)."""
    rows = spec.batch_size if rows is None else rows
    rng = np.random.Generator(np.random.PCG64(seed))
    x = rng.standard_normal((rows, spec.sizes[0])).astype(spec.dtype)
    return x, rng.integers(0, spec.sizes[-1], rows)


def some_order(spec, rows, steps, seed=2):
    """Return row numbers (steps, batch)."""
    return np.random.Generator(np.random.PCG64(seed)).integers(0, rows, (steps, spec.batch_size))
