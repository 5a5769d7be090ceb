"""The data of trials: loaded and split once, and looked at before anything is trained on them."""

from functools import lru_cache
from pathlib import Path

from ..common.errors import InputError
from ..workload import data
from ..workload.data import Dataset, Splits
from ..workload.spec import DataSpec, Spec
from .space import SearchFile

SPLIT_BY = ("training.batch_size", "training.dtype")
"""The fields outside [data] that decide whether the data can be split."""


@lru_cache(maxsize=2)
def load_dataset(data_spec: DataSpec, seed: int) -> Dataset:
    """Return a data set. Trials that split it in other ways share it."""
    return data.load(data_spec, seed)


@lru_cache(maxsize=8)
def load_splits(data_spec: DataSpec, seed: int, batch_size: int, dtype: str) -> Splits:
    """Return the splits of a spec's data. Trials that differ in other fields share them. Raises InputError."""
    training = Spec().training.model_copy(update={"seed": seed, "batch_size": batch_size, "dtype": dtype})
    run = Spec(data=data_spec).model_copy(update={"training": training})
    drawn = data_spec.source.startswith("synthetic:")
    return data.split(load_dataset(data_spec, seed if drawn else 0), run)


def splits_of(spec: Spec) -> Splits:
    """Return the splits of the data of a spec. Raises InputError where it cannot be trained on them."""
    training = spec.training
    return load_splits(spec.data, training.seed, training.batch_size, training.dtype)


def check_data(found: SearchFile, name: str) -> str:
    """Return the hash of the data of a search file, which errors call `name`.

    Raises InputError where they cannot be read, or where the end of a searched range cannot be trained on them.
    """
    deciding = {field: each for field, each in found.space.items() if field.startswith("data.") or field in SPLIT_BY}
    first = {field: dimension.extremes()[0] for field, dimension in deciding.items()}
    for field, dimension in deciding.items():
        for value in dimension.extremes():
            try:
                splits_of(found.spec_at({**first, field: value}))
            except InputError as error:
                raise InputError(f"{name}: `space.{field}` has {value!r}: {error}") from None
    return splits_of(found.spec_at(first)).hash


def require_same_data(found: SearchFile, folder: Path, expected: str) -> None:
    """Raise InputError where the data of a search in `folder` are no longer those that it began with."""
    now = check_data(found, str(folder))
    if expected not in ("", now):
        raise InputError(f"{folder}: its data had the hash {expected}, now {now}. Start a new search.")
