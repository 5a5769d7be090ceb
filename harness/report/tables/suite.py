"""Results of a suite: by workload and over all of them, for variants and for frameworks."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ...common.statistics import Interval
from ...measures.speed import suite
from ...records.query import Query
from ..text import format_interval, format_or_dash, format_share, join_words
from .speed import Key, Row, StepTimes

CAPTION = (
    "Times by workload over those of its fastest variant; (tie): not distinguishable from the fastest. Mean: the "
    "geometric mean over the workloads; its interval is that of the measurement, and speaks for these workloads alone."
)
PROFILE_CAPTION = (
    "Performance profile: the share of workloads on which a variant is within this factor of the fastest one."
)
HEADLINES = 3
"""The most frameworks that the headline names."""


class SuiteResults:
    """The times of a suite; false where the run has one workload."""

    def __init__(self, header: Mapping[str, Any], query: Query, own: StepTimes, entries: Sequence[Key]) -> None:
        self.workloads = suite.read_workloads(header, query, own.rounds)
        self.times = {each.name: StepTimes(each.rounds) for each in self.workloads}
        """The step times, or times of a call of `predict`, by workload."""
        timed = {key for times in self.times.values() for key in times.variants}
        self.variants = [key for key in entries if key in timed]
        """The variants that were timed on some workload, in the order of the run."""
        self.name = str(header["suite"]["name"]) if header.get("suite") else ""
        self.left_out: dict[str, str] = dict(header["suite"]["left_out"]) if header.get("suite") else {}
        self.left_out |= {each.name: "nothing was timed to its end" for each in self.workloads if not each.rounds}

    def __bool__(self) -> bool:
        return len(self.names) > 0

    @property
    def caption(self) -> str:
        """What the table shows, and what each workload is."""
        return f"{CAPTION} {'; '.join(f'{each.name}: {each.about}' for each in self.workloads if each.rounds)}."

    @property
    def names(self) -> list[str]:
        """The workloads on which something was timed."""
        return [name for name, times in self.times.items() if times]

    def ratio(self, name: str, key: Key) -> Interval:
        """Return how many times the fastest's time a variant's is on a workload; NaN where it was not timed."""
        return self.times[name].times_fastest(key)

    def compare(self, first: Key, second: Key, names: Sequence[str] | None = None) -> Interval:
        """Return the geometric mean over workloads of the first's time over the second's; NaN where one is missing."""
        used = self.names if names is None else names
        if any(key not in self.times[name] for name in used for key in (first, second)):
            return Interval(math.nan, math.nan, math.nan)
        return suite.geometric_mean([self.times[name].ratio(first, second) for name in used])

    def mean(self, key: Key) -> Interval:
        """Return the geometric mean over all workloads of the ratio to the fastest; NaN where one is missing."""
        return suite.geometric_mean([self.ratio(name, key) for name in self.names])

    def mean_seconds(self, key: Key, names: Sequence[str] | None = None) -> Interval:
        """Return the geometric mean over workloads of a variant's seconds; NaN where one is missing."""
        return suite.geometric_mean([self.times[name].step(key) for name in (self.names if names is None else names)])

    @cached_property
    def profiles(self) -> dict[Key, dict[str, float]]:
        """The ratio to the fastest by workload, for each variant: infinite where it was not timed."""
        return {
            key: {
                name: ratio if math.isfinite(ratio := self.ratio(name, key).estimate) else math.inf
                for name in self.names
            }
            for key in self.variants
        }

    def rank_frameworks(self, name: str) -> dict[str, int]:
        """Return the rank of each backend by its fastest variant on a workload: 1 + those distinguishably faster."""
        times = self.times[name]
        best: dict[str, Key] = {}
        for key in times.variants:
            if key[0] not in best or times.step(key).estimate < times.step(best[key[0]]).estimate:
                best[key[0]] = key
        return {
            backend: 1 + sum(other != key and times.ratio(other, key).high < 1 for other in best.values())
            for backend, key in best.items()
        }


def describe(results: SuiteResults, titles: Mapping[str, str]) -> Iterator[str]:
    """Yield the headline, and the workloads that are left out."""
    ranks = {name: results.rank_frameworks(name) for name in results.names}
    yield _headline(ranks, titles)
    for name in results.names:
        tested = results.times[name].self_test()
        if tested and tested[1].excludes(1):
            yield (
                f"On the workload {name} the timing failed its self-test ({':'.join(tested[0])} against itself: "
                f"{format_interval(tested[1], decimals=3)})."
            )
    for name, why in results.left_out.items():
        yield f"The workload {name} is left out: {why}."


def _headline(ranks: Mapping[str, Mapping[str, int]], titles: Mapping[str, str]) -> str:
    """Return who is first most often, and for which frameworks the rank depends on the workload, the most first."""
    backends = list(dict.fromkeys(backend for of_workload in ranks.values() for backend in of_workload))
    places = {one: {name: of[one] for name, of in ranks.items() if one in of} for one in backends}
    span = {one: max(mine.values()) - min(mine.values()) for one, mine in places.items()}
    moved = sorted((one for one in backends if span[one]), key=lambda one: -span[one])[:HEADLINES]
    if len(backends) < 2:
        return f"One framework was timed, on {len(ranks)} workloads."
    if not moved:
        return f"The frameworks' ranking by speed is the same on all {len(ranks)} workloads."
    told = []
    for one in moved:
        mine = places[one]
        best, worst = min(mine.values()), max(mine.values())
        last = all(max(ranks[name].values()) == worst for name in mine if mine[name] == worst)
        places_of = [*_describe_rank(one, ranks, best, _ordinal(best))]
        places_of += _describe_rank(one, ranks, worst, "last" if last else _ordinal(worst))
        told.append(f"{titles.get(one, one)} is {', and '.join(places_of)}")
    often = max(backends, key=lambda one: list(places[one].values()).count(1))
    firsts = [name for name, rank in places[often].items() if rank == 1]
    tied = any(list(ranks[name].values()).count(1) > 1 for name in firsts)
    return (
        f"{titles.get(often, often)} is first{', or tied for it,' if tied else ''} on {len(firsts)} of {len(ranks)} "
        f"workloads. The ranking by speed depends on the workload: {'; '.join(told)}."
    )


def _describe_rank(one: str, ranks: Mapping[str, Mapping[str, int]], rank: int, word: str) -> Iterator[str]:
    """Yield on which workloads a framework has this rank: alone, and as one of several not distinguished there."""
    mine = [name for name, of in ranks.items() if of.get(one) == rank]
    tied = [name for name in mine if list(ranks[name].values()).count(rank) > 1]
    alone = [name for name in mine if name not in tied]
    if alone:
        yield f"{word} on {join_words(alone)}"
    if tied:
        yield f"tied for {word} on {join_words(tied)}"


def _ordinal(rank: int) -> str:
    words = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
    return words[rank - 1] if rank <= len(words) else f"number {rank}"


def tabulate(results: SuiteResults) -> pd.DataFrame:
    """Return one row a workload and variant, with raw values: seconds, ratios to the fastest, the rank."""
    rows: list[Row] = []
    for name in results.names:
        times = results.times[name]
        ranks = suite.rank({key: times.step(key).estimate for key in times.variants})
        for key in results.variants:
            seconds, ratio = times.step(key), results.ratio(name, key)
            row: Row = {"workload": name, "backend": key[0], "variant": key[1]}
            row |= dict(zip(("seconds", "seconds_low", "seconds_high"), seconds, strict=True))
            row |= dict(zip(("times_fastest", "times_fastest_low", "times_fastest_high"), ratio, strict=True))
            rows.append({**row, "rank": ranks.get(key, np.nan)})
    return pd.DataFrame(rows)


def tabulate_profiles(results: SuiteResults) -> pd.DataFrame:
    """Return one row a variant: the mean of its ratios with its interval, and its performance profile."""
    rows: list[Row] = []
    for key in results.variants:
        shares = suite.performance_profile(results.profiles[key], suite.FACTORS)
        row: Row = {"backend": ":".join(key)}
        row |= dict(zip(("mean_ratio", "mean_ratio_low", "mean_ratio_high"), results.mean(key), strict=True))
        rows.append(row | {f"within_{factor:g}": share for factor, share in zip(suite.FACTORS, shares, strict=True)})
    return pd.DataFrame(rows)


def tabulate_curves(results: SuiteResults) -> pd.DataFrame:
    """Return the corners of every variant's performance profile: backend, factor, share; the best mean first.

    The curves end a little beyond the largest ratio of all, where every one is level.
    """
    ratios = [ratio for mine in results.profiles.values() for ratio in mine.values() if math.isfinite(ratio)]
    widest = 1.1 * max([1.0, *ratios])
    rows = [
        {"backend": ":".join(key), "factor": factor, "share": share}
        for key in _by_mean(results)
        for factor, share in suite.profile_curve(results.profiles[key], widest)
    ]
    return pd.DataFrame(rows, columns=["backend", "factor", "share"])


def format_ratios(results: SuiteResults) -> pd.DataFrame:
    """Return for people: one row a variant, a column for each workload, and the mean; the best mean first."""
    rows = []
    for key in _by_mean(results):
        row: Row = {"backend": ":".join(key)}
        for name in results.names:
            row[name] = _write_ratio(results, name, key)
        rows.append(row | {"mean [95 %]": format_or_dash(results.mean(key).estimate, _write_mean(results, key))})
    return pd.DataFrame(rows)


def format_profiles(results: SuiteResults) -> pd.DataFrame:
    """Return the performance profiles for people: one row a variant, a column for each factor."""
    rows = []
    for key in _by_mean(results):
        shares = suite.performance_profile(results.profiles[key], suite.FACTORS)
        columns = (f"x {factor:g}" for factor in suite.FACTORS)
        rows.append({"backend": ":".join(key), **dict(zip(columns, map(_write_share, shares), strict=True))})
    return pd.DataFrame(rows)


def _by_mean(results: SuiteResults) -> list[Key]:
    means = {key: results.mean(key).estimate for key in results.variants}
    return sorted(means, key=lambda key: math.inf if math.isnan(means[key]) else means[key])


def _write_ratio(results: SuiteResults, name: str, key: Key) -> str:
    ratio, times = results.ratio(name, key), results.times[name]
    tie = key != times.fastest and not ratio.excludes(1)
    return format_or_dash(ratio.estimate, lambda value: f"{value:.2f}{' (tie)' if tie else ''}")


def _write_mean(results: SuiteResults, key: Key) -> Any:
    return lambda _: format_interval(results.mean(key), decimals=2)


def _write_share(share: float) -> str:
    return format_share(share).replace(".0%", "%")
