"""The study `one-minus-beta`: the scale of the decay of an average."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ..common.predictions import accuracy, compare_predictions
from ..search.figures import import_altair
from ..search.scales import Dimension
from . import page
from .records import Records, Row, estimate
from .study import Picture, Setting, Study
from .training import prepare, with_values

STEP = 0.0005
"""The lecture's: from 0.9 to 0.9005, and from 0.999 to 0.9995."""
BETAS = (0.9, 0.99, 0.999)
DRAWS = 1000
LINEAR, ONE_MINUS = "linear", "one-minus"


def measure(setting: Setting) -> Iterator[Row]:
    """Yield for each seed and beta what a step of 0.0005 changes in the trained network."""
    for seed in range(2 if setting.short else 4):
        for beta in BETAS:
            one, y = _train(setting, seed, beta)
            other, _ = _train(setting, seed, round(beta + STEP, 6))
            distance = compare_predictions(one, other)
            yield {
                **{"seed": seed, "beta": beta, "accuracy": accuracy(one, y), "accuracy_after": accuracy(other, y)},
                **{"change": distance.mean, "changed_predictions": distance.changed_predictions},
            }


def _train(setting: Setting, seed: int, beta: float) -> Any:
    """Return the probabilities of the validation rows after the training, and their labels."""
    spec = with_values(setting.file.spec, training_seed=seed, optimiser_beta1=beta)
    ready = prepare(setting.session, spec, setting.variant)
    setting.session.train(ready.order)
    x = ready.splits.x_validation.astype(ready.network.dtype)
    return setting.session.predict(x), ready.splits.y_validation


def draws(scale: str, low: float, high: float) -> "np.ndarray[Any, Any]":
    """Return random betas on a scale, always the same ones."""
    dimension = Dimension.model_validate({"scale": scale, "low": low, "high": high})
    return np.array([dimension.value_at(u) for u in np.random.default_rng(0).random(DRAWS)])


def findings(records: Records) -> list[str]:
    """Return what the step changes by beta, and how many draws fall where."""
    rows, changes = [], {}
    for beta in BETAS:
        mine = records.of(beta=beta)
        found = changes[beta] = estimate(list(mine.groupby("seed")["change"].mean()))
        averaged = [f"{1 / (1 - each):,.4g}" for each in (beta, round(beta + STEP, 6))]
        cells = [f"{100 * each:.2f}" for each in found[:3]]
        accuracies = [page.percent(mine[key].mean()) for key in ("accuracy", "accuracy_after")]
        change = f"{cells[0]} [{cells[1]}, {cells[2]}] points"
        classes = page.percent(mine["changed_predictions"].mean())
        rows.append([f"{beta:g} to {beta + STEP:g}", " to ".join(averaged), change, classes, " to ".join(accuracies)])
    columns = ["beta", "1 / (1 - beta): steps averaged", "mean change of a probability", "changed classes", "accuracy"]
    ratio = changes[BETAS[-1]].mean / changes[BETAS[0]].mean
    apart = changes[BETAS[-1]].low > changes[BETAS[0]].high
    verdict = f"{ratio:.1f} times the change" if apart else "no distinguishable difference"
    return [
        f"The same step of {STEP:g}, taken at three values of beta. The intervals are over the seeds, of the mean "
        "over the frameworks.",
        page.table(columns, rows),
        f"**The step at {BETAS[-1]:g} makes {verdict}, compared with the same step at {BETAS[0]:g}.**",
        "So where are draws on a linear scale spent? Of 1000 random values from 0.9 to 0.9995:",
        page.table(["scale", "0.9 to 0.99", "0.99 to 0.999", "above 0.999"], _draw_rows()),
        "The one-minus scale draws 1 - beta on a logarithmic scale, and so spends as many trials in each range in "
        "which the number of averaged steps grows tenfold; from 0.999 to 0.9995 it only doubles.",
    ]


def _draw_rows() -> list[list[str]]:
    rows = []
    for scale in (LINEAR, ONE_MINUS):
        values = draws(scale, 0.9, 0.9995)
        counts = np.histogram(values, bins=[0.9, 0.99, 0.999, 1.0])[0]
        rows.append([scale, *(str(int(count)) for count in counts)])
    return rows


def pictures(records: Records) -> list[Picture]:
    """Return the change of each seed by beta and framework."""
    alt = import_altair()
    table = records.rows[["contestant", "beta", "seed", "change"]].assign(beta=records.rows["beta"].map("{:g}".format))
    chart = alt.Chart(pd.DataFrame(table)).mark_circle(size=60, opacity=0.8)
    chart = chart.encode(
        x=alt.X("beta:N", title=f"beta, before a step of {STEP:g}", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("change:Q", title="mean change of a probability"),
        color=alt.Color("contestant:N", title=None),
        xOffset="contestant:N",
    ).properties(width=320, height=240)
    return [Picture("changes", "What a step of 0.0005 changes in the trained network; a point is a seed.", chart)]


STUDY = Study(
    name="one-minus-beta",
    title="The scale of a decay: 1 - beta",
    question="A decay such as beta = 0.9 averages over about 10 steps, 0.999 over about 1000. Does a step of 0.0005 "
    "mean the same at both ends of this range?",
    method="Each framework trains by Adam with beta1 = beta and with beta + 0.0005, from the same weights and on the "
    "same batches, for three values of beta and several seeds. The probabilities of the validation rows of the two "
    "networks are then compared.",
    measure=measure,
    findings=findings,
    pictures=pictures,
)
