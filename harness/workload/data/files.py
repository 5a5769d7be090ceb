"""Tables in .csv, .parquet and .npz files -> data sets."""

import csv
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...common.errors import InputError
from ..spec import DataSpec
from .columns import from_frame, labels_of
from .dataset import Dataset, checked
from .wording import quoted, unknown

# pandas and pyarrow take a second to import: only the functions that need them do.
# ruff: noqa: PLC0415


DAMAGED = (OSError, ValueError, EOFError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)
"""What zipfile and NumPy raise for an archive that is damaged, or encrypted (RuntimeError)."""


def check_readable(path: Path) -> None:
    """Refuse a file that is not there, cannot be opened, or is empty."""
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file. Check `data.source`: a path is relative to where you are.") from None
    except IsADirectoryError:
        raise InputError(f"{path}: expected a file, got a folder. Name one file in it.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}.") from None
    if empty:
        raise InputError(f"{path}: expected a table, got an empty file.")


def _csv(path: Path, spec: DataSpec) -> Dataset:
    import pandas as pd

    header = _csv_header(path)
    _check_names(spec.source, header)
    try:
        frame = pd.read_csv(path, index_col=False, low_memory=False, skipinitialspace=True)
        frame.columns = header
    except ValueError as error:
        raise InputError(f"{path}: not a regular comma-separated table: {error}.") from None
    return from_frame(spec.source, frame, spec.target, ())


def _csv_header(path: Path) -> list[str]:
    """Return the column names of a UTF-8 file whose every row has as many cells.

    Read apart from pandas, which renames duplicates, fills short rows up and takes a long row's first cell for a name.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, skipinitialspace=True)
            rows = filter(None, reader)
            header = next(rows, [])
            _check_separator(path, header)
            for cells in rows:
                if len(cells) != len(header):
                    raise InputError(
                        f"{path}: line {reader.line_num} has {len(cells)} cells where the header has {len(header)}. "
                        "Give every row as many; put text that holds commas in double quotes."
                    )
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(f"{path}: expected UTF-8, got the byte 0x{byte:02x}. Save the file as UTF-8.") from None
    except csv.Error as error:
        raise InputError(f"{path}: not a comma-separated table: {error}.") from None
    return header


def _check_separator(path: Path, header: list[str]) -> None:
    if len(header) > 1:
        return
    for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if separator in "".join(header):
            raise InputError(
                f"{path}: one column only, and {name} in its header: expected commas. "
                "Save it with commas between cells, and points in decimal numbers."
            )
    found = "only one column" if header else "no columns"
    raise InputError(f"{path}: expected a column of labels and at least one feature, got {found}.")


def _parquet(path: Path, spec: DataSpec) -> Dataset:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            _check_names(spec.source, file.schema_arrow.names)
            frame = file.read().to_pandas()
    except (ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path}: not a Parquet file that can be read: {error}.") from None
    index = [str(name) for name in frame.index.names if name is not None]
    notes = (f"The pandas index {quoted(index)} is no feature: left out.",) if index else ()
    frame.columns = [str(name) for name in frame.columns]
    return from_frame(spec.source, frame, spec.target, notes)


def _check_names(source: str, names: Sequence[str]) -> None:
    unnamed = [str(number) for number, name in enumerate(names, 1) if not name.strip()]
    if unnamed:
        raise InputError(
            f"{source}: column {', '.join(unnamed)} has no name. Name it, or leave it out "
            "(pandas writes such a column for its index: use to_csv(..., index=False))."
        )
    duplicates = sorted({name for name in names if names.count(name) > 1})
    if duplicates:
        raise InputError(f"{source}: the same column name twice: {quoted(duplicates)}. Give each column its own.")


def _npz(path: Path, spec: DataSpec) -> Dataset:
    import pandas as pd

    arrays = _npz_arrays(path)
    target = spec.target or "y"
    if target not in arrays:
        there = unknown("array", target, list(arrays))
        raise InputError(f"{path}: {there} Set `data.target`, or `--target`, to the array of labels.")
    name = _npz_features(path, arrays, target)
    x, labels = arrays[name], arrays[target]
    if x.ndim != 2 or not x.size or labels.shape != x.shape[:1]:
        raise InputError(
            f"{path}: expected `{name}` of shape (rows, features) and `{target}` of shape (rows,), "
            f"got {x.shape} and {labels.shape}. Reshape them."
        )
    if x.dtype.kind not in "biuf":
        raise InputError(f"{path}: expected numbers in `{name}`, got the dtype {x.dtype}. Turn them into numbers.")
    notes = (f"The array `{name}` is true/false: read as 1/0.",) if x.dtype.kind == "b" else ()
    features = tuple(f"{name}{number}" for number in range(x.shape[1]))
    y, classes = labels_of(spec.source, target, pd.Series(_native(path, target, labels)))
    return checked(Dataset(spec.source, x.astype(np.float64), y, features, classes, notes))


def _native(path: Path, target: str, labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return labels that pandas takes: it knows neither the other byte order, nor bytes as text, nor records."""
    if labels.dtype.kind == "V":
        raise InputError(f"{path}: expected numbers or text in `{target}`, got the dtype {labels.dtype}.")
    if labels.dtype.kind == "S":
        return np.char.decode(labels, "utf-8", "replace")
    return labels.astype(labels.dtype.newbyteorder("="))


def _npz_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: not an .npz archive, or a damaged one. Write it with numpy.savez.")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except DAMAGED as error:
        hint = "Store numbers or text, no Python objects." if "pickle" in str(error) else "Write it with numpy.savez."
        raise InputError(f"{path}: cannot be read: {error}. {hint}") from None
    return {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}


def _npz_features(path: Path, arrays: dict[str, npt.NDArray[Any]], target: str) -> str:
    if "x" in arrays and target != "x":
        return "x"
    tables = [name for name, array in arrays.items() if array.ndim == 2 and name != target]
    if len(tables) != 1:
        raise InputError(
            f"{path}: expected an array `x` of shape (rows, features), or one 2-D array beside `{target}`, "
            f"got {len(tables)} among {quoted(list(arrays))}. Name the features `x`."
        )
    return tables[0]


READERS: dict[str, Callable[[Path, DataSpec], Dataset]] = {".csv": _csv, ".parquet": _parquet, ".npz": _npz}
