"""Engines: where jobs run. The driver hands in the JSON of jobs and takes the JSON of results, in any order."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from ..common.futures import POLL_S
from .jobs import run_job


class Engine(Protocol):
    """Runs jobs. The driver keeps at most `slots` of them in flight."""

    slots: int

    def submit(self, job: str) -> None:
        """Start a job, or queue it."""

    def next_result(self) -> str:
        """Wait for the next result. Raises what a job raised, and ClusterLost."""

    def close(self) -> None:
        """Drop jobs that have not begun, and let go of the machines."""


class LocalEngine:
    """Runs jobs on this machine: a thread for each slot, and one worker process for each job.

    A worker process that dies concerns its own job alone; a pool of processes would lose all jobs in flight.
    """

    def __init__(self, slots: int, run: Callable[[str], str] = run_job) -> None:
        self.slots = slots
        self._run = run
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="search")
        self._results: queue.Queue[str | BaseException] = queue.Queue()
        self._stopped = threading.Event()

    def submit(self, job: str) -> None:
        """Start a job as soon as a slot is free."""
        self._threads.submit(self._carry_out, job)

    def next_result(self) -> str:
        """Wait for the next result. Raises what its job raised."""
        while True:
            try:
                found = self._results.get(timeout=POLL_S)
                break
            except queue.Empty:
                continue
        if isinstance(found, BaseException):
            raise found
        return found

    def close(self) -> None:
        """Drop jobs that have not begun; those that run end by themselves."""
        self._stopped.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _carry_out(self, job: str) -> None:
        if self._stopped.is_set():
            return
        try:
            self._results.put(self._run(job))
        except BaseException as error:  # The driver raises it: a thread would lose it.
            self._results.put(error)
