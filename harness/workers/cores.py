"""TODO: workers.cores."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

pass
pass


def first_cores(count: int) -> tuple[int, ...] | None:
    """Return the first `count` cores this process may use, or None where cores cannot be chosen."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    return tuple(sorted(os.sched_getaffinity(0))[:count])


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


KEEP_AWAKE = """
import ctypes, os, signal
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
os.write(1, b"+")
while os.getppid() == {parent}:
    for _ in range(100_000):
        pass
"""
"""Ends with its parent, and also while it is stopped: by prctl. Says when it has come so far."""


class Fillers:
    """Processes that keep cores from idling between slices. They run while nothing is timed: see `aside`."""

    def __init__(self, cores: Sequence[int]) -> None:
        self._processes = [self._start(core) for core in cores] if hasattr(os, "SCHED_IDLE") else []

    @staticmethod
    def _start(core: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-S", "-E", "-c", KEEP_AWAKE.format(parent=os.getpid())]
        quiet, pipe = subprocess.DEVNULL, subprocess.PIPE
        # A group of its own, as Ctrl-C is for the harness.
        process = subprocess.Popen(command, stdin=quiet, stdout=pipe, stderr=quiet, process_group=0)
        assert process.stdout is not None
        with process.stdout as answer:
            answer.read(1)
        try:
            os.sched_setscheduler(process.pid, os.SCHED_IDLE, os.sched_param(0))
            os.sched_setaffinity(process.pid, {core})
        except OSError:  # a sandbox forbids it: at full priority, or on another core, it would do harm
            process.kill()
        return process

    def alive(self) -> int:
        """Return how many cores are kept awake."""
        return sum(process.poll() is None for process in self._processes)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Stop them while something is timed.

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

    def end(self) -> None:
        """End them and wait for that."""
        for process in self._processes:
            process.kill()
            process.wait()


@contextmanager
def timing_on(cores: Sequence[int] | None) -> Iterator[Fillers]:
    """Make ready to time on these cores, where cores can be chosen.

    This process keeps off them, all its threads, if there are others: it would empty the workers' caches. And they
    never idle. Between a slice and the next nothing would run on them, and a core that idles comes back at another
    pace: it is halted, clocked down, or on a virtual machine given away.
    """
    fillers = Fillers(cores or ())
    free = os.sched_getaffinity(0) if cores is not None else set()
    others = free - set(cores or ())
    try:
        if others:
            _move(others)
        yield fillers
    finally:
        if others:
            _move(free)
        fillers.end()


def _move(cores: set[int]) -> None:
    """Have every thread of this process run on these cores: the display's redraws, too."""
    for thread in threading.enumerate():
        if thread.native_id is not None:
            with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                os.sched_setaffinity(thread.native_id, cores)
