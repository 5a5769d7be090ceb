"""Runs of one spec and data on several machines: where their rankings disagree.

Two runs disagree on a pair of variants where each says, with its whole interval, that another one is faster. Step
times of different machines are not pooled: what is compared is each run's own ratios.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from ...common.errors import InputError
from ...common.statistics import Interval
from ..compare import require_comparable
from ..report import Report
from ..tables.speed import Key
from ..text import count_things, format_interval, join_words


class Disagreement(NamedTuple):
    """Two variants, and the runs that rank them in opposite order."""

    first: str
    second: str
    ratios: tuple[tuple[str, Interval], ...]
    """By run, the step time of the first over that of the second; only of runs that distinguish the two."""

    @property
    def sentence(self) -> str:
        """Which run says what."""
        said = [f"{format_interval(ratio)} in {run}" for run, ratio in self.ratios]
        return f"{self.first} over {self.second}: {join_words(said)}."


class Merged:
    """Several runs of one spec and data."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Read the runs. Raises InputError for fewer than two, or for runs of different specs or data."""
        if len(folders) < 2:
            raise InputError(f"merge: expected two runs or more, got {len(folders)}.")
        self.reports = [Report(folder) for folder in folders]
        for other in self.reports[1:]:
            require_comparable(self.reports[0], other)
        common = set.intersection(*(set(report.step_times.variants) for report in self.reports))
        self.variants: list[Key] = [key for key in self.reports[0].step_times.variants if key in common]
        if not self.variants:
            raise InputError("merge: no variant was timed in all of these runs.")

    def name(self, report: Report) -> str:
        """Return the name of a run: its folder's, with its processor."""
        return f"{report.folder.resolve().name} ({report.header['machine']['processor']})"

    def disagreements(self) -> list[Disagreement]:
        """Return the pairs of variants that the runs rank in opposite order, both with their whole interval."""
        found = []
        for first, second in combinations(self.variants, 2):
            ratios = [(self.name(report), report.step_times.ratio(first, second)) for report in self.reports]
            sure = tuple((run, ratio) for run, ratio in ratios if ratio.excludes(1))
            if len({ratio.estimate < 1 for _, ratio in sure}) > 1:
                found.append(Disagreement(":".join(first), ":".join(second), sure))
        return found

    def ranking(self) -> pd.DataFrame:
        """Return a row for each common variant: its rank and its ratio to the fastest common one in each run.

        The rows are sorted by the mean of the ranks.
        """
        rows: list[dict[str, Any]] = [{"backend": ":".join(key)} for key in self.variants]
        ranks: list[list[int]] = [[] for _ in self.variants]
        for number, report in enumerate(self.reports, start=1):
            times = report.step_times
            steps = {key: times.step(key).estimate for key in self.variants}
            order = sorted(steps, key=steps.__getitem__)
            for place, key in enumerate(self.variants):
                rank = order.index(key) + 1
                ranks[place].append(rank)
                rows[place][f"run {number}"] = f"{rank}.  {format_interval(times.ratio(key, order[0]))}"
        return pd.DataFrame([rows[place] for place in sorted(range(len(rows)), key=lambda each: sum(ranks[each]))])

    def notes(self) -> list[str]:
        """Return the sentences to be read before the table."""
        pairs = len(self.variants) * (len(self.variants) - 1) // 2
        found = self.disagreements()
        machines = {report.header["machine"]["processor"] for report in self.reports}
        return [
            *(f"run {number}: {self.name(report)}" for number, report in enumerate(self.reports, start=1)),
            f"The runs are of {count_things(len(machines), 'processor model')}. They disagree on {len(found)} of "
            f"{pairs} pairs of variants: on a pair where each is sure, by its whole interval, of another order.",
            *(each.sentence for each in found),
            *self._describe_workload(),
        ]

    def _describe_workload(self) -> Iterator[str]:
        """Yield which workload of a suite is ranked; nothing for runs of one workload."""
        for workload in self.reports[0].suite_results.workloads[:1]:
            yield f"Of a suite, only its first workload is ranked here, {workload.name}: {workload.about}."

    def as_json(self) -> dict[str, Any]:
        """Return everything for programs."""
        return {
            "runs": [str(report.folder) for report in self.reports],
            "variants": [":".join(key) for key in self.variants],
            "disagreements": [
                {
                    "first": each.first,
                    "second": each.second,
                    "ratios": [{"run": run, **ratio._asdict()} for run, ratio in each.ratios],
                }
                for each in self.disagreements()
            ],
        }
