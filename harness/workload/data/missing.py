"""The texts that stand for a missing value, and what becomes of the rows that have one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...common.errors import InputError
from .wording import shorten_list

if TYPE_CHECKING:
    import pandas as pd

TEXTS = (
    *("", "?", "NA", "N/A", "n/a", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None", "<NA>"),
    *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN"),
)
"""The texts that count as missing: those of pandas, and `?`, which the UCI repository uses."""
LISTED = "empty, ?, NA, NaN, null and None count as missing"
OPTIONS = (
    'Fill them in, or set `data.missing` to "drop" (leave out these rows) or "mean" (the mean of the training rows).'
)


def blank_missing(values: "pd.Series") -> "pd.Series":
    """Return a column of text without blanks around its values, and with None for the missing ones."""
    text = values.astype(object).where(values.notna(), None).map(str, na_action="ignore").str.strip()
    found: pd.Series = text.where(text.notna() & ~text.isin(TEXTS), None)
    return found


def all_finite(x: npt.NDArray[np.float64]) -> bool:
    """Return whether the sum is finite: then every number is. Where it overflows, the answer is a wrong no.

    It needs no array of the size of x, as numpy.isfinite does.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(x.sum()))


def list_places(features: Sequence[str], wrong: npt.NDArray[np.bool_]) -> str:
    """Return the columns with true values in `wrong` (rows, features): how many, and the first row of each."""
    counts = wrong.sum(axis=0)
    return shorten_list(
        [
            f"`{features[int(column)]}` {counts[column]} (the first in data row {wrong[:, column].argmax() + 1})"
            for column in np.flatnonzero(counts)
        ]
    )


def select_rows(
    source: str, features: Sequence[str], x: npt.NDArray[np.float64], labelled: npt.NDArray[np.bool_], missing: str
) -> tuple[npt.NDArray[np.bool_], tuple[str, ...]]:
    """Return which rows are used (rows,), and notes on missing values; `missing` is the option of that name.

    `labelled` (rows,) says which rows have a label. Raises InputError where the option is to refuse missing values.
    """
    if labelled.all() and (all_finite(x) or not np.isnan(x).any()):
        return labelled, ()
    wrong = np.isnan(x)
    places = list_places(features, wrong)
    if missing == "refuse":
        raise InputError(f"{source}: missing values: {places}. {OPTIONS} `data.drop` leaves out whole columns.")
    rows, notes = len(x), []
    kept = labelled & ~wrong.any(axis=1) if missing == "drop" else labelled
    if missing == "drop":
        notes.append(f"{(~kept).sum()} of {rows} rows with missing values are left out.")
    elif not labelled.all():
        notes.append(f"{(~labelled).sum()} of {rows} rows without a label are left out: a label has no mean.")
    if missing == "mean" and places:
        notes.append(f"Missing values are replaced by the mean of the training rows: {places}.")
    if not kept.any():
        raise InputError(f"{source}: every row has a missing value, so none is left. `data.drop` leaves out columns.")
    return kept, tuple(notes)
