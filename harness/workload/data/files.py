"""Data sets in .csv, .parquet and .npz files."""

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
from .columns import read_frame, read_labels
from .dataset import Dataset, check_dataset
from .wording import explain_unknown_name, quote_names

# pandas and pyarrow take a second to import: only the functions that need them do.
# ruff: noqa: PLC0415


DAMAGED = (OSError, ValueError, EOFError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)
"""The exceptions of zipfile and NumPy for a damaged or encrypted (RuntimeError) archive."""


def check_readable(path: Path) -> None:
    """Raise InputError for a file that does not exist, cannot be opened, or is empty."""
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file. Check `data.source`: paths are relative to this folder.") from None
    except IsADirectoryError:
        raise InputError(f"{path}: expected a file, got a folder. Name one file in it.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}.") from None
    if empty:
        raise InputError(f"{path}: expected a table, got an empty file.")


def _read_csv(path: Path, spec: DataSpec) -> Dataset:
    import pandas as pd

    header = _read_csv_header(path)
    _check_names(spec.source, header)
    try:
        frame = pd.read_csv(path, index_col=False, low_memory=False, skipinitialspace=True)
        frame.columns = header
    except ValueError as error:
        raise InputError(f"{path}: not a regular comma-separated table: {error}.") from None
    return read_frame(spec.source, frame, spec.target, ())


def _read_csv_header(path: Path) -> list[str]:
    """Return the column names of a UTF-8 file, after checking that every row has as many cells.

    pandas is not used: it renames duplicate names, fills short rows and takes the first cell of long rows as an index.
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
                        "Give every row the same number of cells, and put text with commas in double quotes."
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
                f"{path}: one column only, with {name} in its header: expected commas. "
                "Save it with commas between the cells and with decimal points."
            )
    found = "only one column" if header else "no columns"
    raise InputError(f"{path}: expected a column of labels and at least one feature, got {found}.")


def _read_parquet(path: Path, spec: DataSpec) -> Dataset:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            _check_names(spec.source, file.schema_arrow.names)
            frame = file.read().to_pandas()
    except (ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path}: not a Parquet file that can be read: {error}.") from None
    index = [str(name) for name in frame.index.names if name is not None]
    notes = (f"The pandas index {quote_names(index)} is not a feature and is not read.",) if index else ()
    frame.columns = [str(name) for name in frame.columns]
    return read_frame(spec.source, frame, spec.target, notes)


def _check_names(source: str, names: Sequence[str]) -> None:
    unnamed = [str(number) for number, name in enumerate(names, 1) if not name.strip()]
    if unnamed:
        raise InputError(
            f"{source}: column {', '.join(unnamed)} has no name. Name it, or remove it "
            "(pandas writes such a column for its index: use to_csv(..., index=False))."
        )
    duplicates = sorted({name for name in names if names.count(name) > 1})
    if duplicates:
        raise InputError(f"{source}: the same column name twice: {quote_names(duplicates)}. Rename one of them.")


def _read_npz(path: Path, spec: DataSpec) -> Dataset:
    import pandas as pd

    arrays = _read_arrays(path)
    target = spec.target or "y"
    if target not in arrays:
        there = explain_unknown_name("array", target, list(arrays))
        raise InputError(f"{path}: {there} Set `data.target`, or `--target`, to the array of labels.")
    name = _find_features(path, arrays, target)
    x, labels = arrays[name], arrays[target]
    if x.ndim != 2 or not x.size or labels.shape != x.shape[:1]:
        raise InputError(
            f"{path}: expected `{name}` of shape (rows, features) and `{target}` of shape (rows,), "
            f"got {x.shape} and {labels.shape}. Reshape them."
        )
    if x.dtype.kind not in "biuf":
        raise InputError(f"{path}: expected numbers in `{name}`, got the dtype {x.dtype}. Convert them to numbers.")
    notes = (f"The array `{name}` is true/false: read as 1/0.",) if x.dtype.kind == "b" else ()
    features = tuple(f"{name}{number}" for number in range(x.shape[1]))
    y, classes = read_labels(spec.source, target, pd.Series(_convert_labels(path, target, labels)))
    return check_dataset(Dataset(spec.source, x.astype(np.float64), y, features, classes, notes))


def _convert_labels(path: Path, target: str, labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return labels that pandas accepts: it supports no foreign byte order, no bytes as text and no records."""
    if labels.dtype.kind == "V":
        raise InputError(f"{path}: expected numbers or text in `{target}`, got the dtype {labels.dtype}.")
    if labels.dtype.kind == "S":
        return np.char.decode(labels, "utf-8", "replace")
    return labels.astype(labels.dtype.newbyteorder("="))


def _read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: not an .npz archive, or a damaged one. Write it with numpy.savez.")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except DAMAGED as error:
        hint = "Store numbers or text, not Python objects." if "pickle" in str(error) else "Write it with numpy.savez."
        raise InputError(f"{path}: cannot be read: {error}. {hint}") from None
    return {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}


def _find_features(path: Path, arrays: dict[str, npt.NDArray[Any]], target: str) -> str:
    if "x" in arrays and target != "x":
        return "x"
    tables = [name for name, array in arrays.items() if array.ndim == 2 and name != target]
    if len(tables) != 1:
        raise InputError(
            f"{path}: expected an array `x` of shape (rows, features), or one 2-D array beside `{target}`, "
            f"got {len(tables)} among {quote_names(list(arrays))}. Name the features `x`."
        )
    return tables[0]


READERS: dict[str, Callable[[Path, DataSpec], Dataset]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".npz": _read_npz,
}
