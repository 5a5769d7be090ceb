"""The study `panda-or-caviar`: one model whose learning rate is adjusted, or several models side by side."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from ..search.figures import import_altair
from ..search.jobs import value_of
from ..search.trial import Trained, train_trial
from . import page
from .records import Records, Row, estimate
from .study import Picture, Setting, Study
from .training import with_values

MODELS = 4
"""The models of the caviar, each with that share of the panda's epochs."""
RATE = "optimiser.learning_rate"
PANDA, LEFT_ALONE, CAVIAR = "panda", "same model, left alone", "caviar"


def measure(setting: Setting) -> Iterator[Row]:
    """Yield a row for each epoch of each model, for each seed."""
    for seed in range(2 if setting.short else 4):
        file = setting.file
        epochs = 8 if setting.short else file.spec.training.epochs
        whole = with_values(file.spec, training_seed=seed, training_epochs=epochs)
        for how, schedule in ((PANDA, file.schedule), (LEFT_ALONE, None)):
            found = train_trial(setting.session, whole, setting.variant, schedule=schedule, check=False)
            yield from _rows(how, seed, 0, found)
        for model in range(MODELS):
            point = {**file.random_point(seed, model), "training.seed": seed, "training.epochs": epochs // MODELS}
            found = train_trial(setting.session, file.spec_at(point), setting.variant, check=False)
            yield from _rows(CAVIAR, seed, model, found)


def _rows(how: str, seed: int, model: int, found: Trained) -> Iterator[Row]:
    for number, epoch in enumerate(found.epochs, start=1):
        yield {
            **{"how": how, "seed": seed, "model": model, "epoch": number, "outcome": found.outcome},
            **{"rate": epoch.learning_rate, "accuracy": epoch.validation_accuracy, "loss": epoch.validation_loss},
            "final": value_of(found),
        }


def ends(records: Records) -> pd.DataFrame:
    """Return by framework and seed what each way ended with: of the caviar, the best of its models."""
    return records.rows.groupby(["contestant", "seed", "how"])["final"].max().unstack()


def findings(records: Records) -> list[str]:
    """Return the ends, and the differences with their intervals."""
    found = ends(records)
    rows = [
        [f"`{name}`", *(page.percent(found.loc[name][how].mean()) for how in (PANDA, LEFT_ALONE, CAVIAR))]
        for name in records.contestants
    ]
    by_seed = found.groupby("seed").mean()
    return [
        "Validation accuracy at the end, mean over the seeds; of the caviar, the best of its models:",
        page.table(["backend", PANDA, LEFT_ALONE, CAVIAR], rows),
        _compare("Panda minus caviar", list(by_seed[PANDA] - by_seed[CAVIAR])),
        _compare("Panda minus the same model left alone", list(by_seed[PANDA] - by_seed[LEFT_ALONE])),
        _describe_cuts(records.of(how=PANDA)),
        f"Both ways train as many epochs in all. On {MODELS} machines the caviar is ready in a {MODELS}th of the "
        "time; the panda cannot be divided. And the best of several models is chosen on the validation rows, which "
        "flatters it a little.",
    ]


def _describe_cuts(pandas_rows: pd.DataFrame) -> str:
    """Say how often the rule reduced the learning rate."""
    cuts = pandas_rows.groupby(["contestant", "seed"])["rate"].nunique() - 1
    if not cuts.any():
        return "The rule never reduced the panda's learning rate: its validation loss did not stop falling."
    return (
        f"The rule reduced the panda's learning rate {cuts.min():.0f} to {cuts.max():.0f} times, on average "
        f"{cuts.mean():.1f} times, down to {pandas_rows['rate'].min():.2g}."
    )


def _compare(what: str, differences: list[float]) -> str:
    found = estimate(differences)
    verdict = "the interval excludes 0" if found.excludes_zero else "no difference is shown"
    return f"{what}, mean of the frameworks, over {found.values} seeds: {page.points(found)}; {verdict}."


def pictures(records: Records) -> list[Picture]:
    """Return the curves of one seed in each framework."""
    alt = import_altair()
    one = records.of(seed=0)
    rows: list[dict[str, Any]] = [
        {key: row[key] for key in ("contestant", "how", "epoch", "accuracy")}
        | {"model": f"{row['how']} {row['model']}"}
        for row in one.to_dict("records")
    ]
    chart = alt.Chart(pd.DataFrame(rows)).mark_line(point=alt.OverlayMarkDef(size=14))
    chart = chart.encode(
        x=alt.X("epoch:Q"),
        y=alt.Y("accuracy:Q", title="validation accuracy", axis=alt.Axis(format="%"), scale=alt.Scale(zero=False)),
        color=alt.Color("how:N", title=None),
        detail="model:N",
        facet=alt.Facet("contestant:N", title=None, columns=2),
    ).properties(width=150, height=140)
    return [Picture("curves", "The models of the first seed, epoch by epoch.", chart)]


STUDY = Study(
    name="panda-or-caviar",
    title="Panda or caviar?",
    question="With little computing power you babysit one model and adjust its learning rate on the way, as a panda "
    "raises one cub. With much you train many models side by side, as a fish lays eggs. What does each get from the "
    "same number of epochs?",
    method="The panda trains one model for all epochs, and the rule below halves its learning rate when the "
    f"validation loss stops falling. The same model is also left alone. The caviar trains {MODELS} models with random "
    f"learning rates, each for a {MODELS}th of the epochs. All is repeated over seeds.",
    measure=measure,
    findings=findings,
    pictures=pictures,
)
