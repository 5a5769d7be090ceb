"""Speed: interleaved slices of live workers.

A round starts a fresh worker for each contestant, in random order, all pinned to the same cores. Each is built, called
once, calibrated where the steps of a slice are not known, warmed up, and then stopped. Turn by turn every contestant,
in random order again, is let go for one slice of training and stopped again; in between, the cores do not idle. A slice
has a lead-in: the same steps once before, off the clock, as a worker that was stopped comes back to cold caches, and
its threads to any core. The first contestant takes part twice: the control, whose ratio to itself must not differ from
1. Then, in turns too, each predicts: single rows, and full batches.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ...common.arrays import Array, Arrays
from ...portable import spec as portable
from ...workers.cores import Fillers, timing_on
from ...workers.place import Place
from ...workers.session import Session, Trained, WorkerFailed
from . import peak, warmup

FIRST_STEPS = 8
"""Steps of the first call and of calibration, while the steps of a slice are not known."""
WARM_BLOCK = 10
"""Slices between two looks at whether the worker is warm."""
WARM_LIMIT_S = 3.0
LATENCY_TURNS = 5
LATENCY_CALLS = 40
"""Calls of `predict` in a turn, for each number of rows."""
LATENCY_LIMIT_S = 0.5

Write = Callable[..., None]
"""Takes measure, quantity, value, unit and whatever tells the record apart: results.Task.add."""


class Plan(NamedTuple):
    """What is fixed before the first slice is taken."""

    rounds: int
    turns: int
    slice_s: float
    threads: int
    cores: tuple[int, ...] | None
    device: str
    seed: int
    """Of the orders that are drawn: in which workers start, and of every turn."""
    beside: bool = True
    """Whether what stands beside the steps is measured too: the matrix product, predictions."""


class Contestant(NamedTuple):
    """A backend variant, or the control, which is one entered twice."""

    backend: str
    variant: str
    place: Place
    control: bool = False
    spec: portable.Spec | None = None
    """Where it is not the problem's: with the framework's own defaults."""
    thread_names: tuple[str, ...] = ()
    """Of its threads that compute: backend.toml."""

    @property
    def backend_variant(self) -> tuple[str, str]:
        """What it has in common with its control."""
        return self.backend, self.variant

    @property
    def labels(self) -> dict[str, Any]:
        """What its records carry."""
        return {"backend": self.backend, "variant": self.variant, "control": self.control}


class Problem(NamedTuple):
    """What is trained: the same arrays for every contestant."""

    spec: portable.Spec
    arrays: Arrays
    x: Array
    y: Array
    order: Array
    """(steps, batch); slices begin again at its first line"""

    def steps(self, count: int) -> Array:
        """Return `count` lines of the order, from the first on, over and over."""
        return np.resize(self.order, (count, self.order.shape[1]))

    def rows(self, count: int) -> Array:
        """Return the first `count` rows, from the first on, over and over."""
        return self.x[np.arange(count) % len(self.x)]


class Runner:
    """A contestant's live worker in one round."""

    def __init__(self, contestant: Contestant, problem: Problem, plan: Plan, write: Write, fillers: Fillers) -> None:
        self.contestant, self.problem, self.plan, self.fillers = contestant, problem, plan, fillers
        self.write = write
        self.started = time.perf_counter()
        self.session = Session(contestant.place)

    def prepare(self, steps: int | None) -> None:
        """Build, call once, calibrate (or take `steps` as they are), warm up; then stop the process."""
        write, session, problem = self.write, self.session, self.problem
        self.order = problem.steps(steps or FIRST_STEPS)
        spec = self.contestant.spec or problem.spec
        write("speed", "import", session.import_s, "s")
        write("speed", "build", session.build(spec, self.plan.device, self.contestant.variant), "s")
        session.load(problem.arrays)
        write("speed", "transfer", session.put(problem.x, problem.y), "s")
        write("speed", "first call", session.train_by_the_clock(self.order).wall_s, "s", steps=len(self.order))
        write("deployment", "cold start", time.perf_counter() - self.started, "s", steps=len(self.order))
        if steps is None:
            # The least of three: a second compilation, or a neighbour's work, is not the pace.
            pace_s = min(session.train_by_the_clock(self.order).wall_s for _ in range(3)) / FIRST_STEPS
            self.order = problem.steps(max(1, round(self.plan.slice_s / pace_s)))
            session.train(self.order)  # another number of steps may be another program to compile
        write("speed", "slice steps", len(self.order), "steps")
        self._warm_up()
        self._threads()
        session.pause()

    def _warm_up(self) -> None:
        """Train until a steady state is found in the times (harness/warmup.py), or say that there was none."""
        taken: list[float] = []
        started = time.monotonic()
        steady: int | None = None
        while steady is None and (time.monotonic() - started < WARM_LIMIT_S or len(taken) < warmup.LEAST):
            for _ in range(WARM_BLOCK if taken else warmup.LEAST):
                trained = self.session.train_by_the_clock(self.order)
                taken.append(trained.wall_s)
                self._slice(trained, "warm-up", len(taken))
            steady = warmup.steady_from(np.array(taken))
        self.write("speed", "steady", steady is not None, "", slices=len(taken), since=steady)

    def _threads(self) -> None:
        """Write down how many threads compute, by each that can tell: the framework, its libraries, the system."""
        told, pools, system = self.session.threads()
        computing = {name: count for name, count in system.items() if name in self.contestant.thread_names}
        for source, counts in (("framework", told), ("library", pools), ("system", computing)):
            for name, count in counts.items():
                self.write("speed", "threads", count, "threads", of=name, source=source)

    def take(self, turn: int, position: int) -> None:
        """Let the worker go for one slice and its lead-in, and stop it again."""
        self.session.resume()
        with self.fillers.aside():
            trained = self.session.train_by_the_clock(self.order, warm_up_slice=True)
        self.session.pause()
        self._slice(trained, "slice", turn, position=position)

    def predict(self, turn: int, rows: int) -> None:
        """Let the worker go for some calls of `predict`, and stop it again; keep the seconds of each."""
        self.session.resume()
        with self.fillers.aside():
            taken = self.session.latency(self.problem.rows(rows), LATENCY_CALLS, LATENCY_LIMIT_S)
        self.session.pause()
        each = [float(f"{seconds:.6g}") for seconds in taken]
        self.write("speed", "latency", float(np.median(taken)), "s", rows=rows, turn=turn, calls=each)

    def _slice(self, trained: Trained, quantity: str, turn: int, **more: Any) -> None:
        steps = len(self.order)
        self.write("speed", quantity, trained.wall_s, "s", cpu_s=trained.cpu_s, steps=steps, turn=turn, **more)

    def end(self) -> None:
        """Write down the peak of memory, and end the worker."""
        self.session.resume()
        self.write("speed", "peak memory", self.session.peak_bytes(), "bytes")
        on_the_device = self.session.device_peak_bytes()
        if on_the_device is not None:
            self.write("speed", "peak device memory", on_the_device, "bytes")
        self.session.close()


def run_round(
    number: int,
    contestants: Sequence[Contestant],
    problem: Problem,
    plan: Plan,
    write: Write,
    known_steps: dict[tuple[str, str], int],
    say: Callable[[str], None],
) -> None:
    """Take one round of slices; one contestant's failure is a record of its own, and the others go on.

    `known_steps` are the steps a slice of an earlier round had, by backend and variant; what is calibrated is added.
    """
    rng = np.random.default_rng([plan.seed, number])
    with timing_on(plan.cores) as fillers:
        if plan.beside and plan.device == "cpu":  # another device's rate is no share of the cores'
            say("the machine's own matrix product")
            with fillers.aside():
                rate = peak.measure(plan.cores, plan.threads, problem.spec.dtype)
            write("speed", "peak", rate, "FLOP/s", round=number, dtype=problem.spec.dtype)
        started: list[Runner] = []
        ready: list[Runner] = []
        try:
            for index in rng.permutation(len(contestants)):  # the last was seen to be 1 to 2 % quicker
                contestant = contestants[index]
                key = contestant.backend_variant
                say(f"warming up {':'.join(key)}{' (control)' if contestant.control else ''}")
                labelled = _labelled(write, contestant, number)
                with fillers.aside(), _burying(labelled):
                    runner = Runner(contestant, problem, plan, labelled, fillers)
                    started.append(runner)
                    with _burying(labelled, runner):  # at once: it must not run beside its rivals
                        runner.prepare(known_steps.get(key))
                        known_steps[key] = len(runner.order)
                        ready.append(runner)
            for turn in range(1, plan.turns + 1):
                say(f"turn {turn} of {plan.turns}")
                for position, index in enumerate(rng.permutation(len(ready))):
                    _unless_buried(ready[index], Runner.take, turn, position)
            for turn in range(1, LATENCY_TURNS + 1 if plan.beside else 1):
                say(f"predicting, turn {turn} of {LATENCY_TURNS}")
                for rows in (1, problem.spec.batch_size):
                    for index in rng.permutation(len(ready)):
                        if not ready[index].contestant.control:
                            _unless_buried(ready[index], Runner.predict, turn, rows)
            write("speed", "kept awake", fillers.alive(), "cores", round=number)
            for runner in ready:
                _unless_buried(runner, Runner.end)
        finally:
            for runner in started:
                runner.session.close()


def _unless_buried(runner: Runner, act: Callable[..., None], *how: int) -> None:
    """Have a contestant act that is still alive; what fails is a record, and its end."""
    if runner.session.alive():
        with _burying(runner.write, runner):
            act(runner, *how)


def _labelled(write: Write, contestant: Contestant, number: int) -> Write:
    def labelled(*values: Any, **more: Any) -> None:
        write(*values, round=number, **contestant.labels, **more)

    return labelled


@contextmanager
def _burying(write: Write, runner: Runner | None = None) -> Iterator[None]:
    """Turn a worker's failure into a record, and end the worker."""
    try:
        yield
    except WorkerFailed as failed:
        write("failure", "speed", str(failed), "", traceback=failed.traceback)
        if runner is not None:
            runner.session.close()
