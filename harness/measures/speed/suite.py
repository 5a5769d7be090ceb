"""A suite of workloads, from its records: times by workload, ratios to the fastest, performance profiles, means.

A performance profile (Dolan and More, Mathematical Programming 91, 2002, 201-213) is, for each variant, the share of
workloads on which it is within a factor of the fastest. The mean over workloads is the geometric one: the only mean of
ratios that does not depend on the variant to which they are taken (Fleming and Wallace, CACM 29(3), 1986, 218-221).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...common.statistics import Floats, Interval
from ...records.query import Query
from ...records.vocabulary import FINISHED
from . import figures

Key = tuple[str, str]
"""A backend and its variant."""
Contestant = tuple[str, str, bool]
"""A backend, its variant, and whether it is the second copy of the self-test."""

FACTORS = (1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
"""The factors at which the table of performance profiles has a column."""


class TimedWorkload(NamedTuple):
    """What was timed of one workload."""

    name: str
    about: str
    rounds: dict[Contestant, list[Floats]]
    """Seconds a step, or a call of `predict`, of every contestant timed in all rounds: an array (blocks,) a round."""
    unsupported: dict[Key, str]
    """Why variants are not timed."""


def read_workloads(header: Mapping[str, Any], query: Query, own: dict[Contestant, list[Floats]]) -> list[TimedWorkload]:
    """Return the workloads of a run in their order; `own` are the rounds of the first, which is the run's own spec."""
    suite = header.get("suite")
    if not suite:
        return []
    first, *others = suite["workloads"]
    timed = [TimedWorkload(first["name"], first["about"], own, {})]
    slices = query.rows(figures.SUITE[figures.SLICE.name])
    calls = query.rows(figures.SUITE[figures.LATENCY.name])
    tasks = set(query.rows(FINISHED)["task"].astype(str))
    refused = query.rows(figures.SUITE_UNSUPPORTED)
    for each in others:
        training = each["measure"] == "training"
        rows = slices if training else calls
        mine = rows[rows["workload"].eq(each["name"])]
        values = mine["value"].astype(float) / (mine["steps"].astype(float) if training else 1.0)
        rounds = _group_by_contestant(mine.assign(seconds=values))
        ended = sum(
            f"workload {each['name']} round {number + 1}" in tasks for number in range(header["plan"]["rounds"])
        )
        why = refused[refused["workload"].eq(each["name"])].to_dict("records")
        unsupported = {(str(row["backend"]), str(row["variant"])): str(row["value"]) for row in why}
        timed.append(TimedWorkload(each["name"], each["about"], _select_whole(rounds, ended), unsupported))
    return timed


def _group_by_contestant(rows: Any) -> dict[Contestant, list[Floats]]:
    found: dict[Contestant, list[Floats]] = {}
    for (backend, variant, self_test), mine in rows.groupby(["backend", "variant", "self_test"]):
        parts = [part.sort_values("block")["seconds"].to_numpy(float) for _, part in mine.groupby("round")]
        found[str(backend), str(variant), bool(self_test)] = parts
    return found


def _select_whole(rounds: dict[Contestant, list[Floats]], ended: int) -> dict[Contestant, list[Floats]]:
    """Return those that were timed in every block of every finished round, as most were."""
    shapes = [tuple(map(len, parts)) for parts in rounds.values() if len(parts) == ended]
    most = max(shapes, default=())
    return {key: parts for key, parts in rounds.items() if tuple(map(len, parts)) == most}


# Arithmetic


def performance_profile(ratios: Mapping[str, float], factors: Sequence[float]) -> list[float]:
    """Return the share of workloads on which a variant is within each factor of the fastest.

    `ratios` are its times over the fastest's, by workload; infinite where it has no time there.
    """
    return [sum(ratio <= factor for ratio in ratios.values()) / len(ratios) for factor in factors]


def profile_curve(ratios: Mapping[str, float], widest: float) -> list[tuple[float, float]]:
    """Return the performance profile as the corners of its steps, (factor, share): from factor 1 to `widest`.

    Between two corners the share is that of the left one.
    """
    jumps = sorted({1.0, widest, *(ratio for ratio in ratios.values() if 1 < ratio <= widest)})
    return list(zip(jumps, performance_profile(ratios, jumps), strict=True))


def geometric_mean(ratios: Sequence[Interval]) -> Interval:
    """Return the geometric mean of ratios, with the interval that follows from theirs.

    The workloads were timed one after the other, so their errors are independent: on each side, the distance of the end
    from the estimate is, in logarithms, the root of the sum of the squares of the single distances, divided by their
    number. It speaks for these workloads, and not for others that could have been chosen.
    """
    if not ratios or not all(math.isfinite(ratio.estimate) for ratio in ratios):
        return Interval(math.nan, math.nan, math.nan)
    logs = np.log(np.maximum(np.array(ratios, dtype=np.float64), np.finfo(np.float64).tiny))
    middle = logs[:, 0].mean()
    below = math.sqrt(float(((logs[:, 0] - logs[:, 1]) ** 2).sum())) / len(ratios)
    above = math.sqrt(float(((logs[:, 2] - logs[:, 0]) ** 2).sum())) / len(ratios)
    return Interval(*(float(np.exp(each)) for each in (middle, middle - below, middle + above)))


def rank(times: Mapping[Key, float]) -> dict[Key, int]:
    """Return the rank of each variant by its time, the fastest first; equals share the better rank."""
    return {key: 1 + sum(other < mine for other in times.values()) for key, mine in times.items()}
