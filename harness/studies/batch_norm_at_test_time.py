"""The study `batch-norm-at-test-time`: running averages against the statistics of the batch at hand."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ..common.predictions import accuracy
from ..search.figures import import_altair
from . import page
from .records import Records, Row, estimate
from .study import Picture, Setting, Study
from .training import predict_by_batches, prepare, train_to, with_values

ROWS = 192
"""Validation rows: a multiple of every batch size."""
SIZES = (1, 2, 4, 16, 64, 192)
STEPS = (1, 4, 16, 32, 96)
RUNNING, BATCH = "running averages", "statistics of the batch"


def measure(setting: Setting) -> Iterator[Row]:
    """Yield the accuracy by step, way of normalising, and batch size, for each seed."""
    for seed in range(2 if setting.short else 5):
        spec = with_values(setting.file.spec, training_seed=seed)
        ready = prepare(setting.session, spec, setting.variant)
        x = ready.splits.x_validation[:ROWS].astype(ready.network.dtype)
        y = ready.splits.y_validation[:ROWS]
        steps = STEPS[-2:] if setting.short else STEPS
        for step in train_to(setting.session, ready.order, [steps[-1]]):
            arrays = setting.session.dump()
            together = setting.session.predict(x)
            for size in SIZES:
                parts = [setting.session.predict(x[start : start + size]) for start in range(0, ROWS, size)]
                running = np.concatenate(parts)
                yield {
                    **{"seed": seed, "step": step, "how": RUNNING, "batch": size, "accuracy": accuracy(running, y)},
                    "change": float(np.abs(running - together).max()),
                }
                own = predict_by_batches(setting.session, ready.network, arrays, x, size)
                yield {
                    **{"seed": seed, "step": step, "how": BATCH, "batch": size, "accuracy": accuracy(own, y)},
                    "change": float(np.abs(own - together).max()),
                }
        for step in steps[:-1]:
            ready = prepare(setting.session, spec, setting.variant)
            setting.session.train(ready.order[:step])
            arrays = setting.session.dump()
            for how, probabilities in (
                (RUNNING, setting.session.predict(x)),
                (BATCH, predict_by_batches(setting.session, ready.network, arrays, x, ROWS)),
            ):
                row = {"seed": seed, "step": step, "how": how, "batch": ROWS}
                yield {**row, "accuracy": accuracy(probabilities, y), "change": 0.0}


def findings(records: Records) -> list[str]:
    """Return accuracy by batch size and by step."""
    last = records.rows["step"].max()
    trained = records.of(step=last)
    rows = []
    for name in records.contestants:
        mine = trained[(trained["contestant"] == name) & (trained["how"] == BATCH)]
        running = trained[(trained["contestant"] == name) & (trained["how"] == RUNNING)]
        by_size = [page.percent(mine[mine["batch"] == size]["accuracy"].mean()) for size in SIZES]
        rows.append([f"`{name}`", page.percent(running["accuracy"].mean()), *by_size])
    columns = ["backend", RUNNING, *(f"batch of {size}" for size in SIZES)]
    alone = trained[(trained["how"] == BATCH) & (trained["batch"] == 1)]["accuracy"]
    changes = trained[trained["how"] == RUNNING]["change"].max()
    return [
        f"After {last} steps. The columns after the first use the statistics of the batch at hand.",
        page.table(columns, rows),
        f"**A batch of one has no variance.** Its mean is the row itself, so every layer sees 0 and the network says "
        f"the same of every row: {page.percent(alone.min())} to {page.percent(alone.max())} are right, by chance.",
        f"With running averages a row's prediction does not depend on its neighbours: over all batch sizes, no "
        f"probability changes by more than {changes:.1e}, which is rounding.",
        _describe_difference(records, int(last)),
        _describe_early(records),
    ]


def _paired(records: Records, step: int, size: int) -> list[float]:
    """Return by seed, over all frameworks: accuracy with batch statistics minus accuracy with running averages."""
    rows = records.of(step=step, batch=size)
    means = rows.groupby(["seed", "how"])["accuracy"].mean().unstack()
    return list(means[BATCH] - means[RUNNING])


def _describe_difference(records: Records, last: int) -> str:
    parts = []
    for size in (16, 64, 192):
        found = estimate(_paired(records, last, size))
        verdict = "" if found.excludes_zero else " (not distinguishable from 0)"
        parts.append(f"batches of {size}: {page.points(found)}{verdict}")
    return (
        "Batch statistics minus running averages, mean over the frameworks, with the 95 % interval over "
        f"{found.values} seeds: {'; '.join(parts)}."
    )


def _describe_early(records: Records) -> str:
    """Say what the running averages are worth after few steps."""
    parts = []
    for step in sorted(records.rows["step"].unique()):
        rows = records.of(step=step, batch=ROWS)
        means = rows.groupby("how")["accuracy"].mean()
        parts.append([str(step), page.percent(means[RUNNING]), page.percent(means[BATCH])])
    return (
        "The averages begin at mean 0 and variance 1 and keep 0.9 of their value at each step, so at first they lag. "
        f"Mean over frameworks and seeds, {ROWS} rows at a time:\n\n"
        + page.table(["steps of training", RUNNING, BATCH], parts)
    )


def pictures(records: Records) -> list[Picture]:
    """Return accuracy against the size of the batch."""
    alt = import_altair()
    rows: list[dict[str, Any]] = []
    trained = records.of(step=records.rows["step"].max())
    for (name, how, size), mine in trained.groupby(["contestant", "how", "batch"], sort=False):
        found = mine["accuracy"]
        rows.append({"backend": name, "how": how, "batch": size, "accuracy": found.mean()})
        rows[-1] |= {"low": found.min(), "high": found.max()}
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("batch:Q", title="rows predicted together", scale=alt.Scale(type="log", base=2)),
        color=alt.Color("how:N", title=None, scale=alt.Scale(range=["#1f6feb", "#c2410c"])),
    )
    y = alt.Y("accuracy:Q", title="validation accuracy", axis=alt.Axis(format="%"))
    layers = alt.layer(
        base.mark_line(point=True).encode(y=y), base.mark_rule().encode(y=alt.Y("low:Q"), y2="high:Q")
    ).properties(width=150, height=140)
    chart = layers.facet(alt.Facet("backend:N", title=None), columns=2)
    return [Picture("accuracy", "Accuracy by the number of rows predicted together; bars span the seeds.", chart)]


STUDY = Study(
    name="batch-norm-at-test-time",
    title="Batch norm at test time",
    question="In training, batch norm normalises by the mean and the variance of the mini-batch. At test time there "
    "may be one example alone. What do the running averages give, and what would the batch at hand give?",
    method=f"Each framework trains a network with batch norm, and predicts {ROWS} validation rows by its running "
    "averages, in batches of several sizes. Then the statistics of each batch are put in place of the running "
    "averages, and the same framework predicts the same rows again. The measurement is repeated after few steps, and "
    "over seeds.",
    measure=measure,
    findings=findings,
    pictures=pictures,
)
