"""Determinism: whether the same training gives the same bits again, and where it does not.

The training is repeated in the same process, in another process, and in another process with two threads in place of
one. One different bit is a difference. Each process has seen nothing but this training.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from ...common.arrays import Arrays
from ...common.machine import usable_cores
from ...workers.session import Session
from .case import Case


class Determinism(NamedTuple):
    """Whether the bits were equal; None where that could not be tried."""

    twice: bool
    """Trained twice in one process."""
    processes: bool
    """In two processes."""
    threads: bool | None
    """With one thread and with two; None on a single core."""
    differences: Mapping[str, str] = {}
    """By the name of each field that is False: which array differs, and by how much."""


def measure(open_session: Callable[[int], Session], case: Case, variant: str) -> Determinism:
    """Train on the case, on the cpu, in sessions that `open_session(threads)` starts. Raises WorkerFailed."""

    def train(threads: int, times: int = 1) -> list[Arrays]:
        with open_session(threads) as session:
            session.build(case.spec, "cpu", variant)
            return [train_once(session, case) for _ in range(times)]

    first, again = train(1, times=2)
    found = {"twice": find_difference(first, again), "processes": find_difference(first, *train(1))}
    several = len(usable_cores()) > 1
    if several:
        found["threads"] = find_difference(first, *train(2))
    return Determinism(
        not found["twice"],
        not found["processes"],
        not found["threads"] if several else None,
        {field: sentence for field, sentence in found.items() if sentence},
    )


def train_once(session: Session, case: Case) -> Arrays:
    """Train from the case's arrays; return the losses, every array and the probabilities after it, by name."""
    session.load(case.arrays)
    session.put(case.x, case.y)
    losses = [session.train(order) for order in np.split(case.order, len(case.order) // 10)]
    return {
        "losses": np.concatenate(losses),
        **session.dump(),
        "probabilities": session.predict(case.batch[0]),
    }


def find_difference(first: Arrays, second: Arrays) -> str:
    """Return which array differs first, from which step if it is the losses, and by how much; "" for the same bits."""
    different = [name for name in first if first[name].tobytes() != second[name].tobytes()]
    if not different:
        return ""
    name = different[0]
    apart = np.abs(first[name].astype(np.float64) - second[name])
    where = f" from step {int(np.flatnonzero(apart)[0]) + 1} on" if name == "losses" and apart.any() else ""
    return f"{name}{where} by at most {apart.max():.1e}; {len(different)} of {len(first)} arrays differ"
