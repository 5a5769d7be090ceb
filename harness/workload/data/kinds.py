"""The kind of values that a column holds."""

from typing import TYPE_CHECKING

# pandas takes a second to import: only the functions that need it do.
# ruff: noqa: PLC0415


if TYPE_CHECKING:
    import pandas as pd

KINDS = {
    "boolean": "true/false",
    "integer": "numbers",
    "floating": "numbers",
    "mixed-integer-float": "numbers",
    "decimal": "numbers",
    "empty": "numbers",
    "complex": "complex numbers",
    **dict.fromkeys(("date", "datetime", "datetime64", "time", "timedelta", "timedelta64", "period"), "dates or times"),
}
"""By pandas' name for the values of a column, our kind of column. Every other kind is text, lists or structures."""


def find_kind(values: "pd.Series") -> str:
    """Return "numbers", "true/false", "text", "dates or times", "complex numbers", "lists" or "structures"."""
    import numpy as np
    import pandas as pd

    kind = KINDS.get(pd.api.types.infer_dtype(values, skipna=True), "text")
    if kind == "text" and values.dtype == object:
        first = next((value for value in values if value is not None), None)
        if isinstance(first, list | tuple | set | np.ndarray):
            return "lists"
        if isinstance(first, dict):
            return "structures"
    return kind


def expand_categories(values: "pd.Series") -> "pd.Series":
    """Return a categorical column as a column of its categories' values."""
    return values.astype(object).infer_objects() if values.dtype == "category" else values
