"""A data set as loaded, and the check that it consists of finite numbers."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...common.errors import InputError
from .missing import all_finite, list_places
from .wording import quote_names

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


TRAINING, VALIDATION, TEST = 0, 1, 2
"""The numbers of the splits in `Dataset.parts`."""
FIRST_ROWS = 256
"""They rule out nearly every column that is looked for, so that all rows of the others are not looked at."""


class Column(NamedTuple):
    """A column of a table, or an array, and what became of it."""

    name: str
    kind: str
    """Such as "numbers", "true/false", "text"."""
    use: str
    """Such as "feature", "labels", "left out"."""


class Dataset(NamedTuple):
    """A data set as loaded: finite numbers, and class numbers counted from 0."""

    name: str
    x: Floats
    """(rows, features); NaN where the mean of the training rows replaces a missing value"""
    y: Integers
    """(rows,), in 0 ... classes-1"""
    features: tuple[str, ...]
    classes: tuple[str, ...]
    """The names of the classes, sorted: numbers by value, text alphabetically."""
    notes: tuple[str, ...]
    """A sentence for each conversion of the data, and for each doubt about it."""
    parts: Integers | None = None
    """(rows,), TRAINING, VALIDATION or TEST, where the data bring a split of their own"""
    columns: tuple[Column, ...] = ()
    """The columns of the source, for people; empty for digits and synthetic data"""


def check_dataset(dataset: Dataset) -> Dataset:
    """Return the data set under its short name, with a note on constant columns.

    Raises InputError for infinite values.
    """
    x, notes = dataset.x, dataset.notes
    if not all_finite(x) and np.isinf(x).any():
        places = list_places(dataset.features, np.isinf(x))
        raise InputError(
            f"{dataset.name}: infinite values: {places}. Replace them, or remove those rows; "
            "`data.drop` leaves out whole columns."
        )
    constant = select_names(dataset.features, _find_constant(x))
    if constant:
        notes += (f"Constant columns are kept; normalisation divides them by 1: {quote_names(constant)}.",)
    return dataset._replace(name=Path(dataset.name).name, x=np.ascontiguousarray(x), notes=notes)


def _find_constant(x: Floats) -> npt.NDArray[np.bool_]:
    """Return which columns of (rows, features) have one value. The first rows rule out nearly every other."""
    constant: npt.NDArray[np.bool_] = (x[:FIRST_ROWS] == x[0]).all(axis=0)
    for column in np.flatnonzero(constant):
        constant[column] = (x[:, column] == x[0, column]).all()
    return constant


def select_names(names: Sequence[str], mask: npt.NDArray[np.bool_]) -> list[str]:
    """Return the names where the mask is true."""
    return [name for name, wanted in zip(names, mask, strict=True) if wanted]


def hash_dataset(dataset: Dataset) -> str:
    """Return twelve hexadecimal digits: a hash of the values, the labels and the classes, but not of the names.

    It covers the split, where the data bring one.
    """
    digest = hashlib.sha256()
    for array in (np.ascontiguousarray(dataset.x, "<f8"), np.ascontiguousarray(dataset.y, "<i8")):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.data)
    digest.update(json.dumps(dataset.classes).encode())
    if dataset.parts is not None:
        digest.update(np.ascontiguousarray(dataset.parts, "<i8").data)
    return digest.hexdigest()[:12]


def make_random_state(seed: int) -> np.random.RandomState:
    """Return a random source for scikit-learn, whose plain seeds are below 2**32; those of a spec are below 2**63."""
    return np.random.RandomState(np.random.PCG64(seed))
