"""Resamples of timed blocks, and their medians: the block bootstrap behind the intervals of `statistics`.

A resample draws rounds with replacement, and in each round circular segments of neighbouring blocks. Every value that
one run compares is resampled by the same draws. So a draw is kept as how often it has each block. The medians of all
resamples then need the values sorted once, and sums of these counts, instead of one sorting a resample.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby, islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Counts = npt.NDArray[np.integer[Any]]

SEGMENT = 8
"""Neighbouring blocks that are drawn together: a third of a second of two contestants."""
TOGETHER = 128
"""Resamples whose counts are summed together: they fit into a processor's cache."""
STRIDE = 64
"""Sorted blocks whose counts are summed first, so that only one stride is searched block by block."""


class Draws(NamedTuple):
    """Some resamples of as many blocks each."""

    size: int
    """The blocks of a resample, each as often as it was drawn."""
    counts: Counts
    """How often each resample has each block, and a row of zeros: (blocks + 1, resamples)."""


def resample(rounds: Sequence[Floats], rng: np.random.Generator) -> Floats:
    """Draw as many rounds, with replacement, and in each as many blocks in circular segments."""
    return np.concatenate(rounds)[_draw([len(blocks) for blocks in rounds], rng)]


def resampled_medians(values: Sequence[Floats], lengths: Sequence[int], resamples: int) -> list[Floats]:
    """Return the medians of so many resamples, in no order, for each of several arrays of values of the same blocks.

    The arrays have one value a block, (blocks,), the rounds of these lengths end to end. Each is sorted as the first
    is, or in the reverse order, as a ratio and its inverse are: so one search serves all.
    """
    order = np.argsort(values[0], kind="stable")
    ordered = [each[order] for each in values]
    # Whole strides: the row of zeros fills up the last one.
    rows = np.append(order, np.full(-len(order) % STRIDE, len(order)))
    medians: list[list[Floats]] = [[] for _ in values]
    for draws in _list_draws(tuple(lengths), resamples):
        counts = draws.counts.take(rows, axis=0).reshape(-1, STRIDE, draws.counts.shape[1])
        sums = np.cumsum(counts.sum(axis=1, dtype=counts.dtype), axis=0, dtype=counts.dtype)
        lower, upper = (_locate(counts, sums, rank) for rank in ((draws.size - 1) // 2, draws.size // 2))
        for found, each in zip(medians, ordered, strict=True):
            found.append((each[lower] + each[upper]) / 2)
    return [np.concatenate(found) for found in medians]


def _locate(counts: Counts, sums: Counts, rank: int) -> Places:
    """Return, for each resample, the sorted block that has the value of this rank, from 0.

    `counts` are those of the sorted blocks, (strides, blocks of a stride, resamples), and `sums` their running sums by
    strides. The rank is below the size of a resample, so there is such a block.
    """
    resamples = np.arange(sums.shape[1])
    stride = (sums <= rank).sum(axis=0)
    before = np.where(stride > 0, sums[stride - 1, resamples], 0)
    running = np.cumsum(counts[stride, :, resamples], axis=1)
    located: Places = stride * STRIDE + (running <= (rank - before)[:, None]).sum(axis=1)
    return located


def _draw(lengths: Sequence[int], rng: np.random.Generator) -> Places:
    """Draw one resample; return the positions of its blocks when the rounds are put end to end."""
    begin = np.concatenate([[0], np.cumsum(lengths)])
    drawn = []
    for index in rng.integers(0, len(lengths), len(lengths)):
        blocks = lengths[index]
        starts = rng.integers(0, blocks, -(-blocks // SEGMENT))
        drawn.append(begin[index] + (starts[:, None] + np.arange(SEGMENT)).ravel()[:blocks] % blocks)
    return np.concatenate(drawn)


@lru_cache(maxsize=16)
def _list_draws(lengths: tuple[int, ...], resamples: int) -> list[Draws]:
    """Return the resamples of rounds of these lengths, the same for all that one run compares."""
    rng, blocks = np.random.default_rng(0), sum(lengths)
    # A resample is as long as the rounds that it drew, which may differ.
    drawn = sorted((_draw(lengths, rng) for _ in range(resamples)), key=len)
    found = []
    for size, alike in groupby(drawn, key=len):
        while some := list(islice(alike, TOGETHER)):
            # A narrow type: the sums are limited by the memory that they read.
            kind = np.int16 if size <= np.iinfo(np.int16).max else np.int32
            counts = np.array([np.bincount(each, minlength=blocks + 1) for each in some], dtype=kind)
            found.append(Draws(size, np.ascontiguousarray(counts.T)))
    return found
