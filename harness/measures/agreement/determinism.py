"""Determinism: whether the same training gives the same bits again.

Trained again in the same process, in another process, and in another with two threads where the first had one. Bits,
not floors: what differs in one bit differs.
"""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

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


def measure(session: Session, open_session: Callable[[int], Session], case: Case, variant: str) -> Determinism:
    """Train on the case, on the cpu, in a live one-thread session and in those that `open_session(threads)` starts.

    Raises WorkerFailed.
    """

    def elsewhere(threads: int) -> str:
        with open_session(threads) as another:
            return trained(another, 1)[0]

    def trained(session: Session, times: int) -> list[str]:
        session.build(case.spec, "cpu", variant)
        return [bits(session, case) for _ in range(times)]

    first, again = trained(session, 2)
    return Determinism(
        first == again, first == elsewhere(1), first == elsewhere(2) if len(usable_cores()) > 1 else None
    )


def bits(session: Session, case: Case) -> str:
    """Train from the case's arrays; return a hash of the losses, of every array and of the probabilities after it."""
    session.load(case.arrays)
    session.put(case.x, case.y)
    digest = hashlib.sha256()
    for order in np.split(case.order, len(case.order) // 10):
        digest.update(session.train(order).tobytes())
    for array in session.dump().values():
        digest.update(array.tobytes())
    digest.update(session.predict(case.batch[0]).tobytes())
    return digest.hexdigest()
