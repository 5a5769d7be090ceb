"""The conversion of a table's columns to numbers and of its labels to class numbers, or the reason against it."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from ...common.errors import InputError
from ..spec import DataSpec
from .dataset import Column, Dataset, Floats, check_dataset
from .doubts import note_features, note_label_copies
from .kinds import expand_categories, find_kind
from .labels import check_classes, check_labels, encode_labels, note_doubtful_classes, read_label_texts
from .missing import blank_missing, select_rows
from .parts import note_parts, read_parts
from .wording import explain_unknown_name, quote_names

# pandas takes a second to import: only the functions that need it do.
# ruff: noqa: PLC0415


if TYPE_CHECKING:
    import pandas as pd

MAX_CATEGORIES = 1000
"""The largest number of values of a column of text that become columns."""
BLOCK_ROWS = 4096
"""The rows that are copied at a time: they stay in the cache while column after column is written."""
FILLING_THREADS = 2
"""numpy copies without holding the interpreter."""


def read_frame(source: str, frame: "pd.DataFrame", spec: DataSpec, notes: tuple[str, ...]) -> Dataset:
    """Return the data set in a table; `notes` are those of the file. Raises InputError where it is unfit."""
    frame, left_out = drop_columns(source, frame, spec)
    features = [name for name in frame.columns if name not in (spec.target, spec.split)]
    if not len(frame) or not features:
        raise InputError(
            f"{source}: expected rows, a column of labels and at least one feature, "
            f"got {len(frame)} rows and {len(features)} features."
        )
    texts, label_notes = read_label_texts(source, spec.target, frame[spec.target])
    check_labels(source, spec.target, texts, spec.missing)
    x, names, columns, treated = _read_features(source, frame[features], spec)
    roles = [
        Column(spec.target, "classes", "labels"),
        *columns,
        *([Column(spec.split, "text", "split")] if spec.split else []),
        *(Column(name, "", "left out") for name in left_out),
    ]
    split = frame[spec.split] if spec.split else None
    dataset = assemble(source, spec, x, tuple(names), texts, split, notes + label_notes + treated)
    return dataset._replace(columns=tuple(roles))


def assemble(
    source: str,
    spec: DataSpec,
    x: Floats,
    features: tuple[str, ...],
    texts: "pd.Series",
    split: "pd.Series | None",
    notes: tuple[str, ...],
) -> Dataset:
    """Return the data set of features (rows, features), NaN where missing, and labels (rows,), None where missing."""
    target = spec.target or "y"
    labelled = check_labels(source, target, texts, spec.missing)
    kept, missing_notes = select_rows(source, features, x, labelled, spec.missing)
    notes += missing_notes
    parts = None if split is None else read_parts(source, spec.split, split)
    if not kept.all():
        x, texts = x[kept], texts[kept]
        parts = None if parts is None else parts[kept]
    y, classes = encode_labels(texts.tolist())
    check_classes(source, target, len(y), classes)
    notes += note_doubtful_classes(y, classes) + note_label_copies(features, x, y, classes)
    if parts is not None:
        notes += note_parts(source, spec.split, parts)
    return check_dataset(Dataset(source, x, y, features, classes, notes, parts))


def drop_columns(source: str, frame: "pd.DataFrame", spec: DataSpec) -> tuple["pd.DataFrame", list[str]]:
    """Return the table without the columns that `data.drop` names, and those.

    Raises InputError where a column that the spec names is not in the table.
    """
    columns = [str(name) for name in frame.columns]
    check_named_columns(source, columns, spec)
    left_out = [name for name in columns if name in spec.drop]
    return (frame.loc[:, [name not in spec.drop for name in columns]] if left_out else frame), left_out


def check_named_columns(source: str, columns: Sequence[str], spec: DataSpec, hint: str = "") -> None:
    """Raise InputError where a column that the spec names is absent; `hint` is added where it is the target."""
    names = list(columns)
    if not spec.target:
        raise InputError(
            f"{source}: which column holds the labels? "
            f"Set `data.target`, or `--target`, to one of {quote_names(names)}.{hint}"
        )
    if spec.target not in names:
        raise InputError(
            f"{source}: {explain_unknown_name('column', spec.target, names)} "
            f"Set `data.target`, or `--target`, to the column of labels.{hint}"
        )
    for key, name in (*(("drop", name) for name in spec.drop), *([("split", spec.split)] if spec.split else [])):
        if name not in names:
            raise InputError(f"{source}: {explain_unknown_name('column', name, names)} `data.{key}` names it.")
    if spec.target in (*spec.drop, spec.split):
        raise InputError(
            f"{source}: `{spec.target}` is the column of labels, and `data.drop` or `data.split` names it too."
        )


def _read_features(
    source: str, frame: "pd.DataFrame", spec: DataSpec
) -> tuple[Floats, list[str], list[Column], tuple[str, ...]]:
    """Return the columns as numbers (rows, features), NaN where missing, their names, what they were, and notes."""
    arrays: list[Floats] = []
    names: list[str] = []
    faults: list[str] = []
    columns: list[Column] = []
    notes: list[str] = []
    for name in frame.columns:
        values = expand_categories(frame[name])
        try:
            kind, numbers = _convert_to_numbers(str(name), values)
            if numbers is not None:
                arrays.append(numbers)
                names.append(str(name))
            else:
                indicators = _encode_one_hot(str(name), values, spec.categories)
                arrays += indicators.values()
                names += indicators
                notes.append(f"Column `{name}` is one-hot: {quote_names(list(indicators))}.")
        except InputError as error:
            faults.append(f"{source}: {error}")
            continue
        columns.append(Column(str(name), kind, "feature" if numbers is not None else f"{len(indicators)} features"))
    if faults:
        more = [f"... and {len(faults) - 10} more such columns."] if len(faults) > 10 else []
        raise InputError("\n".join(faults[:10] + more))
    x = _stack(arrays, len(frame))
    return x, names, columns, (*_note_conversions(columns), *notes, *note_features(names, x))


def _stack(arrays: Sequence[Floats], rows: int) -> Floats:
    """Return columns (rows,) side by side, (rows, columns), in C order.

    It is filled in the layout that it keeps: column_stack and a later copy would need the memory twice.
    """
    x = np.empty((rows, len(arrays)))

    def fill(start: int) -> None:
        for number, array in enumerate(arrays):
            x[start : start + BLOCK_ROWS, number] = array[start : start + BLOCK_ROWS]

    with ThreadPoolExecutor(FILLING_THREADS) as threads:
        for _ in threads.map(fill, range(0, rows, BLOCK_ROWS)):
            pass
    return x


def _note_conversions(columns: Sequence[Column]) -> list[str]:
    truths = [column.name for column in columns if column.kind == "true/false"]
    texts = [column.name for column in columns if column.kind == "numbers as text"]
    notes = []
    if truths:
        notes.append(f"True/false is read as 1/0: {quote_names(truths)}.")
    if texts:
        notes.append(f"Numbers written as text are read as numbers: {quote_names(texts)}.")
    return notes


def _convert_to_numbers(name: str, values: "pd.Series") -> tuple[str, Floats | None]:
    """Return the kind of a column and its numbers (rows,), NaN where missing; None for the numbers of text."""
    import pandas as pd

    kind = find_kind(values)
    if kind in ("dates or times", "complex numbers", "lists", "structures"):
        row = int(values.notna().to_numpy().argmax())
        first = str(values.iloc[row])[:40]
        raise InputError(
            f"column `{name}` holds {kind}, such as {first!r} in data row {row + 1}: expected real numbers. "
            f'Convert it to numbers, or leave it out: `data.drop` = ["{name}"].'
        )
    if kind == "text":
        text = blank_missing(values)
        parsed = pd.to_numeric(text, errors="coerce")
        wrong = (text.notna() & parsed.isna()).to_numpy()
        if wrong.any():
            if wrong.sum() < text.notna().sum() and not parsed.isna().all():
                _refuse_mixed(name, text, wrong)
            return kind, None
        return "numbers as text", parsed.to_numpy(np.float64, na_value=np.nan)
    numbers: Floats = values.to_numpy(np.float64, na_value=np.nan)
    return kind, numbers


def _refuse_mixed(name: str, text: "pd.Series", wrong: "np.ndarray") -> None:
    """Raise InputError for a column of numbers in which some are not."""
    row = int(wrong.argmax())
    value = text.iloc[row][:40]
    remedy = "Correct the values"
    if re.fullmatch(r"[-+]?\d{1,3}([ ,.']\d{3})+([.,]\d+)?", value):
        remedy = 'Write numbers without thousands separators (a decimal comma is `data.decimal = ","`)'
    elif re.fullmatch(r"[-+]?[\d.,]+\s*%", value):
        remedy = "Write percentages without the percent sign"
    raise InputError(
        f"column `{name}`: expected numbers, got {value!r} in data row {row + 1} ({wrong.sum()} such). "
        f'{remedy}, or leave out the column: `data.drop` = ["{name}"].'
    )


def _encode_one_hot(name: str, values: "pd.Series", categories: str) -> dict[str, Floats]:
    """Return a column of 0s and 1s for each value of a column of text, NaN where it is missing."""
    text = blank_missing(values)
    found = sorted(text.dropna().unique())
    drop = f'leave it out: `data.drop` = ["{name}"]'
    first = f"such as {found[0][:40]!r}" if len(found) == 1 else f"such as {text.dropna().iloc[0][:40]!r}"
    first += f" in data row {int(text.notna().to_numpy().argmax()) + 1}"
    if all(_is_date(value) for value in found):
        raise InputError(f"column `{name}` holds dates or times, {first}: expected numbers. Convert it, or {drop}.")
    # Two tests: one pattern for both takes hours for a cell of a million digits and a letter.
    if all(re.fullmatch(r"[-+]?[\d.,' ]+%?", value) and re.search(r"\d", value) for value in found):
        raise InputError(
            f"column `{name}`: expected numbers, got text {first}. Write plain numbers, without percent signs and "
            f'thousands separators (a decimal comma is `data.decimal = ","`), or {drop}.'
        )
    if len(found) > MAX_CATEGORIES or (2 * len(found) > len(text) and len(found) > 10):
        raise InputError(
            f"column `{name}` holds text with {len(found)} different values, {first}: expected numbers or categories. "
            f"It looks like an identifier or free text: {drop}."
        )
    if categories == "refuse":
        raise InputError(
            f'column `{name}` holds text, {first}: expected numbers. Set `data.categories` to "one-hot" '
            f"(one 0/1 column for each of its {len(found)} values), or {drop}."
        )
    missing = text.isna().to_numpy()
    return {f"{name}={value}": np.where(missing, np.nan, (text == value).to_numpy(np.float64)) for value in found}


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return not text.isdigit()
