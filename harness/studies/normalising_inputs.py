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
SHORT_RATES = RATES[1::2]
"""Those of the short form: a decade apart. Some frameworks compile anew for each."""
RAW, NORMALISED = "as they are", "normalised"
STEPS = (1, 2, 5, 10, 20, 60)
PATH = 20
"""The steps of the path that is drawn."""
HALF, POINTS = 0.75, 15
"""The error surface is measured up to so far from the end of the path in either weight, at so many points."""


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
    for rate in SHORT_RATES if setting.short else RATES:
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
    yield from _surface(setting, x.astype(ready.network.dtype), ready.splits.y_train, how)


def _surface(setting: Setting, x: Array, y: Array, how: str) -> Iterator[Row]:
    """Yield the loss where the two weights are moved away from where they are, and nothing else."""
    arrays = setting.session.dump()
    moves = np.linspace(-HALF, HALF, 5 if setting.short else POINTS)
    for first in moves:
        for second in moves:
            kernel = arrays["dense0/kernel"].copy()
            kernel[:2, 0] += np.array([first, second], dtype=kernel.dtype)
            setting.session.load({**arrays, "dense0/kernel": kernel})
            chosen = setting.session.predict(x)[np.arange(len(y)), y].astype(np.float64)
            loss = float(-np.log(np.maximum(chosen, np.finfo(np.float32).tiny)).mean())
            place = {"w1": float(kernel[0, 0]), "w2": float(kernel[1, 0])}
            moved = {"move1": round(float(first), 6), "move2": round(float(second), 6)}
            yield {"kind": "surface", "how": how, **place, **moved, "loss": float(f"{loss:.6g}")}


def findings(records: Records) -> list[str]:
    """Return the condition of the surface and the losses by step."""
    losses = records.of(kind="loss")
    rates = SHORT_RATES if records.header["form"] == "short" else RATES
    rows = []
    for how in (RAW, NORMALISED):
        mine = losses[losses["how"] == how]
        by_step = [f"{mine[mine['step'] == step]['loss'].mean():.3f}" for step in STEPS]
        low, high = mine["rate"].min(), mine["rate"].max()
        best = f"{low:.2g} to {high:.2g}" if low != high else f"{low:.2g}"
        rows.append([how, f"{mine['condition'].mean():,.0f}", best, *by_step])
    return [
        "The condition is the ratio of the largest to the smallest second moment of the inputs: about 1 is a round "
        f"bowl, a large one is a long narrow valley. The learning rate is the best of {len(rates)}, each way has its "
        "own. The losses are in nats, mean over frameworks and seeds.",
        page.table(["inputs", "condition", "best learning rate", *(f"loss at step {step}" for step in STEPS)], rows),
        _describe_surface(records),
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


def _describe_surface(records: Records) -> str:
    """Say how much the loss rises on either side, along each of the two weights."""
    surface = records.of(kind="surface")
    sentences = []
    for how in (RAW, NORMALISED):
        mine = surface[surface["how"] == how]
        here = mine[mine["move1"].eq(0) & mine["move2"].eq(0)]["loss"].mean()
        along = [
            mine[mine[move].abs().eq(HALF) & mine[other].eq(0)]["loss"].mean() - here
            for move, other in (("move1", "move2"), ("move2", "move1"))
        ]
        sentences.append(f"{how}, by {along[0]:+.3f} nats along the first and {along[1]:+.3f} along the second")
    return (
        f"The error surface around the weights after {PATH} steps, mean of the frameworks: where one of two weights "
        f"moves by {HALF:g} to either side, the loss changes, with inputs {'; '.join(sentences)}."
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
        x=alt.X("step:Q", scale=alt.Scale(type="log"), axis=alt.Axis(values=list(STEPS))),
        y=alt.Y("loss:Q", title="training loss, nats"),
        color=alt.Color("how:N", title="inputs"),
        facet=alt.Facet("contestant:N", title=None, columns=2),
    ).properties(width=150, height=140)
    first = records.contestants[0]
    caption = (
        f"The error surface and the first {PATH} steps on it, for two weights in {first}; both axes have the same "
        "scale, and the other weights are as after these steps."
    )
    return [
        Picture("losses", "The loss by step, each way at its best learning rate, mean over the seeds.", curves),
        Picture("paths", caption, _draw_paths(records, first)),
    ]


def _draw_paths(records: Records, contestant: str) -> Any:
    """Return the surface as tiles with the path on top, for each way."""
    alt = import_altair()
    found = records.rows[records.rows["contestant"].eq(contestant) & records.rows["kind"].isin(["path", "surface"])]
    found = found[["kind", "how", "step", "w1", "w2", "loss"]].copy()
    half = HALF / (round(np.sqrt(found["kind"].eq("surface").sum() / 2)) - 1)  # of a tile
    for name in ("w1", "w2"):
        found[f"{name}_low"], found[f"{name}_high"] = found[name] - half, found[name] + half
    axes = {
        "x": alt.X("w1_low:Q", title="weight of the first input", scale=alt.Scale(zero=False, nice=False)),
        "y": alt.Y("w2_low:Q", title="weight of the second input", scale=alt.Scale(zero=False, nice=False)),
    }
    legend = alt.Legend(format=".3~g")
    colour = alt.Color("loss:Q", title="loss, nats", scale=alt.Scale(type="log", scheme="blues"), legend=legend)
    chart = alt.Chart(found)
    tiles = chart.transform_filter("datum.kind == 'surface'").mark_rect()
    tiles = tiles.encode(**axes, x2="w1_high:Q", y2="w2_high:Q", color=colour)
    steps = chart.transform_filter("datum.kind == 'path'").mark_line(color="black", strokeWidth=1)
    steps = steps.encode(x="w1:Q", y="w2:Q", order="step:Q")
    layers = alt.layer(tiles, steps).properties(width=155, height=155)
    faceted = layers.facet(column=alt.Column("how:N", title="inputs"))
    return faceted.resolve_scale(x="independent", y="independent", color="independent")


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
