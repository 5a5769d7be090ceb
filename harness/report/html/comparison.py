"""The section that compares other runs with the run of the page: what changed, by how much, and the probable cause."""

from collections.abc import Iterator

import pandas as pd

from ...measures.speed.figures import SLICE
from ..causes import describe_change
from ..compare import Pair
from ..report import Report
from .chart import NAME, Chart, Spec, band, tooltip, variant_axis

LESS, UNCLEAR, MORE = "less time", "no clear change", "more time"
"""What an interval allows to say of a change. assets/charts.js has the colours."""


def name_run(report: Report) -> str:
    """Return the name of a run's folder: where the folder lies says nothing to a reader on another machine."""
    return report.folder.resolve().name


def describe_pair(pair: Pair) -> Iterator[str]:
    """Yield which run is compared with which, and the notes on the comparison; runs go by their names."""
    baseline, other = name_run(pair.baseline), name_run(pair.other)
    yield f"{other}, compared with the run of this page, {baseline}, which is the baseline."
    for note in pair.notes():
        yield note.replace(str(pair.baseline.folder), baseline).replace(str(pair.other.folder), other)


def chart_changes(pair: Pair, number: int) -> Chart | None:
    """Return the ratio of the step times of every variant in both runs, with its interval; None where there is none.

    `number` tells the charts of a page with several other runs apart.
    """
    rows = [
        {
            NAME: change.name,
            "ratio": change.ratio.estimate,
            "ratio_low": change.ratio.low,
            "ratio_high": change.ratio.high,
            "change": UNCLEAR if not change.ratio.excludes(1) else LESS if change.ratio.estimate < 1 else MORE,
            "words": describe_change(change.ratio),
        }
        for change in pair.changes
        if change.ratio is not None
    ]
    if not rows:
        return None
    table = pd.DataFrame(rows).sort_values("ratio", kind="stable")
    y = variant_axis(list(table[NAME]))
    x: Spec = {"field": "ratio", "type": "quantitative", "title": "time per step, times the baseline (logarithmic)"}
    x |= {"scale": {"type": "log", "nice": False, "padding": 14}, "axis": {"tickCount": 6}}
    colour = {"field": "change", "type": "nominal", "legend": {"title": None, "symbolType": "circle"}}
    ends = {"x": {**x, "field": "ratio_low"}, "x2": {"field": "ratio_high"}}
    told = tooltip((NAME, "variant", ""), ("words", "change", ""), ("ratio", "times the baseline", ".3f"))
    spec: Spec = {
        **band(len(rows)),
        "layer": [
            {"mark": {"type": "rule", "strokeDash": [4, 3]}, "encoding": {"x": {"datum": 1}}},
            {"mark": {"type": "rule", "strokeWidth": 3}, "encoding": {"y": y, **ends, "color": colour}},
            {
                "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
                "encoding": {"y": y, "x": x, "color": colour, "tooltip": told},
            },
        ],
    }
    return Chart(
        f"changes_{number}",
        f"Time per step in {name_run(pair.other)}, against the baseline",
        "One row a variant. The dot is the ratio of the two step times, the line its 95 % interval; at the dashed line "
        "both are the same. The interval does not include what changed on the machine between the two runs.",
        table,
        spec,
        f"{SLICE.measure}/{SLICE.name} of both runs",
        dict.fromkeys(("ratio", "ratio_low", "ratio_high"), "1"),
    )
