"""The ratio of the step times of every two contestants, with its interval: the page compares against any of them."""

from typing import Any

import numpy as np

from ...common.statistics import Interval
from ..report import Report
from ..tables.speed import Contestant
from .rows import name_contestant


def export_ratios(report: Report) -> dict[str, Any]:
    """Return the names, and three matrices: row over column, the estimate, and the ends of its interval.

    The order is that of the plan. The upper triangle and the ratios to the fastest are computed, as the verdict and the
    tables have them; the others are their inverses.
    """
    times = report.step_times
    planned = [(*key, copy) for key in report.entries for copy in (False, True)]
    contestants = [each for each in planned if each in times.rounds]
    fastest = None if times.fastest is None else (*times.fastest, False)
    upper = {
        (one, other): times.contestant_ratio(one, other)
        for place, one in enumerate(contestants)
        for other in contestants[place:]
    }
    upper |= {(one, fastest): times.contestant_ratio(one, fastest) for one in contestants if fastest is not None}

    def find(one: Contestant, other: Contestant) -> Interval:
        return upper[one, other] if (one, other) in upper else _invert(upper[other, one])

    found = [[find(one, other) for other in contestants] for one in contestants]
    matrices = {part: [[getattr(each, part) for each in row] for row in found] for part in ("estimate", "low", "high")}
    return {
        "names": [name_contestant(each) for each in contestants],
        "fastest": None if fastest is None else name_contestant(fastest),
        **matrices,
    }


def _invert(ratio: Interval) -> Interval:
    return Interval(1 / ratio.estimate, 1 / ratio.high, 1 / ratio.low if ratio.low else np.inf)
