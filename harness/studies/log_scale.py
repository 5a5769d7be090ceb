"""The study `log-scale`: learning rates drawn on a linear and on a logarithmic scale."""

import itertools
from collections.abc import Iterator

import numpy as np

from ..search.figures import import_altair
from ..search.jobs import value_of
from ..search.trial import train_trial
from . import page
from .records import Records, Row, estimate
from .study import Picture, Setting, Study

NAME = "optimiser.learning_rate"
LINEAR, LOG = "linear", "log"
DECADES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def measure(setting: Setting) -> Iterator[Row]:
    """Yield a row for each trial on either scale, for each seed."""
    for seed in range(2 if setting.short else 5):
        for scale in (LINEAR, LOG):
            dimension = setting.file.space[NAME].model_copy(update={"scale": scale})
            file = setting.file.model_copy(update={"space": {NAME: dimension}})
            for trial in range(4 if setting.short else 8):
                point = file.random_point(seed, trial)
                spec = file.spec_at({**point, "training.seed": seed})
                trained = train_trial(setting.session, spec, setting.variant, check=False)
                row = {"scale": scale, "seed": seed, "trial": trial, "rate": point[NAME], "outcome": trained.outcome}
                yield {**row, "accuracy": value_of(trained)}


def findings(records: Records) -> list[str]:
    """Return where the trials fell, and what they reached."""
    one = records.of(contestant=records.contestants[0])
    rows = []
    for scale in (LINEAR, LOG):
        counts = np.histogram(one[one["scale"] == scale]["rate"], bins=DECADES)[0]
        rows.append([scale, *(str(int(count)) for count in counts)])
    columns = ["scale", *(f"{low:g} to {high:g}" for low, high in itertools.pairwise(DECADES))]
    best = records.rows.groupby(["contestant", "seed", "scale"])["accuracy"].max().unstack()
    typical = records.rows.groupby(["seed", "scale"])["accuracy"].mean().unstack()
    shown = [
        [f"`{name}`", *(page.percent(best.loc[name][scale].mean()) for scale in (LINEAR, LOG))]
        for name in records.contestants
    ]
    by_seed = best.groupby("seed").mean()
    trials = int(records.rows["trial"].max()) + 1
    return [
        "Where the learning rates fell, all seeds together:",
        page.table(columns, rows),
        f"The best validation accuracy of {trials} trials, mean over the seeds:",
        page.table(["backend", "linear", "log"], shown),
        _compare("best", list(by_seed[LOG] - by_seed[LINEAR])),
        _compare("mean", list(typical[LOG] - typical[LINEAR])),
        _describe_decades(records),
        "A scale wastes no trials only where the good values lie in the part that it samples densely. The logarithmic "
        "scale is the choice when you do not know the order of magnitude; it does not make every trial better.",
    ]


def _compare(what: str, differences: list[float]) -> str:
    found = estimate(differences)
    verdict = "not distinguishable from 0" if not found.excludes_zero else "the interval excludes 0"
    return (
        f"Log minus linear, {what} of the trials, mean of the frameworks, over {found.values} seeds: "
        f"{page.points(found)}, {verdict}."
    )


def _describe_decades(records: Records) -> str:
    """Return the mean accuracy by decade of the learning rate."""
    rows = records.rows
    parts = []
    for low, high in itertools.pairwise(DECADES):
        mine = rows[(rows["rate"] >= low) & (rows["rate"] < high)]["accuracy"]
        value = page.percent(mine.mean()) if len(mine) else "no trial"
        parts.append(f"{low:g} to {high:g}: {value}")
    return f"Mean accuracy by the order of magnitude of the learning rate: {'; '.join(parts)}."


def pictures(records: Records) -> list[Picture]:
    """Return accuracy against the learning rate, by scale."""
    alt = import_altair()
    table = records.rows[["contestant", "scale", "rate", "accuracy"]]
    chart = alt.Chart(table).mark_circle(size=40, opacity=0.7)
    chart = chart.encode(
        x=alt.X("rate:Q", title="learning rate", scale=alt.Scale(type="log"), axis=alt.Axis(format=".0e", tickCount=4)),
        y=alt.Y("accuracy:Q", title="validation accuracy", axis=alt.Axis(format="%")),
        color=alt.Color("contestant:N", title=None),
        column=alt.Column("scale:N", title="drawn on a scale that is"),
    ).properties(width=165, height=200)
    return [Picture("trials", "The trials of all seeds, drawn on a linear and on a logarithmic scale.", chart)]


STUDY = Study(
    name="log-scale",
    title="The scale of the learning rate",
    question="A learning rate may lie anywhere from 0.0001 to 1. Drawn on a linear scale, nine of ten values lie above "
    "0.1. What does a logarithmic scale change?",
    method="Each framework trains a few random learning rates from the same range on either scale. The whole is "
    "repeated over seeds, which draw the learning rates, the weights, the batches and the splits.",
    measure=measure,
    findings=findings,
    pictures=pictures,
)
