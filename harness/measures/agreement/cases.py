"""The cases of the checks: networks of the conformance matrix on the digits data set."""

from collections.abc import Sequence
from functools import cache

from ...portable import spec as portable
from ...workload import data
from ...workload.networks import Network, default_network, spec_of
from ...workload.spec import Spec
from . import case
from .case import Case


def cases(kinds: Sequence[Network]) -> list[Case]:
    """Return the case of each network, on the digits."""
    return [_case(kind) for kind in kinds]


@cache
def _case(kind: Network) -> Case:
    _, splits = default_network()
    return make_case(kind.name, spec_of(kind), Spec(), splits, kind.required)


def make_case(name: str, spec: portable.Spec, run: Spec, splits: data.Splits, required: bool) -> Case:
    """Return the case of `spec` on real rows: the seed of the run draws the arrays, the rows and their order."""
    seed = run.training.seed
    steps = case.CHECKPOINTS[-1]
    rows = len(splits.y_train)
    epochs = -(-steps // (rows // spec.batch_size))
    return Case(
        name=name,
        spec=spec,
        arrays=portable.initial_arrays(spec, run.network.initial_weights, seed),
        x=splits.x_train.astype(spec.dtype),
        y=splits.y_train,
        order=data.batch_orders(rows, spec.batch_size, epochs, seed)[:steps],
        required=required,
        x_test=splits.x_test.astype(spec.dtype),
        y_test=splits.y_test,
    )
