"""The study `random-or-grid`: 27 random settings against a grid of 3 x 3 x 3."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from ..search.figures import import_altair
from ..search.jobs import value_of
from ..search.space import Point, SearchFile
from ..search.trial import train_trial
from . import page
from .records import Records, Row, estimate
from .study import Picture, Setting, Study

TRIALS = 27
NAMES = ("optimiser.learning_rate", "optimiser.beta1", "optimiser.epsilon")
GRID, RANDOM = "grid", "random"


def measure(setting: Setting) -> Iterator[Row]:
    """Yield a row for each trial: the grid and random settings, with as many draws as there are seeds."""
    trials = 8 if setting.short else TRIALS
    for seed in range(1 if setting.short else 3):
        for how in (GRID, RANDOM):
            for trial, point in enumerate(settings(setting.file, how, seed, trials)):
                spec = setting.file.spec_at({**point, "training.seed": seed})
                trained = train_trial(setting.session, spec, setting.variant, check=False)
                row = {"how": how, "seed": seed, "trial": trial, **point, "outcome": trained.outcome}
                yield {**row, "accuracy": value_of(trained)}


def settings(file: SearchFile, how: str, seed: int, trials: int) -> list[Point]:
    """Return the settings of a grid, or of random draws: as many of each."""
    if how == RANDOM:
        return [file.random_point(seed, trial) for trial in range(trials)]
    points = 2 if trials < TRIALS else 3
    space = {name: each.model_copy(update={"points": points}) for name, each in file.space.items()}
    return file.model_copy(update={"space": space}).grid_points()


def findings(records: Records) -> list[str]:
    """Return coverage, the best of each way, and the difference with its interval."""
    one = records.of(seed=0, contestant=records.contestants[0])
    trials = len(one) // 2
    rows = [[f"`{name}`", *(str(one[one["how"] == how][name].nunique()) for how in (GRID, RANDOM))] for name in NAMES]
    best = records.rows.groupby(["contestant", "seed", "how"])["accuracy"].max().unstack()
    shown = []
    for name in records.contestants:
        mine = best.loc[name]
        shown.append([f"`{name}`", *(_range(mine[how]) for how in (GRID, RANDOM))])
    by_seed = best.groupby("seed").mean()
    return [
        f"**Coverage is what differs by construction.** In {trials} trials each hyperparameter gets this many "
        "different values:",
        page.table(["hyperparameter", "grid", "random"], rows),
        "So where one hyperparameter matters and another does not, the grid repeats itself: trials that differ only in "
        "epsilon ask nearly the same question again.",
        f"The best validation accuracy of {trials} trials, mean over the seeds and their range:",
        page.table(["backend", "grid", "random"], shown),
        describe_difference(list(by_seed[RANDOM] - by_seed[GRID])),
        _describe_importance(records),
    ]


def describe_difference(differences: list[float]) -> str:
    """Say whether random or grid found the better setting."""
    found = estimate(differences)
    if found.values < 2:
        return f"Random minus grid: {100 * found.mean:+.1f} points, from one seed: this says nothing about a winner."
    text = f"Random minus grid, over {found.values} seeds, mean of the frameworks: {page.points(found)}. "
    if not found.excludes_zero:
        return text + "The interval contains 0: on these data and at this length neither way is shown to win."
    return text + f"The interval excludes 0: here the {'random' if found.mean > 0 else 'grid'} settings did better."


def _describe_importance(records: Records) -> str:
    """Say how far the accuracy moves along each axis of the grid."""
    grid = records.of(how=GRID)
    parts = []
    for name in NAMES:
        means = grid.groupby(name)["accuracy"].mean()
        parts.append(f"`{name}` {100 * (means.max() - means.min()):.1f} points")
    return (
        "How much each hyperparameter matters here, as the range of the mean accuracy over its values in the grid: "
        f"{', '.join(parts)}."
    )


def _range(values: "pd.Series[float]") -> str:
    return f"{page.percent(values.mean())} [{page.percent(values.min())}, {page.percent(values.max())}]"


def pictures(records: Records) -> list[Picture]:
    """Return the settings in the plane of the first and the third hyperparameter, by accuracy."""
    alt = import_altair()
    one = records.of(seed=0, contestant=records.contestants[0])
    rows: list[dict[str, Any]] = [
        {"how": row["how"], "rate": row[NAMES[0]], "epsilon": row[NAMES[2]], "accuracy": row["accuracy"]}
        for row in one.to_dict("records")
    ]
    chart = alt.Chart(pd.DataFrame(rows)).mark_circle(size=70, opacity=0.9)
    chart = chart.encode(
        x=alt.X("rate:Q", title="learning rate", scale=alt.Scale(type="log"), axis=alt.Axis(format=".0e", tickCount=4)),
        y=alt.Y("epsilon:Q", title="epsilon", scale=alt.Scale(type="log"), axis=alt.Axis(format=".0e", tickCount=4)),
        color=alt.Color(
            "accuracy:Q", title="accuracy", scale=alt.Scale(scheme="viridis"), legend=alt.Legend(format="%")
        ),
        column=alt.Column("how:N", title=None),
    ).properties(width=155, height=200)
    caption = f"The settings of one seed in {records.contestants[0]}: points of the grid lie on top of each other."
    return [Picture("coverage", caption, chart)]


STUDY = Study(
    name="random-or-grid",
    title="Random settings or a grid?",
    question="You can afford 27 trainings and have three hyperparameters. Do you try a grid of 3 x 3 x 3, or 27 random "
    "settings?",
    method="Each framework trains both: the grid, and 27 settings drawn at random on the same scales. The whole is "
    "repeated over seeds, which draw the settings, the initial weights and the splits of the data.",
    measure=measure,
    findings=findings,
    pictures=pictures,
)
