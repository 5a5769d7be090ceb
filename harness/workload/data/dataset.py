"""A data set as loaded, and what every one of them must be: finite numbers."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...common.errors import InputError
from .wording import quoted, some

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Dataset(NamedTuple):
    """Examples as loaded: finite numbers, with labels counted from 0."""

    name: str
    x: Floats
    """(rows, features)"""
    y: Integers
    """(rows,), in 0 ... classes-1"""
    features: tuple[str, ...]
    classes: tuple[str, ...]
    """Sorted: numbers by value, text by alphabet."""
    notes: tuple[str, ...]
    """What was done to the data on the way, a sentence each."""


def checked(dataset: Dataset) -> Dataset:
    """Return the data set under its short name, refusing what is not finite and noting what is constant."""
    x, notes = dataset.x, dataset.notes
    _refuse(dataset, np.isnan(x), "missing values", "Fill them in, or leave those rows or columns out.")
    _refuse(dataset, np.isinf(x), "infinite values", "Replace them, or leave those rows or columns out.")
    constant = chosen(dataset.features, (x == x[0]).all(axis=0))
    if constant:
        notes += (f"Constant columns are kept, and divided by 1 where they are normalised: {quoted(constant)}.",)
    return dataset._replace(name=Path(dataset.name).name, x=np.ascontiguousarray(x), notes=notes)


def _refuse(dataset: Dataset, wrong: npt.NDArray[np.bool_], what: str, remedy: str) -> None:
    counts = wrong.sum(axis=0)
    if not counts.any():
        return
    places = [
        f"`{dataset.features[column]}` {counts[column]} (the first in data row {wrong[:, column].argmax() + 1})"
        for column in np.flatnonzero(counts)
    ]
    raise InputError(f"{dataset.name}: {what}: {some(places)}. {remedy}")


def chosen(names: Sequence[str], mask: npt.NDArray[np.bool_]) -> list[str]:
    """Return the names where the mask is true."""
    return [name for name, wanted in zip(names, mask, strict=True) if wanted]


def fingerprint(dataset: Dataset) -> str:
    """Return twelve hexadecimal digits of the values, the labels and the classes: not of names, nor of the file."""
    digest = hashlib.sha256()
    for array in (np.ascontiguousarray(dataset.x, "<f8"), np.ascontiguousarray(dataset.y, "<i8")):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.data)
    digest.update(json.dumps(dataset.classes).encode())
    return digest.hexdigest()[:12]


def random_state(seed: int) -> np.random.RandomState:
    """Return what scikit-learn draws from: a plain number it takes up to 2**32 only, a spec's seed goes to 2**63."""
    return np.random.RandomState(np.random.PCG64(seed))
