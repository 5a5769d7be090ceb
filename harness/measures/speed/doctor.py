"""Is this machine fit to measure? Each finding has what was measured, a verdict, and what to do.

Most of it is read from the system (machine.py), before and after a test in which the system is watched at work: the
harness's own protocol on one program entered twice. That is the judge in the end, as no list of causes is whole.
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
from ...common.machine import Change, MachineState
from ...common.statistics import Floats, Interval
from ...common.system_files import Unreadable
from ...portable import spec as portable
from ...records.vocabulary import Figure
from ...registry import entries
from ...registry.entries import Entry
from ...workers.cores import first_cores
from ...workers.place import Place
from ...workload import data
from ...workload.spec import default_spec
from . import figures
from . import rounds as speed_rounds
from .rounds import SLICE_S

FINE, DOUBTFUL, UNFIT, NOT_READABLE = "fine", "doubtful", "unfit", "not readable here"

BLOCK_S = 4.2 * SLICE_S
"""Two slices with their warm-up slices, and the time to stop one worker and continue the other."""
ROUND_S = 2.5
"""Of a round of the test. Two processes of one program differ, so many short rounds tell more than one long one."""
LEAST_ROUNDS = 4
ROWS, FEATURES, CLASSES = 1024, 64, 10
"""Of the numbers that the test trains on: as many as the default spec's data has, near enough."""

# Where a finding becomes doubtful, and where unfit.
LOAD = (0.5, 1.0)
"""Of all cores, as the load is."""
BUSY = (0.1, 0.5)
"""Of the usable cores, kept busy by other programs."""
STOLEN = (0.02, 0.2)
"""Of the time in which programs wanted to run."""
PACE = 0.1
"""How far the frequency, or the pace of the same work, may move before a step time says little."""
HALF_WIDTH = (0.02, 0.05)
"""Of the interval of a program's ratio to itself."""
CLOCK = (SLICE_S / 1e4, SLICE_S / 1e3)
"""Seconds between two readings: a ten-thousandth of a slice, a thousandth."""
SWAPPED_BYTES = 1 << 20


class Finding(NamedTuple):
    """One thing that was looked at."""

    subject: str
    verdict: str
    """One of FINE, DOUBTFUL (measure, and expect wider intervals), UNFIT, NOT_READABLE."""
    measured: str
    advice: str = ""
    values: Mapping[str, Any] = {}


class Race(NamedTuple):
    """One program timed against itself: seconds a step, (turns,) a round, of both; None where a worker failed."""

    steps_s: tuple[list[Floats], list[Floats]] | None
    failure: str
    frequencies_mhz: list[float]
    """Of the core that they ran on, at every turn; empty where it is not readable."""


def examine(seconds: float, say: Callable[[str], None]) -> tuple[list[Finding], MachineState]:
    """Look at this machine, time one program against itself for `seconds`; return the findings and the first facts."""
    entry = own_entry()
    facts = machine.read_state()
    programs, before = machine.processes(), machine.counters()
    race = race_itself(entry, seconds, say)
    between = machine.measure_change(before, machine.counters())
    busiest = _busiest(programs, machine.processes(), between.seconds)
    findings = [
        load(facts),
        others(facts, between, busiest),
        cores(facts),
        frequency(facts, race.frequencies_mhz),
        throttling(facts, between),
        limit(facts, between),
        stolen(between),
        swap(facts, between),
        clock(facts),
    ]
    if race.steps_s is None:
        return [*findings, failed(race)], facts
    return [*findings, pace(*race.steps_s), control(*race.steps_s)], facts


def is_fit(findings: Sequence[Finding]) -> bool:
    """Return whether nothing that was found makes the machine unfit."""
    return not any(finding.verdict == UNFIT for finding in findings)


# The test


def own_entry() -> Entry:
    """Return the backend of what the harness itself computes with: it needs no environment of its own."""
    for entry in entries.read_all().values():
        if entry.description.package == "numpy":
            return entry
    raise InputError("no backend whose package is numpy: `bakeoff doctor` times that one. Put its folder back.")


def race_itself(entry: Entry, seconds: float, say: Callable[[str], None]) -> Race:
    """Time the first variant of a backend against itself, in blocks on one core; the blocks take about `seconds`.

    In rounds of fresh processes, `LEAST_ROUNDS` or more.
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
            with contextlib.suppress(Unreadable):  # `frequency` reports it, once
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
        first = speed_rounds.Contestant(entry.name, entry.variants[0], place)
        seed = secrets.randbits(32)
        plan = speed_rounds.Plan(rounds, blocks, SLICE_S, 1, cores, "cpu", seed, measure_peak_and_latency=False)
        problem, steps = _problem(), dict[tuple[str, str], int]()
        for number in range(1, rounds + 1):
            speed_rounds.run_round(number, [first, first._replace(self_test=True)], problem, plan, write, steps, watch)
    if failures:
        return Race(None, failures[0], frequencies)
    one, other = ([np.array(steps_s[copy, number]) for number in range(1, rounds + 1)] for copy in (False, True))
    return Race((one, other), "", frequencies)


def _problem() -> speed_rounds.Problem:
    """Return the default network on random numbers."""
    spec = default_spec()
    network = spec.portable(FEATURES, CLASSES)
    rng = np.random.default_rng(spec.training.seed)
    return speed_rounds.Problem(
        network,
        portable.initial_arrays(network, spec.network.initial_weights, spec.training.seed),
        rng.standard_normal((ROWS, FEATURES)).astype(network.dtype),
        rng.integers(0, CLASSES, ROWS),
        data.batch_orders(ROWS, network.batch_size, 1, spec.training.seed),
    )


# What it says


def control(first: list[Floats], second: list[Floats]) -> Finding:
    """Judge by the ratio of a program to itself: seconds a step, (turns,) a round, paired turn by turn."""
    ratio = statistics.paired_ratio(first, second, statistics.scatter([first, second]))
    turns = sum(map(len, first))
    half_width = (ratio.high - ratio.low) / 2
    excludes = ratio.excludes(1)
    measured = (
        f"one program against itself, {len(first)} rounds, {turns} turns: {_interval(ratio)}, half-width "
        f"{half_width:.2%}, "
        f"1 is {'OUTSIDE' if excludes else 'inside'}"
    )
    verdict, advice = _grade(half_width, HALF_WIDTH), ""
    if excludes:
        verdict = UNFIT
        advice = (
            "Two equal programs came out different. By chance that happens to one test in twenty: run it again. If it "
            "stays, something favours one of two equal processes: end other programs, or measure elsewhere."
        )
    elif verdict != FINE:
        advice = (
            f"A difference below {half_width:.1%} is not seen in so short a time. End other programs, or measure "
            "longer: four times as long halves the width."
        )
    values = {**ratio._asdict(), "half_width": half_width, "excludes_1": excludes, "turns": turns, "rounds": len(first)}
    return Finding("A/A", verdict, measured, advice, values)


def failed(race: Race) -> Finding:
    """Say why there was no test."""
    advice = "The test runs in Bakeoff's own environment: NumPy must be importable there, by `python -s`."
    return Finding("A/A", UNFIT, f"the test could not be run: {race.failure}", advice)


def pace(first: list[Floats], second: list[Floats]) -> Finding:
    """Judge how steady the same work went: the medians of neighbouring turns, against the median of all."""
    turns = (np.concatenate(first) + np.concatenate(second)) / 2
    blocks = [np.median(part) for part in np.array_split(turns, max(1, len(turns) // statistics.SEGMENT))]
    low, high = np.quantile(blocks, [0.1, 0.9])
    moved, tail = float(high / low - 1), float(np.quantile(turns, 0.95) / np.median(turns))
    measured = (
        f"the same work took {moved:.1%} longer in the slow tenth of the test than in the quick tenth; one turn in "
        f"twenty took over {tail:.2f} times the median"
    )
    advice = ""
    if moved > PACE:
        advice = "Ratios within a turn stand. A step time moves with the hour, and so does a ratio of two runs."
    return Finding("pace", DOUBTFUL if moved > PACE else FINE, measured, advice, {"moved": moved, "slow_slice": tail})


def load(facts: MachineState) -> Finding:
    """Judge the load average before the test."""
    one, five, fifteen = facts.load
    share = one / facts.all_cores
    verdict = _grade(share, LOAD)
    advice = "" if verdict == FINE else "End what runs, or wait: this average lags by a minute."
    measured = (
        f"{one:.2f} over the last minute ({five:.2f} over 5, {fifteen:.2f} over 15), on {_cores(facts.all_cores)}"
    )
    return Finding("load", verdict, measured, advice, {"load": facts.load, "all_cores": facts.all_cores})


def others(facts: MachineState, between: Change, busiest: Sequence[tuple[str, float]]) -> Finding:
    """Judge what other programs took during the test; `busiest` are names and shares of a core."""
    verdict = _grade(between.others_cores / facts.usable_cores, BUSY)
    names = ", ".join(f"{name} {share:.0%}" for name, share in busiest) or "none that this process may see"
    advice = ""
    if verdict != FINE:
        advice = "End them. What is not named has ended meanwhile, or belongs to another container or to the system."
    measured = f"took {between.others_cores:.2f} cores of {facts.usable_cores} during the test; the busiest: {names}"
    values = {"cores": between.others_cores, "busiest": [list(each) for each in busiest]}
    return Finding("other programs", verdict, measured, advice, values)


def cores(facts: MachineState) -> Finding:
    """Judge whether the harness has a core besides the one that is timed."""
    values = {"usable_cores": facts.usable_cores}
    if facts.usable_cores > 1:
        return Finding("cores", FINE, f"{_cores(facts.usable_cores)} usable", "", values)
    advice = (
        "The harness itself must run on the core that it times. Give it a second one (taskset, the container's cpuset)."
    )
    return Finding("cores", DOUBTFUL, "1 core usable", advice, values)


def frequency(facts: MachineState, during: Sequence[float]) -> Finding:
    """Judge the governor, and how far the frequency moved during the test: MHz at every turn."""
    if facts.frequency_mhz is None:
        return _not_readable("frequency", facts, "The pace, below, shows what its drift would do.")
    values = {
        "now_mhz": facts.frequency_mhz,
        "least_mhz": facts.frequency_least_mhz,
        "most_mhz": facts.frequency_most_mhz,
        "governor": facts.governor,
        "during_mhz": [min(during), max(during)] if during else None,
    }
    measured = (
        f"{facts.frequency_mhz:,.0f} MHz now, {facts.frequency_least_mhz:,.0f} to {facts.frequency_most_mhz:,.0f} "
        f"allowed, governor {facts.governor or 'not readable'}"
    )
    drift = 0.0
    if during:
        low, high = np.quantile(during, [0.05, 0.95])
        drift = float(high / low - 1)
        measured += f"; {low:,.0f} to {high:,.0f} during the test"
    advice = []
    if drift > PACE:
        advice.append("It moved: hold it (cpupower frequency-set, no turbo), let the machine cool, or plug it in.")
    if facts.governor not in ("performance", None):
        advice.append("Set the governor to performance: cpupower frequency-set -g performance.")
    return Finding("frequency", DOUBTFUL if advice else FINE, measured, " ".join(advice), {**values, "drift": drift})


def throttling(facts: MachineState, between: Change) -> Finding:
    """Judge whether heat slowed the processor."""
    if facts.throttle_events is None or between.throttle_events is None:
        return _not_readable("throttling", facts)
    values = {"since_start": facts.throttle_events, "during": between.throttle_events}
    measured = f"{between.throttle_events} times during the test, {facts.throttle_events} since the machine started"
    if between.throttle_events:
        return Finding(
            "throttling", UNFIT, measured, "Heat slows it: let it cool, free its vents, lower its limits.", values
        )
    return Finding("throttling", FINE, measured, "", values)


def limit(facts: MachineState, between: Change) -> Finding:
    """Judge the limits that control groups set to processor time."""
    if between.limited_periods is None:
        return _not_readable("cpu limit", facts)
    values = {"limit_cores": facts.limit_cores, "stopped_periods": between.limited_periods}
    allowed = "no limit" if facts.limit_cores is None else f"{facts.limit_cores:g} cores' time"
    measured = f"{allowed} by control groups; stopped in {between.limited_periods} periods during the test"
    if between.limited_periods or (facts.limit_cores or 1.0) < 1:
        advice = "The container may use less than it takes, and is stopped in mid-slice. Raise its limit, or lift it."
        return Finding("cpu limit", UNFIT, measured, advice, values)
    if facts.limit_cores is not None and facts.limit_cores < facts.usable_cores:
        advice = f"Keep --threads below {facts.limit_cores:g}: over the limit a program is stopped in mid-slice."
        return Finding("cpu limit", DOUBTFUL, measured, advice, values)
    return Finding("cpu limit", FINE, measured, "", values)


def stolen(between: Change) -> Finding:
    """Judge how much time the host of a virtual machine gave to others."""
    if between.stolen_share is None:
        return Finding("stolen time", NOT_READABLE, "this system does not count it")
    verdict = _grade(between.stolen_share, STOLEN)
    advice = ""
    if verdict != FINE:
        advice = "The host is shared: choose dedicated cores, another hour, or a machine of your own."
    measured = f"{between.stolen_share:.1%} of the time that programs wanted to run, the host ran another machine"
    return Finding("stolen time", verdict, measured, advice, {"share": between.stolen_share})


def swap(facts: MachineState, between: Change) -> Finding:
    """Judge whether memory is short."""
    moved = between.swapped_bytes
    values = {"used_bytes": facts.swap_bytes, "moved_bytes": moved}
    measured = f"{facts.swap_bytes / 1e6:,.0f} MB in use, {moved / 1e6:,.0f} MB moved during the test"
    if moved > SWAPPED_BYTES:
        return Finding("swap", UNFIT, measured, "Memory is short: end other programs, or time fewer backends.", values)
    if facts.swap_bytes:
        advice = "Memory was short once: every variant of a run is in memory at the same time."
        return Finding("swap", DOUBTFUL, measured, advice, values)
    return Finding("swap", FINE, measured, "", values)


def clock(facts: MachineState) -> Finding:
    """Judge the clock against a slice."""
    verdict = _grade(facts.clock_step_s, CLOCK)
    source = facts.clock_source or "not readable"
    measured = f"steps of {facts.clock_step_s * 1e9:,.0f} ns, a slice has {SLICE_S * 1e3:g} ms; source {source}"
    advice = "" if verdict == FINE else "Let the system use a quicker clock, tsc on x86: `dmesg` says why it does not."
    return Finding("clock", verdict, measured, advice, {"step_s": facts.clock_step_s, "source": facts.clock_source})


def _not_readable(subject: str, facts: MachineState, advice: str = "") -> Finding:
    return Finding(subject, NOT_READABLE, facts.not_readable.get(subject, "it could not be read twice"), advice)


def _grade(value: float, limits: tuple[float, float]) -> str:
    """Return FINE up to the first limit, DOUBTFUL up to the second, UNFIT over it."""
    doubtful, unfit = limits
    return UNFIT if value > unfit else DOUBTFUL if value > doubtful else FINE


def _busiest(
    before: Mapping[tuple[int, float], tuple[str, float]],
    after: Mapping[tuple[int, float], tuple[str, float]],
    seconds: float,
    count: int = 3,
    least: float = 0.01,
) -> list[tuple[str, float]]:
    """Return the names of the programs that took most processor time, and their shares of a core."""
    shares = [(name, (taken - before.get(key, ("", 0.0))[1]) / seconds) for key, (name, taken) in after.items()]
    return sorted((each for each in shares if each[1] >= least), key=lambda each: -each[1])[:count]


def _cores(count: int) -> str:
    return f"{count} core{'' if count == 1 else 's'}"


def _interval(ratio: Interval) -> str:
    return f"{ratio.estimate:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"
