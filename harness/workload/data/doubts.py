"""Notes on doubtful features: row numbers, numbers that stand for a missing value, and copies of the labels."""

from collections.abc import Sequence

import numpy as np

from .dataset import FIRST_ROWS, Floats, Integers
from .wording import quote_names

SENTINELS = (-99999.0, -9999.0, -999.0, -99.0, 999.0, 9999.0, 99999.0)
"""Numbers that often stand for a missing value."""
LONE = 10
"""A sentinel is doubtful where every other value is this many times nearer to 0."""
MOST_CLASSES = 1000
"""With more classes, features are not compared with the labels."""


def note_features(names: Sequence[str], x: Floats) -> list[str]:
    """Return the notes on features (rows, features) alone; NaN is a missing value."""
    notes = []
    counters = _find_counters(names, x)
    if counters:
        notes.append(
            f"Columns that count the rows are read as features: {quote_names(counters)}. "
            "If they only number the rows, leave them out with `data.drop`."
        )
    sentinels = _find_sentinels(names, x)
    if sentinels:
        notes.append(
            f"Numbers that often stand for a missing value are read as they are: {'; '.join(sentinels[:10])}. If they "
            "do, leave these cells empty and set `data.missing`."
        )
    return notes


def _find_counters(names: Sequence[str], x: Floats) -> list[str]:
    candidates = np.flatnonzero(x[0] + 1 == x[min(1, len(x) - 1)])
    with np.errstate(invalid="ignore"):  # infinite values are refused later, with their place
        return [names[int(column)] for column in candidates if len(x) > 9 and (np.diff(x[:, column]) == 1).all()]


def _find_sentinels(names: Sequence[str], x: Floats) -> list[str]:
    """Return in words the columns whose extreme value is a sentinel, far from all others."""
    found = []
    for extreme in (np.fmin.reduce(x, axis=0), np.fmax.reduce(x, axis=0)):
        for column in np.flatnonzero(np.isin(extreme, SENTINELS)):
            values, sentinel = x[:, column], float(extreme[column])
            others = values[(values != sentinel) & ~np.isnan(values)]
            if len(others) and np.abs(others).max() * LONE < abs(sentinel):
                found.append(f"{sentinel:g} in {len(values) - np.count_nonzero(values != sentinel)} rows of "
                             f"`{names[int(column)]}`")  # fmt: skip
    return found


def note_label_copies(names: Sequence[str], x: Floats, y: Integers, classes: Sequence[str]) -> tuple[str, ...]:
    """Return a note on features that have one value for each class and no other, so that they give the label away."""
    count = len(classes)
    if not 2 <= count <= MOST_CLASSES:
        return ()
    own = x[np.unique(y, return_index=True)[1]]
    """(classes, features): the value in the first row of each class"""
    candidates = np.flatnonzero((x[:FIRST_ROWS] == own[y[:FIRST_ROWS]]).all(axis=0))
    copies = [
        names[int(column)]
        for column in candidates
        if len(np.unique(own[:, column])) == count and (x[:, column] == own[y, column]).all()
    ]
    if not copies:
        return ()
    return (
        f"Columns that determine the label are read as features: {quote_names(copies)}, with one value for each class. "
        "If they were made from it, leave them out with `data.drop`.",
    )
