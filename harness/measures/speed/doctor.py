"""Rates whether this machine is fit to measure. Each finding has a measurement, a rating, and advice.

Most findings are read from the system (machine.py) before and after a self-test of the timing (A/A): the protocol of
rounds.py on two copies of one program. The self-test decides in the end, because no list of causes is complete.
"""

import contextlib
import secrets
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...common import machine, statistics
from ...common.errors import InputError
from ...common.machine import MachineState
from ...common.statistics import Floats
from ...common.system_files import Unreadable
from ...portable import spec as portable
from ...records.vocabulary import Figure
from ...registry import entries
from ...registry.entries import Entry
from ...workers.cores import first_cores
from ...workers.place import Place
from ...workload import data
from ...workload.spec import default_spec
from . import figures, ratings
from . import rounds as speed_rounds
from .contestants import Contestant, Problem
from .plan import Plan
from .ratings import UNFIT, Finding
from .rounds import SLICE_S

BLOCK_S = 4.2 * SLICE_S
"""Seconds of a block: two slices with their warm-up slices, and the time to stop one worker and continue the other."""
ROUND_S = 2.5
"""Seconds of a round. Two processes of one program differ, so many short rounds say more than a long one."""
LEAST_ROUNDS = 4
ROWS, FEATURES, CLASSES = 1024, 64, 10
"""The size of the random data that the test trains on: about that of the default spec's data."""


class SelfTest(NamedTuple):
    """The times of the self-test."""

    steps_s: tuple[list[Floats], list[Floats]] | None
    """Seconds a step of both copies, an array (blocks,) for each round; None where a worker failed."""
    failure: str
    frequencies_mhz: list[float]
    """The frequency of their core at every block; empty where it is not readable."""


def examine(seconds: float, say: Callable[[str], None]) -> tuple[list[Finding], MachineState]:
    """Read the state of this machine and run the self-test for `seconds`; return the findings and that state."""
    entry = find_numpy_entry()
    facts = machine.read_state()
    programs, before = machine.processes(), machine.counters()
    test = run_self_test(entry, seconds, say)
    between = machine.measure_change(before, machine.counters())
    busiest = _busiest(programs, machine.processes(), between.seconds)
    findings = [
        ratings.rate_load(facts),
        ratings.rate_other_programs(facts, between, busiest),
        ratings.rate_cores(facts),
        ratings.rate_frequency(facts, test.frequencies_mhz),
        ratings.rate_throttling(facts, between),
        ratings.rate_cpu_limit(facts, between),
        ratings.rate_stolen_time(between),
        ratings.rate_swap(facts, between),
        ratings.rate_clock(facts),
    ]
    if test.steps_s is None:
        return [*findings, report_failed_test(test)], facts
    return [*findings, ratings.rate_pace(*test.steps_s), ratings.rate_self_test(*test.steps_s)], facts


def is_fit(findings: Sequence[Finding]) -> bool:
    """Return whether no finding makes the machine unfit."""
    return not any(finding.rating == UNFIT for finding in findings)


# The test


def find_numpy_entry() -> Entry:
    """Return the backend of NumPy: the harness itself depends on NumPy, so this backend needs no environment."""
    for entry in entries.read_all().values():
        if entry.description.package == "numpy":
            return entry
    raise InputError(
        "`bakeoff doctor` times the backend whose package is numpy, and there is none. Restore its folder in backends/."
    )


def run_self_test(entry: Entry, seconds: float, say: Callable[[str], None]) -> SelfTest:
    """Time the first variant of a backend against itself on one core; the slices take about `seconds`.

    The test has at least `LEAST_ROUNDS` rounds of fresh processes.
    """
    rounds = max(LEAST_ROUNDS, round(seconds / ROUND_S))
    cores, blocks = first_cores(1), max(statistics.LEAST_BLOCKS, round(seconds / rounds / BLOCK_S))
    failures: list[str] = []
    steps_s: dict[tuple[bool, int], list[float]] = {
        (copy, number): [] for copy in (False, True) for number in range(1, rounds + 1)
    }
    frequencies: list[float] = []

    def write(figure: Figure, value: Any, **keys: Any) -> None:
        if figure == figures.FAILED:
            failures.append(value)
        if figure == figures.SLICE:
            steps_s[keys["self_test"], keys["round"]].append(value / keys["steps"])

    def watch(line: str) -> None:
        say(line)
        if cores is not None and line.startswith("block"):
            with contextlib.suppress(Unreadable):  # `rate_frequency` reports it, once
                frequencies.append(machine.frequency(cores[0])["cur"])

    with tempfile.TemporaryDirectory(prefix="bakeoff-") as folder:
        worker = entry.worker
        place = Place(
            Path(sys.executable),
            entry.folder,
            Path(folder) / "worker.log",
            cores,
            1,
            worker.thread_variables,
            worker.variables,
        )
        first = Contestant(entry.name, entry.variants[0], place)
        seed = secrets.randbits(32)
        plan = Plan(rounds, blocks, SLICE_S, 1, cores, "cpu", seed, measure_peak_and_latency=False)
        problem, steps = _problem(), dict[tuple[str, str], int]()
        for number in range(1, rounds + 1):
            speed_rounds.run_round(number, [first, first._replace(self_test=True)], problem, plan, write, steps, watch)
    if failures:
        return SelfTest(None, failures[0], frequencies)
    one, other = ([np.array(steps_s[copy, number]) for number in range(1, rounds + 1)] for copy in (False, True))
    return SelfTest((one, other), "", frequencies)


def _problem() -> Problem:
    """Return the default network on random numbers."""
    spec = default_spec()
    network = spec.portable(FEATURES, CLASSES)
    rng = np.random.default_rng(spec.training.seed)
    return Problem(
        network,
        portable.initial_arrays(network, spec.network.initial_weights, spec.training.seed),
        rng.standard_normal((ROWS, FEATURES)).astype(network.dtype),
        rng.integers(0, CLASSES, ROWS),
        data.batch_orders(ROWS, network.batch_size, 1, spec.training.seed),
    )


def report_failed_test(test: SelfTest) -> Finding:
    """Return the finding that the self-test could not run, and why."""
    advice = "The test runs in Bakeoff's own environment: check that `python -s -c 'import numpy'` works there."
    return Finding("A/A", UNFIT, f"the self-test could not run: {test.failure}", advice)


def _busiest(
    before: Mapping[tuple[int, float], tuple[str, float]],
    after: Mapping[tuple[int, float], tuple[str, float]],
    seconds: float,
    count: int = 3,
    least: float = 0.01,
) -> list[tuple[str, float]]:
    """Return the programs that used most processor time: their names and shares of a core."""
    shares = [(name, (taken - before.get(key, ("", 0.0))[1]) / seconds) for key, (name, taken) in after.items()]
    return sorted((each for each in shares if each[1] >= least), key=lambda each: -each[1])[:count]
