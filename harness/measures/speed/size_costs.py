"""What new batch sizes cost a variant, from the records that `shapes` leaves: their first calls, and slower paths."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ...common import statistics
from ...common.statistics import Floats, Interval
from ...records.query import Query
from . import figures

Key = tuple[str, str]
"""A backend and its variant."""

NEW_SIZES = 12
"""Batch sizes that the worker has not seen: more than one framework's limit of 8 compilations of a function."""
BLOCKS = 3 * statistics.SEGMENT
"""In which the slices of both workers are compared; each of the three times."""
SLOWER = 1.1
"""A step that takes more than this many times as long is one by a slower path: processes differ by a few per cent."""

BEFORE, AT_NEW, AT_LAST, AT_FIRST = "before", "at a new size", "at the last size", "at the first size"
"""When a slice is taken."""
MANY, ONE = "many sizes", "one size"
"""Which of the two workers takes it."""


class SizeCost(NamedTuple):
    """What new batch sizes cost a variant."""

    backend: str
    variant: str
    sizes: pd.DataFrame
    """A row for each new size: batch_size, position, first_call_s, extra_s (over the steps in steady state), step_s."""
    at_last: Interval
    """The step time at the last size over that of the worker that has seen no other."""
    at_first: Interval
    """The step time at the first size after the new ones over that before, both against the other worker."""
    rejected: str
    """Why the network is built anew for each size; "" where it is not."""
    failed: str
    """Why there are no values, or not all; "" where there are."""

    @property
    def name(self) -> str:
        """`backend:variant`."""
        return f"{self.backend}:{self.variant}"

    @property
    def slower_path(self) -> bool | None:
        """Whether a step is slower after the new sizes than without them; None where it is not known."""
        if math.isnan(self.at_last.estimate) or math.isnan(self.at_first.estimate):
            return None
        return self.at_last.low > SLOWER or self.at_first.low > SLOWER


def read_costs(query: Query, entries: Sequence[tuple[str, str]]) -> list[SizeCost]:
    """Return the costs of the variants that were measured, in this order."""
    names = ["backend", "variant", "when", "worker", "batch_size", "block", "value", "steps"]
    slices = query.columns(figures.SIZE_SLICE, names)
    slices = slices.assign(seconds=slices["value"].astype(float) / slices["steps"].astype(float))
    by_block, step_s = _by_block(slices), _by_size(slices)
    found = []
    for backend, variant in entries:
        who = {"backend": backend, "variant": variant}
        calls = query.rows(figures.NEW_SIZE, **who)
        failed = query.last(figures.SIZES_FAILED, "", **who)
        if len(calls) or failed:
            rejected = query.last(figures.SIZE_REJECTED, "", **who)
            at_last, at_first = compare_workers(by_block.get((backend, variant), {}))
            sizes = _tabulate_sizes(calls, step_s.get((backend, variant), {}))
            found.append(SizeCost(backend, variant, sizes, at_last, at_first, str(rejected), str(failed)))
    return found


def _by_block(slices: pd.DataFrame) -> dict[Key, dict[tuple[str, str], Floats]]:
    """Return the seconds a step of each variant by (when, worker), (blocks,)."""
    found: dict[Key, dict[tuple[str, str], Floats]] = {}
    groups: Any = slices.sort_values("block").groupby(["backend", "variant", "when", "worker"])["seconds"]
    for (backend, variant, when, worker), mine in groups:
        found.setdefault((backend, variant), {})[when, worker] = np.asarray(mine, dtype=np.float64)
    return found


def _by_size(slices: pd.DataFrame) -> dict[Key, dict[int, float]]:
    """Return the median seconds a step of each variant by the new size."""
    found: dict[Key, dict[int, float]] = {}
    groups: Any = slices[slices["when"].eq(AT_NEW)].groupby(["backend", "variant", "batch_size"])["seconds"]
    for (backend, variant, size), step_s in groups.median().items():
        found.setdefault((backend, variant), {})[int(size)] = float(step_s)
    return found


def compare_workers(seconds: dict[tuple[str, str], Floats]) -> tuple[Interval, Interval]:
    """Return how much longer a step takes at the last size, and at the first one, for the many sizes before it.

    `seconds` holds those of a step by (when, worker), (blocks,). NaN where slices are missing.
    """
    needed = [(when, kind) for when in (BEFORE, AT_LAST, AT_FIRST) for kind in (MANY, ONE)]
    if any(len(seconds.get(key, ())) != BLOCKS for key in needed):
        return Interval(math.nan, math.nan, math.nan), Interval(math.nan, math.nan, math.nan)
    at_last = statistics.paired_ratio([seconds[AT_LAST, MANY]], [seconds[AT_LAST, ONE]])
    # The other worker is there both times, at the same size: what the machine does meanwhile cancels.
    after, before = (seconds[when, MANY] / seconds[when, ONE] for when in (AT_FIRST, BEFORE))
    return at_last, statistics.unpaired_ratio([after], [before])


def _tabulate_sizes(calls: pd.DataFrame, steps_s: Mapping[int, float]) -> pd.DataFrame:
    rows = []
    for call in calls.sort_values("position").to_dict("records"):
        step_s = steps_s.get(int(call["batch_size"]), math.nan)
        rows.append(
            {
                "batch_size": int(call["batch_size"]),
                "position": int(call["position"]),
                "first_call_s": float(call["value"]),
                "extra_s": max(0.0, float(call["value"]) - float(call["steps"]) * step_s),
                "step_s": step_s,
            }
        )
    return pd.DataFrame(rows, columns=["batch_size", "position", "first_call_s", "extra_s", "step_s"])
