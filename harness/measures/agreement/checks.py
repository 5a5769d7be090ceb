"""The conformance checks: plain functions, one sentence each.

A check takes a Subject and returns the agreements that it measured; the runner holds those against the limits of
agreement.py. What is not a matter of degree it refuses itself, with `refuse`: a sentence with the numbers in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np

from ...common.arrays import Array, Arrays
from ...portable import spec as portable
from ...workers.session import Trained
from . import case as agreement_case
from . import floors
from .case import Case, Contract, Measured, Quantity, Seen


class Checked(Contract, Protocol):
    """What a check may ask: the contract, and what the worker adds to it."""

    def build(self, spec: portable.Spec, device: str, variant: str) -> object:
        """Build the network of another spec."""

    def train_timed(self, order: Array, drain: bool = False) -> Trained:
        """As `train`, with what the clock said."""

    def aliases(self, arrays: Arrays, x: Array, y: Array, order: Array) -> tuple[list[str], list[str]]:
        """Return the arrays given to `load`, and got from `dump`, that training changed."""


@dataclass
class Subject:
    """A backend, built as a variant for the case's spec, under check."""

    backend: Checked
    case: Case
    conventions: Mapping[str, str]
    device: str
    variant: str
    disturbed: bool = field(default=False, init=False)

    def build(self, spec: portable.Spec) -> None:
        """Build the backend anew, for a spec that is not the case's."""
        self.disturbed = True
        self.backend.build(spec, self.device, self.variant)

    def start(self) -> None:
        """Build where a check before this one built something else; load the case's arrays and rows."""
        if self.disturbed:
            self.backend.build(self.case.spec, self.device, self.variant)
            self.disturbed = False
        self.backend.load(self.case.arrays)
        self.backend.put(self.case.x, self.case.y)

    def measure(self, experiment: agreement_case.Experiment) -> list[Measured]:
        """Run the experiment on the backend and on the oracle."""
        self.start()
        return floors.measure(experiment, self.backend, self.case, self.conventions)

    @cached_property
    def seen(self) -> Seen:
        """What `agreement.training` saw: several checks read it, the backend runs it once."""
        self.start()
        return floors.training(self.backend, self.case)

    @cached_property
    def training(self) -> list[Measured]:
        """How far each quantity of the training is from the oracle."""
        return floors.compare(floors.training, self.seen, self.case, self.conventions)

    @property
    def trained(self) -> bool:
        """Whether the training went through, so that there is something to explain."""
        return "training" in vars(self)

    def phase(self, *phases: str) -> list[Measured]:
        """Return the part of the training that belongs to these phases."""
        return [measured for measured in self.training if measured.quantity.phase in phases]


class Refused(Exception):
    """A check's sentence on what it found."""


def refuse(sentence: str) -> None:
    """End a check: the backend does not pass it."""
    raise Refused(sentence)


Check = Callable[[Subject], list[Measured]]


# What is a matter of degree


def check_forward(subject: Subject) -> list[Measured]:
    """The loaded arrays give the oracle's test-mode probabilities."""
    return subject.phase("forward")


def check_losses(subject: Subject) -> list[Measured]:
    """Every step's loss is the oracle's, the mean over the batch, before the step."""
    return subject.phase("loss")


def check_gradients(subject: Subject) -> list[Measured]:
    """Every gradient of the loss is the oracle's, through the batch statistics."""
    return subject.phase("gradient")


def check_updates(subject: Subject) -> list[Measured]:
    """Every parameter is the oracle's after 1, 10 and 100 steps."""
    return subject.phase("update")


def check_running_statistics(subject: Subject) -> list[Measured]:
    """The running mean and variance are the oracle's after 1, 10 and 100 steps."""
    return subject.phase("running statistics")


def check_test_mode(subject: Subject) -> list[Measured]:
    """After training, test mode gives the oracle's probabilities, by the running statistics."""
    return subject.phase("test mode")


def check_test_mode_uses_running_statistics(subject: Subject) -> list[Measured]:
    """Running statistics far from any batch's are the ones that test mode normalises with."""
    return subject.measure(_far_statistics)


def _far_statistics(backend: Contract, case: Case) -> Seen:
    rng = np.random.default_rng(0)
    arrays = dict(case.arrays)
    for name, array in arrays.items():
        if "running" in name:
            # Means around 0: with all of them large, relu would let nothing through.
            low, high = (2, 5) if name.endswith("var") else (-1, 1)
            arrays[name] = rng.uniform(low, high, array.shape).astype(array.dtype)
    backend.load(arrays)
    return {Quantity("forward", "probabilities by given running statistics", 0): backend.predict(case.batch[0])}


def check_activation_at_zero(subject: Subject) -> list[Measured]:
    """Where all that goes into the first activation is 0, gradients are the oracle's: relu's slope there is 0."""
    return subject.measure(_at_zero)


def _at_zero(backend: Contract, case: Case) -> Seen:
    # Batch norm's gamma and beta, or else kernel and bias: what comes before the first activation is then exactly 0.
    zero = {"norm0/gamma", "norm0/beta"} if case.spec.batch_norm else {"dense0/kernel", "dense0/bias"}
    backend.load({name: 0 * array if name in zero else array for name, array in case.arrays.items()})
    gradients = backend.gradients(*case.batch)
    return {Quantity("gradient", f"{name} with zeros before the activation", 0): gradients[name] for name in gradients}


def check_large_logits(subject: Subject) -> list[Measured]:
    """Logits of thousands give a finite loss, probabilities and update: the softmax is shifted."""
    return subject.measure(_large_logits)


def _large_logits(backend: Contract, case: Case) -> Seen:
    arrays = dict(case.arrays)
    output = f"dense{len(case.spec.sizes) - 2}/bias"
    arrays[output] = np.linspace(-5000, 5000, len(arrays[output])).astype(arrays[output].dtype)
    backend.load(arrays)
    backend.put(case.x, case.y)
    probabilities = backend.predict(case.batch[0])
    losses = backend.train(case.order[:1])
    return {
        Quantity("forward", "probabilities of large logits", 0): probabilities,
        Quantity("loss", "of large logits", 1): losses,
        Quantity("update", output, 1): backend.dump()[output],
    }


def check_steps_add_up(subject: Subject) -> list[Measured]:
    """Ten steps in one call of `train` are ten steps (those taken one call at a time are in check_updates)."""
    return subject.measure(_ten_steps)


def _ten_steps(backend: Contract, case: Case) -> Seen:
    backend.load(case.arrays)
    backend.put(case.x, case.y)
    seen: Seen = {Quantity("loss", "of ten steps at once", 10): backend.train(case.order[:10])}
    for name, array in backend.dump().items():
        seen[Quantity("update", f"{name} by ten steps at once", 10)] = array
    return seen


# What is not


def check_softmax_example(subject: Subject) -> list[Measured]:
    """Logits [5, 2, -1, 3] are probabilities [0.842, 0.042, 0.002, 0.114]."""
    spec = subject.case.spec._replace(sizes=(3, 2, 4), batch_norm=False)
    arrays = portable.initial_arrays(spec, "he", 0)
    arrays["dense1/kernel"][:] = 0
    arrays["dense1/bias"][:] = (5, 2, -1, 3)
    subject.build(spec)
    subject.backend.load(arrays)
    row = subject.backend.predict(np.ones((1, 3), spec.dtype))[0]
    if [round(float(p), 3) for p in row] != [0.842, 0.042, 0.002, 0.114]:
        refuse(f"softmax of [5, 2, -1, 3] is {np.round(row, 4).tolist()}, expected [0.842, 0.042, 0.002, 0.114]")
    return []


def check_arrays_survive(subject: Subject) -> list[Measured]:
    """What is loaded is dumped again, to the last bit."""
    rng = np.random.default_rng(1)
    dtype = subject.case.spec.dtype
    arrays = {name: rng.uniform(1, 2, array.shape).astype(dtype) for name, array in subject.case.arrays.items()}
    subject.start()
    subject.backend.load(arrays)
    _same("loaded and dumped", subject.backend.dump(), arrays)
    return []


def check_arrays_are_copies(subject: Subject) -> list[Measured]:
    """Training changes neither the arrays given to `load` nor those got from `dump`."""
    case = subject.case
    subject.start()
    given, dumped = subject.backend.aliases(case.arrays, case.x, case.y, case.order[:10])
    if given:
        refuse(f"training changed arrays that were given to load: {', '.join(given)}")
    if dumped:
        refuse(f"training changed arrays that dump had returned: {', '.join(dumped)}")
    return []


def check_rows_are_independent(subject: Subject) -> list[Measured]:
    """A row's probabilities do not depend on its neighbours in the batch."""
    case, backend = subject.case, subject.backend
    subject.start()
    backend.train(case.order[:10])
    x, _ = case.batch
    elsewhere = x.copy()
    elsewhere[1:] = 3 * elsewhere[:0:-1] + 1
    here, there = backend.predict(x)[0], backend.predict(elsewhere)[0]
    # The same program on the same row: a few roundings of the logits, if anything, and no more.
    allowed = 128 * float(np.finfo(case.spec.dtype).eps)
    off = float(np.abs(here - there).max())
    if off > allowed:
        refuse(f"probabilities of row 0 move by {off:.1e} with the rows beside it, allowed {allowed:.1e}")
    return []


def check_predict_changes_nothing(subject: Subject) -> list[Measured]:
    """`predict` leaves every array as it was."""
    case, backend = subject.case, subject.backend
    subject.start()
    backend.predict(case.batch[0])
    _same("before and after predict", backend.dump(), case.arrays)
    return []


def check_gradients_change_nothing(subject: Subject) -> list[Measured]:
    """`gradients` leaves every array as it was, and the training that follows too."""
    case, backend = subject.case, subject.backend
    subject.start()
    backend.gradients(*case.batch)
    _same("before and after gradients", backend.dump(), case.arrays)
    backend.train(case.order[:1])
    after = backend.dump()
    subject.start()
    backend.train(case.order[:1])
    _same("one step with and without gradients before it", after, backend.dump())
    return []


def check_load_forgets(subject: Subject) -> list[Measured]:
    """After `load`, training goes as it did the first time: the optimiser's state is forgotten too."""
    case, backend = subject.case, subject.backend
    subject.start()
    first = backend.train(case.order[:10])
    after = backend.dump()
    subject.start()
    second = backend.train(case.order[:10])
    _same("trained twice from the same arrays", {"losses": first, **after}, {"losses": second, **backend.dump()})
    return []


def check_wait_waits(subject: Subject) -> list[Measured]:
    """When `wait` returns, at most a quarter of the work is left to be done."""
    case, backend = subject.case, subject.backend
    subject.start()
    backend.train(case.order[:10])
    short = backend.train_timed(case.order[:10], drain=True)
    # Long enough to tell what is left from the noise of a clock.
    order = case.order[:10] if _whole(short) > 0.05 else case.order
    backend.train(order)
    shares = []
    for _ in range(3):  # the least of three: a neighbour's work can only add to what seems to be left
        trained = backend.train_timed(order, drain=True)
        shares.append((trained.left_s or 0.0) / _whole(trained))
    if min(shares) > 0.25:
        refuse(f"{min(shares):.0%} of the work of train() was still to be done after wait(), allowed 25%")
    return []


def _whole(trained: Trained) -> float:
    return trained.wall_s + max(trained.left_s or 0.0, 0.0)


def _same(what: str, arrays: Arrays, expected: Arrays) -> None:
    for name, array in expected.items():
        if not np.array_equal(arrays[name], array):
            off = float(np.abs(arrays[name].astype(np.float64) - array).max())
            refuse(f"{what}: {name} differs by {off:.1e}, expected the same bits")


CHECKS: dict[str, Check] = {
    check.__name__.removeprefix("check_"): check
    for check in (
        check_arrays_survive,
        check_arrays_are_copies,
        check_forward,
        check_test_mode_uses_running_statistics,
        check_losses,
        check_gradients,
        check_updates,
        check_running_statistics,
        check_test_mode,
        check_activation_at_zero,
        check_large_logits,
        check_steps_add_up,
        check_rows_are_independent,
        check_predict_changes_nothing,
        check_gradients_change_nothing,
        check_load_forgets,
        check_wait_waits,
        check_softmax_example,  # the last: it builds another network
    )
}

ONCE_A_DTYPE = frozenset({"softmax_example", "wait_waits"})
"""Checks for which the case changes nothing but the dtype."""
