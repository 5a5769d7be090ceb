"""The charts of the speed: step times, the fitness of the measurement, start-up, the cost by size, memory."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ...measures.speed.figures import BUILD, FIRST_CALL, IMPORT, PEAK_MEMORY, SLICE, TRANSFER
from ...measures.speed.sweep import FITTED
from ..report import Report
from .chart import NAME, Chart, Spec, band, seconds_axis, tooltip, variant_axis, variant_colour



def chart_step_times(report: Report) -> Chart | None:
    """Return the step time of every variant with its interval; that of the second copy, too. None without any."""
    rows = [
        {NAME: f"{row['backend']}:{row['variant']}", **{key: row[key] for key in ("step_s", "step_s_low", "step_s_high")}}
        for row in report.rows
        if not np.isnan(row["step_s"])
    ]
    if not rows:
        return None
    table = pd.DataFrame(rows).sort_values("step_s")
    order = list(table[NAME])
    x = {"field": "step_s", **seconds_axis("time per training step (logarithmic)")}
    y = variant_axis(order)
    told = tooltip((NAME, "variant", ""), ("step_s", "median, s", ".3s"), ("step_s_low", "low, s", ".3s"),
                   ("step_s_high", "high, s", ".3s"))
    spec: Spec = {
        **band(len(rows)),
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 3},
                "encoding": {"y": y, "x": {**x, "field": "step_s_low"}, "x2": {"field": "step_s_high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": {"y": y, "x": x, "tooltip": told},
            },
        ],
    }
    return Chart(
        "step_times",
        "Time per training step",
        "One row a variant, the fastest at the top. The dot is the median, the line its 95 % interval; "
        "where two lines overlap widely, the order of the two is open. Each mark of the axis is a multiple of the one before.",
        table,
        spec,
        f"{SLICE.measure}/{SLICE.name}",
        {key: "s" for key in ("step_s", "step_s_low", "step_s_high")},
    )
