"""A split of the rows that the data bring: a column that says train, validation or test."""

from typing import TYPE_CHECKING

import numpy as np

from ...common.errors import InputError
from .dataset import TEST, TRAINING, VALIDATION, Integers
from .missing import blank_missing
from .wording import quote_names

if TYPE_CHECKING:
    import pandas as pd

WORDS = {
    **dict.fromkeys(("train", "training"), TRAINING),
    **dict.fromkeys(("validation", "valid", "val", "dev"), VALIDATION),
    **dict.fromkeys(("test", "testing"), TEST),
}
EXPECTED = "expected `train`, `test` and, where there is one, `validation`"


def read_parts(source: str, name: str, values: "pd.Series") -> Integers:
    """Return the split of each row (rows,). Raises InputError for other words than those of WORDS."""
    words = blank_missing(values).fillna("").str.lower()
    unknown = sorted(set(words.unique()) - set(WORDS))
    if unknown:
        raise InputError(f"{source}: {EXPECTED} in the column `{name}` of `data.split`, got {quote_names(unknown)}.")
    parts: Integers = words.map(WORDS).to_numpy().astype(np.int64)
    return parts


def note_parts(source: str, name: str, parts: Integers) -> tuple[str, ...]:
    """Return a note on the split. Raises InputError where it has no training or no test rows."""
    training, validation, test = np.bincount(parts, minlength=3).tolist()
    where = f"the column `{name}` of `data.split`" if name else "the file"
    if not training or not test:
        raise InputError(f"{source}: {EXPECTED} in {where}, got {training} training and {test} test rows.")
    drawn = "" if validation else " The validation rows are drawn from the training rows."
    return (f"The split is that of {where}: {training} training, {validation} validation, {test} test rows.{drawn}",)
