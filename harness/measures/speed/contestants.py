"""What is timed: the contestants, and the training that they all do."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from ...common.arrays import Array, Arrays
from ...portable import spec as portable
from ...workers.place import Place
from ...workers.session import Session


class Checked(Protocol):
    """What a check of a timed worker found."""

    @property
    def floors(self) -> float:
        """The largest deviation from the oracle; NaN where there is none to compare with."""

    @property
    def reason(self) -> str:
        """Why the worker is not timed; "" where it agrees."""


Check = Callable[[Session, Array], Checked]
"""Compares a worker with the oracle, in slices of the given order: agreement.timed_check.TimedCheck."""


class Contestant(NamedTuple):
    """A backend variant; for the self-test one variant takes part twice."""

    backend: str
    variant: str
    place: Place
    self_test: bool = False
    """Whether it is the second copy of a variant, timed against the first."""
    spec: portable.Spec | None = None
    """Its own spec, where that has defaults of the framework; None where it is the problem's."""
    thread_names: tuple[str, ...] = ()
    """The names of its threads that compute, from backend.toml."""

    @property
    def backend_variant(self) -> tuple[str, str]:
        """The backend and the variant, which are the same for both copies of the self-test."""
        return self.backend, self.variant

    @property
    def labels(self) -> dict[str, Any]:
        """The keys of its records."""
        return {"backend": self.backend, "variant": self.variant, "self_test": self.self_test}


class Problem(NamedTuple):
    """The training that is timed: the same arrays for every contestant."""

    spec: portable.Spec
    arrays: Arrays
    x: Array
    y: Array
    order: Array
    """(steps, batch); every slice begins at its first line"""
    check: Check | None = None
    """Compares each timed worker with the oracle; None compares nothing."""

    def steps(self, count: int) -> Array:
        """Return the first `count` lines of the order, repeated where it has fewer."""
        return np.resize(self.order, (count, self.order.shape[1]))

    def rows(self, count: int) -> Array:
        """Return the first `count` rows, repeated where there are fewer."""
        return self.x[np.arange(count) % len(self.x)]
