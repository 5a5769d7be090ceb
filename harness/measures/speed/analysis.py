"""What the raw times of a run say beside its step times: spread, outliers, latency, arithmetic, threads, warm-up."""

from typing import Any

import numpy as np
import pandas as pd

from ...common import statistics
from . import peak

Row = dict[str, Any]

SLICE = ["backend", "variant", "control", "round", "turn", "position", "steps", "value", "cpu_s", "step", "outlier"]
"""What is told of a slice."""

QUANTILES = (50, 95, 99)
"""Of latency, in per cent of the calls."""


def labelled(records: pd.DataFrame) -> pd.DataFrame:
    """Return every slice of a turn with its `step` in seconds and whether it is an `outlier` of its worker's round."""
    slices = records[records["quantity"].eq("slice") & records["measure"].eq("speed")].copy()
    slices["step"] = slices["value"].astype(float) / slices["steps"].astype(float)
    slices["outlier"] = False
    if not len(slices):
        return pd.DataFrame()
    for _, mine in slices.groupby(["backend", "variant", "control", "round"]):
        slices.loc[mine.index, "outlier"] = statistics.outliers(mine["step"].to_numpy(float))
    return slices.reindex(columns=SLICE).rename(columns={"value": "wall_s"})


def details(records: pd.DataFrame, backend: str, variant: str) -> Row:
    """Return what the slices, the warm-ups and the predictions of one variant say; seconds, shares, counts."""
    mine = records[records["measure"].eq("speed") & records["backend"].eq(backend) & records["variant"].eq(variant)]
    mine = mine[mine["control"].eq(False)]
    slices = labelled(mine)
    if not len(slices):
        return {}
    step = slices["step"].to_numpy(float)
    return {
        "quick_step_s": float(np.quantile(step, 0.1)),
        "step_s": float(np.median(step)),
        "slow_step_s": float(np.quantile(step, 0.9)),
        "slices": len(step),
        "outliers": int(slices["outlier"].sum()),
        "cores_busy": float(slices["cpu_s"].astype(float).sum() / slices["wall_s"].astype(float).sum()),
        **_warm_up(mine),
        **_threads(mine),
        **_latency(mine),
    }


def _warm_up(mine: pd.DataFrame) -> Row:
    """Return how many slices went by until the worker was steady, the most of its rounds; None: it never was."""
    steady = mine[mine["quantity"].eq("steady")]
    if not len(steady) or "since" not in steady:
        return {"steady_since": None, "never_steady": False}
    never = not steady["value"].astype(bool).all()
    return {"steady_since": None if never else int(steady["since"].max()), "never_steady": never}


def _threads(mine: pd.DataFrame) -> Row:
    """Return the threads that compute, by who told it: the framework itself, the libraries below it, the system."""
    found = mine[mine["quantity"].eq("threads")]
    if not len(found):
        return {"threads": {}}
    most = found["value"].astype(int).groupby(found["of"].astype(str)).max()
    return {"threads": {str(name): int(count) for name, count in most.items()}}


def _latency(mine: pd.DataFrame) -> Row:
    """Return the quantiles of the calls of `predict`, by the number of rows."""
    row: Row = {}
    found = mine[mine["quantity"].eq("latency")]
    for rows in found["rows"].unique() if len(found) else ():
        every = np.concatenate([np.asarray(each, float) for each in found.loc[found["rows"].eq(rows), "calls"]])
        for quantile in QUANTILES:
            row[f"latency_{rows:.0f}_p{quantile}_s"] = float(np.quantile(every, quantile / 100))
    return row


def peak_rate(records: pd.DataFrame) -> float:
    """Return the best rate of the machine's own matrix product in this run, in operations a second; or NaN."""
    rates = records[records["quantity"].eq("peak") & records["measure"].eq("speed")]["value"].astype(float)
    return float(rates.max()) if len(rates) else float("nan")


def operations(header: dict[str, Any]) -> int:
    """Return the operations of the matrix products of one step of a run, by its run.json."""
    spec, data = header["spec"], header["data"]
    sizes = (data["features"], *spec["network"]["hidden"], data["classes"])
    return peak.operations(sizes, spec["training"]["batch_size"])
