"""Tables of the speed: step times with their intervals, their ratios, and everything else that was timed."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import combinations
from typing import Any, Self

import numpy as np
import pandas as pd

from ...common import machine, statistics
from ...common.statistics import Interval
from ...measures.speed import analysis, stopping
from ...measures.speed.figures import PEAK_DEVICE_MEMORY, TRANSFER
from ...measures.training.defaults import TARGET
from ...records.query import Query
from ..text import format_interval, format_number, format_or_dash, format_size, format_time
from .training import epochs_to_target, steps_per_epoch

Row = dict[str, Any]
Key = tuple[str, str]
"""A backend and its variant."""
Contestant = tuple[str, str, bool]
"""A backend, its variant, and whether it is the second copy of the self-tested one."""

NOT_TIMED = Interval(np.nan, np.nan, np.nan)

CAPTION = (
    "Time per step: the 10th percentile, the median and the 90th percentile over all blocks. Outliers are labelled and "
    "kept. Steady after: the slices until the worker reached steady state. GFLOP/s: the arithmetic of the matrix "
    "products; of peak: its share of the rate that NumPy's own matrix product reaches on this machine. Predictions are "
    "timed from host to host: the 50th, 95th and 99th percentile. The last column: the epochs until the validation "
    f"accuracy is {TARGET:.0%}, and the time that their steps take."
)


WARM_UP_CAPTION = (
    "Time per step in the slices of the warm-up, each the median over the rounds: the curve by which a worker comes to "
    "its pace. None of these slices counts. A worker is timed when its times have settled; one that has not in the "
    "time that it gets is marked `not reached`."
)
WARM_UP_SLICES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
"""The slices whose step times are shown, so that the curve is seen over orders of magnitude."""


class StepTimes:
    """The step times of a workload: of every variant that was timed in every block of every finished round."""

    def __init__(self, rounds: dict[tuple[str, str, bool], list[statistics.Floats]], until: bool = False) -> None:
        self.rounds = rounds
        """Seconds per step, an array (blocks,) a round, by (backend, variant, self_test)."""
        self.until = until
        """Whether rounds were added until the ratios were known: then every interval is an anytime-valid one."""
        self._steps: dict[Contestant, Interval] = {}
        self._ratios: dict[tuple[Contestant, Contestant], Interval] = {}

    @classmethod
    def of_run(cls, header: Mapping[str, Any], query: Query) -> Self:
        """Return the step times of a run's own spec."""
        return cls(analysis.read_rounds(header, query), header["plan"].get("until") is not None)

    def __bool__(self) -> bool:
        return bool(self.rounds)

    def __contains__(self, key: Key) -> bool:
        return (*key, False) in self.rounds

    @property
    def variants(self) -> list[Key]:
        """Every variant that was timed; the second copy of the self-tested one is not among them."""
        return [(backend, variant) for backend, variant, self_test in self.rounds if not self_test]

    @cached_property
    def scatter(self) -> statistics.Scatter:
        """The variation between processes of one program in this run."""
        return statistics.scatter(list(self.rounds.values()))

    @cached_property
    def fastest(self) -> Key | None:
        """The variant with the smallest median step time."""
        if self.until:
            found = stopping.find_fastest(self.rounds)
            return None if found is None else found[:2]
        medians = {key: float(np.median(np.concatenate(self.rounds[*key, False]))) for key in self.variants}
        return min(medians, key=lambda key: medians[key]) if medians else None

    def step(self, key: Key) -> Interval:
        """Return the seconds per step of a variant; NaN where it was not timed."""
        return self.contestant_step((*key, False))

    def contestant_step(self, contestant: Contestant) -> Interval:
        """Return the seconds per step of a contestant; NaN where it was not timed."""
        if contestant not in self.rounds:
            return NOT_TIMED
        if contestant not in self._steps:
            rounds = self.rounds[contestant]
            found = stopping.step_interval(rounds) if self.until else statistics.median(rounds, self.scatter)
            self._steps[contestant] = found
        return self._steps[contestant]

    def ratio(self, first: Key, second: Key) -> Interval:
        """Return the step time of the first over that of the second, from the blocks that both took together."""
        return self.contestant_ratio((*first, False), (*second, False))

    def contestant_ratio(self, first: Contestant, second: Contestant) -> Interval:
        """Return the step time of the first contestant over that of the second."""
        if first == second:
            return Interval(1.0, 1.0, 1.0)
        if (first, second) not in self._ratios:
            one, other = self._compare(self.rounds[first], self.rounds[second])
            self._ratios |= {(first, second): one, (second, first): other}
        return self._ratios[first, second]

    def compare_all(self) -> None:
        """Work out the ratio of every two variants, on all usable cores: NumPy's loops let other threads run."""
        _ = self.scatter  # once, before all threads ask for it
        with ThreadPoolExecutor(len(machine.usable_cores())) as pool:
            list(pool.map(lambda pair: self.ratio(*pair), combinations(self.variants, 2)))

    def _compare(self, first: list[statistics.Floats], second: list[statistics.Floats]) -> tuple[Interval, Interval]:
        """Return the ratio, and its inverse."""
        if self.until:
            return stopping.ratio_interval(first, second), stopping.ratio_interval(second, first)
        return statistics.paired_ratios(first, second, self.scatter)

    def times_fastest(self, key: Key) -> Interval:
        """Return how many times the fastest variant's step time a variant's is; NaN where it was not timed."""
        if key not in self or self.fastest is None:
            return NOT_TIMED
        return self.ratio(key, self.fastest)

    def self_test(self) -> tuple[Key, Interval] | None:
        """Return the variant that was timed against itself, and that ratio; None where nothing was timed so."""
        for backend, variant, self_test in self.rounds:
            if self_test and (backend, variant) in self:
                first, second = (backend, variant, False), (backend, variant, True)
                return (backend, variant), self.contestant_ratio(first, second)
        return None


def tabulate_ratios(times: StepTimes) -> pd.DataFrame:
    """Return the ratio of the step times of every two variants: row over column."""
    times.compare_all()
    rows = []
    for mine in times.variants:
        row: Row = {"backend": ":".join(mine)}
        row |= {":".join(other): format_interval(times.ratio(mine, other), decimals=2) for other in times.variants}
        rows.append(row)
    return pd.DataFrame(rows)


def read_speed(
    header: Mapping[str, Any], query: Query, times: StepTimes, entries: Sequence[Key], slices: pd.DataFrame
) -> list[Row]:
    """Return a row for each variant that was timed, with raw values: seconds, shares, counts.

    `slices` are all slices, as `analysis.labelled` has them.
    """
    rows: list[Row] = []
    if not len(slices):
        return rows
    first = slices[slices["self_test"].eq(False)]
    of_variant = first.groupby(["backend", "variant"]).indices
    flops, rate = analysis.operations(dict(header)), analysis.peak_rate(query)
    for backend, variant in entries:
        mine = first.iloc[of_variant.get((backend, variant), [])]
        details = analysis.details(query, backend, variant, mine)
        if not details:
            continue
        step_s = times.step((backend, variant)).estimate
        timed = {"backend": backend, "variant": variant, "self_test": False}
        epochs = epochs_to_target(query, backend, variant)
        rows.append(
            {
                "backend": f"{backend}:{variant}",
                "flops_a_step": flops,
                "flop_rate": flops / step_s,
                "of_peak": flops / step_s / rate,
                **details,
                "device_bytes": query.last(PEAK_DEVICE_MEMORY, **timed),
                "transfer_s": query.values(TRANSFER, **timed).median(),
                "epochs_to_target": epochs,
                "time_to_target_s": epochs * steps_per_epoch(header) * step_s,
            }
        )
    return rows


def tabulate_warm_up(slices: pd.DataFrame, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the warm-up curve of each variant, written out, from `analysis.warm_up` and the rows of `read_speed`."""
    curves = []
    medians = slices.groupby(["backend", "variant", "slice"])["step"].median()
    of_variant = dict(iter(medians.groupby(level=["backend", "variant"])))
    for row in rows:
        backend, _, variant = row["backend"].partition(":")
        if (backend, variant) not in of_variant:
            continue
        steps = of_variant[backend, variant].droplevel(["backend", "variant"])
        curve = {f"slice {each}": format_or_dash(steps.get(each, np.nan), format_time) for each in WARM_UP_SLICES}
        last = format_time(float(steps.iloc[-1]))
        curves.append({"backend": row["backend"], **curve, "last": last, "steady after": _describe_steady(row)})
    table = pd.DataFrame(curves)
    return table.loc[:, [column for column in table if not table[column].eq("-").all()]]


def _describe_steady(row: Mapping[str, Any]) -> str:
    return "not reached" if row["never_steady"] else format_or_dash(row["steady_since"], "{:.0f} slices".format)


def format_speed(rows: Sequence[Mapping[str, Any]], batch: int) -> pd.DataFrame:
    """Return the rows of `read_speed` written out for people."""
    return pd.DataFrame([_format_speed_row(row, batch) for row in rows])


def _format_speed_row(row: Mapping[str, Any], batch: int) -> Row:
    def times(*names: str) -> str:
        return " / ".join(format_or_dash(row.get(name, np.nan), format_time) for name in names)

    target = f"{row['epochs_to_target']:.0f} epochs, {format_or_dash(row['time_to_target_s'], format_time)}"
    return {
        "backend": row["backend"],
        "time per step: 10 % / median / 90 %": times("quick_step_s", "step_s", "slow_step_s"),
        "outliers": f"{row['outliers']} of {row['slices']}",
        "steady after": _describe_steady(row),
        "cores busy": f"{row['cores_busy']:.2f}",
        "threads": ", ".join(f"{name} {count}" for name, count in (row["threads"] or {}).items()) or "-",
        "GFLOP/s": format_or_dash(row["flop_rate"], lambda rate: format_number(rate / 1e9)),
        "of peak": format_or_dash(row["of_peak"], "{:.0%}".format),
        "transfer": format_or_dash(row["transfer_s"], format_time),
        **({} if pd.isna(row["device_bytes"]) else {"on the device": format_size(row["device_bytes"])}),
        "predict 1 row": times(*(f"latency_1_p{quantile}_s" for quantile in analysis.QUANTILES)),
        f"predict {batch} rows": times(*(f"latency_{batch}_p{quantile}_s" for quantile in analysis.QUANTILES)),
        f"to {TARGET:.0%} accuracy": "not reached" if pd.isna(row["epochs_to_target"]) else target,
    }
