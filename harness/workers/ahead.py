"""Starts workers one ahead: the next one imports and compiles while the caller prepares the one before."""

import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Generic, TypeVar

from ..common.machine import usable_cores
from .cores import move_process
from .place import Place
from .session import Session, WorkerFailed

T = TypeVar("T")


class AheadStarter(Generic[T]):
    """Starts the workers of these places in their order, each on cores that no other one needs until it is taken.

    `begin` gets the position of a place and its new worker, and returns what `take` returns: it runs on those other
    cores as well. Where there are none, a worker is started when it is taken. Its thread must live as long as the
    workers: Linux ends a worker with the thread that started it.
    """

    def __init__(self, places: Sequence[Place], begin: Callable[[int, Session], T]) -> None:
        self.places, self.begin = places, begin
        self._pool = ThreadPoolExecutor(1)
        self._next: Future[tuple[Session, T]] | None = None

    def take(self, number: int) -> T:
        """Return what `begin` made of the worker of a place, on its own cores, and start the next.

        The places are to be taken in their order. Raises WorkerFailed, and whatever `begin` raises.
        """
        started = self._next or self._start(number)
        try:
            session, begun = started.result()
        finally:
            following = number + 1
            ahead = following < len(self.places) and find_spare_cores(self.places[following])
            self._next = self._start(following) if ahead else None
        cores = self.places[number].cores
        if cores is not None:
            move_process(session.process.pid, cores)
        return begun

    def _start(self, number: int) -> "Future[tuple[Session, T]]":
        return self._pool.submit(self._begin, number)

    def _begin(self, number: int) -> tuple[Session, T]:
        place = self.places[number]
        session = Session(place._replace(cores=find_spare_cores(place) or place.cores))
        try:
            return session, self.begin(number, session)
        except BaseException:
            session.close()
            raise

    def close(self) -> None:
        """End the worker that nobody took."""
        if self._next is not None:
            with contextlib.suppress(WorkerFailed):
                self._next.result()[0].close()
        self._pool.shutdown()


def find_spare_cores(place: Place) -> tuple[int, ...]:
    """Return as many cores as the place has, none of them its own; none where there are too few, or no /proc."""
    if place.cores is None or not Path("/proc/self/task").is_dir():
        return ()
    spare = [core for core in usable_cores() if core not in place.cores]
    return tuple(spare[: len(place.cores)]) if len(spare) >= len(place.cores) else ()
