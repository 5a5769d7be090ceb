"""A data set as loaded, and the check that it consists of finite numbers."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...common.errors import InputError
from .wording import quote_names, shorten_list

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Dataset(NamedTuple):
    """A data set as loaded: finite numbers, and class numbers counted from 0."""

    name: str
    x: Floats
    """(rows, features)"""
    y: Integers
    """(rows,), in 0 ... classes-1"""
    features: tuple[str, ...]
    classes: tuple[str, ...]
    """The names of the classes, sorted: numbers by value, text alphabetically."""
    notes: tuple[str, ...]
    """A sentence for each conversion of the data."""


def check_dataset(dataset: Dataset) -> Dataset:
    """Return the data set under its short name, with a note on constant columns.

    Raises InputError for missing and infinite values.
    """
    x, notes = dataset.x, dataset.notes
    _refuse_values(dataset, np.isnan(x), "missing values", "Fill them in, or remove those rows or columns.")
    _refuse_values(dataset, np.isinf(x), "infinite values", "Replace them, or remove those rows or columns.")
    constant = select_names(dataset.features, (x == x[0]).all(axis=0))
    if constant:
        notes += (f"Constant columns are kept; normalisation divides them by 1: {quote_names(constant)}.",)
    return dataset._replace(name=Path(dataset.name).name, x=np.ascontiguousarray(x), notes=notes)


def _refuse_values(dataset: Dataset, wrong: npt.NDArray[np.bool_], what: str, remedy: str) -> None:
    counts = wrong.sum(axis=0)
    if not counts.any():
        return
    places = [
        f"`{dataset.features[column]}` {counts[column]} (the first in data row {wrong[:, column].argmax() + 1})"
        for column in np.flatnonzero(counts)
    ]
    raise InputError(f"{dataset.name}: {what}: {shorten_list(places)}. {remedy}")


def select_names(names: Sequence[str], mask: npt.NDArray[np.bool_]) -> list[str]:
    """Return the names where the mask is true."""
    return [name for name, wanted in zip(names, mask, strict=True) if wanted]


def hash_dataset(dataset: Dataset) -> str:
    """Return twelve hexadecimal digits: a hash of the values, the labels and the classes, but not of the names."""
    digest = hashlib.sha256()
    for array in (np.ascontiguousarray(dataset.x, "<f8"), np.ascontiguousarray(dataset.y, "<i8")):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.data)
    digest.update(json.dumps(dataset.classes).encode())
    return digest.hexdigest()[:12]


def make_random_state(seed: int) -> np.random.RandomState:
    """Return a random source for scikit-learn, whose plain seeds are below 2**32; those of a spec are below 2**63."""
    return np.random.RandomState(np.random.PCG64(seed))
