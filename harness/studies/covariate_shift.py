"""The study `covariate-shift`: inputs that change after the training, with and without batch norm."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ..common.predictions import accuracy
from ..search.figures import import_altair
from . import page
from .records import Records, Row, estimate
from .study import Picture, Setting, Study
from .training import predict_by_batches, prepare, with_values

ROWS = 256
SHIFTS = (0.0, 0.25, 0.5, 1.0, 2.0)
"""What is added to every normalised input: standard deviations of the training rows."""
NONE, RUNNING, BATCH = "no batch norm", "batch norm, running averages", "batch norm, statistics of the shifted rows"


def measure(setting: Setting) -> Iterator[Row]:
    """Yield the accuracy on shifted rows by shift and way, for each seed."""
    for seed in range(2 if setting.short else 4):
        for batch_norm in (False, True):
            spec = with_values(setting.file.spec, training_seed=seed, network_batch_norm=batch_norm)
            ready = prepare(setting.session, spec, setting.variant)
            setting.session.train(ready.order)
            arrays = setting.session.dump()
            y = ready.splits.y_validation[:ROWS]
            for shift in SHIFTS[::2] if setting.short else SHIFTS:
                x = (ready.splits.x_validation[:ROWS] + shift).astype(ready.network.dtype)
                found = {RUNNING if batch_norm else NONE: setting.session.predict(x)}
                if batch_norm:
                    found[BATCH] = predict_by_batches(setting.session, ready.network, arrays, x, ROWS)
                for how, probabilities in found.items():
                    yield {"seed": seed, "shift": shift, "how": how, "accuracy": accuracy(probabilities, y)}


def findings(records: Records) -> list[str]:
    """Return accuracy by shift, and what the statistics of the shifted rows restore."""
    shifts = sorted(records.rows["shift"].unique())
    means = records.rows.groupby(["shift", "how"])["accuracy"].mean().unstack()
    rows = [
        [f"{shift:g}", *(page.percent(means.loc[shift, how]) for how in (NONE, RUNNING, BATCH))] for shift in shifts
    ]
    worst = shifts[-1]
    return [
        "Accuracy on rows to which a constant was added, mean over frameworks and seeds. The unit of the shift is the "
        "standard deviation of each input in training.",
        page.table(["shift", NONE, RUNNING, BATCH], rows),
        _compare(records, worst, RUNNING, NONE, "Batch norm with running averages minus no batch norm"),
        _compare(records, worst, BATCH, RUNNING, "Statistics of the shifted rows minus running averages"),
        "Every input is shifted by the same amount, so each unit of the first layer is shifted by a constant, and "
        "the mean over the shifted rows takes exactly that away again. A network with batch norm that is normalised "
        f"by the new rows therefore predicts as if nothing had happened: {page.percent(means.loc[shifts[0], BATCH])} "
        f"without a shift, {page.percent(means.loc[worst, BATCH])} with the largest one. The running averages, which "
        "remember the old inputs, do not take the shift away. So batch norm does not by itself make a trained "
        "network ready for other data.",
    ]


def _compare(records: Records, shift: float, one: str, other: str, what: str) -> str:
    means = records.of(shift=shift).groupby(["seed", "how"])["accuracy"].mean().unstack()
    found = estimate(list(means[one] - means[other]))
    verdict = "the interval excludes 0" if found.excludes_zero else "no difference is shown"
    return f"{what}, at a shift of {shift:g}, over {found.values} seeds: {page.points(found)}; {verdict}."


def pictures(records: Records) -> list[Picture]:
    """Return accuracy against the shift, for each framework."""
    alt = import_altair()
    rows: list[dict[str, Any]] = []
    for (name, how, shift), mine in records.rows.groupby(["contestant", "how", "shift"], sort=False):
        found = np.array(mine["accuracy"])
        rows.append({"backend": name, "how": how, "shift": shift, "accuracy": float(found.mean())})
    chart = alt.Chart(pd.DataFrame(rows)).mark_line(point=True)
    chart = chart.encode(
        x=alt.X("shift:Q", title="shift, standard deviations"),
        y=alt.Y("accuracy:Q", axis=alt.Axis(format="%")),
        color=alt.Color("how:N", title=None, legend=alt.Legend(columns=1)),
        facet=alt.Facet("backend:N", title=None, columns=2),
    ).properties(width=150, height=140)
    return [Picture("accuracy", "Accuracy on shifted rows, mean over the seeds.", chart)]


STUDY = Study(
    name="covariate-shift",
    title="Covariate shift",
    question="A network that learnt cats from pictures of black cats meets coloured cats: the labels mean the same, "
    "and the inputs have moved. Does batch norm help a trained network?",
    method="The digits take the place of the cats. Each framework trains with and without batch norm; then a "
    "constant is added to every input of the validation rows, as if all pictures were brighter. The rows are "
    "predicted by the running averages, and by the mean and the variance of the shifted rows themselves.",
    measure=measure,
    findings=findings,
    pictures=pictures,
)
