"""What a variant costs before its first step, and how many steps it takes until compiling has paid."""

from typing import Any

import numpy as np
import pandas as pd

from ...measures.speed.figures import COLD_START
from ..report import Report
from .chart import NAME, Chart, Spec, seconds_axis, tooltip, variant_colour

STEPS = np.unique(np.round(np.logspace(0, 6, 25)))
"""The steps at which the total time is drawn."""


def export_starts(report: Report) -> list[dict[str, Any]]:
    """Return for each timed variant its cold start less its steps, and its time per step, in seconds; earliest first.

    A variant without a recorded cold start is left out.
    """
    rows = []
    for backend, variant in report.step_times.variants:
        who = {"backend": backend, "variant": variant, "self_test": False}
        step_s = report.step_times.step((backend, variant)).estimate
        starts = report.query.rows(COLD_START, **who)
        # A cold start ends with the first steps: what they take in steady state is added for every number of steps.
        before = (starts["value"].astype(float) - starts["steps"].astype(float) * step_s).median()
        if np.isfinite(before):
            rows.append({"name": f"{backend}:{variant}", "step_s": step_s, "before_steps_s": max(float(before), 1e-6)})
    return sorted(rows, key=lambda row: row["before_steps_s"])


def chart_totals(report: Report) -> Chart | None:
    """Return the total time from the start of the process, by the number of steps."""
    rows = [
        {NAME: each["name"], "steps": int(steps), "total_s": each["before_steps_s"] + steps * each["step_s"]}
        for each in export_starts(report)
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
    records = f"{COLD_START.measure}/{COLD_START.name} + speed/slice"
    return Chart(
        "totals",
        "Total time by number of steps",
        "One line a variant. At the left the cold start decides, at the right the time per step.",
        pd.DataFrame(rows),
        spec,
        records,
        {"total_s": "s", "steps": "steps"},
    )
