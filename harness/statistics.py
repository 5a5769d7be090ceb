"""Intervals for what was timed: medians, paired ratios, and the control.

Neighbouring slices are alike (the machine's load changes slowly), and the slices of one round share its processes. So
a resample draws rounds, and inside each round blocks of neighbouring turns; what is paired within a turn stays paired.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 2000
BLOCK = 8
"""Turns that are drawn together: over one second of neighbouring slices."""


class Interval(NamedTuple):
    """An estimate and its 95 % interval."""

    estimate: float
    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Return whether `value` lies outside."""
        return not self.low <= value <= self.high


def median(rounds: list[Floats]) -> Interval:
    """Return the median of all turns, from one array (turns,) a round."""
    return _interval(rounds)


def paired_ratio(first: list[Floats], second: list[Floats]) -> Interval:
    """Return the median over the turns of first / second: arrays (turns,) a round, paired turn by turn."""
    return _interval([one / other for one, other in zip(first, second, strict=True)])


def _interval(rounds: list[Floats]) -> Interval:
    rng = np.random.default_rng(0)
    medians = np.array([np.median(_resample(rounds, rng)) for _ in range(RESAMPLES)])
    tail = _tail(sum(-(-len(turns) // BLOCK) for turns in rounds))
    low, high = np.quantile(medians, [tail, 1 - tail])
    return Interval(float(np.median(np.concatenate(rounds))), float(low), float(high))


def _tail(blocks: int) -> float:
    """Return the share of resamples to leave out on each side.

    The expanded percentile interval (Hesterberg 2015, What Teachers Should Know About the Bootstrap): a bootstrap of
    few blocks is too narrow by sqrt((n - 1) / n), and by what Student's t is wider than the normal.
    """
    if blocks < 2:
        return 0.0
    t = stats.t.ppf((1 - LEVEL) / 2, blocks - 1)
    return float(stats.norm.cdf(np.sqrt(blocks / (blocks - 1)) * t))


def _resample(rounds: list[Floats], rng: np.random.Generator) -> Floats:
    """Draw as many rounds, with replacement, and in each as many turns in circular blocks."""
    drawn = []
    for index in rng.integers(0, len(rounds), len(rounds)):
        turns = rounds[index]
        starts = rng.integers(0, len(turns), -(-len(turns) // BLOCK))
        places = (starts[:, None] + np.arange(BLOCK)).ravel()[: len(turns)] % len(turns)
        drawn.append(turns[places])
    return np.concatenate(drawn)
