"""The weights: what the user values, by criterion and, where stated, by node of the tree."""

from typing import NamedTuple

from ..common.errors import InputError
from ..common.toml import nearest
from .criteria import CHANGES, CRITERIA, SUB_MEASURES


class Weights(NamedTuple):
    """What the user values."""

    criteria: dict[str, float]
    nodes: dict[str, float]
    """Shares of single nodes of the tree: `speed.memory`."""


def parse_weights(text: str | None) -> Weights:
    """Return the weights in `ease=2,speed=1,speed.memory=0`. Raises InputError where the text is no list of weights.

    A criterion that is not named has the weight 0; where no criterion is named, each has 1.
    """
    given: dict[str, float] = {}
    for part in text.split(",") if text is not None else ():
        name, sign, number = (word.strip() for word in part.partition("="))
        if not sign or not name:
            raise InputError(f"--weights {text}: expected NAME=NUMBER such as ease=2, got {part.strip()!r}.")
        if name not in NODES:
            raise InputError(f"--weights {text}: there is no criterion {name}. {nearest(name, NODES)}")
        if name in given:
            raise InputError(f"--weights {text}: {name} occurs twice. Name it once.")
        given[name] = _parse_weight(str(text), name, number)
    criteria = {name: weight for name, weight in given.items() if name in CRITERIA}
    nodes = {name: weight for name, weight in given.items() if name not in CRITERIA}
    criteria = dict.fromkeys(CRITERIA, 0.0) | criteria if criteria else dict.fromkeys(CRITERIA, 1.0)
    if not any(criteria.values()):
        raise InputError(f"--weights {text}: expected one criterion with a weight above 0; all are 0.")
    return Weights(criteria, nodes)


def _parse_weight(text: str, name: str, number: str) -> float:
    try:
        weight = float(number)
    except ValueError:
        raise InputError(f"--weights {text}: {name}: expected a number, got {number!r}.") from None
    if not 0 <= weight <= 1e6:
        raise InputError(f"--weights {text}: {name}: expected a number from 0 to 1,000,000, got {number}.")
    return weight


def _list_nodes() -> list[str]:
    """Return the criteria and every node below them."""
    leaves = [*(measure.node for measure in SUB_MEASURES), CHANGES]
    parents = {leaf.rsplit(".", depth)[0] for leaf in leaves for depth in range(leaf.count("."))}
    return [*CRITERIA, *sorted(parents - set(CRITERIA))]


NODES = _list_nodes()
"""Everything that can have a weight."""
