"""The study `softmax`: the worked example 5, 2, -1, 3 in every framework."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..common.arrays import Array
from ..search.figures import BLUE, import_altair
from . import page
from .records import Records, Row
from .study import Picture, Setting, Study

LOGITS = (5.0, 2.0, -1.0, 3.0)
CASES: dict[str, Callable[[Sequence[float]], list[float]]] = {
    "as they are": list,
    "plus 1000": lambda logits: [each + 1000 for each in logits],
    "times 10": lambda logits: [each * 10 for each in logits],
    "divided by 10": lambda logits: [each / 10 for each in logits],
}
"""What is done to the logits: a shift changes nothing, a factor makes the choice harder or softer."""


def exact(logits: list[float] | tuple[float, ...]) -> list[float]:
    """Return the softmax in Python's float64, by exactly rounded sums."""
    powers = [math.exp(each - max(logits)) for each in logits]
    total = math.fsum(powers)
    return [each / total for each in powers]


def measure(setting: Setting) -> Iterator[Row]:
    """Yield the probabilities of each case in both dtypes, and the loss and the gradient for each label."""
    for dtype in ("float32", "float64"):
        x, y = _load(setting, dtype)
        for (name, change), probabilities in zip(CASES.items(), setting.session.predict(x), strict=True):
            yield {
                "kind": "probabilities",
                "dtype": dtype,
                "case": name,
                "values": [float(each) for each in probabilities],
                "error": float(np.abs(probabilities.astype(np.float64) - exact(change(LOGITS))).max()),
            }
        for label in range(len(LOGITS)):
            yield _measure_loss(setting, x, y, dtype, label)


def _load(setting: Setting, dtype: str) -> tuple[Array, Array]:
    """Build softmax regression with the identity as its weights, so that its inputs are its logits."""
    width = len(LOGITS)
    spec = setting.file.spec.portable(width, width)._replace(dtype=dtype, batch_size=len(CASES))
    x = np.array([change(LOGITS) for change in CASES.values()], dtype=dtype)
    y = np.zeros(len(CASES), dtype=np.int64)
    setting.session.build(spec, "cpu", setting.variant)
    setting.session.load({"dense0/kernel": np.eye(width, dtype=dtype), "dense0/bias": np.zeros(width, dtype=dtype)})
    setting.session.put(x, y)
    return x, y


def _measure_loss(setting: Setting, x: Array, y: Array, dtype: str, label: int) -> Row:
    """Return the loss of the example with this label, and its gradient for the logits: softmax - one-hot."""
    session, width = setting.session, len(LOGITS)
    same = np.repeat(x[:1], len(CASES), axis=0)
    labels = np.full(len(y), label, dtype=np.int64)
    gradient = session.gradients(same, labels)["dense0/bias"].astype(np.float64)
    session.put(same, labels)
    loss = float(session.train(np.arange(len(CASES), dtype=np.int64)[None])[0])
    session.load({"dense0/kernel": np.eye(width, dtype=dtype), "dense0/bias": np.zeros(width, dtype=dtype)})
    probabilities = exact(LOGITS)
    expected = np.array(probabilities) - np.eye(width)[label]
    return {
        "kind": "loss",
        "dtype": dtype,
        "label": label,
        "loss": loss,
        "gradient": [float(each) for each in gradient],
        "error": abs(loss + math.log(probabilities[label])),
        "gradient_error": float(np.abs(gradient - expected).max()),
    }


def findings(records: Records) -> list[str]:
    """Return the table of the worked example, and the errors."""
    single = records.of(kind="probabilities", dtype="float32")
    rows = []
    for name in records.contestants:
        mine = single[single["contestant"] == name].set_index("case")
        example: Any = mine.loc["as they are", "values"]
        probabilities = ", ".join(f"{each:.3f}" for each in example)
        rows.append([f"`{name}`", probabilities, *(f"{error:.1e}" for error in mine["error"])])
    columns = ["backend", "softmax(5, 2, -1, 3)", *(f"error, logits {case}" for case in CASES)]
    losses = records.of(kind="loss", dtype="float32")
    rounded = {tuple(round(each, 3) for each in values) for values in single[single["case"] == "as they are"]["values"]}
    same = "the same" if len(rounded) == 1 else f"{len(rounded)} different"
    first = losses[losses["label"] == 0]["loss"].mean()
    last = losses[losses["label"] == 2]["loss"].mean()
    return [
        f"To three places the frameworks give {same} probabilities. The table has the largest error in float32, "
        "against a computation in float64.",
        page.table(columns, rows),
        f"A thousand added to every logit changes {_describe_shift(single)}. exp(1005) overflows, so a softmax must "
        "take the largest logit off before it raises to powers; the value is the same.",
        "Logits times 10 make the softmax almost a hard choice of the largest; divided by 10 they leave it almost "
        "undecided. So the scale of the last layer's weights decides how sure a network is.",
        f"The loss of the example is {first:.3f} nats where the label is the first class, and {last:.2f} where it is "
        "the third, to which the softmax gives least. The gradient for the logits is the probabilities, minus 1 at "
        f"the label: the frameworks differ from that by at most {losses['gradient_error'].max():.1e}, and in the loss "
        f"by at most {losses['error'].max():.1e}, in float32. In float64 it is "
        f"{records.of(kind='loss', dtype='float64')['gradient_error'].max():.1e} and "
        f"{records.of(kind='loss', dtype='float64')['error'].max():.1e}.",
    ]


def _describe_shift(single: pd.DataFrame) -> str:
    largest = _shift(single)
    return f"no probability by more than {largest:.1e}" if largest else "no probability at all"


def _shift(single: pd.DataFrame) -> float:
    """Return the largest change of a probability by the shift."""
    by_case = single.set_index(["contestant", "case"])["values"]
    return max(
        float(np.abs(np.subtract(by_case[name, "plus 1000"], by_case[name, "as they are"])).max())
        for name in dict.fromkeys(single["contestant"])
    )


def pictures(records: Records) -> list[Picture]:
    """Return the probabilities of each case, one bar a class."""
    alt = import_altair()
    rows: list[dict[str, Any]] = [
        {"backend": row["contestant"], "case": row["case"], "logit": f"{LOGITS[place]:g}", "probability": value}
        for row in records.of(kind="probabilities", dtype="float32").to_dict("records")
        for place, value in enumerate(row["values"])
    ]
    chart = alt.Chart(pd.DataFrame(rows)).mark_bar(color=BLUE)
    chart = chart.encode(
        x=alt.X("logit:N", title="logit", sort=None, axis=alt.Axis(labelAngle=0)),
        y=alt.Y("probability:Q", axis=alt.Axis(format="%")),
        column=alt.Column("case:N", title="logits", sort=list(CASES)),
        row=alt.Row("backend:N", title=None),
    ).properties(width=75, height=80)
    return [Picture("probabilities", "The softmax of the example in each framework, and of changed logits.", chart)]


STUDY = Study(
    name="softmax",
    title="Softmax: 5, 2, -1, 3",
    question="What does a softmax do to the scores of a network, and is it the same in every framework? The worked "
    "example has four classes with the logits 5, 2, -1 and 3.",
    method="The network is softmax regression with the identity as its weights, so its inputs are its logits. Each "
    "framework predicts the example, the same logits plus 1000, times 10 and divided by 10, in float32 and in "
    "float64. Then it computes the loss and the gradient of the example for each of the four labels.",
    measure=measure,
    findings=findings,
    pictures=pictures,
    uses_data=False,
)
