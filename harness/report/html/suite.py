"""The charts of a suite: times by workload, performance profiles, and the cost of new batch sizes."""

import pandas as pd

from ...common.statistics import Interval
from ...measures.speed.figures import NEW_SIZE, SIZE_SLICE, SLICE, SUITE
from ..report import Report
from ..tables.suite import SuiteResults
from .chart import NAME, Chart, Spec, band, seconds_axis, tooltip, variant_axis, variant_colour

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
    labelled: Spec = {**fields, "text": {"field": "shown", "type": "nominal"}}
    number = "datum.times_fastest < 9.995 ? format(datum.times_fastest, '.2f') : format(datum.times_fastest, ',.3~r')"
    return {
        **band(len(variants)),
        "layer": [
            {"mark": {"type": "rect", "cornerRadius": 2}, "encoding": {**fields, "color": colour, "tooltip": told}},
            *(
                {
                    "transform": [{"filter": test}, {"calculate": number, "as": "shown"}],
                    "mark": {"type": "text", "color": "#1b1f24", "fontSize": 11, "fontWeight": weight},
                    "encoding": labelled,
                }
                for test, weight in (
                    (f"datum.standing === '{SLOWER}'", "normal"),
                    (f"datum.standing !== '{SLOWER}'", "bold"),
                )
            ),
        ],
        "config": {"axisX": {"labelPadding": 6}, "scale": {"bandPaddingInner": 0.06}},
    }


def chart_profiles(report: Report) -> Chart | None:
    """Return the performance profiles of the variants. None where the run has one workload."""
    if not report.suite_results:
        return None
    factor: Spec = {"field": "factor", "type": "quantitative", "scale": {"type": "log", "nice": False}}
    factor |= {"title": "times the step time of the workload's fastest variant (logarithmic)"}
    share: Spec = {"field": "share", "type": "quantitative", "scale": {"domain": [0, 1]}, "axis": {"format": "%"}}
    told = tooltip((NAME, "variant", ""), ("factor", "within, times the fastest", ".2f"), ("share", "workloads", ".0%"))
    spec: Spec = {
        "height": 340,
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
        "encoding": {
            "x": factor,
            "y": {**share, "title": "share of workloads"},
            "color": variant_colour(),
            "strokeDash": variant_colour(),
            "tooltip": told,
        },
    }
    return Chart(
        "profiles",
        "Performance profiles",
        "One line a variant: the share of workloads on which it is within a factor of the fastest. At the left is how "
        "often it is the fastest; a line that is soon at the top is never far behind.",
        report.profile_curves().rename(columns={"backend": NAME}),
        spec,
        f"{SUITE['slice'].measure}/{SUITE['slice'].name}",
    )


def chart_new_sizes(report: Report) -> Chart | None:
    """Return what the first call at each new batch size takes. None where that was not measured."""
    table = report.new_sizes()
    if not len(table):
        return None
    table[NAME] = table["backend"] + ":" + table["variant"]
    columns = [NAME, "position", "batch_size", "first_call_s", "extra_s", "step_s"]
    told = tooltip(
        (NAME, "variant", ""), ("batch_size", "batch size", ",d"), ("first_call_s", "first call, s", ".3s"),
        ("step_s", "a step afterwards, s", ".3s"),
    )  # fmt: skip
    spec: Spec = {
        "height": 320,
        "mark": {"type": "line", "point": {"size": 24, "strokeWidth": 0}, "strokeWidth": 2},
        "encoding": {
            "x": {
                "field": "position",
                "type": "ordinal",
                "title": "new batch sizes, in turn",
                "axis": {"labelAngle": 0},
            },
            "y": {"field": "first_call_s", **seconds_axis("first call (logarithmic)")},
            "color": variant_colour(),
            "strokeDash": variant_colour(),
            "tooltip": told,
        },
    }
    return Chart(
        "new_sizes",
        "First call at each new batch size",
        "One line a variant. A line that stays high is compiled anew for each size; one that falls to its steps' time "
        "is not.",
        table[columns],
        spec,
        f"{NEW_SIZE.measure}/{NEW_SIZE.name} + {SIZE_SLICE.measure}/{SIZE_SLICE.name}",
        dict.fromkeys(("first_call_s", "extra_s", "step_s"), "s"),
    )
