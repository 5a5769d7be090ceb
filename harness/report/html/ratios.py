"""The ratio of the step times of every two contestants, with its interval: the page compares against any of them."""

from typing import Any

from ..report import Report
from .rows import name_contestant


def export_ratios(report: Report) -> dict[str, Any]:
    """Return the names, and three matrices: row over column, the estimate, and the ends of its interval."""
    times = report.step_times
    contestants = list(times.rounds)
    found = [[times.contestant_ratio(one, other) for other in contestants] for one in contestants]
    matrices = {part: [[getattr(each, part) for each in row] for row in found] for part in ("estimate", "low", "high")}
    fastest = times.fastest
    return {
        "names": [name_contestant(each) for each in contestants],
        "fastest": None if fastest is None else name_contestant((*fastest, False)),
        **matrices,
    }
