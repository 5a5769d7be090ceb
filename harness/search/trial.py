"""Trains one setting in one backend, epoch by epoch, in a live worker; and compares its first steps with the oracle."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np

from ..common.arrays import Array, Arrays
from ..common.predictions import accuracy
from ..measures.agreement import floors
from ..measures.agreement.case import NOT_CONFORMING, Case, Contract, Quantity, Seen
from ..portable import spec as portable
from ..workers.session import Session, WorkerFailed
from ..workload import data
from ..workload.data import Splits
from ..workload.spec import Spec
from .data import splits_of
from .schedule import Schedule

CHECKED_STEPS = 3
"""The steps after which a trial is compared with the oracle: so few that rounding is seldom amplified."""

STARTS = 3
"""The initial arrays from which the first steps must deviate before a trial counts as different from the oracle.

Where rounding moves one activation across its kink, a correct program is hundreds of floors off. That happens from one
start in a hundred, and a program that computes something else deviates from every start.
"""

COMPLETE, PRUNED, DIVERGED, FAILED = "complete", "pruned", "diverged", "failed"
"""The outcomes of a trial in a backend. A trial diverges where a value is no longer finite."""


class Epoch(NamedTuple):
    """One epoch of a trial."""

    learning_rate: float
    loss: float
    """Mean training loss, nats."""
    validation_loss: float
    """Mean cross-entropy of the validation rows, nats."""
    validation_accuracy: float
    train_s: float
    """Wall time of the training steps."""


class Trained(NamedTuple):
    """What a trial in one backend came to."""

    outcome: str
    epochs: tuple[Epoch, ...]
    training_accuracy: float | None
    """Of the network as trained, on the training rows; None where it was not trained to its end."""
    predictions: tuple[int, ...]
    """The predicted class of every validation row; empty as above."""
    floors: float | None
    """The largest deviation from the oracle in the first steps, in rounding floors; None where it is not finite."""
    deviation: str
    """Which array that is."""

    @property
    def conforms(self) -> bool:
        """Whether the first steps are within what agreement allows. A trial that diverges in them shows nothing."""
        return is_conforming(self.floors)


def train_trial(
    session: Session,
    spec: Spec,
    variant: str,
    device: str = "cpu",
    schedule: Schedule | None = None,
    prune_below: Sequence[float] = (),
    check: bool = True,
) -> Trained:
    """Train a spec in a live worker.

    `prune_below` holds a validation accuracy for each epoch, from the first: the trial ends after an epoch that is
    below it; NaN where there is none. With `check`, the first steps are compared with the oracle.
    Raises WorkerFailed, but not for values that are not finite: these are a result.
    """
    splits = splits_of(spec)
    network = spec.portable(splits.features, len(splits.classes))
    order = data.batch_orders(len(splits.y_train), spec.training.batch_size, spec.training.epochs, spec.training.seed)
    arrays = portable.initial_arrays(network, spec.network.initial_weights, spec.training.seed)
    case = Case("trial", network, arrays, splits.x_train.astype(network.dtype), splits.y_train, order, False)
    session.build(network, device, variant)
    epochs: list[Epoch] = []
    worst, deviation = (None, "")
    try:
        if check:
            starts = (
                portable.initial_arrays(network, spec.network.initial_weights, spec.training.seed + number)
                for number in range(STARTS)
            )
            worst, deviation = compare_first_steps(session, case, starts)
        session.load(arrays)
        session.put(case.x, case.y)
        for epoch in range(spec.training.epochs):
            rate = epochs[-1].learning_rate if epochs else network.learning_rate
            if schedule is not None and epochs:
                rate = _adjust(session, schedule, epochs)
            epochs.append(_train_epoch(session, splits, np.split(order, spec.training.epochs)[epoch], rate))
            if epoch < len(prune_below) and epochs[-1].validation_accuracy < prune_below[epoch]:
                return Trained(PRUNED, tuple(epochs), None, (), worst, deviation)
        training_accuracy = accuracy(session.predict(case.x), splits.y_train)
        predicted = session.predict(splits.x_validation.astype(network.dtype)).argmax(axis=1)
        return Trained(COMPLETE, tuple(epochs), training_accuracy, tuple(map(int, predicted)), worst, deviation)
    except WorkerFailed as failed:
        if failed.kind != "not finite":
            raise
        return Trained(DIVERGED, tuple(epochs), None, (), worst, deviation)


def _adjust(session: Session, schedule: Schedule, epochs: Sequence[Epoch]) -> float:
    """Set the learning rate of the next epoch by the rule, and return it."""
    rate = schedule.next_rate([each.learning_rate for each in epochs], [each.validation_loss for each in epochs])
    if rate != epochs[-1].learning_rate:
        session.set_learning_rate(rate)
    return rate


def _train_epoch(session: Session, splits: Splits, order: Array, rate: float) -> Epoch:
    trained = session.train_timed(order)
    probabilities = session.predict(splits.x_validation.astype(trained.losses.dtype)).astype(np.float64)
    chosen = probabilities[np.arange(len(probabilities)), splits.y_validation]
    return Epoch(
        learning_rate=rate,
        loss=float(trained.losses.astype(np.float64).mean()),
        # A probability of 0 is the smallest that the dtype has: the loss of such a row is finite.
        validation_loss=float(-np.log(np.maximum(chosen, np.finfo(trained.losses.dtype).tiny)).mean()),
        validation_accuracy=accuracy(probabilities, splits.y_validation),
        train_s=trained.wall_s,
    )


def take_first_steps(backend: Contract, case: Case) -> Seen:
    """Take CHECKED_STEPS steps; return their losses and every array after the last of them."""
    backend.load(case.arrays)
    backend.put(case.x, case.y)
    steps = case.order[:CHECKED_STEPS]
    seen = {Quantity("loss", "of the first batches", len(steps)): backend.train(steps)}
    for name, array in backend.dump().items():
        phase = "running statistics" if "running" in name else "update"
        seen[Quantity(phase, name, len(steps))] = array
    return seen


class Compared(Contract, Protocol):
    """What is compared with the oracle: a live worker."""

    @property
    def conventions(self) -> Mapping[str, str]:
        """What it does differently from the common spec."""


def is_conforming(worst: float | None) -> bool:
    """Return whether a deviation in floors is within what agreement allows; None is one that is not finite."""
    return worst is None or worst <= NOT_CONFORMING


def compare_first_steps(backend: Compared, case: Case, starts: Iterable[Arrays]) -> tuple[float | None, str]:
    """Return the largest deviation from the oracle, in floors, and the array that has it.

    It is that from the first of `starts`; where that is too large, that from a later one which conforms.
    """
    found: list[tuple[float | None, str]] = []
    for arrays in starts:
        found.append(_measure_first_steps(backend, replace(case, arrays=arrays)))
        if is_conforming(found[-1][0]):
            return found[-1]
    return found[0]


def _measure_first_steps(backend: Compared, case: Case) -> tuple[float | None, str]:
    with np.errstate(all="ignore"):  # A setting can overflow. That is a result, and no warning.
        measured = floors.measure(take_first_steps, backend, case, backend.conventions)
    worst = max(measured, key=lambda each: (not np.isfinite(each.floors), each.floors))
    return (float(worst.floors) if np.isfinite(worst.floors) else None), str(worst.quantity)
