"""Small tables, and the writers and loaders that the tests of data sets share."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bakeoff.common.errors import InputError
from bakeoff.workload.data import Dataset, load
from bakeoff.workload.spec import DataSpec, Spec, TrainingSpec

ROWS = 30
KINDS = ("ant", "bee", "cat")


def table(rows: int = ROWS) -> pd.DataFrame:
    """Return a small, sound table with a column of labels."""
    rng = np.random.default_rng(0)
    kinds = np.array(KINDS)[np.arange(rows) % 3]
    return pd.DataFrame({"width": rng.normal(size=rows), "height": rng.integers(1, 9, rows), "kind": kinds})


def spec_for(data: DataSpec | None = None, **training: int | str) -> Spec:
    return Spec(data=data or DataSpec(), training=TrainingSpec(**{"batch_size": 2, **training}))


def raw(x: np.ndarray, y: np.ndarray) -> Dataset:
    features = tuple(f"x{number}" for number in range(x.shape[1]))
    classes = tuple(str(number) for number in range(int(y.max()) + 1))
    return Dataset("raw", np.asarray(x, np.float64), np.asarray(y, np.int64), features, classes, ())


class Folder:
    """Writes a table in the format asked for and loads it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def csv(self, content: str | bytes, target: str = "kind") -> Dataset:
        path = self.path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load(DataSpec(source=str(path), target=target))

    def frame(self, frame: pd.DataFrame, target: str = "kind", suffix: str = "csv") -> Dataset:
        path = self.path / f"table.{suffix}"
        frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
        return load(DataSpec(source=str(path), target=target))

    def npz(self, target: str = "", **arrays: np.ndarray) -> Dataset:
        path = self.path / "table.npz"
        np.savez(path, **arrays)
        return load(DataSpec(source=str(path), target=target))


def refused(call: Callable[[], object], *fragments: str) -> str:
    """Return the message with which `call` refuses its input; it holds all the fragments."""
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert [fragment for fragment in fragments if fragment not in message] == [], message
    return message


def arrays(rows: int = ROWS) -> dict[str, np.ndarray]:
    return {"x": np.arange(2.0 * rows).reshape(rows, 2), "y": np.arange(rows) % 3}
