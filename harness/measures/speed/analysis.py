"""The timed slices of a run and what else was measured of them: spread, outliers, latency, threads, warm-up."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ...common import statistics
from ...records.query import Query
from ...records.vocabulary import FINISHED, Figure
from . import figures, peak

Row = dict[str, Any]

RECORDED = ["backend", "variant", "self_test", "round", "block", "position", "steps", "value", "cpu_s"]
SLICE = [*RECORDED, "step", "outlier"]
"""The columns of a slice; `value` is renamed to `wall_s`."""

QUANTILES = (50, 95, 99)
"""Of latency, in per cent of the calls."""


def planned_blocks(header: Mapping[str, Any], query: Query) -> int | None:
    """Return the blocks of a round, by the plan or the time budget; None where they were not yet worked out."""
    blocks = header["plan"]["blocks"]
    if blocks is None:
        blocks = query.last(figures.BLOCKS, None)
    return None if blocks is None else int(blocks)


def read_rounds(header: Mapping[str, Any], query: Query) -> dict[tuple[str, str, bool], list[statistics.Floats]]:
    """Return the seconds per step of every contestant that was timed in every block of every finished round.

    They are an array (blocks,) a round, by backend, variant, and whether it is the second copy of the self-test.
    """
    keys = ["backend", "variant", "self_test"]
    slices = query.columns(figures.SLICE, [*keys, "round", "block", "value", "steps"])
    slices = slices[~find_refuted(query, slices)]
    if not len(slices):
        return {}
    step = slices["value"].to_numpy(float) / slices["steps"].to_numpy(float)
    of_round, block = slices["round"].to_numpy(), slices["block"].to_numpy()
    ended = query.rows(FINISHED)["task"].str.extract(r"^round (\d+)$")[0].dropna()
    blocks = dict.fromkeys(map(int, ended), planned_blocks(header, query))
    times: dict[tuple[str, str, bool], list[statistics.Floats]] = {}
    of_contestant: dict[Any, Any] = dict(slices.groupby(keys).indices)
    for (backend, variant, self_test), places in sorted(of_contestant.items()):
        mine = places[np.lexsort((block[places], of_round[places]))]
        numbers, begins = np.unique(of_round[mine], return_index=True)
        rounds = np.split(step[mine], begins[1:])
        if dict(zip(numbers.tolist(), map(len, rounds), strict=True)) == blocks:
            times[str(backend), str(variant), bool(self_test)] = rounds
    return times


def find_refuted(query: Query, rows: pd.DataFrame, figure: Figure = figures.TIMED_CHECK) -> "pd.Series[bool]":
    """Return for each row whether its variant computed something else while it was timed: it has no speed then."""
    checks = query.columns(figure, ["backend", "variant", "value"])
    refuted = pd.Series(False, index=rows.index)
    pairs = checks.loc[checks["value"].ne(figures.PASSED), ["backend", "variant"]].drop_duplicates()
    for backend, variant in pairs.itertuples(index=False):
        refuted |= rows["backend"].eq(backend) & rows["variant"].eq(variant)
    return refuted


def labelled(query: Query) -> pd.DataFrame:
    """Return every timed slice with its `step` in seconds and whether it is an `outlier` in its worker's round."""
    slices = query.columns(figures.SLICE, RECORDED)
    return _label(slices) if len(slices) else pd.DataFrame()


def _label(slices: pd.DataFrame) -> pd.DataFrame:
    step = slices["value"].to_numpy(float) / slices["steps"].to_numpy(float)
    outlier = np.zeros(len(slices), dtype=bool)
    for places in slices.groupby(["backend", "variant", "self_test", "round"]).indices.values():
        outlier[places] = statistics.outliers(step[places])
    return slices.assign(step=step, outlier=outlier).reindex(columns=SLICE).rename(columns={"value": "wall_s"})


def details(query: Query, backend: str, variant: str, slices: pd.DataFrame | None = None) -> Row:
    """Return what was measured of one variant beside its median step, as raw values: seconds, shares, counts.

    `slices` are those of the variant as `labelled` has them, without the second copy of the self-tested one.
    """
    who = {"backend": backend, "variant": variant, "self_test": False}
    if slices is None:
        slices = _label(query.columns(figures.SLICE, RECORDED, **who))
    if not len(slices) or find_refuted(query, slices).any():
        return {}
    step = slices["step"].to_numpy(float)
    return {
        "quick_step_s": float(np.quantile(step, 0.1)),
        "step_s": float(np.median(step)),
        "slow_step_s": float(np.quantile(step, 0.9)),
        "slices": len(step),
        "outliers": int(slices["outlier"].sum()),
        "cores_busy": float(slices["cpu_s"].astype(float).sum() / slices["wall_s"].astype(float).sum()),
        **_warm_up(query.columns(figures.STEADY, ["value", "since"], **who)),
        **_threads(query.columns(figures.THREADS, ["value", "of"], **who)),
        **_latency(query.columns(figures.LATENCY, ["rows", "calls"], **who)),
    }


def warm_up(query: Query) -> pd.DataFrame:
    """Return every slice of the warm-up, by variant and round: `slice` from 1, `step` in seconds, `since_s` its start.

    Without the second copy of the self-tested variant. `since_s` counts the slices alone, from the first one's start.
    """
    names = ["backend", "variant", "round", "block", "value", "steps"]
    slices = query.columns(figures.WARM_UP_SLICE, names, self_test=False)
    if not len(slices):
        return pd.DataFrame()
    slices = slices.assign(step=slices["value"].astype(float) / slices["steps"].astype(float))
    each = slices.groupby(["backend", "variant", "round"])["value"]
    slices = slices.assign(since_s=each.cumsum().astype(float) - slices["value"].astype(float))
    return slices.rename(columns={"block": "slice"})[["backend", "variant", "round", "slice", "since_s", "step"]]


def _warm_up(steady: pd.DataFrame) -> Row:
    """Return the most slices that a round's worker took to reach its steady state; None where one did not reach it."""
    if not len(steady):
        return {"steady_since": None, "never_steady": False}
    never = not steady["value"].astype(bool).all()
    since = steady["since"].max()  # NaN where no record says it
    return {"steady_since": None if never or np.isnan(since) else int(since), "never_steady": never}


def _threads(found: pd.DataFrame) -> Row:
    """Return the threads that compute, by what reports them: the framework, its libraries, the system."""
    most = found["value"].astype(int).groupby(found["of"].astype(str)).max()
    return {"threads": {str(name): int(count) for name, count in most.items()}}


def _latency(found: pd.DataFrame) -> Row:
    """Return the quantiles of the calls of `predict`, by the number of rows."""
    row: Row = {}
    for rows in found["rows"].unique():
        every = np.concatenate([np.asarray(each, float) for each in found.loc[found["rows"].eq(rows), "calls"]])
        for quantile in QUANTILES:
            row[f"latency_{rows:.0f}_p{quantile}_s"] = float(np.quantile(every, quantile / 100))
    return row


def peak_rate(query: Query) -> float:
    """Return the best rate of the machine's own matrix product in this run, in operations a second; or NaN."""
    rates = query.values(figures.PEAK_RATE)
    return float(rates.max()) if len(rates) else float("nan")


def operations(header: dict[str, Any]) -> int:
    """Return the operations of the matrix products of one step of a run, by its run.json."""
    spec, data = header["spec"], header["data"]
    sizes = (data["features"], *spec["network"]["hidden"], data["classes"])
    return peak.operations(sizes, spec["training"]["batch_size"])
