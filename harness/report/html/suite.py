"""The charts of a suite, and of the cost of new batch sizes."""

from ...measures.speed.figures import NEW_SIZE, SIZE_SLICE, SUITE
from ..report import Report
from .chart import NAME, Chart, Spec, seconds_axis, tooltip, variant_colour


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
