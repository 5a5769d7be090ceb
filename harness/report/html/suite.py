"""The chart of a suite: how many times the fastest's time each variant takes on each workload."""

import pandas as pd

from ...common.statistics import Interval
from ...measures.speed.figures import SLICE, SUITE
from ..report import Report
from ..tables.suite import SuiteResults
from .chart import NAME, Chart, Spec, band, tooltip, variant_axis

MOST = 20
"""Times the fastest: from here on, the colour says no more."""
COLOURS = ("#bfe6cc", "#fbeebb", "#f2b39b")
"""Of the fastest, between, and of `MOST`: pale, so that dark numbers are read on them in a dark page, too."""
FASTEST, TIE, SLOWER = "fastest", "not distinguishable from the fastest", "slower"


def chart_suite(report: Report) -> Chart | None:
    """Return the ratios to the fastest by variant and workload. None where the run has no suite."""
    results = report.suite_results
    if not results:
        return None
    table = pd.DataFrame(
        [
            {
                NAME: ":".join(key),
                "workload": name,
                "seconds": results.times[name].step(key).estimate,
                **dict(zip(("times_fastest", "times_fastest_low", "times_fastest_high"), ratio, strict=True)),
                "standing": _find_standing(results, name, key, ratio),
            }
            for key in results.variants
            for name in results.names
            if key in results.times[name]
            for ratio in [results.ratio(name, key)]
        ]
    )
    means = table.groupby(NAME)["times_fastest"].mean()
    return Chart(
        "suite",
        "Times the fastest, by workload",
        "One row a variant, one column a workload, and in each field the time over that of the workload's fastest "
        "variant: 1 is the fastest, and bold is what the run cannot distinguish from it. An empty field was not timed.",
        table,
        _draw(results.names, list(means.sort_values().index)),
        f"{SLICE.measure}/{SLICE.name}, {SUITE[SLICE.name].measure}/*",
        {"seconds": "s"},
    )


def _find_standing(results: SuiteResults, name: str, key: tuple[str, str], ratio: Interval) -> str:
    if key == results.times[name].fastest:
        return FASTEST
    return SLOWER if ratio.excludes(1) else TIE


def _draw(workloads: list[str], variants: list[str]) -> Spec:
    axis = {"orient": "top", "labelAngle": 0, "labelLimit": 130, "grid": False, "title": None}
    fields: Spec = {
        "x": {"field": "workload", "type": "nominal", "sort": workloads, "axis": axis},
        "y": variant_axis(variants),
    }
    told = tooltip(
        (NAME, "variant", ""),
        ("workload", "workload", ""),
        ("seconds", "time, s", ".3s"),
        ("times_fastest", "times the fastest", ".3f"),
        ("times_fastest_low", "low", ".3f"),
        ("times_fastest_high", "high", ".3f"),
        ("standing", "against the fastest", ""),
    )
    scale = {"type": "log", "domain": [1, MOST**0.5, MOST], "range": list(COLOURS), "clamp": True}
    colour = {"field": "times_fastest", "type": "quantitative", "scale": scale, "legend": None}
    text: Spec = {"field": "shown", "type": "nominal"}
    number = "datum.times_fastest < 9.995 ? format(datum.times_fastest, '.2f') : format(datum.times_fastest, ',.3~r')"
    rectangles: Spec = {
        "mark": {"type": "rect", "cornerRadius": 2},
        "encoding": {**fields, "color": colour, "tooltip": told},
    }
    numbers: list[Spec] = [
        {
            "transform": [{"filter": test}, {"calculate": number, "as": "shown"}],
            "mark": {"type": "text", "color": "#1b1f24", "fontSize": 11, "fontWeight": weight},
            "encoding": {**fields, "text": text},
        }
        for test, weight in ((f"datum.standing === '{SLOWER}'", "normal"), (f"datum.standing !== '{SLOWER}'", "bold"))
    ]
    return {
        **band(len(variants)),
        "layer": [rectangles, *numbers],
        "config": {"axisX": {"labelPadding": 6}, "scale": {"bandPaddingInner": 0.06}},
    }
