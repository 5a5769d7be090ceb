"""The charts of the speed: step times, the cost by size, memory."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ...measures.speed.figures import PEAK_MEMORY, SLICE
from ...measures.speed.sweep import FITTED
from ..report import Report
from .chart import NAME, Chart, Spec, band, seconds_axis, tooltip, variant_axis, variant_colour
from .rows import list_rows

AGAINST = {"field": "against", "type": "nominal", "legend": {"title": "against the baseline", "symbolType": "circle"}}
"""The comparison with the baseline, which the page adds to every row."""


def chart_step_times(report: Report) -> Chart | None:
    """Return the step time of every contestant with its interval. None where nothing was timed."""
    rows = [
        {NAME: row.name, **{key: row.data[key] for key in ("step_s", "step_s_low", "step_s_high")}}
        for row in list_rows(report)
        if not np.isnan(row.data["step_s"])
    ]
    if not rows:
        return None
    table = pd.DataFrame(rows)
    y = variant_axis(list(table[NAME]))
    x = {"field": "step_s", **seconds_axis("time per training step (logarithmic)")}
    told = tooltip(
        (NAME, "variant", ""),
        ("step_s", "median, s", ".3s"),
        ("step_s_low", "low, s", ".3s"),
        ("step_s_high", "high, s", ".3s"),
        ("against", "against the baseline", ""),
    )
    rule = {"type": "rule", "strokeWidth": 3}
    ends = {"x": {**x, "field": "step_s_low"}, "x2": {"field": "step_s_high"}}
    dot = {"type": "point", "filled": True, "size": 80, "opacity": 1}
    spec: Spec = {
        **band(len(rows)),
        "layer": [
            {"mark": rule, "encoding": {"y": y, **ends, "color": AGAINST}},
            {"mark": dot, "encoding": {"y": y, "x": x, "color": AGAINST, "tooltip": told}},
        ],
    }
    return Chart(
        "step_times",
        "Time per training step",
        "One row a variant, the fastest at the top. The dot is the median, the line its 95 % interval. The axis is "
        "logarithmic: equal distances are equal ratios. The colour says what the interval of the ratio to the baseline "
        "allows to say, and no more.",
        table,
        spec,
        f"{SLICE.measure}/{SLICE.name}",
        dict.fromkeys(("step_s", "step_s_low", "step_s_high"), "s"),
    )


def chart_memory(report: Report) -> Chart | None:
    """Return the peak memory of every variant. None where none was measured."""
    rows = [
        {NAME: f"{row['backend']}:{row['variant']}", "peak_memory_bytes": row["peak_memory_bytes"]}
        for row in report.rows
        if not np.isnan(row["peak_memory_bytes"])
    ]
    if not rows:
        return None
    table = pd.DataFrame(rows).sort_values("peak_memory_bytes")
    size: Spec = {"field": "peak_memory_bytes", "type": "quantitative", "title": "peak memory of the process"}
    size["axis"] = {"format": "~s", "labelExpr": "datum.label + 'B'"}
    told = tooltip((NAME, "variant", ""), ("peak_memory_bytes", "bytes", ".3s"))
    spec: Spec = {
        **band(len(rows)),
        "mark": {"type": "bar", "cornerRadiusEnd": 2},
        "encoding": {"y": variant_axis(list(table[NAME])), "x": size, "tooltip": told},
    }
    return Chart(
        "memory",
        "Peak memory",
        "One bar a variant, the smallest at the top, from 0.",
        table,
        spec,
        f"{PEAK_MEMORY.measure}/{PEAK_MEMORY.name}",
        {"peak_memory_bytes": "bytes"},
    )


def chart_sweep(report: Report) -> Iterator[Chart]:
    """Yield for each axis of the sweep the time per step over the size, or over what the axis names."""
    times = report.sweep_times
    for axis, mine in times.groupby("axis", sort=False) if len(times) else ():
        fitted = axis in FITTED
        words = str(axis).replace("_", " ")
        table = mine.drop(columns="blocks").rename(columns={"backend": NAME})
        point: Spec = {"field": "point", "type": "nominal", "sort": None, "title": words}
        if fitted:
            table = table.assign(size=pd.to_numeric(table["point"]))
            point = {"field": "size", "type": "quantitative", "title": f"{words} (logarithmic)"}
            point |= {"scale": {"type": "log", "nice": False, "padding": 12}}
            point |= {"axis": {"values": sorted(set(table["size"].tolist())), "format": "d"}}
        told = tooltip(
            (NAME, "variant", ""),
            ("point", words, ""),
            ("operations", "operations of a step", ".3s"),
            ("step_s", "step, s", ".3s"),
        )
        spec: Spec = {
            "height": 320,
            "mark": {"type": "line", "point": {"size": 24, "strokeWidth": 0}, "strokeWidth": 2},
            "encoding": {
                "x": point,
                "y": {"field": "step_s", **seconds_axis("time per step (logarithmic)")},
                "color": variant_colour(),
                "strokeDash": variant_colour(),
                "tooltip": told,
            },
        }
        yield Chart(
            f"sweep_{axis}",
            f"Time per step by {words}",
            "One line a variant. Where a line is flat, a step is overhead; where it rises with the size, arithmetic.",
            table,
            spec,
            "sweep/slice",
            dict.fromkeys(("step_s", "step_s_low", "step_s_high"), "s"),
        )
