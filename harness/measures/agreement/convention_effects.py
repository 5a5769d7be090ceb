"""Departures: how far each convention that a backend declares moves it, alone, from the common spec.

The oracle is trained in float64 from the same arrays, on the same rows in the same order: by the common spec, and by
the common spec with that one choice. What differs at the end is the choice, and no framework's rounding.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from ...common.arrays import Array, Arrays
from ...common.predictions import compare_predictions
from ...portable import spec as portable
from ...portable.reference import Reference
from ...workload.data import Splits
from . import figures
from .case import Contract

COMMON = portable.full_conventions({})


@dataclass(frozen=True, eq=False)
class Problem:
    """A full training: the same for every backend, and so trained once for each choice."""

    spec: portable.Spec
    arrays: Arrays
    """What training starts from."""
    splits: Splits
    order: Array
    """(steps, batch), row numbers of the training split"""


class Departure(NamedTuple):
    """What one declared choice changes at the end of training, on the test split.

    All but the names are shares, from 0 to 1; NaN where a training did not stay finite.
    """

    convention: str
    value: str
    """What the backend declares."""
    largest: float
    """The largest difference of a test-mode probability."""
    mean: float
    """The mean absolute difference of the test-mode probabilities."""
    changed_predictions: float
    """Rows whose likeliest class is another."""
    accuracy: float
    """With this choice."""
    common_accuracy: float
    """By the common spec."""


def effective(spec: portable.Spec, declared: Mapping[str, str]) -> dict[str, str]:
    """Return the declared choices that make a difference on `spec`: not its own, and of something that it uses.

    Raises ValueError for a convention or a value that there is not.
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
        return False  # it is told, and nothing is computed from it: the same is trained
    if convention in portable.CONSTANTS:
        return portable.uses(spec, convention) and portable.rounded(spec, {**COMMON, convention: value}) != spec
    # Some differ only in what is remembered of the steps before.
    remembered = {"momentum": spec.beta1, "epsilon-hat": spec.beta2, "outside-from-epsilon": spec.beta2}
    return portable.uses(spec, convention) and remembered.get(value, remembered.get(convention, 1.0)) > 0


def departures(problem: Problem, declared: Mapping[str, str]) -> list[Departure]:
    """Return the departure of each declared choice, alone; none for a choice that this spec does not use.

    Raises ValueError for a convention or a value that there is not.
    """
    return [_departure(problem, convention, value) for convention, value in effective(problem.spec, declared).items()]


def _departure(problem: Problem, convention: str, value: str) -> Departure:
    common, chosen = common_probabilities(problem), _probabilities(problem, (convention, value))
    distance = compare_predictions(chosen, common)
    y = problem.splits.y_test
    return Departure(
        convention=convention,
        value=value,
        **distance._asdict(),
        accuracy=_accuracy(chosen, y),
        common_accuracy=_accuracy(common, y),
    )


def common_probabilities(problem: Problem) -> Array:
    """Return the test-mode probabilities (rows, classes) of the test split, by the common spec and the oracle."""
    return _probabilities(problem, None)


@lru_cache(maxsize=32)
def _probabilities(problem: Problem, choice: tuple[str, str] | None) -> Array:
    """Return the test-mode probabilities (rows, classes) of the test split after the whole training."""
    spec, splits = problem.spec, problem.splits
    conventions = dict([choice] if choice else [])
    wide = spec._replace(dtype="float64")
    oracle: Contract = Reference(wide, conventions=conventions)  # type: ignore[no-untyped-call]  # Python 3.6 has none
    oracle.load(problem.arrays)
    # The rows as a backend gets them, in the run's dtype.
    oracle.put(splits.x_train.astype(spec.dtype), splits.y_train)
    # One core is enough for matrices this small. A choice may diverge: that is what its departure then says.
    with threadpool_limits(1, user_api="blas"), np.errstate(all="ignore"):
        oracle.train(problem.order)
        return oracle.predict(splits.x_test.astype(spec.dtype))


def _accuracy(probabilities: Array, y: Array) -> float:
    if not np.isfinite(probabilities).all():
        return np.nan
    return float((probabilities.argmax(axis=1) == y).mean())


def measure_convention_effects(
    problem: Problem, backend: str, declared: Mapping[str, str], add: Callable[..., None]
) -> str:
    """Record the effect of each convention that a backend declares; return the last one in words."""
    outcome = ""
    for each in departures(problem, declared):
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
