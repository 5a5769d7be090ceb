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
TOGETHER = 2048
"""Resamples whose counts are summed together: they fit into a processor's cache."""
STRIDE, STRIDES = 16, 8
"""Sorted blocks whose counts are summed first, and such sums that are summed again: a search begins with these."""


class Draws(NamedTuple):
    """Some resamples of as many blocks each."""

    size: int
    """The blocks of a resample, each as often as it was drawn."""
    counts: Counts
    """How often each resample has each block, and a row of zeros: (blocks + 1, resamples).

    The sum of STRIDE of them fits their type.
    """
    kind: type[np.integer[Any]]
    """A type that the size fits."""


def resample(rounds: Sequence[Floats], rng: np.random.Generator) -> Floats:
    """Draw as many rounds, with replacement, and in each as many blocks in circular segments."""
    return np.concatenate(rounds)[_draw([len(blocks) for blocks in rounds], rng)]


def resampled_medians(values: Sequence[Floats], lengths: Sequence[int], resamples: int, seed: int = 0) -> list[Floats]:
    """Return the medians of so many resamples, in no order, for each of several arrays of values of the same blocks.

    The arrays have one value a block, (blocks,), the rounds of these lengths end to end. Each is sorted as the first
    is, or in the reverse order, as a ratio and its inverse are: so one search serves all. Draws of different seeds are
    independent.
    """
    order = np.argsort(values[0], kind="stable")
    ordered = [each[order] for each in values]
    # Whole groups: the row of zeros fills up the last one.
    rows = np.append(order, np.full(-len(order) % (STRIDE * STRIDES), len(order)))
    medians: list[list[Floats]] = [[] for _ in values]
    for draws in _list_draws(tuple(lengths), resamples, seed):
        counts = draws.counts.take(rows, axis=0)
        fine = counts.reshape(-1, STRIDE, counts.shape[1]).sum(axis=1, dtype=counts.dtype).astype(draws.kind)
        coarse = fine.reshape(-1, STRIDES, counts.shape[1]).sum(axis=1, dtype=draws.kind)
        levels = (coarse, fine, counts)
        lower, upper = _locate(levels, ((draws.size - 1) // 2, draws.size // 2))
        for found, each in zip(medians, ordered, strict=True):
            found.append((each[lower] + each[upper]) / 2)
    return [np.concatenate(found) for found in medians]


def _locate(levels: tuple[Counts, Counts, Counts], ranks: tuple[int, ...]) -> Places:
    """Return, for each rank, from 0, and resample, the sorted block that has the value of this rank.

    `levels` are the counts of the sorted blocks, (blocks, resamples), after their sums by groups of STRIDE * STRIDES
    blocks, and by STRIDE blocks. A rank is below the size of a resample, so there is such a block.
    """
    coarse, fine, counts = levels
    resamples = np.arange(coarse.shape[1])
    left = np.repeat(np.array(ranks, dtype=fine.dtype)[:, None], len(resamples), axis=1)
    group = _pass(coarse[:, None, :], left)
    stride = group * STRIDES + _pass(fine[group * STRIDES + np.arange(STRIDES)[:, None, None], resamples], left)
    return stride * STRIDE + _pass(counts[stride * STRIDE + np.arange(STRIDE)[:, None, None], resamples], left)


def _pass(counts: Counts, left: Counts) -> Places:
    """Return how many counts (counts, ranks, resamples) lie wholly before each rank, and subtract them from `left`."""
    running = np.cumsum(counts, axis=0, dtype=left.dtype)
    within = running <= left
    before: Places = np.count_nonzero(within, axis=0)
    left -= np.where(within, running, 0).max(axis=0)
    return before


def _draw(lengths: Sequence[int], rng: np.random.Generator) -> Places:
    """Draw one resample; return the positions of its blocks when the rounds are put end to end."""
    rounds = rng.integers(0, len(lengths), len(lengths))
    if len(set(lengths)) == 1:  # the same numbers as one round after the other gives, in a call
        blocks = lengths[0]
        starts = rng.integers(0, blocks, (len(lengths), -(-blocks // SEGMENT)))
        return (rounds[:, None] * blocks + _extend(starts, blocks)).ravel()
    begin = np.concatenate([[0], np.cumsum(lengths)])
    drawn = []
    for index in rounds:
        blocks = lengths[index]
        starts = rng.integers(0, blocks, (1, -(-blocks // SEGMENT)))
        drawn.append(begin[index] + _extend(starts, blocks)[0])
    return np.concatenate(drawn)


def _extend(starts: Places, blocks: int) -> Places:
    """Return the blocks of circular segments that begin at `starts`, (rounds, segments), as (rounds, blocks)."""
    every = (starts[:, :, None] + np.arange(SEGMENT)).reshape(len(starts), -1)[:, :blocks]
    return np.where(every < blocks, every, every % blocks)


@lru_cache(maxsize=16)
def _list_draws(lengths: tuple[int, ...], resamples: int, seed: int) -> list[Draws]:
    """Return the resamples of rounds of these lengths, the same for all that one run compares."""
    rng, blocks = np.random.default_rng(seed), sum(lengths)
    # A resample is as long as the rounds that it drew, which may differ.
    drawn = sorted((_draw(lengths, rng) for _ in range(resamples)), key=len)
    found = []
    for size, alike in groupby(drawn, key=len):
        # Narrow types: the sums are limited by the memory that they read.
        kind = np.int16 if size <= np.iinfo(np.int16).max else np.int32
        while some := list(islice(alike, TOGETHER)):
            counts = np.array([np.bincount(each, minlength=blocks + 1) for each in some], dtype=kind)
            narrow = np.uint8 if int(counts.max()) * STRIDE <= np.iinfo(np.uint8).max else kind
            found.append(Draws(size, np.ascontiguousarray(counts.T, dtype=narrow), kind))
    return found
