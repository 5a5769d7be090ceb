"""The effect of each declared convention alone: how far it moves a trained network from the common spec.

The oracle is trained twice in float64 from the same arrays, on the same rows in the same order: by the common spec, and
by the common spec with that one convention. So the difference contains no rounding of a framework.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from ...common.arrays import Array, Arrays
from ...common.predictions import accuracy, compare_predictions
from ...portable import spec as portable
from ...portable.reference import Reference
from ...workload.data import Splits
from . import figures
from .case import Contract

COMMON = portable.full_conventions({})


@dataclass(frozen=True, eq=False)
class FullTraining:
    """A full training. It is the same for every backend, so the oracle is trained once for each convention."""

    spec: portable.Spec
    arrays: Arrays
    """The initial arrays."""
    splits: Splits
    order: Array
    """(steps, batch), row numbers of the training split"""


class ConventionEffect(NamedTuple):
    """The effect of one declared convention at the end of training, on the test split.

    All but the names are shares, from 0 to 1; NaN where a training did not stay finite.
    """

    convention: str
    value: str
    """The declared value."""
    largest: float
    """The largest difference of a test-mode probability."""
    mean: float
    """The mean absolute difference of the test-mode probabilities."""
    changed_predictions: float
    """The share of rows whose predicted class changes."""
    accuracy: float
    """With this convention."""
    common_accuracy: float
    """By the common spec."""


def effective_conventions(spec: portable.Spec, declared: Mapping[str, str]) -> dict[str, str]:
    """Return the declared conventions that differ from the common spec and apply to the network of `spec`.

    Raises ValueError for an unknown convention or value.
    """
    full = portable.full_conventions(dict(declared))
    return {
        convention: value
        for convention, value in full.items()
        if value != portable.CONVENTIONS[convention][0] and _used(spec, convention, value)
    }


def _used(spec: portable.Spec, convention: str, value: str) -> bool:
    """Return whether this value gives another formula than the common spec's own."""
    if convention == "loss":
        return False  # Training does not use the reported loss.
    if convention in portable.CONSTANTS:
        return portable.uses(spec, convention) and portable.rounded(spec, {**COMMON, convention: value}) != spec
    # Some values differ only in their memory of earlier steps.
    remembered = {
        "momentum": spec.beta1,
        "epsilon-hat": spec.beta2,
        "outside-from-epsilon": spec.beta2,
        "adam_bias_correction": max(spec.beta1, spec.beta2),
    }
    return portable.uses(spec, convention) and remembered.get(value, remembered.get(convention, 1.0)) > 0


def measure_convention_effects(training: FullTraining, declared: Mapping[str, str]) -> list[ConventionEffect]:
    """Return the effect of each declared convention alone; none for a convention that does not apply to this spec.

    Raises ValueError for an unknown convention or value.
    """
    return [
        _measure_effect(training, convention, value)
        for convention, value in effective_conventions(training.spec, declared).items()
    ]


def _measure_effect(training: FullTraining, convention: str, value: str) -> ConventionEffect:
    common, chosen = common_probabilities(training), _probabilities(training, (convention, value))
    distance = compare_predictions(chosen, common)
    y = training.splits.y_test
    return ConventionEffect(
        convention=convention,
        value=value,
        largest=distance.largest,
        mean=distance.mean,
        changed_predictions=distance.changed_predictions,
        accuracy=accuracy(chosen, y),
        common_accuracy=accuracy(common, y),
    )


def common_probabilities(training: FullTraining) -> Array:
    """Return the test-mode probabilities (rows, classes) of the test split, by the common spec and the oracle."""
    return _probabilities(training, None)


@lru_cache(maxsize=32)
def _probabilities(training: FullTraining, choice: tuple[str, str] | None) -> Array:
    """Return the test-mode probabilities (rows, classes) of the test split after the whole training."""
    spec, splits = training.spec, training.splits
    conventions = dict([choice] if choice else [])
    wide = spec._replace(dtype="float64")
    oracle: Contract = Reference(wide, conventions=conventions)  # type: ignore[no-untyped-call]  # Python 3.6 has none
    oracle.load(training.arrays)
    # A backend gets the rows in the dtype of the run.
    oracle.put(splits.x_train.astype(spec.dtype), splits.y_train)
    # One core is enough for small matrices. A training may diverge: then its effect is NaN.
    with threadpool_limits(1, user_api="blas"), np.errstate(all="ignore"):
        oracle.train(training.order)
        return oracle.predict(splits.x_test.astype(spec.dtype))


def record_convention_effects(
    training: FullTraining, backend: str, declared: Mapping[str, str], add: Callable[..., None]
) -> str:
    """Record the effect of each convention that a backend declares; return the last one in words."""
    outcome = ""
    for each in measure_convention_effects(training, declared):
        add(
            figures.CONVENTION_EFFECT,
            each.largest,
            backend=backend,
            convention=each.convention,
            chosen=each.value,
            largest=each.largest,
            mean=each.mean,
            changed_predictions=each.changed_predictions,
            accuracy=each.accuracy,
            common_accuracy=each.common_accuracy,
        )
        outcome = f"{each.convention} {each.value}: changes probabilities by at most {each.largest:.1e}"
    return outcome
