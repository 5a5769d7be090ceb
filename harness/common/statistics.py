"""Intervals for what was timed: medians, paired ratios, and the control.

Neighbouring slices are alike (the machine's load changes slowly), and the slices of one round share its processes. So
a resample draws rounds, and inside each round blocks of neighbouring turns; what is paired within a turn stays paired.

Two processes of one program differ by a per cent or two, whatever their slices say, and two or three rounds are too few
to show by how much. All contestants of a run together do: an interval is never narrower than their scatter allows.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

LEVEL = 0.95
RESAMPLES = 2000
BLOCK = 8
"""Turns that are drawn together: neighbouring slices, a third of a second of two contestants."""
LEAST_TURNS = 2 * BLOCK
"""Of a round. However one block is drawn, it is the same turns."""


class Interval(NamedTuple):
    """An estimate and its 95 % interval."""

    estimate: float
    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Return whether `value` lies outside."""
        return not self.low <= value <= self.high


class Scatter(NamedTuple):
    """How far processes of one program are apart."""

    variance: float
    """Of the logarithm of a process's pace."""
    freedom: int
    """Degrees of freedom that it was estimated with; 0 where nothing is known."""


UNKNOWN = Scatter(0.0, 0)


def scatter(contestants: Sequence[list[Floats]]) -> Scatter:
    """Return the scatter of processes, pooled over contestants that took turns: of each, arrays (turns,) a round.

    It is what is left of the processes' paces when what their contestants, their rounds and each turn have in common is
    taken out: a two-way analysis of variance with one value a cell.
    """
    freedom = (len(contestants) - 1) * (len(contestants[0]) - 1) if contestants else 0
    if freedom < 1:
        return UNKNOWN
    logs = [np.log(np.stack(of_round)) for of_round in zip(*contestants, strict=True)]
    paces = np.array([[_pace(turns, index) for index in range(len(turns))] for turns in logs])
    left = paces - paces.mean(axis=0) - paces.mean(axis=1, keepdims=True) + paces.mean()
    return Scatter(float((left**2).sum() / freedom), freedom)


def _pace(logs: Floats, index: int) -> float:
    """Return how far one process of a round stands from the mean of all, from logarithms (processes, turns).

    In each turn it is held against the median of its rivals. Their mean would be pulled along by any that is disturbed;
    the median of all would often be the process itself.
    """
    rivals = np.delete(logs, index, axis=0)
    return float(np.median(logs[index] - np.median(rivals, axis=0)) * len(rivals) / len(logs))


def median(rounds: list[Floats], processes: Scatter = UNKNOWN) -> Interval:
    """Return the median of all turns, from one array (turns,) a round."""
    return _widened(_interval(rounds), processes.variance / len(rounds), processes.freedom)


def paired_ratio(first: list[Floats], second: list[Floats], processes: Scatter = UNKNOWN) -> Interval:
    """Return the median over the turns of first / second: arrays (turns,) a round, paired turn by turn."""
    ratio = _interval([one / other for one, other in zip(first, second, strict=True)])
    return _widened(ratio, 2 * processes.variance / len(first), processes.freedom)


def unpaired_ratio(
    first: list[Floats], second: list[Floats], processes: tuple[Scatter, Scatter] = (UNKNOWN, UNKNOWN)
) -> Interval:
    """Return the ratio of two medians, first / second, of different runs: arrays (turns,) a round, as many as each has.

    Nothing pairs them: each is resampled by itself, so what both would have shared does not cancel. The interval tells
    of the scatter within each run; what changed on the machine between the two is in the estimate, and not in it.
    Where a run does not tell how far its processes are apart, they are taken to be as far apart as the other's.
    """
    one, other = processes
    processes = (one if one.freedom else other, other if other.freedom else one)
    rng = np.random.default_rng(0)
    medians = [np.log([np.median(resample(rounds, rng)) for _ in range(RESAMPLES)]) for rounds in (first, second)]
    estimate = float(np.median(np.concatenate(first)) / np.median(np.concatenate(second)))
    blocks = [_blocks(first), _blocks(second)]
    if min(blocks) < 2:
        return Interval(estimate, 0.0, np.inf)
    tail = _tail(_blocks_of_both(medians, blocks))
    low, high = np.exp(np.quantile(medians[0] - medians[1], [tail, 1 - tail]))
    ratio = Interval(estimate, float(low), float(high))
    variances = [each.variance / len(rounds) for each, rounds in zip(processes, (first, second), strict=True)]
    return _widened(ratio, sum(variances), _welch(variances, [each.freedom for each in processes]))


def spread(values: Floats) -> float:
    """Return a standard deviation that outliers hardly move: the median absolute deviation, scaled to the normal's."""
    return float(stats.median_abs_deviation(values, scale="normal"))


def outliers(values: Floats) -> npt.NDArray[np.bool_]:
    """Return which of the positive values (n,) are outliers: a modified z-score over 3.5 (Iglewicz & Hoaglin 1993).

    Of their logarithms, as times are skewed. They are labelled; nothing leaves them out.
    """
    logs = np.log(values)
    width = spread(logs)
    far: npt.NDArray[np.bool_] = np.abs(logs - np.median(logs)) > 3.5 * width
    return far


def _blocks(rounds: list[Floats]) -> int:
    return sum(-(-len(turns) // BLOCK) for turns in rounds)


def _blocks_of_both(samples: list[Floats], blocks: list[int]) -> float:
    """Return how many blocks a difference of two samples is worth: Welch (1947), the more uncertain weighs more.

    At least as many as the fewer of the two, at most as many as both.
    """
    return 1 + _welch([float(sample.var()) for sample in samples], [each - 1 for each in blocks])


def _welch(variances: Sequence[float], freedom: Sequence[int]) -> float:
    """Return the degrees of freedom of the sum of two estimated variances."""
    if not all(freedom) or not any(variances):
        return min(freedom)
    return sum(variances) ** 2 / sum(each**2 / free for each, free in zip(variances, freedom, strict=True))


def _widened(interval: Interval, variance: float, freedom: float) -> Interval:
    """Return the interval, or Student's t about its estimate's logarithm of this variance, whichever end is farther."""
    if freedom < 1:
        return interval
    factor = float(np.exp(stats.t.ppf((1 + LEVEL) / 2, freedom) * np.sqrt(variance)))
    estimate, low, high = interval
    return Interval(estimate, min(low, estimate / factor), max(high, estimate * factor))


def _interval(rounds: list[Floats]) -> Interval:
    turns = np.concatenate(rounds)
    medians = np.concatenate(
        [np.median(turns[places], axis=1) for places in _draws(tuple(map(len, rounds)), RESAMPLES)]
    )
    estimate = float(np.median(turns))
    if _blocks(rounds) < 2:
        return Interval(estimate, 0.0, np.inf)
    tail = _tail(_blocks(rounds))
    low, high = np.quantile(medians, [tail, 1 - tail])
    return Interval(estimate, float(low), float(high))


def _tail(blocks: float) -> float:
    """Return the share of resamples to leave out on each side.

    The expanded percentile interval (Hesterberg 2015, What Teachers Should Know About the Bootstrap): a bootstrap of
    few blocks is too narrow by sqrt((n - 1) / n), and by what Student's t is wider than the normal.
    """
    if blocks < 2:
        return 0.0
    t = stats.t.ppf((1 - LEVEL) / 2, blocks - 1)
    return float(stats.norm.cdf(np.sqrt(blocks / (blocks - 1)) * t))


def resample(rounds: list[Floats], rng: np.random.Generator) -> Floats:
    """Draw as many rounds, with replacement, and in each as many turns in circular blocks."""
    return np.concatenate(rounds)[_places([len(turns) for turns in rounds], rng)]


def _places(lengths: Sequence[int], rng: np.random.Generator) -> Places:
    """Draw as `resample` does; return where the turns stand when the rounds are put end to end."""
    begin = np.concatenate([[0], np.cumsum(lengths)])
    drawn = []
    for index in rng.integers(0, len(lengths), len(lengths)):
        turns = lengths[index]
        starts = rng.integers(0, turns, -(-turns // BLOCK))
        drawn.append(begin[index] + (starts[:, None] + np.arange(BLOCK)).ravel()[:turns] % turns)
    return np.concatenate(drawn)


@lru_cache(maxsize=8)
def _draws(lengths: tuple[int, ...], resamples: int) -> list[Places]:
    """Return the resamples of rounds of these lengths, the same for all that one run compares: arrays (some, turns).

    Resamples are of as many turns only where the rounds are: as many of them are one array as follow each other.
    """
    rng = np.random.default_rng(0)
    draws = [_places(lengths, rng) for _ in range(resamples)]
    return [np.array(list(alike)) for _, alike in groupby(draws, key=len)]
