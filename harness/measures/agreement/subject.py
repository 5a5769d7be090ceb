"""A backend variant under test, as a check sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from ...common.arrays import Array, Arrays
from ...portable import spec as portable
from ...workers.session import Trained
from . import case as agreement_case
from . import floors
from .case import Case, Contract, Deviation, Seen


class CheckedBackend(Contract, Protocol):
    """The calls that a check makes: those of the contract, and those that the worker adds."""

    def build(self, spec: portable.Spec, device: str, variant: str) -> object:
        """Build the network of another spec."""

    def train_timed(self, order: Array, drain: bool = False) -> Trained:
        """As `train`, with the measured times."""

    def aliases(self, arrays: Arrays, x: Array, y: Array, order: Array) -> tuple[list[str], list[str]]:
        """Return the names of the loaded and of the dumped arrays that training changed."""


@dataclass
class Subject:
    """A backend variant under test, built for the spec of the case."""

    backend: CheckedBackend
    case: Case
    conventions: Mapping[str, str]
    device: str
    variant: str
    disturbed: bool = field(default=False, init=False)

    def build(self, spec: portable.Spec) -> None:
        """Build the backend again, for another spec than that of the case."""
        self.disturbed = True
        self.backend.build(spec, self.device, self.variant)

    def start(self) -> None:
        """Build the network of the case again if another check replaced it; load the arrays and the rows."""
        if self.disturbed:
            self.backend.build(self.case.spec, self.device, self.variant)
            self.disturbed = False
        self.backend.load(self.case.arrays)
        self.backend.put(self.case.x, self.case.y)

    def measure(self, experiment: agreement_case.Experiment) -> list[Deviation]:
        """Run the experiment on the backend and on the oracle."""
        self.start()
        return floors.measure(experiment, self.backend, self.case, self.conventions)

    @cached_property
    def seen(self) -> Seen:
        """The arrays of `floors.training`: the backend runs it once, and several checks use it."""
        self.start()
        return floors.training(self.backend, self.case)

    @cached_property
    def training(self) -> list[Deviation]:
        """The deviation of each quantity of the training from the oracle."""
        return floors.compare(floors.training, self.seen, self.case, self.conventions)

    @property
    def trained(self) -> bool:
        """Whether the training has finished, so that a deviation can be explained."""
        return "training" in vars(self)

    def phase(self, *phases: str) -> list[Deviation]:
        """Return the part of the training that belongs to these phases."""
        return [measured for measured in self.training if measured.quantity.phase in phases]


def load_far_statistics(backend: Contract, case: Case) -> None:
    """Load the arrays of the case with running statistics that are far from those of any batch."""
    rng = np.random.default_rng(0)
    arrays = dict(case.arrays)
    for name, array in arrays.items():
        if "running" in name:
            # The means are around 0, because relu would give 0 everywhere if all were large.
            low, high = (2, 5) if name.endswith("var") else (-1, 1)
            arrays[name] = rng.uniform(low, high, array.shape).astype(array.dtype)
    backend.load(arrays)
