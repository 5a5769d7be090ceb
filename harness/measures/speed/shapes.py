"""The cost of a new shape: what the first call at another batch size takes, and whether the variant is slower after it.

A compiled program may hold for one shape only: each new one is compiled anew, and after some the framework may give up
and run by slower code, without a word. So a worker that is in its steady state trains at NEW_SIZES other batch sizes in
turn. Beside it lives a second worker of the variant that has seen the last of these sizes and no other. Slices of both
are taken in turn, three times: before the new sizes, at the last one, and back at the first one. A slower path shows as
a step that takes longer than the second worker's at the same size, or longer than before.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from ...workers.ahead import AheadStarter
from ...workers.cores import IdleCoreSpinners, reserve_cores
from ...workers.session import Trained, WorkerFailed
from . import figures
from .contestants import Check, Contestant, Problem
from .held_records import HeldRecords, Write
from .plan import Plan
from .rounds import TimedWorker
from .size_costs import AT_FIRST, AT_LAST, AT_NEW, BEFORE, BLOCKS, MANY, NEW_SIZES, ONE

SLICES = 5
"""At each new size."""
FIRST_CALLS_LIMIT_S = 120.0
"""Of the new sizes, after which the remaining ones but the last are left out."""


def list_sizes(batch_size: int) -> tuple[int, ...]:
    """Return NEW_SIZES batch sizes over `batch_size`, evenly apart, up to 1.75 times it where it is 16 or more."""
    apart = max(1, batch_size // 16)
    return tuple(batch_size + apart * number for number in range(1, NEW_SIZES + 1))


def resize(problem: Problem, size: int, check: Check | None) -> Problem:
    """Return the problem at another batch size; rows repeat where there are fewer."""
    order = np.resize(problem.order, (len(problem.order), size))
    return problem._replace(spec=problem.spec._replace(batch_size=size), order=order, check=check)


def measure(
    contestant: Contestant,
    problem: Problem,
    last: Problem,
    plan: Plan,
    steps: int,
    write: Write,
    say: Callable[[str], None],
) -> str:
    """Measure what new batch sizes cost a variant; record its failure. Returns the outcome in words.

    `last` is the problem at the last of the sizes; `steps` are those of a slice.
    """
    labels = {"backend": contestant.backend, "variant": contestant.variant}

    def labelled(figure: Any, value: Any, **keys: Any) -> None:
        write(figure, value, **labels, **keys)

    with reserve_cores(plan.cores) as spinners, ExitStack() as ending:
        try:
            pair: list[_SizedWorker] = []
            ahead = AheadStarter([contestant.place] * 2, lambda _, session: session)
            ending.callback(ahead.close)
            for kind, each in ((MANY, problem), (ONE, last._replace(check=None))):
                say(f"warming up a worker that sees {kind}")
                timed = TimedWorker(contestant, each, plan, HeldRecords(_ignore), spinners, ahead.take(len(pair)))
                ending.callback(timed.session.close)
                with spinners.paused():
                    timed.begin(steps)
                    timed.require_begun()
                    timed.prepare(steps)
                pair.append(_SizedWorker(timed, kind, spinners, labelled))
            many = pair[0]
            _take_turns(pair, BEFORE)
            _train_at_new_sizes(many, list_sizes(problem.spec.batch_size), say)
            many.check(last)
            _take_turns(pair, AT_LAST)
            many.change_size(problem.spec.batch_size)
            _take_turns(pair, AT_FIRST)
        except WorkerFailed as failed:
            labelled(figures.SIZES_FAILED, str(failed), traceback=failed.traceback)
            return f"failed: {failed}"
    return f"{NEW_SIZES} new batch sizes"


def _ignore(*_: Any, **__: Any) -> None:
    """Take what a round would record of a worker: here its preparation is no result."""


def _train_at_new_sizes(worker: "_SizedWorker", sizes: Sequence[int], say: Callable[[str], None]) -> None:
    started = time.monotonic()
    for position, size in enumerate(sizes, start=1):
        late = time.monotonic() - started > FIRST_CALLS_LIMIT_S
        if not late or position == len(sizes):
            say(f"batch size {size}, {position} of {len(sizes)}")
            worker.meet_size(size, position)


def _take_turns(workers: "Sequence[_SizedWorker]", when: str) -> None:
    """Take blocks of a slice of each worker; which one begins changes from block to block."""
    for block in range(1, BLOCKS + 1):
        for worker in workers if block % 2 else reversed(workers):
            worker.take_slice(when, block)


class _SizedWorker:
    """A live worker whose batch size changes."""

    def __init__(self, timed: TimedWorker, kind: str, spinners: IdleCoreSpinners, write: Write) -> None:
        self.timed, self.kind, self.spinners, self.write = timed, kind, spinners, write
        self.size = timed.problem.spec.batch_size
        self.rebuilds = False
        """Whether the variant trains at no other batch size than it was built for."""

    def train(self, warm_up_slice: bool) -> Trained:
        session = self.timed.session
        session.resume()
        with self.spinners.paused():
            trained = session.train_timed(self.timed.order, warm_up_slice=warm_up_slice)
        session.pause()
        return trained

    def take_slice(self, when: str, block: int) -> None:
        trained = self.train(warm_up_slice=True)
        keys = {"worker": self.kind, "when": when, "batch_size": self.size, "block": block}
        self.write(figures.SIZE_SLICE, trained.wall_s, **keys, steps=len(self.timed.order), cpu_s=trained.cpu_s)

    def change_size(self, size: int) -> float:
        """Train at another batch size from now on; return the seconds that building for it took."""
        self.size = size
        self.timed.order = np.resize(self.timed.problem.order, (len(self.timed.order), size))
        return self._rebuild() if self.rebuilds else 0.0

    def meet_size(self, size: int, position: int) -> None:
        """Train at a new batch size: record its first call, then SLICES slices."""
        built_s = self.change_size(size)
        try:
            first = self.train(warm_up_slice=False)
        except WorkerFailed as failed:
            if failed.kind != "raised" or self.rebuilds:
                raise
            self.write(figures.SIZE_REJECTED, failed.message, batch_size=size)
            self.rebuilds = True
            built_s = self._rebuild()
            first = self.train(warm_up_slice=False)
        keys = {"batch_size": size, "position": position, "steps": len(self.timed.order)}
        self.write(figures.NEW_SIZE, built_s + first.wall_s, **keys, rebuilt=self.rebuilds)
        for block in range(1, SLICES + 1):
            self.take_slice(AT_NEW, block)

    def _rebuild(self) -> float:
        """Build the network anew for the batch size; return the seconds."""
        timed, problem = self.timed, self.timed.problem
        spec = (timed.contestant.spec or problem.spec)._replace(batch_size=self.size)
        timed.session.resume()
        with self.spinners.paused():
            started = time.perf_counter()
            timed.session.build(spec, timed.plan.device, timed.contestant.variant)
            timed.session.load(problem.arrays)
            timed.session.put(problem.x, problem.y)
            taken = time.perf_counter() - started
        timed.session.pause()
        return taken

    def check(self, last: Problem) -> None:
        """Compare the worker with the oracle at the last size. Raises WorkerFailed where they differ."""
        if last.check is None:
            return
        self.timed.session.resume()
        with self.spinners.paused():
            found = last.check(self.timed.session, self.timed.order)
        self.timed.session.pause()
        if found.reason:
            raise WorkerFailed("computes something else", f"at a batch size of {self.size}: {found.reason}")
