"""What several studies do in a live worker: train a spec by steps, and predict with the statistics of a batch."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..common.arrays import Array, Arrays
from ..portable import spec as portable
from ..portable.reference import Reference
from ..search.data import splits_of
from ..workers.session import Session
from ..workload import data
from ..workload.data import Splits
from ..workload.spec import Spec


class Prepared(NamedTuple):
    """A training that is about to begin: the worker has the arrays and the rows."""

    network: portable.Spec
    splits: Splits
    order: Array
    """(steps, batch)"""


def with_values(spec: Spec, **values: object) -> Spec:
    """Return the spec with other values: `training_seed=3` stands for the key `training.seed`."""
    tables = spec.model_dump(mode="json")
    for name, value in values.items():
        table, _, key = name.partition("_")
        tables[table][key] = value
    return Spec.model_validate(tables)


def prepare(session: Session, spec: Spec, variant: str, x_train: Array | None = None) -> Prepared:
    """Build the spec in the worker, and load the initial arrays and the training rows, or `x_train` in their place."""
    splits = splits_of(spec)
    x = splits.x_train if x_train is None else x_train
    network = spec.portable(x.shape[1], len(splits.classes))
    training = spec.training
    order = data.batch_orders(len(splits.y_train), training.batch_size, training.epochs, training.seed)
    session.build(network, "cpu", variant)
    session.load(portable.initial_arrays(network, spec.network.initial_weights, training.seed))
    session.put(x.astype(network.dtype), splits.y_train)
    return Prepared(network, splits, order)


def train_to(session: Session, order: Array, steps: Sequence[int]) -> Iterator[int]:
    """Train along the order, and stop after each of these numbers of steps."""
    done = 0
    for step in steps:
        session.train(order[done:step])
        done = step
        yield step


def with_batch_statistics(network: portable.Spec, conventions: dict[str, str], arrays: Arrays, x: Array) -> Arrays:
    """Return the arrays with the statistics of the batch `x` in place of the running averages.

    A backend that predicts x with them does what it does in training: it normalises by the batch.
    """
    oracle = Reference(network._replace(dtype="float64"), conventions=conventions)
    oracle.load({name: array.astype(np.float64) for name, array in arrays.items()})
    _, tape = oracle.forward(x.astype(np.float64))
    changed = dict(arrays)
    for layer in oracle.layers:
        _, _, mean, variance, _ = tape[layer]
        inverse = conventions.get("running_variance") == "inverse_std"
        kept = 1 / np.sqrt(variance + network.bn_epsilon) if inverse else variance
        changed[f"norm{layer}/running_mean"] = mean.astype(network.dtype)
        changed[f"norm{layer}/running_var"] = kept.astype(network.dtype)
    return changed


def predict_by_batches(session: Session, network: portable.Spec, arrays: Arrays, x: Array, size: int) -> Array:
    """Return the probabilities of x (rows, features), each batch of `size` rows normalised by its own statistics.

    Leaves the worker with `arrays` and without the state of its optimiser.
    """
    parts = []
    for start in range(0, len(x) - size + 1, size):
        batch = x[start : start + size]
        session.load(with_batch_statistics(network, session.conventions, arrays, batch))
        parts.append(session.predict(batch))
    session.load(arrays)
    return np.concatenate(parts)
