"""What `bakeoff deploy` trains before an export, and the oracle's answer to it."""

import numpy as np
from threadpoolctl import threadpool_limits

from ..common.arrays import Array, Arrays
from ..measures.agreement.floors import PERMUTATIONS, Permuted, error
from ..measures.deployment.attempt import STEPS, Training, Truth
from ..portable import spec as portable
from ..portable.reference import Reference
from ..registry.entries import Entry
from ..workload import data, networks
from ..workload.spec import Spec


def make_training(dtype: str, run: Spec | None = None) -> Training:
    """Return the training before an export: STEPS steps of the default spec on the digits, in `dtype`."""
    run = run or Spec()
    seed = run.training.seed
    source = data.load(run.data, seed)
    splits = data.split(source, run)
    spec = run.portable(splits.features, len(splits.classes))._replace(dtype=dtype)
    count = len(splits.y_train)
    epochs = STEPS * spec.batch_size // count + 2
    x = np.concatenate([splits.x_train, splits.x_test])
    return Training(
        spec=spec,
        arrays=portable.initial_arrays(spec, run.network.initial_weights, seed),
        x=x.astype(dtype),
        y=np.concatenate([splits.y_train, splits.y_test]),
        order=data.batch_orders(count, spec.batch_size, epochs, seed)[:STEPS],
        raw=(x * splits.std + splits.mean).astype(dtype),
    )


def choose_trainings(entry: Entry) -> dict[str, Training]:
    """Return the training of each dtype: of the default spec, or of the most similar one that the backend supports."""
    trainings = {dtype: make_training(dtype) for dtype in ("float32", "float64")}
    if not entry.unsupported(trainings["float32"].spec):
        return trainings
    kind = networks.with_supported([networks.DEFAULT], entry.unsupported)[-1]
    network = {"activation": kind.activation, "batch_norm": kind.batch_norm}
    similar = Spec.model_validate({"network": network, "optimiser": {"name": kind.optimiser}})
    return {dtype: make_training(dtype, similar) for dtype in trainings}


def find_training_floors(training: Training, conventions: dict[str, str]) -> dict[str, float]:
    """Return, by array, plain NumPy's relative rounding error after the whole training."""
    with threadpool_limits(1, user_api="blas"):
        oracle = Reference(training.spec._replace(dtype="float64"), conventions=conventions)
        oracle.run_dtype = training.spec.dtype
        oracle.load({name: array.astype(np.float64) for name, array in training.arrays.items()})
        oracle.put(training.x.astype(np.float64), training.y)
        oracle.train(training.order)
        truth = oracle.dump()
        floors = dict.fromkeys(truth, float(np.finfo(training.spec.dtype).eps) / 2)
        for seed in range(PERMUTATIONS):
            plain = Permuted(training.spec, conventions, seed)
            plain.load(training.arrays)
            plain.put(training.x, training.y)
            plain.train(training.order)
            floors = {name: max(floors[name], error(array, truth[name])) for name, array in plain.dump().items()}
    return floors


def find_truth(spec: portable.Spec, arrays: Arrays, x: Array, conventions: dict[str, str]) -> Truth:
    """Return the oracle's probabilities of x for trained arrays, and plain NumPy's rounding error on them."""
    with threadpool_limits(1, user_api="blas"):
        oracle = Reference(spec._replace(dtype="float64"), conventions=conventions)
        oracle.run_dtype = spec.dtype
        oracle.load({name: array.astype(np.float64) for name, array in arrays.items()})
        truth = oracle.predict(x.astype(np.float64))
        floor = float(np.finfo(spec.dtype).eps) / 2
        for seed in range(PERMUTATIONS):
            plain = Permuted(spec, conventions, seed)
            plain.load(arrays)
            floor = max(floor, error(plain.predict(x), truth))
    return Truth(truth, floor)
