"""The rule of `run --until`: rounds are added until every ratio to the fastest variant is known well enough.

Each round of fresh processes gives one value for a ratio: the logarithm of the ratio of the two medians of the round.
The interval of such values is valid however often it is examined (common/anytime.py), so a look after every round does
not make a false difference more likely. docs/explanation/timing.md explains it.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...common import anytime
from ...common.statistics import Floats, Interval

LEAST_ROUNDS = 2
"""A single round does not show the variation between processes."""

PRECISION, TIME_LIMIT, NOTHING_TIMED = "precision", "time limit", "nothing timed"
"""The reasons to stop."""

Contestant = tuple[str, str, bool]
"""A backend, its variant, and whether it is the second copy of the self-test."""
Times = Mapping[Contestant, list[Floats]]
"""Seconds per step of each contestant: an array (blocks,) a round."""


class Precision(NamedTuple):
    """How well the ratios of a run are known."""

    contestant: Contestant | None
    """The contestant whose ratio is known least; None where nothing was timed."""
    worst: float
    """How far the farther end of its interval is from the estimate, as a share of it: 0.02 is 2 %."""


def step_interval(rounds: list[Floats]) -> Interval:
    """Return the geometric mean of the medians of the rounds, with its anytime-valid interval."""
    return anytime.ratio_interval(_log_medians(rounds))


def ratio_interval(first: list[Floats], second: list[Floats]) -> Interval:
    """Return the ratio of two step times, first / second, with its anytime-valid interval."""
    return anytime.ratio_interval(_log_medians(first) - _log_medians(second))


def find_fastest(times: Times) -> Contestant | None:
    """Return the contestant with the least step time, not counting the second copy of the self-test."""
    means = {key: float(_log_medians(rounds).mean()) for key, rounds in times.items() if not key[2]}
    return min(means, key=lambda key: means[key]) if means else None


def examine(times: Times) -> Precision:
    """Return how well every ratio to the fastest is known, and that of the self-test to its own first copy."""
    fastest = find_fastest(times)
    if fastest is None:
        return Precision(None, math.inf)
    worst = {key: 0.0 for key in times if key == fastest}
    for key, rounds in times.items():
        other = (*key[:2], False) if key[2] else fastest
        if key != fastest and other in times:
            worst[key] = measure_precision(ratio_interval(rounds, times[other]))
    least = max(worst, key=lambda key: worst[key])
    return Precision(least, worst[least])


def measure_precision(ratio: Interval) -> float:
    """Return the distance of the farther end of an interval from its estimate, as a share of the estimate."""
    estimate, low, high = ratio
    return max(high / estimate - 1, 1 - low / estimate)


def reason_to_stop(
    times: Times, round_seconds: list[float], until: float, time_limit_s: float, least: int = LEAST_ROUNDS
) -> str:
    """Return why no further round is taken; "" where one is.

    `round_seconds` are the durations of the rounds so far. The time limit is reached where a round as long as the
    longest one would exceed it.
    """
    if len(round_seconds) < least:
        return ""
    if not times:
        return NOTHING_TIMED
    if examine(times).worst <= until:
        return PRECISION
    return TIME_LIMIT if sum(round_seconds) + max(round_seconds) > time_limit_s else ""


def _log_medians(rounds: list[Floats]) -> Floats:
    return np.log([float(np.median(blocks)) for blocks in rounds])
