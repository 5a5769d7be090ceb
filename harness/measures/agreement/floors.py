"""Agreement: how far a backend is from the oracle, in floors.

An experiment is a function that drives a backend and returns the arrays that it saw. It runs on the backend, on the
oracle (NumPy in float64, with the declared conventions of the backend) and on plain NumPy in the dtype of the run with
every sum in another order. For an array T,

    error = max|T_backend - T_oracle| / max|T_oracle|
    floor = the largest error of the permuted runs, and at least half a unit in the last place

and error / floor is the rounding error of the backend as a multiple of the one that plain NumPy has in the same dtype
on the same case.
"""

import hashlib
import inspect
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ...common import cache, machine
from ...common.arrays import Array, Arrays
from ...portable import reference
from ...portable import spec as portable
from ...portable.reference import Plain
from .case import (
    CHECKPOINTS,
    COMMON_REFERENCE,
    LATER_BATCHES,
    Case,
    Contract,
    Deviation,
    Experiment,
    Oracle,
    Quantity,
    Seen,
)

PERMUTATIONS = 6


def training(backend: Contract, case: Case) -> Seen:
    """Forward and gradients at the start; losses, every array and test-mode probabilities after 1, 10, 100 steps."""
    backend.load(case.arrays)
    backend.put(case.x, case.y)
    x, y = case.batch
    seen: Seen = {Quantity("forward", "probabilities", 0): backend.predict(x)}
    for name, gradient in backend.gradients(x, y).items():
        seen[Quantity("gradient", name, 0)] = gradient
    done = 0
    for step in CHECKPOINTS:
        # Single steps up to the 10th, then ten at a time, to test both ways of calling `train`.
        size = 1 if step <= 10 else 10
        first, *later = np.concatenate(
            [backend.train(case.order[start : start + size]) for start in range(done, step, size)]
        )
        # The first loss belongs to arrays that were compared before; the later ones do not.
        seen[Quantity("loss", "of the batch", done + 1)] = np.array([first])
        if later:
            seen[Quantity("loss", LATER_BATCHES, step)] = np.array(later)
        for name, array in backend.dump().items():
            phase = "running statistics" if "running" in name else "update"
            seen[Quantity(phase, name, step)] = array
        seen[Quantity("test mode", "probabilities", step)] = backend.predict(x)
        done = step
    return seen


def measure(experiment: Experiment, backend: Contract, case: Case, conventions: Mapping[str, str]) -> list[Deviation]:
    """Run the experiment on the backend; return the deviation of each quantity from the oracle, in order."""
    return compare(experiment, experiment(backend, case), case, conventions)


def compare(
    experiment: Experiment,
    seen: Seen,
    case: Case,
    conventions: Mapping[str, str],
    oracle: Oracle | None = None,
) -> list[Deviation]:
    """Return the deviation of each array in `seen` from the oracle, or from `oracle` in its place."""
    chosen: Oracle = oracle or case.reference_pair.oracle
    declared = tuple(sorted(conventions.items()))
    # One thread at a time, so that no two compute the same reference. On one core, because the BLAS of NumPy would
    # otherwise spin on all cores over small matrices and take them from the workers.
    with _reference_lock, threadpool_limits(1, user_api="blas"):
        truth, floors = _truth(experiment, case, declared, chosen), _floors(experiment, case, declared)
    return [Deviation(quantity, error(array, truth[quantity]), floors[quantity]) for quantity, array in seen.items()]


def compute_floors(experiment: Experiment, case: Case, conventions: Mapping[str, str]) -> dict[Quantity, float]:
    """Return the rounding floor of each quantity that the experiment sees."""
    with _reference_lock, threadpool_limits(1, user_api="blas"):
        return _floors(experiment, case, tuple(sorted(conventions.items())))


def error(array: Array, truth: Array) -> float:
    """Return max|array - truth| / max|truth|; the plain maximum where the truth is all zero."""
    scale = np.abs(truth).max()
    return float(np.abs(array.astype(np.float64) - truth).max() / (scale if scale > 0 else 1.0))


_reference_lock = threading.Lock()


@lru_cache(maxsize=128)
def _truth(experiment: Experiment, case: Case, declared: tuple[tuple[str, str], ...], oracle: Oracle) -> Seen:
    """Return what the experiment sees on the oracle, in float64."""
    wide = case.with_dtype("float64")
    truth = oracle(wide.spec, conventions=dict(declared))
    truth.run_dtype = case.spec.dtype
    return experiment(truth, wide)


@lru_cache(maxsize=128)
def _floors(experiment: Experiment, case: Case, declared: tuple[tuple[str, str], ...]) -> dict[Quantity, float]:
    """Return the floor of each quantity: computed once on this machine, then kept under a hash of all inputs."""
    key = _floors_key(experiment, case, declared)
    oracle: Oracle = case.reference_pair.oracle
    truth = _truth(experiment, case, declared, oracle)
    found = _read_kept(cache.find("floors", key))
    if set(found) == set(truth):
        return found
    floors = dict.fromkeys(truth, float(np.finfo(case.spec.dtype).eps) / 2)
    for seed in range(PERMUTATIONS):
        for quantity, array in experiment(
            Permuted(case.spec, dict(declared), seed, case.reference_pair.plain), case
        ).items():
            floors[quantity] = max(floors[quantity], error(array, truth[quantity]))
    cache.keep("floors", key, [[*quantity, floor] for quantity, floor in floors.items()])
    return floors


def _read_kept(kept: Any) -> dict[Quantity, float]:
    """Return the floors that the cache has; none where its content is not what `_floors` writes."""
    try:
        found = {Quantity(phase, array, step): floor for phase, array, step, floor in kept}
    except (ValueError, TypeError):
        return {}
    return found if all(isinstance(floor, float) and 0 < floor < np.inf for floor in found.values()) else {}


def _floors_key(experiment: Experiment, case: Case, declared: tuple[tuple[str, str], ...]) -> str:
    """Return a hash that changes with the spec, the arrays, the conventions, this code, NumPy or the processor."""
    digest = hashlib.sha256()
    changed = (
        []
        if case.reference_pair is COMMON_REFERENCE
        else [inspect.getfile(case.reference_pair.plain), inspect.getfile(case.reference_pair.oracle)]
    )
    code = map(Path, (__file__, reference.__file__, portable.__file__, *changed))
    # The name as well: the source is read from the file, which may have been edited since this process imported it.
    words = [
        experiment.__qualname__,
        inspect.getsource(experiment),
        str(case.spec),
        str(declared),
        np.__version__,
        machine.processor(),
    ]
    words += [case.reference_pair.plain.__qualname__] if changed else []
    for part in (*(word.encode() for word in words), *(path.read_bytes() for path in code)):
        digest.update(part + b"\0")
    for array in (*case.arrays.values(), case.x, case.y, case.order, *case.all_test_rows):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


class Permuted:
    """Plain NumPy with features, hidden units, classes and the rows of each batch in another order.

    So every sum is taken in another order. The inputs and the outputs are in the order of the spec.
    """

    def __init__(
        self, spec: portable.Spec, conventions: Mapping[str, str], seed: int, plain: type[Plain] = Plain
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.orders = [self.rng.permutation(width) for width in spec.sizes]
        self.plain = plain(spec, conventions=dict(conventions))

    def load(self, arrays: Arrays) -> None:
        """Take every array."""
        self.plain.load({name: array[self._places(name)] for name, array in arrays.items()})

    def dump(self) -> Arrays:
        """Return every array."""
        return self._back(self.plain.dump())

    def set_learning_rate(self, learning_rate: float) -> None:
        """Take every later step at this rate."""
        self.plain.set_learning_rate(learning_rate)

    def put(self, x: Array, y: Array) -> None:
        """Take the training rows."""
        self.plain.put(*self._rows(x, y))

    def train(self, order: Array) -> Array:
        """Take the steps, each with its rows shuffled."""
        losses: Array = self.plain.train(self.rng.permuted(order, axis=1))
        return losses

    def gradients(self, x: Array, y: Array) -> Arrays:
        """Return the gradient of every parameter."""
        shuffled = self.rng.permutation(len(x))
        return self._back(self.plain.gradients(*self._rows(x[shuffled], y[shuffled])))

    def predict(self, x: Array) -> Array:
        """Return probabilities (rows, classes)."""
        probabilities: Array = self.plain.predict(x[:, self.orders[0]])
        return probabilities[:, np.argsort(self.orders[-1])]

    def _places(self, name: str) -> tuple[Array, ...]:
        """Return the index that takes array `name` to this order."""
        layer, leaf = name.split("/")
        number = int(layer.lstrip("densorm"))
        ways = (number, number + 1) if leaf == "kernel" else (number + 1,)
        return np.ix_(*(self.orders[way] for way in ways))

    def _back(self, arrays: Arrays) -> Arrays:
        result = {name: np.empty_like(array) for name, array in arrays.items()}
        for name, array in arrays.items():
            result[name][self._places(name)] = array
        return result

    def _rows(self, x: Array, y: Array) -> tuple[Array, Array]:
        return x[:, self.orders[0]], np.argsort(self.orders[-1])[y]
