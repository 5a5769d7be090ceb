"""Confidence intervals of timings: medians and paired ratios, by a block bootstrap.

Neighbouring slices are alike (the machine's load changes slowly), and the slices of one round share its processes. So
a resample draws rounds, and inside each round segments of neighbouring blocks; the slices of a block stay paired.

Two processes of one program differ by a per cent or two, and two or three rounds are too few to show by how much. All
contestants of a run together show it: an interval is never narrower than the scatter of the processes allows.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from .bootstrap import SEGMENT, Floats, resample, resampled_medians

__all__ = ["SEGMENT", "Floats", "resample"]

LEVEL = 0.95
RESAMPLES = 2000
NORMAL_MAD = float(special.ndtri(0.75))
"""The median absolute deviation of a normal distribution, over its standard deviation."""
LEAST_BLOCKS = 2 * SEGMENT
"""The least blocks of a round. A single segment is the same blocks, however it is drawn."""


class Interval(NamedTuple):
    """An estimate and its 95 % interval."""

    estimate: float
    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Return whether `value` lies outside."""
        return not self.low <= value <= self.high


class Scatter(NamedTuple):
    """How far the paces of processes of one program are apart."""

    variance: float
    """Of the logarithm of a process's pace."""
    freedom: int
    """The degrees of freedom of the estimate; 0 where nothing is known."""


UNKNOWN = Scatter(0.0, 0)


def scatter(contestants: Sequence[list[Floats]]) -> Scatter:
    """Return the scatter of processes, pooled over interleaved contestants: of each, an array (blocks,) a round.

    It is the residual of the processes' paces after the effects of contestant, round and block are removed: a two-way
    analysis of variance with one value a cell.
    """
    freedom = (len(contestants) - 1) * (len(contestants[0]) - 1) if contestants else 0
    if freedom < 1:
        return UNKNOWN
    logs = [np.log(np.stack(of_round)) for of_round in zip(*contestants, strict=True)]
    paces = np.array([[_pace(blocks, index) for index in range(len(blocks))] for blocks in logs])
    left = paces - paces.mean(axis=0) - paces.mean(axis=1, keepdims=True) + paces.mean()
    return Scatter(float((left**2).sum() / freedom), freedom)


def _pace(logs: Floats, index: int) -> float:
    """Return how far one process of a round stands from the mean of all, from logarithms (processes, blocks).

    In each block it is compared with the median of its rivals. Any disturbed rival would move their mean;
    the median of all would often be the process itself.
    """
    rivals = np.delete(logs, index, axis=0)
    return float(np.median(logs[index] - np.median(rivals, axis=0)) * len(rivals) / len(logs))


def median(rounds: list[Floats], processes: Scatter = UNKNOWN) -> Interval:
    """Return the median of all blocks, from one array (blocks,) a round."""
    return _widened(_intervals([rounds])[0], processes.variance / len(rounds), processes.freedom)


def paired_ratio(first: list[Floats], second: list[Floats], processes: Scatter = UNKNOWN) -> Interval:
    """Return the median over the blocks of first / second: arrays (blocks,) a round, paired block by block."""
    return paired_ratios(first, second, processes)[0]


def paired_ratios(first: list[Floats], second: list[Floats], processes: Scatter = UNKNOWN) -> tuple[Interval, Interval]:
    """Return `paired_ratio` of first / second and of second / first, in little more time than one of them takes."""
    both = [[one / other for one, other in zip(*pair, strict=True)] for pair in ((first, second), (second, first))]
    variance = 2 * processes.variance / len(first)
    one, other = (_widened(each, variance, processes.freedom) for each in _intervals(both))
    return one, other


def unpaired_ratio(
    first: list[Floats], second: list[Floats], processes: tuple[Scatter, Scatter] = (UNKNOWN, UNKNOWN)
) -> Interval:
    """Return the ratio of two medians, first / second, of different runs: arrays (blocks,) a round.

    The runs may differ in rounds and blocks. Nothing pairs them: each is resampled by itself, so a common disturbance
    does not cancel. The interval covers the scatter within each run; a change of the machine between the two runs is in
    the estimate, and not in the interval. Where the scatter of the processes of one run is unknown, that of the other
    run is taken for it.
    """
    one, other = processes
    processes = (one if one.freedom else other, other if other.freedom else one)
    medians = [np.log(_resample_run(rounds, seed)) for seed, rounds in enumerate((first, second))]
    estimate = float(np.median(np.concatenate(first)) / np.median(np.concatenate(second)))
    segments = [_segments(first), _segments(second)]
    if min(segments) < 2:
        return Interval(estimate, 0.0, np.inf)
    tail = _tail(_segments_of_both(medians, segments))
    low, high = np.exp(np.quantile(medians[0] - medians[1], [tail, 1 - tail]))
    ratio = Interval(estimate, float(low), float(high))
    variances = [each.variance / len(rounds) for each, rounds in zip(processes, (first, second), strict=True)]
    return _widened(ratio, sum(variances), _welch(variances, [each.freedom for each in processes]))


def _resample_run(rounds: list[Floats], seed: int) -> Floats:
    """Return the medians of the resamples of one run, in an order that has nothing to do with that of another run."""
    (medians,) = resampled_medians([np.concatenate(rounds)], [len(blocks) for blocks in rounds], RESAMPLES, seed)
    return np.random.default_rng(seed).permutation(medians)


def spread(values: Floats) -> float:
    """Return a robust standard deviation: the median absolute deviation, scaled to that of a normal distribution."""
    # SciPy's median_abs_deviation gives the same and takes ten times as long: this is asked of every worker's round.
    return float(np.median(np.abs(values - np.median(values))) / NORMAL_MAD)


def outliers(values: Floats) -> npt.NDArray[np.bool_]:
    """Return which of the positive values (n,) are outliers: a modified z-score over 3.5 (Iglewicz & Hoaglin 1993).

    The score is that of the logarithms, as times are skewed. Outliers are labelled and never left out.
    """
    logs = np.log(values)
    width = spread(logs)
    far: npt.NDArray[np.bool_] = np.abs(logs - np.median(logs)) > 3.5 * width
    return far


def _segments(rounds: list[Floats]) -> int:
    return sum(-(-len(blocks) // SEGMENT) for blocks in rounds)


def _segments_of_both(samples: list[Floats], segments: list[int]) -> float:
    """Return how many segments a difference of two samples is worth: Welch (1947), the more uncertain weighs more.

    At least as many as the fewer of the two, at most as many as both.
    """
    return 1 + _welch([float(sample.var()) for sample in samples], [each - 1 for each in segments])


def _welch(variances: Sequence[float], freedom: Sequence[int]) -> float:
    """Return the degrees of freedom of the sum of two estimated variances."""
    if not all(freedom) or not any(variances):
        return min(freedom)
    return sum(variances) ** 2 / sum(each**2 / free for each, free in zip(variances, freedom, strict=True))


def _widened(interval: Interval, variance: float, freedom: float) -> Interval:
    """Return the interval, or Student's t about its estimate's logarithm of this variance, whichever end is farther."""
    if freedom < 1:
        return interval
    factor = float(np.exp(special.stdtrit(freedom, (1 + LEVEL) / 2) * np.sqrt(variance)))
    estimate, low, high = interval
    return Interval(estimate, min(low, estimate / factor), max(high, estimate * factor))


def _intervals(values: list[list[Floats]]) -> list[Interval]:
    """Return the median of all blocks with its interval, for each of several arrays (blocks,) a round.

    They are values of the same blocks, sorted as the first are or in the reverse order.
    """
    whole = [np.concatenate(rounds) for rounds in values]
    estimates = [float(np.median(blocks)) for blocks in whole]
    segments = _segments(values[0])
    if segments < 2:
        return [Interval(estimate, 0.0, np.inf) for estimate in estimates]
    tail = _tail(segments)
    medians = resampled_medians(whole, [len(blocks) for blocks in values[0]], RESAMPLES)
    ends = [np.quantile(each, [tail, 1 - tail]) for each in medians]
    return [Interval(each, float(low), float(high)) for each, (low, high) in zip(estimates, ends, strict=True)]


def _tail(segments: float) -> float:
    """Return the share of resamples to leave out on each side.

    The expanded percentile interval (Hesterberg 2015, What Teachers Should Know About the Bootstrap): a bootstrap of
    few segments is too narrow by sqrt((n - 1) / n), and by what Student's t is wider than the normal.
    """
    if segments < 2:
        return 0.0
    t = special.stdtrit(segments - 1, (1 - LEVEL) / 2)
    return float(special.ndtr(np.sqrt(segments / (segments - 1)) * t))
