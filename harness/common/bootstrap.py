"""Resamples of timed blocks, and their medians: the block bootstrap behind the intervals of `statistics`.

A resample draws rounds with replacement, and in each round circular segments of neighbouring blocks. Every value that
one run compares is resampled by the same draws. So a draw is kept as how often it has each block. The medians of all
resamples then need the values sorted once, and sums of these counts, instead of one sorting a resample.
"""

from collections.abc import Iterator, Sequence
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
DRAWN_TOGETHER = 2**18
"""Blocks of resamples that are drawn in one call: their positions fit into a processor's cache."""
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
    return np.concatenate(rounds)[next(_draw([len(blocks) for blocks in rounds], rng, 1))]


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
        lower, left = _locate((coarse, fine, counts), (draws.size - 1) // 2)
        upper = lower if draws.size % 2 else _step(counts, lower, left)
        for found, each in zip(medians, ordered, strict=True):
            found.append((each[lower] + each[upper]) / 2)
    return [np.concatenate(found) for found in medians]


def _locate(levels: tuple[Counts, Counts, Counts], rank: int) -> tuple[Places, Counts]:
    """Return, for each resample, the sorted block that has the value of this rank, from 0.

    And how many values of the same block come before it. `levels` are the counts of the sorted blocks, (blocks,
    resamples), after their sums by groups of STRIDE * STRIDES blocks, and by STRIDE blocks. The rank is below the size
    of a resample, so there is such a block.
    """
    coarse, fine, counts = levels
    resamples = np.arange(coarse.shape[1])
    left = np.full(len(resamples), rank, dtype=fine.dtype)
    group = _pass(coarse, left)
    stride = group * STRIDES + _pass(fine[group * STRIDES + np.arange(STRIDES)[:, None], resamples], left)
    return stride * STRIDE + _pass(counts[stride * STRIDE + np.arange(STRIDE)[:, None], resamples], left), left


def _pass(counts: Counts, left: Counts) -> Places:
    """Return how many counts, (counts, resamples), lie wholly before each rank, and subtract them from `left`."""
    running = np.zeros((len(counts) + 1, len(left)), dtype=left.dtype)
    np.cumsum(counts, axis=0, dtype=left.dtype, out=running[1:])
    before: Places = np.count_nonzero(running[1:] <= left, axis=0)
    left -= running[before, np.arange(len(left))]
    return before


def _step(counts: Counts, places: Places, before: Counts) -> Places:
    """Return the sorted block that has the next value of each resample, after what `_locate` returns."""
    resamples = np.arange(len(places))
    found = places + (before + 1 >= counts[places, resamples])
    absent = np.flatnonzero(counts[found, resamples] == 0)
    while len(absent):
        found[absent] += 1
        absent = absent[counts[found[absent], absent] == 0]
    return found


def _draw(lengths: Sequence[int], rng: np.random.Generator, resamples: int) -> Iterator[Places]:
    """Yield the resamples: the positions of their blocks when the rounds are put end to end."""
    if len(set(lengths)) > 1:
        for _ in range(resamples):
            yield _draw_one(lengths, rng)
        return
    # The same numbers as one resample after the other draws, in one call for many of them.
    rounds, blocks = len(lengths), lengths[0]
    segments = -(-blocks // SEGMENT)
    below = np.repeat([rounds, blocks], [rounds, rounds * segments])
    together = max(1, DRAWN_TOGETHER // (rounds * blocks))
    for first in range(0, resamples, together):
        drawn = rng.integers(0, np.broadcast_to(below, (min(together, resamples - first), len(below))))
        begin = drawn[:, :rounds, None] * blocks
        starts = drawn[:, rounds:].reshape(len(drawn), rounds, segments)
        yield from (begin + _extend(starts, blocks)).reshape(len(drawn), -1)


def _draw_one(lengths: Sequence[int], rng: np.random.Generator) -> Places:
    begin = np.concatenate([[0], np.cumsum(lengths)])
    drawn = []
    for index in rng.integers(0, len(lengths), len(lengths)):
        blocks = lengths[index]
        drawn.append(begin[index] + _extend(rng.integers(0, blocks, -(-blocks // SEGMENT)), blocks))
    return np.concatenate(drawn)


def _extend(starts: Places, blocks: int) -> Places:
    """Return the blocks of circular segments that begin at `starts`, (..., segments), as (..., blocks)."""
    every = (starts[..., None] + np.arange(SEGMENT)).reshape(*starts.shape[:-1], -1)[..., :blocks]
    return every % blocks


@lru_cache(maxsize=16)
def _list_draws(lengths: tuple[int, ...], resamples: int, seed: int) -> list[Draws]:
    """Return the resamples of rounds of these lengths, the same for all that one run compares."""
    rng, blocks = np.random.default_rng(seed), sum(lengths)
    # A resample is as long as the rounds that it drew, which may differ.
    drawn = sorted(_draw(lengths, rng, resamples), key=len)
    found = []
    for size, alike in groupby(drawn, key=len):
        # Narrow types: the sums are limited by the memory that they read.
        kind = np.int16 if size <= np.iinfo(np.int16).max else np.int32
        while some := list(islice(alike, TOGETHER)):
            counts = np.array([np.bincount(each, minlength=blocks + 1) for each in some], dtype=kind)
            narrow = np.uint8 if int(counts.max()) * STRIDE <= np.iinfo(np.uint8).max else kind
            found.append(Draws(size, np.ascontiguousarray(counts.T, dtype=narrow), kind))
    return found
