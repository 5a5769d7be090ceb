"""The study `batch-norm-regularises`: the gap between training and validation, by mini-batch, with and without."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ..common.arrays import Array, Arrays
from ..common.predictions import accuracy
from ..portable import spec as portable
from ..portable.reference import Reference
from ..search.figures import import_altair
from . import page
from .records import Records, Row, estimate
from .study import Picture, Setting, Study
from .training import prepare, with_values

SIZES = (8, 32, 128, 512)
BATCHES = 20
"""The batches that the noise of the statistics is measured on."""
WITH, WITHOUT = "batch norm", "none"


def measure(setting: Setting) -> Iterator[Row]:
    """Yield the losses and accuracies of each seed, mini-batch and network, and the noise of the batch statistics."""
    for seed in range(2 if setting.short else 4):
        for size in SIZES[1::2] if setting.short else SIZES:
            for how in (WITH, WITHOUT):
                values = {"training_seed": seed, "training_batch_size": size, "network_batch_norm": how == WITH}
                spec = with_values(setting.file.spec, **values)
                yield {"seed": seed, "batch": size, "how": how, **_train(setting, spec)}


def _train(setting: Setting, spec: Any) -> Row:
    session = setting.session
    ready = prepare(session, spec, setting.variant)
    session.train(ready.order)
    splits, dtype = ready.splits, ready.network.dtype
    training, validation = (session.predict(x.astype(dtype)) for x in (splits.x_train, splits.x_validation))
    row: Row = {
        "steps": len(ready.order),
        "training_accuracy": accuracy(training, splits.y_train),
        "validation_accuracy": accuracy(validation, splits.y_validation),
        "training_loss": _loss(training, splits.y_train),
        "validation_loss": _loss(validation, splits.y_validation),
    }
    if spec.network.batch_norm:
        noise_of_mean, noise_of_deviation = _noise(ready.network, session.dump(), splits.x_train, ready.order)
        row |= {"noise_of_mean": noise_of_mean, "noise_of_deviation": noise_of_deviation}
    return row


def _loss(probabilities: Array, y: Array) -> float:
    chosen = probabilities[np.arange(len(y)), y].astype(np.float64)
    return float(-np.log(np.maximum(chosen, np.finfo(np.float32).tiny)).mean())


def _noise(network: portable.Spec, arrays: Arrays, x: Array, order: Array) -> tuple[float, float]:
    """Return how much the batch statistics of the trained first layer vary from batch to batch.

    Both are relative to the standard deviation of a unit over all training rows, mean over the units: the standard
    deviation of the batch mean, and that of the batch's standard deviation.
    """
    oracle = Reference(network._replace(dtype="float64"))
    oracle.load({name: array.astype(np.float64) for name, array in arrays.items()})
    rng = np.random.default_rng(0)
    batches = [rng.choice(len(x), order.shape[1], replace=False) for _ in range(BATCHES)]
    z = x @ oracle.arrays["dense0/kernel"]
    deviation = z.std(axis=0)
    alive = deviation > 0
    means = np.array([z[rows].mean(axis=0) for rows in batches])[:, alive]
    deviations = np.array([z[rows].std(axis=0) for rows in batches])[:, alive]
    relative = deviation[alive]
    return float((means.std(axis=0) / relative).mean()), float((deviations.std(axis=0) / relative).mean())


def gaps(records: Records, kind: str = "accuracy") -> pd.DataFrame:
    """Return the gap training - validation (of a loss: validation - training) of every row."""
    sign = 1 if kind == "accuracy" else -1
    found = records.rows.copy()
    found["gap"] = sign * (found[f"training_{kind}"] - found[f"validation_{kind}"])
    return found


def _by_seed(found: pd.DataFrame, size: int, how: str) -> "pd.Series[float]":
    """Return the mean gap over the frameworks, by seed."""
    mine = found[(found["batch"] == size) & (found["how"] == how)]
    return mine.groupby("seed")["gap"].mean()


def findings(records: Records) -> list[str]:
    """Return the gaps and the noise, with intervals over the seeds."""
    sizes = sorted(records.rows["batch"].unique())
    return [
        "The gap in accuracy is the training minus the validation accuracy; a small gap is what a regulariser gives. "
        "Each number is the mean over the frameworks with its 95 % interval over the seeds.",
        page.table(
            ["mini-batch", "gap with batch norm", "gap without", "with minus without", "validation with", "without"],
            [_row(records, size) for size in sizes],
        ),
        _describe_gap(records, sizes),
        "The noise of the batch statistics: how much the mean and the standard deviation of a unit vary from one "
        "mini-batch to the next, as a share of its standard deviation over all rows. For independent rows, the "
        "mean's would be 1 / sqrt(size); a batch drawn from few rows without repetition varies less.",
        page.table(["mini-batch", "of the mean", "of the deviation", "1 / sqrt(size)"], _noise_rows(records, sizes)),
        _describe_trend(records, sizes),
        "Eight epochs are more steps with small mini-batches than with large ones, with and without batch norm alike. "
        "So compare the two columns of a row before the rows of a column.",
    ]


def _row(records: Records, size: int) -> list[str]:
    found = gaps(records)
    both = [_by_seed(found, size, how) for how in (WITH, WITHOUT)]
    cells = [page.points(estimate(list(each))) for each in (*both, both[0] - both[1])]
    mine = records.of(batch=size)
    means = mine.groupby("how")["validation_accuracy"].mean()
    return [str(size), *cells, page.percent(means[WITH]), page.percent(means[WITHOUT])]


def _noise_rows(records: Records, sizes: list[int]) -> list[list[str]]:
    rows = []
    for size in sizes:
        mine = records.of(batch=size, how=WITH)
        noise = (page.percent(mine[f"noise_of_{each}"].mean()) for each in ("mean", "deviation"))
        rows.append([str(size), *noise, page.percent(size**-0.5)])
    return rows


def _describe_gap(records: Records, sizes: list[int]) -> str:
    """Say where batch norm changes the gap, in accuracy and in loss."""
    parts = []
    for kind, unit in (("accuracy", "the gap in accuracy"), ("loss", "the gap in loss")):
        found = gaps(records, kind)
        differences = {
            size: estimate(list(_by_seed(found, size, WITH) - _by_seed(found, size, WITHOUT))) for size in sizes
        }
        smaller = [str(size) for size, each in differences.items() if each.excludes_zero and each.mean < 0]
        larger = [str(size) for size, each in differences.items() if each.excludes_zero and each.mean > 0]
        text = []
        text += [f"smaller with batch norm for mini-batches of {', '.join(smaller)}"] if smaller else []
        text += [f"larger with batch norm for mini-batches of {', '.join(larger)}"] if larger else []
        unknown = len(sizes) - len(smaller) - len(larger)
        text += [f"not distinguishable for {unknown} of {len(sizes)} sizes"] if unknown else []
        parts.append(f"{unit} is {', and '.join(text)}")
    sentence = "; ".join(parts)
    return f"**{sentence[0].upper()}{sentence[1:]}.**"


def _describe_trend(records: Records, sizes: list[int]) -> str:
    """Say whether the effect of batch norm shrinks as the mini-batch grows."""
    found = gaps(records, "loss")
    small, large = (_by_seed(found, size, WITH) - _by_seed(found, size, WITHOUT) for size in (sizes[0], sizes[-1]))
    change = estimate(list(large - small))
    text = (
        f"From mini-batches of {sizes[0]} to {sizes[-1]}, the effect of batch norm on the gap in loss changes by "
        f"{change.mean:+.3f} [{change.low:+.3f}, {change.high:+.3f}] nats. "
    )
    if not change.excludes_zero:
        return text + "The interval contains 0: that the effect depends on the mini-batch is not shown here."
    direction = "weaker" if change.mean > 0 else "stronger"
    return text + f"So the regularising effect is {direction} for large mini-batches, on these data."


def pictures(records: Records) -> list[Picture]:
    """Return the gap in loss by mini-batch, for each framework."""
    alt = import_altair()
    rows: list[dict[str, Any]] = []
    for (name, how, size), mine in gaps(records, "loss").groupby(["contestant", "how", "batch"], sort=False):
        found = estimate(list(mine["gap"]))
        rows.append({"backend": name, "how": how, "batch": size, "gap": found.mean})
        rows[-1] |= {"low": found.low, "high": found.high}
    base = alt.Chart(pd.DataFrame(rows)).encode(
        x=alt.X("batch:Q", title="mini-batch", scale=alt.Scale(type="log", base=2)),
        color=alt.Color("how:N", title=None, scale=alt.Scale(range=["#1f6feb", "#c2410c"])),
    )
    layers = alt.layer(
        base.mark_line(point=True).encode(y=alt.Y("gap:Q", title="gap in loss, nats")),
        base.mark_rule().encode(y=alt.Y("low:Q"), y2="high:Q"),
    ).properties(width=150, height=140)
    chart = layers.facet(alt.Facet("backend:N", title=None), columns=2)
    return [
        Picture(
            "gap",
            "The gap in loss, validation minus training, by mini-batch; bars are 95 % intervals over the seeds.",
            chart,
        )
    ]


STUDY = Study(
    name="batch-norm-regularises",
    title="Does batch norm regularise?",
    question="Each mini-batch has its own mean and variance, so batch norm adds noise to every hidden unit. This is "
    "said to regularise a little, and less with large mini-batches. Does it here?",
    method="Each framework trains the same network with and without batch norm, in mini-batches of 8 to 512 rows, "
    "for as many epochs, over several seeds, which draw weights, batches and the splits of the data. Training and "
    "validation rows are then predicted in test mode. The noise is that of the trained first layer, over 20 random "
    "mini-batches.",
    measure=measure,
    findings=findings,
    pictures=pictures,
)
