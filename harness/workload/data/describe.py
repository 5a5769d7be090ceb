"""What would be read from a source of data: its columns, classes and notes, without running anything."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...common.errors import InputError
from ..spec import DataSpec, Spec, TrainingSpec
from .dataset import Column, hash_dataset
from .sources import load
from .splits import split


class Description(NamedTuple):
    """What would be read from a source of data."""

    name: str
    hash: str
    rows: int
    features: int
    columns: tuple[Column, ...]
    """Each column of the source with its kind and its use: feature, labels, split, or left out."""
    classes: dict[str, int]
    """The number of rows of each class, in the order of the class numbers"""
    splits: dict[str, tuple[int, int, int]]
    """For each class its training, validation and test rows; empty where the data cannot be split"""
    notes: tuple[str, ...]
    problem: str
    """Why the data cannot be split and normalised as the spec says, or nothing"""


def describe_data(data: DataSpec, training: TrainingSpec | None = None, cache: Path | None = None) -> Description:
    """Return what would be read. Raises InputError for data that cannot be read, with the option that reads them."""
    training = training or TrainingSpec()
    dataset = load(data, training.seed, cache)
    counts = np.bincount(dataset.y, minlength=len(dataset.classes)).tolist()
    problem, notes, per_split = "", dataset.notes, {}
    try:
        splits = split(dataset, Spec(data=data, training=training))
        notes, per_split = splits.notes, splits.class_counts()
    except InputError as error:
        problem = str(error)
    return Description(
        name=dataset.name,
        hash=hash_dataset(dataset),
        rows=len(dataset.y),
        features=dataset.x.shape[1],
        columns=dataset.columns or tuple(Column(name, "numbers", "feature") for name in dataset.features),
        classes=dict(zip(dataset.classes, counts, strict=True)),
        splits=per_split,
        notes=notes,
        problem=problem,
    )
