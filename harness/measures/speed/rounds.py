"""The timing protocol: blocks of slices, taken in turn by live workers.

A round starts a fresh worker for each contestant, in random order, all pinned to the same cores. Each worker builds its
network, trains once, is calibrated where the number of steps of a slice is not known, warms up, and is then stopped.
In each block every contestant, in random order again, continues for one slice of training and is stopped again; between
slices the cores do not idle. Before each slice the worker takes a warm-up slice: the same steps, untimed, because a
worker that was stopped comes back to cold caches, and its threads to any core. The first contestant takes part twice:
this is the self-test (A/A), whose ratio must not differ from 1. Then, in blocks too, each contestant predicts single
rows and full batches. Before its first slice and after its last, each worker is compared with the oracle, where the
caller gives a check: what is timed must compute what was checked.
"""

import functools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...common import statistics
from ...records.vocabulary import Figure
from ...workers.ahead import AheadStarter
from ...workers.cores import IdleCoreSpinners, reserve_cores
from ...workers.session import Session, Trained, WorkerFailed
from . import figures, peak, warmup
from .contestants import Contestant, Problem
from .held_records import HeldRecords, Write
from .plan import Plan

SLICE_S = 0.01
"""The length of a slice, about: what a run plans, and what `bakeoff doctor` tests a machine with."""
FIRST_STEPS = 8
"""Steps of the first call and of calibration, while the steps of a slice are not known."""
MOST_STEPS = 10_000
"""Of a slice: a step of 1 microsecond was not computed."""
SLICES_BETWEEN_CHECKS = 10
"""Slices between two checks of whether the worker has reached its steady state."""
WARM_LIMIT_S = 3.0
"""Of the warm-up, after which a worker is timed although it did not reach a steady state."""
FALLING_LIMIT_S = 40.0
"""The same for a worker whose times still fall: a virtual machine that compiles as it runs needs some 20 s."""
HANDOVER_S = 0.002
"""The time that it takes to stop one worker, continue the next and ask it, about."""
LATENCY_BLOCKS = 5
LATENCY_CALLS = 40
"""Calls of `predict` in a block, for each number of rows."""
LATENCY_LIMIT_S = 0.5


IMPLAUSIBLE = 4.0
"""Times the rate of the machine's own matrix product. NumPy's is within a factor of 2 of the best kernels."""


class TimedWorker:
    """A contestant's live worker in one round."""

    def __init__(
        self,
        contestant: Contestant,
        problem: Problem,
        plan: Plan,
        write: HeldRecords,
        spinners: IdleCoreSpinners,
        session: Session,
    ) -> None:
        self.contestant, self.problem, self.plan, self.spinners = contestant, problem, plan, spinners
        self.write, self.session = write, session
        self.fastest_step_s = math.inf
        self.slice_s = 0.0
        """The seconds of a slice at the end of the warm-up."""
        self._failed: WorkerFailed | None = None

    def begin(self, steps: int | None) -> None:
        """Build and train once, with the steps of a slice or, where that is not known, with FIRST_STEPS.

        A failure waits for `require_begun`: this may run on another thread.
        """
        write, session, problem = self.write, self.session, self.problem
        self.order = problem.steps(steps or FIRST_STEPS)
        try:
            write(figures.IMPORT, session.import_s)
            spec = self.contestant.spec or problem.spec
            write(figures.BUILD, session.build(spec, self.plan.device, self.contestant.variant))
            session.load(problem.arrays)
            write(figures.TRANSFER, session.put(problem.x, problem.y))
            write(figures.FIRST_CALL, session.train_timed(self.order).wall_s, steps=len(self.order))
        except WorkerFailed as failed:
            self._failed = failed

    def require_begun(self) -> None:
        """Raise the WorkerFailed that `begin` met."""
        if self._failed is not None:
            raise self._failed

    def prepare(self, steps: int | None) -> None:
        """Calibrate (where `steps` is None), compare with the oracle, warm up; then stop the process."""
        write, session, problem = self.write, self.session, self.problem
        if steps is None:
            # The least of three: a second compilation, or background load, is not the pace.
            pace_s = min(session.train_timed(self.order).wall_s for _ in range(3)) / FIRST_STEPS
            self.order = problem.steps(steps_of_slice(self.plan.slice_s, pace_s))
            session.train(self.order)  # another number of steps may be another program to compile
        elif len(self.order) != steps:  # the other copy of the variant was calibrated in the meantime
            self.order = problem.steps(steps)
            session.train(self.order)
        write(figures.SLICE_STEPS, len(self.order))
        self._check("before the first slice")
        self._warm_up()
        self._record_libraries()
        session.pause()

    def _check(self, when: str) -> None:
        """Compare the worker with the oracle and record the result. Raises WorkerFailed where they differ."""
        if self.problem.check is None:
            return
        found = self.problem.check(self.session, self.order)
        self._record_check(when, found.floors, found.reason)

    def _record_check(self, when: str, floors: float, reason: str) -> None:
        self.write(figures.TIMED_CHECK, reason or figures.PASSED, when=when, floors=_finite(floors))
        if reason:
            raise WorkerFailed("computes something else", f"the timed worker, {when}: {reason}")

    def check_again(self, peak_rate: float) -> None:
        """Compare the worker with the oracle after its last slice, and its pace with the machine's (or NaN)."""
        self.session.resume()
        with self.spinners.paused():
            self._check("after the last slice")
        self.session.pause()
        spec = self.problem.spec
        rate = peak.operations(spec.sizes, spec.batch_size) / self.fastest_step_s
        if rate > IMPLAUSIBLE * peak_rate:
            reason = (
                f"{rate:.2g} operations a second, {rate / peak_rate:.0f} times the rate of the machine's own matrix "
                f"product; over {IMPLAUSIBLE:g} times it, the steps cannot have been computed"
            )
            self._record_check("in its slices", math.nan, reason)

    def _warm_up(self) -> None:
        """Train until a steady state is found in the times (warmup.py), or record that there was none in the limit."""
        taken: list[float] = []
        started = time.monotonic()
        steady: int | None = None
        limit_s = WARM_LIMIT_S
        while steady is None and (time.monotonic() - started < limit_s or len(taken) < warmup.LEAST):
            for _ in range(SLICES_BETWEEN_CHECKS if taken else warmup.LEAST):
                trained = self.session.train_timed(self.order)
                taken.append(trained.wall_s)
                self._record_slice(figures.WARM_UP_SLICE, trained, len(taken))
            steady = warmup.find_steady_state(np.array(taken))
            limit_s = FALLING_LIMIT_S if warmup.still_falls(np.array(taken)) else WARM_LIMIT_S
        self.slice_s = float(np.median(taken[-SLICES_BETWEEN_CHECKS:]))
        self.write(figures.STEADY, steady is not None, slices=len(taken), since=steady)

    def _record_libraries(self) -> None:
        """Record how many threads compute, as reported by each source, and for which processor the kernels are."""
        told, pools, system, kernels = self.session.threads()
        computing = {name: count for name, count in system.items() if name in self.contestant.thread_names}
        for source, counts in (("framework", told), ("library", pools), ("system", computing)):
            for name, count in counts.items():
                self.write(figures.THREADS, count, of=name, source=source)
        for each in kernels:
            keys = {"of": each["prefix"], "api": each["internal_api"], "version": each["version"]}
            self.write(figures.KERNELS, each["architecture"], **keys)

    def take_slice(self, block: int, position: int) -> None:
        """Continue the worker for a warm-up slice and one timed slice, and stop it again."""
        self.session.resume()
        with self.spinners.paused():
            trained = self.session.train_timed(self.order, warm_up_slice=True)
        self.session.pause()
        self.fastest_step_s = min(self.fastest_step_s, trained.wall_s / len(self.order))
        self._record_slice(figures.SLICE, trained, block, position=position)

    def predict(self, block: int, rows: int) -> None:
        """Continue the worker for some calls of `predict`, and stop it again; record the seconds of each call."""
        self.session.resume()
        with self.spinners.paused():
            taken = self.session.latency(self.problem.rows(rows), LATENCY_CALLS, LATENCY_LIMIT_S)
        self.session.pause()
        each = [float(f"{seconds:.6g}") for seconds in taken]
        self.write(figures.LATENCY, float(np.median(taken)), rows=rows, block=block, calls=each)

    def _record_slice(self, figure: Figure, trained: Trained, block: int, **keys: Any) -> None:
        self.write(figure, trained.wall_s, cpu_s=trained.cpu_s, steps=len(self.order), block=block, **keys)

    def end(self) -> None:
        """Record the peak of memory, and end the worker."""
        self.session.resume()
        self.write(figures.PEAK_MEMORY, self.session.peak_bytes())
        device_bytes = self.session.device_peak_bytes()
        if device_bytes is not None:
            self.write(figures.PEAK_DEVICE_MEMORY, device_bytes)
        self.session.close()


class Round:
    """One round: fresh workers, each timed in every block until it fails."""

    def __init__(
        self,
        number: int,
        contestants: Sequence[Contestant],
        problem: Problem,
        plan: Plan,
        write: Write,
        say: Callable[[str], None],
    ) -> None:
        self.number, self.contestants, self.problem, self.plan = number, contestants, problem, plan
        self.write, self.say = write, say
        self.rng = np.random.default_rng([plan.seed, number])
        self.started: list[TimedWorker] = []
        self.ready: list[TimedWorker] = []
        self.peak_rate = math.nan
        self.ahead: AheadStarter[TimedWorker] | None = None
        self.hung: set[tuple[str, str]] = set()  # gave no answer: their copy for the self-test is not waited for

    def run(self, known_steps: dict[tuple[str, str], int]) -> None:
        """Take the round, from the start of its workers to their end."""
        with reserve_cores(self.plan.cores) as spinners:
            self._measure_peak(spinners)
            try:
                self._start_workers(known_steps, spinners)
                self._take_slices()
                self._check_again()
                self._predict()
                self.write(figures.SPINNING_CORES, spinners.alive(), round=self.number)
                for worker in self.ready:
                    self._act_if_alive(worker, TimedWorker.end)
            finally:
                for worker in self.started:
                    worker.session.close()
                if self.ahead:
                    self.ahead.close()

    def _measure_peak(self, spinners: IdleCoreSpinners) -> None:
        plan, dtype = self.plan, self.problem.spec.dtype
        # The rate of the processor says nothing about a step on another device.
        if plan.measure_peak_and_latency and plan.device == "cpu":
            self.say("the machine's own matrix product")
            with spinners.paused():
                rate = peak.measure(plan.cores, plan.threads, dtype, plan.inherit)
            self.peak_rate = rate
            self.write(figures.PEAK_RATE, rate, round=self.number, dtype=dtype)

    def _start_workers(self, known_steps: dict[tuple[str, str], int], spinners: IdleCoreSpinners) -> None:
        # In one fixed order the last is 1 to 2 % quicker.
        drawn = [self.contestants[index] for index in self.rng.permutation(len(self.contestants))]

        def begin(number: int, session: Session) -> TimedWorker:
            write = HeldRecords(_labelled(self.write, drawn[number], self.number))
            worker = TimedWorker(drawn[number], self.problem, self.plan, write, spinners, session)
            if drawn[number].backend_variant not in self.hung:
                worker.begin(known_steps.get(drawn[number].backend_variant))
            return worker

        self.ahead = AheadStarter([each.place for each in drawn], begin) if self.plan.start_ahead else None
        for number, contestant in enumerate(drawn):
            key = contestant.backend_variant
            self.say(f"warming up {':'.join(key)}{' (self-test)' if contestant.self_test else ''}")
            with spinners.paused(), self._recording_failure(contestant):
                started = time.perf_counter()
                if self.ahead is None:
                    self._require_no_hang(contestant)
                worker = self.ahead.take(number) if self.ahead else begin(number, Session(contestant.place))
                self.started.append(worker)
                worker.write.pass_on()
                # Closed at once where it fails: it must not run while others are timed.
                with self._recording_failure(contestant, worker):
                    self._require_no_hang(contestant)
                    worker.require_begun()
                    if self.ahead is None:
                        worker.write(figures.COLD_START, time.perf_counter() - started, steps=len(worker.order))
                    worker.prepare(known_steps.get(key))
                    known_steps[key] = len(worker.order)
                    self.ready.append(worker)

    def _take_slices(self) -> None:
        blocks = self.plan.blocks if self.plan.budget_s is None else self._work_out_blocks(self.plan.budget_s)
        for block in range(1, blocks + 1):
            self.say(f"block {block} of {blocks}")
            for position, index in enumerate(self.rng.permutation(len(self.ready))):
                if self.plan.predict_rows:
                    self._act_if_alive(self.ready[index], TimedWorker.predict, block, self.plan.predict_rows)
                else:
                    self._act_if_alive(self.ready[index], TimedWorker.take_slice, block, position)

    def _work_out_blocks(self, budget_s: float) -> int:
        """Return the blocks that fit into the budget, by the last slices of the warm-up; record them."""
        block_s = sum(2 * worker.slice_s + HANDOVER_S for worker in self.ready)  # each slice has a warm-up slice
        fitting = int(budget_s / block_s) if block_s > 0 and not self.plan.predict_rows else 0
        blocks = min(max(statistics.LEAST_BLOCKS, fitting), self.plan.most_blocks)
        self.write(figures.BLOCKS, blocks, block_s=block_s, budget_s=budget_s)
        return blocks

    def _check_again(self) -> None:
        for worker in self.ready if self.problem.check else ():
            self.say(f"checking {':'.join(worker.contestant.backend_variant)} again")
            self._act_if_alive(worker, TimedWorker.check_again, self.peak_rate)

    def _predict(self) -> None:
        for block in range(1, LATENCY_BLOCKS + 1 if self.plan.measure_peak_and_latency else 1):
            self.say(f"predicting, block {block} of {LATENCY_BLOCKS}")
            for rows in (1, self.problem.spec.batch_size):
                for index in self.rng.permutation(len(self.ready)):
                    if not self.ready[index].contestant.self_test:
                        self._act_if_alive(self.ready[index], TimedWorker.predict, block, rows)

    def _act_if_alive(self, worker: TimedWorker, act: Callable[..., None], *how: float) -> None:
        """Have a worker act that has not failed yet; a failure, or its death since then, is recorded and closes it."""
        if not worker.session.closed:
            with self._recording_failure(worker.contestant, worker):
                self._require_no_hang(worker.contestant)
                worker.session.require_alive()
                act(worker, *how)

    def _require_no_hang(self, contestant: Contestant) -> None:
        if contestant.backend_variant in self.hung:
            raise WorkerFailed("hung", "its other copy in this round gave no answer, and this one was not asked")

    @contextmanager
    def _recording_failure(self, contestant: Contestant, worker: TimedWorker | None = None) -> Iterator[None]:
        """Record the failure of a worker, and close it."""
        try:
            yield
        except WorkerFailed as failed:
            if failed.kind == "hung":
                self.hung.add(contestant.backend_variant)
            _labelled(self.write, contestant, self.number)(figures.FAILED, str(failed), traceback=failed.traceback)
            if worker is not None:
                worker.session.close()


def run_round(
    number: int,
    contestants: Sequence[Contestant],
    problem: Problem,
    plan: Plan,
    write: Write,
    known_steps: dict[tuple[str, str], int],
    say: Callable[[str], None],
) -> None:
    """Take one round; where a contestant fails, the failure is recorded and the others continue.

    `known_steps` holds the steps of a slice by backend and variant, as an earlier round had them; those that this round
    calibrates are added to it.
    """
    Round(number, contestants, problem, plan, write, say).run(known_steps)


def steps_of_slice(slice_s: float, pace_s: float) -> int:
    """Return how many steps of so many seconds fill a slice: MOST_STEPS at most, whatever a worker reports."""
    return max(1, round(slice_s / max(pace_s, slice_s / MOST_STEPS)))


def _finite(value: float) -> float | None:
    """Return the value as a record can hold it: no NaN and no infinity."""
    return value if math.isfinite(value) else None


def _labelled(write: Write, contestant: Contestant, number: int) -> Write:
    return functools.partial(write, round=number, **contestant.labels)
