"""The check of a worker that is timed: its losses and a prediction, in the circumstances of the timing.

The conformance checks run in other processes, on other cores. A program that behaves otherwise where it is timed, as
one that does nothing when it is pinned to one core, passes them. So the timed worker itself is compared with the
oracle, before its first slice and after its last one: it takes its own slices, from the initial arrays.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...common.arrays import Array, Arrays
from ...portable import spec as portable
from ...workers.known_failures import find_known_failure
from ...workers.session import Session
from . import floors
from .case import NOT_CONFORMING, Case, Contract, Deviation, Quantity, Seen
from .subject import load_far_statistics

STEPS = 10
"""The steps whose losses are compared. Later ones are not required to agree (docs/explanation/agreement.md)."""
LEAST_STEPS = 2
"""Of a large network. The second loss shows whether the first step was taken."""
REFERENCE_OPERATIONS = 2e9
"""How much the reference may compute for the losses, where that allows fewer than `STEPS`."""
ROWS = 256
"""The rows of the prediction: more than a batch, so that behaviour that depends on the number of rows shows."""
PROBABILITIES = Quantity("forward", "probabilities of the timed worker", 0)
CHECKS = {
    "loss": ("losses", "updates", "train_sizes"),
    "forward": ("forward", "test_mode", "predict_sizes", "test_mode_uses_running_statistics"),
}
"""The checks whose known failures a timed worker shows as well, by the phase of the quantity."""


class TimedResult(NamedTuple):
    """What the check of a timed worker found."""

    floors: float
    """The largest deviation; NaN where the oracle does not know the constants, which are the framework's own."""
    reason: str
    """Why the worker is not timed; "" where it agrees with the oracle."""


class TimedCheck:
    """The training that is timed, as a case that a worker is compared with the oracle on."""

    def __init__(self, spec: portable.Spec, arrays: Arrays, x: Array, y: Array) -> None:
        self.spec, self.arrays, self.x, self.y = spec, arrays, x, y
        self._cases: dict[int, Case] = {}
        weights = sum(rows * columns for rows, columns in itertools.pairwise(spec.sizes))
        operations = 6 * weights * spec.batch_size  # a multiplication and an addition, forward and twice backward
        self.steps = min(STEPS, max(LEAST_STEPS, int(REFERENCE_OPERATIONS / operations)))

    def __call__(self, session: Session, order: Array) -> TimedResult:
        """Return how far the worker is from the oracle in slices of this order (steps, batch).

        The worker has built its network and has the training rows; it is left with the initial arrays. Raises
        WorkerFailed.
        """
        if session.spec is None or None in session.spec:
            return TimedResult(float("nan"), "")
        slices = -(-self.steps // len(order))
        case = self._make_case(np.concatenate([order] * slices)[: self.steps])
        session.load(case.arrays)
        losses = np.concatenate([session.train(order) for _ in range(slices)])[: self.steps]
        load_far_statistics(session, case)
        probabilities = session.predict(case.x[:ROWS])
        session.load(case.arrays)
        seen: Seen = {PROBABILITIES: probabilities, losses_of(case): losses}
        measured = floors.compare(take_timed_steps, seen, case, session.conventions)
        limits = {phase: self._find_limit(session, checks) for phase, checks in CHECKS.items()}
        return TimedResult(max(each.floors for each in measured), describe_excess(measured, limits))

    def _find_limit(self, session: Session, checks: Sequence[str]) -> float:
        """Return the floors that a quantity may be off: more than for conformance where a known failure says so."""
        declared = (find_known_failure(session.known_failures, check, self.spec) for check in checks)
        return max([NOT_CONFORMING, *(each.max_floors or math.inf for each in declared if each is not None)])

    def _make_case(self, order: Array) -> Case:
        """Return the case: the rows of the prediction, then those of these steps, and no others of a large data set."""
        key = hash(order.tobytes())
        if key not in self._cases:
            used, places = np.unique(order, return_inverse=True)
            rows = np.concatenate([np.arange(ROWS) % len(self.x), used])
            self._cases[key] = Case(
                name="timed",
                spec=self.spec,
                arrays=self.arrays,
                x=self.x[rows],
                y=self.y[rows],
                order=places.reshape(order.shape).astype(order.dtype) + ROWS,
                required=True,
            )
        return self._cases[key]


def take_timed_steps(backend: Contract, case: Case) -> Seen:
    """Return what the check of a timed worker compares."""
    load_far_statistics(backend, case)
    seen: Seen = {PROBABILITIES: backend.predict(case.x[:ROWS])}
    backend.load(case.arrays)
    backend.put(case.x, case.y)
    seen[losses_of(case)] = backend.train(case.order)
    return seen


def losses_of(case: Case) -> Quantity:
    """Return the losses of the timed steps as a quantity, by the number of steps."""
    return Quantity("loss", "of the timed steps", len(case.order))


def describe_excess(measured: Sequence[Deviation], limits: Mapping[str, float]) -> str:
    """Return the first deviation over its limit, as a sentence; "" where there is none."""
    for each in measured:
        if not each.floors <= limits[each.quantity.phase]:  # `not <=` includes NaN.
            return each.describe(limits[each.quantity.phase])
    return ""
