"""Tables of the sweep: the time per step at every size, and where the overhead ends and the arithmetic begins."""

import numpy as np
import pandas as pd

from ...measures.speed import sweep
from ..text import format_number, format_or_dash, format_time

CAPTION = (
    "The time per step is modelled as a line over the operations of its matrix products. The overhead is the time that "
    "a step takes with nothing to compute. At the crossing the overhead is half of the step: below it the framework "
    f"costs more, beyond it the arithmetic does. A line is bent where it misses a point by more than {sweep.BENT:.0%}."
)


def format_points(points: pd.DataFrame) -> pd.DataFrame:
    """Return the time per step at every point: one row a point, one column a variant."""
    if not len(points):
        return points
    written = points.assign(
        point=points["axis"] + " " + points["point"].astype(str),
        arithmetic=points["operations"].map(lambda each: f"{format_number(each / 1e6)} MFLOP"),
        step=points["step_s"].map(format_time),
    )
    table = written.pivot_table(
        index=["point", "arithmetic"], columns="backend", values="step", aggfunc="first", sort=False
    )
    return table.fillna("-").reset_index().rename_axis(columns=None)


def format_lines(points: pd.DataFrame) -> pd.DataFrame:
    """Return the overhead, the rate and the crossing of each variant along each axis."""
    rows = []
    for row in sweep.lines(points).to_dict("records"):
        ends = [row["crossing"], row["crossing_low"], row["crossing_high"]]
        estimate, low, high = (format_number(each / 1e6) if np.isfinite(each) else "none" for each in ends)
        rate = row["flop_rate"] if np.isfinite(row["flop_rate"]) else np.nan
        rows.append(
            {
                "backend": row["backend"],
                "axis": row["axis"],
                "overhead": format_time(row["overhead_s"]) if row["overhead_s"] else "none",
                "GFLOP/s": format_or_dash(rate, lambda value: format_number(value / 1e9)),
                "crossing, MFLOP [95 %]": f"{estimate} [{low}, {high}]",
                "crossing at": f"{row['axis']} {row['crossing_at']}",
                "line": f"{'bent, misses' if row['misses'] > sweep.BENT else 'misses at most'} {row['misses']:.0%}",
            }
        )
    return pd.DataFrame(rows).fillna("")
