"""The data of the bundled spec, and their splits, as a file: the checks need neither scikit-learn nor pandas.

The file has the handwritten digits of E. Alpaydin and C. Kaynak (UCI Machine Learning Repository, CC BY 4.0) as
scikit-learn has them, and the row numbers of the splits that the bundled spec draws. A test compares both with what
`data.load` and `data.split` give.
"""

from pathlib import Path

import numpy as np

from . import data
from .spec import Spec

FILE = Path(__file__).with_name("digits.npz")


def load_digits() -> data.Dataset:
    """Return the digits, as `data.load` returns them for the bundled spec."""
    with np.load(FILE) as stored:
        x, y = stored["x"].astype(np.float64), stored["y"].astype(np.int64)
    pixels = tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8))
    return data.check_dataset(data.Dataset("digits", x, y, pixels, tuple("0123456789"), ()))


def split_digits(run: Spec) -> data.Splits:
    """Return the splits of the digits that the bundled spec draws; `run` is that spec."""
    with np.load(FILE) as stored:
        rows = [stored[name].astype(np.int64) for name in ("train", "validation", "test")]
    return data.arrange(load_digits(), run, rows)
