"""The charts that say whether the measurement is fit: a variant against its own copy, and the raw slices over time."""

from collections.abc import Iterator

import pandas as pd

from ...measures.speed.figures import SLICE
from ..notes import describe_self_test
from ..report import Report
from .chart import NAME, Chart, Spec, seconds_axis, tooltip, variant_colour
from .rows import name_contestant

OUTLIER = "datum.outlier === 'yes'"


def describe_fitness(report: Report) -> Iterator[str]:
    """Yield sentences: the self-test, the load before the run, and how many outliers there were."""
    tested = report.self_test()
    if tested is not None:
        yield (
            f"{describe_self_test(*tested)} Two identical copies of one program took turns with all the others, in "
            "processes of their own. Whatever difference they show is the error of this measurement."
        )
    machine = report.header["machine"]
    facts, load = machine.get("facts", {}), machine.get("load_before")
    if load is not None:
        others = facts.get("others_cores")
        busy = "" if others is None else f" Other programs used {others:.2f} cores just before the run."
        yield f"The load of the machine was {load[0]:.2f} on {machine['usable_threads']} usable cores.{busy}"
    rows = report.speed_rows
    if rows:
        outliers, slices = (sum(row[key] for row in rows) for key in ("outliers", "slices"))
        yield (
            f"{outliers:,} of {slices:,} slices ({outliers / slices:.1%}) are far from the rest of theirs. They are "
            "marked below, and they count: nothing is left out."
        )


def chart_self_test(report: Report) -> Chart | None:
    """Return the ratio of the two copies in every block, and the interval of their median; None without a copy."""
    tested = report.self_test()
    if tested is None:
        return None
    backend, variant = tested[0].split(":", 1)
    first, second = (report.step_times.rounds[backend, variant, copy] for copy in (False, True))
    rows = [
        {"round": number, "block": place + 1, "ratio": one / other, "low": tested[1].low, "high": tested[1].high}
        for number, (ones, others) in enumerate(zip(first, second, strict=True), start=1)
        for place, (one, other) in enumerate(zip(ones, others, strict=True))
    ]
    ratio = {"type": "quantitative", "title": "first copy / second copy", "scale": {"zero": False}}
    spec: Spec = {
        "height": 200,
        "transform": [{"calculate": "(datum.round - 1) * 1000 + datum.block", "as": "place"}],
        "layer": [
            {
                "mark": {"type": "rect", "opacity": 0.18},
                "encoding": {
                    "y": {"field": "low", "aggregate": "min", **ratio},
                    "y2": {"field": "high", "aggregate": "max"},
                },
            },
            {"mark": {"type": "rule", "strokeDash": [4, 3]}, "encoding": {"y": {"datum": 1}}},
            {
                "mark": {"type": "point", "size": 22, "filled": True, "opacity": 0.75},
                "encoding": {
                    "x": {
                        "field": "place",
                        "type": "ordinal",
                        "title": "blocks, one after the other, all rounds",
                        "axis": {"labels": False, "ticks": False, "grid": False},
                    },
                    "y": {"field": "ratio", **ratio},
                    "tooltip": tooltip(("round", "round", "d"), ("block", "block", "d"), ("ratio", "ratio", ".3f")),
                },
            },
        ],
    }
    return Chart(
        "self_test",
        f"{tested[0]} against its own copy",
        "One dot a block: near 1, and as often above as below, is right. The band is the 95 % interval of the median; "
        "it holds 1 where the measurement passed.",
        pd.DataFrame(rows),
        spec,
        f"{SLICE.measure}/{SLICE.name}",
    )


def chart_slices(report: Report) -> Chart | None:
    """Return every timed slice over the time of the run; outliers are marked. None where nothing was timed."""
    table = _read_slices(report)
    if table is None:
        return None
    told = (("step_s", "step, s", ".3s"), ("round", "round", "d"), ("outlier", "outlier", ""))
    minutes = "minutes of timing, without the time between the rounds"
    spec: Spec = {
        "height": 380,
        "mark": {"type": "point", "filled": True, "opacity": 0.75},
        "encoding": {
            "x": {"field": "minutes", "type": "quantitative", "title": minutes},
            "y": {"field": "step_s", **seconds_axis("time per step (logarithmic)")},
            "color": variant_colour() | {"legend": {"title": None, "labelLimit": 240}},
            "size": {"condition": {"test": OUTLIER, "value": 60}, "value": 9},
            "shape": {"condition": {"test": OUTLIER, "value": "cross"}, "value": "circle"},
            "tooltip": tooltip((NAME, "variant", ""), *told),
        },
    }
    return Chart(
        "slices",
        "Every slice, over the time of the run",
        "One dot a slice of some steps. A flat, narrow band is a quiet measurement; a jump common to all variants is "
        "background load; a slope is a variant that still warms up. Crosses are outliers.",
        table,
        spec,
        f"{SLICE.measure}/{SLICE.name}",
        {"wall_s": "s", "cpu_s": "s", "step_s": "s", "minutes": "min"},
    )


def _read_slices(report: Report) -> pd.DataFrame | None:
    slices = report.slices()
    if not len(slices):
        return None
    contestants = zip(slices["backend"], slices["variant"], slices["self_test"], strict=True)
    return pd.DataFrame(
        {
            NAME: [name_contestant((str(name), str(variant), bool(copy))) for name, variant, copy in contestants],
            "round": slices["round"].astype(int),
            "block": slices["block"].astype(int),
            "minutes": _count_minutes(report.query.columns(SLICE, ["round", "time"]).loc[slices.index]).round(4),
            "steps": slices["steps"].astype(int),
            "wall_s": slices["wall_s"].astype(float),
            "cpu_s": slices["cpu_s"].astype(float),
            "step_s": slices["step"].astype(float),
            "outlier": slices["outlier"].map({True: "yes", False: "no"}),
        }
    )


def _count_minutes(rows: pd.DataFrame) -> "pd.Series[float]":
    """Return when each slice ended, in minutes of timing: the rounds follow each other, with a little room between."""
    times = rows["time"].astype(float)
    rounds = times.groupby(rows["round"])
    begins, lengths = rounds.min(), rounds.max() - rounds.min()
    room = 0.02 * lengths.sum()
    offsets = (lengths + room).cumsum() - lengths - room
    return (times - rows["round"].map(begins) + rows["round"].map(offsets)) / 60
