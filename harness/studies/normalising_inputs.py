"""The study `normalising-inputs`: the error surface and the steps on it, with and without."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ..common.arrays import Array
from ..search.figures import import_altair
from . import page
from .records import Records, Row, estimate
from .study import Picture, Setting, Study
from .training import prepare, with_values

STRETCH = np.array([10.0, 1.0])
"""What the inputs are multiplied by and moved by: as if one were in another unit, and far from 0."""
OFFSET = np.array([10.0, 2.0])
RATES = tuple(10.0 ** (power / 2) for power in range(-7, 4))
"""Learning rates to choose the best from: half a decade apart."""
RAW, NORMALISED = "as they are", "normalised"
STEPS = (1, 2, 5, 10, 20, 60)
PATH = 20
"""The steps of the path that is drawn."""


def measure(setting: Setting) -> Iterator[Row]:
    """Yield the loss along the training at the best learning rate, and the shape of the surface, for each seed."""
    for seed in range(2 if setting.short else 4):
        spec = with_values(setting.file.spec, training_seed=seed)
        ready = prepare(setting.session, spec, setting.variant)
        raw = ready.splits.x_train * STRETCH + OFFSET
        for how, x in ((RAW, raw), (NORMALISED, (raw - raw.mean(axis=0)) / raw.std(axis=0))):
            losses, rate = _best(setting, spec, x)
            curvatures = _curvatures(x)
            row = {"seed": seed, "how": how, "rate": rate, "condition": float(curvatures[-1] / curvatures[0])}
            for step in STEPS:
                yield {"kind": "loss", **row, "step": step, "loss": float(losses[step - 1])}
            if seed == 0:
                yield from _path(setting, spec, x, how, rate)


def _best(setting: Setting, spec: Any, x: Array) -> tuple[Array, float]:
    """Return the losses (steps,) at the learning rate whose mean loss over the training is the lowest, and the rate."""
    found = []
    for rate in RATES:
        ready = prepare(setting.session, with_values(spec, optimiser_learning_rate=rate), setting.variant, x)
        found.append((setting.session.train(ready.order[: STEPS[-1]]).astype(np.float64), rate))
    return min(found, key=lambda each: float(each[0].mean()))


def _curvatures(x: Array) -> Array:
    """Return the eigenvalues of the second moments of the inputs with a 1 for the bias, the smallest first.

    The Hessian of softmax regression is made of these and of the probabilities: their ratio is how much longer the
    valley of the error surface is than it is wide.
    """
    with_bias = np.column_stack([x, np.ones(len(x))])
    values: Array = np.linalg.eigvalsh(with_bias.T @ with_bias / len(x))
    return values


def _path(setting: Setting, spec: Any, x: Array, how: str, rate: float) -> Iterator[Row]:
    """Yield the weights of the two inputs for the first class, step by step."""
    ready = prepare(setting.session, with_values(spec, optimiser_learning_rate=rate), setting.variant, x)
    for step in range(PATH + 1):
        first, second = setting.session.dump()["dense0/kernel"][:, 0].astype(float)
        yield {"kind": "path", "how": how, "step": step, "w1": float(first), "w2": float(second)}
        setting.session.train(ready.order[step : step + 1])


def findings(records: Records) -> list[str]:
    """Return the condition of the surface and the losses by step."""
    losses = records.of(kind="loss")
    rows = []
    for how in (RAW, NORMALISED):
        mine = losses[losses["how"] == how]
        by_step = [f"{mine[mine['step'] == step]['loss'].mean():.3f}" for step in STEPS]
        rates = mine["rate"]
        best = f"{rates.min():.2g} to {rates.max():.2g}" if rates.min() != rates.max() else f"{rates.min():.2g}"
        rows.append([how, f"{mine['condition'].mean():,.0f}", best, *by_step])
    return [
        "The condition is the ratio of the largest to the smallest second moment of the inputs: about 1 is a round "
        f"bowl, a large one is a long narrow valley. The learning rate is the best of {len(RATES)}, each way has its "
        "own. The losses are in nats, mean over frameworks and seeds.",
        page.table(["inputs", "condition", "best learning rate", *(f"loss at step {step}" for step in STEPS)], rows),
        *(_compare(losses, step) for step in (STEPS[2], STEPS[-1])),
        _describe_frameworks(losses),
        "The same affine change can be undone by the weights, so both networks can represent the same function: what "
        "differs is the way there. In the narrow valley the step is limited by the steep direction, and the flat "
        "direction has to wait.",
    ]


def _compare(losses: pd.DataFrame, step: int) -> str:
    means = losses[losses["step"] == step].groupby(["seed", "how"])["loss"].mean().unstack()
    found = estimate(list(means[RAW] - means[NORMALISED]))
    verdict = "the interval excludes 0" if found.excludes_zero else "no difference is shown"
    return (
        f"Loss at step {step}, inputs as they are minus normalised, over {found.values} seeds: {found.mean:+.3f} "
        f"[{found.low:+.3f}, {found.high:+.3f}] nats; {verdict}."
    )


def _describe_frameworks(losses: pd.DataFrame) -> str:
    """Say how far the frameworks are apart."""
    ranges = losses.groupby(["seed", "how", "step"])["loss"].agg(lambda values: values.max() - values.min())
    return f"The losses of the frameworks differ by at most {ranges.max():.1e} nats at any of these steps."


def pictures(records: Records) -> list[Picture]:
    """Return the loss by step, and the path of two weights, each in units of its longest move."""
    alt = import_altair()
    losses = records.of(kind="loss").groupby(["how", "contestant", "step"], as_index=False)["loss"].mean()
    curves = alt.Chart(losses).mark_line(point=True)
    curves = curves.encode(
        x=alt.X("step:Q", scale=alt.Scale(type="log")),
        y=alt.Y("loss:Q", title="training loss, nats"),
        color=alt.Color("how:N", title="inputs"),
        facet=alt.Facet("contestant:N", title=None, columns=2),
    ).properties(width=200, height=150)
    one = records.of(kind="path", contestant=records.contestants[0])
    paths = alt.Chart(one[["how", "step", "w1", "w2"]]).mark_line(point=alt.OverlayMarkDef(size=20))
    paths = (
        paths.encode(
            x=alt.X("w1:Q", title="weight of the first input", scale=alt.Scale(zero=False)),
            y=alt.Y("w2:Q", title="weight of the second input", scale=alt.Scale(zero=False)),
            order="step:Q",
            column=alt.Column("how:N", title="inputs"),
        )
        .properties(width=230, height=230)
        .resolve_scale(x="independent", y="independent")
    )
    return [
        Picture("losses", "The loss by step, each way at its best learning rate, mean over the seeds.", curves),
        Picture("paths", f"The first {PATH} steps of two weights in {records.contestants[0]}.", paths),
    ]


STUDY = Study(
    name="normalising-inputs",
    title="Normalising inputs",
    question="Inputs in different units, and far from 0, make the error surface a long narrow valley. How much "
    "sooner does gradient descent arrive where the inputs are normalised?",
    method="Softmax regression on two inputs, by gradient descent on all rows at once. The first input is ten times "
    "as wide as the second, and both lie away from 0. Each framework trains on them as they are, and after "
    "subtracting the mean and dividing by the standard deviation. Either way gets the best of the same learning "
    "rates.",
    measure=measure,
    findings=findings,
    pictures=pictures,
)
