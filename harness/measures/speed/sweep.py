"""A sweep: the step timed at other sizes, and the size at which arithmetic begins to take more time than overhead.

The model is a straight line: a step takes a constant time (the overhead) and a time for each operation (the inverse of
the rate). It is fitted to the relative errors, and neither can be negative. The crossing is the number of operations of
a step at which both take the same time.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from ...common import statistics
from ...common.statistics import Floats, Interval
from ...records.query import Query
from . import figures, peak
from .analysis import find_refuted

if TYPE_CHECKING:
    from ...workload.spec import Spec

FITTED = ("batch_size", "width")
"""The axes along which the operations of a step grow and their kind stays the same."""
LEAST_POINTS = 3
RESAMPLES = 200
BENT = 0.2
"""A line that misses a point by more than this share of the point is called bent."""


class Point(NamedTuple):
    """One size: the axis, its value, the spec there, and the threads."""

    axis: str
    value: Any
    spec: "Spec"
    threads: int

    @property
    def name(self) -> str:
        """The name of its task in the records: `width=64`."""
        return f"{self.axis}={self.value}"

    def operations(self, features: int, classes: int) -> int:
        """Return the operations of a step's matrix products."""
        sizes = (features, *self.spec.network.hidden, classes)
        return peak.operations(sizes, self.spec.training.batch_size)


def points(spec: "Spec", threads: int) -> Iterator[Point]:
    """Yield every point of the spec's sweep: one axis is varied, everything else is as in the spec."""
    hidden = spec.network.hidden
    for value in spec.sweep.batch_size:
        yield Point("batch_size", value, _with(spec, "training", batch_size=value), threads)
    for value in spec.sweep.width:
        yield Point("width", value, _with(spec, "network", hidden=(value,) * len(hidden)), threads)
    for value in spec.sweep.depth:
        yield Point("depth", value, _with(spec, "network", hidden=(hidden[0],) * value), threads)
    for dtype in spec.sweep.dtype:
        yield Point("dtype", dtype, _with(spec, "training", dtype=dtype), threads)
    for value in spec.sweep.threads:
        yield Point("threads", value, spec, value)


def _with(spec: "Spec", section: str, **values: Any) -> "Spec":
    return spec.model_copy(update={section: getattr(spec, section).model_copy(update=values)})


class Line(NamedTuple):
    """A step's time as a line over its operations."""

    overhead_s: float
    rate: float
    """Operations a second; infinite where more work takes no longer."""
    crossing: Interval
    """Operations at which half of the step is overhead."""
    misses: float
    """The largest relative error."""


def line(operations: Floats, rounds: list[Floats]) -> Line:
    """Fit the line to points: operations (points,), and for each point the seconds a step in every block, (blocks,)."""
    overhead, slope, misses = _fit(operations, np.array([np.median(blocks) for blocks in rounds]))
    rng = np.random.default_rng(0)
    crossings = []
    for _ in range(RESAMPLES):
        drawn = [np.median(statistics.resample([blocks], rng)) for blocks in rounds]
        crossings.append(_crossing(*_fit(operations, np.array(drawn))[:2]))
    low, high = np.quantile(crossings, [0.025, 0.975], method="nearest")  # of infinities no mean can be taken
    crossing = Interval(_crossing(overhead, slope), float(low), float(high))
    return Line(overhead, 1 / slope if slope else np.inf, crossing, misses)


def _fit(operations: Floats, seconds: Floats) -> tuple[float, float, float]:
    """Return overhead, seconds an operation, and the largest relative error."""
    from scipy.optimize import nnls  # noqa: PLC0415  # slow to import, and most runs have no sweep

    scale = operations.max()
    design = np.column_stack([1 / seconds, operations / scale / seconds])
    (overhead, slope), _ = nnls(design, np.ones(len(seconds)))
    misses = np.abs(design @ [overhead, slope] - 1).max()
    return float(overhead), float(slope / scale), float(misses)


def _crossing(overhead: float, slope: float) -> float:
    return overhead / slope if slope else np.inf


# From the records


def times(query: Query) -> pd.DataFrame:
    """Return one row a point and variant: axis, point, operations, the step's median and interval, and its `blocks`.

    `blocks` holds the seconds a step in every block, (blocks,).
    """
    slices = query.rows(figures.SWEEP[figures.SLICE.name])
    slices = slices[~find_refuted(query, slices, figures.SWEEP[figures.TIMED_CHECK.name])]
    rows: list[dict[str, Any]] = []
    keys = ["axis", "point", "operations", "backend", "variant"]
    for (axis, point, operations, backend, variant), mine in slices.groupby(keys, sort=False):
        blocks = np.asarray(mine["value"].astype(float) / mine["steps"].astype(float), dtype=np.float64)
        rows.append(
            {
                "axis": axis,
                "point": format_point(point),
                "operations": operations,
                "backend": f"{backend}:{variant}",
                **dict(zip(("step_s", "step_s_low", "step_s_high"), statistics.median([blocks]), strict=True)),
                "blocks": blocks,
            }
        )
    return pd.DataFrame(rows)


def format_point(point: Any) -> str:
    """Return the value on an axis as text. In a column that other records lack, a whole number is a float."""
    return point if isinstance(point, str) else f"{point:g}"


def lines(found: pd.DataFrame) -> pd.DataFrame:
    """Return one row a variant and axis of FITTED that has points enough: the line, and the crossing on that axis."""
    rows = []
    for (axis, backend), mine in found.groupby(["axis", "backend"], sort=False) if len(found) else ():
        if axis in FITTED and len(mine) >= LEAST_POINTS:
            mine = mine.sort_values("operations")  # noqa: PLW2901
            fitted = line(mine["operations"].to_numpy(float), list(mine["blocks"]))
            rows.append(
                {
                    "backend": backend,
                    "axis": axis,
                    "overhead_s": fitted.overhead_s,
                    "flop_rate": fitted.rate,
                    "crossing": fitted.crossing.estimate,
                    "crossing_low": fitted.crossing.low,
                    "crossing_high": fitted.crossing.high,
                    "crossing_at": locate(mine, fitted.crossing.estimate),
                    "misses": fitted.misses,
                }
            )
    return pd.DataFrame(rows)


def locate(mine: pd.DataFrame, operations: float) -> str:
    """Return the two values of the axis between which `operations` lie; `mine` is sorted by operations."""
    below = mine.loc[mine["operations"] <= operations, "point"]
    above = mine.loc[mine["operations"] > operations, "point"]
    if not len(below):
        return f"below {above.iloc[0]}"
    if not len(above):
        return f"beyond {below.iloc[-1]}"
    return f"{below.iloc[-1]} to {above.iloc[0]}"
