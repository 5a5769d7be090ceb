"""Candidates with an unknown value: each is ranked apart, with the range of scores that the unknown allows.

A value that is unknown for one candidate changes nothing for the others: no sub-measure is dropped, no weight moves.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .criteria import SubMeasure
from .readings import Reading

Weighted = Sequence[tuple[SubMeasure, float]]
"""Each sub-measure with the part of the whole that it decides; the parts sum to 1."""


class Apart(NamedTuple):
    """A candidate whose score is known within a range alone."""

    name: str
    """`backend:variant`."""
    title: str
    low: float
    """The score if every unknown value is the worst possible; 0 where nothing bounds it."""
    high: float
    """The score if every unknown value is the best possible; infinite where nothing bounds it."""
    unknown: tuple[str, ...]
    """The records that are missing."""
    nodes: tuple[str, ...]
    """Their nodes, for a weight of 0."""


def list_unknown(weighted: Weighted, readings: Mapping[SubMeasure, Reading | None]) -> list[SubMeasure]:
    """Return the sub-measures with a weight above 0 that a candidate has no value of."""
    return [measure for measure, part in weighted if part > 0 and readings[measure] is None]


def score_range(weighted: Weighted, readings: Mapping[SubMeasure, Reading | None]) -> tuple[float, float]:
    """Return the least and the most that a candidate's score can be: twice the same where nothing is unknown.

    The score is the product of reference / cost, each raised to its part of the whole. It is of this candidate alone.
    """
    low = high = 0.0
    for measure, part in weighted:
        if part > 0:
            reading = readings[measure]
            best, worst = (measure.least, measure.most) if reading is None else (reading.cost, reading.cost)
            low += part * _log(measure.reference, worst)
            high += part * _log(measure.reference, best)
    return math.exp(low), math.exp(high) if high < math.inf else math.inf


def _log(reference: float, cost: float) -> float:
    """Return log(reference / cost), also where the cost is 0 or infinite."""
    if cost == 0:
        return math.inf
    return -math.inf if cost == math.inf else math.log(reference / cost)


def find_rank_range(low: float, high: float, scores: Sequence[float]) -> tuple[int, int]:
    """Return the best and the worst rank that a range of scores can have among `scores`."""
    return 1 + sum(score > high for score in scores), 1 + sum(score > low for score in scores)
