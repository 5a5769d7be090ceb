"""The charts of the training: the losses, which should lie on each other, and the accuracy over the time it takes."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ...measures.training.defaults import TARGET
from ...measures.training.figures import LOSS, VALIDATION_ACCURACY
from ..report import Report
from ..tables.training import epochs_to_target, steps_per_epoch
from ..text import count_things, format_share
from .chart import NAME, Chart, Spec, seconds_axis, tooltip, variant_colour


def describe_training(report: Report) -> Iterator[str]:
    """Yield how many epochs the variants take to the target accuracy."""
    epochs = {
        f"{backend}:{variant}": epochs_to_target(report.query, backend, variant) for backend, variant in report.entries
    }
    found = sorted({int(number) for number in epochs.values() if np.isfinite(number)})
    if found:
        span = count_things(found[0], "epoch") if len(found) == 1 else f"{found[0]} to {found[-1]} epochs"
        yield (
            f"All train the same network from the same start, so they need about the same epochs to "
            f"{format_share(TARGET)} of the validation rows: {span}. What differs is the time that an epoch takes."
        )


def chart_losses(report: Report) -> Chart | None:
    """Return the mean training loss of every epoch and variant."""
    rows = report.query.columns(LOSS, ["backend", "variant", "epoch", "value"])
    if not len(rows):
        return None
    table = pd.DataFrame(
        {
            NAME: rows["backend"] + ":" + rows["variant"],
            "epoch": rows["epoch"].astype(int),
            "loss": rows["value"].astype(float),
        }
    )
    y = {
        "field": "loss",
        "type": "quantitative",
        "title": "mean training loss, nats (logarithmic)",
        "scale": {"type": "log"},
    }
    return Chart(
        "losses",
        "Learning curves",
        "One line a variant. Lines that lie on each other are the proof that all do the same work; one that leaves the "
        "others trains something else.",
        table,
        _lines(
            {"field": "epoch", "type": "quantitative", "title": "epoch"},
            y,
            ("epoch", "epoch", "d"),
            ("loss", "loss", ".4s"),
        ),
        f"{LOSS.measure}/{LOSS.name}",
        {"loss": "nats"},
    )


def chart_accuracy(report: Report) -> Chart | None:
    """Return the validation accuracy over the time of the steps that it took, at the measured time per step."""
    rows = report.query.columns(VALIDATION_ACCURACY, ["backend", "variant", "epoch", "value"])
    steps = steps_per_epoch(report.header)
    times = {
        f"{backend}:{variant}": report.step_times.step((backend, variant)).estimate
        for backend, variant in report.entries
    }
    names = rows["backend"] + ":" + rows["variant"]
    table = pd.DataFrame(
        {NAME: names, "epoch": rows["epoch"].astype(int), "validation_accuracy": rows["value"].astype(float)}
    )
    table["train_s"] = table["epoch"] * steps * table[NAME].map(times).astype(float)
    table = table.dropna()
    if not len(table):
        return None
    x = {"field": "train_s", **seconds_axis("time of the training steps (logarithmic)")}
    y = {
        "field": "validation_accuracy",
        "type": "quantitative",
        "title": "validation accuracy",
        "scale": {"zero": False},
        "axis": {"format": ".0%"},
    }
    return Chart(
        "time_to_accuracy",
        "Time to accuracy",
        "One line a variant: the share of the validation rows that it predicts rightly, over the time of its training "
        "steps. A line farther to the left is sooner there; the cold start and compilation are not in it.",
        table,
        _lines(
            x, y, ("epoch", "epoch", "d"), ("train_s", "time, s", ".3s"), ("validation_accuracy", "accuracy", ".1%")
        ),
        f"{VALIDATION_ACCURACY.measure}/{VALIDATION_ACCURACY.name} + speed/slice",
        {"train_s": "s", "validation_accuracy": "share"},
    )


def _lines(x: Spec, y: Spec, *told: tuple[str, str, str]) -> Spec:
    return {
        "height": 320,
        "mark": {"type": "line", "strokeWidth": 1.8, "point": {"size": 14, "strokeWidth": 0}},
        "encoding": {
            "x": x,
            "y": y,
            "color": variant_colour(),
            "strokeDash": variant_colour(),
            "tooltip": tooltip((NAME, "variant", ""), *told),
        },
    }
