"""Backends in this process, met by the checks as a Session meets one in a worker."""

from functools import cache

import numpy as np

from harness.checks import CHECKS, Subject
from harness.conformance import judge, standard_cases
from harness.portable import spec as portable
from harness.portable.worker import Host
from harness.session import Trained


class InProcess:
    """Answers by the worker's own code, without the worker. What crosses is copied, as a pipe would."""

    def __init__(self, backend_class):
        self.host = Host(backend_class, portable)

    def build(self, spec, device, variant):
        self.host.answer_build({}, spec._asdict(), device, variant)

    def load(self, arrays):
        self.host.backend.load(copies(arrays))

    def dump(self):
        return copies(self.host.backend.dump())

    def put(self, x, y):
        self.host.backend.put(x.copy(), y.copy())

    def train(self, order):
        return self.train_by_the_clock(order).losses

    def train_by_the_clock(self, order, drain=False):
        answer = self.host.answer_train({"order": order.copy()}, drain)
        losses = np.array(answer["arrays"]["losses"])
        return Trained(losses, answer["wall_s"], answer["cpu_s"], answer["left_s"])

    def gradients(self, x, y):
        return copies(self.host.backend.gradients(x.copy(), y.copy()))

    def predict(self, x):
        return np.array(self.host.backend.predict(x.copy()))

    def aliases(self, arrays, x, y, order):
        answer = self.host.answer_aliases({**copies(arrays), "x": x, "y": y, "order": order})
        return answer["given"], answer["dumped"]


def copies(arrays):
    """Return a copy of every array."""
    return {name: np.array(array) for name, array in arrays.items()}


def subject(backend_class, case):
    """Return a subject that is built for the case."""
    backend = InProcess(backend_class)
    backend.build(case.spec, "cpu", backend_class.variants[0])
    return Subject(backend, case, backend_class.conventions, "cpu", backend_class.variants[0])


def judged(check, backend_class, case, known_failures=None):
    """Run the check of this name on a backend; return the outcome."""
    return judge(CHECKS[check], subject(backend_class, case), known_failures or {})


@cache
def cases():
    """Return the cases that every backend is held to, {label: case}."""
    return {case.label: case for case in standard_cases()}
