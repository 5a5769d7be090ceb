"""A backend in this process, with the interface of a Session.

For backends that need no framework: the oracle and its mutants.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...common.arrays import Array, Arrays
from ...portable import spec as portable
from ...portable.host import Host
from ...workers.session import Trained
from .case import Case
from .subject import Subject


class InProcess:
    """Answers with the code of the worker, in this process. Copies every array that a pipe would copy."""

    def __init__(self, backend_class: type) -> None:
        self.host: Any = Host(backend_class)  # type: ignore[no-untyped-call]  # portable/ is in Python 3.6's style

    def build(self, spec: portable.Spec, device: str, variant: str) -> None:
        """Build the network of `spec`."""
        self.host.answer_build({}, spec._asdict(), device, variant)

    def load(self, arrays: Arrays) -> None:
        """Take every array."""
        self.host.backend.load(_copies(arrays))

    def dump(self) -> Arrays:
        """Return every array."""
        return _copies(self.host.backend.dump())

    def put(self, x: Array, y: Array) -> None:
        """Take the training rows."""
        self.host.backend.put(x.copy(), y.copy())

    def train(self, order: Array) -> Array:
        """Take one step for each line of order (steps, batch); return the losses (steps,)."""
        return self.train_timed(order).losses

    def train_timed(self, order: Array, drain: bool = False) -> Trained:
        """As `train`, with the measured times."""
        answer = self.host.answer_train({"order": order.copy()}, drain)
        losses = np.array(answer["arrays"]["losses"])
        return Trained(losses, answer["wall_s"], answer["cpu_s"], answer["left_s"])

    def gradients(self, x: Array, y: Array) -> Arrays:
        """Return the gradient of every parameter."""
        return _copies(self.host.backend.gradients(x.copy(), y.copy()))

    def predict(self, x: Array) -> Array:
        """Return the probabilities (rows, classes)."""
        return np.array(self.host.backend.predict(x.copy()))

    def aliases(self, arrays: Arrays, x: Array, y: Array, order: Array) -> tuple[list[str], list[str]]:
        """Return the names of the loaded and of the dumped arrays that training changed."""
        answer = self.host.answer_aliases({**_copies(arrays), "x": x, "y": y, "order": order})
        return answer["loaded"], answer["dumped"]


def make_subject(backend_class: Any, case: Case, conventions: Mapping[str, str] | None = None) -> Subject:
    """Return a subject built for the case; `conventions` are those of the class where None."""
    backend = InProcess(backend_class)
    variant = backend_class.variants[0]
    backend.build(case.spec, "cpu", variant)
    declared = backend_class.conventions if conventions is None else conventions
    return Subject(backend, case, declared, "cpu", variant)


def _copies(arrays: Mapping[str, Any]) -> Arrays:
    return {name: np.array(array) for name, array in arrays.items()}
