"""Starts workers one ahead: the next one imports its framework while the caller prepares the one before."""

import contextlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from ..common.machine import usable_cores
from .cores import move_process
from .place import Place
from .session import Session, WorkerFailed


class AheadStarter:
    """Starts the workers of these places in their order, each on cores that no other one needs until it is taken.

    Its thread must live as long as the workers: Linux ends a worker with the thread that started it.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = places
        self._pool = ThreadPoolExecutor(1)
        self._next: Future[Session] | None = None

    def take(self, number: int) -> Session:
        """Return the worker of a place, on its own cores, and start the next. Raises WorkerFailed.

        The places are to be taken in their order.
        """
        started = self._next or self._start(number)
        try:
            session = started.result()
        finally:
            self._next = self._start(number + 1) if number + 1 < len(self.places) else None
        cores = self.places[number].cores
        if cores is not None:
            move_process(session.process.pid, cores)
        return session

    def _start(self, number: int) -> "Future[Session]":
        place = self.places[number]
        return self._pool.submit(Session, place._replace(cores=find_spare_cores(place) or place.cores))

    def close(self) -> None:
        """End the worker that nobody took."""
        if self._next is not None:
            with contextlib.suppress(WorkerFailed):
                self._next.result().close()
        self._pool.shutdown()


def find_spare_cores(place: Place) -> tuple[int, ...]:
    """Return as many cores as the place has, none of them its own; none where there are too few, or no /proc."""
    if place.cores is None or not Path("/proc/self/task").is_dir():
        return ()
    spare = [core for core in usable_cores() if core not in place.cores]
    return tuple(spare[: len(place.cores)]) if len(spare) >= len(place.cores) else ()
