"""The labels of a table as classes: each different label is a class of its own, and doubtful ones are noted."""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...common.errors import InputError
from .dataset import Integers
from .kinds import expand_categories, find_kind
from .missing import LISTED, blank_missing
from .wording import quote_names, shorten_list

# pandas takes a second to import: only the functions that need it do.
# ruff: noqa: PLC0415


if TYPE_CHECKING:
    import pandas as pd

PLACEHOLDERS = {
    *("-", "--", "---", ".", "*", "x", "xx", "unknown", "unk", "n.a.", "none", "missing", "undefined", "unspecified"),
    *("tbd", "nil", "-999", "-9999"),
}
"""Labels, in lower case, that often stand for an unknown one."""
RARE = 10
"""A class with fewer rows, or with this many times fewer than the largest, is noted as rare."""
EXACT = 2**53
"""Whole numbers up to here are exact in float64."""


def number_classes(values: npt.NDArray[Any]) -> tuple[Integers, tuple[str, ...]]:
    """Return the class number of each value (rows,), counted from 0, and the values of the classes as text, sorted."""
    found, y = np.unique(values, return_inverse=True)
    return y.astype(np.int64), tuple(str(int(value)) for value in found)


def read_label_texts(source: str, target: str, column: "pd.Series") -> tuple["pd.Series", tuple[str, ...]]:
    """Return the label of each row as text, None where it is missing, and notes.

    The text is exact: whole numbers have all their digits, and text is as written, without blanks around it.
    Raises InputError for dates, complex numbers, lists and fractions.
    """
    values = expand_categories(column)
    kind = find_kind(values)
    if kind == "lists":
        return _read_one_hot(source, target, values)
    if kind in ("dates or times", "complex numbers", "structures"):
        raise InputError(f"{source}: expected classes in `{target}`, got {kind}. Name another column.")
    if values.dtype.kind == "f":
        return _read_floats(source, target, values)
    trimmed = blank_missing(values)
    before, after = values.astype(str)[trimmed.notna()].nunique(), trimmed.nunique()
    joined = f"Blanks around the labels in `{target}` are left out, which joins {before} spellings into {after}."
    return trimmed, (joined,) if after < before else ()


def _read_floats(source: str, target: str, values: "pd.Series") -> tuple["pd.Series", tuple[str, ...]]:
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    wrong = np.flatnonzero(~np.isnan(numbers) & (~np.isfinite(numbers) | (numbers != np.floor(numbers))))
    if len(wrong):
        _refuse_measured(source, target, f"{numbers[wrong[0]]:g}", int(wrong[0]))
    texts = values.astype(object).map(lambda value: str(int(value)), na_action="ignore")
    notes: tuple[str, ...] = ()
    if np.nanmax(np.abs(numbers), initial=0) > EXACT:
        notes = (f"`{target}` holds floating-point labels beyond 2**53: different ones may be joined already.",)
    return texts.where(values.notna(), None), notes


def _read_one_hot(source: str, target: str, values: "pd.Series") -> tuple["pd.Series", tuple[str, ...]]:
    import pandas as pd

    try:
        rows = np.array([np.asarray(row, np.float64) for row in values])
    except (TypeError, ValueError):
        rows = np.empty((0, 0))
    numbers = argmax_one_hot(rows)
    if numbers is None:
        raise InputError(
            f"{source}: expected one label a row in `{target}`, got lists that are not one-hot "
            "(all zeros but one 1, of the same length). Name another column, or write one label a row."
        )
    return pd.Series(numbers.astype(str).astype(object)), (note_one_hot(target, rows.shape[1]),)


def argmax_one_hot(rows: npt.NDArray[Any]) -> Integers | None:
    """Return the position of the 1 in each row (rows, classes), or None where a row has not exactly one 1 among 0s."""
    if rows.ndim != 2 or rows.shape[1] < 2 or rows.dtype.kind not in "biuf":
        return None
    ones = rows == 1
    if not (ones.sum(axis=1) == 1).all() or not (ones | (rows == 0)).all():
        return None
    found: Integers = ones.argmax(axis=1).astype(np.int64)
    return found


def note_one_hot(target: str, classes: int) -> str:
    """Return the note on one-hot labels."""
    return f"The one-hot labels in `{target}` are read as the position of the 1: classes 0 to {classes - 1}."


def _refuse_measured(source: str, target: str, value: str, row: int) -> None:
    raise InputError(
        f"{source}: expected classes in `{target}`, got {value} in data row {row + 1}: "
        "a measured quantity. Name another column, or group its values into classes."
    )


def check_labels(source: str, target: str, texts: "pd.Series", missing: str) -> npt.NDArray[np.bool_]:
    """Return which rows have a label (rows,). Raises InputError for fractions, and for missing labels if refused."""
    labelled: npt.NDArray[np.bool_] = texts.notna().to_numpy()
    absent = np.flatnonzero(~labelled)
    if len(absent) and missing == "refuse":
        raise InputError(
            f"{source}: {len(absent)} of {len(texts)} labels in `{target}` are missing, the first in data row "
            f"{absent[0] + 1} ({LISTED}). Fill them in, or leave out those rows: "
            'set `data.missing` to "drop".'
        )
    classes = texts[labelled].unique().tolist()
    numbers = [_parse(text) for text in classes]
    if None not in numbers:
        for text, number in zip(classes, numbers, strict=True):
            if number is not None and (not number.is_finite() or number != number.to_integral_value()):
                _refuse_measured(source, target, text, int((texts == text).to_numpy().argmax()))
    return labelled


def _parse(text: str) -> Decimal | None:
    """Return the number that a text is, or None."""
    try:
        number = Decimal(text) if re.fullmatch(r"[-+.\w]{1,40}", text) and "_" not in text else None
    except InvalidOperation:
        return None
    # A larger exponent would take a lot of digits to compare.
    return number if number is None or not number.is_finite() or abs(number.adjusted()) < 400 else None


def encode_labels(texts: Sequence[str]) -> tuple[Integers, tuple[str, ...]]:
    """Return the class number of each label (rows,), counted from 0, and the names of the classes, sorted.

    Labels are text. Only where every one is a whole number written in one way are they sorted as numbers; `1.0` is
    then `1`, as file formats differ in it.
    """
    import pandas as pd

    codes, found = pd.factorize(np.asarray(texts, dtype=object))
    names = [str(name) for name in found]
    whole = [re.fullmatch(r"(0|-?[1-9][0-9]{0,30})(\.0+)?", name) for name in names]
    if all(whole) and len({match[2] for match in whole if match}) == 1:
        names = [match[1] for match in whole if match]
        order = sorted(range(len(names)), key=lambda number: int(names[number]))
    else:
        order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(names), np.int64)
    rank[order] = np.arange(len(names))
    return rank[codes], tuple(names[number] for number in order)


def check_classes(source: str, target: str, rows: int, classes: Sequence[str]) -> None:
    """Raise InputError for fewer than two classes, and for so many that they look like an identifier."""
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


def note_doubtful_classes(y: Integers, classes: Sequence[str]) -> tuple[str, ...]:
    """Return notes on labels that are nearly equal or look like placeholders, and on rare classes."""
    notes = []
    alike = _group_alike(classes)
    if alike:
        pairs = shorten_list([" and ".join(f"`{name}`" for name in group) for group in alike])
        notes.append(
            f"Labels that differ only in case, blanks, punctuation or the way a number is written are different "
            f"classes: {pairs}. Make them equal in the file if they mean the same."
        )
    placeholders = [name for name in classes if name.lower() in PLACEHOLDERS]
    if placeholders:
        notes.append(f"Labels that look like a placeholder are classes of their own: {quote_names(placeholders)}.")
    counts = np.bincount(y, minlength=len(classes))
    rare = [
        f"`{classes[number]}` {counts[number]}"
        for number in np.argsort(counts, kind="stable")
        if counts[number] < RARE or counts[number] * RARE <= counts.max()
    ]
    if rare:
        notes.append(
            f"Rare classes, with their number of the {len(y)} rows: {shorten_list(rare)}. "
            f"The largest class alone is {counts.max() / len(y):.1%} of the rows, so read accuracy with care."
        )
    return tuple(notes)


def _group_alike(classes: Sequence[str]) -> list[list[str]]:
    groups: dict[object, list[str]] = {}
    for name in classes:
        number = _parse(name)
        finite = number is not None and number.is_finite()
        groups.setdefault(number if finite else _simplify(name), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _simplify(name: str) -> str:
    """Return a label without the differences in case, blanks and punctuation."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    bare = folded.strip(" .,;:'\"`") or folded
    return re.sub(r"(?<=\w)[-_\s]+(?=\w)", " ", bare)
