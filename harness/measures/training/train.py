"""Training: every epoch of a variant, its loss, its time and its validation accuracy; then its test accuracy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...common.arrays import Array, Arrays
from ...common.predictions import accuracy
from ...records.query import Query
from ...workers.place import Place
from ...workers.session import Session, WorkerFailed
from ...workload.data import Splits
from ...workload.spec import Spec
from . import figures
from .defaults import describe_weights

Add = Callable[..., None]
"""Takes a figure, its value, and its keys: records.store.Task.add."""


@dataclass(frozen=True, eq=False)
class Training:
    """A full training: the same for every variant."""

    spec: Spec
    splits: Splits
    arrays: Arrays
    """The initial arrays of the common spec."""
    order: Array
    """(steps, batch), row numbers of the training split, of all epochs"""
    device: str


class Trained(NamedTuple):
    """The end of a training."""

    probabilities: Array | None
    """Of the test rows, (rows, classes); None where training failed."""
    outcome: str
    """In a few words, for the display of progress."""


def measure(
    training: Training,
    place: Place,
    backend: str,
    variant: str,
    add: Add,
    say: Callable[[str], None],
    when_built: Callable[[Session], None] = lambda session: None,
) -> Trained:
    """Train a variant for all epochs, and record each epoch; a failure of its worker is recorded, too.

    `when_built` is called with the worker's session as soon as the backend is built.
    """
    labels = {"backend": backend, "variant": variant}
    try:
        with Session(place) as session:
            spec = spec_for_backend(training.spec, training.splits, session.defaults)
            session.build(spec, training.device, variant)
            when_built(session)
            session.load(_initial_arrays(training, session, add, labels))
            session.put(training.splits.x_train.astype(spec.dtype), training.splits.y_train)
            _train_epochs(training, session, spec.dtype, add, say, labels)
            probabilities = session.predict(training.splits.x_test.astype(spec.dtype))
            score = accuracy(probabilities, training.splits.y_test)
            add(figures.TEST_ACCURACY, score, **labels)
            return Trained(probabilities, f"test accuracy {score:.1%}")
    except WorkerFailed as failed:
        add(figures.FAILED, str(failed), traceback=failed.traceback, **labels)
        return Trained(None, str(failed))


def spec_for_backend(spec: Spec, splits: Splits, own: Any = ()) -> Any:
    """Return the network as a backend gets it that has defaults of its `own` for these fields of the spec."""
    return spec.portable(splits.features, len(splits.classes), own)


def _train_epochs(
    training: Training, session: Session, dtype: str, add: Add, say: Callable[[str], None], labels: dict[str, str]
) -> None:
    splits = training.splits
    x_validation = splits.x_validation.astype(dtype)
    epochs = np.split(training.order, training.spec.training.epochs)
    for epoch, order in enumerate(epochs, start=1):
        trained = session.train_timed(order)
        loss = float(trained.losses.astype(np.float64).mean())
        score = accuracy(session.predict(x_validation), splits.y_validation)
        add(figures.LOSS, loss, epoch=epoch, **labels)
        add(figures.EPOCH_TIME, trained.wall_s, epoch=epoch, steps=len(order), **labels)
        add(figures.VALIDATION_ACCURACY, score, epoch=epoch, **labels)
        say(f"epoch {epoch} of {len(epochs)}: loss {loss:.4f}, validation {score:.1%}")
    if len(epochs) == 1:  # its time has the compilation of the first call in it, and slices are not planned by that
        again_s = session.train_timed(training.order).wall_s
        add(figures.PACE, again_s, steps=len(training.order), **labels)


def _initial_arrays(training: Training, session: Session, add: Add, labels: dict[str, str]) -> Arrays:
    """Return the arrays that training starts from; record the value in force of every framework default."""
    spec, fields = training.spec, training.spec.framework_defaults
    settings: dict[str, Any] = session.settings() if fields and session.defaults else {}
    common = {**spec.common().network.model_dump(), **spec.common().optimiser.model_dump()}
    arrays = training.arrays
    if "initial_weights" in fields and "initial_weights" in session.defaults:
        arrays = session.initial(spec.training.seed)
        settings["initial_weights"] = describe_weights(arrays)
    for field in fields:
        own = field in session.defaults
        if field in settings or not own:
            add(figures.DEFAULT_VALUE, settings[field] if own else common[field], field=field, own=own, **labels)
    return arrays


def paces(query: Query) -> dict[tuple[str, str], float]:
    """Return the seconds a step of each variant's quickest epoch of training, but for the first, which compiles."""
    found: dict[tuple[str, str], float] = {}
    epochs = query.rows(figures.EPOCH_TIME)
    for rows in (epochs[epochs["epoch"].gt(1)], query.rows(figures.PACE)):
        for row in rows.to_dict("records"):
            key, pace = (str(row["backend"]), str(row["variant"])), float(row["value"]) / int(row["steps"])
            found[key] = min(pace, found.get(key, pace))
    return found
