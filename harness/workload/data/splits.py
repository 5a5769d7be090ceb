"""A data set shared out, normalised and put in an order: what training takes."""

from typing import NamedTuple

import numpy as np

from ...common.errors import InputError
from ..spec import Spec
from .dataset import Dataset, Floats, Integers, chosen, fingerprint, random_state
from .wording import quoted

# scikit-learn takes a second to import: only the function that needs it does.
# ruff: noqa: PLC0415


class Splits(NamedTuple):
    """A data set shared out and normalised: `(x - mean) / std`, by the training rows alone."""

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
    """Twelve hexadecimal digits of the data set as loaded, whatever file it came from."""

    @property
    def features(self) -> int:
        """Return how many features a row has."""
        return len(self.mean)


def split(dataset: Dataset, spec: Spec) -> Splits:
    """Share the rows out, class by class, from `spec.training.seed`, and normalise them.

    InputError where a class has too few rows, a split too few for the classes, the training split too few for one
    batch, or a feature values beyond the run's dtype.
    """
    train, validation, test = _shares(dataset, spec)
    check_batch(len(train), spec.training.batch_size)
    x, y, notes = dataset.x, dataset.y, dataset.notes
    mean, std = np.zeros(x.shape[1]), np.ones(x.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        if spec.data.normalisation == "standard":
            mean, std = _statistics(x[train])
            notes += _constant_in_training(dataset, train)
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
        hash=fingerprint(dataset),
    )


def batch_orders(rows: int, batch_size: int, epochs: int, seed: int) -> Integers:
    """Return the row numbers of every step: (epochs * (rows // batch_size), batch_size).

    One permutation an epoch, from PCG64(seed); the rows left over after its last full batch are dropped.
    InputError where the rows do not fill one batch.
    """
    check_batch(rows, batch_size)
    rng = np.random.Generator(np.random.PCG64(seed))
    kept = rows - rows % batch_size
    orders = [rng.permutation(rows)[:kept].reshape(-1, batch_size) for _ in range(epochs)]
    return np.concatenate(orders).astype(np.int64)


def _shares(dataset: Dataset, spec: Spec) -> list[Integers]:
    """Return the row numbers of the training, validation and test split."""
    from sklearn.model_selection import train_test_split

    rows, y = len(dataset.y), dataset.y
    validation, test = (round(share * rows) for share in (spec.data.validation, spec.data.test))
    _check_shares(dataset, {"training": rows - validation - test, "validation": validation, "test": test})
    rng = random_state(spec.training.seed)
    try:
        rest, for_test = train_test_split(np.arange(rows), test_size=test, stratify=y, random_state=rng)
        train, for_validation = train_test_split(rest, test_size=validation, stratify=y[rest], random_state=rng)
    except ValueError as error:
        raise InputError(f"{dataset.name} cannot be split class by class: {error} {_more(dataset)}") from None
    absent = sorted(set(range(len(dataset.classes))) - set(y[train].tolist()))
    if absent:
        names = quoted([dataset.classes[number] for number in absent])
        raise InputError(f"{dataset.name}: no training row is left of the class {names}. {_more(dataset)}")
    return [train, for_validation, for_test]


def _check_shares(dataset: Dataset, sizes: dict[str, int]) -> None:
    counts = np.bincount(dataset.y, minlength=len(dataset.classes))
    rarest = int(counts.argmin())
    if counts[rarest] < 3:
        raise InputError(
            f"{dataset.name}: class `{dataset.classes[rarest]}` has {counts[rarest]} rows: expected at least 3, "
            "one for each of training, validation and test. Add rows, or leave the class out."
        )
    for name, size in sizes.items():
        if size < len(counts):
            raise InputError(
                f"{dataset.name}: the {name} split would have {size} rows for {len(counts)} classes: "
                f"expected at least one row each. {_more(dataset)}"
            )


def _more(dataset: Dataset) -> str:
    return f"Change `data.validation` and `data.test`, or give more than {len(dataset.y)} rows."


def check_batch(rows: int, batch_size: int) -> None:
    """Raise InputError where the training rows do not fill one batch."""
    if rows < batch_size:
        raise InputError(
            f"{rows} training rows do not fill one batch of {batch_size}: lower `training.batch_size` to at most "
            f"{rows}, give more rows, or lower `data.validation` and `data.test`."
        )


def _statistics(x: Floats) -> tuple[Floats, Floats]:
    """Return mean and divisor of each column: the population standard deviation, or 1 where that is 0."""
    mean, std = x.mean(axis=0), x.std(axis=0)
    # The mean of equal numbers can round away from them; their deviation is 0 all the same, not that rounding.
    constant = (x == x[0]).all(axis=0)
    return np.where(constant, x[0], mean), np.where(constant | (std == 0), 1.0, std)


def _constant_in_training(dataset: Dataset, train: Integers) -> tuple[str, ...]:
    x = dataset.x
    constant = (x[train] == x[train[0]]).all(axis=0) & (x != x[0]).any(axis=0)
    names = chosen(dataset.features, constant)
    return (f"Constant in the training rows only, and so divided by 1: {quoted(names)}.",) if names else ()


def _check_range(dataset: Dataset, x: Floats, mean: Floats, std: Floats, dtype: str) -> None:
    fits = (np.abs(x) <= np.finfo(dtype).max).all(axis=0) & np.isfinite(mean) & np.isfinite(std)
    if not fits.all():
        names = quoted(chosen(dataset.features, ~fits))
        raise InputError(f"{dataset.name}: values of {names} are too large for {dtype}. Use a larger unit for them.")
