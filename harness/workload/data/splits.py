"""The splits of a data set, their normalisation, and the order of the batches."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...common.errors import InputError
from ..spec import Spec
from .dataset import (
    TEST,
    TRAINING,
    VALIDATION,
    Dataset,
    Floats,
    Integers,
    hash_dataset,
    make_random_state,
    select_names,
)
from .wording import quote_names, shorten_list

# scikit-learn takes a second to import: only the function that needs it does.
# ruff: noqa: PLC0415


class Splits(NamedTuple):
    """A data set split and normalised: `(x - mean) / std`, both computed from the training rows only."""

    x_train: Floats
    y_train: Integers
    x_validation: Floats
    y_validation: Integers
    x_test: Floats
    y_test: Integers
    mean: Floats
    """(features,); 0 without normalisation"""
    std: Floats
    """(features,), the divisor: 1 where the population standard deviation is 0, and without normalisation"""
    classes: tuple[str, ...]
    notes: tuple[str, ...]
    hash: str
    """Twelve hexadecimal digits: a hash of the data set as loaded, independent of the file's format."""

    def class_counts(self) -> dict[str, tuple[int, int, int]]:
        """Return for each class its number of training, validation and test rows."""
        labels = (self.y_train, self.y_validation, self.y_test)
        counts = [np.bincount(y, minlength=len(self.classes)).tolist() for y in labels]
        return dict(zip(self.classes, zip(*counts, strict=True), strict=True))

    @property
    def features(self) -> int:
        """The number of features of a row."""
        return len(self.mean)


def split(dataset: Dataset, spec: Spec) -> Splits:
    """Split the rows, stratified by class and drawn from `spec.training.seed`, and normalise them.

    Where the data bring a split, it is used; without validation rows, they are drawn from its training rows.
    Raises InputError where a class has too few rows, a split too few for the classes, the training split too few
    for one batch, or a feature has values beyond the range of the run's dtype.
    """
    return arrange(dataset, spec, _draw_splits(dataset, spec))


def arrange(dataset: Dataset, spec: Spec, rows: Sequence[Integers]) -> Splits:
    """Return the splits with these row numbers, for training, validation and test, normalised. Raises InputError."""
    train, validation, test = rows
    check_batch(len(train), spec.training.batch_size)
    y, notes = dataset.y, dataset.notes + _note_absent_classes(dataset, validation, test)
    x = _fill_missing(dataset, train)
    mean, std = np.zeros(x.shape[1]), np.ones(x.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        if spec.data.normalisation == "standard":
            mean, std = _compute_statistics(x[train])
            notes += _note_constant_columns(dataset, x, train)
        x = (x - mean) / std
    _check_range(dataset, x, mean, std, spec.training.dtype)
    return Splits(
        x_train=x[train],
        y_train=y[train],
        x_validation=x[validation],
        y_validation=y[validation],
        x_test=x[test],
        y_test=y[test],
        mean=mean,
        std=std,
        classes=dataset.classes,
        notes=notes,
        hash=hash_dataset(dataset),
    )


def batch_orders(rows: int, batch_size: int, epochs: int, seed: int) -> Integers:
    """Return the row numbers of every step: (epochs * (rows // batch_size), batch_size).

    Each epoch has one permutation, from PCG64(seed); the rows after its last full batch are not used.
    Raises InputError where the rows do not fill one batch.
    """
    check_batch(rows, batch_size)
    rng = np.random.Generator(np.random.PCG64(seed))
    kept = rows - rows % batch_size
    orders = [rng.permutation(rows)[:kept].reshape(-1, batch_size) for _ in range(epochs)]
    return np.concatenate(orders).astype(np.int64)


def _draw_splits(dataset: Dataset, spec: Spec) -> list[Integers]:
    """Return the row numbers of the training, validation and test split."""
    rows, y = len(dataset.y), dataset.y
    rng = make_random_state(spec.training.seed)
    if dataset.parts is None:
        validation, test = (round(share * rows) for share in (spec.data.validation, spec.data.test))
        _check_rarest(dataset)
        _check_sizes(dataset, {"training": rows - validation - test, "validation": validation, "test": test})
        rest, for_test = _divide(dataset, np.arange(rows), test, rng)
        train, for_validation = _divide(dataset, rest, validation, rng)
    else:
        parts = (TRAINING, VALIDATION, TEST)
        train, for_validation, for_test = (np.flatnonzero(dataset.parts == part) for part in parts)
        if not len(for_validation):
            validation = round(spec.data.validation * len(train))
            _check_sizes(dataset, {"training": len(train) - validation, "validation": validation})
            train, for_validation = _divide(dataset, train, validation, rng)
    absent = sorted(set(range(len(dataset.classes))) - set(y[train].tolist()))
    if absent:
        names = quote_names([dataset.classes[number] for number in absent])
        raise InputError(f"{dataset.name}: no training row is left of the class {names}. {_suggest_more_rows(dataset)}")
    return [train, for_validation, for_test]


def _divide(dataset: Dataset, rows: Integers, size: int, rng: np.random.RandomState) -> list[Integers]:
    """Return the rows in two parts, the second of this size, with the classes in proportion."""
    from sklearn.model_selection import train_test_split

    try:
        parts: list[Integers] = train_test_split(rows, test_size=size, stratify=dataset.y[rows], random_state=rng)
    except ValueError as error:
        raise InputError(f"{dataset.name} cannot be split by class: {error} {_suggest_more_rows(dataset)}") from None
    return parts


def _check_rarest(dataset: Dataset) -> None:
    counts = np.bincount(dataset.y, minlength=len(dataset.classes))
    rarest = int(counts.argmin())
    if counts[rarest] < 3:
        raise InputError(
            f"{dataset.name}: class `{dataset.classes[rarest]}` has {counts[rarest]} rows: expected at least 3, "
            "one for each of training, validation and test. Add rows, remove the class, "
            "or assign the rows yourself with `data.split`."
        )


def _check_sizes(dataset: Dataset, sizes: dict[str, int]) -> None:
    classes = len(dataset.classes)
    for name, size in sizes.items():
        if size < classes:
            raise InputError(
                f"{dataset.name}: the {name} split would have {size} rows for {classes} classes: "
                f"expected at least one row each. {_suggest_more_rows(dataset)}"
            )


def _note_absent_classes(dataset: Dataset, validation: Integers, test: Integers) -> tuple[str, ...]:
    notes = []
    for name, rows in (("validation", validation), ("test", test)):
        counts = np.bincount(dataset.y[rows], minlength=len(dataset.classes))
        absent = [f"`{dataset.classes[number]}`" for number in np.flatnonzero(counts == 0)]
        if absent:
            notes.append(
                f"{len(absent)} of {len(counts)} classes have no {name} row, so the {name} accuracy says nothing "
                f"about them: {shorten_list(absent)}."
            )
    return tuple(notes)


def _fill_missing(dataset: Dataset, train: Integers) -> Floats:
    """Return the features with each missing value replaced by the mean of the training rows."""
    missing = np.isnan(dataset.x)
    if not missing.any():
        return dataset.x
    present = ~missing[train]
    counts = present.sum(axis=0)
    if not counts.all():
        names = quote_names(select_names(dataset.features, counts == 0))
        raise InputError(
            f"{dataset.name}: no training row has a value of {names}, so there is no mean to put in place of the "
            "missing ones. Leave these columns out with `data.drop`."
        )
    means = np.where(present, dataset.x[train], 0).sum(axis=0) / counts
    return np.where(missing, means, dataset.x)


def _suggest_more_rows(dataset: Dataset) -> str:
    return f"Change `data.validation` and `data.test`, or give more than {len(dataset.y)} rows."


def check_batch(rows: int, batch_size: int) -> None:
    """Raise InputError where the training rows do not fill one batch."""
    if rows < batch_size:
        raise InputError(
            f"{rows} training rows do not fill one batch of {batch_size}: lower `training.batch_size` to at most "
            f"{rows}, give more rows, or lower `data.validation` and `data.test`."
        )


def _compute_statistics(x: Floats) -> tuple[Floats, Floats]:
    """Return mean and divisor of each column: the population standard deviation, or 1 where that is 0."""
    mean, std = x.mean(axis=0), x.std(axis=0)
    # The mean of equal numbers can differ from them by rounding. Their standard deviation is 0 nevertheless.
    constant = (x == x[0]).all(axis=0)
    return np.where(constant, x[0], mean), np.where(constant | (std == 0), 1.0, std)


def _note_constant_columns(dataset: Dataset, x: Floats, train: Integers) -> tuple[str, ...]:
    constant = (x[train] == x[train[0]]).all(axis=0) & (x != x[0]).any(axis=0)
    names = select_names(dataset.features, constant)
    return (
        (f"Columns that are constant in the training rows only are divided by 1: {quote_names(names)}.",)
        if names
        else ()
    )


def _check_range(dataset: Dataset, x: Floats, mean: Floats, std: Floats, dtype: str) -> None:
    fits = (np.abs(x) <= np.finfo(dtype).max).all(axis=0) & np.isfinite(mean) & np.isfinite(std)
    if not fits.all():
        names = quote_names(select_names(dataset.features, ~fits))
        raise InputError(f"{dataset.name}: values of {names} are too large for {dtype}. Use a larger unit for them.")
