"""The cores that workers are timed on: which they are, and how they are kept free and awake."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..common.machine import usable_cores


def first_cores(count: int) -> tuple[int, ...] | None:
    """Return the first `count` cores that this process may use, or None where cores cannot be chosen."""
    return tuple(usable_cores()[:count]) if hasattr(os, "sched_getaffinity") else None


_leases: Counter[int] = Counter()
_leasing = threading.Lock()


@contextmanager
def lease_cores(count: int) -> Iterator[tuple[int, ...] | None]:
    """Give `count` cores to pin a worker to, as one is pinned that is timed; None where cores cannot be chosen.

    They are those that the fewest workers of this process are pinned to.
    """
    if not hasattr(os, "sched_getaffinity"):
        yield None
        return
    with _leasing:
        cores = sorted(usable_cores(), key=lambda core: _leases[core])[:count]
        _leases.update(cores)
    try:
        yield tuple(cores)
    finally:
        with _leasing:
            _leases.subtract(cores)


SPIN = """
import ctypes, os, signal
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
os.write(1, b"+")
while os.getppid() == {parent}:
    for _ in range(100_000):
        pass
"""
"""The program of a spinner. It reports that it has started; prctl ends it with its parent, even while it is stopped."""


class IdleCoreSpinners:
    """Processes that keep cores from idling between slices. They run while nothing is timed: see `paused`."""

    def __init__(self, cores: Sequence[int]) -> None:
        self._processes = [self._start(core) for core in cores] if hasattr(os, "SCHED_IDLE") else []

    @staticmethod
    def _start(core: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-I", "-S", "-c", SPIN.format(parent=os.getpid())]
        quiet, pipe = subprocess.DEVNULL, subprocess.PIPE
        # Ctrl-C is meant for the harness: a spinner has a process group of its own.
        process = subprocess.Popen(command, stdin=quiet, stdout=pipe, stderr=quiet, process_group=0)
        assert process.stdout is not None
        with process.stdout as answer:
            answer.read(1)
        try:
            os.sched_setscheduler(process.pid, os.SCHED_IDLE, os.sched_param(0))
            os.sched_setaffinity(process.pid, {core})
        except OSError:  # A sandbox forbids it. At full priority, or on another core, the spinner would do harm.
            process.kill()
        return process

    def alive(self) -> int:
        """Return how many cores are kept from idling."""
        return sum(process.poll() is None for process in self._processes)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the spinners while something is timed.

        Their low priority is not enough: where the kernel shares cores out by login session (autogroup), the idle task
        of one session gets half of a core that a busy task of another wants.
        """
        self._send(signal.SIGSTOP)
        try:
            yield
        finally:
            self._send(signal.SIGCONT)

    def _send(self, number: int) -> None:
        for process in self._processes:
            process.send_signal(number)

    def stop(self) -> None:
        """End the spinners, and wait until they have ended."""
        for process in self._processes:
            process.kill()
            process.wait()


@contextmanager
def reserve_cores(cores: Sequence[int] | None) -> Iterator[IdleCoreSpinners]:
    """Prepare these cores for timing, where cores can be chosen.

    Every thread of this process moves to the other cores, if there are any: on these it would empty the workers'
    caches. Spinners keep the cores from idling between two slices: a core that idles is halted, clocked down, or on a
    virtual machine given away, and comes back at another pace.
    """
    spinners = IdleCoreSpinners(cores or ())
    free = os.sched_getaffinity(0) if cores is not None else set()
    others = free - set(cores or ())
    try:
        if others:
            _move_threads(others)
        yield spinners
    finally:
        if others:
            _move_threads(free)
        spinners.stop()


def move_process(process: int, cores: Sequence[int]) -> None:
    """Move every thread of a process to these cores; one that starts meanwhile is moved as well.

    Nothing happens where the process has ended.
    """
    moved: set[int] = set()
    while new := _list_threads(process) - moved:
        for thread in new:
            with contextlib.suppress(ProcessLookupError):  # the thread has ended meanwhile
                os.sched_setaffinity(thread, cores)
        moved |= new


def _list_threads(process: int) -> set[int]:
    try:
        return {int(thread) for thread in os.listdir(f"/proc/{process}/task")}
    except (FileNotFoundError, ProcessLookupError):
        return set()


def _move_threads(cores: set[int]) -> None:
    """Move every thread of this process to these cores, the thread that redraws the display among them."""
    for thread in threading.enumerate():
        if thread.native_id is not None:
            with contextlib.suppress(ProcessLookupError):  # the thread has ended meanwhile
                os.sched_setaffinity(thread.native_id, cores)
