"""Which part of the checks runs: some cases, some checks, or all until the first failure."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ...common.errors import InputError
from ...common.toml import nearest
from ...workload import networks
from ...workload.networks import Network
from .checks import CHECKS, REJECTION


@dataclass(frozen=True)
class Selection:
    """The selected part of the checks; by default everything."""

    networks: tuple[Network, ...] = ()
    """The networks to check on, in place of the cover of the matrix; empty for that."""
    checks: frozenset[str] = frozenset()
    """The checks to run; empty for all."""
    fail_fast: bool = False
    """Whether the first failure ends the checks, of all backends."""
    stopped: threading.Event = field(default_factory=threading.Event, compare=False)
    """Set at the first failure where `fail_fast` is."""

    @property
    def partial(self) -> bool:
        """Whether some checks are left out from the start, so that a pass does not mean that a backend is correct."""
        return bool(self.networks or self.checks)

    def note_failure(self) -> None:
        """Take note of a failure: with `fail_fast`, no further case or check begins."""
        if self.fail_fast:
            self.stopped.set()


EVERYTHING = Selection()


def select(cases: Iterable[str] = (), checks: Iterable[str] = (), fail_fast: bool = False) -> Selection:
    """Return the selection of these cases and checks, by name. Raises InputError where there is no such name."""
    return Selection(tuple(find_networks(cases)), frozenset(map(_require_check, checks)), fail_fast)


def case_names() -> list[str]:
    """Return the name of every case, with its dtype."""
    return [label(network) for network in networks.full_matrix()]


def label(network: Network) -> str:
    """Return the name of a case with its dtype, as one word: stress-tanh-adam-float64."""
    return f"{network.name}-{network.dtype}"


def find_networks(names: Iterable[str]) -> list[Network]:
    """Return the networks with these names; a name without a dtype stands for both. Raises InputError."""
    found = [network for name in names for network in _find(name.strip().replace(" ", "-"))]
    return list(dict.fromkeys(found))


def _find(name: str) -> Sequence[Network]:
    matrix = networks.full_matrix()
    found = [network for network in matrix if name in (network.name, label(network))]
    if not found:
        dtyped = name.endswith(("float32", "float64"))
        known = [label(network) if dtyped else network.name for network in matrix]
        raise InputError(f"there is no case `{name}`. {nearest(name, dict.fromkeys(known))}")
    return found


def _require_check(name: str) -> str:
    if name not in (*CHECKS, REJECTION):
        raise InputError(f"there is no check `{name}`. {nearest(name, CHECKS)}")
    return name
