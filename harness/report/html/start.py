"""What a variant costs before its first step, and how many steps it takes until compiling has paid."""

from typing import Any

import numpy as np
import pandas as pd

from ...measures.speed.figures import BUILD, FIRST_CALL, IMPORT, TRANSFER
from ..report import Report
from .chart import NAME, Chart, Spec, seconds_axis, tooltip, variant_colour

PARTS = (IMPORT, BUILD, TRANSFER)
"""The parts of the start before the first call."""
STEPS = np.unique(np.round(np.logspace(0, 6, 25)))
"""The steps at which the total time is drawn."""


def export_startup(report: Report) -> list[dict[str, Any]]:
    """Return for each timed variant its start-up without steps, and its time per step, in seconds; earliest first."""
    rows = []
    for backend, variant in report.step_times.variants:
        who = {"backend": backend, "variant": variant, "self_test": False}
        step_s = report.step_times.step((backend, variant)).estimate
        parts = {figure.name: float(report.query.values(figure, **who).median()) for figure in PARTS}
        first = report.query.rows(FIRST_CALL, **who)
        # The first call also trains: what its steps take in steady state is no start-up.
        extra = (first["value"].astype(float) - first["steps"].astype(float) * step_s).median()
        known = [value for value in (*parts.values(), float(extra)) if np.isfinite(value)]
        rows.append({"name": f"{backend}:{variant}", "step_s": step_s, "startup_s": max(sum(known), 1e-6)})
    return sorted(rows, key=lambda row: row["startup_s"])


def chart_totals(report: Report) -> Chart | None:
    """Return the total time from the start of the process, by the number of steps."""
    rows = [
        {NAME: each["name"], "steps": int(steps), "total_s": each["startup_s"] + steps * each["step_s"]}
        for each in export_startup(report)
        for steps in STEPS
    ]
    if not rows:
        return None
    spec: Spec = {
        "height": 340,
        "mark": {"type": "line", "strokeWidth": 2},
        "encoding": {
            "x": {
                "field": "steps",
                "type": "quantitative",
                "scale": {"type": "log"},
                "title": "training steps (logarithmic)",
                "axis": {"format": "~s", "tickCount": 7},
            },
            "y": {"field": "total_s", **seconds_axis("time since the start of the process (logarithmic)")},
            "color": variant_colour(),
            "strokeDash": variant_colour(),
            "tooltip": tooltip((NAME, "variant", ""), ("steps", "steps", ",d"), ("total_s", "total, s", ".3s")),
        },
    }
    records = " + ".join(f"{figure.measure}/{figure.name}" for figure in (*PARTS, FIRST_CALL)) + " + speed/slice"
    return Chart(
        "totals",
        "Total time by number of steps",
        "One line a variant. At the left the start-up decides, at the right the time per step.",
        pd.DataFrame(rows),
        spec,
        records,
        {"total_s": "s", "steps": "steps"},
    )
