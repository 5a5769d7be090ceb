"""Tables of the training: what each framework's own defaults led to, and the epochs to the target accuracy."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...measures.training.defaults import TARGET
from ...measures.training.figures import DEFAULT_DISTANCE, DEFAULT_VALUE, TEST_ACCURACY, VALIDATION_ACCURACY
from ...records.query import Query
from ..text import ABSENT, format_or_dash, format_share, format_time

if TYPE_CHECKING:
    from .speed import StepTimes

COMMON_SPEC = "the common spec"
"""The key `other` of the distance from the common spec, trained by the oracle."""

CAPTION = (
    "The spec left these fields to the frameworks. A * marks a framework's own default; where it has none, the value "
    "is that of the common spec. The last three columns compare the trained network with one of the common spec, on "
    "the test rows."
)


def epochs_to_target(query: Query, backend: str, variant: str) -> float:
    """Return the epochs until the validation accuracy first reached the target; NaN where it never did."""
    scores = query.columns(VALIDATION_ACCURACY, ["epoch", "value"], backend=backend, variant=variant).sort_values(
        "epoch"
    )
    reached = np.flatnonzero(scores["value"].astype(float) >= TARGET)
    return float(reached[0] + 1) if len(reached) else np.nan


def steps_per_epoch(header: Mapping[str, Any]) -> int:
    """Return the steps of an epoch: whole batches of the training rows."""
    return int(header["data"]["rows"]["train"] // header["spec"]["training"]["batch_size"])


def tabulate_framework_defaults(
    header: Mapping[str, Any], query: Query, times: "StepTimes", entries: Sequence[tuple[str, str]]
) -> pd.DataFrame:
    """Return the value in force of each field left to the framework, and the distance from the common spec."""
    if not len(query.rows(DEFAULT_VALUE)) and not len(query.rows(DEFAULT_DISTANCE)):
        return pd.DataFrame()
    rows = []
    for backend, variant in entries:
        who = {"backend": backend, "variant": variant}
        row: dict[str, Any] = {"backend": f"{backend}:{variant}"}
        for each in query.rows(DEFAULT_VALUE, **who).to_dict("records"):
            row[str(each["field"])] = f"{each['value']}{'*' if each['own'] is True else ''}"
        row["test accuracy"] = format_or_dash(query.last(TEST_ACCURACY, **who), format_share)
        epochs = epochs_to_target(query, backend, variant)
        seconds = epochs * steps_per_epoch(header) * times.step((backend, variant)).estimate
        reached = not pd.isna(epochs)
        row[f"epochs to {TARGET:.0%}"] = f"{epochs:.0f}" if reached else "not reached"
        row[f"time to {TARGET:.0%}"] = format_or_dash(seconds, format_time) if reached else "not reached"
        for each in query.rows(DEFAULT_DISTANCE, other=COMMON_SPEC, **who).to_dict("records"):
            row["mean change of a probability"] = f"{each['mean']:.1e}"
            row["largest"] = f"{each['largest']:.1e}"
            row["changed predictions"] = format_share(each["changed_predictions"])
        rows.append(row)
    return pd.DataFrame(rows).fillna(ABSENT)
