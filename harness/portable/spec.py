"""The network as plain values: the spec of a backend, the names and shapes of its arrays, its conventions."""

from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np


class Spec(NamedTuple):
    """The common network (network-spec) on data of `sizes[0]` features and `sizes[-1]` classes.

    bn_decay, bn_epsilon, learning_rate, beta1, beta2 and epsilon are None where a backend that lists them in its
    `defaults` must use the default of its framework.
    """

    sizes: Tuple[int, ...]
    """(features, hidden widths ..., classes)"""
    activation: str
    """relu, tanh or sigmoid"""
    batch_norm: bool
    bn_decay: float
    """What is kept of the old running statistics at each step."""
    bn_epsilon: float
    optimiser: str
    """sgd, momentum, rmsprop or adam"""
    learning_rate: float
    beta1: float
    beta2: float
    epsilon: float
    batch_size: int
    dtype: str
    """float32 or float64"""


CONVENTIONS = {
    "running_variance": ("biased", "unbiased", "inverse_std"),
    "adam": ("algorithm-1", "epsilon-hat"),
    "momentum": ("average", "sum", "nesterov-sum"),
    "rmsprop": ("outside", "inside", "outside-from-epsilon"),
    "batch_norm_constants": ("exact", "float32"),
    "adam_constants": ("exact", "float32"),
    "adam_bias_correction": ("exact", "float32", "float32-product"),
    "momentum_constants": ("exact", "float32"),
    "rmsprop_constants": ("exact", "float32"),
    "loss": ("exact", "clipped"),
}
"""Each choice on which frameworks differ by design, and its values; the common spec's own value is the first."""


CONSTANTS = {
    "batch_norm_constants": ("bn_decay", "bn_epsilon"),
    "adam_constants": ("beta1", "beta2", "epsilon"),
    "momentum_constants": ("beta1",),
    "rmsprop_constants": ("beta2", "epsilon"),
}
"""By convention, the fields of Spec that `float32` rounds to single precision, in a run of any dtype."""


def full_conventions(declared: Dict[str, str]) -> Dict[str, str]:
    """Return a value for every convention: the declared ones, and the common spec's own for the rest.

    Raises ValueError for a convention or a value that CONVENTIONS does not have.
    """
    for name, value in declared.items():
        if name not in CONVENTIONS:
            raise ValueError("unknown convention %r: expected one of %s" % (name, ", ".join(CONVENTIONS)))
        if value not in CONVENTIONS[name]:
            raise ValueError("convention %s: expected one of %s, got %r" % (name, ", ".join(CONVENTIONS[name]), value))
    return {name: declared.get(name, values[0]) for name, values in CONVENTIONS.items()}


def uses(spec: Spec, convention: str) -> bool:
    """Return whether the network or the optimiser of `spec` has what the convention is about."""
    if convention in ("running_variance", "batch_norm_constants"):
        return spec.batch_norm and len(spec.sizes) > 2
    if convention == "loss":
        return True
    return convention.split("_", maxsplit=1)[0] == spec.optimiser  # the others are named after the optimiser


def rounded(spec: Spec, conventions: Dict[str, str]) -> Spec:
    """Return the spec with those constants in single precision that full `conventions` say a backend keeps so."""
    fields = [
        field
        for convention, constants in CONSTANTS.items()
        if conventions[convention] == "float32" and uses(spec, convention)
        for field in constants
    ]
    single: Dict[str, Any] = {field: float(np.float32(getattr(spec, field))) for field in fields}
    return spec._replace(**single)


def parameters(spec: Spec) -> List[str]:
    """Return the names of the trained arrays, layer by layer."""
    return [name for name in shapes(spec) if "running" not in name]


def shapes(spec: Spec) -> Dict[str, Tuple[int, ...]]:
    """Return the shape of every array at the interface, in the order of the layers."""
    result = {}  # type: Dict[str, Tuple[int, ...]]
    last = len(spec.sizes) - 2
    for layer, (fan_in, fan_out) in enumerate(zip(spec.sizes[:-1], spec.sizes[1:])):
        result["dense%d/kernel" % layer] = (fan_in, fan_out)
        if layer == last or not spec.batch_norm:
            result["dense%d/bias" % layer] = (fan_out,)
        else:
            for array in ("gamma", "beta", "running_mean", "running_var"):
                result["norm%d/%s" % (layer, array)] = (fan_out,)
    return result


def initial_arrays(spec: Spec, initial_weights: str, seed: int) -> Dict[str, np.ndarray]:
    """Draw the arrays that training starts from, in float64, then cast to the run's dtype.

    Kernels are normal with variance 2/fan_in (`he`) or 1/fan_in (`xavier`), from PCG64(seed), layer by
    layer; gamma and running_var are 1, all else 0.
    """
    gain = {"he": 2.0, "xavier": 1.0}[initial_weights]
    rng = np.random.Generator(np.random.PCG64(seed))
    arrays = {}
    for name, shape in shapes(spec).items():
        if name.endswith("kernel"):
            value = rng.standard_normal(shape) * np.sqrt(gain / shape[0])
        else:
            value = np.full(shape, 1.0 if name.endswith(("gamma", "running_var")) else 0.0)
        arrays[name] = value.astype(spec.dtype)
    return arrays
