"""The ratings of a machine by `bakeoff doctor`: each finding has a measurement, a rating, and advice."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...common import statistics
from ...common.machine import Change, MachineState
from ...common.statistics import Floats, Interval
from .rounds import SLICE_S

FINE, DOUBTFUL, UNFIT, NOT_READABLE = "fine", "doubtful", "unfit", "not readable here"

# The limits over which a finding is doubtful, and unfit.
LOAD = (0.5, 1.0)
"""The load average, as a share of all cores."""
BUSY = (0.1, 0.5)
"""The share of the usable cores that other programs use."""
STOLEN = (0.02, 0.2)
"""The share of the time in which programs wanted to run that the host took."""
PACE = 0.1
"""The share by which the frequency, or the pace of the same work, may change before step times are doubtful."""
HALF_WIDTH = (0.02, 0.05)
"""Half the width of the 95 % interval of the self-test's ratio."""
CLOCK = (SLICE_S / 1e4, SLICE_S / 1e3)
"""Seconds between two readings of the clock: a ten-thousandth and a thousandth of a slice."""
SWAPPED_BYTES = 1 << 20


class Finding(NamedTuple):
    """The rating of one property of the machine."""

    subject: str
    rating: str
    """One of FINE, DOUBTFUL (measure, and expect wider intervals), UNFIT, NOT_READABLE."""
    measured: str
    advice: str = ""
    values: Mapping[str, Any] = {}


def rate_self_test(first: list[Floats], second: list[Floats]) -> Finding:
    """Rate the ratio of a program to itself, from both copies' seconds a step: paired (blocks,) for each round."""
    ratio = statistics.paired_ratio(first, second, statistics.scatter([first, second]))
    blocks = sum(map(len, first))
    half_width = (ratio.high - ratio.low) / 2
    passed = not ratio.excludes(1)
    outcome = "passed" if passed else f"failed by {abs(ratio.estimate - 1):.1%}"
    measured = (
        f"self-test {outcome}: the ratio of one program to itself is {_interval(ratio)}, half-width {half_width:.2%}, "
        f"over {len(first)} rounds and {blocks} blocks"
    )
    rating, advice = _grade(half_width, HALF_WIDTH), ""
    if not passed:
        rating = UNFIT
        advice = (
            "The times of two equal programs differ. One test in twenty fails by chance: run `bakeoff doctor` again. "
            "If it fails again, the machine favours one of two equal processes: end other programs, or use another "
            "machine."
        )
    elif rating != FINE:
        advice = (
            f"So short a test does not detect a difference below {half_width:.1%}. End other programs, or measure "
            "longer (`bakeoff doctor --seconds S`): four times as long halves the width."
        )
    values = {**ratio._asdict(), "half_width": half_width, "passed": passed, "blocks": blocks, "rounds": len(first)}
    return Finding("A/A", rating, measured, advice, values)


def rate_pace(first: list[Floats], second: list[Floats]) -> Finding:
    """Rate how much the time of the same work changed: the medians of neighbouring blocks, compared with each other."""
    blocks = (np.concatenate(first) + np.concatenate(second)) / 2
    medians = [np.median(part) for part in np.array_split(blocks, max(1, len(blocks) // statistics.SEGMENT))]
    low, high = np.quantile(medians, [0.1, 0.9])
    moved, tail = float(high / low - 1), float(np.quantile(blocks, 0.95) / np.median(blocks))
    measured = (
        f"the same work took {moved:.1%} longer in the slowest tenth of the test than in the fastest tenth; one block "
        f"in twenty took over {tail:.2f} times the median"
    )
    advice = ""
    if moved > PACE:
        advice = (
            "Ratios within one run remain valid, because they compare slices of the same block. Do not compare step "
            "times, or ratios of two runs. Reduce background load to make step times steadier."
        )
    return Finding("pace", DOUBTFUL if moved > PACE else FINE, measured, advice, {"moved": moved, "slow_slice": tail})


def rate_load(facts: MachineState) -> Finding:
    """Rate the load average before the test."""
    one, five, fifteen = facts.load
    share = one / facts.all_cores
    rating = _grade(share, LOAD)
    advice = "" if rating == FINE else "End other programs, or wait: the average takes a minute to fall."
    measured = (
        f"{one:.2f} over the last minute ({five:.2f} over 5, {fifteen:.2f} over 15), on {_cores(facts.all_cores)}"
    )
    return Finding("load", rating, measured, advice, {"load": facts.load, "all_cores": facts.all_cores})


def rate_other_programs(facts: MachineState, between: Change, busiest: Sequence[tuple[str, float]]) -> Finding:
    """Rate the processor time of other programs during the test; `busiest` has names and shares of a core."""
    rating = _grade(between.others_cores / facts.usable_cores, BUSY)
    names = ", ".join(f"{name} {share:.0%}" for name, share in busiest) or "none is visible to this process"
    advice = ""
    if rating != FINE:
        advice = (
            "End these programs. Programs without a name here have ended, or belong to another container or the system."
        )
    measured = f"used {between.others_cores:.2f} cores of {facts.usable_cores} during the test; the busiest: {names}"
    values = {"cores": between.others_cores, "busiest": [list(each) for each in busiest]}
    return Finding("other programs", rating, measured, advice, values)


def rate_cores(facts: MachineState) -> Finding:
    """Rate whether the harness has a core besides the timed one."""
    values = {"usable_cores": facts.usable_cores}
    if facts.usable_cores > 1:
        return Finding("cores", FINE, f"{_cores(facts.usable_cores)} usable", "", values)
    advice = (
        "The harness shares the core that it times. Give it a second core (taskset, or the cpuset of the container)."
    )
    return Finding("cores", DOUBTFUL, "1 core usable", advice, values)


def rate_frequency(facts: MachineState, during: Sequence[float]) -> Finding:
    """Rate the governor, and how far the frequency changed during the test; `during` has the MHz at every block."""
    if facts.frequency_mhz is None:
        return _not_readable("frequency", facts, "The finding `pace` shows the effect of a drift.")
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
        advice.append(
            "The frequency changed: fix it (cpupower frequency-set, no turbo), let the machine cool, or plug it in."
        )
    if facts.governor not in ("performance", None):
        advice.append("Set the governor to performance: `cpupower frequency-set -g performance`.")
    return Finding("frequency", DOUBTFUL if advice else FINE, measured, " ".join(advice), {**values, "drift": drift})


def rate_throttling(facts: MachineState, between: Change) -> Finding:
    """Rate whether heat slowed the processor."""
    if facts.throttle_events is None or between.throttle_events is None:
        return _not_readable("throttling", facts)
    values = {"since_start": facts.throttle_events, "during": between.throttle_events}
    measured = (
        f"throttled {between.throttle_events} times during the test, {facts.throttle_events} since the machine started"
    )
    if between.throttle_events:
        return Finding(
            "throttling",
            UNFIT,
            measured,
            "Heat slows the processor: let it cool, clear its vents, or lower its power limit.",
            values,
        )
    return Finding("throttling", FINE, measured, "", values)


def rate_cpu_limit(facts: MachineState, between: Change) -> Finding:
    """Rate the limits that control groups set on processor time."""
    if between.limited_periods is None:
        return _not_readable("cpu limit", facts)
    values = {"limit_cores": facts.limit_cores, "stopped_periods": between.limited_periods}
    allowed = "no limit" if facts.limit_cores is None else f"{facts.limit_cores:g} cores' time"
    measured = f"{allowed} by control groups; stopped in {between.limited_periods} periods during the test"
    if between.limited_periods or (facts.limit_cores or 1.0) < 1:
        advice = "The limit of the container stops its programs within a slice. Raise the limit, or remove it."
        return Finding("cpu limit", UNFIT, measured, advice, values)
    if facts.limit_cores is not None and facts.limit_cores < facts.usable_cores:
        advice = f"Keep --threads below {facts.limit_cores:g}: over the limit a program is stopped within a slice."
        return Finding("cpu limit", DOUBTFUL, measured, advice, values)
    return Finding("cpu limit", FINE, measured, "", values)


def rate_stolen_time(between: Change) -> Finding:
    """Rate the share of time that the host of a virtual machine gave to other machines."""
    if between.stolen_share is None:
        return Finding("stolen time", NOT_READABLE, "this system does not report it")
    rating = _grade(between.stolen_share, STOLEN)
    advice = ""
    if rating != FINE:
        advice = "The host is shared: use dedicated cores, a machine of your own, or another time of day."
    measured = f"the host ran another machine in {between.stolen_share:.1%} of the time that programs wanted to run"
    return Finding("stolen time", rating, measured, advice, {"share": between.stolen_share})


def rate_swap(facts: MachineState, between: Change) -> Finding:
    """Rate whether memory is short."""
    moved = between.swapped_bytes
    values = {"used_bytes": facts.swap_bytes, "moved_bytes": moved}
    measured = f"{facts.swap_bytes / 1e6:,.0f} MB in use, {moved / 1e6:,.0f} MB moved during the test"
    if moved > SWAPPED_BYTES:
        return Finding(
            "swap", UNFIT, measured, "Memory is short: end other programs, or measure fewer backends.", values
        )
    if facts.swap_bytes:
        advice = "Memory was short before. A run holds all its variants in memory: end other large programs."
        return Finding("swap", DOUBTFUL, measured, advice, values)
    return Finding("swap", FINE, measured, "", values)


def rate_clock(facts: MachineState) -> Finding:
    """Rate the resolution of the clock, compared with a slice."""
    rating = _grade(facts.clock_step_s, CLOCK)
    source = facts.clock_source or "not readable"
    measured = f"resolution {facts.clock_step_s * 1e9:,.0f} ns, a slice takes {SLICE_S * 1e3:g} ms; source {source}"
    advice = "" if rating == FINE else "Let the system use a finer clock (tsc on x86); `dmesg` shows why it does not."
    return Finding("clock", rating, measured, advice, {"step_s": facts.clock_step_s, "source": facts.clock_source})


def _not_readable(subject: str, facts: MachineState, advice: str = "") -> Finding:
    return Finding(
        subject,
        NOT_READABLE,
        facts.not_readable.get(subject, "it was readable before the test and not after it"),
        advice,
    )


def _grade(value: float, limits: tuple[float, float]) -> str:
    """Return FINE up to the first limit, DOUBTFUL up to the second, UNFIT over it."""
    doubtful, unfit = limits
    return UNFIT if value > unfit else DOUBTFUL if value > doubtful else FINE


def _cores(count: int) -> str:
    return f"{count} core{'' if count == 1 else 's'}"


def _interval(ratio: Interval) -> str:
    return f"{ratio.estimate:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"
