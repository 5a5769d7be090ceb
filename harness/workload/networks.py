"""TODO: workload.networks."""

import itertools
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from allpairspy import AllPairs

from ..portable import spec as portable
from . import data
from .spec import Spec


def can_all(spec: portable.Spec) -> str:
    """Return "": what a backend cannot do that has no such declaration (registry.Entry.cannot)."""
    return ""


class Kind(NamedTuple):
    """A cell of the matrix: what network, by what optimiser, with which constants, in which dtype."""

    constants: str
    activation: str
    batch_norm: bool
    optimiser: str
    dtype: str

    @property
    def name(self) -> str:
        """As stress-tanh-adam, or default-relu-sgd-plain without batch norm."""
        return f"{self.constants}-{self.activation}-{self.optimiser}{'' if self.batch_norm else '-plain'}"

    @property
    def gated(self) -> bool:
        """Whether a departure decides; float32 on the default constants is a result (docs/agreement.md)."""
        return self.constants == "stress" or self.dtype == "float64"


CONSTANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "stress": {"batch_size": 8, "bn_epsilon": 0.1, "bn_decay": 0.7, "epsilon": 1e-3},
}
"""The default spec's own, and some so large that a mistake in their use stands out of the rounding."""


AXES: tuple[tuple[Any, ...], ...] = (
    tuple(CONSTANTS),
    ("relu", "tanh", "sigmoid"),
    (True, False),
    ("sgd", "momentum", "rmsprop", "adam"),
    ("float32", "float64"),
)
"""Of the matrix, in the order of Kind's fields."""


STANDARD = tuple(
    Kind(constants, activation, True, "adam", dtype)
    for dtype in ("float64", "float32")
    for constants, activation in (("default", "relu"), ("stress", "relu"), ("stress", "tanh"))
)


USUAL = Kind("default", "relu", True, "adam", "float32")
"""The default spec as it is shipped."""


def matrix() -> list[Kind]:
    """Return every cell: each value of each axis with each of the others."""
    return [Kind(*values) for values in itertools.product(*AXES)]


def cover() -> list[Kind]:
    """Return the standard cells, and as many more as it takes for every two values of two axes to meet in one."""
    chosen = AllPairs([list(axis) for axis in AXES], previously_tested=[list(kind) for kind in STANDARD])
    return [*STANDARD, *(Kind(*values) for values in chosen)]


def gates(own: Spec | None = None) -> list[Kind]:
    """Return the cells that a backend must pass to be timed: the standard ones that are gates.

    A spec of the user's own adds its kind of network and optimiser, under stress, where they are not among these.
    """
    kinds = [kind for kind in STANDARD if kind.gated]
    if own is not None:
        network = own.network
        asked = [
            Kind("stress", network.activation, network.batch_norm, own.optimiser.name, dtype)
            for dtype in ("float64", "float32")
        ]
        kinds += [kind for kind in asked if kind not in kinds]
    return kinds


def within(kinds: Sequence[Kind], cannot: Callable[[portable.Spec], str]) -> list[Kind]:
    """Return these cells, and for each that a backend cannot do the one likest to it that it can.

    The likest has the same constants and dtype; so a backend that can do little is not checked on as little.
    """
    able = [kind for kind in matrix() if not cannot(spec_of(kind))] if cannot is not can_all else []
    added = []
    for kind in kinds:
        near = [each for each in able if (each.constants, each.dtype) == (kind.constants, kind.dtype)]
        if near and kind not in able:
            added.append(max(near, key=lambda each: sum(a == b for a, b in zip(each, kind, strict=True))))
    return list(dict.fromkeys([*kinds, *added]))


def spec_of(kind: Kind) -> portable.Spec:
    """Return the network of a cell, on the digits."""
    return default_network()[0]._replace(
        activation=kind.activation,
        batch_norm=kind.batch_norm,
        optimiser=kind.optimiser,
        dtype=kind.dtype,
        **CONSTANTS[kind.constants],
    )


@cache
def default_network() -> tuple[portable.Spec, data.Splits]:
    """Return the network of the default spec, and the splits of its data."""
    run = Spec()
    splits = data.split(data.load(run.data), run)
    return run.portable(splits.features, len(splits.classes)), splits
