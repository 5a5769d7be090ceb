"""A table's columns -> numbers, and labels counted from 0; or the reason why not."""

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...common.errors import InputError
from .dataset import Dataset, Floats, Integers, checked
from .wording import quoted, unknown

# pandas takes a second to import: only the functions that need it do.
# ruff: noqa: PLC0415


if TYPE_CHECKING:
    import pandas as pd

# What pandas calls the values of a column -> what we do with them. Everything else is text.
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


def from_frame(source: str, frame: "pd.DataFrame", target: str, notes: tuple[str, ...]) -> Dataset:
    """Return the data set in a table, given the column of its labels and what was noted of it so far."""
    columns = list(frame.columns)
    if not target:
        raise InputError(
            f"{source}: which column holds the labels? Set `data.target`, or `--target`, to one of {quoted(columns)}."
        )
    if target not in columns:
        raise InputError(
            f"{source}: {unknown('column', target, columns)} Set `data.target`, or `--target`, to the column of labels."
        )
    features = [name for name in columns if name != target]
    if not len(frame) or not features:
        raise InputError(
            f"{source}: expected rows, a column of labels and at least one feature, "
            f"got {len(frame)} rows and {len(features)} features."
        )
    y, classes = labels_of(source, target, frame[target])
    x, treated = _matrix(source, frame[features])
    return checked(Dataset(source, x, y, tuple(features), classes, notes + treated))


def _matrix(source: str, frame: "pd.DataFrame") -> tuple[Floats, tuple[str, ...]]:
    """Return the columns as numbers, (rows, features), NaN where missing, and notes of how they were read."""
    columns, faults = [], []
    kinds: dict[str, list[str]] = {"true/false": [], "text": []}
    for name, values in frame.items():
        try:
            numbers, kind = _numbers(str(name), _plain(values))
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
        notes.append(f"True/false is read as 1/0: {quoted(kinds['true/false'])}.")
    if kinds["text"]:
        notes.append(f"Numbers written as text are read as numbers: {quoted(kinds['text'])}.")
    return np.column_stack(columns), tuple(notes)


def _numbers(name: str, values: "pd.Series") -> tuple[Floats, str]:
    """Return a column as numbers, (rows,), NaN where missing, and the kind of values it had."""
    import pandas as pd

    kind = _kind(values)
    if kind in ("dates or times", "complex numbers"):
        raise InputError(f"column `{name}` holds {kind}: expected real numbers. Turn it into numbers, or leave it out.")
    if kind == "text":
        text = values.astype(str).where(values.notna())
        parsed = pd.to_numeric(text, errors="coerce")
        _check_text(name, text, parsed)
        values = parsed
    numbers: Floats = values.to_numpy(np.float64, na_value=np.nan)
    return numbers, kind


def _check_text(name: str, text: "pd.Series", parsed: "pd.Series") -> None:
    """Refuse a column with text that spells no number."""
    wrong = np.flatnonzero(text.notna() & parsed.isna())
    if not len(wrong):
        return
    first = str(text.iloc[wrong[0]])[:40]
    if len(wrong) < text.notna().sum():
        raise InputError(
            f"column `{name}`: expected numbers, got {first!r} in data row {wrong[0] + 1} ({len(wrong)} such). "
            "Correct the values, or leave the column out."
        )
    what = "dates or times" if _is_date(first) else "text"
    raise InputError(
        f"column `{name}` holds {what}, such as {first!r} in data row {wrong[0] + 1}: expected numbers. "
        "Encode it (one 0/1 column a value, say), or leave it out."
    )


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _plain(values: "pd.Series") -> "pd.Series":
    """Return a categorical column as the values that it stands for."""
    return values.astype(object).infer_objects() if values.dtype == "category" else values


def _kind(values: "pd.Series") -> str:
    import pandas as pd

    return KINDS.get(pd.api.types.infer_dtype(values, skipna=True), "text")


def labels_of(source: str, target: str, column: "pd.Series") -> tuple[Integers, tuple[str, ...]]:
    """Return labels counted from 0, (rows,), and the classes that they stand for, sorted.

    InputError where a label is missing or fractional, or where the values do not look like classes.
    """
    values = _plain(column)
    kind = _kind(values)
    blank = values.astype(str).str.strip() == "" if kind == "text" else False
    missing = np.flatnonzero(values.isna() | blank)
    if len(missing):
        raise InputError(
            f"{source}: {len(missing)} of {len(values)} labels in `{target}` are missing, the first in data row "
            f"{missing[0] + 1} (empty, NA, NaN, null and None count as missing). Fill them in, or leave those rows out."
        )
    if kind in ("dates or times", "complex numbers"):
        raise InputError(f"{source}: expected classes in `{target}`, got {kind}. Name another column.")
    if kind == "numbers":
        y, classes = numbered(_whole(source, target, values))
    else:
        y, classes = _named(values.astype(str).tolist())
    _check_classes(source, target, len(y), classes)
    return y, classes


def _whole(source: str, target: str, values: "pd.Series") -> npt.NDArray[Any]:
    """Return the values, refusing any that is no whole number."""
    numbers: npt.NDArray[Any] = values.to_numpy()
    if numbers.dtype.kind in "iu":
        return numbers
    numbers = numbers.astype(np.float64)
    wrong = np.flatnonzero(~np.isfinite(numbers) | (numbers != np.floor(numbers)))
    if len(wrong):
        raise InputError(
            f"{source}: expected classes in `{target}`, got {numbers[wrong[0]]:g} in data row {wrong[0] + 1}: "
            "a measured quantity. Name another column, or sort its values into classes."
        )
    return numbers


def numbered(values: npt.NDArray[Any]) -> tuple[Integers, tuple[str, ...]]:
    """Return labels counted from 0, (rows,), and the whole numbers that they stand for, sorted."""
    found, y = np.unique(values, return_inverse=True)
    return y.astype(np.int64), tuple(str(int(value)) for value in found)


def _named(values: list[str]) -> tuple[Integers, tuple[str, ...]]:
    classes = sorted(set(values))
    # Data formats disagree on whether a class called 10 is text: it comes after 9 in any of them.
    if all(re.fullmatch(r"-?[0-9]{1,18}", name) for name in classes):
        classes.sort(key=int)
    number = {name: number for number, name in enumerate(classes)}
    return np.array([number[value] for value in values], dtype=np.int64), tuple(classes)


def _check_classes(source: str, target: str, rows: int, classes: tuple[str, ...]) -> None:
    if len(classes) < 2:
        raise InputError(
            f"{source}: expected at least two classes in `{target}`, got {quoted(classes) or 'none'} in {rows} rows. "
            "Name another column, or add rows of another class."
        )
    if 2 * len(classes) >= rows:
        raise InputError(
            f"{source}: {len(classes)} different labels in the {rows} rows of `{target}`: that looks like a measured "
            "quantity or an identifier, not like classes. Name another column, or add rows."
        )
