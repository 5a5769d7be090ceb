"""The networks that backends are checked on: the matrix of all kinds, a cover of it, and the required ones."""

import itertools
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from allpairspy import AllPairs

from ..portable import spec as portable
from . import data
from .digits import split_digits
from .spec import Spec


def supports_all(spec: portable.Spec) -> str:
    """Return "": a backend without a declaration supports every network (see registry.Entry.unsupported)."""
    return ""


class Network(NamedTuple):
    """A kind of network: a cell of the matrix."""

    constants: str
    """A key of CONSTANTS."""
    activation: str
    batch_norm: bool
    optimiser: str
    dtype: str

    @property
    def name(self) -> str:
        """The name without the dtype: stress-tanh-adam, or default-relu-sgd-plain without batch norm."""
        return f"{self.constants}-{self.activation}-{self.optimiser}{'' if self.batch_norm else '-plain'}"

    @property
    def required(self) -> bool:
        """Whether a backend must pass; float32 with the default constants is a result only."""
        return self.constants == "stress" or self.dtype == "float64"


CONSTANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "stress": {"batch_size": 8, "bn_epsilon": 0.1, "bn_decay": 0.7, "epsilon": 1e-3},
}
"""The constants of the default spec, and constants so large that a mistake in their use exceeds the rounding error."""


AXES: tuple[tuple[Any, ...], ...] = (
    tuple(CONSTANTS),
    ("relu", "tanh", "sigmoid"),
    (True, False),
    ("sgd", "momentum", "rmsprop", "adam"),
    ("float32", "float64"),
)
"""The axes of the matrix, in the order of the fields of Network."""


STANDARD = tuple(
    Network(constants, activation, True, "adam", dtype)
    for dtype in ("float64", "float32")
    for constants, activation in (("default", "relu"), ("stress", "relu"), ("stress", "tanh"))
)
"""The networks that every selection begins with."""


DEFAULT = Network("default", "relu", True, "adam", "float32")
"""The network of the default spec."""


def full_matrix() -> list[Network]:
    """Return every network: each value of each axis with each value of the others."""
    return [Network(*values) for values in itertools.product(*AXES)]


def pairwise_cover() -> list[Network]:
    """Return the standard networks, and as many more as it takes for any two values of two axes to occur together."""
    chosen = AllPairs([list(axis) for axis in AXES], previously_tested=[list(network) for network in STANDARD])
    return [*STANDARD, *(Network(*values) for values in chosen)]


def split_cover() -> tuple[list[Network], list[Network]]:
    """Return the cover in two parts: the standard networks, for every variant, and those that variants share."""
    cover = pairwise_cover()
    return [each for each in cover if each in STANDARD], [each for each in cover if each not in STANDARD]


def required_networks(own: Spec | None = None) -> list[Network]:
    """Return the networks that a backend must pass to be timed: the required ones of STANDARD.

    A user's own spec adds its activation, batch norm and optimiser, with the stress constants, where none of these
    has them.
    """
    networks = [network for network in STANDARD if network.required]
    if own is not None:
        section = own.network
        asked = [
            Network("stress", section.activation, section.batch_norm, own.optimiser.name, dtype)
            for dtype in ("float64", "float32")
        ]
        networks += [network for network in asked if network not in networks]
    return networks


def with_supported(networks: Sequence[Network], unsupported: Callable[[portable.Spec], str]) -> list[Network]:
    """Return these networks, and for each that a backend does not support the most similar one that it supports.

    It has the same constants and dtype. So a backend that supports little is not checked on less.
    `unsupported` returns the reason why a spec is not supported, or "".
    """
    candidates = (
        [] if unsupported is supports_all else [each for each in full_matrix() if not unsupported(spec_of(each))]
    )
    added = []
    for network in networks:
        similar = [each for each in candidates if (each.constants, each.dtype) == (network.constants, network.dtype)]
        if similar and network not in candidates:
            added.append(max(similar, key=lambda each: sum(a == b for a, b in zip(each, network, strict=True))))
    return list(dict.fromkeys([*networks, *added]))


def spec_of(network: Network) -> portable.Spec:
    """Return the spec of a network, on the digits."""
    return default_network()[0]._replace(
        activation=network.activation,
        batch_norm=network.batch_norm,
        optimiser=network.optimiser,
        dtype=network.dtype,
        **CONSTANTS[network.constants],
    )


@cache
def default_network() -> tuple[portable.Spec, data.Splits]:
    """Return the network of the default spec, and the splits of its data."""
    run = Spec()
    splits = split_digits(run)
    return run.portable(splits.features, len(splits.classes)), splits
