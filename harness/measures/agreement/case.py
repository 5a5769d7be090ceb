"""TODO: measures.agreement.case."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ...common.arrays import Array, Arrays
from ...portable import spec as portable
from ...portable.reference import Plain, Reference

pass
pass


LOSES_PRECISION = 16.0
"""Up to this many floors: rounding and nothing else."""


NOT_CONFORMING = 128.0
"""Over this many floors: something else is computed."""


CHECKPOINTS = (1, 10, 100)


LATER_BATCHES = "of the later batches"
"""The losses between one look at the arrays and the next, but for the first of them."""


class Contract(Protocol):
    """What an experiment may ask of a backend: see harness/portable/contract.py."""

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


class Page(NamedTuple):
    """What a backend is held against: the common network's page, or one with a change in it (changed.py)."""

    oracle: type[Reference] = Reference
    """Whose float64 is the truth."""
    plain: type[Plain] = Plain
    """The same page as it is written, in the run's own dtype: what floors come from."""


COMMON = Page()


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
    gated: bool
    """Whether a departure means that the backend does not conform; if not, it is a result."""
    page: Page = COMMON

    @property
    def label(self) -> str:
        """The name and the dtype."""
        return f"{self.name} {self.spec.dtype}"

    @property
    def batch(self) -> tuple[Array, Array]:
        """The first mini-batch, x and y."""
        rows = self.order[0]
        return self.x[rows], self.y[rows]


def in_floors(floors: float) -> str:
    """Return a number of floors as people read it: 1.6, or 38,000."""
    return f"{floors:.1f}" if floors < 1000 else f"{floors:,.0f}"  # NaN too


class Quantity(NamedTuple):
    """What is compared: an array, in a phase of the computation, after so many steps."""

    phase: str
    """forward, gradient, loss, update, running statistics or test mode"""
    array: str
    step: int

    def __str__(self) -> str:
        what = self.array if self.phase in ("update", "running statistics") else f"{self.phase} {self.array}"
        return f"{what} after {self.step} step{'' if self.step == 1 else 's'}" if self.step else f"{what} at the start"


class Measured(NamedTuple):
    """How far one quantity is from the oracle."""

    quantity: Quantity
    error: float
    floor: float

    @property
    def floors(self) -> float:
        """The error in floors."""
        return self.error / self.floor

    def __str__(self) -> str:
        return f"{self.quantity}: {self.error:.1e} off, {self.floors:,.1f} floors, allowed {NOT_CONFORMING:g}"


Seen = dict[Quantity, Array]


Oracle = Callable[..., Reference]
"""A class of reference.py or mutants.py."""


Experiment = Callable[[Contract, Case], Seen]
