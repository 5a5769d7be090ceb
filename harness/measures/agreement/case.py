"""The terms of a comparison with the oracle: a case, a quantity, its deviation, and the limits of a deviation."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from ...common.arrays import Array, Arrays
from ...portable import spec as portable
from ...portable.reference import Plain, Reference

LOSES_PRECISION = 16.0
"""Up to this many floors, a deviation is rounding alone."""


NOT_CONFORMING = 128.0
"""Above this many floors, the backend computes something else."""


CHECKPOINTS = (1, 10, 100)
"""The steps of training after which every array is compared."""


LATER_BATCHES = "of the later batches"
"""The losses between two comparisons of the arrays, without the first of them."""


class Contract(Protocol):
    """The calls that an experiment makes to a backend: see harness/portable/contract.py."""

    def load(self, arrays: Arrays) -> None:
        """Take every array; forget all training so far."""

    def dump(self) -> Arrays:
        """Return every array."""

    def put(self, x: Array, y: Array) -> object:
        """Take the training rows."""

    def train(self, order: Array) -> Array:
        """Take the steps that order (steps, batch) names; return the losses (steps,)."""

    def gradients(self, x: Array, y: Array) -> Arrays:
        """Return the gradient of every parameter."""

    def predict(self, x: Array) -> Array:
        """Return probabilities (rows, classes)."""


class ReferencePair(NamedTuple):
    """The oracle that a backend is compared with, and the plain NumPy that gives the floors."""

    oracle: type[Reference] = Reference
    """Its results in float64 are the reference."""
    plain: type[Plain] = Plain
    """The same network as it is written, in the dtype of the run: the source of the floors."""


COMMON_REFERENCE = ReferencePair()
"""The pair of the common network."""


@dataclass(frozen=True, eq=False)
class Case:
    """A network, the arrays it starts from, its rows and their order: one problem, the same for every backend."""

    name: str
    """default-relu-adam, stress-tanh-sgd-plain, ..."""
    spec: portable.Spec
    arrays: Arrays
    x: Array
    """(rows, features), normalised, in the run's dtype"""
    y: Array
    order: Array
    """(CHECKPOINTS[-1], batch)"""
    required: bool
    """Whether a failure here makes the backend incorrect. If not, the outcome is reported and decides nothing."""
    reference_pair: ReferencePair = COMMON_REFERENCE
    x_test: Array | None = None
    """The rows of the test split, as x; None where the case has none."""
    y_test: Array | None = None

    @property
    def all_test_rows(self) -> tuple[Array, Array]:
        """Every row of the test split, x and y; the training rows where the case has no test split."""
        if self.x_test is None or self.y_test is None:
            return self.x, self.y
        return self.x_test, self.y_test

    def with_dtype(self, dtype: str) -> "Case":
        """Return the same problem with arrays and rows in another dtype."""
        arrays = {name: array.astype(dtype) for name, array in self.arrays.items()}
        x_test = None if self.x_test is None else self.x_test.astype(dtype)
        spec = self.spec._replace(dtype=dtype)
        return replace(self, spec=spec, arrays=arrays, x=self.x.astype(dtype), x_test=x_test)

    @property
    def label(self) -> str:
        """The name and the dtype."""
        return f"{self.name} {self.spec.dtype}"

    @property
    def batch(self) -> tuple[Array, Array]:
        """The first mini-batch, x and y."""
        rows = self.order[0]
        return self.x[rows], self.y[rows]


def format_floors(floors: float) -> str:
    """Return a number of floors as text: 1.6, or 38,000."""
    return f"{floors:.1f}" if floors < 1000 else f"{floors:,.0f}"  # NaN takes the second form.


class Quantity(NamedTuple):
    """A compared array: its phase of the computation, its name, and the number of steps before it."""

    phase: str
    """forward, gradient, loss, update, running statistics or test mode"""
    array: str
    step: int

    def __str__(self) -> str:
        what = self.array if self.phase in ("update", "running statistics") else f"{self.phase} {self.array}"
        return f"{what} after {self.step} step{'' if self.step == 1 else 's'}" if self.step else f"{what} at the start"


class Deviation(NamedTuple):
    """The deviation of one quantity from the oracle."""

    quantity: Quantity
    error: float
    floor: float

    @property
    def floors(self) -> float:
        """The error as a multiple of the rounding floor."""
        return self.error / self.floor

    def __str__(self) -> str:
        return self.describe(NOT_CONFORMING)

    def describe(self, limit: float) -> str:
        """Return the deviation in words, with the floors that are allowed."""
        return f"{self.quantity}: {self.error:.1e} off, {self.floors:,.1f} floors, allowed {limit:g}"


Seen = dict[Quantity, Array]
"""The arrays that an experiment saw."""


Oracle = Callable[..., Reference]
"""A class of reference.py or mutants."""


Experiment = Callable[[Contract, Case], Seen]
"""A function that drives a backend on a case and returns the arrays that it saw."""
