"""The conversion of a table's columns to numbers and of its labels to class numbers, or the reason against it."""

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...common.errors import InputError
from .dataset import Dataset, Floats, Integers, check_dataset
from .wording import explain_unknown_name, quote_names

# pandas takes a second to import: only the functions that need it do.
# ruff: noqa: PLC0415


if TYPE_CHECKING:
    import pandas as pd

# By pandas' name for the values of a column, our kind of column. Every other kind is text.
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


def read_frame(source: str, frame: "pd.DataFrame", target: str, notes: tuple[str, ...]) -> Dataset:
    """Return the data set in a table; `target` is its column of labels, `notes` are those of the file."""
    columns = list(frame.columns)
    if not target:
        raise InputError(
            f"{source}: which column holds the labels? "
            f"Set `data.target`, or `--target`, to one of {quote_names(columns)}."
        )
    if target not in columns:
        raise InputError(
            f"{source}: {explain_unknown_name('column', target, columns)} "
            "Set `data.target`, or `--target`, to the column of labels."
        )
    features = [name for name in columns if name != target]
    if not len(frame) or not features:
        raise InputError(
            f"{source}: expected rows, a column of labels and at least one feature, "
            f"got {len(frame)} rows and {len(features)} features."
        )
    y, classes = read_labels(source, target, frame[target])
    x, treated = _read_features(source, frame[features])
    return check_dataset(Dataset(source, x, y, tuple(features), classes, notes + treated))


def _read_features(source: str, frame: "pd.DataFrame") -> tuple[Floats, tuple[str, ...]]:
    """Return the columns as numbers (rows, features), NaN where missing, and notes on their conversion."""
    columns, faults = [], []
    kinds: dict[str, list[str]] = {"true/false": [], "text": []}
    for name, values in frame.items():
        try:
            numbers, kind = _convert_to_numbers(str(name), _expand_categories(values))
        except InputError as error:
            faults.append(f"{source}: {error}")
            continue
        columns.append(numbers)
        kinds.setdefault(kind, []).append(str(name))
    if faults:
        more = [f"... and {len(faults) - 10} more such columns."] if len(faults) > 10 else []
        raise InputError("\n".join(faults[:10] + more))
    notes = []
    if kinds["true/false"]:
        notes.append(f"True/false is read as 1/0: {quote_names(kinds['true/false'])}.")
    if kinds["text"]:
        notes.append(f"Numbers written as text are read as numbers: {quote_names(kinds['text'])}.")
    return np.column_stack(columns), tuple(notes)


def _convert_to_numbers(name: str, values: "pd.Series") -> tuple[Floats, str]:
    """Return a column as numbers (rows,), NaN where missing, and the kind of its values."""
    import pandas as pd

    kind = _find_kind(values)
    if kind in ("dates or times", "complex numbers"):
        raise InputError(
            f"column `{name}` holds {kind}: expected real numbers. Convert it to numbers, or remove the column."
        )
    if kind == "text":
        text = values.astype(str).where(values.notna())
        parsed = pd.to_numeric(text, errors="coerce")
        _check_text(name, text, parsed)
        values = parsed
    numbers: Floats = values.to_numpy(np.float64, na_value=np.nan)
    return numbers, kind


def _check_text(name: str, text: "pd.Series", parsed: "pd.Series") -> None:
    """Raise InputError for a column with text that is not a number."""
    wrong = np.flatnonzero(text.notna() & parsed.isna())
    if not len(wrong):
        return
    first = str(text.iloc[wrong[0]])[:40]
    if len(wrong) < text.notna().sum():
        raise InputError(
            f"column `{name}`: expected numbers, got {first!r} in data row {wrong[0] + 1} ({len(wrong)} such). "
            "Correct the values, or remove the column."
        )
    what = "dates or times" if _is_date(first) else "text"
    raise InputError(
        f"column `{name}` holds {what}, such as {first!r} in data row {wrong[0] + 1}: expected numbers. "
        "Encode it (for example as one 0/1 column for each value), or remove the column."
    )


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _expand_categories(values: "pd.Series") -> "pd.Series":
    """Return a categorical column as a column of its categories' values."""
    return values.astype(object).infer_objects() if values.dtype == "category" else values


def _find_kind(values: "pd.Series") -> str:
    import pandas as pd

    return KINDS.get(pd.api.types.infer_dtype(values, skipna=True), "text")


def read_labels(source: str, target: str, column: "pd.Series") -> tuple[Integers, tuple[str, ...]]:
    """Return the class number of each row (rows,), counted from 0, and the names of the classes, sorted.

    Raises InputError where a label is missing or fractional, or where the values do not look like classes.
    """
    values = _expand_categories(column)
    kind = _find_kind(values)
    blank = values.astype(str).str.strip() == "" if kind == "text" else False
    missing = np.flatnonzero(values.isna() | blank)
    if len(missing):
        raise InputError(
            f"{source}: {len(missing)} of {len(values)} labels in `{target}` are missing, the first in data row "
            f"{missing[0] + 1} (empty, NA, NaN, null and None count as missing). Fill them in, or remove those rows."
        )
    if kind in ("dates or times", "complex numbers"):
        raise InputError(f"{source}: expected classes in `{target}`, got {kind}. Name another column.")
    if kind == "numbers":
        y, classes = number_classes(_check_whole(source, target, values))
    else:
        y, classes = _number_names(values.astype(str).tolist())
    _check_classes(source, target, len(y), classes)
    return y, classes


def _check_whole(source: str, target: str, values: "pd.Series") -> npt.NDArray[Any]:
    """Return the values. Raises InputError for one that is not a whole number."""
    numbers: npt.NDArray[Any] = values.to_numpy()
    if numbers.dtype.kind in "iu":
        return numbers
    numbers = numbers.astype(np.float64)
    wrong = np.flatnonzero(~np.isfinite(numbers) | (numbers != np.floor(numbers)))
    if len(wrong):
        raise InputError(
            f"{source}: expected classes in `{target}`, got {numbers[wrong[0]]:g} in data row {wrong[0] + 1}: "
            "a measured quantity. Name another column, or group its values into classes."
        )
    return numbers


def number_classes(values: npt.NDArray[Any]) -> tuple[Integers, tuple[str, ...]]:
    """Return the class number of each value (rows,), counted from 0, and the values of the classes as text, sorted."""
    found, y = np.unique(values, return_inverse=True)
    return y.astype(np.int64), tuple(str(int(value)) for value in found)


def _number_names(values: list[str]) -> tuple[Integers, tuple[str, ...]]:
    classes = sorted(set(values))
    # File formats differ in whether a class called 10 is text. It comes after 9 in all of them.
    if all(re.fullmatch(r"-?[0-9]{1,18}", name) for name in classes):
        classes.sort(key=int)
    number = {name: number for number, name in enumerate(classes)}
    return np.array([number[value] for value in values], dtype=np.int64), tuple(classes)


def _check_classes(source: str, target: str, rows: int, classes: tuple[str, ...]) -> None:
    if len(classes) < 2:
        raise InputError(
            f"{source}: expected at least two classes in `{target}`, "
            f"got {quote_names(classes) or 'none'} in {rows} rows. "
            "Name another column, or add rows of another class."
        )
    if 2 * len(classes) >= rows:
        raise InputError(
            f"{source}: {len(classes)} different labels in the {rows} rows of `{target}`: that looks like a measured "
            "quantity or an identifier, not like classes. Name another column, or add rows."
        )
