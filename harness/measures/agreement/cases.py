"""TODO: measures.agreement.cases."""

from collections.abc import Sequence
from functools import cache

from ...portable import spec as portable
from ...workload import data
from ...workload.networks import Network, default_network, spec_of
from ...workload.spec import Spec
from . import case
from .case import Case


def cases(kinds: Sequence[Network]) -> list[Case]:
    """Return the problems of these cells, on the digits."""
    return [_case(kind) for kind in kinds]


@cache
def _case(kind: Network) -> Case:
    _, splits = default_network()
    return case_of(kind.name, spec_of(kind), Spec(), splits, kind.required)


def case_of(name: str, spec: portable.Spec, run: Spec, splits: data.Splits, gated: bool) -> Case:
    """Return the case of `spec` on real rows: arrays, rows and order drawn from the run's seed."""
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
        gated=gated,
    )
